# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The world "street": a street between façades or lawns, seen along or across it."""

import numpy as np

from dataset_scripts.synthesis.render.light import Light
from dataset_scripts.synthesis.render.palette import scaled
from dataset_scripts.synthesis.render.perspective import Camera, NormalThing, Wall
from dataset_scripts.synthesis.render.sprites import bounds
from dataset_scripts.synthesis.scene import Color, Point, Rendering, State, Time
from dataset_scripts.synthesis.things.fixtures import (
    BIN_COLORS,
    BIN_EXTENTS,
    LAMP_SHAPES,
    SIGN_COLORS,
    SIGN_SHAPES,
    sample_box_state,
)
from dataset_scripts.synthesis.things.people import CLOTHES, POSES
from dataset_scripts.synthesis.things.plants import TREE_SHAPES
from dataset_scripts.synthesis.things.solids import solid_box
from dataset_scripts.synthesis.things.vehicles import (
    BUS_MODELS,
    CAR_MODELS,
    TRUCK_MODELS,
    sample_colors,
    vehicle_extent,
)
from dataset_scripts.synthesis.things.walls import DOOR, FACADES, door_middle

from .layout import Layout, assign_changes
from .staging import paint_shadows, present, put_thing
from .street_ground import StreetScene


_BUILDING_COLORS = ("white", "yellow", "grey", "red", "brown", "orange", "pink", "blue", "green")
_BUILDING_SHARES = (0.2, 0.15, 0.17, 0.12, 0.14, 0.08, 0.06, 0.05, 0.03)
_DOOR_COLORS = ("brown", "white", "green", "blue", "red", "black")
_BENCH_COLORS = ("brown", "green", "grey", "red")
_PAVINGS: tuple[Color, ...] = ((158, 154, 148), (142, 138, 134), (172, 162, 148), (150, 132, 118), (128, 130, 132))
_ROADS: tuple[Color, ...] = ((98, 99, 102), (84, 85, 90), (116, 114, 112), (108, 104, 100))
_MARGIN = 900  # Number of random pixels that are tested for places on the ground


class _Places:
    """A supply of random places (x, z) on the visible ground."""

    def __init__(self, random: np.random.Generator, camera: Camera, reach: float):
        size = camera.size
        columns = random.uniform(0.02, 0.98, _MARGIN) * size
        top = max(0.0, camera.horizon + 0.035 * size)
        rows = top + (size * reach - top) * random.uniform(0, 1, _MARGIN)
        self._x, self._z = camera.places(columns, rows)
        self._random = random

    def within(self, left: float, right: float) -> Point | None:
        """Returns a place with x between `left` and `right` in metres."""
        fitting = np.nonzero((self._x > left) & (self._x < right))[0]
        if not len(fitting):
            return None
        index = int(fitting[int(self._random.integers(len(fitting)))])
        return float(self._x[index]), float(self._z[index])


def sample_street(random: np.random.Generator, size: int) -> StreetScene:
    """
    Samples a street with its things at two times.

    Args:
        random (`np.random.Generator`): Random generator.
        size (`int`): Width and height of the images in pixels.

    Returns:
        `StreetScene`: The scene. Its things are buildings, doors, cars, trucks, buses, bicycles, persons, trees,
        signs, benches, bins, boxes and lamps.
    """
    scene = _sample_ground(random, size)
    layout = Layout(random, scene.camera)
    _add_buildings(random, scene, layout)
    near = _Places(random, scene.camera, 1.35)
    places = _Places(random, scene.camera, 1.05)
    crowd = float(random.choice([0.5, 1.0, 1.7], p=[0.3, 0.45, 0.25]))
    if random.random() < 0.5:
        _add_people(random, scene, layout, near, int(random.integers(1, 3)), large=True)
    if scene.road:
        _add_vehicles(random, scene, layout, places, round(crowd * int(random.integers(0, 6))))
    if random.random() < 0.35:
        _add_trees(random, scene, layout)
    _add_people(random, scene, layout, places, round(crowd * int(random.integers(1, 7))), large=False)
    _add_fixtures(random, scene, layout, places, round(crowd * int(random.integers(2, 7))))
    colors = {"building": _BUILDING_COLORS, "sign": SIGN_COLORS}
    scene.things = assign_changes(random, layout.things, size, colors)
    return scene


