# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Models that detect things by name, and models that segment what a box or points show, in terms of this package."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from mtrefseg.foundation import BoxFinder, Found, PromptedSegmenter, Sam3Finder

from ..records import BoolMask, Box, Point
from .hub_models import permanent_if_not_loaded


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


class TextFinder:
    """
    Detects with SAM 3 or, as boxes without masks, with Grounding DINO or OWLv2.

    Args:
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        threshold (`float`, *optional*): Minimum score. Defaults to 0.3 for SAM 3, 0.25 for Grounding DINO, and 0.1 for
            OWL models.
        is_sam3 (`bool`, *optional*, defaults to `False`): Whether the model is SAM 3.

    Raises:
        PermanentError: If the model cannot be loaded, or is of another type.
    """

    def __init__(
        self, model: str, device: str | None = None, threshold: float | None = None, is_sam3: bool = False
    ) -> None:
        with permanent_if_not_loaded():
            self._finder = (Sam3Finder if is_sam3 else BoxFinder)(model, device, threshold)

    def find(self, image: Image.Image, text: str) -> list[Finding]:
        """Detects everything in an RGB image that fits a text, in any order."""
        return [
            Finding(_box(found, image.size), found.score, found.mask) for found in self._finder.find(image, [text])[0]
        ]


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
        with permanent_if_not_loaded():
            self._segmenter = PromptedSegmenter(model, device, is_sam3)

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
        # The centre of the pixel.
        clicks = [(point.x + 0.5, point.y + 0.5, point.positive) for point in points]
        return self._segmenter.segment(self._segmenter.encode(image), box, clicks)


def _box(found: Found, size: tuple[int, int]) -> Box:
    """The box of a finding in whole pixels, at least one wide and high, inside an image of `size` (width, height)."""
    left, top = min(int(found.corners[0]), size[0] - 1), min(int(found.corners[1]), size[1] - 1)
    return Box(left, top, max(left + 1, round(found.corners[2])), max(top + 1, round(found.corners[3])))
