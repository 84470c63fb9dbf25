# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Segmenters that read text: SAM 3, and Grounding DINO or OWLv2 with SAM 2.

    craft-agent run PAIRS --out WORK --segmenter sam3
    craft-agent run PAIRS --out WORK --segmenter grounded-sam2
    craft-agent run PAIRS --out WORK --segmenter grounded-sam2 --detector-model google/owlv2-base-patch16-ensemble

They need torchvision, which transformers uses to prepare images for SAM.
"""

import threading
from collections.abc import Sequence

import numpy as np
import torch

from ..records import BoolMask
from .hub_models import delaying_without_memory
from .model_names import DETECTOR_MODEL, SAM2_MODEL, SAM3_MODEL, model_name
from .protocols import Segmentation, SegmentationPrompt
from .text_finders import Finder, Finding, PromptSegmenter, TextFinder
from .views import View, look_at


MATCHING_IOU = 0.3
"""Minimum IoU of a finding and the requested box; the boxes of language models are imprecise."""


class TextSegmenter:
    """
    Detects a thing by its name and segments it.

    * Without box and points, the finding with the highest score is selected.
    * With a box, the finding that fits text and box best is selected. If none overlaps the box, the content of the box
      is segmented, since the finder may not know the name.
    * With points, the finding that contains all positive points is segmented again together with the points.

    Only the surroundings of the box are searched, enlarged.

    Args:
        name (`str`): Kind and models.
        finder (`Finder`): Detects by name.
        segmenter (`PromptSegmenter`): Segments by box and points.
    """

    def __init__(self, name: str, finder: Finder, segmenter: PromptSegmenter) -> None:
        self.name = name
        self._finder = finder
        self._segmenter = segmenter
        self._lock = threading.Lock()

    def segment(self, prompt: SegmentationPrompt) -> Segmentation:
        """
        Finds one region.

        Args:
            prompt (`SegmentationPrompt`): What to find.

        Returns:
            `Segmentation`: The mask with the size of the image; empty if nothing fits.

        Raises:
            TransientError: If the image does not fit into the free memory of the GPU.
        """
        view = look_at(prompt)
        with self._lock, torch.inference_mode(), delaying_without_memory():
            mask, score = self._segment(view, prompt.text)
        return Segmentation(view.paste(mask), score if mask.any() else 0.0)

    def _segment(self, view: View, text: str) -> tuple[BoolMask, float]:
        chosen = _choose(self._finder.find(view.image, text), view)
        if chosen is not None and chosen.mask is not None and not view.points:
            return chosen.mask, chosen.score
        box = view.box if chosen is None else chosen.box
        if box is None and not any(point.positive for point in view.points):
            return np.zeros((view.image.height, view.image.width), dtype=bool), 0.0
        mask, quality = self._segmenter.segment(view.image, box, view.points)
        return mask, quality * (1.0 if chosen is None else chosen.score)


def sam3_segmenter(
    model: str = SAM3_MODEL, device: str | None = None, threshold: float | None = None
) -> TextSegmenter:
    """
    SAM 3: its detector reads the text, its tracker segments by box and points.

    Args:
        model (`str`, *optional*): Hub id or folder. The model on the Hub is gated: request access on its page.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        threshold (`float`, *optional*, defaults to 0.3): Minimum score.

    Raises:
        PermanentError: If the model cannot be loaded.
    """
    finder = TextFinder(model, device, threshold, is_sam3=True)
    return TextSegmenter(model_name("sam3", model), finder, PromptSegmenter(model, device, is_sam3=True))


def grounded_sam2_segmenter(
    model: str = SAM2_MODEL,
    detector: str = DETECTOR_MODEL,
    device: str | None = None,
    threshold: float | None = None,
) -> TextSegmenter:
    """
    Grounding DINO or OWLv2 detects boxes, SAM 2 segments them.

    Args:
        model (`str`, *optional*): Hub id or folder of SAM 2.
        detector (`str`, *optional*): Hub id or folder of Grounding DINO, MM Grounding DINO, OWLv2 or OWL-ViT.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        threshold (`float`, *optional*): Minimum score. Defaults to 0.25, or 0.1 for OWL models.

    Raises:
        PermanentError: If a model cannot be loaded.
    """
    name = model_name("grounded-sam2", detector, model)
    return TextSegmenter(name, TextFinder(detector, device, threshold), PromptSegmenter(model, device))


def _choose(findings: Sequence[Finding], view: View) -> Finding | None:
    """The finding that fits the box and the points best, or `None`."""
    best, best_fit = None, 0.0
    for finding in findings:
        overlap = 1.0 if view.box is None else view.box.iou(finding.box)
        contains = all(_contains(finding, point.x, point.y) for point in view.points if point.positive)
        fit = finding.score * overlap
        if contains and fit > best_fit and (view.box is None or overlap >= MATCHING_IOU):
            best, best_fit = finding, fit
    return best


def _contains(finding: Finding, x: int, y: int) -> bool:
    return finding.box.left <= x < finding.box.right and finding.box.top <= y < finding.box.bottom
