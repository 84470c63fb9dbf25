# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg benchmark`: compares models, also with the predictions of others."""

import sys
from collections.abc import Sequence

from .handing_over import hand_over


def run(arguments: Sequence[str]) -> int:
    """Hands all arguments over; see [`hand_over`]."""
    sys.argv = ["-m", "mtrefseg", "benchmark", *arguments]  # What reports record as their command.
    return hand_over("trainer.benchmark.command:main", arguments, "train", "mtrefseg benchmark")
