# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The two protocols behind which every model stands.

A class need not inherit from them; it needs their attributes. Both methods may be called from several threads at once,
and raise `errors.TransientError`, `PermanentError` or `RefusedError` where they have no answer, and nothing else.
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
    What an answer took.

    Args:
        prompt_tokens, completion_tokens (`int`): As the model counts them; 0 if it does not.
        requests (`int`): Requests that were answered; 0 of a backend that sends none.
        seconds (`float`): Time until the answer was there.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    requests: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Question:
    """
    What a perceiver is asked.

    Args:
        kind (`str`): "perceive", "review", "refine", "ground", or "repair" of an answer that could not be read.
        prompt (`str`): The whole message; it speaks of the pictures as "image 1", "image 2" and so on.
        images (`tuple[PIL.Image.Image, ...]`): Those pictures, RGB.
        schema (`Mapping`): The JSON schema of the answer: an object, with a "title".
        pair (`ImagePair`): The pictures without any drawing. For a perceiver that computes; one that looks leaves it.
        facts (`Mapping`): What the prompt says, for a perceiver that cannot read.
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
    What a perceiver says.

    Args:
        text (`str`): Its words as they came, whether they are JSON or not.
        usage (`Usage`): What that took.
        failures (`tuple[str, ...]`): Why each request failed that was sent in vain before.
    """

    text: str
    usage: Usage = Usage()
    failures: tuple[str, ...] = ()


class Perceiver(Protocol):
    """
    Looks at pictures and answers in JSON.

    Attributes:
        name (`str`): Kind and model, such as "chat:Qwen/Qwen3-VL-8B-Instruct". It is written into the data's
            provenance and is part of what answers are remembered by.
    """

    name: str

    def ask(self, question: Question) -> Answer:
        """Answers a question; raises `TransientError`, `PermanentError` or `RefusedError`."""
        ...


@dataclass(frozen=True)
class SegmentationPrompt:
    """
    What a segmenter is asked.

    Args:
        image (`PIL.Image.Image`): The picture in which the thing is to be found, RGB.
        time (`str`): Which one that is: "t1" or "t2".
        text (`str`): What to find, without the change: "the white car at the top left".
        sentence (`str`): The whole sentence: "the white car that appeared at the top left".
        change_type (`ChangeType`): What became of it.
        box (`Box`, *optional*): Where to look.
        points (`tuple[Point, ...]`): Pixels that the region holds, or must not hold.
        pair (`ImagePair`): Both pictures, for a segmenter that compares.
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
    What a segmenter found.

    Args:
        mask (`np.ndarray`): Booleans `(height, width)`, exactly at the picture's size. All false: nothing fits.
        score (`float`): Its confidence in `[0, 1]`; 0 if the mask is empty.
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
