# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg evaluate`: scores a checkpoint, as `python trainer/evaluate.py` does."""

from collections.abc import Sequence

from .handing_over import hand_over_to_script


def run(arguments: Sequence[str]) -> int:
    """Hands all arguments over; see [`hand_over_to_script`]."""
    return hand_over_to_script("evaluate", arguments, "mtrefseg evaluate")
