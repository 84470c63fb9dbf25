# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Computes the scores of a set from the integers of its samples, and merges parts of a set exactly. Requires only NumPy.

Nothing here depends on the order of the samples: integers are added as integers, fractions with `math.fsum`, which
rounds once, and the bootstrap draws from sorted samples. So parts can be merged in any order with identical results.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .mask_counts import DILATION_RATIO, MOST_PIXELS, NOT_MEASURED, SampleCounts


Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

COLUMNS = SampleCounts._fields
LABELS = ("sample_id", "domain", "change_type")
CONVENTIONS = ("reference", "nonempty")
THRESHOLDS = (50, 60, 70, 80, 90)
# COCO's limits of the area of the true mask, in pixels of the image as it is.
SMALL, MEDIUM = 32**2, 96**2
UNKNOWN = "unknown"  # group of the samples without a label, if others have one
BOOTSTRAP_SEED = 0
INTERVAL = (2.5, 97.5)  # percentiles
BOOTSTRAP_CELLS = 2**20  # weights in memory at a time
_PASS_UNCHANGED = "pass what state() gave, unchanged"


@dataclass(frozen=True)
class SampleTable:
    """
    The integers of many samples, one row each.

    Args:
        numbers (`np.ndarray`): `(samples, 6)`, int64: the `COLUMNS`, those of `SampleCounts`.
        no_target_scores (`np.ndarray`): `(samples,)`, float64: probability, 0 to 1, that nothing matches the sentence;
            NaN where there is none.
        labels (`list[tuple[str, str, str]]`): Sample id, domain and change type; empty strings where not given.
        num_duplicates_removed (`int`, *optional*, defaults to 0): Rows that merging has dropped as duplicates.
    """

    numbers: Integers
    no_target_scores: Floats
    labels: list[tuple[str, str, str]]
    num_duplicates_removed: int = 0

    def column(self, name: str) -> Integers:
        """One of the `COLUMNS`: `(samples,)`, int64."""
        return self.numbers[:, COLUMNS.index(name)]

    def select(self, rows: Sequence[int] | Integers) -> "SampleTable":
        """The rows of the given indices, in that order."""
        labels = [self.labels[row] for row in rows]
        return replace(self, numbers=self.numbers[rows], no_target_scores=self.no_target_scores[rows], labels=labels)

    def name(self, row: int) -> str:
        """See [`name_sample`]."""
        return name_sample(self.labels[row][0], row)

    @property
    def has_scores(self) -> bool | None:
        """Whether any sample has a no-target score; `None` if all are missing predictions, which need none."""
        has_score = ~np.isnan(self.no_target_scores)
        is_open = not (has_score | (self.column("is_missing") == 0)).any()
        return None if is_open else bool(has_score.any())

    def describe(self, row: int) -> str:
        """The integers of a sample, for an error message."""
        shared, area, true_area = self.numbers[row, :3].tolist()
        return f"{shared} pixels shared, {area} predicted, {true_area} true"

    def to_state(self) -> dict[str, Any]:
        """The table as a dict of lists, which JSON can hold without loss; [`from_state`] reads it."""
        state: dict[str, Any] = {name: self.column(name).tolist() for name in COLUMNS}
        state["no_target_score"] = [None if math.isnan(score) else score for score in self.no_target_scores.tolist()]
        for place, name in enumerate(LABELS):
            state[name] = [labels[place] for labels in self.labels]
        state["num_duplicates_removed"] = self.num_duplicates_removed
        return state


