# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Background of normal scenes: ground in perspective, sky and foliage."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from dataset_scripts.synthesis.render.light import Light
from dataset_scripts.synthesis.render.painting import Canvas, Shape
from dataset_scripts.synthesis.render.palette import scaled
from dataset_scripts.synthesis.render.perspective import Camera
from dataset_scripts.synthesis.render.sprites import Sprite, Stamp
from dataset_scripts.synthesis.render.textures import TILE, Grain, canopy, noise
from dataset_scripts.synthesis.scene import Color, Point


_FAR = 600.0  # Strips of ground end this many metres ahead
_BEHIND = -150.0
_HAZE: Color = (158, 170, 182)
_LEAST_ROWS = 1.0  # The ground starts this many pixels below the horizon, where its distance would be infinite


class Backdrop:
    """
    Draws the static background of a scene.

    Args:
        camera (`Camera`): The camera.
        color (`Color`): Initial colour of all pixels.
    """

    def __init__(self, camera: Camera, color: Color):
        self.camera = camera
        size = camera.size
        self.sprite = Sprite(size, (0, 0, size, size), color)
        self._plants = Image.new("L", (size, size))
        self._draw = ImageDraw.Draw(self._plants)

    def outline(self, points: np.ndarray, color: Color, *, plant: bool = False) -> None:
        """Fills a polygon (n, 2) in pixels."""
        if len(points) > 2:
            self.sprite.polygon(points, color)
            local: list[float] = points.ravel().tolist()
            self._draw.polygon(local, fill=255 if plant else 0)

    def face(self, points: Sequence[Sequence[float]], color: Color, *, plant: bool = False) -> None:
        """Fills a flat polygon in the world; corners (x, y, z) in metres."""
        self.outline(self.camera.outline(points), color, plant=plant)

    def strip(
        self,
        left: float,
        right: float,
        color: Color,
        *,
        start: float = _BEHIND,
        stop: float = _FAR,
        level: float = 0.0,
        plant: bool = False,
    ) -> None:
        """Fills a horizontal rectangle: x from `left` to `right`, z from `start` to `stop`, y `level`, in metres."""
        corners = ((left, level, start), (left, level, stop), (right, level, stop), (right, level, start))
        self.face(corners, color, plant=plant)

    def strips(self, edges: Sequence[tuple[float, float, float, float]], color: Color) -> None:
        """Fills many rectangles on the ground; each is (smallest x, largest x, smallest z, largest z) in metres."""
        if not edges:
            return
        left, right, start, stop = np.array(edges).T
        corners = np.zeros((len(edges), 4, 3))
        corners[:, :, 0] = np.stack([left, left, right, right], axis=1)
        corners[:, :, 2] = np.stack([start, stop, stop, start], axis=1)
        flat = corners.reshape(-1, 3)
        ahead = (self.camera.turned(flat)[:, 2] > self.camera.near).reshape(-1, 4).sum(axis=1)
        pixels = self.camera.project(flat).reshape(-1, 4, 2)
        lowest, highest = pixels.min(axis=1), pixels.max(axis=1)
        seen = ((highest > 0) & (lowest < self.camera.size)).sum(axis=1) == 2
        for index in np.nonzero(((ahead == 4) & seen) | ((ahead > 0) & (ahead < 4)))[0].tolist():
            self.outline(pixels[index] if ahead[index] == 4 else self.camera.outline(corners[index]), color)

    def finish(self, variation: np.ndarray | None = None, softness: float = 0.0) -> Canvas:
        """Returns a canvas with the background. `variation` (height, width) multiplies its brightness."""
        stamp = self.sprite.shade(brightness=variation, blur=softness)
        return Canvas(self.camera.size, stamp.pixels, np.asarray(self._plants))


