# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
CLIPSeg, a small segmenter that reads text.

    craft-agent run PAIRS --out WORK --segmenter clipseg

It needs 0.6 GB and runs on a CPU, but its masks have 352 x 352 pixels and blurred borders.
"""

import threading

import torch
import torch.nn.functional as F
from transformers import AutoProcessor, CLIPSegForImageSegmentation

from .hub_models import load_model, load_part, refusing_without_memory, to_model
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
        self._processor = load_part(AutoProcessor.from_pretrained, model)
        self._model = load_model(CLIPSegForImageSegmentation.from_pretrained, model, device)
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
            RefusedError: If the image does not fit into the memory of the GPU.
        """
        view = look_at(prompt)
        with self._lock, torch.inference_mode(), refusing_without_memory():
            length = self._model.config.text_config.max_position_embeddings
            inputs = self._processor(
                text=[prompt.text], images=[view.image], truncation=True, max_length=length, return_tensors="pt"
            )
            logits = self._model(**to_model(inputs, self._model)).logits.float()
            # For a single image, the model drops the batch dimension.
            logits = logits.reshape(1, 1, *logits.shape[-2:])
            size = (view.image.height, view.image.width)
            probabilities = F.interpolate(logits, size, mode="bilinear").sigmoid()[0, 0].cpu().numpy()
        mask = select_region(probabilities > self._threshold, probabilities, view.box, view.points)
        return Segmentation(view.paste(mask), float(probabilities[mask].mean()) if mask.any() else 0.0)
