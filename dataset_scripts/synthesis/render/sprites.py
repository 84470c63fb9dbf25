# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Sprites: small images on which a thing is drawn part by part before it is put on the canvas as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from dataset_scripts.synthesis.scene import Color, Point

from .painting import Canvas, Shape, textured
from .textures import Grain, noise


# Oversampling of sprites, by their longest side in pixels.
_OVERSAMPLING = ((40, 4), (110, 3))
_LEAST_OVERSAMPLING = 2
_MOST_BLUR = 0.7  # Largest blur in pixels on an image of 256 by 256
_TURNS = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=1)


@dataclass(frozen=True)
class Stamp:
    """
    A drawn part of a thing, ready to be put on a canvas.

    Args:
        shape (`Shape`): Position and coverage.
        pixels (`np.ndarray`): Pixels of its box, uint8 (height, width, 3).
        plant (`bool`, *optional*, defaults to `False`): Whether its colour follows the season.
    """

    shape: Shape
    pixels: np.ndarray
    plant: bool = False

    def put(self, canvas: Canvas, number: int) -> None:
        """Paints it on a canvas as a part of the thing with this number (0 for the background)."""
        canvas.paste(self.shape, self.pixels, number=number, plant=self.plant)


class Sprite:
    """
    A part of the image that is drawn with oversampling, so that adjacent shapes meet without seams.

    Args:
        size (`int`): Size of the canvas in pixels.
        box (`tuple[float, float, float, float]`): Left, top, right, bottom in pixels; clipped to the canvas.
        background (`Color`, *optional*): Initial colour; transparent if `None`.
    """

    def __init__(self, size: int, box: tuple[float, float, float, float], background: Color | None = None):
        left, top, right, bottom = box
        self.size = size
        self.left, self.top = (int(np.clip(np.floor(value) - 1, 0, size - 1)) for value in (left, top))
        self.width = int(np.clip(np.ceil(right) + 1, self.left + 1, size)) - self.left
        self.height = int(np.clip(np.ceil(bottom) + 1, self.top + 1, size)) - self.top
        longest = max(self.width, self.height)
        self.factor = next((factor for limit, factor in _OVERSAMPLING if longest <= limit), _LEAST_OVERSAMPLING)
        whole = (self.width * self.factor, self.height * self.factor)
        self.image = Image.new("RGBA", whole) if background is None else Image.new("RGB", whole, background)
        self._draw = ImageDraw.Draw(self.image)
        self._origin = np.array((self.left, self.top))

    def polygon(self, points: np.ndarray | Sequence[Point], color: Color) -> None:
        """Fills a polygon (n, 2), in canvas pixels."""
        if len(points) > 2:
            self._draw.polygon(self._inside(points), fill=color)

    def line(self, points: np.ndarray | Sequence[Point], width: float, color: Color) -> None:
        """Draws a polyline (n, 2), `width` wide, in canvas pixels."""
        if len(points) > 1:
            self._draw.line(self._inside(points), fill=color, width=max(1, round(width * self.factor)), joint="curve")

    def ellipse(self, center: Point, radius_x: float, radius_y: float, color: Color) -> None:
        """Draws an axis-aligned ellipse, in canvas pixels."""
        x, y = (center[0] - self.left) * self.factor - 0.5, (center[1] - self.top) * self.factor - 0.5
        x_reach, y_reach = max(0.5, radius_x * self.factor), max(0.5, radius_y * self.factor)
        self._draw.ellipse((x - x_reach, y - y_reach, x + x_reach, y + y_reach), fill=color)

    def limb(self, start: Point, end: Point, radius_start: float, radius_end: float, color: Color) -> None:
        """Draws a tapered limb: two circles and the area between them, in canvas pixels."""
        x, y = end[0] - start[0], end[1] - start[1]
        length = max(1e-6, (x * x + y * y) ** 0.5)
        x, y = x / length, y / length
        a, b = radius_start, radius_end
        self.polygon(
            [
                (start[0] - y * a, start[1] + x * a),
                (end[0] - y * b, end[1] + x * b),
                (end[0] + y * b, end[1] - x * b),
                (start[0] + y * a, start[1] - x * a),
            ],
            color,
        )
        self.ellipse(start, a, a, color)
        self.ellipse(end, b, b, color)

    def shade(
        self,
        random: np.random.Generator | None = None,
        *,
        grain: Grain = "grainy",
        strength: float = 0.0,
        brightness: np.ndarray | None = None,
        blur: float = 0.0,
        plant: bool = False,
    ) -> Stamp:
        """
        Downsamples the sprite to a stamp, optionally with texture, shading and blur.

        Args:
            random (`np.random.Generator`, *optional*): Chooses a texture; no texture if `None`.
            grain, strength (*optional*): Grain and strength of the texture, see `Canvas.paint`.
            brightness (`np.ndarray`, *optional*): Brightness factors, float32, broadcastable to (height, width).
            blur (`float`, *optional*, defaults to 0.0): Blur radius of the colours in pixels. The outline stays sharp.
            plant (`bool`, *optional*, defaults to `False`): Whether its colour follows the season.
        """
        small = self.image.reduce(self.factor)
        colors = small.convert("RGB") if small.mode == "RGBA" else small
        blur = min(blur, _MOST_BLUR * self.size / 256)
        if blur >= 0.3:
            colors = _softened(small, blur) if small.mode == "RGBA" else small.filter(ImageFilter.GaussianBlur(blur))
        pixels = np.asarray(colors)
        if random is not None and strength:
            pixels = textured(pixels, noise(random, grain, self.width, self.height), strength)
        if brightness is not None:
            pixels = np.clip(pixels * np.atleast_2d(brightness)[..., None], 0, 255).astype(np.uint8)
        coverage = small.getchannel("A") if small.mode == "RGBA" else Image.new("L", small.size, 255)
        return Stamp(Shape(self.left, self.top, coverage), pixels, plant)

    def _inside(self, points: np.ndarray | Sequence[Point]) -> list[float]:
        if isinstance(points, np.ndarray):
            values: list[float] = ((points - self._origin) * self.factor - 0.5).ravel().tolist()
            return values
        left, top, factor = self.left, self.top, self.factor
        return [value for x, y in points for value in ((x - left) * factor - 0.5, (y - top) * factor - 0.5)]


