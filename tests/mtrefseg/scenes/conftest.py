# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Generated rasters, and a predictor that sees colours, so that tests know what must be found."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch


rasterio = pytest.importorskip("rasterio", reason="the extra geo is not installed")
for _name in ("pyogrio", "pyproj", "shapely"):
    pytest.importorskip(_name, reason="the extra geo is not installed")

from rasterio.transform import Affine  # noqa: E402

from mtrefseg.scenes.predicting import Interval, ScenePredictor, WindowAnswer  # noqa: E402
from mtrefseg.scenes.reading import Views  # noqa: E402


COLORS = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 200, 30)}
GROUND = 120
UTM = "EPSG:32633"
HALF_METRE = Affine(0.5, 0, 500_000, 0, -0.5, 5_400_000)


class ColorPredictor(ScenePredictor):
    """Finds the pixels that have the colour of the sentence at the later date only; any change without a sentence."""

    def __init__(self, canvas: int = 64, pixel_size: float | None = None) -> None:
        self.canvas = canvas
        self.threshold, self.no_target_threshold, self.domain = 0.5, 0.8, None
        self.choose_objects = False
        self.asked: list[list[str] | None] = []
        self.windows = 0
        self._pixel_size = pixel_size

    @property
    def pixel_size(self) -> float | None:
        return self._pixel_size

    def predict(
        self,
        views: Sequence[Views],
        texts: Sequence[str] | None,
        intervals: Sequence[Interval] = ((0, 1),),
        is_whole: bool = False,
    ) -> WindowAnswer:
        self.asked.append(None if texts is None else list(texts))
        self.windows += len(views)
        masks = [
            [
                self._mask(view.images[earlier], view.images[later], text)
                for earlier, later in intervals
                for text in ((None,) if texts is None else texts)
            ]
            for view in views
        ]
        found = torch.from_numpy(np.array(masks))
        no_target = torch.where(found.flatten(2).any(-1), -4.0, 4.0)
        logits = self._without_refused(torch.where(found, 6.0, -6.0), no_target)
        return WindowAnswer(logits, no_target, torch.zeros_like(no_target, dtype=torch.bool))

    def sample(
        self, logits: torch.Tensor, height: int, width: int, band: tuple[int, int] | None = None
    ) -> torch.Tensor:
        sampled = torch.nn.functional.interpolate(logits[None].float(), (height, width))[0]
        return sampled[:, slice(*(band or (0, height)))]

    @staticmethod
    def _mask(earlier: np.ndarray, later: np.ndarray, text: str | None) -> np.ndarray:
        changed = np.abs(earlier.astype(int) - later).sum(-1) > 60
        if text is None:
            return changed
        color = next(value for name, value in COLORS.items() if name in text)
        return changed & (np.abs(later.astype(int) - color).sum(-1) < 60)


@pytest.fixture
def predictor() -> ColorPredictor:
    return ColorPredictor()


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """A function from a name and values of shape `(height, width[, bands])` to a GeoTIFF."""

    def write(
        name: str,
        values: np.ndarray,
        crs: str | None = UTM,
        transform: Affine | None = HALF_METRE,
        **profile,
    ) -> Path:
        bands = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        colors = profile.pop("colorinterp", None)
        size = {"width": bands.shape[2], "height": bands.shape[1], "count": bands.shape[0], "dtype": bands.dtype}
        path = tmp_path / name
        if crs is None:
            transform = None
        with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **size, **profile) as raster:
            if colors:
                raster.colorinterp = colors
            raster.write(bands)
        return path

    return write


def ground(height: int, width: int) -> np.ndarray:
    """An image of bare ground."""
    return np.full((height, width, 3), GROUND, dtype=np.uint8)


def paint(image: np.ndarray, color: str, left: int, top: int, width: int, height: int) -> np.ndarray:
    """Paints a rectangle."""
    image[top : top + height, left : left + width] = COLORS[color]
    return image
