# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Nouns for the categories of instance datasets, and facts about these kinds of objects."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Literal, TypeAlias

from dataset_scripts.synthesis.language.lexicon import GROUPS, NOUNS, VEHICLES, Forms


Support: TypeAlias = Literal["ground", "table", "flat", "raised"]

# Categories of COCO, NWPU VHR-10, iSAID and Pascal VOC that have another name in the generator's vocabulary.
_RENAMED = {
    **dict.fromkeys(("aeroplane", "plane", "aircraft"), "airplane"),
    **dict.fromkeys(("dining table", "diningtable"), "table"),
    **dict.fromkeys(("potted plant", "pottedplant"), "plant"),
    **dict.fromkeys(("tv", "tvmonitor"), "television"),
    "motorbike": "motorcycle",
    "sofa": "couch",
    "swimming pool": "pool",
}

# Kind → nouns, singular and plural, for kinds that the generator never paints.
_MORE_NOUNS: dict[str, tuple[Forms, ...]] = {
    "airplane": (("airplane", "airplanes"), ("plane", "planes"), ("aircraft", "aircraft")),
    "baseball diamond": (("baseball diamond", "baseball diamonds"), ("baseball field", "baseball fields")),
    "bus": (("bus", "buses"),),
    "cell phone": (("cell phone", "cell phones"), ("phone", "phones")),
    "couch": (("couch", "couches"), ("sofa", "sofas")),
    "cow": (("cow", "cows"),),
    "ground track field": (("ground track field", "ground track fields"), ("running track", "running tracks")),
    "knife": (("knife", "knives"),),
    "motorcycle": (("motorcycle", "motorcycles"), ("motorbike", "motorbikes")),
    "mouse": (("computer mouse", "computer mice"),),
    "refrigerator": (("refrigerator", "refrigerators"), ("fridge", "fridges")),
    "remote": (("remote control", "remote controls"),),
    "scissors": (("pair of scissors", "pairs of scissors"),),
    "sheep": (("sheep", "sheep"),),
    "ship": (("ship", "ships"), ("ship", "ships"), ("boat", "boats")),
    "skis": (("pair of skis", "pairs of skis"),),
    "storage tank": (("storage tank", "storage tanks"), ("tank", "tanks")),
    "television": (("television", "televisions"), ("TV", "TVs")),
    "broccoli": (("piece of broccoli", "pieces of broccoli"),),
    "orange": (("orange", "oranges"),),
}
_ANIMALS = frozenset(("dog", "cat", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "bird"))
_COURTS = frozenset(("tennis court", "basketball court"))


@dataclass(frozen=True)
class Trait:
    """
    Facts about a kind of object.

    Args:
        extent (`float`): Usual size in metres: the height if it stands on the ground, else the longest side.
        support (`str`): "ground" or "table", on which it stands, "flat" if it lies on the ground as a part of it, or
            "raised" if it rises from the ground and is seen from above.
        height (`float`, *optional*, defaults to 0.0): Seen from above: its height as a share of the extent.
        is_slim (`bool`, *optional*, defaults to `False`): Whether it is much higher than wide when seen in full.
        is_sized (`bool`, *optional*, defaults to `False`): Seen from above: whether most have about the same size.
    """

    extent: float
    support: Support
    height: float = 0.0
    is_slim: bool = False
    is_sized: bool = False


def _standing(support: Support, extents: dict[str, float]) -> dict[str, Trait]:
    return {kind: Trait(extent, support, is_slim=kind == "person") for kind, extent in extents.items()}


