# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Draws the picture pair of the quickstart: one place from above, at two times.

Between the two, a house with a red roof appears beside the road, a car leaves the road and the pond dries up. The sun
moves a little as well, which is no change that a sentence describes.

```bash
python examples/make_quickstart_pair.py            # writes examples/quickstart_t1.png and examples/quickstart_t2.png
python examples/make_quickstart_pair.py --out DIR
```
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter


SIZE = 256
# Everything is drawn four times too large and reduced at the end: that makes smooth edges.
SCALE = 4
SEED = 7

Color = tuple[int, int, int]
Point = tuple[float, float]


def noise(random: np.random.Generator, cells: int) -> Image.Image:
    """Smooth noise of `cells` x `cells` bumps as a picture of mode "L" on the large canvas."""
    small = Image.fromarray(random.integers(0, 256, (cells, cells), dtype=np.uint8))
    return small.resize((SIZE * SCALE, SIZE * SCALE), Image.Resampling.BICUBIC)


def scaled(points: Sequence[Point]) -> list[Point]:
    """Points of the 256 x 256 scene on the large canvas."""
    return [(x * SCALE, y * SCALE) for x, y in points]


def rectangle(center: Point, length: float, width: float, degrees: float) -> list[Point]:
    """Corners of a rectangle of `length` x `width` pixels, turned clockwise by `degrees` about its center."""
    angle = np.deg2rad(degrees)
    along = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    across = np.array([-np.sin(angle), np.cos(angle)]) * width / 2
    corners = (along + across, along - across, -along - across, -along + across)
    return [(center[0] + float(x), center[1] + float(y)) for x, y in corners]


def square(center: Point, radius: float) -> list[Point]:
    """Upper left and lower right corner of the square around a circle."""
    return [(center[0] - radius, center[1] - radius), (center[0] + radius, center[1] + radius)]


