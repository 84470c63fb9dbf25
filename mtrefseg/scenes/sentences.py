# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
What of a sentence speaks of a whole scene and not of a window of it.

Kind, colour and change of a thing can be seen in a window. "In the top-left corner", "the leftmost", "the largest",
"the two houses" and "all but" speak of the whole scene: these words are taken out of the sentence, the rest is asked
of every window, and the words choose among the objects that were found in the whole scene. What cannot be taken apart
in this way, such as "to the left of the pond", is asked of the whole scene, shrunk to the model's canvas.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar


Way = Literal["image", "windows", "objects", "shrunk scene"]
ChangeType = Literal["appear", "disappear", "state_change", "unknown"]
Thing = TypeVar("Thing")

# In shares of the scene: left, top, right, bottom.
Region = tuple[float, float, float, float]
_THIRD = 1 / 3
REGIONS: dict[str, Region] = {
    "in the top-left corner": (0, 0, _THIRD, _THIRD),
    "at the top center": (_THIRD, 0, 2 * _THIRD, _THIRD),
    "in the top-right corner": (2 * _THIRD, 0, 1, _THIRD),
    "on the left, at mid-height": (0, _THIRD, _THIRD, 2 * _THIRD),
    "in the center": (_THIRD, _THIRD, 2 * _THIRD, 2 * _THIRD),
    "on the right, at mid-height": (2 * _THIRD, _THIRD, 1, 2 * _THIRD),
    "in the bottom-left corner": (0, 2 * _THIRD, _THIRD, 1),
    "at the bottom center": (_THIRD, 2 * _THIRD, 2 * _THIRD, 1),
    "in the bottom-right corner": (2 * _THIRD, 2 * _THIRD, 1, 1),
    "in the left half": (0, 0, 0.5, 1),
    "in the right half": (0.5, 0, 1, 1),
    "in the upper half": (0, 0, 1, 0.5),
    "in the lower half": (0, 0.5, 1, 1),
    "at the top": (0, 0, 1, _THIRD),
    "at the bottom": (0, 2 * _THIRD, 1, 1),
    "on the left": (0, 0, _THIRD, 1),
    "on the right": (2 * _THIRD, 0, 1, 1),
}
"""Places as the training sentences name them (`docs/synthetic_language.md`), and four more."""

# Key and whether the largest value comes first.
Order = tuple[Literal["x", "y", "size"], bool]
SUPERLATIVES: dict[str, Order] = {
    "leftmost": ("x", False),
    "rightmost": ("x", True),
    "topmost": ("y", False),
    "bottommost": ("y", True),
    "largest": ("size", True),
    "biggest": ("size", True),
    "smallest": ("size", False),
}
SIDES: dict[str, Order] = {"left": ("x", False), "right": ("x", True), "top": ("y", False), "bottom": ("y", True)}
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
NUMERALS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}

_RANK = "|".join(SUPERLATIVES)
_ORDINAL = "|".join(ORDINALS)
_NUMERAL = "|".join(NUMERALS)
_TIMES = re.compile(r"\bcan only be seen\b|\b(first|second|later|earlier|last) (image|photo|picture|date|time)\b")
_LEFT_AS_VERB = re.compile(r"\b(that|which|who|has|have|had) left\b")
_EXCEPTION = re.compile(r"^(?P<all>(?:all|every|each)\b.+?),? (?:but|except|except for|other than) (?P<what>.+)$")
# What is left of a sentence must not hold these, else it cannot be answered window by window.
_UNDIVIDED = re.compile(
    rf"\b(left|right|top|bottom|upper|lower|center|centre|middle|corner|edge|side|above|below|between|half|{_ORDINAL}|"
    rf"{_RANK}|north\w*|south\w*|east\w*|west\w*|nearest|closest|farthest|furthest|most|than|but|except|other|only|"
    r"opposite|last)\b"
)
_HEAD_ENDS = re.compile(
    r"\b(that|which|who|whose|with|in|on|at|of|near|next|beside|close|by|has|have|is|are|was|were|wearing|dressed)\b"
)
_PLURALS = ("people", "shelves", "benches", "buses", "boxes")
_APPEAR = r"appear|show\w* up|added|new|built|constructed|planted|arrived|later image|second image"
_DISAPPEAR = r"disappear|vanish|removed|gone|demolished|torn down|cut down|left|earlier image|first image"


