# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Cuts a scene into overlapping windows. Needs none of the packages that read rasters."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from modeling_mtrefseg.canvas_mtrefseg import NORMAL_SCENE, SHRINK_LIMIT, Window


OVERLAP = 0.25
"""Default share of a window's side that overlaps with the next one."""
USUAL_PIXEL_SIZE = 0.5
"""Assumed metres per pixel of images from above without a known resolution, such as the PNG files of most public
datasets."""


class Box(NamedTuple):
    """A part of a scene in pixels: left, top, width, height."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class WindowPlan:
    """
    The windows of a scene, in rows from the top.

    Args:
        width, height (`int`): Size of the scene in pixels.
        window_width, window_height (`int`): Size of every window.
        lefts, tops (`tuple[int, ...]`): Left and top edges of the windows.
        overlap (`float`): Minimum share of their side that neighbours overlap.
    """

    width: int
    height: int
    window_width: int
    window_height: int
    lefts: tuple[int, ...]
    tops: tuple[int, ...]
    overlap: float = OVERLAP

    @property
    def is_whole(self) -> bool:
        """Whether one window covers everything."""
        return len(self.lefts) == len(self.tops) == 1

    @property
    def count(self) -> int:
        """Number of windows."""
        return len(self.lefts) * len(self.tops)

    def boxes(self, top: int) -> list[Box]:
        """The windows of a row."""
        return [Box(left, top, self.window_width, self.window_height) for left in self.lefts]


def plan_windows(width: int, height: int, side: int, offset: int = 0, overlap: float = OVERLAP) -> WindowPlan:
    """
    Covers a scene with windows of one size that overlap.

    Args:
        width, height (`int`): Size of the scene in pixels.
        side (`int`): Side of a window; if the scene is shorter along an axis, windows are as long as the scene.
        offset (`int`, *optional*, defaults to 0): Moves the windows to the left and up; not negative.
        overlap (`float`, *optional*, defaults to 0.25): Minimum share of their side that neighbours overlap.
    """
    window_width, window_height = min(side, width), min(side, height)
    lefts, tops = (
        _starts(length, window, offset, overlap) for length, window in ((width, window_width), (height, window_height))
    )
    return WindowPlan(width, height, window_width, window_height, lefts, tops, overlap)


def _starts(length: int, window: int, offset: int, overlap: float) -> tuple[int, ...]:
    last = length - window
    step = max(1, window - round(window * overlap))
    if not offset:
        # Evenly, so that the additional overlap is distributed over all windows.
        return tuple(int(start) for start in np.linspace(0, last, -(-last // step) + 1))
    return tuple(sorted({min(max(start, 0), last) for start in range(-offset, last + step, step)}))


def window_side(
    window: Window,
    width: int,
    height: int,
    canvas: int,
    pixel_size: float | None,
    trained_pixel_size: float | None,
    domain: str | None = None,
) -> int:
    """
    Side of the windows in pixels of the scene.

    Args:
        window (`int` or `str`): The side; `"auto"` for the canvas at the resolution that the model was trained at;
            `"off"` for one window.
        width, height (`int`): Size of the scene.
        canvas (`int`): Side of the model's canvas.
        pixel_size (`float`, *optional*): Ground resolution of the scene, in metres.
        trained_pixel_size (`float`, *optional*): Ground resolution of the training images, in metres.
        domain (`str`, *optional*): Kind of scene. For remote sensing, [`USUAL_PIXEL_SIZE`] is assumed if the
            resolution is unknown. This does not change which images are cut, because it is only a guess. Normal scenes
            without a known resolution are not cut with `"auto"`, see [`needs_windows`].
    """
    longest = max(width, height)
    if window == "off" or (window == "auto" and domain == NORMAL_SCENE and not pixel_size):
        return longest
    if isinstance(window, int):
        return window
    side = canvas
    if trained_pixel_size and (pixel_size or domain == "remote_sensing"):
        side = max(1, round(canvas * trained_pixel_size / (pixel_size or USUAL_PIXEL_SIZE)))
    return longest if longest <= SHRINK_LIMIT * (side if pixel_size else canvas) else side


def widened_side(side: int, width: int, height: int, most_windows: int, overlap: float, offset: int = 0) -> int:
    """
    The smallest side of windows, at least `side`, with which a scene has at most the allowed number of windows.

    Args:
        side (`int`): Requested side of the windows in pixels.
        width, height (`int`): Size of the scene.
        most_windows (`int`): Allowed number of windows, at least 1.
        overlap, offset: See [`plan_windows`].
    """
    longest = max(width, height)
    while side < longest and plan_windows(width, height, side, offset, overlap).count > most_windows:
        side = min(longest, side + max(1, side // 32))
    return side


def blend_weights(height: int, width: int, overlap: float = OVERLAP) -> np.ndarray:
    """
    Weight of each pixel of a window where windows overlap: 1 in the middle, smoothly towards 0 at the edges.

    Returns:
        `np.ndarray`: `float32` of shape `(height, width)`, above 0.
    """
    down, across = _ramp(height, overlap), _ramp(width, overlap)
    return np.outer(down, across).astype(np.float32)


def _ramp(length: int, overlap: float) -> np.ndarray:
    distance = np.minimum(np.arange(length), np.arange(length)[::-1]) + 0.5
    share = np.minimum(distance / max(1.0, length * overlap), 1)
    return share * share * (3 - 2 * share)