def _sample_ground(random: np.random.Generator, size: int) -> StreetScene:
    across = bool(random.random() < 0.45)
    high = bool(random.random() < 0.4)
    height = float(random.uniform(3.2, 6.5) if high else random.uniform(1.5, 2.4))
    horizon = float(random.uniform(0.02, 0.28) if high else random.uniform(0.3, 0.5)) * size
    focal = float(random.uniform(0.85, 1.5)) * size
    road = bool(random.random() < 0.8)
    wide = float(random.uniform(5.5, 10)) if road else float(random.uniform(6, 14))
    pavements = random.uniform(2.0, 4.2, 2).tolist()
    if across:
        degrees = 90 + float(random.uniform(-28, 28))
        first = float(random.uniform(2.5, 7)) * (1.3 if high else 1.0)
        curbs = (first, first + wide)
        fronts = (-8.0, curbs[1] + pavements[1])
        built = (False, bool(random.random() < 0.9))
    else:
        degrees = float(random.uniform(-26, 26))
        middle = float(random.uniform(-0.5, 0.5)) * wide
        curbs = (middle - wide / 2, middle + wide / 2)
        fronts = (min(curbs[0] - pavements[0], -1.8), max(curbs[1] + pavements[1], 1.8))
        built = (bool(random.random() < 0.75), bool(random.random() < 0.75))
    camera = Camera(
        size, focal, center_x=size * float(random.uniform(0.4, 0.6)), horizon=horizon, height=height, degrees=degrees
    )
    return StreetScene(
        domain="NS",
        view="normal",
        size=size,
        things=[],
        camera=camera,
        seed=int(random.integers(2**31)),
        sun=float(random.uniform(0, 360)),
        curbs=curbs,
        fronts=fronts,
        built=built,
        road=road,
        surface=scaled(_ROADS[int(random.integers(len(_ROADS)))], float(random.uniform(0.88, 1.12))),
        paving=scaled(_PAVINGS[int(random.integers(len(_PAVINGS)))], float(random.uniform(0.88, 1.12))),
        slab=float(random.uniform(0.6, 1.6)),
        sky=str(random.choice(["clear", "cloudy", "overcast", "evening"], p=[0.35, 0.3, 0.25, 0.1])),
        crossing=float(random.uniform(6, 18)) if random.random() < 0.3 else None,
    )


def _add_buildings(random: np.random.Generator, scene: StreetScene, layout: Layout) -> None:
    """Adds rows of buildings and their doors on the built sides."""
    camera = scene.camera
    walls: list[Wall] = []
    palette = random.choice(_BUILDING_COLORS, int(random.integers(2, 6)), replace=False, p=_BUILDING_SHARES).tolist()
    tallness = float(random.uniform(0.6, 1.5))
    for side in (0, 1):
        if not scene.built[side]:
            continue
        x = scene.fronts[side]
        outward = (1.0, 0.0) if side == 0 else (-1.0, 0.0)
        across = camera.degrees > 45
        z = -60.0 + float(random.uniform(0, 8)) if across else float(random.uniform(-6, 2))
        while z < 70:
            length = float(random.uniform(7, 17))
            storeys = int(random.integers(2, 6)) if random.random() < 0.85 else 1
            height = max(3.4, storeys * 3.1 * tallness ** (storeys > 1))
            wall = Wall((x, z), (0.0, 1.0), outward, length, height)
            z += length + (float(random.uniform(0, 4)) if random.random() < 0.2 else 0.0)
            outline = wall.outline(camera, 0, length, 0, height)
            if not len(outline):
                continue
            left, top, right, bottom = bounds(outline)
            if right < 2 or left > camera.size - 2 or right - left < 3:
                continue
            box = (
                max(left, -0.2 * camera.size),
                max(top, -0.2 * camera.size),
                min(right, 1.2 * camera.size),
                min(bottom, 1.2 * camera.size),
            )
            walls.append(wall)
            variant = "hall" if storeys == 1 else str(random.choice(FACADES[:4]))
            color = palette[int(random.integers(len(palette)))]
            if variant == "brick":
                color = str(random.choice(["red", "brown", "yellow"]))
            middle = wall.place(length / 2)
            depth = max(0.5, camera.depth(*middle))
            layout.add(
                "building",
                box,
                depth,
                State(color),
                place=middle,
                extent=(length, height, 8.0),
                variant=variant,
                wall=len(walls) - 1,
                free=0,
                cut=0.98,
            )
            _add_door(random, scene, layout, wall, len(walls) - 1)
    scene.walls = tuple(walls)


def _add_door(random: np.random.Generator, scene: StreetScene, layout: Layout, wall: Wall, index: int) -> None:
    middle = door_middle(wall)
    place = wall.place(middle)
    depth = scene.camera.depth(*place)
    tall = float(random.uniform(2.05, 2.4))
    outline = wall.outline(scene.camera, middle - DOOR[0] / 2, middle + DOOR[0] / 2, 0, tall)
    if depth < 1.5 or not len(outline):
        return
    state = State(str(random.choice(_DOOR_COLORS)), "open" if random.random() < 0.35 else "closed")
    layout.add(
        "door",
        bounds(outline),
        depth - 0.05,
        state,
        place=place,
        extent=(DOOR[0], tall, 0.1),
        wall=index,
        along=middle,
        free=0,
    )


