# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes the masks of a scene strip by strip, and converts them to a cloud-optimised GeoTIFF."""

import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.errors
import rasterio
import rasterio.shutil
from rasterio.windows import Window

from modeling_mtrefseg.object_colors_mtrefseg import logit_of
from mtrefseg.errors import UserError, one_line

from ..reading import Grid, open_raster
from ..stitching import Strip


NO_DATA = 255
"""Value of masks and probabilities where a date has no data."""
PERCENT = 100
_BLOCK = 256
_LEAST_FREE = 1 << 20  # Bytes. With less free space, any failure is reported as a full disk.

_FAILURES = (
    OSError,
    rasterio.errors.RasterioError,
    rasterio._err.CPLE_BaseError,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.GeometryError,
    pyogrio.errors.FeatureError,
)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Converts errors such as a full disk to a `UserError` that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            yield
    except _FAILURES as error:
        if not path.parent.is_dir():
            raise UserError(f"cannot write {path}: there is no folder {path.parent}") from error
        # GDAL rarely reports a full disk, and may only detect it while reading.
        if shutil.disk_usage(path.parent).free < _LEAST_FREE:
            raise UserError(f"cannot write {path}: no space is left on the disk; free some") from error
        raise UserError(f"cannot write {path}: {one_line(error.__cause__ or error)}; is the disk full?") from error


def create_raster(path: Path, grid: Grid, count: int, dtype: str = "uint8") -> Any:
    """
    Opens a tiled raster to write into. [`to_cog`] adds the georeference; until then, coordinates are pixels.

    Args:
        path (`Path`): The file.
        grid ([`Grid`]): Its size.
        count (`int`): Number of bands.
        dtype (`str`, *optional*, defaults to `"uint8"`): Type of the values.
    """
    with writing(path):
        return rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=grid.width,
            height=grid.height,
            count=count,
            dtype=dtype,
            nodata=NO_DATA if dtype == "uint8" else None,
            tiled=True,
            blockxsize=_BLOCK,
            blockysize=_BLOCK,
            interleave="band",
            compress="deflate",
            zlevel=1,
            bigtiff="if_safer",
        )


def to_cog(source: Path, target: Path, grid: Grid, names: Sequence[str], scale: float | None = None) -> None:
    """
    Copies a raster into a cloud-optimised GeoTIFF.

    Args:
        source (`Path`): The raster, to which georeference and band names are added.
        target (`Path`): The new file.
        grid ([`Grid`]): The georeference.
        names (`Sequence[str]`): Names of the bands.
        scale (`float`, *optional*): The physical value of a stored 1.
    """
    with writing(target):
        with open_raster(source, "r+") as raster:
            if grid.crs is not None:
                raster.crs, raster.transform = grid.crs, grid.transform
            for band, name in enumerate(names, start=1):
                raster.set_band_description(band, name)
            if scale is not None:
                raster.scales = [scale] * raster.count
        rasterio.shutil.copy(
            source,
            target,
            driver="COG",
            compress="DEFLATE",
            overview_resampling="NEAREST",
            bigtiff="IF_SAFER",
            num_threads="2",
        )


class StripWriter:
    """
    Writes masks and probabilities of several sentences, in percent, while a scene is segmented.

    Args:
        folder (`Path`): Folder for the two files.
        grid ([`Grid`]): The grid of the scene.
        count (`int`): Number of sentences.
        threshold (`float`): Probability above which a pixel is masked.

    Attributes:
        masks, probabilities (`Path`): The files.
        areas (`np.ndarray`): Pixels of each mask.
        sums (`np.ndarray`): Sum of the probabilities inside each mask.
        valid (`int`): Pixels of the scene with data at all dates.
    """

    def __init__(self, folder: Path, grid: Grid, count: int, threshold: float) -> None:
        self.grid = grid
        self._limit = logit_of(threshold)
        self.masks, self.probabilities = folder / "masks.part.tif", folder / "probabilities.part.tif"
        self._files = [create_raster(path, grid, count) for path in (self.masks, self.probabilities)]
        self._pending: dict[tuple[int, ...], list[tuple[int, np.ndarray, np.ndarray]]] = {}
        self.areas = np.zeros(count, dtype=np.int64)
        self.sums = np.zeros(count)
        self.valid = 0

    def write(self, strip: Strip, bands: Sequence[int]) -> None:
        """
        Writes finished rows of some sentences.

        Args:
            strip ([`Strip`]): The rows.
            bands (`Sequence[int]`): The sentences of these rows, from 0.
        """
        probabilities = _sigmoid(strip.logits)
        inside = (strip.logits > self._limit) & strip.valid  # Compared as for plain images.
        indices = list(bands)
        self.areas[indices] += inside.sum(axis=(1, 2))
        self.sums[indices] += np.where(inside, probabilities, 0).sum(axis=(1, 2), dtype=np.float64)
        if 0 in indices:
            self.valid += int(strip.valid.sum())
        percent = np.rint(probabilities * PERCENT).astype(np.uint8)
        masks = inside.astype(np.uint8)
        percent[:, ~strip.valid], masks[:, ~strip.valid] = NO_DATA, NO_DATA
        pending = self._pending.setdefault(tuple(bands), [])
        pending.append((strip.top, masks, percent))
        end = strip.top + strip.valid.shape[0]
        self._flush(tuple(bands), end if end == self.grid.height else end // _BLOCK * _BLOCK)

    def close(self) -> None:
        """Closes the files."""
        for path, file in zip((self.masks, self.probabilities), self._files, strict=True):
            with writing(path):
                file.close()

    def _flush(self, bands: tuple[int, ...], end: int) -> None:
        """Writes the rows before `end` in complete blocks: a block that is written twice takes twice the space."""
        pending = self._pending[bands]
        top = pending[0][0]
        if end <= top:
            return
        stacks = [np.concatenate([part[index] for part in pending], axis=1) for index in (1, 2)]
        for path, file, stack in zip((self.masks, self.probabilities), self._files, stacks, strict=True):
            with writing(path):
                file.write(
                    stack[:, : end - top],
                    [band + 1 for band in bands],
                    window=Window(0, top, self.grid.width, end - top),
                )
        rest = [stack[:, end - top :] for stack in stacks]
        self._pending[bands] = [(end, rest[0], rest[1])] if rest[0].shape[1] else []


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
