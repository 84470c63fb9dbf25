# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The sentences of the offline perceiver, in the grammar of docs/synthetic_language.md: a colour, a place or a rank, and
what happened. They are as short as one region alone allows, and can be read back.
"""

import colorsys
import re
from collections.abc import Sequence
from itertools import pairwise

from ...geometry import place_of
from ...records import ChangeType
from .difference import Difference


# Phrases by change type; the first one is the default.
CHANGES: dict[ChangeType, tuple[str, ...]] = {
    ChangeType.APPEAR: ("that appeared", "that can only be seen in the later image", "that is new in the later image"),
    ChangeType.DISAPPEAR: (
        *("that disappeared", "that can only be seen in the earlier image"),
        "that is gone in the later image",
    ),
    ChangeType.STATE_CHANGE: ("that changed", "that looks different in the later image"),
}
# Names of the grid's places, and natural phrases for them.
PLACES: dict[str, tuple[str, ...]] = {
    "top-left": ("in the upper left corner", "in the upper left part of the image"),
    "top-center": ("at the middle of the upper edge", "in the middle of the upper part"),
    "top-right": ("in the upper right corner", "in the upper right part of the image"),
    "mid-left": ("at the middle of the left edge", "in the middle of the left part"),
    "center": ("in the center of the image", "in the middle of the image"),
    "mid-right": ("at the middle of the right edge", "in the middle of the right part"),
    "bottom-left": ("in the lower left corner", "in the lower left part of the image"),
    "bottom-center": ("at the middle of the lower edge", "in the middle of the lower part"),
    "bottom-right": ("in the lower right corner", "in the lower right part of the image"),
}
# What is compared (0 x, 1 y, 2 size), and whether the largest value comes first.
SUPERLATIVES: dict[str, tuple[int, bool]] = {
    "leftmost": (0, False),
    "rightmost": (0, True),
    "topmost": (1, False),
    "bottommost": (1, True),
    "largest": (2, True),
    "smallest": (2, False),
}
SIDES = {"left": (0, False), "right": (0, True), "top": (1, False), "bottom": (1, True)}
ORDINALS = {"second": 1, "third": 2}
AHEAD, LARGER = 0.03, 1.3
"""A rank is clear if neighbours lie this share of the image apart, or differ in size by this factor."""
OBJECT, AREA = "object", "area"
"""The nouns for everything, since colours alone do not identify things."""
MOST_OBJECT = 0.04
"""Share of the image up to which what came or left is called an object."""

_COLORS = ("black", "grey", "white", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")


def color_word(color: tuple[float, float, float]) -> str:
    """
    Names a colour.

    Args:
        color (`tuple[float, float, float]`): RGB, 0 to 255.

    Returns:
        `str`: One of eleven words.
    """
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in color))
    if value < 0.2:
        return "black"
    if saturation < 0.18:
        return "white" if value > 0.75 else "grey"
    degrees = 360 * hue
    if 15 <= degrees < 50 and (value < 0.65 or saturation < 0.45):
        return "brown"
    for limit, word in ((15, "red"), (42, "orange"), (70, "yellow"), (170, "green"), (255, "blue"), (290, "purple")):
        if degrees < limit:
            return word
    return "pink" if degrees < 345 else "red"


def color_of(difference: Difference) -> str:
    """The colour of a region while the thing is there; at t2 for a change of state."""
    is_gone = difference.change_type is ChangeType.DISAPPEAR
    return color_word(difference.color_t1 if is_gone else difference.color_t2)


def place(difference: Difference) -> str:
    """The place of a region in terms of the grid."""
    return place_of(difference.box, difference.size)


def thing_of(difference: Difference) -> str:
    """The colour and the noun of a region."""
    is_small = difference.share <= MOST_OBJECT and difference.change_type is not ChangeType.STATE_CHANGE
    return f"{color_of(difference)} {OBJECT if is_small else AREA}"


def grid_sentence(difference: Difference) -> str:
    """A sentence that names the place in terms of the grid."""
    return f"the {thing_of(difference)} {CHANGES[difference.change_type][0]} at the {place(difference)}"


def natural_sentences(difference: Difference, others: Sequence[Difference]) -> list[str]:
    """
    Writes sentences that fit one region alone, without terms of the grid.

    Args:
        difference (`Difference`): The region.
        others (`Sequence[Difference]`): All regions of the pair, this one included or not.

    Returns:
        `list[str]`: Sentences from short to long, each in other words than the one before; empty if none fits this
        region alone.
    """
    changes, places, thing = CHANGES[difference.change_type], PLACES[place(difference)], thing_of(difference)

    def fits(start: str) -> bool:
        return find(f"{start} {changes[0]}", others) is difference

    starts = [f"the {thing}", *(f"the {thing} {where}" for where in places)]
    # A rank among one would be odd.
    if not fits(starts[0]):
        starts += _ranked(thing)
    if not any(map(fits, starts)):
        starts = [f"{start} {places[0]}" for start in _ranked(thing)]
    fitting = [start for start in starts if fits(start)]
    pairs = [(number, turn) for turn in range(len(changes)) for number in range(len(fitting))]
    return [f"{fitting[number]} {changes[(number + turn) % len(changes)]}" for number, turn in pairs]


def find(sentence: str, differences: Sequence[Difference]) -> Difference | None:
    """
    Finds the region that a sentence of this module describes.

    Args:
        sentence (`str`): The sentence.
        differences (`Sequence[Difference]`): All regions of the pair.

    Returns:
        `Difference` or `None`: The region; `None` if the sentence fits none or several, or names no change.
    """
    words = set(re.findall(r"[a-z]+", sentence.lower()))
    colors, nouns = words.intersection(_COLORS), words.intersection((OBJECT, AREA))
    types = {kind for kind, phrases in CHANGES.items() if any(phrase in sentence for phrase in phrases)}
    places = {
        name
        for name, phrases in PLACES.items()
        if re.search(rf"at the {name}(?![\w-])", sentence) or any(phrase in sentence for phrase in phrases)
    }
    fitting = [
        each
        for each in differences
        if each.change_type in types
        and (not colors or color_of(each) in colors)
        and (not nouns or thing_of(each).split()[-1] in nouns)
        and (not places or place(each) in places)
    ]
    rank = _rank_in(sentence, words)
    if rank is not None:
        return _at_rank(fitting, *rank)
    return fitting[0] if len(fitting) == 1 else None


def _ranked(thing: str) -> list[str]:
    """The starts of all sentences with a rank."""
    ordinals = [f"the {ordinal} {thing} from the {side}" for ordinal in ORDINALS for side in SIDES]
    return [*(f"the {word} {thing}" for word in SUPERLATIVES), *ordinals]


def _rank_in(sentence: str, words: set[str]) -> tuple[int, bool, int] | None:
    """The rank in a sentence: what is compared, whether the largest value comes first, and the place from 0."""
    for word, (key, is_descending) in SUPERLATIVES.items():
        if word in words:
            return key, is_descending, 0
    for ordinal, number in ORDINALS.items():
        for side, (key, is_descending) in SIDES.items():
            if ordinal in words and f"from the {side}" in sentence:
                return key, is_descending, number
    return None


def _at_rank(fitting: Sequence[Difference], key: int, is_descending: bool, number: int) -> Difference | None:
    """The region at a rank; `None` if it does not differ clearly from those before and after it."""
    order = sorted(fitting, key=lambda each: _measure(each)[key], reverse=is_descending)
    if len(order) < 2 or number >= len(order):
        return None
    for before, after in pairwise(order[: number + 2]):
        low, high = sorted((_measure(before)[key], _measure(after)[key]))
        if (high < LARGER * low) if key == 2 else (high - low < AHEAD):
            return None
    return order[number]


def _measure(difference: Difference) -> tuple[float, float, float]:
    """The centre (x, y) and the size of a region, in shares of the image."""
    (width, height), box = difference.size, difference.box
    return (box.left + box.right) / 2 / width, (box.top + box.bottom) / 2 / height, difference.share
