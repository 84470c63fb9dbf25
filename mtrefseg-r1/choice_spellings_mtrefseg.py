# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes words of places and ranks in one spelling: "top-left", "2nd", "above the middle"."""

import re
from collections.abc import Callable

from .place_words_mtrefseg import AFTER_A_PLACE, DIRECTIONS, IMAGE, OF_THE_IMAGE, PARTS
from .rank_words_mtrefseg import NUMERALS, ORDINALS, SUPERLATIVES


_CHOOSING = re.compile(
    "left|right|top|bottom|upper|lower|cent(?:er|r)|mid|half|north|south|east|west|head|foot|heart|core|"
    "most|est\\b|hs\\b|btm|\\b[ns][ew]\\b|than|further|farther|axis|line|high|low|both|pair|couple|equator|extreme|corner|"
    "minim|maxim|exceeds|surpasses|outsizes|dwarfs|" + "|".join((*ORDINALS, *NUMERALS, r"\d"))
)
_HYPHENATED = "|".join(
    (*DIRECTIONS, *ORDINALS, *SUPERLATIVES, "hand", "most", "furthest", "farthest", "up", "down", "height", "extreme")
)
_HYPHEN = re.compile(rf"\b({_HYPHENATED})-(?=(?:{_HYPHENATED})\b)")
_NUMBER = re.compile(
    r"(?<![\d.,-])(?<!image )(?<!photo )(?<!picture )(?<!date )(?<!time )\b"
    r"(?:([1-6])(st|nd|rd|th)|(10|[2-9])(?= [a-z]))\b"
)
_MIDDLE = rf"the (?:middle|center|centre)\b(?: {OF_THE_IMAGE})?(?=$|[^\w ]| (?!of\b)(?:{AFTER_A_PLACE.pattern})(?!\w))"
_COMPASS = {"n": "north", "s": "south", "e": "east", "w": "west"}
_ENDS = {"head": "top", "foot": "bottom", "heart": "center", "core": "center"}
_NAMED = "|".join((*DIRECTIONS, *ORDINALS, *NUMERALS, "(?:north|south)(?:east|west)(?:ern)?"))
_NAME = re.compile(rf"\b(?=[A-Z])(?i:{_NAMED}) (?P<last>[A-Z][a-z]+)\b")
_RANKED = rf"(?:the )?(?:(?:{'|'.join((*ORDINALS, *NUMERALS))}) )?(?:{'|'.join(SUPERLATIVES)})"
_SPELLINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_NUMBER, lambda match: list(ORDINALS)[int(match[1]) - 1] if match[1] else list(NUMERALS)[int(match[3]) - 2]),
    (_HYPHEN, r"\1 "),
    (re.compile(r"\b([lr])hs\b"), lambda match: {"l": "left side", "r": "right side"}[match[1]]),
    (re.compile(r"\bbtm\b"), "bottom"),
    (re.compile(rf"^({_RANKED})(?=[?!]*$)"), r"\1 one"),
    (re.compile(rf"^({'|'.join(ORDINALS)}) (?=from\b)"), r"\1 one "),
    (
        re.compile(rf"^which (?:ones? )?(?:of the )?(.+?) (?:is|was|are|were) ({_RANKED})(?: ones?)?(?=[?!]*$)"),
        r"\2 of the \1",
    ),
    (
        re.compile(
            r"\b(?:the|an?) (?:(?:(?:horizontal|vertical|central|center|centre|middle|halfway|imaginary|dividing|mid)"
            r"[ -])+(?:line|axis|mark)|midline|equator)\b"
        ),
        "the middle",
    ),
    (re.compile(r"\b(left|right|top|bottom|upper|lower)[ -]most\b"), r"\1most"),
    (re.compile(r"\b(north|south)(east|west)(?:ern)?\b"), r"\1 \2"),
    (re.compile(r"\b(top|bottom|upper|lower)(left|right)\b"), r"\1 \2"),
    (re.compile(rf"\b(?:(?:higher|further|farther)(?: up)? than|up from|above) {_MIDDLE}"), "in the upper half"),
    (re.compile(rf"\b(?:(?:lower|further|farther)(?: down)? than|down from|below) {_MIDDLE}"), "in the lower half"),
    (re.compile(rf"\b(?:further|more) (?:to the )?(left|right) than {_MIDDLE}"), r"in the \1 half"),
    (re.compile(rf"\b(?:high|far|way)(?:(?: up)? (?:in|on)| up on) the {IMAGE}\b"), "in the upper half"),
    (re.compile(rf"\b(?:low|far|way)(?: down)? (?:in|on) the {IMAGE}\b"), "in the lower half"),
    (re.compile(rf"\b(head|foot|heart|core) {OF_THE_IMAGE}\b"), lambda match: _ENDS[match[1]]),
    (
        re.compile(r"\b([ns])[- ]?([ew])(?= (?:corner|part|quadrant|area|side|quarter|section)\b)"),
        lambda match: f"{_COMPASS[match[1]]} {_COMPASS[match[2]]}",
    ),
    (re.compile(r"\bmore (?=(?:to|towards?) the (?:left|right|top|bottom)\b(?! than))"), ""),
    (re.compile(r"\b(?:medium|half|middle)[ -](height|level)\b"), r"mid \1"),
)


def may_choose(text: str) -> bool:
    """Quick check whether a sentence contains any word of a place, a rank or a number."""
    return _CHOOSING.search(text.lower()) is not None


def in_one_spelling(text: str) -> str:
    """
    Writes the words of places and ranks in one spelling.

    Args:
        text (`str`): A sentence.

    Returns:
        `str`: The sentence in lower case, without a full stop: "the 2nd house, top-left." becomes "the second house,
        top left".
    """
    text = _with_names_joined(" ".join(text.split())).lower().rstrip(".")
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    return text


def names_apart(text: str) -> str:
    """Undoes what [`in_one_spelling`] does to names."""
    return re.sub(r"(?<!\w)_\w+", lambda match: match[0][1:].replace("_", " "), text)


def _with_names_joined(text: str) -> str:
    """Joins names such as "North Beach" or "Two Rivers" to one word: they are neither places nor numbers."""
    if not re.search(r"\b[a-z]{3,}", text):
        return text  # If all words have capital letters, names cannot be recognised.
    known = DIRECTIONS.keys() | PARTS | SUPERLATIVES.keys()
    return _NAME.sub(
        lambda match: match[0] if match["last"].lower() in known else "_" + match[0].replace(" ", "_"), text
    )
