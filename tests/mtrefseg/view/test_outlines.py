# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
from itertools import pairwise

import numpy as np
import pytest

from mtrefseg.view import outlines
from mtrefseg.view.outlines import Ring, geojson_geometry, polygons_of


def area_of(ring: Ring) -> float:
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring)) / 2


def fill(polygon: list[Ring], shape: tuple[int, int]) -> np.ndarray:
    """The pixels inside a polygon, by the parity of the upright edges to their left."""
    crossings = np.zeros(shape, dtype=int)
    for ring in polygon:
        for (x0, y0), (x1, y1) in pairwise(ring):
            if x0 == x1:
                crossings[min(y0, y1) : max(y0, y1), x0:] += 1
    return crossings % 2 == 1


def count_regions(mask: np.ndarray) -> int:
    """Regions whose pixels share edges."""
    left, count = {tuple(place) for place in np.argwhere(mask)}, 0
    while left:
        count += 1
        stack = [left.pop()]
        while stack:
            y, x = stack.pop()
            near = {(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)} & left
            left -= near
            stack += near
    return count


def test_polygons_enclose_exactly_the_mask() -> None:
    random = np.random.default_rng(0)
    for _ in range(400):
        shape = tuple(random.integers(1, 14, 2))
        mask = random.random(shape) < random.random()
        polygons = polygons_of(mask)
        assert polygons is not None
        filled = [fill(polygon, shape) for polygon in polygons]
        assert (np.sum([*filled, np.zeros(shape)], axis=0) == mask).all()
        assert len(polygons) == count_regions(mask)
        for polygon in polygons:
            assert area_of(polygon[0]) > 0
            assert all(area_of(hole) < 0 for hole in polygon[1:])
            # Closed, and nowhere touching itself.
            assert all(ring[0] == ring[-1] and len(set(ring)) == len(ring) - 1 for ring in polygon)


def test_an_island_in_a_hole_is_a_polygon_of_its_own() -> None:
    mask = np.ones((7, 7), dtype=bool)
    mask[1:6, 1:6] = False
    mask[3, 3] = True
    assert geojson_geometry(mask) == {
        "type": "MultiPolygon",
        "coordinates": [
            [[(0, 0), (7, 0), (7, 7), (0, 7), (0, 0)], [(6, 1), (1, 1), (1, 6), (6, 6), (6, 1)]],
            [[(3, 3), (4, 3), (4, 4), (3, 4), (3, 3)]],
        ],
    }


def test_a_mask_without_pixels_has_no_polygons() -> None:
    assert polygons_of(np.zeros((3, 4), dtype=bool)) == []


def test_a_mask_that_is_noise_has_no_outline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlines, "MAX_CORNERS", 10)
    assert geojson_geometry(np.eye(5, dtype=bool)) is None
    assert geojson_geometry(np.ones((5, 5), dtype=bool)) is not None
