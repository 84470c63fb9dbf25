# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The sentences of the offline perceiver: a colour, a place, a size and what became of it. It writes the shortest one
that singles a region out, and reads its own sentences back.
"""

import colorsys
import re
from collections.abc import Iterator, Sequence
from itertools import product

from ...geometry import place_name
from ...records import ChangeType
from .difference import Difference


# By change type: ways to say it. The first one is used where nothing else is asked for.
CHANGES: dict[ChangeType, tuple[str, ...]] = {
    ChangeType.APPEAR: ("that appeared", "that was not there before", "that is new"),
    ChangeType.DISAPPEAR: ("that disappeared", "that is no longer there", "that is gone"),
    ChangeType.STATE_CHANGE: ("that changed its look", "that looks different now", "that is no longer as it was"),
}
# The grid's words, and how people say the same.
PLACES: dict[str, tuple[str, ...]] = {
    "top-left": ("near the upper left corner", "in the upper left part"),
    "top-center": ("close to the upper edge, about halfway along", "in the middle of the upper part"),
    "top-right": ("near the upper right corner", "in the upper right part"),
    "mid-left": ("close to the left edge, about halfway down", "in the middle of the left part"),
    "center": ("around the middle of the scene", "in the central part"),
    "mid-right": ("close to the right edge, about halfway down", "in the middle of the right part"),
    "bottom-left": ("near the lower left corner", "in the lower left part"),
    "bottom-center": ("close to the lower edge, about halfway along", "in the middle of the lower part"),
    "bottom-right": ("near the lower right corner", "in the lower right part"),
}
SIZES = ("largest", "smallest")
NOUN = "area"
"""What everything is called: colours alone do not tell what a thing is."""

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


def look(difference: Difference) -> str:
    """The colour that a region has while the thing is there; at t2 if it changed its state."""
    is_gone = difference.change_type is ChangeType.DISAPPEAR
    return color_word(difference.color_t1 if is_gone else difference.color_t2)


def place(difference: Difference) -> str:
    """Where a region is, in the grid's words."""
    height, width = difference.mask.shape
    box = difference.box
    return place_name((box.left + box.right) / 2 / width, (box.top + box.bottom) / 2 / height)


def grid_sentence(difference: Difference) -> str:
    """A sentence with the grid's words for the place."""
    return f"the {look(difference)} {NOUN} {CHANGES[difference.change_type][0]} at the {place(difference)}"


def natural_sentences(difference: Difference, others: Sequence[Difference]) -> list[str]:
    """
    Sentences that single a region out, without the grid's words.

    Args:
        difference (`Difference`): The region.
        others (`Sequence[Difference]`): All regions of the pair; this one may be among them.

    Returns:
        `list[str]`: The shortest kind that fits this region alone, in several wordings; empty if no kind does.
    """
    for sentences in _kinds(difference):
        if find(sentences[0], others) is difference:
            return sentences
    return []


def find(sentence: str, differences: Sequence[Difference]) -> Difference | None:
    """
    Reads a sentence of this module.

    Args:
        sentence (`str`): The sentence.
        differences (`Sequence[Difference]`): All regions of the pair.

    Returns:
        `Difference` or `None`: The one region that it fits; `None` if it fits none or several, or says no change.
    """
    words = set(re.findall(r"[a-z]+", sentence.lower()))
    colors = words.intersection(_COLORS)
    types = {kind for kind, phrases in CHANGES.items() if any(phrase in sentence for phrase in phrases)}
    places = {
        name for name, phrases in PLACES.items() if name in sentence or any(phrase in sentence for phrase in phrases)
    }
    fitting = [
        each
        for each in differences
        if each.change_type in types and (not colors or look(each) in colors) and (not places or place(each) in places)
    ]
    sizes = words.intersection(SIZES)
    if len(fitting) > 1 and sizes:
        by_area = sorted(fitting, key=lambda each: int(each.mask.sum()))
        return by_area[-1] if "largest" in sizes else by_area[0]
    return fitting[0] if len(fitting) == 1 else None


def _kinds(difference: Difference) -> Iterator[list[str]]:
    """From short to long, each kind of sentence in all its wordings."""
    changes, places, color = CHANGES[difference.change_type], PLACES[place(difference)], look(difference)
    yield [f"the {color} {NOUN} {change}" for change in changes]
    yield [f"the {color} {NOUN} {where} {change}" for change, where in _alternating(changes, places)]
    for size in SIZES:
        yield [f"the {size} {color} {NOUN} {change}" for change in changes]
        yield [f"the {size} {color} {NOUN} {where} {change}" for change, where in _alternating(changes, places)]


def _alternating(changes: Sequence[str], places: Sequence[str]) -> list[tuple[str, str]]:
    """Every combination, those first that have both words new."""
    count = len(places)
    ordered = sorted(product(range(len(changes)), range(count)), key=lambda at: ((at[0] - at[1]) % count, at))
    return [(changes[change], places[where]) for change, where in ordered]
