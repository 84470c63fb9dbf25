# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The models. A `Perceiver` looks at images and answers questions in JSON, a `Segmenter` finds the pixels of a thing.
Both are protocols, and everything else in this folder implements them.

The models are imported from their own modules, since most of them need PyTorch: `chat_perceiver` and
`transformers_perceiver`; `text_segmenters`, `clipseg_segmenter` and `mtrefseg_segmenter`; `offline` needs no weights.
"""

from mtrefseg.foundation import AnswerError

from .answers import read_answer
from .model_names import model_name
from .protocols import Answer, Perceiver, Question, Segmentation, SegmentationPrompt, Segmenter, Usage


__all__ = [
    "Answer",
    "AnswerError",
    "Perceiver",
    "Question",
    "Segmentation",
    "SegmentationPrompt",
    "Segmenter",
    "Usage",
    "model_name",
    "read_answer",
]
