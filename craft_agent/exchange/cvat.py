# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
CVAT for images 1.1: both images of a pair, masks or polygons on the one that shows the thing, sentences as attributes.

The attribute `sentence` holds one sentence a line: the first one, then its paraphrases.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from ..errors import CraftError
from ..geometry import box_of
from ..records import BoolMask
from .annotations import FARTHEST, LABELS, AnnotatedPair, AnnotationFile, Region
from .polygons import fill_polygon, to_polygon


FILE_NAME = "annotations.xml"
_SENTENCE, _SAMPLE = "sentence", "sample_id"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters, which XML can hold in no form: one of them would make the whole file unreadable."""


def write(pairs: Iterable[AnnotatedPair], as_polygons: bool) -> dict[str, str]:
    """The file of annotations by name; see `formats.Format`."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    labels = ElementTree.SubElement(ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task"), "labels")
    for name in LABELS:
        label = ElementTree.SubElement(labels, "label")
        ElementTree.SubElement(label, "name").text = name
        attributes = ElementTree.SubElement(label, "attributes")
        for attribute in (_SENTENCE, _SAMPLE):
            described = ElementTree.SubElement(attributes, "attribute")
            for tag, text in (("name", attribute), ("mutable", "False"), ("input_type", "text")):
                ElementTree.SubElement(described, tag).text = text
    number = 0
    for pair in pairs:
        for name, is_t1 in ((pair.file_t1, True), (pair.file_t2, False)):
            if _NOT_IN_XML.search(name):
                raise CraftError(f"XML cannot hold the name {name!r}: rename the file, or export another format")
            sides = {"width": str(pair.size[0]), "height": str(pair.size[1])}
            image = ElementTree.SubElement(root, "image", {"id": str(number), "name": name, **sides})
            number += 1
            for region in pair.regions:
                if region.is_seen_at_t1 == is_t1:
                    _add_shape(image, region, as_polygons)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return {FILE_NAME: f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'}


def read(path: Path) -> Iterator[AnnotatedPair]:
    """The pairs of a file, t1 and t2 each as a part; see `formats.Format`."""
    file = AnnotationFile(path)
    content = file.content()
    # Definitions of entities can grow without bounds, and no annotation needs them.
    if any(word in content.replace(b"\0", b"").upper() for word in (b"<!DOCTYPE", b"<!ENTITY")):
        raise file.error("the file", "its document type is not supported: export it as CVAT for images 1.1")
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise file.error("the file", f"it is not XML ({error}): export it as CVAT for images 1.1") from error
    if root.tag != "annotations" or root.find("track") is not None:
        raise file.error("the file", "it holds no images: export it as CVAT for images 1.1, not for video")
    for number, image in enumerate(root.iter("image")):
        entry = f"image {image.get('id', number)}"
        name = image.get("name", "")
        size = file.size(entry, image.get("width"), image.get("height"))
        regions = tuple(_region(file, f"{entry} ({name}), shape {at}", each, size) for at, each in enumerate(image, 1))
        side = Path(name).parent.name
        files = (name if side == "A" else "", name if side == "B" else "")
        yield AnnotatedPair(file.pair_id(entry, name), *files, size, regions, entry)


def _add_shape(image: ElementTree.Element, region: Region, as_polygons: bool) -> None:
    common = {"label": region.change_type.value, "source": "file", "occluded": "0", "z_order": "0"}
    if as_polygons:
        corners = ";".join(f"{x},{y}" for x, y in to_polygon(region.mask, region.sample_id))
        shape = ElementTree.SubElement(image, "polygon", {**common, "points": corners})
    else:
        mask = region.mask
        box = box_of(mask)
        part = mask[box.top : box.bottom, box.left : box.right].ravel()
        borders = np.flatnonzero(part[1:] != part[:-1]) + 1
        # Background and foreground in turn, background first.
        runs = ([0] if part[0] else []) + np.diff(borders, prepend=0, append=part.size).tolist()
        place = {"left": box.left, "top": box.top, "width": box.right - box.left, "height": box.bottom - box.top}
        places = {key: str(value) for key, value in place.items()}
        shape = ElementTree.SubElement(image, "mask", {**common, "rle": ", ".join(map(str, runs)), **places})
    sentences = "\n".join(_NOT_IN_XML.sub("", each) for each in region.expressions)
    for name, text in ((_SENTENCE, sentences), (_SAMPLE, region.sample_id)):
        ElementTree.SubElement(shape, "attribute", {"name": name}).text = text


def _region(file: AnnotationFile, entry: str, shape: ElementTree.Element, size: tuple[int, int]) -> Region:
    if shape.tag == "mask":
        mask = file.damaged(entry, lambda: _decode_mask(shape, size))
    elif shape.tag == "polygon":
        mask = file.damaged(entry, lambda: _decode_polygon(shape, size))
    else:
        raise file.error(entry, f"it is a {shape.tag}: draw the region as a mask or a polygon")
    names = [each.get("name") for each in shape.iter("attribute")]
    twice = next((name for name in (_SENTENCE, _SAMPLE) if names.count(name) > 1), None)
    if twice is not None:
        raise file.error(entry, f"it has the attribute {twice} {names.count(twice)} times: keep one")
    attributes = {each.get("name"): each.text or "" for each in shape.iter("attribute")}
    # `splitlines` would also cut a sentence at the separators of Unicode, which some editors put into it.
    sentences = attributes.get(_SENTENCE, "").split("\n")
    return file.region(entry, attributes.get(_SAMPLE, "").strip(), sentences, shape.get("label"), mask)


def _decode_mask(shape: ElementTree.Element, size: tuple[int, int]) -> BoolMask:
    """The mask of run lengths in a box; raises `ValueError` if they do not fit."""
    try:
        left, top, width, height = (int(shape.get(key, "")) for key in ("left", "top", "width", "height"))
        runs = [int(run) for run in shape.get("rle", "").split(",")]
    except ValueError as error:
        raise ValueError("its box or its run lengths are not integers") from error
    if min(left, top) < 0 or min(width, height) < 1 or left + width > size[0] or top + height > size[1]:
        raise ValueError("its box extends beyond the image")
    if min(runs) < 0 or sum(runs) != width * height:
        raise ValueError(f"its run lengths do not add up to {width} x {height} pixels")
    part = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    mask = np.zeros((size[1], size[0]), dtype=bool)
    mask[top : top + height, left : left + width] = part.reshape(height, width)
    return mask


def _decode_polygon(shape: ElementTree.Element, size: tuple[int, int]) -> BoolMask:
    """The mask of corners; raises `ValueError` if they are none."""
    try:
        corners = [tuple(map(float, corner.split(","))) for corner in shape.get("points", "").split(";")]
    except ValueError as error:
        raise ValueError("its corners are not numbers") from error
    if len(corners) < 3 or not all(len(corner) == 2 and np.abs(corner).max() <= FARTHEST for corner in corners):
        raise ValueError(f"a polygon needs three corners of x and y, up to {FARTHEST:,} pixels")
    return fill_polygon([(corner[0], corner[1]) for corner in corners], size)
