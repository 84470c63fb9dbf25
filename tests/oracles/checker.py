# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The checker of the generated sentences: which pixels does a sentence refer to?

It reads nothing but the text, by the grammar of docs/synthetic_language.md, and looks at the scene and at what is seen
of it. It shares no code with what writes the sentences.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from dataset_scripts.synthesis.scene import ChangeType, Scene, State, Thing

from .checker_grammar import Description, Relation, SentenceError, parse
from .vocabulary import Change, Choice, Direction, Region


# "next to" reaches over a twentieth of the width.
NEARNESS = Fraction(1, 20)


@dataclass(frozen=True, eq=False)
class Reference:
    """
    What a sentence refers to.

    Args:
        things (`tuple[int, ...]`): Numbers of the things that are meant, in rising order; empty if nothing is meant.
        mask (`np.ndarray`): bool (height, width), the pixels of these things.
        change_type (`str`, *optional*): "appear", "disappear" or "state_change", whichever happened to all of them;
            `None` if it is not the same for all, or if nothing is meant.
    """

    things: tuple[int, ...]
    mask: np.ndarray
    change_type: ChangeType | None


def refer(text: str, scene: Scene, numbers_t1: np.ndarray, numbers_t2: np.ndarray) -> Reference:
    """
    Find what a sentence refers to.

    Args:
        text (`str`): The English sentence.
        scene (`Scene`): The things and their states at t1 and t2.
        numbers_t1 (`np.ndarray`): int16 (height, width), the number of the thing that is visible at each pixel at t1,
            0 where there is none.
        numbers_t2 (`np.ndarray`): The same at t2.

    Returns:
        `Reference`: The things and exactly the pixels that are meant.

    Raises:
        SentenceError: If the sentence is not in the language, or names things that lie unnumbered in the background.
        ValueError: If the maps do not fit each other or the scene.
    """
    sentence = parse(text, scene.domain)
    _check_named(text, scene, sentence.description)
    _check_named(text, scene, sentence.relation.landmark if sentence.relation else None)
    sights = _Sights(scene, numbers_t1, numbers_t2)
    found = [
        change
        for change in sights.changes
        if _fits_change(change, sentence.change)
        and (sentence.description is None or _fits_description(change.thing, change.states, sentence.description))
    ]
    if sentence.relation is not None:
        found = _related(found, sentence.relation, sentence.change, sights)
    if sentence.region is not None:
        found = [change for change in found if _is_in_region(change, sentence.region)]
    if sentence.choice is not None:
        found = _chosen(found, sentence.choice)
    if len(found) < sentence.least or (sentence.most is not None and len(found) > sentence.most):
        found = []
    mask = np.zeros(numbers_t1.shape, bool)
    for change in found:
        mask |= change.pixels.mask
    types = {change.type for change in found}
    return Reference(
        things=tuple(sorted(change.thing.number for change in found)),
        mask=mask,
        change_type=types.pop() if len(types) == 1 else None,
    )


