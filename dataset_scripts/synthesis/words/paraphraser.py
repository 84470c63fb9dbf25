# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The paraphraser: rewords sentences without changing their meaning."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .known_words import known_words
from .nouns import Split
from .parsing import Parts, parse
from .places import SPELLINGS
from .realisation import Realiser
from .typos import misspell
from .word_level import replace_words


_BRITISH = {american: british for british, american in SPELLINGS.items()}
_SENTENCE_CASE, _UPPER_CASE, _FULL_STOP, _NO_QUESTION_MARK = 0.3, 0.01, 0.25, 0.3
_parse = lru_cache(maxsize=1 << 14)(parse)


@dataclass(frozen=True)
class Paraphraser:
    """
    Rewords sentences without changing their meaning.

    Paraphrase after all augmentations. Mirroring, swapping t1 and t2, and the checks before cropping understand the
    words of the generator and common descriptions, but not all the words that paraphrases use.

    Args:
        split (`str`, *optional*, defaults to `"train"`): "train" or "reworded". The two splits share no words and no
            templates, except those of the generator.
        strength (`float`, *optional*, defaults to 0.7): Probability of rewording each part of a sentence, 0 to 1.
            With 0, sentences stay unchanged.
        typo_share (`float`, *optional*, defaults to 0.03): Share of sentences with one misspelt word, 0 to 1.
    """

    split: Split = "train"
    strength: float = 0.7
    typo_share: float = 0.03

    def __post_init__(self) -> None:
        if self.split not in ("train", "reworded"):
            raise ValueError(f"split={self.split!r} must be 'train' or 'reworded'.")
        for name in ("strength", "typo_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} must be from 0 to 1.")

    def paraphrase(self, text: str, change_type: str, random: np.random.Generator, domain: str | None = None) -> str:
        """
        Rewords one sentence.

        Args:
            text (`str`): A sentence of the generator, a person's sentence, or any other text.
            change_type (`str`): "appear", "disappear", "state_change" or "unknown". A sentence that describes another
                type stays unchanged.
            random (`np.random.Generator`): Random generator.
            domain (`str`, *optional*): "NS" or "RS". If `None`, words whose meaning depends on the domain stay.

        Returns:
            `str`: The paraphrase. If the sentence cannot be parsed, only unambiguous words are replaced. If there are
            none, it is returned unchanged.
        """
        if not self.strength:
            return text
        parts = _parse(text, domain)
        if parts is not None and _contradicts(parts, change_type):
            return text
        if parts is not None:
            said = Realiser(parts, domain, self.split, self.strength, random).sentence()
        else:
            said = replace_words(text, change_type, domain, self.split, self.strength, random)
            if said == text:
                return text
        said = _spelt(said, random)
        if self.typo_share and random.random() < self.typo_share:
            said = misspell(said, known_words(), random)
        return _styled(said, random)


def _contradicts(parts: Parts, change_type: str) -> bool:
    """Whether a sentence describes another type of change."""
    return change_type in ("appear", "disappear", "state_change") and parts.change_type not in ("any", change_type)


def _spelt(text: str, random: np.random.Generator) -> str:
    """Converts to British or American spelling, or leaves the spelling unchanged."""
    chance = random.random()
    if chance >= 0.7:
        return text
    spellings = SPELLINGS if chance < 0.35 else _BRITISH
    words = text.split(" ")
    for index, word in enumerate(words):
        core = word.rstrip(",.?:;")
        if core in spellings:
            words[index] = spellings[core] + word[len(core) :]
    return " ".join(words)


def _styled(text: str, random: np.random.Generator) -> str:
    """Varies upper case and punctuation like people do."""
    chance = random.random()
    if text.endswith("?"):
        if random.random() < _NO_QUESTION_MARK:
            text = text[:-1]
    elif random.random() < _FULL_STOP and not text.endswith("."):
        text += "."
    if chance < _UPPER_CASE:
        return text.upper()
    return text[:1].upper() + text[1:] if chance < _UPPER_CASE + _SENTENCE_CASE else text
