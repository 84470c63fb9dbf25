# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The world "above": places seen from above, their things, and their changes between t1 and t2."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from dataset_scripts.synthesis.render.palette import other_color
from dataset_scripts.synthesis.scene import State

from .layouts import LAYOUTS, grow_woods
from .planner import FIELD_CONDITIONS, ROOF_COLORS, GroundScene, GroundThing, Planner


# Kind -> weight of being chosen to change, and shares of appear, disappear and state change.
_CHANGES: dict[str, tuple[float, tuple[float, float, float]]] = {
    "house": (1.0, (0.58, 0.20, 0.22)),
    "warehouse": (0.9, (0.6, 0.4, 0.0)),
    "greenhouse": (0.9, (0.6, 0.4, 0.0)),
    "car": (0.8, (0.5, 0.5, 0.0)),
    "truck": (0.9, (0.5, 0.5, 0.0)),
    "tree": (0.35, (0.4, 0.6, 0.0)),
    "forest": (1.0, (0.25, 0.75, 0.0)),
    "pool": (1.0, (0.45, 0.15, 0.4)),
    "pond": (1.6, (0.25, 0.1, 0.65)),
    "field": (0.9, (0.0, 0.0, 1.0)),
    "road": (0.7, (0.45, 0.0, 0.55)),
}
_CONDITIONS = {
    "pond": ("full", "low", "dry"),
    "pool": ("full", "empty"),
    "field": FIELD_CONDITIONS,
    "road": ("dirt", "paved"),
}


def change_things(random: np.random.Generator, things: Sequence[GroundThing], size: int) -> None:
    """
    Chooses the changes between t1 and t2, in place.

    In half of the scenes, most changes are of one kind and type, as in the published data.

    Args:
        random (`np.random.Generator`): Random generator.
        things (`Sequence[GroundThing]`): The things, unchanged so far.
        size (`int`): Side of the image in pixels. Things whose middle is outside the image do not change.
    """
    inside = [thing for thing in things if all(0.02 * size < value < 0.98 * size for value in thing.center)]
    if not inside or random.random() < 0.04:
        return
    weights = np.array([_CHANGES[thing.kind][0] for thing in inside])
    count = min(len(inside), int(random.integers(2, 8)))
    chosen = list(random.choice(len(inside), size=count, replace=False, p=weights / weights.sum()))
    if random.random() < 0.5:
        kind = inside[chosen[0]].kind
        alike = [index for index, thing in enumerate(inside) if thing.kind == kind and index not in chosen]
        chosen += [index for index in alike if random.random() < 0.5]
        common = _sample_change(random, kind)
        for index in chosen:
            thing = inside[index]
            same = thing.kind == kind and random.random() < 0.8
            _apply(random, thing, common if same else _sample_change(random, thing.kind))
        return
    for index in chosen:
        _apply(random, inside[index], _sample_change(random, inside[index].kind))


def clear_new_roads(things: Sequence[GroundThing]) -> None:
    """Removes vehicles at t1 from roads that only exist at t2, in place."""
    for road in things:
        if road.kind != "road" or road.change != "appear":
            continue
        line = np.array(road.outline)
        for thing in things:
            if thing.kind in ("car", "truck") and np.hypot(*(line - thing.center).T).min() < road.width * 0.75:
                thing.state_t2 = thing.state_t2 or thing.state_t1
                thing.state_t1 = None


def _sample_change(random: np.random.Generator, kind: str) -> str:
    return str(random.choice(("appear", "disappear", "state_change"), p=_CHANGES[kind][1]))


def _apply(random: np.random.Generator, thing: GroundThing, change: str) -> None:
    state = thing.state_t1
    assert state is not None
    if change == "appear":
        thing.state_t1 = None
    elif change == "disappear":
        thing.state_t2 = None
    elif thing.kind == "house":
        thing.state_t2 = State(other_color(state.color, ROOF_COLORS, random))
    elif thing.kind == "road":
        thing.state_t1, thing.state_t2 = State(None, "dirt"), State(None, "paved")
    else:
        other = [condition for condition in _CONDITIONS[thing.kind] if condition != state.condition]
        thing.state_t2 = State(None, str(random.choice(other)))


def sample_remote_sensing(random: np.random.Generator, size: int) -> GroundScene:
    """
    Samples a place seen from above and its changes.

    Args:
        random (`np.random.Generator`): Random generator.
        size (`int`): Width and height of the images in pixels.

    Returns:
        `GroundScene`: The scene. Things are numbered in the order of their placement.
    """
    view: Literal["aerial", "satellite"] = "aerial" if random.random() < 0.6 else "satellite"
    metre = size / 256 * float(random.uniform(2.0, 3.4) if view == "aerial" else random.uniform(1.3, 2.1))
    planner = Planner(random, size, metre)
    name = str(random.choice(list(LAYOUTS)))
    ground = LAYOUTS[name](planner)
    woods = grow_woods(planner, name) if random.random() < 0.55 else None
    if woods is None:
        planner.scatter(int(random.integers(3, 16)), 40, planner.add_tree)
    change_things(random, planner.things, size)
    clear_new_roads(planner.things)
    return GroundScene(
        domain="RS",
        view=view,
        size=size,
        things=planner.things,
        unnamed_kinds=frozenset() if woods is None else frozenset(("tree", "forest")),
        metre=metre,
        ground=ground,
        seed=int(random.integers(1 << 31)),
        lots=planner.lots,
        tracks=planner.tracks,
        woods=woods,
    )
