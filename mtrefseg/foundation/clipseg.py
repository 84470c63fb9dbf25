# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""CLIPSeg: a map of probabilities for a text."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from transformers import AutoProcessor, CLIPSegForImageSegmentation

from .loading import load_part, load_third_party_model, to_model


class ClipSeg:
    """
    Rates how well each pixel matches a text. Its maps have 352 x 352 pixels and blurred borders.

    Args:
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.

    Raises:
        CheckpointError: If the model cannot be loaded.
    """

    def __init__(self, model: str, device: str | None = None) -> None:
        self._processor = load_part(AutoProcessor.from_pretrained, model)
        self._model = load_third_party_model(CLIPSegForImageSegmentation.from_pretrained, model, device)

    @torch.inference_mode()
    def rate(self, image: Image.Image, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """
        Rates the pixels of an image.

        Args:
            image (`PIL.Image.Image`): The image, RGB.
            texts (`Sequence[str]`): One or more texts; longer ones than the model supports are truncated.

        Returns:
            `np.ndarray`: Probabilities `(texts, height, width)`.
        """
        length = self._model.config.text_config.max_position_embeddings
        words = self._processor(
            text=list(texts), padding=True, truncation=True, max_length=length, return_tensors="pt"
        )
        pixels = self._processor(images=[image], return_tensors="pt")["pixel_values"]
        # The model wants an image for each text, and drops the batch dimension if there is only one.
        inputs = {**words, "pixel_values": pixels.expand(len(texts), -1, -1, -1)}
        logits = self._model(**to_model(inputs, self._model)).logits.float()
        logits = logits.reshape(len(texts), 1, *logits.shape[-2:])
        maps = F.interpolate(logits, (image.height, image.width), mode="bilinear").sigmoid()[:, 0]
        return maps.cpu().numpy()
