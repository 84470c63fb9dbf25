# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Rows that read no sentence: what a score is worth is seen beside them. `everything` and `nothing` mask all pixels or
none, `difference` what the images differ in, `union-oracle` the true masks of all sentences of the pair.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainer.errors import TrainingError
from trainer.evaluation import Answer


Mask = npt.NDArray[np.bool_]


class BlindSegmenter:
    """
    Gives all sentences of a pair the same mask.

    Args:
        name (`str`): Its name in tables.
        draw (`Callable`): Gives a bool mask (height, width) of t1 and t2.
    """

    def __init__(self, name: str, draw: Callable[[Image.Image, Image.Image], Mask]) -> None:
        self.name = name
        self.identity: Mapping[str, str] = {"rule": name}
        self._draw = draw

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """See [`Segmenter.segment`]; the score of a mask is 1."""
        mask = self._draw(image_t1, image_t2)
        return [Answer(mask.copy(), float(mask.any())) for _ in sentences]


def everything() -> BlindSegmenter:
    """All pixels."""
    return BlindSegmenter("everything", lambda t1, t2: np.ones(t1.size[::-1], dtype=bool))


def nothing() -> BlindSegmenter:
    """No pixel: right where no change fits the sentence."""
    return BlindSegmenter("nothing", lambda t1, t2: np.zeros(t1.size[::-1], dtype=bool))


def difference() -> BlindSegmenter:
    """Change vector analysis: the length of the difference of colours, split in two by Otsu's method."""
    return BlindSegmenter("difference", different)


def different(image_t1: Image.Image, image_t2: Image.Image) -> Mask:
    """
    Where two images differ.

    Args:
        image_t1, image_t2 (`PIL.Image.Image`): RGB, of one size.

    Returns:
        `np.ndarray`: bool (height, width); all false if the images are equal up to brightness and contrast.
    """
    from skimage.filters import threshold_otsu  # Here: nothing else in training needs scikit-image.

    length = np.linalg.norm(_standardized(image_t1) - _standardized(image_t2), axis=-1)
    # Otsu's method needs two values at least. What rounding leaves of equal images is no change.
    if length.max() - length.min() < 1e-6:
        return np.zeros(length.shape, dtype=bool)
    return length > threshold_otsu(length)


def _standardized(image: Image.Image) -> npt.NDArray[np.float64]:
    """Each channel with mean 0 and variance 1, so that another exposure is no change."""
    pixels = np.asarray(image, dtype=np.float64)
    return (pixels - pixels.mean(axis=(0, 1))) / np.maximum(pixels.std(axis=(0, 1)), 1.0)


class UnionOracle:
    """
    The union of the true masks of a pair: the best that a perfect change detector can do without reading. It is asked
    through [`~UnionOracle.segment_truths`], since it needs the truth.
    """

    name = "union-oracle"
    identity: Mapping[str, str] = {"rule": "union-oracle"}

    def segment(
        self, image_t1: Image.Image, image_t2: Image.Image, sentences: Sequence[str], domain: str | None = None
    ) -> list[Answer]:
        """Raises `TrainingError`: there is no truth here."""
        raise TrainingError("union-oracle answers with the true masks, and here are none; score it on labelled pairs.")

    def segment_truths(self, image_t1: Image.Image, truths: Sequence[Mask | None]) -> list[Answer]:
        """
        The union, for each sentence of a pair.

        Args:
            image_t1 (`PIL.Image.Image`): The earlier image, for its size.
            truths (`Sequence[np.ndarray]`): The true mask of each sentence, bool (height, width); `None` if it cannot
                be read.

        Returns:
            `list[Answer]`: One a sentence, with the same mask; its score is 1.
        """
        known = [truth for truth in truths if truth is not None]
        union = np.logical_or.reduce([np.zeros(image_t1.size[::-1], dtype=bool), *known])
        return [Answer(union.copy(), float(union.any())) for _ in truths]
