# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Fills a hole in an image with texture from the rest of the image. First it searches for one region whose surroundings
look like those of the hole. If there is none, the hole is filled from its rim inwards with small patches, starting
with those that continue an edge (A. Criminisi and others, "Region Filling and Object Removal by Exemplar-Based Image
Inpainting", 2004). If no patches fit either, it is not filled.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from .canvas import Box, disk, grown, window_of


_RING = 7  # Width of the surroundings of a hole that are compared
_MOST_DIFFERENT = 24.0  # Grey levels, root mean square over the ring, for one part
_MOST_DIFFERENT_PATCHES = 26.0  # The same for patches, on average
_TEXTURE_SHARE = 0.5  # In a strongly textured region the ring may differ by this share of its own variation.
_LIVELY = 40.0  # Grey levels; in a ring of more variation no single part fits.
_FAR_COST, _ROW_COST = 0.012, 0.10  # Grey levels for one pixel of distance, and of distance up or down
_LARGEST_CORRECTION = 28.0
_PATCHES = (4, 8)  # Half the side of a patch, at half the size: smallest and largest
_MOST_PATCHES = 40
_LARGEST_STEP = 8.0  # Grey levels by which a patch is made lighter or darker
_REACH = 34  # Patches are taken from this distance in pixels, at half the size.


@dataclass(frozen=True)
class Fill:
    """
    The filling of a hole.

    Args:
        box (`Box`): The place of the filling.
        pixels (`np.ndarray`): RGB, float32, (height, width, 3).
        opacity (`np.ndarray`): float32 (height, width), 0 to 1.
        difference (`float`): Its difference from its surroundings, in grey levels.
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


def find_fill(image: np.ndarray, hole: np.ndarray, taken: np.ndarray, from_above: bool) -> Fill | None:
    """
    Searches for the filling of a hole.

    Args:
        image (`np.ndarray`): RGB, uint8, (side, side, 3).
        hole (`np.ndarray`): bool (side, side).
        taken (`np.ndarray`): bool (side, side), pixels that must not be copied and do not belong to the ground.
        from_above (`bool`): Whether all directions are equivalent; otherwise the copied region should be at about
            the same height, because of the perspective of the ground.

    Returns:
        `Fill`: The best filling, `None` if none fits.
    """
    side = hole.shape[0]
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    box = grown((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1), _RING + 1, side)
    box = (box[0] & ~1, box[1] & ~1, box[2] & ~1, box[3] & ~1)
    part = hole[window_of(box)].astype(np.uint8)
    near = cv2.dilate(part, disk(_RING))
    ring = (near > 0) & (part == 0) & ~taken[window_of(box)]
    if int(ring.sum()) < 0.35 * int((near - part).sum()):
        return None
    variation = float(image[window_of(box)].mean(axis=2)[ring].std())
    taken = taken | hole
    if variation < _LIVELY:
        fill = _one_part(image, box, part, ring.astype(np.float32), taken, from_above)
        if fill is not None and fill.difference <= min(_MOST_DIFFERENT, 6.0 + _TEXTURE_SHARE * variation):
            return fill
    return _patches(
        image, hole, box, taken, from_above, min(_MOST_DIFFERENT_PATCHES, 7.0 + _TEXTURE_SHARE * variation)
    )


# One part ------------------------------------------------------------------------------------------------------------


def _one_part(
    image: np.ndarray, box: Box, part: np.ndarray, ring: np.ndarray, taken: np.ndarray, from_above: bool
) -> Fill | None:
    start = _best_place(image, box, part, ring, taken, from_above)
    if start is None:
        return None
    left, top, difference = _refined(image, box, ring, part, start, taken)
    width, height = box[2] - box[0], box[3] - box[1]
    target = image[window_of(box)].astype(np.float32)
    copied = image[top : top + height, left : left + width].astype(np.float32)
    pixels = copied + _correction(target - copied, ring, part)
    return Fill(box, pixels, _soft(part), difference)


def _soft(part: np.ndarray) -> np.ndarray:
    opacity = cv2.GaussianBlur(cv2.dilate(part, disk(1)).astype(np.float32), (0, 0), 1.4)
    return np.clip(opacity * 1.25, 0, 1)


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
    """The correction that blends a copied region into its new surroundings: smooth, and given in the ring."""
    spread = max(3.0, 0.35 * float(np.sqrt(part.sum())))
    known = np.clip(gap, -2 * _LARGEST_CORRECTION, 2 * _LARGEST_CORRECTION) * ring[..., None]
    total = cv2.GaussianBlur(ring, (0, 0), spread, borderType=cv2.BORDER_CONSTANT) + 1e-4
    smooth = cv2.GaussianBlur(known, (0, 0), spread, borderType=cv2.BORDER_CONSTANT) / total[..., None]
    return np.clip(smooth, -_LARGEST_CORRECTION, _LARGEST_CORRECTION)


# Patches -------------------------------------------------------------------------------------------------------------


def _patches(
    image: np.ndarray, hole: np.ndarray, box: Box, taken: np.ndarray, from_above: bool, limit: float
) -> Fill | None:
    """The hole filled from its rim; `None` if a patch is missing, or they differ by more than a limit on average."""
    state = _PatchState(image, hole, box, taken, from_above)
    differences: list[float] = []
    for _ in range(_MOST_PATCHES):
        if not state.open.any():
            break
        difference = state.fill_next()
        if difference is None:
            return None
        differences.append(difference)
        if difference > 1.8 * limit or (len(differences) > 3 and np.mean(differences) > 1.2 * limit):
            return None
    if state.open.any() or not differences or np.mean(differences) > limit:
        return None
    left, top, right, bottom = box
    pixels = state.full[top - state.top : bottom - state.top, left - state.left : right - state.left]
    return Fill(box, pixels, _soft(hole[window_of(box)].astype(np.uint8)), float(np.mean(differences)))


class _PatchState:
    """A hole that is being filled, worked on at half the size; `full` holds the result."""

    def __init__(self, image: np.ndarray, hole: np.ndarray, box: Box, taken: np.ndarray, from_above: bool):
        side = hole.shape[0] & ~1
        reach = 2 * _REACH
        self.left, self.top = max(0, box[0] - reach) & ~1, max(0, box[1] - reach) & ~1
        right, bottom = min(side, box[2] + reach) & ~1, min(side, box[3] + reach) & ~1
        window = (slice(self.top, bottom), slice(self.left, right))
        self.full = image[window].astype(np.float32)
        self.from_above = from_above
        size = (self.full.shape[1] // 2, self.full.shape[0] // 2)
        half = cv2.resize(self.full, size, interpolation=cv2.INTER_AREA)
        # One plane a channel: OpenCV correlates them faster than colours.
        self.planes = [np.ascontiguousarray(half[..., channel]) for channel in range(3)]
        self.squares = (half * half).sum(axis=2)
        self.grey = half.mean(axis=2)
        self.open = cv2.resize(hole[window].astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
        blocked = cv2.resize((taken & ~hole)[window].astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.1
        # Pixels of other objects are neither copied nor continued.
        self.known = ~self.open & ~blocked
        self.reach = int(np.clip(round(float(np.sqrt(self.open.sum())) / 5), *_PATCHES))
        self.length = 2 * self.reach + 1
        unusable = (self.open | blocked).astype(np.uint8)
        self.sources = cv2.dilate(unusable, np.ones((self.length, self.length), np.uint8)) == 0
        self.trust = self.known.astype(np.float32)

    def fill_next(self) -> float | None:
        """
        Fills the patch with the highest priority. Returns the difference between the copied and the known pixels.
        """
        y, x = self._most_urgent()
        height, width = self.open.shape
        top = int(np.clip(y - self.reach, 0, height - self.length))
        left = int(np.clip(x - self.reach, 0, width - self.length))
        window = (slice(top, top + self.length), slice(left, left + self.length))
        known = self.known[window].astype(np.float32)
        if known.sum() < 12:
            return None
        found = self._most_alike(top, left, known)
        if found is None:
            return None
        source_top, source_left, difference = found
        self._copy(window, (source_top, source_left), known)
        return difference

    def _most_urgent(self) -> tuple[int, int]:
        """The pixel of the rim with the most known pixels around it and an edge that continues into the hole."""
        rows, columns = np.flatnonzero(self.open.any(axis=1)), np.flatnonzero(self.open.any(axis=0))
        margin = self.length
        top, left = max(0, int(rows[0]) - margin), max(0, int(columns[0]) - margin)
        area = (slice(top, int(rows[-1]) + 1 + margin), slice(left, int(columns[-1]) + 1 + margin))
        inner, grey = self.open[area].astype(np.uint8), self.grey[area]
        rim = (inner > 0) & (cv2.erode(inner, np.ones((3, 3), np.uint8)) == 0)
        trust = cv2.blur(self.trust[area], (self.length, self.length), borderType=cv2.BORDER_CONSTANT)
        slopes = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1))
        sure = cv2.erode(self.known[area].astype(np.uint8), np.ones((3, 3), np.uint8))
        edges = cv2.dilate(slopes * sure, np.ones((7, 7), np.uint8))
        urgency = np.where(rim, trust * (0.15 + np.minimum(edges, 400) / 400), -1.0)
        y, x = divmod(int(np.argmax(urgency)), urgency.shape[1])
        return top + y, left + x

    def _most_alike(self, top: int, left: int, known: np.ndarray) -> tuple[int, int, float] | None:
        """Top and left of the patch that is most similar to the known pixels of another one, and their difference."""
        first_row, first_column = max(0, top - _REACH), max(0, left - _REACH)
        area = (
            slice(first_row, top + self.length + _REACH),
            slice(first_column, left + self.length + _REACH),
        )
        squares = cv2.matchTemplate(np.ascontiguousarray(self.squares[area]), known, cv2.TM_CCORR)
        own = 0.0
        for plane in self.planes:
            part = plane[top : top + self.length, left : left + self.length] * known
            own += float((part * part).sum())
            squares = squares - 2 * cv2.matchTemplate(np.ascontiguousarray(plane[area]), part, cv2.TM_CCORR)
        cost = np.sqrt(np.maximum(squares + own, 0) / (3 * float(known.sum())))
        ys = np.arange(cost.shape[0])[:, None] + (first_row - top)
        xs = np.arange(cost.shape[1])[None, :] + (first_column - left)
        penalty = _FAR_COST * 2 * np.sqrt(xs * xs + ys * ys)
        if not self.from_above:
            penalty = penalty + 0.5 * _ROW_COST * np.abs(ys)
        middle_row, middle_column = first_row + self.reach, first_column + self.reach
        usable = self.sources[middle_row : middle_row + cost.shape[0], middle_column : middle_column + cost.shape[1]]
        cost = np.where(usable, cost, np.inf)
        best = int(np.argmin(cost + penalty))
        if not np.isfinite(cost.flat[best]):
            return None
        y, x = divmod(best, cost.shape[1])
        return first_row + y, first_column + x, float(cost.flat[best])

    def _copy(self, window: tuple[slice, slice], source: tuple[int, int], known: np.ndarray) -> None:
        """Copies the patch at a place into the part of a window that is open, in the light of what is known there."""
        length, unknown = self.length, self.open[window]
        top, left = window[0].start, window[1].start
        origin = (slice(source[0], source[0] + length), slice(source[1], source[1] + length))
        gaps = []
        for plane in self.planes:
            gap = float(((plane[window] - plane[origin]) * known).sum() / known.sum())
            gaps.append(float(np.clip(gap, -_LARGEST_STEP, _LARGEST_STEP)))
            plane[window][unknown] = (plane[origin] + gaps[-1])[unknown]
        patch = [plane[window] for plane in self.planes]
        self.grey[window] = (patch[0] + patch[1] + patch[2]) / 3
        self.squares[window] = patch[0] * patch[0] + patch[1] * patch[1] + patch[2] * patch[2]
        large = (slice(2 * top, 2 * (top + length)), slice(2 * left, 2 * (left + length)))
        copied = self.full[2 * source[0] : 2 * (source[0] + length), 2 * source[1] : 2 * (source[1] + length)]
        # Patches are blended over a few pixels.
        opened = np.repeat(np.repeat(unknown, 2, axis=0), 2, axis=1).astype(np.float32)
        soft = np.maximum(opened, cv2.GaussianBlur(opened, (0, 0), 1.5))[..., None]
        self.full[large] += (copied + np.array(gaps, np.float32) - self.full[large]) * soft
        self.trust[window][unknown] = 0.95 * float(self.trust[window][~unknown].mean())
        self.known[window] |= unknown
        self.open[window] = False
