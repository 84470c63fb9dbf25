# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Data structure and background of room scenes: floor, walls, ceiling, windows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from dataset_scripts.synthesis.render.painting import Canvas, Shape
from dataset_scripts.synthesis.render.palette import mixed, scaled
from dataset_scripts.synthesis.render.perspective import NormalScene
from dataset_scripts.synthesis.render.textures import noise
from dataset_scripts.synthesis.scene import Color
from dataset_scripts.synthesis.things.walls import Patch, draw_patches

from .ground import Backdrop


BEHIND = -2.0  # z in metres at which the room ends behind the camera


@dataclass(kw_only=True)
class RoomScene(NormalScene):
    """
    A room with three walls: far, left and right.

    Args:
        width (`tuple[float, float]`): x of the left and right wall in metres.
        depth (`float`): z of the far wall in metres.
        height (`float`): Height of the ceiling in metres.
        paint (`Color`): Colour of the walls.
        accent (`Color`): Colour of the far wall.
        floor (`str`): Flooring: "planks", "tiles", "carpet" or "concrete".
        floor_color (`Color`): Colour of the floor.
        windows (`tuple[tuple[int, float, float, float, float], ...]`): Windows: wall index, then left, right, bottom
            and top in metres.
        board (`tuple[float, float]`, *optional*): Left and right end of a whiteboard on the far wall, in metres.
    """

    width: tuple[float, float]
    depth: float
    height: float
    paint: Color
    accent: Color
    floor: str
    floor_color: Color
    windows: tuple[tuple[int, float, float, float, float], ...]
    board: tuple[float, float] | None

    @cached_property
    def floor_outline(self) -> np.ndarray:
        """Outline (n, 2) of the floor in pixels."""
        (left, right), far = self.width, self.depth
        corners = ((left, 0, BEHIND), (left, 0, far), (right, 0, far), (right, 0, BEHIND))
        return self.camera.outline(corners)

    def _paint_backdrop(self) -> Canvas:
        """Paints floor, walls, ceiling and windows."""
        random = np.random.default_rng([self.seed])
        camera, (left, right), far, high = self.camera, self.width, self.depth, self.height
        backdrop = Backdrop(camera, scaled(self.paint, 0.8))
        ceiling = mixed((228, 226, 220), self.paint, 0.2)
        backdrop.strip(left, right, ceiling, start=BEHIND, stop=far, level=high)
        if random.random() < 0.45:
            _paint_ceiling_lights(backdrop, self, random)
        backdrop.strip(left, right, self.floor_color, start=BEHIND, stop=far)
        _paint_floor(backdrop, self, random)
        shades = random.permutation([0.84, 0.95, 1.02]).tolist()
        skirting = mixed((226, 224, 218), self.paint, 0.3) if random.random() < 0.6 else (84, 72, 62)
        for index, wall in enumerate(self.walls):
            color = scaled(self.accent if index == 0 else self.paint, shades[index])
            backdrop.outline(wall.outline(camera, 0, wall.length, 0, wall.height), color)
            backdrop.outline(wall.outline(camera, 0, wall.length, 0, 0.1), scaled(skirting, shades[index]))
        for window in self.windows:
            _paint_window(backdrop, self, window, random)
        if self.board is not None:
            _paint_board(backdrop, self, self.board, random)
        size = self.size
        variation = (
            1
            + np.float32(0.035) * noise(random, "cloudy", size, size)
            + np.float32(0.018) * noise(random, "fine", size, size)
        )
        canvas = backdrop.finish(variation)
        _darken_corners(canvas, self)
        return canvas


def _paint_floor(backdrop: Backdrop, scene: RoomScene, random: np.random.Generator) -> None:
    (left, right), far, color = scene.width, scene.depth, scene.floor_color
    if scene.floor == "planks":
        step = float(random.uniform(0.12, 0.2))
        for x in np.arange(left, right, step).tolist():
            backdrop.strip(
                x, min(right, x + step), scaled(color, float(random.uniform(0.9, 1.08))), start=BEHIND, stop=far
            )
            backdrop.strip(x, x + 0.008, scaled(color, 0.7), start=BEHIND, stop=far)
    elif scene.floor == "tiles":
        step = float(random.uniform(0.3, 0.6))
        second = scaled(color, float(random.uniform(0.75, 1.0))) if random.random() < 0.4 else color
        if second != color:
            for row, z in enumerate(np.arange(0, far, step).tolist()):
                for column, x in enumerate(np.arange(left, right, step).tolist()):
                    if (row + column) % 2:
                        backdrop.strip(x, min(right, x + step), second, start=z, stop=min(far, z + step))
        joint = scaled(color, 0.82)
        for x in np.arange(left, right, step).tolist():
            backdrop.strip(x, x + 0.012, joint, start=BEHIND, stop=far)
        for z in np.arange(0, far, step).tolist():
            backdrop.strip(left, right, joint, start=z, stop=z + 0.012)
    if random.random() < 0.3:
        x, z = float(random.uniform(left, right - 1.5)), float(random.uniform(1.5, max(1.6, far - 2)))
        rug: Color = ((132, 62, 56), (72, 88, 116), (150, 140, 120), (92, 108, 88))[int(random.integers(4))]
        wide, deep = min(right - x, float(random.uniform(1.5, 2.8))), min(far - z, float(random.uniform(1.2, 2.4)))
        for inset, brightness in ((0.0, 0.8), (0.12, 1.05), (0.2, 0.95)):
            backdrop.strip(
                x + inset, x + wide - inset, scaled(rug, brightness), start=z + inset, stop=z + deep - inset
            )


