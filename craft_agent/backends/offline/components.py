# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Connected regions of a mask, with NumPy alone."""

import numpy as np
import numpy.typing as npt

from ...records import BoolMask


Labels = npt.NDArray[np.int32]


def label_components(mask: BoolMask) -> tuple[Labels, int]:
    """
    Numbers the connected regions of a mask; pixels that touch at a side belong together.

    Args:
        mask (`np.ndarray`): Booleans `(height, width)`.

    Returns:
        `np.ndarray`: int32 `(height, width)`: 0 outside, and 1, 2, … in the regions, in reading order.
        `int`: How many regions there are.
    """
    height, width = mask.shape
    # Horizontal runs: where they start and end in the picture laid out row by row.
    padded = np.zeros((height, width + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    if not rows.size:
        return np.zeros((height, width), dtype=np.int32), 0
    first, second = _touching_runs(rows, starts, ends, height)
    parents = _unite(rows.size, first, second)
    _, numbers = np.unique(parents, return_inverse=True)
    labels = np.zeros(height * width + 1, dtype=np.int32)
    # A running sum writes each run's number between its start and its end.
    np.add.at(labels, rows * width + starts, numbers.astype(np.int32) + 1)
    np.add.at(labels, rows * width + ends, -(numbers.astype(np.int32) + 1))
    return labels.cumsum(dtype=np.int32)[:-1].reshape(height, width), int(numbers.max()) + 1


def fill_holes(mask: BoolMask) -> BoolMask:
    """The mask with every hole filled: the pixels outside that are not connected with the picture's border."""
    outside = np.pad(~mask, 1, constant_values=True)
    labels, _ = label_components(outside)
    return np.asarray((labels != labels[0, 0])[1:-1, 1:-1])


def _touching_runs(
    rows: npt.NDArray[np.intp], starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp], height: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The pairs of runs in neighbouring rows that share a column."""
    row_first = np.searchsorted(rows, np.arange(height + 2))
    width = int(ends.max()) + 1
    # Within the next row, runs that end beyond this start and start before this end.
    lower = np.searchsorted(rows * width + ends, (rows + 1) * width + starts, side="right")
    upper = np.searchsorted(rows * width + starts, (rows + 1) * width + ends, side="left")
    lower = np.clip(lower, row_first[rows + 1], row_first[rows + 2])
    upper = np.clip(upper, row_first[rows + 1], row_first[rows + 2])
    counts = np.maximum(upper - lower, 0)
    first = np.repeat(np.arange(rows.size), counts)
    offsets = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
    return first, np.repeat(lower, counts) + offsets


def _unite(count: int, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """For each run the first run of its region."""
    parents = np.arange(count)
    while True:
        before = parents.copy()
        lowest = np.minimum(parents[first], parents[second])
        # Both runs and those they hang on take the lowest number; then every run follows its chain to the end.
        for each in (first, second):
            np.minimum.at(parents, parents[each], lowest)
            np.minimum.at(parents, each, lowest)
        while not np.array_equal(parents, parents[parents]):
            parents = parents[parents]
        if np.array_equal(parents, before):
            return parents
