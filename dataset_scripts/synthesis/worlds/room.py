# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The world "room": a room with people and furniture, as seen by a camera on a wall or shelf."""

import numpy as np

from dataset_scripts.synthesis.render.light import Light
from dataset_scripts.synthesis.render.palette import scaled
from dataset_scripts.synthesis.render.perspective import Camera, NormalThing, Wall
from dataset_scripts.synthesis.render.sprites import bounds
from dataset_scripts.synthesis.scene import Color, Point, Rendering, State, Time
from dataset_scripts.synthesis.things.fixtures import BIN_COLORS, sample_box_state
from dataset_scripts.synthesis.things.furniture import BAG_SHAPES, CHAIR_SHAPES, ROOM_LAMP_SHAPES, TABLE_SHAPES
from dataset_scripts.synthesis.things.people import CLOTHES, POSES
from dataset_scripts.synthesis.things.plants import PLANT_SHAPES
from dataset_scripts.synthesis.things.solids import solid_box
from dataset_scripts.synthesis.things.walls import DOOR

from .layout import Layout, assign_changes
from .room_walls import BEHIND, RoomScene
from .staging import paint_shadows, present, put_thing


_CHAIR_COLORS = ("brown", "black", "red", "blue", "grey", "green", "white", "orange")
_FURNITURE_COLORS = ("brown", "white", "grey", "black")
_DOOR_COLORS = ("brown", "white", "grey", "blue", "yellow", "green")
_PICTURE_COLORS = ("blue", "red", "green", "yellow", "orange", "purple", "pink", "black", "brown")
_BAG_COLORS = ("black", "red", "blue", "brown", "green", "yellow", "pink")
_WALL_PAINTS: tuple[Color, ...] = (
    (214, 208, 196),
    (198, 204, 206),
    (206, 196, 170),
    (184, 198, 190),
    (212, 192, 182),
    (176, 186, 202),
    (226, 224, 218),
    (168, 164, 158),
    (196, 176, 140),
)
_FLOORS: dict[str, tuple[Color, ...]] = {
    "planks": ((150, 112, 76), (120, 86, 60), (178, 146, 108)),
    "tiles": ((176, 172, 166), (136, 134, 130), (196, 186, 170), (112, 112, 114)),
    "carpet": ((104, 108, 118), (122, 110, 100), (88, 96, 104), (126, 92, 84)),
    "concrete": ((138, 134, 126), (158, 154, 146)),
}


def sample_room(random: np.random.Generator, size: int) -> RoomScene:
    """
    Samples a room with its things at two times.

    Args:
        random (`np.random.Generator`): Random generator.
        size (`int`): Width and height of the images in pixels.

    Returns:
        `RoomScene`: The scene. Its things are persons, doors, lamps, chairs, tables, plants, pictures, bags, shelves,
            boxes and bins.
    """
    scene = _sample_walls(random, size)
    layout = Layout(random, scene.camera)
    taken: dict[int, list[tuple[float, float]]] = {0: [], 1: [], 2: []}
    for wall, left, right, _, _ in scene.windows:
        taken[wall].append((left, right))
    if scene.board is not None:
        taken[0].append(scene.board)
    _add_on_walls(random, scene, layout, taken)
    crowd = float(random.choice([0.5, 1.0, 1.6], p=[0.3, 0.45, 0.25]))
    if random.random() < 0.55:
        _add_people(random, scene, layout, int(random.integers(1, 3)), large=True)
    settled = _add_furniture(random, scene, layout, crowd)
    _add_people(random, scene, layout, round(crowd * int(random.integers(0, 6))), large=False)
    _add_small(random, scene, layout, max(3, round(crowd * int(random.integers(3, 9)))))
    colors = {"picture": _PICTURE_COLORS}
    scene.things = assign_changes(random, layout.things, size, colors, frozenset(settled))
    return scene


