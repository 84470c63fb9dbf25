# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws chairs, tables, shelves, room lamps and bags."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from dataset_scripts.synthesis.render.palette import mixed, scaled, shade_of
from dataset_scripts.synthesis.render.perspective import Camera, NormalThing
from dataset_scripts.synthesis.render.sprites import Sprite, Stamp, bounds
from dataset_scripts.synthesis.scene import Color, State

from .solids import Face, Solid, box, loft, ring


CHAIR_SHAPES = ("wooden", "padded", "office", "stool", "armchair")
TABLE_SHAPES = ("legs", "desk", "round")
ROOM_LAMP_SHAPES = ("floor", "table", "pendant")
BAG_SHAPES = ("backpack", "handbag", "suitcase", "shopper")
_GLOW: Color = (255, 244, 206)


@cache
def _chair(variant: str, from_behind: bool) -> Solid:
    """A chair, 0.5 m wide, 0.95 m high, 0.5 m long."""
    feet: list[Face] = []
    seat_level = 0.45
    if variant == "office":
        for x, z in ((0.22, 0), (-0.22, 0), (0, 0.22), (0, -0.22)):
            feet += box(0.08, 0.06, 0.08, "foot", center=(x, 0, z))
            feet += box(0.22 if x else 0.05, 0.05, 0.22 if z else 0.05, "foot", center=(x / 2, 0.05, z / 2))
        feet += box(0.06, 0.36, 0.06, "foot", center=(0, 0.08, 0))
    elif variant != "armchair":
        # Far legs first, from either side.
        order = (0.21, -0.21) if from_behind else (-0.21, 0.21)
        for z in order:
            for x in (-0.21, 0.21):
                feet += box(0.045, seat_level, 0.045, "foot", center=(x, 0, z))
    seat = box(0.5, 0.06 if variant != "padded" else 0.1, 0.48, "seat", center=(0, seat_level, 0))
    back: list[Face] = []
    if variant == "wooden":
        for x in (-0.21, 0.0, 0.21):
            back += box(0.05, 0.44, 0.04, "seat", center=(x, 0.5, -0.22))
        back += box(0.5, 0.12, 0.045, "seat", center=(0, 0.83, -0.22))
    elif variant == "armchair":
        seat = box(0.8, 0.4, 0.7, "seat", center=(0, 0.05, 0.02))
        back = box(0.85, 0.75, 0.2, "seat", center=(0, 0.1, -0.3), inset=0.03)
        arms = [
            face for x in (-0.42, 0.42) for face in box(0.16, 0.58, 0.72, "seat", center=(x, 0.03, 0.02), inset=0.02)
        ]
        return Solid(tuple([*seat, *arms, *back] if from_behind else [*back, *seat, *arms]))
    elif variant != "stool":
        back = box(0.46, 0.42, 0.06, "seat", center=(0, 0.53, -0.22), inset=0.015)
    return Solid(tuple([*feet, *seat, *back] if from_behind else [*feet, *back, *seat]))


@cache
def _table(variant: str) -> Solid:
    """A table, 1 m wide, 0.75 m high, 1 m long."""
    faces: list[Face] = []
    if variant == "round":
        faces += box(0.4, 0.04, 0.4, "leg")
        faces += box(0.08, 0.7, 0.08, "leg")
        return Solid((*faces, *loft([ring(0.5, 0.71, 20), ring(0.5, 0.75, 20)], ["top"])))
    if variant == "desk":
        faces += box(0.94, 0.4, 0.03, "panel", center=(0, 0.3, -0.4))
        for x in (-0.45, 0.45):
            faces += box(0.05, 0.71, 0.9, "panel", center=(x, 0, 0))
    else:
        for z in (0.42, -0.42):
            for x in (-0.46, 0.46):
                faces += box(0.05, 0.71, 0.06, "leg", center=(x, 0, z))
    faces += box(1, 0.045, 1, "top", center=(0, 0.705, 0))
    return Solid(tuple(faces))


