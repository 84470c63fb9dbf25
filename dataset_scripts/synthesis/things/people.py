# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws people in many poses and from all sides."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dataset_scripts.synthesis.render.palette import mixed, scaled, shade_of
from dataset_scripts.synthesis.render.perspective import Camera, NormalThing
from dataset_scripts.synthesis.render.sprites import Shadows, Sprite, Stamp
from dataset_scripts.synthesis.scene import Color, Point, State


Joint: TypeAlias = np.ndarray  # (left, up, ahead) as seen by the person; shares of the height

CLOTHES = ("white", "grey", "black", "red", "blue", "green", "yellow", "orange", "pink", "purple", "brown")
POSES = ("standing", "walking", "hands in pockets", "pointing", "carrying", "talking")
_SKINS: tuple[Color, ...] = (
    (236, 196, 170),
    (222, 174, 142),
    (196, 142, 108),
    (150, 102, 74),
    (104, 70, 52),
    (74, 50, 40),
)
_HAIRS: tuple[Color, ...] = (
    (28, 24, 22),
    (52, 38, 28),
    (88, 62, 40),
    (140, 100, 58),
    (186, 152, 96),
    (150, 148, 146),
    (112, 52, 30),
)
_TROUSERS: tuple[Color, ...] = (
    (44, 52, 76),
    (70, 92, 134),
    (34, 34, 38),
    (92, 90, 88),
    (150, 132, 102),
    (196, 188, 170),
    (64, 50, 42),
    (216, 214, 208),
    (72, 78, 60),
)
_HAIRCUTS = ("short", "short", "long", "bun", "bald", "cap")
_LARGE = 70  # Height in pixels from which faces and folds are drawn
# Heights of the joints, as shares of the person's height.
_SHOULDER, _HIP, _KNEE, _ANKLE, _CHIN, _CROWN = 0.815, 0.505, 0.275, 0.035, 0.868, 0.99


@dataclass(frozen=True)
class _Looks:
    """Appearance of one person. Lengths are shares of the height unless stated otherwise."""

    skin: Color
    hair: Color
    top: Color
    trousers: Color
    shoes: Color
    haircut: str
    sleeve: float  # Covered share of the arm
    hem: float
    trouser_end: float
    skirt: bool
    pattern: str
    second: Color
    girth: float  # Relative to the average
    shoulder: float


def _looks(random: np.random.Generator, state: State) -> _Looks:
    skin = _SKINS[int(random.integers(len(_SKINS)))]
    hair = _HAIRS[int(random.integers(len(_HAIRS)))]
    top = shade_of(state.color or "grey", random)
    trousers = scaled(_TROUSERS[int(random.integers(len(_TROUSERS)))], float(random.uniform(0.85, 1.1)))
    shoes = scaled(
        ((40, 34, 32), (210, 208, 204), (90, 60, 40))[int(random.integers(3))], float(random.uniform(0.8, 1.1))
    )
    haircut = _HAIRCUTS[int(random.integers(len(_HAIRCUTS)))]
    long_sleeves = bool(random.random() < 0.6)
    skirt = bool(haircut in ("long", "bun") and random.random() < 0.4)
    pattern = ("plain", "plain", "plain", "stripes", "check", "print", "jacket")[int(random.integers(7))]
    second = mixed(top, (240, 240, 238) if sum(top) < 330 else (40, 40, 46), 0.35)
    return _Looks(
        skin=skin,
        hair=hair,
        top=top,
        trousers=trousers,
        shoes=shoes,
        haircut=haircut,
        sleeve=1.0 if long_sleeves else 0.42,
        hem=float(random.uniform(0.43, 0.5)),
        trouser_end=0.24 if skirt or random.random() < 0.12 else 0.05,
        skirt=skirt,
        pattern=pattern if pattern != "jacket" or long_sleeves else "plain",
        second=second,
        girth=float(np.clip(random.normal(1.0, 0.09), 0.82, 1.25)),
        shoulder=float(random.uniform(0.1, 0.122)),
    )


