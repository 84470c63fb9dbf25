# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The camera of normal scenes, and the data structures of their walls, things and scenes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from dataset_scripts.synthesis.scene import Point, Rendering, Scene, State, Thing, Time

from .painting import Canvas
from .sprites import Stamp


_NEAREST = 0.3  # Near clipping plane, as a share of the distance of the nearest visible ground


@dataclass(frozen=True)
class Camera:
    """
    A camera without tilt: vertical lines stay vertical in the image, and the row of the horizon is a parameter. It
    stands at x = 0, z = 0. World coordinates are in metres: x to the right, y up, z ahead.

    Args:
        size (`int`): Width and height of the image in pixels.
        focal (`float`): Focal length: pixels per metre at a distance of one metre.
        center_x, horizon (`float`): Principal point (column, row) in pixels.
        height (`float`): Height above the ground in metres.
        degrees (`float`, *optional*, defaults to 0.0): Rotation to the right of the z axis.
    """

    size: int
    focal: float
    center_x: float
    horizon: float
    height: float
    degrees: float = 0.0

    @cached_property
    def near(self) -> float:
        """Distance of the near clipping plane in metres."""
        return max(_NEAREST, _NEAREST * self.focal * self.height / max(1.0, self.size - self.horizon))

    @cached_property
    def _turn(self) -> np.ndarray:
        """Rotation from world to camera, (3, 3), for row vectors: `points @ matrix`."""
        angle = np.deg2rad(self.degrees)
        cosine, sine = float(np.cos(angle)), float(np.sin(angle))
        return np.array(((cosine, 0.0, sine), (0.0, 1.0, 0.0), (-sine, 0.0, cosine)))

    def turned(self, points: np.ndarray) -> np.ndarray:
        """Converts world points (n, 3) to camera axes in metres: right, up from the ground, ahead."""
        return points @ self._turn

    def project(self, points: np.ndarray) -> np.ndarray:
        """Projects world points (n, 3) to pixels (n, 2). All of them must lie ahead of the camera."""
        return self._pixels(self.turned(points))

    def outline(self, points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        """Projects a flat outline (n, 3) to pixels (m, 2), clipped at the near plane; m = 0 if nothing is left."""
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
        """Distance ahead of the camera, in metres, of a point (x, z) on the ground."""
        angle = np.deg2rad(self.degrees)
        return float(x * np.sin(angle) + z * np.cos(angle))

    def foot(self, x: float, z: float, above: float = 0.0) -> Point:
        """Pixel of a point (x, z) ahead of the camera, `above` metres over the ground."""
        ((pixel_x, pixel_y),) = self.project(np.array([[x, above, z]]))
        return float(pixel_x), float(pixel_y)

    def scale(self, depth: float) -> float:
        """Pixels per metre at a distance in metres."""
        return self.focal / depth

    def place(self, pixel_x: float, pixel_y: float) -> Point:
        """Point (x, z) on the ground that a pixel below the horizon shows."""
        x, z = self.places(np.array(pixel_x), np.array(pixel_y))
        return float(x), float(z)

    def places(self, pixels_x: np.ndarray, pixels_y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Like `place`, for arrays of pixels that broadcast against each other."""
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
    A wall with its own coordinates in metres: along the wall, up, and out of it.

    Args:
        origin (`Point`): Start of the wall in the world (x, z).
        along, outward (`Point`): Unit vectors (x, z).
        length, height (`float`): Size in metres.
    """

    origin: Point
    along: Point
    outward: Point
    length: float
    height: float

    def points(self, local: np.ndarray | Sequence[Sequence[float]]) -> np.ndarray:
        """Converts points (n, 3) from wall coordinates (along, up, out) to world coordinates."""
        values = np.asarray(local, dtype=np.float64)
        along, up, out = values[:, 0], values[:, 1], values[:, 2]
        x = self.origin[0] + along * self.along[0] + out * self.outward[0]
        z = self.origin[1] + along * self.along[1] + out * self.outward[1]
        return np.stack([x, up, z], axis=1)

    def place(self, along: float, out: float = 0.0) -> Point:
        """Ground position (x, z) of a point on the wall, or `out` metres in front of it."""
        ((x, _, z),) = self.points([(along, 0.0, out)]).tolist()
        return x, z

    def outline(
        self, camera: Camera, left: float, right: float, low: float, high: float, out: float = 0.0
    ) -> np.ndarray:
        """Projects a rectangle on the wall to pixels (n, 2); see `Camera.outline`."""
        return camera.outline(
            self.points([(left, low, out), (right, low, out), (right, high, out), (left, high, out)])
        )


@dataclass(kw_only=True)
class NormalThing(Thing):
    """
    A thing in a normal scene.

    Args:
        x, y (`float`): Middle of the lower edge of its bounding box, in pixels.
        width, height (`float`): Size of its bounding box in pixels, including parts outside the image.
        depth (`float`): Distance ahead of the camera in metres.
        place (`Point`): Position in the world (x, z) in metres.
        facing (`float`): Direction of its front in degrees: 0 along the z axis, 90 to the right.
        extent (`tuple[float, float, float]`): Width, height and length in metres.
        variant (`str`): Model or shape within its kind.
        wall (`int`, *optional*): Index of the wall that it is or that it is attached to.
        along (`float`): Position of its middle along the wall, in metres.
        above (`float`): Height of its lower edge above the ground, in metres.
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
        """Bounding box (left, top, right, bottom) in pixels."""
        return self.x - self.width / 2, self.y - self.height, self.x + self.width / 2, self.y

    def state(self, time: Time) -> State | None:
        """State at time 1 or 2; `None` if it is absent."""
        return self.state_t1 if time == 1 else self.state_t2


@dataclass(kw_only=True)
class NormalScene(Scene):
    """
    Base class of the normal scenes: street, highway and room.

    Args:
        camera (`Camera`): The camera.
        seed (`int`): Seed of the appearance of the background.
        sun (`float`): Direction in the world, in degrees, from which bodies are lit.
        walls (`tuple[Wall, ...]`): Walls that things are, or that they are attached to.

    `stamps` caches drawn things by number and state, so that an unchanged thing is drawn only once for both images.
    The painters fill it. `dataclasses.replace` starts with an empty cache.
    """

    camera: Camera
    seed: int
    sun: float
    walls: tuple[Wall, ...] = ()
    stamps: dict[tuple[int, State | None], list[Stamp]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def backdrop(self) -> Rendering:
        """What never changes, without things and shadows. Painted once per scene."""
        return self._paint_backdrop().finish()

    def canvas(self) -> Canvas:
        """A canvas with the backdrop, for one of the two images."""
        return Canvas(self.size, self.backdrop.image, self.backdrop.vegetation)

    def _paint_backdrop(self) -> Canvas:
        raise NotImplementedError
