# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Colours in sentences: "the red cars", "houses with a grey roof", "someone dressed in blue"."""

import re


COLORS = ("white", "grey", "black", "red", "orange", "yellow", "green", "blue", "brown", "purple", "pink")
"""The colours that [`take_color`] returns."""

_OTHER_NAMES = {
    "white": "whitish snow-white off-white ivory cream-white",
    "grey": "gray greyish grayish silver silvery slate-grey slate-gray ash-grey ash-gray charcoal-grey charcoal-gray",
    "black": "blackish jet-black pitch-black",
    "red": "reddish crimson scarlet maroon burgundy cherry-red brick-red ruby-red",
    "orange": "orangish orangey amber-coloured amber-colored",
    "yellow": "yellowish golden gold-coloured gold-colored lemon-yellow mustard-yellow",
    "green": "greenish emerald olive-green lime-green",
    "blue": "bluish blueish navy navy-blue sky-blue azure turquoise cyan teal cobalt-blue",
    "brown": "brownish chestnut-brown chocolate-brown",
    "purple": "purplish violet lilac mauve lavender-coloured lavender-colored",
    "pink": "pinkish magenta fuchsia rose-coloured rose-colored",
}
_NAMES = {other: name for name, others in _OTHER_NAMES.items() for other in (name, *others.split())}
_ANY = "|".join(sorted(_NAMES, key=len, reverse=True))
_SHADES = "light|dark|pale|bright|deep|dull|vivid|faded"
_SHADE = rf"(?:(?:{_SHADES}|mostly|all|plain)(?:er)? )?"
_COLORED = rf"{_SHADE}(?P<color>{_ANY})(?:[- ]colou?red| in colou?r)?"
_CLOTHES = (
    r"(?:jackets?|coats?|t-shirts?|shirts?|sweaters?|hoodies?|dress|dresses|tops?|clothes|clothing|suits?|vests?|"
    r"outfits?|uniforms?|pullovers?|garments?)"
)
_ROOF = r"(?:roofs?|rooftops?|roofing)"
_ARTICLE = r"(?:an? |the |all |its |their |his |her )?"
_COLOR = re.compile(rf"(?<![\w-])(?:{_ANY})(?![\w-])|(?<![\w-])(?:{_ANY})(?=-(?:roofed|colou?red)\b)")
_HAS_ROOF = r" (?:with|has|have|having|carrying|under|beneath|covered (?:by|with|in))"
_IS = r"(?:is|are|was|were)"
_WHO = r"(?:who|that|which)"
_END = (
    r"(?= (?:that|which|who|near|next|beside|close|by|at|on|in|to|from|behind|standing|has|have|had|is|are|was|were|"
    r"been|left|right|as|if|just|now)\b|$| ?[,.?!():-])"
)
# Each takes the words that say the colour, and nothing else.
_PHRASES = (
    rf"{_HAS_ROOF} {_ARTICLE}{_COLORED} {_ROOF}",
    rf"{_HAS_ROOF} {_ARTICLE}{_ROOF} (?:of|in) {_ARTICLE}{_COLORED}(?: colou?r)?",
    rf"{_HAS_ROOF} {_ARTICLE}{_ROOF} {_WHO} {_IS} {_COLORED}",
    rf" whose (?:{_ROOF}|{_CLOTHES}|colou?r) {_IS} {_COLORED}",
    rf"\b{_COLORED}[- ]roofed(?: |$)",
    rf" (?:{_WHO} {_IS} )?(?:dressed|clad|clothed) (?:all )?in {_COLORED}(?: {_CLOTHES})?",
    rf" (?:{_WHO} (?:wears?|wore|{_IS} wearing)|wearing|having) (?:something )?{_ARTICLE}{_COLORED}(?: {_CLOTHES})?"
    rf"{_END}",
    rf" (?:in|with) {_ARTICLE}{_COLORED} {_CLOTHES}",
    rf" (?:of|in) {_ARTICLE}{_COLORED} colou?rs?",
    rf" (?:of|in) {_ARTICLE}colou?r {_COLORED}(?= |$)",
    rf" {_WHO} {_IS} (?:in )?{_COLORED}(?: and)?{_END}",
    rf"(?<=\w) in {_COLORED}{_END}",
    rf"(?<=thing) {_COLORED}(?= |$)",
    rf"\b{_COLORED} (?=\w)",
)
_COLOR_PHRASES = tuple(re.compile(phrase) for phrase in _PHRASES)
_NO_CHOICE = re.compile(
    # "Turned red" is the change.
    r"\b(?:chang\w*(?!:|\w)|repaint\w*|paint(?:ed|s)?|recolou?r\w*|dyed?)\b|->|"
    rf"\b(?:turn\w*|bec[ao]m\w*|went|go(?:es|ne)?|got) (?:\w+ ){{0,2}}?(?:{_ANY})\b|"
    rf"\b(?:not|non|no longer|isn't|wasn't|except|but|than) (?:the |an? )?(?:{_ANY})\b|"
    rf"\b(?:but|not|except|other than|apart from) (?:for )?(?:the|those|these|that|any|ones?)\b.*\b(?:{_ANY})\b|"
    # In names and kinds of things, a colour says little of what is seen.
    r"\b(?:white|red|black|green|blue|brown|yellow|silver|golden|orange) (?:house press|cross|boards?|lights?|"
    r"lines?|spaces?|areas?|belt|energy|land|trees?|groves?|orchards?|juice|hole|box|top|field sites?|zones?|"
    r"birch|birches|retrievers?|whales?|water)\b"
)
_LEFT = re.compile(
    r"\b(?:disappear\w*|vanish\w*|remov\w*|gone|demolish\w*|raz\w*|tor[en] down|knocked down|pulled down|bulldoz\w*|"
    r"dismantl\w*|cut down|felled|chopped down|taken (?:away|down)|no longer|any ?more|missing|departed|"
    r"went away|drove (?:off|away)|walked (?:off|away|out)|moved away|earlier image|first image|"
    r"(?:that|which|who|has|have|had|just|since|now|already) left)\b|\bleft(?=[?!. ]*$| the (?:scene|image)\b)"
)
_CAME = re.compile(
    r"\b(?:appear\w*|show(?:ed|n|s)? up|turn(?:ed|s)? up|add(?:ed|ition)|new|newly|built|constructed|erected|put up|"
    r"planted|arriv\w*|placed|installed|emerg\w*|came|parked|later image|second image)\b"
)


