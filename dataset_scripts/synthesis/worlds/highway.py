# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The world "highway": a road as seen by a fixed traffic camera high above it."""

from dataclasses import replace

import numpy as np

from dataset_scripts.synthesis.render.light import Light
from dataset_scripts.synthesis.render.palette import scaled
from dataset_scripts.synthesis.render.perspective import Camera, NormalThing
from dataset_scripts.synthesis.scene import Color, Rendering, State, Time
from dataset_scripts.synthesis.things.fixtures import SIGN_COLORS
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

from .ground import paint_dapples
from .highway_ground import LANE, VERGES, Carriageway, Divider, HighwayScene
from .layout import Layout, assign_changes, well_seen
from .staging import paint_shadows, present, put_stamps, put_thing


_MOVING = frozenset({"car", "truck", "bus", "person"})
_MOST_DRIVING = 6
_FLOW = 0.4  # Probability that all vehicles are moving, so that all of them change
_SURFACES: tuple[Color, ...] = ((112, 112, 114), (92, 93, 96), (134, 131, 126), (122, 120, 122), (148, 146, 142))


def sample_highway(random: np.random.Generator, size: int) -> HighwayScene:
    """
    Samples a road with vehicles, people and fixtures at two times.

    Args:
        random (`np.random.Generator`): Random generator.
        size (`int`): Width and height of the images in pixels.

    Returns:
        `HighwayScene`: The scene. Its things are cars, trucks, buses, people, trees and signs.
    """
    camera = _sample_camera(random, size)
    target = camera.place(size * float(random.uniform(0.4, 0.6)), size * float(random.uniform(0.6, 0.8)))
    scene = _sample_road(random, camera, target[0])
    layout = Layout(random, camera)
    crowd = int(random.choice([3, 5, 8, 12, 18], p=[0.14, 0.26, 0.28, 0.22, 0.1]))
    colors = sample_colors(random, 6)
    for _ in range(crowd * 3):
        if len(layout.things) < crowd:
            _add_vehicle(random, scene, layout, colors)
    _add_roadside(random, scene, layout)
    things = list(layout.things)
    if random.random() < _FLOW:
        scene.things = _all_driving(random, things, size)
    else:
        scene.things = assign_changes(random, things, size, {"sign": SIGN_COLORS})
    return scene


def _sample_camera(random: np.random.Generator, size: int) -> Camera:
    while True:
        horizon = float(random.uniform(-0.55, 0.3)) * size
        near = float(random.uniform(9, 26))
        share = float(random.uniform(0.13, 0.34))  # Width of a car at the lower edge, as a share of the image width
        focal = share * size * near / 1.8
        height = (size - horizon) * near / focal
        if 4.5 < height < 16:
            degrees = (
                float(random.uniform(-1, 1)) ** 3 * 55 if random.random() < 0.75 else float(random.uniform(-60, 60))
            )
            return Camera(
                size,
                focal,
                center_x=size * float(random.uniform(0.4, 0.6)),
                horizon=horizon,
                height=height,
                degrees=degrees,
            )


