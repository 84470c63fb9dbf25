# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Synonyms for places in the image, relations, ranks, quantities and colours.

The keys are the words of the generator's language. Each synonym belongs to one key only.
"""

from .nouns import Words, listed


def _words(train: str, reworded: str) -> Words:
    return {"train": listed(train), "reworded": listed(reworded)}


def _corner(row: str, side: str) -> Words:
    """Returns the words for a corner; `row` is "top" or "bottom", `side` is "left" or "right"."""
    high, near, end = ("upper", "up", "top") if row == "top" else ("lower", "down", "bottom")
    train = (
        f"in the {high}-{side} corner, in the {row} {side} corner, in the {high} {side} corner, at the {row} {side}, "
        f"in the {high} {side}, in the {row} {side}, in the {row} {side}-hand corner, towards the {row} {side}, "
        f"towards the {high} {side}, {near} in the {side} corner, on the {row} {side}, {row} {side}, {high} {side}, "
        f"{row}-{side}, in the {side} corner at the {end}, near the {row} {side} corner, over in the {row} {side}, "
        f"at the {row}-{side} corner, in the {row}-{side} part, in the {high} {side}-hand corner, "
        f"{near} at the {row} {side}"
    )
    reworded = (
        f"in the {high} {side} quadrant, in the {row} {side} zone, within the {row} {side} corner, "
        f"in the {row} {side} region, where the {row} and {side} borders meet"
    )
    return _words(train, reworded)


def _middle_of_row(row: str) -> Words:
    high = "upper" if row == "top" else "lower"
    return _words(
        f"at the {row} in the middle, in the {row} middle, in the {high} middle, at the {row} centre, "
        f"at the {row} center, "
        f"in the middle at the {row}, {row} middle, {row} centre, {high} centre, in the middle of the {row}, "
        f"in the {row} centre, halfway along the {row}, {row} center, in the {high} center, "
        f"in the middle of the {row} edge, "
        f"towards the {row} in the middle",
        f"centrally at the {row}, midway along the {row} border, in the {row} central zone, "
        f"in the {row} central region",
    )


def _middle_of_column(side: str) -> Words:
    return _words(
        "in the middle left, on the left halfway up, halfway down on the left, middle left, mid-left, "
        "on the left in the middle, at mid-height on the left, on the left-hand side halfway up, centre left, "
        "center left, "
        "halfway up the left edge, halfway down the left side, in the middle of the left edge, "
        "on the left side at mid-height, in the centre left".replace("left", side),
        "midway down the left border, in the left central zone, centrally along the left border, "
        "in the left central region".replace("left", side),
    )


def _half_of_width(side: str) -> Words:
    return _words(
        "in the left-hand half, on the left, on the left side, on the left-hand side, to the left, towards the left, "
        "towards the left edge, in the left part, left side, over on the left, left half, "
        "towards the left-hand side, at the left, in the left side".replace("left", side),
        "in the left portion, in the left section, left of the midline, within the left portion".replace("left", side),
    )


def _half_of_height(row: str) -> Words:
    end, near = ("top", "up") if row == "upper" else ("bottom", "down")
    return _words(
        f"in the {end} half, in the {row} part, in the {end} part, towards the {end}, {row} half, {end} half, "
        f"{near} in the {end} half, "
        f"{near} in the {row} half, on the {row} side, {row} part",
        f"in the {row} portion, in the {row} section, {'above' if near == 'up' else 'below'} the midline, "
        f"within the {row} portion",
    )


def _edge(row: str) -> Words:
    return _words(
        f"at the {row}, at the very {row}, along the {row} edge, along the {row}, {row}, near the {row}, "
        f"by the {row} edge, "
        f"at the {row} edge, on the {row} edge".replace("on the top edge", "on the top side"),
        f"right by the {row} border, along the {row} border, against the {row} border",
    )


PLACES: dict[str, Words] = {
    **{f"in the {row}-{side} corner": _corner(row, side) for row in ("top", "bottom") for side in ("left", "right")},
    "at the top center": _middle_of_row("top"),
    "at the bottom center": _middle_of_row("bottom"),
    "on the left, at mid-height": _middle_of_column("left"),
    "on the right, at mid-height": _middle_of_column("right"),
    "in the center": _words(
        "in the middle, in the centre, right in the middle, at the centre, at the center, middle, centre, "
        "in the very middle, center, around the centre, around the middle, in the middle part, right in the centre",
        "centrally, in the central zone, in the central region, dead centre, at the heart of the scene",
    ),
    "in the left half": _half_of_width("left"),
    "in the right half": _half_of_width("right"),
    "in the upper half": _half_of_height("upper"),
    "in the lower half": _half_of_height("lower"),
    "at the top of the scene": _edge("top"),
    "at the bottom of the scene": _edge("bottom"),
}
OF_THE_IMAGE = _words(
    "of the image, of the scene, of the picture, of the photo, of the view",
    "of the frame, of the shot, of the snapshot",
)
RELATIONS: dict[str, Words] = {
    "near": _words(
        "next to, beside, close to, near, by, right by, adjacent to, alongside, right next to, not far from, just by, "
        "close by, right beside, very close to, near to, right near",
        "in the vicinity of, neighbouring, in close proximity to, abutting, a short way from",
    ),
    "to the left of": _words(
        "to the left of, left of, on the left of, on the left side of, on the left-hand side of, further left than, "
        "just left of, to the left side of, directly left of",
        "leftwards of, leftward from, on the left flank of",
    ),
    "to the right of": _words(
        "to the right of, right of, on the right of, on the right side of, on the right-hand side of, "
        "further right than, "
        "just right of, to the right side of, directly right of",
        "rightwards of, rightward from, on the right flank of",
    ),
    "above": _words(
        "above, higher up than, further up than, up from, just above, directly above",
        "upwards of, upward from",
    ),
    "below": _words(
        "below, lower down than, further down than, down from, just below, directly below",
        "downwards of, downward from",
    ),
}
NEARNESS = ("next to", "beside", "close to", "near")
# Superlatives before a noun and, after "|", those after it.
SUPERLATIVES: dict[str, tuple[Words, Words]] = {
    "leftmost": (
        _words("left-most, furthest left, farthest left, most left", "extreme left"),
        _words(
            "furthest to the left, farthest to the left, closest to the left edge, that is furthest left, "
            "on the far left",
            "nearest the left border, at the extreme left",
        ),
    ),
    "rightmost": (
        _words("right-most, furthest right, farthest right, most right", "extreme right"),
        _words(
            "furthest to the right, farthest to the right, closest to the right edge, that is furthest right, "
            "on the far right",
            "nearest the right border, at the extreme right",
        ),
    ),
    "topmost": (
        _words("top-most, uppermost, highest, upper-most", "extreme top"),
        _words(
            "furthest to the top, furthest up, closest to the top edge, that is furthest up, farthest up",
            "nearest the top border, at the extreme top",
        ),
    ),
    "bottommost": (
        _words("bottom-most, lowermost, lowest, lower-most", "extreme bottom"),
        _words(
            "furthest to the bottom, furthest down, closest to the bottom edge, that is furthest down, farthest down",
            "nearest the bottom border, at the extreme bottom",
        ),
    ),
    "largest": (
        _words("biggest, very largest, greatest, very biggest", "bulkiest, most sizeable"),
        _words(
            "that is the biggest, that is the largest of all, that is bigger than the others",
            "that takes the most space",
        ),
    ),
    "smallest": (
        _words("tiniest, very smallest, littlest", "most compact"),
        _words(
            "that is the smallest of all, that is smaller than the others, that is the tiniest",
            "that takes the least space",
        ),
    ),
}
ORDINALS: dict[str, Words] = {"second": _words("2nd, second", ""), "third": _words("3rd, third", "")}
SIDES: dict[str, Words] = {
    f"from the {side}": _words(
        f"from the {side}, counting from the {side}, counted from the {side}, as seen from the {side}, "
        f"when counting from the {side}, starting from the {side}",
        f"from the {side} border, viewed from the {side}",
    )
    for side in ("left", "right", "top", "bottom")
}
# First words of a definite or indefinite noun phrase. "one" is exactly one thing, "all" is two or more, and "each" is
# one or more, with a singular noun.
DEFINITE: dict[str, Words] = {
    "one": _words("the, the, the, that, the one", "the"),
    "all": _words(
        "the, all the, all of the, all, any, those, every one of the, all these", "the, the various, the bunch of"
    ),
    "each": _words("every, each, every single, any, each single", "every, each and every"),
    "two": _words("the two, both, both of the, the 2, both the, two", "the two"),
    "three": _words("the three, all three, the 3, three, all 3", "the three, the trio of"),
    "four": _words("the four, all four, the 4, four, all 4", "the four, the quartet of"),
    "five": _words("the five, all five, the 5, five, all 5", "the five, the group of five"),
}
INDEFINITE: dict[str, Words] = {
    "one": _words("a, a, one, a single", "a, a, exactly one"),
    "all": _words("several, some, a few, a number of, multiple", "various, several, a bunch of"),
    "each": _words("a, one", "a"),
    "two": _words("two, 2, a couple of, two", "two, exactly two"),
    "three": _words("three, 3, three", "three, exactly three, a trio of"),
    "four": _words("four, 4, four", "four, exactly four"),
    "five": _words("five, 5, five", "five, exactly five"),
}
# Phrases for a colour: before a noun, of a roof, of clothes. C stands for the colour.
COLOR_BEFORE: dict[str, Words] = {
    "adjective": _words("C, C, C, C-coloured, C coloured", "C, C, C-hued"),
    "roof": _words("C-roofed", "C-topped"),
    "clothes": _words("", "C-clad"),
}
COLOR_AFTER: dict[str, Words] = {
    "adjective": _words("", ""),
    "roof": _words(
        "with a C roof, with the C roof, with a C rooftop, whose roof is C, that has a C roof, "
        "with a C-coloured roof, having a C roof, "
        "under a C roof",
        "topped with a C roof, sporting a C roof",
    ),
    "clothes": _words(
        "in C, wearing C, dressed in C, in C clothes, with C clothes, in a C outfit, who wears C, wearing C clothes, "
        "dressed in C clothes",
        "clad in C, sporting C, in C garments",
    ),
}
# British and American spelling.
SPELLINGS = {
    "grey": "gray",
    "centre": "center",
    "colour": "color",
    "coloured": "colored",
    "recoloured": "recolored",
    "plough": "plow",
    "ploughed": "plowed",
    "towards": "toward",
    "neighbouring": "neighboring",
    "levelled": "leveled",
    "pedalled": "pedaled",
    "materialise": "materialize",
    "materialised": "materialized",
    "harbour": "harbor",
    "aeroplane": "airplane",
    "multi-storey": "multi-story",
    "upwards": "upward",
    "downwards": "downward",
    "leftwards": "leftward",
    "rightwards": "rightward",
    "sizeable": "sizable",
}
