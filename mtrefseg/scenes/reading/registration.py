# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Finds out how far t2 lies off t1, and moves it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.transform import Affine
from skimage.color import rgb2gray
from skimage.filters import sobel
from skimage.measure import ransac
from skimage.registration import phase_cross_correlation
from skimage.transform import AffineTransform

from mtrefseg.errors import UserError

from .images import Box, shrunk
from .scene import Scene


WARNING_PIXELS = 3.0
_OVERVIEW_SIDE = 1024
_PATCHES = 5  # A side; each gives a shift of its own.
_PATCH_SIDE = 384
_LEAST_PATCH = 48
_AGREEMENT = 1.0  # Patches whose shifts differ by less, in pixels, agree.
_LEAST_AGREEING = 4
_LARGEST_SHIFT = 0.1  # Share of the longer side
_LARGEST_TURN = 0.05  # Radians, and as much for scale and shear


@dataclass(frozen=True)
class Registration:
    """
    How far an image lay off t1, the first one; here it is called t2.

    Args:
        name (`str`): Of the image.
        kind (`str`): `"shift"` or `"affine"`.
        matrix (`Affine`): Brings pixels of t2, on the grid of t1, to where they belong.
        shift (`tuple[float, float]`): How far the middle of t2 lay to the right and down, in pixels.
        metres (`float`, *optional*): Length of the shift on the ground.
        patches (`int`): Parts of the scene that agreed.
        residual (`float`): How far they still lie off, in pixels, root mean square.
    """

    name: str
    kind: str
    matrix: Affine
    shift: tuple[float, float]
    metres: float | None
    patches: int
    residual: float

    @property
    def pixels(self) -> float:
        """Length of the shift in pixels."""
        return float(np.hypot(*self.shift))

    def to_json(self) -> dict[str, Any]:
        """The entry of `result.json`."""
        return {
            "kind": self.kind,
            "shift_pixels": [round(value, 3) for value in self.shift],
            "length_pixels": round(self.pixels, 3),
            "length_metres": None if self.metres is None else round(self.metres, 3),
            "matrix": [round(value, 8) for value in self.matrix[:6]],
            "patches": self.patches,
            "residual_pixels": round(self.residual, 3),
        }

    def in_words(self) -> str:
        """What was done, for people."""
        ground = "" if self.metres is None else f" ({self.metres:.2f} m)"
        warning = "; check the images: this is much" if self.pixels > WARNING_PIXELS else ""
        return (
            f"{self.name} lay {self.pixels:.2f} pixels{ground} off and was moved; {self.patches} parts agree, "
            f"{self.residual:.2f} pixels are left{warning}"
        )


def register(scene: Scene, kind: str, date: int = 1) -> Registration:
    """
    Estimates how far an image lies off the first one, on the shrunk scene and then on parts of it, and moves it.

    Args:
        scene ([`Scene`]): Images on one grid.
        kind (`str`): `"shift"`, or `"affine"` for rotation, scale and shear, too.
        date (`int`, *optional*, defaults to 1): Number of the image to move.

    Raises:
        [`UserError`]: If the parts of the scene do not agree, or what comes out is larger than any sensible error.
    """
    grid = scene.grid
    rough = _rough_shift(scene, date)
    middles, shifts = _patch_shifts(scene, date, rough)
    names = f"{scene.images[date].name} cannot be registered with {scene.images[0].name}"
    if kind == "affine":
        matrix, agreeing, residual = _fit_affine(middles, shifts)
    else:
        matrix, agreeing, residual = _fit_shift(shifts)
    if agreeing < _LEAST_AGREEING:
        raise UserError(
            f"{names}: only {agreeing} of {len(shifts)} parts of the scene agree; use --register off, or align the "
            "images in a geographic information system"
        )
    x, y = grid.width / 2, grid.height / 2
    a, b, c, d, e, f = matrix[:6]
    shift = (x - (a * x + b * y + c), y - (d * x + e * y + f))
    turn = float(np.abs(np.array([a - 1, b, d, e - 1])).max())
    if np.hypot(*shift) > _LARGEST_SHIFT * max(grid.width, grid.height) or turn > _LARGEST_TURN:
        raise UserError(
            f"{names}: it would have to be moved by {np.hypot(*shift):.0f} pixels and turned or scaled by "
            f"{100 * turn:.1f} %; do both show one place?"
        )
    metres = None if grid.pixel_size is None else float(np.hypot(*shift)) * grid.pixel_size
    scene.images[date].move(matrix)
    return Registration(scene.images[date].name, kind, matrix, shift, metres, agreeing, residual)


