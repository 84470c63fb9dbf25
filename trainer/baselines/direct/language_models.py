# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Vision-language models that answer with boxes or points as JSON, which SAM 2 segments. The model may run in this
process (`chat_models.py`) or behind a server (`endpoint.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from mtrefseg.foundation import AnswerError, PromptedSegmenter

from .asking import Finding, View, nothing, source_of, unite
from .painting import Painter
from .regions import Frame, Size, Unit, read_regions


PROMPT_VERSION = "1"
"""Increased whenever the wording of the questions changes, since the answers then change too."""

_SHOWN: dict[View, str] = {
    "one": "Locate what this sentence describes in the image",
    "side_by_side": (
        "The left half of the image shows a place at an earlier time, the right half the same place at a later time. "
        "Locate the change that this sentence describes, in the half where it can be seen"
    ),
    "two": (
        "The first image shows a place at an earlier time, the second image the same place at a later time. Compare "
        "them, and locate the change that this sentence describes, in the image where it can be seen"
    ),
}
_UNITS: dict[Unit, str] = {
    "thousandths": "Coordinates go from 0 to 1000 across the width and the height of the image",
    "pixels": "Coordinates are in pixels of the image",
}


@dataclass(frozen=True)
class Reply:
    """
    The answer of a model.

    Args:
        text (`str`): The answer.
        seen (`tuple[tuple[int, int], ...]`): Width and height of each image after resizing for the model; empty if not
            resized.
        is_cut_off (`bool`, *optional*, defaults to `False`): Whether it was truncated at the token limit.
    """

    text: str
    seen: tuple[Size, ...] = ()
    is_cut_off: bool = False


class Talker(Protocol):
    """Answers questions about images. Plain attributes are enough."""

    @property
    def name(self) -> str:
        """See [`ImageModel`]."""

    @property
    def identity(self) -> Mapping[str, str]:
        """See [`ImageModel`]."""

    @property
    def unit(self) -> Unit:
        """The unit of its coordinates."""

    def ask(self, images: Sequence[Image.Image], question: str) -> Reply:
        """Answers a question about RGB images, which precede the question in this order."""


def make_question(sentence: str, view: View, unit: Unit) -> str:
    """
    The question for a model.

    Args:
        sentence (`str`): The unchanged sentence.
        view (`str`): Kind of input.
        unit (`str`): The unit of coordinates.
    """
    number = '"image": 1 or 2, ' if view == "two" else ""
    return (
        f'{_SHOWN[view]}: "{sentence}"\n'
        f'Answer with JSON only, one entry for each region: [{{{number}"bbox_2d": [x1, y1, x2, y2]}}]. '
        f"{_UNITS[unit]}. If nothing fits the sentence, answer []."
    )


class LanguageModel:
    """
    A language model that answers with boxes or points, and SAM 2.

    Args:
        talker ([`Talker`]): The language model.
        segmenter ([`PromptedSegmenter`]): SAM 2.
        sam (`str`): Its Hub id or folder.
    """

    takes_two = True

    def __init__(self, talker: Talker, segmenter: PromptedSegmenter, sam: str) -> None:
        self.name = talker.name
        self.identity = {**talker.identity, "sam": source_of(sam), "prompt": PROMPT_VERSION}
        self._talker = talker
        self._segmenter = segmenter

    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        """See [`ImageModel.find`]; the score is the best IoU that SAM 2 predicts for a region of the answer."""
        painter = Painter(self._segmenter, images)
        return [self._find(images, sentence, view, painter) for sentence in sentences]

    def _find(self, images: Sequence[Image.Image], sentence: str, view: View, painter: Painter) -> Finding:
        reply = self._talker.ask(images, make_question(sentence, view, self._talker.unit))
        frame = Frame(self._talker.unit, [image.size for image in images], reply.seen)
        try:
            regions = read_regions(reply.text, frame)
        except AnswerError as error:
            reason = f"cut off at the limit of tokens; {error}" if reply.is_cut_off else str(error)
            return nothing(images[0], reply.text, reason)
        return unite(images[0], [painter.paint(region) for region in regions], reply.text)
