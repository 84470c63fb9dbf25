# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Places and ranks that choose among the objects of a mask."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import pipeline
from transformers.utils import ModelOutput

from dataset_scripts.synthesis.words import places
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor, mask_scores_mtrefseg
from modeling_mtrefseg.object_choice_mtrefseg import (
    NUM_CHOICE_VALUES,
    ObjectChoice,
    keep_chosen,
    split_sentence,
)
from modeling_mtrefseg.place_words_mtrefseg import region_of
from modeling_mtrefseg.rank_words_mtrefseg import Order
from mtrefseg.build.presets import preset_model, tiny_processor
from mtrefseg.export.runtimes import OnnxSegmenter


SIDE = 64
LEFT, RIGHT, LOW = (slice(8, 20), slice(4, 16)), (slice(4, 12), slice(44, 60)), (slice(44, 60), slice(30, 50))


def mask_of(*boxes: tuple[slice, slice]) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    for box in boxes:
        mask[box] = True
    return mask


@pytest.fixture(scope="module")
def processor() -> MTRefSegProcessor:
    processor = tiny_processor(SIDE)
    processor.choose_objects = True
    return processor


@pytest.fixture(scope="module")
def model(processor: MTRefSegProcessor) -> MTRefSegModel:
    torch.manual_seed(0)
    return preset_model("tiny", processor).eval()


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("the leftmost house that was built", [LEFT]),
        ("show me the largest house that was built", [LOW]),
        ("the second house from the left that was built", [LOW]),
        ("the houses in the upper half of the image that were built", [LEFT, RIGHT]),
        ("the house in the top-right corner that was built", [RIGHT]),
        ("which house is new in the lower part of the photo?", [LOW]),
        ("all the houses that were built but the leftmost one", [RIGHT, LOW]),
        ("the house in the bottom left corner that was built", []),
    ],
)
def test_words_choose_among_the_parts_of_a_mask(text: str, boxes: list[tuple[slice, slice]]) -> None:
    asked, choice = split_sentence(text)
    assert choice is not None
    assert not any(word in asked for word in ("left", "right", "half", "corner", "largest", "lower"))
    assert np.array_equal(keep_chosen(mask_of(LEFT, RIGHT, LOW), choice), mask_of(*boxes))


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ("second from above", ("y", False)),
        ("second highest up", ("y", False)),
        ("second one down from the top", ("y", False)),
        ("second furthest north", ("y", False)),
        ("in second place from the bottom", ("y", True)),
        ("second from below", ("y", True)),
        ("second in from the left", ("x", False)),
        ("no. 2 from the left", ("x", False)),
        ("second going left to right", ("x", False)),
        ("second in left-to-right order", ("x", False)),
        ("second nearest the left edge", ("x", False)),
        ("second from the picture's left side", ("x", False)),
        ("ranked second from the western edge", ("x", False)),
        ("next to last from the left", ("x", True)),
        ("second from last from the left", ("x", True)),
        ("no. 2 from the left edge", ("x", False)),
        ("second, going from left to right,", ("x", False)),
        ("in second position going from top to bottom", ("y", False)),
    ],
)
def test_the_second_in_many_words(words: str, order: Order) -> None:
    for text in (f"the house {words} that was built", f"the house that was built, {words}"):
        assert split_sentence(text)[1] == ObjectChoice(order=order, rank=2), text


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("centred", "middle"),
        ("near the image centre", "middle"),
        ("smack in the middle", "middle"),
        ("in mid-picture", "middle"),
        ("right of centre", "right half"),
        ("off to the right", "right half"),
        ("in the right 50 %", "right half"),
        ("further to the right", "right half"),
        ("further up", "top half"),
        ("lower down in the image", "bottom half"),
        ("centred in the image", "middle"),
        ("bordering the lower edge", "along the bottom edge"),
        ("closer to the right edge than the left", "right half"),
        ("frame right", "right half"),
        ("eastwards", "right half"),
        ("beneath the centre", "bottom half"),
        ("below the horizontal midline", "bottom half"),
        ("lower down", "bottom half"),
        ("south of the middle", "bottom half"),
        ("at the left side's middle", "middle left"),
    ],
)
def test_places_in_many_words(words: str, place: str) -> None:
    for text in (f"the house {words} that was built", f"the house that was built {words}"):
        assert split_sentence(text)[1] == ObjectChoice(region=region_of(place)), text


