# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads where images lie on the map: from the tags of GeoTIFFs, and from world files and `.aux.xml` beside plain images.
Two images that are compared pixel by pixel must lie at the same place.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from .image_files_mtrefseg import decoding
from .tiff_tags_mtrefseg import read_tags


_MOST_BYTES = 1 << 20  # How much of a file beside an image is read.
_IN_XML = re.compile(r"<GeoTransform>([^<]*)</GeoTransform>")
_TIFF = (".tif", ".tiff", ".gtiff")
_IDENTITY = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)  # GDAL's transform of an image without a place.
_SAME_PLACE = 3.0  # Pixels. Smaller differences come from resizing t2, or from how a file was cut.

Corners = list[tuple[float, float]]
"""Map coordinates (x, y) of the corners in `_CORNER_NAMES`."""
_CORNER_NAMES = ("upper left", "upper right", "lower left")


def check_same_place(sources: Sequence[Any], sizes: Sequence[tuple[int, int]]) -> None:
    """
    Checks that images which are compared pixel by pixel lie at the same place, as far as their places are known.

    Args:
        sources (`Sequence`): The images, the earliest first. Only places of local files are read.
        sizes (`Sequence[tuple[int, int]]`): Their widths and heights.

    Raises:
        ValueError: If corners of two images are more than three pixels apart.
    """
    placed = [
        (source, width, found)
        for source, (width, height) in zip(sources, sizes, strict=True)
        if (found := _corners_of(source, width, height)) is not None
    ]
    for (first, width, corners), (other, other_width, others) in pairwise(placed):
        pixel = max(_distance(*corners[:2]) / width, _distance(*others[:2]) / other_width)
        for name, here, there in zip(_CORNER_NAMES, corners, others, strict=True):
            if _distance(here, there) > _SAME_PLACE * pixel:
                points = " and ".join(f"({x:.10g}, {y:.10g})" for x, y in (here, there))
                raise ValueError(
                    f"{first} and {other} show different places and cannot be compared pixel by pixel: their {name} "
                    f"corners are at {points} on the map. {_advice(first, other)}"
                )


def _advice(*sources: Any) -> str:
    """What the user can do about images of different places."""
    plain = next((Path(source) for source in sources if Path(source).suffix.lower() not in _TIFF), None)
    if plain is None:
        return (
            "`mtrefseg predict` and `mtrefseg.segment` (extra geo) align GeoTIFFs; if the places are wrong, correct "
            "them with rio edit-info"
        )
    return (
        f"Convert them to GeoTIFF (rio convert {plain} {plain.stem}.tif; without a reference system, rio edit-info "
        f"{plain.stem}.tif --crs EPSG:…), which `mtrefseg predict` aligns, or remove wrong files beside the images"
    )


def _corners_of(source: Any, width: int, height: int) -> Corners | None:
    """The corners of an image, from its tags or the files beside it; `None` without a place."""
    if not isinstance(source, str | Path) or "://" in str(source):
        return None
    path = Path(source)
    if not path.is_file():
        return None
    with decoding(str(path)):
        tags = read_tags(path)
    transform: Sequence[float] | None = tags.transform if tags is not None else None
    transform = transform or _of_xml(path.with_name(f"{path.name}.aux.xml"))
    if letters := path.suffix[1:]:
        for suffix in (f"{letters[0]}{letters[-1]}w", f"{letters}w", "wld"):
            for each in (suffix.lower(), suffix.upper()):
                transform = transform or _of_world_file(path.with_suffix(f".{each}"))
    if transform is None:
        return None
    x, a, b, y, d, e = transform
    if a * e == b * d or tuple(transform) == _IDENTITY:  # Pixels without a size give no place, either.
        return None
    return [(x, y), (x + a * width, y + d * width), (x + b * height, y + e * height)]


def _of_xml(path: Path) -> list[float] | None:
    """GDAL's transform in an `.aux.xml`. Only its text is searched: an XML parser could be made to fill the memory."""
    found = _IN_XML.search(_text_of(path))
    return _numbers(found[1].split(",")) if found else None


def _of_world_file(path: Path) -> list[float] | None:
    """The transform of a world file in GDAL's order: from the corner of the first pixel, not from its centre."""
    numbers = _numbers(_text_of(path).split())
    if numbers is None:
        return None
    a, d, b, e, x, y = numbers
    return [x - (a + b) / 2, a, b, y - (d + e) / 2, d, e]


def _numbers(words: Sequence[str]) -> list[float] | None:
    """Six numbers, `None` for anything else."""
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    return numbers if len(numbers) == 6 else None


def _text_of(path: Path) -> str:
    """The beginning of a file, empty if it cannot be read."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("latin-1")
    except OSError:
        return ""


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5)


__all__ = ["check_same_place"]
