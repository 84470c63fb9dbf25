# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Segmenters that read: SAM 3, and Grounding DINO or OWLv2 with SAM 2.

    craft-agent run PAIRS --out WORK --segmenter sam3
    craft-agent run PAIRS --out WORK --segmenter grounded-sam2
    craft-agent run PAIRS --out WORK --segmenter grounded-sam2 --detector-model google/owlv2-base-patch16-ensemble

They need torchvision, for it is what transformers prepares pictures for SAM with.
"""

import threading
from collections.abc import Sequence

import numpy as np
import torch

from ..records import BoolMask
from .hub_models import refusing_without_memory
from .model_names import DETECTOR_MODEL, SAM2_MODEL, SAM3_MODEL, model_name
from .protocols import Segmentation, SegmentationPrompt
from .text_finders import DetectorFinder, Finder, Finding, Outliner, Sam3Finder
from .views import View, look_at


MATCHING_IOU = 0.3
"""A finding must overlap the box that was asked for that much; boxes of language models are rough."""


class TextSegmenter:
    """
    Finds a thing by its name and outlines it.

    * Without box and points, the finding of the highest score is meant.
    * With a box, it is the finding that fits text and box best. If none overlaps the box, the box is outlined: the
      name may be one that the finder does not know.
    * With points, the finding that holds all positive ones is outlined anew with the points as well.

    Only the surroundings of the box are looked at, enlarged.

    Args:
        name (`str`): Kind and models.
        finder (`Finder`): Finds by name.
        outliner (`Outliner`): Outlines boxes and points.
    """

    def __init__(self, name: str, finder: Finder, outliner: Outliner) -> None:
        self.name = name
        self._finder = finder
        self._outliner = outliner
        self._lock = threading.Lock()

    def segment(self, prompt: SegmentationPrompt) -> Segmentation:
        """
        Finds one region.

        Args:
            prompt (`SegmentationPrompt`): What to find.

        Returns:
            `Segmentation`: The mask at the picture's size; an empty one if nothing fits.

        Raises:
            RefusedError: If the picture does not fit into the memory of the graphics card.
        """
        view = look_at(prompt)
        with self._lock, torch.inference_mode(), refusing_without_memory():
            mask, score = self._segment(view, prompt.text)
        return Segmentation(view.paste(mask), score if mask.any() else 0.0)

    def _segment(self, view: View, text: str) -> tuple[BoolMask, float]:
        chosen = _choose(self._finder.find(view.image, text), view)
        if chosen is not None and chosen.mask is not None and not view.points:
            return chosen.mask, chosen.score
        box = view.box if chosen is None else chosen.box
        if box is None and not any(point.positive for point in view.points):
            return np.zeros((view.image.height, view.image.width), dtype=bool), 0.0
        mask, quality = self._outliner.outline(view.image, box, view.points)
        return mask, quality * (1.0 if chosen is None else chosen.score)


def sam3_segmenter(
    model: str = SAM3_MODEL, device: str | None = None, threshold: float | None = None
) -> TextSegmenter:
    """
    SAM 3 for all: its detector reads the text, its tracker takes boxes and points.

    Args:
        model (`str`, *optional*): Hub id or folder. The Hub's model must be asked for on its page first.
        device (`str`, *optional*): Where it shall run; by default the first graphics card, if there is one.
        threshold (`float`, *optional*, defaults to 0.3): Score that a finding must exceed.

    Raises:
        PermanentError: If it cannot be loaded.
    """
    finder = Sam3Finder(model, device, threshold)
    return TextSegmenter(model_name("sam3", model), finder, Outliner(model, device, is_sam3=True))


def grounded_sam2_segmenter(
    model: str = SAM2_MODEL,
    detector: str = DETECTOR_MODEL,
    device: str | None = None,
    threshold: float | None = None,
) -> TextSegmenter:
    """
    Grounding DINO or OWLv2 finds boxes, SAM 2 outlines them.

    Args:
        model (`str`, *optional*): Hub id or folder of SAM 2.
        detector (`str`, *optional*): Hub id or folder of Grounding DINO, MM Grounding DINO, OWLv2 or OWL-ViT.
        device (`str`, *optional*): Where they shall run; by default the first graphics card, if there is one.
        threshold (`float`, *optional*): Score that a finding must exceed. Defaults to 0.25, for OWL models to 0.1.

    Raises:
        PermanentError: If one cannot be loaded.
    """
    name = model_name("grounded-sam2", detector, model)
    return TextSegmenter(name, DetectorFinder(detector, device, threshold), Outliner(model, device))


def _choose(findings: Sequence[Finding], view: View) -> Finding | None:
    """The finding that is meant, `None` if none fits the box and the points."""
    best, best_fit = None, 0.0
    for finding in findings:
        overlap = 1.0 if view.box is None else view.box.iou(finding.box)
        holds = all(_holds(finding, point.x, point.y) for point in view.points if point.positive)
        fit = finding.score * overlap
        if holds and fit > best_fit and (view.box is None or overlap >= MATCHING_IOU):
            best, best_fit = finding, fit
    return best


def _holds(finding: Finding, x: int, y: int) -> bool:
    return finding.box.left <= x < finding.box.right and finding.box.top <= y < finding.box.bottom
