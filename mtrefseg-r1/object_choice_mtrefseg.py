# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Colours, places, ranks and exceptions: the words of a sentence that select among objects.

"The leftmost house that was built" asks two questions: which houses were built, and which of them is leftmost. The
model answers the first one. The second one is answered with the model's mask: its connected components are the objects
among which the words select. [`split_sentence`] splits a sentence in this way, and [`keep_chosen`] applies the choice
to a mask. Colours are looked up in the images (`object_colors_mtrefseg.py`).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, TypeAlias, TypeVar

import numpy as np

from .change_words_mtrefseg import date_of
from .choice_spellings_mtrefseg import in_one_spelling, may_choose, names_apart
from .color_names_mtrefseg import COLORS
from .color_words_mtrefseg import take_color
from .components_mtrefseg import label_components
from .place_words_mtrefseg import IMAGE, Region, take_place
from .rank_words_mtrefseg import (
    ORDINALS,
    SUPERLATIVES,
    Order,
    Rank,
    end_of_opening,
    take_far_side,
    take_rank,
    take_side,
)
from .spelling_words_mtrefseg import in_correct_spelling


Thing = TypeVar("Thing")
_Row: TypeAlias = tuple[Thing, tuple[float, float], float]
"""An object, its centre (x, y, in pixels) and its size."""

_EXCEPT = (
    r"except|except for|excepting|excluding|apart from|aside from|other than|not counting|not including|leaving out|"
    r"with the exception of|but not|(?<=, )not"
)
_EXCEPTION = re.compile(
    r"^(?P<all>(?:(?!the )\w+,? ){0,5}?(?:all|any|every|each|everything|anything|the|these|those)\b.*?),? "
    rf"(?:{_EXCEPT}|expect|but|besides|save|save for|bar|barring|minus|without) (?P<what>(?:the|those|that) .+)$"
)
# "New houses except the largest".
_EXCEPTION_OF_PLURAL = re.compile(rf"^(?P<all>\w.*?),? (?:{_EXCEPT}) (?P<what>(?:the|those|that) .+)$")
# "All cars, except the one on the left, that arrived". Without the comma, the one on the left may be meant.
_CLAUSE = re.compile(r"^(?P<what>.+?), (?P<clause>(?:that|which|who) .+)$")
# "Every new house except the big one".
_BIG = re.compile(r"^(?:the|that) (?:(big|large|huge)|small|little|tiny) (?=\w*(?:[^\Ws]|ss)$)")
# A date, or the image that shows it: "the first visit", "between the two acquisitions".
_WHEN = (
    rf"(?:{IMAGE}|date|time|visit|acquisition|survey|recording|exposure|flight|pass|overflight|overpass|take|still|input|"
    r"look|session|day|year|epoch|moment|point in time|period|version|state|stage|observation|inspection|fly-?over|"
    r"of the two)"
)
_ALONE = r"(?=$|[,;:?!]| (?:and|but|that|which|was|were|is|are|has|have|there)\b)"
_TIMES = re.compile(
    rf"\bat (?:first|last)\b|\b(?:first|second|later|earlier|last|other) (?:\w+ )?{_WHEN}s?\b|"
    rf"\b(?:in|on|from|by|at|since|until|to) the (?:first|second|other){_ALONE}|"
    rf"\bbetween (?:(?:\w+ )?\d{{4}} and (?:\w+ )?\d{{4}}\b|the (?:first|earlier) and the (?:second|later){_ALONE}|"
    rf"(?:the )?(?:two |both )?{_WHEN}s?\b)|"
    r"\bmost (?:grateful|kind|kindly|obliged|appreciative|helpful|likely|probably|recent|recently)\b|"
    r"\b(?:was|were|is|are|when|not|has|have|had|been) (?:\w+ )?first "
    r"(?=seen|taken|photographed|shown|recorded|captured)|"
    r"\bright (?:now|here|there|away)\b|, right(?=\?)|"
    r"(?<!the )(?<!top )(?<!upper )(?<!bottom )(?<!lower )(?<!far )(?<!on )(?<!to )(?<!at )(?<!of )"
    r"\bright (?=(?:after|before|beside|by|next|near|behind|between|across|along|around|up|in|on|at|where|when)\b)"
)
_LEFT_AS_VERB = re.compile(
    r"\b(?:that|which|who|has|have|had|just|since|now|already|recently|then) left\b|"
    r"(?<!the )(?<!top )(?<!upper )(?<!bottom )(?<!lower )(?<!far )(?<!on )(?<!to )"
    r"\bleft(?=[?!]*$| the (?:scene|image)\b)"
)
# A sentence cannot be split if the rest of it contains one of these words.
_UNDIVIDED = re.compile(
    rf"\b(left|right|top|bottom|upper|lower|center|centre|middle|corner|edge of the {IMAGE}|above|below|between|half|"
    rf"{'|'.join((*ORDINALS, *SUPERLATIVES))}|north\w*|south\w*|east\w*|west\w*|nearest|closest|farthest|furthest|"
    r"most|ever|outermost|innermost|than (?!before|earlier)|but (?:not )?(?:the|those|for)|"
    r"(?:as|when|if|while) (?:(?:you|one|we) )?(?:are )?"  # "On the left as you enter the village".
    r"(?:enter|com|go|driv|walk|arriv|approach|cross|fac)(?:e|es|s|ing)?|"
    r"except|other than the|opposite|(?:the|every) last)\b"
)
_HEAD_ENDS = re.compile(
    r"\b(that|which|who|whose|with|in|on|at|of|near|next|beside|close|by|has|have|is|are|was|were|wearing|dressed|"
    r"\w+ed|got|not|no|(?:dis)?appears?|vanish(?:es)?|changes?|come|comes|go|goes|stand|stands)\b|[,:;.!?()\[\]-]"
)
_SEVERAL = re.compile(
    r"(?<![\w-])(?:all|every|each|any|some|both|pair|couple|several|things|ones|two|three|four)(?![\w-])"
)
_NO_KIND = re.compile(r"(?:(?:the|every|those|these|this|that) ?)?(?:ones?|changes?|things?|objects?)?[?.! ]*$")
_ARTICLE = re.compile(rf"the (?:(?:one|single|only|sole) )?(?!(?:{'|'.join(ORDINALS)}|last|next)\b)(?=\w)")
_PLURALS = (
    "people",
    "men",
    "women",
    "children",
    "sheep",
    "cattle",
    "aircraft",
    "fish",
    "deer",
    "shelves",
    "benches",
    "buses",
    "boxes",
    "everything",
    "things",
)
_SMALLEST_OBJECT = 36 / 256**2  # Share of the image; smaller objects are not ranked, as in the training sentences.
_MARGIN = 0.02  # If no object is in a place, one at most this far from it is accepted; share of the image's side.
_REACH_OF_COUNTED = 1 / 6  # "The two houses at the bottom" may extend to the middle: from a third to a half.
_ORDERS: tuple[Literal["x", "y", "size"], ...] = ("x", "y", "size")
_NUM_PART_VALUES = 8
NUM_CHOICE_VALUES = 4 + 2 * _NUM_PART_VALUES
"""Length of [`ObjectChoice.to_values`]."""


