# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Layouts of places from above: suburb, farmland, clearing, works (industry) and building land."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from dataset_scripts.synthesis.render.painting import rectangle
from dataset_scripts.synthesis.render.textures import noise
from dataset_scripts.synthesis.scene import Point, State

from .planner import (
    CAR_COLORS,
    FIELD_CONDITIONS,
    HALL_COLORS,
    ROOF_COLORS,
    TRUCK_COLORS,
    Planner,
)


_WOODS_GRID = 96  # Cells per side of the coarse map of trees


def _across(planner: Planner, degrees: float, shift: float, bend: float = 0.12) -> list[Point]:
    """Control points of a road across the whole image, offset from its middle by `shift` (share of the side)."""
    size = planner.size
    angle = np.deg2rad(degrees)
    along, across = np.array((np.cos(angle), np.sin(angle))), np.array((-np.sin(angle), np.cos(angle)))
    middle = np.array((size / 2, size / 2)) + across * shift * size
    places = (-0.95, -0.3, 0.3, 0.95)
    bends = (planner.pick(-bend, bend) for _ in places)
    points = [middle + along * size * place + across * size * amount for place, amount in zip(places, bends)]
    return [(float(x), float(y)) for x, y in points]


def _lines_of_houses(planner: Planner, line: list[Point], road: float, share: float, rows: int = 1) -> None:
    """Adds houses along a road, some with a drive, a car and a pool."""
    metre = planner.metre
    spacing = planner.pick(15, 23) * metre
    jitter = planner.pick(0, 7)
    hue = [str(color) for color in planner.random.choice(ROOF_COLORS, 3)]
    for row in range(rows):
        offset = (road / 2 + planner.pick(9, 13) + row * planner.pick(24, 30)) * metre
        for center, degrees in planner.along(line, spacing, offset):
            if planner.random.random() > share:
                continue
            turn = degrees + planner.pick(-jitter, jitter) + (90 if planner.random.random() < 0.2 else 0)
            drive = _drive(planner, center, degrees, offset - road * metre / 2) if row == 0 else ()
            if not planner.add_box("house", hue, center, turn, drive=drive):
                continue
            if metre * 256 / planner.size > 1.7 and planner.random.random() < 0.35:
                _beside(planner, "pool", (), center, degrees, 13)
            if metre * 256 / planner.size > 1.9 and planner.random.random() < 0.4:
                _beside(planner, "car", CAR_COLORS, center, degrees, 9.5)


def _drive(planner: Planner, center: Point, degrees: float, reach: float) -> list[Point]:
    """Paved strip from a house to the road on its left, `reach` pixels away."""
    angle = np.deg2rad(degrees)
    along, left = np.array((np.cos(angle), np.sin(angle))), np.array((np.sin(angle), -np.cos(angle)))
    x, y = np.array(center) + along * planner.pick(-4, 4) * planner.metre + left * reach / 2
    return rectangle((float(x), float(y)), 1.1 * reach, 3.4 * planner.metre, degrees + 90)


def _beside(
    planner: Planner, kind: str, colors: tuple[str, ...], center: Point, degrees: float, metres: float
) -> None:
    """Tries to add a thing next to a house, on one of its four sides."""
    for turn in planner.random.permutation(4):
        angle = np.deg2rad(degrees + 90 * int(turn))
        reach = metres * planner.metre
        place = (center[0] + float(np.cos(angle)) * reach, center[1] + float(np.sin(angle)) * reach)
        if planner.add_box(kind, colors, place, degrees + planner.pick(-8, 8)):
            return


def _traffic(planner: Planner, line: list[Point], road: float, count: int) -> None:
    """Adds cars and trucks on both lanes of a road. Does not check for room, because the road has reserved it."""
    for center, degrees in planner.along(line, 13 * planner.metre, road * 0.22 * planner.metre)[:count]:
        kind, colors = ("truck", TRUCK_COLORS) if planner.random.random() < 0.2 else ("car", CAR_COLORS)
        length, width = (11, 2.9) if kind == "truck" else (5.3, 2.3)
        state = State(str(planner.random.choice(colors)))
        planner.add(kind, state, center, length * planner.metre, width * planner.metre, degrees=degrees)