@cache
def _shelf(boards: int, seed: int) -> Solid:
    """A shelf of 1 x 1 x 1 m (to be scaled) with books and objects on its boards."""
    random = np.random.default_rng([boards, seed])
    faces = box(1, 1, 1, "body")
    step = 0.94 / boards
    front = 0.503

    def patch(left: float, right: float, low: float, high: float, material: str, lift: int = 0) -> Face:
        z = front + 0.002 * lift
        return Face(((right, high, z), (left, high, z), (left, low, z), (right, low, z)), material)

    for board in range(boards):
        low = 0.03 + board * step
        high = low + step - 0.03
        faces.append(patch(-0.46, 0.46, low, high, "inside"))
        x = -0.44
        while x < 0.4:
            wide = float(random.uniform(0.02, 0.06))
            tall = (high - low) * float(random.uniform(0.6, 0.92))
            if random.random() < 0.82:
                faces.append(patch(x, min(0.45, x + wide), low, low + tall, f"book {int(random.integers(6))}", 1))
            x += wide + (0.0 if random.random() < 0.8 else float(random.uniform(0.05, 0.25)))
    return Solid(tuple(faces))


def _draw(
    solid: Solid, thing: NormalThing, camera: Camera, materials: dict[str, Color], scale: Sequence[float] = (1, 1, 1)
) -> list[Stamp]:
    random = np.random.default_rng([thing.seed, 2])
    world = solid.placed(thing.place, thing.facing, scale, thing.above)
    sprite = Sprite(camera.size, bounds(camera.project(world)))
    solid.draw(sprite, camera, world, thing.facing, materials, details=thing.width > 12)
    return [sprite.shade(random, grain="patchy", strength=0.04, blur=thing.width / 220)]


def _seen_from_behind(thing: NormalThing, camera: Camera) -> bool:
    x, z = thing.place
    angle = np.deg2rad(thing.facing)
    return bool(x * np.sin(angle) + z * np.cos(angle) > 0)


