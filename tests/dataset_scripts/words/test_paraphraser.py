# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The paraphraser: deterministic, rich, of two vocabularies, and harmless."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_scripts.synthesis.language.vocabulary import COLORS
from dataset_scripts.synthesis.words import Paraphraser
from dataset_scripts.synthesis.words.changes import APPEARANCES, DISAPPEARANCES
from dataset_scripts.synthesis.words.known_words import (
    FUNCTION_WORDS,
    canonical_words,
    entries,
    known_words,
    templates_of,
    words_in,
    words_of_split,
)
from dataset_scripts.synthesis.words.states import STATES
from dataset_scripts.synthesis.words.templates import OWN_NOUN_PHRASE, OWN_STATEMENT
from dataset_scripts.synthesis.words.typos import misspell
from tests.dataset_scripts.words.conftest import EVERYTHING


SPLITS = ("train", "reworded")
SOME_WORDS = (
    *("the", "a", "two", "house", "houses", "red", "car", "that", "left", "in", ",", "half", "appeared", "on", "near"),
    *("every", "zebra", "with", "roof", "from", "second", "was", "built", "orange", "not", "is", "largest", "who"),
)


def paraphrases(text, change_type, domain, count, **arguments):
    paraphraser = Paraphraser(**arguments)
    random = np.random.default_rng(0)
    return [paraphraser.paraphrase(text, change_type, random, domain) for _ in range(count)]


def test_the_same_seed_gives_the_same_words():
    said = [paraphrases("the car that left", "disappear", "NS", 50) for _ in range(2)]
    assert said[0] == said[1]


def test_no_word_and_no_template_of_one_split_is_of_the_other():
    assert not words_of_split("train") & words_of_split("reworded")
    own = {OWN_NOUN_PHRASE, OWN_STATEMENT}
    assert not (set(templates_of("train")) - own) & (set(templates_of("reworded")) - own)


# Words of training that share the stem of a held-out word but not its meaning: "framed picture", "of the frame".
SAME_STEM = (
    *("altered", "bathing", "bigger", "chopped", "cooker", "drawing", "framed", "freshly", "lose", "mean", "picked"),
    *("ski", "starting", "station", "steer", "toasted", "tops", "view", "walk"),
)
_ENDINGS = ("ings", "ing", "ments", "ment", "ations", "ation", "ers", "er", "ies", "ied", "ed", "es", "s", "ly", "y")


