# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Results for a scene, and their files."""

import shutil
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from PIL import Image

from mtrefseg.errors import UserError
from mtrefseg.io import EVERY_CHANGE, results_written_together, write_json
from mtrs_iou import encode_rle

from ..reading import Grid, open_raster
from ..sentences import Way
from .objects import PIXELS_NOTE, SceneObject, objects_table, write_vectors
from .rasters import writing
from .styles import write_mask_style, write_style


MASKS, PROBABILITIES, OVERVIEW, REPORT = "masks.tif", "probabilities.tif", "overview.webp", "result.json"
GEOPACKAGE, GEOJSON = "objects.gpkg", "objects.geojson"
STYLE, MASK_STYLE = "objects.qml", "masks.qml"
_FILES = (MASKS, PROBABILITIES, OVERVIEW, REPORT, GEOPACKAGE, GEOJSON, STYLE, MASK_STYLE)


@dataclass
class SentenceResult:
    """
    The result for one sentence.

    Args:
        text (`str`, *optional*): The sentence; `None` for every change.
        band (`int`): Band of `masks.tif`, from 1.
        answered_by (`Way`): `"image"` (one window covers the scene), `"windows"`, `"objects"` (windows, then a
            selection among the objects of the complete scene) or `"shrunk scene"`.
        asked (`str`, *optional*): The text that the model was given.
        score (`float`): Mean probability inside the mask, 0 if it is empty.
        no_target_score (`float`): Probability that the sentence has no target: the smallest of all windows.
        is_closest (`bool`): Whether nothing fits the sentence clearly, and the mask contains the changed objects that
            fit it best. Only if the model sees the scene at once: `"image"` or `"shrunk scene"`, or a selection
            among the objects of one window.
        area_pixels (`int`): Pixels of the mask.
        area_fraction (`float`): Their share of the pixels with data, 0 to 1.
        area_m2 (`float`, *optional*): Area of all objects in square metres; `None` without a georeference.
        objects (`list[SceneObject]`): The objects.
    """

    text: str | None
    band: int
    answered_by: Way
    asked: str | None
    score: float
    no_target_score: float
    is_closest: bool
    area_pixels: int
    area_fraction: float
    area_m2: float | None
    objects: list[SceneObject] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """The entry of `result.json`."""
        fields = {name: value for name, value in vars(self).items() if name != "objects"}
        rounded = {name: round(value, 6) for name, value in fields.items() if isinstance(value, float)}
        return {**fields, **rounded, "objects": len(self.objects)}


