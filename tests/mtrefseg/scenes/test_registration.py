# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rasterio.transform import Affine

from mtrefseg.errors import UserError
from mtrefseg.scenes.reading import ReadOptions, open_scene
from mtrefseg.scenes.reading.registration import register


pytest.importorskip("skimage", reason="the extra geo is not installed")
SIZE = 420


def town(seed: int = 0) -> Image.Image:
    """Many rectangles."""
    random = np.random.default_rng(seed)
    image = np.full((SIZE, SIZE, 3), 90, dtype=np.uint8)
    for _ in range(350):
        left, top = random.integers(0, SIZE, 2)
        width, height = random.integers(4, 30, 2)
        image[top : top + height, left : left + width] = random.integers(0, 255, 3)
    return Image.fromarray(image)


def moved(image: Image.Image, matrix: Affine) -> np.ndarray:
    """The image with what belongs to a pixel at the place that the matrix says, in other light."""
    back = (~matrix)[:6]
    turned = image.transform(image.size, Image.Transform.AFFINE, back, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(turned) * 0.7 + 40, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("crs", ["EPSG:32633", None])
@pytest.mark.parametrize(
    ("kind", "matrix"),
    [("shift", Affine.translation(6.5, -3.25)), ("affine", Affine(1.004, 0.006, 2.5, -0.005, 0.997, 4.0))],
)
def test_t2_is_moved_back(kind: str, matrix: Affine, crs: str | None, save: Callable[..., Path]) -> None:
    earlier = town()
    t1, t2 = save("t1.tif", np.asarray(earlier), crs=crs), save("t2.tif", moved(earlier, matrix), crs=crs)
    with open_scene([t1, t2], ReadOptions()) as scene:
        found = register(scene, kind)
        images, valid = scene.read(scene.box)
    middle = np.array([SIZE / 2, SIZE / 2, 1])
    expected = np.array(matrix[:6]).reshape(2, 3) @ middle - middle[:2]
    assert found.shift == pytest.approx(expected.tolist(), abs=0.2)
    assert found.metres == (None if crs is None else pytest.approx(found.pixels / 2, rel=0.01))
    assert ("this is a large shift" in found.in_words()) == (found.pixels > 3)
    assert found.residual < 0.5
    inside = (slice(30, -30), slice(30, -30))
    light = np.clip(np.asarray(earlier) * 0.7 + 40, 0, 255)
    assert valid[inside].all()
    assert np.abs(images[1] - light)[inside].mean() < 8  # Before, it is about 40.


def test_a_plain_image_is_moved() -> None:
    earlier = town()
    with open_scene([earlier, moved(earlier, Affine.translation(4, 2))], ReadOptions()) as scene:
        found = register(scene, "shift")
        _, valid = scene.read(scene.box)
    assert found.shift == pytest.approx((4, 2), abs=0.1)
    assert not valid[:, -3:].any()


def test_images_of_different_places_are_refused() -> None:
    with (
        open_scene([town(0), town(1)], ReadOptions()) as scene,
        pytest.raises(UserError, match="cannot be registered"),
    ):
        register(scene, "shift")
