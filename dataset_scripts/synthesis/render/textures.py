# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Tileable noise. It is created once per process; scenes take crops of it, which is cheap."""

from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
from PIL import Image


Grain: TypeAlias = Literal["fine", "grainy", "patchy", "cloudy"]

PLATE_STEPS = 40  # Grey levels per standard deviation in a noise plate
TILE = 512  # Side of a tile in pixels
_VARIANTS = 3  # Tiles of each grain
# Energy falls with frequency to the power of minus this value. Higher values give larger spots.
_SPECTRA: dict[Grain, float] = {"fine": 0.25, "grainy": 0.9, "patchy": 1.5, "cloudy": 2.4}
_CROWNS = 2800  # Tree crowns on a canopy tile


@cache
def _noise_tiles(grain: Grain) -> list[np.ndarray]:
    """Noise tiles, float32 (2 * TILE, 2 * TILE), mean 0, deviation 1; repeated 2 x 2, so that every crop is a view."""
    frequency = np.fft.fftfreq(TILE)
    radius = np.hypot(frequency[:, None], frequency[None, : TILE // 2 + 1])
    radius[0, 0] = 1
    tiles = []
    for variant in range(_VARIANTS):
        random = np.random.default_rng([len(grain), variant])
        spectrum = np.fft.rfft2(random.standard_normal((TILE, TILE))) * radius ** -_SPECTRA[grain]
        spectrum[0, 0] = 0
        tile = np.fft.irfft2(spectrum, s=(TILE, TILE))
        tiles.append(np.tile((tile / tile.std()).clip(-3, 3).astype(np.float32), (2, 2)))
    return tiles


def noise(random: np.random.Generator, grain: Grain, width: int, height: int) -> np.ndarray:
    """
    Returns a random crop of noise.

    Args:
        random (`np.random.Generator`): Chooses the crop.
        grain (`"fine"`, `"grainy"`, `"patchy"` or `"cloudy"`): Size of the structures, from pixels to large soft
            spots.
        width, height (`int`): Size in pixels, any.

    Returns:
        `np.ndarray`: float32 (height, width), mean about 0, standard deviation about 1, within -3 to 3. May be a view
        of a shared tile, so do not write to it.
    """
    tile = _noise_tiles(grain)[int(random.integers(_VARIANTS))]
    return _crop(tile, random, width, height)


@cache
def _plates(grain: Grain) -> list[np.ndarray]:
    """The noise tiles as uint8, see `noise_plate`."""
    return [(tile * PLATE_STEPS + 128).clip(0, 255).astype(np.uint8) for tile in _noise_tiles(grain)]


def noise_plate(random: np.random.Generator, grain: Grain, width: int, height: int) -> Image.Image:
    """
    Returns a random crop of noise as an 8-bit image for lookup tables, which are much faster than float arithmetic.

    Args:
        random, grain, width, height: See `noise`.

    Returns:
        `PIL.Image.Image`: Mode "L". The mean is 128, and one standard deviation is `PLATE_STEPS`.
    """
    tile = _plates(grain)[int(random.integers(_VARIANTS))]
    return Image.fromarray(_crop(tile, random, width, height))


def _crop(tile: np.ndarray, random: np.random.Generator, width: int, height: int) -> np.ndarray:
    left, top = (int(offset) for offset in random.integers(0, TILE, 2))
    if max(width, height) <= TILE:
        return tile[top : top + height, left : left + width]
    rows, columns = (np.arange(start, start + length) % TILE for start, length in ((top, height), (left, width)))
    return tile[np.ix_(rows, columns)]


@dataclass(frozen=True)
class Canopy:
    """
    A dense forest from above. All arrays have the shape (height, width).

    Args:
        brightness (`np.ndarray`): float32, from 0 to about 1.
        coverage (`np.ndarray`): float32, 0 between the crowns, 1 inside them.
        rows, columns (`np.ndarray`): int16, offset in pixels from each pixel to the middle of its crown.
    """

    brightness: np.ndarray
    coverage: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


@cache
def _canopy_tile() -> Canopy:
    random = np.random.default_rng(7)
    brightness, coverage = np.zeros((2, TILE, TILE), dtype=np.float32)
    rows, columns = np.zeros((2, TILE, TILE), dtype=np.int16)
    radii = random.uniform(4.5, 11, _CROWNS)
    centers = random.uniform(0, TILE, (_CROWNS, 2))
    # Small crowns first, because large trees overhang them.
    for order in np.argsort(radii):
        radius, (x, y) = float(radii[order]), centers[order]
        reach = int(radius * 1.2) + 2
        ys = np.arange(int(y) - reach, int(y) + reach + 1)
        xs = np.arange(int(x) - reach, int(x) + reach + 1)
        dy, dx = (ys - y)[:, None] / radius, (xs - x)[None, :] / radius
        angle, phase = np.arctan2(dy, dx), float(order)
        rim = 1 + 0.10 * np.sin(5 * angle + phase) + 0.06 * np.sin(9 * angle + 2 * phase)
        distance = np.hypot(dx, dy) / rim
        dome = np.sqrt(np.clip(1 - distance**2, 0, 1))
        area = np.ix_(ys % TILE, xs % TILE)
        # Lit from the top left, as in most aerial photographs.
        lit = 0.30 + 0.62 * dome * (0.62 - 0.36 * dx - 0.36 * dy)
        inside = distance < 1
        brightness[area] = np.where(inside, lit, brightness[area])
        coverage[area] = np.maximum(coverage[area], np.clip((1 - distance) * radius + 0.5, 0, 1))
        rows[area] = np.where(inside, (round(y) - ys)[:, None], rows[area])
        columns[area] = np.where(inside, (round(x) - xs)[None, :], columns[area])
    leaves = 1 + 0.13 * _noise_tiles("grainy")[0][:TILE, :TILE] + 0.10 * _noise_tiles("fine")[1][:TILE, :TILE]
    return Canopy(*(np.tile(part, (2, 2)) for part in ((brightness * leaves).clip(0, 1.2), coverage, rows, columns)))


def canopy(random: np.random.Generator, width: int, height: int) -> Canopy:
    """
    Returns a random crop of a forest from above. Crowns have a radius of 5 to 11 pixels.

    Args:
        random (`np.random.Generator`): Chooses the crop.
        width, height (`int`): Size in pixels, any.

    Returns:
        `Canopy`: Views of a shared tile, so do not write to the arrays.
    """
    tile = _canopy_tile()
    seed = int(random.integers(1 << 31))
    parts = (tile.brightness, tile.coverage, tile.rows, tile.columns)
    return Canopy(*(_crop(part, np.random.default_rng(seed), width, height) for part in parts))
