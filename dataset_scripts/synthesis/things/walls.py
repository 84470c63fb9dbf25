# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws façades with windows, doors, and pictures on walls."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from dataset_scripts.synthesis.render.palette import mixed, scaled, shade_of
from dataset_scripts.synthesis.render.perspective import Camera, NormalThing, Wall
from dataset_scripts.synthesis.render.sprites import Sprite, Stamp, bounds
from dataset_scripts.synthesis.render.textures import noise
from dataset_scripts.synthesis.scene import Color, State


# Left, right, bottom, top in metres on a wall, metres in front of it, and a colour.
Patch: TypeAlias = tuple[float, float, float, float, float, Color]

FACADES = ("flats", "shop", "office", "brick", "hall")
DOOR = (1.0, 2.1)  # Width and height in metres
_STOREY = 3.1
_GLASS: tuple[Color, ...] = ((58, 70, 82), (84, 98, 110), (110, 126, 140), (46, 54, 62), (132, 146, 156))
_FRAMES: tuple[Color, ...] = ((226, 226, 220), (92, 76, 62), (62, 64, 68), (180, 176, 166))
_DARK: Color = (34, 32, 32)
_PLASTER: Color = (172, 168, 160)
# Share of plaster colour mixed into façade colours; lower for colours close to grey or to another colour.
_PALENESS = {"red": 0.1, "orange": 0.12, "yellow": 0.1, "brown": 0.1, "blue": 0.27, "green": 0.2, "pink": 0.05}


def draw_patches(sprite: Sprite, camera: Camera, wall: Wall, patches: Sequence[Patch]) -> None:
    """Draws rectangles on a wall in order. Skips those that reach behind the camera."""
    if not patches:
        return
    local = [
        (along, up, out)
        for left, right, low, high, out, _ in patches
        for along, up in ((left, low), (right, low), (right, high), (left, high))
    ]
    world = wall.points(local)
    ahead = (camera.turned(world)[:, 2] > camera.near).reshape(-1, 4).all(axis=1)
    pixels = camera.project(world).reshape(-1, 4, 2)
    lowest, highest = pixels.min(axis=1), pixels.max(axis=1)
    seen = ahead & (highest > 0).all(axis=1) & (lowest < camera.size).all(axis=1)
    for index in np.nonzero(seen)[0].tolist():
        sprite.polygon(pixels[index], patches[index][5])


def wall_sprite(camera: Camera, outlines: Sequence[np.ndarray]) -> Sprite:
    """Creates a sprite large enough for the outlines, each (n, 2) in pixels."""
    points = [outline for outline in outlines if len(outline)]
    return Sprite(camera.size, bounds(np.concatenate(points)) if points else (0, 0, 0, 0))


def draw_building(thing: NormalThing, state: State, camera: Camera, wall: Wall, sun: float) -> list[Stamp]:
    """
    Draws the façade of a building.

    Args:
        thing (`NormalThing`): The building; `variant` is one of `FACADES`.
        state (`State`): Only `color` is used.
        camera (`Camera`): The camera.
        wall (`Wall`): Front wall of the building.
        sun (`float`): Direction of the sun in degrees.
    """
    random = np.random.default_rng([thing.seed])
    # Plaster and brick are less saturated than paint.
    color = mixed(shade_of(state.color or "white", random), _PLASTER, _PALENESS.get(state.color or "white", 0.0))
    deep = thing.extent[2]
    facing = np.rad2deg(np.arctan2(wall.outward[0], wall.outward[1]))
    light = 1.03 + 0.04 * float(np.cos(np.deg2rad(sun - facing)))
    front = wall.outline(camera, 0, wall.length, 0, wall.height)
    sides = [
        camera.outline(wall.points([(end, 0, 0), (end, 0, -deep), (end, wall.height, -deep), (end, wall.height, 0)]))
        for end in (0.0, wall.length)
    ]
    roof_height = (
        float(random.uniform(1.5, 3.5)) if thing.variant in ("flats", "brick") and random.random() < 0.6 else 0.0
    )
    roof = camera.outline(
        wall.points(
            [
                (-0.3, wall.height, 0.35),
                (wall.length + 0.3, wall.height, 0.35),
                (wall.length + 0.3, wall.height + roof_height, -deep / 2),
                (-0.3, wall.height + roof_height, -deep / 2),
            ]
        )
    )
    sprite = wall_sprite(camera, [front, *sides, roof])
    for side in sides:
        sprite.polygon(side, scaled(color, 0.9))
    if roof_height:
        sprite.polygon(roof, scaled(((124, 66, 50), (84, 80, 80), (104, 84, 70))[int(random.integers(3))], light))
    sprite.polygon(front, scaled(color, light))
    patches = _facade(thing.variant, wall, random, scaled(color, light))
    patches.append((0, wall.length, 0, 0.35, 0.01, scaled(color, 0.8 * light)))
    patches.append((0, wall.length, wall.height - 0.25, wall.height, 0.02, scaled(color, 0.92 * light)))
    draw_patches(sprite, camera, wall, patches)
    brightness = 1 + np.float32(0.05) * noise(random, "cloudy", sprite.width, sprite.height)
    brightness += np.float32(0.06 if thing.variant == "brick" else 0.03) * noise(
        random, "fine", sprite.width, sprite.height
    )
    return [sprite.shade(brightness=brightness)]


