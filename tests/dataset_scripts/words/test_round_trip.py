# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Paraphrases mean what the sentence means that they were made of."""

import numpy as np
import pytest

from dataset_scripts.synthesis.words import Paraphraser
from tests.dataset_scripts.words.reading import checked, read, tables


@pytest.mark.parametrize("domain", ["NS", "RS"])
def test_each_phrase_has_one_meaning(domain):
    ambiguous = {
        " ".join(phrase): meanings
        for phrase, meanings in tables(domain).items()
        if len({(field, values[0]) for field, values in meanings}) > 1
    }
    assert not ambiguous


@pytest.mark.parametrize("split", ["train", "reworded"])
@pytest.mark.parametrize("domain", ["NS", "RS"])
def test_paraphrases_are_read_back_as_what_the_checker_reads(domain, split, drawn):
    paraphraser = Paraphraser(split, strength=1.0, typo_share=0.0)
    wrong = []
    for number, (text, change_type) in enumerate(drawn(domain)):
        for draw in range(3):
            said = paraphraser.paraphrase(text, change_type, np.random.default_rng([number, draw]), domain)
            if read(said, domain) != checked(text, domain):
                wrong.append((text, said))
    assert not wrong


def test_the_reader_notices_another_meaning():
    text = "the red car in the left half that left"
    for other in ("the red truck", "the blue car", "in the right half", "that arrived"):
        changed = {"truck": "car", "blue": "red", "right": "left", "arrived": "left"}
        key = next(word for word in changed if word in other.split())
        before, _, after = text.rpartition(changed[key]) if key == "arrived" else text.partition(changed[key])
        assert read(before + key + after, "NS") != checked(text, "NS")
    assert read(text, "NS") == checked(text, "NS")
