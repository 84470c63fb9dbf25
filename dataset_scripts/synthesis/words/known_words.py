# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""All words and templates that paraphrases may use, collected from the tables of this folder, by split."""

import re
from collections.abc import Iterator
from functools import cache

from dataset_scripts.synthesis.language import vocabulary as grammar

from . import places, templates, verbs
from .changes import APPEARANCES, DISAPPEARANCES, EARLIER, LATER, PLURALS
from .noun_phrases import in_plural
from .noun_table import NOUNS
from .nouns import Split, Words, forms_of
from .parsing import WORD
from .states import STATES


FUNCTION_WORDS = frozenset(
    (
        *("a", "about", "all", "along", "am", "an", "and", "another", "any", "are", "around", "as", "at"),
        *("away", "be", "been", "before", "between", "both", "but", "by", "can", "could", "did", "do", "does"),
        *("each", "every", "far", "for", "from", "get", "go", "got", "had", "has", "have", "here", "i", "i'm"),
        *("if", "images", "in", "into", "is", "it", "its", "just", "look", "made", "me", "more", "most", "my"),
        *("no", "not", "now", "of", "off", "on", "one", "ones", "only", "or", "out", "over", "own", "please"),
        *("see", "set", "sets", "so", "take", "taken", "than", "that", "the", "their", "them", "then", "there"),
        *("these", "they", "this", "those", "to", "too", "took", "two", "up", "use", "want", "was", "we"),
        *("went", "were", "what", "whatever", "where", "which", "who", "whose", "will", "with", "would", "yet"),
        *("you", "your"),
    )
)
"""Words without information about change or place; both splits have them."""


def entries(split: Split) -> Iterator[str]:
    """All entries of the tables of a split, inflected as in sentences."""
    for noun in NOUNS:
        for entry in noun.words[split]:
            yield from forms_of(entry)
    for table in (APPEARANCES, DISAPPEARANCES, STATES):
        for words in table.values():
            for entry in (*words.verbs[split], *words.before_noun[split]):
                yield re.sub(r"\b[XYC]\b|\{\w+\}", "", entry).replace("=", "").replace("/", " ")
    phrases: tuple[Words, ...] = (
        *places.PLACES.values(),
        places.OF_THE_IMAGE,
        *places.RELATIONS.values(),
        *(words for pair in places.SUPERLATIVES.values() for words in pair),
        *places.ORDINALS.values(),
        *places.SIDES.values(),
        *places.DEFINITE.values(),
        *places.INDEFINITE.values(),
        *places.COLOR_BEFORE.values(),
        *places.COLOR_AFTER.values(),
        LATER,
        EARLIER,
        verbs.PASSIVES,
        verbs.ACTIVES,
    )
    for one in phrases:
        yield from (re.sub(r"\bC\b", "", form) for entry in one[split] for form in (entry, in_plural(entry)))


def templates_of(split: Split) -> tuple[str, ...]:
    """All templates of a split."""
    tables = (
        *(templates.NOUN_PHRASES, templates.ABOUT_NOUN_PHRASES, templates.STATEMENTS, templates.ABOUT_STATEMENTS),
        *(templates.QUESTIONS, templates.FRAGMENTS, templates.RESULTS, *templates.EVERYTHING.values()),
    )
    return tuple(template for table in tables for template in table[split])


def words_in(text: str) -> set[str]:
    """Set of the words of a text, in lower case."""
    return set(WORD.findall(text.lower()))


@cache
def canonical_words() -> frozenset[str]:
    """All words of the generator's language, and the names of all nouns."""
    texts = [*grammar.POSITIONS, *grammar.RELATIONS, *grammar.STARTS, *grammar.SUPERLATIVES, *grammar.COLORS]
    texts += [*PLURALS, *PLURALS.values()]
    texts += [form for row in grammar.NOUNS for form in row]
    texts += [phrase for row in grammar.CHANGE_ROWS for phrase in (*row.clauses, *row.verbs)]
    texts += [form for noun in NOUNS for name in (noun.name, *noun.also) for form in forms_of(name)]
    texts += [*places.SPELLINGS, *places.SPELLINGS.values()]
    texts += ["image scene from with roof roofed roofs wearing dressed top bottom second third newly built everything"]
    texts += ["colours colors"]
    return frozenset(word for text in texts for word in words_in(text))


@cache
def words_of_split(split: Split) -> frozenset[str]:
    """All words that a split can use, except function words and words of the generator's language."""
    found = {word for entry in entries(split) for word in words_in(entry)}
    for template in templates_of(split):
        found |= words_in(re.sub(r"\{\w*\}", "", template))
    return frozenset(found - canonical_words() - FUNCTION_WORDS)


@cache
def known_words() -> frozenset[str]:
    """All words of both splits and of the generator's language."""
    return words_of_split("train") | words_of_split("reworded") | canonical_words() | FUNCTION_WORDS
