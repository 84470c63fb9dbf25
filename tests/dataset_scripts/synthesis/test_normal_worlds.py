# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Streets, highways and rooms: what is painted is what the scene says."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from dataset_scripts.synthesis import COLORS
from dataset_scripts.synthesis.render.light import Light, sample_light
from dataset_scripts.synthesis.render.perspective import NormalScene
from dataset_scripts.synthesis.scene import Rendering, State, Thing
from dataset_scripts.synthesis.worlds.highway import paint_highway, sample_highway
from dataset_scripts.synthesis.worlds.room import paint_room, sample_room
from dataset_scripts.synthesis.worlds.street import paint_street, sample_street


WORLDS: dict[str, tuple[Callable, Callable]] = {
    "highway": (sample_highway, paint_highway),
    "street": (sample_street, paint_street),
    "room": (sample_room, paint_room),
}
LIGHT = Light(degrees=30, reach=0.8, strength=0.4)
SEEDS = range(12)
FIXED = {"building", "door"}
REPAINTED = {"building", "sign", "picture"}

pytestmark = pytest.mark.parametrize("world", WORLDS)


@cache
def sampled(world: str, seed: int, size: int = 256) -> NormalScene:
    return WORLDS[world][0](np.random.default_rng([seed, 11]), size)


@cache
def painted(world: str, seed: int, time: int, size: int = 256) -> Rendering:
    """Rendered without what another image has left behind, so that nothing hangs on the order of painting."""
    scene = replace(sampled(world, seed, size))
    return WORLDS[world][1](scene, time, LIGHT)


def state(thing: Thing, time: int) -> State | None:
    return thing.state_t1 if time == 1 else thing.state_t2


def test_same_seed_same_image(world):
    sample, paint = WORLDS[world]
    for seed in (0, 1):
        first, second = (sample(np.random.default_rng(seed), 256) for _ in range(2))
        assert first == second
        for time in (1, 2):
            one, other = paint(first, time, LIGHT), paint(second, time, LIGHT)
            assert np.array_equal(one.image, other.image)
            assert np.array_equal(one.numbers, other.numbers)
            assert np.array_equal(one.vegetation, other.vegetation)


def test_scenes_differ(world):
    images = {painted(world, seed, 1).image.tobytes() for seed in SEEDS}
    assert len(images) == len(SEEDS)


def test_second_image_does_not_depend_on_the_first(world):
    for seed in SEEDS[:4]:
        scene = replace(sampled(world, seed))
        WORLDS[world][1](scene, 1, LIGHT)
        assert np.array_equal(WORLDS[world][1](scene, 2, LIGHT).image, painted(world, seed, 2).image)


@pytest.mark.parametrize("size", [128, 256, 1024])
def test_sizes(world, size):
    scene = sampled(world, 3, size)
    rendering = painted(world, 3, 1, size)
    assert scene.size == size
    assert (scene.domain, scene.view) == ("NS", "normal")
    assert rendering.image.shape == (size, size, 3)
    assert rendering.image.dtype == np.uint8
    assert rendering.numbers.shape == rendering.vegetation.shape == (size, size)
    assert rendering.numbers.dtype == np.int16
    assert rendering.vegetation.dtype == np.uint8


def test_larger_images_show_the_same_scene(world):
    small, large = painted(world, 5, 1, 256), painted(world, 5, 1, 1024)
    shrunk = large.image.reshape(256, 4, 256, 4, 3).mean(axis=(1, 3))
    # Texture and the numbers drawn for it differ with the size; the layout does not.
    blocks = [image.reshape(16, 16, 16, 16, 3).mean(axis=(1, 3)) for image in (small.image, shrunk)]
    assert np.abs(blocks[0] - blocks[1]).mean() < 12


def test_numbers_belong_to_things_that_are_there(world):
    for seed in SEEDS:
        scene = sampled(world, seed)
        assert [thing.number for thing in scene.things] == list(range(1, len(scene.things) + 1))
        for time in (1, 2):
            there = {thing.number for thing in scene.things if state(thing, time) is not None}
            assert set(np.unique(painted(world, seed, time).numbers).tolist()) <= {0} | there


def test_unchanged_things_look_the_same(world):
    equal, compared = 0, 0
    for seed in SEEDS:
        scene = sampled(world, seed)
        first, second = painted(world, seed, 1), painted(world, seed, 2)
        # A lamp that is lit shines on what is around it.
        if any(thing.kind == "lamp" and thing.change for thing in scene.things):
            continue
        for thing in scene.things:
            inside = core((first.numbers == thing.number) & (second.numbers == thing.number))
            if thing.change is None and inside.sum() > 50:
                same = (first.image[inside] == second.image[inside]).all(axis=1)
                # Leaves and rims of other things may cover less than half of a pixel, which then is not theirs.
                assert same.mean() > 0.9
                equal, compared = equal + int(same.sum()), compared + len(same)
    assert compared > 5000
    assert equal > 0.995 * compared


