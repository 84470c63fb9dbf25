# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Data structures of places from above, and a planner that places things one by one where there is room."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from dataset_scripts.synthesis.render.painting import blob, curve, rectangle
from dataset_scripts.synthesis.scene import Point, Rendering, Scene, State, Thing


ROOF_COLORS = (*("grey",) * 5, *("brown",) * 4, *("red",) * 3, "white", "white", "black", "blue", "green", "orange")
CAR_COLORS = ("white", "white", "grey", "black", "red", "blue", "yellow")
TRUCK_COLORS = ("white", "white", "red", "blue", "orange", "green")
HALL_COLORS = ("white", "white", "grey", "blue", "red", "green")
FIELD_CONDITIONS = ("green", "green", "ripe", "ploughed", "bare")

# Ranges in metres: (shortest, longest), (narrowest, widest).
_EXTENT: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "house": ((11, 18), (8, 11)),
    "warehouse": ((26, 46), (15, 24)),
    "greenhouse": ((22, 40), (7, 9)),
    "car": ((4.9, 5.7), (2.2, 2.5)),
    "truck": ((9, 13), (2.9, 3.2)),
    "pool": ((7, 11), (4, 5.5)),
}
_HEIGHT = {"house": 5.5, "warehouse": 7.5, "greenhouse": 3.0, "car": 1.5, "truck": 3.2, "tree": 6.0, "forest": 8.0}
_GRID = 128  # Cells per side of the occupancy map


@dataclass(kw_only=True)
class GroundThing(Thing):
    """
    A thing seen from above. All lengths are in pixels.

    Args:
        center (`Point`): Its middle (x, y).
        length, width (`float`): Extent along and across `degrees`; for a road, `width` is the width of the roadway.
        degrees (`float`): Direction of the long side, clockwise from the x axis.
        height (`float`): Height above the ground, 0 for flat things.
        metre (`float`): Pixels per metre.
        outline (`Sequence[Point]`): Outline of ponds, fields and forests; centre line of roads; else empty.
        drive (`Sequence[Point]`): Polygon of the drive from a house to the road; may be empty.
    """

    center: Point
    length: float
    width: float
    degrees: float = 0.0
    height: float = 0.0
    metre: float = 2.0
    outline: Sequence[Point] = ()
    drive: Sequence[Point] = ()


@dataclass
class GroundScene(Scene):
    """
    A place seen from above.

    Args:
        metre (`float`): Pixels per metre.
        ground (`str`): Key of the ground materials.
        seed (`int`): Seed of the appearance of the background.
        lots (`Sequence[Sequence[Point]]`): Paved areas of the background, as polygons.
        tracks (`Sequence[Sequence[Point]]`): Footpaths and tracks of the background, as lines.
        woods (`np.ndarray`, *optional*): uint8 (size, size), 255 where background trees stand.
        soil, grounds: Caches of the painter, shared by both images.
    """

    metre: float = 2.0
    ground: str = "lawn"
    seed: int = 0
    lots: Sequence[Sequence[Point]] = ()
    tracks: Sequence[Sequence[Point]] = ()
    woods: np.ndarray | None = None
    soil: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)
    grounds: dict[tuple[State | None, ...], Rendering] = field(default_factory=dict, repr=False)


