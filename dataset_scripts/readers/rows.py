# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Converts pairs to the rows of a dataset, and rows to pairs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtrefseg.io import encode_mask, is_blank

from .image_file import ImageFile
from .pair import Expression, Pair
from .reading_report import Reason, UnusableError
from .schema import CHANGE_TYPES, DOMAINS, SKIPPED_SENTENCES, VIEWS


@dataclass(frozen=True)
class PairContent:
    """
    The files of a pair in the stored form: `{"path": name, "bytes": content}`.

    Args:
        image_t1, image_t2 (`dict`): The images, bit for bit the raw files.
        masks (`list[dict]`): One per sentence, or the one of a stage-1 pair: PNG, 0 or 255, at the size of the images.
        areas (`list[int]`): Pixels of each mask; 0 for a no-target sentence.
    """

    image_t1: dict[str, Any]
    image_t2: dict[str, Any]
    masks: list[dict[str, Any]]
    areas: list[int]


def read_content(pair: Pair) -> PairContent:
    """
    Reads the files of a pair.

    Args:
        pair (`Pair`): A pair that passed `check_pair`.

    Returns:
        `PairContent`: Its images and masks.

    Raises:
        UnusableError: If a file has changed since and can no longer be read.
    """
    size = pair.image_t1.size
    if pair.change_mask is not None:
        named_masks = [(pair.pair_id, pair.change_mask)]
    else:
        named_masks = [(pair.sample_id(expression), expression.mask) for expression in pair.expressions]
    masks, areas = [], []
    for name, file in named_masks:
        mask, _ = file.read_mask(size)
        masks.append({"path": f"mask/{name}.png", "bytes": encode_mask(mask)})
        areas.append(int(mask.sum()))
    return PairContent(_image(pair.image_t1, "t1"), _image(pair.image_t2, "t2"), masks, areas)


def make_rows(pair: Pair, content: PairContent, layout: str) -> list[dict[str, Any]]:
    """
    The rows of a pair.

    Args:
        pair (`Pair`): The pair.
        content (`PairContent`): Its files.
        layout (`str`): A key of `schema.FEATURES`.

    Returns:
        `list[dict]`: Values of those features: "referring" gives one row per sentence, the others give one.
    """
    shared = {"pair_id": pair.pair_id, "image_t1": content.image_t1, "image_t2": content.image_t2}
    labels = {"domain": pair.domain, "view": pair.view, "source": pair.source}
    if layout == "pretrain":
        return [{**shared, "mask": content.masks[0], **labels}]
    if layout == "pairs":
        return [
            {
                **shared,
                "masks": content.masks,
                "expressions": [expression.text for expression in pair.expressions],
                "change_types": [expression.change_type for expression in pair.expressions],
                **labels,
                "noisy": [expression.noisy for expression in pair.expressions],
                SKIPPED_SENTENCES: pair.skipped_sentences,
            }
        ]
    return [
        {
            "sample_id": pair.sample_id(expression),
            **shared,
            "mask": mask,
            "expression": expression.text,
            "change_type": expression.change_type,
            **labels,
            "noisy": expression.noisy,
            SKIPPED_SENTENCES: pair.skipped_sentences,
        }
        for expression, mask in zip(pair.expressions, content.masks, strict=True)
    ]


def make_pair(row: Mapping[str, Any], split: str, folder: str, prefix: str = "") -> Pair:
    """
    The pair of a row, without decoding its images and masks: the reverse of [`make_rows`].

    Args:
        row (`dict`): A row of one of `schema.FEATURES`, with undecoded images and labels as numbers. With one row per
            sentence, "mask", "expression", "change_type" and more are given as the lists of the layout "pairs", and
            "sample_ids" with them, and "other_images": the image column in which these rows differ, or "". The columns
            "view", "source", "noisy", "skipped_sentences", "sample_ids" and "other_images" may be missing.
        split (`str`): One of `schema.SPLITS`.
        folder (`str`): `folder` of the pair.
        prefix (`str`, *optional*, defaults to `""`): Prefix of the names of its files.

    Returns:
        `Pair`: Missing images and masks have no bytes, so reading them fails.

    Raises:
        UnusableError: If `pair_id` is not a text, a label is unknown, the lists differ in length, or the sentences are
            about different images.
    """
    pair_id = row["pair_id"]
    if not isinstance(pair_id, str):
        raise UnusableError(Reason.UNREADABLE_JSON, f"pair_id is {pair_id!r}, not text")
    if row.get("other_images"):
        detail = f'sentences of the pair "{pair_id}" differ in {row["other_images"]}; give each pair its own pair_id'
        raise UnusableError(Reason.DUPLICATE_ID, detail)
    name = f"{prefix}{pair_id}"
    has_sentences = "expressions" in row
    return Pair(
        pair_id=pair_id,
        split=split,
        domain=label_of(DOMAINS, row["domain"]),
        view=label_of(VIEWS, row.get("view")) or "unknown",
        source=row.get("source") or "unknown",
        image_t1=_file(row["image_t1"], f"{name}/image_t1"),
        image_t2=_file(row["image_t2"], f"{name}/image_t2"),
        expressions=_expressions(row, name) if has_sentences else (),
        change_mask=None if has_sentences else _file(row["mask"], f"{name}/mask"),
        folder=folder,
        skipped_sentences=row.get(SKIPPED_SENTENCES) or 0,
    )


