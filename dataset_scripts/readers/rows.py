# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Turns pairs into the rows of a dataset."""

import os
from dataclasses import dataclass
from typing import Any

from mtrefseg.io.masks import encode_mask

from .image_file import ImageFile
from .pair_record import PairRecord


@dataclass(frozen=True)
class PairContent:
    """
    The files of a pair as they are stored: `{"path": name, "bytes": content}`.

    Args:
        image_t1, image_t2 (`dict`): The images, bit for bit the raw files.
        masks (`list[dict]`): One a sentence, or the one of a stage-1 pair: PNG, 0 or 255, at the size of the images.
        areas (`list[int]`): Pixels of each mask; 0 for a sentence that fits nothing.
    """

    image_t1: dict[str, Any]
    image_t2: dict[str, Any]
    masks: list[dict[str, Any]]
    areas: list[int]


def read_content(record: PairRecord) -> PairContent:
    """
    Reads the files of a pair.

    Args:
        record (`PairRecord`): A pair that `check_pair` let through.

    Returns:
        `PairContent`: Its images and masks.

    Raises:
        UnusableError: If a file has changed since and cannot be read any more.
    """
    size = record.image_t1.size
    if record.change_mask is not None:
        named_masks = [(record.pair_id, record.change_mask)]
    else:
        named_masks = [(record.sample_id(expression), expression.mask) for expression in record.expressions]
    masks, areas = [], []
    for name, file in named_masks:
        mask, _ = file.read_mask(size)
        masks.append({"path": f"mask/{name}.png", "bytes": encode_mask(mask)})
        areas.append(int(mask.sum()))
    return PairContent(_image(record.image_t1, "t1"), _image(record.image_t2, "t2"), masks, areas)


def make_rows(record: PairRecord, content: PairContent, layout: str) -> list[dict[str, Any]]:
    """
    The rows of a pair.

    Args:
        record (`PairRecord`): The pair.
        content (`PairContent`): Its files.
        layout (`str`): A key of `schema.FEATURES`.

    Returns:
        `list[dict]`: Values of those features: "referring" gives one row a sentence, the others give one.
    """
    pair = {"pair_id": record.pair_id, "image_t1": content.image_t1, "image_t2": content.image_t2}
    labels = {"domain": record.domain, "view": record.view, "source": record.source}
    if layout == "pretrain":
        return [{**pair, "mask": content.masks[0], **labels}]
    if layout == "pairs":
        return [
            {
                **pair,
                "masks": content.masks,
                "expressions": [expression.text for expression in record.expressions],
                "change_types": [expression.change_type for expression in record.expressions],
                **labels,
                "noisy": [expression.noisy for expression in record.expressions],
            }
        ]
    return [
        {
            "sample_id": record.sample_id(expression),
            **pair,
            "mask": mask,
            "expression": expression.text,
            "change_type": expression.change_type,
            **labels,
            "noisy": expression.noisy,
        }
        for expression, mask in zip(record.expressions, content.masks, strict=True)
    ]


def _image(file: ImageFile, time: str) -> dict[str, Any]:
    # `datasets` drops the bytes of an image whose path exists in the working folder. No raw folder has one "t1/…".
    return {"path": f"{time}/{os.path.basename(file.name)}", "bytes": file.read_bytes()}
