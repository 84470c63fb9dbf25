# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Converts boxes and points to masks with SAM 2."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from mtrefseg.foundation import EncodedImage, PromptedSegmenter

from .regions import Region


SAM2 = "facebook/sam2.1-hiera-large"
"""The default of the option `sam`."""


class Painter:
    """
    Segments regions of images. Each image is encoded once, when its first region is segmented.

    Args:
        segmenter ([`PromptedSegmenter`]): SAM 2.
        images (`Sequence[PIL.Image.Image]`): The images, RGB.
    """

    def __init__(self, segmenter: PromptedSegmenter, images: Sequence[Image.Image]) -> None:
        self._segmenter = segmenter
        self._images = images
        self._encoded: dict[int, EncodedImage] = {}

    def paint(self, region: Region) -> tuple[npt.NDArray[np.bool_], float]:
        """
        Segments the object in a region.

        Args:
            region ([`Region`]): A box, or a point.

        Returns:
            `tuple[np.ndarray, float]`: bool (height, width), and its IoU with the truth as predicted by SAM 2.
        """
        if region.image not in self._encoded:
            self._encoded[region.image] = self._segmenter.encode(self._images[region.image])
        clicks = [] if region.point is None else [(*region.point, True)]
        return self._segmenter.segment(self._encoded[region.image], region.corners, clicks)
