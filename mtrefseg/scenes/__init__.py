# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Large and georeferenced images: windows without seams, georeferenced alignment, polygons, many pairs and many dates.

Needs the packages of `pip install mtrefseg[geo]`. All names, and PyTorch if necessary, are imported on first use.
"""

from importlib import import_module
from typing import Any


_HOMES = {
    "SceneOptions": "segmenting",
    "ScenePredictor": "predicting",
    "SceneResult": "output",
    "SentenceResult": "output",
    "change_type_of": "sentences",
    "check_scene": "segmenting",
    "draw_layers": "output",
    "is_raster": "reading",
    "load_predictor": "api",
    "SeriesResult": "series",
    "segment_series": "series",
    "segment": "api",
    "segment_pair": "segmenting",
}

__all__ = [
    "SceneOptions",
    "ScenePredictor",
    "SceneResult",
    "SentenceResult",
    "SeriesResult",
    "change_type_of",
    "check_scene",
    "draw_layers",
    "is_raster",
    "load_predictor",
    "segment",
    "segment_pair",
    "segment_series",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
