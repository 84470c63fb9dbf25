# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Data structures and background of highway scenes: road, markings, dividers and landscape."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dataset_scripts.synthesis.render.painting import Canvas
from dataset_scripts.synthesis.render.palette import mixed, scaled
from dataset_scripts.synthesis.render.perspective import Camera, NormalScene
from dataset_scripts.synthesis.render.sprites import Sprite, Stamp, bounds
from dataset_scripts.synthesis.scene import Color

from .ground import Backdrop, bumpy, foliage, ground_texture, paint_sky


LANE = 3.6  # Width in metres
VERGES: dict[str, Color] = {
    "grass": (98, 110, 64),
    "dry grass": (142, 132, 84),
    "gravel": (140, 130, 118),
    "dirt": (120, 102, 82),
}
_RAIL: Color = (156, 160, 164)
_CONCRETE: Color = (160, 157, 150)
_LEAF: Color = (78, 104, 46)


@dataclass(frozen=True)
class Carriageway:
    """
    The lanes of one direction.

    Args:
        left (`float`): x of the left edge of the first lane in metres.
        lanes (`int`): Number of lanes.
        away (`bool`): Whether vehicles drive away from the camera.
    """

    left: float
    lanes: int
    away: bool

    @property
    def right(self) -> float:
        """x of the right edge of the last lane in metres."""
        return self.left + self.lanes * LANE

    def middle(self, lane: int) -> float:
        """x of the middle of a lane in metres."""
        return self.left + (lane + 0.5) * LANE


@dataclass(frozen=True)
class Divider:
    """
    A barrier along the road that hides things behind it.

    Args:
        x (`float`): Position in metres.
        kind (`"rail"`, `"barrier"`, `"hedge"` or `"fence"`): Kind of divider.
        height (`float`): Height in metres.
    """

    x: float
    kind: str
    height: float


@dataclass(kw_only=True)
class HighwayScene(NormalScene):
    """
    A road with one or two carriageways.

    Args:
        carriageways (`tuple[Carriageway, ...]`): From left to right.
        dividers (`tuple[Divider, ...]`): In any order.
        edges (`tuple[float, float]`): Left and right end (x) of the paved ground in metres.
        surface (`Color`): Colour of the road.
        verges (`tuple[str, str]`): Ground to the left and to the right of the road.
        wood (`tuple[float, float]`, *optional*): x of the edge of a wood, and its height, in metres.
        path (`float`, *optional*): x of the middle of a footpath in metres.
        yellow (`bool`): Whether the road's left edge lines are yellow.
        sky (`str`): See `paint_sky`.
    """

    carriageways: tuple[Carriageway, ...]
    dividers: tuple[Divider, ...]
    edges: tuple[float, float]
    surface: Color
    verges: tuple[str, str]
    wood: tuple[float, float] | None
    path: float | None
    yellow: bool
    sky: str

    def _paint_backdrop(self) -> Canvas:
        """Paints verges, road, markings, and the landscape in the distance."""
        random = np.random.default_rng([self.seed])
        camera = self.camera
        left, right = self.edges
        backdrop = Backdrop(camera, VERGES[self.verges[0]])
        for start, stop, name in ((-400.0, left, self.verges[0]), (right, 400.0, self.verges[1])):
            backdrop.strip(start, stop, VERGES[name], plant="grass" in name)
        backdrop.strip(left - 0.7, right + 0.7, mixed(self.surface, (150, 136, 112), 0.55))
        backdrop.strip(left, right, self.surface)
        if self.path is not None:
            backdrop.strip(
                self.path - 1.2, self.path + 1.2, mixed((176, 170, 160), self.surface, float(random.uniform(0, 0.6)))
            )
        if len(self.carriageways) == 2:
            first, second = self.carriageways
            if second.left - first.right > 1.2:
                backdrop.strip(
                    first.right + 0.5, second.left - 0.5, VERGES[self.verges[1]], plant="grass" in self.verges[1]
                )
        _paint_wear(backdrop, self, random)
        _paint_markings(backdrop, self, random)
        texture = ground_texture(camera, random, coarse=0.045, fine=0.055, streaks=0.022)
        canvas = backdrop.finish(texture)
        if camera.horizon > 0:
            _paint_distance(canvas, self, random)
        return canvas

    @cached_property
    def wood_stamps(self) -> list[Stamp]:
        """The edge of the wood as stamps; empty without a wood."""
        return _draw_wood(self)

    @cached_property
    def divider_stamps(self) -> list[list[Stamp]]:
        """The drawn dividers, in the order of `dividers`."""
        return [_draw_divider(self, divider) for divider in self.dividers]