def ground_texture(
    camera: Camera,
    random: np.random.Generator,
    *,
    coarse: float = 0.06,
    fine: float = 0.05,
    streaks: float = 0.0,
) -> np.ndarray:
    """
    Samples a texture in ground coordinates and projects it to the image.

    Args:
        camera (`Camera`): The camera.
        random (`np.random.Generator`): Chooses the texture.
        coarse, fine (`float`, *optional*): Standard deviations of stains a few metres wide, and of fine grain.
        streaks (`float`, *optional*, defaults to 0.0): Standard deviation of streaks along the z axis.

    Returns:
        `np.ndarray`: Brightness factors, float32 (height, width), around 1; exactly 1 above the horizon.
    """
    size = camera.size
    result = np.ones((size, size), dtype=np.float32)
    first = int(np.clip(np.ceil(camera.horizon + _LEAST_ROWS), 0, size))
    if first >= size:
        return result
    ys = np.arange(first, size, dtype=np.float32)[:, None] + np.float32(0.5)
    xs = np.arange(size, dtype=np.float32)[None, :] + np.float32(0.5)
    x, z = (axis.astype(np.float32) for axis in camera.places(xs, ys))
    # Fine grain has pixel size everywhere. In ground coordinates it would look like blocks near the camera.
    per_pixel = camera.height / (ys - camera.horizon)
    fades = np.clip(0.25 / per_pixel, 0, 1)
    offset = random.integers(0, TILE, 2)
    stains = _tile("patchy", random)
    rows = (z * np.float32(22)).astype(np.int32) + int(offset[0])
    columns = (x * np.float32(40)).astype(np.int32) + int(offset[1])
    part = result[first:]
    part += np.float32(coarse) * stains[rows & (TILE - 1), columns & (TILE - 1)] * fades
    part += np.float32(fine) * noise(random, "fine", size, size - first) * (0.4 + 0.6 * fades)
    if streaks:
        lines = noise(random, "patchy", TILE, 1)[0]
        wear = noise(random, "cloudy", TILE, TILE)
        columns = (x * np.float32(30)).astype(np.int32) & (TILE - 1)
        rows = (z * np.float32(2)).astype(np.int32) & (TILE - 1)
        part += np.float32(streaks) * (lines[columns] + 0.6 * wear[rows, columns])
    return result


def _tile(grain: Grain, random: np.random.Generator) -> np.ndarray:
    return noise(random, grain, TILE, TILE)


def shadow_offset(camera: Camera, light: Light) -> Point:
    """Shadow vector (x, z) on the ground in metres, for a body one metre high."""
    right, down = light.shadow(1.0)
    angle = np.deg2rad(camera.degrees)
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    return right * cosine - down * sine, -down * cosine - right * sine


def paint_dapples(
    canvas: Canvas, camera: Camera, light: Light, random: np.random.Generator, inner: float, outer: float
) -> None:
    """
    Paints dappled shadows of trees on the ground beside a line along the z axis.

    Args:
        canvas (`Canvas`): Canvas to paint on.
        camera (`Camera`): The camera.
        light (`Light`): Sunlight, which determines the offset of the shadows.
        random (`np.random.Generator`): Random generator.
        inner, outer (`float`): x in metres: the shadows are densest at `outer` and end at `inner`.
    """
    size = canvas.size
    first = int(np.clip(np.ceil(camera.horizon + _LEAST_ROWS), 0, size))
    step = 2
    ys = np.arange(first, size, step, dtype=np.float32)[:, None]
    xs = np.arange(0, size, step, dtype=np.float32)[None, :]
    if not len(ys):
        return
    x, z = (axis.astype(np.float32) for axis in camera.places(xs, ys))
    right, ahead = shadow_offset(camera, light)
    leaves, crowns = _tile("grainy", random), _tile("patchy", random)
    rows = ((z - 6 * ahead) * 6).astype(np.int32) & (TILE - 1)
    columns = ((x - 6 * right) * 10).astype(np.int32) & (TILE - 1)
    dense = np.clip((x - inner) / (outer - inner), -1, 1.2)
    level = dense * 2.2 - 1.3 + 1.0 * crowns[rows, columns] + 0.5 * leaves[rows, columns]
    mask = (np.clip(level * 1.5, 0, 1) * np.float32(255 * min(0.75, light.strength + 0.1))).astype(np.uint8)
    large = Image.fromarray(mask).resize((size, size - first), Image.Resampling.BILINEAR)
    canvas.paste(Shape(0, first, large), (14, 16, 22))


