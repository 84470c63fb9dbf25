# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Which of a mask's connected regions is meant."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..geometry import box_mask
from ..records import BoolMask, Box, Point
from .offline.components import label_components


def select_region(
    mask: BoolMask,
    weight: npt.NDArray[np.floating] | BoolMask,
    box: Box | None,
    points: Sequence[Point],
    is_single: bool = True,
) -> BoolMask:
    """
    Picks the region that is meant: those that hold a positive point, otherwise the weightiest one.

    Args:
        mask (`np.ndarray`): Booleans `(height, width)`: every region that may be meant.
        weight (`np.ndarray`): `(height, width)`, what each pixel speaks for it, at least 0; the mask itself for the
            largest region.
        box (`Box`, *optional*): What lies outside is cut off.
        points (`Sequence[Point]`): A region with a negative point and no positive one is not meant.
        is_single (`bool`, *optional*, defaults to `True`): Whether one region is meant. Otherwise all are that the
            box and the negative points leave.

    Returns:
        `np.ndarray`: Booleans `(height, width)`; all false if nothing is left.
    """
    height, width = mask.shape
    if box is not None:
        mask = mask & box_mask(box, (width, height))
    labels, _ = label_components(mask)
    inside = [point for point in points if 0 <= point.x < width and 0 <= point.y < height]
    wanted = {int(labels[point.y, point.x]) for point in inside if point.positive} - {0}
    unwanted = {int(labels[point.y, point.x]) for point in inside if not point.positive} - wanted
    if not is_single:
        return mask & ~np.isin(labels, sorted(unwanted))
    if not wanted:
        sums = np.bincount(labels.ravel(), weights=(weight * mask).ravel())
        sums[[0, *unwanted]] = 0
        best = int(sums.argmax())
        wanted = {best} if sums[best] > 0 else set()
    return np.isin(labels, sorted(wanted))
