# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Third-party models, used without training. `asking.py` defines the interface of adapters, `combining.py` the ways to
use a single-image model for two dates; `docs/baselines.md` lists the models.
"""

from .asking import Finding, ImageModel, View
from .combining import WAYS, DirectSegmenter


__all__ = ["WAYS", "DirectSegmenter", "Finding", "ImageModel", "View"]