def _arm(random: np.random.Generator, pose: str, side: int, swing: float, shoulder: float) -> list[Joint]:
    """Positions of shoulder, elbow and hand of one side (-1: right, 1: left)."""
    start = np.array((side * shoulder, _SHOULDER - 0.015, 0.0))
    raised = pose == "pointing" and side < 0
    if raised:
        up, out = float(random.uniform(-0.1, 0.9)), float(random.uniform(0.1, 0.7))
        toward = np.array((side * out, up, 1.0))
        toward /= np.linalg.norm(toward)
        elbow = start + 0.17 * (0.8 * toward + np.array((side * 0.3, -0.5, 0)))
        return [start, elbow, elbow + 0.17 * toward]
    if (pose == "talking" and side > 0) or pose == "carrying":
        elbow = start + np.array((side * 0.03, -0.165, 0.02))
        return [start, elbow, elbow + np.array((-side * 0.05, 0.05 if pose == "talking" else 0.01, 0.15))]
    if pose == "hands in pockets":
        elbow = start + np.array((side * 0.06, -0.155, -0.04))
        return [start, elbow, elbow + np.array((-side * 0.06, -0.125, 0.06))]
    forward = -swing * 0.8
    elbow = start + np.array((side * 0.025, -0.165 * np.cos(forward), 0.165 * np.sin(forward)))
    bend = forward + 0.3 + 0.4 * max(0.0, forward)
    return [start, elbow, elbow + np.array((side * 0.005, -0.155 * np.cos(bend), 0.155 * np.sin(bend)))]


def _leg(side: int, swing: float, spread: float) -> list[Joint]:
    """Positions of hip, knee, ankle and toe of one side; `swing` in radians, positive ahead."""
    hip = np.array((side * 0.046, _HIP, 0.0))
    thigh, calf = _HIP - _KNEE, _KNEE - _ANKLE
    knee_turn = swing + (0.12 if swing > 0 else 0.25 * abs(swing) / 0.4)
    calf_turn = swing if swing > 0 else swing * 1.5
    knee = hip + np.array((side * spread * 0.5, -thigh * np.cos(knee_turn), thigh * np.sin(knee_turn)))
    ankle = knee + np.array((side * spread * 0.5, -calf * np.cos(calf_turn), calf * np.sin(calf_turn)))
    return [hip, knee, ankle, ankle + np.array((side * 0.015, -0.02, 0.075))]


class _Figure:
    """Projects the joints of a person onto a sprite and draws limbs."""

    def __init__(self, thing: NormalThing, camera: Camera, looks: _Looks, sun_right: bool):
        self.looks = looks
        self.pixels = thing.height
        self.base = (thing.x, thing.y)
        turn = np.deg2rad(thing.facing - camera.degrees)
        # At 180 degrees, the person faces the camera.
        self.left, self.ahead = -float(np.cos(turn)), float(np.sin(turn))
        self.towards = -float(np.cos(turn))
        self.light = 1 if sun_right else -1
        reach = 0.62 * thing.height
        box = (thing.x - reach, thing.y - 1.02 * thing.height, thing.x + reach, thing.y + 0.03 * thing.height)
        self.sprite = Sprite(camera.size, box)

    def at(self, joint: Joint) -> Point:
        """Pixel (x, y) of a joint."""
        across = joint[0] * self.left + joint[2] * self.ahead
        return self.base[0] + float(across) * self.pixels, self.base[1] - float(joint[1]) * self.pixels

    def nearness(self, joint: Joint) -> float:
        """Sort key for the drawing order: larger values are nearer to the camera."""
        return float(joint[0] * self.ahead + joint[2] * self.towards)

    def limb(self, start: Joint, end: Joint, thick_start: float, thick_end: float, color: Color) -> None:
        """Draws a round limb that is lighter on the side of the sun."""
        (a, b), scale = (self.at(start), self.at(end)), self.pixels
        self.sprite.limb(a, b, thick_start * scale, thick_end * scale, scaled(color, 0.89))
        shift = self.light * 0.18 * scale
        for share, brightness in ((0.75, 1.02), (0.4, 1.09)):
            moved = [(p[0] + shift * thick * (1 - share) * 3, p[1]) for p, thick in ((a, thick_start), (b, thick_end))]
            self.sprite.limb(
                moved[0], moved[1], thick_start * scale * share, thick_end * scale * share, scaled(color, brightness)
            )


