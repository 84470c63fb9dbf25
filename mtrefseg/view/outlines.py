# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Converts masks to polygons along the edges of their pixels, so that they enclose exactly these."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Point = tuple[int, int]
Ring = list[Point]

# The outline of a more ragged mask is not useful, and would take megabytes.
MAX_CORNERS = 200_000


class _Runs(NamedTuple):
    """Straight pieces of outline, given by the vertices (numbers in raster order) where each starts and ends."""

    start: Integers
    end: Integers
    forward: npt.NDArray[np.bool_]  # east, or south


def polygons_of(mask: Mask) -> list[list[Ring]] | None:
    """
    Traces a mask.

    Args:
        mask (`np.ndarray` of shape `(height, width)`): bool.

    Returns:
        `list[list[list[tuple[int, int]]]]`, *optional*: Polygons, each an outer ring and then the rings of its holes.
        A ring is a list of corners (x, y) in pixels from the upper left corner of the image, with the first one
        repeated at the end. Regions that only touch at a corner are two. `None` if there are more than `MAX_CORNERS`
        corners.
    """
    columns = mask.shape[1] + 1
    horizontal, vertical = _trace_runs(mask)
    if 2 * len(horizontal.start) > MAX_CORNERS:
        return None
    rings, ring_of_vertical = _link(horizontal, vertical)
    corners = [[(vertex % columns, vertex // columns) for vertex in ring] for ring in rings]
    owners = _owners(mask, corners, vertical, ring_of_vertical)
    polygons: dict[int, list[Ring]] = {number: [] for number in sorted(set(owners))}
    # The owner of a ring is the outer ring of its polygon, which comes first.
    for number in sorted(range(len(corners)), key=lambda number: (owners[number] != number, number)):
        polygons[owners[number]].append([*corners[number], corners[number][0]])
    return list(polygons.values())


def geojson_geometry(mask: Mask) -> dict[str, Any] | None:
    """
    A mask as the geometry of a GeoJSON feature, in pixels.

    Args:
        mask (`np.ndarray` of shape `(height, width)`): bool.

    Returns:
        `dict`, *optional*: A "MultiPolygon", empty if the mask is; `None` if its outline is too ragged.
    """
    polygons = polygons_of(mask)
    if polygons is None:
        return None
    return {"type": "MultiPolygon", "coordinates": polygons}


def _trace_runs(mask: Mask) -> tuple[_Runs, _Runs]:
    """Horizontal and vertical pieces of all outlines, each with the mask on its right hand."""
    columns = mask.shape[1] + 1
    padded = np.pad(mask.astype(np.int8), 1)
    # 1 where the mask begins below (walk east), -1 where it ends (walk west); then the same from left to right, where
    # a beginning is walked north and an end south.
    line, first, last, value = _pieces(np.diff(padded, axis=0)[:, 1:-1])
    east = value > 0
    left, right = line * columns + first, line * columns + last
    horizontal = _Runs(np.where(east, left, right), np.where(east, right, left), east)
    line, first, last, value = _pieces(np.diff(padded, axis=1)[1:-1].T)
    south = value < 0
    top, bottom = first * columns + line, last * columns + line
    return horizontal, _Runs(np.where(south, top, bottom), np.where(south, bottom, top), south)


def _pieces(steps: npt.NDArray[np.int8]) -> tuple[Integers, Integers, Integers, npt.NDArray[np.int8]]:
    """Line, begin, end and value of all stretches of one value other than 0."""
    padded = np.pad(steps, ((0, 0), (1, 1)))
    inner = padded[:, 1:-1]
    line, first = np.nonzero((inner != 0) & (inner != padded[:, :-2]))
    last = np.nonzero((inner != 0) & (inner != padded[:, 2:]))[1] + 1
    return line, first, last, inner[line, first]


def _link(horizontal: _Runs, vertical: _Runs) -> tuple[list[list[int]], list[int]]:
    """Closed rings of vertices, and the number of the ring that each vertical piece belongs to."""
    # Where two pieces end and two begin, every one turns right, which keeps regions apart that touch at a corner.
    next_vertical = _successors(horizontal.end, horizontal.forward, vertical.start, vertical.forward)
    next_horizontal = _successors(vertical.end, vertical.forward, horizontal.start, ~horizontal.forward)
    horizontal_start, vertical_start = horizontal.start.tolist(), vertical.start.tolist()
    ring_of_vertical = [-1] * len(vertical_start)
    rings: list[list[int]] = []
    visited = [False] * len(horizontal_start)
    for first in range(len(horizontal_start)):
        path: list[int] = []  # vertices, and beside them the vertical pieces, which begin at every other one
        pieces: list[int] = []
        places: dict[int, int] = {}
        piece = first
        while not visited[piece]:
            visited[piece] = True
            upright = next_vertical[piece]
            for vertex, number in ((horizontal_start[piece], -1), (vertical_start[upright], upright)):
                if vertex in places:
                    _close(rings, ring_of_vertical, path, pieces, places, places[vertex])
                places[vertex] = len(path)
                path.append(vertex)
                pieces.append(number)
            piece = next_horizontal[upright]
        if path:
            _close(rings, ring_of_vertical, path, pieces, places, 0)
    return rings, ring_of_vertical


def _close(
    rings: list[list[int]],
    ring_of_vertical: list[int],
    path: list[int],
    pieces: list[int],
    places: dict[int, int],
    begin: int,
) -> None:
    """Cuts off the end of a path as a separate ring: a ring that touches itself at a corner is two rings."""
    for number in pieces[begin:]:
        if number >= 0:
            ring_of_vertical[number] = len(rings)
    for vertex in path[begin:]:
        del places[vertex]
    rings.append(path[begin:])
    del path[begin:], pieces[begin:]


def _successors(
    end: Integers, end_turn: npt.NDArray[np.bool_], start: Integers, start_turn: npt.NDArray[np.bool_]
) -> list[int]:
    """For every piece, the piece that starts where it ends; if there are two, the one with the same turn."""
    successors = np.empty(len(end), dtype=np.int64)
    successors[np.lexsort((end_turn, end))] = np.lexsort((start_turn, start))
    return successors.tolist()


def _owners(mask: Mask, rings: list[Ring], vertical: _Runs, ring_of_vertical: list[int]) -> list[int]:
    """For every ring, the outer ring of its polygon. An outer ring is its own."""
    columns = mask.shape[1] + 1
    # Unit edges of the vertical pieces in raster order: row * columns + x, and the ring of each.
    top = np.minimum(vertical.start, vertical.end)
    lengths = np.abs(vertical.end - vertical.start) // columns
    offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    edges = np.repeat(top, lengths) + offsets * columns
    order = np.argsort(edges)
    edges, ring_of_edge = edges[order], np.repeat(np.asarray(ring_of_vertical, dtype=np.int64), lengths)[order]
    owners = [number if _signed_area(ring) > 0 else -1 for number, ring in enumerate(rings)]
    # West of the upper left corner of a hole is the mask; what ends it there is the outer ring or another hole of the
    # same polygon, which begins higher up or further west and therefore already has its owner.
    corners = [min(((y, x) for x, y in ring)) for ring in rings]
    for number in sorted(range(len(rings)), key=lambda number: corners[number]):
        if owners[number] < 0:
            y, x = corners[number]
            west = int(np.searchsorted(edges, y * columns + x)) - 1
            owners[number] = owners[int(ring_of_edge[west])]
    return owners


def _signed_area(ring: Ring) -> int:
    """Twice the area, positive if the ring runs clockwise on the screen, as outer rings do."""
    following = [*ring[1:], ring[0]]
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, following))