def _suburb(planner: Planner) -> str:
    degrees = planner.pick(0, 180)
    road = planner.pick(6.5, 9)
    main = planner.add_road(_across(planner, degrees, planner.pick(-0.25, 0.25)), road, "paved", numbered=True)
    lines = [main]
    if planner.random.random() < 0.7:
        crossing = _across(planner, degrees + 90 + planner.pick(-15, 15), planner.pick(-0.3, 0.3), 0.06)
        lines.append(planner.add_road(crossing, road * 0.85, "paved", numbered=True))
    share = planner.pick(0.35, 0.95)
    for line in lines:
        _lines_of_houses(planner, line, road, share, rows=2 if planner.random.random() < 0.5 else 1)
    if planner.metre * 256 / planner.size > 1.8:
        _traffic(planner, main, road, int(planner.random.integers(0, 6)))
    if planner.random.random() < 0.3:
        planner.scatter(1, 12, planner.add_blob("pond", State(None, "full"), (9, 18)))
    return str(planner.random.choice(("lawn", "dry", "mixed")))


def _split(
    planner: Planner, box: tuple[float, float, float, float], depth: int
) -> list[tuple[float, float, float, float]]:
    """Splits a box (left, top, right, bottom) recursively into smaller ones."""
    left, top, right, bottom = box
    if depth == 0 or (depth < 3 and planner.random.random() < 0.15):
        return [box]
    share = planner.pick(0.32, 0.68)
    if right - left > bottom - top:
        middle = left + (right - left) * share
        parts = ((left, top, middle, bottom), (middle, top, right, bottom))
    else:
        middle = top + (bottom - top) * share
        parts = ((left, top, right, middle), (left, middle, right, bottom))
    return [piece for part in parts for piece in _split(planner, part, depth - 1)]


def _farmland(planner: Planner) -> str:
    size, metre = planner.size, planner.metre
    turn = np.deg2rad(planner.pick(-40, 40))
    rotation = np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))))
    reach = 0.78 * size
    gap = planner.pick(0.6, 2.2) * metre
    condition = str(planner.random.choice(("paved", "dirt")))
    line = planner.add_road(
        _across(planner, float(np.rad2deg(turn)), planner.pick(-0.3, 0.3), 0.03), 6, condition, True
    )
    yard = planner.point(0.2)
    planner.scatter(1, 10, planner.add_blob("pond", State(None, str(planner.random.choice(("full", "low")))), (8, 20)))
    for _ in range(int(planner.random.integers(1, 4))):
        place = (yard[0] + planner.pick(-26, 26) * metre, yard[1] + planner.pick(-26, 26) * metre)
        planner.add_box("house", ROOF_COLORS, place, float(np.rad2deg(turn)) + planner.pick(-10, 10))
    if planner.random.random() < 0.6:
        _greenhouses(planner, planner.point(0.15), float(np.rad2deg(turn)))
    planner.scatter(1, 6, planner.add_blob("forest", State(), (14, 30)))
    for left, top, right, bottom in _split(planner, (-reach, -reach, reach, reach), 4):
        corners = np.array(((left, top), (right, top), (right, bottom), (left, bottom)))
        middle = corners.mean(axis=0)
        shrunk = middle + (corners - middle) * (1 - gap / np.maximum(np.abs(corners - middle).max(axis=0), 1))
        places = shrunk @ rotation.T + size / 2
        center = (float(places[:, 0].mean()), float(places[:, 1].mean()))
        outline = [(float(x), float(y)) for x, y in places]
        if -0.1 * size < min(center) and max(center) < 1.1 * size:
            state = State(None, str(planner.random.choice(FIELD_CONDITIONS)))
            planner.add(
                "field", state, center, right - left, bottom - top, outline=outline, degrees=float(np.rad2deg(turn))
            )
    if metre * 256 / size > 2:
        _traffic(planner, line, 6, int(planner.random.integers(0, 3)))
    return str(planner.random.choice(("lawn", "dry")))


def _greenhouses(planner: Planner, place: Point, degrees: float) -> None:
    """Adds a row of two to five greenhouses."""
    angle = np.deg2rad(degrees + 90)
    for index in range(int(planner.random.integers(2, 6))):
        reach = index * 11 * planner.metre
        center = (place[0] + float(np.cos(angle)) * reach, place[1] + float(np.sin(angle)) * reach)
        planner.add_box("greenhouse", ("white",), center, degrees, room=1.02)


def _clearing(planner: Planner) -> str:
    road = planner.pick(5, 7)
    condition = str(planner.random.choice(("paved", "dirt")))
    line = planner.add_road(
        _across(planner, planner.pick(0, 180), planner.pick(-0.2, 0.2), 0.2), road, condition, numbered=True
    )
    _lines_of_houses(planner, line, road, planner.pick(0.2, 0.6))
    planner.scatter(int(planner.random.integers(1, 5)), 16, planner.add_blob("forest", State(), (12, 28)))
    planner.scatter(int(planner.random.integers(0, 3)), 12, planner.add_blob("pond", State(None, "full"), (9, 20)))
    return str(planner.random.choice(("lawn", "mixed", "dry")))


