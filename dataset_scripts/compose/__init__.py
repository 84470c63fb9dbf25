# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Pairs made of real images with instance masks: training data from any instance data set in COCO format."""

from .composer import ComposedPair, Composer


__all__ = ["ComposedPair", "Composer"]
