# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Models that detect things by name, and models that segment what a box or points show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from PIL import Image
from transformers import (
    AutoModelForMaskGeneration,
    AutoModelForZeroShotObjectDetection,
    AutoProcessor,
    Sam2Processor,
    Sam3Model,
    Sam3Processor,
    Sam3TrackerModel,
    Sam3TrackerProcessor,
)
from transformers.utils import is_torchvision_available

from ..errors import PermanentError
from ..records import BoolMask, Box, Point
from .hub_models import load_model, load_part, to_model


@dataclass(frozen=True)
class Finding:
    """
    A detected thing.

    Args:
        box (`Box`): Where it is, at least one pixel wide and high.
        score (`float`): Confidence in `[0, 1]`.
        mask (`np.ndarray`, *optional*): Booleans `(height, width)`; `None` from models that only detect boxes.
    """

    box: Box
    score: float
    mask: BoolMask | None


class Finder(Protocol):
    """Detects things by name."""

    def find(self, image: Image.Image, text: str) -> list[Finding]:
        """Detects everything in an RGB image that fits a text, in any order."""
        ...


class Sam3Finder:
    """
    Detects with SAM 3, which reads a noun phrase and segments every thing that fits.

    Args:
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        threshold (`float`, *optional*, defaults to 0.3): Minimum score.

    Raises:
        PermanentError: If the model cannot be loaded.
    """

    def __init__(self, model: str, device: str | None = None, threshold: float | None = None) -> None:
        _need_torchvision(model)
        self._processor = load_part(Sam3Processor.from_pretrained, model)
        self._model = load_model(Sam3Model.from_pretrained, model, device)
        self._threshold = 0.3 if threshold is None else threshold

    def find(self, image: Image.Image, text: str) -> list[Finding]:
        """Detects everything in an RGB image that fits a text, with masks."""
        # The processor pads the text to this length, but does not truncate it.
        length = self._model.config.text_config.max_position_embeddings
        words = self._processor.tokenizer(
            text, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
        )
        pixels = self._processor(images=image, return_tensors="pt")["pixel_values"]
        outputs = self._model(**to_model({"pixel_values": pixels, **words}, self._model))
        result = self._processor.post_process_instance_segmentation(
            outputs, threshold=self._threshold, target_sizes=[(image.height, image.width)]
        )[0]
        masks = result["masks"].bool().cpu().numpy()
        return [
            Finding(box, score, mask)
            for (box, score), mask in zip(_boxes_and_scores(result, image.size), masks, strict=True)
        ]


class DetectorFinder:
    """
    Detects boxes with Grounding DINO or OWLv2.

    Args:
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        threshold (`float`, *optional*): Minimum score. Defaults to 0.25, or 0.1 for OWL models.

    Raises:
        PermanentError: If the model cannot be loaded, or is of another type.
    """

    def __init__(self, model: str, device: str | None = None, threshold: float | None = None) -> None:
        self._processor = load_part(AutoProcessor.from_pretrained, model)
        self._model = load_model(AutoModelForZeroShotObjectDetection.from_pretrained, model, device)
        kind = self._model.config.model_type
        if kind not in ("grounding-dino", "mm-grounding-dino", "owlv2", "owlvit"):
            raise PermanentError(f"{model} is a model of type {kind}; use a Grounding DINO or OWLv2 model")
        self._is_owl = kind.startswith("owl")
        self._threshold = (0.1 if self._is_owl else 0.25) if threshold is None else threshold

    def find(self, image: Image.Image, text: str) -> list[Finding]:
        """Detects everything in an RGB image that fits a text, without masks."""
        # Grounding DINO expects lower case, and names that end with a full stop.
        words: Any = [[text]] if self._is_owl else f"{' '.join(text.lower().replace('.', ' ').split())}."
        config = self._model.config
        length = config.text_config.max_position_embeddings if self._is_owl else config.max_text_len
        inputs = self._processor(images=image, text=words, truncation=True, max_length=length, return_tensors="pt")
        outputs = self._model(**to_model(inputs, self._model))
        options: dict[str, Any] = {} if self._is_owl else {"input_ids": inputs["input_ids"]}
        result = self._processor.post_process_grounded_object_detection(
            outputs, threshold=self._threshold, target_sizes=[(image.height, image.width)], **options
        )[0]
        return [Finding(box, score, None) for box, score in _boxes_and_scores(result, image.size)]


class PromptSegmenter:
    """
    Segments what a box or points show, with SAM 2 or the tracker of SAM 3.

    Args:
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        is_sam3 (`bool`, *optional*, defaults to `False`): Whether the model is SAM 3.

    Raises:
        PermanentError: If the model cannot be loaded.
    """

    def __init__(self, model: str, device: str | None = None, is_sam3: bool = False) -> None:
        _need_torchvision(model)
        processor = Sam3TrackerProcessor if is_sam3 else Sam2Processor
        weights = Sam3TrackerModel if is_sam3 else AutoModelForMaskGeneration
        self._processor = load_part(processor.from_pretrained, model)
        self._model = load_model(weights.from_pretrained, model, device)

    def segment(self, image: Image.Image, box: Box | None, points: Sequence[Point]) -> tuple[BoolMask, float]:
        """
        Segments one thing.

        Args:
            image (`PIL.Image.Image`): The image, RGB.
            box (`Box`, *optional*): The box around the thing.
            points (`Sequence[Point]`): Pixels inside and outside of it. A box or points must be given.

        Returns:
            `tuple[np.ndarray, float]`: Booleans `(height, width)`, and their IoU with the truth as predicted by the
            model, in `[0, 1]`.
        """
        prompts: dict[str, Any] = {}
        if box is not None:
            prompts["input_boxes"] = [[[float(side) for side in box]]]
        if points:
            # The centre of the pixel.
            prompts["input_points"] = [[[[point.x + 0.5, point.y + 0.5] for point in points]]]
            prompts["input_labels"] = [[[int(point.positive) for point in points]]]
        inputs = self._processor(images=image, **prompts, return_tensors="pt")
        sizes = inputs.pop("original_sizes")
        # A single point is ambiguous, so the model predicts several masks for it.
        is_ambiguous = box is None and len(points) == 1
        outputs = self._model(**to_model(inputs, self._model), multimask_output=is_ambiguous)
        scores = outputs.iou_scores[0, 0].float().cpu()
        best = int(scores.argmax())
        mask = self._processor.post_process_masks(outputs.pred_masks[:, :, best : best + 1].float().cpu(), sizes)[0]
        return mask[0, 0].numpy().astype(bool), float(scores[best].clamp(0, 1))


def _need_torchvision(model: str) -> None:
    # Without torchvision, the error of transformers would blame the files of the model.
    if not is_torchvision_available():
        raise PermanentError(f"cannot load {model}: its images are prepared with torchvision; pip install torchvision")


def _boxes_and_scores(result: dict[str, Any], size: tuple[int, int]) -> list[tuple[Box, float]]:
    """Boxes in whole pixels inside an image of `size` (width, height), and their scores."""
    found = []
    limits = torch.tensor([size[0], size[1], size[0], size[1]])
    sides = result["boxes"].float().cpu().clamp(min=0).minimum(limits)
    for corners, score in zip(sides.tolist(), result["scores"].float().cpu().tolist(), strict=True):
        left, top = min(int(corners[0]), size[0] - 1), min(int(corners[1]), size[1] - 1)
        box = Box(left, top, max(left + 1, round(corners[2])), max(top + 1, round(corners[3])))
        found.append((box, min(1.0, max(0.0, score))))
    return found
