# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The data that the steps pass on: boxes, image pairs, candidates, rounds, proposals, samples."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image


BoolMask: TypeAlias = npt.NDArray[np.bool_]
KEPT = "kept"
"""Outcome of a proposal that continues to step (c)."""


class ChangeType(str, Enum):
    """What happened to a thing, as in the column `change_type` of the dataset."""

    APPEAR = "appear"
    DISAPPEAR = "disappear"
    STATE_CHANGE = "state_change"


class Verdict(str, Enum):
    """The perceiver's verdict on a mask; `UNANSWERED` if it gave no answer that can be read."""

    ACCEPT = "accept"
    WRONG_OBJECT = "wrong_object"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    NOT_A_CHANGE = "not_a_change"
    UNANSWERED = "unanswered"


class Box(NamedTuple):
    """
    A half-open rectangle in pixels of the whole image.

    Args:
        left, top (`int`): First column and row inside.
        right, bottom (`int`): First column and row outside.
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
        """The common part of both boxes; its area is 0 if they do not overlap."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def unite(self, other: "Box") -> "Box":
        """The smallest box that contains both."""
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
        """The box with a margin in pixels, clipped to an image of `size` (width, height)."""
        whole = Box(0, 0, *size)
        grown = Box(self.left - pixels, self.top - pixels, self.right + pixels, self.bottom + pixels)
        return grown.intersect(whole)


class Point(NamedTuple):
    """
    A pixel inside or outside the wanted region.

    Args:
        x, y (`int`): Column and row in the whole image.
        positive (`bool`): Whether it lies inside the region.
    """

    x: int
    y: int
    positive: bool


@dataclass(frozen=True)
class ImagePair:
    """
    The decoded images of a pair.

    Args:
        pair_id (`str`): Name of the pair.
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
    A change that the perceiver reported.

    Args:
        index (`int`): Number in the pair, from 0.
        expression (`str`): The sentence; it names the place in terms of the grid.
        thing (`str`): The thing without the change: "the white car".
        position (`str`): Place in the whole image in terms of the grid, such as "top-left".
        change_type (`ChangeType`): What happened to the thing.
        confidence (`float`): The perceiver's confidence, in `[0, 1]`.
        box (`Box`): Where the thing is.
        cells (`tuple[str, ...]`): Names of the grid cells in which it was seen; `("whole",)` for the whole view.
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
    One attempt to segment a candidate.

    Args:
        number (`int`): Number of the attempt, from 0.
        expression (`str`): The sentence in this round.
        thing (`str`): The thing without the change, in this round.
        change_type (`ChangeType`): What happened to it, in this round.
        box (`Box`, *optional*): The box given to the segmenter.
        points (`tuple[Point, ...]`): The points given to the segmenter.
        mask (`np.ndarray`): Booleans `(height, width)` with the size of the images.
        score (`float`): The segmenter's confidence, in `[0, 1]`.
        verdict (`Verdict`): The perceiver's verdict on the mask.
        fit (`float`): How well mask and sentence match according to the perceiver, in `[0, 1]`.
        comment (`str`): The perceiver's reason.
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
    A candidate with all attempts to segment it.

    Args:
        candidate (`Candidate`): The candidate as it was perceived.
        rounds (`tuple[Round, ...]`): The attempts, oldest first.
        best (`int`, *optional*): Number of the round that is kept; `None` if the candidate is dropped.
        outcome (`str`): `KEPT`, or why the candidate is dropped.
    """

    candidate: Candidate
    rounds: tuple[Round, ...]
    best: int | None
    outcome: str


@dataclass(frozen=True)
class Sample:
    """
    What people audit: a region and the sentences that describe it and nothing else.

    Args:
        sample_id (`str`): Unique in the run: the pair's id, "_" and the candidate's index.
        pair_id (`str`): The pair.
        candidate (`int`): Index of the candidate.
        expressions (`tuple[str, ...]`): The sentence, then its paraphrases.
        change_type (`ChangeType`): What happened to the thing.
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
