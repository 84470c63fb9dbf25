# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Predictions written by other programs, in one of three formats:

- **Parquet**: columns `sample_id` (text) and `prediction` (struct of `size`, [height, width], and `counts`, COCO's
  compressed run-length encoding); optionally `no_target_score` (0 to 1). So is `predictions.parquet` of an evaluation.
- **a folder of PNGs**: `SAMPLE_ID.png`, one channel, 0 and 255 (or 0 and 1). A "/" of an id is a sub-folder. Files in
  other sub-folders go by their own name if no other file has it.
- **COCO results JSON**: a list of `{"image_id": SAMPLE_ID, "segmentation": RLE, "score": ...}`. Several entries for a
  sample are united to one mask.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow
import pyarrow.parquet

from mtrefseg.errors import one_line
from mtrefseg.io import load_mask, read_json
from mtrs_iou import decode_rle
from trainer.errors import TrainingError


if TYPE_CHECKING:
    from dataset_scripts.readers import PairSource
    from trainer.evaluation import Answer, ScoredPair


@dataclass(frozen=True)
class Prediction:
    """
    One prediction, decoded on demand.

    Args:
        read (`Callable`): Returns the mask, bool (height, width).
        no_target_score (`float`, *optional*): Probability that there is no target.
    """

    read: Callable[[], np.ndarray]
    no_target_score: float | None = None


class Predictions(dict[str, Prediction]):
    """
    Predictions by sample id.

    Args:
        items (`dict[str, Prediction]`): The predictions by their full names.
        short_names (`dict[str, str]`, *optional*): Further names, and the full names that they stand for.
    """

    def __init__(self, items: dict[str, Prediction], short_names: dict[str, str] | None = None) -> None:
        super().__init__(items)
        self._short_names = short_names or {}

    def take(self, sample_id: str) -> Prediction | None:
        """Removes and returns the prediction for a sample; `None` if there is none."""
        return self.pop(sample_id if sample_id in self else self._short_names.get(sample_id, sample_id), None)


@dataclass
class Faults:
    """
    Problems of predictions, by sample id.

    Args:
        missing (`list[str]`): Samples without a prediction.
        extra (`list[str]`): Predictions for samples that are not in the data.
        wrong (`dict[str, str]`): Predictions that cannot be used, such as masks of another size, with the reason.
    """

    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    wrong: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.wrong)

    def lines(self) -> list[str]:
        """A line for each of them."""
        return [
            *(f"missing: {name} (counts as wrong)" for name in self.missing),
            *(f"extra: {name} is not in the data (ignored)" for name in self.extra),
            *(f"wrong: {name}: {reason} (counts as wrong)" for name, reason in self.wrong.items()),
        ]


def open_predictions(path: Path) -> Predictions:
    """
    Lists the predictions of a file or folder.

    Args:
        path (`Path`): A Parquet file, a folder of PNGs or a COCO results file.

    Returns:
        [`Predictions`]: By sample id.

    Raises:
        TrainingError: If it is none of these, is damaged, or contains a sample twice.
    """
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise TrainingError(f"There are no predictions at {path}: name a .parquet, a .json or a folder of PNGs.")
    if path.suffix == ".parquet":
        return Predictions(_from_parquet(path))
    if path.suffix == ".json":
        return Predictions(_from_coco(path))
    raise TrainingError(f"{path} is neither .parquet nor .json nor a folder of PNGs.")


def check_no_target_scores(path: Path, predictions: Predictions, source: "PairSource") -> None:
    """
    Raises a `TrainingError` if only some predictions have a no-target score.

    Args:
        path (`Path`): Where they come from.
        predictions ([`Predictions`]): All predictions. Those of samples that are not in the data do not matter.
        source (`PairSource`): The pairs.
    """
    lacking = {name for name, prediction in predictions.items() if prediction.no_target_score is None}
    if not 0 < len(lacking) < len(predictions):
        return
    names = [pair.sample_id(expression) for pair in source for expression in pair.expressions]
    predicted = [name for name in names if name in predictions]
    without = [name for name in predicted if name in lacking]
    if 0 < len(without) < len(predicted):
        raise TrainingError(
            f"{path} has a no_target_score for {len(predicted) - len(without)} of {len(predicted)} sentences, but "
            f"none for {without[0]}: give one for all or for none."
        )


