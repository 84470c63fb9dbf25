# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The rows that read no sentence."""

import numpy as np
import pytest
from PIL import Image

from tests.trainer.baselines.contract import check_segmenter, noise_pair
from trainer.baselines import open_segmenter
from trainer.baselines.reference import UnionOracle, different
from trainer.errors import TrainingError
from trainer.evaluation import Segmenter


@pytest.mark.parametrize("name", ["everything", "nothing", "difference"])
def test_the_contract(name: str) -> None:
    segmenter = open_segmenter(name)
    assert segmenter.name == name
    check_segmenter(segmenter)


def test_everything_and_nothing() -> None:
    assert open_segmenter("everything").segment(*noise_pair(), ["the car"])[0].mask.all()
    (answer,) = open_segmenter("nothing").segment(*noise_pair(), ["the car"])
    assert (answer.mask.any(), answer.score) == (False, 0.0)


def field(square: tuple[int, int, int] | None, light: int = 0) -> Image.Image:
    """Grass of slightly different greens, with a square."""
    pixels = np.random.default_rng(0).integers(80, 100, (60, 80, 3)) + light
    if square is not None:
        pixels[20:35, 30:50] = square
    return Image.fromarray(pixels.astype(np.uint8))


def test_the_difference_is_what_changed() -> None:
    truth = np.zeros((60, 80), dtype=bool)
    truth[20:35, 30:50] = True
    found = different(field(None), field((200, 30, 30)))
    assert (found & truth).sum() / (found | truth).sum() > 0.95


def test_another_exposure_is_no_difference() -> None:
    assert not different(field(None), field(None, light=40)).any()
    assert not different(Image.new("RGB", (8, 8)), Image.new("RGB", (8, 8), "white")).any()


def test_the_union_of_the_truth() -> None:
    first, second = np.zeros((36, 48), dtype=bool), np.zeros((36, 48), dtype=bool)
    first[:5], second[:, :5] = True, True
    oracle = open_segmenter("union-oracle")
    assert isinstance(oracle, UnionOracle)
    assert isinstance(oracle, Segmenter)
    answers = oracle.segment_truths(noise_pair()[0], [first, None, second])
    assert all(np.array_equal(answer.mask, first | second) for answer in answers)
    (answer,) = oracle.segment_truths(noise_pair()[0], [np.zeros((36, 48), dtype=bool)])
    assert answer.score == 0
    with pytest.raises(TrainingError, match="the true masks"):
        oracle.segment(*noise_pair(), ["the car"])
