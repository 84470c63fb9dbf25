# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The grammar of docs/synthetic_language.md as the checker reads it: from the text of a sentence to what it asks for.

Nothing here comes from the code that writes the sentences, so that a mistake of the one does not hide in the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal, TypeAlias, TypeVar

from dataset_scripts.synthesis.language.vocabulary import COLORS

from .vocabulary import (
    CHANGE_ROWS,
    NOUNS,
    ORDINALS,
    POSITIONS,
    RELATIONS,
    SIDES,
    STARTS,
    STATEMENT_POSITIONS,
    SUPERLATIVES,
    Change,
    Choice,
    Direction,
    Domain,
    Region,
    Start,
    kinds_of_group,
)


Words: TypeAlias = tuple[str, ...]
ColorForm: TypeAlias = Literal["adjective", "roof", "clothes"]
Meaning = TypeVar("Meaning")

# The words of a clause or verb that agree with the noun.
_PLURAL_WORDS = {"is": "are", "was": "were", "has": "have", "looks": "look", "roof": "roofs"}
# Of what "newly built" may be said: the row of "that was newly built".
_BUILT_GROUP = "built pool road"


class SentenceError(ValueError):
    """A sentence, or a part of it, that the language of docs/synthetic_language.md does not have."""


@dataclass(frozen=True)
class Noun:
    """
    A noun in one of its two numbers.

    Args:
        words (`str`): The noun as it is written.
        kinds (`frozenset[str]`): Kinds of things that it names.
        plural (`bool`): Whether it is a plural.
    """

    words: str
    kinds: frozenset[str]
    plural: bool


@dataclass(frozen=True)
class Description:
    """
    A noun and its colour.

    Args:
        noun (`Noun`): What it is.
        color (`str`, *optional*): The colour that is asked for, `None` for any or none.
    """

    noun: Noun
    color: str | None


@dataclass(frozen=True)
class Relation:
    """
    Where a thing lies, seen from a landmark.

    Args:
        direction (`str`): "near", "left", "right", "above" or "below".
        landmark (`Description`): What the landmark is.
        definite (`bool`): "the" landmark, of which there must be one only, rather than "a" landmark.
    """

    direction: Direction
    landmark: Description
    definite: bool


@dataclass(frozen=True)
class Sentence:
    """
    What a sentence asks for.

    Args:
        description (`Description`, *optional*): What the things are, `None` for everything.
        change (`Change`): What happened to them.
        relation (`Relation`, *optional*): Where they lie, seen from a landmark.
        region (`Region`, *optional*): Where they lie in the image.
        choice (`Choice`, *optional*): Which one of the things that fit is meant.
        least (`int`): Fewest things that the sentence may mean.
        most (`int`, *optional*): Most things that it may mean, `None` for any number.
    """

    description: Description | None
    change: Change
    relation: Relation | None
    region: Region | None
    choice: Choice | None
    least: int
    most: int | None


def parse(text: str, domain: Domain) -> Sentence:
    """
    Read a sentence.

    Args:
        text (`str`): The English sentence. Upper case and a final full stop mean nothing.
        domain (`str`): "NS" or "RS", which decides what "building" means and how the colours of houses are said.

    Returns:
        `Sentence`: What it asks for.

    Raises:
        SentenceError: If there are words that cannot be understood where they stand (they are named), or if number,
            article or change do not agree with the noun.
    """
    parser = _Parser(text, domain)
    sentence = parser.sentence()
    parser.finish()
    return sentence


def _split(table: Mapping[str, Meaning]) -> dict[Words, Meaning]:
    """A table of phrases with each phrase as a tuple of words; a comma is a word."""
    return {tuple(phrase.replace(",", " ,").split()): meaning for phrase, meaning in table.items()}


@cache
def _nouns(domain: Domain) -> dict[Words, Noun]:
    nouns: dict[str, Noun] = {}
    for singular, plural, kinds in NOUNS:
        named = kinds_of_group(kinds, domain)
        nouns[singular] = Noun(singular, named, plural=False)
        nouns[plural] = Noun(plural, named, plural=True)
    return _split(nouns)


@cache
def _positions(statement: bool) -> dict[Words, Region]:
    suffixes = ("", " of the image", " of the scene")
    positions = {name + suffix: region for name, region in POSITIONS.items() for suffix in suffixes}
    return _split(positions | STATEMENT_POSITIONS if statement else positions)


