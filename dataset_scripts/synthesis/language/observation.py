# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Visibility, area and position of each thing in the two images, for the sentence writer."""

from dataclasses import dataclass

import numpy as np

from dataset_scripts.synthesis.scene import ChangeType, Scene, State, Thing


_GRID = 64  # Distances are measured between cells of this grid, see `Observation.distance`.


@dataclass(frozen=True)
class Sighting:
    """
    A thing as the two images show it.

    Args:
        number (`int`): Number of the thing.
        kind (`str`): Kind of the thing.
        change (`ChangeType`, *optional*): Type of change; `None` if it did not change or the change is not visible.
        before, after (`State`, *optional*): States at t1 and t2, `None` if the thing is absent.
        area_t1, area_t2 (`int`): Visible pixels at t1 and t2.
        area (`int`): Pixels of its mask: those at t2 (appear), at t1 (disappear) or at either time (state change); 0
            if it did not change.
        center (`tuple[float, float]`): Mean (x, y) of its mask, or of its visible pixels if it did not change; shares
            of width and height.
    """

    number: int
    kind: str
    change: ChangeType | None
    before: State | None
    after: State | None
    area_t1: int
    area_t2: int
    area: int
    center: tuple[float, float]


class Observation:
    """
    The visible things of a scene.

    Args:
        scene (`Scene`): The scene.
        numbers_t1, numbers_t2 (`np.ndarray`): int16 (height, width), the number of the thing that is visible at each
            pixel of the images as they were taken.
    """

    def __init__(self, scene: Scene, numbers_t1: np.ndarray, numbers_t2: np.ndarray):
        self.scene = scene
        self.numbers_t1, self.numbers_t2 = numbers_t1, numbers_t2
        count = max((thing.number for thing in scene.things), default=0) + 1
        self._sums = tuple(_moments(numbers, count) for numbers in (numbers_t1, numbers_t2))
        self._changed = {
            thing.number: self._pixels_of_both(thing) for thing in scene.things if thing.change == "state_change"
        }
        self.sightings = [self._sight(thing) for thing in scene.things]
        self._presence = tuple(_presence(numbers, count) for numbers in (numbers_t1, numbers_t2))
        self._borders: dict[tuple[int, int], np.ndarray] = {}

    def _pixels_of_both(self, thing: Thing) -> np.ndarray:
        return (self.numbers_t1 == thing.number) | (self.numbers_t2 == thing.number)

    def mask(self, *numbers: int) -> np.ndarray:
        """Mask of changed things, bool (height, width); empty without any."""
        mask = np.zeros(self.numbers_t1.shape, dtype=bool)
        for number in numbers:
            if number in self._changed:
                mask |= self._changed[number]
            else:
                thing = next(thing for thing in self.scene.things if thing.number == number)
                mask |= (self.numbers_t2 if thing.change == "appear" else self.numbers_t1) == number
        return mask

    def distance(self, first: int, second: int, time: int, within: float = float("inf")) -> float:
        """
        Smallest distance between the visible pixels of two things.

        Args:
            first, second (`int`): Numbers of the things.
            time (`int`): 1 or 2.
            within (`float`, *optional*): Larger distances may be returned as infinite, which saves time.

        Returns:
            `float`: Share of the width. Measured between the cells of a 64 x 64 grid, so it underestimates the true
            distance by 0.044 at most. Infinite if one of the things is not visible.
        """
        cells, others = self._border_of(first, time), self._border_of(second, time)
        if not len(cells) or not len(others):
            return float("inf")
        presence = self._presence[time - 1]
        if (presence[first] & presence[second]).any():
            return 0.0
        gaps = np.maximum(others.min(axis=0) - cells.max(axis=0), cells.min(axis=0) - others.max(axis=0)) - 1
        if max(gaps) > within * _GRID:
            return float("inf")
        # An array for each axis: sums over an axis of two are slow.
        rows, columns = (np.maximum(np.abs(np.subtract.outer(cells[:, i], others[:, i])) - 1, 0) for i in (0, 1))
        return float(np.sqrt((rows * rows + columns * columns).min())) / _GRID

    def center_at(self, number: int, time: int) -> tuple[float, float]:
        """Mean (x, y) of the visible pixels of a thing at time 1 or 2, as shares of width and height."""
        area, x, y = self._sums[time - 1][:, number]
        height, width = self.numbers_t1.shape
        return float(x / area / width), float(y / area / height)

    def _border_of(self, number: int, time: int) -> np.ndarray:
        """
        Grid cells in which a thing is visible, but not in all cells around them, (count, 2). The nearest cells of two
        things that share none are among these.
        """
        key = (number, time)
        if key not in self._borders:
            present = self._presence[time - 1][number].reshape(_GRID, _GRID)
            framed = np.pad(present, 1)
            in_rows = framed[:-2] & framed[1:-1] & framed[2:]
            inside = in_rows[:, :-2] & in_rows[:, 1:-1] & in_rows[:, 2:]
            self._borders[key] = np.argwhere(present & ~inside)
        return self._borders[key]

    def _sight(self, thing: Thing) -> Sighting:
        height, width = self.numbers_t1.shape
        first, second = (sums[:, thing.number] for sums in self._sums)
        change = thing.change
        if change == "state_change":
            ys, xs = np.nonzero(self._changed[thing.number])
            total = np.array((len(xs), (xs + 0.5).sum(), (ys + 0.5).sum()))
        else:
            total = second if change == "appear" or (change is None and not first[0]) else first
        area = int(total[0])
        center = (float(total[1] / area / width), float(total[2] / area / height)) if area else (0.5, 0.5)
        return Sighting(
            number=thing.number,
            kind=thing.kind,
            change=change if area else None,
            before=thing.state_t1,
            after=thing.state_t2,
            area_t1=int(first[0]),
            area_t2=int(second[0]),
            area=area if change else 0,
            center=center,
        )


def _moments(numbers: np.ndarray, count: int) -> np.ndarray:
    """Area, sum of x and sum of y (pixel centres) of each number: (3, count)."""
    height, width = numbers.shape
    flat = numbers.reshape(-1)
    xs, ys = np.tile(np.arange(width) + 0.5, height), np.repeat(np.arange(height) + 0.5, width)
    return np.stack([np.bincount(flat, weights=weights, minlength=count) for weights in (None, xs, ys)])


def _presence(numbers: np.ndarray, count: int) -> np.ndarray:
    """Whether each number is visible in each grid cell, bool (count, _GRID * _GRID)."""
    height, width = numbers.shape
    rows, columns = np.arange(height) * _GRID // height, np.arange(width) * _GRID // width
    present = np.zeros((count, _GRID * _GRID), dtype=bool)
    present[numbers, rows[:, None] * _GRID + columns[None, :]] = True
    return present
