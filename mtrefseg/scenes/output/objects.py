# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Objects of a scene: the connected components of its masks as polygons, with areas on the ground."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import shapely
from rasterio.features import shapes
from rasterio.transform import Affine
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, box
from shapely.geometry import shape as to_shape

from mtrefseg.errors import UserError
from mtrefseg.io import EVERY_CHANGE

from ..reading import Grid, geodesic_area
from ..sentences import ChangeType, change_type_of
from .labels import MaskLabels
from .rasters import writing


LAYER = "objects"
PIXELS_NOTE = "no coordinate reference system: coordinates are pixels of t1, x to the right, y down"
_LONGEST_EDGE_PIXELS = 64  # Longer edges are split before they are transformed to another reference system.


@dataclass(eq=False)
class SceneObject:
    """
    A connected component of a mask; parts that touch at a corner are one.

    Args:
        shape (`shapely.Polygon` or `shapely.MultiPolygon`): Its outline in pixels of t1, along the edges of pixels.
        part (`int`): Its number among the components of the mask.
        area_pixels (`int`): Pixels that it covers.
        score (`float`): Mean probability of its pixels.
        area_m2 (`float`, *optional*): Area on the ground in square metres; `None` without a georeference.
    """

    shape: Any
    part: int
    area_pixels: int
    score: float
    area_m2: float | None = None

    @property
    def size(self) -> float:
        """Area in square metres, or in pixels without a georeference."""
        return self.area_pixels if self.area_m2 is None else self.area_m2

    def described(self) -> tuple[tuple[float, float], float]:
        """Its centre in pixels (x, y) and its size."""
        middle = self.shape.centroid
        return (middle.x, middle.y), self.size


def find_objects(labels: MaskLabels, min_area: float = 0) -> list[SceneObject]:
    """
    Outlines the components of a mask, from top to bottom.

    Args:
        labels ([`MaskLabels`]): The components.
        min_area (`float`, *optional*): Smaller objects are dropped: square metres, or pixels without a georeference.
    """
    grid = labels.grid
    pieces: dict[int, list[Any]] = {}
    for top, numbers, part_of in labels.strips():
        place = Affine.translation(0, top)
        for geometry, number in shapes(numbers, mask=numbers > 0, connectivity=8, transform=place):
            pieces.setdefault(int(part_of[int(number)]), []).append(to_shape(geometry))
    objects = []
    for part, outlines in pieces.items():
        area_pixels = int(labels.areas[part])
        if grid.crs is None and area_pixels < min_area:
            continue
        outline = _joined(outlines)
        area_m2 = None if grid.crs is None else area_on_ground(outline, grid)
        one = SceneObject(outline, part, area_pixels, float(labels.scores[part]), area_m2)
        if one.size >= min_area:
            objects.append(one)
    return objects


def _joined(outlines: Sequence[Any]) -> Any:
    """One valid shape from the pieces of an object that strips cut apart."""
    valid = [one if one.is_valid else shapely.make_valid(one) for one in outlines]
    return valid[0] if len(valid) == 1 else shapely.union_all(valid).simplify(0)


def area_on_ground(shape: Any, grid: Grid) -> float:
    """Square metres of a shape in pixels."""
    longest_edge = _LONGEST_EDGE_PIXELS * float(np.sqrt(abs(grid.transform.determinant)))
    return geodesic_area(to_map(shape, grid), grid.to_wgs84, longest_edge)


def to_map(shape: Any, grid: Grid) -> Any:
    """A shape in pixels, in map coordinates."""
    return shapely.transform(shape, grid.to_map)


