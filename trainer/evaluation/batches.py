# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Pairs to score, and batches of them. If a file is damaged or missing, its sentences are kept together with the reason,
so that they count as wrong.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import datasets
from PIL import Image
from torch.utils.data import Dataset
from transformers.utils import logging

from dataset_scripts.readers import ImageFile, Pair, PairSource, Reason, UnusableError
from modeling_mtrefseg import MTRefSegProcessor
from mtrefseg.errors import one_line
from mtrefseg.io import SCENES, sha256_bytes
from mtrs_iou import encode_rle
from trainer.data.collator import PairCollator
from trainer.data.samples import PairSample


logger = logging.get_logger(__name__)


@dataclass
class ScoredPair:
    """
    A pair to score.

    Args:
        pair_id (`str`): Its name.
        sample_ids, expressions, change_types (`list[str]`): Name, text and type of each sentence; in stage 1, which
            has none, one entry for the mask of every change, without a type.
        domain (`str`, *optional*): "NS" or "RS".
        truths (`list`): Each true mask, as RLE or bool (height, width); `None` if it cannot be read.
        problems (`list[str]`): The problem of each sentence, "" if there is none.
        images (`tuple[PIL.Image.Image, PIL.Image.Image]`, *optional*): t1 and t2, RGB, of one size; `None` if one
            cannot be read.
        digest (`str`, *optional*, defaults to `""`): SHA-256 of images, sentences and true masks.
        source (`str`, *optional*, defaults to `""`): Name of the dataset.
        sample ([`PairSample`], *optional*): The decoded pair, if its loss is needed.
    """

    pair_id: str
    sample_ids: list[str]
    expressions: list[str]
    change_types: list[str | None]
    domain: str | None
    truths: list[Any]
    problems: list[str]
    images: tuple[Image.Image, Image.Image] | None
    digest: str = ""
    source: str = ""
    sample: PairSample | None = None


def read_pair(pair: Pair) -> ScoredPair:
    """
    Reads the images and masks of a pair, and records those that cannot be read.

    Args:
        pair (`Pair`): A pair, unchecked.

    Returns:
        [`ScoredPair`]: With as many sentences as the pair has.
    """
    problem, images, size = pair.problem, None, None
    if not problem:
        try:
            size, size_t2 = pair.image_t1.check(), pair.image_t2.check()
            if size != size_t2:
                raise UnusableError(
                    Reason.UNEQUAL_SIZES, f"t1 has {size[0]}x{size[1]} pixels, t2 {size_t2[0]}x{size_t2[1]}"
                )
            images = pair.load_images()
        except UnusableError as error:
            problem = f"{error.reason.value}: {error.detail}"
            size = size or _first_size(pair)
    truths: list[dict[str, Any] | None] = []
    problems = []
    for expression in pair.expressions:
        try:
            # Without an image to take the size from, the mask keeps its own.
            mask, _ = expression.mask.read_mask(size or expression.mask.size)
            truths.append(encode_rle(mask))
            problems.append(problem)
        except UnusableError as error:
            truths.append(None)
            problems.append(problem or f"{error.reason.value}: {error.detail}")
    texts = [expression.text for expression in pair.expressions]
    return ScoredPair(
        pair_id=pair.pair_id,
        sample_ids=[pair.sample_id(expression) for expression in pair.expressions],
        expressions=texts,
        change_types=[expression.change_type for expression in pair.expressions],
        domain=pair.domain,
        truths=truths,
        problems=problems,
        images=images,
        digest=_digest([_content(pair.image_t1), _content(pair.image_t2)], texts, truths),
    )


def scored_sample(sample: PairSample) -> ScoredPair:
    """Converts a decoded pair to a [`ScoredPair`], with the inputs for its loss."""
    count = len(sample.masks)
    return ScoredPair(
        pair_id=sample.pair_id,
        sample_ids=[f"{sample.pair_id}_{index}" for index in range(count)],
        expressions=sample.expressions or [""] * count,
        change_types=[*sample.change_types] or [None] * count,
        domain=sample.domain,
        truths=list(sample.masks),
        problems=[""] * count,
        images=(sample.image_t1, sample.image_t2),
        source=sample.source,
        sample=sample,
    )