@pytest.mark.parametrize(
    "text",
    [
        "the house in the upper half that was missing in the first",
        "the house in the upper half that was built between the two acquisitions",
        "the house in the upper half that was not there when the area was first photographed",
        "the house in the upper half that you see right here",
    ],
)
def test_words_for_dates_do_not_hide_a_place(text: str) -> None:
    assert split_sentence(text)[1] == ObjectChoice(region=(0, 0, 1, 0.5))


@pytest.mark.parametrize(
    "text",
    [
        "the car that left",
        "the first house seen from above",
        "the car that moved further down",
        "the car that drove off to the right",
        "the car that moved furthest to the right",
        "the road going to the far left that was built",
        "the fence that runs all the way to the top and was removed",
        "the crane that turned further to the left",
        "the tank filled to the top that appeared",
        "the fence that was pushed over to the right",
        "the path that climbs up to the right and was paved",
        "the building that was extended on the left side",
        "the birds that left north",
        "the second track running left to right that was built",
        "the second cable going right to left that was added",
        "the second house painted top to bottom",
        "the first house cleaned from top to bottom",
        "the second house photographed from above that was built",
        "the first picture from above shows a house",
        "the second tower up the hill that was built",
        "the second floor up that was added",
        "the first one down the slope that fell",
        "the house furthest up the hill that was built",
        "the house further down the street that was demolished",
        "the window higher up in the tower that was added",
        "the house farthest right of the church that was built",
        "the second house from the left lane that was built",
        "the closest car to the left wall that vanished",
        "the next-to-last house from the top road that was built",
        "the tree next to leftmost house that was cut",
        "the pond closest to the bottom left corner that dried up",
        "the second house from the upper right corner that was built",
        "every second house from the left that was built",
        "the second boat sailing in from the right that left",
        "the car one third from the top that vanished",
        "the first few houses from the left that were built",
        "what changed the most on the left?",
        "the window frame left that was removed",
        "the pool centred in the garden that was built",
        "the kiosk in the central square that was built",
        "the statue in the center of the picture frame that was removed",
        "the house whose door is on the left side that was built",
        "the chapel with its tower on the left that was built",
        "the silo that tipped over to the left",
        "the lower class housing that was built",
        "the house on your left as you enter the village that was built",
        "the building over the left one that was built",
        "every car apart from the one at the top that disappeared",
        "the road between the first and the second house in the upper half that was built",
        "the things that were in the first image left",
        "the house to the left of the pond that was built",
        "the house next to the largest pond that was built",
        "a new house at the bottom of the hill",
        "the building on the right side of the road that was built",
        "the tree that can only be seen in the second image",
        "everything that changed",
        "the cars that have just left the scene",
        "a saloon left",
        "the lamp that was not lit at first",
        "the car in the left lane that is gone",
        "the house on the left bank of the river",
        "the house by the lower pond that was built",
        "the house that is not the largest",
        "new houses in the corner of the scene",
        "the pool at the edge of the image",
        "two buildings show up at the edge of the scene",
        "a pool was built in the upper left corner and two more were built at the bottom",
        "the houses that were built but not the ones with a red roof",
        "the table right next to the red chair that was added",
        "the road that now leads to the largest house",
        "the left-hand-drive car that is gone",
        "the man with a bag in his left hand",
        "the right mirror that was knocked off",
        "the top of the chimney that fell off",
        "the crane in the center of the construction site",
        "new houses near North Beach",
        "the houses in the north terminal",
        "houses in South London that were demolished",
        "the cars moving from left to right",
        "the coastline moved inland to the east",
        "the new houses that are not on the right",
        "not the one on the left",
        "ignore the left half",
        "the photo on the left has more cars",
        "cherry on top",
        "all new houses except the car on the left",
        "the house nearest to the left bank",
        "the trees around the biggest building",
        "the largest house's garden",
        "the world's largest ship",
        "the highest floor",
        "the largest number of cars",
        "the largest house and a new road",
        "the four lane road",
        "2 bedroom house added",
        "10 m wide road that was built",
        "two acres of forest",
        "two hundred trees",
        "two or three houses",
        "two houses and three sheds",
        "the Four Seasons hotel",
        "in image 2 new houses",
        "the two car garage that was built",
        "the chair on the far left of the table",
        "both ends of the bridge were repaired",
        "the last house on the right",
        "right, show me the new houses",
        "its upper half is gone",
        "the island's southern half",
        "above the middle shelf",
        "new bridge over the lower river",
        "the northern boundary fence of the farm",
        "two extra floors",
        "the third window from the left of the house",
        "a tent halfway down the hill",
        "the tent at the left end of the row",
        "the lower ground floor",
        "an airliner has pushed back and left",
        "that board got taken out, right?",
    ],
)
def test_what_is_said_about_other_things_stays_in_the_sentence(text: str) -> None:
    assert split_sentence(text) == (text, None)


