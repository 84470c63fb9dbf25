# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Places, ranks and exceptions: the words of a sentence that choose among objects.

"The leftmost house that was built" asks two things: which houses were built, and which of them is leftmost. The first
is for the model. The second follows from the model's mask: its connected parts are the objects, and the words choose
among them. [`split_sentence`] divides a sentence in this way, and [`keep_chosen`] applies the choice to a mask.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np


Thing = TypeVar("Thing")

# In shares of the image: left, top, right, bottom.
Region = tuple[float, float, float, float]
# What is compared, and whether the largest value comes first.
Order = tuple[Literal["x", "y", "size"], bool]

_THIRD = 1 / 3
_COLUMNS = {"left": (0.0, _THIRD), "middle": (_THIRD, 2 * _THIRD), "right": (2 * _THIRD, 1.0)}
_ROWS = {"top": (0.0, _THIRD), "middle": (_THIRD, 2 * _THIRD), "bottom": (2 * _THIRD, 1.0)}
_HALVES = {"left": (0, 0, 0.5, 1), "right": (0.5, 0, 1, 1), "top": (0, 0, 1, 0.5), "bottom": (0, 0.5, 1, 1)}
_DIRECTIONS = {
    **dict.fromkeys(("top", "upper", "uppermost"), "top"),
    **dict.fromkeys(("bottom", "lower", "lowermost"), "bottom"),
    "left": "left",
    "right": "right",
    **dict.fromkeys(("middle", "center", "centre", "central", "mid", "halfway", "midway"), "middle"),
}
_EDGE_WORDS = frozenset(("at", "edge", "border", "third", "along", "near", "by", "close", "around"))
_IMAGE = r"(?:image|images|scene|photo|photos|picture|frame|view)"
_DIRECTION = r"(?:" + "|".join(_DIRECTIONS) + r")"
_PART = r"(?:corner|part|half|side|edge|area|sector|region|zone|quadrant|portion|section|border|third|height|hand)"
_BEFORE = (
    r"(?:in|at|on|near|towards?|to|by|along|around|over|within|inside|close to|up|down|across|somewhere|anywhere)"
)
_LINK = rf"(?:{_BEFORE} )*(?:(?:in|at|on|of|by|along|near|to|up|down|across|towards) (?:the )?)?"
# "on the left side, at mid-height", "up in the right-hand corner of the picture", but not "to the left of the pond".
_PLACE = re.compile(
    rf",? \b(?:right )?(?:{_BEFORE} |halfway )+(?:the )?(?:very |far |extreme )?(?:{_PART} )?"
    rf"(?:(?:{_BEFORE}) (?:the )?)*{_DIRECTION}"
    rf"(?:,?[- ](?:{_LINK})(?:{_DIRECTION}|{_PART}))*"
    rf"(?: (?:of|in) (?:the |this )?{_IMAGE})?\b(?! of\b|[- ]\w+ of\b)"
)
SUPERLATIVES: dict[str, Order] = {
    **dict.fromkeys(("leftmost", "furthest left", "farthest left"), ("x", False)),
    **dict.fromkeys(("rightmost", "furthest right", "farthest right"), ("x", True)),
    **dict.fromkeys(("topmost", "uppermost", "highest"), ("y", False)),
    **dict.fromkeys(("bottommost", "lowermost", "lowest"), ("y", True)),
    **dict.fromkeys(("largest", "biggest"), ("size", True)),
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
# What is left of a sentence must not hold these, else it cannot be divided.
_UNDIVIDED = re.compile(
    rf"\b(left|right|top|bottom|upper|lower|center|centre|middle|corner|edge|side|above|below|between|half|{_ORDINAL}|"
    rf"{_RANK}|north\w*|south\w*|east\w*|west\w*|nearest|closest|farthest|furthest|most|than|but|except|other|only|"
    r"opposite|last)\b"
)
_HEAD_ENDS = re.compile(
    r"\b(that|which|who|whose|with|in|on|at|of|near|next|beside|close|by|has|have|is|are|was|were|wearing|dressed)\b"
)
# Before the thing that is meant may be a request ("show me the largest ..."), but no other thing.
_OTHERS = r"next|near|beside|close|by|of|to|above|below|with|that|between|behind|under|in|on|at|has|have"
_HEAD = rf"^(?P<request>(?:(?!(?:{_OTHERS})\b)\w+,? )*?)"
_RANKS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any]]], ...] = (
    (
        re.compile(rf"{_HEAD}the (?P<nth>{_ORDINAL}) (?P<rest>.+?) from the (?P<side>left|right|top|bottom)\b"),
        lambda match: {"order": SIDES[match["side"]], "rank": ORDINALS[match["nth"]]},
    ),
    (
        re.compile(rf"{_HEAD}the (?:(?P<nth>{_ORDINAL}) )?(?P<superlative>{_RANK}) (?P<rest>.+)$"),
        lambda match: {"order": SUPERLATIVES[match["superlative"]], "rank": ORDINALS.get(match["nth"], 1)},
    ),
    (
        re.compile(rf"{_HEAD}the (?P<count>{_NUMERAL}) (?P<superlative>{_RANK}) (?P<rest>.+)$"),
        lambda match: {"order": SUPERLATIVES[match["superlative"]], "count": NUMERALS[match["count"]]},
    ),
    (
        re.compile(rf"^(?P<request>)(?:the )?(?P<count>{_NUMERAL}) (?P<rest>.+)$"),
        lambda match: {"count": NUMERALS[match["count"]]},
    ),
)
_PLURALS = ("people", "shelves", "benches", "buses", "boxes")
_SMALLEST_OBJECT = 36 / 256**2  # Share of the image; what is smaller is not ranked, as in the training sentences.
_MARGIN = 0.02  # If no object lies in a place, one so close to it is meant; share of the image's side.
_REACH_OF_COUNTED = 1 / 6  # "The two houses at the bottom" may reach up to the middle: from a third to a half.
_ORDERS = ("x", "y", "size")
NUM_CHOICE_VALUES = 10
"""Length of [`ObjectChoice.to_values`]."""


