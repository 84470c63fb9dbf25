# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Colours that choose among the objects of a mask."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab
from transformers.utils import ModelOutput

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from modeling_mtrefseg.color_names_mtrefseg import COLORS
from modeling_mtrefseg.color_words_mtrefseg import take_color
from modeling_mtrefseg.object_choice_mtrefseg import ObjectChoice, split_color, split_sentence
from modeling_mtrefseg.object_colors_mtrefseg import has_color, to_lab, without_other_colors
from mtrefseg.build.presets import preset_model, tiny_processor


SIDE = 64
RED, BLUE, GROUND = (180, 40, 40), (50, 80, 170), (120, 120, 118)


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
    ("text", "rest", "color"),
    [
        ("the red cars that left", "the cars that left", "red"),
        ("which blue houses were built?", "which houses were built?", "blue"),
        ("the houses with a grey roof that were built", "the houses that were built", "grey"),
        ("the red-roofed house that was demolished", "the house that was demolished", "red"),
        ("new houses with orange tiles", "new houses", "orange"),
        ("the red roofs that were built", "the roofs that were built", "red"),
        ("the blue-tiled house that was demolished", "the house that was demolished", "blue"),
        ("houses topped with brown that were built", "houses that were built", "brown"),
        ("the houses roofed in grey that vanished", "the houses that vanished", "grey"),
        ("the cream-coloured car that left", "the car that left", "white"),
        ("the navy van that is gone", "the van that is gone", "blue"),
        ("a bottle green bench was added", "a bench was added", "green"),
        ("the chair in a shade of yellow that appeared", "the chair that appeared", "yellow"),
        ("the car with red paintwork that left", "the car that left", "red"),
        ("a truck finished in a dark green livery arrived", "a truck arrived", "green"),
        ("the box whose exterior is orange that appeared", "the box that appeared", "orange"),
        ("the yellow-painted bin that was removed", "the bin that was removed", "yellow"),
        ("the house where the roof is red that was built", "the house that was built", "red"),
        ("the car, the colour of which is blue, left", "the car, left", "blue"),
        ("someone attired in purple has left", "someone has left", "purple"),
        ("the person sporting a pink top who left", "the person who left", "pink"),
        ("a blue-clad person came in", "a person came in", "blue"),
        ("the person who has on black who walked away", "the person who walked away", "black"),
        ("the house whose roof is brown", "the house", "brown"),
        ("a house with a roof of orange colour was built", "a house was built", "orange"),
        ("the person dressed in black that left", "the person that left", "black"),
        ("someone in a white coat came in", "someone came in", "white"),
        ("the woman wearing green near the door", "the woman near the door", "green"),
        ("the light-blue tent that showed up", "the tent that showed up", "blue"),
        ("a bench of yellow colour was added", "a bench was added", "yellow"),
        ("everything red that appeared", "everything that appeared", "red"),
        ("the silver van is gone", "the van is gone", "grey"),
        ("the car that is red and that left", "the car that left", "red"),
        ("the green car next to the house", "the car next to the house", "green"),
        ("new white building", "new building", "white"),
        ("an orange tent was put up", "a tent was put up", "orange"),
        ("car (red) that left", "car that left", "red"),
        ("the big, red barn that is gone", "the big barn that is gone", "red"),
        ("the woman, dressed in red, who left", "the woman, who left", "red"),
        ("a boy in blue went away", "a boy went away", "blue"),
        ("the person on the bench in a green jumper who has gone", "the person on the bench who has gone", "green"),
        ("houses with bright blue metal roofs built", "houses built", "blue"),
        ("red colour roof houses built", "houses built", "red"),
        ("red-brick building knocked down", "brick building knocked down", "red"),
        ("very dark blue car left", "car left", "blue"),
        ("a lime green jeep arrived", "a jeep arrived", "green"),
        ("the car that's red and left", "the car left", "red"),
        ("the car coloured green that left", "the car that left", "green"),
        ("freshly painted yellow lines", "freshly painted lines", "yellow"),
        ("blue water tank was installed", "water tank was installed", "blue"),
        ("which of the red cars left", "which of the cars left", "red"),
        ("the demolition of the grey house", "the demolition of the house", "grey"),
        ("i am looking for the red car that left", "i am looking for the car that left", "red"),
        ("where has the blue truck gone?", "where has the truck gone?", "blue"),
        ("who took the red ball", "who took the ball", "red"),
        ("The Red Car That Left", "the car that left", "red"),
    ],
)
def test_the_colour_of_a_thing_is_taken_out(text: str, rest: str, color: str) -> None:
    assert take_color(text) == (rest, color)


