# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Results for a scene and their files: rasters of masks, polygons and their style, tables, figures."""

from .drawing import draw_layers, draw_scene, draw_timeline, shrunk_views
from .labels import MaskLabels, strips
from .objects import SceneObject, find_objects, objects_table, write_vectors
from .rasters import NO_DATA, PERCENT, StripWriter, create_raster, to_cog, writing
from .result import (
    GEOJSON,
    GEOPACKAGE,
    MASK_STYLE,
    MASKS,
    OVERVIEW,
    PROBABILITIES,
    REPORT,
    STYLE,
    SceneResult,
    SentenceResult,
)
from .styles import write_mask_style, write_style


__all__ = [
    "GEOJSON",
    "GEOPACKAGE",
    "MASKS",
    "MASK_STYLE",
    "NO_DATA",
    "OVERVIEW",
    "PERCENT",
    "PROBABILITIES",
    "REPORT",
    "STYLE",
    "MaskLabels",
    "SceneObject",
    "SceneResult",
    "SentenceResult",
    "StripWriter",
    "create_raster",
    "draw_layers",
    "draw_scene",
    "draw_timeline",
    "find_objects",
    "objects_table",
    "shrunk_views",
    "strips",
    "to_cog",
    "write_mask_style",
    "write_style",
    "write_vectors",
    "writing",
]
