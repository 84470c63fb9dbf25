# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Scores of a set of masks, collected sample by sample. Requires only NumPy."""

import math
from array import array
from collections.abc import Iterable, Mapping, Sized
from itertools import zip_longest
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np

from .mask_counts import SampleCounts, count_masks
from .scores import (
    COLUMNS,
    LABELS,
    SampleTable,
    check_flags,
    compute_scores,
    from_state,
    merge_tables,
    name_sample,
    only_some_scores,
    printable,
    refuse_duplicates,
)


Row: TypeAlias = tuple[SampleCounts, float, tuple[str, str, str]]
"""Integers, no-target score (NaN for none) and labels of a sample."""

_END = object()


class MaskScores:
    """
    Scores a set of masks sample by sample. Masks are reduced to integers when they are added: a sample takes about 60
    bytes in addition to its labels, independent of the size of its masks.

    Args:
        boundary (`bool`, *optional*, defaults to `False`): Whether to measure boundary IoU as well.
    """

    def __init__(self, boundary: bool = False) -> None:
        check_flags(boundary=boundary)
        self.boundary = boundary
        self._numbers = array("q")
        self._no_target_scores = array("d")
        self._labels: list[tuple[str, str, str]] = []
        self._num_duplicates_removed = 0
        self._has_scores: bool | None = None

    def __len__(self) -> int:
        return len(self._labels)

    def add(
        self,
        prediction: Any,
        reference: Any,
        *,
        sample_id: str | int | None = None,
        domain: str | None = None,
        change_type: str | None = None,
        score: float | None = None,
    ) -> None:
        """
        Adds one sample.

        Args:
            prediction (`array`, `Tensor`, `PIL.Image.Image`, `dict` or `None`): The predicted mask; `None` if missing.
            reference (`array`, `Tensor`, `PIL.Image.Image` or `dict`): The true mask, of the same height and width.
            sample_id (`str` or `int`, *optional*): A unique name.
            domain (`str`, *optional*): Such as "NS" or "RS".
            change_type (`str`, *optional*): Such as "appear".
            score (`float`, *optional*): Probability that nothing matches the sentence, 0 to 1.

        Raises:
            ValueError: If an argument is invalid; the message names the sample, and nothing is added.
        """
        self.add_batch(
            [prediction],
            [reference],
            sample_ids=[sample_id],
            domains=[domain],
            change_types=[change_type],
            scores=[score],
        )

    def add_batch(
        self,
        predictions: Iterable[Any],
        references: Iterable[Any],
        *,
        sample_ids: Iterable[str | int | None] | None = None,
        domains: Iterable[str | None] | None = None,
        change_types: Iterable[str | None] | None = None,
        scores: Iterable[float | None] | None = None,
    ) -> None:
        """Adds several samples, as in [`MaskScores.add`]: all of them, or none if one raises an error."""
        columns = {"sample_ids": sample_ids, "domains": domains, "change_types": change_types, "scores": scores}
        rows = reduce_batch(predictions, references, columns, boundary=self.boundary, num_before=len(self))
        self._has_scores = have_scores(rows, self._has_scores, num_before=len(self))
        for counts, score, labels in rows:
            self._numbers.extend(counts)
            self._no_target_scores.append(score)
            self._labels.append(labels)

    def state(self) -> dict[str, Any]:
        """The counts as a dict of lists, which JSON can store without loss, for [`merge`] and [`from_state`]."""
        return self._table().to_state()

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "MaskScores":
        """
        The scores of a result of [`MaskScores.state`] or [`merge`].

        Args:
            state (`dict`): The state.
        """
        table = from_state(state)
        scores = cls(boundary=bool((table.column("boundary_union") >= 0).all()))
        scores._numbers.extend(table.numbers.ravel().tolist())
        scores._no_target_scores.extend(table.no_target_scores.tolist())
        scores._labels = table.labels
        scores._num_duplicates_removed = table.num_duplicates_removed
        scores._has_scores = table.has_scores
        return scores

    def compute(
        self, *, bootstrap: int = 0, convention: str = "reference", percent: bool = True, per_sample: bool = False
    ) -> dict[str, Any]:
        """
        Computes the scores of all samples so far.

        Args:
            bootstrap (`int`, *optional*, defaults to 0): Resamples for 95 % intervals; 0 for none.
            convention (`str`, *optional*, defaults to `"reference"`): `"nonempty"` leaves samples whose
                true mask is empty out of the means.
            percent (`bool`, *optional*, defaults to `True`): Scores from 0 to 100; otherwise 0 to 1.
            per_sample (`bool`, *optional*, defaults to `False`): Whether to list every sample, worst first.

        Returns:
            `dict[str, Any]`: Scores, counters and groups, see README.md.

        Raises:
            ValueError: If an option has another value, or two samples have the same id.
        """
        table = self._table()
        refuse_duplicates(table)
        return compute_scores(
            table,
            boundary=self.boundary,
            bootstrap=bootstrap,
            convention=convention,
            percent=percent,
            per_sample=per_sample,
        )

    def _table(self) -> SampleTable:
        numbers = np.array(self._numbers, dtype=np.int64).reshape(-1, len(COLUMNS))
        scores = np.array(self._no_target_scores, dtype=np.float64)
        return SampleTable(numbers, scores, list(self._labels), self._num_duplicates_removed)