@pytest.mark.parametrize(
    "text",
    [
        "the building that was repainted yellow",
        "the roof that turned red",
        "the navy ship that left",
        "the boat in the brown body of water",
        "the car below a red roof",
        "the man with the red beard",
        "the cherry tree that was cut down",
        "the coal heap that was removed",
        "the lemon that fell off the table",
        "the picture that changed from black to pink",
        "the field that became brown",
        "the person near a brown chair that arrived",
        "the car to the left of the grey car",
        "a car next to the blue one",
        "the van with the blue stripe",
        "the man wearing a black hat left",
        "the people in the red car",
        "the red and white car",
        "all cars but the red one",
        "the cars that are not red",
        "the red light",
        "the greenhouse that appeared",
        "the blueberry field",
        "the car that left",
        "the river looks brown now",
        "the lawn is brown and dry",
        "the roof lost its red colour",
        "roof resurfaced in black",
        "the house has been given a red roof",
        "house now has a blue tarp",
        "house missing its blue tarp",
        "the car swapped for a red one",
        "the tent which replaced the blue one",
        "the garden of the white house that was enlarged",
        "road to the red barn that was paved",
        "bridge across the brown river that collapsed",
        "house built where the brown barn was",
        "a car towing a white caravan left",
        "man holding a blue umbrella who arrived",
        "the girl with blonde hair and the pink bow left",
        "the tarp that covers the red shed is gone",
        "a shed next door to the red barn was built",
        "people in red cars",
        "no red cars",
        "ignore the red car",
        "cars, red excluded",
        "black ice on the road",
        "red cabbage field harvested",
    ],
)
def test_other_colours_stay(text: str) -> None:
    assert take_color(text) == (text, None)
    choice = split_sentence(text)[1]
    assert choice is None or choice.color is None


@pytest.mark.parametrize(
    "text",
    [
        "the White House got a new fence",
        "Mr. Brown left the house",
        "Blue Lagoon hotel extension",
        "the Green family left",
        "West Orange school was built",
    ],
)
def test_colours_in_names_stay(text: str) -> None:
    assert take_color(text) == (text.lower(), None)
    assert split_color(text) == (text, None)


def test_colours_go_with_places_and_ranks() -> None:
    asked, choice = split_sentence("Show me the second red car from the left that left.")
    assert asked == "show me every car that left"
    assert choice == ObjectChoice(order=("x", False), rank=2, color="red", date=0)
    assert split_sentence("the red cars, top left")[1] == ObjectChoice(region=(0, 0, 1 / 3, 1 / 3), color="red")
    assert split_color("the red car that left") == ("every car that left", ObjectChoice(color="red", date=0))
    assert split_sentence("two red cars left")[1] == ObjectChoice(color="red", date=0)
    assert split_color("the newly added white lines")[0] == "the newly added lines"
    assert split_sentence("the red one") == ("everything that changed", ObjectChoice(color="red"))


@pytest.mark.parametrize("color", COLORS)
def test_a_choice_travels_as_numbers(color: str) -> None:
    for choice in (ObjectChoice(color=color, date=0), ObjectChoice(region=(0, 0, 0.5, 1), color=color, date=1)):
        assert ObjectChoice.from_values(choice.to_values()) == choice


def test_lab_is_that_of_a_library() -> None:
    colors = np.random.default_rng(0).random((50, 3), dtype=np.float32)
    np.testing.assert_allclose(to_lab(colors), rgb2lab(colors), atol=0.1)


@pytest.mark.parametrize(
    ("color", "rgb"),
    [
        ("white", (240, 240, 238)),
        ("grey", (130, 130, 130)),
        ("black", (20, 20, 22)),
        ("red", (200, 20, 20)),
        ("red", (110, 40, 38)),
        ("green", (30, 150, 50)),
        ("blue", (30, 60, 200)),
        ("yellow", (235, 215, 60)),
        ("brown", (110, 80, 55)),
        ("orange", (240, 140, 30)),
        ("purple", (110, 50, 140)),
        ("pink", (230, 140, 170)),
    ],
)
def test_pixels_have_the_colour_that_people_see(color: str, rgb: tuple[int, int, int]) -> None:
    image = np.array(rgb, dtype=np.float32)[:, None, None] / 255
    assert has_color(image, color).all()
    far = {"white": "black", "black": "white", "red": "blue", "blue": "red"}.get(
        color, "white" if sum(rgb) < 450 else "black"
    )
    assert not has_color(image, far).any()


