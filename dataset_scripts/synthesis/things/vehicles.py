# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws cars, trucks and buses (as polyhedral bodies) and bicycles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from dataset_scripts.synthesis.render.palette import mixed, scaled, shade_of
from dataset_scripts.synthesis.render.perspective import Camera, NormalThing
from dataset_scripts.synthesis.render.sprites import Shadows, Sprite, Stamp, bounds, circle, hull
from dataset_scripts.synthesis.scene import Color, Point, State

from .solids import Face, Solid, box, loft, standing


_DETAILED = 20  # Width or height in pixels from which details are drawn
_WHEEL_SIDES = 12
_TYRE = 0.2  # Width in metres.
_DUST: Color = (124, 124, 122)
_BODY_LEVELS = 0.22, 0.52  # Metres above the ground: sill, widest line of the body


@dataclass(frozen=True)
class CarModel:
    """
    Args:
        length, width, height (`float`): Metres.
        nose, tail (`float`): Length in metres of the bonnet, and of the boot behind the cabin.
        screen, back (`float`): Horizontal length in metres of the sloped windscreen and rear window.
        belt, bonnet (`float`): Height in metres of the lower edge of the windows and the front edge of the bonnet.
        wheel (`float`): Radius of the wheels in metres.
        glazed (`bool`, *optional*, defaults to `True`): Whether the rear half has side windows.
    """

    length: float
    width: float
    height: float
    nose: float
    tail: float
    screen: float
    back: float
    belt: float
    bonnet: float
    wheel: float
    glazed: bool = True


_CARS = {
    "sedan": CarModel(4.6, 1.8, 1.45, 1.15, 0.75, 0.75, 0.65, 0.93, 0.72, 0.32),
    "hatchback": CarModel(3.9, 1.7, 1.48, 0.9, 0.1, 0.75, 0.4, 0.94, 0.74, 0.31),
    "estate": CarModel(4.7, 1.8, 1.5, 1.1, 0.1, 0.75, 0.35, 0.94, 0.74, 0.32),
    "suv": CarModel(4.6, 1.9, 1.75, 1.05, 0.1, 0.6, 0.3, 1.08, 0.92, 0.37),
    "minivan": CarModel(4.8, 1.9, 1.8, 0.7, 0.06, 0.9, 0.2, 1.05, 0.85, 0.34),
    "van": CarModel(5.3, 2.0, 2.2, 0.6, 0.04, 0.75, 0.06, 1.2, 0.98, 0.35, glazed=False),
    "pickup": CarModel(5.2, 1.9, 1.75, 1.2, 1.75, 0.6, 0.25, 1.08, 0.93, 0.38),
}
CAR_MODELS = tuple(_CARS)
# Colour -> relative frequency.
VEHICLE_COLORS = {
    "white": 0.22,
    "grey": 0.2,
    "black": 0.17,
    "red": 0.14,
    "blue": 0.13,
    "green": 0.05,
    "brown": 0.03,
    "yellow": 0.04,
    "orange": 0.02,
}
TRUCK_MODELS = ("lorry", "box truck", "tanker")
BUS_MODELS = ("city bus", "coach")
_TALLEST = {"lorry": (2.5, 3.5, 9.5), "box truck": (2.3, 2.9, 6.8), "tanker": (2.5, 3.1, 9.0)}
_BUSES = {"city bus": (2.5, 3.0, 11.0), "coach": (2.5, 3.5, 12.0)}


def vehicle_extent(kind: str, variant: str) -> tuple[float, float, float]:
    """Width, height and length in metres of a model. `kind` is "car", "truck", "bus" or "bicycle"."""
    if kind == "car":
        model = _CARS[variant]
        return model.width, model.height, model.length
    if kind == "bicycle":
        return 0.5, 1.05, 1.75
    return _TALLEST[variant] if kind == "truck" else _BUSES[variant]


