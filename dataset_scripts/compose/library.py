# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The images of one split, and the things in them that can be put into others."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from ..synthesis.generator import Domain
from .canvas import Photo, PhotoCache
from .instances import Instance, SkippedItems, SourceImage, Split, read_backgrounds, read_instances
from .nouns import TRAITS, Trait, kind_of


_RIM = 2  # What reaches to the rim of its image may be cut off.
_SMALLEST_AREA, _SMALLEST_SIDE = 150, 9
_LEAST_SLIM = 2.0  # Height of a person seen in full, in widths


@dataclass(frozen=True)
class Donor:
    """
    A thing that can be cut out.

    Args:
        place (`int`): Of its image in `Library.images`.
        number (`int`): Of the thing in the numbers of the decoded image.
        instance (`Instance`): The thing.
    """

    place: int
    number: int
    instance: Instance


class Library:
    """
    Images of one split with their instances, and images without any.

    Args:
        folders (`Sequence[Path]`): In COCO format.
        backgrounds (`Sequence[Path]`): Folders of images in which nothing is marked.
        domain (`str`): "NS" or "RS".
        split (`str`): "train", "validation" or "test".
        cache_bytes (`int`): So many bytes of decoded images are kept.

    Raises:
        DataError: If a folder cannot be used, or no image of it is in the split.
    """

    def __init__(
        self, folders: Sequence[Path], backgrounds: Sequence[Path], domain: Domain, split: Split, cache_bytes: int
    ):
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
        self.kind_counts = Counter(kind for kinds in self.kinds for kind in kinds)
        self.donors: dict[str, list[Donor]] = defaultdict(list)
        for place, source in enumerate(self.images):
            for index, instance in enumerate(source.instances):
                kind = self.kinds[place][index]
                trait = TRAITS[domain].get(kind)
                if trait is not None and is_whole(instance, source, trait):
                    self.donors[kind].append(Donor(place, index + 1, instance))
        self._cache = PhotoCache(cache_bytes)

    def photo(self, place: int) -> Photo:
        """The decoded image of a place in `images`; after those come the backgrounds."""
        source = self.images[place] if place < len(self.images) else self.backgrounds[place - len(self.images)]
        return self._cache.open(source)


def is_whole(instance: Instance, source: SourceImage, trait: Trait) -> bool:
    """Whether a thing seems to be seen in full and large enough to be cut out."""
    left, top, right, bottom = instance.box
    width, height = right - left, bottom - top
    inside = left >= _RIM and top >= _RIM and right <= source.width - _RIM and bottom <= source.height - _RIM
    return (
        inside
        and not instance.is_crowd
        and instance.area >= _SMALLEST_AREA
        and min(width, height) >= _SMALLEST_SIDE
        and (not trait.is_slim or height >= _LEAST_SLIM * width)
    )