def _add_people(
    random: np.random.Generator, scene: StreetScene, layout: Layout, places: _Places, count: int, *, large: bool
) -> None:
    camera = scene.camera
    clothes = random.choice(CLOTHES, int(random.integers(2, 6)), replace=False).tolist()
    left, right = scene.fronts[0] + 0.4, scene.fronts[1] - 0.4
    for _ in range(count * 2):
        if count <= 0:
            return
        tall = float(random.uniform(1.55, 1.92)) if random.random() < 0.9 else float(random.uniform(1.0, 1.4))
        if large:
            depth = camera.focal * tall / (float(random.uniform(0.42, 0.95)) * camera.size)
            angle = np.deg2rad(camera.degrees)
            aside = (float(random.uniform(0.1, 0.9)) * camera.size - camera.center_x) * depth / camera.focal
            cosine, sine = float(np.cos(angle)), float(np.sin(angle))
            spot: Point | None = (aside * cosine + depth * sine, depth * cosine - aside * sine)
        elif random.random() < 0.3:
            spot = places.within(scene.curbs[0], scene.curbs[1])
        else:
            spot = (
                places.within(scene.curbs[1], right) if random.random() < 0.5 else places.within(left, scene.curbs[0])
            )
        if spot is None or not left < spot[0] < right:
            continue
        along = float(random.choice([0, 180])) + float(random.normal(0, 25))
        facing = along if random.random() < 0.7 else float(random.uniform(0, 360))
        pose = "walking" if random.random() < 0.5 else str(random.choice(POSES))
        color = clothes[int(random.integers(len(clothes)))]
        added = layout.stand(
            "person", spot, State(color), (tall * 0.36, tall, 0.4), facing=facing, variant=pose, free=0.32, cut=0.6
        )
        count -= added is not None


def _add_vehicles(
    random: np.random.Generator, scene: StreetScene, layout: Layout, places: _Places, count: int
) -> None:
    camera = scene.camera
    low, high = scene.curbs
    colors = sample_colors(random, 5)
    for _ in range(count * 3):
        if count <= 0:
            return
        spot = places.within(low, high)
        if spot is None:
            return
        kind = str(random.choice(["car", "truck", "bus", "bicycle"], p=[0.78, 0.07, 0.04, 0.11]))
        if kind == "bicycle":
            count -= _add_bicycle(random, scene, layout, places, colors)
            continue
        variant = str(random.choice({"car": CAR_MODELS, "truck": TRUCK_MODELS, "bus": BUS_MODELS}[kind]))
        extent = vehicle_extent(kind, variant)
        half = extent[0] / 2 + 0.15
        lines = [low + half, high - half]
        if high - low > 7:
            lines += [(low + high) / 2 - 1.6, (low + high) / 2 + 1.6]
        x = lines[int(random.integers(len(lines)))]
        facing = (0.0 if x > (low + high) / 2 else 180.0) + float(random.normal(0, 2))
        box = solid_box(camera, (x, spot[1]), facing, extent)
        if box is None or box[2] - box[0] > 0.85 * camera.size or box[3] - box[1] > 0.75 * camera.size:
            continue
        color = colors[int(random.integers(len(colors)))]
        place = (x, spot[1])
        added = layout.add(
            kind,
            box,
            camera.depth(*place),
            State(color),
            place=place,
            facing=facing,
            extent=extent,
            variant=variant,
            free=extent[0] / 2 + 0.2,
            cut=0.6,
        )
        count -= added is not None


def _add_bicycle(
    random: np.random.Generator, scene: StreetScene, layout: Layout, places: _Places, colors: list[str]
) -> bool:
    spot = places.within(scene.curbs[1], scene.fronts[1] - 0.4) or places.within(scene.fronts[0] + 0.4, scene.curbs[0])
    if spot is None:
        return False
    facing = float(random.uniform(0, 360))
    seen = max(0.35, abs(float(np.sin(np.deg2rad(facing - scene.camera.degrees)))))
    color = colors[int(random.integers(len(colors)))]
    extent = (1.75 * seen, 1.05, 0.5)
    return layout.stand("bicycle", spot, State(color), extent, facing=facing, free=0.6) is not None