def _paint_ceiling_lights(backdrop: Backdrop, scene: RoomScene, random: np.random.Generator) -> None:
    (left, right), level = scene.width, scene.height - 0.01
    for z in np.arange(1.0, scene.depth, float(random.uniform(1.6, 2.6))).tolist():
        for share in (0.3, 0.7):
            x = left + share * (right - left)
            backdrop.strip(x - 0.62, x + 0.62, (176, 176, 174), start=z - 0.32, stop=z + 0.32, level=level)
            backdrop.strip(x - 0.58, x + 0.58, (252, 252, 246), start=z - 0.28, stop=z + 0.28, level=level)


def _paint_window(
    backdrop: Backdrop, scene: RoomScene, window: tuple[int, float, float, float, float], random: np.random.Generator
) -> None:
    index, left, right, low, high = window
    wall = scene.walls[index]
    frame = mixed((232, 232, 228), scene.paint, 0.15)
    sky = mixed((206, 220, 232), (240, 236, 226), float(random.uniform(0, 1)))
    patches: list[Patch] = [
        (left - 0.09, right + 0.09, low - 0.09, high + 0.09, 0.02, scaled(frame, 0.88)),
        (left - 0.05, right + 0.05, low - 0.05, high + 0.05, 0.02, frame),
    ]
    bands = 7
    for band in range(bands):
        a, b = low + (high - low) * band / bands, low + (high - low) * (band + 1) / bands
        tone = mixed((112, 138, 92), sky, min(1.0, band / bands * 1.6)) if band < 3 else scaled(sky, 1 + 0.015 * band)
        patches.append((left, right, a, b + 0.01, 0.02, tone))
    middle = (left + right) / 2
    patches += [
        (middle - 0.03, middle + 0.03, low, high, 0.02, frame),
        (left, right, low + (high - low) * 0.7, low + (high - low) * 0.7 + 0.04, 0.02, frame),
    ]
    patches.append((left - 0.14, right + 0.14, low - 0.15, low - 0.09, 0.12, frame))
    if random.random() < 0.35:
        for level in np.arange(low + (high - low) * float(random.uniform(0.1, 0.6)), high, 0.06).tolist():
            patches.append((left, right, level, level + 0.04, 0.03, (214, 212, 206)))
    elif random.random() < 0.4:
        cloth: Color = ((176, 160, 136), (126, 90, 84), (120, 136, 150), (206, 200, 190))[int(random.integers(4))]
        for start, stop in ((left - 0.2, left + 0.15), (right - 0.15, right + 0.2)):
            for fold in range(5):
                a = start + (stop - start) * fold / 5
                patches.append(
                    (a, a + (stop - start) / 5, low - 0.4, high + 0.15, 0.06, scaled(cloth, 0.86 + 0.2 * (fold % 2)))
                )
    draw_patches(backdrop.sprite, scene.camera, wall, patches)


def _paint_board(
    backdrop: Backdrop, scene: RoomScene, board: tuple[float, float], random: np.random.Generator
) -> None:
    """Paints a whiteboard with writing."""
    left, right = board
    patches: list[Patch] = [
        (left - 0.05, right + 0.05, 0.85, 2.15, 0.02, (150, 152, 156)),
        (left, right, 0.9, 2.1, 0.02, (228, 228, 226)),
    ]
    for _ in range(int(random.integers(8, 40))):
        x, y = float(random.uniform(left + 0.1, right - 0.4)), float(random.uniform(1.0, 2.0))
        ink = ((60, 70, 110), (140, 60, 60), (70, 70, 74), (60, 110, 80))[int(random.integers(4))]
        long, thick = float(random.uniform(0.05, 0.35)), float(random.uniform(0.008, 0.02))
        patches.append(
            (x, x + long, y, y + thick, 0.02, ink)
            if random.random() < 0.7
            else (x, x + thick, y - long * 0.5, y, 0.02, ink)
        )
    patches.append((left, right, 0.84, 0.9, 0.08, (170, 172, 176)))
    draw_patches(backdrop.sprite, scene.camera, scene.walls[0], patches)


def _darken_corners(canvas: Canvas, scene: RoomScene) -> None:
    """Darkens the edges between walls, floor and ceiling (ambient occlusion)."""
    size, camera = scene.size, scene.camera
    small = size // 4
    mask = Image.new("L", (small, small))
    draw = ImageDraw.Draw(mask)
    (left, right), far, high = scene.width, scene.depth, scene.height
    edges = [((left, y, far), (right, y, far)) for y in (0.0, high)]
    edges += [((x, y, 0.8), (x, y, far)) for x in (left, right) for y in (0.0, high)]
    edges += [((x, 0.0, far), (x, high, far)) for x in (left, right)]
    for start, stop in edges:
        ends = np.array([start, stop])
        if camera.turned(ends)[:, 2].min() > 0.3:
            points: list[float] = (camera.project(ends) / 4).ravel().tolist()
            draw.line(points, fill=255, width=max(1, small // 22))
    soft = mask.filter(ImageFilter.GaussianBlur(small / 22)).resize((size, size), Image.Resampling.BILINEAR)
    canvas.paste(Shape(0, 0, soft), (24, 20, 16), opacity=0.42)