def _sample_walls(random: np.random.Generator, size: int) -> RoomScene:
    close = bool(random.random() < 0.3)
    depth = float(random.uniform(2.8, 4.5)) if close else float(random.uniform(4.5, 11))
    wide = float(random.uniform(4, 9))
    left = -wide * float(random.uniform(0.25, 0.75))
    height = float(random.uniform(2.5, 3.4))
    high = bool(random.random() < 0.5)
    camera = Camera(
        size=size,
        focal=float(random.uniform(0.75, 1.25)) * size,
        center_x=size * float(random.uniform(0.42, 0.58)),
        horizon=size * float(random.uniform(0.08, 0.3) if high else random.uniform(0.3, 0.48)),
        height=float(random.uniform(1.9, height - 0.3) if high else random.uniform(1.25, 1.75)),
        degrees=float(random.uniform(-32, 32)) if random.random() < 0.7 else float(random.normal(0, 3)),
    )
    paint = scaled(_WALL_PAINTS[int(random.integers(len(_WALL_PAINTS)))], float(random.uniform(0.88, 1.08)))
    accent = paint if random.random() < 0.7 else scaled(_WALL_PAINTS[int(random.integers(len(_WALL_PAINTS)))], 0.9)
    floor = str(random.choice(list(_FLOORS)))
    floors = _FLOORS[floor]
    side = depth - BEHIND
    walls = (
        Wall((left, depth), (1.0, 0.0), (0.0, -1.0), wide, height),
        Wall((left, BEHIND), (0.0, 1.0), (1.0, 0.0), side, height),
        Wall((left + wide, BEHIND), (0.0, 1.0), (-1.0, 0.0), side, height),
    )
    windows = []
    board = None
    if random.random() < 0.3:
        middle, half = wide * float(random.uniform(0.35, 0.65)), min(1.6, wide * 0.25)
        board = (middle - half, middle + half)
    for wall in (0, 1, 2):
        if random.random() < 0.35 and not (wall == 0 and board):
            span = float(random.uniform(1.0, min(2.6, walls[wall].length * 0.4)))
            start = float(random.uniform(0.4, walls[wall].length - span - 0.3))
            windows.append(
                (wall, start, start + span, float(random.uniform(0.8, 1.05)), float(random.uniform(1.9, 2.25)))
            )
    return RoomScene(
        domain="NS",
        view="normal",
        size=size,
        things=[],
        camera=camera,
        seed=int(random.integers(2**31)),
        sun=float(random.uniform(0, 360)),
        walls=walls,
        width=(left, left + wide),
        depth=depth,
        height=height,
        paint=paint,
        accent=accent,
        floor=floor,
        floor_color=scaled(floors[int(random.integers(len(floors)))], float(random.uniform(0.88, 1.1))),
        windows=tuple(windows),
        board=board,
    )


def _add_on_walls(
    random: np.random.Generator, scene: RoomScene, layout: Layout, taken: dict[int, list[tuple[float, float]]]
) -> None:
    """Adds doors, pictures and shelves where the walls are free."""
    kinds = (
        ["door"] * int(random.integers(0, 3))
        + ["shelf"] * int(random.integers(0, 3))
        + ["picture"] * int(random.integers(0, 7))
    )
    door_color, shelf_color = str(random.choice(_DOOR_COLORS)), str(random.choice(_FURNITURE_COLORS))
    pictures = random.choice(_PICTURE_COLORS, 3, replace=False).tolist()
    for kind in kinds:
        index = int(random.choice([0, 1, 2], p=[0.5, 0.25, 0.25]))
        wall = scene.walls[index]
        if kind == "door":
            state = State(door_color, "open" if random.random() < 0.4 else "closed")
            extent = (DOOR[0], float(random.uniform(2.0, 2.2)), 0.1)
        elif kind == "shelf":
            state = State(shelf_color)
            extent = (float(random.uniform(0.8, 1.5)), float(random.uniform(1.0, 2.1)), 0.36)
        else:
            state = State(pictures[int(random.integers(3))])
            tall = float(random.uniform(0.4, 0.9))
            extent = (tall * float(random.uniform(0.7, 1.5)), tall, 0.05)
        half = extent[0] / 2
        if wall.length < 2 * half + 0.6:
            continue
        middle = float(random.uniform(0.3 + half, wall.length - 0.3 - half))
        if any(middle - half < stop + 0.15 and middle + half > start - 0.15 for start, stop in taken[index]):
            continue
        low = float(random.uniform(1.25, max(1.26, min(1.7, wall.height - extent[1] - 0.2))))
        add = _add_shelf if kind == "shelf" else _hang
        if add(scene, layout, kind, state, extent, index, middle, low if kind == "picture" else 0.0) is not None:
            taken[index].append((middle - half, middle + half))


