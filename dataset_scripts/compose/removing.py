# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Finds the pixels to cover when objects are removed: the objects, their rims and their shadows."""

import cv2
import numpy as np

from .canvas import Box, Canvas, disk, grown, window_of


_RIM = 3  # Pixels around a mask that still show something of the thing
_SHADOW = 0.8  # Shadows are darker than this share of the surroundings.
_MOST_TOUCHED = 0.10  # Maximum share of the rim that other, remaining things touch
_LEAST_FREE = 0.45  # Share of the surroundings that must show the ground
_TOUCHED, _HELD = 0.12, 0.02  # Share of its area by which a smaller thing touches one that carries it
_CARRIED = 0.5  # A thing of less than this share of the area is removed with one that it touches.


def carried_by(canvas: Canvas, number: int, from_above: bool) -> list[int] | None:
    """
    The objects that are removed together with another one, because they seem to be carried by it or to lie on it.

    Args:
        canvas (`Canvas`): The canvas.
        number (`int`): Number of the thing.
        from_above (`bool`): Whether touching things are next to each other rather than on each other.

    Returns:
        `list[int]`: Numbers of smaller things that it touches, `None` if larger ones are in the
        way or a smaller one is not completely visible.
    """
    box, area = canvas.places[number]
    window = window_of(grown(box, _RIM + 1, canvas.side))
    numbers = canvas.numbers[1][window]
    mask = numbers == number
    rim = (cv2.dilate(mask.astype(np.uint8), disk(_RIM)) > 0) & ~mask
    touching = np.bincount(numbers[rim])
    carried, blocked = [], int((canvas.taken[window] & (numbers == 0) & rim).sum())
    for other in np.flatnonzero(touching):
        if other == 0:
            continue
        whole = canvas.places[int(other)][1]
        if whole > _CARRIED * area:
            blocked += int(touching[other])
        elif touching[other] > (_TOUCHED if from_above else _HELD) * whole:
            if not canvas.is_whole[int(other)]:
                return None
            carried.append(int(other))
    return None if blocked > _MOST_TOUCHED * rim.sum() else carried


def hole_of(image: np.ndarray, mask: np.ndarray, others: np.ndarray, box: Box, from_above: bool) -> np.ndarray | None:
    """
    The pixels to cover when an object is removed: its mask, the rim of the mask, and its shadow.

    Args:
        image (`np.ndarray`): RGB, uint8, (side, side, 3).
        mask (`np.ndarray`): bool (side, side), where the thing is visible.
        others (`np.ndarray`): bool (side, side), where other things are visible.
        box (`Box`): Box of the mask.
        from_above (`bool`): Whether shadows may fall to any side, or only at the foot.

    Returns:
        `np.ndarray`: bool (side, side), or `None` if too little ground is visible around it.
    """
    side = mask.shape[0]
    extent = float(np.sqrt(mask[window_of(box)].sum()))
    reach = int(np.clip(extent * (0.5 if from_above else 0.35), 4, 16))
    area = grown(box, reach + _RIM + 2, side)
    part = mask[window_of(area)].astype(np.uint8)
    rim = cv2.dilate(part, disk(_RIM)) > 0
    blocked = others[window_of(area)]
    around = (cv2.dilate(part, disk(reach)) > 0) & ~rim
    free = around & ~blocked
    if int(free.sum()) < _LEAST_FREE * int(around.sum()):
        return None
    grey = cv2.cvtColor(image[window_of(area)], cv2.COLOR_RGB2GRAY)
    dark = (grey < _SHADOW * float(np.median(grey[free]))) & free
    if not from_above:
        rows = np.arange(area[1], area[3])[:, None]
        dark &= rows > box[3] - 0.25 * (box[3] - box[1])
    if dark.any() and int(dark.sum()) < 0.45 * int(free.sum()):
        labels = cv2.connectedComponents((dark | rim).astype(np.uint8), connectivity=8)[1]
        shadow = np.isin(labels, np.unique(labels[part > 0])) & dark
        rim = rim | (cv2.dilate(shadow.astype(np.uint8), disk(2)) > 0)
    hole = np.zeros(mask.shape, bool)
    hole[window_of(area)] = rim & ~blocked
    return hole
