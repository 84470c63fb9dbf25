# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads a paraphrase back, by the tables of words alone.

It knows nothing of templates: it looks for the longest phrases that the tables have, from left to right, and passes
over all other words. Its findings use the terms of the checker, so that it can be compared with what the
checker reads in the sentence that the paraphrase was made of.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import product

from dataset_scripts.synthesis.language.vocabulary import COLORS
from dataset_scripts.synthesis.words import changes, noun_table, nouns, places, states
from tests.oracles import checker_grammar, vocabulary


TOKEN = re.compile(r"[a-z0-9][a-z0-9'-]*|[,:]")
AMERICAN = places.SPELLINGS
SPLITS = ("train", "reworded")
PASTS = {
    "taken": "took",
    "torn": "tore",
    "broken": "broke",
    "sawn": "sawed",
    "driven": "drove",
    "flown": "flew",
    "grown": "grew",
    "thrown": "threw",
    "blown": "blew",
    "hewn": "hewed",
}


@dataclass(frozen=True)
class Reading:
    """What a sentence says, in any order; `choices` are ranks, and `changes` changes without their colours."""

    kinds: frozenset
    colors: frozenset
    changes: frozenset
    directions: frozenset
    regions: frozenset
    choices: frozenset


def tokens(text):
    return tuple(AMERICAN.get(word, word) for word in TOKEN.findall(text.lower()))


def meaning_of_change(change):
    if change.type in ("appear", "disappear"):
        return change.type
    if change.after == {"green"}:  # Said as of a colour
        return ("state_change", frozenset(), frozenset(), True)
    return (change.type, change.before, change.after, change.recolored)


def checked(text, domain):
    """What the checker reads in a sentence of the generator's language."""
    sentence = checker_grammar.parse(text, domain)
    things = [sentence.description, sentence.relation.landmark if sentence.relation else None]
    things = [thing for thing in things if thing is not None]
    colors = {thing.color for thing in things} | {sentence.change.color_before, sentence.change.color_after}
    if "turned green" in text or "green" in sentence.change.after:
        colors.add("green")
    return Reading(
        frozenset(thing.noun.kinds for thing in things),
        frozenset(colors - {None}),
        frozenset([meaning_of_change(sentence.change)]),
        frozenset([sentence.relation.direction] if sentence.relation else []),
        frozenset([sentence.region] if sentence.region else []),
        frozenset([sentence.choice] if sentence.choice else []),
    )


def said_of_change(entry):
    """Every form of an entry of a table of changes that can be in a sentence."""
    if entry.startswith("="):
        participle, space, particle = entry[1:].partition(" ")
        past = PASTS.get(participle, participle)
        return [entry[1:], past + space + particle]  # "someone tore it down"
    if "/" in entry:
        return entry.split("/")
    said = []
    for split in SPLITS:
        for later, earlier in product(changes.LATER[split], changes.EARLIER[split]):
            said.append(entry.replace("{later}", later).replace("{earlier}", earlier))
    plural = [" ".join(changes.PLURALS.get(word, word) for word in each.split()) for each in said]
    whole = {*said, *plural}
    short = {each.split(" ", 1)[1] for each in whole if each.startswith(("is ", "are "))}
    # "the roof of the house turned red"
    owned = {re.sub("^whose roofs? (colour )?", "", each) for each in whole if each.startswith("whose roof")}
    return whole | short | owned


def with_colors(phrase):
    """A phrase with every colour for X and Y."""
    before = COLORS if "X" in phrase.split() else ("",)
    after = COLORS if "Y" in phrase.split() else ("",)
    for first, second in product(before, after):
        words = [{"X": first, "Y": second}.get(word, word) for word in phrase.split()]
        yield " ".join(words).replace(" a orange", " an orange"), {first, second} - {""}


