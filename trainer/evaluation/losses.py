# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The parts of the loss of a batch, and the number of items that each one averages."""

from typing import Any, NamedTuple

import torch
from transformers.utils.generic import ModelOutput


def loss_parts(outputs: ModelOutput) -> dict[str, torch.Tensor]:
    """The parts of the loss that a batch has: means over its sentences, `loss_language` over its answer tokens,
    `loss_change` over its pairs whose changes are known."""
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
    The number of supervised items of a batch.

    Args:
        sentences (`int`): Masks of sentences (stage 1: of every change).
        tokens (`int`): Tokens of answers.
        pairs (`int`): Pairs.
        known_changes (`int`): Pairs whose mask of every change is known.
    """

    sentences: int
    tokens: int
    pairs: int
    known_changes: int

    def of(self, loss: str) -> int:
        """The number of items that a part of the loss averages."""
        return {"loss_language": self.tokens, "loss_change": self.known_changes}.get(loss, self.sentences)


def count_items(batch: dict[str, Any]) -> ItemCounts:
    """Counts the supervised items of a batch."""
    tokens = int((batch["text_labels"][:, 1:] != -100).sum()) if "text_labels" in batch else 0
    pairs = len(batch["pixel_values_t1"])
    # -1 where the changes are unknown; without these labels, baselines unite the masks of the sentences.
    known = int((batch["change_labels"][:, 0, 0] >= 0).sum()) if "change_labels" in batch else pairs
    return ItemCounts(len(batch["labels"]), tokens, pairs, known)
