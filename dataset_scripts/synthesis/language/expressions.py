# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Writes sentences about the changes in a scene. Each sentence refers to exactly the pixels of its mask.

A description is a conjunction of predicates. For each thing, a predicate is true, false or doubtful. Doubtful are, for
example, a place close to a border between regions, a colour that haze may turn into another one, and a thing of a few
pixels. A description that is doubtful for any thing is discarded. `docs/synthetic_language.md` defines the words.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from dataset_scripts.synthesis.render.palette import COLORS
from dataset_scripts.synthesis.scene import ChangeType, State, SyntheticExpression

from .articles import article
from .lexicon import (
    CELLS,
    CONFUSABLE,
    DIRECTIONS,
    GROUPS,
    HALVES,
    NEAR,
    NOUNS,
    NUMBERS,
    Forms,
    Meaning,
    conditions_of,
    general_meanings,
    meanings_of,
)
from .observation import Observation, Sighting


Choice = TypeVar("Choice")

FAILS, DOUBTFUL, HOLDS = 0, 1, 2

NO_TARGET_SHARE = 0.06  # Share of attempts; with pairs without change, about 8 % of the sentences
_SMALLEST = 36 / 256**2  # Smallest share of the image that a described thing covers
_LANDMARK = 2.0  # Landmarks must be larger than that by this factor.
_WIDE = 0.12  # Things that cover a larger share are too large for a position phrase.
_BORDER = 0.04  # Places this close to a border between regions (share of the side) are doubtful.
_AHEAD = 0.045  # A superlative of place needs this margin (share of the side),
_LARGER = 1.35  # and one of size needs this ratio.
_NEAR, _FAR = 1e-6, 0.085  # Bounds for `Observation.distance`, which underestimates by at most 0.044
_PLACELESS = frozenset(("road",))  # Too long for a position phrase
_COLORLESS = frozenset(("greenhouse",))
LASTING = frozenset(("field", "door", "building"))  # Kinds that never appear or disappear
_LANDMARKS = 8
_REPEATED_SHARE = 0.25
_TRIES = 40
EVERYTHING_VERBS: dict[ChangeType, str] = {
    "appear": "appeared",
    "disappear": "disappeared",
    "state_change": "changed its state",
}


@dataclass(frozen=True)
class WrittenExpression:
    """
    A sentence and the things that it refers to.

    Args:
        text (`str`): The sentence.
        things (`tuple[int, ...]`): Numbers of the things; empty for a no-target sentence.
        change_type (`ChangeType`): The type of change that the sentence describes.
    """

    text: str
    things: tuple[int, ...]
    change_type: ChangeType


def with_masks(written: Sequence[WrittenExpression], observation: Observation) -> tuple[SyntheticExpression, ...]:
    """The sentences about a pair with their masks, each text once."""
    return tuple(
        SyntheticExpression(one.text, observation.mask(*one.things), one.change_type)
        for one in {sentence.text: sentence for sentence in written}.values()
    )


@dataclass(frozen=True)
class _Part:
    """A predicate: its words, their slot in the sentence, and whether it is true for each thing."""

    text: str
    holds: dict[int, int]


@dataclass(frozen=True)
class Description:
    """A noun, a change and further predicates: their words, and for each thing whether all of them are true."""

    noun: Forms
    kinds: frozenset[str]
    meaning: Meaning
    holds: dict[int, int]
    adjective: str = ""
    color_phrase: str = ""
    relation: str = ""
    position: str = ""
    superlative: str = ""
    ordinal: str = ""

    def fitting(self) -> list[int] | None:
        """Numbers of the things that match, `None` if the description is doubtful for any thing."""
        if DOUBTFUL in self.holds.values():
            return None
        return [number for number, holds in self.holds.items() if holds == HOLDS]

    def narrowed(self, holds: dict[int, int], **words: Any) -> "Description":
        """Returns a copy with one more predicate."""
        return replace(
            self, holds={number: min(value, holds[number]) for number, value in self.holds.items()}, **words
        )