@dataclass(frozen=True)
class ObjectChoice:
    """
    Selects among the objects of the complete image, according to a sentence.

    Args:
        region (`Region`, *optional*): Where their centre is: left, top, right and bottom edge as shares of the image's
            width and height, 0 to 1.
        order (`Order`, *optional*): How they are ranked: by `"x"`, `"y"` or `"size"`, and whether the largest value
            comes first.
        rank (`int`): With `order`, the first selected object, from 1.
        count (`int`, *optional*): Number of selected objects; with `order` 1 by default, else all.
        excluded ([`ObjectChoice`], *optional*): Which of the objects in the region are left out.
        color (`str`, *optional*): Their colour, one of `COLORS`.
        date (`int`, *optional*): The image that shows their colour, 0 (t1) or 1 (t2); `None` if unknown.
    """

    region: Region | None = None
    order: Order | None = None
    rank: int = 1
    count: int | None = None
    excluded: "ObjectChoice | None" = None
    color: str | None = None
    date: int | None = None

    @property
    def is_count(self) -> bool:
        """Whether it is only a number ("the two houses"), which helps the model to find them."""
        return self.count is not None and self == ObjectChoice(count=self.count)

    def to_values(self) -> list[float]:
        """The same as `NUM_CHOICE_VALUES` numbers, so that a batch can contain choices as a tensor."""
        color = 0.0 if self.color is None else 1.0 + COLORS.index(self.color)
        date = 0.0 if self.date is None else 1.0 + self.date
        excluded = (self.excluded or ObjectChoice())._part_values()
        return [1.0, *self._part_values(), float(self.excluded is not None), *excluded, color, date]

    @classmethod
    def from_values(cls, values: Sequence[float]) -> "ObjectChoice | None":
        """The inverse of [`~ObjectChoice.to_values`]; `None` for zeros."""
        if not values[0]:
            return None
        own, (is_excluding, *excluded) = values[1 : 1 + _NUM_PART_VALUES], values[1 + _NUM_PART_VALUES : -2]
        color, date = (int(value) for value in values[-2:])
        return replace(
            cls._of_part_values(own),
            excluded=cls._of_part_values(excluded) if is_excluding else None,
            color=COLORS[color - 1] if color else None,
            date=date - 1 if date else None,
        )

    def _part_values(self) -> list[float]:
        """Region, order, rank and count as `_NUM_PART_VALUES` numbers."""
        region = self.region or (0.0, 0.0, 1.0, 1.0)
        order = 0 if self.order is None else 1 + _ORDERS.index(self.order[0])
        descending = self.order is not None and self.order[1]
        return [*region, float(order), float(descending), float(self.rank), float(self.count or 0)]

    @classmethod
    def _of_part_values(cls, values: Sequence[float]) -> "ObjectChoice":
        """The inverse of `_part_values`."""
        left, top, right, bottom, number, descending, rank, count = values
        region = None if (left, top, right, bottom) == (0, 0, 1, 1) else (left, top, right, bottom)
        order: Order | None = (_ORDERS[int(number) - 1], bool(descending)) if number else None
        return cls(region, order, int(rank), int(count) or None)


