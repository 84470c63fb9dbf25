# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Antialiased painting that also records which thing is visible at each pixel."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from dataset_scripts.synthesis.scene import Color, Point, Rendering

from .textures import PLATE_STEPS, Grain, noise_plate


# Oversampling factors. Large shapes need less, because their outline is a small part of them.
_OVERSAMPLING = 4
_LARGE_PIXELS, _LARGE_OVERSAMPLING = 128, 2
_COVERED = 128  # A pixel belongs to the thing that covers at least half of it.
_CORNERS = 40  # Of an outline or a curve.


@dataclass(frozen=True)
class Shape:
    """
    The bounding box of a shape and the share of each pixel that the shape covers.

    Args:
        left, top (`int`): Position of the box on the canvas in pixels. The box lies inside the canvas.
        coverage (`PIL.Image.Image`): Mode "L", size of the box; 0 (outside) to 255 (fully inside).
    """

    left: int
    top: int
    coverage: Image.Image

    @property
    def box(self) -> tuple[slice, slice]:
        """Slices of the rows and columns of the box."""
        width, height = self.coverage.size
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @property
    def area(self) -> int:
        """Number of pixels that are covered by half or more."""
        return int(np.count_nonzero(np.asarray(self.coverage) >= _COVERED))


class Canvas:
    """
    A square image to paint on.

    Args:
        size (`int`): Width and height in pixels.
        background (`np.ndarray`, *optional*): Initial image, uint8 (size, size, 3); copied. Black if `None`.
        vegetation (`np.ndarray`, *optional*): uint8 (size, size), 255 where the background shows plants.
        numbers (`np.ndarray`, *optional*): int16 (size, size), numbers of the things in the background; copied.
    """

    def __init__(
        self,
        size: int,
        background: np.ndarray | None = None,
        vegetation: np.ndarray | None = None,
        numbers: np.ndarray | None = None,
    ):
        self.size = size
        self.image = Image.new("RGB", (size, size)) if background is None else Image.fromarray(background)
        self.vegetation = Image.new("L", (size, size)) if vegetation is None else Image.fromarray(vegetation)
        self.numbers = np.zeros((size, size), dtype=np.int16) if numbers is None else numbers.copy()

    def polygons(self, outlines: Sequence[Sequence[Point]]) -> Shape | None:
        """
        Returns the union of polygons.

        Args:
            outlines (`Sequence[Sequence[Point]]`): Corners (x, y) in pixels; pixel centres are at half-integers.

        Returns:
            `Shape`, *optional*: The shape, or `None` if it lies outside the canvas.
        """
        corners = np.array([point for outline in outlines for point in outline], dtype=np.float64)
        frame = self._frame(corners.min(axis=0), corners.max(axis=0))
        if frame is None:
            return None
        left, top, width, height, factor = frame
        mask = Image.new("L", (width * factor, height * factor))
        draw = ImageDraw.Draw(mask)
        for outline in outlines:
            draw.polygon([((x - left) * factor - 0.5, (y - top) * factor - 0.5) for x, y in outline], fill=255)
        return Shape(left, top, mask.reduce(factor))

    def polygon(self, outline: Sequence[Point]) -> Shape | None:
        """Returns one polygon; see `polygons`."""
        return self.polygons([outline])

    def ellipse(self, center: Point, radius_x: float, radius_y: float) -> Shape | None:
        """Returns an axis-aligned ellipse; centre and radii in pixels. `None` if it lies outside the canvas."""
        (x, y) = center
        frame = self._frame(np.array((x - radius_x, y - radius_y)), np.array((x + radius_x, y + radius_y)))
        if frame is None:
            return None
        left, top, width, height, factor = frame
        mask = Image.new("L", (width * factor, height * factor))
        x, y = (x - left) * factor - 0.5, (y - top) * factor - 0.5
        reach_x, reach_y = radius_x * factor, radius_y * factor
        ImageDraw.Draw(mask).ellipse((x - reach_x, y - reach_y, x + reach_x, y + reach_y), fill=255)
        return Shape(left, top, mask.reduce(factor))

    def line(self, points: Sequence[Point], width: float) -> Shape | None:
        """Returns a polyline, `width` pixels wide, with flat ends. `None` if it lies outside the canvas."""
        return self.polygon(strip(points, width))

    def sprite(
        self, outlines: Sequence[Sequence[Point]], parts: Sequence[tuple[Sequence[Point], Color]], base: Color
    ) -> tuple[Shape, np.ndarray] | None:
        """
        Draws a thing of several plain parts at once, which is much faster than painting the parts one by one.

        Args:
            outlines (`Sequence[Sequence[Point]]`): Polygons whose union is the thing.
            parts (`Sequence[tuple[Sequence[Point], Color]]`): Polygons and their colours, from bottom to top.
            base (`Color`): Colour where no part covers the thing.

        Returns:
            `tuple[Shape, np.ndarray]`, *optional*: Shape, and the pixels of its box, uint8 (height, width, 3).
            `None` if the thing lies outside the canvas.
        """
        shape = self.polygons(outlines)
        if shape is None:
            return None
        width, height = shape.coverage.size
        factor = _LARGE_OVERSAMPLING if max(width, height) > _LARGE_PIXELS else _OVERSAMPLING
        pixels = Image.new("RGB", (width * factor, height * factor), base)
        draw = ImageDraw.Draw(pixels)
        for outline, color in parts:
            corners = [((x - shape.left) * factor - 0.5, (y - shape.top) * factor - 0.5) for x, y in outline]
            draw.polygon(corners, fill=color)
        return shape, np.asarray(pixels.reduce(factor))

    def clipped(self, left: int, top: int, coverage: Image.Image) -> Shape | None:
        """Places a coverage image at (left, top), clipped to the canvas. `None` if it lies outside the canvas."""
        right, bottom = min(self.size, left + coverage.width), min(self.size, top + coverage.height)
        first, highest = max(0, left), max(0, top)
        if right <= first or bottom <= highest:
            return None
        return Shape(first, highest, coverage.crop((first - left, highest - top, right - left, bottom - top)))

    def paint(
        self,
        shape: Shape | None,
        color: Color,
        *,
        number: int | None = None,
        random: np.random.Generator | None = None,
        grain: Grain = "grainy",
        strength: float = 0.0,
        opacity: float = 1.0,
        plant: bool = False,
    ) -> None:
        """
        Fills a shape with a colour, optionally with a texture.

        Args:
            shape (`Shape`, *optional*): Shape to fill; nothing is painted if `None`.
            color (`Color`): RGB, 0 to 255.
            number (`int`, *optional*): Number of the thing that the shape belongs to, 0 for the background. `None`
                leaves the maps of things and plants unchanged (shadows, markings on a thing).
            random (`np.random.Generator`, *optional*): Chooses the texture; uniform colour if `None`.
            grain (`Grain`, *optional*, defaults to `"grainy"`): Grain of the texture.
            strength (`float`, *optional*, defaults to 0.0): Standard deviation of the brightness, as a share.
            opacity (`float`, *optional*, defaults to 1.0): Opacity, 0 to 1.
            plant (`bool`, *optional*, defaults to `False`): Whether its colour follows the season.
        """
        if shape is None:
            return
        pixels: Color | Image.Image = color
        if random is not None and strength:
            width, height = shape.coverage.size
            pixels = tinted(noise_plate(random, grain, width, height), color, strength)
        self.paste(shape, pixels, number=number, opacity=opacity, plant=plant)

    def paste(
        self,
        shape: Shape | None,
        pixels: Color | np.ndarray | Image.Image,
        *,
        number: int | None = None,
        opacity: float = 1.0,
        plant: bool = False,
    ) -> None:
        """Fills a shape with a colour or with the RGB pixels of its box (uint8 array or image). See `paint`."""
        if shape is None:
            return
        mask = (
            shape.coverage if opacity == 1 else shape.coverage.point([round(opacity * value) for value in range(256)])
        )
        fill = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
        place = (shape.left, shape.top, shape.left + mask.width, shape.top + mask.height)
        self.image.paste(fill, place, mask)
        if number is not None:
            self.vegetation.paste(255 if plant else 0, place, mask)
            self.numbers[shape.box][np.asarray(shape.coverage) >= _COVERED] = number

    def finish(self) -> Rendering:
        """Returns the image with its maps of visible things and of vegetation."""
        return Rendering(np.asarray(self.image), self.numbers, np.asarray(self.vegetation))

    def _frame(self, lowest: np.ndarray, highest: np.ndarray) -> tuple[int, int, int, int, int] | None:
        """Left, top, width, height of the clipped box, and the oversampling. `None` if it is outside the canvas."""
        left, top = (max(0, int(np.floor(value))) for value in lowest)
        right, bottom = (min(self.size, int(np.ceil(value)) + 1) for value in highest)
        if right <= left or bottom <= top:
            return None
        large = max(right - left, bottom - top) > _LARGE_PIXELS
        return left, top, right - left, bottom - top, _LARGE_OVERSAMPLING if large else _OVERSAMPLING


