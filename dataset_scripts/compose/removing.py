# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Takes things out of an image: what was behind them is covered with another part of the same image.

The part is the one whose surroundings look most like those of the hole; its light is fitted to them. Where no part
fits, nothing is removed: there are always other things to remove.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from .canvas import Box, disk, grown, window_of


_RIM = 3  # Pixels around a mask that still show something of the thing
_RING = 7  # Width of the surroundings that are compared
_MOST_DIFFERENT = 21.0  # Grey levels, root mean square over the ring
_TEXTURE_SHARE = 0.55  # In a lively texture the ring may differ by so much of its own variation.
_FAR_COST, _ROW_COST = 0.012, 0.10  # Grey levels for one pixel of distance, and of distance up or down
_LARGEST_CORRECTION = 28.0
_SHADOW = 0.8  # Shadows are darker than this share of the surroundings.


@dataclass(frozen=True)
class Fill:
    """
    What covers a hole.

    Args:
        box (`Box`): Where it is put.
        pixels (`np.ndarray`): RGB, float32, (height, width, 3).
        opacity (`np.ndarray`): float32 (height, width), 0 to 1.
        difference (`float`): How far its surroundings differ from those of the hole, in grey levels.
    """

    box: Box
    pixels: np.ndarray
    opacity: np.ndarray
    difference: float

    def put(self, image: np.ndarray) -> None:
        """Covers the hole in an image, in place."""
        part = image[window_of(self.box)]
        mixed = part + (self.pixels - part) * self.opacity[..., None]
        image[window_of(self.box)] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def hole_of(image: np.ndarray, mask: np.ndarray, others: np.ndarray, box: Box, from_above: bool) -> np.ndarray | None:
    """
    What has to be covered to remove a thing: its mask, the rim of it, and its shadow.

    Args:
        image (`np.ndarray`): RGB, uint8, (side, side, 3).
        mask (`np.ndarray`): bool (side, side), where the thing is seen.
        others (`np.ndarray`): bool (side, side), where other things are seen.
        box (`Box`): Of the mask.
        from_above (`bool`): Whether shadows fall to any side, or at the foot only.

    Returns:
        `np.ndarray`: bool (side, side), or `None` if other things stand in the way.
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
    if int((blocked & rim).sum()) > 0.06 * int(rim.sum()) or int(free.sum()) < 0.6 * int(around.sum()):
        return None
    grey = cv2.cvtColor(image[window_of(area)], cv2.COLOR_RGB2GRAY)
    dark = (grey < _SHADOW * float(np.median(grey[free]))) & free
    if not from_above:
        rows = np.arange(area[1], area[3])[:, None]
        dark &= rows > box[3] - 0.25 * (box[3] - box[1])
    if dark.any() and int(dark.sum()) < 0.45 * int(free.sum()):
        labels = cv2.connectedComponents((dark | rim).astype(np.uint8))[1]
        shadow = np.isin(labels, np.unique(labels[part > 0])) & dark
        rim = rim | (cv2.dilate(shadow.astype(np.uint8), disk(2)) > 0)
    hole = np.zeros(mask.shape, bool)
    hole[window_of(area)] = rim & ~blocked
    return hole


def find_fill(image: np.ndarray, hole: np.ndarray, taken: np.ndarray, from_above: bool) -> Fill | None:
    """
    Looks for a part of the image that can cover a hole.

    Args:
        image (`np.ndarray`): RGB, uint8, (side, side, 3).
        hole (`np.ndarray`): bool (side, side).
        taken (`np.ndarray`): bool (side, side), what must not be copied and says nothing about the ground.
        from_above (`bool`): Whether any direction is as good as another; otherwise the part should be at about the
            same height, since the ground is seen in perspective.

    Returns:
        `Fill`: The best, `None` if none fits.
    """
    side = hole.shape[0]
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    box = grown((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1), _RING + 1, side)
    box = (box[0] & ~1, box[1] & ~1, box[2] & ~1, box[3] & ~1)
    part = hole[window_of(box)].astype(np.uint8)
    near = cv2.dilate(part, disk(_RING))
    ring = (near > 0) & (part == 0) & ~taken[window_of(box)]
    if int(ring.sum()) < 0.55 * int((near - part).sum()):
        return None
    ring = ring.astype(np.float32)
    start = _best_place(image, box, part, ring, taken | hole, from_above)
    if start is None:
        return None
    left, top, difference = _refined(image, box, ring, part, start, taken | hole)
    width, height = box[2] - box[0], box[3] - box[1]
    target = image[window_of(box)].astype(np.float32)
    copied = image[top : top + height, left : left + width].astype(np.float32)
    grey = target.mean(axis=2)[ring > 0]
    if difference > min(_MOST_DIFFERENT, 7.0 + _TEXTURE_SHARE * float(grey.std())):
        return None
    pixels = copied + _correction(target - copied, ring, part)
    opacity = cv2.GaussianBlur(cv2.dilate(part, disk(1)).astype(np.float32), (0, 0), 1.4)
    return Fill(box, pixels, np.clip(opacity * 1.25, 0, 1), difference)


def _best_place(
    image: np.ndarray, box: Box, part: np.ndarray, ring: np.ndarray, taken: np.ndarray, from_above: bool
) -> tuple[int, int] | None:
    """Left and top of the best part, searched at half the size."""
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.float32)
    left, top, right, bottom = (value // 2 for value in box)
    template = half[top:bottom, left:right]
    weights = cv2.resize(ring, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    if template.shape[0] >= half.shape[0] or template.shape[1] >= half.shape[1] or weights.sum() < 8:
        return None
    weights3 = np.repeat(weights[..., None], 3, axis=2)
    squares = cv2.matchTemplate(half, template, cv2.TM_SQDIFF, mask=weights3)
    needed = cv2.resize(part.astype(np.float32), (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    occupied = cv2.resize(taken.astype(np.float32), (half.shape[1], half.shape[0]), interpolation=cv2.INTER_AREA)
    overlap = cv2.matchTemplate(occupied, needed, cv2.TM_CCORR)
    # The mask is applied to both images, so the squares are weighted by the square of the weights.
    cost = np.sqrt(np.maximum(squares, 0) / (3 * float((weights * weights).sum())))
    ys, xs = np.arange(cost.shape[0])[:, None] - top, np.arange(cost.shape[1])[None, :] - left
    cost = cost + _FAR_COST * 2 * np.sqrt(xs * xs + ys * ys)
    if not from_above:
        cost = cost + _ROW_COST * 2 * np.abs(ys)
    cost[overlap > 0.6] = np.inf
    best = int(np.argmin(cost))
    if not np.isfinite(cost.flat[best]):
        return None
    y, x = divmod(best, cost.shape[1])
    return 2 * x, 2 * y


def _refined(
    image: np.ndarray, box: Box, ring: np.ndarray, part: np.ndarray, start: tuple[int, int], taken: np.ndarray
) -> tuple[int, int, float]:
    """The best part within a pixel of a place, at full size, and how far its ring differs."""
    target = image[window_of(box)].astype(np.float32)
    height, width = part.shape
    best = (start[0], start[1], float("inf"))
    weight = 3 * float(ring.sum())
    for top in range(max(0, start[1] - 1), min(image.shape[0] - height, start[1] + 1) + 1):
        for left in range(max(0, start[0] - 1), min(image.shape[1] - width, start[0] + 1) + 1):
            window = (slice(top, top + height), slice(left, left + width))
            if (taken[window] & (part > 0)).sum() > 2:
                continue
            gap = (image[window] - target) * ring[..., None]
            difference = float(np.sqrt((gap * gap).sum() / weight))
            if difference < best[2]:
                best = (left, top, difference)
    return best


def _correction(gap: np.ndarray, ring: np.ndarray, part: np.ndarray) -> np.ndarray:
    """What has to be added to a copied part so that it meets its new surroundings: smooth, and known in the ring."""
    spread = max(3.0, 0.35 * float(np.sqrt(part.sum())))
    known = np.clip(gap, -2 * _LARGEST_CORRECTION, 2 * _LARGEST_CORRECTION) * ring[..., None]
    total = cv2.GaussianBlur(ring, (0, 0), spread, borderType=cv2.BORDER_CONSTANT) + 1e-4
    smooth = cv2.GaussianBlur(known, (0, 0), spread, borderType=cv2.BORDER_CONSTANT) / total[..., None]
    return np.clip(smooth, -_LARGEST_CORRECTION, _LARGEST_CORRECTION)
