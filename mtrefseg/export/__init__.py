# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Exports models as graphs for other runtimes. [`OnnxSegmenter`] runs them with ONNX Runtime, without PyTorch.

Everything is imported on first use: exporting needs PyTorch, running does not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from .exporting import export_model
    from .segmenter import OnnxSegmenter
    from .settings import is_exported


_HOMES = {"OnnxSegmenter": "segmenter", "export_model": "exporting", "is_exported": "settings"}

__all__ = ["OnnxSegmenter", "export_model", "is_exported"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
