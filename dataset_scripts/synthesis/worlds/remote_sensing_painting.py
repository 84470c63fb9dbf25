# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The painter of the world "above"."""

from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from dataset_scripts.synthesis.render.light import Light
from dataset_scripts.synthesis.render.painting import Canvas, Shape, beside, extruded, rectangle, strip, textured
from dataset_scripts.synthesis.render.palette import mixed, scaled, shade_of
from dataset_scripts.synthesis.render.textures import canopy, noise
from dataset_scripts.synthesis.scene import Color, Point, Rendering, State, Time

from .planner import GroundScene, GroundThing


# Two ground materials per key, mixed by "cloudy" noise, and whether each of them is vegetation.
_GROUNDS: dict[str, tuple[tuple[Color, bool], tuple[Color, bool]]] = {
    "lawn": (((96, 120, 64), True), ((124, 136, 82), True)),
    "dry": (((158, 146, 104), True), ((178, 160, 124), False)),
    "mixed": (((104, 122, 72), True), ((164, 148, 112), False)),
    "bare": (((196, 178, 146), False), ((168, 146, 112), False)),
}
_FIELDS: dict[str | None, tuple[Color, bool]] = {
    "green": ((86, 128, 58), True),
    "ripe": ((192, 170, 92), False),
    "ploughed": ((124, 94, 68), False),
    "bare": ((190, 172, 144), False),
}
_ROADS: dict[str | None, Color] = {"paved": (112, 112, 116), "dirt": (176, 156, 122)}
_WATER: Color = (50, 92, 112)
_BED: Color = (158, 136, 100)
_SHADOW: Color = (16, 20, 34)
_LEAVES: Color = (66, 96, 44)


def paint_remote_sensing(scene: GroundScene, time: Time, light: Light) -> Rendering:
    """
    Paints a place seen from above.

    Args:
        scene (`GroundScene`): The scene.
        time (`1` or `2`): t1 or t2.
        light (`Light`): Sun at that time.

    Returns:
        `Rendering`: The rendering, without effects of camera and weather.
    """
    states = {thing.number: thing.state_t1 if time == 1 else thing.state_t2 for thing in scene.things}
    ground = _paint_ground(scene, states)
    canvas = Canvas(scene.size, ground.image, ground.vegetation, ground.numbers)
    raised = [
        thing for kind in _RAISED_PAINTERS for thing in _of_kind(scene, kind) if states[thing.number] is not None
    ]
    for thing in raised:
        if thing.drive:
            random = np.random.default_rng([thing.seed, 1])
            color = mixed((188, 184, 174), (150, 148, 144), float(random.random()))
            canvas.paint(canvas.polygon(thing.drive), color, number=0, random=random, strength=0.05)
    _paint_shadows(canvas, scene, raised, light)
    for thing in raised:
        state = states[thing.number]
        assert state is not None
        _RAISED_PAINTERS[thing.kind](canvas, thing, state, light, np.random.default_rng(thing.seed))
    if scene.woods is not None:
        random = np.random.default_rng([scene.seed, 3])
        _paint_leaves(canvas, Shape(0, 0, Image.fromarray(scene.woods)), 0, scene.metre, random)
    return canvas.finish()


def _of_kind(scene: GroundScene, kind: str) -> list[GroundThing]:
    return [thing for thing in scene.things if thing.kind == kind]  # type: ignore[misc]


def _paint_ground(scene: GroundScene, states: dict[int, State | None]) -> Rendering:
    """Paints all flat things. The result is cached, because it is mostly the same at both times."""
    flat = [thing for kind in _FLAT_PAINTERS for thing in _of_kind(scene, kind)]
    key = tuple(states[thing.number] for thing in flat)
    if key not in scene.grounds:
        scene.soil = scene.soil or _paint_soil(scene)
        canvas = Canvas(scene.size, *scene.soil)
        for thing in flat:
            state = states[thing.number]
            if state is not None:
                _FLAT_PAINTERS[thing.kind](canvas, thing, state, np.random.default_rng(thing.seed))
        random = np.random.default_rng([scene.seed, 2])
        for track in scene.tracks:
            canvas.paint(canvas.line(track, 3 * scene.metre), _ROADS["dirt"], number=0, random=random, strength=0.07)
        for lot in scene.lots:
            canvas.paint(canvas.polygon(lot), (142, 140, 138), number=0, random=random, grain="patchy", strength=0.05)
        scene.grounds[key] = canvas.finish()
    return scene.grounds[key]