@dataclass(frozen=True)
class Choice:
    """
    What a sentence says about its things in the whole scene.

    Args:
        region (`Region`, *optional*): Where their middle lies.
        order (`Order`, *optional*): How they are ranked.
        rank (`int`): The first one that is meant, from 1.
        count (`int`, *optional*): How many are meant.
        excluded ([`Choice`], *optional*): Those that are not meant.
    """

    region: Region | None = None
    order: Order | None = None
    rank: int = 1
    count: int | None = None
    excluded: "Choice | None" = None


@dataclass(frozen=True)
class Route:
    """
    How a sentence is answered.

    Args:
        way (`Way`): `"windows"`, `"objects"` (windows, then a choice among the objects of the scene) or
            `"shrunk scene"`; `"image"` if one window covers everything.
        asked (`str`, *optional*): What the model is asked; `None` for every change.
        choice ([`Choice`], *optional*): Which objects are meant.
    """

    way: Way
    asked: str | None
    choice: Choice | None = None


def route_sentence(text: str | None) -> Route:
    """
    Finds out how a sentence about a scene of many windows is answered.

    Args:
        text (`str`, *optional*): The sentence; `None` for every change.
    """
    if text is None:
        return Route("windows", None)
    words = " ".join(text.split())
    lowered = words.lower().rstrip(".")
    choice: Choice | None = Choice()
    exception = _EXCEPTION.match(lowered)
    if exception:
        choice, lowered = _with_exception(exception["what"]), exception["all"]
    if choice is None:
        return Route("shrunk scene", text)
    asked, choice = _without_choice(lowered, choice)
    if _is_undivided(asked):
        return Route("shrunk scene", text)
    if choice == Choice():
        return Route("windows", text)
    return Route("objects", asked, choice)


def change_type_of(text: str | None) -> ChangeType:
    """The type of change that a sentence describes, by its words."""
    if text is None:
        return "unknown"
    lowered = text.lower()
    if re.search(rf"\b(?:{_DISAPPEAR})", _without_places(lowered)):
        return "disappear"
    if re.search(rf"\b(?:{_APPEAR})", lowered):
        return "appear"
    return "state_change"


def choose(
    things: Sequence[Thing], choice: Choice, size: tuple[int, int], describe: Callable[[Thing], Any]
) -> list[Thing]:
    """
    The things of a scene that are meant.

    Args:
        things (`Sequence`): All things that fit the rest of the sentence.
        choice ([`Choice`]): Which are meant.
        size (`tuple[int, int]`): Width and height of the scene.
        describe (`Callable`): Gives for a thing its middle (x, y), size and score.
    """
    described = [(thing, *describe(thing)) for thing in things]
    if choice.region is not None:
        left, top, right, bottom = choice.region
        described = [
            row for row in described if left <= row[1][0] / size[0] <= right and top <= row[1][1] / size[1] <= bottom
        ]
    if choice.excluded is not None:
        dropped = choose([row[0] for row in described], choice.excluded, size, describe)
        described = [row for row in described if not any(row[0] is thing for thing in dropped)]
    if choice.order is not None:
        key, descending = choice.order
        keys = {"x": lambda row: row[1][0], "y": lambda row: row[1][1], "size": lambda row: row[2]}
        described = sorted(described, key=keys[key], reverse=descending)
        first = choice.rank - 1
        described = described[first : first + (choice.count or 1)]
    elif choice.count is not None:
        described = sorted(described, key=lambda row: row[3], reverse=True)[: choice.count]
    return [row[0] for row in described]