def _hang(
    scene: RoomScene,
    layout: Layout,
    kind: str,
    state: State,
    extent: tuple[float, float, float],
    index: int,
    middle: float,
    low: float,
) -> NormalThing | None:
    """Adds a door or a picture to a wall."""
    wall, (wide, tall, _) = scene.walls[index], extent
    outline = wall.outline(scene.camera, middle - wide / 2, middle + wide / 2, low, low + tall)
    place = wall.place(middle)
    depth = scene.camera.depth(*place)
    if len(outline) != 4 or depth < 1.0:
        return None
    return layout.add(
        kind,
        bounds(outline),
        depth - 0.02,
        state,
        place=place,
        extent=extent,
        wall=index,
        along=middle,
        above=low,
        free=0.55 if kind == "door" else 0,
    )


def _add_shelf(
    scene: RoomScene,
    layout: Layout,
    kind: str,
    state: State,
    extent: tuple[float, float, float],
    index: int,
    middle: float,
    low: float,
) -> NormalThing | None:
    """Adds a shelf that stands against a wall."""
    wall = scene.walls[index]
    place = wall.place(middle, extent[2] / 2 + 0.02)
    facing = float(np.rad2deg(np.arctan2(*wall.outward)))
    box = solid_box(scene.camera, place, facing, extent)
    if box is None:
        return None
    depth = scene.camera.depth(*place)
    return layout.add(
        kind, box, depth, state, place=place, facing=facing, extent=extent, above=low, free=extent[0] / 2
    )


def _floor_spot(random: np.random.Generator, scene: RoomScene, margin: float, reach: float = 1.1) -> Point | None:
    """Samples a visible place (x, z) on the floor, at least `margin` metres from the walls."""
    camera, size = scene.camera, scene.size
    top = max(camera.horizon + 0.03 * size, 0.0)
    columns, rows = random.uniform(0, size, 24), top + (size * reach - top) * random.uniform(0, 1, 24)
    x, z = camera.places(columns, rows)
    fitting = (x > scene.width[0] + margin) & (x < scene.width[1] - margin) & (z < scene.depth - margin) & (z > 0.4)
    found = np.nonzero(fitting)[0]
    return (float(x[found[0]]), float(z[found[0]])) if len(found) else None


def _add_people(random: np.random.Generator, scene: RoomScene, layout: Layout, count: int, *, large: bool) -> None:
    camera = scene.camera
    clothes = random.choice(CLOTHES, int(random.integers(2, 6)), replace=False).tolist()
    for _ in range(count * 3):
        if count <= 0:
            return
        tall = float(random.uniform(1.55, 1.92))
        if large:
            depth = camera.focal * tall / (float(random.uniform(0.45, 1.05)) * scene.size)
            angle = np.deg2rad(camera.degrees)
            cosine, sine = float(np.cos(angle)), float(np.sin(angle))
            aside = (float(random.uniform(0.05, 0.95)) * scene.size - camera.center_x) * depth / camera.focal
            spot: Point | None = (aside * cosine + depth * sine, depth * cosine - aside * sine)
        else:
            spot = _floor_spot(random, scene, 0.35, 1.3)
        if spot is None or not (scene.width[0] + 0.3 < spot[0] < scene.width[1] - 0.3 and spot[1] < scene.depth - 0.3):
            continue
        pose = str(random.choice(POSES))
        color = clothes[int(random.integers(len(clothes)))]
        facing = float(random.uniform(0, 360))
        added = layout.stand(
            "person", spot, State(color), (tall * 0.36, tall, 0.4), facing=facing, variant=pose, free=0.3, cut=0.6
        )
        count -= added is not None