@cache
def _changes(domain: Domain, statement: bool, plural: bool) -> dict[Words, list[tuple[frozenset[str], Change]]]:
    """Clauses (or, for a statement, verbs), each with the changes it may mean and the kinds it may be said of."""
    table: dict[Words, list[tuple[frozenset[str], Change]]] = {}
    for row in CHANGE_ROWS:
        kinds = kinds_of_group(row.group, domain)
        for phrase in row.verbs if statement else row.clauses:
            words = [_PLURAL_WORDS.get(word, word) if plural else word for word in phrase.split()]
            for before, after in product(COLORS if "X" in words else (None,), COLORS if "Y" in words else (None,)):
                colors = {"X": before, "Y": after}
                filled = tuple(colors.get(word) or word for word in words)
                table.setdefault(filled, []).append((kinds, row.change.with_colors(before, after)))
    return table


_STARTS = _split(STARTS)
_RELATIONS = _split(RELATIONS)
_SUPERLATIVES = _split(SUPERLATIVES)
_ORDINALS = _split(ORDINALS)
_SIDES = _split(SIDES)
_ARTICLES = _split({"the": True, "a": False, "an": False})
_COLORS = _split({color: color for color in COLORS})
_ROOFED = _split({f"{color}-roofed": color for color in COLORS})
_CLOTHES = _split({f"{words} {color}": color for color in COLORS for words in ("in", "wearing", "dressed in")})
_ROOFS = _split({f"with {article} {color} roof": color for color in COLORS for article in ("a", "an")})
_SEVERAL_ROOFS = _split({f"with {color} roofs": color for color in COLORS})
_NEWLY_BUILT = _split({"newly built": True})
_EVERYTHING_CLAUSES = _split(
    {
        "that appeared": Change("appear"),
        "that disappeared": Change("disappear"),
        "that changed its state": Change("state_change"),
    }
)