def _paint_soil(scene: GroundScene) -> tuple[np.ndarray, np.ndarray]:
    """Bare ground, uint8 (size, size, 3), and its vegetation, uint8 (size, size), 255 where plants grow."""
    random = np.random.default_rng([scene.seed, 1])
    size = scene.size
    (first, first_plant), (second, second_plant) = _GROUNDS[scene.ground]
    mixing = noise(random, "cloudy", size, size) * 0.9 + noise(random, "grainy", size, size) * 0.35
    share = (1 / (1 + np.exp(-2.6 * mixing)))[..., None].astype(np.float32)
    shades = [np.array(color) * random.uniform(0.86, 1.14) + random.uniform(-8, 8, 3) for color in (first, second)]
    colors = shades[0].astype(np.float32) * (1 - share) + shades[1].astype(np.float32) * share
    variation = 0.75 * noise(random, "grainy", size, size) + 0.6 * noise(random, "fine", size, size)
    plants = np.where(share[..., 0] < 0.5, first_plant, second_plant).astype(np.uint8) * 255
    return textured(colors, variation, 0.07), plants


def _paint_field(canvas: Canvas, thing: GroundThing, state: State, random: np.random.Generator) -> None:
    color, plant = _FIELDS[state.condition]
    shape = canvas.polygon(thing.outline)
    spacing, turn = random.uniform(3.2, 6.5), np.deg2rad(thing.degrees + 90 * int(random.integers(2)))
    shade = [float(value) for value in random.uniform(0.86, 1.14, 4)]
    if shape is None:
        return
    tint = scaled(color, shade[len(state.condition or "") % 4])
    width, height = shape.coverage.size
    rows = _rows(shape, float(turn), spacing)
    depth = {"ploughed": 0.07, "green": 0.05, "ripe": 0.04}.get(state.condition or "", 0.0)
    grains = 0.6 * noise(random, "patchy", width, height) + 0.5 * noise(random, "fine", width, height)
    canvas.paste(shape, textured(tint, grains + rows * (depth / 0.06), 0.06), number=thing.number, plant=plant)


def _rows(shape: Shape, turn: float, spacing: float) -> np.ndarray:
    """Furrows `spacing` pixels apart: float32, the size of the shape's box, -1 to 1."""
    width, height = shape.coverage.size
    across = (np.arange(width) + shape.left) * -np.sin(turn)
    down = (np.arange(height) + shape.top) * np.cos(turn)
    return np.sin((across[None, :] + down[:, None]).astype(np.float32) * np.float32(2 * np.pi / spacing))


def _paint_pond(canvas: Canvas, thing: GroundThing, state: State, random: np.random.Generator) -> None:
    bank = mixed((178, 164, 126), (128, 132, 88), float(random.uniform(0, 1)))
    canvas.paint(canvas.polygon(thing.outline), bank, number=thing.number, random=random, strength=0.08)
    bed = canvas.polygon(_shrunk(thing, 0.9))
    canvas.paint(bed, _BED, number=thing.number, random=random, grain="patchy", strength=0.10)
    tint = mixed(_WATER, (74, 98, 72), float(random.uniform(0, 1)))
    if state.condition == "dry":
        canvas.paint(
            canvas.polygon(_shrunk(thing, 0.55)), scaled(_BED, 0.86), random=random, grain="fine", strength=0.12
        )
        return
    level = 0.9 if state.condition == "full" else 0.52
    canvas.paint(canvas.polygon(_shrunk(thing, level)), tint, random=random, grain="patchy", strength=0.06)
    canvas.paint(
        canvas.polygon(_shrunk(thing, level * 0.7)),
        scaled(tint, 0.8),
        random=random,
        grain="patchy",
        strength=0.05,
        opacity=0.5,
    )


