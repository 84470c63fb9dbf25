# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Placement of the things of normal scenes, and the choice of those that change between the two times."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from dataset_scripts.synthesis.render.palette import other_color
from dataset_scripts.synthesis.render.perspective import Camera, NormalThing
from dataset_scripts.synthesis.scene import Point, State


_NO_CHANGE = 0.05  # Share of scenes without change
_FEWEST, _MOST = 2, 6  # Number of changed things per scene
_CHANGED_SHARE = 0.55  # Largest share of things that change; the others serve as distractors
_FOCUS = 0.55  # Probability that the next changed thing is of the same kind as the last one
_VISIBLE_AREA = 150  # Least visible pixels of the box of a changed thing, for images of 256 x 256
_SEEN = 0.5  # Least visible share of the box of a changed thing
_CROWDED = 0.7  # Largest share of the box of a thing that another one may cover
_FIXED = frozenset({"building", "door"})  # Never appear or disappear
_TURNED = {"open": "closed", "closed": "open", "on": "off", "off": "on"}
_REPAINTED = frozenset({"building", "sign", "picture"})
_SPARED = 0.7  # Probability of drawing again when a kind is chosen that never appears or disappears
_MATCHED = 0.4  # Probability that an unchanged thing takes the colour of a changed one of its kind
_STATE_CHANGE = 0.45  # Probability of a state change, for things that can change their state

Box = tuple[float, float, float, float]


class Layout:
    """
    Collects the things of a scene. A thing is only added if there is room for it.

    Args:
        random (`np.random.Generator`): Random generator for the seeds.
        camera (`Camera`): The camera.
    """

    def __init__(self, random: np.random.Generator, camera: Camera):
        self.random = random
        self.camera = camera
        self.things: list[NormalThing] = []
        self._grounds: list[tuple[Point, float]] = []

    def add(
        self,
        kind: str,
        box: Box,
        depth: float,
        state: State,
        *,
        place: Point = (0.0, 0.0),
        facing: float = 0.0,
        extent: tuple[float, float, float] = (1.0, 1.0, 1.0),
        variant: str = "",
        wall: int | None = None,
        along: float = 0.0,
        above: float = 0.0,
        free: float | None = None,
        cut: float = 0.5,
    ) -> NormalThing | None:
        """
        Adds a thing if it is visible, does not hide another one and is not hidden itself.

        Args:
            kind, depth, state, place, facing, extent, variant, wall, along, above: See `NormalThing`.
            box (`Box`): Bounding box (left, top, right, bottom) in pixels.
            free (`float`, *optional*): Distance in metres to other things; half of its width if `None`. Use 0 for
                things that stand on another thing or hang on a wall.
            cut (`float`, *optional*, defaults to 0.5): Largest share of its box outside the image.

        Returns:
            `NormalThing`, *optional*: The added thing, or `None` if there is no room.
        """
        reach = free if free is not None else extent[0] / 2
        feet = _feet(place, facing, extent, reach) if reach else []
        if not self._shows(box, cut) or not self._is_free(feet, reach):
            return None
        left, top, right, bottom = box
        thing = NormalThing(
            number=len(self.things) + 1,
            kind=kind,
            state_t1=state,
            state_t2=state,
            seed=int(self.random.integers(2**31)),
            x=(left + right) / 2,
            y=bottom,
            width=right - left,
            height=bottom - top,
            depth=depth,
            place=place,
            facing=facing,
            extent=extent,
            variant=variant,
            wall=wall,
            along=along,
            above=above,
        )
        if any(_crowd(thing, other) for other in self.things):
            return None
        self.things.append(thing)
        self._grounds += [(foot, reach) for foot in feet]
        return thing

    def stand(
        self,
        kind: str,
        place: Point,
        state: State,
        extent: tuple[float, float, float],
        *,
        facing: float = 0.0,
        variant: str = "",
        above: float = 0.0,
        free: float | None = None,
        cut: float = 0.5,
    ) -> NormalThing | None:
        """Adds an upright thing with an extent (width, height, length) in metres at a place (x, z); see `add`."""
        depth = self.camera.depth(*place)
        if depth < 0.8:
            return None
        x, y = self.camera.foot(*place, above)
        scale = self.camera.scale(depth)
        half, high = extent[0] * scale / 2, extent[1] * scale
        box = (x - half, y - high, x + half, y)
        return self.add(
            kind,
            box,
            depth,
            state,
            place=place,
            facing=facing,
            extent=extent,
            variant=variant,
            above=above,
            free=free,
            cut=cut,
        )

    def _shows(self, box: Box, cut: float) -> bool:
        """Whether the image shows a box, of which the share `cut` may lie outside."""
        left, top, right, bottom = box
        size = self.camera.size
        inside = max(0.0, min(right, size) - max(left, 0)) * max(0.0, min(bottom, size) - max(top, 0))
        area = (right - left) * (bottom - top)
        return inside > 0 and inside >= (1 - cut) * area

    def _is_free(self, feet: Sequence[Point], reach: float) -> bool:
        """Whether the ground around some points (x, z) is free, within `reach` metres."""
        return not any(np.hypot(x - a, z - b) < reach + other for x, z in feet for (a, b), other in self._grounds)


def _crowd(thing: NormalThing, other: NormalThing) -> bool:
    """Whether one of two things hides too much of the other one; buildings are not considered."""
    if "building" in (thing.kind, other.kind):
        return False
    nearer, farther = (thing, other) if thing.depth < other.depth else (other, thing)
    return _overlap(farther.box, nearer.box) > _CROWDED


