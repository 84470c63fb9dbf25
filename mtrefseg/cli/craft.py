# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg craft`: CRAFT-Agent, which is also the command `craft-agent`."""

from collections.abc import Sequence

from .handing_over import hand_over


def run(arguments: Sequence[str]) -> int:
    """Hands all arguments over; see [`hand_over`]."""
    return hand_over("craft_agent.__main__:main", arguments, "craft")
