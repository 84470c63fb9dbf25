# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Rewords noun phrases: things, ranks, quantities, relations and places."""

import re
from collections.abc import Sequence
from functools import cache

import numpy as np

from dataset_scripts.synthesis.language.articles import article

from .nouns import Split, Words, forms_of
from .parsing import Parts, Thing, is_prepositional, takes_suffix
from .places import (
    COLOR_AFTER,
    COLOR_BEFORE,
    DEFINITE,
    INDEFINITE,
    OF_THE_IMAGE,
    ORDINALS,
    PLACES,
    RELATIONS,
    SIDES,
    SUPERLATIVES,
)


_SUFFIX = 0.15  # Probability of "of the image" after a place
_BARE = 0.3  # Probability that a plural has no article: "trees were cut down"
_BEFORE = 0.6  # Probability that a superlative stands before the noun
_ONE_OF_THE = 0.2
_PLACE_FIRST: dict[Split, float] = {"train": 0.35, "reworded": 0.8}  # Probability of place before relation
_PLURALS = {
    "a C rooftop": "C rooftops",
    "a C roof": "C roofs",
    "a C-coloured roof": "C-coloured roofs",
    "the C roof": "the C roofs",
    "a roof": "roofs",
    "that is": "that are",
    "roof is": "roofs are",
    "that has": "that have",
    "which has": "which have",
    "its": "their",
    "who wears": "who wear",
    "who is": "who are",
    "who has": "who have",
    "a C outfit": "C outfits",
}
_GAP = re.compile(r" +([,?!:;)])")
_ARTICLE = re.compile(r"\b(a|an) (?=(\w+))", re.IGNORECASE)


class Choices:
    """
    Random choice of words.

    Args:
        split (`str`): "train" or "reworded": the vocabulary to choose from.
        strength (`float`): Probability of rewording each part, 0 to 1.
        random (`np.random.Generator`): Random generator.
    """

    def __init__(self, split: Split, strength: float, random: np.random.Generator) -> None:
        self.split: Split = split
        self.strength = strength
        self.chance = random.random

    def one_of(self, choices: Sequence[str]) -> str:
        """Chooses one element with equal probability."""
        return choices[int(self.chance() * len(choices))]

    def is_anew(self) -> bool:
        """Decides at random whether a part is reworded."""
        return self.chance() < self.strength

    def anew(self, words: Words, said: str) -> str:
        """Returns a synonym from the vocabulary of the split, or the original words `said`."""
        choices = words[self.split]
        return self.one_of(choices) if choices and self.is_anew() else said


