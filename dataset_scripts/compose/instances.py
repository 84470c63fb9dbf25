# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reads images with instance masks: folders in COCO format (a `.json` file next to the images)."""

import hashlib
import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from dataset_scripts.errors import DataError
from dataset_scripts.readers import FolderListing, ImageFile, UnusableError, leads_out
from dataset_scripts.synthesis import Split
from mtrefseg.io import PLAIN_SUFFIXES, read_json


ANNOTATION_FILE = "annotations.json"
"""The file that is read if a folder holds several."""
SMALLEST_SIDE = 128  # Images with a shorter side are skipped, because they would look unrealistic when enlarged.
# Percentage of images, selected by a hash of the name.
_VALIDATION, _TEST = 10, 10
_KEYS = ("images", "annotations", "categories")
_NAMED = 3  # Number of skipped items that are named for each reason.
_FAR_OUTSIDE = 10  # Times its longer side.
_LONGEST_RUN = 60  # Bits.
_CROWD = "crowd (iscrowd: 1), which is not one object"


@dataclass(frozen=True)
class Instance:
    """
    One object of an image.

    Args:
        category (`str`): Its category in the annotations, in lower case.
        box (`tuple[int, int, int, int]`): Left, top, right, bottom in pixels; right and bottom are outside.
        area (`int`): Pixels of its mask.
        counts (`bytes`): Its mask as a compressed run-length code of COCO.
        is_crowd (`bool`): Whether the mask covers several objects together.
    """

    category: str
    box: tuple[int, int, int, int]
    area: int
    counts: bytes = field(repr=False)
    is_crowd: bool = False


@dataclass(frozen=True)
class SourceImage:
    """
    An image and its annotated objects.

    Args:
        file (`Path`): The image.
        width, height (`int`): Its size in pixels.
        instances (`tuple[Instance, ...]`): The annotated objects; none for a background.
    """

    file: Path
    width: int
    height: int
    instances: tuple[Instance, ...] = ()

    def mask(self, instance: Instance) -> np.ndarray:
        """The mask of one of its instances: bool (height, width)."""
        code = {"size": [self.height, self.width], "counts": instance.counts}
        return coco_mask.decode(code).astype(bool)

    @property
    def split(self) -> Split:
        """
        The split of the image, which depends only on its name. So no image is in two splits, whichever folders are
        combined.
        """
        place = int.from_bytes(hashlib.sha256(self.file.name.encode()).digest()[:4], "big") % 100
        if place < _VALIDATION:
            return "validation"
        return "test" if place < _VALIDATION + _TEST else "train"


