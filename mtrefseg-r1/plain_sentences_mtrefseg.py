# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Says in words that the model knows what a sentence asks for."""

from functools import lru_cache

from .any_change_words_mtrefseg import any_change
from .change_words_mtrefseg import date_of
from .noun_words_mtrefseg import plain_nouns
from .spelling_words_mtrefseg import in_correct_spelling


@lru_cache(maxsize=4096)  # The same sentences are asked about many pairs.
def with_change(text: str) -> str:
    """
    Says in plain words what a sentence asks for.

    "Appeared" or "disappeared" is written before it, if its words say which of them it is about: the model knows these
    two words better than most others for the same changes ("sprang from the ground", "is history"). A sentence about
    every type of change is replaced by [`any_change`], because otherwise the model guesses one type. Rare nouns are
    replaced by [`plain_nouns`], and misspelt words that decide about this are corrected.
    """
    text = in_correct_spelling(text)
    lowered = text.lower()
    question = any_change(lowered)
    if question is not None:
        return plain_nouns(question)
    date = date_of(lowered)
    said = text if date is None else f"{('disappeared', 'appeared')[date]}: {text}"
    return plain_nouns(said)
