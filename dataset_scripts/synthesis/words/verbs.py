# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Inflects the entries of the tables of changes. `changes.py` explains their notation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from .changes import APPEARANCES, DISAPPEARANCES, PLURALS, ChangeWords
from .nouns import Split, Words
from .states import STATES


# Auxiliaries for the past of passive and of active verbs.
PASSIVES: Words = {
    "train": ("was", "was", "has been", "got", "has now been", "has just been"),
    "reworded": ("was", "has been", "has recently been", "was recently"),
}
ACTIVES: Words = {"train": ("", "", "has", "has just", "has now"), "reworded": ("", "has", "has recently")}
_PLAIN = 2  # The first passives have no adverb, which avoids "has just been newly built".
# Ambiguous: in "car at the top left", "left" is a place.
_NOT_ALONE = "leave/left/left"
_PASTS = {
    "taken": "took",
    "torn": "tore",
    "broken": "broke",
    "sawn": "sawed",
    "driven": "drove",
    "flown": "flew",
    "grown": "grew",
    "thrown": "threw",
    "blown": "blew",
    "hewn": "hewed",
}
_PARTICLES = frozenset(("down", "away", "up", "in", "out", "off", "on", "over"))
_IN_PLURAL = {"a new additions": "new additions", "roofs colour": "roof colours", " in they": " in them"}
_LIVING = frozenset(("person", "animal"))
_OWNED = re.compile(r"whose ((?:X )?roofs?(?: colours?)?) (.*)")


@dataclass(frozen=True)
class Verbs:
    """
    Entries by the position in which they can be used.

    Args:
        finite (`tuple[str, ...]`): As a finite verb.
        inflected (`tuple[str, ...]`): After "did" and "has".
        result (`tuple[str, ...]`): Alone after a noun.
        done_by (`tuple[str, ...]`): After "someone".
        owned (`tuple[str, ...]`): After "the roof of the house".
    """

    finite: tuple[str, ...]
    inflected: tuple[str, ...]
    result: tuple[str, ...]
    done_by: tuple[str, ...]
    owned: tuple[str, ...]


def _verbs(entries: Sequence[str], group: str) -> Verbs:
    inflected = tuple(entry for entry in entries if entry[0] == "=" or "/" in entry)
    alone = tuple(entry for entry in inflected if entry != _NOT_ALONE)
    short = tuple(entry for entry in entries if entry.startswith("is ") and "{" not in entry)
    return Verbs(
        finite=tuple(entries),
        inflected=inflected,
        result=(*alone, *short),
        # Not "someone removed a person".
        done_by=tuple(entry for entry in entries if group not in _LIVING and _can_be_active(entry)),
        owned=tuple(entry for entry in entries if _OWNED.match(entry)),
    )


def _can_be_active(entry: str) -> bool:
    """Whether a passive entry can follow "someone" in the active: "built", "torn down", but not "placed there"."""
    words = entry[1:].split(" ")
    return entry[0] == "=" and (len(words) == 1 or (len(words) == 2 and words[1] in _PARTICLES))


def words_of(change_type: str, clause: str, group: str) -> tuple[ChangeWords, ...]:
    """
    Looks up the words for a change.

    Args:
        change_type (`str`): "appear", "disappear" or "state_change".
        clause (`str`): Key in `STATES`; only used for a state change.
        group (`str`): Group of the changed thing, see `Noun.group`.

    Returns:
        `tuple[ChangeWords, ...]`: Words specific to the group first, general ones last.
    """
    if change_type == "state_change":
        return (STATES[clause],)
    table = APPEARANCES if change_type == "appear" else DISAPPEARANCES
    general = table["living" if group in _LIVING else ""]
    return (table[group], general) if group in table else (general,)


@cache
def verbs_of(change_type: str, clause: str, group: str, split: Split) -> tuple[Verbs, ...]:
    """Returns the verbs for a change, specific ones first. See `words_of` for the arguments."""
    found = words_of(change_type, clause, group)
    return tuple(_verbs(words.verbs[split], group) for words in found if words.verbs[split])


@cache
def before_noun(change_type: str, clause: str, group: str, split: Split) -> tuple[str, ...]:
    """Returns the attributes before a noun that express its change ("newly built"), specific ones first."""
    return tuple(word for words in words_of(change_type, clause, group) for word in words.before_noun[split])


def auxiliaries(entry: str, split: Split) -> tuple[str, ...]:
    """Returns the possible auxiliaries of an entry; "" stands for the simple past of an active verb."""
    if entry[0] != "=":
        return ACTIVES[split] if "/" in entry else ("",)
    return PASSIVES[split][:_PLAIN] if entry.startswith(("=newly", "=freshly")) else PASSIVES[split]


def finite(entry: str, auxiliary: str, is_plural: bool) -> str:
    """Inflects an entry as a finite verb after its noun: "was built", "have left", "is gone"."""
    if entry[0] == "=":
        return f"{in_plural(auxiliary, is_plural)} {entry[1:]}"
    if "/" not in entry:
        return in_plural(entry, is_plural)
    _, past, participle = entry.split("/")
    return f"{in_plural(auxiliary, is_plural)} {participle}" if auxiliary else past


def base(entry: str) -> str:
    """Infinitive, for use after "did": "get built", "leave"."""
    return "get " + entry[1:] if entry[0] == "=" else entry.partition("/")[0]


def done(entry: str) -> str:
    """Past participle, for use after "has": "been built", "left"."""
    return "been " + entry[1:] if entry[0] == "=" else entry.rpartition("/")[2]


def result(entry: str, is_plural: bool) -> str:
    """Telegraphic form after a noun: "built", "gone", "drove off"."""
    if entry[0] == "=":
        return entry[1:]
    return entry.split("/")[1] if "/" in entry else in_plural(entry, is_plural).split(" ", 1)[1]


def done_by(entry: str) -> str:
    """Simple past, for use after "someone": "built", "tore down"."""
    first, space, particle = entry[1:].partition(" ")
    return _PASTS.get(first, first) + space + particle


def owned(entry: str, is_plural: bool) -> tuple[str, str]:
    """Splits an entry about a part of a thing into the part and the verb: "roof", "turned Y"."""
    match = _OWNED.match(in_plural(entry, is_plural))
    assert match is not None
    return match[1], match[2]


def in_plural(said: str, is_plural: bool) -> str:
    """Converts a verb to the plural if `is_plural`: "is gone" → "are gone"."""
    if not is_plural or (said.startswith("whose water ") and "level" not in said):
        return said
    words = said.split(" ")
    is_of_part = words[0] == "whose"
    text = " ".join(PLURALS.get(word, word) if is_of_part or word not in ("roof", "level") else word for word in words)
    for wrong, right in _IN_PLURAL.items():
        text = text.replace(wrong, right)
    return text
