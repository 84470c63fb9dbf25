# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Plain sentences: short, true, and many that differ in one word."""

import numpy as np

from dataset_scripts.synthesis import Generator
from dataset_scripts.synthesis.language.observation import Observation
from dataset_scripts.synthesis.language.plain_expressions import PlainExpressionWriter
from tests.dataset_scripts.synthesis.drawn_scenes import draw, gone, kept, new
from tests.oracles.checker import refer


def test_the_checker_agrees_with_every_plain_sentence() -> None:
    generator = Generator(seed=5, size=128, plain_share=1.0, most_expressions=10, no_target_share=0.25)
    checked = 0
    for pair in generator.pairs(stop=16):
        for expression in pair.expressions:
            reference = refer(expression.text, pair.scene, pair.numbers_t1, pair.numbers_t2)
            assert np.array_equal(reference.mask, expression.mask), expression.text
            checked += 1
    assert checked > 50


def test_sentences_are_short_and_differ_in_what_they_mean() -> None:
    pair = draw(new("house", 20, 20, "red"), gone("car", 20, 100, "white"), kept("tree", 60, 60))
    observation = Observation(*pair)
    meanings = set()
    for seed in range(20):
        for written in PlainExpressionWriter(observation, np.random.default_rng(seed)).write(8, 0.25):
            assert not {"leftmost", "largest", "next", "beside"} & set(written.text.split()), written.text
            meanings.add(written.things)
    assert meanings == {(), (1,), (2,)}


def test_the_share_of_no_target_sentences_is_bounded() -> None:
    pair = draw(new("house", 20, 20, "red"), gone("car", 20, 100, "white"))
    for seed in range(20):
        written = PlainExpressionWriter(Observation(*pair), np.random.default_rng(seed)).write(8, 0.25)
        assert sum(not one.things for one in written) <= 2


def test_the_default_generator_does_not_change() -> None:
    texts = [expression.text for expression in Generator(seed=3, size=128).pair(3).expressions]
    assert texts == [
        expression.text for expression in Generator(seed=3, size=128, plain_share=0.0).pair(3).expressions
    ]
    mixed = Generator(seed=3, size=128, plain_share=0.5, most_expressions=12)
    assert len({expression.text for expression in mixed.pair(3).expressions}) == len(mixed.pair(3).expressions)