def _paint_wear(backdrop: Backdrop, scene: HighwayScene, random: np.random.Generator) -> None:
    """Paints wear: dark tracks of oil and tyres along the lanes, repairs and joints across them."""
    for way in scene.carriageways:
        for lane in range(way.lanes):
            middle = way.middle(lane)
            strength = float(random.uniform(0.9, 0.97))
            for offset, half in ((-0.85, 0.28), (0.85, 0.28), (0.0, 0.35)):
                backdrop.strip(
                    middle + offset - half,
                    middle + offset + half,
                    scaled(scene.surface, strength + float(random.uniform(-0.02, 0.02))),
                )
        for _ in range(int(random.integers(0, 5))):
            lane = int(random.integers(way.lanes))
            start, length = float(random.uniform(0, 90)), float(random.uniform(2, 25))
            x = way.left + lane * LANE
            color = scaled(scene.surface, float(random.uniform(0.84, 1.08)))
            backdrop.strip(
                x + 0.1, x + LANE * float(random.uniform(0.3, 0.95)), color, start=start, stop=start + length
            )
    if random.random() < 0.3:
        step = float(random.uniform(5, 12))
        joints = [
            (way.left, way.right, order * step, order * step + 0.09)
            for way in scene.carriageways
            for order in range(24)
        ]
        backdrop.strips(joints, scaled(scene.surface, 0.86))


def _paint_markings(backdrop: Backdrop, scene: HighwayScene, random: np.random.Generator) -> None:
    paint = mixed((226, 226, 220), scene.surface, float(random.uniform(0.0, 0.4)))
    yellow = mixed((214, 168, 62), scene.surface, float(random.uniform(0.05, 0.35)))
    wide = float(random.uniform(0.13, 0.22))
    dash, gap = ((3.0, 9.0), (6.0, 12.0), (3.0, 4.5))[int(random.integers(3))]
    phase = float(random.uniform(0, dash + gap))
    single = len(scene.carriageways) == 2 and abs(scene.carriageways[0].right - scene.carriageways[1].left) < 0.1
    for way in scene.carriageways:
        inner = yellow if scene.yellow else paint
        for x, color in ((way.left, inner if not single else paint), (way.right, paint)):
            if not (single and x == scene.carriageways[0].right):
                backdrop.strip(x - wide / 2, x + wide / 2, color)
        for lane in range(1, way.lanes):
            x = way.left + lane * LANE
            starts = [phase + order * (dash + gap) for order in range(-4, 24)]
            backdrop.strips([(x - wide / 2, x + wide / 2, start, start + dash) for start in starts], paint)
    if single:
        x = scene.carriageways[0].right
        for offset in (-0.15, 0.15):
            backdrop.strip(x + offset - wide / 2, x + offset + wide / 2, yellow if scene.yellow else paint)


def _paint_distance(canvas: Canvas, scene: HighwayScene, random: np.random.Generator) -> None:
    """Paints the sky and a hazy line of trees or hills."""
    size, horizon = scene.size, scene.camera.horizon
    paint_sky(canvas, random, horizon + 1, scene.sky)
    steps = np.linspace(0, size, 40)
    for order, fade in enumerate((0.7, 0.45)):
        height = size * float(random.uniform(0.02, 0.07)) / (order + 1)
        rough = np.cumsum(random.normal(0, 1, 40))
        line = horizon - height * (1 + 0.35 * rough / max(1.0, float(np.abs(rough).max())))
        upper = bumpy(random, np.stack([steps, line], axis=1), size * 0.012, size * 0.02)
        outline = np.concatenate([upper, [(size, horizon + 1.5), (0, horizon + 1.5)]])
        stamp = foliage(scene.camera, random, outline, _LEAF, fade=fade)
        if stamp is not None:
            stamp.put(canvas, 0)


def _draw_wood(scene: HighwayScene) -> list[Stamp]:
    """Draws the edge of a wood along the road."""
    if scene.wood is None:
        return []
    random = np.random.default_rng([scene.seed, 3])
    x, height = scene.wood
    stamps = []
    camera = scene.camera
    back = x + (6 if x > 0 else -6)
    for where, tall, dim in ((back, height * 1.25, 0.8), (x, height * 0.7, 1.0)):
        foot = _line(camera, where, 0.0)
        top = _line(camera, where, tall)
        if len(foot) < 2 or len(top) < 2:
            continue
        reach = min(len(foot), len(top))
        heights = np.abs(foot[-reach:, 1] - top[-reach:, 1])
        crest = bumpy(random, top[-reach:], 0.28 * heights, 0.2 * heights)
        stamp = foliage(
            camera, random, np.concatenate([crest, foot[::-1]]), scaled(_LEAF, dim * float(random.uniform(0.85, 1.15)))
        )
        if stamp is not None:
            stamps.append(stamp)
    return stamps


