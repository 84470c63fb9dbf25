# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Sentences about photographs with categories from any dataset."""

from typing import Literal

import numpy as np
import pytest

from dataset_scripts.compose.nouns import groups_for, kind_of, nouns_for
from dataset_scripts.compose.photo_writer import ABSENT_KINDS, PhotoExpressionWriter
from dataset_scripts.synthesis.language.expressions import WrittenExpression
from dataset_scripts.synthesis.language.observation import Observation
from tests.dataset_scripts.synthesis.drawn_scenes import draw, kept, new


def sentences(domain: Literal["NS", "RS"], *kinds: str) -> list[WrittenExpression]:
    """Sentences about a pair in which a thing of each kind appeared, and a car did not change."""
    things = [new(kind, 20 + 40 * place, 40, half=12) for place, kind in enumerate(kinds)]
    pair = draw(*things, kept("car", 60, 100, half=12), domain=domain)
    absent = ABSENT_KINDS[domain]
    known = frozenset((*kinds, "car"))
    written: list[WrittenExpression] = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        nouns, groups = nouns_for(known | frozenset(absent)), groups_for(known)
        writer = PhotoExpressionWriter(
            Observation(*pair), random, nouns, groups, lasting=frozenset(), absent_kinds=absent
        )
        written += writer.write(6, 0.5)
    return written


@pytest.mark.parametrize(
    ("domain", "category", "words"),
    [
        ("RS", "plane", ("plane", "aircraft")),
        ("RS", "Swimming_pool", ("pool",)),
        ("RS", "Small_Vehicle", ("truck", "vehicle")),
        ("NS", "stop sign", (" sign", "signs")),
        ("NS", "suv", ("bus", "truck")),
        ("NS", "sofa", ("couch", "sofa")),
    ],
)
def test_nothing_is_denied_that_appeared_under_another_name(
    domain: Literal["NS", "RS"], category: str, words: tuple[str, ...]
) -> None:
    denied = [
        one.text for one in sentences(domain, kind_of(category)) if not one.things and one.change_type == "appear"
    ]
    # "The plane that appeared in the left half" may well be false.
    everywhere = [
        text for text in denied if not any(place in text for place in ("half", "corner", "center", "height"))
    ]
    assert denied
    assert not [text for text in everywhere if any(word in text for word in words)]


def test_words_for_several_kinds_are_only_used_if_all_kinds_are_known() -> None:
    def has_group(*kinds: str) -> bool:
        return any("vehicle" in one.text for one in sentences("NS", *kinds))

    assert has_group("truck", "bus")
    assert not has_group("truck", "suv")
