# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""From the parts of a sentence to a sentence in other words."""

import re
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import numpy as np

from .changes import EARLIER, LATER, PLURALS, words_of
from .nouns import Split, Words, forms_of
from .parsing import Parts, Thing, is_prepositional, takes_suffix
from .places import (
    COLOR_AFTER,
    COLOR_BEFORE,
    DEFINITE,
    INDEFINITE,
    OF_THE_IMAGE,
    ORDINALS,
    PLACES,
    RELATIONS,
    SIDES,
    SUPERLATIVES,
)
from .templates import (
    ABOUT_NOUN_PHRASES,
    ABOUT_STATEMENTS,
    EVERYTHING,
    FRAGMENTS,
    NOUN_PHRASES,
    OWN_NOUN_PHRASE,
    OWN_STATEMENT,
    QUESTIONS,
    RESULTS,
    STATEMENTS,
)


# How the past of a passive verb and of an active one is told.
PASSIVES: Words = {
    "train": ("was", "was", "has been", "got", "has now been", "has just been"),
    "reworded": ("was", "has been", "has recently been", "was recently"),
}
ACTIVES: Words = {"train": ("", "", "has", "has just", "has now"), "reworded": ("", "has", "has recently")}
_SPECIAL = 0.65  # How often a verb for this kind of thing is taken rather than one for all.
_SUFFIX = 0.15
_BARE = 0.3
_SLOT = re.compile(r"\{(\w+)\}")
_GAP = re.compile(r" +([,?:;)])")
_ARTICLE = re.compile(r"\b(a|an) (?=(\w+))", re.IGNORECASE)
# Vowels and consonants that are written as the other.
_AN = ("hgv", "suv", "hour")
_A = ("one", "uni", "use", "uti", "eur")
_FORMS = ("noun phrase", "about noun phrase", "statement", "about statement", "question", "fragment", "result")
_FORM_BOUNDS = tuple(accumulate((0.26, 0.26, 0.1, 0.1, 0.14, 0.07)))  # The rest is the last one's.


@dataclass(frozen=True)
class Verbs:
    """
    Entries of the tables of changes, by where they can stand.

    Args:
        finite (`tuple[str, ...]`): Wherever a verb can.
        base (`tuple[str, ...]`): After "did".
        done (`tuple[str, ...]`): After "has".
        result (`tuple[str, ...]`): On their own.
    """

    finite: tuple[str, ...]
    base: tuple[str, ...]
    done: tuple[str, ...]
    result: tuple[str, ...]


def _verbs(entries: Sequence[str]) -> Verbs:
    inflected = tuple(entry for entry in entries if entry[0] == "=" or "/" in entry)
    alone = tuple(
        entry for entry in inflected if entry != "leave/left/left"
    )  # In "car at the top left" it is a place.
    short = tuple(entry for entry in entries if entry.startswith("is ") and "{" not in entry)
    return Verbs(tuple(entries), inflected, inflected, (*alone, *short))


@cache
def _verbs_of(change_type: str, clause: str, group: str, split: Split) -> tuple[Verbs, ...]:
    """The verbs for a change, special ones first; none without entries."""
    found = words_of(change_type, clause, group)  # type: ignore[arg-type]
    return tuple(_verbs(words.verbs[split]) for words in found if words.verbs[split])


@cache
def _before_noun(change_type: str, clause: str, group: str, split: Split) -> tuple[str, ...]:
    """What can be put before a noun: special words if there are any."""
    found = [words.before_noun[split] for words in words_of(change_type, clause, group)]  # type: ignore[arg-type]
    return tuple(word for words in found for word in words)


@cache
def _usable(templates: tuple[str, ...], slots: frozenset[str]) -> tuple[str, ...]:
    """The templates that need no other slots than these, and that tell the place if there is one."""
    return tuple(
        template
        for template in templates
        if slots.issuperset(named := frozenset(_SLOT.findall(template)))
        and ("place" not in slots or named & {"where", "place", "there"})
    )


