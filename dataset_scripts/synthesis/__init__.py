# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Generates scenes: pairs of images with sentences and exact masks, each from its number alone. [`Generator`] makes
them, [`write_raw`] writes them as a folder of the raw layout.
"""

from .generator import WORLDS, Domain, Generator, Split, SyntheticExpression, SyntheticPair
from .language.expressions import NO_TARGET_SHARE
from .language.lexicon import NOUNS
from .render.palette import COLORS
from .writing import GENERATOR_VERSION, Kind, stream, to_pair, write_raw


__all__ = [
    "COLORS",
    "GENERATOR_VERSION",
    "NOUNS",
    "NO_TARGET_SHARE",
    "WORLDS",
    "Domain",
    "Generator",
    "Kind",
    "Split",
    "SyntheticExpression",
    "SyntheticPair",
    "stream",
    "to_pair",
    "write_raw",
]
