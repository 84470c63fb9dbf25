# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The sentences of the offline perceiver: a colour, a place, a size and what happened. The shortest sentence that fits
one region alone is written, and these sentences can be read back.
"""

import colorsys
import re
from collections.abc import Iterator, Sequence
from itertools import product

from ...geometry import place_name
from ...records import ChangeType
from .difference import Difference


# Phrases by change type; the first one is the default.
CHANGES: dict[ChangeType, tuple[str, ...]] = {
    ChangeType.APPEAR: ("that appeared", "that was not there before", "that is new"),
    ChangeType.DISAPPEAR: ("that disappeared", "that is no longer there", "that is gone"),
    ChangeType.STATE_CHANGE: ("that changed its look", "that looks different now", "that is no longer as it was"),
}
# Names of the grid's places, and natural phrases for them.
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
"""The noun for everything, since colours alone do not identify things."""

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
    height, width = difference.mask.shape
    box = difference.box
    return place_name((box.left + box.right) / 2 / width, (box.top + box.bottom) / 2 / height)


def grid_sentence(difference: Difference) -> str:
    """A sentence that names the place in terms of the grid."""
    return f"the {color_of(difference)} {NOUN} {CHANGES[difference.change_type][0]} at the {place(difference)}"


def natural_sentences(difference: Difference, others: Sequence[Difference]) -> list[str]:
    """
    Writes sentences that fit one region alone, without terms of the grid.

    Args:
        difference (`Difference`): The region.
        others (`Sequence[Difference]`): All regions of the pair, this one included or not.

    Returns:
        `list[str]`: Sentences of the shortest form that fits this region alone, in several wordings; empty if no form
        does.
    """
    for sentences in _forms(difference):
        if find(sentences[0], others) is difference:
            return sentences
    return []


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
    colors = words.intersection(_COLORS)
    types = {kind for kind, phrases in CHANGES.items() if any(phrase in sentence for phrase in phrases)}
    places = {
        name for name, phrases in PLACES.items() if name in sentence or any(phrase in sentence for phrase in phrases)
    }
    fitting = [
        each
        for each in differences
        if each.change_type in types
        and (not colors or color_of(each) in colors)
        and (not places or place(each) in places)
    ]
    sizes = words.intersection(SIZES)
    if len(fitting) > 1 and sizes:
        by_area = sorted(fitting, key=lambda each: int(each.mask.sum()))
        return by_area[-1] if "largest" in sizes else by_area[0]
    return fitting[0] if len(fitting) == 1 else None


def _forms(difference: Difference) -> Iterator[list[str]]:
    """The forms of sentences from short to long, each in all wordings."""
    changes, places, color = CHANGES[difference.change_type], PLACES[place(difference)], color_of(difference)
    yield [f"the {color} {NOUN} {change}" for change in changes]
    yield [f"the {color} {NOUN} {where} {change}" for change, where in _alternating(changes, places)]
    for size in SIZES:
        yield [f"the {size} {color} {NOUN} {change}" for change in changes]
        yield [f"the {size} {color} {NOUN} {where} {change}" for change, where in _alternating(changes, places)]


def _alternating(changes: Sequence[str], places: Sequence[str]) -> list[tuple[str, str]]:
    """All combinations of phrases; those come first in which both phrases are new."""
    count = len(places)
    ordered = sorted(product(range(len(changes)), range(count)), key=lambda at: ((at[0] - at[1]) % count, at))
    return [(changes[change], places[where]) for change, where in ordered]
