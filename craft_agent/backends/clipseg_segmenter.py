# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
CLIPSeg, a small segmenter that reads text.

    craft-agent run PAIRS --out WORK --segmenter clipseg

It needs 0.6 GB and runs on a CPU, but its masks have 352 x 352 pixels and blurred borders.
"""

import threading

from mtrefseg.foundation import ClipSeg

from .hub_models import delaying_without_memory, permanent_if_not_loaded
from .model_names import CLIPSEG_MODEL, model_name
from .protocols import Segmentation, SegmentationPrompt
from .regions import select_region
from .views import look_at


class ClipSegSegmenter:
    """
    Finds a thing by its name: in the map of probabilities, the region with the points, or the heaviest in the box.

    Args:
        model (`str`, *optional*): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        threshold (`float`, *optional*, defaults to 0.4): Minimum probability of a pixel.

    Raises:
        PermanentError: If the model cannot be loaded.
    """

    def __init__(self, model: str = CLIPSEG_MODEL, device: str | None = None, threshold: float | None = None) -> None:
        self.name = model_name("clipseg", model)
        with permanent_if_not_loaded():
            self._model = ClipSeg(model, device)
        self._threshold = 0.4 if threshold is None else threshold
        self._lock = threading.Lock()

    def segment(self, prompt: SegmentationPrompt) -> Segmentation:
        """
        Finds one region.

        Args:
            prompt (`SegmentationPrompt`): What to find.

        Returns:
            `Segmentation`: The mask with the size of the image, and the mean probability in it.

        Raises:
            TransientError: If the image does not fit into the free memory of the GPU.
        """
        view = look_at(prompt)
        with self._lock, delaying_without_memory():
            probabilities = self._model.rate(view.image, [prompt.text])[0]
        mask = select_region(probabilities > self._threshold, probabilities, view.box, view.points)
        return Segmentation(view.paste(mask), float(probabilities[mask].mean()) if mask.any() else 0.0)