def _shrunk(thing: GroundThing, share: float) -> list[Point]:
    x0, y0 = thing.center
    return [(x0 + (x - x0) * share, y0 + (y - y0) * share) for x, y in thing.outline]


def _paint_road(canvas: Canvas, thing: GroundThing, state: State, random: np.random.Generator) -> None:
    color = scaled(_ROADS[state.condition], float(random.uniform(0.88, 1.2)))
    verge = canvas.line(thing.outline, thing.width * 1.28)
    canvas.paint(verge, mixed(color, (178, 166, 138), 0.7), number=0, random=random, strength=0.08)
    lane = canvas.line(thing.outline, thing.width)
    canvas.paint(lane, color, number=thing.number, random=random, grain="patchy", strength=0.05)
    if state.condition == "dirt":
        for side in (-0.22, 0.22):
            track = canvas.line(beside(thing.outline, side * thing.width), thing.width * 0.2)
            canvas.paint(track, scaled(color, 1.1), random=random, strength=0.08, opacity=0.7)
        return
    if random.random() < 0.6:
        line = thing.outline
        dashes = [strip(line[start : start + 2], max(0.6, thing.width * 0.03)) for start in range(0, len(line) - 1, 2)]
        canvas.paint(canvas.polygons(dashes), (226, 222, 206), opacity=0.85)


def _paint_shadows(canvas: Canvas, scene: GroundScene, things: list[GroundThing], light: Light) -> None:
    """Paints all shadows at once. They fall on the ground and belong to no thing."""
    mask = Image.new("L", (scene.size, scene.size))
    draw = ImageDraw.Draw(mask)
    for thing in things:
        if thing.height == 0:
            continue
        offset = light.shadow(thing.height)
        outline = thing.outline or rectangle(thing.center, thing.length, thing.width, thing.degrees)
        if thing.kind == "tree":
            radius = thing.width * 0.43  # The leaves do not fill the whole circle of the crown.
            outline = [(thing.center[0] + radius * x, thing.center[1] + radius * y) for x, y in _CIRCLE]
        # A forest is not convex, but its shifted outline is a good approximation of its shadow.
        moved = [(x + offset[0], y + offset[1]) for x, y in outline]
        for polygon in [moved] if thing.kind == "forest" else extruded(outline, offset):
            draw.polygon(polygon, fill=255)
    if scene.woods is not None:
        x, y = light.shadow(4.5 * scene.metre)
        mask.paste(255, (round(x), round(y)), Image.fromarray(scene.woods))
    soft = mask.filter(ImageFilter.BoxBlur(0.8 * max(1.0, scene.size / 512)))
    canvas.paste(Shape(0, 0, soft), _SHADOW, opacity=light.strength)


_CIRCLE = [(float(np.cos(turn)), float(np.sin(turn))) for turn in np.linspace(0, 2 * np.pi, 12, endpoint=False)]


def _lit(color: Color, normal_degrees: float, light: Light, slope: float = 0.22) -> Color:
    """Colour of a slope that faces `normal_degrees`; slopes that face the sun are brighter."""
    towards = -float(np.cos(np.deg2rad(normal_degrees - light.degrees)))
    return scaled(color, 1 + slope * towards * (0.5 + light.strength))


