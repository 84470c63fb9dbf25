# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds where two images differ without trained weights: registration, equal light, robust differences, regions.

It recognises no things: shadows, seasons and other viewpoints are differences, and a thing with the colour of the
ground is not.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage
from skimage.registration import phase_cross_correlation

from ...geometry import box_of
from ...records import BoolMask, Box, ChangeType, ImagePair


Plane: TypeAlias = npt.NDArray[np.float32]

WORKING_SIDE = 512
"""Longer side in pixels at which images are compared."""
MOST_SHIFT = 0.06
"""Largest shift between the images that is corrected, as a share of the shorter side."""
SEARCH = 2
"""A colour found within this distance in pixels is no difference: edges never lie on exactly the same pixel."""
LEAST_DIFFERENCE = 22.0
"""Minimum difference in levels of 255."""
NOISE_FACTOR = 5.0
"""How far a difference must exceed the median difference, in median absolute deviations."""
LEAST_AREA, MOST_AREA = 0.004, 0.5
"""Smallest and largest region, as shares of the image."""
MOST_REGIONS = 5
BOTH_EDGED = 0.62
"""If the outline is this strong at both times, as a share of the stronger one, the thing was there at both times."""


@dataclass(frozen=True)
class Difference:
    """
    A region that differs.

    Args:
        part (`np.ndarray`): Its pixels, booleans with the size of the box; a large image may have hundreds of regions.
        box (`Box`): The box around it.
        size (`tuple[int, int]`): Width and height of the images.
        change_type (`ChangeType`): What seems to have happened there.
        strength (`float`): How clear the difference is, in `[0, 1]`.
        color_t1, color_t2 (`tuple[float, float, float]`): Mean RGB of the region at each time, from 0 to 255.
    """

    part: BoolMask = field(repr=False)
    box: Box
    size: tuple[int, int]
    change_type: ChangeType
    strength: float
    color_t1: tuple[float, float, float]
    color_t2: tuple[float, float, float]

    @cached_property
    def area(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.part))

    @property
    def share(self) -> float:
        """Its share of the image, from 0 to 1."""
        return self.area / (self.size[0] * self.size[1])

    @property
    def mask(self) -> BoolMask:
        """Booleans `(height, width)` with the size of the images."""
        mask = np.zeros(self.size[::-1], dtype=bool)
        self.inside(mask)[:] = self.part
        return mask

    def inside(self, image: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The part of an array `(height, width, ...)` in the box; a view."""
        return image[self.box.top : self.box.bottom, self.box.left : self.box.right]

    def common(self, mask: BoolMask) -> int:
        """How many pixels of a mask `(height, width)` are in the region."""
        return int(np.count_nonzero(self.inside(mask) & self.part))


@dataclass(frozen=True)
class Comparison:
    """
    What differs in a pair.

    Args:
        level (`np.ndarray`): The difference of each pixel, float32 `(height, width)` with the size of the images; 1 is
            the threshold.
        differences (`tuple[Difference, ...]`): The regions, clearest first.
    """

    level: Plane = field(repr=False)
    differences: tuple[Difference, ...]


def compare(pair: ImagePair) -> Comparison:
    """
    Compares the images of a pair. The result is deterministic.

    Args:
        pair (`ImagePair`): The pair.

    Returns:
        `Comparison`: What differs.
    """
    earlier, later = (_working_size(image) for image in (pair.image_t1, pair.image_t2))
    # Pixels that t1 does not show after the shift count as equal.
    earlier = _shifted(earlier, later, find_shift(earlier, later))
    matched = match_light(earlier, later)
    level = difference_level(matched, later)
    differences = []
    for region in _regions(level)[:MOST_REGIONS]:
        mask = _full_size(region, pair.size)
        if mask.any():
            strength = float(1.0 - np.exp(-0.5 * level[region].mean() ** 2))
            box, change_type = box_of(mask), _change_type(region, matched, later)
            part = mask[box.top : box.bottom, box.left : box.right]
            colors = (mean_color(matched, region), mean_color(later, region))
            differences.append(Difference(part, box, pair.size, change_type, round(strength, 4), *colors))
    differences.sort(key=lambda each: (-each.strength, each.box))
    full = Image.fromarray(level).resize(pair.size, Image.Resampling.BILINEAR)
    return Comparison(np.asarray(full, dtype=np.float32), tuple(differences))


def find_shift(earlier: Plane, later: Plane) -> tuple[int, int]:
    """
    Finds the shift that aligns t1 with t2, by phase correlation.

    Args:
        earlier, later (`np.ndarray`): float32 `(height, width, 3)`, 0 to 255.

    Returns:
        `tuple[int, int]`: Rows and columns by which t1 must be moved; `(0, 0)` unless another shift of at most
        `MOST_SHIFT` makes the images clearly more similar.
    """
    size = earlier.shape[:2]
    taper = np.hanning(size[0])[:, None] * np.hanning(size[1])
    planes = [(image.mean(axis=2) - image.mean()) * taper for image in (later, earlier)]
    if not all(plane.any() for plane in planes):
        return 0, 0
    found, _, _ = phase_cross_correlation(*planes, normalization="phase")
    shift = (int(found[0]), int(found[1]))
    if shift == (0, 0) or max(map(abs, shift)) > max(1, round(MOST_SHIFT * min(size))):
        return 0, 0
    before = np.median(np.abs(match_light(earlier, later) - later))
    after = np.median(np.abs(match_light(_shifted(earlier, later, shift), later) - later))
    return shift if after < 0.9 * before else (0, 0)


def match_light(earlier: Plane, later: Plane) -> Plane:
    """
    Adjusts the light of t1 to that of t2 by a gain and an offset per channel, fitted to the pixels that agree best.

    Args:
        earlier, later (`np.ndarray`): float32 `(height, width, 3)`, 0 to 255.

    Returns:
        `np.ndarray`: The adjusted t1, float32 `(height, width, 3)`.
    """
    matched = np.empty_like(earlier)
    for channel in range(3):
        x, y = earlier[..., channel].ravel(), later[..., channel].ravel()
        gain = float(np.clip(y.std() / max(float(x.std()), 1.0), 0.5, 2.0))
        offset = float(np.median(y) - gain * np.median(x))
        for _ in range(4):
            error = np.abs(gain * x + offset - y)
            close = error <= np.quantile(error, 0.6)
            spread = float(x[close].var())
            if spread > 1.0:
                common = float(((x[close] - x[close].mean()) * (y[close] - y[close].mean())).mean())
                gain = float(np.clip(common / spread, 0.5, 2.0))
            offset = float(y[close].mean() - gain * x[close].mean())
        matched[..., channel] = gain * earlier[..., channel] + offset
    return matched


def difference_level(earlier: Plane, later: Plane) -> Plane:
    """
    Computes how much each pixel differs.

    Args:
        earlier, later (`np.ndarray`): float32 `(height, width, 3)` in the same light.

    Returns:
        `np.ndarray`: float32 `(height, width)`; 1 is the threshold. A pixel does not differ if its colour is found
        within `SEARCH` pixels at the other time.
    """
    smooth = [blur(image, 1) for image in (earlier, later)]
    forward = _nearest_difference(smooth[0], smooth[1])
    backward = _nearest_difference(smooth[1], smooth[0])
    distance = blur(np.minimum(forward, backward)[..., None], 2)[..., 0]
    middle = float(np.median(distance))
    noise = 1.4826 * float(np.median(np.abs(distance - middle)))
    return distance / np.float32(max(LEAST_DIFFERENCE, middle + NOISE_FACTOR * noise))


def blur(image: Plane, radius: int) -> Plane:
    """Averages `(height, width, channels)` twice over squares of `2 * radius + 1` pixels."""
    side = 2 * radius + 1
    for _ in range(2):
        image = ndimage.uniform_filter(image, (side, side, 1), mode="nearest")
    return image


def _working_size(image: Image.Image) -> Plane:
    scale = min(1.0, WORKING_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.BOX), dtype=np.float32)


def _shifted(earlier: Plane, later: Plane, shift: tuple[int, int]) -> Plane:
    """t1 moved by rows and columns; what it does not show is taken from t2."""
    rows, columns = shift
    height, width = earlier.shape[:2]
    moved = later.copy()
    target = slice(max(0, rows), height + min(0, rows)), slice(max(0, columns), width + min(0, columns))
    source = slice(max(0, -rows), height + min(0, -rows)), slice(max(0, -columns), width + min(0, -columns))
    moved[target] = earlier[source]
    return moved


def _nearest_difference(reference: Plane, image: Plane) -> Plane:
    """The distance of each pixel to the most similar pixel of the reference within `SEARCH` pixels."""
    height, width = image.shape[:2]
    padded = np.pad(reference, ((SEARCH, SEARCH), (SEARCH, SEARCH), (0, 0)), mode="edge")
    nearest = np.full((height, width), np.inf, dtype=np.float32)
    for row in range(2 * SEARCH + 1):
        for column in range(2 * SEARCH + 1):
            error = image - padded[row : row + height, column : column + width]
            grey = error.mean(axis=2)
            # Changes of light affect brightness more than colour, so colour counts more.
            hue = np.abs(error - grey[..., None]).max(axis=2)
            np.minimum(nearest, np.abs(grey) + 1.5 * hue, out=nearest)
    return nearest


def _regions(level: Plane) -> list[BoolMask]:
    """The regions above the threshold, extended to where the difference fades; those with most difference first."""
    height, width = level.shape
    side = 2 * max(1, round(min(height, width) / 128)) + 1
    sure = level >= 1.0
    # Closing fills gaps between parts, opening removes threads.
    weak = ndimage.grey_closing((level >= 0.7).astype(np.uint8), (side, side), mode="nearest")
    labels, count = ndimage.label(ndimage.grey_opening(weak, (side, side), mode="nearest"))
    total = np.bincount(labels[sure], minlength=count + 1)
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    weights = np.bincount(labels.ravel(), weights=level.ravel(), minlength=count + 1)
    least, most = max(12, LEAST_AREA * height * width), MOST_AREA * height * width
    chosen = [
        number
        for number in range(1, count + 1)
        if least <= areas[number] <= most and total[number] >= 0.2 * areas[number]
    ]
    chosen.sort(key=lambda number: (-weights[number], number))
    return [ndimage.binary_fill_holes(labels == number) for number in chosen]


def _full_size(region: BoolMask, size: tuple[int, int]) -> BoolMask:
    """A region with the size of the images and smooth outlines."""
    image = Image.fromarray(region.astype(np.uint8) * 255)
    if image.size == size:
        return region
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR)) > 127


def mean_color(image: npt.NDArray[Any], region: BoolMask) -> tuple[float, float, float]:
    """Mean RGB of the pixels of an image `(height, width, 3)` in a region, from 0 to 255."""
    red, green, blue = image[region].mean(axis=0).clip(0, 255)
    return float(red), float(green), float(blue)


def _change_type(region: BoolMask, earlier: Plane, later: Plane) -> ChangeType:
    """While a thing is there, it has an outline, and its colour differs from the surroundings."""
    side = 2 * max(2, round(min(region.shape) / 64)) + 1
    ring = ndimage.maximum_filter(region, side, mode="nearest") & ~region
    edge = ndimage.maximum_filter(region, 5, mode="nearest") & ~ndimage.minimum_filter(region, 3, mode="nearest")
    if not ring.any():
        return ChangeType.STATE_CHANGE
    seen = []
    for image in (earlier, later):
        outline = float(_gradient(image)[edge].mean())
        contrast = float(np.linalg.norm(image[region].mean(axis=0) - image[ring].mean(axis=0)))
        seen.append(outline + 0.5 * contrast)
    if min(seen) > BOTH_EDGED * max(seen):
        return ChangeType.STATE_CHANGE
    return ChangeType.APPEAR if seen[1] > seen[0] else ChangeType.DISAPPEAR


def _gradient(image: Plane) -> Plane:
    grey = blur(image.mean(axis=2, keepdims=True), 1)[..., 0]
    if min(grey.shape) < 2:
        return np.zeros_like(grey)
    rows, columns = np.gradient(grey)
    return np.hypot(rows, columns).astype(np.float32)
