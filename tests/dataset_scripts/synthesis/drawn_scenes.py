# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Small scenes drawn as rectangles, for the tests of the checker."""

from typing import Literal, NamedTuple

import numpy as np

from dataset_scripts.synthesis.scene import Scene, State, Thing
from tests.oracles.checker import Reference, refer


SIZE = 120  # 5 % are 6 pixels, a third is 40 pixels
THERE = State()

Domain = Literal["NS", "RS"]
Box = tuple[int, int, int, int]  # left, top, right, bottom, the last two not included


class Drawn(NamedTuple):
    """A thing as a rectangle, or as one rectangle at t1 and another one at t2."""

    kind: str
    before: State | None
    after: State | None
    box: Box
    box_t2: Box | None = None


class DrawnPair(NamedTuple):
    """A scene and what is seen of it; later things cover earlier ones."""

    scene: Scene
    numbers_t1: np.ndarray
    numbers_t2: np.ndarray

    def refer(self, text: str) -> Reference:
        return refer(text, *self)

    def things(self, text: str) -> tuple[int, ...]:
        return self.refer(text).things


def draw(*drawn: Drawn, domain: Domain = "RS", unnamed: tuple[str, ...] = ()) -> DrawnPair:
    numbers = np.zeros((2, SIZE, SIZE), np.int16)
    things = []
    for number, (kind, before, after, box, box_t2) in enumerate(drawn, start=1):
        things.append(Thing(number=number, kind=kind, state_t1=before, state_t2=after))
        for at, (state, (left, top, right, bottom)) in enumerate(((before, box), (after, box_t2 or box))):
            if state is not None:
                numbers[at, top:bottom, left:right] = number
    view: Literal["normal", "satellite"] = "normal" if domain == "NS" else "satellite"
    return DrawnPair(Scene(domain, view, SIZE, things, frozenset(unnamed)), numbers[0], numbers[1])


def box_at(x: int, y: int, half: int = 4) -> Box:
    return x - half, y - half, x + half, y + half


def new(kind: str, x: int, y: int, color: str | None = None, half: int = 4) -> Drawn:
    return Drawn(kind, None, State(color), box_at(x, y, half))


def gone(kind: str, x: int, y: int, color: str | None = None, half: int = 4) -> Drawn:
    return Drawn(kind, State(color), None, box_at(x, y, half))


def kept(kind: str, x: int, y: int, color: str | None = None, half: int = 4) -> Drawn:
    return Drawn(kind, State(color), State(color), box_at(x, y, half))


def row_of(*things: tuple[str, State | None, State | None], domain: Domain = "RS") -> DrawnPair:
    """Things beside one another."""
    return draw(*(Drawn(*thing, box_at(10 + 12 * at, 60)) for at, thing in enumerate(things)), domain=domain)
