# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Scores of masks whose objects are selected by words, in NumPy, for exported models, too."""

import numpy as np

from .canvas_mtrefseg import fitted_size, parts_of, sample_axis
from .object_choice_mtrefseg import ObjectChoice, keep_chosen


_PIXELS_PER_BAND = 1 << 20


def keep_chosen_with_score(
    mask: np.ndarray, score: float, mask_logits: np.ndarray, choice: ObjectChoice, canvas_size: int
) -> tuple[np.ndarray, float]:
    """
    Like [`keep_chosen`], for a mask with a score.

    Args:
        mask (`np.ndarray` of shape `(height, width)`): Booleans.
        score (`float`): Mean probability inside the mask.
        mask_logits (`np.ndarray` of shape `(logits_height, logits_width)`): They cover the complete canvas.
        choice ([`ObjectChoice`]): The choice.
        canvas_size (`int`): Side of the canvas in pixels.

    Returns:
        `tuple`: The mask of the selected components, and the mean probability inside it, 0 if it is empty.
    """
    kept = keep_chosen(mask, choice)
    if np.array_equal(kept, mask):
        return mask, score
    return kept, mean_probability(mask_logits, kept, canvas_size)


def mean_probability(mask_logits: np.ndarray, mask: np.ndarray, canvas_size: int) -> float:
    """
    The score of a mask: the mean probability of its pixels.

    Args:
        mask_logits (`np.ndarray` of shape `(logits_height, logits_width)`): They cover the complete canvas.
        mask (`np.ndarray` of shape `(height, width)`): Booleans, at the original size of the image.
        canvas_size (`int`): Side of the canvas in pixels.

    Returns:
        `float`: 0 to 1; 0 if the mask is empty.
    """
    height, width = mask.shape
    fitted_height, fitted_width = fitted_size(height, width, canvas_size)
    column_samples = sample_axis(width, fitted_width, canvas_size, mask_logits.shape[1], range(width))
    total, area = 0.0, 0
    for band in parts_of(height, max(1, _PIXELS_PER_BAND // width)):
        rows, columns = mask[band.start : band.stop].nonzero()
        if not len(rows):
            continue
        row_samples = sample_axis(height, fitted_height, canvas_size, mask_logits.shape[0], band)
        top, bottom, row_weights = (values[rows] for values in row_samples)
        left, right, column_weights = (values[columns] for values in column_samples)
        above, below = (
            (1 - column_weights) * mask_logits[row, left] + column_weights * mask_logits[row, right]
            for row in (top, bottom)
        )
        logits = (1 - row_weights) * above + row_weights * below
        # The logistic function; in this form, nothing overflows.
        total += float((0.5 + 0.5 * np.tanh(0.5 * logits)).sum(dtype=np.float64))
        area += len(rows)
    return total / max(area, 1)


__all__ = ["keep_chosen_with_score", "mean_probability"]