def answers_from(predictions: Predictions, pair: "ScoredPair", faults: Faults) -> "dict[int, Answer]":
    """
    Removes the predictions for a pair from `predictions` and returns them as results.

    Args:
        predictions ([`Predictions`]): All predictions; the used ones are removed.
        pair ([`ScoredPair`]): The pair.
        faults ([`Faults`]): Missing and wrong predictions are added to it.

    Returns:
        `dict[int, Answer]`: The answers by the number of the sentence.
    """
    from trainer.evaluation import Answer  # Imports PyTorch, which files that cannot be read do not need.

    answers: dict[int, Answer] = {}
    for index, (sample_id, truth) in enumerate(zip(pair.sample_ids, pair.truths)):
        prediction = predictions.take(sample_id)
        if pair.problems[index]:
            continue  # This is an error of the data, not of the prediction.
        if prediction is None:
            faults.missing.append(sample_id)
            continue
        try:
            mask = prediction.read()
            expected = tuple(truth["size"])
            if mask.shape != expected:
                raise ValueError(f"the mask has {_size(mask.shape)} pixels, the images {_size(expected)}")
            answers[index] = Answer(mask, float(mask.any()), _probability(prediction.no_target_score))
        except (OSError, ValueError) as error:
            faults.wrong[sample_id] = one_line(error)
    return answers


def _from_parquet(path: Path) -> dict[str, Prediction]:
    try:
        names = pyarrow.parquet.read_schema(path).names
        missing = [name for name in ("sample_id", "prediction") if name not in names]
        if missing:
            raise TrainingError(f"{path} has no column {missing[0]}; it needs sample_id and prediction.")
        columns = ["sample_id", "prediction", *(["no_target_score"] if "no_target_score" in names else [])]
        rows = pyarrow.parquet.read_table(path, columns=columns).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise TrainingError(f"{path} cannot be read as Parquet: {one_line(error)}") from error
    return _by_name(
        path,
        (
            (row["sample_id"], Prediction(partial(decode_rle, row["prediction"]), row.get("no_target_score")))
            for row in rows
            if row["prediction"] is not None
        ),
    )


def _from_folder(path: Path) -> Predictions:
    files = sorted(path.rglob("*.png"))
    if not files:
        raise TrainingError(f"{path} holds no *.png.")
    names = {file: file.relative_to(path).with_suffix("").as_posix() for file in files}
    times = Counter(file.stem for file in files)
    short_names = {file.stem: name for file, name in names.items() if times[file.stem] == 1}
    return Predictions({name: Prediction(partial(_read_png, file)) for file, name in names.items()}, short_names)


def _read_png(file: Path) -> np.ndarray:
    return np.asarray(load_mask(file), dtype=bool)


def _from_coco(path: Path) -> dict[str, Prediction]:
    try:
        entries = read_json(path)
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read as JSON: {one_line(error)}") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TrainingError(f"{path} must hold a list of COCO results, each with image_id and segmentation.")
    parts: dict[str, list[Any]] = {}
    for number, entry in enumerate(entries):
        if not {"image_id", "segmentation"} <= entry.keys():
            raise TrainingError(f"{path}: entry {number} has no image_id or no segmentation.")
        parts.setdefault(str(entry["image_id"]), []).append(entry["segmentation"])
    return {name: Prediction(partial(_union, masks)) for name, masks in parts.items()}


def _union(masks: list[Any]) -> np.ndarray:
    """The union of several RLEs."""
    decoded = [decode_rle(mask) for mask in masks]
    if len({mask.shape for mask in decoded}) > 1:
        raise ValueError(f"its masks have {' and '.join(sorted({_size(mask.shape) for mask in decoded}))} pixels")
    return np.logical_or.reduce(decoded)


def _by_name(path: Path, items: Iterable[tuple[Any, Prediction]]) -> dict[str, Prediction]:
    found: dict[str, Prediction] = {}
    for name, prediction in items:
        if not isinstance(name, str) or not name:
            raise TrainingError(f"{path} names a sample {name!r}; sample ids are texts.")
        if name in found:
            raise TrainingError(f"{path} has two predictions for the sample {name}.")
        found[name] = prediction
    return found


def _probability(score: Any) -> float | None:
    if score is not None and not (isinstance(score, int | float) and 0 <= score <= 1):
        raise ValueError(f"no_target_score is {score!r}, but must be a number from 0 to 1")
    return score


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
