# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws trees and potted plants."""

from functools import cache

import numpy as np
from PIL import Image

from dataset_scripts.synthesis.render.painting import Shape
from dataset_scripts.synthesis.render.palette import scaled
from dataset_scripts.synthesis.render.perspective import Camera, NormalThing
from dataset_scripts.synthesis.render.sprites import Shadows, Sprite, Stamp
from dataset_scripts.synthesis.render.textures import noise
from dataset_scripts.synthesis.scene import Color, Point, State


TREE_SHAPES = ("round", "wide", "tall", "cone", "bare")
PLANT_SHAPES = ("leafy", "palm", "cactus", "bush")
_CROWN = 192  # Side in pixels of a cached crown
_VARIANTS = 3
_LEAVES: tuple[Color, ...] = ((86, 120, 52), (70, 104, 50), (104, 128, 58), (60, 92, 58), (116, 122, 52))
_POTS: tuple[Color, ...] = ((168, 92, 62), (196, 194, 188), (74, 74, 78), (130, 104, 80), (72, 98, 128))


@cache
def _crown(shape: str, variant: int) -> Image.Image:
    """Cached image (mode "LA": brightness and coverage) of a tree crown with clusters of leaves, lit from above."""
    random = np.random.default_rng([_VARIANTS, TREE_SHAPES.index(shape), variant])
    size = _CROWN
    bright, cover = np.zeros((size, size), dtype=np.float32), np.zeros((size, size), dtype=np.float32)
    ys, xs = (axis.astype(np.float32) for axis in np.mgrid[0:size, 0:size])
    for order in range(130):
        turn, reach = random.uniform(0, 2 * np.pi), float(np.sqrt(random.uniform(0, 1))) * 0.78
        x, y = reach * np.cos(turn), reach * np.sin(turn)
        radius = random.uniform(0.08, 0.2)
        if shape == "cone":
            y = random.uniform(-0.95, 0.85)
            x = random.uniform(-1, 1) * (0.05 + 0.4 * (y + 1))
            radius = random.uniform(0.07, 0.14)
        center_x, center_y, reach = (1 + x) * size / 2, (1 + y) * size / 2, radius * size / 2
        rows = slice(max(0, int(center_y - reach * 1.3)), int(center_y + reach * 1.3) + 1)
        columns = slice(max(0, int(center_x - reach * 1.3)), int(center_x + reach * 1.3) + 1)
        dy, dx = (ys[rows, columns] - center_y) / reach, (xs[rows, columns] - center_x) / reach
        ripple = 0.35 * noise(random, "grainy", dx.shape[1], dx.shape[0])
        inside = dx * dx + dy * dy + ripple < 1
        # Upper and outer clusters are bright, inner ones are dark.
        height = 0.62 - 0.26 * (center_y / size) * 2 + 0.1 * order / 130
        value = height + 0.26 * (-0.75 * dy - 0.35 * dx) + 0.13 * ripple / 0.35
        bright[rows, columns] = np.where(inside, value, bright[rows, columns])
        cover[rows, columns] = np.where(inside, 1, cover[rows, columns])
    bright += 0.07 * noise(random, "fine", size, size)
    pixels = np.stack([bright.clip(0.05, 1) * 255, cover * 255], axis=2).astype(np.uint8)
    return Image.fromarray(pixels, "LA")


