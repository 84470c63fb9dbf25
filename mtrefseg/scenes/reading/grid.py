# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The georeference of the pixels of a scene."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from pyproj import Geod, Transformer
from rasterio.crs import CRS
from rasterio.transform import Affine
from shapely.affinity import translate
from shapely.geometry import Polygon


GEOD = Geod(ellps="WGS84")
WGS84 = "EPSG:4326"
_MOST_TURNED = 45  # Degrees between north and the upper edge of an image. Beyond, another edge is nearer to north.
_STEPS_OF_AN_EDGE = 16  # The edge of a scene is a curve in another coordinate reference system.


@dataclass(frozen=True)
class Grid:
    """
    The pixels of a scene and their georeference.

    Args:
        width, height (`int`): In pixels.
        transform (`Affine`): From pixels (x to the right, y down, corners at whole numbers) to map coordinates.
        crs (`CRS`, *optional*): The coordinate reference system; `None` without a georeference.
    """

    width: int
    height: int
    transform: Affine
    crs: CRS | None

    def to_map(self, points: np.ndarray) -> np.ndarray:
        """Map coordinates of points in pixels, both of shape `(number, 2)`, x first."""
        a, b, c, d, e, f = self.transform[:6]
        x, y = np.asarray(points, dtype=np.float64).T
        return np.column_stack([a * x + b * y + c, d * x + e * y + f])

    @cached_property
    def to_wgs84(self) -> Transformer:
        """From map coordinates to longitude and latitude, in this order."""
        return Transformer.from_crs(self.crs.to_wkt(), WGS84, always_xy=True)

    @cached_property
    def pixel_size(self) -> float | None:
        """Side of a pixel in the middle of the scene in metres, on the ground; `None` without a georeference."""
        if self.crs is None:
            return None
        middle = np.array([self.width / 2, self.height / 2])
        corners = self.to_map(middle + np.array([[0, 0], [1, 0], [0, 1]]))
        (lon, right_lon, down_lon), (lat, right_lat, down_lat) = self.to_wgs84.transform(*corners.T)
        across = GEOD.inv(lon, lat, right_lon, right_lat)[2]
        down = GEOD.inv(lon, lat, down_lon, down_lat)[2]
        return float(np.sqrt(across * down))

    @cached_property
    def is_north_up(self) -> bool:
        """Whether north is rather up than left, right or down, and east on the right; true without a georeference."""
        if self.crs is None:
            return True
        middle = np.array([self.width / 2, self.height / 2])
        (lon, up_lon, right_lon), (lat, up_lat, right_lat) = self.to_wgs84.transform(
            *self.to_map(middle + np.array([[0, 0], [0, -1], [1, 0]])).T
        )
        up, right = GEOD.inv(lon, lat, up_lon, up_lat)[0], GEOD.inv(lon, lat, right_lon, right_lat)[0]
        return not (abs(up) > _MOST_TURNED or abs(right - 90) > _MOST_TURNED)

    @cached_property
    def outline(self) -> Polygon:
        """The edge of the scene in map coordinates."""
        shares = np.linspace(0, 1, _STEPS_OF_AN_EDGE, endpoint=False)
        zeros, ones = np.zeros_like(shares), np.ones_like(shares)
        across = np.concatenate([shares, ones, 1 - shares, zeros]) * self.width
        down = np.concatenate([zeros, shares, ones, 1 - shares]) * self.height
        return Polygon(self.to_map(np.column_stack([across, down])))

    @property
    def middle(self) -> np.ndarray:
        """Its centre in map coordinates, of shape `(1, 2)`."""
        return self.to_map(np.array([[self.width / 2, self.height / 2]]))

    @property
    def extent(self) -> float:
        """Side in metres of a square of about its area."""
        return (self.pixel_size or 0.0) * float(np.sqrt(self.width * self.height))

    def outline_on(self, other: "Grid") -> Polygon:
        """The edge of the scene in the coordinate reference system of another one, with longitudes near its own."""
        if other.crs == self.crs:
            return self.outline
        outline = reproject(self.outline, Transformer.from_crs(self.crs.to_wkt(), other.crs.to_wkt(), always_xy=True))
        if not other.crs.is_geographic:
            return outline
        outline = _in_one_piece(outline)
        return translate(outline, _turn(outline.centroid.x, other.middle[0, 0]))

    def turned_to(self, other: "Grid") -> "Grid":
        """
        The same place, with longitudes near those of another scene: some count to 180 degrees and from -180 on, others
        to 360, and scenes at the date line beyond 180 or -180.
        """
        if not self.crs.is_geographic:
            return self
        longitude = other.middle[0, 0]
        if other.crs != self.crs:
            transformer = Transformer.from_crs(other.crs.to_wkt(), self.crs.to_wkt(), always_xy=True)
            longitude = transformer.transform(*other.middle[0])[0]
        turn = _turn(self.middle[0, 0], longitude)
        a, b, c, d, e, f = self.transform[:6]
        return replace(self, transform=Affine(a, b, c + turn, d, e, f)) if turn else self

    @property
    def corners(self) -> np.ndarray:
        """Three corners in pixels, starting with the upper left one, `(3, 2)`."""
        return np.array([(0, 0), (self.width, 0), (0, self.height)])

    def is_same(self, other: "Grid") -> bool:
        """Whether the pixels of both grids coincide, to a hundredth of a pixel."""
        if (self.width, self.height, self.crs) != (other.width, other.height, other.crs):
            return False
        tolerance = 0.01 * float(np.sqrt(abs(self.transform.determinant)))
        return bool(np.abs(self.to_map(self.corners) - other.to_map(self.corners)).max() < tolerance)

    def in_words(self) -> str:
        """The extent as readable text."""
        west, south, east, north = reproject(self.outline, self.to_wgs84).bounds
        return f"{_degrees(west, east, 'WE')}, {_degrees(south, north, 'SN')}"

    def kilometres_to(self, other: "Grid") -> float:
        """Distance between the centres of both."""
        middles = []
        for grid in (self, other):
            middles.append(grid.to_wgs84.transform(*grid.middle[0]))
        return float(GEOD.inv(*middles[0], *middles[1])[2] / 1000)


