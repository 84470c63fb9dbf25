# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Builds a paraphrase from the parts of a sentence."""

import re
from bisect import bisect
from collections.abc import Callable
from functools import cache
from itertools import accumulate

import numpy as np

from . import verbs
from .changes import EARLIER, LATER
from .noun_phrases import Choices, NounPhrases, tidy, words_for_images
from .nouns import Split
from .parsing import Parts
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
    Templates,
)


_SPECIAL = 0.65  # Probability of a verb for this kind of thing rather than a general one
_SLOT = re.compile(r"\{(\w+)\}")
_TELLS_PLACE = frozenset(("where", "place", "there", "owned"))
# Forms of sentences and their weights. With a rank, only the first two and fragments are used.
_FORMS: dict[str, tuple[Templates, float]] = {
    "noun phrase": (NOUN_PHRASES, 0.26),
    "about noun phrase": (NOUN_PHRASES, 0.26),
    "statement": (STATEMENTS, 0.1),
    "about statement": (STATEMENTS, 0.1),
    "question": (QUESTIONS, 0.14),
    "fragment": (FRAGMENTS, 0.07),
    "result": (RESULTS, 0.07),
}
_NAMES = tuple(_FORMS)
_BOUNDS = tuple(accumulate(share for _, share in _FORMS.values()))[:-1]
_OF_RANKS = ("noun phrase", "about noun phrase", "fragment")