def at(place: str, order: Order | None = None, count: int | None = None) -> ObjectChoice:
    return ObjectChoice(region_of(place), order, count=count)


def ranked(order: Order, rank: int = 1, count: int | None = None) -> ObjectChoice:
    return ObjectChoice(None, order, rank, count)


@pytest.mark.parametrize(
    ("text", "asked", "choice"),
    [
        (
            "the pool located in the top-left corner that is new",
            "every pool that is new",
            at("in the top left corner"),
        ),
        ("a house shows up in the left part of the image", "a house shows up", at("in the left half")),
        ("[lower half] demolished villas", "demolished villas", at("in the lower half")),
        ("in the image's upper part, a new pool", "a new pool", at("in the upper half")),
        ("the trees above the midline of the photo that are gone", "the trees that are gone", at("in the upper half")),
        ("show me what is new right in the centre of the scene", "show me what is new", at("in the center")),
        ("the pool on the left that was built at the top", "every pool that was built", at("in the top left corner")),
        ("the new houses in the north-west of the scene", "the new houses", at("in the top left corner")),
        ("new cars, halfway down on the right-hand side", "new cars", at("on the right at mid height")),
        ("the biggest of the new houses", "the new houses", ranked(("size", True))),
        ("the most substantial house that was built", "every house that was built", ranked(("size", True))),
        ("the least spacious house that was built", "every house that was built", ranked(("size", False))),
        ("the new house of minimal size", "every new house", ranked(("size", False))),
        ("the new house that dwarfs all the others", "every new house", ranked(("size", True))),
        ("the new house, which is smaller than its neighbours", "every new house", ranked(("size", False))),
        ("of the new houses, the one furthest to the right", "the new houses", ranked(("x", True))),
        ("Please show me the 2nd-largest new pool!", "please show me every new pool!", ranked(("size", True), 2)),
        ("the new pool that is lower down than all the others", "every new pool", ranked(("y", True))),
        ("which house closest to the top edge is new?", "which house is new?", ranked(("y", False))),
        ("the 3rd pool counting from the bottom which is new", "every pool which is new", ranked(("y", True), 3)),
        ("the two smallest trees that were planted", "the trees that were planted", ranked(("size", False), 1, 2)),
        ("the largest three trees that were planted", "the trees that were planted", ranked(("size", True), 1, 3)),
        ("the left pool that was drained", "every pool that was drained", ranked(("x", False))),
        ("the upper left pool that was drained", "every pool that was drained", at("at the upper left")),
        ("trees cut down along the bottom edge", "trees cut down", at("along the bottom edge")),
        ("the only pool furthest east", "every pool", ranked(("x", True))),
        ("the car on the far left that arrived", "every car that arrived", ranked(("x", False))),
        ("the car that is all the way to the left that arrived", "every car that arrived", ranked(("x", False))),
        ("the car that left, closest to the top edge", "every car that left", ranked(("y", False))),
        ("the house in the leftmost position that was built", "every house that was built", ranked(("x", False))),
        ("the number two largest building that was built", "every building that was built", ranked(("size", True), 2)),
        ("the leftmost one that was built", "everything that was built", ranked(("x", False))),
        ("the second from the left that was built", "everything that was built", ranked(("x", False), 2)),
        ("the second shed from the left became a garage", "every shed became a garage", ranked(("x", False), 2)),
        ("the pair of houses on the far left", "the houses", at("in the left half", count=2)),
        (
            "the second house knocked down that was grey",
            "the second house knocked down",
            ObjectChoice(color="grey", date=0),
        ),
        ("the cars on the far left that arrived", "the cars that arrived", at("in the left half")),
        ("both new houses in the lower half", "the new houses", at("in the lower half", count=2)),
        ("the three in the lower half", "everything that changed", at("in the lower half", count=3)),
        ("show me the largest one", "everything that changed", ranked(("size", True))),
        ("the highest new house in the right half", "every new house", at("in the right half", ("y", False))),
        ("new garage (left)", "new garage", at("on the left")),
        ("new pool, middle", "new pool", at("in the middle")),
        ("a new silo halfway down", "a new silo", at("in the middle")),
        ("lhs new building", "new building", at("on the left side")),
        ("has the left side changed?", "has changed?", at("on the left side")),
        ("trees missing from the right half", "trees missing", at("in the right half")),
        (
            "the houses built in the upper half between 2010 and 2020",
            "the houses built between 2010 and 2020",
            at("top"),
        ),
        ("new pool near South Beach in the left half", "new pool near south beach", at("in the left half")),
        ("tennis court ripped out, lower left", "tennis court ripped out", at("in the lower left")),
        ("new pumping station, far left", "new pumping station", at("on the left")),
        ("which new house is the largest?", "every new house?", ranked(("size", True))),
        ("the biggest", "everything that changed", ranked(("size", True))),
        ("the second house from left", "every house", ranked(("x", False), 2)),
        ("the first two cars from the left", "the cars", ranked(("x", False), 1, 2)),
        ("the 2 cars furthest to the left", "the cars", ranked(("x", False), 1, 2)),
        ("which four boats are missing now?", "the boats are missing now?", ObjectChoice(count=4)),
        ("the larger new house", "every new house", ranked(("size", True))),
        ("the larger house that was built", "every house that was built", ranked(("size", True))),
        ("the smaller one of the two sheds that went", "the two sheds that went", ranked(("size", False))),
        ("the left one of the cars that arrived", "the cars that arrived", ranked(("x", False))),
        ("the northmost new house", "every new house", ranked(("y", False))),
        ("the second house since the left that is new", "every house that is new", ranked(("x", False), 2)),
        ("new car in the up part of the photo", "new car", at("in the upper part")),
        ("new cars in the NE", "new cars", at("in the north east")),
        ("new house on the left of the plan", "new house", at("on the left")),
        ("teh shed in the botom rihgt that is gone", "every shed that is gone", at("in the bottom right")),
    ],
)
def test_what_is_asked_and_what_is_chosen(text: str, asked: str, choice: ObjectChoice) -> None:
    assert split_sentence(text) == (asked, choice)


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("all new houses except the largest", ObjectChoice(order=("size", True))),
        ("show me every new house apart from the two leftmost ones", ObjectChoice(order=("x", False), count=2)),
        ("the houses that were built, but not those in the upper half", ObjectChoice(region=(0, 0, 1, 0.5))),
        ("all the new houses without the one at the top left", ObjectChoice(region=region_of("at the top left"))),
        ("every new house exept the biggest one", ObjectChoice(order=("size", True))),
        ("new houses except the biggest", ObjectChoice(order=("size", True))),
        ("any new house other than the biggest", ObjectChoice(order=("size", True))),
        ("every new house except the big one", ObjectChoice(order=("size", True))),
        ("every new house excluding the big one", ObjectChoice(order=("size", True))),
        ("every new house but the tiny one", ObjectChoice(order=("size", False))),
        ("trees cut down apart from the ones in the top half", ObjectChoice(region=(0, 0, 1, 0.5))),
        ("except for the one on the left, all the cars that went", ObjectChoice(region=(0, 0, 0.5, 1))),
    ],
)
def test_exceptions_are_read(text: str, excluded: ObjectChoice) -> None:
    assert split_sentence(text)[1] == ObjectChoice(excluded=excluded)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("all but the leftmost new house", "every new house"),
        ("show all but the leftmost of the new houses", "show the new houses"),
        ("all cars, except the leftmost one, that arrived", "all cars that arrived"),
        ("the people, not counting the leftmost one, who left", "the people who left"),
        ("everything new except the leftmost", "everything new"),
    ],
)
def test_what_is_asked_without_an_exception(text: str, asked: str) -> None:
    assert split_sentence(text) == (asked, ObjectChoice(excluded=ObjectChoice(order=("x", False))))