def from_state(state: Mapping[str, Any]) -> SampleTable:
    """
    Reads what [`SampleTable.to_state`] wrote.

    Raises:
        ValueError: If a column is missing, the columns differ in length, or a value is impossible. The message names
            the sample.
    """
    if not isinstance(state, Mapping):
        raise ValueError(f"a partial state is a dict, not a {type(state).__name__}; {_PASS_UNCHANGED}")
    needed = (*COLUMNS, "no_target_score", *LABELS, "num_duplicates_removed")
    missing = [name for name in needed if name not in state]
    if missing:
        raise ValueError(f"the partial state has no {', '.join(missing)}; {_PASS_UNCHANGED}")
    for name in needed[:-1]:
        if not isinstance(state[name], list | tuple):
            raise ValueError(f"{name} of the partial state is not a list; {_PASS_UNCHANGED}")
    lengths = {name: len(state[name]) for name in needed[:-1]}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"the columns of the partial state differ in length: {lengths}")
    for row, values in enumerate(zip(*(state[name] for name in needed[:-1]))):
        _check_row(row, dict(zip(needed, values)))
    removed = state["num_duplicates_removed"]
    if type(removed) is not int or not 0 <= removed < MOST_PIXELS:
        raise ValueError(f"num_duplicates_removed of the partial state is not a count; {_PASS_UNCHANGED}")
    numbers = np.array([state[name] for name in COLUMNS], dtype=np.int64).reshape(len(COLUMNS), -1).T
    scores = np.array([math.nan if score is None else score for score in state["no_target_score"]], dtype=np.float64)
    labels = list(zip(*(state[name] for name in LABELS)))
    return SampleTable(numbers, scores, labels, removed)


