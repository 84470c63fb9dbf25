# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The vocabulary of the sentence writer. `docs/synthetic_language.md` defines what the words mean."""

from dataclasses import dataclass

from dataset_scripts.synthesis.scene import ChangeType, State

from .observation import Sighting


Forms = tuple[str, str]  # Singular, plural

_REGULAR = (
    *("warehouse", "greenhouse", "car", "truck", "bicycle", "tree", "sign", "door", "lamp", "chair", "table", "plant"),
    *("picture", "bag", "pond", "field", "road", "building"),
)
NOUNS: dict[str, tuple[Forms, ...]] = {
    **{kind: ((kind, kind + "s"),) for kind in _REGULAR},
    "house": (("house", "houses"), ("house", "houses"), ("villa", "villas")),
    "bus": (("bus", "buses"),),
    "box": (("box", "boxes"),),
    "bench": (("bench", "benches"),),
    "shelf": (("shelf", "shelves"),),
    "person": (("person", "people"),),
    "bin": (("bin", "bins"), ("trash bin", "trash bins")),
    "pool": (("pool", "pools"), ("swimming pool", "swimming pools")),
    "field": (("field", "fields"), ("patch of cropland", "patches of cropland")),
    "forest": (("patch of forest", "patches of forest"), ("patch of woodland", "patches of woodland")),
}
BUILDINGS = frozenset(("house", "warehouse", "greenhouse", "building"))
VEHICLES = frozenset(("car", "truck", "bus"))
# Nouns that cover several kinds, by domain.
GROUPS: dict[str, tuple[tuple[Forms, frozenset[str]], ...]] = {
    "RS": (
        (("building", "buildings"), frozenset(("house", "warehouse", "greenhouse"))),
        (("vehicle", "vehicles"), VEHICLES),
    ),
    "NS": ((("vehicle", "vehicles"), VEHICLES),),
}
# Colours that can look alike under different light.
CONFUSABLE = frozenset(
    frozenset(pair)
    for pair in (
        ("white", "grey"),
        ("grey", "black"),
        ("red", "orange"),
        ("orange", "yellow"),
        ("brown", "red"),
        ("brown", "orange"),
        ("brown", "black"),
        ("brown", "grey"),
        ("blue", "purple"),
        ("pink", "red"),
        ("pink", "purple"),
        ("yellow", "white"),
        ("green", "blue"),
    )
)
# Phrase → columns and rows of the 3 x 3 grid (0, 1, 2).
CELLS: dict[str, tuple[int, int]] = {
    "in the top-left corner": (0, 0),
    "at the top center": (1, 0),
    "in the top-right corner": (2, 0),
    "on the left, at mid-height": (0, 1),
    "in the center": (1, 1),
    "on the right, at mid-height": (2, 1),
    "in the bottom-left corner": (0, 2),
    "at the bottom center": (1, 2),
    "in the bottom-right corner": (2, 2),
}
# Phrase → axis (0 x, 1 y), and whether it is the second half (right or lower).
HALVES: dict[str, tuple[int, bool]] = {
    "in the left half": (0, False),
    "in the right half": (0, True),
    "in the upper half": (1, False),
    "in the lower half": (1, True),
}
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}
NEAR = ("next to", "beside", "close to", "near")
# Phrase → axis and sign of the difference from the landmark to the thing.
DIRECTIONS: dict[str, tuple[int, int]] = {
    "to the left of": (0, -1),
    "to the right of": (0, 1),
    "above": (1, -1),
    "below": (1, 1),
}


@dataclass(frozen=True)
class Meaning:
    """
    The meaning of change clauses, with the clauses that express it.

    Args:
        change (`ChangeType`): The type of change.
        clauses (`tuple[Forms, ...]`): Clauses after a noun ("that was built"), singular and plural.
        verbs (`tuple[Forms, ...]`): Verbs of a statement ("has been built"), singular and plural; may be empty.
        before, after (`frozenset[str]`, *optional*): Required conditions at t1 and t2; `None` for any.
        colors (`tuple[str, str]`, *optional*): Required colours at t1 ("" for any other colour) and t2.
        needs_color (`bool`): Whether the clause states a change of colour.
        generic (`bool`): Whether the clause only states that something changed ("that changed"), which may also be
            understood as an appearance or disappearance.
    """

    change: ChangeType
    clauses: tuple[Forms, ...]
    verbs: tuple[Forms, ...] = ()
    before: frozenset[str] | None = None
    after: frozenset[str] | None = None
    colors: tuple[str, str] | None = None
    needs_color: bool = False
    generic: bool = False

    def holds(self, sighting: Sighting) -> bool:
        """Whether it is true of a thing. Does not check the kind."""
        if sighting.change != self.change:
            return False
        if self.change != "state_change":
            return True
        before, after = sighting.before or State(), sighting.after or State()
        if self.needs_color and before.color == after.color:
            return False
        if self.colors is not None and (self.colors[0] not in ("", before.color) or self.colors[1] != after.color):
            return False
        if (self.before or self.after) and before.condition == after.condition:
            return False
        fits_before = self.before is None or before.condition in self.before
        return fits_before and (self.after is None or after.condition in self.after)


