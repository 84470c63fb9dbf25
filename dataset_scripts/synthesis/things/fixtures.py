# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws signs, benches, bins, street lamps, and the boxes of streets and rooms."""

from dataclasses import replace
from functools import cache

import numpy as np

from dataset_scripts.synthesis.render.palette import mixed, scaled, shade_of
from dataset_scripts.synthesis.render.perspective import Camera, NormalThing
from dataset_scripts.synthesis.render.sprites import Shadows, Sprite, Stamp, bounds, hull
from dataset_scripts.synthesis.scene import Color, Point, State

from .solids import Face, Solid, box, loft, ring, standing


SIGN_COLORS = ("blue", "red", "white", "yellow", "green")
BIN_COLORS = ("green", "grey", "black", "blue", "yellow")
BOX_COLORS = {"brown": 0.6, "white": 0.2, "blue": 0.1, "red": 0.1}  # Colour -> probability
SIGN_SHAPES = ("round", "triangle", "square", "wide", "octagon")
# Width, height and length in metres.
BIN_EXTENTS = {"can": (0.58, 0.93, 0.58), "cart": (0.7, 1.03, 0.8), "basket": (0.58, 0.93, 0.58)}
LAMP_SHAPES = ("arm", "lantern", "double")
_STEEL: Color = (138, 142, 146)
_GLOW: Color = (255, 240, 196)


@cache
def _bench(from_behind: bool) -> Solid:
    feet = [face for x in (-0.75, 0.75) for face in box(0.08, 0.44, 0.42, "iron", center=(x, 0, 0))]
    seat = box(1.8, 0.06, 0.45, "wood", center=(0, 0.44, 0))
    back = [face for level in (0.58, 0.74) for face in box(1.8, 0.12, 0.05, "wood", center=(0, level, -0.22))]
    return Solid(tuple([*feet, *seat, *back] if from_behind else [*feet, *back, *seat]))


@cache
def _bin(variant: str) -> Solid:
    if variant == "cart":
        lid = box(0.7, 0.08, 0.8, "lid", center=(0, 0.95, 0), inset=0.05)
        return Solid((*box(0.6, 0.95, 0.7, "body", inset=-0.04), *lid))
    radii_and_levels = ((0.22, 0.0), (0.27, 0.78), (0.29, 0.78), (0.29, 0.85), (0.2, 0.93))
    faces = loft([ring(*each, 12) for each in radii_and_levels], ("body", "lid", "lid", "lid"))
    if variant == "basket":
        faces[1:12:2] = [replace(face, material="slot") for face in faces[1:12:2]]
    return Solid(tuple(faces))


@cache
def _carton(opened: bool) -> Solid:
    """A cardboard box of 1 x 1 x 1 m with a closed lid or open flaps."""
    faces: list[Face] = box(1, 1, 1, "body")
    if not opened:
        for z in (-0.5, 0.5):
            stripe = ((-0.09, 1.0), (0.09, 1.0), (0.09, 0.75), (-0.09, 0.75))
            points = [(x, y, z * 1.004) for x, y in stripe]
            faces.append(Face(tuple(points if z < 0 else points[::-1]), "tape", True))
        faces.append(
            Face(((-0.09, 1.004, 0.5), (0.09, 1.004, 0.5), (0.09, 1.004, -0.5), (-0.09, 1.004, -0.5)), "tape")
        )
        return Solid(tuple(faces))
    faces.append(
        Face(((-0.46, 1.004, 0.46), (0.46, 1.004, 0.46), (0.46, 1.004, -0.46), (-0.46, 1.004, -0.46)), "inside")
    )
    for x, z in ((0, 1), (1, 0), (-1, 0), (0, -1)):
        along = (0.5, 0.0) if x == 0 else (0.0, 0.5)
        low = [(x * 0.5 - along[0], z * 0.5 - along[1]), (x * 0.5 + along[0], z * 0.5 + along[1])]
        high = [(a + 0.24 * x, b + 0.24 * z) for a, b in low]
        flap = (
            (low[0][0], 1.0, low[0][1]),
            (low[1][0], 1.0, low[1][1]),
            (high[1][0], 1.33, high[1][1]),
            (high[0][0], 1.33, high[0][1]),
        )
        faces += [Face(flap, "flap"), Face(flap[::-1], "flap")]
    return Solid(tuple(faces))


def sample_box_state(random: np.random.Generator) -> State:
    """Samples the colour and the condition ("open" or "closed") of a box."""
    color = str(random.choice(list(BOX_COLORS), p=list(BOX_COLORS.values())))
    return State(color, "open" if random.random() < 0.45 else "closed")