def _facade(variant: str, wall: Wall, random: np.random.Generator, color: Color) -> list[Patch]:
    """Windows, doors and ornaments on the front of a building."""
    patches: list[Patch] = []
    frame = _FRAMES[int(random.integers(len(_FRAMES)))]
    storeys = max(1, int(wall.height / _STOREY))
    storey = wall.height / storeys
    if variant == "brick":
        for level in np.arange(0.25, min(wall.height, 9), 0.25).tolist():
            patches.append((0, wall.length, level, level + 0.03, 0.005, scaled(color, 0.88)))
    if variant == "hall":
        for left in np.arange(0.4, wall.length - 1, 1.4).tolist():
            patches.append((left, left + 0.06, 0.3, wall.height - 0.3, 0.01, scaled(color, 0.88)))
        low = wall.height * 0.62
        patches += _window(random, 0.6, wall.length - 0.6, low, low + 0.9, frame, max(2, int(wall.length / 1.3)))
        return patches
    if variant == "office":
        for floor in range(storeys):
            low = floor * storey + 0.9
            patches += _window(
                random, 0.4, wall.length - 0.4, low, low + storey * 0.5, frame, max(2, int(wall.length / 1.5))
            )
        return patches
    wide, tall = float(random.uniform(0.9, 1.5)), float(random.uniform(1.2, 1.9))
    columns = max(1, int(wall.length / (wide + float(random.uniform(0.9, 1.8)))))
    step = wall.length / columns
    balconies = bool(random.random() < 0.3)
    for floor in range(storeys):
        if floor == 0 and variant == "shop":
            patches += _shop_front(random, wall, storey, frame)
            continue
        low = floor * storey + 0.85
        for column in range(columns):
            left = (column + 0.5) * step - wide / 2
            if floor == 0 and abs((column + 0.5) * step - door_middle(wall)) < wide / 2 + DOOR[0] / 2 + 0.2:
                continue
            patches += _window(random, left, left + wide, low, low + tall, frame, 2)
            patches.append((left - 0.1, left + wide + 0.1, low - 0.14, low - 0.04, 0.06, scaled(color, 0.8)))
            patches.append(
                (left - 0.05, left + wide + 0.05, low + tall + 0.04, low + tall + 0.14, 0.03, scaled(color, 1.06))
            )
            if balconies and floor and column % 2 == 0:
                patches.append((left - 0.4, left + wide + 0.4, low - 0.75, low - 0.6, 0.6, scaled(color, 0.7)))
                patches.append(
                    (left - 0.4, left + wide + 0.4, low - 0.6, low + 0.25, 0.6, mixed((120, 124, 128), color, 0.3))
                )
    for floor in range(1, storeys):
        patches.append((0, wall.length, floor * storey - 0.05, floor * storey + 0.08, 0.03, scaled(color, 0.9)))
    return patches


