# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A crop of a real image at two times: the edited images, and the object that is visible at each of their pixels."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from dataset_scripts.synthesis.scene import ChangeType, State, Thing, Time

from .instances import SourceImage, open_image


Box = tuple[int, int, int, int]  # Left, top, right, bottom


@dataclass(frozen=True)
class Photo:
    """
    A decoded image.

    Args:
        source (`SourceImage`): The source of the image.
        image (`np.ndarray`): RGB, uint8, (height, width, 3).
        numbers (`np.ndarray`): int16 (height, width): 1 + index of the instance visible at each pixel, 0 for
            none. Where masks overlap, the smaller one is in front.
    """

    source: SourceImage
    image: np.ndarray
    numbers: np.ndarray


class PhotoCache:
    """
    A cache of the most recently used decoded images.

    Args:
        capacity (`int`): In bytes.
    """

    def __init__(self, capacity: int):
        self.capacity = capacity
        self._photos: OrderedDict[SourceImage, Photo] = OrderedDict()
        self._bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        # A worker process begins with an empty cache.
        return {"capacity": self.capacity, "_photos": OrderedDict(), "_bytes": 0}

    def __len__(self) -> int:
        return len(self._photos)

    def open(self, source: SourceImage) -> Photo:
        """The decoded image, from the cache if possible. Raises PIL's errors for damaged images."""
        photo = self._photos.pop(source, None)
        if photo is None:
            photo = _decode(source)
            self._bytes += _bytes_of(photo)
        self._photos[source] = photo
        while self._bytes > self.capacity and len(self._photos) > 1:
            self._bytes -= _bytes_of(self._photos.popitem(last=False)[1])
        return photo


def _bytes_of(photo: Photo) -> int:
    return photo.image.nbytes + photo.numbers.nbytes


def _decode(source: SourceImage) -> Photo:
    image = open_image(source)
    numbers = np.zeros(image.shape[:2], np.int16)
    order = sorted(range(len(source.instances)), key=lambda index: -source.instances[index].area)
    for index in order:
        instance = source.instances[index]
        left, top, right, bottom = instance.box
        window = (slice(top, bottom), slice(left, right))
        numbers[window][source.mask(instance)[window]] = index + 1
    return Photo(source, image, numbers)


@dataclass
class Canvas:
    """
    The two versions of one image.

    Args:
        images (`dict[Time, np.ndarray]`): By time: RGB, uint8, (side, side, 3).
        numbers (`dict[Time, np.ndarray]`): By time: int16 (side, side), the number of the thing visible at each pixel.
        things (`list[Thing]`): All things at one or both times. Their numbers begin at 1.
        taken (`np.ndarray`): bool (side, side): pixels that show a thing at any of the times or were edited.
        scale (`float`): Pixels of the canvas per pixel of the original image.
        places (`dict[int, tuple[Box, int]]`): For each thing, the box and the area of its visible part.
        is_whole (`dict[int, bool]`): For each thing, whether it is completely on the canvas.
    """

    images: dict[Time, np.ndarray]
    numbers: dict[Time, np.ndarray]
    things: list[Thing]
    taken: np.ndarray
    scale: float
    places: dict[int, tuple[Box, int]] = field(default_factory=dict)
    is_whole: dict[int, bool] = field(default_factory=dict)
    last_number: int = field(init=False)

    def __post_init__(self) -> None:
        self.last_number = len(self.things)

    @property
    def side(self) -> int:
        """Width and height in pixels."""
        return int(self.taken.shape[0])

    def add(self, kind: str, times: Sequence[Time], place: tuple[Box, int]) -> Thing:
        """Adds an object that exists at these times."""
        state = State()
        self.last_number += 1
        thing = Thing(
            number=self.last_number,
            kind=kind,
            state_t1=state if 1 in times else None,
            state_t2=state if 2 in times else None,
        )
        self.things.append(thing)
        self.places[thing.number] = place
        self.is_whole[thing.number] = True
        return thing

    def changes(self) -> list[ChangeType]:
        """The changes of all things that have changed."""
        return [thing.change for thing in self.things if thing.change is not None]


def open_canvas(photo: Photo, kinds: Sequence[str], window: Box, side: int, turns: int, is_mirrored: bool) -> Canvas:
    """
    Cuts a square out of an image.

    Args:
        photo (`Photo`): The image.
        kinds (`Sequence[str]`): The kind of each of its instances.
        window (`Box`): The square, inside the image.
        side (`int`): Width and height of the canvas in pixels.
        turns (`int`): Number of quarter turns.
        is_mirrored (`bool`): Whether left and right are exchanged.

    Returns:
        `Canvas`: The canvas, with both times equal; things in the order of the visible instances.
    """
    left, top, right, bottom = window
    part = (slice(top, bottom), slice(left, right))
    scale = side / (right - left)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.resize(photo.image[part], (side, side), interpolation=how)
    numbers = cv2.resize(photo.numbers[part], (side, side), interpolation=cv2.INTER_NEAREST)
    if is_mirrored:
        image, numbers = image[:, ::-1], numbers[:, ::-1]
    image, numbers = np.ascontiguousarray(np.rot90(image, turns)), np.rot90(numbers, turns)
    seen = [int(number) for number in np.flatnonzero(np.bincount(numbers.ravel())) if number]
    renumbered = np.zeros(len(photo.source.instances) + 1, np.int16)
    renumbered[seen] = np.arange(1, len(seen) + 1)
    numbers = np.ascontiguousarray(renumbered[numbers])
    things = [Thing(number=place + 1, kind=kinds[number - 1]) for place, number in enumerate(seen)]
    canvas = Canvas({1: image, 2: image.copy()}, {1: numbers, 2: numbers.copy()}, things, numbers > 0, scale)
    for thing, number in zip(things, seen):
        canvas.places[thing.number] = _place_of(numbers == thing.number)
        box = photo.source.instances[number - 1].box
        inside = box[0] >= left and box[1] >= top and box[2] <= right and box[3] <= bottom
        free = box[0] > 1 and box[1] > 1 and box[2] < photo.source.width - 1 and box[3] < photo.source.height - 1
        canvas.is_whole[thing.number] = inside and free
    return canvas


def _place_of(mask: np.ndarray) -> tuple[Box, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return box, int(mask[box[1] : box[3], box[0] : box[2]].sum())


def grown(box: Box, by: int, side: int) -> Box:
    """A box enlarged on every side, within the canvas."""
    left, top, right, bottom = box
    return max(0, left - by), max(0, top - by), min(side, right + by), min(side, bottom + by)


def window_of(box: Box) -> tuple[slice, slice]:
    """The box as an index of rows and columns."""
    left, top, right, bottom = box
    return slice(top, bottom), slice(left, right)


def disk(radius: int) -> np.ndarray:
    """A round kernel for `cv2.dilate` and `cv2.erode`."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
