# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Masks as polygons without loss, and back.

Outlines run along the edges of pixels. A polygon of these formats is a single line, so a hole is reached by a cut: the
line goes from the outline to the hole, around it, and back the same way. On the way back, a pixel belongs to a polygon
if its centre lies inside by the even-odd rule, for which the two sides of a cut cancel out.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np

from mtrefseg.view.outlines import Ring, polygons_of

from ..errors import CraftError
from ..records import BoolMask


def to_polygons(mask: BoolMask, what: str) -> list[Ring]:
    """
    Traces a mask.

    Args:
        mask (`np.ndarray`): Booleans `(height, width)`.
        what (`str`): What it is, for the message.

    Returns:
        `list[list[tuple[int, int]]]`: One line of corners (x, y) per connected part, with cuts to its holes. The first
        corner is not repeated.

    Raises:
        CraftError: If the outline has too many corners.
    """
    parts = polygons_of(mask)
    if parts is None:
        raise CraftError(f"the outline of {what} has too many corners: export with --shapes masks")
    return [_joined([ring[:-1] for ring in rings]) for rings in parts]


def to_polygon(mask: BoolMask, what: str) -> Ring:
    """The same as one line, for formats in which a region is one polygon: parts are joined by cuts, as holes are."""
    return _joined(to_polygons(mask, what))


def fill_polygon(points: Sequence[tuple[float, float]], size: tuple[int, int]) -> BoolMask:
    """
    Fills a polygon.

    Args:
        points (`Sequence[tuple[float, float]]`): Corners (x, y) in pixels from the upper left corner of the image; at
            least three. What lies outside of the image is cut off.
        size (`tuple[int, int]`): Width and height of the image.

    Returns:
        `np.ndarray`: Booleans `(height, width)`: the pixels whose centre is inside by the even-odd rule.
    """
    width, height = size
    crossings = np.zeros((height, width + 1), dtype=np.uint8)  # Their parity alone counts.
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        if y0 == y1:
            continue
        # Both directions of an edge must give the same numbers, so that cuts cancel out exactly.
        (x0, y0), (x1, y1) = sorted(((x0, y0), (x1, y1)), key=lambda corner: corner[1])
        first, last = max(0, ceil(y0 - 0.5)), min(height, ceil(y1 - 0.5))
        if first >= last:
            continue
        rows = np.arange(first, last)
        x = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        crossings[rows, np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)] += 1
    return (np.cumsum(crossings, axis=1, dtype=np.uint8)[:, :width] & 1).astype(bool)


def _joined(rings: Sequence[Ring]) -> Ring:
    """One line through all rings: a cut leads to each further one from the corner that is nearest to its first."""
    line = list(rings[0])
    for ring in rings[1:]:
        start = min(ring)
        ring = ring[ring.index(start) :] + ring[: ring.index(start)]
        near = np.asarray(line) - start
        at = int((near**2).sum(axis=1).argmin())
        line[at : at + 1] = [line[at], *ring, start, line[at]]
    return line