def _line(camera: Camera, x: float, y: float) -> np.ndarray:
    """Projects the line (x, y) along the road to pixels (n, 2), as far as it lies ahead of the camera."""
    places = np.array([(x, y, z) for z in np.concatenate([np.linspace(-40, 60, 51), np.linspace(70, 400, 12)])])
    seen = camera.turned(places)[:, 2] > 1.5
    pixels = camera.project(places[seen])
    reach = 2 * camera.size
    keep = (np.abs(pixels[:, 0]) < reach) & (np.abs(pixels[:, 1]) < reach)
    return pixels[keep]


def _draw_divider(scene: HighwayScene, divider: Divider) -> list[Stamp]:
    """Draws a guard rail, concrete barrier, hedge or fence along the road."""
    random = np.random.default_rng([scene.seed, 4, abs(round(divider.x * 10))])
    camera, x, tall = scene.camera, divider.x, divider.height
    if divider.kind == "hedge":
        return _draw_hedge(camera, divider, random)
    top, foot = _line(camera, x, tall), _line(camera, x, 0.0)
    if min(len(top), len(foot)) < 2:
        return []
    sprite = Sprite(camera.size, bounds(np.concatenate([top, foot])))
    if divider.kind == "barrier":
        _paint_barrier(sprite, camera, divider, random)
        return [sprite.shade(random, grain="patchy", strength=0.05)]
    _paint_rail_or_fence(sprite, camera, divider, random)
    return [sprite.shade(random, grain="patchy", strength=0.04)]


def _draw_hedge(camera: Camera, divider: Divider, random: np.random.Generator) -> list[Stamp]:
    x, tall = divider.x, divider.height
    half = 0.6
    side = -half if x > 0 else half
    foot, near, far = _line(camera, x + side, 0.0), _line(camera, x + side, tall), _line(camera, x - side, tall)
    if min(len(foot), len(near), len(far)) < 2:
        return []
    scale = camera.scale(max(4.0, camera.depth(x, 25.0)))
    crest = bumpy(random, far, 0.25 * scale, 0.5 * scale)
    color = scaled(_LEAF, 0.9)
    stamps = [
        foliage(camera, random, np.concatenate([crest, near[::-1]]), scaled(color, 1.25)),
        foliage(camera, random, np.concatenate([near, foot[::-1]]), scaled(color, 0.7)),
    ]
    return [stamp for stamp in stamps if stamp is not None]


def _paint_barrier(sprite: Sprite, camera: Camera, divider: Divider, random: np.random.Generator) -> None:
    x, tall = divider.x, divider.height
    top, foot = _line(camera, x, tall), _line(camera, x, 0.0)
    color = scaled(_CONCRETE, float(random.uniform(0.85, 1.05)))
    sprite.polygon(np.concatenate([top, foot[::-1]]), scaled(color, 0.82))
    across = 0.22 if x < 0 else -0.22
    shoulder = _line(camera, x + across, tall * 0.35)
    sprite.polygon(np.concatenate([shoulder, _line(camera, x + across, 0)[::-1]]), scaled(color, 0.72))
    crown = _line(camera, x - across, tall)
    sprite.polygon(np.concatenate([top, crown[::-1]]), color)


def _paint_rail_or_fence(sprite: Sprite, camera: Camera, divider: Divider, random: np.random.Generator) -> None:
    """Paints the posts and bands of a guard rail or a fence."""
    x, tall = divider.x, divider.height
    step = 2.0 if divider.kind == "fence" else 4.0
    metal = (
        scaled(_RAIL, float(random.uniform(0.85, 1.1)))
        if divider.kind == "rail"
        else scaled((52, 66, 56), float(random.uniform(0.7, 1.3)))
    )
    for z in np.arange(-40, 120, step).tolist():
        depth = camera.depth(x, z)
        if depth > 2:
            post = camera.project(np.array([(x, 0.0, z), (x, tall, z)]))
            if np.abs(post).max() < 3 * camera.size:
                sprite.line(post, max(0.6, 0.11 * camera.scale(depth)), scaled(metal, 0.7))
    bands = (
        ((0.5, 1.0, 0.95), (0.62, 0.74, 1.15))
        if divider.kind == "rail"
        else ((0.93, 1.0, 1.0), (0.5, 0.55, 0.9), (0.08, 0.13, 0.9))
    )
    for low, high, brightness in bands:
        lower, upper = _line(camera, x, tall * low), _line(camera, x, tall * high)
        if min(len(lower), len(upper)) > 1:
            sprite.polygon(np.concatenate([upper, lower[::-1]]), scaled(metal, brightness))