def printable(text: str) -> str:
    """The text with characters that UTF-8 cannot encode, as in some file names, escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _check_row(row: int, values: Mapping[str, Any]) -> None:
    """Raises a `ValueError` if the counts, the score or the labels of a sample in a state are impossible."""
    labels = [values[name] for name in LABELS]
    if not all(isinstance(label, str) and printable(label) == label for label in labels):
        raise ValueError(f"sample number {row} of the partial state has a label that is not text")
    name = name_sample(labels[0], row)
    counts = [values[column] for column in COLUMNS]
    if not all(type(count) is int and NOT_MEASURED <= count <= MOST_PIXELS for count in counts):
        raise ValueError(f"{name} of the partial state has a count that is not a number of pixels")
    shared, area, true_area, is_missing, band_shared, band_union = counts
    if not (
        0 <= shared <= min(area, true_area)
        and is_missing in (0, 1)
        and not (is_missing and area)
        and (NOT_MEASURED in (band_shared, band_union)) == (band_shared == band_union == NOT_MEASURED)
        and band_shared <= band_union
    ):
        raise ValueError(
            f"{name} of the partial state is impossible: {shared} pixels shared, {area} predicted, {true_area} true, "
            f"missing {is_missing}, boundary {band_shared} of {band_union}"
        )
    score = values["no_target_score"]
    if score is not None and not (type(score) in (int, float) and 0 <= score <= 1):
        raise ValueError(f"{name} of the partial state has a no-target score that is not a probability, 0 to 1")


def merge_tables(tables: Sequence[SampleTable]) -> SampleTable:
    """
    Merges parts of a set. A sample with the same id, integers, score and labels as an earlier one is dropped: samplers
    repeat samples so that all processes get equally many. Samples without an id are all kept.

    Args:
        tables (`Sequence[SampleTable]`): The parts, in any order.

    Returns:
        [`SampleTable`]

    Raises:
        ValueError: If two different samples have the same id.
    """
    whole = SampleTable(
        np.concatenate([table.numbers for table in tables] or [np.empty((0, len(COLUMNS)), dtype=np.int64)]),
        np.concatenate([table.no_target_scores for table in tables] or [np.empty(0)]),
        [labels for table in tables for labels in table.labels],
        sum(table.num_duplicates_removed for table in tables),
    )
    repeated = _repetitions(whole)
    for row, first in repeated.items():
        scores = whole.no_target_scores[[first, row]]
        if (
            whole.labels[row] != whole.labels[first]
            or (whole.numbers[row] != whole.numbers[first]).any()
            or not (scores[0] == scores[1] or np.isnan(scores).all())
        ):
            raise ValueError(
                f"{whole.name(row)} occurs twice with different masks, labels or scores ({whole.describe(first)}; "
                f"{whole.describe(row)}); every sample needs an id of its own"
            )
    if not repeated:
        return whole
    kept = whole.select([row for row in range(len(whole.labels)) if row not in repeated])
    return replace(kept, num_duplicates_removed=whole.num_duplicates_removed + len(repeated))


def name_sample(sample_id: str, number: int) -> str:
    """What an error message calls a sample: by its id or, if that is empty, by its number, from 0."""
    return f"sample '{sample_id}'" if sample_id else f"sample number {number}"


def only_some_scores(name: str, has_score: bool) -> str:
    """The message about a sample that has a no-target score, unlike the others, or has none."""
    has, others = ("a", "none") if has_score else ("no", "one")
    return f"{name} has {has} no-target score, but others have {others}; give one for all or for none"


def refuse_duplicates(table: SampleTable) -> None:
    """
    Checks that no id occurs twice: only merging drops duplicates.

    Raises:
        ValueError: If two samples have the same id.
    """
    for row, first in _repetitions(table).items():
        raise ValueError(
            f"{table.name(row)} was added twice ({table.describe(first)}; {table.describe(row)}); every sample needs "
            "an id of its own"
        )


def check_flags(**flags: bool) -> None:
    """
    Checks options that are on or off, by name.

    Raises:
        ValueError: If one is neither true nor false, such as the string "False", which Python counts as true.
    """
    for name, value in flags.items():
        if not isinstance(value, bool | np.bool_):
            raise ValueError(f"{name}={value!r} is neither True nor False")


def check_options(convention: str, bootstrap: int, **flags: bool) -> None:
    """
    Checks the options of [`compute_scores`], before any mask is read.

    Raises:
        ValueError: If one has an invalid value.
    """
    check_flags(**flags)
    if convention not in CONVENTIONS:
        raise ValueError(f"convention={convention!r} is unknown; choose one of {', '.join(CONVENTIONS)}")
    if isinstance(bootstrap, bool) or not isinstance(bootstrap, int) or bootstrap < 0:
        raise ValueError(f"bootstrap={bootstrap!r} is not a number of resamples; 0 turns it off, 1000 is usual")


def compute_scores(
    table: SampleTable,
    *,
    boundary: bool = False,
    bootstrap: int = 0,
    convention: str = "reference",
    percent: bool = True,
    per_sample: bool = False,
) -> dict[str, Any]:
    """
    Computes every score of a set, and again for each domain, change type and size of the true mask.

    Args:
        table ([`SampleTable`]): The samples, without duplicates.
        boundary (`bool`, *optional*, defaults to `False`): Whether to add `boundary_IoU`.
        bootstrap (`int`, *optional*, defaults to 0): Resamples for the 95 % intervals; 0 for none.
        convention (`str`, *optional*, defaults to `"reference"`): `"nonempty"` leaves samples whose true mask is empty
            out of the means over samples (`mIoU`, `Pr@X`, `boundary_IoU`).
        percent (`bool`, *optional*, defaults to `True`): Scores from 0 to 100; otherwise 0 to 1.
        per_sample (`bool`, *optional*, defaults to `False`): Whether to add a list with every sample, worst first.

    Returns:
        `dict[str, Any]`: The scores as `float`, or `None` if the denominator is zero; counters as `int`.

    Raises:
        ValueError: If an option has another value, or a sample lacks its boundary counts or its no-target score.
    """
    check_options(convention, bootstrap, boundary=boundary, percent=percent, per_sample=per_sample)
    if boundary:
        for row in np.flatnonzero(table.column("boundary_union") < 0).tolist():
            raise ValueError(f"{table.name(row)} was added without boundary=True, so it has no boundary IoU")
    has_scores = bool(table.has_scores)
    if has_scores:
        for row in np.flatnonzero(np.isnan(table.no_target_scores) & (table.column("is_missing") == 0)).tolist():
            raise ValueError(only_some_scores(table.name(row), has_score=False))
    # The bootstrap draws rows by number, so their order must not depend on how the samples came in.
    table = table.select(np.lexsort((table.no_target_scores, *table.numbers.T)))
    options: dict[str, Any] = {"convention": convention, "bootstrap": bootstrap, "factor": 100 if percent else 1}
    options |= {"boundary": boundary, "has_scores": has_scores}
    result = _score(table, **options)
    result["num_duplicates_removed"] = table.num_duplicates_removed
    if boundary:
        result["boundary_dilation_ratio"] = DILATION_RATIO
    for group, labels in _groups(table).items():
        rows: dict[str, list[int]] = {}
        for row, label in enumerate(labels):
            rows.setdefault(label, []).append(row)
        result[group] = {label: _score(table.select(rows[label]), **options) for label in sorted(rows)}
    if per_sample:
        result["per_sample"] = _list_samples(table, options["factor"], boundary)
    return result


def sample_iou(table: SampleTable) -> Floats:
    """IoU of every sample: `(samples,)`, 0 to 1; empty on empty is 1, a missing prediction 0."""
    shared = table.column("intersection")
    union = table.column("prediction_area") + table.column("reference_area") - shared
    return _fractions(shared, union, table.column("is_missing"))


def _fractions(shared: Integers, union: Integers, is_missing: Integers) -> Floats:
    return np.where(union > 0, shared / np.maximum(union, 1), 1.0 - is_missing)


def _score(
    table: SampleTable, *, convention: str, bootstrap: int, factor: int, boundary: bool, has_scores: bool
) -> dict[str, Any]:
    """The scores of one set, without groups."""
    ratios = _ratios(table, convention, boundary)
    values = {name: _divide(*ratio) for name, ratio in ratios.items()}
    is_empty = table.column("reference_area") == 0
    ranks = _rank_scores(table) if has_scores else None
    if ranks is not None:
        values["no_target_AUROC"] = _auroc(ranks, is_empty, np.ones((1, is_empty.size)))[0]
    result: dict[str, Any] = {name: _scale(value, factor) for name, value in values.items()}
    result |= {"gIoU": result["mIoU"], "cIoU": result["oIoU"]} | _counters(table)
    if bootstrap:
        intervals = _intervals(ratios, ranks, is_empty, bootstrap)
        result["confidence_intervals"] = {
            name: None if values[name] is None or interval is None else [bound * factor for bound in interval]
            for name, interval in intervals.items()
        }
    return result


def _ratios(table: SampleTable, convention: str, boundary: bool) -> dict[str, tuple[Any, Any]]:
    """
    Numerators and denominators of all scores except the AUROC, `(samples,)` each; a score is the ratio of their sums.
    """
    shared, area, true_area, is_missing, band_shared, band_union = table.numbers.T
    union = area + true_area - shared
    is_empty = true_area == 0
    has_target = ~is_empty
    counted = has_target if convention == "nonempty" else np.ones_like(has_target)
    iou = sample_iou(table)
    ratios: dict[str, tuple[Any, Any]] = {"mIoU": (iou * counted, counted), "oIoU": (shared, union)}
    for threshold in THRESHOLDS:
        # In integers, so that an IoU of exactly 0.7 counts for Pr@70 whatever its binary fraction is.
        reached = (100 * shared >= threshold * union) & (is_missing == 0)
        ratios[f"Pr@{threshold}"] = (reached & counted, counted)
    ratios["mIoU_nonempty"] = (iou * has_target, has_target)
    ratios["N-acc"] = (is_empty & (area == 0) & (is_missing == 0), is_empty)
    ratios["T-acc"] = (has_target & (area > 0), has_target)
    ratios["precision"] = (shared, area)
    ratios["recall"] = (shared, true_area)
    ratios["f1"] = (2 * shared, area + true_area)
    if boundary:
        ratios["boundary_IoU"] = (_fractions(band_shared, band_union, is_missing) * counted, counted)
    return ratios


def _divide(numerators: Any, denominators: Any) -> float | None:
    denominator = int(denominators.sum())
    if denominator == 0:
        return None
    if numerators.dtype == np.float64:
        return math.fsum(numerators.tolist()) / denominator
    return int(numerators.sum()) / denominator


def _scale(value: float | None, factor: int) -> float | None:
    return None if value is None else value * factor


def _counters(table: SampleTable) -> dict[str, int]:
    is_missing = table.column("is_missing") == 1
    is_empty = table.column("reference_area") == 0
    predicts = table.column("prediction_area") > 0
    masks = {
        "num_samples": np.ones_like(is_empty),
        "num_empty_references": is_empty,
        "num_both_empty": is_empty & ~predicts & ~is_missing,
        "num_false_positives_on_empty": is_empty & predicts,
        "num_false_negatives": ~is_empty & ~predicts,
        "num_missing_predictions": is_missing,
    }
    return {name: int(np.count_nonzero(mask)) for name, mask in masks.items()}


def _rank_scores(table: SampleTable) -> Floats:
    """The no-target scores. Missing predictions get the worst possible score."""
    is_empty = table.column("reference_area") == 0
    worst = np.where(is_empty, -math.inf, math.inf)
    return np.where(table.column("is_missing") == 1, worst, table.no_target_scores)


def _auroc(scores: Floats, is_positive: NDArray[np.bool_], weights: Floats) -> list[float | None]:
    """
    Probability that a positive sample has a higher score than a negative one, ties counting half, for each row of
    `weights`, `(resamples, samples)`. `None` if there are no positive or no negative samples.
    """
    if scores.size == 0:
        return [None] * len(weights)
    order = np.argsort(scores)
    values = scores[order]
    starts = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))  # where a run of equal scores begins
    ordered = weights[:, order]
    positive = np.add.reduceat(ordered * is_positive[order], starts, axis=1)
    negative = np.add.reduceat(ordered * ~is_positive[order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    wins = (positive * (below + negative / 2)).sum(axis=1)
    return [won / all_pairs if all_pairs else None for won, all_pairs in zip(wins.tolist(), pairs.tolist())]


def _intervals(
    ratios: Mapping[str, tuple[Any, Any]], ranks: Floats | None, is_empty: NDArray[np.bool_], resamples: int
) -> dict[str, tuple[float, float] | None]:
    """Percentile intervals. A resample in which a score is undefined is left out of that score's interval."""
    samples = is_empty.size
    if samples == 0:
        return dict.fromkeys(ratios)
    numerators = np.column_stack([each for each, _ in ratios.values()]).astype(np.float64)
    denominators = np.column_stack([each for _, each in ratios.values()]).astype(np.float64)
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    drawn: dict[str, list[float | None]] = {name: [] for name in ratios}
    if ranks is not None:
        drawn["no_target_AUROC"] = []
    step = max(1, BOOTSTRAP_CELLS // samples)
    for done in range(0, resamples, step):
        count = min(step, resamples - done)
        rows = generator.integers(0, samples, (count, samples)) + samples * np.arange(count)[:, None]
        # How often each sample was drawn.
        weights = np.bincount(rows.ravel(), minlength=count * samples).reshape(count, samples).astype(np.float64)
        below = weights @ denominators
        above = weights @ numerators
        for place, name in enumerate(ratios):
            drawn[name] += [a / b if b else None for a, b in zip(above[:, place].tolist(), below[:, place].tolist())]
        if ranks is not None:
            drawn["no_target_AUROC"] += _auroc(ranks, is_empty, weights)
    return {name: _percentiles([value for value in values if value is not None]) for name, values in drawn.items()}


def _percentiles(values: list[float]) -> tuple[float, float] | None:
    if not values:
        return None
    low, high = np.percentile(values, INTERVAL).tolist()
    return low, high


def _groups(table: SampleTable) -> dict[str, list[str]]:
    """The group of every sample, for each way of grouping that the samples have labels for."""
    groups = {}
    for name in ("domain", "change_type"):
        labels = [each[LABELS.index(name)] for each in table.labels]
        if any(labels):
            groups[f"by_{name}"] = [label or UNKNOWN for label in labels]
    area = table.column("reference_area")
    names = np.array(["empty", "small", "medium", "large"])
    groups["by_mask_size"] = names[np.searchsorted([1, SMALL, MEDIUM], area, side="right")].tolist()
    return groups


def _repetitions(table: SampleTable) -> dict[int, int]:
    """Index of every row with a repeated id, and the index of the first row with that id."""
    first_rows: dict[str, int] = {}
    repeated = {}
    for row, (sample_id, _, _) in enumerate(table.labels):
        if sample_id and first_rows.setdefault(sample_id, row) != row:
            repeated[row] = first_rows[sample_id]
    return repeated


def _list_samples(table: SampleTable, factor: int, boundary: bool) -> list[dict[str, Any]]:
    rows = []
    iou = sample_iou(table)
    bands = _fractions(*(table.column(name) for name in ("boundary_intersection", "boundary_union", "is_missing")))
    for row, (sample_id, domain, change_type) in enumerate(table.labels):
        shared, area, true_area, is_missing = table.numbers[row, :4].tolist()
        sample = {"sample_id": sample_id or None, "domain": domain or None, "change_type": change_type or None}
        sample |= {"IoU": iou[row].item() * factor}
        sample |= {"boundary_IoU": bands[row].item() * factor} if boundary else {}
        counts = {"intersection": shared, "prediction_area": area, "reference_area": true_area}
        rows.append(sample | counts | {"is_missing": bool(is_missing)})
    return sorted(rows, key=lambda row: (row["IoU"], row["sample_id"] or ""))
