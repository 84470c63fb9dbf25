# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds what changed with the project's own model.

The regions come from the mask of every change, for which no sentence is needed. It joins things that touch, such as
houses of a row. A region is therefore divided where it falls apart into large parts at a higher probability.
The model is also asked for all changes of each type. The type with the highest probability in a region is its type.

A large image from above is seen as a whole and in windows. Things that came or went, such as houses, are small in the
whole. Changes of state are only taken from the whole, since fields are large, and a window finds parts of them. Of
regions in the same place, the one with the higher probability is kept.
"""

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from scipy.special import expit
from skimage.segmentation import watershed

from modeling_mtrefseg.components_mtrefseg import label_components
from mtrefseg.build.loading import find_device, load_model, load_processor
from mtrefseg.io import SCENES
from mtrefseg.scenes.windows import OVERLAP, WindowPlan, blend_weights, plan_windows, widened_side, window_side

from ...errors import RefusedError
from ...records import BoolMask, Box, ChangeType, ImagePair
from ..hub_models import delaying_without_memory, permanent_if_not_loaded
from .difference import Comparison, Difference, Plane, mean_color


LEAST_SHARE = 0.001
"""Smallest region, as a share of the image or window in which it is seen."""
MOST_REGIONS = 30
"""Most regions of an image, or of a large image for each window."""
MOST_WINDOWS = 64
"""Windows of larger images are enlarged, so that there are at most this many."""
SAME_SHARE = 0.5
"""Two regions are the same thing if they share at least this part of the smaller one."""
STEP = 0.1
"""Distance of the probabilities at which regions may fall apart."""
KEPT_SHARE = 0.65
"""A region is divided only if its parts hold this share of its pixels."""
LEAST_PART = 0.15
"""A part smaller than this share of the largest one is a limb or an edge, and no thing of its own."""
QUESTIONS = {
    ChangeType.APPEAR: "everything that appeared",
    ChangeType.DISAPPEAR: "everything that disappeared",
    ChangeType.STATE_CHANGE: "everything that changed its state",
}
"""The sentence that asks for all changes of a type."""
Planes = npt.NDArray[np.float32]
"""Of every change and of each question, `(4, height, width)`."""


class Region(NamedTuple):
    """
    A region that changed.

    Args:
        box (`tuple[slice, slice]`): Its rows and columns.
        mask (`np.ndarray`): Its pixels, booleans with the size of the box.
        strength (`float`): Mean probability of its pixels.
        change_type (`ChangeType`): What happened.
    """

    box: tuple[slice, slice]
    mask: BoolMask
    strength: float
    change_type: ChangeType


class EveryChange:
    """
    Compares the images of pairs with a model. It may be used from several threads.

    Args:
        model (`str`): Folder or Hub id of a checkpoint.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        domain (`str`, *optional*): "NS" or "RS". Large images of normal scenes are only seen as a whole.

    Raises:
        PermanentError: If the model cannot be loaded.
    """

    def __init__(self, model: str, device: str | None = None, domain: str | None = None) -> None:
        with permanent_if_not_loaded():
            self._processor = load_processor(model)
            self._model = load_model(model, self._processor, find_device(device))
        self._images = self._processor.image_processor
        self._scene = None if domain is None else SCENES[domain]
        self._lock = threading.Lock()

    def compare(self, pair: ImagePair) -> Comparison:
        """
        Compares the images of a pair.

        Args:
            pair (`ImagePair`): The pair.

        Returns:
            `Comparison`: The level is the probability over the threshold of the checkpoint.

        Raises:
            RefusedError: If the model cannot read the images.
            TransientError: If the GPU runs out of memory.
        """
        threshold, plan = float(self._images.threshold), self._plan(*pair.size)
        planes = expit(self._logits(pair))
        regions = find_regions(planes, threshold, LEAST_SHARE * planes[0].size)
        if not plan.is_whole:
            whole, planes = planes, expit(self._blended_logits(pair, plan))
            found = find_regions(planes, threshold, LEAST_SHARE * plan.window_width * plan.window_height)
            things = [region for region in found if region.change_type is not ChangeType.STATE_CHANGE]
            regions = without_doubles([*regions, *things], pair.size)
            for region in regions:
                inside = planes[0][region.box]  # A view.
                np.maximum(inside, whole[0][region.box], out=inside, where=region.mask)
        clearest = sorted(regions, key=lambda one: -one.strength)[: MOST_REGIONS * plan.count]
        differences = sorted(_describe(clearest, pair), key=lambda each: (-each.strength, each.box))
        return Comparison(planes[0] / np.float32(max(threshold, 1e-3)), tuple(differences))

    def _plan(self, width: int, height: int) -> WindowPlan:
        """The windows, as a scene has them; a single one unless the image is large and from above."""
        canvas = self._images.size["height"]
        trained = getattr(self._images, "pixel_size", None)
        side = window_side("auto", width, height, canvas, None, trained, self._scene)
        return plan_windows(width, height, widened_side(side, width, height, MOST_WINDOWS, OVERLAP))

    def _logits(self, pair: ImagePair) -> Planes:
        """Where something changed, and where something of each type, as the model sees it at once."""
        questions = [list(QUESTIONS.values())]
        with self._lock, delaying_without_memory(), torch.inference_mode():
            try:
                inputs = self._processor(images_t1=[pair.image_t1], images_t2=[pair.image_t2], text=questions)
            except ValueError as error:
                raise RefusedError(f"the model cannot read the pair {pair.pair_id}: {error}") from error
            inputs = inputs.to(self._model.device)
            encoding = self._model.encode_pair(inputs.pop("pixel_values_t1"), inputs.pop("pixel_values_t2"))
            every = self._model(pair_encoding=encoding).mask_logits
            asked = self._model(pair_encoding=encoding, **inputs).mask_logits
            logits = torch.cat([every, asked]).float()
            return np.asarray(self._images.sample_maps(logits, *reversed(pair.size)).cpu().numpy())

    def _blended_logits(self, pair: ImagePair, plan: WindowPlan) -> Planes:
        """The logits of all windows."""
        logits = np.zeros((1 + len(QUESTIONS), plan.height, plan.width), dtype=np.float32)
        total = np.zeros((plan.height, plan.width), dtype=np.float32)
        weights = blend_weights(plan.window_height, plan.window_width)
        for left, top, width, height in (box for row in map(plan.boxes, plan.tops) for box in row):
            place = (left, top, left + width, top + height)
            window = ImagePair(pair.pair_id, pair.image_t1.crop(place), pair.image_t2.crop(place))
            rows, columns = slice(top, top + height), slice(left, left + width)
            logits[:, rows, columns] += weights * self._logits(window)
            total[rows, columns] += weights
        return logits / total


def _describe(regions: Sequence[Region], pair: ImagePair) -> list[Difference]:
    """Regions with their mean colours."""
    images = [np.asarray(image) for image in (pair.image_t1, pair.image_t2)]
    return [
        Difference(
            mask,
            Box(box[1].start, box[0].start, box[1].stop, box[0].stop),
            pair.size,
            change_type,
            round(strength, 4),
            *(mean_color(image[box], mask) for image in images),
        )
        for box, mask, strength, change_type in regions
    ]


def find_regions(planes: Planes, threshold: float, least_pixels: float) -> list[Region]:
    """
    Divides the pixels that changed into regions without overlap.

    Args:
        planes (`np.ndarray`): The probability of a change and of each question, float32 `(4, height, width)`, 0 to 1.
        threshold (`float`): The probability of a change from which a pixel belongs to a region, 0 to 1.
        least_pixels (`float`): Regions are at least this large.

    Returns:
        `list[Region]`: The regions. The type of each is that of the question with the highest mean in it; the first of
        several.
    """
    levels = np.arange(threshold + STEP, 1.0, STEP)
    regions = []
    for box, mask in _parts(planes[0] > threshold, least_pixels):
        inside = planes[:, box[0], box[1]]
        for part in _divided(mask, inside[0], levels, least_pixels):
            every, *by_type = (float(plane[part].mean()) for plane in inside)
            [(rows, columns)] = ndimage.find_objects(part.astype(np.uint8))
            place = (_moved(rows, box[0].start), _moved(columns, box[1].start))
            regions.append(Region(place, part[rows, columns], every, list(QUESTIONS)[int(np.argmax(by_type))]))
    return regions


def _moved(part: slice, start: int) -> slice:
    return slice(start + part.start, start + part.stop)


def without_doubles(regions: Sequence[Region], size: tuple[int, int]) -> list[Region]:
    """
    Leaves out regions that share half of their pixels with a clearer one, or hold half of it.

    Args:
        regions (`Sequence[Region]`): The regions.
        size (`tuple[int, int]`): Width and height of the image.

    Returns:
        `list[Region]`: The others, the one with the highest probability first.
    """
    owners = np.zeros(size[::-1], dtype=np.int32)  # The number of the kept region of each pixel.
    areas = [0]
    kept = []
    for region in sorted(regions, key=lambda one: -one.strength):
        area = int(np.count_nonzero(region.mask))
        shared = np.bincount(owners[region.box][region.mask], minlength=len(areas))[1:]
        if (shared >= SAME_SHARE * np.minimum(area, areas[1:])).any():
            continue
        kept.append(region)
        areas.append(area)
        owners[region.box][region.mask] = len(kept)
    return kept


def _divided(mask: BoolMask, probability: Plane, levels: np.ndarray, least_pixels: float) -> list[BoolMask]:
    """A region, or what it falls apart into at the first level at which it does."""
    for number, level in enumerate(levels, 1):
        cores = list(_parts(mask & (probability > level), least_pixels))
        if not cores:
            break
        areas = [np.count_nonzero(core) for _, core in cores]
        large = [(core, area) for core, area in zip(cores, areas) if area >= LEAST_PART * max(areas)]
        if len(large) > 1 and sum(area for _, area in large) >= KEPT_SHARE * np.count_nonzero(mask):
            markers = np.zeros(mask.shape, dtype=np.int32)
            for label, ((box, core), _) in enumerate(large, 1):
                markers[box][core] = label
            grown = watershed(-probability, markers, mask=mask)
            parts = [grown == label for label in range(1, len(large) + 1)]
            return [each for part in parts for each in _divided(part, probability, levels[number:], least_pixels)]
    return [mask]


def _parts(mask: BoolMask, least_pixels: float) -> list[tuple[tuple[slice, slice], BoolMask]]:
    """The connected parts of a mask that are large enough, each in its box."""
    labels, count = label_components(mask)
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    boxes = ndimage.find_objects(labels, count)
    return [(box, labels[box] == label) for label, box in enumerate(boxes, 1) if areas[label] >= least_pixels]