@pytest.mark.parametrize(
    "text",
    [
        "everything new except the biggest house",
        "the smaller houses that were built",
        "the larger than life statue that was built",
        "the larger building than before",
        "all new houses except the big houses",
        "houses without the roof on the left",
    ],
)
def test_exceptions_and_comparisons_of_other_things_stay(text: str) -> None:
    assert split_sentence(text) == (text, None)


def test_most_wordings_of_places_are_read_and_few_of_them_otherwise() -> None:
    read = wrong = total = 0
    for place, words in places.PLACES.items():
        expected = split_sentence(f"the house {place} that was built")[1]
        for wording in words["train"]:
            found = split_sentence(f"the house {wording} that was built")[1]
            total += 1
            read += found == expected
            wrong += found not in (None, expected)
    assert read > 0.97 * total
    assert wrong < 0.01 * total


@pytest.mark.parametrize(("rank", "words"), places.SUPERLATIVES.items())
def test_most_wordings_of_ranks_are_read(rank: str, words: tuple[places.Words, places.Words]) -> None:
    expected = split_sentence(f"the {rank} house that was built")
    before = [f"the {wording} house that was built" for wording in words[0]["train"]]
    after = [f"the house {wording} that was built" for wording in words[1]["train"]]
    unread = [text for text in (*before, *after) if split_sentence(text) != expected]
    assert len(unread) < 0.1 * len(before + after), unread


