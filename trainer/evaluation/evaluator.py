# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Predicts and scores batches of pairs: every pair once, at its original size, with any number of processes.
`trainer/evaluate.py` stores the results of [`predict`]; the trainer uses [`Evaluator`] during training.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from datasets import Dataset
from torch import nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers.utils.generic import ModelOutput

from modeling_mtrefseg import MTRefSegProcessor
from mtrs_iou import MaskScores, encode_rle, merge
from trainer.errors import TrainingError

from .batches import Batch, BatchReader, ScoredPair
from .losses import count_items, loss_parts
from .segmenter import Answer


SCORES = ("mIoU", "oIoU", "Pr@50", "Pr@70", "Pr@90", "N-acc", "T-acc")
"""The scores that are logged; undefined ones (division by zero) are omitted."""
UNKNOWN_TRUTH = encode_rle(np.ones((1, 1), dtype=bool))
"""
Replaces a true mask that cannot be read: a single pixel that no prediction covers, so that the sentence counts as
wrong and adds only one pixel to the sums.
"""


def segment_batch(
    batch: Batch, model: nn.Module, processor: MTRefSegProcessor, no_target_threshold: float | None = None
) -> tuple[ModelOutput | None, list[dict[int, Answer]]]:
    """
    Segments a batch. All sentences of a pair share one encoding of its images.

    Args:
        batch ([`Batch`]): The batch.
        model ([`MTRefSegModel`] or [`MTRefSegVisionModel`]): The model.
        processor ([`MTRefSegProcessor`]): Converts logits to masks at the size of the images.
        no_target_threshold (`float`, *optional*): Score above which a mask is emptied; by default that of the
            processor.

    Returns:
        `ModelOutput` or `None`: The model's output; `None` if there are no sentences.
        `list[dict[int, Answer]]`: For each pair the answers by the number of the sentence.
    """
    if batch.inputs is None:
        return None, [{} for _ in batch.pairs]
    weights = next(model.parameters())
    inputs: Mapping[str, Any] = {
        # DeepSpeed keeps the weights in bfloat16, and casts inputs only in training.
        name: value.to(weights.dtype) if value.is_floating_point() else value
        for name, value in send_to_device(dict(batch.inputs), weights.device).items()
    }
    outputs = model(**inputs)
    results = iter(
        processor.post_process_referring_segmentation(outputs, batch.sizes, no_target_threshold=no_target_threshold)
    )
    answers: list[dict[int, Answer]] = []
    for asked in batch.asked:
        result = next(results) if asked else None
        answers.append({} if result is None else dict(zip(asked, to_answers(result))))
    return outputs, answers


def to_answers(result: Mapping[str, torch.Tensor]) -> list[Answer]:
    """The answers in what a processor's `post_process_referring_segmentation` returns for a pair."""
    masks, scores = result["masks"].cpu().numpy(), result["scores"].tolist()
    return [Answer(*each) for each in zip(masks, scores, result["no_target_scores"].tolist())]


@torch.inference_mode()
def predict(
    batch: Batch, model: nn.Module, processor: MTRefSegProcessor, no_target_threshold: float | None
) -> dict[str, Any]:
    """
    Segments and scores a batch.

    Args:
        batch, model, processor, no_target_threshold: See [`segment_batch`].

    Returns:
        `dict`: JSON values: "batch", its index; "state" of its `MaskScores`; "digests" of its
        pairs; and "samples", a `dict` for each sentence, in order.
    """
    _, answers = segment_batch(batch, model, processor, no_target_threshold)
    return score_answers(batch.number, batch.pairs, answers)


def score_answers(number: int, pairs: Sequence[ScoredPair], answers: Sequence[Mapping[int, Answer]]) -> dict[str, Any]:
    """
    Scores the results for the pairs of a batch.

    Args:
        number (`int`): The number of the batch.
        pairs (`Sequence[ScoredPair]`): Its pairs.
        answers (`Sequence[Mapping[int, Answer]]`): For each pair the answers by the number of the sentence; a sentence
            without one counts as wrong.

    Returns:
        `dict`: Result of [`predict`].
    """
    scores, samples = MaskScores(boundary=True), []
    for place, (pair, answered) in enumerate(zip(pairs, answers)):
        for index, sample_id in enumerate(pair.sample_ids):
            key = f"{number:06d}-{place:03d}-{index:03d}"
            found = answered.get(index)
            mask = None if found is None else encode_rle(found.mask)
            no_target_score = None if found is None else found.no_target_score
            labels = {"domain": pair.domain, "change_type": pair.change_types[index]}
            truth = pair.truths[index]
            scores.add(mask, truth or UNKNOWN_TRUTH, sample_id=key, score=no_target_score, **labels)
            sample = {"key": key, "place": place, "index": index, "sample_id": sample_id, "pair_id": pair.pair_id}
            sample |= {**labels, "expression": pair.expressions[index], "truth": truth, "prediction": mask}
            sample |= {"score": None if found is None else found.score, "no_target_score": no_target_score}
            sample |= {"problem": pair.problems[index] or None}
            if found is not None and (found.text is not None or found.problem is not None):
                sample |= {"answer": found.text, "answer_problem": found.problem}
            samples.append(sample)
    return {
        "batch": number,
        "state": scores.state(),
        "digests": [pair.digest for pair in pairs],
        "samples": samples,
    }


