# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Parses a sentence into its parts, so that they can be reworded.

The parser reads the language of `docs/synthetic_language.md`, but is more tolerant: it does not check number and
article, accepts synonyms for places, and allows unknown nouns.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, TypeVar

from dataset_scripts.synthesis.language.vocabulary import (
    CHANGE_ROWS,
    COLORS,
    ORDINALS,
    POSITIONS,
    RELATIONS,
    SIDES,
    STARTS,
    STATEMENT_POSITIONS,
    SUPERLATIVES,
)
from dataset_scripts.synthesis.scene import ChangeType

from .changes import PLURALS
from .noun_table import NOUNS
from .nouns import Noun, forms_of, plural_of
from .places import NEARNESS, OF_THE_IMAGE, PLACES
from .states import STATES


Meaning = TypeVar("Meaning")
Table = Mapping[tuple[str, ...], Meaning]

WORD = re.compile(r"[a-z][a-z'-]*")
"""A word in lower case."""
_TOKEN = re.compile(r"[^\s,]+|,")
# Words that cannot be part of an unknown noun.
_NO_NOUN = frozenset(
    (
        *("the", "a", "an", "that", "which", "who", "whose", "is", "are", "was", "were", "has", "have", "had", "been"),
        *("in", "on", "at", "by", "of", "to", "from", "with", "and", "or", "not", "no", "near", "next", "beside"),
        *("close", "above", "below", "left", "right", "top", "bottom", "new", "more", "it", "there", "image", "scene"),
        *("along", "around", "between", "behind", "under", "over", "as", "be", "so", "than", "both", "all", "every"),
        *(
            "each",
            "side",
            "sides",
            "first",
            "second",
            "third",
            "this",
            "these",
            "those",
            "one",
            "ones",
            "other",
            "another",
        ),
    )
)


@dataclass(frozen=True)
class Thing:
    """
    A noun and its colour.

    Args:
        noun (`Noun`, *optional*): Entry in the table of nouns; `None` for an unknown noun.
        forms (`tuple[str, str]`): Singular and plural of the noun used in the sentence.
        color_form (`str`): How the colour is expressed: "adjective", "roof" or "clothes".
        color (`str`): Colour; "" if there is none.
    """

    noun: Noun | None
    forms: tuple[str, str]
    color_form: str
    color: str


@dataclass(frozen=True)
class Parts:
    """
    The parts of a sentence.

    Args:
        change_type (`str`): "appear", "disappear" or "state_change"; "any" for every change.
        thing (`Thing`, *optional*): The described thing; `None` for "everything".
        quantity (`str`): "one", "all", "each", "two", … "five".
        definite (`bool`): Whether the noun phrase is definite ("the", "all the", …).
        clause (`str`): Key in `states.STATES` for a state change.
        colors (`tuple[str, str]`): Colours before and after that this clause names.
        verb (`str`): Original words for the change, without "that".
        superlative, ordinal, side (`str`): "largest"; "second" and "from the left"; "" if there are none.
        relation (`str`): Key of `places.RELATIONS`, or "".
        relation_said (`str`): Original words for the relation.
        landmark (`Thing`, *optional*): Landmark of the relation.
        landmark_is_definite (`bool`): Whether it is "the" landmark rather than "a" landmark.
        place (`str`): Key of `places.PLACES`, or "".
        place_said (`str`): Original words for the place.
    """

    change_type: ChangeType | str
    thing: Thing | None = None
    quantity: str = "all"
    definite: bool = True
    clause: str = ""
    colors: tuple[str, str] = ("", "")
    verb: str = ""
    superlative: str = ""
    ordinal: str = ""
    side: str = ""
    relation: str = ""
    relation_said: str = ""
    landmark: Thing | None = None
    landmark_is_definite: bool = True
    place: str = ""
    place_said: str = ""


@dataclass(frozen=True)
class _Change:
    type: ChangeType
    clause: str
    colors: tuple[str, str]