def _plan(width: float, front: float, rear: float, corner: float, level: float) -> list[tuple[float, float, float]]:
    """A horizontal rounded rectangle at height `level`: 12 corners, clockwise from the rear left."""
    half, deep = width / 2, corner
    points = []
    for side_x, side_z in ((-1, -1), (-1, 1), (1, 1), (1, -1)):
        end = front if side_z > 0 else rear
        near_side = (side_x * half, end - side_z * deep * 1.3)
        middle = (side_x * (half - 0.3 * deep), end - side_z * 0.3 * deep)
        near_end = (side_x * (half - deep), end)
        corners = [near_side, middle, near_end]
        points += corners[::-1] if side_x == side_z else corners
    return [(x, level, z) for x, z in points]


def _wheels(radius: float, width: float, places: Sequence[float]) -> tuple[list[Face], list[Face]]:
    """Faces of the wheels: tyres under the body and discs on its sides."""
    below, discs = [], []
    turns = np.linspace(0, 2 * np.pi, _WHEEL_SIDES, endpoint=False)
    for z in places:
        for side in (-1, 1):
            x = side * (width / 2 - _TYRE / 2 - 0.03)
            below += box(_TYRE, 2 * radius, 2 * radius * 0.85, "tyre", center=(x, 0.0, z))
            for share, material, bulge in ((1.18, "arch", 0.0), (1.0, "tyre", 0.004), (0.62, "rim", 0.008)):
                ring = [
                    (
                        side * (width / 2 + 0.01 + bulge),
                        radius + share * radius * float(np.sin(turn)),
                        z + side * share * radius * float(np.cos(turn)),
                    )
                    for turn in turns
                ]
                if material == "arch":
                    ring = [(corner[0], max(corner[1], _BODY_LEVELS[0]), corner[2]) for corner in ring]
                discs.append(Face(tuple(ring[::-1]), material, material == "rim"))
    return below, discs


def _end_quad(
    x: float, y: float, width: float, height: float, z: float, outward: int, material: str, detail: bool = True
) -> Face:
    """A vertical rectangle centred at (x, y) that faces the front (`outward` 1) or the rear (-1)."""
    left, right = (x - width / 2, x + width / 2) if outward < 0 else (x + width / 2, x - width / 2)
    low, high = y - height / 2, y + height / 2
    return Face(((left, high, z), (right, high, z), (right, low, z), (left, low, z)), material, detail)


def _side_quad(side: int, x: float, corners: Sequence[Point], material: str, detail: bool = True) -> Face:
    """A face (z, y) on one side of a body; corners clockwise as seen from its right (z points right)."""
    ordered = corners if side > 0 else corners[::-1]
    return Face(tuple((side * x, y, z) for z, y in ordered), material, detail)


def sample_colors(random: np.random.Generator, most: int) -> list[str]:
    """Samples two to `most` different vehicle colours by their frequency."""
    names, shares = list(VEHICLE_COLORS), list(VEHICLE_COLORS.values())
    count = int(random.integers(2, most + 1))
    chosen: list[str] = random.choice(names, count, replace=False, p=shares).tolist()
    return chosen


@cache
def _car(variant: str) -> Solid:
    model = _CARS[variant]
    front, rear = model.length / 2, -model.length / 2
    sill, wide = _BODY_LEVELS
    width, belt = model.width, model.belt
    cowl = front - model.nose
    base_rear = rear + model.tail

    def level(z: float) -> float:
        """Height of the upper edge of the lower body, which falls towards both ends."""
        if z > cowl:
            return belt - (belt - model.bonnet) * (z - cowl) / model.nose
        return belt - 0.05 * max(0.0, (base_rear - z) / max(model.tail, 0.3))

    corner = 0.3
    lower = _plan(width - 0.1, front - 0.05, rear + 0.05, corner, sill)
    middle = _plan(width, front, rear, corner, wide)
    upper = [(x * 0.97, level(z), z * 0.985) for x, _, z in _plan(width, front, rear, corner, 0.0)]
    below, discs = _wheels(model.wheel, width, (front - 0.85, rear + 0.8))
    faces = [*below, *loft([lower, middle, upper], ["body low", "body"])]
    half = width / 2 * 0.95
    # The bonnet is lighter than the deck around it, which makes its edge visible.
    bonnet = [(-half * 0.86, cowl), (-half * 0.8, front - 0.2), (half * 0.8, front - 0.2), (half * 0.86, cowl)]
    faces.append(Face(tuple((x, level(z) + 0.01, z) for x, z in bonnet), "bonnet"))
    if variant == "pickup":
        bed = [
            (-half * 0.88, rear + 0.12),
            (-half * 0.88, base_rear),
            (half * 0.88, base_rear),
            (half * 0.88, rear + 0.12),
        ]
        faces.append(Face(tuple((x, level(z) + 0.01, z) for x, z in bed), "dark"))
    faces += discs + _car_ends(model, level) + _cabin(model, cowl, base_rear)
    return Solid(tuple(faces))