@dataclass
class Evaluator:
    """
    Scores a model, and measures its loss, during training.

    Args:
        processor ([`MTRefSegProcessor`]): Prepares pairs and converts logits to masks.
        accelerator (`Accelerator`): Connects the processes.
        batch_size (`int`): Pairs of a batch, on each process.
        num_workers (`int`, *optional*, defaults to 0): Processes that read pairs.
        no_target_threshold (`float`, *optional*): Score above which a mask is emptied.
        disable_progress (`bool`, *optional*, defaults to `False`): Whether to hide the progress bar.
    """

    processor: MTRefSegProcessor
    accelerator: Accelerator
    batch_size: int
    num_workers: int = 0
    no_target_threshold: float | None = None
    disable_progress: bool = False

    @torch.no_grad()
    def __call__(self, model: nn.Module, dataset: Dataset) -> dict[str, float]:
        """
        Args:
            model (`nn.Module`): Returns a [`MTRefSegOutput`].
            dataset (`datasets.Dataset`): Rows of [`make_eval_dataset`].

        Returns:
            `dict[str, float]`: "loss"; each of [`SCORES`], as the mean over the datasets if there are several, and
            then "NAME_mIoU" and so on of each; and "num_samples".

        Raises:
            TrainingError: If no pair can be read.
        """
        numbers, is_real = self._share(-(-len(dataset) // self.batch_size))
        reader = BatchReader(dataset, self.processor, self.batch_size, numbers)
        loader = DataLoader(reader, batch_size=None, num_workers=self.num_workers)
        scores: dict[str, MaskScores] = defaultdict(MaskScores)
        losses: dict[str, list[float]] = defaultdict(list)
        hidden = self.disable_progress or not self.accelerator.is_local_main_process
        was_training = model.training
        model.eval()
        for is_own, batch in zip(is_real, tqdm(loader, desc="Evaluation", leave=False, disable=hidden)):
            outputs, answers = segment_batch(batch, model, self.processor, self.no_target_threshold)
            if not is_own or outputs is None:
                continue
            self._add(scores, batch, answers)
            counts = count_items(batch.inputs)
            for name, part in loss_parts(outputs).items():
                losses[name].append(float(part) * counts.of(name))
                losses[f"{name} items"].append(counts.of(name))
        model.train(was_training)
        return self._summarize(scores, losses)

    def _share(self, num_batches: int) -> tuple[list[int], list[bool]]:
        """
        The batches of this process. All processes get the same number, because under ZeRO-3 they must run the model
        the same number of times; padding batches are marked with `False`.
        """
        processes, rank = self.accelerator.num_processes, self.accelerator.process_index
        own = list(range(num_batches))[rank::processes]
        missing = -(-num_batches // processes) - len(own)
        return own + [0] * missing, [True] * len(own) + [False] * missing

    def _add(self, scores: dict[str, MaskScores], batch: Batch, answers: list[dict[int, Answer]]) -> None:
        for place, (pair, answered) in enumerate(zip(batch.pairs, answers)):
            row = batch.number * self.batch_size + place
            for index, found in answered.items():
                scores[pair.source].add(
                    found.mask,
                    pair.truths[index],
                    sample_id=f"{row}_{index}",
                    score=found.no_target_score,
                    domain=pair.domain,
                    change_type=pair.change_types[index],
                )

    def _summarize(self, scores: dict[str, MaskScores], losses: dict[str, list[float]]) -> dict[str, float]:
        own = ({name: score.state() for name, score in scores.items()}, {name: sum(v) for name, v in losses.items()})
        gathered: list[Any] = gather_object([own])
        names = sorted({name for states, _ in gathered for name in states})
        results = {
            name: MaskScores.from_state(merge([states[name] for states, _ in gathered if name in states])).compute()
            for name in names
        }
        totals: dict[str, float] = defaultdict(float)
        for _, sums in gathered:
            for name, value in sums.items():
                totals[name] += value
        if not results:
            raise TrainingError(
                "No pair of eval_data can be read; the warnings say why. Repair the data or name other data."
            )
        parts = [name for name in totals if not name.endswith(" items")]
        summary = {"loss": sum(totals[name] / max(totals[f"{name} items"], 1) for name in parts)}
        for score in SCORES:
            values = {name: result[score] for name, result in results.items() if result[score] is not None}
            if values:
                summary[score] = sum(values.values()) / len(values)
            if len(results) > 1:
                summary |= {f"{name}_{score}": value for name, value in values.items()}
        summary["num_samples"] = sum(result["num_samples"] for result in results.values())
        return summary
