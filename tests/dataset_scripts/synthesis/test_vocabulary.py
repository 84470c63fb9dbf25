# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The checker on every noun, colour and change of docs/synthetic_language.md; expected numbers worked out by hand."""

import re
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from dataset_scripts.synthesis.language import vocabulary
from dataset_scripts.synthesis.scene import State
from tests.dataset_scripts.synthesis.drawn_scenes import THERE, Domain, draw, gone, kept, new, row_of
from tests.oracles import vocabulary as meanings


PAGE = Path(__file__).parents[3] / "docs" / "synthetic_language.md"

# Nouns and colours

NAMED_KINDS = {
    "RS": {"building": {"house", "warehouse", "greenhouse"}, "vehicle": {"car", "truck", "bus"}},
    "NS": {"building": {"building"}, "vehicle": {"car", "truck", "bus"}},
}
NOUNS_BY_HAND = {
    **{kind: (kind, kind + "s") for kind in ("warehouse", "greenhouse", "car", "truck", "bicycle", "tree", "sign")},
    **{kind: (kind, kind + "s") for kind in ("door", "lamp", "chair", "table", "plant", "picture", "bag", "pond")},
    **{kind: (kind, kind + "s") for kind in ("field", "road", "house", "bin", "pool")},
    **{kind: (kind, kind + "es") for kind in ("bus", "box", "bench")},
    "villa": ("house", "villas"),
    "shelf": ("shelf", "shelves"),
    "person": ("person", "people"),
    "trash bin": ("bin", "trash bins"),
    "swimming pool": ("pool", "swimming pools"),
    "patch of cropland": ("field", "patches of cropland"),
    "patch of forest": ("forest", "patches of forest"),
    "patch of woodland": ("forest", "patches of woodland"),
    "building": ("", "buildings"),
    "vehicle": ("", "vehicles"),
}


@pytest.mark.parametrize("domain", ["NS", "RS"])
@pytest.mark.parametrize("singular", NOUNS_BY_HAND)
def test_nouns(singular: str, domain: Domain):
    kind, plural = NOUNS_BY_HAND[singular]
    named = NAMED_KINDS[domain].get(singular, {kind})
    kinds = sorted({entry[0] for entry in NOUNS_BY_HAND.values()} - {""} | {"building"})
    places = list(product(range(5, 120, 10), repeat=2))
    pair = draw(*(new(name, *places[at], half=3) for at, name in enumerate(2 * kinds)), domain=domain)
    expected = tuple(at for at, name in enumerate(2 * kinds, start=1) if name in named)
    assert pair.things(f"every {singular} that appeared") == expected
    assert pair.things(f"the {plural} that appeared") == expected


def test_no_noun_is_missing():
    assert set(vocabulary.NOUNS) == {(singular, plural) for singular, (_, plural) in NOUNS_BY_HAND.items()}


@pytest.mark.parametrize(
    "table",
    ["NUMERALS", "POSITIONS", "STATEMENT_POSITIONS", "SIDES", "SUPERLATIVES", "ORDINALS", "RELATIONS", "STARTS"],
)
def test_the_checker_knows_the_meaning_of_every_word(table: str):
    assert list(getattr(meanings, table)) == list(getattr(vocabulary, table))


def test_the_checker_knows_the_meaning_of_every_change():
    assert [row.change.type for row in meanings.CHANGE_ROWS] == [row.type for row in vocabulary.CHANGE_ROWS]
    assert {words: start.form for words, start in meanings.STARTS.items()} == {
        words: start.form for words, start in vocabulary.STARTS.items()
    }


@pytest.mark.parametrize(
    "color", ["white", "grey", "black", "red", "orange", "yellow", "green", "blue", "brown", "purple", "pink"]
)
def test_colors(color: str):
    article = "an" if color == "orange" else "a"
    other = "blue" if color == "pink" else "pink"
    people = draw(*(new("person", 20 * at, 60, shade) for at, shade in enumerate([other, color], start=1)))
    for words in ("in", "wearing", "dressed in"):
        assert people.things(f"the person {words} {color} that arrived") == (2,)
    for domain, kind, adjective, phrase in [
        ("RS", "car", color, ""),
        ("NS", "house", color, ""),
        ("RS", "house", "", f"with {article} {color} roof"),
        ("RS", "house", f"{color}-roofed", ""),
    ]:
        shades = [color, other, color, None]
        pair = draw(*(gone(kind, 20 * at, 60, shade) for at, shade in enumerate(shades, start=1)), domain=domain)
        assert pair.things(f"every {adjective} {kind} {phrase} that was removed") == (1, 3)
        assert pair.things(f"the two {adjective} {kind}s {phrase} that were removed") == (1, 3)


