# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The checker against scenes drawn by hand; every expected number was worked out from docs/synthetic_language.md."""

import re
from fractions import Fraction

import numpy as np
import pytest

from dataset_scripts.synthesis.scene import State
from tests.dataset_scripts.synthesis.drawn_scenes import SIZE, THERE, Domain, Drawn, box_at, draw, gone, kept, new
from tests.oracles.checker import is_within, refer
from tests.oracles.checker_grammar import SentenceError, parse


# What is seen


def test_mask_is_what_is_seen_of_the_thing():
    pair = draw(new("house", 30, 30, half=10), kept("tree", 38, 38, half=6))
    reference = pair.refer("the house that appeared")
    expected = np.zeros((SIZE, SIZE), bool)
    expected[20:40, 20:40] = True
    expected[32:44, 32:44] = False
    assert reference.things == (1,)
    assert reference.change_type == "appear"
    assert reference.mask.dtype == bool
    assert np.array_equal(reference.mask, expected)


def test_mask_of_a_state_change_is_seen_at_either_time():
    pair = draw(Drawn("pond", State(condition="full"), State(condition="dry"), (10, 10, 30, 30), (15, 15, 40, 25)))
    reference = pair.refer("the pond that dried up")
    expected = np.zeros((SIZE, SIZE), bool)
    expected[10:30, 10:30] = True
    expected[15:25, 15:40] = True
    assert np.array_equal(reference.mask, expected)
    assert reference.change_type == "state_change"


def test_mask_of_what_disappeared_is_that_of_t1():
    pair = draw(gone("car", 30, 30), new("car", 32, 32))
    reference = pair.refer("the car that disappeared")
    assert reference.things == (1,)
    assert np.array_equal(reference.mask, pair.numbers_t1 == 1)


def test_hidden_things():
    covered = (
        new("car", 20, 20),
        new("tree", 20, 20, half=6),
        Drawn("sign", State("red"), State("blue"), box_at(60, 60)),
        Drawn("tree", None, THERE, box_at(60, 60, half=6)),
        Drawn("sign", State("red"), State("blue"), box_at(90, 90)),
        kept("tree", 90, 90, half=6),
        kept("person", 90, 20),
        gone("truck", 90, 20, half=6),
    )
    pair = draw(*covered)
    assert pair.things("the car that appeared") == ()  # there at t2, but nothing shows it
    assert pair.things("the sign that changed") == (3,)  # seen at t1 only; the other sign is never seen
    assert np.array_equal(pair.refer("the sign that changed").mask, pair.numbers_t1 == 3)
    assert pair.things("the person that appeared") == ()  # merely hidden at t1
    assert pair.things("every change") == (2, 3, 4, 8)


@pytest.mark.parametrize("drawn", [(kept("car", 20, 20), kept("car", 40, 20)), ()])
def test_nothing_changed(drawn: tuple[Drawn, ...]):
    reference = draw(*drawn).refer("every change")
    assert reference.things == ()
    assert not reference.mask.any()
    assert reference.change_type is None


# Forms A, B and C


@pytest.mark.parametrize(
    ("text", "meant_for_counts"),
    [
        ("the car that appeared", {1}),
        ("the cars that appeared", {2, 3, 4, 5, 6}),
        ("all the cars that appeared", {2, 3, 4, 5, 6}),
        ("all of the cars that appeared", {2, 3, 4, 5, 6}),
        ("every car that appeared", {1, 2, 3, 4, 5, 6}),
        ("each car that appeared", {1, 2, 3, 4, 5, 6}),
        ("the two cars that appeared", {2}),
        ("the three cars that appeared", {3}),
        ("the four cars that appeared", {4}),
        ("the five cars that appeared", {5}),
        ("a car has appeared", {1}),
        ("an orange car has appeared", {1}),
        ("one car has appeared", {1}),
        ("two cars have appeared", {2}),
        ("three cars have appeared", {3}),
        ("four cars have appeared", {4}),
        ("five cars have appeared", {5}),
        ("several cars have appeared", {2, 3, 4, 5, 6}),
        ("some cars have appeared", {2, 3, 4, 5, 6}),
        ("everything that appeared", {1, 2, 3, 4, 5, 6}),
    ],
)
def test_number_of_things(text: str, meant_for_counts: set[int]):
    for count in range(7):
        pair = draw(*(new("car", 8 + 16 * at, 20, "orange") for at in range(count)), kept("car", 60, 90, "orange"))
        expected = tuple(range(1, count + 1)) if count in meant_for_counts else ()
        reference = pair.refer(text)
        assert reference.things == expected
        assert np.array_equal(reference.mask, np.isin(pair.numbers_t2, expected))
        assert reference.change_type == ("appear" if expected else None)


