# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the words in the tables of docs/synthetic_language.md mean, for the checker and tests of the paraphraser."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

from dataset_scripts.synthesis.language import vocabulary
from dataset_scripts.synthesis.language.vocabulary import Form
from dataset_scripts.synthesis.scene import ChangeType


Domain: TypeAlias = Literal["NS", "RS"]
Direction: TypeAlias = Literal["near", "left", "right", "above", "below"]
Interval: TypeAlias = tuple[Fraction, Fraction]

NUMERALS = {"two": 2, "three": 3, "four": 4, "five": 5}


@dataclass(frozen=True)
class Start:
    """
    The meaning of the first words of a sentence.

    Args:
        words (`str`): The words.
        form (`str`): Form of the sentence: "noun phrase" (A), "statement" (B), "everything" or "changes" (C).
        plural (`bool`, *optional*): Whether a plural noun must follow, `None` if both are possible.
        least (`int`): Smallest number of things that the sentence refers to.
        most (`int`, *optional*): Largest number of things, `None` if unlimited.
    """

    words: str
    form: Form
    plural: bool | None
    least: int
    most: int | None


@dataclass(frozen=True)
class Change:
    """
    The change that a sentence requires of a thing.

    Args:
        type (`str`, *optional*): "appear", "disappear" or "state_change"; `None` for any of them.
        before (`frozenset[str]`): Possible conditions at t1; empty for any.
        after (`frozenset[str]`): Possible conditions at t2; empty if the sentence does not mention a condition.
        recolored (`bool`): Whether the colour must have changed.
        color_before (`str`, *optional*): Required colour at t1.
        color_after (`str`, *optional*): Required colour at t2.
    """

    type: ChangeType | None = None
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    recolored: bool = False
    color_before: str | None = None
    color_after: str | None = None

    def with_colors(self, before: str | None, after: str | None) -> "Change":
        """Returns a copy with the colours that a sentence names."""
        return replace(self, color_before=before, color_after=after)


@dataclass(frozen=True)
class Region:
    """A region of the image: start (inclusive) and end (exclusive), in shares of width (x) and height (y)."""

    x: Interval
    y: Interval


@dataclass(frozen=True)
class Choice:
    """
    A superlative or ordinal: selects one of several things.

    Args:
        key (`str`): Sort key: "x" or "y" of the position, or "size".
        descending (`bool`): Whether the largest value comes first.
        rank (`int`): Rank of the selected thing, from 1.
    """

    key: Literal["x", "y", "size"]
    descending: bool
    rank: int = 1

    def ranked(self, rank: int) -> "Choice":
        """Returns a copy with another rank."""
        return replace(self, rank=rank)


@dataclass(frozen=True)
class ChangeRow:
    """
    One row of the tables of changes.

    Args:
        group (`str`): Kinds that it applies to, in the format of `kinds_of_group`.
        change (`Change`): Meaning of the clauses and verbs.
        clauses (`tuple[str, ...]`): Clauses of form A in the singular; X and Y stand for colours.
        verbs (`tuple[str, ...]`): Verbs of form B in the singular.
    """

    group: str
    change: Change
    clauses: tuple[str, ...]
    verbs: tuple[str, ...] = ()


# The group of kinds that a noun covers, if it is not the kind of this name.
_GROUPS = {
    "villa": "house",
    "trash bin": "bin",
    "swimming pool": "pool",
    "patch of cropland": "field",
    "patch of forest": "forest",
    "patch of woodland": "forest",
    "building": "called-building",
}
NOUNS: tuple[tuple[str, str, str], ...] = tuple(
    (singular, plural, _GROUPS.get(singular, singular)) for singular, plural in vocabulary.NOUNS
)
"""Singular, plural, and the group of kinds that the noun covers."""
_EVERY_KIND = frozenset(
    (
        *("warehouse", "greenhouse", "car", "truck", "bus", "bicycle", "box", "tree", "sign", "bench", "door", "lamp"),
        *("chair", "table", "plant", "picture", "bag", "pond", "field", "road", "house", "bin", "pool"),
        *("shelf", "person", "forest", "building"),
    )
)


def kinds_of_group(group: str, domain: Domain) -> frozenset[str]:
    """
    Returns the kinds of things that a table row applies to.

    Args:
        group (`str`): Names of kinds or groups, separated by spaces. Groups are "any", "vehicle", "built" (all kinds
            of buildings), "called-building" (kinds that "building" covers), "roofed" (houses, whose colour is that of
            the roof), "colored" (all other kinds) and "painted" (kinds that can be repainted).
        domain (`str`): "NS" or "RS".

    Returns:
        `frozenset[str]`: The kinds.
    """
    remote = domain == "RS"
    roofed = frozenset({"house"}) if remote else frozenset()
    groups = {
        "any": _EVERY_KIND,
        "vehicle": frozenset({"car", "truck", "bus"}),
        "built": frozenset({"house", "warehouse", "greenhouse", "building"}),
        "called-building": frozenset({"house", "warehouse", "greenhouse"} if remote else {"building"}),
        "roofed": roofed,
        "colored": _EVERY_KIND - roofed,
        "painted": frozenset({"sign"} if remote else {"sign", "building"}),
    }
    return frozenset().union(*(groups.get(name, frozenset({name})) for name in group.split()))


