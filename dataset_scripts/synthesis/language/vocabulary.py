# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The words in the tables of docs/synthetic_language.md as data, for the paraphraser."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from dataset_scripts.synthesis.render import palette
from dataset_scripts.synthesis.scene import ChangeType

from .lexicon import CELLS, DIRECTIONS, HALVES, NEAR, NUMBERS


Form: TypeAlias = Literal["noun phrase", "statement", "everything", "changes"]

COLORS = tuple(palette.COLORS)
NUMERALS = tuple(NUMBERS.values())


@dataclass(frozen=True)
class Start:
    """
    The first words of a sentence.

    Args:
        words (`str`): The words.
        form (`str`): Form of the sentence: "noun phrase" (A), "statement" (B), "everything" or "changes" (C).
    """

    words: str
    form: Form


@dataclass(frozen=True)
class ChangeRow:
    """
    One row of the tables of changes.

    Args:
        type (`str`, *optional*): "appear", "disappear" or "state_change"; `None` for any of them.
        clauses (`tuple[str, ...]`): Clauses of form A in the singular; X and Y stand for colours.
        verbs (`tuple[str, ...]`): Verbs of form B in the singular.
    """

    type: ChangeType | None
    clauses: tuple[str, ...]
    verbs: tuple[str, ...] = ()


def _regular(noun: str) -> tuple[str, str]:
    return noun, noun + ("es" if noun.endswith(("s", "x", "ch")) else "s")


_REGULAR_NOUNS = (
    *("warehouse", "greenhouse", "car", "truck", "bus", "bicycle", "box", "tree", "sign", "bench", "door", "lamp"),
    *("chair", "table", "plant", "picture", "bag", "pond", "field", "road", "house", "bin", "pool"),
)
NOUNS: tuple[tuple[str, str], ...] = (
    *map(_regular, _REGULAR_NOUNS),
    ("villa", "villas"),
    ("shelf", "shelves"),
    ("person", "people"),
    ("trash bin", "trash bins"),
    ("swimming pool", "swimming pools"),
    ("patch of cropland", "patches of cropland"),
    ("patch of forest", "patches of forest"),
    ("patch of woodland", "patches of woodland"),
    ("building", "buildings"),
    ("vehicle", "vehicles"),
)
"""Singular and plural."""

CHANGE_ROWS: tuple[ChangeRow, ...] = (
    ChangeRow(
        "appear",
        (
            *("that appeared", "that showed up", "that was added"),
            *("that is new in the second image", "that is new in the later image"),
            *("that can only be seen in the later image", "that can only be seen in the second image"),
        ),
        ("has appeared", "has been added"),
    ),
    ChangeRow(
        "appear",
        ("that was newly built", "that has been built", "that has been constructed"),
        ("has been built", "is built", "has been constructed"),
    ),
    ChangeRow(
        "appear",
        ("that was planted", "that has been planted"),
        ("has been planted",),
    ),
    ChangeRow("appear", ("that arrived", "that has arrived"), ("has arrived",)),
    ChangeRow(
        "disappear",
        (
            *("that disappeared", "that was removed"),
            *("that is gone in the later image", "that is gone in the second image"),
            *("that can only be seen in the earlier image", "that can only be seen in the first image"),
        ),
        ("has disappeared", "has been removed"),
    ),
    ChangeRow(
        "disappear",
        ("that was demolished", "that was torn down"),
        ("has been demolished", "has been torn down"),
    ),
    ChangeRow("disappear", ("that was cut down", "that has been cut down"), ("has been cut down",)),
    ChangeRow("disappear", ("that left", "that has left"), ("has left",)),
    ChangeRow("state_change", ("that changed", "that looks different in the later image")),
    ChangeRow("state_change", ("whose roof changed from X to Y", "whose roof turned Y")),
    # Must come before the row of colours: for a field, "turned green" refers to the crop.
    ChangeRow("state_change", ("that turned green",), ("has turned green",)),
    ChangeRow("state_change", ("that changed from X to Y", "that turned Y"), ("has turned Y",)),
    ChangeRow("state_change", ("that was repainted", "that was repainted Y"), ("has been repainted",)),
    ChangeRow("state_change", ("that was paved", "that has been paved"), ("has been paved",)),
    ChangeRow("state_change", ("that was ploughed", "that has been ploughed"), ("has been ploughed",)),
    ChangeRow(
        "state_change",
        ("that is no longer farmed in the later image", "that was converted to another use"),
        ("is no longer farmed",),
    ),
    ChangeRow("state_change", ("that ripened",), ("has ripened",)),
    ChangeRow("state_change", ("that dried up", "that has dried up"), ("has dried up",)),
    ChangeRow("state_change", ("whose water level fell", "whose water level dropped")),
    ChangeRow("state_change", ("whose water level rose",)),
    ChangeRow("state_change", ("that filled with water",), ("has filled with water",)),
    ChangeRow("state_change", ("that was drained", "that has been drained"), ("has been drained",)),
    ChangeRow("state_change", ("that was filled", "that has been filled"), ("has been filled",)),
    ChangeRow(
        "state_change",
        ("that was opened", "that is open in the later image"),
        ("has been opened",),
    ),
    ChangeRow(
        "state_change",
        ("that was closed", "that is closed in the later image"),
        ("has been closed",),
    ),
    ChangeRow(
        "state_change",
        ("that was switched on", "that is lit in the later image"),
        ("has been switched on",),
    ),
    ChangeRow("state_change", ("that was switched off",), ("has been switched off",)),
)

POSITIONS = (*CELLS, *HALVES)
STATEMENT_POSITIONS = ("at the top of the scene", "at the bottom of the scene")

SIDES = ("from the left", "from the right", "from the top", "from the bottom")
SUPERLATIVES = ("leftmost", "rightmost", "topmost", "bottommost", "largest", "smallest")
ORDINALS = ("second", "third")
RELATIONS = (*NEAR, *DIRECTIONS)

_STARTS: dict[Form, tuple[str, ...]] = {
    "noun phrase": ("the", "all the", "all of the", "every", "each", *(f"the {word}" for word in NUMERALS)),
    "statement": ("a", "an", "one", *NUMERALS, "several", "some"),
    "everything": ("everything",),
    "changes": ("every change", "all the changes"),
}
STARTS: dict[str, Start] = {words: Start(words, form) for form, said in _STARTS.items() for words in said}