def test_everything():
    pair = draw(
        new("car", 20, 20),
        gone("tree", 90, 20),
        Drawn("pond", State(condition="full"), State(condition="dry"), box_at(20, 90)),
        new("rug", 90, 90),  # a kind that no noun names
        kept("house", 60, 60),
    )
    assert pair.things("everything that appeared") == (1, 4)
    assert pair.things("everything that disappeared") == (2,)
    assert pair.things("everything that changed its state") == (3,)
    assert pair.things("every change") == pair.things("all the changes") == (1, 2, 3, 4)
    assert pair.refer("every change").change_type is None
    assert pair.refer("everything that disappeared").change_type == "disappear"
    assert pair.things("everything in the left half of the image that appeared") == (1,)
    assert pair.things("everything in the bottom-right corner that appeared") == (4,)
    assert pair.things("everything at the top center that disappeared") == ()


def test_upper_case_and_full_stop_mean_nothing():
    assert draw(new("car", 20, 20)).things("A car has arrived.") == (1,)


# Positions, superlatives, ordinals

GRID = [
    ("in the top-left corner", 20, 20), ("at the top center", 60, 20), ("in the top-right corner", 100, 20),
    ("on the left, at mid-height", 20, 60), ("in the center", 60, 60), ("on the right, at mid-height", 100, 60),
    ("in the bottom-left corner", 20, 100), ("at the bottom center", 60, 100),
    ("in the bottom-right corner", 100, 100),
]  # fmt: skip


@pytest.mark.parametrize("suffix", ["", " of the image", " of the scene"])
def test_positions(suffix: str):
    pair = draw(*(new("car", x, y) for _, x, y in GRID))
    for number, (phrase, _, _) in enumerate(GRID, start=1):
        assert pair.things(f"the car {phrase}{suffix} that appeared") == (number,)
        assert pair.things(f"a car has appeared {phrase}{suffix}") == (number,)
    halves = draw(new("car", 40, 30), new("car", 80, 30), new("car", 40, 90), new("car", 80, 90))
    for half, numbers in {"left": (1, 3), "right": (2, 4), "upper": (1, 2), "lower": (3, 4)}.items():
        assert halves.things(f"the cars in the {half} half{suffix} that appeared") == numbers
        assert halves.things(f"two cars have appeared in the {half} half{suffix}") == numbers


def test_top_and_bottom_in_statements():
    pair = draw(*(new("car", x, y) for _, x, y in GRID))
    assert pair.things("three cars have appeared at the top of the scene") == (1, 2, 3)
    assert pair.things("three cars have appeared at the bottom of the scene") == (7, 8, 9)
    with pytest.raises(SentenceError, match="'at the top of the scene that appeared' are left over"):
        pair.things("the three cars at the top of the scene that appeared")


def test_place_of_a_pixel_is_its_centre():
    # Columns 36 to 43 have their centre exactly on 40, the bound of the thirds; columns 35 to 42 lie left of it.
    on_the_bound, left_of_it = (draw(Drawn("car", None, THERE, (left, 56, left + 8, 64))) for left in (36, 35))
    assert on_the_bound.things("the car in the center that appeared") == (1,)
    assert left_of_it.things("the car in the center that appeared") == ()
    assert left_of_it.things("the car on the left, at mid-height that appeared") == (1,)
    # Columns 56 to 63 have their centre on the bound of the halves.
    assert draw(new("car", 60, 20)).things("the car in the right half that appeared") == (1,)
    assert draw(new("car", 60, 20)).things("the car in the left half that appeared") == ()