def _softened(small: Image.Image, radius: float) -> Image.Image:
    """Blurs the colours without mixing in the transparent surroundings."""
    return small.convert("RGBa").filter(ImageFilter.GaussianBlur(radius)).convert("RGBA").convert("RGB")


class Shadows:
    """
    Collects all soft shadows of an image and paints them at once, so that overlapping shadows do not add up.

    Args:
        size (`int`): Size of the canvas in pixels.
    """

    def __init__(self, size: int):
        self.size = size
        self._mask = Image.new("L", (size, size))
        self._draw = ImageDraw.Draw(self._mask)

    def polygon(self, points: np.ndarray | Sequence[Point], darkness: float) -> None:
        """Adds a polygon (n, 2) in pixels; `darkness` from 0 to 1."""
        if len(points) > 2:
            local: list[float] = np.asarray(points).ravel().tolist()
            self._draw.polygon(local, fill=round(255 * darkness))

    def ellipse(self, center: Point, radius_x: float, radius_y: float, darkness: float) -> None:
        """Adds an axis-aligned ellipse in pixels; `darkness` from 0 to 1."""
        (x, y) = center
        self._draw.ellipse((x - radius_x, y - radius_y, x + radius_x, y + radius_y), fill=round(255 * darkness))

    def put(self, canvas: Canvas, softness: float, ground: np.ndarray | None = None) -> None:
        """
        Paints the shadows on the background, that is, where no thing has been painted yet.

        Args:
            canvas (`Canvas`): Canvas to paint on.
            softness (`float`): Approximate width of their soft edges in pixels.
            ground (`np.ndarray`, *optional*): Outline (n, 2) in pixels of the ground that receives them; the whole
                canvas if `None`.
        """
        mask = self._mask.filter(ImageFilter.BoxBlur(softness))
        if canvas.numbers.any():
            mask = ImageChops.darker(mask, Image.fromarray(np.where(canvas.numbers, 0, 255).astype(np.uint8)))
        if ground is not None:
            floor = Image.new("L", mask.size)
            if len(ground) > 2:
                corners: list[float] = ground.ravel().tolist()
                ImageDraw.Draw(floor).polygon(corners, fill=255)
            mask = ImageChops.darker(mask, floor)
        canvas.paste(Shape(0, 0, mask), (12, 12, 18))


def hull(points: np.ndarray) -> np.ndarray:
    """Convex hull of points (n, 2), as an ordered outline."""
    ordered = sorted(map(tuple, points.tolist()))
    chains = []
    for chain in (ordered, ordered[::-1]):
        kept: list[Point] = []
        for x, y in chain:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], (x, y)) <= 0:
                kept.pop()
            kept.append((x, y))
        chains.append(kept[:-1])
    return np.array(chains[0] + chains[1])


def _turn(first: Point, second: Point, third: Point) -> float:
    return (second[0] - first[0]) * (third[1] - first[1]) - (second[1] - first[1]) * (third[0] - first[0])


def circle(center: Point, radius_x: float, radius_y: float | None = None) -> np.ndarray:
    """Outline (24, 2) of an axis-aligned ellipse, or of a circle without `radius_y`."""
    return _CIRCLE * (radius_x, radius_x if radius_y is None else radius_y) + center


def bounds(points: np.ndarray) -> tuple[float, float, float, float]:
    """Bounding box (left, top, right, bottom) of points (n, 2)."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return float(left), float(top), float(right), float(bottom)
