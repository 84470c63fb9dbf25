# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A perceiver and a segmenter that need no vision-language model.

Where the images differ, they know from the project's own model (`model_comparisons`) or, without weights, from image
differencing (`DIFFERENCES`). They describe that by colour and place and recognise no things; differencing takes
shadows and seasons for changes, too. Nobody should train on their results without an audit.
"""

from .comparisons import DIFFERENCES, Comparisons, model_comparisons
from .difference import Comparison, Difference, compare
from .perceiver import OfflinePerceiver
from .segmenter import OfflineSegmenter


__all__ = [
    "DIFFERENCES",
    "Comparison",
    "Comparisons",
    "Difference",
    "OfflinePerceiver",
    "OfflineSegmenter",
    "compare",
    "model_comparisons",
]