def _window(
    random: np.random.Generator, left: float, right: float, low: float, high: float, frame: Color, panes: int
) -> list[Patch]:
    glass = _GLASS[int(random.integers(len(_GLASS)))]
    patches: list[Patch] = [(left - 0.07, right + 0.07, low - 0.07, high + 0.07, 0.01, frame)]
    step = (right - left) / panes
    curtain = random.random() < 0.35
    for pane in range(panes):
        a, b = left + pane * step + 0.03, left + (pane + 1) * step - 0.03
        tint = scaled(glass, float(random.uniform(0.8, 1.2)))
        patches.append((a, b, low, high, 0.0, tint))
        patches.append((a, b, low + (high - low) * 0.55, high, 0.0, mixed(tint, (176, 190, 202), 0.25)))
        if curtain and panes <= 3:
            edge = a if pane == 0 else b - (b - a) * 0.4
            patches.append((edge, edge + (b - a) * 0.4, low, high, 0.0, (206, 200, 188)))
    return patches


def _shop_front(random: np.random.Generator, wall: Wall, storey: float, frame: Color) -> list[Patch]:
    band = shade_of(str(random.choice(["red", "blue", "green", "black", "brown", "white"])), random)
    high = storey * 0.76
    patches: list[Patch] = []
    middle = door_middle(wall)
    spans = ((0.4, middle - DOOR[0] / 2 - 0.25), (middle + DOOR[0] / 2 + 0.25, wall.length - 0.4))
    for left, right in spans:
        if right - left > 0.8:
            patches.append((left - 0.08, right + 0.08, 0.45, high + 0.06, 0.02, frame))
            patches.append((left, right, 0.52, high, 0.02, (52, 56, 60)))
            for _ in range(int((right - left) * 2)):
                a, b = float(random.uniform(left, right - 0.3)), float(random.uniform(0.52, 1.1))
                goods = mixed(
                    shade_of(str(random.choice(["red", "yellow", "white", "brown", "blue"])), random),
                    (60, 60, 62),
                    0.35,
                )
                patches.append(
                    (a, a + float(random.uniform(0.15, 0.3)), b, b + float(random.uniform(0.2, 0.8)), 0.02, goods)
                )
            patches.append((left, right, high * 0.72, high, 0.02, (96, 106, 114)))
    patches.append((0.15, wall.length - 0.15, high + 0.1, storey - 0.08, 0.12, band))
    light: Color = (236, 234, 226) if sum(band) < 420 else (50, 50, 56)
    start = wall.length * float(random.uniform(0.15, 0.4))
    for letter in range(int(random.integers(4, 9))):
        a = start + letter * 0.36
        if a < wall.length - 0.6:
            patches.append((a, a + 0.24, high + 0.25, storey - 0.22, 0.13, light))
    return patches


def door_middle(wall: Wall) -> float:
    """Position of the middle of the door along a façade, in metres."""
    return wall.length * 0.5 + (0.23 * wall.length if wall.length > 6 else 0.0)


def draw_door(thing: NormalThing, state: State, camera: Camera, wall: Wall) -> list[Stamp]:
    """
    Draws a door in a wall, "open" or "closed".

    Args:
        thing (`NormalThing`): The door; `along` is the position of its middle.
        state (`State`): `color` and `condition` are used.
        camera (`Camera`): The camera.
        wall (`Wall`): Wall that contains the door.
    """
    random = np.random.default_rng([thing.seed])
    color = shade_of(state.color or "brown", random)
    frame = _FRAMES[int(random.integers(len(_FRAMES)))]
    middle = thing.along
    wide, tall = thing.extent[0] / 2, thing.extent[1]
    left, right = middle - wide, middle + wide
    rim = wall.outline(camera, left - 0.1, right + 0.1, 0, tall + 0.1, 0.02)
    hinge, sense = (left, 1) if thing.seed % 2 else (right, -1)
    angle = float(random.uniform(1.2, 1.9))
    tip = (hinge + sense * 2 * wide * float(np.cos(angle)), 2 * wide * float(np.sin(angle)))
    leaf = camera.outline(
        wall.points([(hinge, 0.02, 0.03), (tip[0], 0.02, tip[1]), (tip[0], tall, tip[1]), (hinge, tall, 0.03)])
    )
    opened = state.condition == "open"
    sprite = wall_sprite(camera, [rim, leaf] if opened else [rim])
    sprite.polygon(rim, frame)
    glazed = bool(random.random() < 0.35)
    if not opened:
        draw_patches(sprite, camera, wall, _closed_door((left, right), tall, color, glazed, sense > 0))
        return [sprite.shade(random, grain="patchy", strength=0.025)]
    jamb = (left, left + wide * 0.5) if sense < 0 else (right - wide * 0.5, right)
    patches: list[Patch] = [
        (left, right, 0, tall, 0.02, _DARK),
        (left, right, 0, tall * 0.08, 0.02, scaled(_DARK, 1.5)),
        (*jamb, 0, tall, 0.02, scaled(_DARK, 1.25)),
    ]
    draw_patches(sprite, camera, wall, patches)
    sprite.polygon(leaf, scaled(color, 1.03))
    inner = [
        (hinge + (tip[0] - hinge) * share, level, 0.03 + (tip[1] - 0.03) * share)
        for share, level in ((0.2, 0.3), (0.8, 0.3), (0.8, tall - 0.25), (0.2, tall - 0.25))
    ]
    sprite.polygon(camera.outline(wall.points(inner)), scaled(color, 0.95))
    return [sprite.shade(random, grain="patchy", strength=0.025)]