def _add_solid(
    scene: RoomScene,
    layout: Layout,
    kind: str,
    spot: Point,
    facing: float,
    extent: tuple[float, float, float],
    state: State,
    variant: str,
) -> NormalThing | None:
    box = solid_box(scene.camera, spot, facing, extent)
    if box is None or box[3] - box[1] > 0.8 * scene.size or box[2] - box[0] > 0.9 * scene.size:
        return None
    depth = scene.camera.depth(*spot)
    free = min(extent[0], extent[2]) / 2
    return layout.add(kind, box, depth, state, place=spot, facing=facing, extent=extent, variant=variant, free=free)


def _add_furniture(random: np.random.Generator, scene: RoomScene, layout: Layout, crowd: float) -> list[int]:
    """Adds chairs, and tables with things on them. Returns the numbers of the tables that carry things."""
    table_color, chair_colors = (
        str(random.choice(_FURNITURE_COLORS)),
        random.choice(_CHAIR_COLORS, 2, replace=False).tolist(),
    )
    table_shape, chair_shape = str(random.choice(TABLE_SHAPES)), str(random.choice(CHAIR_SHAPES))
    turn = float(random.choice([0, 0, 90, 30])) + float(random.normal(0, 4))
    settled = []
    for _ in range(round(crowd * int(random.integers(1, 5)))):
        spot = _floor_spot(random, scene, 0.6)
        if spot is None:
            continue
        wide = 1.1 if table_shape == "round" else float(random.uniform(1.1, 1.9))
        extent = (
            wide,
            float(random.uniform(0.7, 0.78)),
            wide if table_shape == "round" else float(random.uniform(0.6, 0.9)),
        )
        color = table_color if random.random() < 0.7 else str(random.choice(_FURNITURE_COLORS))
        table = _add_solid(scene, layout, "table", spot, turn, extent, State(color), table_shape)
        if table is not None and random.random() < 0.6 and _add_on_table(random, scene, layout, table):
            settled.append(table.number)
    for _ in range(round(crowd * int(random.integers(2, 9)))):
        spot = _floor_spot(random, scene, 0.4)
        if spot is None:
            continue
        color = chair_colors[int(random.random() < 0.3)]
        extent = (0.95, 0.85, 0.8) if chair_shape == "armchair" else (0.5, 0.95, 0.5)
        facing = float(random.choice([0, 90, 180, 270])) + float(random.normal(0, 20))
        _add_solid(scene, layout, "chair", spot, facing, extent, State(color), chair_shape)
    return settled


def _add_on_table(random: np.random.Generator, scene: RoomScene, layout: Layout, table: NormalThing) -> bool:
    """Tries to put a thing on a table. Returns whether it succeeded."""
    kind = str(random.choice(["box", "plant", "lamp", "bag"]))
    wide, level, _ = table.extent
    angle = np.deg2rad(table.facing)
    aside = float(random.uniform(-0.3, 0.3)) * wide
    place = (table.place[0] + aside * float(np.cos(angle)), table.place[1] - aside * float(np.sin(angle)))
    depth = table.depth - 0.05
    camera = scene.camera
    extents = {"box": (0.4, 0.28, 0.3), "plant": (0.35, 0.5, 0.3), "lamp": (0.32, 0.5, 0.3), "bag": (0.4, 0.36, 0.2)}
    extent = extents[kind]
    state = {
        "box": sample_box_state(random),
        "plant": State(),
        "lamp": State(None, "on" if random.random() < 0.5 else "off"),
        "bag": State(str(random.choice(_BAG_COLORS))),
    }[kind]
    variant = {"box": "", "plant": str(random.choice(PLANT_SHAPES)), "lamp": "table", "bag": "handbag"}[kind]
    x, y = camera.foot(*place, level)
    scale = camera.scale(camera.depth(*place))
    half, tall = extent[0] * scale / 2, extent[1] * scale
    added = layout.add(
        kind,
        (x - half, y - tall, x + half, y),
        depth,
        state,
        place=place,
        facing=table.facing,
        extent=extent,
        variant=variant,
        above=level,
        free=0,
    )
    return added is not None