class Scene:
    """
    A canvas on which the things of the scene are painted from the ground up.

    Args:
        seed (`int`): Seed of every texture. Two scenes with the same seed differ only in what is painted.
        shadow (`tuple[float, float]`): Where the shadow of a thing one pixel high falls, as (x, y) in pixels.
    """

    def __init__(self, seed: int, shadow: Point) -> None:
        self.seed = seed
        self.random = np.random.default_rng(seed)
        self.shadow = shadow
        self.canvas = Image.new("RGB", (SIZE * SCALE, SIZE * SCALE), (126, 142, 84))

    def region(self, points: Sequence[Point], blur: float = 0.0) -> Image.Image:
        """Mask of mode "L" of a polygon; `blur` softens its edge by so many scene pixels."""
        mask = Image.new("L", self.canvas.size, 0)
        ImageDraw.Draw(mask).polygon(scaled(points), fill=255)
        return mask.filter(ImageFilter.GaussianBlur(blur * SCALE)) if blur else mask

    def paint(self, mask: Image.Image, color: Color, texture: float = 0.0, cells: int = 96) -> None:
        """Fills the mask with a colour whose brightness varies by `texture` (share of 1) in a smooth noise."""
        fill = Image.new("RGB", self.canvas.size, color)
        if texture:
            grain = np.asarray(noise(self.random, cells), dtype=np.float32)[..., None] / 255 - 0.5
            shaded = np.asarray(fill, dtype=np.float32) * (1 + 2 * texture * grain)
            fill = Image.fromarray(np.clip(shaded, 0, 255).astype(np.uint8))
        self.canvas.paste(fill, mask=mask)

    def begin(self, center: Point) -> None:
        """Starts a thing with textures of its own, so that nothing painted before it changes how it looks."""
        self.random = np.random.default_rng((self.seed, round(center[0]), round(center[1])))

    def cast_shadow(self, mask: Image.Image, height: float, strength: float = 0.45) -> None:
        """Darkens what lies beside a thing of `height` pixels: its outline moved along with the shadow."""
        steps = max(2, round(height * SCALE))
        shape = Image.new("L", self.canvas.size, 0)
        for step in range(1, steps + 1):
            reach = height * step / steps * SCALE
            moved = Image.new("L", mask.size, 0)
            moved.paste(mask, (round(self.shadow[0] * reach), round(self.shadow[1] * reach)))
            shape = ImageChops.lighter(shape, moved)
        soft = shape.filter(ImageFilter.GaussianBlur(0.4 * SCALE)).point(lambda value: int(value * strength))
        self.canvas.paste((24, 30, 44), mask=soft)

    def field(self, points: Sequence[Point], color: Color, row_degrees: float, spacing: float) -> None:
        """A field with rows `spacing` pixels apart."""
        area = self.region(points, blur=0.5)
        self.paint(area, color, texture=0.10, cells=40)
        self.paint(area, color, texture=0.05, cells=220)
        rows = Image.new("L", self.canvas.size, 0)
        draw = ImageDraw.Draw(rows)
        for offset in np.arange(-SIZE, SIZE, spacing):
            angle = np.deg2rad(row_degrees)
            middle = (SIZE / 2 - float(np.sin(angle) * offset), SIZE / 2 + float(np.cos(angle) * offset))
            draw.polygon(scaled(rectangle(middle, 2 * SIZE, spacing * 0.4, row_degrees)), fill=52)
        self.canvas.paste((52, 56, 30), mask=ImageChops.multiply(rows, area))

    def road(self, points: Sequence[Point], width: float, color: Color, lined: bool) -> None:
        """A road along a line of points, with a dashed line in its middle if `lined`."""
        for extra, tint, texture in ((3.0, (158, 148, 116), 0.12), (0.0, color, 0.07)):
            mask = Image.new("L", self.canvas.size, 0)
            draw = ImageDraw.Draw(mask)
            draw.line(scaled(points), fill=255, width=round((width + extra) * SCALE), joint="curve")
            self.paint(mask, tint, texture=texture, cells=200)
        if lined:
            draw = ImageDraw.Draw(self.canvas)
            for index in range(0, len(points) - 1, 4):
                draw.line(scaled(points[index : index + 3]), fill=(226, 222, 206), width=SCALE)

    def house(self, center: Point, length: float, width: float, degrees: float, color: Color) -> None:
        """A house with a ridge roof: a light and a dark side, tiles, a chimney and a shadow."""
        self.begin(center)
        outline = self.region(rectangle(center, length, width, degrees))
        self.cast_shadow(outline, height=7)
        angle = np.deg2rad(degrees)
        across = (-float(np.sin(angle)), float(np.cos(angle)))
        for side, light in ((-1, 1.12), (1, 0.78)):
            middle = (center[0] + side * across[0] * width / 4, center[1] + side * across[1] * width / 4)
            red, green, blue = (min(255, round(value * light)) for value in color)
            self.paint(self.region(rectangle(middle, length, width / 2, degrees)), (red, green, blue), 0.10, 180)
        draw = ImageDraw.Draw(self.canvas, "RGBA")
        for course in np.arange(-width / 2 + 1.6, width / 2, 1.6):
            middle = (center[0] + across[0] * float(course), center[1] + across[1] * float(course))
            draw.polygon(scaled(rectangle(middle, length, 0.35, degrees)), fill=(30, 18, 14, 70))
        draw.polygon(scaled(rectangle(center, length, 0.9, degrees)), fill=(255, 240, 224, 150))
        top = (center[0] + float(np.cos(angle)) * length / 4, center[1] + float(np.sin(angle)) * length / 4)
        chimney = self.region(rectangle((top[0] - across[0] * 2, top[1] - across[1] * 2), 2.6, 2.6, degrees))
        self.cast_shadow(chimney, height=3)
        self.paint(chimney, (122, 104, 96))

    def tree(self, center: Point, radius: float, color: Color = (58, 92, 44)) -> None:
        """A round tree of several lit tufts, with a shadow."""
        self.begin(center)
        crown = Image.new("L", self.canvas.size, 0)
        draw = ImageDraw.Draw(crown)
        tufts = []
        for turn in np.linspace(0, 2 * np.pi, 9, endpoint=False):
            reach = radius * float(self.random.uniform(0.35, 0.6))
            middle = (center[0] + float(np.cos(turn)) * reach, center[1] + float(np.sin(turn)) * reach)
            size = radius * float(self.random.uniform(0.42, 0.58))
            tufts.append((middle, size))
            draw.ellipse(scaled(square(middle, size)), fill=255)
        self.cast_shadow(crown, height=radius * 0.9, strength=0.5)
        self.paint(crown, color, texture=0.3, cells=128)
        lit = ImageDraw.Draw(self.canvas, "RGBA")
        for (x, y), size in tufts:
            # The lit spot of a tuft lies away from its shadow.
            spot = (x - self.shadow[0] * size * 0.35, y - self.shadow[1] * size * 0.35)
            lit.ellipse(scaled(square(spot, size / 2)), fill=(170, 196, 104, 58))

    def car(self, center: Point, degrees: float, color: Color) -> None:
        """A car with windows and a shadow."""
        body = self.region(rectangle(center, 11, 5.4, degrees), blur=0.35)
        self.cast_shadow(body, height=2.2)
        self.paint(body, color)
        draw = ImageDraw.Draw(self.canvas)
        angle = np.deg2rad(degrees)
        for place, length in ((1.9, 1.7), (-3.1, 1.4)):
            middle = (center[0] + float(np.cos(angle)) * place, center[1] + float(np.sin(angle)) * place)
            draw.polygon(scaled(rectangle(middle, length, 4.0, degrees)), fill=(38, 46, 58))

    def pond(self, outline: Sequence[Point], dry: bool) -> None:
        """A pond with a sandy bank; a dry one shows its cracked bed."""
        self.begin(outline[0])
        self.paint(self.region(outline, blur=1.6), (170, 156, 116), texture=0.12, cells=120)
        inner = [(96 + (x - 96) * 0.9, 62 + (y - 62) * 0.88) for x, y in outline]
        bed = self.region(inner, blur=0.9)
        if not dry:
            self.paint(bed, (56, 104, 128), texture=0.14, cells=24)
            deep = [(96 + (x - 96) * 0.6, 62 + (y - 62) * 0.55) for x, y in outline]
            self.paint(self.region(deep, blur=4), (36, 78, 108), texture=0.10, cells=24)
            return
        self.paint(bed, (150, 124, 90), texture=0.16, cells=70)
        cracks = Image.new("L", self.canvas.size, 0)
        draw = ImageDraw.Draw(cracks)
        for x, y in self.random.uniform((66, 40), (126, 86), (70, 2)):
            path = [(float(x), float(y))]
            for _ in range(3):
                step = self.random.uniform(-4.5, 4.5, 2)
                path.append((path[-1][0] + float(step[0]), path[-1][1] + float(step[1])))
            draw.line(scaled(path), fill=150, width=2)
        self.canvas.paste((92, 70, 48), mask=ImageChops.multiply(cracks, bed))

    def finish(self, light: tuple[float, float, float]) -> Image.Image:
        """The picture of 256 x 256 pixels under a light of that colour (shares of 1), with a little sensor noise."""
        small = np.asarray(self.canvas.resize((SIZE, SIZE), Image.Resampling.BOX), dtype=np.float32)
        grain = np.random.default_rng(SEED).normal(0, 1.6, (SIZE, SIZE, 1))
        return Image.fromarray(np.clip(small * np.array(light) + grain, 0, 255).astype(np.uint8))