def two_things(first: tuple[int, int, int], second: tuple[int, int, int]) -> np.ndarray:
    """An image of 16 x 16 pixels with things at the left and at the right, RGB from 0 to 1."""
    image = np.full((16, 16, 3), GROUND, dtype=np.float32)
    image[4:9, 2:6], image[4:9, 10:14] = first, second
    return np.moveaxis(image, -1, 0) / 255


def test_things_of_another_colour_are_dropped() -> None:
    logits = np.full((16, 16), -5.0, dtype=np.float32)
    logits[4:9, 2:6] = logits[4:9, 10:14] = 3.0
    earlier, later = two_things(BLUE, GROUND), two_things(RED, BLUE)
    colors = np.stack([earlier, later])
    found = without_other_colors(logits, colors, "red", 1, 0.0) > 0
    assert found[4:9, 2:6].all()
    assert found.sum() == 20
    assert not (without_other_colors(logits, colors, "red", 0, 0.0) > 0).any()
    assert (without_other_colors(logits, colors, "blue", None, 0.0) > 0).sum() == 40
    nothing = np.full((16, 16), -5.0, dtype=np.float32)
    assert (without_other_colors(nothing, colors, "red", 1, 0.0) == nothing).all()


def images_of(first: tuple[int, int, int], second: tuple[int, int, int]) -> list[Image.Image]:
    """t1 with nothing but ground, and t2 with two things, at the left and at the right."""
    later = np.full((SIDE, SIDE, 3), GROUND, dtype=np.uint8)
    later[16:36, 8:24], later[16:36, 40:56] = first, second
    return [Image.new("RGB", (SIDE, SIDE), GROUND), Image.fromarray(later)]


def outputs_with(outputs: ModelOutput) -> Any:
    """The same outputs, with masks that hold both things."""
    logits = torch.full_like(outputs["mask_logits"], -5.0)
    logits[:, 4:9, 2:6] = logits[:, 4:9, 10:14] = 5.0
    outputs["mask_logits"] = logits
    outputs["no_target_logits"] = torch.full_like(outputs["no_target_logits"], -5.0)
    return outputs


@torch.no_grad()
def test_a_processor_keeps_what_has_the_colour(model: MTRefSegModel, processor: MTRefSegProcessor) -> None:
    pair = images_of(RED, BLUE)
    sentences = ["the red car that appeared", "the blue car that appeared", "the green car that appeared", "the cars"]
    outputs = outputs_with(model(**processor(*pair, text=[sentences])))
    assert outputs["image_colors"].shape == (1, 2, 3, SIDE // 4, SIDE // 4)
    (result,) = processor.post_process_referring_segmentation(outputs, [(SIDE, SIDE)])
    left, right = (
        result["masks"][:, 16:36, columns].float().mean((1, 2)) for columns in (slice(8, 24), slice(40, 56))
    )
    assert [round(value) for value in left.tolist()] == [1, 0, 0, 1]
    assert [round(value) for value in right.tolist()] == [0, 1, 0, 1]
    assert not result["masks"][2].any()
    assert result["scores"][2] == 0


@torch.no_grad()
def test_an_encoded_pair_keeps_its_colours(model: MTRefSegModel, processor: MTRefSegProcessor) -> None:
    inputs = processor(*images_of(RED, BLUE), text=[["the red car that appeared"]])
    whole = model(**inputs)
    encoding = model.encode_pair(inputs.pop("pixel_values_t1"), inputs.pop("pixel_values_t2"))
    outputs = model(pair_encoding=encoding, **inputs)
    assert torch.equal(whole.image_colors, outputs.image_colors)
    inputs.pop("object_choices")
    assert model(pair_encoding=encoding, **inputs).image_colors is None


def test_a_dark_car_has_the_color_of_its_vivid_pixels() -> None:
    image = np.full((2, 3, 8, 8), 0.1, dtype=np.float32)
    image[:, :, :, :2] = np.array([0.7, 0.35, 0.42], dtype=np.float32)[:, None, None]  # A quarter shines red.
    logits = np.full((8, 8), 5.0, dtype=np.float32)
    kept = {color: bool((without_other_colors(logits, image, color, 1, 0.0) > 0).any()) for color in ("red", "blue")}
    assert kept == {"red": True, "blue": False}
