# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The rows that read no sentence."""

import numpy as np
import pytest
from PIL import Image

from mtrs_iou import encode_rle
from tests.trainer.baselines.contract import check_segmenter, noise_pair
from trainer.baselines import open_segmenter
from trainer.benchmark.running import answers_of
from trainer.errors import TrainingError
from trainer.evaluation import ScoredPair, Segmenter, TruthSegmenter


def field(square: tuple[int, int, int] | None, light: int = 0) -> Image.Image:
    """Grass of slightly different greens, with a square."""
    pixels = np.random.default_rng(0).integers(80, 100, (60, 80, 3)) + light
    if square is not None:
        pixels[20:35, 30:50] = square
    return Image.fromarray(pixels.astype(np.uint8))


def test_change_vectors() -> None:
    segmenter = open_segmenter("change_vectors")
    check_segmenter(segmenter)
    truth = np.zeros((60, 80), dtype=bool)
    truth[20:35, 30:50] = True
    found = segmenter.segment(field(None), field((200, 30, 30)), ["the red square"])[0].mask
    assert (found & truth).sum() / (found | truth).sum() > 0.95
    for pair in ((field(None), field(None, light=40)), (Image.new("RGB", (8, 8)), Image.new("RGB", (8, 8), "white"))):
        (answer,) = segmenter.segment(*pair, ["the red square"])
        assert (answer.mask.any(), answer.score) == (False, 0.0), "another exposure is no change"


def test_the_union_oracle_is_shown_the_truth() -> None:
    oracle = open_segmenter("union_oracle")
    assert isinstance(oracle, Segmenter)
    assert isinstance(oracle, TruthSegmenter)
    assert not isinstance(open_segmenter("change_vectors"), TruthSegmenter)
    first, second = np.zeros((36, 48), dtype=bool), np.zeros((36, 48), dtype=bool)
    first[:5], second[:, :5] = True, True
    truths = [encode_rle(first), None, encode_rle(second)]
    words, problems = ["a", "b", "c"], ["", "damaged_mask", ""]
    pair = ScoredPair("p", words, words, [None] * 3, "RS", truths, problems, noise_pair())
    answers = answers_of(oracle, pair)
    assert sorted(answers) == [0, 2]
    assert all(np.array_equal(answer.mask, first | second) for answer in answers.values())
    with pytest.raises(TrainingError, match="the true masks"):
        oracle.segment(*noise_pair(), ["the car"])