@dataclass
class SceneResult:
    """
    The changes that sentences describe in a scene.

    Args:
        folder (`Path`): Folder of the files.
        grid ([`Grid`]): The pixels of t1.
        sentences (`list[SentenceResult]`): The results, in the order of the sentences.
        report (`dict`): Further content of `result.json`: thresholds, windows, registration, notes.
        simplify (`float`): Maximum deviation of outlines in vector files in pixels.
        is_plain (`bool`): Whether t1 is a plain image, not a raster; then `result.json` also contains the masks as
            COCO RLE.

    Example:

    ```python
    >>> import mtrefseg

    >>> result = mtrefseg.segment("2019.tif", "2024.tif", ["the buildings that appeared"])
    >>> result.objects
    >>> result.save("out.gpkg")
    ```
    """

    folder: Path
    grid: Grid
    sentences: list[SentenceResult]
    report: dict[str, Any]
    simplify: float = 0.0
    is_plain: bool = False
    # Deletes a temporary folder together with the result.
    _temporary: tempfile.TemporaryDirectory | None = field(default=None, repr=False)
    # Identifies `masks.tif`, once it is in its final folder: another result may replace it there.
    _written: tuple[int, ...] | None = field(default=None, repr=False)

    @property
    def masks(self) -> np.ndarray:
        """
        Booleans of shape `(sentences, height, width)`, read from `masks.tif` on access.

        Raises:
            [`UserError`]: If the files were replaced by those of another result, or removed.
        """
        with open_raster(self._own_folder() / MASKS) as raster:
            return raster.read() == 1

    @property
    def objects(self) -> Any:
        """The objects of all sentences: a `GeoDataFrame` if geopandas is installed, else a list of GeoJSON features
        in map coordinates (pixels without a georeference)."""
        outlines, columns = self._table()
        if find_spec("geopandas"):
            import geopandas

            return geopandas.GeoDataFrame(columns, geometry=outlines, crs=self.grid.crs)
        rows = [dict(zip(columns, values)) for values in zip(*(column.tolist() for column in columns.values()))]
        return [
            {"type": "Feature", "properties": row, "geometry": shapely.geometry.mapping(outline)}
            for row, outline in zip(rows, outlines, strict=True)
        ]

    def save(self, path: str | Path) -> Path:
        """
        Saves the result.

        Args:
            path (`str` or `Path`): A file for the objects (.gpkg or .geojson) or the masks (.tif), or a folder for
                everything. A new folder has no dot in its name.

        Raises:
            [`UserError`]: If the suffix is not supported, the file cannot be written, or the files of this result
                were replaced or removed.
        """
        path = Path(path)
        if path.is_dir() or not path.suffix:
            folder = self._own_folder()
            if not path.exists() or not path.samefile(folder):
                with results_written_together(path) as unfinished:
                    for file in (folder / name for name in _FILES if (folder / name).is_file()):
                        with writing(unfinished / file.name):
                            shutil.copyfile(file, unfinished / file.name)
        elif path.suffix.lower() in (".tif", ".tiff"):
            masks = self._own_folder() / MASKS
            if not path.exists() or not path.samefile(masks):
                with writing(path):
                    shutil.copyfile(masks, path)
        else:
            write_vectors(path, *self._table(), self.grid)
        return path

    def show(self) -> Image.Image:
        """The overview: both dates, the masks and a legend; shows itself in a notebook."""
        with Image.open(self._own_folder() / OVERVIEW) as image:
            return image.convert("RGB")

    def settle(self, folder: Path, temporary: tempfile.TemporaryDirectory | None = None) -> None:
        """Tells the final folder of the files, once they are in it; a `temporary` one is deleted with the result."""
        self.folder = folder
        self._temporary = temporary
        self._written = _identity_of(folder / MASKS)

    def write_files(self) -> None:
        """Writes `objects.gpkg`, `objects.geojson`, the styles `objects.qml` and `masks.qml`, and `result.json`."""
        table = self._table()
        for name in (GEOPACKAGE, GEOJSON):
            write_vectors(self.folder / name, *table, self.grid)
        write_style(self.folder / STYLE, [one.text or EVERY_CHANGE for one in self.sentences])
        write_mask_style(self.folder / MASK_STYLE)
        notes = [*self.report.get("notes", ())]
        if self.grid.crs is None and PIXELS_NOTE not in notes:
            notes.append(PIXELS_NOTE)
        self.report["notes"] = notes
        results = [one.to_json() for one in self.sentences]
        if self.is_plain:
            for one, mask in zip(results, self.masks, strict=True):
                one["rle"] = encode_rle(mask)
        try:
            write_json(self.folder / REPORT, {**self.report, "results": results})
        except OSError as error:
            raise UserError(f"cannot write {self.folder / REPORT}: {error}") from error

    def _own_folder(self) -> Path:
        """The folder, unless its files are no longer those of this result."""
        if self._written is not None and _identity_of(self.folder / MASKS) != self._written:
            raise UserError(
                f"the files of this result in {self.folder} were replaced or removed: give each result its own "
                "folder, or copy what you need before"
            )
        return self.folder

    def _table(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return objects_table(
            [(one.text, one.objects, one.is_closest) for one in self.sentences], self.grid, self.simplify
        )


def _identity_of(path: Path) -> tuple[int, ...]:
    """Tells a file from another one of the same name; empty if there is none."""
    try:
        about = path.stat()
    except OSError:
        return ()
    return about.st_ino, about.st_size, about.st_mtime_ns