def _paint_house(canvas: Canvas, thing: GroundThing, state: State, light: Light, random: np.random.Generator) -> None:
    # Roofs are less saturated than cars.
    color = mixed(shade_of(state.color or "grey", random), (128, 124, 120), 0.2)
    wings = [(thing.center, thing.length, thing.width, thing.degrees)]
    if random.random() < 0.45:
        angle = np.deg2rad(thing.degrees)
        along = float(random.uniform(-0.3, 0.3)) * thing.length
        out = thing.width * 0.42 * (1 if random.random() < 0.5 else -1)
        x = thing.center[0] + float(np.cos(angle)) * along - float(np.sin(angle)) * out
        y = thing.center[1] + float(np.sin(angle)) * along + float(np.cos(angle)) * out
        wings.append(((x, y), thing.width * float(random.uniform(0.8, 1.1)), thing.length * 0.42, thing.degrees + 90))
    hip = float(random.uniform(0.0, 0.9)) if random.random() < 0.7 else 0.0
    parts: list[tuple[list[Point], Color]] = []
    for wing in wings:
        parts += _roof(*wing, hip, color, light)
    if random.random() < 0.7:
        chimney = (thing.center[0] + float(random.uniform(-0.2, 0.2)) * thing.length, thing.center[1])
        parts.append((rectangle(chimney, thing.width * 0.11, thing.width * 0.11, thing.degrees), (112, 98, 92)))
    outlines = [rectangle(*wing) for wing in wings]
    _paint_sprite(canvas, thing.number, outlines, parts, color, random, strength=0.05)


def _roof(
    center: Point, length: float, width: float, degrees: float, hip: float, color: Color, light: Light
) -> list[tuple[list[Point], Color]]:
    """Sides of a ridge roof with their colours, and the ridge. `hip` ranges from 0 (gables) to 1 (pyramid)."""
    a, b, c, d = rectangle(center, length, width, degrees)
    angle = np.deg2rad(degrees)
    reach = max(0.0, length / 2 - hip * width / 2)
    first = (center[0] + float(np.cos(angle)) * reach, center[1] + float(np.sin(angle)) * reach)
    last = (center[0] - float(np.cos(angle)) * reach, center[1] - float(np.sin(angle)) * reach)
    line = rectangle(center, 2 * reach, max(0.35, width * 0.035), degrees)
    return [
        ([a, first, b], _lit(color, degrees, light)),
        ([c, last, d], _lit(color, degrees + 180, light)),
        ([a, first, last, d], _lit(color, degrees + 90, light)),
        ([b, first, last, c], _lit(color, degrees - 90, light)),
        (line, scaled(color, 1.16)),
    ]


def _paint_sprite(
    canvas: Canvas,
    number: int,
    outlines: list[list[Point]],
    parts: list[tuple[list[Point], Color]],
    base: Color,
    random: np.random.Generator,
    strength: float = 0.0,
) -> None:
    """Paints a thing of several plain parts. Drawing and texturing them together is much faster."""
    sprite = canvas.sprite(outlines, parts, base)
    if sprite is None:
        return
    shape, pixels = sprite
    if strength:
        width, height = shape.coverage.size
        pixels = textured(pixels.astype(np.float32), noise(random, "fine", width, height), strength)
    canvas.paste(shape, pixels, number=number)


def _paint_hall(canvas: Canvas, thing: GroundThing, state: State, light: Light, random: np.random.Generator) -> None:
    color = shade_of(state.color or "grey", random)
    outline = rectangle(thing.center, thing.length, thing.width, thing.degrees)
    inner = rectangle(thing.center, thing.length - 1.6, thing.width - 1.6, thing.degrees)
    parts = [(outline, _lit(color, light.degrees + 180, light, 0.1)), (inner, color)]
    angle = np.deg2rad(thing.degrees)
    along, across = (float(np.cos(angle)), float(np.sin(angle))), (-float(np.sin(angle)), float(np.cos(angle)))
    count = int(random.integers(3, 9))
    bright = scaled(color, float(random.choice((0.86, 1.12))))
    for index in range(count):
        step = ((index + 0.5) / count - 0.5) * thing.length * 0.92
        middle = (thing.center[0] + along[0] * step, thing.center[1] + along[1] * step)
        parts.append((rectangle(middle, thing.length * 0.012 + 0.5, thing.width * 0.92, thing.degrees), bright))
    for _ in range(int(random.integers(1, 6))):
        step, side = random.uniform(-0.42, 0.42, 2)
        x = thing.center[0] + along[0] * step * thing.length + across[0] * side * thing.width
        y = thing.center[1] + along[1] * step * thing.length + across[1] * side * thing.width
        box = rectangle((float(x), float(y)), thing.width * 0.1, thing.width * 0.08, thing.degrees)
        parts.append((box, (168, 170, 172)))
    _paint_sprite(canvas, thing.number, [outline], parts, color, random, strength=0.035)


