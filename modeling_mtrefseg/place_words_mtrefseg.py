# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Finds words for a place in the image: "in the top-left corner", "somewhere along the lower edge of the photo"."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple


Region = tuple[float, float, float, float]
"""A part of the image, as shares of its width and height: left, top, right, bottom."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_THIRD = 1 / 3
_COLUMNS = {"left": (0.0, _THIRD), "middle": (_THIRD, 2 * _THIRD), "right": (2 * _THIRD, 1.0)}
_ROWS = {"top": (0.0, _THIRD), "middle": (_THIRD, 2 * _THIRD), "bottom": (2 * _THIRD, 1.0)}
_HALVES = {"left": (0, 0, 0.5, 1), "right": (0.5, 0, 1, 1), "top": (0, 0, 1, 0.5), "bottom": (0, 0.5, 1, 1)}
_SIDE_OF = "left|right|leftward|rightward|north|south|east|west"
DIRECTIONS = {
    **dict.fromkeys(("top", "upper", "higher", "north", "northern", "northerly"), "top"),
    **dict.fromkeys(("bottom", "lower", "south", "southern", "southerly"), "bottom"),
    **dict.fromkeys(("left", "lefthand", "leftward", "leftwards", "west", "western", "westerly"), "left"),
    **dict.fromkeys(("right", "righthand", "rightward", "rightwards", "east", "eastern", "easterly"), "right"),
    **dict.fromkeys(
        (
            "middle",
            "center",
            "centre",
            "central",
            "centrally",
            "centered",
            "centred",
            "mid",
            "midpoint",
            "halfway",
            "midway",
        ),
        "middle",
    ),
    "uppermost": "top",
    "topmost": "top",
    "lowermost": "bottom",
    "leftmost": "left",
    "rightmost": "right",
}
"""Words for directions in the image, where north is up."""

PARTS = _words(
    "corner part half side flank edge area sector region zone quadrant portion section border third height level "
    "hand end margin boundary rim fringe strip band stretch quarter segment spot place position location bit row "
    "column line limit extremity reaches chunk slice expanse swathe hemisphere vicinity "
    "parts areas sections regions corners"
)
_EDGE_WORDS = _words(
    "at edge border third along near by close around margin boundary rim fringe strip band row line limit end "
    "extremity beside bordering hugging touching against nearby"
)
_WIDE_WORDS = _words(
    "half area part portion section region zone sector chunk expanse swathe hemisphere parts areas sections regions"
)
_PREPOSITIONS = _words(
    "in at on near toward towards to by along around over within inside into close up down across somewhere "
    "anywhere halfway midway out off beside bordering hugging touching against nearby about high low back way"
)
# Before a place ("the house located in the top left corner"); they belong to it.
_VERBS = frozenset(("located", "situated", "positioned", "placed", "lying", "sitting", "standing"))
_FILLERS = _words(
    "the this very far extreme absolute right just almost roughly exact exactly dead approximately quite own "
    "vertical vertically horizontal horizontally outer outermost outside overall whole entire rather mostly mainly "
    "smack bang plumb squarely"
)
_PARTICLES = _words("in out up down off away back over")
_JOINTS = frozenset((",", "-", "and", "of"))
IMAGE = (
    r"(?:images?|scenes?|photos?|photographs?|pictures?|frame|view|shot|map|tile|canvas|screen|display|snapshot|capture|"
    r"footage|panorama|imagery|depiction|landscape|scenery|composition|visual|viewport|img|pics?|"
    r"field of view|visible area|area shown|site|plan)"
)
"""A pattern for an image that a sentence mentions."""
OF_THE_IMAGE = (
    r"(?:of|in|on|within|inside) (?:(?:the|this|that|both|each|either|two|whole|entire) )*"
    r"(?!(?!satellite|aerial|drone|first|second)\w+ (?:site|screen|display|tile|canvas|frame)\b)"
    rf"(?:\w+ )?{IMAGE}\b(?! (?:frame|screen|display)\b)"
)
"""A pattern for "of the image", "in this aerial photo"."""
_OF_THE_IMAGE = re.compile(rf" {OF_THE_IMAGE}")
_IMAGES_OWN = re.compile(rf"\b(?:the |this |that )?{IMAGE}(?:'s|’s) (?=\w)")
# After these words, "the left" is something else: "the second from the left", "closest to the left edge".
_OTHER_USES = _words(
    "from closest nearest furthest farthest most nearer closer further farther than more next facing pointing "
    "beginning starting begin start begins starts began started"
)
# After these words, "to the left" is a direction of motion or view, not a place.
MOTION = re.compile(
    r"(?:mov|shift|turn|look|lean|fac|point|driv|go|head|run|walk|tilt|rotat|slid|push|relocat|extend|expand|widen|glanc|"
    r"swerv|travel|flow|leav|roll|open|climb|ris|migrat|lengthen|stretch|spread|grow|bend|curv|gaz|sail|fly|"
    r"drift|creep|step|pull|lead|continu|reced|swing|fall|blow|veer|fill|jump|crawl|sway|revers|slop|tip|toppl)"
    r"(?:e|s|es|d|ed|n|en|ing|ning|ling|ped|ping)?|"
    r"left|drove|went|ran|grew|rose|flew|bent|crept|led|swung|fell|blew|slid|"
    r"slightly|even|further|over|up|down|inland"
)
# "Missing from the left half" is "missing in the left half".
_GONE_FROM = _words("gone removed missing disappeared vanished absent cleared lost erased cut")
_OWNERS = _words("my our your")
_NEGATIONS = _words("not never neither nor outside isn't aren't wasn't weren't n't than")
OWNED = re.compile(
    r"(?<!what)(?<!where)(?<!that)(?<!who)(?<!here)(?<!it)(?<!let)['’]s $|s['’] $|"
    r"\b(?:its|his|her|their|whose) $|\b(?:whose|with (?:its|his|her|their)) (?:[\w-]+ ){1,3}$"
)
"""Words before an object that belongs to another one: "the tower's", "its", "whose door is", "with its door"."""
# "Not the one on the left", "ignore the left half".
_LEFT_OUT = re.compile(
    r"(?:\b(?:ignor|exclud|skip|omit|leav)\w*|\b(?:without|not)|n't(?: show| mark| include)?|"
    r"\b(?:all|anything|everything) but) "
    r"(?:(?:the|those|that|any) )?(?:(?!there )\w+ )?$"
)
# "The photo on the left" is one of the two.
_IMAGE_NAMED = re.compile(
    r"(?<!of the )(?<!in the )(?<!in this )\b(?:image|photo|photograph|picture|pic|screenshot)s? $"
)
PARTS_OF_THINGS = (
    r"(?:lane|bank|slope|shoulder|turn|arm|hand|leg|foot|eye|ear|tooth|teeth|knee|wrist|ankle|wheel|tyre|tire|mirror|headlight|"
    r"taillight|fender|bumper|front|rear|sleeve|shoe|glove|drive|floor|deck|storey|story|shelf|level|row|branch|step|bunk|"
    r"wing|wall|face|facade)"
)
"""A pattern for parts of an object that have a left or upper one: "the right mirror" of a car."""
_BESIDE = _words("next beside by near behind above below between opposite")
_AUXILIARIES = _words(
    "that which who has have had was were is are just been they he it she someone somebody people i we cars never "
    "already since not"
)
_COMPASS = _words("north south east west")
_KNOWN = DIRECTIONS.keys() | PARTS | _PREPOSITIONS | _FILLERS
_LINKS = _JOINTS | _VERBS
# What can follow "on the left" if these words do not refer to the next one, as in "on the left bank".
AFTER_A_PLACE = re.compile(
    r"\W+|\d+|that|which|who|whose|where|when|was|were|is|are|be|been|has|have|had|did|do|does|can|could|will|there|and|"
    r"with|without|a|an|the|in|on|at|by|from|to|of|for|as|since|after|before|now|no|not|but|except|new|any|some|all|"
    r"every|each|it|they|someone|somebody|people|something|i|we|you|looks?|wearing|please|got|came|come|went|gone|grew|"
    r"grown|sprang|sprung|built|made|put|cut|torn|taken|left|lost|fell|fallen|went|drove|flew|sank|stood|stands?|burnt|"
    r"blew|broke|rose|became|changes?|missing|only|just|ones?|"
    r"shows?|contains?|appears?|disappears?|"
    r"\w+(?:ed|ing)"
)
_UP_VERB = re.compile(r"(?:show|turn|crop|pop|spring|sprang|sprung|com|cam|grow|grew|open)(?:e|s|es|n|ed|ped|ing)?")
_WITH_PARTICLE = re.compile(
    r"\w+ed|cut|torn|put|taken|took|burnt|come|came|gone|went|built|grown|set|broken|brought|driven"
)
_TOKEN = re.compile(r"[\w'’]+|[^\w\s]")


class Place(NamedTuple):
    """A place in a sentence: its words, and where they begin and end."""

    words: str
    start: int
    end: int


def take_place(text: str) -> tuple[str, Region | None]:
    """
    Removes the place in the image from a sentence.

    Args:
        text (`str`): A sentence in lower case.

    Returns:
        `str`: The rest of the sentence; `text` itself if it names no place.
        `Region`, *optional*: Where the place is.
    """
    text_without_owner = _IMAGES_OWN.sub("the ", text)
    places = list(_find_places(text_without_owner))
    between = (text_without_owner[one.end : other.start] for one, other in pairwise(places))
    if any(re.search(r"\b(?:and|or|but)\b|;", words) for words in between):
        return text, None  # "A house at the top and two at the bottom": these are two places.
    region = region_of(", ".join(place.words for place in places)) if places else None
    if region is None:
        return text, None
    rest = text_without_owner
    for place in reversed(places):
        rest = f"{rest[: place.start]} {rest[place.end :]}"
    return tidy(rest), region


def region_of(place: str) -> Region | None:
    """The region of a place such as "in the upper left corner"; `None` if its words contradict one another."""
    words = re.findall(r"\w+", place)
    named = {DIRECTIONS[word] for word in words if word in DIRECTIONS}
    rows, sides = named & {"top", "bottom"}, named & {"left", "right"}
    if len(rows) > 1 or len(sides) > 1:
        return None
    row, side = next(iter(rows), None), next(iter(sides), None)
    if row is None and "corner" in words and {"up", "down", "high", "low"} & set(words):
        row = "top" if {"up", "high"} & set(words) else "bottom"
    if row is None and side is None and "middle" not in named:
        return None  # "In a corner of the image": in any of them.
    if len(named) == 2 and re.search(rf"\b(?:{_SIDE_OF}) of (?:the )?(?:middle|cent)", place):
        return _HALVES[side or row or ""]
    if {"quadrant", "quarter"} & set(words) and row and side:
        return (_HALVES[side][0], _HALVES[row][1], _HALVES[side][2], _HALVES[row][3])
    if row and not side and "middle" not in named:
        is_edge = _EDGE_WORDS & set(words) and not _WIDE_WORDS & set(words)
        return (0.0, _ROWS[row][0], 1.0, _ROWS[row][1]) if is_edge else _HALVES[row]
    if side and not row and "middle" not in named:
        return (_COLUMNS[side][0], 0.0, _COLUMNS[side][1], 1.0) if "third" in words else _HALVES[side]
    (left, right), (top, bottom) = _COLUMNS[side or "middle"], _ROWS[row or "middle"]
    return (left, top, right, bottom)


def tidy(text: str) -> str:
    """Repairs the spaces and the punctuation around removed words."""
    text = re.sub(r"\( *\)|\[ *\]", " ", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r" (?=[?.!,:;)])", "", text)
    text = re.sub(r",(?=[,:;?.!])|(?<=[:;(\[]),", "", text)
    text = re.sub(r"^(?:[,:;/>*-]|->)+ ?|[,:;/-]+$| (?:->|-|/)$", "", text.strip())
    return text.strip()


def _find_places(text: str) -> Iterator[Place]:
    """Runs of words for places, from left to right."""
    tokens = [(match[0], match.start(), match.end()) for match in _TOKEN.finditer(text)]
    words = [token[0] for token in tokens]
    index = 0
    while index < len(words):
        end = _end_of_run(words, index)
        if end == index or words[index] in _JOINTS:
            index += 1
            continue
        if _is_other_use(words, index, end):
            index = _after_first_part(words, index, end)
            if words[index : index + 1] and words[index] in ("to", "towards", "toward"):
                index = end  # "From left to right".
            continue
        first, last = _trimmed(words, index, end)
        if first < last and not _is_inside_a_word(text, tokens[first][1], tokens[last - 1][2]):
            start, stop = tokens[first][1], tokens[last - 1][2]
            image = _OF_THE_IMAGE.match(text, stop)
            is_place = _is_place(words, first, last) or (image and image[0].startswith(" of "))
            is_denied = any(pattern.search(text[:start]) for pattern in (_LEFT_OUT, _IMAGE_NAMED, OWNED))
            if is_place and not is_denied and (image or not _is_of_a_thing(words, first, last)):
                stop = image.end() if image else stop
                said = text[start:stop]
                # "Right at the top": "right" means "exactly" there.
                start = tokens[first - 1][1] if first and words[first - 1] == "right" else start
                yield Place(said, _start_with_article(text, start, stop), stop)
        index = end


def _is_inside_a_word(text: str, start: int, stop: int) -> bool:
    """Whether a hyphen joins the place to another word: "left-hand-drive"."""
    return re.search(r"\w-$", text[:start]) is not None or re.match(r"-\w", text[stop:]) is not None


def _start_with_article(text: str, start: int, stop: int) -> int:
    """The start of a place with "the" or "from the" before it, if no thing follows to which the article belongs."""
    following = re.match(r"\s*(\w+|\W|$)", text[stop:])
    is_own = following is not None and (not following[1] or AFTER_A_PLACE.fullmatch(following[1]))
    article = re.search(r"\b(?:from (?:the )?|the )$", text[:start]) if is_own else None
    return article.start() if article else start


def _end_of_run(words: list[str], start: int) -> int:
    """The end of the words from `start` on that can belong to a place."""
    end = start
    while end < len(words) and (words[end] in _KNOWN or (words[end] in _LINKS and end + 1 < len(words))):
        end += 1
    return end


def _is_other_use(words: list[str], start: int, end: int) -> bool:
    """Whether the direction of a run belongs to a word before it: "closest to the left edge"."""
    before, run = words[start - 1] if start else "", words[start:end]
    if before == "from" and start > 1 and words[start - 2] in _GONE_FROM and any(word in PARTS for word in run):
        return False
    return before in _OTHER_USES and any(word in DIRECTIONS for word in run)


def _after_first_part(words: list[str], start: int, end: int) -> int:
    """The end of the first direction of a run, with the part to which it refers."""
    index = start
    while words[index] not in DIRECTIONS:
        index += 1
    while index < end and (words[index] in DIRECTIONS or words[index] in PARTS):
        index += 1
    return index


def _trimmed(words: list[str], first: int, last: int) -> tuple[int, int]:
    """A run without the words at its beginning and its end that do not belong to the place."""
    last = _trimmed_end(words, first, last)
    if last - first > 1 and words[last - 1] == "right" and words[last : last + 1] and words[last] in _BESIDE:
        # "Near the top right next to the pond" is left as it is; "in the area right by the pond" has no place.
        last = last if words[last - 2] in DIRECTIONS else _trimmed_end(words, first, last - 1)
    while first < last and _is_apart(words, first, last):
        first += 1
    return first, last


def _trimmed_end(words: list[str], first: int, last: int) -> int:
    """The end of a run without words that belong to the next phrase."""
    while last > first:
        word, before = words[last - 1], words[last - 2] if last - first > 1 else ""
        is_part = word in PARTS and (word, words[last : last + 1]) != ("place", ["of"])
        if word in DIRECTIONS or is_part or (word in ("up", "down") and before in ("halfway", "midway", "way")):
            break
        last -= 1
    return last


def _is_apart(words: list[str], first: int, last: int) -> bool:
    """Whether the first word of a run does not belong to the place."""
    word, following = words[first], words[first + 1] if first + 1 < last else ""
    if word in (",", "-", "and", "of", "about", "the", "this", "its"):
        return True
    if word == "up" and first and _UP_VERB.fullmatch(words[first - 1]):
        return True  # "A house shows up in the left corner".
    is_particle = (
        word in ("up", "down", "in", "out", "off") and following in _PREPOSITIONS and "corner" not in words[first:last]
    )
    if is_particle and first and _WITH_PARTICLE.fullmatch(words[first - 1]):
        return True  # "Cut down in the lower half", but not "built up on the left in the corner".
    if word in _PARTICLES and following in _JOINTS and first and _WITH_PARTICLE.fullmatch(words[first - 1]):
        return True  # "Ripped out, lower left", "pushed back and left".
    if word == "way" and following in DIRECTIONS:  # "A one way left turn".
        return True
    if word in PARTS and following == "of":  # "The area of the house on the left".
        return True
    # "Right" may mean "exactly", and "left" may be a verb: "right at the top", "has left in the upper half".
    if word == "left" and first and words[first - 1] in ("that", "which", "who", "has", "have", "had"):
        return True  # "The birds that left north".
    is_from_one_to_another = following == "to" and words[last - 1] in DIRECTIONS and last - first == 3
    return word in ("right", "left") and following in _PREPOSITIONS | {","} and not is_from_one_to_another


def _is_place(words: list[str], first: int, last: int) -> bool:
    """Whether a run of words is a place."""
    run, before, after = words[first:last], words[first - 1] if first else "", words[last : last + 1]
    named = {DIRECTIONS[word] for word in run if word in DIRECTIONS}
    if not named:
        return False
    outside = words[first - 2] if before == "the" and first > 1 else before if before != "the" else ""
    core = [word for word in run if word not in _FILLERS or word == "right"]
    is_bracketed = len(core) == 1 and _is_bracketed(outside, core[0], after)
    if _is_rank(run, after[0] if after else ",") and not (is_bracketed and run[0] == "far"):
        return False
    if is_bracketed or (len(core) == 1 and run[0] == "dead" and named == {"middle"}):
        return True
    if before == "off" and first > 1:
        before = words[first - 2]  # "Moved off to the left".
    if _is_about_a_thing(run, before, after[0] if after else ","):
        return False
    has_preposition = any(word in _PREPOSITIONS for word in run[:-1])
    return has_preposition or len(named) > 1 or any(word in PARTS - {"place", "spot"} for word in run)


def _is_about_a_thing(run: list[str], before: str, following: str) -> bool:
    """Whether a run between two words refers to an object, to a motion, or to where something is not."""
    is_alone = AFTER_A_PLACE.fullmatch(following) is not None
    if re.search(r"\bof the (?:row|column|line|strip|band|stretch|level)\b", " ".join(run)):
        return True
    if run == ["on", "top"] or (run == ["left"] and (before in _AUXILIARIES or not before)):
        return True
    if before in _NEGATIONS or before in _OWNERS:
        return True
    if re.match(r"(?:(?:off|out|back|over|up|down) )?(?:to|towards?)\b", " ".join(run)) and MOTION.fullmatch(before):
        return True
    if run[0] == "on" and re.fullmatch("(?:extend|expand|widen|enlarg|lengthen)ed", before):
        return True
    if run[-1] == "hand":  # "The left hand house", "with a bag in the left hand".
        return run[0] not in ("on", "at", "to") or not is_alone
    if len(run) == 2 and run[-1] == "end" and run[0] in _COMPASS:
        return True  # "The West End theatre".
    is_adjective = before == "the" and run[-1] in _EDGE_WORDS and not is_alone
    return is_adjective and not any(word in _PREPOSITIONS for word in run[:-1])  # "The northern boundary fence".


def _is_bracketed(before: str, word: str, after: list[str]) -> bool:
    """Whether a word is surrounded only by punctuation: "new garage (left)", "new pool, middle", "left: tree
    felled"."""
    if word == "right" and before in ("", ",") and after != [":"]:
        return False  # "Right, show me the new pool", "it is new, right?"
    if before in ("", ".", "!", "?"):
        return after in ([":"], ["-"], ["."]) and (after, word) != (["."], "left")
    return before in (",", "(", "[", "-", ":", "/") and after in ([], [")"], ["]"], [","], [":"], ["?"], [";"])


