# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Builds models from presets, from pretrained backbones and from weights of the reference implementation."""

from typing import Any


def __getattr__(name: str) -> Any:
    # PyTorch is imported on first use of the function.
    if name == "from_backbones":
        from .backbones import from_backbones

        return from_backbones
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
