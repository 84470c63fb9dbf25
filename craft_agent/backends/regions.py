# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Selects the connected region of a mask that a prompt means."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..geometry import box_mask
from ..records import BoolMask, Box, Point


def select_region(
    mask: BoolMask,
    weight: npt.NDArray[np.floating] | BoolMask,
    box: Box | None,
    points: Sequence[Point],
    is_single: bool = True,
) -> BoolMask:
    """
    Selects the regions with a positive point, otherwise the region with the largest weight.

    Args:
        mask (`np.ndarray`): All candidate regions, booleans `(height, width)`.
        weight (`np.ndarray`): Weight of each pixel, not negative, `(height, width)`; the mask itself for the largest
            region.
        box (`Box`, *optional*): What lies outside is removed.
        points (`Sequence[Point]`): Regions with a negative point and no positive one are excluded.
        is_single (`bool`, *optional*, defaults to `True`): Whether to select one region. Otherwise all regions are
            kept that the box and the negative points leave.

    Returns:
        `np.ndarray`: Booleans `(height, width)`; all false if nothing is left.
    """
    height, width = mask.shape
    if box is not None:
        mask = mask & box_mask(box, (width, height))
    labels, _ = ndimage.label(mask)
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