def draw_person(thing: NormalThing, state: State, camera: Camera, sun_right: bool = True) -> list[Stamp]:
    """
    Draws a person. The state gives the colour of the upper clothes.

    Args:
        thing (`NormalThing`): The person; `variant` is the pose, one of `POSES`.
        state (`State`): Only `color` is used.
        camera (`Camera`): The camera.
        sun_right (`bool`, *optional*, defaults to `True`): Whether the light comes from the right.
    """
    random = np.random.default_rng([thing.seed])
    looks = _looks(random, state)
    figure = _Figure(thing, camera, looks, sun_right)
    swing = 0.0
    if thing.variant == "walking":
        swing = float(random.uniform(0.18, 0.48)) * (1 if random.random() < 0.5 else -1)
    legs = [(side, _leg(side, side * swing, float(random.uniform(0, 0.03)))) for side in (-1, 1)]
    arms = [(side, _arm(random, thing.variant, side, side * swing, looks.shoulder * looks.girth)) for side in (-1, 1)]
    legs.sort(key=lambda item: figure.nearness(item[1][0]) + 0.3 * figure.nearness(item[1][2]))
    arms.sort(key=lambda item: figure.nearness(item[1][0]) + 0.5 * figure.nearness(item[1][2]))
    behind = [arm for arm in arms if figure.nearness(arm[1][0]) + 0.5 * figure.nearness(arm[1][2]) < -0.02]
    for _, joints in behind:
        _draw_arm(figure, joints, 0.88)
    for order, (_, joints) in enumerate(legs):
        _draw_leg(figure, joints, 0.82 if order == 0 and abs(figure.ahead) > 0.4 else 1.0)
    if looks.skirt:
        _draw_skirt(figure)
    facing_away = figure.towards < 0
    if facing_away:
        _draw_head(figure, random)
    _draw_torso(figure, random)
    if not facing_away:
        _draw_head(figure, random)
    for _, joints in arms:
        if not any(joints is other for _, other in behind):
            _draw_arm(figure, joints, 1.0)
    if thing.height < _LARGE / 2:
        return [figure.sprite.shade()]
    return [figure.sprite.shade(random, grain="patchy", strength=0.05, blur=thing.height / 190)]


def _draw_leg(figure: _Figure, joints: list[Joint], brightness: float) -> None:
    looks, girth = figure.looks, figure.looks.girth
    hip, knee, ankle, toe = joints
    cloth, skin = scaled(looks.trousers, brightness), scaled(looks.skin, brightness)
    lower = skin if looks.trouser_end > 0.1 else cloth
    scale = figure.pixels
    shoe = scaled(looks.shoes, brightness)
    heel = (ankle[0], ankle[1] - 0.018, ankle[2] - 0.015)
    figure.sprite.limb(figure.at(np.array(heel)), figure.at(toe), 0.02 * scale, 0.014 * scale, shoe)
    figure.limb(knee, ankle, 0.033 * girth, 0.024, lower)
    figure.limb(hip, knee, 0.052 * girth, 0.037 * girth, skin if looks.skirt else cloth)


def _draw_skirt(figure: _Figure) -> None:
    looks = figure.looks
    half_top, half_low = _half_width(figure, 0.085), _half_width(figure, 0.105)
    (x, _), scale = figure.base, figure.pixels
    top, low = figure.base[1] - 0.53 * scale, figure.base[1] - 0.3 * scale
    for share, brightness in ((1.0, 0.86), (0.7, 1.0), (0.35, 1.08)):
        shift = figure.light * (1 - share) * 0.03 * scale
        points = [(-half_top, top), (half_top, top), (half_low, low), (-half_low, low)]
        figure.sprite.polygon(
            [(x + shift + share * dx * scale, y) for dx, y in points], scaled(looks.trousers, brightness)
        )