def test_color_of_several_roofs_and_of_remote_buildings():
    pair = draw(
        new("house", 20, 20, "red"), new("warehouse", 60, 20, "red"), new("house", 90, 20, "red"),
        new("house", 20, 90, "grey"),
    )  # fmt: skip
    for text in ("the houses with red roofs", "the houses with a red roof", "the red-roofed houses"):
        assert pair.things(f"{text} that were newly built") == (1, 3)
    for text in ("the red buildings", "the red-roofed buildings", "the buildings with red roofs"):
        assert pair.things(f"{text} that were newly built") == (1, 2, 3)
    assert pair.things("a house with a grey roof has been built") == (4,)
    assert pair.things("two houses with red roofs have been built") == (1, 3)


def test_color_of_a_state_change_holds_at_both_times():
    signs = [("sign", State("red"), State("blue")), ("sign", State("red", "old"), State("red", "new"))]
    pair = row_of(*signs)
    assert pair.things("the red sign that changed") == (2,)
    assert pair.things("the blue sign that changed") == ()
    assert pair.things("the sign that turned blue") == (1,)


def test_color_is_that_of_the_time_of_reference():
    pair = draw(gone("car", 20, 20, "red"), new("car", 60, 20, "blue"))
    assert pair.things("the red car that left") == (1,)
    assert pair.things("the red car that arrived") == ()


# Changes

Turn = tuple[State | None, State | None]
X, Y, Z = "red", "grey", "white"


def conditions(before: str, after: str) -> Turn:
    return State(condition=before), State(condition=after)


def colors(before: str, after: str) -> Turn:
    return State(before), State(after)


class ChangeCase(NamedTuple):
    """A row of the page's tables: clauses and verbs, in the singular and (where it differs) in the plural."""

    domain: Domain
    kinds: str
    holds: Turn
    decoys: tuple[Turn, ...]
    clauses: tuple[str, ...]
    verbs: tuple[str, ...] = ()