def _passive(*participles: str) -> tuple[Forms, ...]:
    """`that was built`, `that has been built` and their plurals."""
    return tuple(
        forms
        for participle in participles
        for forms in (
            (f"that was {participle}", f"that were {participle}"),
            (f"that has been {participle}", f"that have been {participle}"),
        )
    )


def _simple(*texts: str) -> tuple[Forms, ...]:
    return tuple((text, text) for text in texts)


def _been(*participles: str) -> tuple[Forms, ...]:
    return tuple((f"has been {participle}", f"have been {participle}") for participle in participles)


_APPEAR = Meaning(
    "appear",
    (
        *_simple("that appeared", "that showed up", "that can only be seen in the later image"),
        *_simple("that can only be seen in the second image"),
        ("that was added", "that were added"),
        ("that is new in the second image", "that are new in the second image"),
        ("that is new in the later image", "that are new in the later image"),
    ),
    (("has appeared", "have appeared"), *_been("added")),
)
_DISAPPEAR = Meaning(
    "disappear",
    (
        *_simple("that disappeared", "that can only be seen in the earlier image"),
        *_simple("that can only be seen in the first image"),
        ("that was removed", "that were removed"),
        ("that is gone in the later image", "that are gone in the later image"),
        ("that is gone in the second image", "that are gone in the second image"),
    ),
    (("has disappeared", "have disappeared"), *_been("removed")),
)
_BUILT = Meaning(
    "appear",
    (
        ("that was newly built", "that were newly built"),
        ("that has been built", "that have been built"),
        ("that has been constructed", "that have been constructed"),
    ),
    (*_been("built", "constructed"), ("is built", "are built")),
)
_PLANTED = Meaning("appear", _passive("planted"), _been("planted"))
_ARRIVED = Meaning(
    "appear", (*_simple("that arrived"), ("that has arrived", "that have arrived")), (("has arrived", "have arrived"),)
)
_DEMOLISHED = Meaning(
    "disappear",
    (("that was demolished", "that were demolished"), ("that was torn down", "that were torn down")),
    _been("demolished", "torn down"),
)
_CUT = Meaning("disappear", _passive("cut down"), _been("cut down"))
_LEFT = Meaning(
    "disappear", (*_simple("that left"), ("that has left", "that have left")), (("has left", "have left"),)
)
_CHANGED = Meaning(
    "state_change",
    (*_simple("that changed"), ("that looks different in the later image", "that look different in the later image")),
    generic=True,
)


def _condition(after: str, before: str, clauses: tuple[Forms, ...], verbs: tuple[Forms, ...] = ()) -> Meaning:
    """Builds the meaning of a change of condition. Conditions are separated by spaces; "" means any."""
    return Meaning(
        "state_change",
        clauses,
        verbs,
        before=frozenset(before.split()) if before else None,
        after=frozenset(after.split()),
    )