def _turn(longitude: float, other: float) -> float:
    """The full turns in degrees that bring one longitude next to another; 0 if one of them is infinite."""
    turns = (other - longitude) / 360
    return 360.0 * round(turns) if np.isfinite(turns) else 0.0


def _in_one_piece(outline: Polygon) -> Polygon:
    """An outline in degrees that crosses the date line, where longitudes jump, without the jump."""

    def moved(points: np.ndarray) -> np.ndarray:
        return points + np.where(points < 0, [360, 0], 0)

    west, _, east, _ = outline.bounds
    joined = shapely.transform(outline, moved)
    return joined if east - west > 180 > joined.bounds[2] - joined.bounds[0] else outline


def _degrees(low: float, high: float, letters: str) -> str:
    named = [f"{abs(value):.4f}° {letters[value >= 0]}" for value in (low, high)]
    return f"{named[0]} to {named[1]}"


def reproject(shape: Any, transformer: Transformer) -> Any:
    """Transforms a shape to another coordinate reference system."""
    return shapely.transform(shape, lambda points: np.column_stack(transformer.transform(*points.T)))


def geodesic_area(shape: Any, to_wgs84: Transformer, longest_edge: float) -> float:
    """
    Area on the ellipsoid, which does not depend on the map projection.

    Args:
        shape: A shapely polygon in map coordinates.
        to_wgs84 (`Transformer`): To longitude and latitude.
        longest_edge (`float`): Longer edges are split before the transformation, in map coordinates.

    Returns:
        `float`: Square metres.
    """
    placed = reproject(shape.segmentize(longest_edge), to_wgs84)
    return abs(GEOD.geometry_area_perimeter(placed)[0])
