# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reads the folders of scored models, and compares them sentence by sentence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mtrefseg.errors import one_line
from mtrefseg.io import read_json
from mtrefseg.view.predictions import ScoredSentence, load_predictions
from trainer.errors import TrainingError
from trainer.names import PREDICTIONS, REPORT

from .sentence_kinds import KINDS, kind_of


SIZES = (("small (below 1 %)", 0.0, 0.01), ("medium (1 to 5 %)", 0.01, 0.05), ("large (5 % and more)", 0.05, 1.01))
"""Groups of true masks by their share of the image; no-target sentences are in none."""
RESAMPLES = 2000
_SEED = 0  # Of the resampling: the same results give the same table.
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScoredModel:
    """
    A model on one setting: a folder of `benchmark run`, `benchmark score` or `evaluate.py`.

    Args:
        folder (`Path`): The folder.
        report (`dict`): Its `report.json`.
        sentences (`list[ScoredSentence]`): Its `predictions.parquet`.
    """

    folder: Path
    report: dict[str, Any]
    sentences: list[ScoredSentence]

    @property
    def name(self) -> str:
        """Name of the model."""
        return str(self.report["model"]["name"])

    @property
    def setting(self) -> str:
        """ "TV", "NS" or "RS"."""
        return str(self.report["data"]["setting"])

    @property
    def scores(self) -> dict[str, Any]:
        """The scores of all sentences."""
        return dict(self.report["scores"])

    @property
    def measure(self) -> str:
        """The data of the evaluation."""
        data = self.report["data"]
        return (
            f"{data['name']}, {data['split']}, {data['sentences']:,} sentences of {data['pairs']:,} pairs "
            f"(SHA-256 {data['sha256'][:8]}), at the images' own size"
        )

    @cached_property
    def ious(self) -> Floats:
        """IoU of each sentence, 0 to 100."""
        return np.array([sentence.iou for sentence in self.sentences], dtype=np.float64)

    def key_of(self, row: int) -> tuple[str, str, str]:
        """What names a sentence in every model's results: its id, domain and text."""
        sentence = self.sentences[row]
        return sentence.sample_id, sentence.domain or "", sentence.expression


def open_folders(folders: Sequence[Path]) -> list[ScoredModel]:
    """
    Opens folders of scored models.

    Args:
        folders (`Sequence[Path]`): Such folders, or folders that contain them at any depth.

    Returns:
        `list[ScoredModel]`: Sorted by setting, the best first.

    Raises:
        TrainingError: If a folder contains none, or one is damaged.
    """
    found: dict[Path, None] = {}
    for folder in folders:
        reports = [folder / REPORT] if (folder / REPORT).is_file() else sorted(folder.rglob(REPORT))
        inside = [path.parent for path in reports if (path.parent / PREDICTIONS).is_file()]
        if not inside:
            raise TrainingError(f"{folder} holds no results: it must hold {REPORT} and {PREDICTIONS}.")
        found |= dict.fromkeys(inside)
    models = [_open(folder) for folder in found]
    return sorted(models, key=lambda model: (model.setting, -model.scores["mIoU"], model.name))


def _open(folder: Path) -> ScoredModel:
    try:
        model = ScoredModel(folder, read_json(folder / REPORT), load_predictions(folder / PREDICTIONS))
        if not (model.name and model.setting and model.measure and "mIoU" in model.scores):
            raise ValueError(f"its {REPORT} is incomplete")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise TrainingError(f"{folder} cannot be read: {one_line(error)}; evaluate again.") from error
    return model


def interval(ious: Floats) -> tuple[float, float]:
    """
    The 95 % interval of a mean IoU, by bootstrap over sentences.

    Args:
        ious (`np.ndarray`): IoU of each sentence; at least one.

    Returns:
        `tuple[float, float]`: Lower and upper limit.
    """
    random = np.random.default_rng(_SEED)
    means = [ious[random.integers(0, len(ious), len(ious))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def significance(first: ScoredModel, second: ScoredModel) -> float:
    """
    Probability of a difference of two mean IoUs at least this large if the models were exchangeable, by approximate
    randomisation, which randomly exchanges their results. All sentences of a pair are exchanged
    together, because they are not independent.

    Args:
        first, second ([`ScoredModel`]): Scored on the same sentences.

    Returns:
        `float`: The two-sided p-value, at least 1 / 2001.

    Raises:
        TrainingError: If they were not scored on the same sentences.
    """
    # Folders with equal hashes may list the same sentences in another order.
    orders = [sorted(range(len(model.sentences)), key=model.key_of) for model in (first, second)]
    keys = [[model.key_of(row) for row in order] for model, order in zip((first, second), orders)]
    if keys[0] != keys[1] or first.report["data"]["sha256"] != second.report["data"]["sha256"]:
        raise TrainingError(
            f"{first.folder} and {second.folder} were not scored on the same sentences: compare rows of the same data."
        )
    names = [first.sentences[row].pair_id for row in orders[0]]
    _, pairs = np.unique(names, return_inverse=True)
    differences = np.bincount(pairs, weights=first.ious[orders[0]] - second.ious[orders[1]])
    random = np.random.default_rng(_SEED)
    signs = random.choice([-1.0, 1.0], size=(RESAMPLES, len(differences)))
    # With a tolerance, because the order of summation affects the last digits.
    as_large = np.abs(signs @ differences) >= abs(differences.sum()) - 1e-6
    return float((as_large.sum() + 1) / (RESAMPLES + 1))


def groups_of(model: ScoredModel) -> dict[str, dict[str, tuple[float, int]]]:
    """
    Mean IoU by domain, change type, size of the true mask and kind of sentence.

    Args:
        model ([`ScoredModel`]): The model.

    Returns:
        `dict`: By kind of grouping and by group, the mean IoU (0 to 100) and the number of sentences.
    """
    groupings: dict[str, Callable[[ScoredSentence], str | None]] = {
        "domain": lambda sentence: sentence.domain,
        "change type": lambda sentence: sentence.change_type,
        "mask size": _size_of,
        "sentence": lambda sentence: kind_of(sentence.expression, sentence.domain, sentence.has_target),
    }
    order = [*(name for name, _, _ in SIZES), *KINDS]
    result = {}
    for grouping, group_of in groupings.items():
        values: dict[str, list[float]] = {}
        for sentence in model.sentences:
            group = group_of(sentence)
            if group is not None:
                values.setdefault(group, []).append(sentence.iou)
        names = sorted(values, key=lambda name: (order.index(name) if name in order else 0, name))
        result[grouping] = {name: (float(np.mean(values[name])), len(values[name])) for name in names}
    return result


def _size_of(sentence: ScoredSentence) -> str | None:
    mask = sentence.truth_mask() if sentence.has_target else None
    if mask is None:
        return None
    share = float(mask.mean())
    return next(name for name, low, high in SIZES if low <= share < high)