class _NotUnderstoodError(ValueError):
    """The sentence does not belong to the language."""


def parse(text: str, domain: str | None) -> Parts | None:
    """
    Parses a sentence.

    Args:
        text (`str`): The sentence. Upper case and a final full stop are ignored.
        domain (`str`, *optional*): "NS" or "RS".

    Returns:
        `Parts`, *optional*: Its parts, or `None` if it does not belong to the language.
    """
    words = split_words(text.lower().strip().rstrip(".!?"))
    for length in (0, 1, 2, 3):  # Number of words of an unknown noun; 0: only known nouns
        try:
            return _Reader(words, domain, length).sentence()
        except _NotUnderstoodError:
            continue
    return None


def split_words(phrase: str) -> tuple[str, ...]:
    """Splits a phrase into words; a comma counts as a word."""
    return tuple(_TOKEN.findall(phrase))


def longest_match(words: tuple[str, ...], at: int, table: Table[Meaning], longest: int) -> int:
    """Length in words of the longest phrase of a table that starts at `at`; 0 if there is none."""
    for length in range(min(longest, len(words) - at), 0, -1):
        if words[at : at + length] in table:
            return length
    return 0


@cache
def nouns_of(domain: str | None) -> dict[tuple[str, ...], tuple[Noun, tuple[str, str], bool]]:
    """Table of the nouns in input sentences: words → entry, singular and plural, whether the words are plural."""
    table = {}
    for noun in NOUNS:
        if noun.domain not in (None, domain):
            continue
        for entry in (noun.name, *noun.also):
            forms = forms_of(entry)
            for form, is_plural in ((forms[1], True), (forms[0], False)):
                table[split_words(form)] = (noun, forms, is_plural)
    return table


@cache
def places() -> dict[tuple[str, ...], str]:
    """Table of the places that begin with a preposition: phrase → key in `places.PLACES`."""
    table: dict[tuple[str, ...], str] = {}
    for key, words in PLACES.items():
        said = [phrase for phrases in words.values() for phrase in phrases if is_prepositional(phrase)]
        table.update({split_words(phrase): key for phrase in said})
    suffixes = ("", *(suffix for suffixes in OF_THE_IMAGE.values() for suffix in suffixes))
    for key in (*POSITIONS, *STATEMENT_POSITIONS):
        table[split_words(key)] = key
    for phrase, key in list(table.items()):
        if takes_suffix(" ".join(phrase)):
            table.update({(*phrase, *split_words(suffix)): key for suffix in suffixes})
    return table


_ENDS = frozenset(
    (
        *("corner", "half", "part", "side", "edge", "middle", "centre", "center", "left"),
        *("right", "top", "bottom", "region", "quadrant", "section", "portion", "zone"),
    )
)


def takes_suffix(phrase: str) -> bool:
    """Whether "of the image" can follow a phrase for a place."""
    return phrase.count("the ") == 1 and phrase.rpartition(" ")[2] in _ENDS and not phrase.startswith("to ")


def is_prepositional(phrase: str) -> bool:
    """Whether a phrase for a place begins with a preposition, unlike "top left"."""
    return phrase.startswith(
        (
            "in ",
            "at ",
            "on ",
            "to ",
            "towards ",
            "near ",
            "along ",
            "by ",
            "over ",
            "right in ",
            "right by ",
            "up ",
            "down ",
        )
    ) or (" the " in phrase or phrase.endswith("centrally"))