def test_superlatives():
    pair = draw(
        new("tree", 20, 60, "red", half=4), new("tree", 60, 20, "red", half=8), new("tree", 100, 70, "red", half=2),
        new("tree", 60, 100, "red", half=5), new("tree", 110, 110, "green", half=9), kept("tree", 10, 10, "red"),
    )  # fmt: skip
    for word, number in {
        "leftmost": 1, "topmost": 2, "rightmost": 3, "bottommost": 4, "largest": 2, "smallest": 3,
    }.items():  # fmt: skip
        assert pair.things(f"the {word} red tree that was planted") == (number,)
    assert pair.things("the largest tree that was planted") == (5,)
    assert pair.things("the largest red tree in the lower half of the image that was planted") == (4,)
    assert pair.things("the leftmost tree that was cut down") == ()


def test_size_is_what_is_seen():
    pair = draw(new("tree", 30, 30, half=10), kept("house", 30, 30, half=9), new("tree", 90, 90, half=5))
    assert pair.things("the largest tree that appeared") == (3,)


def test_ordinals():
    pair = draw(
        new("car", 100, 30, "red"), new("car", 20, 40, "red"), new("car", 60, 10, "blue"), new("car", 40, 80, "red"),
        gone("car", 5, 5, "red"),
    )  # fmt: skip
    for text, number in {
        "the second car from the left": 4, "the third car from the left": 3, "the second car from the right": 3,
        "the third car from the right": 4, "the second car from the top": 1, "the third car from the top": 2,
        "the second car from the bottom": 2, "the third car from the bottom": 1,
        "the second red car from the right": 4, "the third red car from the left": 1,
    }.items():  # fmt: skip
        assert pair.things(f"{text} that appeared") == (number,)
    assert pair.things("the third car from the left in the upper half of the image that appeared") == (1,)
    assert pair.things("the third car from the left in the lower half of the image that appeared") == ()
    people = draw(*(new("person", 20 * at, 50, "red") for at in (3, 1, 2)))
    assert people.things("the second person in red from the left near the person in red that arrived") == ()
    assert people.things("the second person in red from the left that arrived") == (3,)


def test_what_is_level_is_not_chosen():
    pair = draw(new("car", 20, 40), new("car", 80, 40), new("car", 50, 90))
    assert pair.things("the topmost car that appeared") == ()
    assert pair.things("the second car from the top that appeared") == ()
    assert pair.things("the third car from the top that appeared") == (3,)
    assert pair.things("the largest car that appeared") == ()


# Relations


@pytest.mark.parametrize("words", ["next to", "beside", "close to", "near"])
def test_nearness_ends_at_a_twentieth_of_the_width(words: str):
    # The pond's last column is 29. 6 pixels away is column 35; 36 is too far.
    pond = Drawn("pond", THERE, THERE, (10, 50, 30, 70))
    for left, top, near in [(35, 60, True), (36, 60, False), (30, 60, True), (34, 72, True), (34, 73, False)]:
        pair = draw(pond, Drawn("car", None, THERE, (left, top, left + 8, top + 8)))
        expected = (2,) if near else ()
        assert pair.things(f"the car {words} the pond that appeared") == expected
        assert pair.things(f"a car has appeared {words} a pond") == expected
        assert pair.things(f"every car {words} a pond that arrived") == expected


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        ((-30, 0), "to the left of"), ((-30, 30), "to the left of"), ((-30, -29), "to the left of"),
        ((30, 0), "to the right of"), ((30, -30), "to the right of"), ((30, 12), "to the right of"),
        ((0, -30), "above"), ((30, -30), "above"), ((-29, -30), "above"),
        ((0, 30), "below"), ((-30, 30), "below"), ((29, 30), "below"),
    ],
)  # fmt: skip
def test_directions(offset: tuple[int, int], words: str):
    pair = draw(kept("pond", 60, 60), new("house", 60 + offset[0], 60 + offset[1]), kept("house", 5, 5))
    assert pair.things(f"the house {words} the pond that appeared") == (2,)
    assert pair.things(f"a house has been built {words} the pond") == (2,)
    diagonal = abs(offset[0]) == abs(offset[1])
    held = [text for text in ("to the left of", "to the right of", "above", "below")
            if pair.things(f"the house {text} the pond that appeared")]  # fmt: skip
    assert len(held) == (2 if diagonal else 1)


