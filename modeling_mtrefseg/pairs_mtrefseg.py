# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The pairs that the pipeline takes, and its results. Needs neither PyTorch nor transformers, so that exported models use
the same code.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from .object_choice_mtrefseg import answered_by


_REQUIRED, _OPTIONAL = ("image_t1", "image_t2"), ("text", "domain")


def check_pair(pair: Any) -> None:
    """
    Checks the keys of a pair.

    Args:
        pair (`dict`): With **image_t1** and **image_t2**, and optionally **text** and **domain**.

    Raises:
        TypeError: If it is not a dictionary.
        ValueError: If it has missing or unknown keys.
    """
    if not isinstance(pair, dict):
        raise TypeError(f"A pair is a dictionary with image_t1, image_t2 and text, not {type(pair)}.")
    if not {*_REQUIRED} <= pair.keys() <= {*_REQUIRED, *_OPTIONAL}:
        keys = ", ".join(map(str, pair)) or "none"
        raise ValueError(f"A pair has the keys image_t1 and image_t2, and optionally text and domain, not {keys}.")


def check_batch(texts: Sequence[Any]) -> None:
    """Raises a `ValueError` if only some pairs of a batch have sentences; `None` stands for a pair without."""
    if None in texts and any(text is not None for text in texts):
        raise ValueError("A batch cannot mix pairs with and without text: use batch_size=1, or two calls.")


def entry_of(
    text: str | None, mask: np.ndarray, score: float, no_target_score: float, answered_by: str, is_closest: bool
) -> dict[str, Any]:
    """
    The result for a sentence.

    Args:
        text (`str`, *optional*): The sentence; `None` for every change.
        mask (`np.ndarray` of shape `(height, width)`): Booleans.
        score, no_target_score, answered_by, is_closest: As they are.

    Returns:
        `dict`: The arguments by name; **mask** as a `PIL.Image.Image` in mode "L", 0 or 255.
    """
    return {
        "text": text,
        "mask": Image.fromarray(mask.astype(np.uint8) * 255),
        "score": score,
        "no_target_score": no_target_score,
        "answered_by": answered_by,
        "is_closest": is_closest,
    }


def entries_of(texts: Sequence[str | None], result: Mapping[str, Any], choose_objects: bool) -> list[dict[str, Any]]:
    """
    The results for the sentences about a pair.

    Args:
        texts (`Sequence[str | None]`): The sentences in order; only `None` for every change.
        result (`dict`): Arrays, or tensors on the CPU, of the pair from
            [`~MTRefSegProcessor.post_process_referring_segmentation`].
        choose_objects (`bool`): The processor's option.

    Returns:
        `list[dict]`: For each sentence the result of [`entry_of`].
    """
    names = ("scores", "no_target_scores", "is_closest")
    rows = zip(texts, np.asarray(result["masks"]), *(result[name].tolist() for name in names), strict=True)
    return [
        entry_of(text, mask, score, no_target_score, answered_by(text, choose_objects), is_closest)
        for text, mask, score, no_target_score, is_closest in rows
    ]


__all__ = ["check_batch", "check_pair", "entries_of", "entry_of"]
