# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reads the images of a scene: bands and values, georeference, one grid for all dates, registration."""

from .bands import StretchOption
from .grid import Grid, geodesic_area
from .images import PlainImage, ReadOptions, is_raster, name_of, open_raster, shrunk
from .scene import Scene, Views, open_scene
from .tables import ManifestRow, read_manifest


__all__ = [
    "Grid",
    "ManifestRow",
    "PlainImage",
    "ReadOptions",
    "Scene",
    "StretchOption",
    "Views",
    "geodesic_area",
    "is_raster",
    "name_of",
    "open_raster",
    "open_scene",
    "read_manifest",
    "shrunk",
]