def _works(planner: Planner) -> str:
    metre = planner.metre
    degrees = planner.pick(-30, 30)
    road = planner.pick(8, 11)
    line = planner.add_road(_across(planner, degrees, planner.pick(-0.3, 0.3), 0.03), road, "paved", numbered=True)
    for center, turn in planner.along(line, planner.pick(44, 60) * metre, (road / 2 + planner.pick(18, 26)) * metre)[
        :7
    ]:
        if planner.random.random() > 0.8:
            continue
        lot = rectangle(center, planner.pick(40, 52) * metre, planner.pick(30, 38) * metre, turn)
        if planner.free(lot):
            planner.lots.append(lot)
            shift = planner.pick(-6, 6) * metre
            _parking(planner, center, turn, planner.pick(12, 15))
            planner.add_box("warehouse", HALL_COLORS, (center[0] + shift * 0.3, center[1]), turn, room=1.0)
    _traffic(planner, line, road, int(planner.random.integers(1, 6)))
    if planner.random.random() < 0.4:
        planner.scatter(2, 12, planner.add_blob("forest", State(), (10, 22)))
    return str(planner.random.choice(("mixed", "dry", "bare")))


def _parking(planner: Planner, center: Point, degrees: float, metres: float) -> None:
    """Adds a row of parked cars and trucks beside a warehouse."""
    angle = np.deg2rad(degrees)
    along, across = (float(np.cos(angle)), float(np.sin(angle))), (-float(np.sin(angle)), float(np.cos(angle)))
    side = 1 if planner.random.random() < 0.5 else -1
    for index in range(-5, 6):
        if planner.random.random() < 0.55:
            continue
        step, reach = index * 3.6 * planner.metre, side * metres * planner.metre
        place = (center[0] + along[0] * step + across[0] * reach, center[1] + along[1] * step + across[1] * reach)
        kind, colors = ("truck", TRUCK_COLORS) if planner.random.random() < 0.15 else ("car", CAR_COLORS)
        planner.add_box(kind, colors, place, degrees + 90, room=1.0)


def _building_land(planner: Planner) -> str:
    degrees = planner.pick(-45, 45)
    road = planner.pick(6, 8)
    state = str(planner.random.choice(("dirt", "paved")))
    shifts = (planner.pick(-0.3, -0.1), planner.pick(0.1, 0.3))
    for shift in shifts[: int(planner.random.integers(1, 3))]:
        line = planner.add_road(_across(planner, degrees, shift, 0.05), road, state, numbered=True)
        _lines_of_houses(planner, line, road, planner.pick(0.25, 0.8))
    if planner.random.random() < 0.5:
        planner.scatter(1, 8, planner.add_blob("pond", State(None, "dry"), (8, 16)))
    return str(planner.random.choice(("bare", "dry")))


LAYOUTS: dict[str, Callable[[Planner], str]] = {
    "suburb": _suburb,
    "farmland": _farmland,
    "clearing": _clearing,
    "works": _works,
    "building_land": _building_land,
}


def grow_woods(planner: Planner, layout: str) -> np.ndarray:
    """
    Samples where background trees stand: in loose groups and away from all things.

    Args:
        planner (`Planner`): Planner with all things placed.
        layout (`str`): Key of `LAYOUTS`, which determines the density: high for a clearing, low for farmland.

    Returns:
        `np.ndarray`: uint8 (size, size), 255 where trees stand, else 0.
    """
    size = planner.size
    wanted = {"clearing": (0.45, 0.8), "farmland": (0.02, 0.1)}.get(layout, (0.1, 0.55))
    density = noise(planner.random, "cloudy", _WOODS_GRID, _WOODS_GRID) + 0.5 * noise(
        planner.random, "fine", _WOODS_GRID, _WOODS_GRID
    )
    grown = density > np.quantile(density, 1 - planner.pick(*wanted))
    taken = planner.taken.resize((_WOODS_GRID, _WOODS_GRID), Image.Resampling.BILINEAR)
    grown &= np.asarray(taken) < 64
    soft = Image.fromarray(grown.astype(np.uint8) * 255).resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(soft.filter(ImageFilter.GaussianBlur(size / 200)).point([0] * 128 + [255] * 128))
