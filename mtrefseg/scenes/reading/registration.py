# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Estimates the offset of t2 from t1, and corrects it."""

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

from ..windows import Box
from .images import shrunk
from .scene import Scene


WARNING_PIXELS = 3.0
_OVERVIEW_SIDE = 1024
_PATCHES = 5  # Per side; each gives its own shift.
_PATCH_SIDE = 384
_LEAST_PATCH = 48
_AGREEMENT = 1.0  # Patches agree if their shifts differ by less, in pixels.
_LEAST_AGREEING = 4
_LARGEST_SHIFT = 0.1  # Share of the longer side
_LARGEST_TURN = 0.05  # Radians; the same limit applies to scale and shear


@dataclass(frozen=True)
class Registration:
    """
    The offset of an image, here called t2, from t1, the first one.

    Args:
        name (`str`): Name of the image.
        kind (`str`): `"shift"` or `"affine"`.
        matrix (`Affine`): Maps pixels of t2, on the grid of t1, to their correct positions.
        shift (`tuple[float, float]`): Offset of the centre of t2 to the right and down, in pixels.
        metres (`float`, *optional*): Length of the shift on the ground.
        patches (`int`): Number of parts of the scene that agreed.
        residual (`float`): Their remaining offset in pixels, root mean square.
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
        """A note about the correction."""
        ground = "" if self.metres is None else f" ({self.metres:.2f} m)"
        warning = "; check the images: this is a large shift" if self.pixels > WARNING_PIXELS else ""
        return (
            f"{self.name} was off by {self.pixels:.2f} pixels{ground} and was corrected; {self.patches} parts agree, "
            f"{self.residual:.2f} pixels remain{warning}"
        )


def register(scene: Scene, kind: str, date: int = 1) -> Registration:
    """
    Estimates the offset of an image from the first one, on the shrunk scene and then on parts of it, and corrects it.

    Args:
        scene ([`Scene`]): Images on one grid.
        kind (`str`): `"shift"`, or `"affine"` for rotation, scale and shear, too.
        date (`int`, *optional*, defaults to 1): Number of the image to move.

    Raises:
        [`UserError`]: If the parts of the scene do not agree, or the estimate is larger than any plausible error.
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
            f"{names}: it would have to be moved by {np.hypot(*shift):.0f} pixels and rotated or scaled by "
            f"{100 * turn:.1f} %; do both show the same place?"
        )
    metres = None if grid.pixel_size is None else float(np.hypot(*shift)) * grid.pixel_size
    scene.images[date].move(matrix)
    return Registration(scene.images[date].name, kind, matrix, shift, metres, agreeing, residual)


def _edges(image: np.ndarray) -> np.ndarray:
    """Strength of edges: similar at both dates even in different light."""
    edges = sobel(rgb2gray(image))
    height, width = edges.shape
    # Fades out towards the border, because otherwise the border itself would match.
    return (edges - edges.mean()) * np.outer(np.hanning(height), np.hanning(width))


def _rough_shift(scene: Scene, date: int) -> np.ndarray:
    """Shift of the shrunk scene in pixels of the scene, x and y: offset of t2 to the right and down."""
    size = shrunk(scene.grid.height, scene.grid.width, _OVERVIEW_SIDE)
    images = scene.read(scene.box, size).images
    earlier, later = _edges(images[0]), _edges(images[date])
    found, _, _ = phase_cross_correlation(earlier, later, upsample_factor=10, normalization=None)
    return -found[::-1] * [scene.grid.width / size[1], scene.grid.height / size[0]]


def _patch_shifts(scene: Scene, date: int, rough: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres of parts of t1, and offsets of the same parts of t2, both `(number, 2)`, x and y."""
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
    """The shift on which most parts agree, as the matrix that corrects it."""
    if not len(shifts):
        return Affine.identity(), 0, 0.0
    distances = np.linalg.norm(shifts[:, None] - shifts[None], axis=-1)
    best = distances[np.argmax((distances < _AGREEMENT).sum(axis=1))] < _AGREEMENT
    x, y = shifts[best].mean(axis=0)
    residual = float(np.sqrt(((shifts[best] - [x, y]) ** 2).sum(axis=1).mean()))
    return Affine.translation(-x, -y), int(best.sum()), residual


def _fit_affine(middles: np.ndarray, shifts: np.ndarray) -> tuple[Affine, int, float]:
    """The affine map from t2 to t1 on which most parts agree."""
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