def _closed_door(
    span: tuple[float, float], tall: float, color: Color, glazed: bool, handle_right: bool
) -> list[Patch]:
    """Leaf, panels, pane and handle of a closed door."""
    left, right = span
    middle, wide = (left + right) / 2, (right - left) / 2
    patches: list[Patch] = [(left, right, 0, tall, 0.02, color)]
    if glazed:
        patches.append((left + wide * 0.4, right - wide * 0.4, tall * 0.5, tall * 0.9, 0.02, (98, 112, 122)))
    for low, high in ((0.12, 0.45),) if glazed else ((0.12, 0.45), (0.52, 0.93)):
        for a, b in ((left + wide * 0.2, middle - wide * 0.1), (middle + wide * 0.1, right - wide * 0.2)):
            patches.append((a, b, tall * low, tall * high, 0.02, scaled(color, 0.9)))
            patches.append((a + 0.03, b - 0.03, tall * low + 0.03, tall * high - 0.03, 0.02, scaled(color, 0.97)))
    handle = right - 0.12 if handle_right else left + 0.12
    patches.append((handle - 0.05, handle + 0.05, 0.98, 1.04, 0.05, (206, 196, 160)))
    return patches


def draw_picture(thing: NormalThing, state: State, camera: Camera, wall: Wall) -> list[Stamp]:
    """Draws a framed picture on a wall. The state gives its main colour."""
    random = np.random.default_rng([thing.seed, 1])
    color = shade_of(state.color or "blue", random)
    middle, low = thing.along, thing.above
    wide, tall = thing.extent[0] / 2, thing.extent[1]
    left, right, high = middle - wide, middle + wide, low + tall
    sprite = wall_sprite(camera, [wall.outline(camera, left, right, low, high)])
    frame = ((44, 36, 32), (150, 116, 70), (222, 220, 212), (90, 92, 96))[int(random.integers(4))]
    rim = 0.045
    patches: list[Patch] = [(left, right, low, high, 0.02, frame)]
    if random.random() < 0.4:
        patches.append((left + rim, right - rim, low + rim, high - rim, 0.02, (232, 230, 222)))
        rim *= 2.2
    patches.append((left + rim, right - rim, low + rim, high - rim, 0.02, color))
    inner_wide, inner_tall = 2 * (wide - rim), tall - 2 * rim
    for _ in range(int(random.integers(2, 7))):
        a = left + rim + float(random.uniform(0, 0.7)) * inner_wide
        b = low + rim + float(random.uniform(0, 0.7)) * inner_tall
        tone = scaled(color, float(random.uniform(0.8, 1.2)))
        patches.append(
            (
                a,
                a + float(random.uniform(0.1, 0.3)) * inner_wide,
                b,
                b + float(random.uniform(0.1, 0.3)) * inner_tall,
                0.02,
                tone,
            )
        )
    draw_patches(sprite, camera, wall, patches)
    return [sprite.shade(random, grain="patchy", strength=0.04)]
