# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Models to compare with: baselines that are trained here, and third-party models that are used without training."""

from .registry import known_segmenters, load_plugin, open_segmenter, parse_segmenter, register_segmenter


__all__ = ["known_segmenters", "load_plugin", "open_segmenter", "parse_segmenter", "register_segmenter"]
