# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Paraphrases sentences, those of the generator as well as people's, without changing their meaning."""

from .paraphraser import Paraphraser


__all__ = ["WORDS_VERSION", "Paraphraser"]

WORDS_VERSION = 2
"""Another one whenever the same sentence, seed and arguments may give another paraphrase."""
