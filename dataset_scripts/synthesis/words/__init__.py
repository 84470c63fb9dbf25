# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Paraphrases sentences, those of the generator as well as people's, without changing their meaning.

`parsing` reads a sentence and `realisation` says it in other words; `word_level` replaces single words of sentences
that cannot be parsed. `paraphraser` chooses between them. The other modules hold the words.
"""

from .paraphraser import Paraphraser


__all__ = ["WORDS_VERSION", "Paraphraser"]

WORDS_VERSION = 2
"""Increased whenever the same sentence, seed and arguments may give another paraphrase."""
