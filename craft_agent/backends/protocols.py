# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The protocols of all models: `Perceiver` and `Segmenter`.

A class need not inherit from them. Both methods may be called from several threads at once. They raise
`TransientError`, `PermanentError` or `RefusedError` if they have no answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from PIL import Image

from ..records import BoolMask, Box, ChangeType, ImagePair, Point


QuestionKind = Literal["perceive", "review", "refine", "ground", "repair"]


@dataclass(frozen=True)
class Usage:
    """
    The cost of an answer.

    Args:
        prompt_tokens, completion_tokens (`int`): As the model counts them; 0 if it does not.
        requests (`int`): Number of answered requests; 0 for a backend that sends none.
        seconds (`float`): Time to the answer.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Question:
    """
    A question to a perceiver.

    Args:
        kind (`str`): "perceive", "review", "refine", "ground", or "repair" for an answer that could not be read.
        prompt (`str`): The whole message. It refers to the images as "image 1", "image 2" and so on.
        images (`tuple[PIL.Image.Image, ...]`): The images of the message, RGB.
        schema (`Mapping`): JSON schema of the answer: an object with a "title".
        pair (`ImagePair`): The original images, for perceivers that compute differences themselves.
        facts (`Mapping`): The content of the prompt as data, for perceivers that cannot read.
    """

    kind: QuestionKind
    prompt: str
    images: tuple[Image.Image, ...] = field(repr=False)
    schema: Mapping[str, Any] = field(repr=False)
    pair: ImagePair = field(repr=False)
    facts: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """
    An answer of a perceiver.

    Args:
        text (`str`): The text as received, JSON or not.
        usage (`Usage`): Tokens, requests and time.
        failures (`tuple[str, ...]`): The reasons of earlier requests for this answer that failed.
        is_cut_off (`bool`, *optional*, defaults to `False`): Whether the text ends at the limit of tokens.
    """

    text: str
    usage: Usage = Usage()
    failures: tuple[str, ...] = ()
    is_cut_off: bool = False


class Perceiver(Protocol):
    """
    Looks at images and answers in JSON.

    Attributes:
        name (`str`): Kind and model, such as "chat:Qwen/Qwen3-VL-8B-Instruct". It is stored in the provenance of the
            data, and recorded answers are found by it.
    """

    name: str

    def ask(self, question: Question) -> Answer:
        """Answers a question; raises `TransientError`, `PermanentError` or `RefusedError`."""
        ...


@dataclass(frozen=True)
class SegmentationPrompt:
    """
    What a segmenter is to find.

    Args:
        image (`PIL.Image.Image`): The image to search, RGB.
        time (`str`): Which one it is: "t1" or "t2".
        text (`str`): The thing without the change: "the white car at the top left".
        sentence (`str`): The whole sentence: "the white car that appeared at the top left".
        change_type (`ChangeType`): What happened to it.
        box (`Box`, *optional*): Where to look.
        points (`tuple[Point, ...]`): Pixels inside or outside the region.
        pair (`ImagePair`): Both images, for segmenters that compare them.
    """

    image: Image.Image = field(repr=False)
    time: Literal["t1", "t2"]
    text: str
    sentence: str
    change_type: ChangeType
    box: Box | None
    points: tuple[Point, ...]
    pair: ImagePair = field(repr=False)


@dataclass(frozen=True)
class Segmentation:
    """
    The result of a segmenter.

    Args:
        mask (`np.ndarray`): Booleans `(height, width)` with the size of the image; all false if nothing fits.
        score (`float`): Confidence in `[0, 1]`; 0 if the mask is empty.
    """

    mask: BoolMask = field(repr=False)
    score: float


class Segmenter(Protocol):
    """
    Finds the pixels of a thing.

    Attributes:
        name (`str`): Kind and model, such as "sam3:facebook/sam3".
    """

    name: str

    def segment(self, prompt: SegmentationPrompt) -> Segmentation:
        """Finds one region; raises `TransientError`, `PermanentError` or `RefusedError`."""
        ...
