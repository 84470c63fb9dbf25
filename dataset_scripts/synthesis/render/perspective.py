# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The camera of a normal view, the things that stand before it, and how they change between the two times."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from dataset_scripts.synthesis.scene import Point, Scene, State, Thing

from .sprites import Stamp


_NEAREST = 0.3  # Outlines are cut off at this share of the distance at which the ground comes into sight


@dataclass(frozen=True)
class Camera:
    """
    A camera that looks level (what it sees below or above the middle is a matter of where its horizon lies), so that
    upright lines stay upright. It stands at x = 0, z = 0 of a world with x to the right, y upwards and z ahead, in
    metres.

    Args:
        size (`int`): Width and height of the image in pixels.
        focal (`float`): Pixels per metre at a distance of one metre.
        center_x, horizon (`float`): The pixel that it points at.
        height (`float`): Metres above the ground.
        degrees (`float`, *optional*, defaults to 0.0): How far it is turned to the right of the z axis.
    """

    size: int
    focal: float
    center_x: float
    horizon: float
    height: float
    degrees: float = 0.0

    @cached_property
    def near(self) -> float:
        """Metres ahead at which outlines are cut off, lest they reach far beyond the image."""
        return max(_NEAREST, _NEAREST * self.focal * self.height / max(1.0, self.size - self.horizon))

    @cached_property
    def _turn(self) -> np.ndarray:
        """World to camera, (3, 3), to be multiplied from the right."""
        angle = np.deg2rad(self.degrees)
        cosine, sine = float(np.cos(angle)), float(np.sin(angle))
        return np.array(((cosine, 0.0, sine), (0.0, 1.0, 0.0), (-sine, 0.0, cosine)))

    def turned(self, points: np.ndarray) -> np.ndarray:
        """World points (n, 3) as the camera sees them: metres to its right, upwards from the ground, and ahead."""
        return points @ self._turn

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (n, 3), all of them ahead, as pixels (n, 2)."""
        return self._pixels(self.turned(points))

    def outline(self, points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        """A flat outline (n, 3) in the world as pixels (m, 2); what lies behind is cut off, perhaps all (m = 0)."""
        seen = self.turned(np.asarray(points, dtype=np.float64))
        ahead = seen[:, 2] > self.near
        if ahead.all():
            return self._pixels(seen)
        kept: list[np.ndarray] = []
        for index in range(len(seen)):
            here, following = seen[index - 1], seen[index]
            if ahead[index - 1] != ahead[index]:
                kept.append(here + (following - here) * (self.near - here[2]) / (following[2] - here[2]))
            if ahead[index]:
                kept.append(following)
        return self._pixels(np.array(kept)) if kept else np.zeros((0, 2))

    def depth(self, x: float, z: float) -> float:
        """Metres ahead of a place on the ground."""
        angle = np.deg2rad(self.degrees)
        return float(x * np.sin(angle) + z * np.cos(angle))

    def foot(self, x: float, z: float, above: float = 0.0) -> Point:
        """The pixel of a place that lies ahead on the ground or some metres above it."""
        ((pixel_x, pixel_y),) = self.project(np.array([[x, above, z]]))
        return float(pixel_x), float(pixel_y)

    def scale(self, depth: float) -> float:
        """Pixels per metre at a distance in metres."""
        return self.focal / depth

    def place(self, pixel_x: float, pixel_y: float) -> Point:
        """Where on the ground (x, z) a pixel below the horizon looks."""
        x, z = self.places(np.array(pixel_x), np.array(pixel_y))
        return float(x), float(z)

    def places(self, pixels_x: np.ndarray, pixels_y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same for arrays that broadcast against each other."""
        angle = np.deg2rad(self.degrees)
        cosine, sine = float(np.cos(angle)), float(np.sin(angle))
        ahead = self.focal * self.height / (pixels_y - self.horizon)
        right = (pixels_x - self.center_x) * ahead / self.focal
        return right * cosine + ahead * sine, ahead * cosine - right * sine

    def _pixels(self, seen: np.ndarray) -> np.ndarray:
        factor = self.focal / np.maximum(seen[:, 2], _NEAREST)
        pixels = np.empty((len(seen), 2))
        pixels[:, 0] = self.center_x + factor * seen[:, 0]
        pixels[:, 1] = self.horizon + factor * (self.height - seen[:, 1])
        return pixels