def objects_table(
    answers: Sequence[tuple[str | None, Sequence[SceneObject], bool]], grid: Grid, simplify: float = 0
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """
    The objects of all sentences as columns.

    Args:
        answers (`Sequence`): The sentences (`None` for every change) with their objects, and whether these are only
            the changes that fit the sentence best (`is_closest`).
        grid ([`Grid`]): The grid of the scene.
        simplify (`float`, *optional*): Maximum deviation of the outlines in pixels.

    Returns:
        `tuple`: Outlines in map coordinates (pixels without a georeference), and columns by name: `sentence`,
            `change_type`, `score`, `is_closest`, `area_m2` (with a georeference), `area_pixels`, and the bounding box
            in pixels, `x_min`, `y_min`, `x_max`, `y_max`.
    """
    rows = [(text, one, is_closest) for text, objects, is_closest in answers for one in objects]
    outlines = []
    for _, one, _ in rows:
        outline = one.shape.simplify(simplify) if simplify else one.shape
        outlines.append(outline if grid.crs is None else to_map(outline, grid))
    boxes = np.array([one.shape.bounds for _, one, _ in rows]).reshape(-1, 4).round().astype(np.int64)
    types: dict[str | None, ChangeType] = {text: change_type_of(text) for text, _, _ in answers}
    columns: dict[str, np.ndarray] = {
        "sentence": np.array([text or EVERY_CHANGE for text, _, _ in rows], dtype=object),
        "change_type": np.array([types[text] for text, _, _ in rows], dtype=object),
        "score": np.array([round(one.score, 4) for _, one, _ in rows], dtype=np.float64),
        "is_closest": np.array([is_closest for _, _, is_closest in rows], dtype=bool),
    }
    if grid.crs is not None:
        columns["area_m2"] = np.array([one.area_m2 for _, one, _ in rows], dtype=np.float64).round(3)
    columns["area_pixels"] = np.array([one.area_pixels for _, one, _ in rows], dtype=np.int64)
    for index, name in enumerate(("x_min", "y_min", "x_max", "y_max")):
        columns[name] = boxes[:, index]
    return np.array(outlines, dtype=object), columns


def _polygons(shape: Any) -> list[Any]:
    return [part for part in shapely.get_parts(shape).tolist() if part.geom_type == "Polygon"]


def _split_at_180_degrees(shape: Any) -> Any:
    """A shape in degrees with all longitudes from -180 to 180. GDAL splits shapes too, but may write empty parts."""
    west, _, east, _ = shape.bounds
    if west >= -180 and east <= 180:
        return shape
    turns = [shapely.intersection(shape, box(turn - 180, -90, turn + 180, 90)) for turn in (-360, 0, 360)]
    moved = [translate(part, -turn) for part, turn in zip(turns, (-360, 0, 360)) if not part.is_empty]
    return MultiPolygon([polygon for part in moved for polygon in _polygons(part)])


def write_vectors(path: Path, outlines: np.ndarray, columns: dict[str, np.ndarray], grid: Grid) -> None:
    """
    Writes objects as GeoPackage, in the reference system of the scene, or as GeoJSON according to RFC 7946: in WGS 84
    with a bounding box for each object. Without a georeference, coordinates are pixels, which is noted in the file.

    Args:
        path (`Path`): The file; its suffix determines the format.
        outlines, columns: Result of [`objects_table`].
        grid ([`Grid`]): The grid of the scene.

    Raises:
        [`UserError`]: If the suffix is not supported, or the file cannot be written.
    """
    formats = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".json": "GeoJSON"}
    if path.suffix.lower() not in formats:
        raise UserError(f"cannot write {path}: objects are saved as .gpkg or .geojson, masks as .tif")
    driver = formats[path.suffix.lower()]
    crs, options = None if grid.crs is None else grid.crs.to_wkt(), {}
    if driver == "GeoJSON" and grid.crs is not None:
        options = {"RFC7946": "YES", "WRITE_BBOX": "YES"}
        if grid.crs.is_geographic:
            outlines = np.array([_split_at_180_degrees(one) for one in outlines], dtype=object)
    elif driver == "GeoJSON":
        options = {"DESCRIPTION": PIXELS_NOTE}
    geometry = shapely.to_wkb([MultiPolygon(_polygons(one)) for one in outlines])
    with writing(path), warnings.catch_warnings():
        path.unlink(missing_ok=True)
        warnings.filterwarnings("ignore", "'crs' was not provided", UserWarning)
        pyogrio.raw.write(
            str(path),
            np.asarray(geometry, dtype=object),
            list(columns.values()),
            list(columns),
            layer=LAYER,
            driver=driver,
            geometry_type="MultiPolygon",
            crs=crs,
            layer_options=options,
            dataset_options={"VERSION": "1.2"} if driver == "GPKG" else {},  # GDAL before 3.7 warns of newer ones.
        )