@dataclass
class ExpressionWriter:
    """
    Writes sentences about one pair.

    Args:
        observation (`Observation`): The visible things of the pair.
        random (`np.random.Generator`): Random generator.
        nouns (`Mapping[str, Sequence[Forms]]`, *optional*): Kind -> its nouns.
        groups (`Mapping[str, Sequence[tuple[Forms, frozenset[str]]]]`, *optional*): Domain -> nouns that cover several
            kinds, such as "vehicle".
        lasting (`frozenset[str]`, *optional*): Kinds that never appear or disappear.
        knows_every_change (`bool`, *optional*, defaults to `True`): Whether the scene holds every change of the
            images. Otherwise, no sentence is about everything that changed.
    """

    observation: Observation
    random: np.random.Generator
    nouns: Mapping[str, Sequence[Forms]] = field(default_factory=lambda: NOUNS)
    groups: Mapping[str, Sequence[tuple[Forms, frozenset[str]]]] = field(default_factory=lambda: GROUPS)
    lasting: frozenset[str] = LASTING
    knows_every_change: bool = True
    sightings: list[Sighting] = field(init=False)

    def __post_init__(self) -> None:
        scene = self.observation.scene
        self.domain = scene.domain
        self.smallest = _SMALLEST * self.observation.numbers_t1.size
        self.sightings = [one for one in self.observation.sightings if one.area_t1 + one.area_t2 > 0]
        self.nameable = [one for one in self.sightings if one.kind not in scene.unnamed_kinds]
        self.changed = [one for one in self.nameable if one.change is not None]

    def write(self, count: int, no_target_share: float = NO_TARGET_SHARE) -> list[WrittenExpression]:
        """
        Writes different sentences about the pair.

        Args:
            count (`int`): Number of sentences. Fewer are returned if there are not enough unambiguous descriptions.
            no_target_share (`float`, *optional*): Share of attempts to write a no-target sentence, 0 to 1.

        Returns:
            `list[WrittenExpression]`: Sentences in random order. If there is nothing to describe, one no-target
            sentence.
        """
        written: dict[str, WrittenExpression] = {}
        for _ in range(_TRIES):
            if len(written) >= count:
                break
            absent = not self.changed or self.random.random() < no_target_share
            expression = self._write_absent() if absent else self._write_present()
            if expression is None:
                continue
            # Further sentences about the same things are kept less often than sentences about other things.
            is_new = not expression.things or all(expression.things != other.things for other in written.values())
            if is_new or self.random.random() < _REPEATED_SHARE:
                written.setdefault(expression.text, expression)
        return list(written.values())

    def _write_present(self) -> WrittenExpression | None:
        if self.random.random() < 0.05:
            return self._write_everything()
        target = self._one_of(self.changed)
        if self.random.random() < 0.35:
            description = self._describe_group(target)
        else:
            description = self._describe_one(target)
        if description is None:
            return None
        fitting = description.fitting()
        if not fitting:
            return None
        return WrittenExpression(self._say(description, len(fitting)), tuple(fitting), description.meaning.change)

    def _describe_one(self, target: Sighting) -> Description | None:
        """Describes the target alone, with as many predicates as that takes and sometimes one more."""
        description = self._begin(target)
        if description is None:
            return None
        narrowers: list[Callable[[Description, Sighting], Description]] = [
            self._narrow_by_color,
            self._narrow_by_position,
            self._narrow_by_relation,
            self._narrow_by_superlative,
        ]
        for index in self.random.permutation(len(narrowers)):
            alone = description.fitting() == [target.number]
            if alone and self.random.random() > 0.25:
                break
            if alone and narrowers[index] == self._narrow_by_superlative:
                continue
            description = narrowers[index](description, target)
            if description.superlative or description.ordinal:
                break
        return description if description.fitting() == [target.number] else None

    def _describe_group(self, target: Sighting) -> Description | None:
        """Describes the target together with all things that share the chosen predicates."""
        description = self._begin(target)
        if description is None:
            return None
        for narrow in (self._narrow_by_color, self._narrow_by_position, self._narrow_by_relation):
            if self.random.random() < 0.25:
                description = narrow(description, target)
        return description

    def _begin(self, target: Sighting) -> Description | None:
        """Chooses a noun and a change clause that are true of the target."""
        noun, kinds = self._noun_of(target)
        meanings = meanings_of(target, kinds, self.domain)
        if not meanings:
            return None
        weights = np.arange(1, len(meanings) + 1, dtype=np.float64)
        meaning = meanings[int(self.random.choice(len(meanings), p=weights / weights.sum()))]
        return self._start(noun, kinds, meaning)

    def _start(self, noun: Forms, kinds: frozenset[str], meaning: Meaning) -> Description:
        holds = {one.number: self._is_meant(one, meaning) if one.kind in kinds else FAILS for one in self.sightings}
        return Description(noun, kinds, meaning, holds)

    def _noun_of(self, target: Sighting) -> tuple[Forms, frozenset[str]]:
        groups = [
            (noun, kinds)
            for noun, kinds in self.groups[self.domain]
            if target.kind in kinds and not kinds & self.observation.scene.unnamed_kinds
        ]
        if groups and target.change != "state_change" and self.random.random() < 0.25:
            return groups[0]
        nouns = self.nouns[target.kind]
        return nouns[int(self.random.integers(len(nouns)))], frozenset((target.kind,))

    def _is_meant(self, one: Sighting, meaning: Meaning) -> int:
        """Whether a change clause is true, false or doubtful for a thing."""
        if meaning.holds(one):
            return HOLDS if one.area >= self.smallest else DOUBTFUL
        if meaning.generic and one.change is not None:
            return DOUBTFUL
        if one.change is None and meaning.change != "state_change":
            # A thing that is hidden at one time looks as if it had appeared or disappeared.
            hidden, seen = sorted((one.area_t1, one.area_t2))
            return DOUBTFUL if hidden < self.smallest <= seen else FAILS
        return FAILS

    # Predicates ------------------------------------------------------------------------------------------------------

    def _narrow_by_color(self, description: Description, target: Sighting) -> Description:
        color = _color_of(target)
        if color is None or description.adjective or description.color_phrase or len(description.kinds) > 1:
            return description
        return self._colored(description, color)

    def _colored(self, description: Description, color: str) -> Description:
        kind = next(iter(description.kinds))
        if kind in _COLORLESS:
            return description
        adjective, phrase = self._color_words(kind, color)
        holds = {one.number: _has_color(one, color) for one in self.sightings}
        return description.narrowed(holds, adjective=adjective, color_phrase=phrase)

    def _color_words(self, kind: str, color: str) -> tuple[str, str]:
        """Returns the adjective before the noun and the phrase after it. One of them is empty."""
        if kind == "house" and self.domain == "RS":
            return self._one_of(((f"{color}-roofed", ""), ("", f"with {article(color)} {color} roof")))
        if kind == "person":
            return "", self._one_of(("in", "wearing", "dressed in")) + " " + color
        return color, ""

    def _narrow_by_position(self, description: Description, target: Sighting) -> Description:
        is_wide = target.area > _WIDE * self.observation.numbers_t1.size
        if description.kinds & _PLACELESS or description.position or is_wide:
            return description
        fitting = [part for part in self._positions() if part.holds[target.number] == HOLDS]
        if not fitting:
            return description
        part = self._one_of(fitting)
        return description.narrowed(part.holds, position=part.text)

    def _positions(self) -> list[_Part]:
        """Returns a predicate for every position phrase."""
        parts = []
        for phrase, (column, row) in CELLS.items():
            holds = {
                one.number: min(_in_range(one.center[0], column / 3, 3), _in_range(one.center[1], row / 3, 3))
                for one in self.sightings
            }
            parts.append(_Part(phrase + self._of_what(phrase), holds))
        for phrase, (axis, beyond) in HALVES.items():
            holds = {one.number: _in_range(one.center[axis], 0.5 if beyond else 0.0, 2) for one in self.sightings}
            parts.append(_Part(phrase + self._one_of((" of the image", " of the scene", "")), holds))
        return parts

    def _of_what(self, phrase: str) -> str:
        return "" if "mid-height" in phrase else self._one_of(("", "", " of the image", " of the scene"))

    def _narrow_by_superlative(self, description: Description, target: Sighting) -> Description:
        fitting = description.fitting()
        if fitting is None or len(fitting) < 2 or description.kinds & _PLACELESS:
            return description
        candidates = [one for one in self.sightings if one.number in fitting]
        found: list[tuple[str, str]] = []
        for axis, words in (
            (0, ("leftmost", "rightmost", "left", "right")),
            (1, ("topmost", "bottommost", "top", "bottom")),
        ):
            for sign, superlative, side in ((1, words[0], words[2]), (-1, words[1], words[3])):
                order = sorted(candidates, key=lambda one, axis=axis, sign=sign: sign * one.center[axis])  # type: ignore[misc]
                gaps = [abs(b.center[axis] - a.center[axis]) for a, b in pairwise(order)]
                if order[0] is target and gaps[0] > _AHEAD:
                    found.append((superlative, ""))
                for place, ordinal in ((1, "second"), (2, "third")):
                    if len(order) > place and order[place] is target and min(gaps[: place + 1]) > _AHEAD:
                        found.append(("", f"{ordinal}|{side}"))
        sizes = sorted(candidates, key=lambda one: one.area)
        if sizes[-1] is target and sizes[-1].area > _LARGER * sizes[-2].area:
            found.append(("largest", ""))
        if sizes[0] is target and sizes[1].area > _LARGER * sizes[0].area:
            found.append(("smallest", ""))
        if not found:
            return description
        superlative, ordinal = self._one_of(found)
        holds = {one.number: HOLDS if one is target else FAILS for one in self.sightings}
        return description.narrowed(holds, superlative=superlative, ordinal=ordinal)

    def _narrow_by_relation(self, description: Description, target: Sighting) -> Description:
        if description.relation:
            return description
        time = 1 if description.meaning.change == "disappear" else 2
        seen = [one for one in self.sightings if self._is_landmark(one, description.meaning.change)]
        nameable = [
            one for one in seen if one.number != target.number and one.kind not in self.observation.scene.unnamed_kinds
        ]
        if not nameable:
            return description
        # Distances are slow to measure, so only a few landmarks are considered.
        nameable = [nameable[index] for index in self.random.permutation(len(nameable))[:_LANDMARKS]]
        gaps = {
            one.number: self.observation.distance(target.number, one.number, time, within=_FAR) for one in nameable
        }
        close = [one for one in nameable if gaps[one.number] <= _NEAR]
        landmark = self._one_of(close or nameable)
        named = self._name_landmark(landmark, seen, description.meaning.change, time)
        if named is None:
            return description
        text, alike = named
        # Avoids "the car near a car that left": it is ambiguous which car left.
        if any(description.meaning.holds(one) for one in alike):
            return description
        if close:
            relation = f"{self._one_of(NEAR)} {text}"
            holds = {one.number: self._is_near(one, alike, time) for one in self._relevant(description)}
        else:
            if len(alike) > 1 or landmark.kind in _PLACELESS or target.kind in _PLACELESS:
                return description
            middle = self.observation.center_at(landmark.number, time)
            fitting = [word for word in DIRECTIONS if _lies(target.center, middle, word) == HOLDS]
            if not fitting:
                return description
            word = self._one_of(fitting)
            relation = f"{word} {text}"
            holds = {one.number: _lies(one.center, middle, word) for one in self._relevant(description)}
            holds[landmark.number] = FAILS
        return description.narrowed(
            {one.number: holds.get(one.number, FAILS) for one in self.sightings}, relation=relation
        )

    def _relevant(self, description: Description) -> list[Sighting]:
        return [one for one in self.sightings if description.holds[one.number] != FAILS]

    def _is_landmark(self, one: Sighting, change: ChangeType) -> bool:
        """Whether a thing is visible at the time of reference, and so can be a landmark."""
        if change == "state_change":
            return one.area_t1 > 0 and one.area_t2 > 0
        return (one.area_t1 if change == "disappear" else one.area_t2) > 0

    def _name_landmark(
        self, landmark: Sighting, seen: Sequence[Sighting], change: ChangeType, time: int
    ) -> tuple[str, list[Sighting]] | None:
        """Returns a noun phrase for the landmark and all things it matches; `None` if a match is doubtful."""
        noun = self.nouns[landmark.kind][0]
        alike = [one for one in seen if one.kind == landmark.kind]
        color, adjective, phrase = _color_at(landmark, time), "", ""
        if color is not None and landmark.kind not in _COLORLESS and (len(alike) > 1 or self.random.random() < 0.5):
            if change == "state_change" and landmark.change == "state_change":
                return None
            adjective, phrase = self._color_words(landmark.kind, color)
            others = [_color_at(one, time) for one in alike]
            if any(frozenset((color, str(other))) in CONFUSABLE for other in others):
                return None
            alike = [one for one, other in zip(alike, others, strict=True) if other == color]
        if any(self._area_at(one, time) < _LANDMARK * self.smallest for one in alike):
            return None
        words = " ".join(word for word in (adjective, noun[0], phrase) if word)
        if len(alike) == 1:
            return "the " + words, alike
        return f"{article(words)} {words}", alike

    def _area_at(self, one: Sighting, time: int) -> int:
        return one.area_t1 if time == 1 else one.area_t2

    def _is_near(self, one: Sighting, landmarks: Sequence[Sighting], time: int) -> int:
        """Whether a thing is near one of the landmarks other than itself."""
        distance = min(
            (
                self.observation.distance(one.number, other.number, time, within=_FAR)
                for other in landmarks
                if other is not one
            ),
            default=float("inf"),
        )
        return HOLDS if distance <= _NEAR else FAILS if distance >= _FAR else DOUBTFUL

    # Other kinds of sentences ----------------------------------------------------------------------------------------

    def _write_everything(self) -> WrittenExpression | None:
        """Writes a sentence about all changes, or all changes of one type."""
        every = [one for one in self.sightings if one.change is not None]
        if not self.knows_every_change or any(one.area < self.smallest for one in every):
            return None
        change = self._one_of(every).change
        assert change is not None
        same = tuple(one.number for one in every if one.change == change)
        if len({one.change for one in every}) == 1 and self.random.random() < 0.5:
            return WrittenExpression(self._one_of(("every change", "all the changes")), same, change)
        if self.is_doubtful(change):
            return None
        return WrittenExpression(f"everything that {EVERYTHING_VERBS[change]}", same, change)

    def is_doubtful(self, change: ChangeType) -> bool:
        """Whether it is doubtful for some thing that it belongs to all changes of this type."""
        return change != "state_change" and any(
            self._is_meant(one, general_meanings(change, frozenset((one.kind,)))[0]) == DOUBTFUL
            for one in self.sightings
        )

    def _write_absent(self) -> WrittenExpression | None:
        """Writes a no-target sentence: plausible in this scene, but true of no thing."""
        if not self.nameable:
            is_known = self.knows_every_change and not self.changed
            return WrittenExpression("everything that appeared", (), "appear") if is_known else None
        model = self._one_of(self.nameable)
        noun, kinds = self._noun_of(model)
        if any(one.change == "state_change" and one.kind in kinds for one in self.sightings):
            return None  # "the road that was built" is not clearly false if a road was paved.
        changes: list[ChangeType] = [] if model.kind in self.lasting else ["appear", "disappear"]
        meanings = [meaning for change in changes for meaning in general_meanings(change, kinds)]
        meanings += conditions_of(model.kind) if len(kinds) == 1 else ()
        if not meanings:
            return None
        description = self._start(noun, kinds, self._one_of(meanings))
        color = _color_of(model)
        if color is not None and len(kinds) == 1 and self.random.random() < 0.6:
            wrong = [name for name in COLORS if frozenset((name, color)) not in CONFUSABLE]
            description = self._colored(description, color if self.random.random() < 0.5 else self._one_of(wrong))
        if self.random.random() < 0.4 and not kinds & _PLACELESS:
            part = self._one_of(self._positions())
            description = description.narrowed(part.holds, position=part.text)
        if description.fitting() != []:
            return None
        return WrittenExpression(self._say(description, 1), (), description.meaning.change)

    # Words -----------------------------------------------------------------------------------------------------------

    def _say(self, description: Description, count: int) -> str:
        """Puts a description of `count` things into words."""
        plain = not description.superlative and not description.ordinal
        if plain and description.meaning.verbs and self.random.random() < 0.2:
            return self._say_statement(description, count)
        quantifier, plural = "the", count > 1
        if count > 1 and plain:
            choices = ["the", "all the", "all of the", "every", "each"] + (
                ["the " + NUMBERS[count]] * 2 if count in NUMBERS else []
            )
            quantifier = self._one_of(choices)
            plural = quantifier not in ("every", "each")
        elif count == 1 and plain and self.random.random() < 0.06:
            quantifier = "every"
        clause = self._one_of(description.meaning.clauses)[plural]
        short = clause.endswith("newly built") and not description.ordinal and self.random.random() < 0.5
        built = "newly built " if short else ""
        noun = f"{description.adjective} {description.noun[plural]} {description.color_phrase}".strip()
        if description.ordinal:
            ordinal, side = description.ordinal.split("|")
            noun = f"{ordinal} {noun} from the {side}"
        words = (
            quantifier,
            description.superlative,
            built + noun,
            description.relation,
            description.position,
            "" if built else clause,
        )
        return " ".join(word for word in words if word)

    def _say_statement(self, description: Description, count: int) -> str:
        noun, verb = description.noun[count > 1], self._one_of(description.meaning.verbs)[count > 1]
        named = f"{description.adjective} {noun} {description.color_phrase}".strip()
        if count == 1:
            subject = self._one_of((article(named), "one"))
        else:
            subject = self._one_of(("several", "some", *((NUMBERS[count],) * 2 if count in NUMBERS else ())))
        words = (subject, named, verb, description.relation, description.position)
        return " ".join(word for word in words if word)

    def _one_of(self, choices: Sequence[Choice]) -> Choice:
        return choices[int(self.random.integers(len(choices)))]