class Planner:
    """
    Places things one after another where there is room.

    Args:
        random (`np.random.Generator`): Random generator.
        size (`int`): Side of the image in pixels.
        metre (`float`): Pixels per metre.
    """

    def __init__(self, random: np.random.Generator, size: int, metre: float):
        self.random, self.size, self.metre = random, size, metre
        self.things: list[GroundThing] = []
        self.lots: list[list[Point]] = []
        self.tracks: list[list[Point]] = []
        self.taken = Image.new("L", (_GRID, _GRID))
        self._draw = ImageDraw.Draw(self.taken)

    def pick(self, low: float, high: float) -> float:
        """Samples a number between `low` and `high`."""
        return float(self.random.uniform(low, high))

    def point(self, margin: float = 0.03) -> Point:
        """Samples a point of the image, at least `margin` (share of the side) from its edges."""
        x, y = self.random.uniform(margin * self.size, (1 - margin) * self.size, 2)
        return float(x), float(y)

    def free(self, outline: Sequence[Point]) -> bool:
        """Whether the inside of a polygon is unoccupied."""
        cells = self._cells(outline)
        x, y = (round(sum(values) / len(cells)) for values in zip(*cells, strict=True))
        if 0 <= x < _GRID and 0 <= y < _GRID and self.taken.getpixel((x, y)):
            return False
        low, high = np.floor(np.min(cells, axis=0)).astype(int), np.ceil(np.max(cells, axis=0)).astype(int) + 1
        left, top = (int(value) for value in np.clip(low, 0, _GRID - 1))
        right, bottom = (int(value) for value in np.clip(high, 1, _GRID))
        if right <= left or bottom <= top:
            return False
        mask = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in cells], fill=255)
        return not np.any(np.asarray(mask) & np.asarray(self.taken.crop((left, top, right, bottom))))

    def reserve(self, outline: Sequence[Point], width: float | None = None) -> None:
        """Marks a polygon as occupied or, with a `width` in pixels, a strip along a line."""
        if width is None:
            self._draw.polygon(self._cells(outline), fill=255)
        else:
            self._draw.line(
                self._cells(outline), fill=255, width=max(1, round(width * _GRID / self.size)), joint="curve"
            )

    def _cells(self, points: Sequence[Point]) -> list[Point]:
        return [(x * _GRID / self.size, y * _GRID / self.size) for x, y in points]

    def add(self, kind: str, state: State, center: Point, length: float, width: float, **shape: object) -> GroundThing:
        """Adds a thing under the next number. Does not check for room."""
        thing = GroundThing(
            number=len(self.things) + 1,
            kind=kind,
            state_t1=state,
            state_t2=state,
            seed=int(self.random.integers(1 << 31)),
            center=center,
            length=length,
            width=width,
            metre=self.metre,
            height=_HEIGHT.get(kind, 0.0) * self.metre * self.pick(0.8, 1.2),
            **shape,  # type: ignore[arg-type]
        )
        self.things.append(thing)
        return thing

    def add_box(
        self, kind: str, colors: Sequence[str], center: Point, degrees: float, room: float = 1.15, **shape: object
    ) -> bool:
        """Adds a rectangular thing if there is room for `room` times its size. Returns whether it was added."""
        (shortest, longest), (narrowest, widest) = _EXTENT[kind]
        length, width = self.pick(shortest, longest) * self.metre, self.pick(narrowest, widest) * self.metre
        if not self.free(rectangle(center, length * room, width * room, degrees)):
            return False
        self.reserve(rectangle(center, length * 1.04, width * 1.04, degrees))
        condition = "full" if kind == "pool" else None
        color = str(self.random.choice(colors)) if colors else None
        self.add(kind, State(color, condition), center, length, width, degrees=degrees, **shape)
        return True

    def add_road(self, points: Sequence[Point], metres: float, condition: str, numbered: bool) -> list[Point]:
        """Adds a road along a Bézier curve from the first to the last point. Returns its centre line."""
        line = curve(points)
        width = metres * self.metre
        self.reserve(line, width * 1.25)
        if numbered:
            middle = line[len(line) // 2]
            self.add("road", State(None, condition), middle, width, width, outline=line)
        else:
            self.tracks.append(line)
        return line

    def along(self, line: Sequence[Point], spacing: float, offset: float) -> list[tuple[Point, float]]:
        """
        Returns places on both sides of a line.

        Args:
            line (`Sequence[Point]`): The line.
            spacing (`float`): Distance between places, in pixels.
            offset (`float`): Distance from the line, in pixels.

        Returns:
            `list[tuple[Point, float]]`: Centre and direction in degrees, in random order. The direction is parallel to
            the line, and the line lies on the left, at `degrees` - 90.
        """
        corners = np.array(line)
        steps = np.diff(corners, axis=0)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        way = np.concatenate([[0.0], np.cumsum(lengths)])
        places: list[tuple[Point, float]] = []
        for side in (-1, 1):
            for distance in np.arange(self.pick(0, spacing), way[-1], spacing):
                index = min(int(np.searchsorted(way, distance, side="right")) - 1, len(steps) - 1)
                direction = steps[index] / max(lengths[index], 1e-6)
                at = corners[index] + direction * (distance - way[index])
                x, y = at + side * offset * np.array((-direction[1], direction[0]))
                degrees = float(np.rad2deg(np.arctan2(direction[1], direction[0]))) + (180 if side < 0 else 0)
                if 0 < x < self.size and 0 < y < self.size:
                    places.append(((float(x), float(y)), degrees))
        order = self.random.permutation(len(places))
        return [places[index] for index in order]

    def scatter(self, count: int, tries: int, place: Callable[[Point], bool]) -> None:
        """Calls `place` with random points until it returned true `count` times, at most `tries` times."""
        done = 0
        for _ in range(tries):
            if done == count:
                return
            done += place(self.point())

    def add_tree(self, center: Point) -> bool:
        """Adds a single tree if there is room."""
        radius = self.pick(2.2, 4.6) * self.metre
        if not self.free(rectangle(center, radius * 1.7, radius * 1.7, 0)):
            return False
        self.reserve(rectangle(center, radius * 1.5, radius * 1.5, 0))
        self.add("tree", State(), center, 2 * radius, 2 * radius)
        return True

    def add_blob(self, kind: str, state: State, metres: tuple[float, float]) -> Callable[[Point], bool]:
        """Returns a function that adds a pond or forest with an extent between `metres` if there is room."""

        def place(center: Point) -> bool:
            radius_x, radius_y = (self.pick(*metres) * self.metre for _ in range(2))
            outline = blob(self.random, center, radius_x, radius_y)
            if not self.free(outline):
                return False
            self.reserve(outline)
            self.add(kind, state, center, 2 * radius_x, 2 * radius_y, outline=outline)
            return True

        return place