class _Parser:
    """Reads the words of a sentence from left to right, each time the longest phrase that a table knows."""

    def __init__(self, text: str, domain: Domain) -> None:
        self._text = text
        self._domain = domain
        self._words: Words = tuple(text.strip().removesuffix(".").lower().replace(",", " , ").split())
        self._at = 0

    def sentence(self) -> Sentence:
        """The whole of form A, B or C."""
        start = self._need(_STARTS, "a quantifier")
        if start.form == "changes":
            return Sentence(None, Change(), None, None, None, start.least, start.most)
        if start.form == "everything":
            region = self._take(_positions(False))
            return Sentence(None, self._need(_EVERYTHING_CLAUSES, "a change"), None, region, None, 1, None)
        if start.form == "statement":
            return self._statement(start)
        return self._noun_phrase(start)

    def finish(self) -> None:
        """Make sure that no word is left."""
        if self._at < len(self._words):
            raise self._left_over("the end")

    def _noun_phrase(self, start: Start) -> Sentence:
        """Form A, after its quantifier."""
        begin = self._at
        superlative = self._take(_SUPERLATIVES)
        rank = None if superlative else self._take(_ORDINALS)
        newly_built = rank is None and self._take(_NEWLY_BUILT) is not None
        description = self._description()
        noun = description.noun
        self._check_number(start, noun)
        choice = superlative
        if rank is not None:
            choice = self._need(_SIDES, "the side that an ordinal counts from").ranked(rank)
        if choice is not None and (start.plural is not None or noun.plural):
            raise self._error(f"'{self._words[begin]}' is used with 'the' and a singular noun only")
        relation = self._relation()
        region = self._take(_positions(False))
        if newly_built:
            if not noun.kinds <= kinds_of_group(_BUILT_GROUP, self._domain):
                raise self._error(f"'newly built' cannot be said of '{noun.words}'")
            change = Change("appear")
        else:
            change = self._change(noun, statement=False)
        least, most = start.least, start.most
        if start.plural is None:
            least, most = (2, None) if noun.plural else (1, 1)
        return Sentence(description, change, relation, region, choice, least, most)

    def _statement(self, start: Start) -> Sentence:
        """Form B, after its subject's first word."""
        self._check_article()
        description = self._description()
        self._check_number(start, description.noun)
        change = self._change(description.noun, statement=True)
        relation = self._relation()
        region = self._take(_positions(True))
        return Sentence(description, change, relation, region, None, start.least, start.most)

    def _description(self) -> Description:
        """`[<colour>] <noun> [<colour phrase>]`."""
        adjective, roofed = self._take(_COLORS), self._take(_ROOFED)
        noun = self._need(_nouns(self._domain), "a noun")
        found: list[tuple[ColorForm, str]] = []
        if adjective is not None:
            found.append(("adjective", adjective))
        if roofed is not None:
            found.append(("roof", roofed))
        begin = self._at
        roof = self._take(_ROOFS) or (self._take(_SEVERAL_ROOFS) if noun.plural else None)
        if roof is not None:
            self._check_article(begin + 1)
            found.append(("roof", roof))
        clothes = self._take(_CLOTHES)
        if clothes is not None:
            found.append(("clothes", clothes))
        if len(found) > 1:
            raise self._error(f"'{noun.words}' is given more than one colour")
        for form, color in found:
            if form not in self._color_forms(noun):
                raise self._error(f"the colour '{color}' cannot be said of '{noun.words}' in this way")
        return Description(noun, found[0][1] if found else None)

    def _color_forms(self, noun: Noun) -> tuple[ColorForm, ...]:
        """How the colour of what a noun names is said."""
        if "person" in noun.kinds:
            return ("clothes",)
        if self._domain == "RS" and "house" in noun.kinds:
            return ("roof",) if noun.kinds == {"house"} else ("roof", "adjective")
        return ("adjective",)

    def _relation(self) -> Relation | None:
        direction = self._take(_RELATIONS)
        if direction is None:
            return None
        definite = self._need(_ARTICLES, "the landmark")
        if not definite:
            if direction != "near":
                raise self._error("a direction is seen from 'the' landmark, not from 'a' landmark")
            self._check_article()
        landmark = self._description()
        if landmark.noun.plural:
            raise self._error(f"the landmark '{landmark.noun.words}' must be singular")
        return Relation(direction, landmark, definite)

    def _change(self, noun: Noun, *, statement: bool) -> Change:
        """The change clause of form A, or the verb of form B."""
        begin = self._at
        found = self._take(_changes(self._domain, statement, noun.plural))
        if found is None:
            other = self._take(_changes(self._domain, statement, not noun.plural))
            phrase = " ".join(self._words[begin : self._at])
            self._at = begin
            if other is not None:
                raise self._error(f"'{phrase}' does not agree in number with '{noun.words}'")
            raise self._left_over("a verb" if statement else "a change")
        for kinds, change in found:
            if noun.kinds <= kinds:
                return change
        raise self._error(f"'{' '.join(self._words[begin : self._at])}' cannot be said of '{noun.words}'")

    def _check_number(self, start: Start, noun: Noun) -> None:
        if start.plural is not None and start.plural != noun.plural:
            number = "plural" if start.plural else "singular"
            raise self._error(f"'{noun.words}' must be {number} after '{start.words}'")

    def _check_article(self, at: int | None = None) -> None:
        """If the word before the next one (or the one at `at`) is "a" or "an", make sure that it is the right one."""
        at = self._at - 1 if at is None else at
        article, following = self._words[at], (*self._words, "")[at + 1]
        if article in ("a", "an") and (article == "an") != following.startswith(tuple("aeiou")):
            raise self._error(f"'{article} {following}' has the wrong article")

    def _take(self, table: Mapping[Words, Meaning]) -> Meaning | None:
        """Read the longest phrase of a table that stands next; `None`, and nothing is read, if there is none."""
        for length in range(min(max(map(len, table)), len(self._words) - self._at), 0, -1):
            phrase = self._words[self._at : self._at + length]
            if phrase in table:
                self._at += length
                return table[phrase]
        return None

    def _need(self, table: Mapping[Words, Meaning], expected: str) -> Meaning:
        meaning = self._take(table)
        if meaning is None:
            raise self._left_over(expected)
        return meaning

    def _left_over(self, expected: str) -> SentenceError:
        rest = " ".join(self._words[self._at :])
        if not rest:
            return self._error(f"it ends where {expected} should follow")
        return self._error(f"where {expected} should follow, the words '{rest}' are left over")

    def _error(self, what: str) -> SentenceError:
        return SentenceError(f"The sentence '{self._text}' is not in docs/synthetic_language.md: {what}.")