def test_background_is_seen_where_a_thing_left(world):
    gone = 0
    for seed in SEEDS:
        first, second = painted(world, seed, 1), painted(world, seed, 2)
        for thing in sampled(world, seed).things:
            if thing.change == "disappear":
                mask = first.numbers == thing.number
                if mask.sum() > 60:
                    gone += 1
                    assert np.abs(first.image[mask].astype(int) - second.image[mask]).mean() > 2
    assert gone


def test_changed_things_can_be_seen(world):
    for seed in SEEDS:
        for thing in sampled(world, seed).things:
            for time in (1, 2):
                if thing.change and state(thing, time) is not None:
                    assert (painted(world, seed, time).numbers == thing.number).sum() >= 30


def test_changes(world):
    counts = Counter()
    unchanged_scenes, changed, total = 0, 0, 0
    for seed in range(40):
        scene = sampled(world, seed)
        changes = [thing for thing in scene.things if thing.change]
        assert len(changes) <= 6
        unchanged_scenes += not changes
        changed, total = changed + len(changes), total + len(scene.things)
        for thing in changes:
            counts[str(thing.change)] += 1
            first, second = thing.state_t1, thing.state_t2
            if thing.change != "state_change":
                assert thing.kind not in FIXED
            else:
                assert first is not None
                assert second is not None
                assert (first.color != second.color) != (first.condition != second.condition)
                assert first.color == second.color or thing.kind in REPAINTED
    assert unchanged_scenes <= 8
    assert counts["appear"] > 10
    assert counts["disappear"] > 10
    if world != "highway":
        assert counts["state_change"] > 10
    assert 0.1 < changed / total < 0.7


def test_states_say_what_is_seen(world):
    conditions = {"door": {"open", "closed"}, "box": {"open", "closed"}, "lamp": {"on", "off"}}
    colorless = {"tree", "plant", "lamp"}
    for seed in range(30):
        for thing in sampled(world, seed).things:
            for at in (thing.state_t1, thing.state_t2):
                if at is not None:
                    assert (at.color is None) == (thing.kind in colorless)
                    assert at.color is None or at.color in COLORS
                    assert at.condition in conditions.get(thing.kind, {None})


def core(mask: np.ndarray) -> np.ndarray:
    """Without its rim, whose pixels are mixed with what is behind."""
    inner = mask.copy()
    for axis in (0, 1):
        for step in (1, -1):
            inner &= np.roll(mask, step, axis=axis)
    return inner


def recolored(thing: Thing) -> Thing:
    """The same thing, at t1 in a colour that differs a lot from its own."""
    before = thing.state_t1
    if before is None or before.color is None:
        return thing
    # White and yellow signs have other rims than those of other colours.
    dark = sum(COLORS[before.color]) < 380
    light = "pink" if thing.kind == "sign" else "white"
    return replace(thing, state_t1=State(light if dark else "black", before.condition))


def test_colors_are_the_named_ones(world):
    """Painted once more in another colour, what differs is what has the colour."""
    paint = WORLDS[world][1]
    names, centers = list(COLORS), np.array(list(COLORS.values()), dtype=float)
    right, wrong = 0, []
    for seed in range(20):
        scene = sampled(world, seed)
        before = painted(world, seed, 1)
        after = paint(replace(scene, things=[recolored(thing) for thing in scene.things]), 1, LIGHT)
        differs = np.abs(before.image.astype(int) - after.image).max(axis=2) > 40
        for thing in scene.things:
            named = thing.state_t1
            if named is None or named.color is None or (thing.kind == "sign" and named.color in ("white", "yellow")):
                continue
            body = core((before.numbers == thing.number) & (after.numbers == thing.number) & differs)
            if body.sum() > 40:
                mean = before.image[body].mean(axis=0)
                nearest = names[int(np.argmin(np.linalg.norm(centers - mean, axis=1)))]
                if nearest == named.color:
                    right += 1
                else:
                    wrong.append((seed, thing.kind, thing.variant, named, mean))
    assert right > 50
    # Narrow strips of a body are all rim.
    assert len(wrong) <= 0.015 * right, wrong


def test_plants_are_marked(world):
    marked = 0
    for seed in SEEDS:
        rendering = painted(world, seed, 1)
        marked += int((rendering.vegetation > 127).sum())
        for thing in sampled(world, seed).things:
            inside = rendering.numbers == thing.number
            if thing.kind not in ("tree", "bicycle") and inside.sum() > 50:
                assert (rendering.vegetation[inside] > 127).mean() < 0.2
    assert marked == 0 if world == "room" else marked > 10_000


def test_light_moves_shadows_only(world):
    """Another hour changes the ground, not what is where."""
    random = np.random.default_rng(1)
    for seed in SEEDS[:4]:
        other = WORLDS[world][1](sampled(world, seed), 1, sample_light(random))
        assert np.array_equal(other.numbers, painted(world, seed, 1).numbers)
