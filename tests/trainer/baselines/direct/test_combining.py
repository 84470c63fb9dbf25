# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The ways of combining, with a model whose answers are known."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from PIL import Image

from tests.trainer.baselines.contract import check_segmenter
from trainer.baselines.direct import WAYS, DirectSegmenter, Finding, View
from trainer.errors import TrainingError


WIDTH, HEIGHT = 40, 20
CAME, LEFT, CHANGED = "the red car that appeared", "the red car that disappeared", "the red car"


class RedFinder:
    """Finds what is red, and writes down what it was shown."""

    name = "red"
    takes_two = True

    def __init__(self, takes_two: bool = True) -> None:
        self.identity = {"model": "red@1"}
        self.takes_two = takes_two
        self.shown: list[tuple[View, tuple[tuple[int, int], ...], tuple[str, ...]]] = []

    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        self.shown.append((view, tuple(image.size for image in images), tuple(sentences)))
        red = np.logical_or.reduce([np.asarray(image)[..., 0] > np.asarray(image)[..., 1] for image in images])
        return [Finding(red, 0.5, f"red of {sentence}") for sentence in sentences]


def image_with(*columns: int) -> Image.Image:
    """Grey, with red columns."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8)
    pixels[:, list(columns)] = (200, 0, 0)
    return Image.fromarray(pixels)


# Column 3 is red at t1 alone, 7 at t2 alone, 11 at both.
PAIR = (image_with(3, 11), image_with(7, 11))


def columns(mask: np.ndarray) -> list[int]:
    assert mask.shape == (HEIGHT, WIDTH)
    return np.flatnonzero(mask.all(axis=0)).tolist()


@pytest.mark.parametrize(
    ("way", "came", "left"),
    [
        ("later", [7, 11], [7, 11]),
        ("change_word", [7, 11], [3, 11]),
        ("t2_minus_t1", [7], [7]),
        ("t1_minus_t2", [3], [3]),
        ("side_by_side", [3, 7, 11], [3, 7, 11]),
        ("two_images", [3, 7, 11], [3, 7, 11]),
    ],
)
def test_masks(way: str, came: list[int], left: list[int]) -> None:
    segmenter = DirectSegmenter(RedFinder(), way)
    answers = segmenter.segment(*PAIR, [CAME, LEFT, CHANGED])
    assert [columns(answer.mask) for answer in answers] == [came, left, came]
    assert all(answer.score == 0.5 and answer.problem is None for answer in answers)
    assert segmenter.name == f"red ({way})"
    assert segmenter.identity == {"model": "red@1", "images": way}


@pytest.mark.parametrize("way", WAYS)
def test_the_contract(way: str) -> None:
    check_segmenter(DirectSegmenter(RedFinder(), way))


def test_what_the_model_is_shown() -> None:
    one, canvas = ((WIDTH, HEIGHT),), ((2 * WIDTH + 16, HEIGHT),)
    shown = {}
    for way in WAYS:
        model = RedFinder()
        DirectSegmenter(model, way).segment(*PAIR, [CAME, LEFT])
        shown[way] = model.shown
    assert shown["later"] == [("one", one, (CAME, LEFT))]
    assert shown["change_word"] == [("one", one, (LEFT,)), ("one", one, (CAME,))]
    assert shown["t2_minus_t1"] == shown["t1_minus_t2"] == [("one", one, (CAME, LEFT))] * 2
    assert shown["side_by_side"] == [("side_by_side", canvas, (CAME, LEFT))]
    assert shown["two_images"] == [("two", one * 2, (CAME, LEFT))]


def test_texts_of_both_times() -> None:
    (answer,) = DirectSegmenter(RedFinder(), "t1_minus_t2").segment(*PAIR, ["the car"])
    assert answer.text == "t1: red of the car\nt2: red of the car"


def test_an_empty_difference_has_no_score() -> None:
    (answer,) = DirectSegmenter(RedFinder(), "t2_minus_t1").segment(PAIR[0], PAIR[0], ["the car"])
    assert (answer.mask.any(), answer.score) == (False, 0.0)


class Failing(RedFinder):
    """Fails at one sentence, and at every pair with the error that it is given."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def find(self, images: Sequence[Image.Image], sentences: Sequence[str], view: View) -> list[Finding]:
        if "bad" in sentences:
            raise self.error
        return super().find(images, sentences, view)


@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), KeyError("x"), IndexError(""), torch.OutOfMemoryError("no memory"), Exception("?")]
)
@pytest.mark.parametrize("way", WAYS)
def test_a_sentence_that_fails_does_not_spoil_the_others(way: str, error: Exception) -> None:
    good, bad, other = DirectSegmenter(Failing(error), way).segment(*PAIR, [CAME, "bad", CHANGED])
    assert good.mask.any()
    assert other.mask.any()
    assert not bad.mask.any()
    assert bad.score == 0
    assert bad.problem is not None
    assert type(error).__name__ in bad.problem


def test_what_the_user_can_fix_stops_the_run() -> None:
    with pytest.raises(TrainingError, match="wrong key"):
        DirectSegmenter(Failing(TrainingError("wrong key")), "later").segment(*PAIR, ["bad"])


def test_unknown_ways_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"images=both is unknown; use one of later, change_word"):
        DirectSegmenter(RedFinder(), "both")
    with pytest.raises(TrainingError, match="red takes one image at a time"):
        DirectSegmenter(RedFinder(takes_two=False), "two_images")
