# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Exact scores during training: every pair once, at its own size, whatever the number of processes."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from datasets import Dataset
from torch import nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers.utils.generic import ModelOutput

from modeling_mtrefseg import MTRefSegProcessor
from mtrs_iou.mtrs_iou import MaskScores, merge
from trainer.data.collator import PairCollator
from trainer.data.samples import PairSample


SCORES = ("mIoU", "oIoU", "Pr@50", "Pr@70", "Pr@90", "N-acc", "T-acc")
"""The scores that are logged; one that has nothing to divide by is left out."""


@dataclass
class Evaluator:
    """
    Scores a model.

    Args:
        processor ([`MTRefSegProcessor`]): Prepares pairs and turns logits into masks.
        accelerator (`Accelerator`): Connects the processes.
        batch_size (`int`): Pairs of a batch, on each process.
        num_workers (`int`, *optional*, defaults to 0): Processes that read pairs.
        no_target_threshold (`float`, *optional*): Score above which a mask is emptied.
        disable_progress (`bool`, *optional*, defaults to `False`): Whether to draw no progress bar.
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
            model (`nn.Module`): Gives a [`MTRefSegOutput`].
            dataset (`datasets.Dataset`): Rows of [`make_eval_dataset`].

        Returns:
            `dict[str, float]`: "loss"; each of [`SCORES`], as the mean over the datasets if there are several, and
            then "NAME_mIoU" and so on of each; and "num_samples".
        """
        batches, is_real = self._share(len(dataset))
        loader = DataLoader(
            dataset,
            batch_sampler=batches,
            collate_fn=PairCollator(self.processor, with_samples=True),
            num_workers=self.num_workers,
        )
        scores: dict[str, MaskScores] = defaultdict(MaskScores)
        losses: dict[str, list[float]] = defaultdict(list)
        hidden = self.disable_progress or not self.accelerator.is_local_main_process
        was_training = model.training
        model.eval()
        # DeepSpeed holds the weights themselves in bfloat16, and casts what it trains on alone.
        precision = next(model.parameters()).dtype
        for rows, is_own, batch in zip(batches, is_real, tqdm(loader, desc="Evaluation", leave=False, disable=hidden)):
            samples = batch.pop("samples")
            batch = {
                name: value.to(precision) if value.is_floating_point() else value
                for name, value in send_to_device(batch, self.accelerator.device).items()
            }
            outputs = model(**batch)
            if not is_own:
                continue
            self._add(scores, samples, rows, outputs)
            counts = count_items(batch)
            for name, part in loss_parts(outputs).items():
                losses[name].append(float(part) * counts.of(name))
                losses[f"{name} items"].append(counts.of(name))
        model.train(was_training)
        return self._summarize(scores, losses)

    def _share(self, length: int) -> tuple[list[list[int]], list[bool]]:
        """The batches of this process, as many as all others have: under ZeRO-3 all must go through the model as
        often. Batches that only fill up are marked with `False`."""
        size, processes, rank = self.batch_size, self.accelerator.num_processes, self.accelerator.process_index
        all_batches = [list(range(start, min(start + size, length))) for start in range(0, length, size)]
        own = all_batches[rank::processes]
        missing = -(-len(all_batches) // processes) - len(own)
        return own + [[0]] * missing, [True] * len(own) + [False] * missing

    def _add(
        self, scores: dict[str, MaskScores], samples: list[PairSample], rows: list[int], outputs: ModelOutput
    ) -> None:
        sizes = [(sample.image_t1.height, sample.image_t1.width) for sample in samples]
        results = self.processor.post_process_referring_segmentation(
            outputs, sizes, no_target_threshold=self.no_target_threshold
        )
        for row, sample, result in zip(rows, samples, results):
            count = len(sample.masks)
            scores[sample.source].add_batch(
                result["masks"].cpu().numpy(),
                sample.masks,
                sample_ids=[f"{row}_{index}" for index in range(count)],
                domains=[sample.domain] * count,
                change_types=sample.change_types or None,
                scores=result["no_target_scores"].tolist(),
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


def loss_parts(outputs: ModelOutput) -> dict[str, torch.Tensor]:
    """The parts of the loss that a batch has: means over its sentences, `loss_language` over its answer tokens,
    `loss_change` over its pairs."""
    parts = {
        "loss_mask": outputs.loss_mask,
        "loss_dice": outputs.loss_dice,
        "loss_no_target": outputs.loss_no_target,
        "loss_language": outputs.loss_language,
        "loss_change": outputs.loss_change,
    }
    return {name: part for name, part in parts.items() if part is not None}


class ItemCounts(NamedTuple):
    """
    What a batch supervises.

    Args:
        sentences (`int`): Masks of sentences (stage 1: of every change).
        tokens (`int`): Tokens of answers.
        pairs (`int`): Pairs.
    """

    sentences: int
    tokens: int
    pairs: int

    def of(self, loss: str) -> int:
        """How many items a part of the loss is the mean of."""
        return {"loss_language": self.tokens, "loss_change": self.pairs}.get(loss, self.sentences)


def count_items(batch: dict[str, Any]) -> ItemCounts:
    """Counts what a batch supervises."""
    tokens = int((batch["text_labels"][:, 1:] != -100).sum()) if "text_labels" in batch else 0
    return ItemCounts(len(batch["labels"]), tokens, len(batch["pixel_values_t1"]))
