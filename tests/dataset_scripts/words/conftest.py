# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Sentences of the generator's language for the tests of the paraphraser."""

from itertools import product

import numpy as np
import pytest

from dataset_scripts.synthesis.language.vocabulary import COLORS
from tests.oracles import checker_grammar, vocabulary
from tests.oracles.checker_grammar import SentenceError


def sentences(domain, count, seed=0):
    """Sentences of the language, drawn from the tables of the checker, as (text, type of change)."""
    random = np.random.default_rng(seed)
    nouns = [row for row in vocabulary.NOUNS if vocabulary.kinds_of_group(row[2], domain)]
    if domain == "RS":  # Seen from above, a picture is the image itself.
        nouns = [row for row in nouns if row[0] != "picture"]
    rows = vocabulary.CHANGE_ROWS
    sides, ordinals = list(vocabulary.SIDES), list(vocabulary.ORDINALS)

    def one_of(choices):
        return choices[int(random.integers(len(choices)))]

    def maybe(share, choices):
        return one_of(choices) if random.random() < share else ""

    found = []
    while len(found) < count:
        singular, plural, _ = one_of(nouns)
        row = one_of(rows)
        is_statement = bool(row.verbs) and random.random() < 0.25
        clause = one_of(row.verbs if is_statement else row.clauses)
        colors = random.choice(COLORS, 2, replace=False)
        clause = " ".join({"X": colors[0], "Y": colors[1]}.get(word, word) for word in clause.split())
        color = str(maybe(0.3, COLORS))
        before, after = one_of(
            ((color, ""), ("", f"in {color}"), ("", f"with a {color} roof"), (f"{color}-roofed", ""))
        )
        if not color:
            before = after = ""
        relation = maybe(0.25, list(vocabulary.RELATIONS))
        landmark = f"{relation} the {one_of(nouns)[0]}" if relation else ""
        place = maybe(0.4, list(vocabulary.POSITIONS))
        rank = maybe(0.2, list(vocabulary.SUPERLATIVES))
        ordinal = "" if rank or random.random() < 0.9 else one_of(ordinals)
        is_plural = not rank and not ordinal and random.random() < 0.3
        noun = plural if is_plural else singular
        if is_plural:
            words = {**checker_grammar._PLURAL_WORDS}
            clause = " ".join(words.get(word, word) for word in clause.split())
        start = (
            one_of(("the", "all the", "the two"))
            if is_plural
            else "the"
            if rank or ordinal
            else one_of(("the", "every"))
        )
        if is_statement:
            start = one_of(("several", "two")) if is_plural else "one"
            words = (start, before, noun, after, clause, landmark, place)
        else:
            side = f"{one_of(sides)}" if ordinal else ""
            words = (start, rank, ordinal, before, noun, after, side, landmark, place, clause)
        text = " ".join(word for word in words if word).replace("with a orange", "with an orange")
        try:
            sentence = checker_grammar.parse(text, domain)
        except SentenceError:
            continue
        found.append((text, sentence.change.type))
    return found


EVERYTHING = [
    (f"everything{place} that {verb}", change_type)
    for (verb, change_type), place in product(
        (("appeared", "appear"), ("disappeared", "disappear"), ("changed its state", "state_change")),
        ("", " in the left half"),
    )
]


@pytest.fixture(scope="session")
def drawn():
    """A function that gives sentences of a domain."""
    cache = {}

    def draw(domain, count=400):
        if (domain, count) not in cache:
            cache[domain, count] = sentences(domain, count)
        return cache[domain, count]

    return draw