def stem(word):
    """A rough stem: "completed", "completing" and "completely" all become "complet"."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    return (word[:-1] if len(word) > 3 and word[-1] == word[-2] else word).rstrip("e")


def test_no_form_of_a_held_out_word_is_of_training():
    held_out = {stem(word) for word in words_of_split("reworded")}
    allowed = {stem(word) for word in SAME_STEM}
    assert {word for word in words_of_split("train") if stem(word) in held_out - allowed} == set()


def test_no_phrase_of_one_split_is_of_the_other():
    shared = set(entries("train")) & set(entries("reworded"))
    assert {phrase for phrase in shared if words_in(phrase) - canonical_words() - FUNCTION_WORDS} == set()
    # Idioms of function words alone.
    verbs = [words.verbs for table in (APPEARANCES, DISAPPEARANCES, STATES) for words in table.values()]
    held_out = {entry for words in verbs for entry in words["reworded"]}
    assert not held_out & {entry for words in verbs for entry in words["train"]}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("domain", ["NS", "RS"])
def test_sentences_hold_words_of_their_split_only(split, domain, drawn):
    paraphraser = Paraphraser(split, strength=1.0, typo_share=0.0)
    random = np.random.default_rng(0)
    allowed = words_of_split(split) | canonical_words() | FUNCTION_WORDS
    for text, change_type in [*drawn(domain), *EVERYTHING]:
        said = paraphraser.paraphrase(text, change_type, random, domain).lower()
        said = re.sub(rf"\b({'|'.join(COLORS)})-", "", said)  # "orange-coloured" is "coloured".
        assert words_in(said) <= allowed, said


@pytest.mark.parametrize("domain", ["NS", "RS"])
def test_nearly_all_sentences_are_reworded(domain, drawn):
    paraphraser, random = Paraphraser(typo_share=0.0), np.random.default_rng(0)
    found = [*drawn(domain), *EVERYTHING]
    changed = [
        paraphraser.paraphrase(text, kind, random, domain).lower().rstrip(".") != text.lower() for text, kind in found
    ]
    assert np.mean(changed) > 0.95


@pytest.mark.parametrize(("split", "least"), [("train", 120), ("reworded", 60)])
def test_a_sentence_has_many_paraphrases(split, least, drawn):
    counts = [
        len({said.lower().rstrip(".?") for said in paraphrases(text, kind, "RS", 200, split=split, typo_share=0.0)})
        for text, kind in drawn("RS")[:60]
    ]
    assert np.mean(counts) >= least


def test_typos_are_few_and_make_no_known_word(drawn):
    texts = drawn("NS")
    clean, misspelt = Paraphraser(typo_share=0.0), Paraphraser(typo_share=1.0)
    for number, (text, change_type) in enumerate(texts):
        said = misspelt.paraphrase(text, change_type, np.random.default_rng(number), "NS").lower()
        unknown = words_in(re.sub(rf"\b({'|'.join(COLORS)}|gray)-", "", said)) - known_words()
        assert len(unknown) <= 1
        assert all(len(word) >= 4 for word in unknown)
        right = clean.paraphrase(text, change_type, np.random.default_rng(number), "NS").lower()
        assert abs(len(right) - len(said)) <= 3  # One letter, a full stop and a question mark.


@pytest.mark.parametrize("word", ["red", "grey", "blue", "two", "three", "five", "left", "t1"])
def test_short_words_and_numbers_are_never_misspelt(word):
    assert all(misspell(word, frozenset(), np.random.default_rng(seed)) == word for seed in range(20))


@settings(deadline=None)  # The first sentence builds the tables.
@given(text=st.text(max_size=80), change_type=st.sampled_from(["appear", "disappear", "state_change", "unknown", "x"]))
def test_any_text_is_taken(text, change_type):
    said = Paraphraser().paraphrase(text, change_type, np.random.default_rng(0), None)
    assert isinstance(said, str)


@settings(deadline=None)
@given(words=st.lists(st.sampled_from(SOME_WORDS), max_size=12))
def test_words_in_any_order_are_taken(words):
    for domain in ("NS", "RS", None):
        assert isinstance(Paraphraser().paraphrase(" ".join(words), "unknown", np.random.default_rng(0), domain), str)


def test_without_strength_nothing_changes():
    assert paraphrases("the car that left", "disappear", "NS", 3, strength=0.0) == ["the car that left"] * 3


def test_a_sentence_of_another_type_stays():
    text = "the car that left"
    assert Paraphraser().paraphrase(text, "appear", np.random.default_rng(0), "NS") == text


@pytest.mark.parametrize(
    "text",
    ["the scene is the same as before", "nothing has changed", "no house has been built", "l'auto qui est partie"],
)
def test_what_says_that_nothing_changed_stays(text):
    assert set(paraphrases(text, "unknown", "RS", 20)) == {text}


@pytest.mark.parametrize("noun", ["zebra crossing", "excavator", "wind turbine"])
def test_unknown_nouns_stay_in_new_sentences(noun):
    said = paraphrases(f"the red {noun} that appeared", "appear", "RS", 40, typo_share=0.0)
    assert all(noun in each.lower() and "red" in each.lower() for each in said)
    assert len(set(said)) > 20


def test_words_of_people_are_replaced_where_they_stand_alone():
    text = "two rows of houses are built on both sides of the road"
    said = {each.lower() for each in paraphrases(text, "appear", "RS", 60, typo_share=0.0)}
    assert len(said) > 20
    assert all("rows of" in each and "on both sides of the" in each for each in said)
    kept = paraphrases("a house is built on the left of the road", "appear", "RS", 60, typo_share=0.0)
    assert all("on the left of the" in each.lower() for each in kept)


def test_parts_of_compounds_stay():
    for text in ("a parking lot by the tree house appears", "some car parks and road signs appear"):
        for said in paraphrases(text, "appear", "RS", 40, typo_share=0.0):
            assert ("tree house" in text) == ("tree house" in said.lower())
            assert ("car parks and road signs" in text) == ("car parks and road signs" in said.lower())


@pytest.mark.parametrize("arguments", [{"split": "test"}, {"strength": 1.5}, {"typo_share": -0.1}])
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        Paraphraser(**arguments)
