# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Sentences that show nothing are refused wherever sentences come in."""

import pytest

from modeling_mtrefseg import MTRefSegProcessor
from modeling_mtrefseg.sentence_encoding_mtrefseg import is_blank
from mtrefseg.cli.common import check_sentences
from mtrefseg.errors import UserError
from mtrefseg.serve.limits import InputError, check_sentence


NOTHING = ["", "  ", "\t\n", "\u200b", "\u202e\u200b", "\ufeff", "\x07", "\x00", "\u00ad \u2060"]
SOMETHING = ["a", "那座新房子", "البيت الجديد", "🏠", "👨\u200d👩", "e\u0301", "\u202egnp", "a\x00b", "?"]


@pytest.mark.parametrize("text", NOTHING)
def test_what_shows_nothing_is_no_sentence(text: str, processor: MTRefSegProcessor) -> None:
    assert is_blank(text)
    with pytest.raises(UserError, match="sentence 2 is empty"):
        check_sentences(["the house", text])
    with pytest.raises(InputError, match="Sentence 1 is empty"):
        check_sentence(text, 1, [])
    with pytest.raises(ValueError, match=r"Sentence \d of pair 0 is empty"):
        processor.encode_text([["the house", text]])


@pytest.mark.parametrize("text", SOMETHING)
def test_letters_and_signs_of_all_kinds_are_sentences(text: str) -> None:
    assert not is_blank(text)
    check_sentences([text])
    check_sentence(text, 1, [])
