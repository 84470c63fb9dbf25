# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Data structure and background of street scenes: road, pavements, lawns, sky."""

from dataclasses import dataclass

import numpy as np

from dataset_scripts.synthesis.render.painting import Canvas
from dataset_scripts.synthesis.render.palette import mixed, scaled
from dataset_scripts.synthesis.render.perspective import NormalScene
from dataset_scripts.synthesis.scene import Color

from .ground import Backdrop, bumpy, foliage, ground_texture, paint_sky


_LAWN: Color = (96, 112, 62)
_LEAF: Color = (78, 104, 46)


@dataclass(kw_only=True)
class StreetScene(NormalScene):
    """
    A street along the z axis.

    Args:
        curbs (`tuple[float, float]`): x of the left and right edge of the road in metres.
        fronts (`tuple[float, float]`): x of the façades or lawns on the left and right in metres.
        built (`tuple[bool, bool]`): Whether buildings stand on the left and on the right.
        road (`bool`): Whether there is a road; otherwise a lawn.
        surface, paving (`Color`): Colours of the road and the pavement.
        slab (`float`): Size of the paving slabs in metres.
        sky (`str`): See `paint_sky`.
        crossing (`float`, *optional*): z of a pedestrian crossing in metres.
    """

    curbs: tuple[float, float]
    fronts: tuple[float, float]
    built: tuple[bool, bool]
    road: bool
    surface: Color
    paving: Color
    slab: float
    sky: str
    crossing: float | None

    def _paint_backdrop(self) -> Canvas:
        """Paints lawns, pavements, road and sky."""
        random = np.random.default_rng([self.seed])
        camera = self.camera
        backdrop = Backdrop(camera, _LAWN)
        (low, high), (left, right) = self.curbs, self.fronts
        lawn = scaled(_LAWN, float(random.uniform(0.85, 1.15)))
        backdrop.strip(-300, 300, lawn, plant=True)
        backdrop.strip(left, low, self.paving)
        backdrop.strip(high, right, self.paving)
        _paint_slabs(backdrop, self)
        if self.road:
            backdrop.strip(low, high, self.surface)
            _paint_road(backdrop, self, random)
        else:
            backdrop.strip(low, high, lawn, plant=True)
            path = float(random.uniform(low, high - 1.5))
            backdrop.strip(path, path + 1.6, mixed(self.paving, (170, 160, 140), 0.4))
        for curb, sense in ((low, -1), (high, 1)):
            backdrop.strip(min(curb, curb + sense * 0.16), max(curb, curb + sense * 0.16), scaled(self.paving, 1.12))
            backdrop.strip(min(curb, curb - sense * 0.07), max(curb, curb - sense * 0.07), scaled(self.surface, 0.7))
        for built, front, sense in zip(self.built, self.fronts, (1, -1)):
            if built:
                backdrop.strip(
                    min(front, front + sense * 0.3), max(front, front + sense * 0.3), scaled(self.paving, 0.72)
                )
        canvas = backdrop.finish(ground_texture(camera, random, coarse=0.045, fine=0.05, streaks=0.012))
        if camera.horizon > 0:
            paint_sky(canvas, random, camera.horizon + 1, self.sky)
            _paint_distance(canvas, self, random)
        return canvas


def _paint_slabs(backdrop: Backdrop, scene: StreetScene) -> None:
    """Paints the joints of the paving slabs."""
    dark = scaled(scene.paving, 0.88)
    thick = 0.025
    for inner, outer in ((scene.fronts[0], scene.curbs[0]), (scene.curbs[1], scene.fronts[1])):
        if outer - inner > 12:
            continue
        joints = [(x, x + thick, -40.0, 40.0) for x in np.arange(inner, outer, scene.slab).tolist()]
        joints += [(inner, outer, z, z + thick) for z in np.arange(-16, 26, scene.slab).tolist()]
        backdrop.strips(joints, dark)


def _paint_road(backdrop: Backdrop, scene: StreetScene, random: np.random.Generator) -> None:
    """Paints road markings, repairs and drains."""
    low, high = scene.curbs
    paint = mixed((224, 224, 218), scene.surface, float(random.uniform(0.05, 0.4)))
    for _ in range(int(random.integers(1, 6))):
        x, z = float(random.uniform(low, high - 1)), float(random.uniform(-10, 35))
        color = scaled(scene.surface, float(random.uniform(0.82, 1.1)))
        backdrop.strip(
            x, min(high, x + float(random.uniform(0.5, 2.5))), color, start=z, stop=z + float(random.uniform(0.5, 7))
        )
    middle = (low + high) / 2
    if random.random() < 0.75:
        backdrop.strips([(middle - 0.07, middle + 0.07, z, z + 2.6) for z in np.arange(-40, 70, 5.0).tolist()], paint)
    if random.random() < 0.35:
        for x in (low + 0.3, high - 0.4):
            backdrop.strip(x, x + 0.1, paint)
    if scene.crossing is not None:
        stripes = np.arange(low + 0.4, high - 0.5, 1.0).tolist()
        backdrop.strips([(x, x + 0.5, scene.crossing, scene.crossing + 3) for x in stripes], paint)


def _paint_distance(canvas: Canvas, scene: StreetScene, random: np.random.Generator) -> None:
    """Paints hazy trees on the horizon, and nearer ones on sides without buildings."""
    size, horizon = scene.size, scene.camera.horizon
    steps = np.linspace(0, size, 24)
    for fade, share in ((0.65, float(random.uniform(0.03, 0.1))), (0.3, float(random.uniform(0.0, 0.09)))):
        rough = np.cumsum(random.normal(0, 1, 24))
        line = horizon - size * share * (1 + 0.3 * rough / max(1.0, float(np.abs(rough).max())))
        upper = bumpy(random, np.stack([steps, line], axis=1), size * 0.025, size * 0.025)
        outline = np.concatenate([upper, [(size, horizon + size * 0.012), (0, horizon + size * 0.012)]])
        stamp = foliage(scene.camera, random, outline, _LEAF, fade=fade)
        if stamp is not None:
            stamp.put(canvas, 0)
