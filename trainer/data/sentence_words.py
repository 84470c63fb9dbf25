# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Rewrites English sentences for images that are mirrored, rotated or cropped.

Every function returns a sentence that is true for the changed images, or `None` if the words are ambiguous ("the
bag left of the building" was left there, or is beside it) or may be in another language. Augmentation drops such
sentences.
"""

import re
from re import Match

from .foreign_words import may_be_foreign, plain_text


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORD = re.compile(r"[A-Za-z]+")
_HORIZONTAL = {
    "left": "right",
    "leftmost": "rightmost",
    "leftward": "rightward",
    "leftwards": "rightwards",
    "lefthand": "righthand",
    "east": "west",
    "eastern": "western",
    "easternmost": "westernmost",
    "northeast": "northwest",
    "northeastern": "northwestern",
    "southeast": "southwest",
    "southeastern": "southwestern",
}
_VERTICAL = {
    "top": "bottom",
    "topmost": "bottommost",
    "upper": "lower",
    "uppermost": "lowermost",
    "above": "below",
    "north": "south",
    "northern": "southern",
    "northernmost": "southernmost",
    "northeast": "southeast",
    "northeastern": "southeastern",
    "northwest": "southwest",
    "northwestern": "southwestern",
}
_SWAPS = tuple({**words, **{after: before for before, after in words.items()}} for words in (_HORIZONTAL, _VERTICAL))
_COMPASS = frozenset(word for words in _SWAPS for word in words if re.match("north|south|east|west", word))
# Directions that cannot be reversed by exchanging two words.
_OTHER_TURNS = frozenset(("clockwise", "anticlockwise", "counterclockwise"))
_OTHER_VERTICAL = _set_of(
    "under underneath beneath over up down upward upwards downward downwards upside high higher highest low lowest "
    "underside overhead atop"
)
_PARTICLE_VERBS = _set_of(
    "torn cut pulled knocked taken broken burned burnt put shown showed shows show built filled dried dries dry piled "
    "set came come grown popped pops pop fallen parked"
)
_ANY_AXIS = frozenset(("horizontal", "horizontally", "vertical", "vertically", "mid"))

_PLACES = _set_of(
    "side sides half halves corner corners edge edges part parts hand border third quarter end lane wall bank portion "
    "section area region foreground background center centre middle margin boundary"
)
_VERB_BEFORE = _set_of("that which who has have had having never just already recently")
_BE = _set_of("is are was were be been being")
_DIRECTION_BEFORE = _set_of(
    "the to on at in from upper lower top bottom far mid middle center centre central front rear back near extreme "
    "its their second third first"
)
_RIGHT_AS_ADVERB = _set_of(
    "next beside behind above below under in on at by after before beneath along across against outside inside where "
    "through up down away now there here over near angle angles angled"
)
_ORDINALS = _set_of("first second third fourth fifth sixth seventh eighth ninth tenth last")
_COUNTS = _set_of(
    "two three four five six seven eight nine ten eleven twelve dozen dozens both pair couple few many several"
)
_COMPARATIVES = _set_of("larger smaller bigger taller longer shorter wider")
# Directions not in the tables: "eastbound", "northward", "topleft", "3 o'clock", "NW", "LHS", "W of the lake".
_OTHER_DIRECTION = re.compile(
    r"\b((north|south|east|west)\w*(bound|wards?)|(top|bottom|upper|lower)(left|right)|\d+ o'clock|[ns][ew]|[lr]hs?|"
    r"(?-i:[NESW]))\b",
    re.IGNORECASE,
)
_RELATIONS = _set_of(
    "next beside besides near nearby close between behind front around along among opposite by adjacent surrounded "
    "across against inside outside within ahead connected in on under over above below with"
)
_NEAR_FRAME = _set_of("center centre central middle corner corners edge edges border margin half")
_SUPERLATIVE = re.compile(r"\w+(most|est)$")
_NO_SUPERLATIVES = _set_of("forest west rest guest chest nest harvest almost northwest southwest midwest")
_IMAGES = _set_of("image picture photo scene frame view")
_ARRANGED = _set_of("parallel alongside surrounding facing lining through where beyond past toward towards")
_FRAME_WORDS = _set_of("center centre central middle mid") | {word for words in _SWAPS for word in words}
_TIMES = _set_of("first second earlier later other new old")


def mirrored(sentence: str, axis: int) -> str | None:
    """
    Rewrites a sentence for mirrored images.

    Args:
        sentence (`str`): The sentence.
        axis (`int`): 0 to exchange left and right, 1 to exchange top and bottom, which makes sense only for views from
            above.

    Returns:
        `str` or `None`: The sentence with words of direction exchanged.
    """
    if may_be_foreign(sentence) or _OTHER_DIRECTION.search(plain_text(sentence)):
        return None
    swaps, words = _SWAPS[axis], list(_WORD.finditer(sentence))
    pieces, end = [], 0
    for index, match in enumerate(words):
        word = match[0].lower()
        kind = _is_direction(words, index, axis)
        if kind is None:
            return None
        pieces.append(sentence[end : match.start()])
        pieces.append(_like(match[0], swaps[word]) if kind else match[0])
        end = match.end()
    return "".join([*pieces, sentence[end:]])


def mentions_direction(sentence: str) -> bool:
    """Whether the sentence may become false when the images are rotated by 90 degrees."""
    words = list(_WORD.finditer(sentence))
    if may_be_foreign(sentence) or _OTHER_DIRECTION.search(plain_text(sentence)):
        return True
    if any(match[0].lower() in _ANY_AXIS for match in words):
        return True
    return any(_is_direction(words, index, axis) is not False for index in range(len(words)) for axis in (0, 1))


def depends_on_frame(sentence: str) -> bool:
    """Whether the sentence may become false when the images are cropped: it mentions a position, a number, a
    rank or a neighbour."""
    words = [match[0].lower() for match in _WORD.finditer(sentence)]
    if re.search(r"\d", sentence) or _COMPARATIVES.intersection(words):
        return True
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word in _ORDINALS:
            if following not in _IMAGES:
                return True
        elif word in ("in", "on"):
            # "in the later image", "dressed in red", "switched on"
            if not _names_image(words[index + 1 :]) and following in ("the", "a", "an", "front", "top"):
                return True
        elif word in _RELATIONS or word in _COUNTS or word in _NEAR_FRAME or word in ("largest", "smallest", "only"):
            if not (word == "only" and following in ("be", "seen", "visible")) and word != "with":
                return True
        elif _SUPERLATIVE.match(word) and word not in _NO_SUPERLATIVES:
            return True
    return mentions_direction(sentence)


def depends_on_surroundings(sentence: str) -> bool:
    """Whether the sentence may become false when its object is pasted into another place: it mentions a neighbour or a
    rank."""
    if may_be_foreign(sentence):
        return True
    words = [match[0].lower() for match in _WORD.finditer(sentence)]
    for index, word in enumerate(words):
        rest = words[index + 1 :]
        if word in _ORDINALS and rest[:1] and rest[0] not in _IMAGES:
            return True
        if _names_image(rest):
            continue
        is_of_something = word == "of" and rest[:1] and rest[0] in ("the", "a", "an")
        place = rest[1:] if rest[:1] == ["the"] else rest
        # "in the lower half" and "on the left" refer to the frame, not to its content.
        if (
            is_of_something
            or word in _ARRANGED
            or (word in (_RELATIONS | {"at"}) and (not place or place[0] not in _FRAME_WORDS))
        ):
            return True
    return False


def _is_direction(words: list[Match[str]], index: int, axis: int) -> bool | None:
    """Whether a word is a direction that can be reversed by exchanging words; `None` if in doubt."""
    text = words[index][0]
    word = text.lower()
    if word in _OTHER_TURNS:
        return None
    if word in _COMPASS:
        if word not in _SWAPS[axis]:
            return False
        # "West Street" is a name.
        return None if text[0].isupper() and index else True
    if axis == 0:
        return _is_left_or_right(words, index) if word in ("left", "right") else word in _SWAPS[0]
    if word in _OTHER_VERTICAL:
        return _is_harmless(word, _neighbour(words, index, -1), _neighbour(words, index, 1))
    return _is_top_or_bottom(words, index) if word in ("top", "bottom") else word in _SWAPS[1]


def _is_left_or_right(words: list[Match[str]], index: int) -> bool | None:
    word, before, after = words[index][0].lower(), _neighbour(words, index, -1), _neighbour(words, index, 1)
    if _is_hyphenated(words, index):
        return after not in ("angle", "angled", "over", "behind")
    if word == "left" and (before in _VERB_BEFORE or before in _BE):
        return None if after == "of" else False
    if after in _PLACES or before in _DIRECTION_BEFORE:
        return not (word == "right" and after.startswith("angle"))
    if before in ("and", "or") and index > 1 and words[index - 2][0].lower() in ("left", "right"):
        return _is_left_or_right(words, index - 2)
    if word == "right" and after in _RIGHT_AS_ADVERB:
        return False
    return True if word == "right" and after == "of" else None


def _is_top_or_bottom(words: list[Match[str]], index: int) -> bool | None:
    before, after = _neighbour(words, index, -1), _neighbour(words, index, 1)
    if _is_hyphenated(words, index) or after in _PLACES or after in ("left", "right"):
        return True
    if before != "the":
        return None
    rest = [match[0].lower() for match in words[index + 1 :]]
    return True if not rest or rest[0] != "of" or _names_image(rest[1:]) else None


def _is_harmless(word: str, before: str, after: str) -> bool | None:
    """Whether a word is part of a phrase that is not a direction, such as "torn down" or "under construction"."""
    if word in ("up", "down") and before in _PARTICLE_VERBS:
        return False
    if (word == "under" and after == "construction") or (word == "over" and before == "all"):
        return False
    return None


def _is_hyphenated(words: list[Match[str]], index: int) -> bool:
    string, match = words[index].string, words[index]
    return string[match.start() - 1 : match.start()] == "-" or string[match.end() : match.end() + 1] == "-"


def _names_image(rest: list[str]) -> bool:
    """Whether the next words are "the (first, later, ...) image"."""
    noun = 2 if rest[1:2] and rest[1] in _TIMES else 1
    return rest[:1] in (["the"], ["this"]) and len(rest) > noun and rest[noun] in _IMAGES


def _neighbour(words: list[Match[str]], index: int, step: int) -> str:
    place = index + step
    return words[place][0].lower() if 0 <= place < len(words) else ""


def _like(model: str, word: str) -> str:
    """Applies the capitalisation of another word."""
    if model.isupper() and len(model) > 1:
        return word.upper()
    return word.capitalize() if model[0].isupper() else word