class Realiser:
    """
    Words one sentence anew.

    Args:
        parts ([`Parts`]): Of the sentence.
        domain (`str`, *optional*): "NS" or "RS".
        split (`str`): "train" or "reworded": which words and templates may be used.
        strength (`float`): How often a part is worded anew, 0 to 1.
        random (`np.random.Generator`): Source of all chance.
    """

    def __init__(
        self, parts: Parts, domain: str | None, split: Split, strength: float, random: np.random.Generator
    ) -> None:
        self._parts = parts
        self._domain = domain
        self._split: Split = split
        self._strength = strength
        self._chance = random.random
        self._nouns: dict[str, tuple[str, str]] = {}

    def sentence(self) -> str:
        """The sentence; lower case, but for names and "I", and without a full stop."""
        parts = self._parts
        if parts.thing is None:
            return self._everything()
        self._is_ranked = bool(parts.superlative or parts.ordinal)
        self._quantity = parts.quantity
        self._where = self._say_where()
        slots = self._slots()
        form = self._form(slots)
        templates = {
            "noun phrase": NOUN_PHRASES,
            "about noun phrase": NOUN_PHRASES,
            "statement": STATEMENTS,
            "about statement": STATEMENTS,
            "question": QUESTIONS,
            "fragment": FRAGMENTS,
            "result": RESULTS,
        }[form][self._split]
        if form in ("question", "fragment", "result") and self._quantity == "each":
            self._quantity = "all"
        if form.startswith("about"):
            own = OWN_STATEMENT if "statement" in form else OWN_NOUN_PHRASE
            templates = (*filter(_can_follow, templates), *[own] * (len(templates) // 2))
        text = self._fill(self._one_of(_usable(templates, slots)))
        if form.startswith("about"):
            around = ABOUT_NOUN_PHRASES if form == "about noun phrase" else ABOUT_STATEMENTS
            text = self._one_of(around[self._split]).format(text, **{"is": self._slot_is()})
        return tidy(text)

    def _slots(self) -> frozenset[str]:
        """Names of the slots that can be filled."""
        parts, split = self._parts, self._split
        assert parts.thing is not None
        group = parts.thing.noun.group if parts.thing.noun else ""
        self._verbs = _verbs_of(parts.change_type, parts.clause, group, split)
        self._before = _before_noun(parts.change_type, parts.clause, group, split)
        slots = {"np", "a", "any", "bare", "where", "that", "is", "has", "one"}
        if not any("whose" in entry for verbs in self._verbs for entry in verbs.finite):
            slots |= {"verb", "base", "done", "result"}
        elif self._verbs[0].base:
            slots |= {"base", "done", "result"}
        if self._before:
            slots |= {"new", "new_np", "a_new"} | ({"any_new"} if parts.change_type == "appear" else set())
        if self._where:
            slots |= {"place", "there"}
        return frozenset(slots)

    def _form(self, slots: frozenset[str]) -> str:
        """A form of sentences for which there is a template."""
        form = _FORMS[bisect(_FORM_BOUNDS, self._chance())]
        if self._is_ranked and form not in ("noun phrase", "about noun phrase", "fragment"):
            form = "about noun phrase"
        if self._quantity == "each" and "statement" in form:
            form = "noun phrase"
        needed = {
            "statement": "verb",
            "about statement": "verb",
            "question": "verb",
            "fragment": "new",
            "result": "result",
        }
        return form if needed.get(form, "np") in slots else "about noun phrase"

    # Slots -----------------------------------------------------------------------------------------------------------

    def _fill(self, template: str) -> str:
        pieces = _SLOT.split(template)
        pieces[1::2] = [getattr(self, f"_slot_{name}")() for name in pieces[1::2]]
        return "".join(pieces)

    @property
    def _is_plural(self) -> bool:
        return self._quantity not in ("one", "each")

    def _slot_np(self) -> str:
        return self._definite() + self._core("")

    def _slot_a(self) -> str:
        return self._indefinite() + self._core("")

    def _slot_any(self) -> str:
        return ("any " if self._quantity == "all" else self._indefinite()) + self._core("")

    def _slot_bare(self) -> str:
        return self._count() + self._core("")

    def _slot_new_np(self) -> str:
        return self._definite() + self._core(self._one_of(self._before))

    def _slot_a_new(self) -> str:
        return self._indefinite() + self._core(self._one_of(self._before))

    def _slot_any_new(self) -> str:
        return ("any " if self._quantity == "all" else self._indefinite()) + self._core(self._one_of(self._before))

    def _slot_new(self) -> str:
        return self._count() + self._core(self._one_of(self._before))

    def _slot_is(self) -> str:
        return "are" if self._is_plural else "is"

    def _slot_has(self) -> str:
        return "have" if self._is_plural else "has"

    def _slot_one(self) -> str:
        return "the ones" if self._is_plural else "the one"

    def _slot_where(self) -> str:
        return self._where

    def _slot_there(self) -> str:
        return self._where

    def _slot_place(self) -> str:
        parts = self._parts
        if parts.relation or not parts.place or self._chance() < 0.5:
            return self._where
        return self._anew(PLACES[parts.place], parts.place_said)

    def _slot_that(self) -> str:
        verb = self._finite()
        if verb.startswith("whose"):
            return verb
        thing, chance = self._parts.thing, self._chance()
        is_person = thing is not None and thing.noun is not None and thing.noun.group == "person"
        return ("that " if chance < 0.75 else "who " if is_person else "which ") + verb

    def _slot_verb(self) -> str:
        return self._finite()

    def _slot_base(self) -> str:
        entry = self._entry("base")
        return self._filled("get " + entry[1:] if entry[0] == "=" else entry.partition("/")[0])

    def _slot_done(self) -> str:
        entry = self._entry("done")
        return self._filled("been " + entry[1:] if entry[0] == "=" else entry.rpartition("/")[2])

    def _slot_result(self) -> str:
        entry = self._entry("result")
        if entry[0] == "=":
            return self._filled(entry[1:])
        said = entry.split("/")[1] if "/" in entry else _in_plural(entry, self._is_plural).split(" ", 1)[1]
        return self._filled(said)

    # Parts -----------------------------------------------------------------------------------------------------------

    def _definite(self) -> str:
        if self._is_ranked:
            return "the "
        canonical = {"one": "the", "all": "the", "each": "every"}.get(self._quantity, f"the {self._quantity}")
        return self._anew(DEFINITE[self._quantity], canonical) + " "

    def _indefinite(self) -> str:
        if self._is_ranked:
            return "the "
        if self._quantity == "all" and self._chance() < _BARE:
            return ""  # "trees were cut down"
        canonical = {"one": "a", "all": "several", "each": "a"}.get(self._quantity, self._quantity)
        return self._anew(INDEFINITE[self._quantity], canonical) + " "

    def _count(self) -> str:
        return "" if self._is_ranked or self._quantity in ("one", "all", "each") else self._quantity + " "

    def _core(self, before: str) -> str:
        """`[<rank>] [newly built] [<colour>] <noun> [<colour phrase>] [<rank>]`."""
        parts = self._parts
        assert parts.thing is not None
        words = [*self._rank_before(), before, *self._named(parts.thing, self._is_plural)]
        if parts.ordinal:
            words.append(self._anew(SIDES[parts.side], parts.side))
        elif self._rank_after:
            words.append(self._rank_after)
        return " ".join(word for word in words if word)

    def _rank_before(self) -> list[str]:
        parts = self._parts
        self._rank_after = ""
        if parts.ordinal:
            return [self._anew(ORDINALS[parts.ordinal], parts.ordinal)]
        if parts.superlative:
            before, after = SUPERLATIVES[parts.superlative]
            if self._chance() < self._strength:
                if self._chance() < 0.6:
                    return [self._one_of(before[self._split])]
                self._rank_after = self._one_of(after[self._split])
                return []
            return [parts.superlative]
        return []

    def _named(self, thing: Thing, is_plural: bool) -> list[str]:
        """Colour, noun and colour phrase."""
        noun = self._noun(thing)[is_plural]
        if not thing.color:
            return [noun]
        before, after = COLOR_BEFORE[thing.color_form][self._split], COLOR_AFTER[thing.color_form][self._split]
        if thing.color_form == "adjective" and self._chance() >= self._strength:
            return [thing.color, noun]
        phrase = self._one_of((*before, *after))
        said = phrase.replace("C", thing.color)
        if phrase in before:
            return [said, noun]
        if is_plural and "roof" in said:
            said = said.replace("a C roof".replace("C", thing.color), f"{thing.color} roofs")
            said = (
                said.replace("roof is", "roofs are")
                .replace("that has a", "that have")
                .replace("coloured roof", "coloured roofs")
            )
            said = said.replace(" a ", " ")
        return [noun, said]

    def _noun(self, thing: Thing) -> tuple[str, str]:
        """Singular and plural, the same in the whole sentence."""
        name = thing.forms[0]
        if name not in self._nouns:
            words = thing.noun.words[self._split] if thing.noun else ()
            self._nouns[name] = (
                forms_of(self._one_of(words)) if words and self._chance() < self._strength else thing.forms
            )
        return self._nouns[name]

    def _say_where(self) -> str:
        parts = self._parts
        relation = place = ""
        if parts.relation and parts.landmark is not None:
            relation = self._anew(RELATIONS[parts.relation], parts.relation_said)
            if self._is_ranked and relation.startswith(("left", "right", "just", "directly")):
                relation = parts.relation_said  # Not "the second car from the bottom right of the tree".
            relation = f"{relation} {self._landmark(parts.landmark)}"
        if parts.place:
            place = self._prepositional_place()
        if not relation or not place:
            return relation or place
        is_place_first = self._chance() < (0.35 if self._split == "train" else 0.8)
        if relation.startswith(("right", "left")):  # Not "at the bottom right beside the car".
            is_place_first = False
        return f"{place} {relation}" if is_place_first else f"{relation} {place}"

    def _landmark(self, landmark: Thing) -> str:
        parts = self._parts
        if parts.landmark_is_definite:
            return " ".join(("the", *self._named(landmark, False)))
        # "the house next to another house"
        article = "another" if parts.thing is not None and landmark.forms == parts.thing.forms else "a"
        if self._split == "train" and self._chance() < 0.2 * self._strength:
            return " ".join(("one of the", *self._named(landmark, True)))
        return " ".join((article, *self._named(landmark, False)))

    def _prepositional_place(self) -> str:
        parts = self._parts
        if self._chance() >= self._strength:
            return parts.place_said
        place = self._one_of(prepositional(parts.place, self._split))
        if takes_suffix(place) and self._chance() < _SUFFIX:
            suffix = self._one_of(_of_images(OF_THE_IMAGE[self._split], self._domain))
            place = f"{place} {suffix}"
        return place

    def _entry(self, slot: str) -> str:
        special = self._verbs[0]
        found = special if len(self._verbs) == 1 or self._chance() < _SPECIAL else self._verbs[-1]
        return self._one_of(getattr(found, slot) or getattr(special, slot))

    def _finite(self) -> str:
        """The verb in the past or perfect."""
        parts = self._parts
        if self._chance() >= self._strength and self._quantity == parts.quantity:
            return parts.verb
        entry = self._entry("finite")
        if entry[0] == "=":
            auxiliaries = PASSIVES[self._split]
            # Not "has just been newly built".
            auxiliary = self._one_of(auxiliaries[:2] if entry.startswith(("=newly", "=freshly")) else auxiliaries)
            said = f"{_in_plural(auxiliary, self._is_plural)} {entry[1:]}"
        elif "/" in entry:
            _, past, participle = entry.split("/")
            auxiliary = self._one_of(ACTIVES[self._split])
            said = f"{_in_plural(auxiliary, self._is_plural)} {participle}" if auxiliary else past
        else:
            said = _in_plural(entry, self._is_plural)
        return self._filled(said)

    def _filled(self, said: str) -> str:
        """With colours, "later image" and "earlier image" filled in."""
        before, after = self._parts.colors
        if after:
            said = said.replace("X", before).replace("Y", after)
        if "{" in said:
            said = said.replace("{later}", self._one_of(_of_images(LATER[self._split], self._domain)))
            said = said.replace("{earlier}", self._one_of(_of_images(EARLIER[self._split], self._domain)))
        return said

    def _everything(self) -> str:
        parts = self._parts
        self._where = self._say_where()
        self._quantity = "one"
        if parts.change_type == "any":
            return tidy(self._one_of(EVERYTHING["any"][self._split]))
        self._verbs = _verbs_of(
            parts.change_type, "that changed" if parts.change_type == "state_change" else "", "", self._split
        )
        self._parts = Parts(parts.change_type, verb="", quantity="")
        return tidy(self._fill(self._one_of(EVERYTHING[parts.change_type][self._split])))

    # Chance ----------------------------------------------------------------------------------------------------------

    def _one_of(self, choices: Sequence[str]) -> str:
        return choices[int(self._chance() * len(choices))]

    def _anew(self, words: Words, said: str) -> str:
        """One of the words of the split, or what was said."""
        choices = words[self._split]
        return self._one_of(choices) if choices and self._chance() < self._strength else said


@cache
def prepositional(place: str, split: Split) -> tuple[str, ...]:
    """The phrases for a place that begin with a preposition."""
    return tuple(phrase for phrase in PLACES[place][split] if is_prepositional(phrase))


@cache
def _can_follow(template: str) -> bool:
    """Whether "show me" or the like can stand before a template."""
    return not template.startswith(("{there}", "{place}", "between"))


def _in_plural(said: str, is_plural: bool) -> str:
    """A verb, in the plural if it is asked for: "is gone" → "are gone"."""
    if not is_plural or (said.startswith("whose water ") and "level" not in said):
        return said
    words = said.split(" ")
    is_of_part = words[0] == "whose"
    return " ".join(
        PLURALS.get(word, word) if is_of_part or word not in ("roof", "level") else word for word in words
    ).replace("a new additions", "new additions")


@cache
def _of_images(phrases: tuple[str, ...], domain: str | None) -> tuple[str, ...]:
    """Words for the images; outside of remote sensing, a picture may hang on a wall."""
    return tuple(phrase for phrase in phrases if "picture" not in phrase or domain == "RS")


def tidy(text: str) -> str:
    """With the right articles and without needless spaces."""
    text = _GAP.sub(r"\1", " ".join(text.split()))
    return _ARTICLE.sub(_article, text).strip(" ,")


def _article(match: re.Match[str]) -> str:
    word = match[2].lower()
    has_vowel = word.startswith(_AN) or ((word[0] in "aeio" or word[0] == "u") and not word.startswith(_A))
    return "an " if has_vowel else "a "
