# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A pair of images with its sentences and masks, as returned by every source, and the check of its files."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from dataset_scripts.parallel import map_ahead

from .image_file import ImageFile, MaskRule, load_together
from .reading_report import Finding, ReadingReport, Reason, UnusableError


@dataclass(frozen=True)
class Expression:
    """
    A sentence about a pair, and the mask of what it describes.

    Args:
        text (`str`): The sentence, without white space around it.
        mask (`ImageFile`): Its mask.
        change_type (`str`): One of `schema.CHANGE_TYPES`.
        index (`int`): Its index among the sentences of the pair, from 0, before any of them was skipped.
        noisy (`bool`, *optional*, defaults to `False`): Whether mask or sentence were deliberately corrupted.
        sample_id (`str`, *optional*): Its name, if the data contain one.
    """

    text: str
    mask: ImageFile
    change_type: str
    index: int
    noisy: bool = False
    sample_id: str | None = None


@dataclass(frozen=True)
class Pair:
    """
    A pair of images with its annotations. Images and masks are read on demand by the methods below.

    Args:
        pair_id (`str`): Its name, unique in its split folder.
        split (`str`): One of `schema.SPLITS`.
        domain (`str`, *optional*): One of `schema.DOMAINS`, `None` if unknown.
        view (`str`): One of `schema.VIEWS`.
        source (`str`): The source dataset of the images, "unknown" if not in the data.
        image_t1, image_t2 (`ImageFile`): The earlier and the later image.
        expressions (`tuple[Expression, ...]`): The sentences; none for stage 1.
        change_mask (`ImageFile`, *optional*): The mask of every change, if the data have one.
        folder (`str`, *optional*, defaults to `""`): Name of the split folder, for messages.
        skipped_sentences (`int`, *optional*, defaults to 0): How many of its sentences were skipped; see
            `knows_every_change`.
        absent_types (`frozenset[str]`, *optional*): Change types that certainly do not occur in the pair; known
            only for generated pairs.
        problem (`str`, *optional*, defaults to `""`): Why the pair cannot be used at all; then its images and masks
            are missing; see [`open_pairs`].
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
    skipped_sentences: int = 0
    absent_types: frozenset[str] = frozenset()
    problem: str = ""

    @property
    def knows_every_change(self) -> bool:
        """Whether the mask of every change is known: the data have one, or no sentence was skipped. Otherwise the
        union of the masks lacks the changes of the skipped sentences."""
        return self.change_mask is not None or not self.skipped_sentences

    def with_expressions(self, kept: Sequence[Expression]) -> "Pair":
        """
        The pair with some of its sentences. The others count as skipped.

        Args:
            kept (`Sequence[Expression]`): The sentences to keep.

        Returns:
            `Pair`: A copy.
        """
        skipped = self.skipped_sentences + len(self.expressions) - len(kept)
        return replace(self, expressions=tuple(kept), skipped_sentences=skipped)

    def sample_id(self, expression: Expression) -> str:
        """The name of one sentence's row, unique in the split folder."""
        return expression.sample_id or f"{self.pair_id}_{expression.index}"

    def load_images(self) -> tuple[Image.Image, Image.Image]:
        """
        Decodes both images, with the same stretch if they have more than 8 bits.

        Returns:
            `tuple[PIL.Image.Image, PIL.Image.Image]`: t1 and t2, RGB.

        Raises:
            UnusableError: If one of them cannot be read.
        """
        image_t1, image_t2 = load_together(self.image_t1, self.image_t2)
        return image_t1, image_t2

    def load_masks(self, size: tuple[int, int]) -> list[np.ndarray]:
        """
        Decodes the masks of all sentences.

        Args:
            size (`tuple[int, int]`): Width and height of the images, in pixels.

        Returns:
            `list[np.ndarray]`: One per sentence: bool, `(height, width)`.

        Raises:
            UnusableError: If one of them cannot be read.
        """
        return [expression.mask.read_mask(size)[0] for expression in self.expressions]

    def load_change_mask(self, size: tuple[int, int], masks: Sequence[np.ndarray] | None = None) -> np.ndarray:
        """
        Decodes the mask of every change; if the data have none, the union of the masks of all sentences.

        Args:
            size (`tuple[int, int]`): Width and height of the images, in pixels.
            masks (`Sequence[np.ndarray]`, *optional*): The masks of all sentences, if they are decoded already.

        Returns:
            `np.ndarray`: bool, `(height, width)`.

        Raises:
            UnusableError: If a mask cannot be read, or not every change is known.
        """
        if not self.knows_every_change:
            detail = f"{self.skipped_sentences} of the sentences of {self.pair_id} skipped"
            raise UnusableError(Reason.INCOMPLETE_UNION, detail)
        if self.change_mask is not None:
            return self.change_mask.read_mask(size)[0]
        return np.logical_or.reduce(self.load_masks(size) if masks is None else masks)

    def with_mask_rule(self, rule: MaskRule) -> "Pair":
        """
        The pair with a user-defined meaning of mask values.

        Args:
            rule (`MaskRule`): Meaning of their values.

        Returns:
            `Pair`: A copy.
        """
        return replace(
            self,
            expressions=tuple(replace(each, mask=replace(each.mask, mask_rule=rule)) for each in self.expressions),
            change_mask=None if self.change_mask is None else replace(self.change_mask, mask_rule=rule),
        )