def _paint_greenhouse(
    canvas: Canvas, thing: GroundThing, state: State, light: Light, random: np.random.Generator
) -> None:
    color = mixed((222, 230, 232), (186, 210, 200), float(random.uniform(0, 1)))
    outline = rectangle(thing.center, thing.length, thing.width, thing.degrees)
    parts = [(outline, scaled(color, 0.9))]
    angle = np.deg2rad(thing.degrees)
    for band, bright in ((0.75, 0.97), (0.45, 1.04), (0.18, 1.12)):
        parts.append((rectangle(thing.center, thing.length, thing.width * band, thing.degrees), scaled(color, bright)))
    for step in np.arange(-0.48, 0.49, 0.08):
        middle = (
            thing.center[0] + float(np.cos(angle)) * step * thing.length,
            thing.center[1] + float(np.sin(angle)) * step * thing.length,
        )
        parts.append((rectangle(middle, 0.5, thing.width, thing.degrees), scaled(color, 0.82)))
    _paint_sprite(canvas, thing.number, [outline], parts, color, random, strength=0.02)


def _paint_car(canvas: Canvas, thing: GroundThing, state: State, light: Light, random: np.random.Generator) -> None:
    color = shade_of(state.color or "grey", random)
    glass = (34, 40, 50)
    angle = np.deg2rad(thing.degrees)

    def bar(place: float, length: float, width: float) -> list[Point]:
        x = thing.center[0] + float(np.cos(angle)) * place * thing.length
        y = thing.center[1] + float(np.sin(angle)) * place * thing.length
        return rectangle((x, y), length * thing.length, width * thing.width, thing.degrees)

    hull = [bar(0.0, 0.92, 1.0), bar(0.0, 1.0, 0.78)]
    parts = [(part, scaled(color, 0.94)) for part in hull]
    if thing.kind == "truck":
        parts += [
            (bar(0.38, 0.2, 0.95), scaled(color, 0.8)),
            (bar(0.46, 0.06, 0.8), glass),
            (bar(-0.1, 0.72, 0.86), scaled(color, 1.08)),
        ]
    else:
        parts += [
            (bar(0.17, 0.15, 0.8), glass),
            (bar(-0.3, 0.12, 0.76), glass),
            (bar(-0.06, 0.28, 0.74), scaled(color, 1.08)),
        ]
    _paint_sprite(canvas, thing.number, hull, parts, color, random)


def _paint_pool(canvas: Canvas, thing: GroundThing, state: State, light: Light, random: np.random.Generator) -> None:
    outline = rectangle(thing.center, thing.length * 1.25, thing.width * 1.4, thing.degrees)
    basin = rectangle(thing.center, thing.length, thing.width, thing.degrees)
    full = state.condition == "full"
    water = mixed((72, 178, 208), (96, 196, 200), float(random.uniform(0, 1)))
    color = water if full else (206, 208, 204)
    floor = rectangle(thing.center, thing.length * 0.86, thing.width * 0.76, thing.degrees)
    parts = [(outline, (214, 206, 192)), (basin, scaled(color, 0.9)), (floor, scaled(color, 1.05 if full else 0.86))]
    _paint_sprite(canvas, thing.number, [outline], parts, (214, 206, 192), random, strength=0.03)


