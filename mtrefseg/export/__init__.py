# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Exports models as graphs for other runtimes. [`OnnxSegmenter`] and [`OpenVinoSegmenter`] run them, without PyTorch.

Everything is imported on first use: exporting needs PyTorch, running does not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from .exporting import export_model
    from .names import PACKAGES
    from .runtimes import OnnxSegmenter, OpenVinoSegmenter, open_exported
    from .settings import is_exported


_HOMES = {
    "PACKAGES": "names",
    "OnnxSegmenter": "runtimes",
    "OpenVinoSegmenter": "runtimes",
    "export_model": "exporting",
    "is_exported": "settings",
    "open_exported": "runtimes",
}

__all__ = ["PACKAGES", "OnnxSegmenter", "OpenVinoSegmenter", "export_model", "is_exported", "open_exported"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
