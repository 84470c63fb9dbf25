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
        f"{near} at the {row} {side}, in the {row} {side} area, in the {high} {side} area, "
        f"in the {row}-{side} sector, "
        f"in the {high} {side} sector, in the {side} {row} corner, in the corner at the {row} {side}, "
        f"close to the {row} {side} corner, by the {row} {side} corner, around the {row} {side} corner, "
        f"in the corner {near} on the {side}, {near} on the {side} in the corner, on the {high} {side}, "
        f"on the {high} {side} side, at the {high} {side}, {near} in the {row} {side}, {near} in the {high} {side}, "
        f"to the {row} {side}, to the {high} {side}, at {row} {side}, in {row} {side}, {high}-{side}, {side} {row}, "
        f"{row} {side} corner, {high} {side} corner, {row}-{side} corner, {high}-{side} corner, {row} {side} area, "
        f"{high} {side} area, {side} corner at the {row}, over at the {row} {side}, over by the {row} {side} corner, "
        f"at the {row} on the {side}, at the {row} of the {side} side, {near} on the {side}-hand side in the corner, "
        f"in the part at the {row} {side}, in the area at the {row} {side}"
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
        f"towards the {row} in the middle, in the {row} middle area, in the {row} centre area, "
        f"in the {row} center area, in the {row} middle part, in the {high} middle part, "
        f"in the middle area at the {row}, at {row} centre, at {row} center, at {row} middle, {high} middle, "
        f"{high} center, centre {row}, center {row}, middle {row}, in the middle along the {row}, "
        f"in the centre along the {row}, halfway along the {row} edge, halfway along the {row} side, "
        f"in the middle of the {row} side, in the middle of the {row} part, in the centre of the {row} part, "
        f"at the {row} halfway across, halfway across the {row}, "
        f"in the middle near the {row}, in the middle by the {row} edge, at the middle of the {row} edge, "
        f"in the {row} sector in the middle",
        f"centrally at the {row}, midway along the {row} border, in the {row} central zone, "
        f"in the {row} central region",
    )


def _middle_of_column(side: str) -> Words:
    return _words(
        "in the middle left, on the left halfway up, halfway down on the left, middle left, mid-left, "
        "on the left in the middle, at mid-height on the left, on the left-hand side halfway up, centre left, "
        "center left, "
        "halfway up the left edge, halfway down the left side, in the middle of the left edge, "
        "on the left side at mid-height, in the centre left, in the middle left area, in the centre left area, "
        "in the center left area, in the center left, in the middle left part, in the left middle, left middle, "
        "left centre, left center, mid left, middle on the left, at the left in the middle, at the left halfway up, "
        "halfway up on the left, halfway up the left side, halfway down the left edge, halfway up at the left, "
        "in the middle on the left, in the middle of the left side, at the middle of the left edge, "
        "at medium height on the left, on the left at medium height, on the left side halfway up, "
        "on the left side halfway down, on the left halfway down, on the left-hand side halfway down, "
        "on the left-hand side at mid-height, on the left-hand side in the middle, at the left edge halfway up, "
        "by the left edge halfway up, towards the left in the middle, in the left sector at mid-height".replace(
            "left", side
        ),
        "midway down the left border, in the left central zone, centrally along the left border, "
        "in the left central region".replace("left", side),
    )


def _half_of_width(side: str) -> Words:
    return _words(
        "in the left-hand half, on the left, on the left side, on the left-hand side, to the left, towards the left, "
        "towards the left edge, in the left part, left side, over on the left, left half, "
        "towards the left-hand side, at the left, in the left side, in the left area, in the left-hand area, "
        "in the left-hand part, in the left sector, on the left-hand half, on the left half, left-hand side, "
        "left-hand half, left part, left area, to the left side, to the left-hand side, over to the left, "
        "over at the left, over on the left side, over on the left-hand side, somewhere on the left, "
        "somewhere in the left half, somewhere on the left side, anywhere on the left, on the left part, "
        "towards the left side, more to the left, left of the middle, left of the centre, left of the center, "
        "on the left of the middle, to the left of the middle, to the left of the centre, "
        "in the half on the left, in the area on the left".replace("left", side),
        "in the left portion, in the left section, left of the midline, within the left portion".replace("left", side),
    )


