# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Selects the changed objects that fit a sentence best, for sentences whose mask would be empty."""

import numpy as np
import numpy.typing as npt

from .components_mtrefseg import label_components, with_edges


_NEAR = 1.5  # Objects whose mean logit is at most this far below that of the best one are selected, too.
_MARGIN = 0.4  # Selected pixels end up at most this far above the threshold: the score stays low.


def closest_changes(
    logits: npt.NDArray[np.float32],
    change_logits: npt.NDArray[np.float32],
    threshold: float,
    lowest: float,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """
    Raises the logits of the changed objects that fit a sentence best, for sentences whose mask is empty.

    Small objects are often found as a change, and the sentence fits them better than anything else in the images, but
    not well enough for the threshold. Their shape is taken from the mask of every change.

    Args:
        logits (`np.ndarray` of shape `(num_sentences, height, width)`): Mask logits of the sentences about a pair.
        change_logits (`np.ndarray` of shape `(height, width)`): Mask logits of every change.
        threshold (`float`): The logit above which a pixel is masked.
        lowest (`float`): The mean logit in the best object must be above this; otherwise nothing is selected.

    Returns:
        `np.ndarray` of shape `(num_sentences, height, width)`: The logits; those of sentences with a mask are not
        modified.
        `np.ndarray` of shape `(num_sentences,)`: Booleans: for which sentences objects were selected.
    """
    is_empty = logits.max((1, 2), initial=-np.inf) <= threshold
    is_closest = np.zeros(len(logits), dtype=bool)
    if not is_empty.any():
        return logits, is_closest
    labels, count = label_components(change_logits > threshold)
    if not count:
        return logits, is_closest
    near = with_edges(labels)
    raised = (threshold + _MARGIN * np.tanh(change_logits - threshold)).astype(np.float32)
    pixels = np.bincount(labels.ravel())[1:]
    result = logits.copy()
    for index in np.flatnonzero(is_empty):
        means = np.bincount(labels.ravel(), logits[index].ravel())[1:] / pixels
        if means.max() > lowest:
            selected = 1 + np.flatnonzero(means >= means.max() - _NEAR)
            result[index] = np.where(np.isin(near, selected), raised, logits[index])
            is_closest[index] = True
    return result, is_closest
