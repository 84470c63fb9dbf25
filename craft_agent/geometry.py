# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Boxes and masks: how far they overlap, and where they are."""

import numpy as np

from .records import BoolMask, Box


def mask_iou(first: BoolMask, second: BoolMask) -> float:
    """Intersection over union of two masks of one shape, in `[0, 1]`; 1 if both are empty."""
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 1.0


def box_of(mask: BoolMask) -> Box:
    """The smallest box around a mask `(height, width)`; an empty one at the origin if the mask is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return Box(0, 0, 0, 0)
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def box_mask(box: Box, size: tuple[int, int]) -> BoolMask:
    """A box as a mask of an image of `size` (width, height)."""
    mask = np.zeros((size[1], size[0]), dtype=bool)
    mask[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)] = True
    return mask


def dilate(mask: BoolMask, radius: int) -> BoolMask:
    """A mask `(height, width)` grown by so many pixels to all sides and corners."""
    for axis in (0, 1):
        grown = mask.copy()
        for shift in range(1, min(radius, mask.shape[axis] - 1) + 1):
            ahead, behind = [slice(None)] * 2, [slice(None)] * 2
            ahead[axis], behind[axis] = slice(shift, None), slice(None, -shift)
            grown[tuple(ahead)] |= mask[tuple(behind)]
            grown[tuple(behind)] |= mask[tuple(ahead)]
        mask = grown
    return mask
