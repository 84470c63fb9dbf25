# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What is where, and when: the scene that is painted twice, and that the sentences speak of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np


Point: TypeAlias = tuple[float, float]
Color: TypeAlias = tuple[int, int, int]
ChangeType: TypeAlias = Literal["appear", "disappear", "state_change"]


@dataclass(frozen=True)
class State:
    """
    How a thing is at one time.

    Args:
        color (`str`, *optional*): Name of its colour, one of the names that `COLORS` of its world defines. `None` for
            things that nobody would tell apart by colour.
        condition (`str`, *optional*): For things with conditions, such as "open", "paved" or "dry".
    """

    color: str | None = None
    condition: str | None = None


@dataclass(kw_only=True)
class Thing:
    """
    One thing of a scene. The worlds (top-down, street, room) add its shape.

    Args:
        number (`int`): Its number in the maps of what is visible, from 1.
        kind (`str`): What it is, in the singular: "house", "car", ….
        state_t1 (`State`, *optional*): How it is at t1, `None` if it is not there.
        state_t2 (`State`, *optional*): The same at t2. A thing that is there at both times with different states has
            changed.
        seed (`int`): Seeds its own look, so that nothing painted before it changes how it looks.
    """

    number: int
    kind: str
    state_t1: State | None = field(default_factory=State)
    state_t2: State | None = field(default_factory=State)
    seed: int = 0

    @property
    def change(self) -> ChangeType | None:
        """What happened to it between t1 and t2, `None` if nothing did."""
        if self.state_t1 is None:
            return "appear"
        if self.state_t2 is None:
            return "disappear"
        return None if self.state_t1 == self.state_t2 else "state_change"


@dataclass
class Rendering:
    """
    One image of a scene.

    Args:
        image (`np.ndarray`): RGB, uint8, (height, width, 3).
        numbers (`np.ndarray`): int16 (height, width), the number of the thing that is visible at each pixel, 0 where
            there is none.
        vegetation (`np.ndarray`): uint8 (height, width), 255 where plants are seen, whose colour follows the season.
    """

    image: np.ndarray
    numbers: np.ndarray
    vegetation: np.ndarray


@dataclass
class Scene:
    """
    A place at two times.

    Args:
        domain (`str`): "NS" or "RS".
        view (`str`): "normal", "aerial" or "satellite".
        size (`int`): Width and height of its images in pixels.
        things (`Sequence[Thing]`): What can be spoken of. What is never spoken of belongs to the background.
        unnamed_kinds (`frozenset[str]`): Kinds that may lie unnumbered in the background; no sentence may be about
            them, since their number is unknown.
    """

    domain: Literal["NS", "RS"]
    view: Literal["normal", "aerial", "satellite"]
    size: int
    things: Sequence[Thing]
    unnamed_kinds: frozenset[str] = frozenset()