def _is_of_a_thing(words: list[str], first: int, last: int) -> bool:
    """Whether a place is part of an object and not of the image: "on the right bank of the river"."""
    after, ends_in_direction = words[last : last + 2], words[last - 1] in DIRECTIONS
    if not after or after[0] in ("of", "than", "between"):
        return bool(after) and not after[-1].isdigit()  # But "between 2010 and 2020".
    if words[last - 1] in ("up", "down") and after[0] in ("the", "a", "an"):
        return True  # "Halfway down the hill".
    if ends_in_direction and after[1:] == ["of"]:
        return True
    named = {DIRECTIONS[word] for word in words[first:last] if word in DIRECTIONS}
    is_adjective = ends_in_direction and len(named) == 1 and words[last - 2] in ("the", "in")
    if ends_in_direction and (is_compass := words[last - 1].startswith(("north", "south", "east", "west"))):
        is_adjective = is_adjective or (is_compass and words[last - 2] in _PREPOSITIONS and last - first == 2)
    if ends_in_direction and re.fullmatch(PARTS_OF_THINGS, after[0]):
        return True
    if after[0] in ("one", "ones") and AFTER_A_PLACE.fullmatch(after[1] if after[1:] else ","):
        return is_adjective  # "Beside the left one".
    return is_adjective and after[0] not in _KNOWN and not AFTER_A_PLACE.fullmatch(after[0])


def _is_rank(run: list[str], following: str) -> bool:
    """Whether a run is "the far left" or "the uppermost" before a noun, as in "the far left house"."""
    if DIRECTIONS.get(run[-1], "middle") == "middle":
        return False
    is_far = run[-2:-1] in (["far"], ["extreme"], ["very"])
    is_alone = run[0] in _PREPOSITIONS and AFTER_A_PLACE.fullmatch(following)
    return run[-1].endswith("most") or (is_far and not is_alone)
