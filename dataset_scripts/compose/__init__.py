# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Composes pairs from real images with instance masks: training data from any instance dataset in COCO format."""

from .composer import Composer


__all__ = ["Composer"]