def _add_small(random: np.random.Generator, scene: RoomScene, layout: Layout, count: int) -> None:
    """Adds plants, bags, boxes, bins and lamps."""
    kinds = ["plant", "bag", "box", "bin", "lamp"]
    shares = random.dirichlet(np.full(len(kinds), 0.35))
    lamp_shape = str(random.choice(ROOM_LAMP_SHAPES))
    for _ in range(count * 2):
        if count <= 0:
            return
        kind = str(random.choice(kinds, p=shares))
        spot = _floor_spot(random, scene, 0.3)
        if spot is None:
            continue
        turn = float(random.uniform(0, 360))
        if kind == "lamp":
            added = _add_lamp(random, scene, layout, spot, lamp_shape)
        elif kind in ("plant", "bag"):
            added = _add_upright(random, layout, kind, spot)
        elif kind == "bin":
            state = State(str(random.choice(BIN_COLORS)))
            added = _add_solid(scene, layout, "bin", spot, turn, (0.4, 0.6, 0.4), state, "can")
        else:
            side = float(random.uniform(0.35, 0.7))
            state = sample_box_state(random)
            extent = (side, side * float(random.uniform(0.6, 1)), side)
            added = _add_solid(scene, layout, "box", spot, turn, extent, state, "")
        count -= added is not None


def _add_upright(random: np.random.Generator, layout: Layout, kind: str, spot: Point) -> NormalThing | None:
    """Adds a plant or a bag."""
    if kind == "plant":
        tall = float(random.uniform(0.6, 1.6))
        shape, state, wide, long = str(random.choice(PLANT_SHAPES)), State(), tall * 0.62, 0.4
    else:
        shape = str(random.choice(BAG_SHAPES))
        tall = 0.68 if shape == "suitcase" else float(random.uniform(0.36, 0.5))
        wide, long = tall * (0.68 if shape in ("suitcase", "backpack") else 1.1), 0.25
        state = State(str(random.choice(_BAG_COLORS)))
    return layout.stand(kind, spot, state, (wide, tall, long), variant=shape)


def _add_lamp(
    random: np.random.Generator, scene: RoomScene, layout: Layout, spot: Point, shape: str
) -> NormalThing | None:
    """Adds a floor lamp, or a pendant lamp that hangs from the ceiling."""
    drop = float(random.uniform(0.5, 0.9)) if shape == "pendant" else 0.0
    state = State(None, "on" if random.random() < 0.5 else "off")
    if shape == "pendant":
        extent = (0.5, drop, 0.5)
        return layout.stand("lamp", spot, state, extent, variant="pendant", above=scene.height - drop, free=0)
    extent = (0.45, float(random.uniform(1.4, 1.75)), 0.4)
    return layout.stand("lamp", spot, state, extent, variant="floor")


def paint_room(scene: RoomScene, time: Time, light: Light) -> Rendering:
    """
    Paints the room at one of the two times.

    Args:
        scene (`RoomScene`): The scene.
        time (`int`): 1 or 2.
        light (`Light`): Daylight at that time. Its shadows are faint indoors.

    Returns:
        `Rendering`: The image and the map of visible things.
    """
    canvas = scene.canvas()
    there = sorted(present(scene, time), key=lambda item: -item[0].depth)
    flat = [item for item in there if item[0].wall is not None]
    for thing, state in flat:
        put_thing(canvas, scene, thing, state)
    paint_shadows(canvas, scene, time, light, 0.35, scene.floor_outline)
    for thing, state in there:
        if thing.wall is None:
            put_thing(canvas, scene, thing, state)
    return canvas.finish()