def _car_ends(model: CarModel, level: Callable[[float], float]) -> list[Face]:
    """Lights, plates, grille, bumpers and door lines."""
    front, rear, width = model.length / 2 + 0.01, -model.length / 2 - 0.01, model.width
    bonnet, deck = level(front), level(rear)
    faces = [
        _end_quad(0, 0.34, width * 0.66, 0.16, front, 1, "dark", False),
        _end_quad(0, bonnet - 0.16, width * 0.36, 0.13, front, 1, "grille", False),
        _end_quad(0, 0.5, 0.5, 0.11, front, 1, "plate"),
        _end_quad(0, 0.33, width * 0.7, 0.13, rear, -1, "dark", False),
        _end_quad(0, deck - 0.3, 0.5, 0.12, rear, -1, "plate", False),
    ]
    for side in (-1, 1):
        faces.append(_end_quad(side * width * 0.3, bonnet - 0.14, width * 0.19, 0.15, front, 1, "headlight", False))
        faces.append(_end_quad(side * width * 0.31, deck - 0.22, width * 0.16, 0.17, rear, -1, "taillight", False))
        x = width / 2 + 0.005
        for z in (front - model.nose - 0.15, -0.25, rear + model.tail + 0.7):
            line = [(z - 0.015, 0.3), (z - 0.015, level(z) - 0.02), (z + 0.015, level(z) - 0.02), (z + 0.015, 0.3)]
            faces.append(_side_quad(side, x, line, "seam"))
        mirror = front - model.nose - 0.3
        faces += box(0.16, 0.13, 0.1, "body low", center=(side * (width / 2 + 0.06), model.belt, mirror), detail=True)
    return faces


def _cabin(model: CarModel, cowl: float, base_rear: float) -> list[Face]:
    """Pillars, windows and roof."""
    half, roof_half = model.width / 2 * 0.94, model.width / 2 * (0.76 if model.height < 2 else 0.86)
    top, base = model.height, model.belt - 0.03
    roof_front, roof_rear = cowl - model.screen, base_rear + model.back
    lower = [(-half, base, base_rear), (-half, base, cowl), (half, base, cowl), (half, base, base_rear)]
    upper = [(x / half * roof_half, top - 0.03, roof_rear if z == base_rear else roof_front) for x, _, z in lower]
    faces = loft([lower, upper], ["pillar"])[:-1]

    def pane(side: int, corners: Sequence[Point]) -> Face:
        """A window in the sloped side: corners are (share along the lower edge, share of the height)."""
        points = []
        for along, up in corners:
            z = (1 - up) * (base_rear + along * (cowl - base_rear)) + up * (
                roof_rear + along * (roof_front - roof_rear)
            )
            points.append((side * (half + (roof_half - half) * up + 0.005), base + (top - base) * up, z))
        return Face(tuple(points if side > 0 else points[::-1]), "side glass")

    def screen(z_low: float, z_high: float, outward: int, material: str) -> Face:
        points = []
        for across, up in ((-0.9, 0.93), (0.9, 0.93), (0.93, 0.06), (-0.93, 0.06)):
            x = across * (half + (roof_half - half) * up)
            points.append((x, base + (top - base) * up, z_low + (z_high - z_low) * up + 0.01 * outward))
        return Face(tuple(points if outward < 0 else points[::-1]), material)

    faces += [screen(cowl, roof_front, 1, "windscreen"), screen(base_rear, roof_rear, -1, "rear glass")]
    low, high = 0.12, 0.86
    panes = [(0.52, 0.93)] + ([(0.07, 0.49)] if model.glazed else [])
    for side in (-1, 1):
        for start, stop in panes:
            faces.append(pane(side, [(start, low), (start + 0.01, high), (stop - 0.02, high), (stop, low)]))
    crown = [(x * 0.9, top, z + (0.12 if z == roof_rear else -0.12)) for x, _, z in upper]
    return faces + loft([upper, crown], ["roof"])


