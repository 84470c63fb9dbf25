# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Data structures of a scene at t1 and t2. The painters render it twice; the sentence writer describes its changes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np


Point: TypeAlias = tuple[float, float]
Color: TypeAlias = tuple[int, int, int]
ChangeType: TypeAlias = Literal["appear", "disappear", "state_change"]
Time: TypeAlias = Literal[1, 2]
"""Which of the two images of a pair: t1, the earlier one, or t2."""
TIMES: tuple[Time, Time] = (1, 2)


@dataclass(frozen=True)
class State:
    """
    Appearance of a thing at one time.

    Args:
        color (`str`, *optional*): Colour name, a key of `COLORS`. `None` for things that nobody would tell apart by
            colour.
        condition (`str`, *optional*): Condition such as "open", "paved" or "dry"; `None` for kinds without conditions.
    """

    color: str | None = None
    condition: str | None = None


@dataclass(kw_only=True)
class Thing:
    """
    One thing of a scene. Subclasses of the worlds add its shape.

    Args:
        number (`int`): Identifier in the maps of visible things, from 1.
        kind (`str`): Kind in the singular: "house", "car", ….
        state_t1 (`State`, *optional*): State at t1, `None` if the thing is absent.
        state_t2 (`State`, *optional*): State at t2, `None` if the thing is absent. If both states exist and differ,
            the thing has changed.
        seed (`int`): Seed of its appearance, so that the appearance does not depend on what was painted before.
    """

    number: int
    kind: str
    state_t1: State | None = field(default_factory=State)
    state_t2: State | None = field(default_factory=State)
    seed: int = 0

    @property
    def change(self) -> ChangeType | None:
        """Type of change between t1 and t2, `None` if it did not change."""
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
        numbers (`np.ndarray`): int16 (height, width), number of the thing visible at each pixel, 0 for background.
        vegetation (`np.ndarray`): uint8 (height, width), 255 where plants are visible; their colour depends on the
            season.
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
        things (`Sequence[Thing]`): Things that sentences can refer to. Everything else is background.
        unnamed_kinds (`frozenset[str]`): Kinds that may also occur in the background. Their count is unknown, so no
            sentence may mention them.
    """

    domain: Literal["NS", "RS"]
    view: Literal["normal", "aerial", "satellite"]
    size: int
    things: Sequence[Thing]
    unnamed_kinds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SyntheticExpression:
    """
    A sentence with its mask.

    Args:
        text (`str`): The sentence.
        mask (`np.ndarray`): bool (height, width), the visible pixels of what the sentence refers to; all `False` for
            a no-target sentence.
        change_type (`str`): "appear", "disappear" or "state_change": the change that the sentence describes.
        noisy (`bool`): Whether the mask or the sentence was corrupted on purpose.
    """

    text: str
    mask: np.ndarray
    change_type: ChangeType
    noisy: bool = False