@dataclass(frozen=True)
class ObjectChoice:
    """
    What a sentence says about its objects in the whole image.

    Args:
        region (`Region`, *optional*): Where their middle lies.
        order (`Order`, *optional*): How they are ranked.
        rank (`int`): The first one that is meant, from 1.
        count (`int`, *optional*): How many are meant.
        excluded ([`ObjectChoice`], *optional*): Those that are not meant.
    """

    region: Region | None = None
    order: Order | None = None
    rank: int = 1
    count: int | None = None
    excluded: "ObjectChoice | None" = None

    @property
    def is_count(self) -> bool:
        """Whether it is a number alone ("the two houses"), which helps the model to find them."""
        return self.count is not None and self == ObjectChoice(count=self.count)

    def to_values(self) -> list[float]:
        """`NUM_CHOICE_VALUES` numbers that say the same, so that a batch can hold choices as a tensor."""
        told = self.excluded or self
        region = told.region or (0.0, 0.0, 1.0, 1.0)
        order = 0 if told.order is None else 1 + _ORDERS.index(told.order[0])
        descending = told.order is not None and told.order[1]
        return [1.0, *region, order, float(descending), told.rank, told.count or 0, float(self.excluded is not None)]

    @classmethod
    def from_values(cls, values: Sequence[float]) -> "ObjectChoice | None":
        """The choice of [`~ObjectChoice.to_values`]; `None` for zeros."""
        if not values[0]:
            return None
        left, top, right, bottom = (float(value) for value in values[1:5])
        region = None if (left, top, right, bottom) == (0, 0, 1, 1) else (left, top, right, bottom)
        order: Order | None = None
        if values[5]:
            order = (("x", "y", "size")[int(values[5]) - 1], bool(values[6]))
        choice = cls(region, order, int(values[7]), int(values[8]) or None)
        return cls(excluded=choice) if values[9] else choice