def _edges(image: np.ndarray) -> np.ndarray:
    """Strength of edges: what two dates have in common under different light."""
    edges = sobel(rgb2gray(image))
    height, width = edges.shape
    # Towards the border nothing counts, or the border itself would be what both have in common.
    return (edges - edges.mean()) * np.outer(np.hanning(height), np.hanning(width))


def _rough_shift(scene: Scene, date: int) -> np.ndarray:
    """Shift of the shrunk scene in pixels of the scene, x and y: how far t2 lies to the right and down."""
    size = shrunk(scene.grid.height, scene.grid.width, _OVERVIEW_SIDE)
    images = scene.read(scene.box, size).images
    earlier, later = _edges(images[0]), _edges(images[date])
    found, _, _ = phase_cross_correlation(earlier, later, upsample_factor=10, normalization=None)
    return -found[::-1] * [scene.grid.width / size[1], scene.grid.height / size[0]]


def _patch_shifts(scene: Scene, date: int, rough: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middles of parts of t1, and how far the same parts of t2 lie off, both `(number, 2)`, x and y."""
    grid, around = scene.grid, np.rint(rough).astype(int)
    side = min(_PATCH_SIDE, max(_LEAST_PATCH, min(grid.width, grid.height) // 3))
    middles, shifts = [], []
    for left in np.linspace(0, grid.width - side, _PATCHES).astype(int):
        for top in np.linspace(0, grid.height - side, _PATCHES).astype(int):
            other = (int(left + around[0]), int(top + around[1]))
            if not (0 <= other[0] <= grid.width - side and 0 <= other[1] <= grid.height - side):
                continue
            earlier, valid = scene.images[0].read(Box(int(left), int(top), side, side))
            later, also_valid = scene.images[date].read(Box(*other, side, side))
            if (valid & also_valid).mean() < 0.9 or min(earlier.std(), later.std()) < 1:
                continue
            found, _, _ = phase_cross_correlation(
                _edges(earlier), _edges(later), upsample_factor=20, normalization=None
            )
            middles.append((left + side / 2, top + side / 2))
            shifts.append(around - found[::-1])
    return np.array(middles).reshape(-1, 2), np.array(shifts).reshape(-1, 2)


def _fit_shift(shifts: np.ndarray) -> tuple[Affine, int, float]:
    """The shift that most parts agree on, as the matrix that undoes it."""
    if not len(shifts):
        return Affine.identity(), 0, 0.0
    distances = np.linalg.norm(shifts[:, None] - shifts[None], axis=-1)
    best = distances[np.argmax((distances < _AGREEMENT).sum(axis=1))] < _AGREEMENT
    x, y = shifts[best].mean(axis=0)
    residual = float(np.sqrt(((shifts[best] - [x, y]) ** 2).sum(axis=1).mean()))
    return Affine.translation(-x, -y), int(best.sum()), residual


def _fit_affine(middles: np.ndarray, shifts: np.ndarray) -> tuple[Affine, int, float]:
    """The affine map that most parts agree on, from t2 to t1."""
    if len(shifts) < _LEAST_AGREEING:
        return Affine.identity(), len(shifts), 0.0
    points = (middles + shifts, middles)
    model, inliers = ransac(
        points, AffineTransform, min_samples=_LEAST_AGREEING, residual_threshold=_AGREEMENT, max_trials=500, rng=0
    )
    if inliers is None or not inliers.any():
        return Affine.identity(), 0, 0.0
    residual = float(np.sqrt((model.residuals(points[0][inliers], points[1][inliers]) ** 2).mean()))
    return Affine(*np.asarray(model.params)[:2].ravel()), int(inliers.sum()), residual
