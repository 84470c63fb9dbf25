# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Models that find objects by name: SAM 3 with masks, Grounding DINO and OWLv2 with boxes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor, Sam3Model, Sam3Processor

from mtrefseg.build.loading import CheckpointError

from .loading import load_part, load_third_party_model, need_torchvision, to_model


@dataclass(frozen=True)
class Found:
    """
    An object in an image.

    Args:
        corners (`tuple[float, float, float, float]`): Its box in pixels, inside the image: left, top, right, bottom.
        score (`float`): Confidence in `[0, 1]`.
        mask (`np.ndarray`, *optional*): bool (height, width); `None` from models that only detect boxes.
    """

    corners: tuple[float, float, float, float]
    score: float
    mask: npt.NDArray[np.bool_] | None = field(default=None, repr=False)


class Sam3Finder:
    """
    SAM 3, which segments every object that matches a noun phrase.

    Args:
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        threshold (`float`, *optional*): Minimum score; 0.3 by default.

    Raises:
        CheckpointError: If the model cannot be loaded.
    """

    def __init__(self, model: str, device: str | None = None, threshold: float | None = None) -> None:
        need_torchvision(model)
        self._processor = load_part(Sam3Processor.from_pretrained, model)
        self._model = load_third_party_model(Sam3Model.from_pretrained, model, device)
        self._threshold = 0.3 if threshold is None else threshold

    @torch.inference_mode()
    def find(self, image: Image.Image, texts: Sequence[str]) -> list[list[Found]]:
        """
        Finds all matching objects for each text. The image is encoded once.

        Args:
            image (`PIL.Image.Image`): The image, RGB.
            texts (`Sequence[str]`): What to find; longer texts than the model supports are truncated.

        Returns:
            `list[list[Found]]`: For each text all objects with masks, in any order.
        """
        pixels = self._processor(images=image, return_tensors="pt")["pixel_values"]
        embeddings = self._model.get_vision_features(**to_model({"pixel_values": pixels}, self._model))
        return [self._find(image, text, embeddings) for text in texts]

    def _find(self, image: Image.Image, text: str, embeddings: Any) -> list[Found]:
        # The processor pads the text to this length, but does not truncate it.
        length = self._model.config.text_config.max_position_embeddings
        words = self._processor.tokenizer(
            text, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
        )
        outputs = self._model(vision_embeds=embeddings, **to_model(words, self._model))
        result = self._processor.post_process_instance_segmentation(
            outputs, threshold=self._threshold, target_sizes=[(image.height, image.width)]
        )[0]
        masks = result["masks"].bool().cpu().numpy()
        return [
            Found(corners, score, mask)
            for (corners, score), mask in zip(_boxes_and_scores(result, image.size), masks, strict=True)
        ]


class BoxFinder:
    """
    Grounding DINO, MM Grounding DINO, OWLv2 or OWL-ViT, which detect boxes.

    Args:
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        threshold (`float`, *optional*): Minimum score; by default 0.25, or 0.1 for OWL models.

    Raises:
        CheckpointError: If the model cannot be loaded, or is of another type.
    """

    def __init__(self, model: str, device: str | None = None, threshold: float | None = None) -> None:
        self._processor = load_part(AutoProcessor.from_pretrained, model)
        self._model = load_third_party_model(AutoModelForZeroShotObjectDetection.from_pretrained, model, device)
        kind = self._model.config.model_type
        if kind not in ("grounding-dino", "mm-grounding-dino", "owlv2", "owlvit"):
            raise CheckpointError(f"{model} is a model of type {kind}; use a Grounding DINO or OWLv2 model")
        self._is_owl = kind.startswith("owl")
        self._threshold = (0.1 if self._is_owl else 0.25) if threshold is None else threshold

    @torch.inference_mode()
    def find(self, image: Image.Image, texts: Sequence[str]) -> list[list[Found]]:
        """
        Detects all matching objects for each text.

        Args:
            image (`PIL.Image.Image`): The image, RGB.
            texts (`Sequence[str]`): What to find; longer texts than the model supports are truncated.

        Returns:
            `list[list[Found]]`: For each text all objects without masks, in any order.
        """
        return [self._find(image, text) for text in texts]

    def _find(self, image: Image.Image, text: str) -> list[Found]:
        # Grounding DINO expects lower case, and names with a full stop at the end.
        words: Any = [[text]] if self._is_owl else f"{' '.join(text.lower().replace('.', ' ').split())}."
        config = self._model.config
        length = config.text_config.max_position_embeddings if self._is_owl else config.max_text_len
        inputs = self._processor(images=image, text=words, truncation=True, max_length=length, return_tensors="pt")
        outputs = self._model(**to_model(inputs, self._model))
        options: dict[str, Any] = {} if self._is_owl else {"input_ids": inputs["input_ids"]}
        result = self._processor.post_process_grounded_object_detection(
            outputs, threshold=self._threshold, target_sizes=[(image.height, image.width)], **options
        )[0]
        return [Found(corners, score) for corners, score in _boxes_and_scores(result, image.size)]


def _boxes_and_scores(
    result: dict[str, Any], size: tuple[int, int]
) -> list[tuple[tuple[float, float, float, float], float]]:
    """Boxes inside an image of `size` (width, height), and their scores."""
    limits = torch.tensor([size[0], size[1], size[0], size[1]])
    boxes = result["boxes"].float().cpu().clamp(min=0).minimum(limits).tolist()
    scores = result["scores"].float().cpu().clamp(0, 1).tolist()
    return [((left, top, right, bottom), score) for (left, top, right, bottom), score in zip(boxes, scores)]