def split_sentence(text: str) -> tuple[str, ObjectChoice | None]:
    """
    Divides a sentence into what the model is asked and what chooses among the objects that it finds.

    Args:
        text (`str`): The sentence.

    Returns:
        `str`: The sentence without places, ranks and exceptions; `text` itself if there are none.
        [`ObjectChoice`], *optional*: The choice; `None` if there is none, or if the sentence cannot be divided, such
        as "to the left of the pond".
    """
    lowered = " ".join(text.split()).lower().rstrip(".")
    choice: ObjectChoice | None = ObjectChoice()
    exception = _EXCEPTION.match(lowered)
    if exception:
        choice, lowered = _with_exception(exception["what"]), exception["all"]
    if choice is None:
        return text, None
    asked, choice = _without_choice(lowered, choice)
    return (text, None) if choice == ObjectChoice() or is_undivided(asked) else (asked, choice)


def answered_by(text: str | None, choose_objects: bool) -> str:
    """
    How a sentence about one image is answered.

    Args:
        text (`str`, *optional*): The sentence; `None` for every change.
        choose_objects (`bool`): That of the processor.

    Returns:
        `str`: `"objects"` if words of it choose among the objects that the rest of it finds, else `"image"`.
    """
    choice = split_sentence(text)[1] if text is not None and choose_objects else None
    return "image" if choice is None or choice.is_count else "objects"


def choose(
    things: Sequence[Thing], choice: ObjectChoice, size: tuple[int, int], describe: Callable[[Thing], Any]
) -> list[Thing]:
    """
    The things of an image that are meant.

    Args:
        things (`Sequence`): All things that fit the rest of the sentence.
        choice ([`ObjectChoice`]): Which are meant.
        size (`tuple[int, int]`): Width and height of the image.
        describe (`Callable`): Gives for a thing its middle (x, y), size and score.
    """
    described = [(thing, *describe(thing)) for thing in things]
    if choice.region is not None:
        described = _in_place(described, choice, size)
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


def keep_chosen(mask: np.ndarray, choice: ObjectChoice) -> np.ndarray:
    """
    A mask with the chosen ones of its connected parts.

    Args:
        mask (`np.ndarray` of shape `(height, width)`): Booleans.
        choice ([`ObjectChoice`]): Which parts are meant. Small specks are not ranked.

    Returns:
        `np.ndarray` of shape `(height, width)`: Booleans.
    """
    from scipy import ndimage

    labels, count = ndimage.label(mask, np.ones((3, 3)))
    numbers = np.arange(1, count + 1)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    middles = ndimage.center_of_mass(mask, labels, numbers)
    if choice.order is not None or choice.count is not None or choice.excluded is not None:
        large = numbers[areas >= _SMALLEST_OBJECT * mask.size]
        numbers = large if len(large) else numbers

    def describe(number: int) -> tuple[tuple[float, float], float, float]:
        row, column = middles[number - 1]
        area = float(areas[number - 1])
        return (column + 0.5, row + 0.5), area, area

    height, width = mask.shape
    return np.isin(labels, choose(numbers.tolist(), choice, (width, height), describe))


def _in_place(described: list[Any], choice: ObjectChoice, size: tuple[int, int]) -> list[Any]:
    """The rows (thing, middle, ...) in the region of a choice; of fewer than it counts, the nearest ones too."""
    assert choice.region is not None
    away = {id(row): _distance(row[1], choice.region, size) for row in described}
    inside = [row for row in described if not away[id(row)]]
    wanted = (choice.count or 1) if choice.order is None else 1
    if len(inside) >= wanted:
        return inside
    reach = _MARGIN if wanted == 1 else _REACH_OF_COUNTED
    near = sorted((row for row in described if 0 < away[id(row)] <= reach), key=lambda row: away[id(row)])
    return inside + (near if wanted == 1 else near[: wanted - len(inside)])