APPEAR, DISAPPEAR, STAY, CHANGE = (None, THERE), (THERE, None), (THERE, THERE), conditions("", "other")
# "a | b" is the singular and the plural.
CHANGE_CASES = [
    ChangeCase(
        "RS", "car house pond person", APPEAR, (DISAPPEAR, STAY, CHANGE),
        ("that appeared", "that showed up", "that was added | that were added",
         "that is new in the second image | that are new in the second image",
         "that is new in the later image | that are new in the later image",
         "that can only be seen in the later image", "that can only be seen in the second image"),
        ("has appeared | have appeared", "has been added | have been added"),
    ),
    ChangeCase(
        "RS", "house warehouse greenhouse building pool road", APPEAR, (DISAPPEAR, STAY, CHANGE),
        ("that was newly built | that were newly built", "that has been built | that have been built",
         "that has been constructed | that have been constructed"),
        ("has been built | have been built", "is built | are built",
         "has been constructed | have been constructed"),
    ),
    ChangeCase(
        "RS", "tree forest", APPEAR, (DISAPPEAR, STAY, CHANGE),
        ("that was planted | that were planted", "that has been planted | that have been planted"),
        ("has been planted | have been planted",),
    ),
    ChangeCase(
        "RS", "car truck bus vehicle bicycle person", APPEAR, (DISAPPEAR, STAY, CHANGE),
        ("that arrived", "that has arrived | that have arrived"), ("has arrived | have arrived",),
    ),
    ChangeCase(
        "RS", "car house pond person", DISAPPEAR, (APPEAR, STAY, CHANGE),
        ("that disappeared", "that was removed | that were removed",
         "that is gone in the later image | that are gone in the later image",
         "that is gone in the second image | that are gone in the second image",
         "that can only be seen in the earlier image", "that can only be seen in the first image"),
        ("has disappeared | have disappeared", "has been removed | have been removed"),
    ),
    ChangeCase(
        "RS", "house warehouse greenhouse building", DISAPPEAR, (APPEAR, STAY, CHANGE),
        ("that was demolished | that were demolished", "that was torn down | that were torn down"),
        ("has been demolished | have been demolished", "has been torn down | have been torn down"),
    ),
    ChangeCase(
        "RS", "tree forest", DISAPPEAR, (APPEAR, STAY, CHANGE),
        ("that was cut down | that were cut down", "that has been cut down | that have been cut down"),
        ("has been cut down | have been cut down",),
    ),
    ChangeCase(
        "RS", "car truck bus vehicle bicycle person", DISAPPEAR, (APPEAR, STAY, CHANGE),
        ("that left", "that has left | that have left"), ("has left | have left",),
    ),
    ChangeCase(
        "RS", "house lamp field building vehicle", CHANGE, (APPEAR, DISAPPEAR, STAY),
        ("that changed", "that looks different in the later image | that look different in the later image"),
    ),
    ChangeCase(
        "RS", "house", colors(X, Y), (colors(Y, X), colors(X, Z), colors(X, X), (None, State(Y))),
        ("whose roof changed from X to Y | whose roofs changed from X to Y",),
    ),
    ChangeCase(
        "RS", "house", colors(X, Y), (colors(Y, X), colors(X, Z), (State(Y), State(Y, "other"))),
        ("whose roof turned Y | whose roofs turned Y",),
    ),
    ChangeCase(
        "NS", "building sign picture chair house", colors(X, Y),
        (colors(Y, X), colors(X, Z), colors(Z, Y), colors(X, X), (None, State(Y)), (State(None), State(Y))),
        ("that changed from X to Y",),
    ),
    ChangeCase(
        "NS", "building sign picture chair house", colors(X, Y),
        (colors(Y, X), colors(X, Z), (State(Y), State(Y, "other")), (State(None), State(Y))),
        ("that turned Y",), ("has turned Y | have turned Y",),
    ),
    ChangeCase("RS", "warehouse sign", colors(X, Y), (colors(Y, X),), ("that turned Y", "that changed from X to Y")),
    ChangeCase(
        "NS", "building sign", colors(X, Y), (colors(X, X), CHANGE, (None, State(Y))),
        ("that was repainted | that were repainted",), ("has been repainted | have been repainted",),
    ),
    ChangeCase(
        "NS", "building sign", colors(X, Y), (colors(Y, X), (State(Y), State(Y, "other"))),
        ("that was repainted Y | that were repainted Y",),
    ),
    ChangeCase(
        "RS", "road", conditions("dirt", "paved"), (conditions("paved", "dirt"), (None, State(None, "paved"))),
        ("that was paved | that were paved", "that has been paved | that have been paved"),
        ("has been paved | have been paved",),
    ),
    ChangeCase(
        "RS", "field", conditions("ripe", "ploughed"),
        (conditions("ploughed", "ripe"), (State("green", "ploughed"), State("brown", "ploughed"))),
        ("that was ploughed | that were ploughed", "that has been ploughed | that have been ploughed"),
        ("has been ploughed | have been ploughed",),
    ),
    ChangeCase(
        "RS", "field", conditions("green", "bare"), (conditions("bare", "green"), conditions("green", "ploughed")),
        ("that is no longer farmed in the later image | that are no longer farmed in the later image",
         "that was converted to another use | that were converted to another use"),
        ("is no longer farmed | are no longer farmed",),
    ),
    ChangeCase(
        "RS", "field", conditions("ploughed", "green"), (conditions("green", "ripe"), colors("brown", "green")),
        ("that turned green",), ("has turned green | have turned green",),
    ),
    ChangeCase(
        "RS", "field", conditions("green", "ripe"), (conditions("ripe", "green"),),
        ("that ripened",), ("has ripened | have ripened",),
    ),
    *(
        ChangeCase(
            "RS", "pond", conditions(before, "dry"), (conditions("dry", "full"), conditions("full", "low")),
            ("that dried up", "that has dried up | that have dried up"), ("has dried up | have dried up",),
        )
        for before in ("full", "low")
    ),
    ChangeCase(
        "RS", "pond", conditions("full", "low"), (conditions("low", "full"), conditions("full", "dry")),
        ("whose water level fell", "whose water level dropped"),
    ),
    ChangeCase(
        "RS", "pond", conditions("low", "full"), (conditions("dry", "full"), conditions("full", "low")),
        ("whose water level rose",),
    ),
    *(
        ChangeCase(
            "RS", "pond", conditions("dry", after), (conditions("low", "full"), conditions("full", "dry")),
            ("that filled with water",), ("has filled with water | have filled with water",),
        )
        for after in ("low", "full")
    ),
    ChangeCase(
        "RS", "pool", conditions("full", "empty"), (conditions("empty", "full"),),
        ("that was drained | that were drained", "that has been drained | that have been drained"),
        ("has been drained | have been drained",),
    ),
    ChangeCase(
        "RS", "pool", conditions("empty", "full"), (conditions("full", "empty"),),
        ("that was filled | that were filled", "that has been filled | that have been filled"),
        ("has been filled | have been filled",),
    ),
    ChangeCase(
        "NS", "door box", conditions("closed", "open"),
        (conditions("open", "closed"), (State(None, "open"), State(None, "open")), (None, State(None, "open"))),
        ("that was opened | that were opened", "that is open in the later image | that are open in the later image"),
        ("has been opened | have been opened",),
    ),
    ChangeCase(
        "NS", "door box", conditions("open", "closed"), (conditions("closed", "open"),),
        ("that was closed | that were closed",
         "that is closed in the later image | that are closed in the later image"),
        ("has been closed | have been closed",),
    ),
    ChangeCase(
        "NS", "lamp", conditions("off", "on"), (conditions("on", "off"),),
        ("that was switched on | that were switched on",
         "that is lit in the later image | that are lit in the later image"),
        ("has been switched on | have been switched on",),
    ),
    ChangeCase(
        "NS", "lamp", conditions("on", "off"), (conditions("off", "on"),),
        ("that was switched off | that were switched off",), ("has been switched off | have been switched off",),
    ),
]  # fmt: skip


