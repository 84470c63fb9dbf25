# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Boxes, masks, and the coordinates that perceivers answer in."""

from collections.abc import Sequence

import numpy as np

from .records import BoolMask, Box


FULL_SCALE = 1000
"""Coordinates in answers go from 0 to this across an image of any size."""

_ROWS, _COLUMNS = ("top", "mid", "bottom"), ("left", "center", "right")


def mask_iou(first: BoolMask, second: BoolMask) -> float:
    """Intersection over union of two masks of the same shape, in `[0, 1]`; 1 if both are empty."""
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 1.0


def box_of(mask: BoolMask) -> Box:
    """The smallest box around a mask `(height, width)`; an empty box at the origin if the mask is empty."""
    from scipy import ndimage  # Here, so that the help of craft-agent is quick.

    found = ndimage.find_objects(mask.astype(np.uint8), max_label=1)[0]
    if found is None:
        return Box(0, 0, 0, 0)
    rows, columns = found
    return Box(columns.start, rows.start, columns.stop, rows.stop)


def box_mask(box: Box, size: tuple[int, int]) -> BoolMask:
    """The mask `(height, width)` of a box in an image of `size` (width, height)."""
    mask = np.zeros((size[1], size[0]), dtype=bool)
    mask[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)] = True
    return mask


def dilate(mask: BoolMask, radius: int) -> BoolMask:
    """A mask `(height, width)` grown by a number of pixels in all directions, diagonals included."""
    from scipy import ndimage

    return ndimage.maximum_filter(mask, size=2 * radius + 1, mode="constant", cval=False)


def place_name(x: float, y: float) -> str:
    """
    Names a place in terms of a 3 x 3 grid.

    Args:
        x, y (`float`): Position in the image, each in `[0, 1]`.

    Returns:
        `str`: Such as "top-left", "mid-right" or "center".
    """
    row, column = _ROWS[min(2, int(3 * y))], _COLUMNS[min(2, int(3 * x))]
    return "center" if (row, column) == ("mid", "center") else f"{row}-{column}"


def place_of(box: Box, size: tuple[int, int]) -> str:
    """The [`place_name`] of a box's centre in an image of `size` (width, height)."""
    return place_name((box.left + box.right) / 2 / size[0], (box.top + box.bottom) / 2 / size[1])


def to_pixels(box: Sequence[float], part: Box) -> Box | None:
    """
    Converts a box of an answer to pixels of the whole image.

    Args:
        box (`Sequence[float]`): left, top, right, bottom, from 0 to `FULL_SCALE` across the part.
        part (`Box`): The part of the image that the perceiver was shown.

    Returns:
        `Box` or `None`: The box, at least one pixel wide and high; `None` if it does not have four sides, or no area.
    """
    if len(box) != 4 or box[0] == box[2] or box[1] == box[3]:
        return None
    xs, ys = sorted((box[0], box[2])), sorted((box[1], box[3]))
    width, height = part.right - part.left, part.bottom - part.top
    left = min(part.right - 1, part.left + int(xs[0] * width / FULL_SCALE))
    top = min(part.bottom - 1, part.top + int(ys[0] * height / FULL_SCALE))
    right = min(part.right, part.left + -int(-xs[1] * width // FULL_SCALE))
    bottom = min(part.bottom, part.top + -int(-ys[1] * height // FULL_SCALE))
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))


def from_pixels(box: Box, part: Box) -> list[float]:
    """The reverse of `to_pixels`; the box is clipped to the part."""
    width, height = part.right - part.left, part.bottom - part.top
    inside = box.intersect(part)
    return [
        FULL_SCALE * (inside.left - part.left) / width,
        FULL_SCALE * (inside.top - part.top) / height,
        FULL_SCALE * (inside.right - part.left) / width,
        FULL_SCALE * (inside.bottom - part.top) / height,
    ]
