# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the model is told in plain words."""

import pytest

from modeling_mtrefseg.plain_sentences_mtrefseg import with_change
from mtrefseg.build.presets import tiny_processor


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
        ("anything at all that's different about the houses", "the houses that changed"),
        ("flag changes to road barriers, irrespective of sort", "road barriers that changed"),
        ("farmland changes pls", "farmland that changed"),
        ("how do the sports fields differ from one date to the other?", "the sports fields that changed"),
        ("did the bridges change somehow?", "the bridges that changed"),
        ("tell me everything that isnt the same with the boats", "the boats that changed"),
        ("track the railway: extensions, removals, diversions", "the railway that changed"),
        ("ponds – new, lost, bigger, smaller – tick them all", "ponds that changed"),
        ("construction, conversion and demolition of dwellings alike", "dwellings that changed"),
        ("what has changed among the trees, gains as well as losses?", "the trees that changed"),
        # They name a change, or may do so.
        ("significant changes", "significant changes"),
        ("the building with the most changes", "the building with the most changes"),
        ("altered houses, now gone", "altered houses, now gone"),
        ("the sign with a change of text", "the sign with a change of text"),
        ("the changing room", "the changing room"),
        ("people walking in and out of the shop", "people walking in and out of the shop"),
        ("in one image there is a car", "in one image there is a car"),
        ("the car that moved away", "disappeared: the car that moved away"),
        ("new houses", "appeared: new houses"),
        ("house demolition", "disappeared: house demolition"),
        ("changed cars", "cars that changed"),
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
