# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Converts mask logits to masks at the size of the image, in NumPy. [`sample_masks`] of the image processor does the same
in PyTorch, on any device; a test checks that both agree.
"""

import math

import numpy as np

from modeling_mtrefseg.canvas_mtrefseg import fitted_size, parts_of, sample_axis


# Floats in a band of rows; the few bands in memory at a time fit into the cache of a CPU.
_FLOATS_PER_BAND = 1 << 17


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
    num_masks, logits_height, logits_width = mask_logits.shape
    fitted_height, fitted_width = fitted_size(height, width, canvas_size)
    masks = np.zeros((num_masks, height, width), dtype=bool)
    sums, areas = np.zeros(num_masks), np.zeros(num_masks, dtype=np.int64)
    lowest = _logit(threshold)
    band_width = max(1, min(width, _FLOATS_PER_BAND // max(1, num_masks, logits_width)))
    band_height = max(1, _FLOATS_PER_BAND // max(1, num_masks * band_width))
    for columns in parts_of(width, band_width):
        spread = _spread(sample_axis(width, fitted_width, canvas_size, logits_width, columns), logits_width)
        for rows in parts_of(height, band_height):
            top, bottom, weights = sample_axis(height, fitted_height, canvas_size, logits_height, rows)
            first, last = int(top[0]), int(bottom[-1])
            # (num_masks, few rows of logits, width of the logits) -> (num_masks, the same rows, columns of the band)
            lines = mask_logits[:, first : last + 1] @ spread
            above = lines[:, top - first]
            logits = above + (lines[:, bottom - first] - above) * weights[:, None]
            inside = logits > lowest
            masks[:, rows.start : rows.stop, columns.start : columns.stop] = inside
            # Most pixels of most masks are outside, and need no probability.
            counts = inside.sum(axis=(1, 2))
            areas += counts
            probabilities = _sigmoid(logits[inside])
            sums += [part.sum(dtype=np.float64) for part in np.split(probabilities, counts.cumsum()[:-1])]
    return masks, (sums / areas.clip(min=1)).astype(np.float32)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits, `float32` of the same shape."""
    return _sigmoid(logits.astype(np.float32))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    # An overflow of the exponential is a probability of 0.
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-logits))


def _logit(probability: float) -> float:
    if probability in (0, 1):
        return math.inf if probability else -math.inf
    return math.log(probability / (1 - probability))


def _spread(samples: tuple[np.ndarray, np.ndarray, np.ndarray], map_length: int) -> np.ndarray:
    """The interpolation as a matrix `(map_length, num_positions)`."""
    lower, upper, weights = samples
    spread = np.zeros((map_length, len(weights)), dtype=np.float32)
    positions = np.arange(len(weights))
    spread[lower, positions] = 1 - weights
    spread[upper, positions] += weights
    return spread