def _turn(before: str, after: str) -> Change:
    """Builds a change of condition. Conditions are separated by spaces; "" means any."""
    return Change("state_change", before=frozenset(before.split()), after=frozenset(after.split()))


_RECOLORED = Change("state_change", recolored=True)

# The kinds and the meaning of a row of changes, by its first clause.
_MEANINGS: dict[str, tuple[str, Change]] = {
    "that appeared": ("any", Change("appear")),
    "that was newly built": ("built pool road", Change("appear")),
    "that was planted": ("tree forest", Change("appear")),
    "that arrived": ("vehicle bicycle person", Change("appear")),
    "that disappeared": ("any", Change("disappear")),
    "that was demolished": ("built", Change("disappear")),
    "that was cut down": ("tree forest", Change("disappear")),
    "that left": ("vehicle bicycle person", Change("disappear")),
    "that changed": ("any", Change("state_change")),
    "whose roof changed from X to Y": ("roofed", _RECOLORED),
    "that turned green": ("field", _turn("", "green")),
    "that changed from X to Y": ("colored", _RECOLORED),
    "that was repainted": ("painted", _RECOLORED),
    "that was paved": ("road", _turn("dirt", "paved")),
    "that was ploughed": ("field", _turn("", "ploughed")),
    "that is no longer farmed in the later image": ("field", _turn("", "bare")),
    "that ripened": ("field", _turn("", "ripe")),
    "that dried up": ("pond", _turn("full low", "dry")),
    "whose water level fell": ("pond", _turn("full", "low")),
    "whose water level rose": ("pond", _turn("low", "full")),
    "that filled with water": ("pond", _turn("dry", "low full")),
    "that was drained": ("pool", _turn("full", "empty")),
    "that was filled": ("pool", _turn("empty", "full")),
    "that was opened": ("door box", _turn("closed", "open")),
    "that was closed": ("door box", _turn("open", "closed")),
    "that was switched on": ("lamp", _turn("off", "on")),
    "that was switched off": ("lamp", _turn("on", "off")),
}
CHANGE_ROWS: tuple[ChangeRow, ...] = tuple(
    ChangeRow(*_MEANINGS[row.clauses[0]], row.clauses, row.verbs) for row in vocabulary.CHANGE_ROWS
)

_WHOLE: Interval = (Fraction(0), Fraction(1))
_FIRST_HALF, _SECOND_HALF = ((Fraction(at, 2), Fraction(at + 1, 2)) for at in range(2))
_THIRDS: tuple[Interval, ...] = tuple((Fraction(at, 3), Fraction(at + 1, 3)) for at in range(3))
_GRID = (
    ("in the top-left corner", "at the top center", "in the top-right corner"),
    ("on the left, at mid-height", "in the center", "on the right, at mid-height"),
    ("in the bottom-left corner", "at the bottom center", "in the bottom-right corner"),
)
POSITIONS: dict[str, Region] = {
    **{name: Region(x, y) for names, y in zip(_GRID, _THIRDS) for name, x in zip(names, _THIRDS)},
    "in the left half": Region(_FIRST_HALF, _WHOLE),
    "in the right half": Region(_SECOND_HALF, _WHOLE),
    "in the upper half": Region(_WHOLE, _FIRST_HALF),
    "in the lower half": Region(_WHOLE, _SECOND_HALF),
}
STATEMENT_POSITIONS: dict[str, Region] = {
    "at the top of the scene": Region(_WHOLE, _THIRDS[0]),
    "at the bottom of the scene": Region(_WHOLE, _THIRDS[2]),
}

SIDES: dict[str, Choice] = {
    "from the left": Choice("x", descending=False),
    "from the right": Choice("x", descending=True),
    "from the top": Choice("y", descending=False),
    "from the bottom": Choice("y", descending=True),
}
SUPERLATIVES: dict[str, Choice] = {
    "leftmost": SIDES["from the left"],
    "rightmost": SIDES["from the right"],
    "topmost": SIDES["from the top"],
    "bottommost": SIDES["from the bottom"],
    "largest": Choice("size", descending=True),
    "smallest": Choice("size", descending=False),
}
ORDINALS = {"second": 2, "third": 3}
RELATIONS: dict[str, Direction] = {
    "next to": "near",
    "beside": "near",
    "close to": "near",
    "near": "near",
    "to the left of": "left",
    "to the right of": "right",
    "above": "above",
    "below": "below",
}

_START_ROWS: tuple[Start, ...] = (
    Start("the", "noun phrase", plural=None, least=1, most=None),
    *(Start(words, "noun phrase", plural=True, least=2, most=None) for words in ("all the", "all of the")),
    *(Start(words, "noun phrase", plural=False, least=1, most=None) for words in ("every", "each")),
    *(Start(f"the {word}", "noun phrase", True, count, count) for word, count in NUMERALS.items()),
    *(Start(words, "statement", plural=False, least=1, most=1) for words in ("a", "an", "one")),
    *(Start(word, "statement", True, count, count) for word, count in NUMERALS.items()),
    *(Start(words, "statement", plural=True, least=2, most=None) for words in ("several", "some")),
    Start("everything", "everything", plural=None, least=1, most=None),
    *(Start(words, "changes", plural=None, least=1, most=None) for words in ("every change", "all the changes")),
)
STARTS: dict[str, Start] = {row.words: row for row in _START_ROWS}
