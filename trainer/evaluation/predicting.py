# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Batches of pairs to predictions and scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import BatchFeature

from modeling_mtrefseg import MTRefSegProcessor
from mtrs_iou.mtrs_iou import MaskScores, encode_rle
from trainer.data.samples import SCENES

from .pair_sources import PairSource, ScoredPair


UNKNOWN_TRUTH = encode_rle(np.ones((1, 1), dtype=bool))
"""Stands for a truth that cannot be read: one pixel that no prediction hits, so that the sentence counts as wrong and
the sums of pixels stay as they are but for it."""


@dataclass(frozen=True)
class Batch:
    """
    Args:
        number (`int`): Its number among all batches.
        pairs (`list[ScoredPair]`): Its pairs.
        asked (`list[list[int]]`): Of each pair the numbers of the sentences that the model is asked.
        inputs (`BatchFeature`, *optional*): What it is asked with; `None` if there is nothing to ask.
    """

    number: int
    pairs: list[ScoredPair]
    asked: list[list[int]]
    inputs: BatchFeature | None


class BatchReader(Dataset):
    """
    Reads batches, which are the same ones whatever the number of processes and however often a run was resumed.

    Args:
        source (`PairSource`): The pairs.
        processor ([`MTRefSegProcessor`]): Prepares them.
        batch_size (`int`): Pairs of a batch.
        numbers (`Sequence[int]`): The batches to read.
    """

    def __init__(
        self, source: PairSource, processor: MTRefSegProcessor, batch_size: int, numbers: Sequence[int]
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
        pairs = [self.source.read(row) for row in range(start, min(start + self.batch_size, len(self.source)))]
        try:
            return self._batch(number, pairs)
        except ValueError:
            # The processor refuses a sentence: it is too long, or holds a special token.
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

    def _prepare(self, pairs: list[ScoredPair], asked: list[list[int]]) -> BatchFeature:
        images = [pair.images for pair in pairs if pair.images is not None]
        return self.processor(
            [image for image, _ in images],
            [image for _, image in images],
            text=[[pair.expressions[index] for index in indices] for pair, indices in zip(pairs, asked)],
            domain=[None if pair.domain is None else SCENES[pair.domain] for pair in pairs],
        )

    def _note_refusals(self, pair: ScoredPair) -> None:
        for index, problem in enumerate(pair.problems):
            if not problem and pair.images is not None:
                try:
                    self._prepare([pair], [[index]])
                except ValueError as error:
                    pair.problems[index] = f"refused_sentence: {error}"


@torch.inference_mode()
def predict(
    batch: Batch, model: nn.Module, processor: MTRefSegProcessor, no_target_threshold: float | None
) -> dict[str, Any]:
    """
    Segments a batch. All sentences of a pair share one encoding of its images.

    Args:
        batch ([`Batch`]): The batch.
        model ([`MTRefSegModel`]): The model.
        processor ([`MTRefSegProcessor`]): Turns logits into masks at the images' own size.
        no_target_threshold (`float`, *optional*): Score above which a mask is emptied; by default the processor's.

    Returns:
        `dict`: What JSON can hold: "batch", its number; "state", that of its `MaskScores`; "digests" of its pairs; and
        "samples", a `dict` for each sentence, in order.
    """
    results: list[dict[str, torch.Tensor]] = []
    if batch.inputs is not None:
        outputs = model(**batch.inputs.to(next(model.parameters()).device))
        sizes = [pair.images[0].size[::-1] for pair, asked in zip(batch.pairs, batch.asked) if asked and pair.images]
        results = processor.post_process_referring_segmentation(
            outputs, sizes, no_target_threshold=no_target_threshold
        )
    remaining = iter(results)
    scores, samples = MaskScores(boundary=True), []
    for place, (pair, asked) in enumerate(zip(batch.pairs, batch.asked)):
        predictions = _predictions(next(remaining), asked) if asked else {}
        for index, sample_id in enumerate(pair.sample_ids):
            key = f"{batch.number:06d}-{place:03d}-{index:03d}"
            mask, score, no_target_score = predictions.get(index, (None, None, None))
            labels = {"domain": pair.domain, "change_type": pair.change_types[index]}
            truth = pair.truths[index]
            scores.add(mask, truth or UNKNOWN_TRUTH, sample_id=key, score=no_target_score, **labels)
            sample = {"key": key, "place": place, "index": index, "sample_id": sample_id, "pair_id": pair.pair_id}
            sample |= {**labels, "expression": pair.expressions[index], "truth": truth, "prediction": mask}
            samples.append(
                {**sample, "score": score, "no_target_score": no_target_score, "problem": pair.problems[index] or None}
            )
    return {
        "batch": batch.number,
        "state": scores.state(),
        "digests": [pair.digest for pair in batch.pairs],
        "samples": samples,
    }


def _predictions(result: dict[str, torch.Tensor], asked: list[int]) -> dict[int, tuple[dict[str, Any], float, float]]:
    """Mask as RLE, its score and the no-target score, by the number of the sentence."""
    masks = result["masks"].cpu().numpy()
    columns = ([encode_rle(mask) for mask in masks], result["scores"].tolist(), result["no_target_scores"].tolist())
    return dict(zip(asked, zip(*columns)))