def test_a_part_close_to_a_place_is_meant_if_none_lies_in_it() -> None:
    choice = ObjectChoice(region=region_of("in the left half"))
    near = mask_of((slice(20, 40), slice(31, 34)))
    assert np.array_equal(keep_chosen(near, choice), near)
    assert np.array_equal(keep_chosen(near | mask_of(LEFT), choice), mask_of(LEFT))


def test_as_many_as_are_counted_are_looked_for_near_a_place() -> None:
    mask = np.zeros((60, 60), dtype=bool)
    low, middle, high = (slice(50, 54), slice(4, 8)), (slice(36, 40), slice(40, 44)), (slice(24, 28), slice(20, 24))
    for box in (low, middle, high):
        mask[box] = True
    for words, boxes in (("the house", [low]), ("the two houses", [low, middle]), ("the three houses", [low, middle])):
        _, choice = split_sentence(f"{words} at the bottom that appeared")
        assert choice is not None
        kept = np.zeros_like(mask)
        for box in boxes:
            kept[box] = True
        assert (keep_chosen(mask, choice) == kept).all(), words


def test_specks_are_not_ranked() -> None:
    large = np.kron(mask_of(RIGHT, LOW), np.ones((4, 4), bool))
    large[:2, :2] = True
    topmost = keep_chosen(large, ObjectChoice(order=("y", False)))
    assert np.array_equal(topmost, np.kron(mask_of(RIGHT), np.ones((4, 4), bool)))


@pytest.mark.parametrize(
    "choice",
    [
        ObjectChoice(region=region_of("in the top left corner")),
        ObjectChoice(order=("size", True), rank=3),
        ObjectChoice(region=region_of("on the left"), order=("y", False), count=2),
        ObjectChoice(excluded=ObjectChoice(order=("x", True))),
        ObjectChoice(region=region_of("in the top half"), excluded=ObjectChoice(order=("size", True)), date=1),
        ObjectChoice(order=("y", False), count=2, excluded=ObjectChoice(region=region_of("on the left")), color="red"),
    ],
)
def test_choices_survive_a_tensor(choice: ObjectChoice) -> None:
    values = torch.tensor(choice.to_values())
    assert len(values) == NUM_CHOICE_VALUES
    mask = mask_of(LEFT, RIGHT, LOW)
    back = ObjectChoice.from_values(values.tolist())
    assert back is not None
    assert np.array_equal(keep_chosen(mask, back), keep_chosen(mask, choice))
    assert (back.order, back.color, back.date) == (choice.order, choice.color, choice.date)
    assert ObjectChoice.from_values([0.0] * NUM_CHOICE_VALUES) is None


def test_model_is_asked_the_rest_and_the_mask_holds_the_choice(
    processor: MTRefSegProcessor, model: MTRefSegModel
) -> None:
    image = Image.new("RGB", (SIDE, SIDE))
    texts = ["the leftmost house that was built", "every house that was built"]
    inputs = processor(image, image, text=[texts])
    assert torch.equal(inputs["input_ids"][0], inputs["input_ids"][1])
    with torch.no_grad():
        outputs = model(**inputs)
    assert torch.equal(outputs.object_choices, inputs["object_choices"])
    logits = torch.from_numpy(np.where(mask_of(LEFT, RIGHT, LOW), 9.0, -9.0)).float()
    outputs = ModelOutput({**outputs, "mask_logits": logits.expand(2, SIDE, SIDE)})
    (result,) = processor.post_process_referring_segmentation(outputs, [(SIDE, SIDE)], no_target_threshold=1.0)
    first, second = result["masks"].numpy()
    assert np.array_equal(first, mask_of(LEFT))
    assert np.array_equal(second, mask_of(LEFT, RIGHT, LOW))