def keep_usable(pair: Pair) -> tuple[Pair, list[tuple[Reason, str, str]]]:
    """
    Checks that a pair of [`make_pair`] has all its images and masks, and that its sentences are not blank.

    Args:
        pair (`Pair`): The pair.

    Returns:
        `Pair`: With the usable sentences.
        `list[tuple[Reason, str, str]]`: For the others: reason, name and detail.

    Raises:
        UnusableError: If nothing is usable.
    """
    for file in (pair.image_t1, pair.image_t2):
        if file.source == b"":
            raise UnusableError(Reason.MISSING_IMAGE, f"{file.name} holds no bytes")
    if pair.change_mask is not None and pair.change_mask.source == b"":
        raise UnusableError(Reason.MISSING_MASK, f"{pair.change_mask.name} holds no bytes")
    kept, lost = [], []
    for expression in pair.expressions:
        if is_blank(expression.text):
            lost.append((Reason.BLANK_EXPRESSION, pair.sample_id(expression), "its expression is blank or missing"))
        elif expression.mask.source == b"":
            detail = f"{expression.mask.name} holds no bytes"
            lost.append((Reason.MISSING_MASK, pair.sample_id(expression), detail))
        else:
            kept.append(expression)
    if lost and not kept:
        raise UnusableError(lost[0][0], lost[0][2])
    return pair.with_expressions(kept), lost


def _expressions(row: Mapping[str, Any], name: str) -> tuple[Expression, ...]:
    """The sentences of a row."""
    texts = row["expressions"]
    if not isinstance(texts, list):
        raise UnusableError(Reason.UNREADABLE_JSON, "expressions is not a list of sentences")
    columns = [row.get(column) or [] for column in ("masks", "change_types")]
    columns += [row.get(column) or [None] * len(texts) for column in ("noisy", "sample_ids")]
    if len({len(texts), *map(len, columns)}) > 1:
        raise UnusableError(Reason.UNREADABLE_JSON, "expressions, masks, change_types and noisy differ in length")
    return tuple(
        Expression(
            text=text if isinstance(text, str) else "",
            mask=_file(mask, f"{name}/mask {index}"),
            change_type=label_of(CHANGE_TYPES, change_type) or "unknown",
            index=index,
            noisy=bool(noisy),
            sample_id=sample_id,
        )
        for index, (text, mask, change_type, noisy, sample_id) in enumerate(zip(texts, *columns))
    )


def _file(cell: Mapping[str, Any] | None, name: str) -> ImageFile:
    """The image in a cell. Paths in it are ignored, because the data may come from an untrusted source."""
    return ImageFile(name, b"" if cell is None or cell["bytes"] is None else cell["bytes"])


def label_of(names: Sequence[str], number: int | str | None) -> str | None:
    """
    The name of a label.

    Args:
        names (`Sequence[str]`): All names.
        number (`int` or `str`, *optional*): Its number, from 0; some programs write the name itself.

    Returns:
        `str` or `None`: `None` for `None`.

    Raises:
        UnusableError: If it is not a label.
    """
    if number is None or (isinstance(number, str) and number in names):
        return number
    if isinstance(number, str):
        raise UnusableError(Reason.UNREADABLE_JSON, f"it has the label {number[:80]!r}; known are {', '.join(names)}")
    if not 0 <= number < len(names):
        raise UnusableError(Reason.UNREADABLE_JSON, f"it has the label {number}; known are 0 to {len(names) - 1}")
    return names[number]


def _image(file: ImageFile, time: str) -> dict[str, Any]:
    # `datasets` drops the bytes of an image whose path exists in the working folder. No raw folder has one "t1/…".
    return {"path": f"{time}/{os.path.basename(file.name)}", "bytes": file.read_bytes()}
