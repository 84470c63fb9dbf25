# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Measures datasets and checks them: damage, leakage between splits, counts, balance."""

from .checks import Verdict
from .dataset_statistics import (
    AREA_EDGES,
    UNKNOWN,
    DatasetFacts,
    PairFacts,
    frequent_words,
    measure_dataset,
    sentences_of,
)
from .validation import Validation, validate


__all__ = [
    "AREA_EDGES",
    "UNKNOWN",
    "DatasetFacts",
    "PairFacts",
    "Validation",
    "Verdict",
    "frequent_words",
    "measure_dataset",
    "sentences_of",
    "validate",
]
