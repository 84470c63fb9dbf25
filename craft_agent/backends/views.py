# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The part of an image that a segmenter is shown."""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ..records import BoolMask, Box, Point
from .protocols import SegmentationPrompt


LEAST_SIDE = 256
"""Minimum longer side of a view, if the image is that large: things are recognised by their surroundings."""
MOST_SIDE = 2048
"""Larger views are scaled down; the models work at about 1000 pixels per side anyway."""


@dataclass(frozen=True)
class View:
    """
    A part of an image, possibly scaled down, and the prompt in its coordinates.

    Args:
        image (`PIL.Image.Image`): The part, RGB.
        box (`Box`, *optional*): Where to look.
        points (`tuple[Point, ...]`): Pixels inside or outside the region.
        place (`Box`): The part in the whole image.
        size (`tuple[int, int]`): Width and height of the whole image.
    """

    image: Image.Image = field(repr=False)
    box: Box | None
    points: tuple[Point, ...]
    place: Box
    size: tuple[int, int]

    def paste(self, mask: BoolMask) -> BoolMask:
        """Converts a mask of the view `(height, width)` to one of the whole image."""
        width, height = self.place.right - self.place.left, self.place.bottom - self.place.top
        if mask.shape != (height, width):
            scaled = Image.fromarray(mask.astype(np.uint8) * 255).resize((width, height), Image.Resampling.BILINEAR)
            mask = np.asarray(scaled) > 127
        whole = np.zeros((self.size[1], self.size[0]), dtype=bool)
        whole[self.place.top : self.place.bottom, self.place.left : self.place.right] = mask
        return whole


def look_at(prompt: SegmentationPrompt) -> View:
    """
    Cuts out the surroundings of the box and points, so that small things are enlarged; without a box, the view is the
    whole image.

    Args:
        prompt (`SegmentationPrompt`): The prompt.

    Returns:
        `View`: The box with a margin of half its longer side.
    """
    size = prompt.image.size
    whole = Box(0, 0, *size)
    points = tuple(point for point in prompt.points if 0 <= point.x < size[0] and 0 <= point.y < size[1])
    box = None if prompt.box is None else prompt.box.intersect(whole)
    if box is None or not box.area:
        box, place = None, whole
    else:
        place = box
        for point in points:
            place = place.unite(Box(point.x, point.y, point.x + 1, point.y + 1))
        side = max(place.right - place.left, place.bottom - place.top)
        place = place.grow(max(side // 2, (LEAST_SIDE - side + 1) // 2), size)
    return _scaled(prompt.image, place, box, points)


def _scaled(image: Image.Image, place: Box, box: Box | None, points: tuple[Point, ...]) -> View:
    view = image.crop(place)
    view.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.BICUBIC)
    across = view.width / (place.right - place.left)
    down = view.height / (place.bottom - place.top)
    if box is not None:
        left, top = int((box.left - place.left) * across), int((box.top - place.top) * down)
        right, bottom = round((box.right - place.left) * across), round((box.bottom - place.top) * down)
        box = Box(left, top, max(left + 1, right), max(top + 1, bottom))
    moved = [
        Point(int((point.x - place.left) * across), int((point.y - place.top) * down), point.positive)
        for point in points
    ]
    return View(view, box, tuple(moved), place, image.size)