def take_color(text: str) -> tuple[str, str | None]:
    """
    Takes the colour of what a sentence speaks of out of it.

    Args:
        text (`str`): A sentence in lower case.

    Returns:
        `str`: The sentence without it: "the red cars that left" becomes "the cars that left".
        `str`, *optional*: One of `COLORS`; `None` if the sentence names no colour or several, or if the colour is the
        change ("the roof that turned red") or that of something else ("near the red house").
    """
    spelt = re.sub(rf"\b({_SHADES})-(?=(?:{_ANY})\b)", r"\1 ", text)
    found = _COLOR.findall(spelt)
    if len(found) != 1 or _NO_CHOICE.search(spelt):
        return text, None
    for phrase in _COLOR_PHRASES:
        match = phrase.search(spelt)
        if match and not _is_of_another(spelt[: match.start()]):
            rest = " ".join(f"{spelt[: match.start()]} {spelt[match.end() :]}".split())
            rest = re.sub(r" (?=[,.?!])", "", rest)
            return re.sub(r"\bthe ones?(?= |$)", "everything", rest), _NAMES[match["color"]]
    return text, None


def date_of(text: str) -> int | None:
    """
    The image that shows what a sentence speaks of.

    Args:
        text (`str`): A sentence in lower case.

    Returns:
        `int`, *optional*: 0 for the earlier image ("that left"), 1 for the later one ("that was built"), `None` if the
        words do not tell.
    """
    has_left, has_come = _LEFT.search(text) is not None, _CAME.search(text) is not None
    return None if has_left == has_come else int(has_come)


_BESIDE = re.compile(
    r"\b(?:near|nearest|beside|besides|next to|close to|closest to|by(?! now)|behind|between|opposite|above|below|"
    r"under|over|(?<!zoom in )(?<!focus )(?<!zero in )on(?! foot)|(?<!look )at|around|along|against|facing|left of|"
    r"right of|in front of|across from|outside|inside|within|with|without|having|wearing|carrying) (?:\w+ ){0,3}$|"
    r"(?<!zoom )\bin (?:the|an?) $"
)


def _is_of_another(before: str) -> bool:
    """Whether the words before a colour make it that of another thing or of a part: "the person near a", "with a"."""
    return _BESIDE.search(before) is not None
