# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
MTRefSeg as a segmenter, so that a model trained on the data can improve the data.

    craft-agent run PAIRS --out WORK --segmenter mtrefseg --segmenter-model mtrefseg-r1
    craft-agent run PAIRS --out WORK --segmenter mtrefseg-changes --segmenter-model mtrefseg-r1
"""

import threading
from typing import Any

import numpy as np

from modeling_mtrefseg import MTRefSegPipeline
from mtrefseg.build.loading import find_device, load_model, load_processor
from mtrefseg.io import SCENES

from ..errors import RefusedError
from ..records import BoolMask, ImagePair
from .hub_models import delaying_without_memory, permanent_if_not_loaded
from .model_names import MTREFSEG_MODEL, model_name
from .protocols import Segmentation, SegmentationPrompt
from .regions import select_region


class MTRefSegSegmenter:
    """
    Segments with a model that sees both images.

    By sentence, the mask is the result of a stage 2 model for the whole sentence, clipped to the box and without the
    regions that contain a negative point. By change, it is one connected region of the mask of all changes, for which
    a stage 1 model is enough: the region with the points, or the largest one in the box.

    Args:
        model (`str`, *optional*): Hub id or folder.
        by_sentence (`bool`, *optional*, defaults to `True`): Whether to segment by sentence or by change.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        threshold (`float`, *optional*): Minimum probability of a pixel. Defaults to that of the model.
        domain (`str`, *optional*): "NS" or "RS". The prompt of the model names it, and it decides how the pipeline
            segments images that are larger than the canvas.

    Raises:
        PermanentError: If the model cannot be loaded, or lacks weights that are needed.
    """

    def __init__(
        self,
        model: str = MTREFSEG_MODEL,
        by_sentence: bool = True,
        device: str | None = None,
        threshold: float | None = None,
        domain: str | None = None,
    ) -> None:
        self.name = model_name("mtrefseg" if by_sentence else "mtrefseg-changes", model)
        self._by_sentence = by_sentence
        with permanent_if_not_loaded():
            processor = load_processor(model)
            weights = load_model(model, processor, find_device(device), accept_stage1=not by_sentence)
        scene = None if domain is None else SCENES[domain]
        self._pipeline = MTRefSegPipeline(model=weights, processor=processor, device=weights.device, domain=scene)
        self._threshold = threshold
        self._lock = threading.Lock()
        self._last: tuple[ImagePair, str | None, BoolMask, float] | None = None

    def segment(self, prompt: SegmentationPrompt) -> Segmentation:
        """
        Finds one region.

        Args:
            prompt (`SegmentationPrompt`): What to find.

        Returns:
            `Segmentation`: The mask with the size of the image, and the mean probability in the model's whole mask.

        Raises:
            RefusedError: If the model cannot read the sentence.
            TransientError: If the GPU runs out of memory.
        """
        sentence = prompt.sentence if self._by_sentence else None
        with self._lock, delaying_without_memory():
            # A change of state is asked about in both images, and all changes of a pair need the same mask.
            if self._last is None or self._last[0] is not prompt.pair or self._last[1] != sentence:
                self._last = (prompt.pair, sentence, *self._run(prompt.pair, sentence))
            mask, score = self._last[2:]
        # What a sentence describes may consist of several parts.
        mask = select_region(mask, mask, prompt.box, prompt.points, is_single=not self._by_sentence)
        return Segmentation(mask, score if mask.any() else 0.0)

    def _run(self, pair: ImagePair, sentence: str | None) -> tuple[BoolMask, float]:
        """The mask and score of the model."""
        inputs: dict[str, Any] = {"image_t1": pair.image_t1, "image_t2": pair.image_t2}
        if sentence is not None:
            inputs["text"] = sentence
        try:
            result = self._pipeline(inputs, threshold=self._threshold)[0]
        except ValueError as error:
            raise RefusedError(f"{self.name} cannot read the pair {pair.pair_id}: {error}") from error
        return np.asarray(result["mask"]) > 0, float(result["score"])
