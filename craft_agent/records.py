# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the steps hand to one another."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image


BoolMask: TypeAlias = npt.NDArray[np.bool_]


class ChangeType(str, Enum):
    """What became of a thing, as the data set's column `change_type` calls it."""

    APPEAR = "appear"
    DISAPPEAR = "disappear"
    STATE_CHANGE = "state_change"


class Verdict(str, Enum):
    """What the perceiver says about a mask that it is shown; `UNANSWERED` if it said nothing that can be read."""

    ACCEPT = "accept"
    WRONG_OBJECT = "wrong_object"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    NOT_A_CHANGE = "not_a_change"
    UNANSWERED = "unanswered"


class Box(NamedTuple):
    """
    A rectangle in pixels of the whole image, half-open.

    Args:
        left, top (`int`): The first column and row inside.
        right, bottom (`int`): The first column and row beyond.
    """

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """Number of pixels inside, 0 for an empty box."""
        return max(0, self.right - self.left) * max(0, self.bottom - self.top)

    def intersect(self, other: "Box") -> "Box":
        """What both boxes hold; its area is 0 if that is nothing."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def unite(self, other: "Box") -> "Box":
        """The smallest box that holds both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def iou(self, other: "Box") -> float:
        """Intersection over union, in `[0, 1]`."""
        common = self.intersect(other).area
        return common / max(1, self.area + other.area - common)

    def grow(self, pixels: int, size: tuple[int, int]) -> "Box":
        """The box with a rim of so many pixels, inside an image of `size` (width, height)."""
        whole = Box(0, 0, *size)
        grown = Box(self.left - pixels, self.top - pixels, self.right + pixels, self.bottom + pixels)
        return grown.intersect(whole)


class Point(NamedTuple):
    """
    A pixel that lies in the wanted region, or outside of it.

    Args:
        x, y (`int`): Column and row in the whole image.
        positive (`bool`): Whether the region holds it.
    """

    x: int
    y: int
    positive: bool


@dataclass(frozen=True)
class ImagePair:
    """
    The decoded images of a pair.

    Args:
        pair_id (`str`): Its name.
        image_t1, image_t2 (`PIL.Image.Image`): The earlier and the later image, RGB, of equal size.
    """

    pair_id: str
    image_t1: Image.Image = field(repr=False)
    image_t2: Image.Image = field(repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image_t1.size


@dataclass(frozen=True)
class Candidate:
    """
    A difference that the perceiver named.

    Args:
        index (`int`): Its number in the pair, from 0.
        expression (`str`): The sentence, with the grid's words for the place.
        thing (`str`): What the sentence is about, without the change: "the white car".
        position (`str`): Where it is in the whole image, in the grid's words, such as "top-left".
        change_type (`ChangeType`): What became of it.
        confidence (`float`): In `[0, 1]`, as the perceiver says.
        box (`Box`): Where it is.
        cells (`tuple[str, ...]`): Names of the cells it was seen in; `("whole",)` if only in the whole view.
    """

    index: int
    expression: str
    thing: str
    position: str
    change_type: ChangeType
    confidence: float
    box: Box
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Round:
    """
    One try to segment a candidate.

    Args:
        number (`int`): From 0.
        expression (`str`): The sentence in that round.
        thing (`str`): What it is about, without the change.
        change_type (`ChangeType`): What became of it, in that round.
        box (`Box`, *optional*): The box that the segmenter was given.
        points (`tuple[Point, ...]`): The points that it was given.
        mask (`np.ndarray`): Booleans `(height, width)` at the images' size.
        score (`float`): The segmenter's own, in `[0, 1]`.
        verdict (`Verdict`): What the perceiver said when it saw the mask.
        fit (`float`): How well mask and sentence fit, in `[0, 1]`, as the perceiver says.
        comment (`str`): Its reason in words.
    """

    number: int
    expression: str
    thing: str
    change_type: ChangeType
    box: Box | None
    points: tuple[Point, ...]
    mask: BoolMask = field(repr=False)
    score: float
    verdict: Verdict
    fit: float
    comment: str


@dataclass(frozen=True)
class Proposal:
    """
    A candidate with every try to segment it.

    Args:
        candidate (`Candidate`): As it was perceived.
        rounds (`tuple[Round, ...]`): The tries, oldest first.
        best (`int`, *optional*): Which of them is kept; `None` if the candidate is dropped.
        outcome (`str`): "kept", or why it is dropped.
    """

    candidate: Candidate
    rounds: tuple[Round, ...]
    best: int | None
    outcome: str


@dataclass(frozen=True)
class Sample:
    """
    What people are asked to audit: a region, and the sentences that single it out.

    Args:
        sample_id (`str`): Unique in the run: the pair's id, "_" and the candidate's number.
        pair_id (`str`): The pair.
        candidate (`int`): The candidate's number.
        expressions (`tuple[str, ...]`): The sentence, then its paraphrases.
        change_type (`ChangeType`): What became of the thing.
        mask (`np.ndarray`): Booleans `(height, width)`.
        provenance (`dict`): Plain JSON: models, prompt versions, rounds, scores.
    """

    sample_id: str
    pair_id: str
    candidate: int
    expressions: tuple[str, ...]
    change_type: ChangeType
    mask: BoolMask = field(repr=False)
    provenance: dict[str, Any]
