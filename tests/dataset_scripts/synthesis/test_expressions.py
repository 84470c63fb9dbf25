# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The sentence writer on drawn scenes: it says what is there, and keeps silent where people might disagree."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from dataset_scripts.synthesis import NOUNS
from dataset_scripts.synthesis.generator import Generator
from dataset_scripts.synthesis.language.articles import article
from dataset_scripts.synthesis.language.expressions import ExpressionWriter, WrittenExpression
from dataset_scripts.synthesis.language.observation import Observation, _presence
from dataset_scripts.synthesis.scene import State
from tests.dataset_scripts.synthesis.drawn_scenes import Drawn, DrawnPair, box_at, draw, gone, kept, new, row_of


def write(pair: DrawnPair, rounds: int = 60, no_target_share: float = 0.0) -> list[WrittenExpression]:
    """Many sentences about a scene."""
    observation = Observation(*pair)
    written: dict[str, WrittenExpression] = {}
    for seed in range(rounds):
        writer = ExpressionWriter(observation, np.random.default_rng(seed))
        written.update({one.text: one for one in writer.write(6, no_target_share)})
    return list(written.values())


def about(written: list[WrittenExpression], *words: str) -> list[WrittenExpression]:
    return [one for one in written if all(word in one.text.split() for word in words)]


def test_distances_are_those_of_all_cells() -> None:
    """Also of things with holes and of things in one another; only the borders are compared."""
    generated = Generator(seed=3).pair(0)
    random = np.random.default_rng(0)
    numbers = np.zeros((64, 64), dtype=np.int16)
    for number in (1, 2, 3, 1, 4, 2, 5):
        top, left, height, width = random.integers(2, 40, 4)
        numbers[top : top + height, left : left + width] = number
    observation = Observation(replace(generated.scene, things=()), *[np.zeros_like(numbers)] * 2)
    observation._presence = (_presence(numbers, 6),) * 2
    for first, second in combinations(range(1, 6), 2):
        cells, others = (np.argwhere(numbers == number) for number in (first, second))
        gaps = np.maximum(np.abs(cells[:, None] - others[None]) - 1, 0)
        expected = np.sqrt((gaps**2).sum(-1).min()) / 64 if gaps.size else float("inf")
        assert observation.distance(first, second, 1) == expected


@pytest.mark.parametrize(
    ("expected", "phrases"),
    [
        ("a", ("house", "one-family house", "unit", "used car", "utility pole", "European car")),
        ("an", ("orange car", "umbrella", "upper shelf", "hour", "SUV", "Orange roof")),
    ],
)
def test_the_article_follows_the_sound(expected: str, phrases: tuple[str, ...]) -> None:
    assert {article(phrase) for phrase in phrases} == {expected}


def test_all_that_is_written_is_confirmed_by_the_checker() -> None:
    pair = draw(
        new("house", 20, 20, "red"),
        new("house", 60, 60, "grey"),
        kept("house", 100, 20, "red"),
        gone("car", 20, 100, "white"),
        gone("car", 60, 100, "blue"),
        kept("tree", 26, 30),
        Drawn("pond", State(None, "full"), State(None, "dry"), box_at(100, 80, 10)),
    )
    written = write(pair, no_target_share=0.2)
    assert len(written) > 150
    for one in written:
        reference = pair.refer(one.text)
        assert reference.things == tuple(sorted(one.things)), one.text


def test_every_way_to_narrow_is_used() -> None:
    pair = draw(
        *(new("house", x, y, color) for x, y, color in ((15, 15, "red"), (60, 18, "blue"), (105, 105, "red"))),
        new("house", 15, 105, "blue", half=10),
        kept("pool", 69, 18),
        kept("tree", 60, 105),
    )
    texts = " | ".join(one.text for one in write(pair))
    for words in ("red roof", "blue-roofed", "leftmost", "largest", "second", "next to the", "corner", "upper half"):
        assert words in texts, words
    for words in ("all the", "every", "the four", "several", "buildings", "villas", "newly built", "to the right of"):
        assert words in texts, words


def test_similar_colours_are_not_distinguished() -> None:
    clear, unclear = (
        write(draw(new("car", 20, 20, first), new("car", 90, 90, second), kept("car", 20, 90, "black")))
        for first, second in (("red", "blue"), ("white", "grey"))
    )
    assert [one for one in clear if one.text.startswith("the red car that")]
    # Unless a place distinguishes them.
    assert not [one for one in unclear if one.text.startswith(("the white car that", "the grey car that"))]


def test_places_at_a_border_are_not_named() -> None:
    written = write(draw(new("car", 60, 60, "red"), new("car", 100, 61, "red")))
    assert all("half" not in one.text or "upper" not in one.text for one in written)
    assert not [one for one in written if "left half" in one.text or "topmost" in one.text]


def test_what_was_merely_hidden_makes_it_silent() -> None:
    # Nothing came but the truck; the car behind it was hidden at t1.
    hidden = Drawn("car", State("red"), State("red"), box_at(60, 60, 6))
    cover = gone("truck", 60, 60, "white", half=8)
    written = write(draw(hidden, cover, new("car", 100, 100, "red")))
    assert not [
        one for one in written if one.text.startswith(("the car that", "the cars that", "everything that app"))
    ]
    assert about(written, "truck")
    assert about(written, "car", "bottom-right")


def test_tiny_things_make_it_silent() -> None:
    speck = Drawn("car", None, State("red"), (60, 60, 61, 61))
    written = write(draw(speck, new("car", 100, 100, "red"), new("house", 20, 20, "red")))
    unclear = ("the car that", "the cars that", "all the cars that", "every car that")
    assert not [one for one in written if one.text.startswith(unclear)]
    assert about(written, "house")
    assert about(written, "car", "bottom-right")


def test_unnamed_kinds_are_never_mentioned() -> None:
    pair = draw(new("tree", 20, 20), new("house", 60, 60, "red"), unnamed=("tree", "forest"))
    assert not [one for one in write(pair, no_target_share=0.3) if "tree" in one.text or "wood" in one.text]


def test_no_change_gives_only_sentences_without_target() -> None:
    written = write(draw(kept("house", 20, 20, "red"), kept("car", 80, 80, "blue")))
    assert len(written) > 10
    assert all(one.things == () for one in written)
    assert write(draw())[0].things == ()


@pytest.mark.parametrize(
    ("kind", "before", "after", "words"),
    [
        ("road", State(None, "dirt"), State(None, "paved"), "paved"),
        ("field", State(None, "green"), State(None, "ploughed"), "ploughed"),
        ("field", State(None, "ripe"), State(None, "bare"), "no longer farmed"),
        ("pond", State(None, "full"), State(None, "low"), "water level"),
        ("pool", State(None, "full"), State(None, "empty"), "drained"),
        ("house", State("red"), State("grey"), "changed from red to grey"),
    ],
)
def test_changes_of_state_are_said(kind: str, before: State, after: State, words: str) -> None:
    written = write(row_of((kind, before, after)))
    assert any(words in one.text for one in written)
    assert all(one.change_type == "state_change" and one.things == (1,) for one in written)


@pytest.mark.parametrize("kind", sorted(NOUNS))
def test_every_kind_has_words_that_the_checker_knows(kind: str) -> None:
    for make in (new, gone):
        maker: Callable[..., Drawn] = make
        pair = draw(maker(kind, 60, 60, "red"), domain="NS")
        written = write(pair, rounds=10)
        assert written
        assert all(pair.things(one.text) == (1,) for one in written)
