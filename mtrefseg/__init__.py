# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Multi-temporal referring segmentation: segments the change that a sentence describes between two images of a place.

`import mtrefseg` is fast: each name below, and PyTorch if necessary, is imported on first use.
"""

from importlib import import_module
from typing import Any

from .importing import import_libraries


__version__ = "0.1.0"

_HOMES = {
    "MTRefSegConfig": "modeling_mtrefseg",
    "MTRefSegImageProcessor": "modeling_mtrefseg",
    "MTRefSegModel": "modeling_mtrefseg",
    "MTRefSegPipeline": "modeling_mtrefseg",
    "MTRefSegProcessor": "modeling_mtrefseg",
    "MTRefSegVisionModel": "modeling_mtrefseg",
    "OnnxSegmenter": "mtrefseg.export.runtimes",
    "OpenVinoSegmenter": "mtrefseg.export.runtimes",
    "UserError": "mtrefseg.errors",
    "convert_original": "mtrefseg.build.conversion",
    "draw_overlay": "mtrefseg.view.overlay",
    "from_backbones": "mtrefseg.build.backbones",
    "inspect_expression": "mtrefseg.view.inspection",
    "load_image": "mtrefseg.io.images",
    "load_images": "mtrefseg.io.images",
    "load_mask": "mtrefseg.io.images",
    "optimize_for_cpu": "mtrefseg.build.cpu",
    "preset_model": "mtrefseg.build.presets",
    "segment": "mtrefseg.scenes.api",
}
_NEED_A_MODEL = ("modeling_mtrefseg", "mtrefseg.build", "mtrefseg.scenes")

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _HOMES[name].startswith(_NEED_A_MODEL):
        import_libraries()
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
