# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The places that GeoTIFFs, and files beside PNG, JPEG and other plain images, tell. They are checked where images are
compared pixel by pixel.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from .image_files_mtrefseg import decoding
from .tiff_tags_mtrefseg import read_tags


_MOST_BYTES = 1 << 20  # Of a file beside an image that is read.
_IN_XML = re.compile(r"<GeoTransform>([^<]*)</GeoTransform>")
_TIFF = (".tif", ".tiff", ".gtiff")
_IDENTITY = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)  # What GDAL gives where no place is told.
_SAME_PLACE = 3.0  # Pixels. Smaller differences come from resizing t2, or from how a file was cut.

Corners = list[tuple[float, float]]
"""Map coordinates of the upper left, upper right and lower left corner of an image."""


def check_same_place(sources: Sequence[Any], sizes: Sequence[tuple[int, int]]) -> None:
    """
    Rejects images that would be compared pixel by pixel, although their tags, or world files (`.pgw`, `.jgw`, `.wld`)
    or `.aux.xml` beside them, say that they show different places.

    Args:
        sources (`Sequence`): The images, the earliest first; only places of local files are read.
        sizes (`Sequence[tuple[int, int]]`): Their widths and heights.

    Raises:
        ValueError: If the places of two of them differ by more than three pixels.
    """
    placed = [
        (source, width, found)
        for source, (width, height) in zip(sources, sizes, strict=True)
        if (found := _corners_of(source, width, height)) is not None
    ]
    for (first, width, corners), (other, other_width, others) in pairwise(placed):
        pixel = max(_distance(*corners[:2]) / width, _distance(*others[:2]) / other_width)
        if any(_distance(*pair) > _SAME_PLACE * pixel for pair in zip(corners, others)):
            spans = [f"({x:.10g}, {y:.10g})" for x, y in (corners[0], others[0])]
            raise ValueError(
                f"{first} begins at {spans[0]} and {other} at {spans[1]}, or they differ in extent, by their "
                "georeferences, but here they are compared pixel by pixel: `mtrefseg predict` and `mtrefseg.segment` "
                f"(extra geo) lay GeoTIFFs over one another by their places. {_advice(first, other)}"
            )


def _advice(*sources: Any) -> str:
    """How to make GeoTIFFs of images, or to do without their places."""
    plain = next((Path(source) for source in sources if Path(source).suffix.lower() not in _TIFF), None)
    if plain is None:
        return "If the places are wrong, correct them (rio edit-info)"
    return (
        f"Convert others (rio convert {plain} {plain.stem}.tif; without a reference system, rio edit-info "
        f"{plain.stem}.tif --crs EPSG:…), or remove the files beside them if they are wrong"
    )


def _corners_of(source: Any, width: int, height: int) -> Corners | None:
    """The corners of an image by its tags or the files beside it, `None` if they tell no place."""
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
    if a * e == b * d or tuple(transform) == _IDENTITY:  # Pixels without a size are no place, either.
        return None
    return [(x, y), (x + a * width, y + d * width), (x + b * height, y + e * height)]


def _of_xml(path: Path) -> list[float] | None:
    """GDAL's transform in an `.aux.xml`. Only its text is searched: an XML parser could be made to fill the memory."""
    found = _IN_XML.search(_text_of(path))
    return _numbers(found[1].split(",")) if found else None


def _of_world_file(path: Path) -> list[float] | None:
    """The transform in a world file, in GDAL's order; a world file tells the centre of the first pixel."""
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