# Kinds that can be inserted into other images, by domain.
TRAITS: dict[str, dict[str, Trait]] = {
    "NS": {
        **_standing(
            "ground",
            {
                "person": 1.7,
                "bicycle": 1.05,
                "car": 1.5,
                "motorcycle": 1.15,
                "bus": 3.0,
                "truck": 2.8,
                "bench": 0.85,
                "dog": 0.6,
                "cat": 0.3,
                "horse": 1.6,
                "sheep": 0.85,
                "cow": 1.45,
                "bear": 1.2,
                "elephant": 2.8,
                "zebra": 1.4,
                "giraffe": 4.5,
                "backpack": 0.5,
                "suitcase": 0.65,
                "chair": 0.9,
                "fire hydrant": 0.75,
                "parking meter": 1.4,
                "bird": 0.25,
                "sports ball": 0.22,
                "plant": 0.7,
                "handbag": 0.35,
                "couch": 0.85,
            },
        ),
        **_standing(
            "table",
            {
                "bottle": 0.25,
                "wine glass": 0.2,
                "cup": 0.11,
                "bowl": 0.17,
                "vase": 0.28,
                "laptop": 0.36,
                "banana": 0.19,
                "apple": 0.08,
                "orange": 0.08,
                "donut": 0.09,
                "cake": 0.2,
                "sandwich": 0.15,
                "hot dog": 0.16,
                "broccoli": 0.1,
                "carrot": 0.13,
                "cell phone": 0.13,
                "remote": 0.17,
                "pizza": 0.3,
                "mouse": 0.11,
                "keyboard": 0.42,
                "scissors": 0.18,
                "toaster": 0.3,
                "teddy bear": 0.3,
                "book": 0.24,
                "spoon": 0.17,
                "fork": 0.19,
                "knife": 0.21,
            },
        ),
    },
    "RS": {
        "airplane": Trait(40, "raised", 0.12, is_sized=True),
        "ship": Trait(50, "raised", 0.06),
        "vehicle": Trait(5.2, "raised", 0.3, is_sized=True),
        "car": Trait(4.8, "raised", 0.3, is_sized=True),
        "truck": Trait(9, "raised", 0.3, is_sized=True),
        "bus": Trait(12, "raised", 0.25, is_sized=True),
        "storage tank": Trait(32, "raised", 0.3),
        "building": Trait(20, "raised", 0.22),
        "house": Trait(16, "raised", 0.3),
        "tennis court": Trait(34, "flat", is_sized=True),
        "basketball court": Trait(28, "flat", is_sized=True),
        "baseball diamond": Trait(60, "flat"),
        "pool": Trait(10, "flat"),
    },
}
# Kinds on streets without annotations.
STREET_KINDS = frozenset(("person", "bicycle", "car", "motorcycle", "bus", "truck", "dog", "suitcase"))
# Kinds that support or block other objects, and so are never removed alone.
ROOTED = frozenset(
    (
        *("table", "bed", "sink", "oven", "train", "traffic light", "bridge", "harbor", "ground track field"),
        *("tie", "umbrella", "skis", "snowboard", "surfboard", "skateboard", "baseball glove", "baseball bat"),
        *("tennis racket", "kite"),
    )
)
# Kinds that exist in all colours.
PAINTED = frozenset(
    (
        *("car", "truck", "bus", "chair", "umbrella", "boat", "backpack", "suitcase", "bottle", "cup", "bowl", "vase"),
        *("handbag", "couch", "book", "motorcycle", "bench", "kite", "surfboard", "building", "house", "ship"),
        *("vehicle", "storage tank", "tennis court", "basketball court"),
    )
)
# Kinds that are not distinguished by colour, and those with their own set of colours.
COLORLESS = frozenset(
    (
        *("elephant", "zebra", "giraffe", "bear", "sheep", "cow", "bird", "bridge", "harbor", "ground track field"),
        *("baseball diamond", "pizza", "sandwich", "hot dog", "cake", "donut", "broccoli", "carrot", "orange"),
        *("banana", "apple", "television", "plant", "food"),
    )
)
# The colours of people are those of their clothes, not of skin and hair.
CLOTHES_COLORS = frozenset(("white", "red", "orange", "yellow", "green", "blue", "purple", "pink"))
# A kind, and other kinds that may be called the same. If an image shows both, no sentence mentions either.
_GENERAL_KINDS: dict[str, frozenset[str]] = {
    "vehicle": VEHICLES | {"motorcycle", "small vehicle", "large vehicle"},
    "building": frozenset(("house", "warehouse", "greenhouse")),
    "airplane": frozenset(("helicopter",)),  # Both are aircraft.
    "ship": frozenset(("boat",)),
    "sign": frozenset(("stop sign",)),
}
# Kinds that are not called by the nouns of others, except for those above. Of any other kind, which may be an "suv",
# nobody knows whether it is a car.
KNOWN_KINDS = frozenset(
    (
        *NOUNS,
        *_MORE_NOUNS,
        *(kind for traits in TRAITS.values() for kind in traits),
        *(ROOTED | PAINTED | COLORLESS),
        *("stop sign", "frisbee", "toilet", "microwave", "clock", "hair drier", "toothbrush", "snowboard"),
    )
)


def unclear_kinds(kinds: Set[str]) -> frozenset[str]:
    """Kinds in an image that can be mistaken for one another."""
    unclear: set[str] = set()
    for general, special in _GENERAL_KINDS.items():
        if general in kinds and special & kinds:
            unclear |= {general} | (special & kinds)
    return frozenset(unclear)


def kind_of(category: str) -> str:
    """
    The kind of a category.

    Args:
        category (`str`): Name in the annotations: "storage_tank", "dining table".

    Returns:
        `str`: In lower case, with spaces: "storage tank", "table".
    """
    name = " ".join(category.lower().replace("_", " ").replace("-", " ").split())
    return _RENAMED.get(name, name)


def nouns_for(kinds: frozenset[str]) -> dict[str, tuple[Forms, ...]]:
    """The nouns of the generator's lexicon and of all these kinds; an unknown one is called by its name."""
    return {**NOUNS, **{kind: (_regular(kind),) for kind in kinds - NOUNS.keys()}, **_MORE_NOUNS}


def _regular(kind: str) -> Forms:
    if kind.endswith(("s", "x", "ch", "sh")):
        return kind, kind + "es"
    if kind.endswith("y") and kind[-2:-1] not in "aeiou":
        return kind, kind[:-1] + "ies"
    return kind, kind + "s"


def groups_for(kinds: Set[str]) -> dict[str, tuple[tuple[Forms, frozenset[str]], ...]]:
    """Words that name several kinds, by domain; none if an unknown kind might be one of them."""
    return COMPOSED_GROUPS if kinds <= KNOWN_KINDS else dict.fromkeys(COMPOSED_GROUPS, ())


# Words that name several kinds, by domain.
COMPOSED_GROUPS: dict[str, tuple[tuple[Forms, frozenset[str]], ...]] = {
    "RS": (*GROUPS["RS"], (("sports court", "sports courts"), _COURTS)),
    "NS": ((("vehicle", "vehicles"), VEHICLES | {"motorcycle"}), (("animal", "animals"), _ANIMALS)),
}