@cache
def tables(domain):
    """Phrase → what it may mean; a meaning is a pair of the field of `Reading` and a tuple of values."""
    found = defaultdict(set)

    def add(phrase, field, *values):
        found[tokens(phrase)].add((field, values))

    kinds = {singular: vocabulary.kinds_of_group(group, domain) for singular, _, group in vocabulary.NOUNS}
    kinds = {name: named for name, named in kinds.items() if named}
    for noun in noun_table.NOUNS:
        # An "orange" is a colour in the generator's sentences.
        if noun.domain in (None, domain) and noun.name != "orange":
            for entry in (noun.name, *noun.also, *(word for split in SPLITS for word in noun.words[split])):
                for form in nouns.forms_of(entry):
                    add(form, "kinds", kinds.get(noun.name, frozenset([noun.name])))
    regions = {**vocabulary.POSITIONS, **vocabulary.STATEMENT_POSITIONS}
    for key, words in places.PLACES.items():
        for phrase in (key, *(phrase for split in SPLITS for phrase in words[split])):
            for suffix in ("", *(suffix for split in SPLITS for suffix in places.OF_THE_IMAGE[split])):
                if "picture" in suffix and domain != "RS":
                    continue
                add(f"{phrase} {suffix}", "regions", regions[key])
    for key, words in places.RELATIONS.items():
        for phrase in (key, *(phrase for split in SPLITS for phrase in words[split])):
            add(phrase, "directions", vocabulary.RELATIONS[key])
    for key, pair in places.SUPERLATIVES.items():
        for phrase in (key, *(phrase for words in pair for split in SPLITS for phrase in words[split])):
            add(phrase, "choices", vocabulary.SUPERLATIVES[key])
    for key, words in places.ORDINALS.items():
        for phrase in (key, *(phrase for split in SPLITS for phrase in words[split])):
            add(phrase, "ordinal", vocabulary.ORDINALS[key])
    for key, words in places.SIDES.items():
        for phrase in (key, *(phrase for split in SPLITS for phrase in words[split])):
            add(phrase, "side", vocabulary.SIDES[key])
    for color in COLORS:
        add(color, "colors", color)
        for ending in ("coloured", "colored", "hued", "roofed", "topped", "clad"):
            add(f"{color}-{ending}", "colors", color)
    for split in SPLITS:
        for phrase in (*changes.LATER[split], *changes.EARLIER[split]):
            add(phrase, "time", "")
    for phrase in ("change:", "by now", "covered by"):  # In templates, and not as a change or a relation.
        add(phrase, "template", "")
    _add_changes(found, domain)
    return found


def _add_changes(found, domain):
    keys = {row.clauses[0] for row in vocabulary.CHANGE_ROWS}
    named = {}
    for row in vocabulary.CHANGE_ROWS:
        for clause in row.clauses:
            named[clause] = row.change
    assert keys <= set(named)
    groups = [("appear", changes.APPEARANCES.values()), ("disappear", changes.DISAPPEARANCES.values())]
    groups += [(meaning_of_change(named[key]), [words]) for key, words in states.STATES.items()]
    for meaning, words in groups:
        for each in words:
            for split in SPLITS:
                said = [form for entry in each.verbs[split] for form in said_of_change(entry)]
                for phrase in (*said, *each.before_noun[split]):
                    for filled, colors in with_colors(phrase):
                        found[tokens(filled)].add(("changes", (meaning, *sorted(colors))))
    for row in vocabulary.CHANGE_ROWS:
        for said in (*row.clauses, *row.verbs):
            phrase = said.removeprefix("that ").removeprefix("whose ")
            for plurals in ({}, changes.PLURALS):
                words = " ".join(plurals.get(word, word) for word in phrase.split())
                for filled, colors in with_colors(words):
                    if row.change.after == {"green"}:
                        continue
                    found[tokens(filled)].add(("changes", (meaning_of_change(row.change), *sorted(colors))))


def read(text, domain):
    """
    What a paraphrase says.

    Where a phrase may mean several things, all of them are given, so that it equals nothing that the checker reads.
    """
    table = tables(domain)
    longest = max(map(len, table))
    words = tokens(text)
    fields = defaultdict(set)
    ordinal = side = None
    at = 0
    while at < len(words):
        for length in range(min(longest, len(words) - at), 0, -1):
            if words[at : at + length] in table:
                break
        else:
            at += 1
            continue
        for field, values in table[words[at : at + length]]:
            if field == "ordinal":
                (ordinal,) = values
            elif field == "side":
                (side,) = values
            elif field == "changes":
                fields["changes"].add(values[0])
                fields["colors"].update(values[1:])
            else:
                fields[field].update(values)
        at += length
    if ordinal and side:
        fields["choices"].add(side.ranked(ordinal))
    return Reading(*(frozenset(fields[name]) for name in Reading.__dataclass_fields__))
