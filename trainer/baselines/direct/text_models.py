# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Models that read a text and find it in an image: CLIPSeg, SAM 3, and Grounding DINO or OWLv2 with SAM 2."""

from collections.abc import Sequence

from PIL import Image

from mtrefseg.foundation import BoxFinder, ClipSeg, PromptedSegmenter, Sam3Finder
from trainer.evaluation import shown_name

from .asking import Finding, View, source_of, unite
from .painting import Painter
from .regions import Region


class ClipSegModel:
    """
    CLIPSeg: the pixels whose probability is above the threshold.

    Args:
        model (`str`): Hub id or folder, such as "CIDAS/clipseg-rd64-refined".
        threshold (`float`, *optional*, defaults to 0.4): Minimum probability.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
    """

    takes_two = False

    def __init__(self, model: str, threshold: float = 0.4, device: str | None = None) -> None:
        self._model = ClipSeg(model, device)
        self._threshold = threshold
        self.name = f"clipseg:{shown_name(model)}"
        self.identity = {"model": source_of(model), "threshold": f"{threshold:g}"}

    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        """See [`ImageModel.find`]; the score is the mean probability in the mask."""
        found = []
        for rated in self._model.rate(images[0], sentences):
            mask = rated > self._threshold
            found.append(unite(images[0], [(mask, float(rated[mask].mean()) if mask.any() else 0.0)]))
        return found


class Sam3Model:
    """
    SAM 3: the union of all objects that match the text, as its authors define the task.

    Args:
        model (`str`): Hub id or folder, such as "facebook/sam3".
        threshold (`float`, *optional*, defaults to 0.3): Minimum score of an object.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
    """

    takes_two = False

    def __init__(self, model: str, threshold: float = 0.3, device: str | None = None) -> None:
        self._finder = Sam3Finder(model, device, threshold)
        self.name = f"sam3:{shown_name(model)}"
        self.identity = {"model": source_of(model), "threshold": f"{threshold:g}"}

    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        """See [`ImageModel.find`]."""
        return [
            unite(images[0], [(found.mask, found.score) for found in things if found.mask is not None])
            for things in self._finder.find(images[0], sentences)
        ]


class GroundedSam2Model:
    """
    Grounding DINO or OWLv2 detects, SAM 2 segments. The box with the highest score is used, as is usual for referring
    expressions.

    Args:
        model (`str`): Hub id or folder of the detector, such as "IDEA-Research/grounding-dino-base".
        sam (`str`): Hub id or folder of SAM 2.
        threshold (`float`, *optional*): Minimum score of a box; by default 0.25, or 0.1 for OWL models.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
    """

    takes_two = False

    def __init__(self, model: str, sam: str, threshold: float | None = None, device: str | None = None) -> None:
        self._finder = BoxFinder(model, device, threshold)
        self._segmenter = PromptedSegmenter(sam, device)
        self.name = f"grounded_sam2:{shown_name(model)}"
        shown = "default" if threshold is None else f"{threshold:g}"
        self.identity = {"model": source_of(model), "sam": source_of(sam), "threshold": shown}

    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        """See [`ImageModel.find`]; the score is that of the box."""
        painter, found = Painter(self._segmenter, images), []
        for boxes in self._finder.find(images[0], sentences):
            best = sorted(boxes, key=lambda box: box.score)[-1:]
            found.append(unite(images[0], [(painter.paint(Region(0, box.corners))[0], box.score) for box in best]))
        return found