def _without_choice(text: str, choice: Choice) -> tuple[str, Choice]:
    """Takes places, ranks and counts out of a sentence."""
    asked, region = _take_place(text)
    if region is not None:
        choice = replace(choice, region=region)
    ordinal = re.match(rf"^the ({_ORDINAL}) (.+?) from the (left|right|top|bottom)\b(.*)$", asked)
    ranked = re.match(rf"^the (?:({_ORDINAL}) )?({_RANK}) (.+)$", asked)
    several = re.match(rf"^the ({_NUMERAL}) ({_RANK}) (.+)$", asked)
    counted = re.match(rf"^(the )?({_NUMERAL}) (.+)$", asked)
    if ordinal:
        choice = replace(choice, order=SIDES[ordinal[3]], rank=ORDINALS[ordinal[1]])
        asked = f"the {ordinal[2]}{ordinal[4]}"
    elif ranked:
        choice = replace(choice, order=SUPERLATIVES[ranked[2]], rank=ORDINALS.get(ranked[1], 1))
        asked = f"the {ranked[3]}"
    elif several:
        choice = replace(choice, order=SUPERLATIVES[several[2]], count=NUMERALS[several[1]])
        asked = f"the {several[3]}"
    elif counted:
        choice = replace(choice, count=NUMERALS[counted[2]])
        asked = f"{'the' if counted[1] else 'some'} {counted[3]}"
    if choice != Choice() and asked.startswith("the ") and not _is_plural(asked):
        # A window may hold several of which the scene has one.
        asked = "every" + asked[3:]
    return asked, choice


def _take_place(text: str) -> tuple[str, Region | None]:
    """A sentence without its place in the scene, and the place."""
    for name, region in REGIONS.items():
        pattern = re.escape(name).replace(r"\-", "[- ]").replace("center", "cent(?:er|re)")
        # "On the left of the house" is no place in the scene.
        pattern = rf",? \b{pattern}(?: (?:of|in) the (?:image|scene|photo|picture)|(?! of\b| side\b| edge\b)\b)"
        if re.search(pattern, text):
            return re.sub(pattern, "", text, count=1).strip(), region
    return text, None


def _with_exception(what: str) -> Choice | None:
    """What "all but ..." leaves out: a rank or a place of the same things; `None` if it is something else."""
    ranked = re.match(rf"^the (?:({_ORDINAL}|{_NUMERAL}) )?({_RANK})(?: ones?)?$", what)
    if ranked:
        return Choice(
            excluded=Choice(
                order=SUPERLATIVES[ranked[2]],
                rank=ORDINALS.get(ranked[1], 1),
                count=NUMERALS.get(ranked[1]),
            )
        )
    placed = re.match(r"^(?:the ones?|those|the one)( .+)$", what)
    if placed:
        rest, region = _take_place("x" + placed[1])
        if rest == "x":
            return Choice(excluded=Choice(region=region))
    return None


def _is_undivided(text: str) -> bool:
    """Whether words are left that speak of the whole scene."""
    return _UNDIVIDED.search(_LEFT_AS_VERB.sub(" ", _TIMES.sub(" ", text))) is not None


def _without_places(text: str) -> str:
    """A sentence in which "left" can only be a verb."""
    return re.sub(r"\b(?:the|from|on|in|of) left\b|\bleft (?:half|side|of)\b|\b\w+-left\b|\bleftmost\b", " ", text)


def _is_plural(text: str) -> bool:
    """Whether the first noun of "the ..." is plural."""
    head = _HEAD_ENDS.split(text.removeprefix("the "), maxsplit=1)[0].split()
    noun = head[-1] if head else ""
    return noun in _PLURALS or (noun.endswith("s") and not noun.endswith("ss") and noun != "bus")