def draw_chair(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a chair. The state gives the colour of seat and back; `variant` is one of `CHAIR_SHAPES`."""
    random = np.random.default_rng([thing.seed])
    color = shade_of(state.color or "brown", random)
    foot = (
        color if thing.variant == "wooden" else ((60, 62, 66), (150, 152, 156), (96, 72, 52))[int(random.integers(3))]
    )
    solid = _chair(thing.variant, _seen_from_behind(thing, camera))
    return _draw(solid, thing, camera, {"seat": color, "foot": scaled(foot, 0.85)})


def draw_table(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a table. The state gives its colour; `variant` is one of `TABLE_SHAPES`."""
    random = np.random.default_rng([thing.seed])
    color = shade_of(state.color or "brown", random)
    leg = scaled(color, 0.85) if random.random() < 0.6 else (88, 90, 94)
    width, height, length = thing.extent
    materials = {"top": color, "leg": leg, "panel": scaled(color, 0.93)}
    return _draw(_table(thing.variant), thing, camera, materials, (width, height / 0.75, length))


def draw_shelf(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a shelf with books. The state gives the colour of the frame."""
    random = np.random.default_rng([thing.seed])
    color = shade_of(state.color or "brown", random)
    boards = max(2, round(thing.extent[1] / 0.4))
    materials = {"body": color, "inside": scaled((84, 74, 66), float(random.uniform(0.6, 1.1)))}
    for book in range(6):
        name = str(random.choice(["red", "blue", "green", "white", "brown", "black", "yellow", "grey"]))
        materials[f"book {book}"] = mixed(shade_of(name, random), (110, 100, 90), 0.3)
    return _draw(_shelf(boards, thing.seed % 4), thing, camera, materials, thing.extent)


def draw_room_lamp(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a room lamp. The state gives its condition ("on" or "off"); `variant` is one of `ROOM_LAMP_SHAPES`."""
    random = np.random.default_rng([thing.seed])
    lit = state.condition == "on"
    stand = scaled(
        ((60, 58, 56), (150, 130, 90), (176, 178, 182))[int(random.integers(3))], float(random.uniform(0.9, 1.1))
    )
    shade: Color = (
        _GLOW if lit else scaled(((206, 196, 176), (170, 168, 164), (150, 120, 96))[int(random.integers(3))], 0.92)
    )
    x, y, tall, half = thing.x, thing.y, thing.height, thing.width / 2
    sprite = Sprite(camera.size, (x - half, y - tall, x + half, y))
    thick = max(0.8, 0.018 * tall)
    if thing.variant == "pendant":
        sprite.line([(x, y - tall), (x, y - tall * 0.4)], max(0.7, thick * 0.5), stand)
        outline = [
            (x - half * 0.35, y - tall * 0.42),
            (x + half * 0.35, y - tall * 0.42),
            (x + half, y),
            (x - half, y),
        ]
    else:
        low = 0.62 if thing.variant == "table" else 0.8
        sprite.ellipse((x, y - 0.02 * tall), half * 0.6, max(0.8, 0.025 * tall), scaled(stand, 0.8))
        sprite.limb((x, y - 0.02 * tall), (x, y - tall * low), thick, thick, stand)
        outline = [
            (x - half * 0.6, y - tall),
            (x + half * 0.6, y - tall),
            (x + half, y - tall * low),
            (x - half, y - tall * low),
        ]
    for share, brightness in ((1.0, 0.88), (0.8, 1.0), (0.45, 1.07)):
        sprite.polygon(
            [(x + (a - x) * share, b) for a, b in outline],
            scaled(shade, brightness if not lit else 0.97 + 0.03 * share),
        )
    return [sprite.shade(blur=thing.width / 60)]


def draw_bag(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a bag. The state gives its colour; `variant` is one of `BAG_SHAPES`."""
    random = np.random.default_rng([thing.seed])
    color = shade_of(state.color or "black", random)
    x, y, tall, half = thing.x, thing.y, thing.height, thing.width / 2
    sprite = Sprite(camera.size, (x - half * 1.05, y - tall, x + half * 1.05, y + 1))
    handle = max(0.9, 0.045 * tall)
    body = tall * {"backpack": 0.94, "handbag": 0.68, "suitcase": 0.78, "shopper": 0.72}[thing.variant]
    if thing.variant != "backpack":
        wide = half * (0.35 if thing.variant == "suitcase" else 0.55)
        arch = [(-wide, body * 0.95), (-wide * 0.8, tall), (wide * 0.8, tall), (wide, body * 0.95)]
        sprite.line([(x + a, y - b + handle) for a, b in arch], handle, scaled(color, 0.7))
    upper = {"backpack": 0.72, "handbag": 0.8, "suitcase": 0.97, "shopper": 1.0}[thing.variant]
    lower = {"shopper": 0.86}.get(thing.variant, 1.0)
    half_shape = [(upper * 0.8, 1.0), (upper, 0.88), (lower * 0.95, 0.5), (lower, 0.03), (lower * 0.9, 0.0)]
    shape = half_shape + [(-a, b) for a, b in half_shape[::-1]]
    for share, brightness in ((1.0, 0.88), (0.82, 1.0), (0.5, 1.08)):
        shift = half * 0.12 * (1 - share)
        points = [(x + shift + a * half * share, y - b * body) for a, b in shape]
        sprite.polygon(points, scaled(color, brightness))
    _draw_bag_details(sprite, thing, color, body, handle)
    return [sprite.shade(random, grain="patchy", strength=0.05, blur=thing.width / 120)]


def _draw_bag_details(sprite: Sprite, thing: NormalThing, color: Color, body: float, handle: float) -> None:
    """Draws pockets, flaps and seams; `body` is the height in pixels without the handle."""
    half = thing.width / 2

    def at(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(thing.x + a * half, thing.y - b * body) for a, b in points]

    dark = scaled(color, 0.7)
    if thing.variant == "backpack":
        sprite.polygon(at([(-0.6, 0.08), (-0.6, 0.42), (0.6, 0.42), (0.6, 0.08)]), scaled(color, 0.88))
        sprite.line(at([(-0.6, 0.42), (0.6, 0.42)]), max(0.7, handle * 0.5), dark)
        sprite.line(at([(-0.75, 0.6), (0, 0.86), (0.75, 0.6)]), max(0.7, handle * 0.5), dark)
    elif thing.variant == "suitcase":
        for level in (0.25, 0.5, 0.75):
            sprite.line(at([(-0.9, level), (0.9, level)]), max(0.6, handle * 0.4), dark)
    elif thing.variant == "handbag":
        sprite.polygon(at([(-0.8, 1.0), (0.8, 1.0), (0.5, 0.55), (-0.5, 0.55)]), scaled(color, 0.9))
