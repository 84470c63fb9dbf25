# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
from types import SimpleNamespace

import pytest

from modeling_mtrefseg.object_choice_mtrefseg import ObjectChoice, choose
from modeling_mtrefseg.place_words_mtrefseg import region_of
from modeling_mtrefseg.rank_words_mtrefseg import SIDES, SUPERLATIVES
from mtrefseg.scenes.sentences import change_type_of, route_sentence
from tests.oracles import vocabulary


LEFT_HALF = region_of("in the left half")


def test_places_and_ranks_are_those_of_the_training_sentences() -> None:
    for name, region in vocabulary.POSITIONS.items():
        expected = (region.x[0], region.y[0], region.x[1], region.y[1])
        assert region_of(name) == pytest.approx([float(value) for value in expected])
    for name, choice in vocabulary.SUPERLATIVES.items():
        assert SUPERLATIVES[name] == (choice.key, choice.descending)
    for name, choice in vocabulary.SIDES.items():
        assert SIDES[name.removeprefix("from the ")] == (choice.key, choice.descending)


@pytest.mark.parametrize(
    "text",
    [
        "the buildings that appeared",
        "the car that left",
        "the house that is new in the second image",
        "the vehicles that can only be seen in the earlier image",
        "every red car next to the road that has left",
        "everything that disappeared",
        "a house has been built",
        None,
    ],
)
def test_kind_colour_and_change_are_asked_as_they_are(text: str | None) -> None:
    route = route_sentence(text)
    assert (route.way, route.asked, route.choice) == ("windows", text, None)


@pytest.mark.parametrize(
    ("text", "asked", "choice"),
    [
        (
            "the houses in the left half of the image that appeared",
            "the houses that appeared",
            ObjectChoice(region=LEFT_HALF),
        ),
        ("the house in the left half that appeared", "every house that appeared", ObjectChoice(region=LEFT_HALF)),
        ("the bus that left in the left half", "every bus that left", ObjectChoice(region=LEFT_HALF)),
        (
            "a pond on the left, at mid-height that dried up",
            "a pond that dried up",
            ObjectChoice(region=region_of("on the left, at mid-height")),
        ),
        ("the leftmost house that was built", "every house that was built", ObjectChoice(order=("x", False))),
        (
            "the second largest house that was built",
            "every house that was built",
            ObjectChoice(order=("size", True), rank=2),
        ),
        (
            "the second red house from the right that was built",
            "every red house that was built",
            ObjectChoice(order=("x", True), rank=2),
        ),
        (
            "the three largest buildings that were built",
            "the buildings that were built",
            ObjectChoice(order=("size", True), count=3),
        ),
        ("the two houses that appeared", "the houses that appeared", ObjectChoice(count=2)),
        (
            "two houses have been built in the left half of the scene",
            "the houses have been built",
            ObjectChoice(region=LEFT_HALF, count=2),
        ),
        (
            "all the houses that appeared but the largest one",
            "all the houses that appeared",
            ObjectChoice(excluded=ObjectChoice(order=("size", True))),
        ),
        (
            "every tree that was planted except those in the left half",
            "every tree that was planted",
            ObjectChoice(excluded=ObjectChoice(region=LEFT_HALF)),
        ),
    ],
)
def test_places_ranks_counts_and_exceptions_are_taken_out(text: str, asked: str, choice: ObjectChoice) -> None:
    route = route_sentence(text)
    assert (route.way, route.asked, route.choice) == ("objects", asked, choice)


@pytest.mark.parametrize(
    "text",
    [
        "the house to the left of the pond that appeared",
        "the house next to the largest pond that appeared",
        "the buildings in the north of the town that appeared",
        "all the houses that appeared but the one with a red roof",
        "the houses between the roads that appeared",
    ],
)
def test_the_rest_is_asked_of_the_shrunk_scene(text: str) -> None:
    route = route_sentence(text)
    assert (route.way, route.asked) == ("shrunk scene", text)


THINGS = [
    SimpleNamespace(name="a", middle=(10, 50), size=30),
    SimpleNamespace(name="b", middle=(60, 20), size=20),
    SimpleNamespace(name="c", middle=(90, 90), size=50),
]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (ObjectChoice(region=LEFT_HALF), "a"),
        (ObjectChoice(order=("x", True)), "c"),
        (ObjectChoice(order=("y", False), rank=2), "a"),
        (ObjectChoice(order=("size", True), count=2), "ca"),
        (ObjectChoice(order=("size", True), rank=4), "b"),  # One object was missed.
        (ObjectChoice(order=("size", True), rank=5), ""),
        (ObjectChoice(excluded=ObjectChoice(order=("size", True), rank=4)), "abc"),
        (ObjectChoice(count=2), "ca"),
        (ObjectChoice(excluded=ObjectChoice(order=("size", True))), "ab"),
        (ObjectChoice(region=(0.5, 0, 1, 1), order=("size", False)), "b"),
    ],
)
def test_choosing(choice: ObjectChoice, names: str) -> None:
    chosen = choose(THINGS, choice, (100, 100), lambda one: (one.middle, one.size))
    assert "".join(one.name for one in chosen) == names


@pytest.mark.parametrize(
    ("text", "change_type"),
    [
        ("the house that appeared", "appear"),
        ("the houses on the left that were built", "appear"),
        ("the cars that left", "disappear"),
        ("the leftmost house that was torn down", "disappear"),
        ("the road that was paved", "state_change"),
        ("the trees that were felled", "disappear"),
        ("the barn that is no longer standing", "disappear"),
        ("the house on the left which is not in the first image", "appear"),
        ("a stall that popped up", "appear"),
        (None, "unknown"),
        ("red cars in the left half", "unknown"),
        ("the houses that were built or demolished", "unknown"),
    ],
)
def test_change_types(text: str | None, change_type: str) -> None:
    assert change_type_of(text) == change_type