def _feet(place: Point, facing: float, extent: tuple[float, float, float], reach: float) -> list[Point]:
    """Centres (x, z) of circles with radius `reach` that cover the footprint of a thing."""
    count = max(1, int(np.ceil(extent[2] / (2 * reach))))
    angle = np.deg2rad(facing)
    steps = ((order + 0.5) / count - 0.5 for order in range(count))
    ahead = [extent[2] * step for step in steps]
    return [(place[0] + a * float(np.sin(angle)), place[1] + a * float(np.cos(angle))) for a in ahead]


def _overlap(box: Box, other: Box) -> float:
    """Share of `box` that `other` covers."""
    across = min(box[2], other[2]) - max(box[0], other[0])
    down = min(box[3], other[3]) - max(box[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    return across * down / max(1e-9, (box[2] - box[0]) * (box[3] - box[1]))


def _covered(thing: NormalThing, others: Sequence[NormalThing], size: int) -> float:
    """Share of the box of a thing that is outside the image or covered by the boxes of other things."""
    left, top, right, bottom = thing.box
    columns = np.linspace(left, right, 9)[:-1] + (right - left) / 16
    rows = np.linspace(top, bottom, 9)[:-1] + (bottom - top) / 16
    seen = np.ones((8, 8), dtype=bool)
    seen &= ((columns >= 0) & (columns < size))[None, :] & ((rows >= 0) & (rows < size))[:, None]
    for other in others:
        a, b, c, d = other.box
        # Most things do not fill the corners of their boxes.
        a, c = a + 0.1 * (c - a), c - 0.1 * (c - a)
        seen &= ~(((columns > a) & (columns < c))[None, :] & ((rows > b) & (rows < d))[:, None])
    return 1 - float(seen.mean())


def well_seen(thing: NormalThing, things: Sequence[NormalThing], size: int) -> bool:
    """Whether enough of a thing is visible for sentences to refer to it."""
    nearer = [other for other in things if other.depth < thing.depth and _overlap(thing.box, other.box) > 0]
    share = 1 - _covered(thing, nearer, size)
    area = thing.width * thing.height * share * (256 / size) ** 2
    return share >= _SEEN and area >= _VISIBLE_AREA and min(thing.width, thing.height) >= 6 * size / 256


def assign_changes(
    random: np.random.Generator,
    things: Sequence[NormalThing],
    size: int,
    colors: Mapping[str, Sequence[str]],
    settled: frozenset[int] = frozenset(),
) -> list[NormalThing]:
    """
    Chooses things that appear, disappear or change their state.

    Args:
        random (`np.random.Generator`): Random generator.
        things (`Sequence[NormalThing]`): All things, unchanged so far, in the order of their numbers.
        size (`int`): Width of the image in pixels.
        colors (`Mapping[str, Sequence[str]]`): Kind -> colours that it can be repainted in.
        settled (`frozenset[int]`, *optional*): Numbers of things that must not change.

    Returns:
        `list[NormalThing]`: All things, some of them changed.
    """
    result = list(things)
    if random.random() < _NO_CHANGE:
        return result
    candidates = [
        index for index, thing in enumerate(things) if thing.number not in settled and well_seen(thing, things, size)
    ]
    most = min(_MOST, max(_FEWEST, round(_CHANGED_SHARE * len(things))), len(candidates))
    count = int(random.integers(min(_FEWEST, most), most + 1)) if most else 0
    last = ""
    for _ in range(count):
        same = [index for index in candidates if things[index].kind == last]
        pool = same if same and random.random() < _FOCUS else candidates
        kinds = sorted({things[index].kind for index in pool})
        kind = kinds[int(random.integers(len(kinds)))]
        if kind in _FIXED and random.random() < _SPARED:
            kind = kinds[int(random.integers(len(kinds)))]
        pool = [index for index in pool if things[index].kind == kind]
        index = pool[int(random.integers(len(pool)))]
        candidates.remove(index)
        last = kind
        result[index] = _changed(random, things[index], colors)
    _match_colors(random, result)
    return result


def _match_colors(random: np.random.Generator, things: list[NormalThing]) -> None:
    """Gives unchanged things the colour of a changed one of their kind, so that colour alone does not identify it."""
    for changed in [thing for thing in things if thing.change]:
        state = changed.state_t1 or changed.state_t2
        alike = [index for index, thing in enumerate(things) if thing.kind == changed.kind and not thing.change]
        if alike and state is not None and state.color is not None and random.random() < _MATCHED:
            index = alike[int(random.integers(len(alike)))]
            before = things[index].state_t1
            if before is not None:
                same = State(state.color, before.condition)
                things[index] = replace(things[index], state_t1=same, state_t2=same)


def _changed(random: np.random.Generator, thing: NormalThing, colors: Mapping[str, Sequence[str]]) -> NormalThing:
    state = thing.state_t1
    if state is None:
        raise ValueError(f"Thing {thing.number} must be there before its changes are chosen.")
    others = []
    if state.condition in _TURNED:
        others.append(State(state.color, _TURNED[state.condition]))
    if thing.kind in _REPAINTED:
        others.append(State(other_color(state.color, colors[thing.kind], random), state.condition))
    if others and (thing.kind in _FIXED or random.random() < _STATE_CHANGE):
        return replace(thing, state_t2=others[int(random.integers(len(others)))])
    return replace(thing, state_t1=None) if random.random() < 0.5 else replace(thing, state_t2=None)