@cache
def _truck(variant: str) -> Solid:
    width, height, length = _TALLEST[variant]
    front, rear = length / 2, -length / 2
    cab = 1.9
    below, discs = _wheels(
        0.48, width, (front - 1.2, rear + 1.3, rear + 2.4) if length > 8 else (front - 1.2, rear + 1.4)
    )
    chassis = box(width * 0.8, 0.35, length - 0.4, "dark", center=(0, 0.5, 0))
    cab_height = min(height - 0.3, 2.75)
    cab_faces = box(width * 0.94, cab_height - 0.45, cab, "body", center=(0, 0.45, front - cab / 2), inset=0.1)
    cab_faces += _truck_cab(width, cab_height, front, cab)
    load = length - cab - 0.25
    middle = rear + load / 2
    if variant == "tanker":
        turns = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        ring = [(1.2 * float(np.cos(t)), 1.95 + 1.05 * float(np.sin(t))) for t in turns]
        cargo = [
            Face(tuple((x, y, z) for (x, y), z in zip((a, b, b, a), (rear, rear, rear + load, rear + load))), "body")
            for a, b in zip(ring, ring[1:] + ring[:1])
        ]
        cargo += [Face(tuple((x, y, rear) for x, y in ring[::-1]), "body low")]
    else:
        cargo = box(width, height - 0.85, load, "body", center=(0, 0.85, middle))
        seams = [(0, height - 0.15, width * 0.92, 0.03), (0, 1.0, width * 0.92, 0.05)]
        cargo += [_end_quad(x, y, w, h, rear - 0.01, -1, "seam") for x, y, w, h in seams]
        cargo += [_end_quad(0, height / 2 + 0.4, 0.05, height - 1.2, rear - 0.01, -1, "seam")]
        for side in (-1, 1):
            stripe = [(rear + 0.3, 1.5), (rear + 0.3, 1.75), (rear + load - 0.3, 1.75), (rear + load - 0.3, 1.5)]
            cargo.append(_side_quad(side, width / 2 + 0.01, stripe, "stripe", False))
    lights = [_end_quad(s * width * 0.38, 0.72, 0.3, 0.16, rear - 0.02, -1, "taillight", False) for s in (-1, 1)]
    plate = [_end_quad(0, 0.66, 0.5, 0.14, rear - 0.02, -1, "plate")]
    return Solid((*below, *chassis, *discs, *cab_faces, *cargo, *lights, *plate))


def _truck_cab(width: float, height: float, front: float, cab: float) -> list[Face]:
    end = front + 0.01
    faces = [
        _end_quad(0, height - 0.75, width * 0.8, 0.8, end - 0.05, 1, "windscreen", False),
        _end_quad(0, 1.05, width * 0.6, 0.4, end, 1, "grille", False),
        _end_quad(0, 0.55, width * 0.85, 0.22, end, 1, "dark", False),
    ]
    for side in (-1, 1):
        faces.append(_end_quad(side * width * 0.36, 0.8, 0.32, 0.18, end, 1, "headlight", False))
        z = front - cab / 2
        pane = [(z - 0.4, height - 1.1), (z - 0.4, height - 0.4), (z + 0.55, height - 0.4), (z + 0.7, height - 1.1)]
        faces.append(_side_quad(side, width * 0.47 + 0.01, pane, "side glass", False))
    return faces