@cache
def changes() -> dict[tuple[str, ...], _Change]:
    """Table of all phrases for changes in the generator's language, without "that", in singular and plural."""
    table: dict[tuple[str, ...], _Change] = {}
    for row in CHANGE_ROWS:
        if row.type is None:
            continue
        for said in (*row.clauses, *row.verbs, *_ALSO_SAID.get(row.clauses[0], ())):
            phrase = said.removeprefix("that ")
            if phrase.endswith("turned green"):
                continue  # "turned Y" has the same meaning.
            clause = "" if row.type != "state_change" else _key_of(said, row.clauses)
            for before, after in product(COLORS if "X" in phrase else ("",), COLORS if "Y" in phrase else ("",)):
                colors = {"X": before, "Y": after}
                for plurals in ({}, PLURALS | {"appears": "appear", "shows": "show"}):
                    words = tuple(colors.get(word, plurals.get(word, word)) for word in phrase.split())
                    table.setdefault(words, _Change(row.type, clause, (before, after)))
    return table


# Further phrases that people use, by the first clause of a row.
_ALSO_SAID = {
    "that appeared": ("appears", "shows up", "has shown up"),
    "that was newly built": ("is constructed",),
    "that was demolished": ("that has been demolished", "that has been torn down"),
    "that is no longer farmed in the later image": ("that turned into something else",),
}


def _key_of(said: str, clauses: tuple[str, ...]) -> str:
    """Returns the key in `STATES` of a phrase that belongs to a row of clauses."""
    if said in STATES:
        return said
    return "that turned Y" if said == "has turned Y" else next(each for each in clauses if each in STATES)


@cache
def _tables(domain: str | None) -> dict[str, tuple[Table, int]]:
    """All tables by name, each with the length in words of its longest phrase."""
    everything = {"appeared": "appear", "disappeared": "disappear", "changed its state": "state_change"}
    named: dict[str, Mapping[str, object]] = {
        "starts": STARTS,
        "superlatives": {word: word for word in SUPERLATIVES},
        "ordinals": {word: word for word in ORDINALS},
        "sides": {word: word for word in SIDES},
        "relations": {phrase: "near" if phrase in NEARNESS else phrase for phrase in RELATIONS},
        "articles": {"the": True, "a": False, "an": False},
        "colors": {color: color for color in (*COLORS, "gray")},
        "roofed": {f"{color}-roofed": color for color in COLORS},
        "clothes": {f"{words} {color}": color for color in COLORS for words in ("in", "wearing", "dressed in")},
        "roofs": {f"with {article} {color} roof": color for color in COLORS for article in ("a", "an")}
        | {f"with {color} roofs": color for color in COLORS},
        "newly built": {"newly built": True},
        "everything": {f"that {verb}": change_type for verb, change_type in everything.items()},
    }
    tables: dict[str, Table] = {
        name: {split_words(phrase): meaning for phrase, meaning in table.items()} for name, table in named.items()
    }
    tables |= {"nouns": nouns_of(domain), "places": places(), "changes": changes()}
    return {name: (table, max(map(len, table))) for name, table in tables.items()}