class NounPhrases:
    """
    Noun phrases for the things and places of one sentence.

    Args:
        parts ([`Parts`]): Parts of the sentence.
        domain (`str`, *optional*): "NS" or "RS".
        choices ([`Choices`]): Random choice of words.
    """

    def __init__(self, parts: Parts, domain: str | None, choices: Choices) -> None:
        self._parts = parts
        self._domain = domain
        self._choices = choices
        self._nouns: dict[str, tuple[str, str]] = {}
        self.is_ranked = bool(parts.superlative or parts.ordinal)
        self.quantity = parts.quantity
        self.where = self._say_where()

    @property
    def is_plural(self) -> bool:
        """Whether the noun is in the plural."""
        return self.quantity not in ("one", "each")

    def definite(self, before: str = "") -> str:
        """Definite noun phrase: "the red car", "all the newly built houses"."""
        if self.is_ranked:
            return "the " + self._core(before)
        said = {"one": "the", "all": "the", "each": "every"}.get(self.quantity, f"the {self.quantity}")
        return f"{self._choices.anew(DEFINITE[self.quantity], said)} {self._core(before)}"

    def indefinite(self, before: str = "") -> str:
        """Indefinite noun phrase: "a red car", "several houses"."""
        if self.quantity == "all" and self._choices.chance() < _BARE:
            return self._core(before)
        said = {"one": "a", "all": "several", "each": "a"}.get(self.quantity, self.quantity)
        return f"{self._choices.anew(INDEFINITE[self.quantity], said)} {self._core(before)}"

    def any(self, before: str = "") -> str:
        """Noun phrase of a question: "a red car", "any red cars"."""
        return f"any {self._core(before)}" if self.quantity == "all" else self.indefinite(before)

    def bare(self, before: str = "") -> str:
        """Noun phrase without an article: "red car", "two houses"."""
        count = "" if self.is_ranked or self.quantity in ("one", "all", "each") else self.quantity + " "
        return count + self._core(before)

    def place(self) -> str:
        """Phrase for the place, sometimes without a preposition ("top left")."""
        parts, choices = self._parts, self._choices
        if parts.relation or not parts.place or choices.chance() < 0.5:
            return self.where
        return choices.anew(PLACES[parts.place], parts.place_said)

    def _core(self, before: str) -> str:
        """`[<rank>] [newly built] [<colour>] <noun> [<colour phrase>] [<rank>]`."""
        parts = self._parts
        assert parts.thing is not None
        rank_before, rank_after = self._rank()
        words = [rank_before, before, *self._named(parts.thing, self.is_plural), rank_after]
        return " ".join(word for word in words if word)

    def _rank(self) -> tuple[str, str]:
        """The words of the rank before and after the noun; one or both are empty."""
        parts, choices = self._parts, self._choices
        if parts.ordinal:
            return choices.anew(ORDINALS[parts.ordinal], parts.ordinal), choices.anew(SIDES[parts.side], parts.side)
        if not parts.superlative or not choices.is_anew():
            return parts.superlative, ""
        before, after = SUPERLATIVES[parts.superlative]
        if choices.chance() < _BEFORE:
            return choices.one_of(before[choices.split]), ""
        return "", choices.one_of(after[choices.split])

    def _named(self, thing: Thing, is_plural: bool) -> list[str]:
        """Colour, noun and colour phrase of a thing."""
        noun = self._noun(thing)[is_plural]
        if not thing.color:
            return [noun]
        split, form = self._choices.split, thing.color_form
        before, after = COLOR_BEFORE[form][split], COLOR_AFTER[form][split]
        if form == "adjective" and not self._choices.is_anew():
            return [thing.color, noun]
        phrase = self._choices.one_of((*before, *after))
        if phrase in before:
            return [phrase.replace("C", thing.color), noun]
        return [noun, (in_plural(phrase) if is_plural else phrase).replace("C", thing.color)]

    def _noun(self, thing: Thing) -> tuple[str, str]:
        """Singular and plural of the chosen noun. The choice is kept for the whole sentence."""
        name = thing.forms[0]
        if name not in self._nouns:
            words = thing.noun.words[self._choices.split] if thing.noun else ()
            is_anew = bool(words) and self._choices.is_anew()
            self._nouns[name] = forms_of(self._choices.one_of(words)) if is_anew else thing.forms
        return self._nouns[name]

    def _say_where(self) -> str:
        """Words for relation and place; "" if there are none."""
        relation, place = self._relation(), self._place()
        if not relation or not place:
            return relation or place
        is_place_first = self._choices.chance() < _PLACE_FIRST[self._choices.split]
        if is_place_first and not relation.startswith(("right", "left")):  # Not "at the bottom right beside the car".
            return f"{place} {relation}"
        return f"{relation} {place}"

    def _relation(self) -> str:
        parts = self._parts
        if parts.landmark is None:
            return ""
        relation = self._choices.anew(RELATIONS[parts.relation], parts.relation_said)
        if self.is_ranked and relation.startswith(("left", "right", "just", "directly")):
            relation = parts.relation_said  # Not "the second car from the bottom right of the tree".
        if parts.landmark_is_definite:
            return " ".join((relation, "the", *self._named(parts.landmark, False)))
        if self._choices.split == "train" and self._choices.chance() < _ONE_OF_THE * self._choices.strength:
            return " ".join((relation, "one of the", *self._named(parts.landmark, True)))
        # "the house next to another house"
        first = "another" if parts.thing is not None and parts.landmark.forms == parts.thing.forms else "a"
        return " ".join((relation, first, *self._named(parts.landmark, False)))

    def _place(self) -> str:
        parts, choices = self._parts, self._choices
        if not parts.place or not choices.is_anew():
            return parts.place_said
        place = choices.one_of(prepositional(parts.place, choices.split))
        if takes_suffix(place) and choices.chance() < _SUFFIX:
            return f"{place} {choices.one_of(words_for_images(OF_THE_IMAGE, choices.split, self._domain))}"
        return place


def in_plural(phrase: str) -> str:
    """Converts a colour phrase of roofs or clothes to several things: "with C roofs", "who wear C"."""
    for one, several in _PLURALS.items():
        phrase = phrase.replace(one, several)
    return phrase


@cache
def prepositional(place: str, split: Split) -> tuple[str, ...]:
    """Returns the phrases for a place that begin with a preposition."""
    return tuple(phrase for phrase in PLACES[place][split] if is_prepositional(phrase))


def words_for_images(words: Words, split: Split, domain: str | None) -> tuple[str, ...]:
    """Returns words for the images. "picture" is only used in remote sensing, because rooms have pictures on walls."""
    return tuple(phrase for phrase in words[split] if domain == "RS" or "picture" not in phrase)


def tidy(text: str) -> str:
    """Corrects "a" and "an" and removes surplus spaces."""
    text = _GAP.sub(r"\1", " ".join(text.split()))
    return _ARTICLE.sub(lambda match: f"{article(match[2])} ", text).strip(" ,")
