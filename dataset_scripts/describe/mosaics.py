# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Puts pieces of several pairs side by side, with the objects in them: mosaic augmentation
(https://huggingface.co/papers/2004.10934). A model that has seen such pairs recognises objects that are cut, and
answers a sentence in several places at once, as windows of a large scene require.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image, ImageOps

from .parts import SPECK, Part


MOSAIC_SIDE = 256
"""Width and height of a mosaic in pixels."""
_LEAST_PIECE = 48  # Pixels
_ROWS_SHARE, _COLUMNS_SHARE = 0.15, 0.15  # Mosaics of two rows or two columns; the others have both.
_TRIES = 12  # Random pairs that are read for a piece, until one has the wanted kinds of objects.


@dataclass(frozen=True)
class Place:
    """
    A pair whose objects are known.

    Args:
        images (`tuple[PIL.Image.Image, PIL.Image.Image]`): t1 and t2, RGB, of equal size.
        parts (`Sequence[Part]`): The objects that changed; masks have the size of the images.
        source (`str`): Where the images are from.
        view (`str`): The view, as in the columns of the dataset.
    """

    images: tuple[Image.Image, Image.Image]
    parts: Sequence[Part]
    source: str
    view: str

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of the objects."""
        return frozenset(part.kind for part in self.parts)


def make_mosaic(draw: Callable[[], Place | None], random: np.random.Generator) -> Place | None:
    """
    Puts pieces of random pairs side by side. All pairs have the same kinds of objects: a kind that the data do not
    label in one of them could be there nevertheless.

    Args:
        draw (`Callable[[], Place | None]`): Returns a random pair, or `None` if its objects are not known.
        random (`np.random.Generator`): Chooses the sizes and the positions of the pieces.

    Returns:
        `Place`, *optional*: The mosaic, of `MOSAIC_SIDE` x `MOSAIC_SIDE` pixels; `None` if none with an object was
        found.
    """
    for _ in range(_TRIES):
        first = _draw(draw, None)
        if first is None:
            return None
        mosaic = _put_together(first, draw, random)
        if mosaic.parts:
            return mosaic
    return None


def _put_together(first: Place, draw: Callable[[], Place | None], random: np.random.Generator) -> Place:
    """A mosaic of a pair and others; it may have no object."""
    images = (Image.new("RGB", (MOSAIC_SIDE, MOSAIC_SIDE)), Image.new("RGB", (MOSAIC_SIDE, MOSAIC_SIDE)))
    parts: list[Part] = []
    place = first
    for left, top, right, bottom in _boxes(random):
        piece = _cut(place, (right - left, bottom - top), random)
        for image, part_of_it in zip(images, piece.images):
            image.paste(part_of_it, (left, top))
        for part in piece.parts:
            mask = np.zeros((MOSAIC_SIDE, MOSAIC_SIDE), dtype=bool)
            mask[top:bottom, left:right] = part.mask
            if mask.sum() >= SPECK * mask.size:
                parts.append(Part(part.kind, part.change, mask))
        place = _draw(draw, first.kinds) or first
    return Place(images, parts, first.source, first.view)


def _draw(draw: Callable[[], Place | None], kinds: frozenset[str] | None) -> Place | None:
    """A random pair, if one is found, with objects of these kinds."""
    for _ in range(_TRIES):
        place = draw()
        if place is not None and kinds in (None, place.kinds):
            return place
    return None


def _boxes(random: np.random.Generator) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom edges of the pieces."""
    columns, rows = (
        (0, int(random.integers(_LEAST_PIECE, MOSAIC_SIDE - _LEAST_PIECE + 1)), MOSAIC_SIDE) for _ in range(2)
    )
    kind = random.random()
    edges_x = (0, MOSAIC_SIDE) if kind < _ROWS_SHARE else columns
    edges_y = (0, MOSAIC_SIDE) if kind >= 1 - _COLUMNS_SHARE else rows
    return [(left, top, right, bottom) for top, bottom in pairwise(edges_y) for left, right in pairwise(edges_x)]


def _cut(place: Place, size: tuple[int, int], random: np.random.Generator) -> Place:
    """A random piece of a pair, at its resolution; a pair that is smaller than the piece is enlarged."""
    width, height = size
    full_width, full_height = place.images[0].size
    if full_width < width or full_height < height:
        images = [ImageOps.fit(image, size) for image in place.images]
        masks = [
            np.asarray(ImageOps.fit(Image.fromarray(part.mask), size, Image.Resampling.NEAREST))
            for part in place.parts
        ]
    else:
        left, top = int(random.integers(full_width - width + 1)), int(random.integers(full_height - height + 1))
        images = [image.crop((left, top, left + width, top + height)) for image in place.images]
        masks = [part.mask[top : top + height, left : left + width] for part in place.parts]
    parts = [Part(part.kind, part.change, mask) for part, mask in zip(place.parts, masks)]
    return Place((images[0], images[1]), parts, place.source, place.view)