def draw_tree(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a tree; `variant` is one of `TREE_SHAPES`."""
    del state  # It has neither colour nor condition.
    random = np.random.default_rng([thing.seed])
    x, y, tall, wide = thing.x, thing.y, thing.height, thing.width
    bark = scaled(
        ((92, 76, 60), (112, 104, 94), (70, 58, 48))[int(random.integers(3))], float(random.uniform(0.8, 1.1))
    )
    sprite = Sprite(camera.size, (x - wide / 2, y - tall, x + wide / 2, y))
    thick = max(0.8, 0.028 * tall)
    crown_low = tall * (0.12 if thing.variant == "cone" else float(random.uniform(0.28, 0.4)))
    top = (x + float(random.uniform(-0.03, 0.03)) * wide, y - tall * 0.75)
    sprite.limb((x, y), top, thick, thick * 0.4, scaled(bark, 0.85))
    sprite.limb((x + thick * 0.25, y), top, thick * 0.5, thick * 0.2, scaled(bark, 1.12))
    if thing.variant == "bare":
        _branch(sprite, random, (x, y - crown_low * 0.8), -np.pi / 2, tall * 0.3, thick * 0.75, bark, 4)
        return [sprite.shade(random, strength=0.05)]
    trunk = sprite.shade(random, grain="grainy", strength=0.1)
    leaf = scaled(_LEAVES[int(random.integers(len(_LEAVES)))], float(random.uniform(0.9, 1.2)))
    crown = _crown_stamp(
        camera.size, random, thing, (x - wide / 2, y - tall, x + wide / 2, y - crown_low * 0.75), leaf
    )
    return [trunk] if crown is None else [trunk, crown]


def _branch(
    sprite: Sprite,
    random: np.random.Generator,
    start: Point,
    turn: float,
    length: float,
    thick: float,
    color: Color,
    left: int,
) -> None:
    end = (start[0] + float(np.cos(turn)) * length, start[1] + float(np.sin(turn)) * length)
    sprite.limb(start, end, thick, thick * 0.6, color)
    if left:
        for _ in range(3):
            spread = float(random.uniform(-0.85, 0.85))
            _branch(
                sprite,
                random,
                end,
                turn + spread,
                length * float(random.uniform(0.5, 0.75)),
                thick * 0.55,
                color,
                left - 1,
            )


def _crown_stamp(
    size: int, random: np.random.Generator, thing: NormalThing, box: tuple[float, float, float, float], leaf: Color
) -> Stamp | None:
    shape = "round" if thing.variant in ("wide", "tall") else thing.variant
    crown = _crown(shape, int(random.integers(_VARIANTS)))
    if random.random() < 0.5:
        crown = crown.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    left, top, right, bottom = (round(value) for value in box)
    width, height = max(2, right - left), max(2, bottom - top)
    # Resize only the part inside the canvas.
    start_x, start_y = max(0, -left), max(0, -top)
    stop_x, stop_y = min(width, size - left), min(height, size - top)
    if stop_x <= start_x or stop_y <= start_y:
        return None
    across, down = _CROWN / width, _CROWN / height
    part = (start_x * across, start_y * down, stop_x * across, stop_y * down)
    whole = (stop_x - start_x, stop_y - start_y)
    method = Image.Resampling.BICUBIC if across > 0.5 else Image.Resampling.BILINEAR
    brightness, coverage = (band.resize(whole, method, part) for band in crown.split())
    # Dark bluish green in the shade, light yellowish green in the sun.
    value = np.asarray(brightness, dtype=np.float32)[..., None] / 255
    dark = np.array((leaf[0] * 0.22, leaf[1] * 0.3, leaf[2] * 0.34), dtype=np.float32)
    light = np.array((leaf[0] * 1.5, leaf[1] * 1.4, leaf[2] * 1.1), dtype=np.float32)
    pixels = (dark + (light - dark) * value).clip(0, 255).astype(np.uint8)
    return Stamp(Shape(left + start_x, top + start_y, coverage), pixels, plant=True)


def shade_under_tree(thing: NormalThing, camera: Camera, shadows: Shadows, offset: Point, darkness: float) -> None:
    """Adds the shadow of crown and trunk; see `shade_under_person`."""
    x, z = thing.place
    wide, tall, _ = thing.extent
    foot = np.array((x, z))
    sun = np.array(offset)
    across = np.array((offset[1], -offset[0])) / max(1e-6, float(np.hypot(*offset))) * 0.03 * tall
    if darkness > 0.05 and thing.variant != "bare":
        random = np.random.default_rng([thing.seed, 1])
        turns = np.linspace(0, 2 * np.pi, 26, endpoint=False)
        reach = wide / 2 * random.uniform(0.75, 1.1, 26)
        middle = foot + sun * tall * 0.62
        stretch = max(0.6, float(np.hypot(*offset)))
        along = sun / max(1e-6, float(np.hypot(*offset)))
        side = np.array((-along[1], along[0]))
        ring = middle + (np.cos(turns) * reach)[:, None] * side + (np.sin(turns) * reach * stretch)[:, None] * along
        shadows.polygon(camera.outline(np.stack([ring[:, 0], np.zeros(26), ring[:, 1]], axis=1)), darkness)
        trunk = [foot + across, foot + sun * tall * 0.5 + across, foot + sun * tall * 0.5 - across, foot - across]
        shadows.polygon(camera.outline([(a, 0.0, b) for a, b in trunk]), darkness)
    flat = max(0.1, min(0.5, (thing.y - camera.horizon) / camera.focal))
    shadows.ellipse((thing.x, thing.y), 0.07 * thing.height, 0.07 * thing.height * flat, 0.4)


def draw_plant(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a potted plant; `variant` is one of `PLANT_SHAPES`."""
    del state  # It has neither colour nor condition.
    random = np.random.default_rng([thing.seed])
    x, y, tall, wide = thing.x, thing.y, thing.height, thing.width
    pot = scaled(_POTS[int(random.integers(len(_POTS)))], float(random.uniform(0.9, 1.1)))
    pot_tall, half = tall * 0.3, min(wide * 0.3, tall * 0.17)
    sprite = Sprite(camera.size, (x - wide * 0.6, y - tall * 1.03, x + wide * 0.6, y + 1))
    leaf = scaled(_LEAVES[int(random.integers(len(_LEAVES)))], float(random.uniform(0.85, 1.15)))
    base = y - pot_tall * 0.9
    if thing.variant == "cactus":
        for dx, low, high in ((0, 0, 0.95), (-0.25, 0.25, 0.65), (0.25, 0.35, 0.8)):
            column = x + dx * wide
            elbow = base - low * (tall - pot_tall)
            if dx:
                sprite.limb((x, elbow), (column, elbow), wide * 0.08, wide * 0.08, scaled(leaf, 0.8))
            end = (column, base - high * (tall - pot_tall))
            sprite.limb((column, elbow), end, wide * 0.1, wide * 0.09, scaled(leaf, 0.8))
            sprite.limb(
                (column + wide * 0.03, elbow),
                (end[0] + wide * 0.03, end[1]),
                wide * 0.05,
                wide * 0.045,
                scaled(leaf, 1.1),
            )
    else:
        _draw_fronds(sprite, random, (x, base), tall - pot_tall, wide, thing.variant, leaf)
    foliage = sprite.shade(random, grain="fine", strength=0.06, plant=False)
    below = Sprite(camera.size, (x - half * 1.3, y - pot_tall * 1.1, x + half * 1.3, y + 1))
    for share, brightness in ((1.0, 0.8), (0.75, 1.0), (0.4, 1.12)):
        points = [(-half, y - pot_tall), (half, y - pot_tall), (half * 0.72, y), (-half * 0.72, y)]
        below.polygon([(x + half * 0.12 * (1 - share) + dx * share, py) for dx, py in points], scaled(pot, brightness))
    below.polygon(
        [
            (x - half * 1.08, y - pot_tall),
            (x + half * 1.08, y - pot_tall),
            (x + half * 1.08, y - pot_tall * 0.82),
            (x - half * 1.08, y - pot_tall * 0.82),
        ],
        scaled(pot, 0.95),
    )
    return [foliage, below.shade(random, strength=0.03)]


def _draw_fronds(
    sprite: Sprite, random: np.random.Generator, base: Point, tall: float, wide: float, variant: str, leaf: Color
) -> None:
    count = {"leafy": 26, "palm": 13, "bush": 46}[variant]
    root = base
    if variant == "palm":
        root = (base[0], base[1] - tall * 0.45)
        sprite.limb(base, root, wide * 0.045, wide * 0.03, (104, 84, 60))
    for order in range(count):
        side = float(random.uniform(-1, 1))
        rise = float(random.uniform(0.25, 1)) * (1 - 0.45 * abs(side))
        tip = (base[0] + side * wide * 0.5, base[1] - rise * tall * 0.98)
        color = scaled(leaf, 0.55 + 0.65 * rise * float(random.uniform(0.75, 1.1)) + 0.2 * order / count)
        if variant == "bush":
            sprite.ellipse(tip, wide * 0.11, wide * 0.08, color)
            continue
        middle = (
            (root[0] * 0.5 + tip[0] * 0.5),
            min(root[1], tip[1]) - tall * 0.02 if variant == "palm" else (root[1] + tip[1]) / 2,
        )
        thick = wide * (0.055 if variant == "palm" else 0.085)
        sprite.limb(root, middle, thick * 0.35, thick, color)
        sprite.limb(middle, tip, thick, thick * 0.15, color)