@lru_cache(maxsize=4096)
def split_sentence(text: str) -> tuple[str, ObjectChoice | None]:
    """
    Splits a sentence into the question for the model and the choice among the objects that it finds.

    Args:
        text (`str`): The sentence.

    Returns:
        `str`: The sentence without colours, places, ranks and exceptions; `text` in correct spelling if there are
            none.
        [`ObjectChoice`], *optional*: The choice; `None` if there is none, or if the sentence cannot be split, such
        as "to the left of the pond".
    """
    text = in_correct_spelling(text)
    uncolored, color = take_color(" ".join(text.split()))
    if color is None:
        return split_place_and_rank(text)
    asked, choice = split_place_and_rank(uncolored)
    if choice is None:
        return split_color(text)
    # A number alone is no choice here either: "two red cars" are those that are red.
    # Only now, without places, "left" is surely a verb.
    return asked, replace(ObjectChoice() if choice.is_count else choice, color=color, date=date_of(asked))


def split_color(text: str) -> tuple[str, ObjectChoice | None]:
    """
    Splits a sentence like [`split_sentence`], but only removes the colour from it.

    Args:
        text (`str`): The sentence.

    Returns:
        The same as [`split_sentence`].
    """
    text = in_correct_spelling(text)
    asked, color = take_color(" ".join(text.split()))
    if color is None:
        return text, None
    return _or_everything(_of_every_thing(asked)), ObjectChoice(color=color, date=date_of(asked))


def split_place_and_rank(text: str) -> tuple[str, ObjectChoice | None]:
    """
    Splits a sentence like [`split_sentence`], but keeps its colours.

    Args:
        text (`str`): The sentence.

    Returns:
        The same as [`split_sentence`].
    """
    text = in_correct_spelling(text)
    if not may_choose(text):
        return text, None
    lowered = in_one_spelling(text)
    excluded = None
    exception = _EXCEPTION.match(lowered)
    if not exception and _is_plural(lowered[end_of_opening(lowered) :]):
        exception = _EXCEPTION_OF_PLURAL.match(lowered)
    if exception:
        kept, what = exception["all"], exception["what"]
        clause = _CLAUSE.match(what)
        if clause and date_of(kept) is None and date_of(clause["clause"]) is not None:
            kept, what = f"{kept} {clause['clause']}", clause["what"]
        excluded = _exception(what, kept)
        if excluded is None and re.search(r"\ball$", kept):
            rest, excluded = _all_but(what)
            kept = f"{kept.removesuffix('all')}{rest}"
        if excluded is None and _without_choice(exception["what"], ObjectChoice())[1] != ObjectChoice():
            return text, None  # "All but the leftmost one of the old houses".
        lowered = kept if excluded else lowered
    asked, choice = _without_choice(lowered, ObjectChoice(excluded=excluded))
    if choice == ObjectChoice() or is_undivided(asked):
        return text, None
    return _or_everything(names_apart(asked)), choice


