# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg data`: the data tools, which are also `python -m dataset_scripts`."""

from collections.abc import Sequence

from .handing_over import hand_over


def run(arguments: Sequence[str]) -> int:
    """Hands all arguments over; see [`hand_over`]."""
    return hand_over("dataset_scripts.command_line:main", arguments, "data", "mtrefseg data")