def _half_width(figure: _Figure, across: float, deep: float = 0.06) -> float:
    """Half of the visible width of an oval body, as a share of the height."""
    girth = figure.looks.girth
    return float(np.hypot(across * figure.left, deep * figure.ahead)) * girth


def _draw_torso(figure: _Figure, random: np.random.Generator) -> None:
    looks, scale = figure.looks, figure.pixels
    x, y = figure.base
    # (height, half the width, half the depth)
    rings = (
        (_SHOULDER + 0.035, 0.035, 0.035),
        (_SHOULDER + 0.02, looks.shoulder * 0.72, 0.05),
        (_SHOULDER - 0.01, looks.shoulder, 0.058),
        (0.72, looks.shoulder * 0.95, 0.068),
        (0.6, looks.shoulder * 0.82, 0.062),
        (0.52, looks.shoulder * 0.86, 0.066),
        (looks.hem, looks.shoulder * 0.88, 0.066),
    )
    halves = [(level, _half_width(figure, wide, deep)) for level, wide, deep in rings]

    def layer(share: float, shift: float) -> list[Point]:
        points = [(half * share + shift, level) for level, half in halves]
        points += [(-half * share + shift, level) for level, half in halves[::-1]]
        return [(x + dx * scale, y - level * scale) for dx, level in points]

    waist = [
        (x + side * halves[-2][1] * scale * 0.98, y - level * scale)
        for side, level in ((-1, 0.53), (1, 0.53), (1, _HIP - 0.04), (-1, _HIP - 0.04))
    ]
    if not looks.skirt:
        figure.sprite.polygon(waist, scaled(looks.trousers, 0.95))
    for share, brightness in ((1.0, 0.9), (0.86, 0.98), (0.7, 1.04), (0.42, 1.1)):
        figure.sprite.polygon(layer(share, figure.light * (1 - share) * 0.07), scaled(looks.top, brightness))
    if figure.pixels > 34:
        _draw_pattern(figure, halves, random)


def _draw_pattern(figure: _Figure, halves: list[tuple[float, float]], random: np.random.Generator) -> None:
    looks, scale = figure.looks, figure.pixels
    x, y = figure.base
    low, high = halves[-1][0], _SHOULDER
    half = halves[3][1] * 0.97
    seen_front = figure.towards > 0.25
    thick = max(0.7, 0.008 * scale)
    if looks.pattern in ("stripes", "check"):
        for level in np.arange(low + 0.03, high, 0.045):
            wide = float(np.interp(-level, [-a for a, _ in halves], [b for _, b in halves])) * 0.97
            figure.sprite.line(
                [(x - wide * scale, y - level * scale), (x + wide * scale, y - level * scale)], thick, looks.second
            )
    if looks.pattern == "check":
        for across in np.arange(-half, half, 0.03):
            figure.sprite.line(
                [(x + across * scale, y - (high - 0.02) * scale), (x + across * 0.88 * scale, y - low * scale)],
                thick * 0.8,
                looks.second,
            )
    middle = x + figure.ahead * 0.045 * scale
    if looks.pattern == "print" and seen_front:
        size = 0.04 * scale * figure.towards
        figure.sprite.ellipse((middle, y - 0.7 * scale), size, 0.035 * scale, looks.second)
    if looks.pattern == "jacket" and seen_front:
        shirt = mixed(looks.top, (235, 235, 232) if sum(looks.top) < 420 else (60, 70, 96), 0.75)
        wide = 0.028 * figure.towards
        points = [(-wide, 0.835), (wide, 0.835), (wide * 0.5, low), (-wide * 0.5, low)]
        figure.sprite.polygon([(middle + dx * scale, y - level * scale) for dx, level in points], shirt)
    if looks.pattern == "plain" and seen_front and random.random() < 0.5:
        figure.sprite.line(
            [(middle, y - 0.83 * scale), (middle, y - low * scale)], thick * 0.7, scaled(looks.top, 0.8)
        )