def test_landmark_of_the_same_place_lies_in_no_direction():
    pair = draw(new("field", 60, 60, half=20), kept("pond", 60, 60))
    for words in ("to the left of", "to the right of", "above", "below"):
        assert pair.things(f"the field {words} the pond that appeared") == ()
    assert pair.things("the field near the pond that appeared") == (1,)


def test_landmark_must_be_the_only_one_at_the_time_of_reference():
    pair = draw(
        new("car", 40, 40), gone("car", 20, 40), gone("pond", 30, 50), kept("pond", 90, 90), new("tree", 90, 100),
        kept("sign", 30, 30, "red"), kept("sign", 100, 100, "blue"),
    )  # fmt: skip
    assert pair.things("the car to the left of the pond that arrived") == (1,)  # at t2 there is one pond
    assert pair.things("the car near the pond that left") == ()  # at t1 there are two
    assert pair.things("the car near a pond that left") == (2,)
    assert pair.things("the car near the sign that arrived") == ()
    assert pair.things("the car near the red sign that arrived") == (1,)
    assert pair.things("the car near the blue sign that arrived") == ()
    assert pair.things("the car near the green sign that arrived") == ()
    assert pair.things("the car near the bench that arrived") == ()
    assert pair.things("the car near the tree that left") == ()  # not there yet


def test_landmark_that_is_hidden_does_not_count():
    hidden = draw(new("car", 30, 30), kept("pond", 40, 30), kept("pond", 90, 90), kept("warehouse", 90, 90, half=8))
    assert hidden.things("the car near the pond that appeared") == (1,)


def test_landmark_is_another_thing():
    alone, two = draw(new("house", 30, 30)), draw(new("house", 30, 30), new("house", 40, 30))
    assert alone.things("the house next to the house that appeared") == ()
    assert alone.things("the house next to a house that appeared") == ()
    assert two.things("the houses next to the house that appeared") == ()  # which one?
    assert two.things("the houses next to a house that appeared") == (1, 2)
    assert draw(new("house", 30, 30), kept("greenhouse", 40, 30)).things(
        "the building next to the greenhouse that appeared"
    ) == (1,)


def test_landmark_changed_too():
    pair = draw(new("car", 30, 30), new("house", 40, 30, "red"), kept("house", 90, 90, "grey"))
    assert pair.things("the car beside the house with a red roof that arrived") == (1,)
    assert pair.things("the car beside the red-roofed house that arrived") == (1,)
    assert pair.things("the car beside a house with a grey roof that arrived") == ()


def test_relations_of_a_state_change():
    full, dry = State(condition="full"), State(condition="dry")
    pond = Drawn("pond", full, dry, (10, 50, 30, 70), (10, 50, 20, 70))
    near_tree = "the pond near the tree that dried up"
    # Water reaches to column 29 at t1, to column 19 at t2: 14 pixels from the first tree, 6 from the second one.
    assert draw(pond, Drawn("tree", THERE, THERE, (33, 50, 40, 60))).things(near_tree) == ()
    assert draw(pond, Drawn("tree", THERE, THERE, (25, 50, 40, 60))).things(near_tree) == (1,)
    # The landmark must be seen at both times.
    for tree in (new("tree", 24, 60), gone("tree", 24, 60)):
        assert draw(pond, tree).things(near_tree) == ()
        assert draw(pond, kept("tree", 24, 60), tree._replace(box=box_at(90, 90))).things(near_tree) == (1,)
    # Its colour must hold at both times, and its own mean is that of t2.
    sign = Drawn("sign", State("red"), State("blue"), (60, 58, 70, 62), (13, 58, 17, 62))
    assert draw(pond, sign).things("the pond near the blue sign that dried up") == ()
    assert draw(pond, sign).things("the pond near the sign that dried up") == (1,)
    assert draw(pond, sign).things("the pond to the left of the sign that dried up") == ()
    assert draw(pond, sign).things("the pond to the right of the sign that dried up") == (1,)