def _content(file: ImageFile) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _first_size(pair: Pair) -> tuple[int, int] | None:
    """Width and height of t1 or, if its header cannot be read, of t2."""
    for file in (pair.image_t1, pair.image_t2):
        try:
            return file.size
        except UnusableError:
            continue
    return None


def _digest(contents: Sequence[bytes], texts: Sequence[str], truths: Sequence[Any]) -> str:
    parts = [sha256_bytes(content) for content in contents]
    return sha256_bytes(json.dumps([parts, list(texts), list(truths)]).encode())


@dataclass(frozen=True)
class Batch:
    """
    Pairs that the model processes together.

    Args:
        number (`int`): Index of the batch.
        pairs (`list[ScoredPair]`): Its pairs.
        asked (`list[list[int]]`): For each pair, the indices of the sentences for the model.
        inputs (`dict`, *optional*): The arguments of the model; `None` if there are no sentences.
    """

    number: int
    pairs: list[ScoredPair]
    asked: list[list[int]]
    inputs: dict[str, Any] | None

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of the images that the model gets, in pixels, for each pair with sentences for it."""
        images = [pair.images for pair, asked in zip(self.pairs, self.asked) if asked]
        return [pair_images[0].size[::-1] for pair_images in images if pair_images is not None]


class BatchReader(Dataset):
    """
    Reads batches. They do not depend on the number of processes, or on interruptions of the run.

    Args:
        source (`PairSource` or `datasets.Dataset`): The pairs, unchecked; or rows of [`make_eval_dataset`], whose
            batches have labels, so that the model returns its loss.
        processor ([`MTRefSegProcessor`]): Prepares them.
        batch_size (`int`): Pairs of a batch.
        numbers (`Sequence[int]`): The batches to read.
    """

    def __init__(
        self,
        source: PairSource | datasets.Dataset,
        processor: MTRefSegProcessor,
        batch_size: int,
        numbers: Sequence[int],
    ) -> None:
        self.source = source
        self.processor = processor
        self.batch_size = batch_size
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> Batch:
        number = self.numbers[place]
        start = number * self.batch_size
        rows = range(start, min(start + self.batch_size, len(self.source)))
        if isinstance(self.source, datasets.Dataset):
            samples = [self.source[row]["sample"] for row in rows]
            # Unreadable pairs are dropped; `PairLoader` has warned about them.
            pairs = [scored_sample(sample) for sample in samples if sample is not None]
        else:
            pairs = [read_pair(self.source[row]) for row in rows]
        try:
            return self._batch(number, pairs)
        except ValueError:
            # The processor rejects a sentence: it is too long, or contains a special token.
            for pair in pairs:
                self._note_refusals(pair)
            return self._batch(number, pairs)

    def _batch(self, number: int, pairs: list[ScoredPair]) -> Batch:
        asked = [
            [] if pair.images is None else [index for index, problem in enumerate(pair.problems) if not problem]
            for pair in pairs
        ]
        shown = [(pair, indices) for pair, indices in zip(pairs, asked) if indices]
        inputs = self._prepare([pair for pair, _ in shown], [indices for _, indices in shown]) if shown else None
        return Batch(number, pairs, asked, inputs)

    def _prepare(self, pairs: list[ScoredPair], asked: list[list[int]]) -> dict[str, Any]:
        samples = [
            pair.sample.with_sentences(indices) if pair.sample.expressions else pair.sample
            for pair, indices in zip(pairs, asked)
            if pair.sample is not None
        ]
        if samples:
            return PairCollator(self.processor, self.processor.choose_objects)(
                [{"sample": sample} for sample in samples]
            )
        images = [pair.images for pair in pairs if pair.images is not None]
        return dict(
            self.processor(
                [image_t1 for image_t1, _ in images],
                [image_t2 for _, image_t2 in images],
                text=[[pair.expressions[index] for index in indices] for pair, indices in zip(pairs, asked)],
                domain=[None if pair.domain is None else SCENES[pair.domain] for pair in pairs],
            )
        )

    def _note_refusals(self, pair: ScoredPair) -> None:
        for index, problem in enumerate(pair.problems):
            if not problem and pair.images is not None:
                try:
                    self._prepare([pair], [[index]])
                except ValueError as error:
                    pair.problems[index] = f"refused_sentence: {error}"
                    if pair.sample is not None:  # In training, where no report names it.
                        logger.warning_once(f"a sentence of the pair {pair.pair_id} is not scored: {one_line(error)}")