@dataclass(frozen=True)
class Wall:
    """
    A frame of reference: metres along the wall, upwards, and out of it.

    Args:
        origin (`Point`): Where it begins in the world (x, z).
        along, outward (`Point`): Directions (x, z) of length 1.
        length, height (`float`): Metres.
    """

    origin: Point
    along: Point
    outward: Point
    length: float
    height: float

    def points(self, local: np.ndarray | Sequence[Sequence[float]]) -> np.ndarray:
        """Points (n, 3) of the wall (along, up, out) in the world."""
        values = np.asarray(local, dtype=np.float64)
        along, up, out = values[:, 0], values[:, 1], values[:, 2]
        x = self.origin[0] + along * self.along[0] + out * self.outward[0]
        z = self.origin[1] + along * self.along[1] + out * self.outward[1]
        return np.stack([x, up, z], axis=1)

    def place(self, along: float, out: float = 0.0) -> Point:
        """The foot (x, z) of a point of the wall."""
        ((x, _, z),) = self.points([(along, 0.0, out)]).tolist()
        return x, z

    def outline(
        self, camera: Camera, left: float, right: float, low: float, high: float, out: float = 0.0
    ) -> np.ndarray:
        """A rectangle on the wall as pixels (n, 2), see `Camera.outline`."""
        return camera.outline(
            self.points([(left, low, out), (right, low, out), (right, high, out), (left, high, out)])
        )


@dataclass(kw_only=True)
class NormalThing(Thing):
    """
    A thing that stands before the camera.

    Args:
        x, y (`float`): Middle of its lower edge in pixels, where it stands.
        width, height (`float`): Of its box in pixels, also where the image's rim cuts it.
        depth (`float`): Metres ahead of the camera.
        place (`Point`): Where it stands in the world (x, z), in metres.
        facing (`float`): Degrees: 0 faces along the z axis, 90 to the right.
        extent (`tuple[float, float, float]`): Metres: width, height, length.
        variant (`str`): Which of the models of its kind.
        wall (`int`, *optional*): For what is a wall or is on one: the index of the wall among those of the scene.
        along (`float`): For what is on a wall: metres along it of its middle.
        above (`float`): Metres of its lower edge above the ground.
    """

    x: float
    y: float
    width: float
    height: float
    depth: float
    place: Point = (0.0, 0.0)
    facing: float = 0.0
    extent: tuple[float, float, float] = (1.0, 1.0, 1.0)
    variant: str = ""
    wall: int | None = None
    along: float = 0.0
    above: float = 0.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels."""
        return self.x - self.width / 2, self.y - self.height, self.x + self.width / 2, self.y

    def state(self, time: int) -> State | None:
        """How it is at time 1 or 2."""
        return self.state_t1 if time == 1 else self.state_t2


@dataclass(kw_only=True)
class NormalScene(Scene):
    """
    What the normal views have in common.

    Args:
        camera (`Camera`): What it is seen with.
        seed (`int`): Seeds the look of the background.
        sun (`float`): Direction in the world in degrees from which bodies are lit.
        walls (`tuple[Wall, ...]`): Those that things stand for or hang on.

    `stamps` holds what has been drawn already, by number and state, so that the second image need not draw it again.
    It is filled by the painters; `dataclasses.replace` begins a new one.
    """

    camera: Camera
    seed: int
    sun: float
    walls: tuple[Wall, ...] = ()
    stamps: dict[tuple[int, State | None], list[Stamp]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )
