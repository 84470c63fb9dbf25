# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Where two pictures differ, without any learned weight: registration, equal light, robust differences, regions.

It knows no things. A shadow, a season or another angle of view is a difference to it, and a thing of the colour of the
ground is none.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from ...geometry import box_of
from ...records import BoolMask, Box, ChangeType, ImagePair
from .components import fill_holes, label_components


Plane: TypeAlias = npt.NDArray[np.float32]

WORKING_SIDE = 512
"""Longest side in pixels at which pictures are compared."""
MOST_SHIFT = 0.06
"""Largest shift between the pictures that is undone, as a share of the shorter side."""
SEARCH = 2
"""Pixels within which the same colour counts as no difference; edges never lie on the same pixel twice."""
LEAST_DIFFERENCE = 22.0
"""Levels of 255 below which nothing differs."""
NOISE_FACTOR = 5.0
"""How far a difference must stand out from the picture's common ones, in their median absolute deviations."""
LEAST_AREA, MOST_AREA = 0.004, 0.5
"""Smallest and largest region, as shares of the picture."""
MOST_REGIONS = 5
BOTH_EDGED = 0.62
"""Share of the weaker time's outline above which a thing was there at both times."""


@dataclass(frozen=True)
class Difference:
    """
    A region that differs.

    Args:
        mask (`np.ndarray`): Booleans `(height, width)` at the pictures' size.
        box (`Box`): Around it.
        change_type (`ChangeType`): What seems to have become of it.
        strength (`float`): In `[0, 1]`, how much it stands out.
        color_t1, color_t2 (`tuple[float, float, float]`): Mean RGB in it at either time, 0 to 255.
    """

    mask: BoolMask = field(repr=False)
    box: Box
    change_type: ChangeType
    strength: float
    color_t1: tuple[float, float, float]
    color_t2: tuple[float, float, float]


@dataclass(frozen=True)
class Comparison:
    """
    What differs in a pair.

    Args:
        level (`np.ndarray`): float32 `(height, width)` at the pictures' size: the difference, 1 at the threshold.
        differences (`tuple[Difference, ...]`): The regions, those that stand out most first.
    """

    level: Plane = field(repr=False)
    differences: tuple[Difference, ...]


def compare(pair: ImagePair) -> Comparison:
    """
    Compares the pictures of a pair.

    Args:
        pair (`ImagePair`): The pair.

    Returns:
        `Comparison`: What differs; the same for the same pair, always.
    """
    earlier, later = (_small(image) for image in (pair.image_t1, pair.image_t2))
    shift = find_shift(earlier, later)
    # What t1 does not show after it is shifted shows no difference either.
    earlier = _shifted(earlier, later, shift)
    matched = match_light(earlier, later)
    level = difference_level(matched, later)
    regions = _regions(level)
    differences = []
    for region in regions[:MOST_REGIONS]:
        mask = _full_size(region, pair.size)
        if mask.any():
            differences.append(_describe(mask, region, level, matched, later))
    differences.sort(key=lambda each: (-each.strength, each.box))
    full = Image.fromarray(level).resize(pair.size, Image.Resampling.BILINEAR)
    return Comparison(np.asarray(full, dtype=np.float32), tuple(differences))


def find_shift(earlier: Plane, later: Plane) -> tuple[int, int]:
    """
    Finds by how many pixels t1 must be moved to lie on t2, by phase correlation.

    Args:
        earlier, later (`np.ndarray`): float32 `(height, width, 3)`.

    Returns:
        `tuple[int, int]`: Rows and columns; `(0, 0)` unless another shift makes the pictures clearly more alike.
    """
    height, width = earlier.shape[:2]
    window = np.hanning(height)[:, None] * np.hanning(width)[None, :]
    spectra = [np.fft.rfft2((picture.mean(axis=2) - picture.mean()) * window) for picture in (earlier, later)]
    cross = spectra[1] * np.conj(spectra[0])
    peaks = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-6), s=(height, width))
    most = max(1, round(MOST_SHIFT * min(height, width)))
    near = np.full_like(peaks, -np.inf)
    for rows in (slice(0, most + 1), slice(height - most, height)):
        for columns in (slice(0, most + 1), slice(width - most, width)):
            near[rows, columns] = peaks[rows, columns]
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    shift = (
        int(row) if row <= most else int(row) - height,
        int(column) if column <= most else int(column) - width,
    )
    if shift == (0, 0):
        return shift
    before = np.median(np.abs(match_light(earlier, later) - later))
    moved = _shifted(earlier, later, shift)
    after = np.median(np.abs(match_light(moved, later) - later))
    return shift if after < 0.9 * before else (0, 0)


def match_light(earlier: Plane, later: Plane) -> Plane:
    """
    Gives t1 the light of t2: gain and offset of each channel, fitted to the pixels that agree best.

    Args:
        earlier, later (`np.ndarray`): float32 `(height, width, 3)`, 0 to 255.

    Returns:
        `np.ndarray`: t1, float32 `(height, width, 3)`.
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
    How much each pixel differs, 1 at the threshold.

    Args:
        earlier, later (`np.ndarray`): float32 `(height, width, 3)` in one light.

    Returns:
        `np.ndarray`: float32 `(height, width)`. A pixel whose colour is found within `SEARCH` pixels at the other time
        does not differ.
    """
    smooth = [blur(picture, 1) for picture in (earlier, later)]
    forth = _nearest_difference(smooth[0], smooth[1])
    back = _nearest_difference(smooth[1], smooth[0])
    distance = blur(np.minimum(forth, back)[..., None], 2)[..., 0]
    middle = float(np.median(distance))
    noise = 1.4826 * float(np.median(np.abs(distance - middle)))
    return distance / np.float32(max(LEAST_DIFFERENCE, middle + NOISE_FACTOR * noise))


def blur(picture: Plane, radius: int) -> Plane:
    """Averages `(height, width, channels)` over squares of `2 * radius + 1` pixels, twice; borders are repeated."""
    side = 2 * radius + 1
    for _ in range(2):
        for axis in (0, 1):
            padding = [(0, 0)] * 3
            padding[axis] = (radius + 1, radius)
            sums = np.cumsum(np.pad(picture, padding, mode="edge"), axis=axis, dtype=np.float64)
            length = picture.shape[axis]
            upper = sums.take(range(side, side + length), axis=axis)
            picture = ((upper - sums.take(range(length), axis=axis)) / side).astype(np.float32)
    return picture


def _small(image: Image.Image) -> Plane:
    scale = min(1.0, WORKING_SIDE / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.BOX), dtype=np.float32)


def _shifted(earlier: Plane, later: Plane, shift: tuple[int, int]) -> Plane:
    rows, columns = shift
    height, width = earlier.shape[:2]
    moved = later.copy()
    target = slice(max(0, rows), height + min(0, rows)), slice(max(0, columns), width + min(0, columns))
    source = slice(max(0, -rows), height + min(0, -rows)), slice(max(0, -columns), width + min(0, -columns))
    moved[target] = earlier[source]
    return moved


def _nearest_difference(reference: Plane, picture: Plane) -> Plane:
    """Each pixel's distance to the most similar one of the reference within `SEARCH` pixels."""
    height, width = picture.shape[:2]
    padded = np.pad(reference, ((SEARCH, SEARCH), (SEARCH, SEARCH), (0, 0)), mode="edge")
    nearest = np.full((height, width), np.inf, dtype=np.float32)
    for row in range(2 * SEARCH + 1):
        for column in range(2 * SEARCH + 1):
            moved = padded[row : row + height, column : column + width]
            error = picture - moved
            grey = error.mean(axis=2)
            # Light changes brightness more than colour, so colour counts more.
            hue = np.abs(error - grey[..., None]).max(axis=2)
            np.minimum(nearest, np.abs(grey) + 1.5 * hue, out=nearest)
    return nearest


def _regions(level: Plane) -> list[BoolMask]:
    """The regions above the threshold, grown to where they fade, those with most difference first."""
    height, width = level.shape
    radius = max(1, round(min(height, width) / 128))
    sure = level >= 1.0
    weak = _closed(level >= 0.7, radius)
    labels, count = label_components(weak)
    if not count:
        return []
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
    return [fill_holes(labels == number) for number in chosen]


def _closed(mask: BoolMask, radius: int) -> BoolMask:
    """Closes gaps and removes threads, of up to `2 * radius` pixels."""
    side = 2 * radius + 1
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    for kind in (ImageFilter.MaxFilter, ImageFilter.MinFilter, ImageFilter.MinFilter, ImageFilter.MaxFilter):
        picture = picture.filter(kind(side))
    return np.asarray(picture) > 127


def _full_size(region: BoolMask, size: tuple[int, int]) -> BoolMask:
    """A region at the pictures' size, with smooth outlines."""
    picture = Image.fromarray(region.astype(np.uint8) * 255)
    if picture.size == size:
        return region
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR)) > 127


def _describe(mask: BoolMask, region: BoolMask, level: Plane, earlier: Plane, later: Plane) -> Difference:
    strength = float(1.0 - np.exp(-0.5 * level[region].mean() ** 2))
    return Difference(
        mask=mask,
        box=box_of(mask),
        change_type=_change_type(region, earlier, later),
        strength=round(strength, 4),
        color_t1=_mean_color(earlier, region),
        color_t2=_mean_color(later, region),
    )


def _mean_color(picture: Plane, region: BoolMask) -> tuple[float, float, float]:
    red, green, blue = picture[region].mean(axis=0).clip(0, 255)
    return float(red), float(green), float(blue)


def _change_type(region: BoolMask, earlier: Plane, later: Plane) -> ChangeType:
    """A thing has an outline while it is there, and differs in colour from what surrounds it."""
    shape = Image.fromarray(region.astype(np.uint8) * 255)
    side = 2 * max(2, round(min(region.shape) / 64)) + 1
    ring = (np.asarray(shape.filter(ImageFilter.MaxFilter(side))) > 127) & ~region
    edge = (np.asarray(shape.filter(ImageFilter.MaxFilter(5))) > 127) & (
        np.asarray(shape.filter(ImageFilter.MinFilter(3))) <= 127
    )
    if not ring.any():
        return ChangeType.STATE_CHANGE
    seen = []
    for picture in (earlier, later):
        outline = float(_gradient(picture)[edge].mean())
        contrast = float(np.linalg.norm(picture[region].mean(axis=0) - picture[ring].mean(axis=0)))
        seen.append(outline + 0.5 * contrast)
    if min(seen) > BOTH_EDGED * max(seen):
        return ChangeType.STATE_CHANGE
    return ChangeType.APPEAR if seen[1] > seen[0] else ChangeType.DISAPPEAR


def _gradient(picture: Plane) -> Plane:
    grey = blur(picture.mean(axis=2, keepdims=True), 1)[..., 0]
    if min(grey.shape) < 2:
        return np.zeros_like(grey)
    rows, columns = np.gradient(grey)
    return np.hypot(rows, columns).astype(np.float32)