def tinted(plate: Image.Image, color: Color, strength: float) -> Image.Image:
    """
    Textures a colour with a noise plate, by lookup tables (faster than [`textured`]).

    Args:
        plate (`PIL.Image.Image`): Mode "L", from `noise_plate`.
        color (`Color`): RGB, 0 to 255.
        strength (`float`): Share of the brightness for one standard deviation.

    Returns:
        `PIL.Image.Image`: RGB, the size of the plate.
    """
    factors = 1 + strength / PLATE_STEPS * (np.arange(256) - 128)
    tables = np.clip(factors[None, :] * np.array(color)[:, None], 0, 255).astype(np.uint8)
    return Image.merge("RGB", [plate.point(table) for table in tables.tolist()])


def textured(color: Color | np.ndarray, variation: np.ndarray, strength: float) -> np.ndarray:
    """
    Textures a colour: multiplies its brightness by noise.

    Args:
        color (`Color` or `np.ndarray`): RGB, 0 to 255, or float pixels (height, width, 3).
        variation (`np.ndarray`): Noise, float32 (height, width), with a standard deviation of 1.
        strength (`float`): Share of the brightness for one standard deviation.

    Returns:
        `np.ndarray`: uint8 (height, width, 3).
    """
    bright = variation[..., None] * np.float32(strength) + np.float32(1)
    return np.clip(bright * np.asarray(color, dtype=np.float32), 0, 255).astype(np.uint8)