def _draw_solid(
    solid: Solid,
    thing: NormalThing,
    camera: Camera,
    materials: dict[str, Color],
    scale: tuple[float, float, float] = (1, 1, 1),
) -> list[Stamp]:
    random = np.random.default_rng([thing.seed, 2])
    world = solid.placed(thing.place, thing.facing, scale, thing.above)
    sprite = Sprite(camera.size, bounds(camera.project(world)))
    solid.draw(sprite, camera, world, thing.facing, materials, details=thing.width > 12)
    return [sprite.shade(random, grain="patchy", strength=0.04, blur=thing.width / 200)]


def draw_bench(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a bench. The state gives the colour of the seat."""
    random = np.random.default_rng([thing.seed])
    wood = shade_of(state.color or "brown", random)
    from_behind = float(np.cos(np.deg2rad(thing.facing - camera.degrees))) > 0
    return _draw_solid(_bench(from_behind), thing, camera, {"iron": (52, 54, 56), "wood": wood})


def draw_bin(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a bin. The state gives its colour; `variant` is a key of `BIN_EXTENTS`."""
    random = np.random.default_rng([thing.seed])
    color = shade_of(state.color or "grey", random)
    materials = {"body": color, "lid": scaled(color, 1.03), "slot": scaled(color, 0.85)}
    width, height, length = thing.extent
    usual_width, usual_height, usual_length = BIN_EXTENTS[thing.variant]
    scale = (width / usual_width, height / usual_height, length / usual_length)
    return _draw_solid(_bin(thing.variant), thing, camera, materials, scale)


def draw_box(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a box. The state gives its colour and condition ("open" or "closed")."""
    random = np.random.default_rng([thing.seed])
    color = shade_of(state.color or "brown", random)
    if state.color in (None, "brown"):
        color = mixed(color, (168, 128, 84), 0.35)
    materials = {
        "body": color,
        "tape": mixed(color, (214, 196, 150), 0.5),
        "inside": scaled(color, 0.45),
        "flap": scaled(color, 1.08),
    }
    width, height, length = thing.extent
    return _draw_solid(_carton(state.condition == "open"), thing, camera, materials, (width, height, length))


def draw_sign(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a sign on a post. The state gives the colour of the plate; `variant` is one of `SIGN_SHAPES`."""
    random = np.random.default_rng([thing.seed])
    color = shade_of(state.color or "blue", random)
    x, y, tall, half = thing.x, thing.y, thing.height, thing.width / 2
    rise = {"wide": 0.55, "square": 1.0, "round": 1.0, "octagon": 1.0, "triangle": 0.92}[thing.variant]
    sprite = Sprite(camera.size, (x - half, y - tall, x + half, y))
    thick = max(0.9, 0.022 * tall)
    posts = (-0.6, 0.6) if thing.variant == "wide" else (0.0,)
    for post in posts:
        sprite.line([(x + post * half, y - tall + half * rise), (x + post * half, y)], 2 * thick, scaled(_STEEL, 0.85))
        sprite.line(
            [(x + post * half + thick * 0.3, y - tall + half * rise), (x + post * half + thick * 0.3, y)],
            thick,
            scaled(_STEEL, 1.1),
        )
    middle = (x, y - tall + half * rise)
    light: Color = (236, 236, 232)
    rim, mark = (light, light) if state.color != "white" else ((150, 40, 36), (44, 44, 48))
    if state.color == "yellow":
        rim, mark = (50, 48, 44), (50, 48, 44)
    for share, fill in ((1.0, rim), (0.87, color)):
        if thing.variant == "round":
            sprite.ellipse(middle, half * share, half * share, fill)
            continue
        corners = {
            "triangle": [(0, -1.0), (1.0, 0.95), (-1.0, 0.95)],
            "octagon": [
                (0.42, -1),
                (1, -0.42),
                (1, 0.42),
                (0.42, 1),
                (-0.42, 1),
                (-1, 0.42),
                (-1, -0.42),
                (-0.42, -1),
            ],
        }.get(thing.variant, [(-1, -1), (1, -1), (1, 1), (-1, 1)])
        less = 1 - (1 - share) * (1 / rise if rise < 1 else 1)
        sprite.polygon([(middle[0] + a * half * share, middle[1] + b * half * rise * less) for a, b in corners], fill)
    _draw_mark(sprite, random, middle, half, rise, mark, thing.variant)
    return [sprite.shade(random, grain="patchy", strength=0.02)]


def _draw_mark(
    sprite: Sprite, random: np.random.Generator, middle: Point, half: float, rise: float, color: Color, variant: str
) -> None:
    """Draws an arrow, a bar or lines of text, small enough that the colour of the plate dominates."""
    x, y = middle
    if half < 3:
        return
    kind = int(random.integers(3)) if variant != "wide" else 2
    if kind == 0:
        sprite.polygon(
            [
                (x - half * 0.45, y - half * 0.1),
                (x + half * 0.45, y - half * 0.1),
                (x + half * 0.45, y + half * 0.1),
                (x - half * 0.45, y + half * 0.1),
            ],
            color,
        )
    elif kind == 1:
        sprite.line([(x, y + half * 0.45), (x, y - half * 0.2)], half * 0.16, color)
        sprite.polygon(
            [(x, y - half * 0.5), (x + half * 0.25, y - half * 0.1), (x - half * 0.25, y - half * 0.1)], color
        )
    else:
        for level in (-0.3, 0.2):
            length = float(random.uniform(0.25, 0.55))
            sprite.line(
                [(x - half * length, y + level * half * rise), (x + half * length * 0.8, y + level * half * rise)],
                half * 0.13 * rise,
                color,
            )


def draw_street_lamp(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a street lamp. The state gives its condition ("on" or "off"); `variant` is one of `LAMP_SHAPES`."""
    random = np.random.default_rng([thing.seed])
    steel = scaled(
        ((70, 76, 80), (120, 124, 126), (48, 60, 54))[int(random.integers(3))], float(random.uniform(0.9, 1.1))
    )
    x, y, tall, wide = thing.x, thing.y, thing.height, thing.width
    sprite = Sprite(camera.size, (x - wide / 2, y - tall, x + wide / 2, y))
    lit = state.condition == "on"
    glass = _GLOW if lit else (150, 154, 156)
    thick = max(0.7, 0.012 * tall)
    neck = y - tall * (0.86 if thing.variant == "lantern" else 0.96)
    sprite.limb((x, y), (x, neck), thick * 1.4, thick * 0.8, steel)
    sprite.line([(x + thick * 0.4, y), (x + thick * 0.3, neck)], max(0.5, thick * 0.5), scaled(steel, 1.3))
    if thing.variant == "lantern":
        half = wide * 0.3
        head = [
            (x - half * 0.7, neck),
            (x - half, y - tall * 0.95),
            (x + half, y - tall * 0.95),
            (x + half * 0.7, neck),
        ]
        sprite.polygon(head, glass)
        sprite.polygon([(x - half * 1.2, y - tall * 0.945), (x, y - tall), (x + half * 1.2, y - tall * 0.945)], steel)
        return [sprite.shade()]
    side = 1 if thing.seed % 2 else -1
    for direction in (side, -side) if thing.variant == "double" else (side,):
        end = (x + direction * wide * 0.44, y - tall * 0.985)
        sprite.line([(x, neck), (x + direction * wide * 0.2, y - tall * 0.985), end], max(0.8, thick * 1.2), steel)
        start = x + direction * wide * 0.22
        sprite.polygon(
            [
                (start, end[1] - thick),
                (end[0], end[1] - thick),
                (end[0], end[1] + thick * 1.6),
                (start, end[1] + thick * 1.6),
            ],
            scaled(steel, 0.9),
        )
        sprite.ellipse(
            ((start + end[0]) / 2, end[1] + thick * 1.6),
            abs(end[0] - start) * 0.5,
            thick * (2.0 if lit else 1.3),
            glass,
        )
    return [sprite.shade()]


def shade_under_solid(thing: NormalThing, camera: Camera, shadows: Shadows, offset: Point, darkness: float) -> None:
    """Adds the shadow of a body with a flat base; see `shade_under_person`."""
    width, height, length = thing.extent
    corners = np.array([(a * width / 2, 0.0, b * length / 2) for a, b in ((-1, -1), (-1, 1), (1, 1), (1, -1))])
    ground = standing(corners, thing.place, thing.facing)
    if darkness > 0.05:
        thrown = ground + np.array((offset[0], 0, offset[1])) * height * 0.9
        outline = np.concatenate([ground, thrown])
        if camera.turned(outline)[:, 2].min() > 0.6:
            shadows.polygon(hull(camera.project(outline)), darkness)
    wide = standing(corners * 1.08, thing.place, thing.facing)
    shadows.polygon(camera.outline(wide), max(0.5, darkness))


def shade_under_post(thing: NormalThing, camera: Camera, shadows: Shadows, offset: Point, darkness: float) -> None:
    """Adds the shadow of a post; see `shade_under_person`."""
    x, z = thing.place
    tall = thing.extent[1]
    if darkness > 0.05:
        side = np.array((offset[1], -offset[0])) * 0.04
        end = np.array((x + offset[0] * tall * 0.95, z + offset[1] * tall * 0.95))
        foot = np.array((x, z))
        ring = [foot + side, end + side, end - side, foot - side]
        shadows.polygon(camera.outline([(a, 0.0, b) for a, b in ring]), darkness)
    shadows.ellipse((thing.x, thing.y), 0.035 * thing.height, 0.012 * thing.height, 0.5)
