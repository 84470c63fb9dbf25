# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds what changed with the project's own model.

The regions come from the mask of every change, for which no sentence is needed. It joins things that touch, such as
houses of a row. A region is therefore divided where it falls apart into large parts at a higher probability.
The model is also asked for all changes of each type. The type with the highest probability in a region is its type.
"""

import threading
from collections.abc import Mapping

import numpy as np
import torch
from skimage.segmentation import watershed

from modeling_mtrefseg.components_mtrefseg import label_components
from mtrefseg.build.loading import find_device, load_model, load_processor

from ...errors import RefusedError
from ...records import BoolMask, ChangeType, ImagePair
from ..hub_models import delaying_without_memory, permanent_if_not_loaded
from .difference import Comparison, Plane, describe_region


LEAST_SHARE = 0.001
"""Smallest region, as a share of the image."""
MOST_REGIONS = 30
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


class EveryChange:
    """
    Compares the images of pairs with a model. It may be used from several threads.

    Args:
        model (`str`): Folder or Hub id of a checkpoint.
        device (`str`, *optional*): The device; by default the first GPU if there is one.

    Raises:
        PermanentError: If the model cannot be loaded.
    """

    def __init__(self, model: str, device: str | None = None) -> None:
        with permanent_if_not_loaded():
            self._processor = load_processor(model)
            self._model = load_model(model, self._processor, find_device(device))
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
        probability, by_type = self._probabilities(pair)
        threshold = float(self._processor.image_processor.threshold)
        earlier, later = (np.asarray(image, dtype=np.float32) for image in (pair.image_t1, pair.image_t2))
        differences = []
        for mask in find_regions(probability, threshold):
            strength = float(probability[mask].mean())
            differences.append(describe_region(mask, strength, mask, earlier, later, best_type(mask, by_type)))
        differences.sort(key=lambda each: (-each.strength, each.box))
        return Comparison(probability / np.float32(max(threshold, 1e-3)), tuple(differences[:MOST_REGIONS]))

    def _probabilities(self, pair: ImagePair) -> tuple[Plane, dict[ChangeType, Plane]]:
        """How likely each pixel changed, and how likely it belongs to the changes of each type."""
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
            maps = self._processor.image_processor.sample_maps(logits, *reversed(pair.size))
        probability, *by_type = maps.sigmoid().cpu().numpy()
        return probability, dict(zip(QUESTIONS, by_type, strict=True))


def best_type(mask: BoolMask, by_type: Mapping[ChangeType, Plane]) -> ChangeType:
    """
    Chooses the change type of a region.

    Args:
        mask (`np.ndarray`): The region, booleans `(height, width)`, not empty.
        by_type (`Mapping[ChangeType, np.ndarray]`): How likely each pixel belongs to the changes of a type, float32
            `(height, width)`, 0 to 1.

    Returns:
        `ChangeType`: The one with the highest mean in the region; the first of several.
    """
    return max(by_type, key=lambda each: float(by_type[each][mask].mean()))


def find_regions(probability: Plane, threshold: float) -> list[BoolMask]:
    """
    Divides the pixels above a probability into regions.

    Args:
        probability (`np.ndarray`): float32 `(height, width)`, 0 to 1.
        threshold (`float`): The probability, 0 to 1.

    Returns:
        `list[np.ndarray]`: Booleans `(height, width)`, without overlap, none smaller than `LEAST_SHARE`.
    """
    levels = np.arange(threshold + STEP, 1.0, STEP)
    return [part for mask in _parts(probability > threshold) for part in _divided(mask, probability, levels)]


def _divided(mask: BoolMask, probability: Plane, levels: np.ndarray) -> list[BoolMask]:
    """A region, or what it falls apart into at the first level at which it does."""
    for number, level in enumerate(levels, 1):
        cores = _parts(mask & (probability > level))
        if not cores:
            break
        largest = max(map(np.count_nonzero, cores))
        cores = [core for core in cores if np.count_nonzero(core) >= LEAST_PART * largest]
        if len(cores) > 1 and sum(map(np.count_nonzero, cores)) >= KEPT_SHARE * np.count_nonzero(mask):
            markers = np.zeros(mask.shape, dtype=np.int32)
            for label, core in enumerate(cores, 1):
                markers[core] = label
            grown = watershed(-probability, markers, mask=mask)
            parts = [grown == label for label in range(1, len(cores) + 1)]
            return [each for part in parts for each in _divided(part, probability, levels[number:])]
    return [mask]


def _parts(mask: BoolMask) -> list[BoolMask]:
    """The connected parts of a mask that are large enough."""
    labels, count = label_components(mask)
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    return [labels == label for label in range(1, count + 1) if areas[label] >= LEAST_SHARE * mask.size]