def score_masks(
    predictions: Iterable[Any],
    references: Iterable[Any],
    *,
    sample_ids: Iterable[str | int | None] | None = None,
    domains: Iterable[str | None] | None = None,
    change_types: Iterable[str | None] | None = None,
    scores: Iterable[float | None] | None = None,
    boundary: bool = False,
    bootstrap: int = 0,
    convention: str = "reference",
    percent: bool = True,
    per_sample: bool = False,
) -> dict[str, Any]:
    """
    Scores a set of masks, as `evaluate.load("mtrs_iou").compute(...)` does, without `evaluate`. Generators are read
    mask by mask, so a set may be larger than the memory.

    The arguments and the result are those of [`MaskScores.add_batch`] and [`MaskScores.compute`].
    """
    mask_scores = MaskScores(boundary=boundary)
    mask_scores.add_batch(
        predictions, references, sample_ids=sample_ids, domains=domains, change_types=change_types, scores=scores
    )
    return mask_scores.compute(bootstrap=bootstrap, convention=convention, percent=percent, per_sample=per_sample)


def merge(states: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """
    Merges the states of sets that were scored separately, in any order and any grouping. The scores of the result are
    identical to those of the whole set scored at once. The arguments are not changed.

    A sample with the same id, integers, score and labels as an earlier one is dropped: samplers repeat samples so that
    all processes get equally many. The result counts them as `num_duplicates_removed`.

    Args:
        states (`Iterable[dict]`): Results of [`MaskScores.state`] or [`merge`].

    Returns:
        `dict`: The state of the whole set.

    Raises:
        ValueError: If two different samples have the same id.
    """
    return merge_tables([from_state(state) for state in states]).to_state()


def reduce_batch(
    predictions: Iterable[Any],
    references: Iterable[Any],
    columns: Mapping[str, Iterable[Any] | None],
    *,
    boundary: bool,
    num_before: int,
) -> list[Row]:
    """
    Integers, no-target score and labels of every sample. Masks are read one by one, and none is kept.

    Args:
        predictions, references (`Iterable`): See [`MaskScores.add_batch`].
        columns (`dict`): Its other columns, by name; `None` for those that are not given.
        boundary (`bool`): Whether to measure boundary IoU as well.
        num_before (`int`): Number of samples that were added before, for error messages.

    Raises:
        ValueError: If columns differ in length, or a sample cannot be read.
    """
    check_flags(boundary=boundary)
    given = {"predictions": predictions, "references": references}
    given |= {name: column for name, column in columns.items() if column is not None}
    for name, column in given.items():
        if not isinstance(column, Iterable) or isinstance(column, Mapping | str | bytes):
            raise ValueError(f"{name} must be a list with one entry for each sample")
    lengths = {name: len(column) for name, column in given.items() if isinstance(column, Sized)}
    if len(set(lengths.values())) > 1:
        listing = ", ".join(f"{length} {name}" for name, length in lengths.items())
        raise ValueError(f"every sample needs one of each, but there are {listing}")
    rows: list[Row] = []
    for values in zip_longest(*given.values(), fillvalue=_END):
        sample = dict(zip(given, values))
        ended = [name for name, value in sample.items() if value is _END]
        if ended:
            raise ValueError(f"{', '.join(ended)} ended after {len(rows)} samples, and the others are longer")
        rows.append(_reduce_sample(sample, boundary=boundary, number=num_before + len(rows)))
    return rows


def have_scores(rows: Iterable[Row], had_scores: bool | None, num_before: int) -> bool | None:
    """
    Whether samples have no-target scores. All have one or none has, except that missing predictions need none; that is
    checked here, because `compute` could only refuse all samples.

    Args:
        rows (`Iterable[Row]`): The samples.
        had_scores (`bool`, *optional*): The result for the samples that were added before.
        num_before (`int`): Number of samples that were added before, for error messages.

    Returns:
        `bool`, *optional*: For all samples so far; `None` if they are all missing predictions without a score.

    Raises:
        ValueError: If only some have a score.
    """
    for number, (counts, score, (sample_id, *_)) in enumerate(rows, start=num_before):
        has_score = not math.isnan(score)
        if not has_score and counts.is_missing:
            continue
        if had_scores is not None and has_score != had_scores:
            raise ValueError(only_some_scores(name_sample(sample_id, number), has_score))
        had_scores = has_score
    return had_scores


def _reduce_sample(sample: Mapping[str, Any], *, boundary: bool, number: int) -> Row:
    sample_id = sample.get("sample_ids")
    if isinstance(sample_id, Integral) and abs(int(sample_id)) < 2**64:
        sample_id = str(int(sample_id))
    name = f"sample number {number}"
    if sample_id is not None:
        name = f"sample '{printable(sample_id) if isinstance(sample_id, str) else _shown(sample_id)}'"
    labels = []
    for kind, label in zip(LABELS, (sample_id, sample.get("domains"), sample.get("change_types"))):
        if label is not None and (not isinstance(label, str) or not label):
            raise ValueError(
                f"{name}: its {kind} is {_shown(label)}; give a name or None (for a ClassLabel, use int2str)"
            )
        if label is not None and printable(label) != label:
            raise ValueError(f"{name}: its {kind} is {label!r}, which no file can hold as UTF-8; rename it")
        labels.append("" if label is None else str(label))
    score = _read_score(sample.get("scores"), name)
    counts = count_masks(sample["predictions"], sample["references"], boundary=boundary, name=name)
    return counts, score, (labels[0], labels[1], labels[2])


def _read_score(score: Any, name: str) -> float:
    """A no-target score as a float, NaN for none."""
    if score is None:
        return math.nan
    try:
        # `float` would read the number in a string.
        value = math.nan if isinstance(score, str | bytes | bytearray) else float(score)
    # RuntimeError: a tensor of several values, or of none.
    except (TypeError, ValueError, OverflowError, RuntimeError):
        value = math.nan
    if not 0 <= value <= 1:
        raise ValueError(
            f"{name}: its no-target score is {_shown(score)}; it must be a probability, a number from 0 to 1"
        )
    return value


def _shown(value: Any) -> str:
    """A value for an error message, on one line of moderate length."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:
        text = "an integer of thousands of digits"  # Python does not write those out.
    return text if len(text) <= 80 else f"{text[:80]}..."
