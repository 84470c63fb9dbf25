# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Masks as JSON: COCO RLE, polygons, scores. The API and the endpoints of the demo return the same objects."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mtrefseg.scenes.sentences import change_type_of
from mtrefseg.view.outlines import polygons_of
from mtrs_iou import encode_rle

from .engine import Sentence


def describe_mask(
    sentence: Sentence, mask: npt.NDArray[np.bool_], score: float, no_target_score: float, is_closest: bool
) -> dict[str, Any]:
    """
    The result for one sentence.

    Args:
        sentence (`str`, *optional*): The sentence; `None` for every change.
        mask (`np.ndarray` of shape `(height, width)`): bool.
        score (`float`): Mean probability inside the mask, 0 to 1.
        no_target_score (`float`): Probability that the sentence has no target, 0 to 1.
        is_closest (`bool`): Whether nothing fits the sentence clearly, and the mask contains the changes that fit it
            best.

    Returns:
        `dict`: The fields of [`mtrefseg.serve.schemas.Mask`].
    """
    area = int(np.count_nonzero(mask))
    return {
        "sentence": sentence,
        "change_type": change_type_of(sentence),
        "found": area > 0,
        "score": round(float(score), 6),
        "no_target_score": round(float(no_target_score), 6),
        "is_closest": bool(is_closest),
        "area_pixels": area,
        "area_fraction": area / mask.size,
        "rle": encode_rle(mask),
        "polygons": polygons_of(mask),
    }
