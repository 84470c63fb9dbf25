# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Misspelt words that decide how a sentence is read."""

import pytest

from modeling_mtrefseg.plain_sentences_mtrefseg import with_change
from modeling_mtrefseg.spelling_words_mtrefseg import in_correct_spelling


@pytest.mark.parametrize(
    ("text", "correct"),
    [
        ("teh bulding that dissapered", "the building that disappeared"),
        ("Bulidings in the uper rihgt cornor", "Buildings in the upper right corner"),
        ("the disapearance, the car that appeard", "the disappearance, the car that appeared"),
        ("Exept the bigest", "Except the biggest"),
        ("the balck dog that has went", "the black dog that has gone"),
        ("the trees they cutted, the truck that has leaved", "the trees they cut, the truck that has left"),
        # Other words, and words that are spelt well.
        ("the planed boards and the hoses of the bride", "the planed boards and the hoses of the bride"),
        ("a broad-leaved tree", "a broad-leaved tree"),
        ("planned houses in the centre of the center", "planned houses in the centre of the center"),
        ("disappears, disappeared, disapproved", "disappears, disappeared, disapproved"),
        ("", ""),
    ],
)
def test_misspelt_words_are_corrected(text: str, correct: str) -> None:
    assert in_correct_spelling(text) == correct


def test_the_model_is_asked_in_correct_spelling() -> None:
    assert with_change("the bulding that vanshed") == "disappeared: the building that vanished"