def _half_of_height(row: str) -> Words:
    end, near = ("top", "up") if row == "upper" else ("bottom", "down")
    return _words(
        f"in the {end} half, in the {row} part, in the {end} part, towards the {end}, {row} half, {end} half, "
        f"{near} in the {end} half, "
        f"{near} in the {row} half, on the {row} side, {row} part, in the {row} area, in the {end} area, "
        f"in the {row} sector, {end} part, {row} area, {end} area, {row} side, {near} in the {row} part, "
        f"somewhere in the {row} half, somewhere in the {end} half, somewhere in the {row} part, "
        f"on the {row} half, on the {end} half, at the {end} half, at the {row} half, over in the {row} half, "
        f"over in the {end} half, towards the {row} side, towards the {row} part, more to the {end}, "
        f"{'higher' if near == 'up' else 'lower'} than the middle, "
        f"{'further up' if near == 'up' else 'further down'} than the middle, {near} from the middle, "
        f"in the half at the {end}, in the area at the {end}, anywhere in the {row} half",
        f"in the {row} portion, in the {row} section, {'above' if near == 'up' else 'below'} the midline, "
        f"within the {row} portion",
    )


def _edge(row: str) -> Words:
    return _words(
        f"at the {row}, at the very {row}, along the {row} edge, along the {row}, {row}, near the {row}, "
        f"by the {row} edge, "
        f"at the {row} edge, on the {row} side, at the {row} side, along the {row} side, right at the {row}, "
        f"right by the {row}, by the {row}, close to the {row}, close to the {row} edge, near the {row} edge, "
        f"around the {row}, next to the {row} edge, {row} edge, over by the {row} edge, beside the {row} edge, "
        f"very near the {row}",
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
        "in the very middle, center, around the centre, around the middle, in the middle part, right in the centre, "
        "in the middle area, in the centre area, in the center area, in the middle sector, right in the center, "
        "around the center, right at the middle, right at the centre, in the very centre, in the very center, "
        "at the very centre, at the very middle, at the middle, about in the middle, more or less in the middle, "
        "roughly in the middle, near the middle, near the centre, near the center, close to the middle, "
        "close to the centre, mid-image, smack in the middle, plumb in the middle, "
        "middle part, middle area, centre area, center area, in the center part, "
        "in the centre part, somewhere in the middle, over in the middle, towards the middle, towards the centre",
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
    "of the image, of the scene, of the picture, of the photo, of the view, of the photograph, of this image, "
    "of this scene, of the images, of the two images, of both images",
    "of the frame, of the shot, of the snapshot",
)
RELATIONS: dict[str, Words] = {
    "near": _words(
        "next to, beside, close to, near, by, right by, adjacent to, alongside, right next to, not far from, just by, "
        "close by, right beside, very close to, near to, right near, just beside, just next to, close beside, "
        "immediately next to, immediately beside, very near, very near to, quite close to, quite near, rather near, "
        "fairly close to, next door to, by the side of, at the side of, side by side with, "
        "a stone's throw from, a few steps from, a step away from, not far away from, at a small distance from, "
        "only a small distance from, a little distance from, hard by, over by, up close to, "
        "situated next to, situated beside, situated near, situated close to, situated by",
        "in the vicinity of, neighbouring, in close proximity to, abutting, a short way from",
    ),
    "to the left of": _words(
        "to the left of, left of, on the left of, on the left side of, on the left-hand side of, further left than, "
        "just left of, to the left side of, directly left of, farther left than, further to the left than, "
        "farther to the left than, more to the left than, more left than, immediately left of, "
        "immediately to the left of, just to the left of, directly to the left of, somewhere left of, "
        "somewhere to the left of, situated left of, situated to the left of, situated on the left of, "
        "over to the left of, a bit left of, a bit to the left of, a little to the left of, "
        "to the left-hand side of, at the left side of, at the left of, closer to the left edge than, "
        "nearer the left edge than, nearer to the left than",
        "leftwards of, leftward from, on the left flank of",
    ),
    "to the right of": _words(
        "to the right of, right of, on the right of, on the right side of, on the right-hand side of, "
        "further right than, "
        "just right of, to the right side of, directly right of, farther right than, further to the right than, "
        "farther to the right than, more to the right than, more right than, immediately right of, "
        "immediately to the right of, just to the right of, directly to the right of, somewhere right of, "
        "somewhere to the right of, situated right of, situated to the right of, situated on the right of, "
        "over to the right of, a bit right of, a bit to the right of, a little to the right of, "
        "to the right-hand side of, at the right side of, at the right of, closer to the right edge than, "
        "nearer the right edge than, nearer to the right than",
        "rightwards of, rightward from, on the right flank of",
    ),
    "above": _words(
        "above, higher up than, further up than, up from, just above, directly above, higher than, "
        "farther up than, somewhere above, immediately above, right above, straight above, vertically above, "
        "situated above, situated higher than, a bit above, a little above, at a higher place than, "
        "closer to the top than, closer to the top edge than, nearer the top than, nearer to the top than, "
        "higher in the image than, further up in the image than, more to the top than, further to the top than",
        "upwards of, upward from",
    ),
    "below": _words(
        "below, lower down than, further down than, down from, just below, directly below, lower than, "
        "farther down than, somewhere below, immediately below, right below, straight below, vertically below, "
        "situated below, situated lower than, a bit below, a little below, at a lower place than, "
        "closer to the bottom than, closer to the bottom edge than, nearer the bottom than, "
        "nearer to the bottom than, lower in the image than, further down in the image than, "
        "more to the bottom than, further to the bottom than",
        "downwards of, downward from",
    ),
}
NEARNESS = ("next to", "beside", "close to", "near")
# Superlatives before a noun and, after "|", those after it.
SUPERLATIVES: dict[str, tuple[Words, Words]] = {
    "leftmost": (
        _words(
            "left-most, furthest left, farthest left, most left, very leftmost, far left, "
            "furthest-left, farthest-left",
            "extreme left",
        ),
        _words(
            "furthest to the left, farthest to the left, closest to the left edge, that is furthest left, "
            "on the far left, that is farthest left, that is the furthest left, that is leftmost, "
            "that is the leftmost one, "
            "that stands furthest left, that lies furthest left, that is furthest to the left, most to the left, "
            "that is most to the left, that is further left than the others, further left than all the others, "
            "farther to the left than any other, closest to the left, that is closest to the left edge, "
            "closest to the left side, at the far left, that is first from the left, first from the left, "
            "with no other further left",
            "nearest the left border, at the extreme left",
        ),
    ),
    "rightmost": (
        _words(
            "right-most, furthest right, farthest right, most right, very rightmost, far right, "
            "furthest-right, farthest-right",
            "extreme right",
        ),
        _words(
            "furthest to the right, farthest to the right, closest to the right edge, that is furthest right, "
            "on the far right, that is farthest right, that is the furthest right, that is rightmost, "
            "that is the rightmost one, "
            "that stands furthest right, that lies furthest right, that is furthest to the right, most to the right, "
            "that is most to the right, that is further right than the others, further right than all the others, "
            "farther to the right than any other, closest to the right, that is closest to the right edge, "
            "closest to the right side, at the far right, that is first from the right, first from the right, "
            "with no other further right",
            "nearest the right border, at the extreme right",
        ),
    ),
    "topmost": (
        _words(
            "top-most, uppermost, highest, upper-most, very topmost, very highest, furthest-up, farthest-up",
            "extreme top",
        ),
        _words(
            "furthest to the top, furthest up, closest to the top edge, that is furthest up, farthest up, "
            "farthest to the top, that is farthest up, that is the furthest up, that is topmost, "
            "that is the topmost one, "
            "that is highest, that is highest of all, that is the highest, that stands furthest up, "
            "that lies furthest up, most to the top, "
            "that is higher than the others, higher than all the others, further up than any other, "
            "closest to the top, "
            "that is closest to the top edge, closest to the top side, that is first from the top, "
            "first from the top, "
            "with no other further up",
            "nearest the top border, at the extreme top",
        ),
    ),
    "bottommost": (
        _words(
            "bottom-most, lowermost, lowest, lower-most, very bottommost, very lowest, furthest-down, farthest-down",
            "extreme bottom",
        ),
        _words(
            "furthest to the bottom, furthest down, closest to the bottom edge, that is furthest down, farthest down, "
            "farthest to the bottom, that is farthest down, that is the furthest down, that is bottommost, "
            "that is the bottommost one, "
            "that is lowest, that is lowest of all, that is the lowest, that stands furthest down, "
            "that lies furthest down, most to the bottom, "
            "that is lower than the others, lower than all the others, further down than any other, "
            "closest to the bottom, "
            "that is closest to the bottom edge, closest to the bottom side, that is first from the bottom, "
            "first from the bottom, "
            "with no other further down",
            "nearest the bottom border, at the extreme bottom",
        ),
    ),
    "largest": (
        _words(
            "biggest, very largest, greatest, very biggest, hugest, most massive, most enormous, most extensive, "
            "most voluminous, heftiest, most gigantic, single largest, single biggest",
            "bulkiest, most sizeable",
        ),
        _words(
            "that is the biggest, that is the largest of all, that is bigger than the others, that is the largest, "
            "that is the biggest of all, that is the hugest, that is the largest one, that is the biggest one, "
            "that is larger than the others, that is larger than all the others, bigger than any other, "
            "larger than any other, that is the greatest in size, that is largest in size, "
            "of the greatest size, of the largest size, with the largest area, with the biggest area, "
            "that covers the largest area, that covers the most area, that fills the largest area, "
            "that occupies the largest area, that looks the biggest",
            "that takes the most space",
        ),
    ),
    "smallest": (
        _words(
            "tiniest, very smallest, littlest, minutest, most minute, very tiniest, most diminutive, teeniest, "
            "single smallest",
            "most compact",
        ),
        _words(
            "that is the smallest of all, that is smaller than the others, that is the tiniest, that is the smallest, "
            "that is the smallest one, that is the littlest, that is the tiniest of all, that is smallest in size, "
            "that is smaller than all the others, smaller than any other, tinier than any other, "
            "of the smallest size, with the smallest area, with the tiniest area, that covers the smallest area, "
            "that fills the smallest area, that occupies the smallest area, that looks the smallest",
            "that takes the least space",
        ),
    ),
}
ORDINALS: dict[str, Words] = {"second": _words("2nd, second", ""), "third": _words("3rd, third", "")}
SIDES: dict[str, Words] = {
    f"from the {side}": _words(
        f"from the {side}, counting from the {side}, counted from the {side}, as seen from the {side}, "
        f"when counting from the {side}, starting from the {side}, starting at the {side}, "
        f"counting in from the {side}, "
        f"if counted from the {side}, if you count from the {side}, when you count from the {side}, "
        f"as counted from the {side}, as counting from the {side}, seen from the {side}, when seen from the {side}, "
        f"from the {side} edge, from the {side} side, counting from the {side} edge, counting from the {side} side, "
        f"going from the {side}, beginning from the {side}, beginning at the {side}, in order from the {side}, "
        f"as you go from the {side}",
        f"from the {side} border, viewed from the {side}",
    )
    for side in ("left", "right", "top", "bottom")
}
# First words of a definite or indefinite noun phrase. "one" is exactly one thing, "all" is two or more, and "each" is
# one or more, with a singular noun.
DEFINITE: dict[str, Words] = {
    "one": _words("the, the, the, the, that, the one, this, the single, the only", "the"),
    "all": _words(
        "the, the, all the, all of the, all, any, those, every one of the, all these, all those, these, any and all, "
        "every last one of the, the whole set of, the full set of, the whole lot of, each of the, each one of the",
        "the, the various, the bunch of",
    ),
    "each": _words("every, each, every single, any, each single, every last, any single", "every, each and every"),
    "two": _words(
        "the two, both, both of the, the 2, both the, two, the pair of, those two, these two, both these", "the two"
    ),
    "three": _words(
        "the three, all three, the 3, three, all 3, those three, these three, all of the three, the set of three",
        "the three, the trio of",
    ),
    "four": _words(
        "the four, all four, the 4, four, all 4, those four, these four, all of the four, the set of four",
        "the four, the quartet of",
    ),
    "five": _words(
        "the five, all five, the 5, five, all 5, those five, these five, all of the five, the set of five",
        "the five, the group of five",
    ),
}
INDEFINITE: dict[str, Words] = {
    "one": _words("a, a, a, one, a single, one single", "a, a, exactly one"),
    "all": _words(
        "several, some, a few, a number of, multiple, quite a few, a handful of, two or more, a set of",
        "various, several, a bunch of",
    ),
    "each": _words("a, one", "a"),
    "two": _words("two, 2, a couple of, two, a pair of, two separate", "two, exactly two"),
    "three": _words("three, 3, three, a set of three, three separate", "three, exactly three, a trio of"),
    "four": _words("four, 4, four, a set of four, four separate", "four, exactly four"),
    "five": _words("five, 5, five, a set of five, five separate", "five, exactly five"),
}
# Phrases for a colour: before a noun, of a roof, of clothes. C stands for the colour.
COLOR_BEFORE: dict[str, Words] = {
    "adjective": _words("C, C, C, C, C, C-coloured, C coloured", "C, C, C-hued"),
    "roof": _words("C-roofed, C roofed", "C-topped"),
    "clothes": _words("", "C-clad"),
}
COLOR_AFTER: dict[str, Words] = {
    "adjective": _words("of C colour, of a C colour, in C colour", ""),
    "roof": _words(
        "with a C roof, with the C roof, with a C rooftop, whose roof is C, that has a C roof, "
        "with a C-coloured roof, having a C roof, under a C roof, with a roof in C, with a roof of C colour, "
        "that has the C roof, which has a C roof, covered by a C roof, covered with a C roof, with C roofing, "
        "with C roof tiles, with a roof that is C, carrying a C roof, with its C roof",
        "topped with a C roof, sporting a C roof",
    ),
    "clothes": _words(
        "in C, wearing C, dressed in C, in C clothes, with C clothes, in a C outfit, who wears C, wearing C clothes, "
        "dressed in C clothes, in C clothing, with C clothing, wearing C clothing, dressed in C clothing, "
        "dressed all in C, "
        "clothed in C, wearing a C outfit, with a C outfit, who is wearing C, who is dressed in C, who is in C, "
        "who has C clothes on, with C clothes on, wearing something C, whose clothes are C, having C clothes",
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
    "motorised": "motorized",
    "multistorey": "multistory",
}