def test_state_change_that_is_hidden_at_t2_is_near_nothing():
    pair = draw(
        Drawn("sign", State("red"), State("blue"), box_at(30, 30)), new("car", 30, 30, half=6), kept("bench", 40, 30)
    )
    assert pair.things("the sign that changed") == (1,)
    assert pair.things("the sign near the bench that changed") == ()
    assert pair.things("the sign to the left of the bench that changed") == (1,)


def test_relation_comes_before_superlative_and_position():
    pair = draw(
        kept("pond", 60, 30, half=10), new("house", 40, 30, "red", half=8), new("house", 79, 30, "red", half=8),
        new("house", 10, 100, "red", half=8),
    )  # fmt: skip
    text = "the leftmost house with a red roof beside the pond in the upper half of the image that appeared"
    assert pair.things(text) == (2,)
    assert pair.things("the second house with a red roof from the left beside the pond that appeared") == (3,)
    assert pair.things("two houses have been built next to the pond in the upper half") == (2, 3)


def test_is_within_agrees_with_all_pairs_of_pixels():
    random = np.random.default_rng(0)
    outcomes = []
    for _ in range(300):
        first, second = random.random((2, 14, 17)) < 0.02
        apart = np.argwhere(first)[:, None] - np.argwhere(second)[None]
        squares = (apart**2).sum(axis=-1)
        for distance in (Fraction(0), Fraction(7, 20), Fraction(13, 10), Fraction(5), Fraction(37, 10), Fraction(40)):
            expected = bool(squares.size) and bool(squares.min() <= distance**2)
            assert is_within(first, second, distance) == expected
            outcomes.append(expected)
    assert 0.2 < np.mean(outcomes) < 0.8


# Errors