def _color_of(one: Sighting) -> str | None:
    """Colour at the time of reference; `None` if there is none or a state change changed it."""
    before, after = one.before or State(), one.after or State()
    if one.change == "appear":
        return after.color
    if one.change == "disappear":
        return before.color
    return before.color if before.color == after.color else None


def _color_at(one: Sighting, time: int) -> str | None:
    state = one.before if time == 1 else one.after
    return state.color if state is not None else None


def _has_color(one: Sighting, color: str) -> int:
    own = _color_of(one)
    if own == color:
        return HOLDS
    if own is None:
        states = (one.before, one.after)
        return DOUBTFUL if any(state is not None and state.color == color for state in states) else FAILS
    return DOUBTFUL if frozenset((own, color)) in CONFUSABLE else FAILS


def _in_range(value: float, low: float, parts: int) -> int:
    """Whether a coordinate (share of the side) lies between `low` and `low + 1 / parts`: true, false or doubtful."""
    high = low + 1 / parts
    # The edge of the image is not a border between regions.
    inner_low, inner_high = low + _BORDER * (low > 0), high - _BORDER * (high < 0.999)
    if inner_low <= value <= inner_high:
        return HOLDS
    return FAILS if value < low - _BORDER or value > high + _BORDER else DOUBTFUL


def _lies(place: tuple[float, float], landmark: tuple[float, float], word: str) -> int:
    """Whether a place lies in the direction `word` from the landmark: true, false or doubtful."""
    axis, sign = DIRECTIONS[word]
    along = sign * (place[axis] - landmark[axis])
    across = abs(place[1 - axis] - landmark[1 - axis])
    if along > 0.08 and along > 1.5 * across:
        return HOLDS
    return FAILS if along < 0.02 or along < 0.65 * across else DOUBTFUL
