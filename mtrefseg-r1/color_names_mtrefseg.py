# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Names of colours and shades: "crimson", "navy blue", "cream-coloured"."""

COLORS = ("white", "grey", "black", "red", "orange", "yellow", "green", "blue", "brown", "purple", "pink")
"""The colours that are distinguished."""

# In "sky-blue", the hyphen may also be a space.
_OTHER_NAMES = {
    "white": "whitish off-white ivory alabaster pearly",
    "grey": "gray greyish grayish silver silvery ashen charcoal graphite gunmetal pewter slate-grey",
    "black": "blackish inky ebony onyx",
    "red": "reddish ruddy crimson scarlet maroon burgundy claret vermilion vermillion carmine ruby",
    "orange": "orangish orangey tangerine ginger",
    "yellow": "yellowish yellowy golden saffron ochre mustard",
    "green": "greenish emerald olive jade chartreuse viridian",
    "blue": "bluish blueish navy azure turquoise cyan teal cobalt aqua aquamarine ultramarine cerulean sapphire",
    "brown": "brownish tan chestnut umber sienna sepia russet auburn mahogany",
    "purple": "purplish violet lilac mauve indigo amethyst",
    "pink": "pinkish magenta fuchsia cerise",
}
# Words before a colour that make it a shade: "cherry red".
_SHADES_OF = {
    "white": "snow milk pearl chalk cream bone pure",
    "grey": "slate ash charcoal steel stone smoke smoky dove lead mouse gunmetal silver",
    "black": "jet pitch coal ink raven soot",
    "red": "cherry brick ruby blood wine rose tomato rust rusty cardinal flame",
    "orange": "burnt pumpkin",
    "yellow": "lemon mustard canary butter sunflower primrose",
    "green": "olive lime forest emerald mint moss sea grass leaf pea bottle apple jade sage army hunter",
    "blue": "navy sky cobalt royal baby powder steel midnight ice electric sapphire ocean sea denim petrol marine",
    "brown": "chestnut chocolate coffee nut walnut earth mud",
    "purple": "plum royal",
    "pink": "hot rose salmon baby blush shell candy coral dusky",
}
# Things that name a colour only in "amber-coloured".
_COLORED_LIKE = {
    "white": "cream milk snow pearl chalk bone",
    "grey": "ash slate steel lead smoke stone",
    "black": "coal jet ink soot",
    "red": "cherry brick wine blood rust tomato",
    "orange": "amber peach apricot coral pumpkin terracotta carrot",
    "yellow": "gold lemon straw butter canary sunflower",
    "green": "lime moss mint sage grass",
    "blue": "sky denim",
    "brown": "chocolate coffee caramel cocoa copper bronze walnut",
    "purple": "lavender plum grape aubergine eggplant orchid mulberry",
    "pink": "rose salmon blush flamingo",
}


def _all_names() -> dict[str, str]:
    """Every name -> its colour."""
    names = {other: color for color, others in _OTHER_NAMES.items() for other in (color, *others.split())}
    for color, shades in _SHADES_OF.items():
        spellings = ("grey", "gray") if color == "grey" else (color,)
        names |= {f"{shade}-{spelling}": color for shade in shades.split() for spelling in spellings}
    for color, things in _COLORED_LIKE.items():
        names |= {f"{thing}-{word}": color for thing in things.split() for word in ("coloured", "colored")}
    return names


COLOR_NAMES = _all_names()
"""Name, with hyphens -> one of `COLORS`."""
