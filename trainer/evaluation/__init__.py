# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Scores models on pairs, during training and by `trainer/evaluate.py`, and writes reports and model cards."""

from .batches import BatchReader, ScoredPair, read_pair
from .evaluator import SCORES, Evaluator, predict, score_answers, to_answers
from .folder import EvaluationFolder, append_result
from .losses import ItemCounts, count_items, loss_parts
from .model_card import hardware, shown_name, write_card
from .reporting import (
    collect,
    command_line,
    identity_of,
    make_report,
    model_hash,
    summary,
    versions,
    write_report,
)
from .segmenter import Answer, Segmenter, TruthSegmenter, ask
from .tables import csv_table, latex_row, latex_table, markdown_cell, markdown_row


__all__ = [
    "SCORES",
    "Answer",
    "BatchReader",
    "EvaluationFolder",
    "Evaluator",
    "ItemCounts",
    "ScoredPair",
    "Segmenter",
    "TruthSegmenter",
    "append_result",
    "ask",
    "collect",
    "command_line",
    "count_items",
    "csv_table",
    "hardware",
    "identity_of",
    "latex_row",
    "latex_table",
    "loss_parts",
    "make_report",
    "markdown_cell",
    "markdown_row",
    "model_hash",
    "predict",
    "read_pair",
    "score_answers",
    "shown_name",
    "summary",
    "to_answers",
    "versions",
    "write_card",
    "write_report",
]