class _Reader:
    """Parses the words of a sentence from left to right."""

    def __init__(self, words: tuple[str, ...], domain: str | None, unknown: int) -> None:
        self._words = words
        self._tables = _tables(domain)
        self._unknown = unknown
        self._at = 0

    def sentence(self) -> Parts:
        """Parses the whole sentence."""
        start = self._need("starts")
        if start.form == "changes":
            return self._finished(Parts("any"))
        if start.form == "everything":
            place, place_said = self._place()
            return self._finished(Parts(self._need("everything"), place=place, place_said=place_said))
        quantity = start.words.removeprefix("the ")
        if start.form == "statement":
            thing, is_plural = self._thing(self._unknown)
            change, verb = self._change(is_clause=False)
            superlative = ordinal = side = ""
            relation = self._relation()
            place, place_said = self._place()
        else:
            superlative = self._take("superlatives") or ""
            ordinal = "" if superlative else self._take("ordinals") or ""
            is_newly_built = self._take("newly built")
            thing, is_plural = self._thing(self._unknown)
            side = self._need("sides") if ordinal else ""
            relation = self._relation()
            place, place_said = self._place()
            if is_newly_built:
                change, verb = _Change("appear", "", ("", "")), "were newly built" if is_plural else "was newly built"
            else:
                change, verb = self._change(is_clause=True)
        if quantity not in ("two", "three", "four", "five"):
            quantity = "each" if quantity in ("every", "each") else "all" if is_plural else "one"
        return self._finished(
            Parts(
                change_type=change.type,
                thing=thing,
                quantity=quantity,
                definite=start.form != "statement",
                clause=change.clause,
                colors=change.colors,
                verb=verb,
                superlative=superlative,
                ordinal=ordinal,
                side=side,
                relation=relation[0],
                relation_said=relation[1],
                landmark=relation[2],
                landmark_is_definite=relation[3],
                place=place,
                place_said=place_said,
            )
        )

    def _finished(self, parts: Parts) -> Parts:
        if self._at < len(self._words):
            raise _NotUnderstoodError
        return parts

    def _thing(self, unknown: int) -> tuple[Thing, bool]:
        """Parses `[<colour>] <noun> [<colour phrase>]`. Returns the thing and whether it is plural."""
        begin = self._at
        color, form = self._take("colors") or "", "adjective"
        if not color:
            color = self._take("roofed") or ""
            form = "roof" if color else form
        noun: Noun | None
        if unknown:
            noun, (forms, is_plural) = None, self._unknown_noun(unknown)
        else:
            found = self._take("nouns")
            if found is None and color:  # an orange
                self._at, color = begin, ""
                found = self._need("nouns")
            if found is None:
                raise _NotUnderstoodError
            noun, forms, is_plural = found
        if not color:
            for name in ("roofs", "clothes"):
                color = self._take(name) or ""
                if color:
                    form = "roof" if name == "roofs" else "clothes"
                    break
        return Thing(noun, forms, form, color), is_plural

    def _unknown_noun(self, count: int) -> tuple[tuple[str, str], bool]:
        """Parses a noun of `count` words that is in no table. Returns its forms and whether it is plural."""
        words = self._words[self._at : self._at + count]
        if len(words) < count or any(word in _NO_NOUN or not WORD.fullmatch(word) for word in words):
            raise _NotUnderstoodError
        self._at += count
        noun = " ".join(words)
        is_plural = (words[-1].endswith("s") and not words[-1].endswith(("ss", "us", "is"))) or words[-1] in (
            "men",
            "women",
        )
        return ((noun, noun) if is_plural else (noun, plural_of(noun))), is_plural

    def _relation(self) -> tuple[str, str, Thing | None, bool]:
        begin = self._at
        relation = self._take("relations")
        if relation is None:
            return "", "", None, True
        said = " ".join(self._words[begin : self._at])
        definite = self._need("articles")
        landmark, _ = self._thing(0)
        return relation, said, landmark, definite

    def _place(self) -> tuple[str, str]:
        begin = self._at
        place = self._take("places")
        return (place, " ".join(self._words[begin : self._at]).replace(" ,", ",")) if place else ("", "")

    def _change(self, *, is_clause: bool) -> tuple[_Change, str]:
        if is_clause and self._words[self._at : self._at + 1] in (("that",), ("which",), ("who",)):
            self._at += 1
        elif is_clause and self._words[self._at : self._at + 1] != ("whose",):
            raise _NotUnderstoodError
        begin = self._at
        change = self._need("changes")
        return change, " ".join(self._words[begin : self._at])

    def _take(self, name: str) -> Any:
        """Consumes the longest phrase of a table at the current position. `None` if there is none."""
        table, longest = self._tables[name]
        length = longest_match(self._words, self._at, table, longest)
        if not length:
            return None
        begin, self._at = self._at, self._at + length
        return table[self._words[begin : self._at]]

    def _need(self, name: str) -> Any:
        meaning = self._take(name)
        if meaning is None:
            raise _NotUnderstoodError
        return meaning
