# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A segmenter that needs no other model: finds what differs in the box and what has its colours; reads no text."""

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from ...geometry import box_mask
from ...records import BoolMask, Box
from ..protocols import Segmentation, SegmentationPrompt
from ..regions import select_region
from .comparisons import DIFFERENCES, Comparisons
from .difference import Plane, blur


BINS = 12
"""Number of levels per colour channel in the histograms."""
MARGIN = 0.08
"""Share of a box's longer side that is added to it: boxes are often too tight."""
SURE, POSSIBLE = 1.0, 0.5
"""A pixel belongs to the thing from the first level of difference, and from the second if its colour fits."""
SPECK = 0.15
"""Parts with a smaller share of the largest part's sure pixels are dropped."""


class OfflineSegmenter:
    """
    Finds the pixels in the box that differ, and those that differ a little and have the same colours.

    Args:
        comparisons (`Comparisons`, *optional*): Where the images differ; by default image differencing.
    """

    def __init__(self, comparisons: Comparisons = DIFFERENCES) -> None:
        self.name = comparisons.name
        self._comparisons = comparisons

    def segment(self, prompt: SegmentationPrompt) -> Segmentation:
        """Finds one region; without a box, the whole image is searched."""
        level = self._comparisons.get(prompt.pair).level
        size = prompt.image.size
        box = prompt.box or Box(0, 0, *size)
        box = box.grow(round(MARGIN * max(box.right - box.left, box.bottom - box.top)), size)
        part = level[box.top : box.bottom, box.left : box.right]
        sure = part >= SURE
        if not sure.any():
            return Segmentation(np.zeros(level.shape, dtype=bool), 0.0)
        likely = _likelihood(prompt.image.crop(box), sure) >= 0.5
        mask = box_mask(box, size)
        mask[box.top : box.bottom, box.left : box.right] = _parts(sure | ((part >= POSSIBLE) & likely), sure)
        if prompt.points:
            mask = select_region(mask, mask, None, prompt.points, any(point.positive for point in prompt.points))
        if not mask.any():
            return Segmentation(mask, 0.0)
        return Segmentation(mask, float(np.clip(level[mask].mean() / 3, 0.01, 1.0)))


def _likelihood(image: Image.Image, sure: BoolMask) -> Plane:
    """For each pixel, how much more frequent its colour is inside the region than outside, in `[0, 1]`."""
    colors: npt.NDArray[np.int64] = np.asarray(image, dtype=np.int64) * BINS // 256
    codes = (colors[..., 0] * BINS + colors[..., 1]) * BINS + colors[..., 2]
    inside = np.bincount(codes[sure], minlength=BINS**3) / max(1, int(sure.sum()))
    outside = np.bincount(codes[~sure], minlength=BINS**3) / max(1, int((~sure).sum()))
    share = (inside / np.maximum(inside + outside, 1e-9)).astype(np.float32)
    return blur(share[codes][..., None], 1)[..., 0]


def _parts(region: BoolMask, sure: BoolMask) -> BoolMask:
    """The connected parts that contain sure pixels, without holes and without specks."""
    labels, count = ndimage.label(ndimage.binary_fill_holes(region))
    weights = np.bincount(labels[sure], minlength=count + 1)
    weights[0] = 0
    return np.asarray((weights >= max(1, SPECK * weights.max()))[labels])