def _sample_ways(
    random: np.random.Generator, middle: float
) -> tuple[list[Carriageway], list[Divider], tuple[float, float]]:
    """Samples carriageways around x = `middle`, their dividers, and the x range of the paved ground."""
    lanes = int(random.choice([2, 3, 4, 5], p=[0.35, 0.35, 0.2, 0.1]))
    right_hand = bool(random.random() < 0.8)
    toward = bool(random.random() < 0.55)
    kinds = random.random()
    ways = [Carriageway(middle - lanes * LANE / 2, lanes, not toward)]
    dividers: list[Divider] = []
    shoulder = float(random.uniform(0.6, 3.2))
    edges = [ways[0].left - shoulder, ways[0].right + float(random.uniform(0.6, 3.2))]
    if kinds < 0.35:  # One road with both directions
        other = max(1, lanes // 2)
        ways = [
            Carriageway(ways[0].left, other, not right_hand),
            Carriageway(ways[0].left + other * LANE, lanes - other or 1, right_hand),
        ]
        edges[1] = ways[1].right + float(random.uniform(0.6, 2.5))
    elif kinds < 0.75:  # Two roads, separated by a barrier
        gap = float(random.uniform(1.4, 5))
        on_left = toward != right_hand
        kind = str(random.choice(["rail", "barrier", "hedge"]))
        height = {"rail": 0.8, "barrier": 0.9, "hedge": float(random.uniform(1.0, 1.7))}[kind]
        if on_left:
            left = edges[0] - gap - lanes * LANE
            ways.insert(0, Carriageway(left, lanes, toward))
            dividers.append(Divider(edges[0] - gap / 2, kind, height))
            edges[0] = left - 1.5
        else:
            left = edges[1] + gap
            ways.append(Carriageway(left, lanes, toward))
            dividers.append(Divider(edges[1] + gap / 2, kind, height))
            edges[1] = left + lanes * LANE + 1.5
    for side in (0, 1):
        kind = str(random.choice(["none", "rail", "barrier", "fence"], p=[0.35, 0.35, 0.15, 0.15]))
        if kind != "none":
            height = {"rail": 0.75, "barrier": 0.9, "fence": float(random.uniform(1.4, 2.4))}[kind]
            dividers.append(Divider(edges[side] + (0.5 if side else -0.5), kind, height))
    return ways, dividers, (edges[0], edges[1])


def _sample_road(random: np.random.Generator, camera: Camera, middle: float) -> HighwayScene:
    ways, dividers, edges = _sample_ways(random, middle)
    verges = [str(name) for name in random.choice(list(VERGES), 2, p=[0.5, 0.2, 0.15, 0.15])]
    # A wood must not stand between the camera and the road.
    wood_side = int(random.integers(2)) if edges[0] < 0 < edges[1] else int(edges[0] >= 0)
    wood = None
    if random.random() < 0.45:
        beyond = float(random.uniform(2, 7)) * (1 if wood_side else -1)
        wood = (edges[wood_side] + beyond, float(random.uniform(2.5, 9)))
    path = None
    if random.random() < 0.6:
        side = 1 - wood_side
        path = edges[side] + float(random.uniform(1.9, 3.2)) * (1 if side else -1)
    return HighwayScene(
        domain="NS",
        view="normal",
        size=camera.size,
        things=[],
        unnamed_kinds=frozenset({"tree"}) if wood else frozenset(),
        camera=camera,
        seed=int(random.integers(2**31)),
        carriageways=tuple(ways),
        dividers=tuple(dividers),
        edges=edges,
        surface=scaled(_SURFACES[int(random.integers(len(_SURFACES)))], float(random.uniform(0.85, 1.1))),
        verges=(verges[0], verges[1]),
        wood=wood,
        path=path,
        yellow=bool(random.random() < 0.4),
        sky=str(random.choice(["clear", "cloudy", "overcast", "evening"])),
        sun=float(random.uniform(0, 360)),
    )


def _add_vehicle(
    random: np.random.Generator,
    scene: HighwayScene,
    layout: Layout,
    colors: list[str],
) -> None:
    """Tries to add one vehicle on a lane, if there is room."""
    camera = scene.camera
    kind = str(random.choice(["car", "truck", "bus"], p=[0.86, 0.1, 0.04]))
    variant = str(random.choice({"car": CAR_MODELS, "truck": TRUCK_MODELS, "bus": BUS_MODELS}[kind]))
    extent = vehicle_extent(kind, variant)
    way = scene.carriageways[int(random.integers(len(scene.carriageways)))]
    x = way.middle(int(random.integers(way.lanes))) + float(random.normal(0, 0.25))
    top = max(camera.horizon + 0.07 * camera.size, 0.0)
    row = top + (camera.size * 1.02 - top) * float(random.uniform(0, 1)) ** 0.9
    angle = np.deg2rad(camera.degrees)
    depth = camera.focal * camera.height / (row - camera.horizon)
    z = (depth - x * float(np.sin(angle))) / float(np.cos(angle))
    grown = float(random.uniform(0.95, 1.06))
    extent = (extent[0] * grown, extent[1] * grown, extent[2] * grown)
    facing = (0.0 if way.away else 180.0) + float(random.normal(0, 1.5))
    box = solid_box(camera, (x, z), facing, extent)
    if box is None or box[2] - box[0] < 0.04 * camera.size or box[2] - box[0] > 0.9 * camera.size:
        return
    color = colors[int(random.integers(len(colors)))]
    layout.add(
        kind,
        box,
        camera.depth(x, z),
        State(color),
        place=(x, z),
        facing=facing,
        extent=extent,
        variant=variant,
        free=extent[0] / 2 + 0.3,
        cut=0.7,
    )


def _add_roadside(random: np.random.Generator, scene: HighwayScene, layout: Layout) -> None:
    """Adds people on the path, and trees and signs beside the road."""
    camera, size = scene.camera, scene.size
    poses = [pose for pose in POSES if pose != "pointing"]

    def row_place(x: float) -> tuple[float, float]:
        angle = np.deg2rad(camera.degrees)
        top = max(camera.horizon + 0.07 * size, 0.02 * size)
        depth = camera.focal * camera.height / (float(random.uniform(top, size)) - camera.horizon)
        return x, (depth - x * float(np.sin(angle))) / float(np.cos(angle))

    if scene.path is not None:
        for _ in range(int(random.integers(2, 8))):
            tall = float(random.uniform(1.55, 1.9))
            facing = float(random.choice([0, 180])) + float(random.normal(0, 15))
            color = str(random.choice(CLOTHES))
            place = row_place(scene.path + float(random.uniform(-0.7, 0.7)))
            pose = "walking" if random.random() < 0.6 else str(random.choice(poses))
            layout.stand("person", place, State(color), (tall * 0.36, tall, 0.4), facing=facing, variant=pose)
    sides = (-1, 1)
    for side in sides:
        edge = scene.edges[0] if side < 0 else scene.edges[1]
        if scene.wood is None and random.random() < 0.6:
            for _ in range(int(random.integers(1, 5))):
                tall = float(random.uniform(3, 8))
                wide = tall * float(random.uniform(0.5, 0.8))
                place = row_place(edge + side * float(random.uniform(4.5 + wide / 2, 16)))
                shape = str(random.choice(TREE_SHAPES[:4]))
                layout.stand("tree", place, State(), (wide, tall, wide), variant=shape, free=wide * 0.4)
        if random.random() < 0.35:
            color = str(random.choice(SIGN_COLORS))
            shape = str(random.choice(["round", "square", "wide", "triangle"]))
            wide = 1.9 if shape == "wide" else float(random.uniform(0.9, 1.3))
            place = row_place(edge + side * float(random.uniform(1.2, 1.6)))
            layout.stand("sign", place, State(color), (wide, 3.0, 0.1), variant=shape, free=0.5)


def _all_driving(random: np.random.Generator, things: list[NormalThing], size: int) -> list[NormalThing]:
    """Lets up to six moving things appear or disappear. All other things stay unchanged."""
    driving = [thing for thing in things if thing.kind in _MOVING and well_seen(thing, things, size)]
    chosen = {thing.number for thing in driving[:_MOST_DRIVING]}
    return [
        (replace(thing, state_t1=None) if random.random() < 0.5 else replace(thing, state_t2=None))
        if thing.number in chosen
        else thing
        for thing in things
    ]


def paint_highway(scene: HighwayScene, time: Time, light: Light) -> Rendering:
    """
    Paints the road at one of the two times.

    Args:
        scene (`HighwayScene`): The scene.
        time (`int`): 1 or 2.
        light (`Light`): Sun at that time; determines the shadows.

    Returns:
        `Rendering`: The image and the map of visible things.
    """
    canvas = scene.canvas()
    if scene.wood is not None:
        on_right = scene.wood[0] > scene.edges[1]
        inner = scene.edges[1] - 9 if on_right else scene.edges[0] + 9
        paint_dapples(canvas, scene.camera, light, np.random.default_rng([scene.seed, 5]), inner, scene.wood[0])
    paint_shadows(canvas, scene, time, light)
    if scene.wood is not None:
        put_stamps(canvas, 0, scene.wood_stamps)
    layers: list[tuple[float, float, int]] = []
    there = {thing.number: (thing, state) for thing, state in present(scene, time)}
    for number, (thing, _) in there.items():
        layers.append((_zone(scene, thing.place[0]), thing.depth, number))
    for index, divider in enumerate(scene.dividers):
        layers.append((_zone(scene, divider.x) + 0.5, 0.0, -1 - index))
    # Things behind a divider are painted before it, regardless of their distance.
    for _, _, number in sorted(layers, reverse=True):
        if number < 0:
            put_stamps(canvas, 0, scene.divider_stamps[-1 - number])
        else:
            put_thing(canvas, scene, *there[number])
    return canvas.finish()


def _zone(scene: HighwayScene, x: float) -> float:
    """Number of dividers between the camera and a line along the road at `x` metres."""
    return sum(1.0 for divider in scene.dividers if (divider.x > 0) == (x > 0) and abs(divider.x) < abs(x))
