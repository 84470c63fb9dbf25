# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Polyhedral bodies and their projection by a camera."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dataset_scripts.synthesis.render.palette import scaled
from dataset_scripts.synthesis.render.perspective import Camera
from dataset_scripts.synthesis.render.sprites import Sprite, bounds
from dataset_scripts.synthesis.scene import Color, Point


_SIDE, _ABOVE, _SUN = 0.98, 0.1, 0.09  # Brightness of vertical faces; additions for faces that point up and to the sun


@dataclass(frozen=True)
class Face:
    """
    Args:
        corners (`tuple[tuple[float, float, float], ...]`): (x, y, z) in metres, clockwise as seen from outside
            (x to the right, y upwards, z ahead).
        material (`str`): Name of the material, which is given a colour when the body is drawn.
        detail (`bool`, *optional*, defaults to `False`): Whether the face is omitted when the body is small.
    """

    corners: tuple[tuple[float, float, float], ...]
    material: str
    detail: bool = False


@dataclass(frozen=True)
class Solid:
    """
    A body that stands on the ground around the origin, its front towards +z.

    Args:
        faces (`tuple[Face, ...]`): Faces in drawing order; later ones may hide earlier ones.
    """

    faces: tuple[Face, ...]

    @cached_property
    def corners(self) -> np.ndarray:
        """Corners of all faces in order, (n, 3)."""
        return np.array([corner for face in self.faces for corner in face.corners])

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Start and end index of the corners of each face."""
        ends = np.cumsum([len(face.corners) for face in self.faces]).tolist()
        return list(zip([0, *ends[:-1]], ends))

    @cached_property
    def padded(self) -> np.ndarray:
        """Corner indices of each face, (faces, most corners), padded by repeating the last one."""
        most = max(stop - start for start, stop in self.spans)
        return np.array([[min(start + step, stop - 1) for step in range(most)] for start, stop in self.spans])

    @cached_property
    def normals(self) -> np.ndarray:
        """Outward unit normals of the faces, (faces, 3)."""
        normals = np.zeros((len(self.faces), 3))
        for row, (start, stop) in enumerate(self.spans):
            points = self.corners[start:stop]
            normals[row] = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)
        return normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-9)

    def placed(
        self, place: Point, facing: float, scale: Sequence[float] = (1.0, 1.0, 1.0), above: float = 0.0
    ) -> np.ndarray:
        """
        Returns the corners in the world, (n, 3): scaled along x, y, z, rotated by `facing` degrees, and placed at
        (x, z), `above` metres over the ground.
        """
        world = standing(self.corners, place, facing, scale)
        world[:, 1] += above
        return world

    def draw(
        self,
        sprite: Sprite,
        camera: Camera,
        world: np.ndarray,
        facing: float,
        materials: Mapping[str, Color],
        *,
        details: bool = True,
        sun: float = 90.0,
    ) -> None:
        """
        Draws the faces that are turned to the camera.

        Args:
            sprite (`Sprite`): Sprite to draw on.
            camera (`Camera`): The camera.
            world (`np.ndarray`): Corners from `placed`. All of them must lie ahead of the camera.
            facing (`float`): The same value as for `placed`.
            materials (`Mapping[str, Color]`): Material -> colour.
            details (`bool`, *optional*, defaults to `True`): Whether to draw faces marked as detail.
            sun (`float`, *optional*, defaults to 90.0): Horizontal direction of the sun in degrees.
        """
        pixels = camera.project(world)
        shape = pixels[self.padded]
        following = np.roll(shape, -1, axis=1)
        areas = (shape[..., 0] * following[..., 1] - following[..., 0] * shape[..., 1]).sum(axis=1)
        angle = np.deg2rad(sun - facing)
        sunny = self.normals[:, 0] * np.sin(angle) + self.normals[:, 2] * np.cos(angle)
        brightness = (_SIDE + _ABOVE * self.normals[:, 1] + _SUN * sunny).tolist()
        for row in np.nonzero(areas > 0.5)[0].tolist():
            face = self.faces[row]
            if details or not face.detail:
                start, stop = self.spans[row]
                sprite.polygon(pixels[start:stop], scaled(materials[face.material], brightness[row]))


def standing(points: np.ndarray, place: Point, facing: float, scale: Sequence[float] = (1.0, 1.0, 1.0)) -> np.ndarray:
    """Places points (n, 3) of a body in the world: scales, rotates (by `facing` degrees) and moves them."""
    angle = np.deg2rad(facing)
    cosine, sine = np.cos(angle), np.sin(angle)
    x, y, z = points[:, 0] * scale[0], points[:, 1] * scale[1], points[:, 2] * scale[2]
    return np.stack([x * cosine + z * sine + place[0], y, z * cosine - x * sine + place[1]], axis=1)


def solid_box(
    camera: Camera, place: Point, facing: float, extent: tuple[float, float, float]
) -> tuple[float, float, float, float] | None:
    """Bounding box (left, top, right, bottom) in pixels of a body; `None` if part of it is behind the camera."""
    width, height, length = extent
    ends = [(a * width / 2, y, b * length / 2) for a in (-1, 1) for b in (-1, 1) for y in (0.0, height * 0.95)]
    world = standing(np.array(ends), place, facing)
    if camera.turned(world)[:, 2].min() < 1.5:
        return None
    return bounds(camera.project(world))


def box(
    width: float,
    height: float,
    length: float,
    material: str,
    *,
    center: tuple[float, float, float] = (0.0, 0.0, 0.0),
    inset: float = 0.0,
    detail: bool = False,
) -> list[Face]:
    """
    Faces of a box. `center` is the middle of its base; the top is smaller by `inset` metres on each side.
    """
    middle, low, back = center
    loops = []
    for level, less in ((low, 0.0), (low + height, inset)):
        x, z = width / 2 - less, length / 2 - less
        loops.append(
            [(middle + a * x, level, back + b * z) for a, b in ((-1.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, -1.0))]
        )
    return loft(loops, [material], detail=detail)


def ring(radius: float, level: float, sides: int) -> list[tuple[float, float, float]]:
    """Corners of a horizontal circle around the origin, as a loop for `loft`."""
    turns = np.linspace(0, 2 * np.pi, sides, endpoint=False)[::-1]
    return [(radius * float(np.cos(turn)), level, radius * float(np.sin(turn))) for turn in turns]


def loft(
    loops: Sequence[Sequence[tuple[float, float, float]]], materials: Sequence[str], *, detail: bool = False
) -> list[Face]:
    """
    Faces between consecutive loops of corners, and the top face, which has the last material. Loops are given from
    bottom to top, each clockwise seen from above (x to the right, z ahead).
    """
    faces = []
    for lower, upper, material in zip(loops, loops[1:], materials):
        for index in range(len(lower)):
            corners = (lower[index - 1], lower[index], upper[index], upper[index - 1])
            faces.append(Face(corners, material, detail))
    faces.append(Face(tuple(loops[-1]), materials[-1], detail))
    return faces
