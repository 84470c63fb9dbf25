# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A perceiver and a segmenter without trained weights, to try and test the pipeline.

They compute where the images differ, and describe that by colour and place. They recognise no things, and take
shadows and seasons for changes, so nobody should train on their results without an audit.
"""

from .difference import Comparison, Difference, compare
from .perceiver import OfflinePerceiver
from .segmenter import OfflineSegmenter


__all__ = ["Comparison", "Difference", "OfflinePerceiver", "OfflineSegmenter", "compare"]