def _add_fixtures(
    random: np.random.Generator, scene: StreetScene, layout: Layout, places: _Places, count: int
) -> None:
    """Adds trees, signs, benches, bins, boxes and lamps on pavements and lawns."""
    kinds = ["tree", "sign", "bench", "bin", "box", "lamp", "bicycle"]
    shares = random.dirichlet([1.6, 0.7, 0.7, 0.7, 0.7, 0.7, 0.5])
    shape = str(random.choice(TREE_SHAPES))
    bin_shape, lamp_shape = str(random.choice(list(BIN_EXTENTS))), str(random.choice(LAMP_SHAPES))
    for _ in range(count * 2):
        if count <= 0 or len(layout.things) > 34:
            return
        kind = str(random.choice(kinds, p=shares))
        right = bool(random.random() < 0.5)
        (curb, front), sense = (scene.curbs[right], scene.fronts[right]), 1 if right else -1
        if not scene.road and random.random() < 0.6:
            spot = places.within(*scene.curbs)
        else:
            inner, outer = curb + sense * 0.3, front - sense * 0.3
            spot = places.within(min(inner, outer), max(inner, outer))
        if spot is None:
            continue
        along = 90.0 if (spot[0] < sum(scene.fronts) / 2) else -90.0
        if kind == "tree":
            tall = float(random.uniform(3, 7.5))
            wide = tall * float(random.uniform(0.5, 0.75))
            added = layout.stand("tree", spot, State(), (wide, tall, wide), variant=shape, free=0.6)
        elif kind == "sign":
            variant = str(random.choice(SIGN_SHAPES))
            wide = 1.3 if variant == "wide" else float(random.uniform(0.6, 0.85))
            color = str(random.choice(SIGN_COLORS))
            added = layout.stand(
                "sign", spot, State(color), (wide, float(random.uniform(2.3, 3.0)), 0.1), variant=variant, free=0.4
            )
        elif kind == "lamp":
            tall = 3.6 if lamp_shape == "lantern" else float(random.uniform(4.5, 6.5))
            wide = 0.7 if lamp_shape == "lantern" else 2.4
            state = State(None, "on" if random.random() < 0.5 else "off")
            added = layout.stand("lamp", spot, state, (wide, tall, 0.2), variant=lamp_shape, free=0.4)
        elif kind == "bicycle":
            count -= _add_bicycle(random, scene, layout, places, sample_colors(random, 3))
            continue
        else:
            added = _add_solid(random, scene, layout, kind, spot, along, bin_shape)
        count -= added is not None


def _add_trees(random: np.random.Generator, scene: StreetScene, layout: Layout) -> None:
    """Adds a row of trees along a curb."""
    right = bool(random.random() < 0.6)
    x = scene.curbs[right] + (0.9 if right else -0.9)
    step = float(random.uniform(5, 10))
    shape = str(random.choice(TREE_SHAPES[:4]))
    tall = float(random.uniform(3.5, 7))
    for z in np.arange(-20 + float(random.uniform(0, step)), 45, step).tolist():
        high = tall * float(random.uniform(0.85, 1.15))
        wide = high * float(random.uniform(0.5, 0.7))
        layout.stand("tree", (x, z), State(), (wide, high, wide), variant=shape, free=0.6)


def _add_solid(
    random: np.random.Generator,
    scene: StreetScene,
    layout: Layout,
    kind: str,
    spot: Point,
    along: float,
    bin_shape: str,
) -> NormalThing | None:
    """Adds a bench, a bin or a box."""
    if kind == "bench":
        extent, facing, variant = (1.8, 0.88, 0.5), along + float(random.normal(0, 5)), ""
        state = State(str(random.choice(_BENCH_COLORS)))
    elif kind == "bin":
        extent = BIN_EXTENTS[bin_shape]
        facing, variant = along + float(random.normal(0, 8)), bin_shape
        state = State(str(random.choice(BIN_COLORS)))
    else:
        side = float(random.uniform(0.4, 0.9))
        extent, facing, variant = (
            (side, side * float(random.uniform(0.6, 1.0)), side),
            float(random.uniform(0, 90)),
            "",
        )
        state = sample_box_state(random)
    box = solid_box(scene.camera, spot, facing, extent)
    if box is None:
        return None
    depth = scene.camera.depth(*spot)
    return layout.add(
        kind, box, depth, state, place=spot, facing=facing, extent=extent, variant=variant, free=extent[0] / 2
    )


def paint_street(scene: StreetScene, time: Time, light: Light) -> Rendering:
    """
    Paints the street at one of the two times.

    Args:
        scene (`StreetScene`): The scene.
        time (`int`): 1 or 2.
        light (`Light`): Sun at that time; determines the shadows.

    Returns:
        `Rendering`: The image and the map of visible things.
    """
    canvas = scene.canvas()
    there = sorted(present(scene, time), key=lambda item: -item[0].depth)
    buildings = [item for item in there if item[0].kind == "building"]
    for thing, state in buildings:
        put_thing(canvas, scene, thing, state)
    paint_shadows(canvas, scene, time, light)
    for thing, state in there:
        if thing.kind != "building":
            put_thing(canvas, scene, thing, state)
    return canvas.finish()
