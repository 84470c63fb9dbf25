# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The overview of a scene: both dates, the objects and a legend."""

from collections.abc import Sequence

import numpy as np
import shapely
from PIL import Image
from rasterio.features import rasterize

from mtrefseg.view.overlay import draw_overlay

from .reading import Scene, shrunk
from .result import SentenceResult


_SIDE = 1600


def draw_scene(scene: Scene, sentences: Sequence[SentenceResult], dates: tuple[int, int] = (0, 1)) -> Image.Image:
    """
    Draws the overview of two dates of a scene.

    Args:
        scene ([`Scene`]): The scene.
        sentences (`Sequence[SentenceResult]`): What was found.
        dates (`tuple[int, int]`, *optional*): Which dates.

    Returns:
        `PIL.Image.Image`: The page, RGB.
    """
    height, width = shrunk(scene.grid.height, scene.grid.width, _SIDE)
    images = [Image.fromarray(image) for image in scene.read(scene.box, (height, width)).images]
    scale = np.array([width / scene.grid.width, height / scene.grid.height])
    masks = [_draw_mask(one, scale, (height, width)) for one in sentences]
    return draw_overlay(
        images[dates[0]],
        images[dates[1]],
        masks,
        [one.text for one in sentences],
        [one.score for one in sentences],
        areas=[one.area_fraction for one in sentences],
    )


def _draw_mask(sentence: SentenceResult, scale: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The objects at the size of the overview; small ones keep a pixel."""
    if not sentence.objects:
        return np.zeros(size, dtype=bool)
    shapes = [shapely.transform(one.shape, lambda points: points * scale) for one in sentence.objects]
    return rasterize(((shape, 1) for shape in shapes), out_shape=size, all_touched=True, dtype="uint8") > 0
