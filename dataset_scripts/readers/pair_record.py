# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A pair of images with its sentences, as every reader of this package gives it, and the check of its files."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from .image_file import ImageFile
from .reading_report import Finding, ReadingReport, Reason, UnusableError


@dataclass(frozen=True)
class Expression:
    """
    A sentence about a pair, and the mask of what it describes.

    Args:
        text (`str`): The sentence, without white space around it.
        mask (`ImageFile`): Its mask.
        change_type (`str`): One of `schema.CHANGE_TYPES`.
        index (`int`): Its place among the pair's sentences in the JSON file, from 0.
        noisy (`bool`, *optional*, defaults to `False`): Whether mask or sentence were corrupted on purpose.
    """

    text: str
    mask: ImageFile
    change_type: str
    index: int
    noisy: bool = False


@dataclass(frozen=True)
class PairRecord:
    """
    A pair of images with what is said about it.

    Args:
        pair_id (`str`): Its name, unique in its split folder.
        split (`str`): One of `schema.SPLITS`.
        domain (`str`, *optional*): One of `schema.DOMAINS`, `None` if unknown.
        view (`str`): One of `schema.VIEWS`.
        source (`str`): The dataset that the images are of, "unknown" if it is not told.
        image_t1, image_t2 (`ImageFile`): The earlier and the later image.
        expressions (`tuple[Expression, ...]`): The sentences. None for stage 1.
        change_mask (`ImageFile`, *optional*): Stage 1 only: the mask of every change.
        folder (`str`, *optional*, defaults to `""`): Name of the split folder, for messages.
    """

    pair_id: str
    split: str
    domain: str | None
    view: str
    source: str
    image_t1: ImageFile
    image_t2: ImageFile
    expressions: tuple[Expression, ...] = ()
    change_mask: ImageFile | None = None
    folder: str = ""

    def sample_id(self, expression: Expression) -> str:
        """The name of one sentence's row, unique in the split folder."""
        return f"{self.pair_id}_{expression.index}"


def check_pair(record: PairRecord) -> tuple[PairRecord | None, list[Finding]]:
    """
    Decodes the images and masks of a pair.

    Args:
        record (`PairRecord`): A pair of `list_pairs`.

    Returns:
        `PairRecord` or `None`: The pair with the expressions whose masks can be used, or `None` if it is skipped.
        `list[Finding]`: What was skipped or repaired.
    """
    report = ReadingReport()
    try:
        sizes = (record.image_t1.check(), record.image_t2.check())
        if sizes[0] != sizes[1]:
            (width_t1, height_t1), (width_t2, height_t2) = sizes
            detail = f"t1 has {width_t1}x{height_t1} pixels, t2 {width_t2}x{height_t2}"
            raise UnusableError(Reason.UNEQUAL_SIZES, detail)
        if record.change_mask is not None:
            _check_mask(record.change_mask, sizes[0], record.folder, record.pair_id, report)
            return record, report.findings
    except UnusableError as error:
        report.skip(error.reason, record.folder, record.pair_id, error.detail)
        return None, report.findings
    expressions = []
    for expression in record.expressions:
        sample = record.sample_id(expression)
        try:
            _check_mask(expression.mask, sizes[0], record.folder, sample, report)
            expressions.append(expression)
        except UnusableError as error:
            report.skip(error.reason, record.folder, sample, error.detail)
    if not expressions:
        report.skip(Reason.NO_EXPRESSION_LEFT, record.folder, record.pair_id, "no mask of it can be used")
        return None, report.findings
    return replace(record, expressions=tuple(expressions)), report.findings


def check_pairs(records: Iterable[PairRecord], report: ReadingReport) -> Iterator[PairRecord]:
    """
    Decodes the images and masks of pairs on all cores.

    Args:
        records (`Iterable[PairRecord]`): Pairs of `list_pairs`.
        report (`ReadingReport`): Takes what was skipped or repaired, and counts what is kept.

    Yields:
        `PairRecord`: What `check_pair` lets through, in the same order.
    """
    # PIL frees the interpreter while it decodes, so threads are enough.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for record, findings in pool.map(check_pair, records):
            report.extend(findings)
            if record is not None:
                report.keep(record.folder, len(record.expressions))
                yield record


def _check_mask(mask: ImageFile, size: tuple[int, int], folder: str, sample: str, report: ReadingReport) -> None:
    for reason, detail in mask.read_mask(size)[1]:
        report.repair(reason, folder, sample, detail)