def _or_everything(asked: str) -> str:
    """The question, with a noun."""
    start = end_of_opening(asked)
    if _NO_KIND.match(asked, start):
        return "everything that changed"
    return asked[:start] + re.sub(
        r"^(?:the|every)(?: one)? (?=(?:that|which|was|is|has|had)\b)", "everything ", asked[start:]
    )


def answered_by(text: str | None, choose_objects: bool) -> str:
    """
    How the mask of a sentence about one image is found.

    Args:
        text (`str`, *optional*): The sentence; `None` for every change.
        choose_objects (`bool`): The processor's option.

    Returns:
        `str`: `"objects"` if some of its words select among the objects found for the rest, else `"image"`.
    """
    choice = split_sentence(text)[1] if text is not None and choose_objects else None
    return "image" if choice is None or choice.is_count else "objects"


def choose(
    things: Sequence[Thing],
    choice: ObjectChoice,
    size: tuple[int, int],
    describe: Callable[[Thing], tuple[tuple[float, float], float]],
    is_exact: bool = False,
) -> list[Thing]:
    """
    The objects of an image that a choice selects.

    Args:
        things (`Sequence`): All objects that match the rest of the sentence.
        choice ([`ObjectChoice`]): The choice.
        size (`tuple[int, int]`): Width and height of the image.
        describe (`Callable`): Returns the centre of an object (x, y, in pixels) and its size (in any unit). If only a
            number is given, the largest objects are selected.
        is_exact (`bool`, *optional*, defaults to `False`): Whether "the third" of two objects selects none. By default
            it selects the last one, because the model has probably missed one.

    Returns:
        `list`: The selected objects, in the order of the ranking if there is one.
    """
    described = [(thing, *describe(thing)) for thing in things]
    if choice.region is not None:
        described = _in_place(described, choice, size)
    if choice.excluded is not None:
        dropped = choose([row[0] for row in described], choice.excluded, size, describe, is_exact=True)
        # By identity, since objects may not be hashable: a large scene may have tens of thousands of them.
        dropped_ids = {id(thing) for thing in dropped}
        described = [row for row in described if id(row[0]) not in dropped_ids]
    keys: dict[str, Callable[[_Row[Thing]], float]] = {
        "x": lambda row: row[1][0],
        "y": lambda row: row[1][1],
        "size": lambda row: row[2],
    }
    if choice.order is not None:
        key, descending = choice.order
        described = sorted(described, key=keys[key], reverse=descending)
        is_one_missing = choice.rank == len(described) + 1 and not is_exact
        first = choice.rank - 1 - is_one_missing
        described = described[first : first + (choice.count or 1)]
    elif choice.count is not None:
        described = sorted(described, key=keys["size"], reverse=True)[: choice.count]
    return [row[0] for row in described]


def keep_chosen(mask: np.ndarray, choice: ObjectChoice) -> np.ndarray:
    """
    Keeps only the selected connected components of a mask.

    Args:
        mask (`np.ndarray` of shape `(height, width)`): Booleans.
        choice ([`ObjectChoice`]): The choice. Very small components are not ranked.

    Returns:
        `np.ndarray` of shape `(height, width)`: Booleans.
    """
    kept = np.zeros_like(mask)
    if not mask.any():
        return kept
    # Most masks cover a small part of the image; the rest has no components.
    part = tuple(slice(used[0], used[-1] + 1) for used in (np.flatnonzero(mask.any(axis)) for axis in (1, 0)))
    labels, count = label_components(mask[part])
    numbers = np.arange(1, count + 1)
    positions = labels.nonzero()
    owners = labels[positions]
    areas = np.bincount(owners, minlength=count + 1)[1:]
    middles = np.stack(
        [
            np.bincount(owners, within + side.start, minlength=count + 1)[1:] / areas
            for within, side in zip(positions, part)
        ],
        axis=-1,
    )
    numbers = numbers[is_considered(areas, choice, mask.size)]

    def describe(number: int) -> tuple[tuple[float, float], float]:
        row, column = middles[number - 1]
        return (column + 0.5, row + 0.5), float(areas[number - 1])

    height, width = mask.shape
    is_chosen = np.zeros(count + 1, dtype=bool)
    is_chosen[choose(numbers.tolist(), choice, (width, height), describe)] = True
    kept[part] = is_chosen[labels]
    return kept