@cache
def _bus(variant: str) -> Solid:
    width, height, length = _BUSES[variant]
    front, rear = length / 2, -length / 2
    below, discs = _wheels(0.5, width, (front - 2.4, rear + 2.8))
    loops = [
        _plan(width - less, front - less, rear + less, 0.25, level)
        for less, level in ((0.1, 0.28), (0.0, 0.6), (0.0, height - 0.35), (0.3, height))
    ]
    faces = [*below, *loft(loops, ["body low", "body", "roof"]), *discs]
    low, high = height * 0.42, height - 0.45
    for side in (-1, 1):
        x = width / 2 + 0.01
        count = 7
        step = (length - 1.0) / count
        for index in range(count):
            z = rear + 0.5 + index * step
            pane = [(z + 0.06, low), (z + 0.06, high), (z + step - 0.06, high), (z + step - 0.06, low)]
            faces.append(_side_quad(side, x, pane, "side glass", False))
        stripe = [(rear + 0.4, 0.75), (rear + 0.4, 0.95), (front - 0.4, 0.95), (front - 0.4, 0.75)]
        faces.append(_side_quad(side, x, stripe, "stripe"))
        faces.append(_end_quad(side * width * 0.36, 0.75, 0.32, 0.2, front + 0.01, 1, "headlight", False))
        faces.append(_end_quad(side * width * 0.38, 0.95, 0.18, 0.36, rear - 0.01, -1, "taillight", False))
    faces += [
        _end_quad(0, (low + high) / 2 - 0.15, width * 0.86, high - low + 0.35, front + 0.01, 1, "windscreen", False),
        _end_quad(0, high + 0.1, width * 0.6, 0.22, front + 0.02, 1, "sign"),
        _end_quad(0, 0.5, width * 0.8, 0.18, front + 0.01, 1, "dark", False),
        _end_quad(0, (low + high) / 2 + 0.15, width * 0.8, (high - low) * 0.7, rear - 0.01, -1, "rear glass", False),
        _end_quad(0, 0.9, width * 0.5, 0.5, rear - 0.01, -1, "grille"),
        _end_quad(0, 0.5, 0.5, 0.14, rear - 0.01, -1, "plate"),
    ]
    return Solid(tuple(faces))


_BUILDERS = {"car": _car, "truck": _truck, "bus": _bus}


def _placed(thing: NormalThing) -> tuple[Solid, np.ndarray]:
    solid = _BUILDERS[thing.kind](thing.variant)
    usual = vehicle_extent(thing.kind, thing.variant)
    scale = [real / model for real, model in zip(thing.extent, usual)]
    return solid, solid.placed(thing.place, thing.facing, scale)


def draw_vehicle(thing: NormalThing, state: State, camera: Camera, sun: float) -> list[Stamp]:
    """Draws a car, truck or bus. The state gives its colour; `sun` is the direction of the sun in degrees."""
    random = np.random.default_rng([thing.seed])
    color = shade_of(state.color or "grey", random)
    if state.color not in ("white", "black"):
        color = mixed(color, _DUST, float(random.uniform(0.0, 0.14)))
    solid, world = _placed(thing)
    sprite = Sprite(camera.size, bounds(camera.project(world)))
    dark: Color = (30, 31, 34)
    sky: Color = (126, 140, 152)
    tint = float(random.uniform(0, 0.5))
    on = bool(random.random() < 0.25)
    materials = {
        "body": color,
        "body low": scaled(color, 0.93),
        "bonnet": scaled(color, 1.03),
        "roof": color,
        "pillar": scaled(color, 0.95),
        "tyre": (26, 26, 28),
        "arch": (18, 18, 20),
        "rim": mixed((150, 152, 156), dark, tint),
        "windscreen": mixed((38, 46, 54), sky, 0.25 + 0.5 * tint),
        "rear glass": mixed((28, 33, 38), sky, 0.5 * tint),
        "side glass": mixed((26, 30, 35), sky, 0.6 * tint),
        "dark": dark,
        "grille": (44, 45, 48),
        "seam": scaled(color, 0.72),
        "plate": (214, 212, 196),
        "headlight": (255, 250, 226) if on else (205, 210, 214),
        "taillight": (228, 40, 30) if on else (150, 30, 28),
        "stripe": mixed(color, (240, 240, 236), 0.5) if sum(color) < 480 else mixed(color, (50, 60, 90), 0.5),
        "sign": (235, 170, 50),
    }
    large = max(sprite.width, sprite.height) > _DETAILED
    solid.draw(sprite, camera, world, thing.facing, materials, details=large, sun=sun)
    if not large:
        return [sprite.shade()]
    # Glossy paint reflects the sky above and the ground below.
    slope = np.linspace(1.08, 0.95, sprite.height, dtype=np.float32)[:, None]
    return [sprite.shade(random, grain="patchy", strength=0.03, brightness=slope, blur=sprite.width / 130)]


