# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The images of one split, and their objects that can be inserted into other images."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from dataset_scripts.errors import DataError
from dataset_scripts.synthesis import Domain, Split

from .canvas import Photo, PhotoCache, disk, window_of
from .colors import tone_of
from .instances import Instance, SkippedItems, SourceImage, read_backgrounds, read_instances
from .nouns import ROOTED, TRAITS, Trait, kind_of


_RIM = 2  # Objects that touch the border of their image may be truncated.
_SMALLEST_AREA, _SMALLEST_SIDE = 150, 9
_MOST_COVERED = 0.1  # Maximum share of the rim that other things touch; with more, they probably cover it
_LARGEST_FOCUS = 0.12  # Area, as a share of the largest square
_LEAST_SLIM = 2.0  # Minimum height of a completely visible person, in widths


@dataclass(frozen=True)
class Ground:
    """
    The surroundings of an object.

    Args:
        mean (`np.ndarray`): float (3,), mean RGB.
        deviation (`float`): Standard deviation of the grey levels.
        tone (`np.ndarray`): float (3,), see `tone_of`, of the complete image.
    """

    mean: np.ndarray
    deviation: float
    tone: np.ndarray

    @classmethod
    def of(cls, pixels: np.ndarray, tone: np.ndarray) -> "Ground":
        """The surroundings from some pixels: uint8 (count, 3)."""
        values = pixels.astype(np.float64)
        return cls(values.mean(axis=0), float(values.mean(axis=1).std()), tone)


@dataclass(frozen=True)
class Donor:
    """
    A thing that can be cut out.

    Args:
        kind (`str`): Its kind.
        place (`int`): Index of its image in `Library.images`.
        number (`int`): Number of the thing in the decoded image.
        instance (`Instance`): The thing.
    """

    kind: str
    place: int
    number: int
    instance: Instance


class Library:
    """
    Images of one split with their instances, and images without any.

    Args:
        folders (`Sequence[Path]`): In COCO format.
        backgrounds (`Sequence[Path]`): Folders of images without annotations.
        domain (`str`): "NS" or "RS".
        split (`str`): "train", "validation" or "test".
        cache_bytes (`int`): Maximum size of the cache of decoded images in bytes.

    Raises:
        DataError: If a folder cannot be used, or no image of it is in the split.
    """

    def __init__(
        self, folders: Sequence[Path], backgrounds: Sequence[Path], domain: Domain, split: Split, cache_bytes: int
    ):
        self.domain: Domain = domain
        self.skipped = SkippedItems()
        read = [source for folder in folders for source in read_instances(folder, self.skipped)]
        self.images = [source for source in read if source.split == split]
        if not self.images:
            names = ", ".join(str(folder) for folder in folders)
            raise DataError(f"None of the {len(read)} images of {names} is in the split {split!r}; add more images.")
        grounds = [source for folder in backgrounds for source in read_backgrounds(folder, self.skipped)]
        self.backgrounds = [source for source in grounds if source.split == split]
        self.kinds = [[kind_of(instance.category) for instance in source.instances] for source in self.images]
        self.all_kinds = frozenset(kind for kinds in self.kinds for kind in kinds)
        self.donors: dict[str, list[Donor]] = defaultdict(list)
        self.donors_of: list[list[Donor]] = [[] for _ in self.images]
        for place, source in enumerate(self.images):
            for index, instance in enumerate(source.instances):
                kind = self.kinds[place][index]
                trait = TRAITS[domain].get(kind)
                if trait is not None and is_whole(instance, source, trait):
                    donor = Donor(kind, place, index + 1, instance)
                    self.donors[kind].append(donor)
                    self.donors_of[place].append(donor)
        self.together = _together(self.kinds)
        self.focuses: dict[str, list[tuple[int, Instance]]] = defaultdict(list)
        for place, source in enumerate(self.images):
            for instance, kind in zip(source.instances, self.kinds[place]):
                if _is_focus(instance, kind, source):
                    self.focuses[kind].append((place, instance))
        self._cache = PhotoCache(cache_bytes)
        self.damaged: set[str] = set()
        self._grounds: dict[tuple[int, int], Ground | None] = {}

    def photo(self, place: int) -> Photo:
        """
        The decoded image of a place in `images`; after those come the backgrounds.

        Raises:
            UnusableError: If the file is damaged.
        """
        source = self.images[place] if place < len(self.images) else self.backgrounds[place - len(self.images)]
        return self._cache.open(source)

    def ground(self, donor: Donor) -> Ground | None:
        """The ground of an object in its own image; `None` if other objects cover its rim."""
        key = (donor.place, donor.number)
        if key not in self._grounds:
            self._grounds[key] = _ground(self.photo(donor.place), donor, self.domain == "RS")
        return self._grounds[key]


def is_inside(instance: Instance, source: SourceImage) -> bool:
    """Whether a thing does not touch the rim of its image."""
    left, top, right, bottom = instance.box
    return left >= _RIM and top >= _RIM and right <= source.width - _RIM and bottom <= source.height - _RIM


def is_whole(instance: Instance, source: SourceImage, trait: Trait) -> bool:
    """Whether a thing seems to be completely visible and large enough to be cut out."""
    left, top, right, bottom = instance.box
    width, height = right - left, bottom - top
    return (
        is_inside(instance, source)
        and not instance.is_crowd
        and instance.area >= _SMALLEST_AREA
        and min(width, height) >= _SMALLEST_SIDE
        and (not trait.is_slim or height >= _LEAST_SLIM * width)
    )


def _together(kinds: list[list[str]]) -> dict[str, Counter[str]]:
    """For each kind, the number of images in which each other kind occurs with it."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for of_image in kinds:
        there = sorted(set(of_image))
        for kind in there:
            counts[kind].update(there)
    return dict(counts)


def _is_focus(instance: Instance, kind: str, source: SourceImage) -> bool:
    """Whether a thing may be removed: completely visible, and not most of the image."""
    largest = _LARGEST_FOCUS * min(source.width, source.height) ** 2
    return kind not in ROOTED and instance.area <= largest and not instance.is_crowd and is_inside(instance, source)


def _ground(photo: Photo, donor: Donor, from_above: bool) -> Ground | None:
    left, top, right, bottom = donor.instance.box
    height, width = photo.numbers.shape
    pad = max(4, round(0.3 * min(right - left, bottom - top)))
    if from_above:
        area = (max(0, left - pad), max(0, top - pad), min(width, right + pad), min(height, bottom + pad))
    else:
        upper = bottom - max(4, (bottom - top) // 7)
        area = (max(0, left - pad), upper, min(width, right + pad), min(height, bottom + max(3, pad // 3)))
    numbers = photo.numbers[window_of(area)]
    free = numbers == 0
    own = (numbers == donor.number).astype(np.uint8)
    rim = (cv2.dilate(own, disk(2)) > 0) & (own == 0)
    if int((rim & ~free).sum()) > _MOST_COVERED * max(1, int(rim.sum())) or int(free.sum()) < 12:
        return None
    near = cv2.dilate(own, disk(pad)) > 0 if from_above else np.ones_like(free)
    return Ground.of(photo.image[window_of(area)][free & near], tone_of(photo.image)) if (free & near).any() else None
