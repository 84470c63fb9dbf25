# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Untrained segmenters that ignore the sentences: lower bounds for every model."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
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
        model (`str`, *optional*, defaults to `""`): Must be empty.
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
    """Leaves every mask empty, which is correct for no-target sentences."""

    name = "nothing"
    identity: Mapping[str, str] = {"kind": "nothing"}

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """See [`Segmenter.segment`]."""
        return [Answer(np.zeros(image_t1.size[::-1], dtype=bool), 0.0, 1.0) for _ in sentences]


class WholeImage:
    """Masks the complete image."""

    name = "whole image"
    identity: Mapping[str, str] = {"kind": "whole image"}

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """See [`Segmenter.segment`]."""
        return [Answer(np.ones(image_t1.size[::-1], dtype=bool), 1.0, 0.0) for _ in sentences]


class ChangeVectors:
    """
    Change vector analysis: pixels whose colour difference exceeds the threshold of Otsu's method, for every
    sentence. Images are standardised first, so that a different exposure does not count as a change.
    """

    name = "change vectors"
    identity: Mapping[str, str] = {"kind": "change_vectors"}

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """See [`Segmenter.segment`]."""
        from skimage.filters import threshold_otsu  # Imported here: nothing else in training needs scikit-image.

        length = np.linalg.norm(_standardized(image_t1) - _standardized(image_t2), axis=-1)
        # Otsu's method needs at least two values. Rounding errors between equal images are not a change.
        is_constant = length.max() - length.min() < 1e-6
        mask = np.zeros(length.shape, dtype=bool) if is_constant else length > threshold_otsu(length)
        return [Answer(mask, float(mask.any())) for _ in sentences]


def _standardized(image: Image.Image) -> npt.NDArray[np.float64]:
    """Each channel with mean 0 and variance 1."""
    pixels = np.asarray(image, dtype=np.float64)
    return (pixels - pixels.mean(axis=(0, 1))) / np.maximum(pixels.std(axis=(0, 1)), 1.0)


class UnionOracle:
    """
    The union of the true masks of a pair, for every sentence: the upper bound for a change detector that ignores
    sentences. It needs the truth, so it is used through [`~UnionOracle.segment_truths`]. If a mask of the pair cannot
    be read, the union lacks it, and the bound for the other sentences may be too high.
    """

    name = "union oracle"
    identity: Mapping[str, str] = {"kind": "union_oracle"}

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """Raises `TrainingError`: it needs the truth."""
        raise TrainingError("union_oracle needs the true masks, which this data lacks; score it on labelled pairs.")

    def segment_truths(
        self, image_t1: Image.Image, sentences: Sequence[str], truths: Sequence[npt.NDArray[np.bool_]]
    ) -> list[Answer]:
        """See [`TruthSegmenter.segment_truths`]."""
        union = np.logical_or.reduce([np.zeros(image_t1.size[::-1], dtype=bool), *truths])
        return [Answer(union, float(union.any())) for _ in sentences]
