# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Sentences of mirrored, turned, cropped and exchanged images."""

import pytest

from trainer.data.sentence_words import depends_on_frame, depends_on_surroundings, mentions_direction, mirrored
from trainer.data.time_words import swapped_type, time_swapped


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("the house in the top-left corner", "the house in the top-right corner"),
        ("the second car from the left that left", "the second car from the right that left"),
        ("the people that have left the left side", "the people that have left the right side"),
        ("on the left, at mid-height that appeared", "on the right, at mid-height that appeared"),
        ("the left and right cars", "the right and left cars"),
        ("The leftmost house", "The rightmost house"),
        ("the rightmost house to the left of the pond", "the leftmost house to the right of the pond"),
        ("the house in the upper left corner", "the house in the upper right corner"),
        ("the tree right next to the house", "the tree right next to the house"),
        ("the bags that were left behind", "the bags that were left behind"),
        ("the right-angled wall", "the right-angled wall"),
        ("Rightmost truck", "Leftmost truck"),
        ("the eastern fields", "the western fields"),
        ("the car that appeared", "the car that appeared"),
        # Whether it lies beside the bench or was left there is ambiguous.
        ("the bag left of the bench", None),
        ("the car that is left of the tree", None),
        ("the bag left on the bench", None),
        ("the cars in the eastbound lanes", None),
        ("the house in the topleft corner", None),
        ("the house at 3 o'clock", None),
        ("the house near West Street", None),
        ("the sign that was turned clockwise", None),
    ],
)
def test_left_and_right_change_places(sentence, expected):
    assert mirrored(sentence, 0) == expected


@pytest.mark.parametrize(
    "sentence", ["the house in the top-left corner", "the leftmost car that left", "the eastern road"]
)
def test_mirroring_twice_changes_nothing(sentence):
    for axis in (0, 1):
        assert mirrored(mirrored(sentence, axis), axis) == sentence


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("the house in the top-left corner", "the house in the bottom-left corner"),
        ("two villas appear at the top of the scene", "two villas appear at the bottom of the scene"),
        ("the topmost house above the pond", "the bottommost house below the pond"),
        ("the cars in the lower half of the image", "the cars in the upper half of the image"),
        ("the house that was torn down", "the house that was torn down"),
        ("the building under construction", "the building under construction"),
        ("the house on the left that showed up", "the house on the left that showed up"),
        ("the antenna on top of the roof", None),
        ("the wall at the top of the hill", None),
        ("the villa built under the house", None),
    ],
)
def test_top_and_bottom_change_places(sentence, expected):
    assert mirrored(sentence, 1) == expected


@pytest.mark.parametrize(
    ("sentence", "change_type", "expected"),
    [
        ("the car that appeared", "appear", "the car that disappeared"),
        ("the car that disappeared", "disappear", "the car that appeared"),
        ("the houses that were newly built", "appear", "the houses that were removed"),
        ("the newly built house beside the pond", "appear", "the removed house beside the pond"),
        ("the house that was torn down", "disappear", "the house that was built"),
        ("the car that is new in the second image", "appear", "the car that is gone in the later image"),
        ("the cars that are gone in the later image", "disappear", "the cars that are new in the later image"),
        (
            "the man that can only be seen in the earlier image",
            "disappear",
            "the man that can only be seen in the later image",
        ),
        ("two cars have left in the lower half", "disappear", "two cars have arrived in the lower half"),
        ("the left car that left", "disappear", "the left car that arrived"),
        ("the second car from the left that appeared", "appear", "the second car from the left that disappeared"),
        ("A tree appears by the road", "appear", "A tree disappears by the road"),
        ("the roof that changed from red to blue", "state_change", "the roof that changed from blue to red"),
        ("the door that was opened", "state_change", "the door that was closed"),
        ("the lamp that was switched off", "state_change", "the lamp that was switched on"),
        ("the pond that dried up", "state_change", "the pond that filled with water"),
        ("the field that changed", "state_change", "the field that changed"),
        ("the pool that was filled with water", "state_change", "the pool that was dried up"),
        ("every change", "appear", "every change"),
        ("the roof that changed from red to light blue", "state_change", None),
        ("the blue car that left the parking lot", "disappear", None),
        ("a residential area appears in place of the vegetation", "appear", None),
        ("several buildings are constructed and the trees grow lusher", "appear", None),
        ("house at the top is widened and a house is built next to it", "appear", None),
        ("a house was added to the line", "appear", None),
        ("the built-up area", "appear", None),
        # The sentence says more about time than that something appeared.
        ("a new house shows up", "appear", None),
        ("a warehouse is pulled down and some new buildings are built", "appear", None),
        ("the house that replaced the shed", "appear", None),
        ("two houses appear near the existing one", "appear", None),
        ("the field that turned green", "state_change", None),
        ("the sign that was repainted blue", "state_change", None),
        ("the car on the road", "appear", None),
        # Words of appearance, said of a thing that disappeared, or of nobody knows what.
        ("the car that appeared", "disappear", None),
        ("the car that appeared", "unknown", None),
    ],
)
def test_appear_and_disappear_are_exchanged(sentence, change_type, expected):
    assert time_swapped(sentence, change_type) == expected


