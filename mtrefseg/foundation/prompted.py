# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Models that segment the object in a box or at points: SAM 2, or the tracker of SAM 3."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import AutoModelForMaskGeneration, Sam2Processor, Sam3TrackerModel, Sam3TrackerProcessor

from .loading import load_part, load_third_party_model, need_torchvision, to_model


Corners: TypeAlias = Sequence[float]
"""left, top, right, bottom in pixels."""
Click: TypeAlias = tuple[float, float, bool]
"""x and y in pixels, and whether the object is there."""


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """
    An image encoded by [`PromptedSegmenter`]; any number of objects can be segmented in it.

    Args:
        size (`tuple[int, int]`): Its width and height.
        embeddings (`list[torch.Tensor]`): The model's encoding.
    """

    size: tuple[int, int]
    embeddings: list[torch.Tensor] = field(repr=False)


class PromptedSegmenter:
    """
    Segments the object in a box or at points.

    Args:
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        is_sam3 (`bool`, *optional*, defaults to `False`): Whether the model is SAM 3.

    Raises:
        CheckpointError: If the model cannot be loaded.
    """

    def __init__(self, model: str, device: str | None = None, is_sam3: bool = False) -> None:
        need_torchvision(model)
        processor = Sam3TrackerProcessor if is_sam3 else Sam2Processor
        weights = Sam3TrackerModel if is_sam3 else AutoModelForMaskGeneration
        self._processor = load_part(processor.from_pretrained, model)
        self._model = load_third_party_model(weights.from_pretrained, model, device)

    @torch.inference_mode()
    def encode(self, image: Image.Image) -> EncodedImage:
        """Encodes an RGB image, which takes most of the time."""
        pixels = self._processor(images=image, return_tensors="pt")["pixel_values"]
        embeddings = self._model.get_image_embeddings(to_model({"pixel_values": pixels}, self._model)["pixel_values"])
        return EncodedImage(image.size, list(embeddings))

    @torch.inference_mode()
    def segment(
        self, image: EncodedImage, corners: Corners | None, clicks: Sequence[Click] = ()
    ) -> tuple[npt.NDArray[np.bool_], float]:
        """
        Segments one object.

        Args:
            image ([`EncodedImage`]): The image, from [`~PromptedSegmenter.encode`].
            corners (`Sequence[float]`, *optional*): The box around the object: left, top, right, bottom in pixels.
            clicks (`Sequence[tuple[float, float, bool]]`): Points (x, y) in pixels, and whether each is on the object.
                A box or clicks must be given.

        Returns:
            `tuple[np.ndarray, float]`: bool (height, width), and its IoU with the truth as predicted by the model, in
            `[0, 1]`.
        """
        prompts: dict[str, Any] = {}
        if corners is not None:
            prompts["input_boxes"] = [[[float(side) for side in corners]]]
        if clicks:
            prompts["input_points"] = [[[[float(x), float(y)] for x, y, _ in clicks]]]
            prompts["input_labels"] = [[[int(is_inside) for _, _, is_inside in clicks]]]
        width, height = image.size
        inputs = self._processor(original_sizes=[[height, width]], **prompts, return_tensors="pt")
        sizes = inputs.pop("original_sizes")
        # A single point is ambiguous, so the model predicts several masks for it.
        is_ambiguous = corners is None and len(clicks) == 1
        outputs = self._model(
            image_embeddings=image.embeddings, **to_model(inputs, self._model), multimask_output=is_ambiguous
        )
        scores = outputs.iou_scores[0, 0].float().cpu()
        best = int(scores.argmax())
        mask = self._processor.post_process_masks(outputs.pred_masks[:, :, best : best + 1].float().cpu(), sizes)[0]
        return mask[0, 0].numpy().astype(bool), float(scores[best].clamp(0, 1))