def _draw_arm(figure: _Figure, joints: list[Joint], brightness: float) -> None:
    looks, girth = figure.looks, figure.looks.girth
    shoulder, elbow, hand = joints
    cloth, skin = scaled(looks.top, brightness), scaled(looks.skin, brightness)
    tip = hand + (hand - elbow) * 0.12
    x, y = figure.at(tip)
    figure.sprite.ellipse((x, y), 0.021 * figure.pixels, 0.024 * figure.pixels, skin)
    if looks.sleeve < 1:
        middle = shoulder + (elbow - shoulder) * 0.75
        figure.limb(elbow, hand, 0.025 * girth, 0.018, skin)
        figure.limb(shoulder, elbow, 0.028 * girth, 0.025, skin)
        figure.limb(shoulder, middle, 0.038 * girth, 0.036 * girth, cloth)
    else:
        figure.limb(elbow, hand, 0.03 * girth, 0.024, cloth)
        figure.limb(shoulder, elbow, 0.037 * girth, 0.031 * girth, cloth)


def _draw_head(figure: _Figure, random: np.random.Generator) -> None:
    looks, scale, sprite = figure.looks, figure.pixels, figure.sprite
    neck, chin = np.array((0, _SHOULDER, -0.008)), np.array((0, _CHIN + 0.02, 0.012))
    figure.limb(neck, chin, 0.032, 0.03, scaled(looks.skin, 0.85))
    middle = (_CHIN + _CROWN) / 2
    x, y = figure.at(np.array((0, middle, 0.018)))
    tall = (_CROWN - _CHIN) / 2 * scale
    wide = 0.042 * scale * (1 + 0.12 * abs(figure.ahead))
    front, side = figure.towards, figure.ahead
    if looks.haircut == "long":
        fall = 0.07 * scale
        sprite.ellipse(
            (x - side * 0.02 * scale, y + fall * 0.45), wide * 1.25, tall + fall * 0.55, scaled(looks.hair, 0.85)
        )
    if looks.haircut == "bun":
        sprite.ellipse(
            (x - side * 0.05 * scale, y - tall * (0.5 if abs(side) > 0.5 else 1.0)),
            0.026 * scale,
            0.026 * scale,
            looks.hair,
        )
    sprite.ellipse((x, y), wide, tall, scaled(looks.skin, 0.88))
    sprite.ellipse((x + figure.light * wide * 0.12, y), wide * 0.8, tall * 0.9, looks.skin)
    sprite.ellipse((x - side * wide * 0.15, y + tall * 0.05), wide * 0.12, tall * 0.18, scaled(looks.skin, 0.8))
    _draw_hair(figure, (x, y), wide, tall)
    if front > 0.15 and scale > _LARGE and looks.skin is not None:
        _draw_face(figure, (x + side * wide * 0.5, y), wide * front, tall, random)
    elif front > -0.3 and abs(side) > 0.5 and scale > _LARGE:
        nose = x + np.sign(side) * wide
        sprite.polygon(
            [
                (nose - np.sign(side) * wide * 0.2, y - tall * 0.1),
                (nose + np.sign(side) * wide * 0.22, y + tall * 0.2),
                (nose - np.sign(side) * wide * 0.2, y + tall * 0.3),
            ],
            looks.skin,
        )
        sprite.ellipse((nose - np.sign(side) * wide * 0.32, y - tall * 0.05), wide * 0.09, tall * 0.05, (40, 30, 28))