@cache
def _usable(form: str, split: Split, slots: frozenset[str]) -> tuple[str, ...]:
    """Templates of a form that need no other slots than these, and that mention the place if there is one."""
    templates = _FORMS[form][0][split]
    if form.startswith("about"):
        own = OWN_STATEMENT if "statement" in form else OWN_NOUN_PHRASE
        # For use after "show me" and the like.
        templates = tuple(each for each in templates if not each.startswith(("{there}", "{place}", "between")))
        templates = (*templates, *[own] * (1 + len(templates) // 2))
    return tuple(
        template
        for template in templates
        if slots.issuperset(named := frozenset(_SLOT.findall(template)))
        and ("place" not in slots or named & _TELLS_PLACE)
    )


class Realiser:
    """
    Builds one paraphrase.

    Args:
        parts ([`Parts`]): Parts of the sentence.
        domain (`str`, *optional*): "NS" or "RS".
        split (`str`): "train" or "reworded": the vocabulary and templates to use.
        strength (`float`): Probability of rewording each part, 0 to 1.
        random (`np.random.Generator`): Random generator.
    """

    def __init__(
        self, parts: Parts, domain: str | None, split: Split, strength: float, random: np.random.Generator
    ) -> None:
        self._parts = parts
        self._domain = domain
        self._split: Split = split
        self._choices = choices = Choices(split, strength, random)
        group = parts.thing.noun.group if parts.thing is not None and parts.thing.noun is not None else ""
        self._is_person = group == "person"
        self._verbs: tuple[verbs.Verbs, ...] = ()
        self._before: tuple[str, ...] = ()
        if parts.change_type != "any":
            clause = parts.clause or ("that changed" if parts.change_type == "state_change" else "")
            self._verbs = verbs.verbs_of(parts.change_type, clause, group, split)
            self._before = verbs.before_noun(parts.change_type, clause, group, split)
        self._nouns = nouns = NounPhrases(parts, domain, choices)
        self._slots: dict[str, Callable[[], str]] = {
            "np": nouns.definite,
            "a": nouns.indefinite,
            "any": nouns.any,
            "bare": nouns.bare,
            "where": lambda: nouns.where,
            "that": self._that,
            "is": lambda: "are" if nouns.is_plural else "is",
            "has": lambda: "have" if nouns.is_plural else "has",
            "one": lambda: "the ones" if nouns.is_plural else "the one",
            "ones": lambda: "each one" if nouns.quantity == "each" else self._slots["one"](),
            "verb": self._finite,
        }
        self._add_slots()

    def _add_slots(self) -> None:
        """Adds the slots that only some sentences can fill."""
        nouns, parts = self._nouns, self._parts
        if nouns.where:
            self._slots |= {"place": nouns.place, "there": lambda: nouns.where}
        if self._before:
            before, one_of = self._before, self._choices.one_of
            self._slots |= {
                "new": lambda: nouns.bare(one_of(before)),
                "new_np": lambda: nouns.definite(one_of(before)),
                "a_new": lambda: nouns.indefinite(one_of(before)),
            }
            if parts.change_type == "appear":
                self._slots["any_new"] = lambda: nouns.any(one_of(before))
        if any(each.inflected for each in self._verbs):
            self._slots |= {
                "base": lambda: self._filled(verbs.base(self._entry("inflected"))),
                "done": lambda: self._filled(verbs.done(self._entry("inflected"))),
                "result": lambda: self._filled(verbs.result(self._entry("result"), nouns.is_plural)),
            }
        if any(each.done_by for each in self._verbs):
            self._slots["did"] = lambda: verbs.done_by(self._entry("done_by"))
        if any(each.owned for each in self._verbs):
            self._slots["owned"] = self._owned
        if any("whose" in entry for each in self._verbs for entry in each.finite):
            del self._slots["verb"]

    def sentence(self) -> str:
        """Returns the paraphrase in lower case (except names and "I") and without a full stop."""
        nouns, choices = self._nouns, self._choices
        if self._parts.thing is None:
            nouns.quantity = "one"
            return tidy(self._fill(choices.one_of(EVERYTHING[self._parts.change_type][self._split])))
        form = _NAMES[bisect(_BOUNDS, choices.chance())]
        slots = frozenset(self._slots)
        if nouns.is_ranked and form not in _OF_RANKS:
            form = "about noun phrase"
        if nouns.quantity == "each" and "statement" in form:
            form = "noun phrase"
        if not _usable(form, self._split, slots):
            form = "about noun phrase"
        if form in ("question", "fragment", "result") and nouns.quantity == "each":
            nouns.quantity = "all"
        text = self._fill(choices.one_of(_usable(form, self._split, slots)))
        if form.startswith("about"):
            around = ABOUT_NOUN_PHRASES if form == "about noun phrase" else ABOUT_STATEMENTS
            text = choices.one_of(around[self._split]).format(text, **{"is": self._slots["is"]()})
        return tidy(text)

    def _fill(self, template: str) -> str:
        pieces = _SLOT.split(template)
        pieces[1::2] = [self._slots[name]() for name in pieces[1::2]]
        return "".join(pieces)

    def _entry(self, place: str) -> str:
        """Chooses an entry of the tables of changes for a position in the sentence, an attribute of [`Verbs`]."""
        found = [entries for each in self._verbs if (entries := getattr(each, place))]
        is_general = len(found) > 1 and self._choices.chance() >= _SPECIAL
        return self._choices.one_of(found[-1] if is_general else found[0])

    def _finite(self) -> str:
        """Finite verb: "was built", "has left", "is gone"."""
        nouns = self._nouns
        if self._parts.verb and nouns.quantity == self._parts.quantity and not self._choices.is_anew():
            return self._parts.verb
        entry = self._entry("finite")
        auxiliary = self._choices.one_of(verbs.auxiliaries(entry, self._split))
        return self._filled(verbs.finite(entry, auxiliary, nouns.is_plural))

    def _that(self) -> str:
        """Relative clause: "that was built", "whose roof turned red"."""
        verb = self._finite()
        if verb.startswith("whose"):
            return verb
        chance = self._choices.chance()
        return ("that " if chance < 0.75 else "who " if self._is_person else "which ") + verb

    def _owned(self) -> str:
        """Statement about a part: "the roof of the house next to the pond turned red"."""
        nouns = self._nouns
        part, verb = verbs.owned(self._entry("owned"), nouns.is_plural)
        return self._filled(f"the {part} of {nouns.definite()} {nouns.where} {verb}")

    def _filled(self, said: str) -> str:
        """Fills in colours and the words for the later and earlier image."""
        before, after = self._parts.colors
        if after:
            said = re.sub(r"\bX\b", before, re.sub(r"\bY\b", after, said))
        if "{" in said:
            for name, words in (("{later}", LATER), ("{earlier}", EARLIER)):
                said = said.replace(name, self._choices.one_of(words_for_images(words, self._split, self._domain)))
        return said
