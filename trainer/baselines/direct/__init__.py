# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Models of others, asked directly: nothing is trained. `asking.py` says what an adapter is, `combining.py` how a model
of single images is asked about two times; `docs/baselines.md` lists the models.
"""

from .asking import Finding, ImageModel, View
from .combining import WAYS, DirectSegmenter


__all__ = ["WAYS", "DirectSegmenter", "Finding", "ImageModel", "View"]
