# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads boxes and points from the answers of language models. Models write them in several ways:

* JSON, also in a code fence, between words, as one object per line, or truncated after some of them:
  `[{"bbox_2d": [x1, y1, x2, y2], "label": ...}]` (Qwen-VL), `{"point_2d": [x, y]}`, and `"box_2d"`, which is
  [y1, x1, y2, x2] (Gemini);
* `<box>[[x1, y1, x2, y2]]</box>` (InternVL) and `(x1,y1),(x2,y2)` between tags or without (Qwen2-VL).

Coordinates are thousandths of the image (Qwen2-VL, Qwen3-VL, InternVL, Gemini), pixels of the image as it was
resized for the model (Qwen2.5-VL), or fractions of 1; fractions are recognised, the caller must distinguish the
other two.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mtrefseg.foundation import AnswerError, final_text, json_values


Unit = Literal["thousandths", "pixels"]
Size = tuple[int, int]
"""Width and height."""

TOLERANCE = 0.05
"""Coordinates may be outside the image by this share of its side; larger ones are in another unit."""

_BOX_KEYS = {"bbox_2d", "bbox", "box", "boxes", "bboxes", "box_2d", "bounding_box", "bounding_boxes", "coordinates"}
_POINT_KEYS = {"point_2d", "point", "points"}
_REVERSED = "box_2d"
_NUMBER = r"\s*(-?\d{1,9}(?:\.\d{1,9})?)\s*"
_PAIR_OF_POINTS = re.compile(rf"\({_NUMBER},{_NUMBER}\)\s*,\s*\({_NUMBER},{_NUMBER}\)")


@dataclass(frozen=True)
class Frame:
    """
    The reference frame of the coordinates of an answer.

    Args:
        unit (`str`): "thousandths", or "pixels" of the resized image.
        sizes (`Sequence[tuple[int, int]]`): Width and height of each image.
        seen (`Sequence[tuple[int, int]]`): The same after resizing for the model; empty if not resized.
    """

    unit: Unit
    sizes: Sequence[Size]
    seen: Sequence[Size] = ()


@dataclass(frozen=True)
class Region:
    """
    A region of an image.

    Args:
        image (`int`): Number of the image, from 0.
        corners (`tuple[float, float, float, float]`, *optional*): left, top, right, bottom in its pixels.
        point (`tuple[float, float]`, *optional*): x and y in its pixels, if there are no corners.
    """

    image: int
    corners: tuple[float, float, float, float] | None
    point: tuple[float, float] | None = None


def read_regions(text: str, frame: Frame) -> list[Region]:
    """
    Reads all boxes and points of an answer.

    Args:
        text (`str`): The answer, with or without reasoning before it.
        frame ([`Frame`]): The reference frame of its coordinates.

    Returns:
        `list[Region]`: The valid ones; empty if the answer is an empty list, which means no target.

    Raises:
        AnswerError: If the answer contains nothing usable: a refusal, only words, coordinates of another unit,
            or a text that was truncated before the first one.
    """
    text = final_text(text)
    problem, says_nothing, places = "", False, []
    for value in json_values(text):
        if isinstance(value, ValueError):
            problem = problem or str(value)
            continue
        places += list(_places(value, None))
        says_nothing = says_nothing or _is_empty(value)
    if not places:
        places = [_Place(None, tuple(map(float, found.groups()))) for found in _PAIR_OF_POINTS.finditer(text)]
    if not places:
        if says_nothing:
            return []
        raise AnswerError(problem or "the answer holds no box and no point")
    regions = []
    for place in places:
        try:
            regions.append(_region(place, frame))
        except AnswerError as error:
            problem = problem or str(error)
    if not regions:
        raise AnswerError(problem)
    return regions


@dataclass(frozen=True)
class _Place:
    """Coordinates as written: four of a box, or two of a point; and the number of the image, from 1."""

    image: int | None
    numbers: tuple[float, ...]


def _places(value: Any, image: int | None) -> Iterator[_Place]:
    """The regions in a JSON value, outermost first."""
    if isinstance(value, list):
        if (numbers := _numbers(value, 4)) is not None:
            yield _Place(image, numbers)
            return
        for item in value:
            yield from _places(item, image)
    elif isinstance(value, dict):
        named = value.get("image")
        image = named if isinstance(named, int) and not isinstance(named, bool) else image
        for names in (("x1", "y1", "x2", "y2"), ("x", "y")):
            if all(name in value for name in names):
                numbers = _numbers([value[name] for name in names], len(names))
                if numbers is not None:
                    yield _Place(image, numbers)
                    break
        for key, item in value.items():
            yield from _keyed_places(key, item, image)


def _keyed_places(key: str, item: Any, image: int | None) -> Iterator[_Place]:
    if key in _POINT_KEYS and isinstance(item, list):
        for point in item if _numbers(item, 2) is None else [item]:
            if (numbers := _numbers(point, 2)) is not None:
                yield _Place(image, numbers)
    elif key in _BOX_KEYS or isinstance(item, dict | list):
        for place in _places(item, image):
            numbers = place.numbers
            is_reversed = key == _REVERSED and len(numbers) == 4
            yield _Place(place.image, (numbers[1], numbers[0], numbers[3], numbers[2])) if is_reversed else place


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    """A list of this many finite numbers, otherwise `None`."""
    if not isinstance(value, list) or len(value) != count:
        return None
    if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        return None
    # Integers may be too large for a float.
    numbers = tuple(float(item) if abs(item) < 1e9 else math.inf for item in value)
    return numbers if all(map(math.isfinite, numbers)) else None


def _is_empty(value: Any) -> bool:
    """Whether a JSON value is an empty list, or an object whose values are all empty lists or null."""
    if isinstance(value, dict):
        return all(item is None or item == [] for item in value.values())
    return value == []


def _region(place: _Place, frame: Frame) -> Region:
    """A region in pixels of its image."""
    count = len(frame.sizes)
    # Without a valid number, the last image is used, which is the later one.
    image = place.image - 1 if place.image is not None and 1 <= place.image <= count else count - 1
    size, numbers = frame.sizes[image], place.numbers
    if all(0 <= value <= 1 for value in numbers) and any(value != int(value) for value in numbers):
        units: Size = (1, 1)
    elif frame.unit == "thousandths":
        units = (1000, 1000)
    else:
        units = frame.seen[image] if image < len(frame.seen) else size
    pixels = []
    for axis, value in enumerate(numbers):
        unit, side = units[axis % 2], size[axis % 2]
        if not -TOLERANCE * unit <= value <= (1 + TOLERANCE) * unit:
            raise AnswerError(f"the coordinate {value:g} is outside the image, whose side is {unit:g} in this unit")
        pixels.append(min(max(value * side / unit, 0.0), float(side)))
    if len(pixels) == 2:
        return Region(image, None, (pixels[0], pixels[1]))
    left, right = sorted(pixels[0::2])
    top, bottom = sorted(pixels[1::2])
    if left == right or top == bottom:
        raise AnswerError("a box of the answer has no area")
    return Region(image, (left, top, right, bottom))
