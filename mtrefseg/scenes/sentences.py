# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
What of a sentence speaks of a whole scene and not of a window of it.

Kind, colour and change of a thing can be seen in a window. "In the top-left corner", "the leftmost", "the largest",
"the two houses" and "all but" speak of the whole scene: these words are taken out of the sentence, the rest is asked
of every window, and the words choose among the objects that were found in the whole scene. What cannot be taken apart
in this way, such as "to the left of the pond", is asked of the whole scene, shrunk to the model's canvas.
"""

import re
from dataclasses import dataclass
from typing import Literal

from modeling_mtrefseg.object_choice_mtrefseg import ObjectChoice, is_undivided, split_place_and_rank


Way = Literal["image", "windows", "objects", "shrunk scene"]
ChangeType = Literal["appear", "disappear", "state_change", "unknown"]

_APPEAR = r"appear|show\w* up|added|new|built|constructed|erected|planted|arrived|later image|second image"
_DISAPPEAR = (
    r"disappear|vanish|removed|gone|demolished|torn down|knocked down|cut down|taken away|left|no longer|missing|"
    r"earlier image|first image"
)


@dataclass(frozen=True)
class Route:
    """
    How a sentence is answered.

    Args:
        way (`Way`): `"windows"`, `"objects"` (windows, then a choice among the objects of the scene) or
            `"shrunk scene"`; `"image"` if one window covers everything.
        asked (`str`, *optional*): What the model is asked; `None` for every change.
        choice ([`ObjectChoice`], *optional*): Which objects are meant.
    """

    way: Way
    asked: str | None
    choice: ObjectChoice | None = None


def route_sentence(text: str | None) -> Route:
    """
    Finds out how a sentence about a scene of many windows is answered.

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
    """The type of change that a sentence describes, by its words."""
    if text is None:
        return "unknown"
    lowered = text.lower()
    if re.search(rf"\b(?:{_DISAPPEAR})", _without_places(lowered)):
        return "disappear"
    if re.search(rf"\b(?:{_APPEAR})", lowered):
        return "appear"
    return "state_change"


def _without_places(text: str) -> str:
    """A sentence in which "left" can only be a verb."""
    return re.sub(r"\b(?:the|from|on|in|of) left\b|\bleft (?:half|side|of)\b|\b\w+-left\b|\bleftmost\b", " ", text)
