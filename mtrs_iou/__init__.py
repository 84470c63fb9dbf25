# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Scores of multi-temporal referring segmentation. `evaluate.load("mtrs_iou")` returns the metric; this package itself
requires only NumPy.
"""

from .mask_counts import SampleCounts, count_masks, decode_rle, encode_rle
from .mask_scores import MaskScores, merge, score_masks


__all__ = ["MaskScores", "SampleCounts", "count_masks", "decode_rle", "encode_rle", "merge", "score_masks"]