def scored_outputs(*choices: ObjectChoice | None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Logits that differ from object to object, and outputs in which each sentence has them."""
    logits = np.full((SIDE, SIDE), -9.0, np.float32)
    for box, value in ((LEFT, 6.0), (RIGHT, 2.0), (LOW, 0.7)):
        logits[box] = value
    values = [[0.0] * NUM_CHOICE_VALUES if choice is None else choice.to_values() for choice in choices]
    return logits, {
        "mask_logits": np.repeat(logits[None], len(choices), axis=0),
        "no_target_logits": np.full(len(choices), -9, np.float32),
        "num_expressions": np.array([len(choices)]),
        "object_choices": np.array(values, np.float32),
    }


@pytest.mark.parametrize("is_exported", [False, True])
@pytest.mark.parametrize("size", [(SIDE, SIDE), (150, 140), (36, 40)])
def test_the_score_is_that_of_the_mask_that_is_returned(
    size: tuple[int, int], is_exported: bool, processor: MTRefSegProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in bands."""
    monkeypatch.setattr(mask_scores_mtrefseg, "_PIXELS_PER_BAND", 900)
    right, topmost = ObjectChoice(order=("x", True)), ObjectChoice(order=("y", False), count=2)
    nowhere = ObjectChoice(region=(0.0, 0.99, 0.01, 1.0))
    logits, arrays = scored_outputs(None, right, topmost, nowhere)
    if is_exported:
        segmenter = object.__new__(OnnxSegmenter)
        thresholds = {"threshold": 0.5, "no_target_threshold": None, "fallback_threshold": None}
        vars(segmenter)["settings"] = SimpleNamespace(image=SimpleNamespace(size=SIDE), **thresholds)
        result: Any = segmenter.post_process_referring_segmentation(arrays, [size])[0]
    else:
        tensors = ModelOutput({name: torch.from_numpy(values) for name, values in arrays.items()})
        (result,) = processor.post_process_referring_segmentation(tensors, [size])
    probabilities = processor.image_processor.sample_maps(torch.from_numpy(logits)[None], *size)[0].sigmoid().numpy()
    masks, scores = np.asarray(result["masks"]), np.asarray(result["scores"])
    assert masks.any((1, 2)).tolist() == [True, True, True, False]
    assert scores.dtype == np.float32
    expected = [probabilities[mask].mean() if mask.any() else 0.0 for mask in masks]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert len({round(float(score), 2) for score in scores}) == 4


def test_a_sentence_without_a_choice_costs_nothing_more(
    processor: MTRefSegProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mask_scores_mtrefseg, "mean_probability", lambda *arguments: pytest.fail("sampled again"))
    everywhere = ObjectChoice(region=(0.0, 0.0, 1.0, 1.0))
    _, arrays = scored_outputs(None, everywhere)
    tensors = ModelOutput({name: torch.from_numpy(values) for name, values in arrays.items()})
    (result,) = processor.post_process_referring_segmentation(tensors, [(SIDE, SIDE)])
    assert result["scores"][0] == result["scores"][1] > 0.5


def test_training_and_generation_ask_whole_sentences(processor: MTRefSegProcessor) -> None:
    image, text = Image.new("RGB", (SIDE, SIDE)), "the leftmost house that was built"
    whole = processor(image, image, text=text, choose_objects=False)
    assert "object_choices" not in whole
    for options in ({"masks": image.convert("L")}, {"generation": True}):
        assert "object_choices" not in processor(image, image, text=text, **options)
    assert len(whole["input_ids"][0]) != len(processor(image, image, text=text)["input_ids"][0])


def test_pipeline_answers_as_processor_and_model_do(processor: MTRefSegProcessor, model: MTRefSegModel) -> None:
    image = Image.effect_noise((SIDE, SIDE), 90).convert("RGB")
    texts = ["the leftmost house that was built", "the cars that left"]
    segment = pipeline("multi-temporal-referring-segmentation", model=model, processor=processor)
    answers = segment({"image_t1": image, "image_t2": image, "text": texts}, no_target_threshold=1.0)
    with torch.no_grad():
        outputs = model(**processor(image, image, text=[texts]))
    (result,) = processor.post_process_referring_segmentation(outputs, [(SIDE, SIDE)], no_target_threshold=1.0)
    for answer, mask in zip(answers, result["masks"].numpy(), strict=True):
        assert np.array_equal(np.asarray(answer["mask"]) > 0, mask)


def test_the_option_is_saved(processor: MTRefSegProcessor, tmp_path: object) -> None:
    processor.save_pretrained(str(tmp_path))
    assert MTRefSegProcessor.from_pretrained(str(tmp_path)).choose_objects
    assert not tiny_processor(SIDE).choose_objects
