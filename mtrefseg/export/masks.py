# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Converts mask logits to masks at the size of the image, in NumPy. [`sample_masks`] of the image processor does the same
in PyTorch, on any device; a test checks that both agree.
"""

from typing import TypeAlias

import numpy as np

from modeling_mtrefseg.canvas_mtrefseg import fitted_size, parts_of, sample_axis
from modeling_mtrefseg.object_colors_mtrefseg import logit_of


# Floats in a band of rows; the few bands in memory at a time fit into the cache of a CPU.
_FLOATS_PER_BAND = 1 << 17
_Samples: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Result of [`sample_axis`] for all positions on an axis."""


def sample_masks(
    mask_logits: np.ndarray, canvas_size: int, height: int, width: int, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """
    Masks at the original size of an image.

    Args:
        mask_logits (`np.ndarray` of shape `(num_masks, logits_height, logits_width)`): They cover the complete canvas.
        canvas_size (`int`): Side of the canvas in pixels.
        height, width (`int`): The original size of the image.
        threshold (`float`): Probability, 0 to 1, above which a pixel belongs to the mask.

    Returns:
        `tuple`: The masks (`bool` of shape `(num_masks, height, width)`) and the mean probability inside each
        (`float32` of shape `(num_masks,)`, 0 if the mask is empty).
    """
    fitted = fitted_size(height, width, canvas_size)
    axes = [
        sample_axis(own_length, fitted_length, canvas_size, map_length, range(own_length))
        for own_length, fitted_length, map_length in zip((height, width), fitted, mask_logits.shape[1:])
    ]
    masks = np.zeros((len(mask_logits), height, width), dtype=bool)
    scores = np.zeros(len(mask_logits), dtype=np.float32)
    lowest = logit_of(threshold)
    for number, logits in enumerate(mask_logits):
        # Most masks cover a small part of the image, and a pixel can only be inside next to a logit that is.
        inside = logits > lowest
        rows, columns = (_near(samples, inside.any(axis)) for samples, axis in zip(axes, (1, 0)))
        scores[number] = _sample(logits, axes, rows, columns, lowest, masks[number])
    return masks, scores


def _near(samples: _Samples, is_inside: np.ndarray) -> range:
    """The positions on an axis that are sampled at or between values of the map that are marked."""
    lower, upper, _ = samples
    marked = np.flatnonzero(is_inside)
    if not len(marked):
        return range(0)
    return range(int(np.searchsorted(upper, marked[0])), int(np.searchsorted(lower, marked[-1], side="right")))


def _sample(
    logits: np.ndarray, axes: list[_Samples], rows: range, columns: range, lowest: float, mask: np.ndarray
) -> float:
    """Samples a part of one mask into `mask`, in bands, and returns the mean probability inside."""
    (row_samples, column_samples), total, area = axes, 0.0, 0
    band_width = max(1, min(len(columns), _FLOATS_PER_BAND // logits.shape[1]))
    for band_columns in parts_of(len(columns), band_width):
        band_columns = columns[band_columns.start : band_columns.stop]
        spread = _spread(column_samples, band_columns, logits.shape[1])
        for band_rows in parts_of(len(rows), max(1, _FLOATS_PER_BAND // band_width)):
            band_rows = rows[band_rows.start : band_rows.stop]
            top, bottom, weights = (values[band_rows.start : band_rows.stop] for values in row_samples)
            first, last = int(top[0]), int(bottom[-1])
            # (few rows of logits, width of the logits) -> (the same rows, columns of the band)
            lines = logits[first : last + 1] @ spread
            above = lines[top - first]
            sampled = above + (lines[bottom - first] - above) * weights[:, None]
            inside = sampled > lowest
            mask[band_rows.start : band_rows.stop, band_columns.start : band_columns.stop] = inside
            # Most pixels are outside, and need no probability.
            probabilities = _sigmoid(sampled[inside])
            total, area = total + float(probabilities.sum(dtype=np.float64)), area + len(probabilities)
    return total / max(area, 1)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits, `float32` of the same shape."""
    return _sigmoid(logits.astype(np.float32))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    # An overflow of the exponential is a probability of 0.
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-logits))


def _spread(samples: _Samples, wanted: range, map_length: int) -> np.ndarray:
    """The interpolation at some positions as a matrix `(map_length, num_positions)`."""
    lower, upper, weights = (values[wanted.start : wanted.stop] for values in samples)
    spread = np.zeros((map_length, len(weights)), dtype=np.float32)
    positions = np.arange(len(weights))
    spread[lower, positions] = 1 - weights
    spread[upper, positions] += weights
    return spread