def paint_sky(canvas: Canvas, random: np.random.Generator, bottom: float, kind: str) -> None:
    """
    Paints the sky in the upper part of an image.

    Args:
        canvas (`Canvas`): Canvas to paint on.
        random (`np.random.Generator`): Chooses the clouds.
        bottom (`float`): Row in pixels where the sky ends.
        kind (`str`): "clear", "cloudy", "overcast" or "evening".
    """
    rows = int(np.clip(np.ceil(bottom), 0, canvas.size))
    if not rows:
        return
    top, low = {
        "clear": ((86, 136, 196), (186, 208, 226)),
        "cloudy": ((108, 146, 192), (204, 214, 222)),
        "overcast": ((186, 190, 196), (214, 216, 218)),
        "evening": ((104, 118, 158), (236, 202, 168)),
    }[kind]
    share = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None] ** 0.8
    pixels = np.array(top, dtype=np.float32) * (1 - share) + np.array(low, dtype=np.float32) * share
    width = canvas.size
    clouds = noise(random, "cloudy", width, rows)
    if kind == "clear":
        pixels = pixels + np.float32(5) * clouds[..., None]
    else:
        cover = np.clip(clouds * 0.6 + (0.1 if kind != "overcast" else 0.5), 0, 1)[..., None]
        cover = cover * np.float32(0.8)
        white = np.array((236, 236, 236) if kind != "evening" else (240, 214, 196), dtype=np.float32)
        pixels = pixels * (1 - cover) + white * cover + np.float32(4) * clouds[..., None]
    shape = Shape(0, 0, Image.new("L", (width, rows), 255))
    canvas.paste(shape, np.clip(np.broadcast_to(pixels, (rows, width, 3)), 0, 255).astype(np.uint8))


def leaves(random: np.random.Generator, width: int, height: int, scale: float, color: Color) -> np.ndarray:
    """Samples dense foliage, (height, width, 3), with clusters about 8 * `scale` pixels wide."""
    factor = max(1.0, scale)
    crop = canopy(random, max(2, round(width / factor)), max(2, round(height / factor)))
    dark, light = np.array(scaled(color, 0.28), dtype=np.float32), np.array(scaled(color, 1.35), dtype=np.float32)
    pixels = dark + (light - dark) * (crop.brightness * crop.coverage)[..., None]
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def bumpy(
    random: np.random.Generator, line: np.ndarray, bump: float | np.ndarray, spacing: float | np.ndarray
) -> np.ndarray:
    """
    Adds bumps like tree crowns to the upper side of a line.

    Args:
        random (`np.random.Generator`): Chooses the bumps.
        line (`np.ndarray`): Points (n, 2) in pixels, from one end to the other.
        bump, spacing (`float` or `np.ndarray`): Largest height and mean distance of the bumps in pixels; one value,
            or one per point, (n,).

    Returns:
        `np.ndarray`: Points (m, 2) in pixels.
    """
    bumps, spacings = np.broadcast_to(bump, len(line)), np.broadcast_to(spacing, len(line))
    parts = [line[:1]]
    for index, (start, stop) in enumerate(pairwise(line)):
        length = float(np.hypot(*(stop - start)))
        count = int(np.clip(length / max(1.0, float(spacings[index])), 0, 60))
        points = start + (stop - start) * np.sort(random.uniform(0, 1, count))[:, None]
        points[:, 1] -= random.uniform(0.1, 1, count) * bumps[index]
        parts.append(points)
    return np.concatenate([*parts, line[-1:]])


def foliage(
    camera: Camera,
    random: np.random.Generator,
    outline: np.ndarray,
    color: Color,
    *,
    fade: float = 0.0,
) -> Stamp | None:
    """
    Draws foliage inside an outline: a hedge or the edge of a wood.

    Args:
        camera (`Camera`): The camera.
        random (`np.random.Generator`): Random generator.
        outline (`np.ndarray`): Outline (n, 2) in pixels.
        color (`Color`): Colour of lit leaves.
        fade (`float`, *optional*, defaults to 0.0): Share of haze, 0 to 1, for distant foliage.
    """
    if len(outline) < 3:
        return None
    shape = Canvas(camera.size).polygon([(float(x), float(y)) for x, y in outline.clip(-5000, 5000)])
    if shape is None:
        return None
    width, height = shape.coverage.size
    pixels = leaves(random, width, height, camera.size / 300, color)
    slope = np.linspace(1.12, 0.75, height, dtype=np.float32)[:, None, None]
    patches = 1 + np.float32(0.12) * noise(random, "cloudy", width, height)[..., None]
    lit = pixels * slope * patches * np.float32(1 - fade) + np.float32(fade) * np.array(_HAZE, dtype=np.float32)
    lit = np.clip(lit, 0, 255).astype(np.uint8)
    return Stamp(shape, lit, plant=True)
