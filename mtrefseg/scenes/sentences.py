# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds the words of a sentence that refer to a complete scene and not to a window of it.

Kind, colour and change of an object are visible in a window. "In the top-left corner", "the leftmost", "the largest",
"the two houses" and "all but" refer to the complete scene: these words are removed from the sentence, the rest is
segmented in every window, and the words select among the objects of the complete scene. Sentences that cannot be split
in this way, such as "to the left of the pond", are segmented in the complete scene, shrunk to the model's canvas.
"""

from dataclasses import dataclass
from typing import Literal

from modeling_mtrefseg.any_change_words_mtrefseg import any_change
from modeling_mtrefseg.change_words_mtrefseg import date_of
from modeling_mtrefseg.object_choice_mtrefseg import ObjectChoice, is_undivided, split_place_and_rank


Way = Literal["image", "windows", "objects", "shrunk scene"]
ChangeType = Literal["appear", "disappear", "state_change", "unknown"]


@dataclass(frozen=True)
class Route:
    """
    How the mask of a sentence is found.

    Args:
        way (`Way`): `"windows"`, `"objects"` (windows, then a selection among the objects of the scene) or
            `"shrunk scene"`; `"image"` if one window covers everything.
        asked (`str`, *optional*): The text for the model; `None` for every change.
        choice ([`ObjectChoice`], *optional*): The selection among objects.
    """

    way: Way
    asked: str | None
    choice: ObjectChoice | None = None


def route_sentence(text: str | None) -> Route:
    """
    Determines how the mask of a sentence is found in a scene of many windows.

    Args:
        text (`str`, *optional*): The sentence; `None` for every change.
    """
    if text is None:
        return Route("windows", None)
    asked, choice = split_place_and_rank(text)
    if choice is not None:
        return Route("objects", asked, choice)
    return Route("shrunk scene" if is_undivided(text.lower()) else "windows", text)


def change_type_of(text: str | None) -> ChangeType:
    """
    The type of change in a sentence, from its words.

    Args:
        text (`str`, *optional*): The sentence; `None` for every change. The type is unknown for this, and for a
            sentence such as "cars" or "cars that came or went". Others that name neither date are about a change of
            state.
    """
    asked = None if text is None else split_place_and_rank(text)[0].lower()  # Without places, "left" is a verb.
    if asked is None or any_change(asked) is not None:
        return "unknown"
    date = date_of(asked)
    return "state_change" if date is None else ("disappear", "appear")[date]