def _distance(middle: tuple[float, float], region: Region, size: tuple[int, int]) -> float:
    """How far a point is outside a region, in shares of the image's sides, the larger of x and y; 0 inside."""
    x, y = middle[0] / size[0], middle[1] / size[1]
    left, top, right, bottom = region
    return max(left - x, x - right, top - y, y - bottom, 0.0)


def _without_choice(text: str, choice: ObjectChoice) -> tuple[str, ObjectChoice]:
    """Takes places, ranks and counts out of a sentence."""
    asked, region = _take_place(text)
    if region is not None:
        choice = replace(choice, region=region)
    for pattern, read in _RANKS:
        if match := pattern.match(asked):
            choice = replace(choice, **read(match))
            asked = f"{match['request']}the {match['rest']}{asked[match.end() :]}"
            break
    if choice != ObjectChoice() and asked.startswith("the ") and not _is_plural(asked):
        # There may be several, of which the whole sentence means one.
        asked = "every" + asked[3:]
    return asked, choice


def _take_place(text: str) -> tuple[str, Region | None]:
    """A sentence without its place in the image, and the place."""
    match = _PLACE.search(text)
    if match is None:
        return text, None
    region = region_of(re.sub(r"^,? *right (?=in|at|on|near|by|up|down)", "", match[0]))
    if region is None:
        return text, None
    rest = f"{text[: match.start()]} {text[match.end() :].lstrip(' ,')}".strip()
    return re.sub(r" (?=[?.!])", "", rest), region


def region_of(place: str) -> Region | None:
    """The region of a place such as "in the upper left corner"; `None` if its words contradict one another."""
    words = re.findall(r"\w+", place)
    named = {_DIRECTIONS[word] for word in words if word in _DIRECTIONS}
    rows, sides = named & {"top", "bottom"}, named & {"left", "right"}
    if len(rows) > 1 or len(sides) > 1:
        return None
    row, side = next(iter(rows), None), next(iter(sides), None)
    if row is None and "corner" in words and {"up", "down"} & set(words):
        row = "top" if "up" in words else "bottom"
    if side and re.search(r"\b(?:left|right) of the (?:middle|cent)", place):
        return _HALVES[side]
    if "quadrant" in words and row and side:
        return (_HALVES[side][0], _HALVES[row][1], _HALVES[side][2], _HALVES[row][3])
    if row and not side and "middle" not in named:
        is_edge = _EDGE_WORDS & set(words) and not {"half", "area", "part"} & set(words)
        return (0.0, _ROWS[row][0], 1.0, _ROWS[row][1]) if is_edge else _HALVES[row]
    if side and not row and "middle" not in named:
        return _HALVES[side]
    (left, right), (top, bottom) = _COLUMNS[side or "middle"], _ROWS[row or "middle"]
    return (left, top, right, bottom)


def _with_exception(what: str) -> ObjectChoice | None:
    """What "all but ..." leaves out: a rank or a place of the same things; `None` if it is something else."""
    ranked = re.match(rf"^the (?:({_ORDINAL}|{_NUMERAL}) )?({_RANK})(?: ones?)?$", what)
    if ranked:
        return ObjectChoice(
            excluded=ObjectChoice(
                order=SUPERLATIVES[ranked[2]],
                rank=ORDINALS.get(ranked[1], 1),
                count=NUMERALS.get(ranked[1]),
            )
        )
    placed = re.match(r"^(?:the ones?|those|the one)( .+)$", what)
    if placed:
        rest, region = _take_place("x" + placed[1])
        if rest == "x":
            return ObjectChoice(excluded=ObjectChoice(region=region))
    return None


def is_undivided(text: str) -> bool:
    """Whether words are left that speak of the whole image."""
    return _UNDIVIDED.search(_LEFT_AS_VERB.sub(" ", _TIMES.sub(" ", text))) is not None


def _is_plural(text: str) -> bool:
    """Whether the first noun of "the ..." is plural."""
    head = _HEAD_ENDS.split(text.removeprefix("the "), maxsplit=1)[0].split()
    noun = head[-1] if head else ""
    return noun in _PLURALS or (noun.endswith("s") and not noun.endswith("ss") and noun != "bus")