_WAS_OPENED = _condition(
    "open",
    "closed",
    (
        ("that was opened", "that were opened"),
        ("that is open in the later image", "that are open in the later image"),
    ),
    _been("opened"),
)
_WAS_CLOSED = _condition(
    "closed",
    "open",
    (
        ("that was closed", "that were closed"),
        ("that is closed in the later image", "that are closed in the later image"),
    ),
    _been("closed"),
)
_CONDITIONS: dict[str, tuple[Meaning, ...]] = {
    "road": (_condition("paved", "dirt", _passive("paved"), _been("paved")),),
    "field": (
        _condition("ploughed", "", _passive("ploughed"), _been("ploughed")),
        _condition(
            "bare",
            "",
            (
                ("that is no longer farmed in the later image", "that are no longer farmed in the later image"),
                ("that was converted to another use", "that were converted to another use"),
            ),
            (("is no longer farmed", "are no longer farmed"),),
        ),
        _condition("green", "", _simple("that turned green"), (("has turned green", "have turned green"),)),
        _condition("ripe", "", _simple("that ripened"), (("has ripened", "have ripened"),)),
    ),
    "pond": (
        _condition(
            "dry",
            "full low",
            (*_simple("that dried up"), ("that has dried up", "that have dried up")),
            (("has dried up", "have dried up"),),
        ),
        _condition(
            "low",
            "full",
            (
                ("whose water level fell", "whose water levels fell"),
                ("whose water level dropped", "whose water levels dropped"),
            ),
        ),
        _condition("full", "low", (("whose water level rose", "whose water levels rose"),)),
        _condition(
            "low full",
            "dry",
            _simple("that filled with water"),
            (("has filled with water", "have filled with water"),),
        ),
    ),
    "pool": (
        _condition("empty", "full", _passive("drained"), _been("drained")),
        _condition("full", "empty", _passive("filled"), _been("filled")),
    ),
    "door": (_WAS_OPENED, _WAS_CLOSED),
    "box": (_WAS_OPENED, _WAS_CLOSED),
    "lamp": (
        _condition(
            "on",
            "off",
            (
                ("that was switched on", "that were switched on"),
                ("that is lit in the later image", "that are lit in the later image"),
            ),
            _been("switched on"),
        ),
        _condition("off", "on", (("that was switched off", "that were switched off"),), _been("switched off")),
    ),
}
_REPAINTED = frozenset(("building", "sign"))


def _recolored(kind: str, domain: str, before: str, after: str) -> tuple[Meaning, ...]:
    """Returns the meanings that describe a change of colour of a thing of this kind."""
    if kind == "house" and domain == "RS":
        change = f"changed from {before} to {after}"
        said: tuple[tuple[Forms, ...], ...] = (
            ((f"whose roof {change}", f"whose roofs {change}"),),
            ((f"whose roof turned {after}", f"whose roofs turned {after}"),),
        )
    else:
        said = (_simple(f"that changed from {before} to {after}"), _simple(f"that turned {after}"))
    turned = (("has turned " + after, "have turned " + after),) if kind != "house" or domain != "RS" else ()
    meanings = [
        Meaning("state_change", said[0], colors=(before, after), needs_color=True),
        Meaning("state_change", said[1], turned, colors=("", after), needs_color=True),
    ]
    if kind in _REPAINTED:
        meanings.append(
            Meaning(
                "state_change",
                (("that was repainted", "that were repainted"),),
                _been("repainted"),
                needs_color=True,
            )
        )
        clause = ((f"that was repainted {after}", f"that were repainted {after}"),)
        meanings.append(Meaning("state_change", clause, colors=("", after), needs_color=True))
    return tuple(meanings)


def meanings_of(sighting: Sighting, kinds: frozenset[str], domain: str) -> list[Meaning]:
    """
    Returns the meanings that are true of a changed thing and can follow a noun for `kinds`.

    Args:
        sighting (`Sighting`): A changed thing.
        kinds (`frozenset[str]`): The kinds that the noun covers, including that of the thing.
        domain (`str`): "NS" or "RS".

    Returns:
        `list[Meaning]`: From general to specific. Empty for a change of state under a noun that covers several kinds.
    """
    if sighting.change in ("appear", "disappear"):
        return general_meanings(sighting.change, kinds)
    if len(kinds) > 1:
        return []
    before, after = sighting.before or State(), sighting.after or State()
    meanings = [_CHANGED, *_CONDITIONS.get(sighting.kind, ())]
    if before.color and after.color and before.color != after.color:
        meanings += _recolored(sighting.kind, domain, before.color, after.color)
    return [meaning for meaning in meanings if meaning.holds(sighting)]


def general_meanings(change: ChangeType, kinds: frozenset[str]) -> list[Meaning]:
    """Returns the meanings of appearance or disappearance that apply to all of the kinds."""
    moving = VEHICLES | {"bicycle", "person"}
    if change == "appear":
        special = (
            (BUILDINGS | {"pool", "road"}, _BUILT),
            (frozenset(("tree", "forest")), _PLANTED),
            (moving, _ARRIVED),
        )
        general = _APPEAR
    else:
        special = ((BUILDINGS, _DEMOLISHED), (frozenset(("tree", "forest")), _CUT), (moving, _LEFT))
        general = _DISAPPEAR
    return [general, *(meaning for suited, meaning in special if kinds <= suited)]


def conditions_of(kind: str) -> tuple[Meaning, ...]:
    """Returns the meanings of all changes of condition of a kind."""
    return _CONDITIONS.get(kind, ())
