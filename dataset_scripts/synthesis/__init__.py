# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Synthetic pairs of images with sentences and exact masks. [`Generator`] creates each pair from its index alone,
[`write_raw`] writes pairs to disk in the raw layout, and [`stream`] yields them without a disk.
"""

from .generator import Domain, Generator, PairGenerator, Split, SyntheticPair
from .language.expressions import NO_TARGET_SHARE
from .language.lexicon import NOUNS
from .render.palette import COLORS
from .scene import SyntheticExpression
from .writing import Kind, stream, to_pair, write_raw


__all__ = [
    "COLORS",
    "NOUNS",
    "NO_TARGET_SHARE",
    "Domain",
    "Generator",
    "Kind",
    "PairGenerator",
    "Split",
    "SyntheticExpression",
    "SyntheticPair",
    "stream",
    "to_pair",
    "write_raw",
]