def _draw_hair(figure: _Figure, center: Point, wide: float, tall: float) -> None:
    looks, sprite, (x, y) = figure.looks, figure.sprite, center
    front, side = figure.towards, figure.ahead
    color = looks.hair if looks.haircut != "cap" else looks.trousers
    if looks.haircut == "bald":
        if front < 0.3:
            sprite.ellipse(
                (x - side * wide * 0.5, y + tall * 0.2), wide * 0.75, tall * 0.4, mixed(looks.hair, looks.skin, 0.4)
            )
            sprite.ellipse((x + figure.light * wide * 0.1, y - tall * 0.35), wide * 0.8, tall * 0.55, looks.skin)
        return
    # The more the face is turned away, the more hair is visible.
    turns = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    lowest = 0.95 if front < -0.35 else 0.15
    points = []
    for turn in turns.tolist():
        dx, dy = float(np.cos(turn)), float(np.sin(turn))
        limit = -0.42 if front > -0.35 else lowest
        faceward = dx * side + (front if abs(dx) < 0.75 else 0)
        if front > -0.35:
            limit = -0.42 if faceward > 0.1 else 0.3 + 0.4 * max(0.0, -dx * side)
        points.append((x + dx * wide * 1.09, y + min(dy * 1.08, limit) * tall))
    sprite.polygon(points, scaled(color, 0.9))
    sprite.ellipse(
        (x + figure.light * wide * 0.25 - side * wide * 0.1, y - tall * 0.68),
        wide * 0.6,
        tall * 0.26,
        scaled(color, 1.2),
    )
    if looks.haircut == "cap" and front > -0.3:
        sprite.ellipse(
            (x + side * wide * 0.9, y - tall * 0.4), wide * (0.45 + 0.4 * front), tall * 0.13, scaled(color, 0.8)
        )


def _draw_face(figure: _Figure, center: Point, wide: float, tall: float, random: np.random.Generator) -> None:
    (x, y), sprite, skin = center, figure.sprite, figure.looks.skin
    dark = mixed(skin, (40, 26, 22), 0.8)
    for side in (-1, 1):
        sprite.ellipse((x + side * wide * 0.4, y - tall * 0.02), wide * 0.15, tall * 0.06, dark)
        brow = [(x + side * wide * 0.2, y - tall * 0.16), (x + side * wide * 0.6, y - tall * 0.17)]
        sprite.line(brow, max(0.5, 0.006 * figure.pixels), mixed(figure.looks.hair, skin, 0.25))
    sprite.polygon(
        [(x - wide * 0.06, y), (x + wide * 0.15, y + tall * 0.3), (x - wide * 0.15, y + tall * 0.3)],
        scaled(skin, 0.86),
    )
    sprite.ellipse((x, y + tall * 0.52), wide * 0.3, tall * 0.05, mixed(skin, (150, 60, 60), 0.5))
    if figure.looks.haircut in ("short", "bald", "cap") and random.random() < 0.25:
        sprite.ellipse((x, y + tall * 0.75), wide * 0.6, tall * 0.25, mixed(figure.looks.hair, skin, 0.35))


def shade_under_person(thing: NormalThing, camera: Camera, shadows: Shadows, offset: Point, darkness: float) -> None:
    """
    Adds the shadow of a person on the ground and the darker contact shadow at the feet.

    Args:
        thing (`NormalThing`): The person.
        camera (`Camera`): The camera.
        shadows (`Shadows`): Collects the shadows of the image.
        offset (`Point`): Shadow vector (x, z) in metres of a body one metre high.
        darkness (`float`): Darkness of the sun shadow, 0 to 1.
    """
    x, z = thing.place
    tall = thing.extent[1]
    if darkness > 0.05:
        across = np.array((offset[1], -offset[0])) / max(1e-6, float(np.hypot(*offset))) * 0.09 * tall
        outline = []
        for share, half in ((0.0, 0.7), (0.4, 0.9), (0.8, 1.15), (0.86, 0.4), (0.95, 0.5), (1.0, 0.2)):
            middle = np.array((x + offset[0] * tall * share, z + offset[1] * tall * share))
            outline.append((middle + across * half, middle - across * half))
        ring = [point for point, _ in outline] + [point for _, point in outline[::-1]]
        pixels = camera.outline([(a, 0.0, b) for a, b in ring])
        shadows.polygon(pixels, darkness)
    flat = max(0.12, min(0.5, (thing.y - camera.horizon) / camera.focal))
    shadows.ellipse(
        (thing.x, thing.y - 0.01 * thing.height), 0.12 * thing.height, 0.12 * thing.height * flat, max(0.38, darkness)
    )
