# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Which image shows the object of a sentence, and what the model is told about it."""

import pytest

from modeling_mtrefseg.change_words_mtrefseg import date_of, with_change
from mtrefseg.build.presets import tiny_processor


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("the cars that left", 0),
        ("the house that was torn down", 0),
        ("the house that was built", 1),
        ("new building", 1),
        ("the car", None),
        ("where did the truck go?", 0),
        ("the man left the room", 0),
        ("the car parked by the church that left", 0),
        ("the pasture that was built over", 0),
        ("vans that have arrived since the first image", 1),
        ("a marquee has gone up beside the pavilion", 1),
        ("a shed that wasn't in the first photo", 1),
        ("cars that are missing from the before picture", 1),
        ("the lamp does not appear in the second image", 0),
        ("the van seen in the first picture but missing in the second", 0),
        ("the box is only in the first image", 0),
        ("cows that were moved to another field", None),
        ("the villa that sprang from the ground", 1),
        ("houses which were not around at first", 1),
        ("a previously unseen van", 1),
        ("what can only be seen afterwards", 1),
        ("the shop has no counterpart in the older photo", 1),
        ("did anybody step into view?", 1),
        ("the barn that cannot be found in the later shot", 0),
        ("the kiosk that is no longer standing there", 0),
        ("the tree that used to grow there", 0),
        ("the hacked-down oak", 0),
        ("which cars have driven off?", 0),
        ("the only person that by now has strolled away", 0),
        ("the person close to the wall that left", 0),
        ("the roof that turned red", None),
        ("the pond that is no longer dry", None),
        ("the lamp that went out", None),
        ("the door that was closed before", None),
        ("everything that changed", None),
        # Words about other things.
        ("the building on the left", None),
        ("the car that moved to the left", None),
        ("the house on the left that was built", 1),
        ("the man walking on the beach", None),
        ("the man walking in the park", None),
        ("the man walking in from the left edge", 1),
        ("the road leading out of town that was widened", None),
        ("the house built on stilts that was torn down", 0),
        ("the car parked next to the new house that left", 0),
        ("the building next to the demolished one has appeared", 1),
        ("the lamp installed beside the door was removed", 0),
        ("the new fence that is gone", 0),
        ("somebody removed the new fence", 0),
        ("the new path through the cleared wood", 1),
        ("the trees that were cut to build a road", 0),
        ("after the barn was torn down, a house was built", 1),
        ("the tree planted where the shed was removed", 1),
        # Replaced things, and both changes of one thing.
        ("the house that replaced the barn", 1),
        ("the barn that made way for a house", 0),
        ("the barn that was replaced by a house", 0),
        ("a garage instead of the shed", 1),
        ("the car that left and came back", None),
        ("the house that was demolished and rebuilt", None),
        # Changes of state, movements and denied changes.
        ("the man who took off his hat", None),
        ("the tree that has lost its leaves", None),
        ("the barrier went up", None),
        ("the grass has been cut", None),
        ("the road was dug up", None),
        ("the roof is darker than in the first photo", None),
        ("the roof that was grey in the first picture", None),
        ("the house that was not demolished", None),
        ("nothing has disappeared", None),
        ("the tower that was there before and still stands", None),
        # Nouns, other languages' word order, two sentences in one.
        ("erection of a shed", 1),
        ("felling of the trees by the river", 0),
        ("it wasn't there, now it is: the fountain", 1),
        ("the car who is not more here", 0),
        ("they have moved the table out of the room", 0),
        ("one more tree than before", 1),
        # What was empty before, what came after an image.
        ("a shed on the previously bare plot", 1),
        ("a van in the bay that was empty before", 1),
        ("the box that was put there after the first photo", 1),
        ("the crane, not seen since the first image", 0),
        ("in the first photo there is no bridge", 1),
        ("in the second picture there is no bag", 0),
        ("no sign of a tent can be found in the initial image", 1),
        ("the petrol station postdates the earlier shot", 1),
        ("the sheep were moved on, leaving the field empty", 0),
        # Adverbs of time, ordinals and possessives.
        ("the newly demolished house", 0),
        ("the newly built house", 1),
        ("the car that was previously parked here", 0),
        ("the car parked in the first row", None),
        ("the man standing before the door", None),
        ("the tree that stood here before the storm", 0),
        ("the man with the bag on his left", None),
        ("the full set of houses that were built", 1),
        # Rarer verbs.
        ("a shelter has been cobbled together", 1),
        ("the bike ended up in the ditch", 1),
        ("the field that ended up green", None),
        ("the shed has bitten the dust", 0),
        ("the yard was stripped of its trees", 0),
        ("the lawn has gone brown", None),
        ("the houses built on an open space", 1),
        ("a cabin was built in the woods", 1),
        ("the cabin built of wood", None),
    ],
)
def test_words_say_which_image_shows_it(text: str, date: int | None) -> None:
    assert date_of(text) == date


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("cars", "cars that changed"),
        ("Red SUV!", "red car that changed"),
        ("what happened to the car by the road?", "the car by the road that changed"),
        ("Are there any houses?", "any houses that changed"),
        ("please show me the people with umbrellas", "the people with umbrellas that changed"),
        ("a man walking on the street", "a man walking on the street that changed"),
        ("the bench next to the shed", "the bench next to the shed that changed"),
        ("any changes to the roads?", "the roads that changed"),
        ("the cars that appeared or disappeared", "the cars that changed"),
        ("all cars that came or went", "all cars that changed"),
        ("new or missing houses", "changed houses"),
        ("new houses and removed houses", "changed houses"),
        ("cars that have been added/removed", "cars that have been changed"),
        ("the cars that are visible in only one of the images", "the cars that changed"),
        ("cars in one photo only", "cars changed"),
        ("cars before and after", "cars changed"),
        ("the people who have moved", "the people who changed"),
        # They name a change, or may do so.
        ("in one image there is a car", "in one image there is a car"),
        ("the car that moved away", "disappeared: the car that moved away"),
        ("new houses", "appeared: new houses"),
        ("house demolition", "disappeared: house demolition"),
        ("changed cars", "changed cars"),
        ("flooded fields", "flooded fields"),
        ("given-up land", "given-up land"),
        ("the car who scooted off", "the car who scooted off"),
        ("Where did the car go?", "disappeared: Where did the car go?"),
        ("where did the taxis zoom", "where did the taxis zoom"),
        ("what changed?", "what changed?"),
        ("changes in the image", "changes in the image"),
        ("the car that left and came back", "the car that left and came back"),
        ("the barn demolished and new houses", "the barn demolished and new houses"),
        ("the man who arrived and left the bag", "the man who arrived and left the bag"),
        ("everything", "everything"),
        ("", ""),
    ],
)
def test_a_sentence_about_every_type_of_change_is_asked_in_plain_words(text: str, asked: str) -> None:
    assert with_change(text) == asked


def test_the_model_is_told_the_change_in_plain_words() -> None:
    assert with_change("Which villa sprang up?") == "appeared: Which villa sprang up?"
    assert with_change("the car that left") == "disappeared: the car that left"
    assert with_change("the roof that turned red") == "the roof that turned red"
    processor = tiny_processor(64)
    told, plain = (
        processor.tokenizer.batch_decode(
            processor.encode_text([["the red car that left"]], choose_objects=chooses)["input_ids"]
        )[0]
        for chooses in (True, False)
    )
    assert "disappeared: every car that left" in told
    assert "the red car that left" in plain
    assert "disappeared" not in plain