def test_types_are_exchanged():
    assert [swapped_type(one) for one in ("appear", "disappear", "state_change", "unknown")] == [
        "disappear",
        "appear",
        "state_change",
        "unknown",
    ]


@pytest.mark.parametrize(
    ("sentence", "turns", "crops"),
    [
        ("the car that appeared", False, False),
        ("the car that left", False, False),
        ("the red cars that can only be seen in the second image", False, False),
        ("the person dressed in blue that left", False, False),
        ("the house with a red roof that was built", False, False),
        ("the largest house that appeared", False, True),
        ("the two cars that left", False, True),
        ("the second car from the left that left", True, True),
        ("the car next to the bus that appeared", False, True),
        ("the house in the center that appeared", False, True),
        ("the house in the upper half of the image", True, True),
        ("the leftmost forest", True, True),
        ("the patch of forest that was cut down", False, False),
        ("3 new houses appear", False, True),
        ("a dozen cars that left", False, True),
        ("the larger building that was built", False, True),
        ("the cars in the eastbound lanes", True, True),
        ("the house in the topleft corner", True, True),
    ],
)
def test_what_depends_on_direction_and_frame(sentence, turns, crops):
    assert mentions_direction(sentence) == turns
    assert depends_on_frame(sentence) == crops


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("all the cars that appeared", False),
        ("the person on the left, at mid-height that left", False),
        ("the buildings in the bottom-right corner that were added", False),
        ("the car in the lower half of the image that is new in the second image", False),
        ("every patch of cropland that was converted to another use", False),
        ("the rightmost building that was newly built", False),
        ("a villa has been built on the bareland by the road", True),
        ("the car next to the bus that left", True),
        ("the second car from the left that appeared", True),
        ("a house appears in the middle of the forest", True),
        ("three buildings appear on the bareland near the road", True),
        ("two houses are built next to each other", True),
        ("a house is located at a crossroad", True),
        ("several lines of buildings appear parallel to the roads", True),
        ("several buildings are neatly arranged alongside the road", True),
        ("the car to the left of a house that appeared", True),
        ("the fountain in the center of a roundabout that appeared", True),
        ("the building at the top center that appeared", False),
    ],
)
def test_what_depends_on_surroundings(sentence, expected):
    assert depends_on_surroundings(sentence) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "das neue Haus links oben",
        "la casa a la izquierda",
        "la maison à gauche",
        "左边的新房子",
        "дом слева",
        "the new house on the ｌｅｆｔ",
        "the house at the ↖",
        "the house in the NW corner",
        "the car at the LHS",
        "the house W of the road",
        "the car at 3 o’clock",
    ],
)
def test_what_is_not_understood_is_left_out_of_changed_images(sentence):
    assert mirrored(sentence, 0) is None
    assert mirrored(sentence, 1) is None
    assert mentions_direction(sentence)
    assert depends_on_frame(sentence)


@pytest.mark.parametrize("sentence", ["la casa a la izquierda que cambió", "die Wiese neben dem Haus"])
def test_other_languages_stay_in_their_surroundings(sentence):
    assert depends_on_surroundings(sentence)


def test_typographic_marks_are_english():
    assert (
        mirrored("the “red” car on the driver’s left side – new", 0)
        == "the “red” car on the driver’s right side – new"
    )