def in_both_numbers(phrase: str) -> tuple[str, str]:
    singular, _, plural = phrase.replace("X", X).replace("Y", Y).partition(" | ")
    return singular, plural or singular


def noun_and_kind(name: str, domain: Domain) -> tuple[str, str, str]:
    """Singular, plural and a kind that it names."""
    if name == "forest":
        return "patch of forest", "patches of forest", name
    kind, plural = NOUNS_BY_HAND[name]
    return name, plural, min(NAMED_KINDS[domain].get(name, {kind}))


@pytest.mark.parametrize("case", CHANGE_CASES, ids=lambda case: f"{case.clauses[0].partition(' | ')[0]}, {case.kinds}")
def test_changes(case: ChangeCase):
    clauses, verbs = ([in_both_numbers(phrase) for phrase in phrases] for phrases in (case.clauses, case.verbs))
    for singular, plural, kind in (noun_and_kind(name, case.domain) for name in case.kinds.split()):
        fitting, decoys = (kind, *case.holds), [(kind, *turn) for turn in case.decoys]
        none = row_of(*decoys, domain=case.domain)
        one = row_of(*decoys, fitting, domain=case.domain)
        two = row_of(fitting, *decoys, fitting, domain=case.domain)
        last = len(decoys) + 1
        sentences = [(f"the {singular} {of_one}", f"the {plural} {of_several}") for of_one, of_several in clauses]
        sentences += [(f"a {singular} {of_one}", f"two {plural} {of_several}") for of_one, of_several in verbs]
        for of_one, of_two in sentences:
            assert none.things(of_one) == none.things(of_two) == ()
            assert one.things(of_one) == (last,)
            assert one.things(of_two) == two.things(of_one) == ()
            assert two.things(of_two) == (1, last + 1)
        for of_one, _ in clauses:
            assert two.things(f"every {singular} {of_one}") == (1, last + 1)


def test_every_change_of_the_page_is_tested():
    """The cases above hold every clause and verb of the page's tables, and nothing else."""
    section = PAGE.read_text(encoding="utf-8").split("## Changes")[1].split("## Positions")[0]
    rows = [row.strip("|").split("|") for row in section.splitlines() if row.startswith("| ")]
    listed = set()
    for row in rows:
        for cell in row[-2:]:
            without_notes = re.sub(r"\([^)]*\)", "", cell)
            listed |= {phrase.strip() for phrase in without_notes.split(";")}
    listed -= {"–", "clause in form A", "verb in form B"}
    tested = {phrase.partition(" | ")[0] for case in CHANGE_CASES for phrase in (*case.clauses, *case.verbs)}
    assert tested == listed


def test_newly_built():
    pair = draw(new("house", 30, 30, "red"), new("house", 90, 30, "grey"), kept("house", 60, 90, "red"))
    assert pair.things("the newly built house with a red roof") == (1,)
    assert pair.things("the newly built red-roofed house in the left half of the image") == (1,)
    assert pair.things("the rightmost newly built building") == (2,)
    assert pair.things("all the newly built houses") == (1, 2)
    assert pair.things("every newly built house in the right half") == (2,)