@dataclass
class SkippedItems:
    """Skipped items, counted by reason, with the names of the first ones."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, name: str) -> None:
        """Counts one item."""
        self.counts[reason] += 1
        if len(self.names[reason]) < _NAMED:
            self.names[reason].append(name)

    def lines(self) -> list[str]:
        """One line per reason."""
        return [
            f"skipped {count} x {reason}: {'; '.join(self.names[reason])}{'; …' if count > _NAMED else ''}"
            for reason, count in self.counts.items()
        ]


def is_coco_folder(folder: Path) -> bool:
    """Whether a folder is one to read. Folders for results may hold other `.json` files."""
    return any(file.name == ANNOTATION_FILE or _may_be_coco(file) for file in _annotation_files(folder))


def _may_be_coco(file: Path) -> bool:
    """Whether a file has the keys of COCO, or is damaged, which is reported when it is read."""
    try:
        content = read_json(file)
    except (OSError, ValueError):
        return True
    return isinstance(content, dict) and content.keys() >= {*_KEYS}


def _annotation_files(folder: Path) -> list[Path]:
    """The files of a folder that may hold its annotations: `annotations.json`, or else every `.json` file."""
    named = folder / ANNOTATION_FILE
    if named.is_file() or not folder.is_dir():
        return [named] if named.is_file() else []
    return sorted(file for file in folder.iterdir() if file.suffix.lower() == ".json" and file.is_file())


def read_instances(folder: Path, skipped: SkippedItems) -> list[SourceImage]:
    """
    Reads a folder in COCO format.

    Args:
        folder (`Path`): A folder with `annotations.json`, or with one `.json` file of another name; the images are in
            its folder `images`, or in itself.
        skipped (`SkippedItems`): Collects unusable items.

    Returns:
        `list[SourceImage]`: The images that can be opened, by name, with the instances that can be used. Images
        without usable annotations are dropped. Crowds are kept, so that nothing is said about the objects in them, but
        they are counted as skipped, because they are not objects themselves.

    Raises:
        DataError: If there is no such file or there are several, it is not in COCO format, or contains nothing usable.
    """
    file, (images, annotations, categories) = _read_annotations(folder)
    names = _by_id(folder, categories, "category", "name", skipped)
    image_entries = _by_id(folder, images, "image", "file_name", skipped)
    marked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for annotation in annotations:
        image = _key(annotation.get("image_id")) if isinstance(annotation, dict) else None
        if image in image_entries:
            marked[image].append(annotation)
        else:
            skipped.add("annotation of an unknown image", f"{folder.name}, annotation {_id_of(annotation)}")
    found: dict[Path, SourceImage] = {}
    listing = FolderListing()
    for key, entries in marked.items():
        source = _open_image(folder, image_entries[key], listing, skipped)
        if source is None:
            continue
        instances = [_read_instance(folder, entry, source, names, skipped) for entry in entries]
        usable = [instance for instance in instances if instance is not None]
        if usable:
            # Several ids may name one file: its objects belong together. Those of a repeated list count once.
            known = found.get(source.file.resolve(), source)
            together = tuple(dict.fromkeys([*known.instances, *usable])) if known.instances else tuple(usable)
            found[source.file.resolve()] = replace(known, instances=together)
    if all(instance.is_crowd for source in found.values() for instance in source.instances):
        raise DataError(f"{file} has no image with instances that can be used. " + " ".join(skipped.lines()))
    return sorted(found.values(), key=lambda source: source.file.name)


def _read_annotations(folder: Path) -> tuple[Path, list[list[Any]]]:
    """The only annotation file of a folder, and its images, annotations and categories."""
    files = _annotation_files(folder)
    if not files:
        raise DataError(f"{folder} holds no .json file; name a folder that holds {ANNOTATION_FILE}.")
    if len(files) > 1:
        listed = ", ".join(each.name for each in files[:_NAMED]) + (", …" if len(files) > _NAMED else "")
        raise DataError(f"{folder} holds several .json files ({listed}); name the one to read {ANNOTATION_FILE}.")
    (file,) = files
    try:
        content = read_json(file)
        return file, [list(content[key]) for key in _KEYS]
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}; make it readable.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{file} is not of COCO format ({type(error).__name__}: {error}); it needs images, annotations and "
            "categories."
        ) from error


def read_backgrounds(folder: Path, skipped: SkippedItems) -> list[SourceImage]:
    """
    Lists the images of a folder.

    Args:
        folder (`Path`): A folder of images.
        skipped (`SkippedItems`): Collects unusable items.

    Returns:
        `list[SourceImage]`: By name, without instances.

    Raises:
        DataError: If it is not a folder or contains no usable image.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; name one that holds images.")
    found = []
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in PLAIN_SUFFIXES:
            source = _check_image(folder, file, skipped)
            if source is not None:
                found.append(source)
    if not found:
        raise DataError(f"{folder} holds no image that can be used. " + " ".join(skipped.lines()))
    return found


def _by_id(
    folder: Path, entries: list[Any], kind: str, naming: str, skipped: SkippedItems
) -> dict[str, dict[str, Any]]:
    """The images or categories by id. An id of two of them is ambiguous, so it is used for neither."""
    found: dict[str, dict[str, Any]] = {}
    twice = set()
    for entry in entries:
        key = _key(entry.get("id")) if isinstance(entry, dict) else None
        if key is None or not isinstance(entry.get(naming), str) or not entry[naming].strip():
            skipped.add(f"{kind} without an id and a {naming}", f"{folder.name}, {kind} {_id_of(entry)}")
        elif found.setdefault(key, entry)[naming] != entry[naming]:
            twice.add(key)
            skipped.add(f"{kind} whose id another one has", f"{folder.name}, {kind} {key} ({entry[naming]})")
    for key in twice:
        skipped.add(f"{kind} whose id another one has", f"{folder.name}, {kind} {key} ({found.pop(key)[naming]})")
    return found


def _key(value: Any) -> str | None:
    """An id, which some programs write as a number in one place and as text in another; `None` if it is not an id."""
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None


def _open_image(
    folder: Path, entry: dict[str, Any], listing: FolderListing, skipped: SkippedItems
) -> SourceImage | None:
    name = entry["file_name"]
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    if leads_out(name):
        skipped.add("image without a file name inside the folder", f"{folder.name}, image {_id_of(entry)}")
        return None
    file = listing.find(folder / "images", parts) or listing.find(folder, parts)
    if file is None:
        skipped.add("missing image", f"{folder.name}/{name}")
        return None
    source = _check_image(folder, file, skipped)
    if source is None:
        return None
    said = entry.get("width") or source.width, entry.get("height") or source.height
    if said != (source.width, source.height):
        detail = f"{folder.name}/{name} has {source.width}x{source.height}, the annotations say {said[0]}x{said[1]}"
        skipped.add("image of another size than annotated", detail)
        return None
    return source