def rectangle(center: Point, length: float, width: float, degrees: float) -> list[Point]:
    """Corners of a rectangle whose long side points `degrees` clockwise from the x axis (y points down)."""
    angle = np.deg2rad(degrees)
    along = (float(np.cos(angle)) * length / 2, float(np.sin(angle)) * length / 2)
    across = (-float(np.sin(angle)) * width / 2, float(np.cos(angle)) * width / 2)
    signs = ((1, 1), (1, -1), (-1, -1), (-1, 1))
    return [(center[0] + a * along[0] + b * across[0], center[1] + a * along[1] + b * across[1]) for a, b in signs]


def beside(line: Sequence[Point], offset: float) -> list[Point]:
    """Moves a line sideways by `offset` pixels, to its right if positive (y points down)."""
    points = np.array(line)
    steps = np.gradient(points, axis=0)
    lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-6)
    normals = np.stack((-steps[:, 1], steps[:, 0]), axis=1) / lengths[:, None]
    return [(float(x), float(y)) for x, y in points + normals * offset]


def strip(line: Sequence[Point], width: float) -> list[Point]:
    """The outline of a line `width` pixels wide, with flat ends."""
    return [*beside(line, -width / 2), *beside(line, width / 2)[::-1]]


def extruded(outline: Sequence[Point], offset: Point) -> list[list[Point]]:
    """Polygons that a convex outline covers when it moves by `offset` pixels: the shadow of an upright body."""
    moved = [(x + offset[0], y + offset[1]) for x, y in outline]
    closed = list(zip([*outline, outline[0]], [*moved, moved[0]], strict=True))
    sides = [[a, b, d, c] for (a, c), (b, d) in itertools.pairwise(closed)]
    return [list(outline), moved, *sides]


def blob(random: np.random.Generator, center: Point, radius_x: float, radius_y: float) -> list[Point]:
    """Samples an irregular round outline, for ponds, tree crowns and patches of forest. Radii in pixels."""
    turns = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    reach = np.ones(_CORNERS)
    for waves in (2, 3, 5):
        reach += random.uniform(0.02, 0.3 / waves) * np.sin(waves * turns + random.uniform(0, 2 * np.pi))
    x, y = center[0] + radius_x * reach * np.cos(turns), center[1] + radius_y * reach * np.sin(turns)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def curve(points: Sequence[Point]) -> list[Point]:
    """Bézier curve from the first to the last point; the points between are control points."""
    shares = np.linspace(0, 1, _CORNERS)[:, None]
    levels = [np.array(point, dtype=np.float64)[None, :] for point in points]
    while len(levels) > 1:
        levels = [a + (b - a) * shares for a, b in itertools.pairwise(levels)]
    return [(float(x), float(y)) for x, y in levels[0]]
