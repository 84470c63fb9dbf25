# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Segmenters that neither read nor learn: what a model must beat."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageFilter

from trainer.errors import TrainingError
from trainer.evaluation.segmenter import Answer


BLUR = 1 / 128
"""Radius of the blur before images are compared, as a share of their longer side."""


class ImageDifference:
    """
    Masks where the images differ, for every sentence: the difference of the blurred images in any colour, above a
    threshold.

    Args:
        model (`str`, *optional*, defaults to `""`): Takes none.
        threshold (`str`, *optional*, defaults to `"40"`): Smallest difference that counts, in grey levels, 1 to 255.
    """

    def __init__(self, model: str = "", threshold: str = "40") -> None:
        if model or not threshold.isdigit() or not 1 <= int(threshold) <= 255:
            raise TrainingError(f"image_difference takes a threshold from 1 to 255, not {model or threshold!r}.")
        self.threshold = int(threshold)
        self.name = "image difference"
        self.identity: Mapping[str, str] = {"kind": "image_difference", "threshold": threshold}

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """See [`Segmenter.segment`]."""
        blur = ImageFilter.GaussianBlur(max(image_t1.size) * BLUR)
        first, second = (np.asarray(image.filter(blur), dtype=np.int16) for image in (image_t1, image_t2))
        mask = np.abs(second - first).max(-1) >= self.threshold
        return [Answer(mask, 1.0) for _ in sentences]


class EmptyMask:
    """Leaves every mask empty, which is right wherever nothing fits."""

    name = "nothing"
    identity: Mapping[str, str] = {"kind": "nothing"}

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """See [`Segmenter.segment`]."""
        return [Answer(np.zeros(image_t1.size[::-1], dtype=bool), 0.0, 1.0) for _ in sentences]


class WholeImage:
    """Masks the whole image."""

    name = "whole image"
    identity: Mapping[str, str] = {"kind": "whole image"}

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """See [`Segmenter.segment`]."""
        return [Answer(np.ones(image_t1.size[::-1], dtype=bool), 1.0, 0.0) for _ in sentences]
