# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the pipeline and exported models take for a pair."""

from typing import Any

import pytest

from modeling_mtrefseg.pairs_mtrefseg import check_batch, check_pair


@pytest.mark.parametrize(
    ("pair", "error", "message"),
    [
        (("t1.png", "t2.png"), TypeError, "A pair is a dictionary .* not <class 'tuple'>"),
        ({"image_t1": "t1.png"}, ValueError, "optionally text and domain, not image_t1"),
        ({"image_t1": "t1.png", "image_t2": "t2.png", "texts": []}, ValueError, "not image_t1, image_t2, texts"),
        ({}, ValueError, "not none"),
    ],
)
def test_bad_pairs_are_refused(pair: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check_pair(pair)


def test_pairs_with_and_without_sentences_are_not_mixed() -> None:
    check_batch([None, None])
    check_batch([["a house"], []])
    with pytest.raises(ValueError, match="cannot mix pairs"):
        check_batch([None, ["a house"]])