def is_considered(areas: Sequence[float] | np.ndarray, choice: ObjectChoice, num_pixels: int) -> np.ndarray:
    """
    Which objects a choice considers: very small ones are neither ranked nor counted, unless all are small.

    Args:
        areas (`Sequence[float]`): Pixels of each object.
        choice ([`ObjectChoice`]): The choice.
        num_pixels (`int`): Pixels of the image, or of the part of it that the model sees at once.

    Returns:
        `np.ndarray` of shape `(num_objects,)`: Booleans.
    """
    is_large = np.asarray(areas) >= _SMALLEST_OBJECT * num_pixels
    is_by_size = choice.order is not None or choice.count is not None or choice.excluded is not None
    return is_large if is_by_size and is_large.any() else np.ones_like(is_large)


def _in_place(described: list[_Row[Thing]], choice: ObjectChoice, size: tuple[int, int]) -> list[_Row[Thing]]:
    """
    The rows in the region of a choice; if these are fewer than it needs, also the nearest
    ones.
    """
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


def is_undivided(text: str) -> bool:
    """Whether words of a text in lower case, of which the choice is removed, still refer to the complete image."""
    return _UNDIVIDED.search(_LEFT_AS_VERB.sub(" ", _TIMES.sub(" ", text))) is not None


def _without_choice(text: str, choice: ObjectChoice) -> tuple[str, ObjectChoice]:
    """Removes ranks, counts and places from a sentence."""
    is_one = not (_SEVERAL.search(text) or _is_plural(text[end_of_opening(text) :]))
    asked, rank = take_far_side(text) if is_one else (text, None)
    if rank is None:
        asked, rank = _take_rank(asked)
    asked, region = take_place(asked)
    if rank is None and region is not None:
        # "At the top next to the pond, the largest house": without its place, the rank can be recognised.
        asked, rank = _take_rank(asked)
    elif rank is None and is_one:
        asked, rank = take_side(asked)
    if region is not None:
        choice = replace(choice, region=region)
    if rank is not None:
        choice = replace(choice, order=rank.order, rank=rank.rank, count=rank.number)
    return (asked if choice == ObjectChoice() else _of_every_thing(asked)), choice


def _take_rank(text: str) -> tuple[str, Rank | None]:
    """Removes a rank or a number of things from a sentence, not "two" from "the two car garage"."""
    asked, rank = take_rank(text)
    is_of_a_noun = rank is not None and rank.order is None and not _is_counted(asked)
    return (text, None) if is_of_a_noun else (asked, rank)


def _of_every_thing(text: str) -> str:
    """The sentence for all objects of the kind; there may be several, and the complete sentence selects one."""
    start = end_of_opening(text)
    match = _ARTICLE.match(text, start)
    if match is None or _is_plural(text[match.end() :]):
        return text
    return f"{text[:start]}every {text[match.end() :]}"


def _exception(what: str, kept: str) -> ObjectChoice | None:
    """What "all but ..." excludes: a rank or a place among the objects; `None` if it is something else."""
    what = _BIG.sub(lambda found: f"the {'largest' if found[1] else 'smallest'} ", what)
    rest, choice = _without_choice(what, ObjectChoice())
    if choice == ObjectChoice():
        rest, choice = _without_choice(f"{what} one", ObjectChoice())  # "The largest" alone.
    left_out = re.fullmatch(r"(?:the|that|those|every)(?: (?P<kind>\w+?)s?)?", rest)
    if choice == ObjectChoice() or not left_out:
        return None
    return choice if left_out["kind"] in (None, "one") or left_out["kind"] in kept else None


def _all_but(what: str) -> tuple[str, ObjectChoice | None]:
    """For "all but the leftmost new house", whose noun comes last: "every new house", and what is excluded of them."""
    rest, choice = _without_choice(what, ObjectChoice())
    if choice == ObjectChoice() or _NO_KIND.match(rest):
        return what, None
    return rest, choice


def _is_counted(text: str) -> bool:
    """Whether a number may precede the first noun of a text: not "the two car garage"."""
    text = text[end_of_opening(text) :]
    head = _HEAD_ENDS.split(text, maxsplit=1)[0].removeprefix("the ").strip()
    return head in ("", "the") or _is_plural(text)


def _is_plural(text: str) -> bool:
    """Whether the first noun of a text is plural."""
    text = re.sub(r"^(?:\w+ly )?\w+ed (?=\w)", "", text)  # "The newly added lines".
    words = _HEAD_ENDS.split(text, maxsplit=1)[0].split()
    singular = ("bus", "gas", "canvas", "tennis")
    return any(word in _PLURALS or (re.search("[^s]s$", word) and word not in singular) for word in words)