def curve(points: Sequence[Point], steps: int = 64) -> list[Point]:
    """A smooth line (Bézier) through the first and the last point, pulled towards those between."""
    line: list[Point] = []
    for share in np.linspace(0, 1, steps):
        level = np.array(points, dtype=np.float64)
        while len(level) > 1:
            level = (1 - share) * level[:-1] + share * level[1:]
        line.append((float(level[0, 0]), float(level[0, 1])))
    return line


def pond_outline() -> list[Point]:
    """The bank of the pond."""
    turns = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = 1 + 0.13 * np.sin(2 * turns + 0.6) + 0.07 * np.sin(5 * turns)
    x, y = 96 + 33 * radius * np.cos(turns), 62 + 22 * radius * np.sin(turns)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def draw_scene(later: bool) -> Image.Image:
    """
    Draws the scene.

    Args:
        later (`bool`): Whether to draw t2 (house there, car gone, pond dry, sun a little lower) instead of t1.

    Returns:
        `PIL.Image.Image`: RGB, 256 x 256 pixels.
    """
    scene = Scene(SEED, shadow=(0.78, 0.92) if later else (0.7, 0.75))
    scene.paint(Image.new("L", scene.canvas.size, 255), (124, 141, 82), texture=0.12, cells=200)
    scene.field([(150, -4), (262, -4), (262, 92), (176, 104)], (176, 164, 92), row_degrees=-22, spacing=5)
    scene.field([(-4, 196), (94, 172), (112, 262), (-4, 262)], (104, 138, 62), row_degrees=68, spacing=4.2)
    scene.field([(-4, -4), (52, -4), (44, 78), (-4, 96)], (148, 128, 84), row_degrees=86, spacing=4.6)
    main_road = curve([(-10, 148), (70, 122), (150, 168), (266, 126)])
    scene.road(curve([(140, 146), (150, 186), (132, 216), (148, 268)], 48), 8, (150, 138, 118), lined=False)
    scene.road([(210, 146), (208, 174)], 10, (150, 138, 118), lined=False)
    scene.road(main_road, 15, (112, 112, 116), lined=True)
    scene.pond(pond_outline(), dry=later)

    scene.house((190, 184), 34, 22, 8, (128, 122, 120))
    scene.house((226, 216), 28, 20, -78, (150, 116, 84))
    scene.house((34, 114), 26, 18, -12, (110, 108, 122))
    if later:
        scene.house((190, 117), 32, 22, -6, (172, 62, 50))
    trees = [(128, 28, 8), (140, 42, 6), (60, 32, 7), (132, 96, 7), (14, 172, 8), (30, 166, 6), (166, 218, 8)]
    trees += [(178, 236, 9), (200, 244, 7), (118, 198, 6), (240, 176, 7), (248, 100, 6), (70, 96, 6), (250, 246, 9)]
    for x, y, radius in trees:
        scene.tree((x, y), radius)
    scene.car((56, 136.5), -7, (232, 230, 224))
    if not later:
        scene.car((119, 147.2), 3, (206, 52, 44))
    scene.car((209, 162), 96, (58, 92, 158))
    return scene.finish(light=(1.03, 0.99, 0.93) if later else (0.97, 1.0, 1.02))


def main() -> None:
    """Writes `quickstart_t1.png` and `quickstart_t2.png`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for the two pictures")
    folder = parser.parse_args().out
    for name, later in (("quickstart_t1.png", False), ("quickstart_t2.png", True)):
        draw_scene(later).save(folder / name, optimize=True)


if __name__ == "__main__":
    main()
