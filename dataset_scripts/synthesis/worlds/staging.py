# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws the things of a normal scene and their shadows onto the canvas."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from PIL import Image

from dataset_scripts.synthesis.render.light import Light
from dataset_scripts.synthesis.render.painting import Canvas
from dataset_scripts.synthesis.render.perspective import NormalScene, NormalThing
from dataset_scripts.synthesis.render.sprites import Shadows, Stamp
from dataset_scripts.synthesis.scene import Point, State, Time
from dataset_scripts.synthesis.things.fixtures import (
    draw_bench,
    draw_bin,
    draw_box,
    draw_sign,
    draw_street_lamp,
    shade_under_post,
    shade_under_solid,
)
from dataset_scripts.synthesis.things.furniture import draw_bag, draw_chair, draw_room_lamp, draw_shelf, draw_table
from dataset_scripts.synthesis.things.people import draw_person, shade_under_person
from dataset_scripts.synthesis.things.plants import draw_plant, draw_tree, shade_under_tree
from dataset_scripts.synthesis.things.vehicles import draw_bicycle, draw_vehicle, shade_under_vehicle
from dataset_scripts.synthesis.things.walls import draw_building, draw_door, draw_picture

from .ground import shadow_offset


_GLOW = (255, 232, 176)
_HALO = 64  # Side of the cached halo in pixels
_STREET_LAMPS = frozenset({"arm", "lantern", "double"})


def draw_thing(scene: NormalScene, thing: NormalThing, state: State) -> list[Stamp]:
    """Draws a thing in a state. Returns its parts as stamps, in the order of painting."""
    camera = scene.camera
    if thing.kind == "person":
        return draw_person(thing, state, camera, bool(np.sin(np.deg2rad(scene.sun - camera.degrees)) > 0))
    if thing.kind in ("car", "truck", "bus"):
        return draw_vehicle(thing, state, camera, scene.sun)
    if thing.wall is not None:
        wall = scene.walls[thing.wall]
        if thing.kind == "building":
            return draw_building(thing, state, camera, wall, scene.sun)
        return (
            draw_door(thing, state, camera, wall) if thing.kind == "door" else draw_picture(thing, state, camera, wall)
        )
    if thing.kind == "lamp":
        draw_lamp = draw_street_lamp if thing.variant in _STREET_LAMPS else draw_room_lamp
        return draw_lamp(thing, state, camera)
    painters: dict[str, Callable[..., list[Stamp]]] = {
        "bicycle": draw_bicycle,
        "tree": draw_tree,
        "plant": draw_plant,
        "bench": draw_bench,
        "bin": draw_bin,
        "box": draw_box,
        "sign": draw_sign,
        "bag": draw_bag,
        "chair": draw_chair,
        "shelf": draw_shelf,
        "table": draw_table,
    }
    return painters[thing.kind](thing, state, camera)


def shade_under(scene: NormalScene, thing: NormalThing, shadows: Shadows, offset: Point, darkness: float) -> None:
    """Adds the shadow of a thing on the ground; see `shade_under_person` for the arguments."""
    if thing.wall is not None or thing.above:
        return
    painters: dict[str, Callable[..., None]] = {
        "person": shade_under_person,
        "tree": shade_under_tree,
        "plant": shade_under_person,
        "sign": shade_under_post,
        "lamp": shade_under_post,
        "car": shade_under_vehicle,
        "truck": shade_under_vehicle,
        "bus": shade_under_vehicle,
    }
    painters.get(thing.kind, shade_under_solid)(thing, scene.camera, shadows, offset, darkness)


def present(scene: NormalScene, time: Time) -> list[tuple[NormalThing, State]]:
    """Things that exist at time 1 or 2, each with its state, in the order of their numbers."""
    there = []
    for thing in scene.things:
        if not isinstance(thing, NormalThing):
            raise TypeError(f"Thing {thing.number} of a normal view must be a NormalThing.")
        state = thing.state(time)
        if state is not None:
            there.append((thing, state))
    return there


def paint_shadows(
    canvas: Canvas,
    scene: NormalScene,
    time: Time,
    light: Light,
    strength: float = 1.0,
    ground: np.ndarray | None = None,
) -> None:
    """
    Paints the shadows of all existing things on the background.

    Args:
        canvas (`Canvas`): Canvas to paint on.
        scene (`NormalScene`): The scene.
        time (`int`): 1 or 2.
        light (`Light`): Sun at that time.
        strength (`float`, *optional*, defaults to 1.0): Strength of sun shadows, 0 to 1. With 0, only the contact
            shadows right under things remain.
        ground (`np.ndarray`, *optional*): Outline (n, 2) in pixels of the ground that receives shadows; the whole
            canvas if `None`.
    """
    shadows = Shadows(scene.size)
    offset = shadow_offset(scene.camera, light)
    for thing, _ in present(scene, time):
        shade_under(scene, thing, shadows, offset, light.strength * strength)
    shadows.put(canvas, scene.size / 220, ground)


def put_thing(canvas: Canvas, scene: NormalScene, thing: NormalThing, state: State) -> None:
    """Paints one thing. Draws it first if it is not in the cache `scene.stamps`."""
    key = (thing.number, state)
    if key not in scene.stamps:
        scene.stamps[key] = draw_thing(scene, thing, state)
    put_stamps(canvas, thing.number, scene.stamps[key])
    if thing.kind == "lamp" and state.condition == "on":
        _put_halo(canvas, thing)


def put_stamps(canvas: Canvas, number: int, stamps: Sequence[Stamp]) -> None:
    """Paints stamps as parts of the thing with this number (0 for the background)."""
    for stamp in stamps:
        stamp.put(canvas, number)


@cache
def _halo() -> Image.Image:
    """A soft disc that fades towards its edge, mode "L"."""
    steps = np.linspace(-1, 1, _HALO)
    distance = np.hypot(steps[:, None], steps[None, :])
    return Image.fromarray((255 * np.clip(1 - distance, 0, 1) ** 2).astype(np.uint8))


def _put_halo(canvas: Canvas, thing: NormalThing) -> None:
    """Paints a glow around the top of a lamp."""
    reach = max(4, round(0.7 * max(thing.width, 0.25 * thing.height)))
    middle = thing.y - thing.height * (0.9 if thing.variant != "pendant" else 0.15)
    soft = _halo().resize((2 * reach, 2 * reach), Image.Resampling.BILINEAR)
    shape = canvas.clipped(round(thing.x) - reach, round(middle) - reach, soft)
    canvas.paste(shape, _GLOW, opacity=0.55)