@cache
def _crowns() -> list[tuple[np.ndarray, Image.Image]]:
    """Tree crowns from above: brightness, float32 (64, 64), and coverage."""
    crowns = []
    for seed in range(10):
        random = np.random.default_rng([77, seed])
        y, x = (np.mgrid[0:64, 0:64].astype(np.float32) - 31.5) / 31.5
        angle, radius = np.arctan2(y, x), np.hypot(x, y)
        rim = 0.86 + sum(
            random.uniform(0.02, 0.07) * np.sin(waves * angle + random.uniform(0, 6.3)) for waves in (3, 5, 7, 11)
        )
        inside = np.clip((rim - radius) * 12, 0, 1)
        dome = np.sqrt(np.clip(1 - (radius / rim) ** 2, 0, 1))
        tufts = noise(random, "patchy", 64, 64) * 0.14 + noise(random, "grainy", 64, 64) * 0.14
        bright = (0.55 + 0.5 * dome * (0.7 - 0.35 * x - 0.35 * y) + tufts).clip(0.2, 1.5).astype(np.float32)
        crowns.append((bright, Image.fromarray((inside * 255).astype(np.uint8))))
    return crowns


def _paint_tree(canvas: Canvas, thing: GroundThing, state: State, light: Light, random: np.random.Generator) -> None:
    bright, coverage = _crowns()[int(random.integers(10))]
    side = max(3, round(thing.width))
    left, top = round(thing.center[0] - side / 2), round(thing.center[1] - side / 2)
    shape = canvas.clipped(left, top, coverage.resize((side, side), Image.Resampling.BOX))
    if shape is None:
        return
    small = np.asarray(Image.fromarray(bright).resize((side, side), Image.Resampling.BOX))
    rows, columns = shape.box
    small = small[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    color = mixed(_LEAVES, (104, 110, 52), float(random.uniform(0, 1)))
    pixels = np.clip(small[..., None] * np.array(color, dtype=np.float32) * 1.1, 0, 255).astype(np.uint8)
    canvas.paste(shape, pixels, number=thing.number, plant=True)


def _paint_forest(canvas: Canvas, thing: GroundThing, state: State, light: Light, random: np.random.Generator) -> None:
    shape = canvas.polygon(thing.outline)
    if shape is None:
        return
    # The undergrowth between the crowns belongs to the forest.
    canvas.paint(shape, (52, 66, 38), number=thing.number, random=random, strength=0.15, plant=True)
    _paint_leaves(canvas, shape, thing.number, thing.metre, random)


def _paint_leaves(canvas: Canvas, shape: Shape, number: int, metre: float, random: np.random.Generator) -> None:
    """Paints every crown whose middle is inside the shape, as a whole. `metre`: pixels per metre."""
    # The cached crowns have the right size at 2.2 pixels per metre. Closer views enlarge them.
    zoom = max(1.0, metre / 2.2)
    width, height = (max(1, round(side / zoom)) for side in shape.coverage.size)
    grown = np.asarray(shape.coverage.resize((width, height), Image.Resampling.BILINEAR)) >= 128
    trees = canopy(random, width, height)
    rows = (np.arange(height)[:, None] + trees.rows).clip(0, height - 1)
    columns = (np.arange(width)[None, :] + trees.columns).clip(0, width - 1)
    coverage = Image.fromarray((trees.coverage * grown[rows, columns] * 255).astype(np.uint8))
    color = np.array(mixed(_LEAVES, (96, 102, 52), float(random.uniform(0, 1))), dtype=np.float32)
    pixels = Image.fromarray(np.clip((1.22 * trees.brightness)[..., None] * color, 0, 255).astype(np.uint8))
    if zoom > 1:
        coverage, pixels = (part.resize(shape.coverage.size, Image.Resampling.BICUBIC) for part in (coverage, pixels))
    canvas.paste(Shape(shape.left, shape.top, coverage), np.asarray(pixels), number=number, plant=True)


# Both are in the order of painting, from the ground up.
_FLAT_PAINTERS: dict[str, Callable[[Canvas, GroundThing, State, np.random.Generator], None]] = {
    "field": _paint_field,
    "pond": _paint_pond,
    "road": _paint_road,
}
_RAISED_PAINTERS: dict[str, Callable[[Canvas, GroundThing, State, Light, np.random.Generator], None]] = {
    "pool": _paint_pool,
    "car": _paint_car,
    "truck": _paint_car,
    "greenhouse": _paint_greenhouse,
    "house": _paint_house,
    "warehouse": _paint_hall,
    "tree": _paint_tree,
    "forest": _paint_forest,
}