def shade_under_vehicle(thing: NormalThing, camera: Camera, shadows: Shadows, offset: Point, darkness: float) -> None:
    """
    Adds the shadow of a car, truck or bus on the ground and the darker one under it.

    Args:
        thing (`NormalThing`): The vehicle.
        camera (`Camera`): The camera.
        shadows (`Shadows`): Collects the shadows of the image.
        offset (`Point`): Shadow vector (x, z) in metres of a body one metre high.
        darkness (`float`): Darkness of the sun shadow, 0 to 1.
    """
    width, height, length = thing.extent
    foot = np.array(
        [
            (-width / 2, 0, -length / 2),
            (-width / 2, 0, length / 2),
            (width / 2, 0, length / 2),
            (width / 2, 0, -length / 2),
        ]
    )
    ground = standing(foot, thing.place, thing.facing)
    if darkness > 0.05:
        roof = standing(foot * (0.85, 1, 0.75), thing.place, thing.facing)
        thrown = roof + np.array((offset[0], 0, offset[1])) * height * 0.9
        outline = np.concatenate([ground, thrown])
        if camera.turned(outline)[:, 2].min() > 1:
            shadows.polygon(hull(camera.project(outline)), darkness)
    wide = standing(foot * (1.06, 1, 1.02), thing.place, thing.facing)
    shadows.polygon(camera.outline(wide), max(0.62, darkness))


def draw_bicycle(thing: NormalThing, state: State, camera: Camera) -> list[Stamp]:
    """Draws a bicycle, seen roughly from the side. The state gives the colour of the frame."""
    random = np.random.default_rng([thing.seed])
    color = shade_of(state.color or "black", random)
    pixels = thing.height / 1.05
    sprite = Sprite(camera.size, (thing.x - 1.1 * pixels, thing.y - 1.15 * pixels, thing.x + 1.1 * pixels, thing.y))
    stretch = max(0.35, abs(float(np.sin(np.deg2rad(thing.facing - camera.degrees)))))
    sense = 1 if np.sin(np.deg2rad(thing.facing - camera.degrees)) >= 0 else -1

    def at(x: float, y: float) -> Point:
        return thing.x + sense * stretch * x * pixels, thing.y - y * pixels

    thick = max(1.3, 0.055 * pixels)
    for x in (-0.52, 0.52):
        ring = circle(at(x, 0.34), 0.31 * pixels * stretch, 0.31 * pixels)
        sprite.line(np.concatenate([ring, ring[:2]]), max(1.2, 0.05 * pixels), (34, 34, 36))
        if pixels > 60:
            for turn in range(0, 12, 2):
                sprite.line([ring[turn], ring[turn + 12]], 0.6, (120, 120, 122))
    crank, seat, head, fork = at(-0.06, 0.3), at(-0.2, 0.78), at(0.36, 0.8), at(0.52, 0.34)
    for start, end in ((crank, seat), (seat, head), (crank, head), (at(-0.52, 0.34), crank), (at(-0.52, 0.34), seat)):
        sprite.line([start, end], thick, color)
    sprite.line([head, fork], thick, color)
    sprite.line([head, at(0.33, 0.96), at(0.45, 0.98)], thick * 0.8, (40, 40, 42))
    sprite.line([at(-0.32, 0.86), at(-0.08, 0.85)], thick * 1.6, (30, 28, 28))
    sprite.ellipse(crank, 0.07 * pixels * stretch, 0.07 * pixels, (60, 60, 62))
    return [sprite.shade()]
