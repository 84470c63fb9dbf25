# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The steps from mask logits to masks that are the same with PyTorch and NumPy: for the image processor and for exported
models.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .object_choice_mtrefseg import ObjectChoice
from .object_colors_mtrefseg import without_other_colors


def check_thresholds(threshold: float | None, no_target_threshold: float | None) -> None:
    """
    Checks the two thresholds of post-processing; `None` stands for a default.

    Args:
        threshold (`float`, *optional*): Probability above which a pixel is masked.
        no_target_threshold (`float`, *optional*): No-target score above which a mask is emptied.

    Raises:
        ValueError: If one of them is not in 0..1, or is a truth value, which would count as 0 or 1.
    """
    for name, value in (("threshold", threshold), ("no_target_threshold", no_target_threshold)):
        if value is not None and (isinstance(value, bool | str) or not 0 <= value <= 1):
            raise ValueError(f"`{name}` is a probability: it must be from 0 to 1, not {value!r}.")


def keep_colors(
    logits: npt.NDArray[np.float32],
    image_colors: npt.NDArray[np.float32],
    choices: Sequence[ObjectChoice | None],
    threshold: float,
) -> npt.NDArray[np.float32]:
    """
    Removes the components of masks whose colour differs from that in the sentence.

    Args:
        logits (`np.ndarray` of shape `(num_sentences, height, width)`): Mask logits of the sentences about a pair.
        image_colors (`np.ndarray` of shape `(2, 3, height, width)`): t1 and t2 at the same size, RGB, 0 to 1.
        choices (`list[ObjectChoice | None]`): The colour in each sentence, if any.
        threshold (`float`): The logit above which a pixel is masked.

    Returns:
        `np.ndarray` of shape `(num_sentences, height, width)`: A copy of the logits, without those components.
    """
    kept = logits.copy()
    for index, choice in enumerate(choices):
        if choice is not None and choice.color is not None:
            kept[index] = without_other_colors(logits[index], image_colors, choice.color, choice.date, threshold)
    return kept


def pair_result(
    masks: Any, scores: Any, no_target_scores: Any, is_closest: Any, no_target_threshold: float | None
) -> dict[str, Any]:
    """
    The result for a pair; masks and scores of sentences that seem to have no target are emptied in place.

    Args:
        masks (array or tensor of shape `(num_sentences, height, width)`): Booleans.
        scores, no_target_scores (array or tensor of shape `(num_sentences,)`): See
            [`~MTRefSegImageProcessor.post_process_referring_segmentation`].
        is_closest (array or tensor of shape `(num_sentences,)`): Booleans: for which sentences the closest changes
            were selected.
        no_target_threshold (`float`, *optional*): No-target score above which a mask is emptied.

    Returns:
        `dict`: The arguments by name. `is_closest` is false where the mask is empty.
    """
    if no_target_threshold is not None:
        rejected = no_target_scores > no_target_threshold
        masks[rejected], scores[rejected] = False, 0.0
    return {
        "masks": masks,
        "scores": scores,
        "no_target_scores": no_target_scores,
        "is_closest": is_closest & masks.any(-1).any(-1),
    }


__all__ = ["check_thresholds", "keep_colors", "pair_result"]
