# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A segmenter without weights: what differs in the box, and what has its colour. It does not read the text."""

import numpy as np
import numpy.typing as npt

from ...geometry import box_mask
from ...records import BoolMask, Box
from ..model_names import OFFLINE
from ..protocols import Segmentation, SegmentationPrompt
from ..regions import select_region
from .components import fill_holes, label_components
from .difference import Plane, blur
from .perceiver import COMPARISONS


BINS = 12
"""Steps of each colour channel when the colours in and around a thing are counted."""
RIM = 0.08
"""Share of a box's longer side that is added to it: boxes are often a little tight."""
SURE, POSSIBLE = 1.0, 0.5
"""Levels of difference from which a pixel belongs to the thing, and from which it does if its colour fits."""


class OfflineSegmenter:
    """Takes the pixels in the box that differ, and those that differ a little and have the colours of the former."""

    name = OFFLINE

    def segment(self, prompt: SegmentationPrompt) -> Segmentation:
        """Finds one region; without a box, the whole picture is one."""
        level = COMPARISONS.get(prompt.pair).level
        size = prompt.image.size
        box = prompt.box or Box(0, 0, *size)
        box = box.grow(round(RIM * max(box.right - box.left, box.bottom - box.top)), size)
        part = level[box.top : box.bottom, box.left : box.right]
        sure = part >= SURE
        if not sure.any():
            return Segmentation(np.zeros(level.shape, dtype=bool), 0.0)
        colors = np.asarray(prompt.image.crop(box), dtype=np.int64) * BINS // 256
        likely = _likelihood(colors, sure) >= 0.5
        region = _connected(sure | ((part >= POSSIBLE) & likely), sure)
        mask = box_mask(box, size)
        mask[box.top : box.bottom, box.left : box.right] = region
        if prompt.points:
            mask = select_region(mask, mask, None, prompt.points, any(point.positive for point in prompt.points))
        if not mask.any():
            return Segmentation(mask, 0.0)
        return Segmentation(mask, float(np.clip(level[mask].mean() / 3, 0.01, 1.0)))


def _likelihood(colors: npt.NDArray[np.int64], sure: BoolMask) -> Plane:
    """For each pixel, how much more common its colour is in the region than beside it, in `[0, 1]`."""
    codes = (colors[..., 0] * BINS + colors[..., 1]) * BINS + colors[..., 2]
    inside = np.bincount(codes[sure], minlength=BINS**3) / max(1, int(sure.sum()))
    outside = np.bincount(codes[~sure], minlength=BINS**3) / max(1, int((~sure).sum()))
    share = (inside / np.maximum(inside + outside, 1e-9)).astype(np.float32)
    return blur(share[codes][..., None], 1)[..., 0]


def _connected(region: BoolMask, sure: BoolMask) -> BoolMask:
    """The parts of a region that hold sure pixels, but for specks beside a large one, without holes."""
    labels, count = label_components(fill_holes(region))
    weights = np.bincount(labels[sure], minlength=count + 1)
    weights[0] = 0
    return np.asarray((weights >= max(1, 0.15 * weights.max()))[labels])