def check_pair(pair: Pair) -> tuple[Pair | None, list[Finding]]:
    """
    Decodes the images and masks of a pair.

    Args:
        pair (`Pair`): A listed pair.

    Returns:
        `Pair` or `None`: The pair with the expressions whose masks can be used, or `None` if it is skipped.
        `list[Finding]`: What was skipped or repaired.
    """
    report = ReadingReport()
    try:
        sizes = (pair.image_t1.check(), pair.image_t2.check())
        if sizes[0] != sizes[1]:
            (width_t1, height_t1), (width_t2, height_t2) = sizes
            detail = f"t1 has {width_t1}x{height_t1} pixels, t2 {width_t2}x{height_t2}"
            raise UnusableError(Reason.UNEQUAL_SIZES, detail)
        for image in (pair.image_t1, pair.image_t2):
            if image.extra_bands:
                detail = f"{image.name} has {image.extra_bands} more, left out"
                report.repair(Reason.EXTRA_BANDS, pair.folder, pair.pair_id, detail)
        if pair.change_mask is not None:
            _check_mask(pair.change_mask, sizes[0], pair.folder, pair.pair_id, report)
            return pair, report.findings
    except UnusableError as error:
        report.skip(error.reason, pair.folder, pair.pair_id, error.detail)
        return None, report.findings
    expressions = []
    for expression in pair.expressions:
        sample = pair.sample_id(expression)
        try:
            _check_mask(expression.mask, sizes[0], pair.folder, sample, report)
            expressions.append(expression)
        except UnusableError as error:
            report.skip(error.reason, pair.folder, sample, error.detail)
    if not expressions:
        report.skip(Reason.NO_EXPRESSION_LEFT, pair.folder, pair.pair_id, "no mask of it can be used")
        return None, report.findings
    return pair.with_expressions(expressions), report.findings


def check_pairs(pairs: Iterable[Pair], report: ReadingReport, is_stage1: bool = False) -> Iterator[Pair]:
    """
    Decodes the images and masks of pairs on all cores.

    Args:
        pairs (`Iterable[Pair]`): Listed pairs.
        report (`ReadingReport`): Collects skipped and repaired items, and counts kept ones.
        is_stage1 (`bool`, *optional*, defaults to `False`): Whether the masks of a pair's sentences are united to a
            mask of every change. Then pairs of which a sentence was skipped are skipped as well.

    Yields:
        `Pair`: The pairs that pass `check_pair`, in the same order, on demand.
    """
    for checked, findings in map_ahead(check_pair, pairs):
        report.extend(findings)
        if is_stage1 and checked is not None and not checked.knows_every_change:
            detail = f"{checked.skipped_sentences} of its sentences skipped"
            report.skip(Reason.INCOMPLETE_UNION, checked.folder, checked.pair_id, detail)
            checked = None
        if checked is not None:
            report.keep(checked.folder, len(checked.expressions))
            yield checked


def _check_mask(mask: ImageFile, size: tuple[int, int], folder: str, sample: str, report: ReadingReport) -> None:
    for reason, detail in mask.read_mask(size)[1]:
        report.repair(reason, folder, sample, detail)
