# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Replaces single words in sentences that the parser cannot read, such as people's.

Only unambiguous words are replaced: a noun that cannot be part of a compound, a verb that expresses the change, and a
phrase for a place at the end of a clause.
"""

import re
from functools import cache

import numpy as np

from .noun_phrases import prepositional, tidy
from .noun_table import NOUNS
from .nouns import Split, forms_of
from .parsing import longest_match, places, split_words
from .templates import ABOUT_STATEMENTS


_BEFORE_NOUN = frozenset(
    (
        *("a", "an", "the", "one", "two", "three", "four", "five", "six", "seven", "eight", "some", "several", "many"),
        *("few", "more", "new", "of", "all", "every", "each", "this", "that", "these", "those", "another", "other"),
        *("large", "small", "big", "white", "grey", "gray", "black", "red", "orange", "yellow", "green", "blue"),
        *("brown", "separate", "original", "old", "existing", "completed", "and", "by", "near", "with"),
    )
)
_AFTER_NOUN = frozenset(
    (
        *("is", "are", "was", "were", "has", "have", "that", "which", "who", "in", "on", "at", "by", "near", "next"),
        *("beside", "along", "between", "and", "around", "appear", "appears", "show", "shows", "showed", "appeared"),
        *("disappear", "disappears", "disappeared", "above", "below", "behind", "from", "to", ",", "."),
    )
)
# Nouns of the tables that have other common meanings.
_UNSAFE = frozenset(
    ("plant", "sign", "table", "box", "picture", "orange", "train", "field", "light", "tie", "building")
)
_NEGATION = re.compile(r"\b(no|not|nothing|none|same|identical|without|except|unchanged|never|almost)\b|n't\b")
# Words for changes that may occur in a sentence of each type.
_VERBS: dict[str, dict[tuple[str, ...], dict[Split, tuple[str, ...]]]] = {}


def _add(change_type: str, said: str, train: str, reworded: str) -> None:
    entries: dict[Split, tuple[str, ...]] = {
        "train": tuple(train.split(", ")),
        "reworded": tuple(reworded.split(", ")),
    }
    for phrase in said.split(", "):
        _VERBS.setdefault(change_type, {})[split_words(phrase)] = entries


_add(
    "appear",
    "is built, is constructed, has been built, has been constructed",
    "is built, is put up, has been put up, was erected, has gone up, has been erected, got built, "
    "was newly built, has been finished, was finished, is newly there, has come into being, has sprung up, "
    "has been added, was put in place",
    "has been completed, was completed, has been raised",
)
_add(
    "appear",
    "are built, are constructed, have been built, have been constructed",
    "are built, are put up, have been put up, were erected, have gone up, have been erected, got built, "
    "were newly built, have been finished, were finished, are newly there, have come into being, have sprung up, "
    "have been added, were put in place",
    "have been completed, were completed, have been raised",
)
_add(
    "appear",
    "appears, shows up, has appeared",
    "appears, turns up, has popped up, showed up, has emerged, is new, has come into view, is there now, "
    "was not there before, "
    "did not exist before, can be seen now",
    "has materialised, materialises",
)
_add(
    "appear",
    "appear, show up, have appeared",
    "appear, turn up, have popped up, showed up, have emerged, are new, have come into view, are there now, "
    "were not there before, did not exist before, can be seen now",
    "have materialised, materialise",
)
_add(
    "disappear",
    "has been demolished",
    "was torn down, has been pulled down, is gone, got demolished, was knocked down, has been taken down, "
    "was bulldozed, has been flattened, is no longer standing, has been cleared away",
    "has been razed, was razed",
)
_add(
    "disappear",
    "have been demolished",
    "were torn down, have been pulled down, are gone, got demolished, were knocked down, have been taken down, "
    "were bulldozed, have been flattened, are no longer standing, have been cleared away",
    "have been razed, were razed",
)
_add(
    "disappear",
    "has been removed, has disappeared",
    "was taken away, is gone, has vanished, is no longer there, is not there any more, can no longer be seen, "
    "got lost, is missing now, is not around any more, has been taken out",
    "is nowhere to be seen, is no more",
)
_add(
    "disappear",
    "have been removed, have disappeared",
    "were taken away, are gone, have vanished, are no longer there, are not there any more, can no longer be seen, "
    "got lost, are missing now, are not around any more, have been taken out",
    "are nowhere to be seen, are no more",
)


def replace_words(
    text: str, change_type: str, domain: str | None, split: Split, strength: float, random: np.random.Generator
) -> str:
    """
    Replaces unambiguous words by synonyms.

    Args:
        text (`str`): Any text.
        change_type (`str`): "appear", "disappear", "state_change" or "unknown".
        domain (`str`, *optional*): "NS" or "RS".
        split (`str`): "train" or "reworded".
        strength (`float`): Probability of replacing each word, 0 to 1.
        random (`np.random.Generator`): Random generator.

    Returns:
        `str`: The text in lower case if something was replaced; otherwise the unchanged text.
    """
    words = split_words(text.lower().strip().rstrip("."))
    if not words or not text.isascii() or _NEGATION.search(text.lower()):
        return text
    synonyms = _Synonyms(domain, split, strength, random)
    verbs = _VERBS.get(change_type, {})
    said: list[str] = []
    at, has_verb, is_changed = 0, False, False
    while at < len(words):
        if length := longest_match(words, at, verbs, 3):
            has_verb = True
            new = synonyms.choose(verbs[words[at : at + length]][split])
        elif (length := longest_match(words, at, places(), 8)) and _ends_there(words, at + length):
            new = synonyms.choose(prepositional(places()[words[at : at + length]], split))
        else:
            length, new = 1, synonyms.of_noun(words, at)
        is_changed = is_changed or bool(new)
        said.append(new or " ".join(words[at : at + length]))
        at += length
    if not is_changed:
        return text
    sentence = tidy(" ".join(said))
    if has_verb and " that " not in sentence and "which" not in sentence and random.random() < 0.3:
        sentence = tidy(_one_of(ABOUT_STATEMENTS[split], random).format(sentence))
    return sentence


class _Synonyms:
    """Chooses the synonyms for one sentence, in which a noun is called the same each time."""

    def __init__(self, domain: str | None, split: Split, strength: float, random: np.random.Generator) -> None:
        self._nouns = _nouns(domain)
        self._split = split
        self._strength = strength
        self._random = random
        self._chosen: dict[str, tuple[str, str]] = {}  # Singular and plural by name; empty for a noun that stays.

    def choose(self, choices: tuple[str, ...]) -> str:
        """One of the choices, or "" if the words are to stay."""
        return _one_of(choices, self._random) if self._random.random() < self._strength else ""

    def of_noun(self, words: tuple[str, ...], at: int) -> str:
        """A synonym of the noun at a place, or "" if there is no noun or it is to stay."""
        if words[at] not in self._nouns or not _stands_alone(words, at):
            return ""
        name, is_plural, choices = self._nouns[words[at]]
        if name not in self._chosen:
            new = self.choose(choices[self._split]) if choices[self._split] else ""
            self._chosen[name] = forms_of(new) if new else ("", "")
        return self._chosen[name][is_plural]


def _stands_alone(words: tuple[str, ...], at: int) -> bool:
    """Whether the words beside a noun show that it is not part of a compound, such as "car" in "car park"."""
    follows_article = at == 0 or words[at - 1] in _BEFORE_NOUN
    return follows_article and (at + 1 == len(words) or words[at + 1] in _AFTER_NOUN)


def _ends_there(words: tuple[str, ...], at: int) -> bool:
    """Whether a phrase for a place ends here. "on the left of the road" continues and is another place."""
    return at == len(words) or words[at] in (",", "and", "that", "which", "are", "is", "has", "have", "was", "were")


@cache
def _nouns(domain: str | None) -> dict[str, tuple[str, bool, dict[Split, tuple[str, ...]]]]:
    """Table of one-word nouns: word → name, whether the word is plural, synonyms."""
    table = {}
    for noun in NOUNS:
        if noun.domain not in (None, domain):
            continue
        for name in (noun.name, *noun.also):
            if " " in name or name in _UNSAFE - ({"building"} if domain == "RS" else set()):
                continue
            singular, plural = forms_of(name)
            table[plural] = (noun.name, True, noun.words)
            table[singular] = (noun.name, False, noun.words)
    return table


def _one_of(choices: tuple[str, ...], random: np.random.Generator) -> str:
    return choices[int(random.random() * len(choices))]
