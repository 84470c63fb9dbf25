# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Models to compare with: baselines that are trained here, and models of others that are asked directly."""

from .registry import known_segmenters, load_plugin, open_segmenter, parse_segmenter, register_segmenter


__all__ = ["known_segmenters", "load_plugin", "open_segmenter", "parse_segmenter", "register_segmenter"]