@pytest.mark.parametrize(
    ("domain", "text", "message"),
    [
        ("RS", "the shiny car that appeared", "'shiny car that appeared' are left over"),
        ("RS", "the car that appeared yesterday", "'yesterday' are left over"),
        ("RS", "the car that flew away", "'that flew away' are left over"),
        ("RS", "the car", "ends where a change should follow"),
        ("RS", "a car", "ends where a verb should follow"),
        ("RS", "", "ends where a quantifier should follow"),
        ("RS", "car that appeared", "'car that appeared' are left over"),
        ("RS", "the largest", "ends where a noun should follow"),
        ("RS", "the car has appeared", "'has appeared' are left over"),
        ("RS", "a car that appeared", "'that appeared' are left over"),
        ("RS", "a car has appeared and left", "'and left' are left over"),
        ("RS", "every cars that appeared", "'cars' must be singular after 'every'"),
        ("RS", "each people that appeared", "'people' must be singular after 'each'"),
        ("RS", "all the car that appeared", "'car' must be plural after 'all the'"),
        ("RS", "the two car that appeared", "'car' must be plural after 'the two'"),
        ("RS", "a cars have appeared", "'cars' must be singular after 'a'"),
        ("RS", "three car has appeared", "'car' must be plural after 'three'"),
        ("RS", "the car that were removed", "'that were removed' does not agree in number with 'car'"),
        ("RS", "the cars that was removed", "'that was removed' does not agree in number with 'cars'"),
        ("RS", "every car that are gone in the later image", "does not agree in number with 'car'"),
        ("RS", "two cars has left", "'has left' does not agree in number with 'cars'"),
        ("RS", "the houses whose roof turned red", "does not agree in number with 'houses'"),
        ("RS", "the leftmost cars that appeared", "'leftmost' is used with 'the' and a singular noun only"),
        ("RS", "every largest car that appeared", "'largest' is used with 'the' and a singular noun only"),
        ("RS", "the second cars from the left that appeared", "'second' is used with 'the' and a singular"),
        ("RS", "the second car that appeared", "where the side that an ordinal counts from should follow"),
        ("RS", "the second largest car that appeared", "'largest car that appeared' are left over"),
        ("RS", "the second newly built house from the left", "'newly built house from the left' are left over"),
        ("RS", "the newly built house that appeared", "'that appeared' are left over"),
        ("RS", "the newly built car", "'newly built' cannot be said of 'car'"),
        ("RS", "a leftmost car has appeared", "'leftmost car has appeared' are left over"),
        ("RS", "an car has appeared", "'an car' has the wrong article"),
        ("RS", "a orange car has appeared", "'a orange' has the wrong article"),
        ("RS", "the house with a orange roof that appeared", "'a orange' has the wrong article"),
        ("RS", "the car near an pond that appeared", "'an pond' has the wrong article"),
        ("RS", "the red house that appeared", "the colour 'red' cannot be said of 'house' in this way"),
        ("NS", "the house with a red roof that appeared", "the colour 'red' cannot be said of 'house' in this way"),
        ("NS", "the red-roofed building that appeared", "the colour 'red' cannot be said of 'building' in this way"),
        ("NS", "the red person that appeared", "the colour 'red' cannot be said of 'person' in this way"),
        ("NS", "the car in red that appeared", "the colour 'red' cannot be said of 'car' in this way"),
        ("RS", "the red-roofed house with a red roof that appeared", "'house' is given more than one colour"),
        ("RS", "the house with red roofs that appeared", "'with red roofs that appeared' are left over"),
        ("RS", "the car that was planted", "'that was planted' cannot be said of 'car'"),
        ("RS", "the vehicle that was demolished", "'that was demolished' cannot be said of 'vehicle'"),
        ("RS", "the house that turned red", "'that turned red' cannot be said of 'house'"),
        ("RS", "the building whose roof turned red", "'whose roof turned red' cannot be said of 'building'"),
        ("RS", "the building that was repainted", "'that was repainted' cannot be said of 'building'"),
        ("NS", "the house whose roof turned red", "'whose roof turned red' cannot be said of 'house'"),
        ("RS", "the pond that was filled", "'that was filled' cannot be said of 'pond'"),
        ("RS", "the car near the ponds that appeared", "the landmark 'ponds' must be singular"),
        ("RS", "the car above a pond that appeared", "seen from 'the' landmark, not from 'a' landmark"),
        ("RS", "the car near pond that appeared", "where the landmark should follow"),
        ("RS", "the car in the center near the pond that appeared", "'near the pond that appeared' are left over"),
        ("RS", "the car on the left of the image, at mid-height that appeared", "are left over"),
        ("RS", "everything that left", "'that left' are left over"),
        ("RS", "every change in the left half", "'in the left half' are left over"),
        ("RS", "all the changes in the center", "'in the center' are left over"),
    ],
)  # fmt: skip
def test_sentences_outside_the_language(domain: Domain, text: str, message: str):
    with pytest.raises(SentenceError, match=re.escape(message)) as error:
        parse(text, domain)
    assert repr(text)[1:-1] in str(error.value)


def test_kinds_that_lie_unnumbered_cannot_be_named():
    pair = draw(new("car", 20, 20), new("house", 60, 60), unnamed=("bus", "tree"))
    assert pair.things("the car that appeared") == (1,)
    for text in ("the vehicle that appeared", "the tree that appeared", "the house near a tree that appeared"):
        with pytest.raises(SentenceError, match="may lie unnumbered in the background"):
            pair.refer(text)


def test_maps_that_contradict_the_scene():
    pair = draw(new("car", 20, 20), kept("house", 60, 60))
    with pytest.raises(ValueError, match="two-dimensional and alike"):
        refer("every change", pair.scene, pair.numbers_t1[:-1], pair.numbers_t2)
    with pytest.raises(ValueError, match="The map of t1 shows the thing 1, which is not in the scene at that time"):
        refer("every change", pair.scene, pair.numbers_t2, pair.numbers_t2)
    with pytest.raises(ValueError, match="The map of t2 shows the thing 3"):
        refer("every change", pair.scene, pair.numbers_t1, pair.numbers_t2 + np.int16(1))
