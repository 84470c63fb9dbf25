# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Training data: pairs of several datasets, mixed, augmented and collated into batches; and parsed scenes."""

from .augmentation import PairAugmentation
from .collator import PairCollator
from .pair_loading import PairLoader, list_all, make_eval_dataset, make_train_dataset, mix
from .samples import PairSample, load_sample
from .scene_parsing import SceneCollator, SceneDataset, SceneParsingModel, largest_classes, parsing_scores


__all__ = [
    "PairAugmentation",
    "PairCollator",
    "PairLoader",
    "PairSample",
    "SceneCollator",
    "SceneDataset",
    "SceneParsingModel",
    "largest_classes",
    "list_all",
    "load_sample",
    "make_eval_dataset",
    "make_train_dataset",
    "mix",
    "parsing_scores",
]
