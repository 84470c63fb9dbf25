# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The tables of docs/synthetic_language.md as data, for the checker and the paraphraser."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

from dataset_scripts.synthesis.scene import ChangeType


Domain: TypeAlias = Literal["NS", "RS"]
Direction: TypeAlias = Literal["near", "left", "right", "above", "below"]
Interval: TypeAlias = tuple[Fraction, Fraction]

COLORS = ("white", "grey", "black", "red", "orange", "yellow", "green", "blue", "brown", "purple", "pink")
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
    form: Literal["noun phrase", "statement", "everything", "changes"]
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


def _regular(kind: str) -> tuple[str, str, str]:
    return kind, kind + ("es" if kind.endswith(("s", "x", "ch")) else "s"), kind


_REGULAR_KINDS = (
    *("warehouse", "greenhouse", "car", "truck", "bus", "bicycle", "box", "tree", "sign", "bench", "door", "lamp"),
    *("chair", "table", "plant", "picture", "bag", "pond", "field", "road", "house", "bin", "pool"),
)
# Singular, plural, and the group of kinds that the noun covers.
NOUNS: tuple[tuple[str, str, str], ...] = (
    *(_regular(kind) for kind in _REGULAR_KINDS),
    ("villa", "villas", "house"),
    ("shelf", "shelves", "shelf"),
    ("person", "people", "person"),
    ("trash bin", "trash bins", "bin"),
    ("swimming pool", "swimming pools", "pool"),
    ("patch of cropland", "patches of cropland", "field"),
    ("patch of forest", "patches of forest", "forest"),
    ("patch of woodland", "patches of woodland", "forest"),
    ("building", "buildings", "called-building"),
    ("vehicle", "vehicles", "vehicle"),
)
_EVERY_KIND = frozenset((*_REGULAR_KINDS, "shelf", "person", "forest", "building"))


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

CHANGE_ROWS: tuple[ChangeRow, ...] = (
    ChangeRow(
        "any",
        Change("appear"),
        (
            *("that appeared", "that showed up", "that was added"),
            *("that is new in the second image", "that is new in the later image"),
            *("that can only be seen in the later image", "that can only be seen in the second image"),
        ),
        ("has appeared", "has been added"),
    ),
    ChangeRow(
        "built pool road",
        Change("appear"),
        ("that was newly built", "that has been built", "that has been constructed"),
        ("has been built", "is built", "has been constructed"),
    ),
    ChangeRow(
        "tree forest",
        Change("appear"),
        ("that was planted", "that has been planted"),
        ("has been planted",),
    ),
    ChangeRow("vehicle bicycle person", Change("appear"), ("that arrived", "that has arrived"), ("has arrived",)),
    ChangeRow(
        "any",
        Change("disappear"),
        (
            *("that disappeared", "that was removed"),
            *("that is gone in the later image", "that is gone in the second image"),
            *("that can only be seen in the earlier image", "that can only be seen in the first image"),
        ),
        ("has disappeared", "has been removed"),
    ),
    ChangeRow(
        "built",
        Change("disappear"),
        ("that was demolished", "that was torn down"),
        ("has been demolished", "has been torn down"),
    ),
    ChangeRow(
        "tree forest", Change("disappear"), ("that was cut down", "that has been cut down"), ("has been cut down",)
    ),
    ChangeRow("vehicle bicycle person", Change("disappear"), ("that left", "that has left"), ("has left",)),
    ChangeRow("any", Change("state_change"), ("that changed", "that looks different in the later image")),
    ChangeRow("roofed", _RECOLORED, ("whose roof changed from X to Y", "whose roof turned Y")),
    # Must come before the row of colours: for a field, "turned green" refers to the crop.
    ChangeRow("field", _turn("", "green"), ("that turned green",), ("has turned green",)),
    ChangeRow("colored", _RECOLORED, ("that changed from X to Y", "that turned Y"), ("has turned Y",)),
    ChangeRow("painted", _RECOLORED, ("that was repainted", "that was repainted Y"), ("has been repainted",)),
    ChangeRow("road", _turn("dirt", "paved"), ("that was paved", "that has been paved"), ("has been paved",)),
    ChangeRow("field", _turn("", "ploughed"), ("that was ploughed", "that has been ploughed"), ("has been ploughed",)),
    ChangeRow(
        "field",
        _turn("", "bare"),
        ("that is no longer farmed in the later image", "that was converted to another use"),
        ("is no longer farmed",),
    ),
    ChangeRow("field", _turn("", "ripe"), ("that ripened",), ("has ripened",)),
    ChangeRow("pond", _turn("full low", "dry"), ("that dried up", "that has dried up"), ("has dried up",)),
    ChangeRow("pond", _turn("full", "low"), ("whose water level fell", "whose water level dropped")),
    ChangeRow("pond", _turn("low", "full"), ("whose water level rose",)),
    ChangeRow("pond", _turn("dry", "low full"), ("that filled with water",), ("has filled with water",)),
    ChangeRow("pool", _turn("full", "empty"), ("that was drained", "that has been drained"), ("has been drained",)),
    ChangeRow("pool", _turn("empty", "full"), ("that was filled", "that has been filled"), ("has been filled",)),
    ChangeRow(
        "door box",
        _turn("closed", "open"),
        ("that was opened", "that is open in the later image"),
        ("has been opened",),
    ),
    ChangeRow(
        "door box",
        _turn("open", "closed"),
        ("that was closed", "that is closed in the later image"),
        ("has been closed",),
    ),
    ChangeRow(
        "lamp",
        _turn("off", "on"),
        ("that was switched on", "that is lit in the later image"),
        ("has been switched on",),
    ),
    ChangeRow("lamp", _turn("on", "off"), ("that was switched off",), ("has been switched off",)),
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
