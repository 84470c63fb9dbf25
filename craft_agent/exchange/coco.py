# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
COCO instances: one image per pair (the later one), one category per change type, sentences among the attributes.

Masks are compressed run lengths. With polygons, every connected part of a region is one, with cuts to its holes.

`iscrowd` is not read: a region may be several objects, since its sentence says what it is, and CVAT sets it for every
mask.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mtrefseg.io import is_blank

from ..geometry import box_of
from ..records import BoolMask
from .annotations import LABELS, AnnotatedPair, AnnotationFile, Region
from .polygons import fill_polygon, to_polygons


FILE_NAME = "annotations.json"


def write(pairs: Iterable[AnnotatedPair], as_polygons: bool) -> dict[str, str]:
    """The file of annotations by name; see `formats.Format`."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for pair in pairs:
        width, height = pair.size
        image = {"id": len(images) + 1, "width": width, "height": height}
        images.append({**image, "file_name": pair.file_t2, "file_name_t1": pair.file_t1})
        for region in pair.regions:
            annotations.append(_annotation(region, len(annotations) + 1, image["id"], as_polygons))
    categories = [{"id": LABELS.index(name) + 1, "name": name, "supercategory": "change"} for name in LABELS]
    info = {"description": "Changes between an earlier image (file_name_t1) and a later one (file_name)"}
    content = {
        "info": info,
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }
    return {FILE_NAME: json.dumps(content, ensure_ascii=False) + "\n"}


def read(path: Path) -> Iterator[AnnotatedPair]:
    """The pairs of a file; see `formats.Format`."""
    file = AnnotationFile(path)
    content = file.json()
    names: dict[Any, Any] = {}
    for number, category in enumerate(file.value("the file", content, "categories", list), 1):
        entry = f"category {number}"
        name = file.value(entry, category, "name", str)
        if names.setdefault(file.value(entry, category, "id", int), name) != name:
            raise file.error(entry, f"another category has the id {category['id']}: give each its own")
    images = file.value("the file", content, "images", list)
    known: set[int] = set()
    for number, image in enumerate(images, 1):
        image_id = file.value(f"image {number}", image, "id", int)
        if image_id in known:
            raise file.error(f"image {number}", f"another image has the id {image_id}: give each its own")
        known.add(image_id)
    of_image: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    for number, annotation in enumerate(file.value("the file", content, "annotations", list), 1):
        entry = f"annotation {annotation.get('id', number) if isinstance(annotation, dict) else number}"
        image_id = file.value(entry, annotation, "image_id", int)
        if image_id not in known:
            raise file.error(entry, f"there is no image {image_id}: correct image_id, or delete the annotation")
        of_image.setdefault(image_id, []).append((entry, annotation))
    for image in images:
        entry = f"image {image['id']}"
        name = file.value(entry, image, "file_name", str)
        size = file.size(entry, image.get("width"), image.get("height"))
        regions = [_region(file, name, each, names, size) for name, each in of_image.get(image["id"], [])]
        earlier = image.get("file_name_t1", "")
        file_t1 = earlier if isinstance(earlier, str) else ""
        yield AnnotatedPair(file.pair_id(entry, name), file_t1, name, size, tuple(regions), entry)


def _annotation(region: Region, number: int, image_id: int, as_polygons: bool) -> dict[str, Any]:
    mask = region.mask
    segmentation: Any = region.rle
    if as_polygons:
        polygons = to_polygons(mask, region.sample_id)
        segmentation = [[value for corner in polygon for value in corner] for polygon in polygons]
    box = box_of(mask)
    return {
        "id": number,
        "image_id": image_id,
        "category_id": LABELS.index(region.change_type.value) + 1,
        "segmentation": segmentation,
        "area": int(np.count_nonzero(mask)),
        "bbox": [box.left, box.top, box.right - box.left, box.bottom - box.top],
        "iscrowd": 0,
        "attributes": {
            "sentence": region.expressions[0],
            "paraphrases": list(region.expressions[1:]),
            "sample_id": region.sample_id,
        },
    }


def _region(
    file: AnnotationFile, entry: str, annotation: dict[str, Any], names: dict[Any, Any], size: tuple[int, int]
) -> Region:
    category = file.value(entry, annotation, "category_id", int)
    if category not in names:
        raise file.error(entry, f"there is no category {category}: add it to the categories, or correct category_id")
    attributes = file.value(entry, annotation, "attributes", dict)
    sentence = file.value(entry, attributes, "sentence", str)
    paraphrases = attributes.get("paraphrases", [])
    if not isinstance(paraphrases, list):
        raise file.error(entry, '"paraphrases" is not a list: write one, or leave it out')
    mask = _mask(file, entry, annotation.get("segmentation"), size)
    sample_id = attributes.get("sample_id", "")
    return file.region(
        entry,
        sample_id if isinstance(sample_id, str) else "",
        [sentence, *paraphrases] if not is_blank(sentence) else [],
        names[category],
        mask,
    )


def _mask(file: AnnotationFile, entry: str, segmentation: Any, size: tuple[int, int]) -> BoolMask:
    if segmentation is None:
        raise file.error(entry, "it has no segmentation, and a box is not a mask: draw the region")
    if not isinstance(segmentation, list):
        return file.run_lengths(entry, segmentation, size)
    mask = np.zeros((size[1], size[0]), dtype=bool)
    for polygon in segmentation:
        values = file.numbers(entry, polygon)
        if len(values) < 6 or len(values) % 2:
            raise file.error(entry, "a polygon needs three corners, as x, y, x, y, …: draw the region again")
        mask |= fill_polygon(list(zip(values[::2], values[1::2], strict=True)), size)
    return mask