def _check_image(folder: Path, file: Path, skipped: SkippedItems) -> SourceImage | None:
    """The image with its size from the header."""
    name = f"{folder.name}/{file.name}"
    try:
        width, height = ImageFile(name, file).size
    except UnusableError as error:
        skipped.add("unreadable image", error.detail)
        return None
    if min(width, height) < SMALLEST_SIDE:
        skipped.add(f"image with a side of less than {SMALLEST_SIDE} pixels", f"{name} has {width}x{height}")
        return None
    return SourceImage(file, width, height)


def _read_instance(
    folder: Path, entry: dict[str, Any], source: SourceImage, names: dict[str, Any], skipped: SkippedItems
) -> Instance | None:
    name = f"{folder.name}, annotation {_id_of(entry)}"
    key = _key(entry.get("category_id"))
    if key not in names:
        skipped.add("annotation of an unknown category", name)
        return None
    try:
        code = _run_lengths(entry.get("segmentation"), source.width, source.height)
        area = int(coco_mask.area(code))
        left, top, width, height = (round(value) for value in coco_mask.toBbox(code).tolist())
    except ValueError as error:
        skipped.add("segmentation that cannot be read", f"{name} ({error})")
        return None
    if area < 1 or width < 1 or height < 1:
        skipped.add("empty segmentation", name)
        return None
    is_crowd = entry.get("iscrowd") not in (None, 0, "0", "false", "False")
    if is_crowd:
        skipped.add(_CROWD, name)
    return Instance(
        category=names[key]["name"].strip().lower(),
        box=(left, top, left + width, top + height),
        area=area,
        counts=code["counts"],
        is_crowd=is_crowd,
    )


def _run_lengths(segmentation: Any, width: int, height: int) -> dict[str, Any]:
    """Converts any of COCO's three kinds of segmentation to a compressed run-length code, and checks it."""
    if isinstance(segmentation, list):
        reach = _FAR_OUTSIDE * max(width, height)
        if not segmentation or not all(_is_polygon(part) for part in segmentation):
            raise ValueError("a polygon needs three points or more, as x, y, x, y, …")
        # `pycocotools` follows every edge, and crashes the process if one is very long.
        if any(not -reach <= value <= reach for part in segmentation for value in part):
            raise ValueError("a point of its polygon is far outside the image")
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    if not isinstance(segmentation, dict) or "counts" not in segmentation:
        raise ValueError("neither polygons nor a run-length code")
    size, counts = segmentation.get("size"), segmentation["counts"]
    if size != [height, width]:
        raise ValueError(f"its size is {size}, that of the image [{height}, {width}] (height, width)")
    if isinstance(counts, list):
        if not all(isinstance(count, int) and count >= 0 for count in counts) or sum(counts) != width * height:
            raise ValueError("its runs do not add up to the image")
        return coco_mask.frPyObjects(segmentation, height, width)
    if not isinstance(counts, str) or sum(_decode_counts(counts)) != width * height:
        raise ValueError("its runs do not add up to the image")
    return {"size": [height, width], "counts": counts.encode("ascii")}


def _decode_counts(text: str) -> list[int]:
    """
    The runs of a compressed code: base 32 with a bit for "more follows", each from the third on as a difference to the
    one before the last. `pycocotools` decodes masks without checking bounds, so damage is detected here.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in text:
        digit = ord(letter) - 48
        if not 0 <= digit < 64:
            raise ValueError("its run-length code has characters that COCO does not use")
        value |= (digit & 31) << shift
        shift += 5
        if shift > _LONGEST_RUN:
            raise ValueError("its run-length code is damaged")
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift or any(run < 0 for run in runs):
        raise ValueError("its run-length code is truncated or damaged")
    return runs


def _is_polygon(part: Any) -> bool:
    return (
        isinstance(part, list) and len(part) >= 6 and len(part) % 2 == 0 and all(_is_number(value) for value in part)
    )


def _is_number(value: Any) -> bool:
    """Whether it is a finite number; JSON may contain integers that are too large for floats."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _id_of(entry: Any) -> Any:
    return entry.get("id", "without id") if isinstance(entry, dict) else "that is no object"


def open_image(source: SourceImage) -> np.ndarray:
    """
    Decodes an image.

    Args:
        source (`SourceImage`): The image.

    Returns:
        `np.ndarray`: RGB, uint8, (height, width, 3).

    Raises:
        UnusableError: If the file is damaged.
    """
    return np.asarray(ImageFile(source.file.name, source.file).load())
