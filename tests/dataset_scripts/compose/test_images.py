# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What is done to images: filling holes, cutting out, putting in, naming and changing colours."""

from pathlib import Path

import numpy as np
import pytest

from dataset_scripts.compose.canvas import Photo
from dataset_scripts.compose.colors import PAINTS, name_colors, repaint
from dataset_scripts.compose.filling import find_fill
from dataset_scripts.compose.instances import Instance, SourceImage
from dataset_scripts.compose.nouns import kind_of, nouns_for
from dataset_scripts.compose.pasting import MARGIN, Shadow, cast_shadow, contact_shadow, cut_out, put
from tests.dataset_scripts.compose.coco_folders import rectangle


SIDE = 200


def striped(random: np.random.Generator) -> np.ndarray:
    """A ground of stripes that run across the image."""
    rows = 120 + 60 * (np.arange(SIDE) // 12 % 2)[:, None, None]
    return (rows + random.normal(0, 3, (SIDE, SIDE, 3))).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("from_above", [True, False])
@pytest.mark.parametrize("box", [(80, 80, 100, 110), (40, 30, 130, 150)])
def test_a_hole_is_filled_with_what_runs_through_it(box: tuple[int, int, int, int], from_above: bool) -> None:
    whole = striped(np.random.default_rng(0))
    image, hole = whole.copy(), rectangle(box, (SIDE, SIDE))
    image[hole] = (200, 0, 0)
    fill = find_fill(image, hole, hole, from_above)
    assert fill is not None
    fill.put(image)
    assert np.abs(image.astype(int) - whole)[hole].mean() < 12
    near = rectangle((box[0] - 8, box[1] - 8, box[2] + 8, box[3] + 8), (SIDE, SIDE))
    assert np.array_equal(image[~near], whole[~near])


def test_a_hole_that_nothing_fits_is_left() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (SIDE // 10, SIDE // 10, 3)).repeat(10, 0).repeat(10, 1).astype(np.uint8)
    hole = rectangle((60, 60, 140, 140), (SIDE, SIDE))
    assert find_fill(image, hole, hole, True) is None
    assert find_fill(striped(random), hole, np.ones_like(hole), True) is None


def photo_of(box: tuple[int, int, int, int]) -> Photo:
    """A red thing on grey."""
    image = np.full((SIDE, SIDE, 3), 128, np.uint8)
    mask = rectangle(box, (SIDE, SIDE))
    image[mask] = (200, 20, 20)
    instance = Instance("car", box, int(mask.sum()), b"")
    return Photo(SourceImage(Path("photo.png"), SIDE, SIDE, (instance,)), image, mask.astype(np.int16))


@pytest.mark.parametrize(("scale", "degrees"), [(1.0, 0.0), (0.5, 0.0), (1.5, 0.0), (0.7, 30.0), (1.0, 90.0)])
def test_a_cut_out_has_the_shape_and_colour_of_the_thing(scale: float, degrees: float) -> None:
    thing = cut_out(photo_of((60, 80, 120, 110)), 1, scale, degrees, False, 0.2)
    assert thing is not None
    assert thing.mask.sum() == pytest.approx(60 * 30 * scale * scale, rel=0.12)
    # No grey of the old surroundings on the rim.
    seen = thing.pixels[thing.opacity > 0.3]
    assert np.abs(seen - (200, 20, 20)).max() < 25
    assert np.allclose(thing.surroundings, 128, atol=2)
    assert thing.opacity[: MARGIN - 3].max() == thing.opacity[:, : MARGIN - 3].max() == 0


def test_a_thing_that_is_covered_by_another_is_not_cut_out() -> None:
    photo = photo_of((60, 80, 120, 110))
    photo.numbers[110:130, 50:130] = 2
    assert cut_out(photo, 1, 1.0, 0.0, False, 0.2) is None


def test_what_is_put_in_changes_nothing_else() -> None:
    thing = cut_out(photo_of((60, 80, 120, 110)), 1, 1.0, 0.0, False, 0.2)
    assert thing is not None
    image = np.full((SIDE, SIDE, 3), 90, np.uint8)
    height, width = thing.opacity.shape
    put(image, thing.pixels, thing.opacity, (40, 50), None)
    part = image[50 : 50 + height, 40 : 40 + width]
    assert np.array_equal((part != 90).any(axis=2), thing.opacity > 0.01) or (part[thing.opacity == 0] == 90).all()
    image[50 : 50 + height, 40 : 40 + width] = 90
    assert (image == 90).all()


def test_shadows_fall_in_their_direction() -> None:
    opacity = rectangle((20, 20, 40, 40), (60, 60)).astype(np.float32)
    dark = cast_shadow(opacity, 8.0, Shadow((1.0, 0.0), 0.5, 0.5))
    assert dark[30, 42] > 0.4
    assert dark[30, 16] == pytest.approx(0, abs=0.02)
    assert dark.max() <= 0.5
    foot = contact_shadow(opacity, 0.4)
    assert foot[40, 30] > foot[36, 15]
    assert foot[20].max() < 0.05


@pytest.mark.parametrize("name", sorted(PAINTS))
def test_a_painted_thing_has_the_colour_that_is_said(name: str) -> None:
    random = np.random.default_rng(0)
    image = (np.array((150, 152, 155)) + random.normal(0, 12, (SIDE, SIDE, 1))).clip(0, 255).astype(np.uint8)
    image[:100] = (90, 140, 60)
    mask = rectangle((40, 120, 120, 180), (SIDE, SIDE))
    painted = repaint(image, mask.astype(np.float32), name)
    assert name_colors(painted, mask.astype(np.int16), 2)[1] == name
    assert np.array_equal(painted[~mask], image[~mask])


@pytest.mark.parametrize(
    ("color", "name"),
    [
        ((235, 233, 230), "white"),
        ((130, 132, 135), "grey"),
        ((20, 20, 24), "black"),
        ((190, 30, 30), "red"),
        ((35, 70, 170), "blue"),
        ((230, 200, 50), "yellow"),
        ((105, 70, 45), "brown"),
        ((150, 190, 200), None),
    ],
)
def test_clear_colours_are_named(color: tuple[int, int, int], name: str | None) -> None:
    image = np.full((SIDE, SIDE, 3), (120, 140, 100), np.uint8)
    numbers = rectangle((50, 50, 90, 90), (SIDE, SIDE)).astype(np.int16)
    image[numbers > 0] = color
    assert name_colors(image, numbers, 2) == [None, name]


def test_doubtful_colours_are_not_named() -> None:
    numbers = rectangle((50, 50, 90, 90), (SIDE, SIDE)).astype(np.int16)
    image = np.full((SIDE, SIDE, 3), (120, 140, 100), np.uint8)
    image[50:90, 50:70], image[50:90, 70:90] = (190, 30, 30), (35, 70, 170)
    assert name_colors(image, numbers, 2)[1] is None  # two colours
    dark = np.full((SIDE, SIDE, 3), (20, 30, 25), np.uint8)
    assert name_colors(dark, numbers, 2)[1] is None
    orange_light = np.full((SIDE, SIDE, 3), (200, 120, 50), np.uint8)
    assert name_colors(orange_light, numbers, 2)[1] is None


def test_nouns_of_any_category() -> None:
    assert kind_of("Dining_Table") == "table"
    assert kind_of("storage-tank") == "storage tank"
    assert [kind_of(name) for name in ("plane", "Swimming_pool", "motorbike")] == ["airplane", "pool", "motorcycle"]
    nouns = nouns_for(frozenset(("fire hydrant", "toothbrush", "cherry", "sheep", "person", "bus")))
    assert nouns["fire hydrant"][0] == ("fire hydrant", "fire hydrants")
    assert nouns["toothbrush"][0] == ("toothbrush", "toothbrushes")
    assert nouns["cherry"][0] == ("cherry", "cherries")
    assert nouns["sheep"][0] == ("sheep", "sheep")
    assert nouns["person"][0] == ("person", "people")
    assert nouns["bus"][0] == ("bus", "buses")