class _Pixels:
    """The pixels of one thing, at one time or at both, and what is measured of them (once, and only if asked for)."""

    def __init__(self, mask: np.ndarray) -> None:
        self.mask = mask

    @cached_property
    def size(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.mask))

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """First row, last row, first column, last column."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])

    @cached_property
    def mean(self) -> tuple[Fraction, Fraction]:
        """Mean x and y in pixels, the first pixel at 1/2; exact, so that comparisons do not hang on rounding."""
        ys, xs = np.nonzero(self.mask)
        half = Fraction(1, 2)
        return Fraction(int(xs.sum()), self.size) + half, Fraction(int(ys.sum()), self.size) + half

    @cached_property
    def place(self) -> tuple[Fraction, Fraction]:
        """The mean as shares of width and height."""
        height, width = self.mask.shape
        x, y = self.mean
        return x / width, y / height


@dataclass(frozen=True, eq=False)
class _Changed:
    """A thing that changed, as it is spoken of: its pixels and its states at the time or times of reference."""

    thing: Thing
    type: ChangeType
    states: tuple[State | None, ...]
    pixels: _Pixels


class _Sights:
    """What is seen of a scene at both times."""

    def __init__(self, scene: Scene, numbers_t1: np.ndarray, numbers_t2: np.ndarray) -> None:
        if numbers_t1.ndim != 2 or numbers_t1.shape != numbers_t2.shape:
            raise ValueError(
                f"The maps of visible things must be two-dimensional and alike, not {numbers_t1.shape} and "
                f"{numbers_t2.shape}: render both at one size."
            )
        self.scene = scene
        self._numbers = {1: numbers_t1, 2: numbers_t2}
        things = {thing.number: thing for thing in scene.things}
        self._seen: dict[int, set[int]] = {}
        for time, numbers in self._numbers.items():
            self._seen[time] = seen = set(np.flatnonzero(np.bincount(numbers.ravel())).tolist()) - {0}
            for number in sorted(seen):
                if number not in things or _state(things[number], time) is None:
                    raise ValueError(
                        f"The map of t{time} shows the thing {number}, which is not in the scene at that time: "
                        "paint what the scene holds."
                    )

    @cached_property
    def changes(self) -> list[_Changed]:
        """The things that appeared, disappeared or changed their state."""
        return [change for thing in self.scene.things if (change := self._change(thing)) is not None]

    def is_seen(self, thing: Thing, times: Iterable[int]) -> bool:
        """Whether the thing is seen at all of these times."""
        return all(thing.number in self._seen[time] for time in times)

    def pixels(self, thing: Thing, times: Sequence[int]) -> _Pixels:
        """The pixels that show the thing at one of these times at least."""
        mask = self._numbers[times[0]] == thing.number
        for time in times[1:]:
            mask |= self._numbers[time] == thing.number
        return _Pixels(mask)

    def _change(self, thing: Thing) -> _Changed | None:
        """What happened to a thing, `None` if nothing did or if it is not seen."""
        before, after = thing.state_t1, thing.state_t2
        if before is None and self.is_seen(thing, (2,)):
            return _Changed(thing, "appear", (after,), self.pixels(thing, (2,)))
        if after is None and self.is_seen(thing, (1,)):
            return _Changed(thing, "disappear", (before,), self.pixels(thing, (1,)))
        seen = self.is_seen(thing, (1,)) or self.is_seen(thing, (2,))
        if before is None or after is None or before == after or not seen:
            return None
        return _Changed(thing, "state_change", (before, after), self.pixels(thing, (1, 2)))


def _state(thing: Thing, time: int) -> State | None:
    return thing.state_t1 if time == 1 else thing.state_t2


def _check_named(text: str, scene: Scene, description: Description | None) -> None:
    """Make sure that all things of a noun are numbered."""
    unnamed = sorted(description.noun.kinds & scene.unnamed_kinds) if description else []
    if description and unnamed:
        raise SentenceError(
            f"The sentence '{text}' names a '{description.noun.words}', but in this scene a {unnamed[0]} may lie "
            "unnumbered in the background: speak of another kind."
        )


def _fits_description(thing: Thing, states: Iterable[State | None], description: Description) -> bool:
    """Whether a thing in these states is what the noun names and of the colour that is asked for."""
    return thing.kind in description.noun.kinds and (
        description.color is None or all(state is not None and state.color == description.color for state in states)
    )


def _fits_change(changed: _Changed, change: Change) -> bool:
    """Whether what happened to a thing is the change that is asked for."""
    if change.type not in (None, changed.type):
        return False
    before, after = changed.states[0], changed.states[-1]
    if before is None or after is None:
        return False
    if change.after and not (
        after.condition in change.after
        and before.condition not in change.after
        and (not change.before or before.condition in change.before)
    ):
        return False
    return not change.recolored or (
        before.color is not None
        and after.color is not None
        and before.color != after.color
        and change.color_before in (None, before.color)
        and change.color_after in (None, after.color)
    )


def _related(found: list[_Changed], relation: Relation, change: Change, sights: _Sights) -> list[_Changed]:
    """The things that lie where a relation says."""
    times = {"appear": (2,), "disappear": (1,), "state_change": (1, 2)}[change.type or "state_change"]
    landmarks = [
        thing
        for thing in sights.scene.things
        if sights.is_seen(thing, times)
        and _fits_description(thing, [_state(thing, time) for time in times], relation.landmark)
    ]
    if relation.definite and len(landmarks) != 1:
        return []
    shown = [(thing, sights.pixels(thing, times[-1:])) for thing in landmarks]
    related = []
    for changed in found:
        own = sights.pixels(changed.thing, times[-1:])
        others = [pixels for thing, pixels in shown if thing is not changed.thing]
        if any(_is_related(changed, own, landmark, relation.direction) for landmark in others):
            related.append(changed)
    return related


def _is_related(changed: _Changed, own: _Pixels, landmark: _Pixels, direction: Direction) -> bool:
    """
    Whether a thing lies in a direction from a landmark, or near to it.

    Args:
        changed (`_Changed`): The thing.
        own (`_Pixels`): Its pixels at the time of reference.
        landmark (`_Pixels`): The pixels of the landmark at the same time.
        direction (`str`): Where the thing must lie.

    Returns:
        `bool`: Whether it does.
    """
    if direction == "near":
        return is_within(own.mask, landmark.mask, NEARNESS * own.mask.shape[1])
    (x, y), (landmark_x, landmark_y) = changed.pixels.mean, landmark.mean
    right, down = x - landmark_x, y - landmark_y
    along, across = {
        "left": (-right, down),
        "right": (right, down),
        "above": (-down, right),
        "below": (down, right),
    }[direction]
    return along > 0 and along >= abs(across)


def is_within(first: np.ndarray, second: np.ndarray, distance: Fraction) -> bool:
    """
    Whether two sets of pixels come as close to each other as a distance. Exact.

    Args:
        first (`np.ndarray`): bool (height, width).
        second (`np.ndarray`): bool (height, width).
        distance (`Fraction`): Largest Euclidean distance in pixels, from centre to centre.

    Returns:
        `bool`: Whether some pixel of the one is at most `distance` away from some pixel of the other; never if one of
        them is empty.
    """
    if not first.any() or not second.any():
        return False
    reach = int(distance)
    largest_square = int(distance**2)
    top, bottom, left, right = _Pixels(first).box
    window = np.s_[max(0, top - reach) : bottom + reach + 1, max(0, left - reach) : right + reach + 1]
    first, second = first[window], second[window]
    if not second.any():
        return False
    squares = _row_distances(second, reach) ** 2
    height = len(first)
    for step in range(-min(reach, height - 1), min(reach, height - 1) + 1):
        rows = slice(max(0, -step), height - max(0, step))
        shifted = slice(max(0, step), height + min(0, step))
        if (first[rows] & (squares[shifted] <= largest_square - step**2)).any():
            return True
    return False


def _row_distances(mask: np.ndarray, reach: int) -> np.ndarray:
    """Distance in pixels from each pixel to the nearest one of the mask in its row: int64 (height, width)."""
    width = mask.shape[1]
    far = width + reach + 1
    columns = np.arange(width)
    before = np.maximum.accumulate(np.where(mask, columns, -far), axis=1)
    after = np.minimum.accumulate(np.where(mask, columns, width + far)[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(columns - before, after - columns)


def _is_in_region(changed: _Changed, region: Region) -> bool:
    """Whether the place of a thing is in a part of the image."""
    x, y = changed.pixels.place
    return region.x[0] <= x < region.x[1] and region.y[0] <= y < region.y[1]


def _chosen(found: list[_Changed], choice: Choice) -> list[_Changed]:
    """The one thing that a superlative or ordinal chooses; none if there are too few, or if two come equally."""

    def value(changed: _Changed) -> Fraction:
        x, y = changed.pixels.place
        return {"x": x, "y": y, "size": Fraction(changed.pixels.size)}[choice.key]

    ordered = sorted(found, key=value, reverse=choice.descending)
    if len(ordered) < choice.rank:
        return []
    chosen = value(ordered[choice.rank - 1])
    same = [changed for changed in found if value(changed) == chosen]
    return same if len(same) == 1 else []
