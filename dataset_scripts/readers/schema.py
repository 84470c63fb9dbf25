# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The columns of all datasets, and the names of their labels.

Order is always t1 (earlier), then t2 (later). Images are RGB; a mask has one channel, 0 or 255, and the size of its
images.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from datasets import ClassLabel, Features, Image, Value


DOMAINS = ("NS", "RS")
"""Normal scenes and remote sensing."""
VIEWS = ("normal", "aerial", "satellite", "unknown")
"""Viewpoints of the camera."""
CHANGE_TYPES = ("appear", "disappear", "state_change", "unknown")
"""The changes that a sentence can describe."""
SETTINGS = ("TV", "NS", "RS")
"""The settings of the benchmark: all domains, and each domain alone."""
SPLITS = ("train", "validation", "test")
"""The splits of a dataset."""
SKIPPED_SENTENCES = "skipped_sentences"
"""The column of the number of skipped sentences; see [`Pair`]. Tables that others wrote may lack it."""
PAIRS_SUFFIX = "_pairs"
"""Suffix of the names of configurations with one row per pair."""


@dataclass(frozen=True)
class Count:
    """
    A published size.

    Args:
        pairs (`int`): Pairs of images.
        expressions (`int`): Sentences about them.
    """

    pairs: int
    expressions: int


PUBLISHED_COUNTS = {
    "train": Count(pairs=5646, expressions=12438),
    "validation": Count(pairs=3875, expressions=8486),
    "NS": Count(pairs=1396, expressions=4654),
    "RS": Count(pairs=8125, expressions=16270),
    "TV": Count(pairs=9521, expressions=20924),
}
"""The sizes of MTRefSeg-21K in its paper: by split over both domains, by domain over both splits, and in total
("TV")."""


def referring_features() -> "Features":
    """
    The columns of a dataset of one row per sentence.

    Returns:
        `datasets.Features`: `sample_id` (unique in a split), `pair_id`, `image_t1`, `image_t2`, `mask`, `expression`,
        `change_type`, `domain` (may be null), `view`, `source`, `noisy`, true if mask or sentence were deliberately
        corrupted, and `skipped_sentences`, the number of unusable sentences of the pair.
    """
    from datasets import ClassLabel, Features, Image, Value  # Imported here, so that commands start quickly.

    return Features(
        {
            "sample_id": Value("string"),
            "pair_id": Value("string"),
            **_images(),
            "mask": Image(mode="L"),
            "expression": Value("string"),
            "change_type": ClassLabel(names=list(CHANGE_TYPES)),
            **_labels(),
            "noisy": Value("bool"),
            SKIPPED_SENTENCES: Value("int32"),
        }
    )


def pair_features() -> "Features":
    """
    The columns of a dataset of one row per pair.

    Returns:
        `datasets.Features`: `pair_id`, `image_t1`, `image_t2`, the parallel lists `masks`, `expressions` and
        `change_types`, then `domain` (may be null), `view`, `source`, the list `noisy` and `skipped_sentences`.
    """
    from datasets import ClassLabel, Features, Image, Sequence, Value

    return Features(
        {
            "pair_id": Value("string"),
            **_images(),
            "masks": Sequence(Image(mode="L")),
            "expressions": Sequence(Value("string")),
            "change_types": Sequence(ClassLabel(names=list(CHANGE_TYPES))),
            **_labels(),
            "noisy": Sequence(Value("bool")),
            SKIPPED_SENTENCES: Value("int32"),
        }
    )


def pretrain_features() -> "Features":
    """
    The columns of a stage-1 dataset: one row per pair, its mask contains every change, and there are no sentences.

    Returns:
        `datasets.Features`: `pair_id`, `image_t1`, `image_t2`, `mask`, `domain` (may be null), `view` and `source`.
    """
    from datasets import Features, Image, Value

    return Features({"pair_id": Value("string"), **_images(), "mask": Image(mode="L"), **_labels()})


FEATURES: dict[str, Callable[[], "Features"]] = {
    "referring": referring_features,
    "pairs": pair_features,
    "pretrain": pretrain_features,
}
"""The columns by layout: one row per sentence, one row per pair, one row per stage-1 pair."""

CITATION = """\
@article{li2026mtrefseg,
  title         = {An Open-Source Benchmark and Baseline for Multi-temporal Referring Segmentation},
  author        = {Li, Bingyu and Zhang, Da and Huo, Tao and Zhao, Zhiyuan and Gao, Junyu and Li, Xuelong},
  year          = {2026},
  eprint        = {2606.00987},
  archivePrefix = {arXiv}
}
"""


def _images() -> "dict[str, Image]":
    from datasets import Image

    return {"image_t1": Image(mode="RGB"), "image_t2": Image(mode="RGB")}


def _labels() -> "dict[str, ClassLabel | Value]":
    from datasets import ClassLabel, Value

    return {
        "domain": ClassLabel(names=list(DOMAINS)),
        "view": ClassLabel(names=list(VIEWS)),
        "source": Value("string"),
    }
