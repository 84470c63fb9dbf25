# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Sentences that are blank, and what is shown if there is none."""

# Defined with the processor, because a checkpoint on the Hub contains all its code.
from modeling_mtrefseg.sentence_encoding_mtrefseg import is_blank


__all__ = ["EVERY_CHANGE", "SCENES", "is_blank", "sentence_in_line"]

EVERY_CHANGE = "every change"
"""Stands for the sentence in tables and layers if there is none."""
SCENES = {"NS": "normal_scene", "RS": "remote_sensing"}
"""The processor's names for the domains of a dataset."""


def sentence_in_line(sentence: str | None) -> str:
    """A sentence as a line of text shows it; without one, [`EVERY_CHANGE`] in brackets, as no sentence is written."""
    return sentence or f"({EVERY_CHANGE})"
