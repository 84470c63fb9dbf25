# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Colours in sentences: "the red cars", "houses with a grey roof", "someone dressed in blue"."""

import re

from .rank_words_mtrefseg import end_of_opening


COLORS = ("white", "grey", "black", "red", "orange", "yellow", "green", "blue", "brown", "purple", "pink")
"""The colours that [`take_color`] returns."""

_OTHER_NAMES = {
    "white": "whitish snow-white off-white ivory cream-white",
    "grey": "gray greyish grayish silver silvery slate-grey slate-gray ash-grey ash-gray charcoal-grey charcoal-gray",
    "black": "blackish jet-black pitch-black",
    "red": "reddish crimson scarlet maroon burgundy cherry-red brick-red ruby-red blood-red",
    "orange": "orangish orangey amber-coloured amber-colored",
    "yellow": "yellowish golden gold-coloured gold-colored lemon-yellow mustard-yellow",
    "green": "greenish emerald olive-green lime-green forest-green",
    "blue": "bluish blueish navy-blue sky-blue azure turquoise cyan teal cobalt-blue royal-blue baby-blue",
    "brown": "brownish chestnut-brown chocolate-brown",
    "purple": "purplish violet lilac mauve lavender-coloured lavender-colored",
    "pink": "pinkish magenta fuchsia hot-pink rose-coloured rose-colored",
}
_NAMES = {other: name for name, others in _OTHER_NAMES.items() for other in (name, *others.split())}
# "Sky-blue" is also written "sky blue".
_ANY = "|".join(sorted(_NAMES, key=len, reverse=True)).replace("-", "[- ]")
_SHADES = "light|dark|pale|bright|deep|dull|vivid|faded|neon|fluorescent|hi-vis|pastel|medium"
_DEGREES = "very|slightly|rather|quite|fairly|mostly|partly|completely|entirely|fully|almost|all|plain"
_SHADE = rf"(?:(?:{_DEGREES}) )?(?:(?:{_SHADES})(?:er)? )?"
_COLORED = rf"{_SHADE}(?P<color>{_ANY})(?:[- ]colou?r(?:ed)?| in colou?r)?"
# "Light-blue" and "big, red" are written "light blue" and "big red".
_SPELLING = re.compile(
    rf"\b((?:{_SHADES})(?=-)|(?:big|huge|large|long|little|small|tall|tiny|old|new|shiny|dirty|rusty)(?=, ))(?:-|, )"
    rf"(?=(?:{_ANY})\b)"
)
_CLOTHES = (
    r"(?:\w*coats?|jackets?|t-shirts?|shirts?|sweaters?|jumpers?|hoodies?|dress|dresses|tops?|clothes|clothing|suits?|"
    r"vests?|outfits?|uniforms?|pullovers?|garments?|jerseys?|cardigans?|blouses?|overalls|robes?|gowns?)"
)
_ROOF = r"(?:roofs?|rooftops?|roofing)"
_ARTICLE = r"(?:an? |the |all |its |their |his |her )?"
_COLOR = re.compile(rf"(?<![\w-])(?:{_ANY})(?:(?![\w-])|(?=-(?:roof|roofed|brick|colou?red)\b))")
_HAS_ROOF = r" (?:with|has|have|having|carrying|under|beneath|(?:covered|topped) (?:by|with|in))"
_MATERIAL = r"(?:(?:tiled?|clay|tin|metal|steel|slate|shingled?|thatched|brick) )?"
_SHAPE = r"(?:(?:flat|pitched|sloping|low|large|big|small|rusty) )?"
_WHO_IS = r"(?:who|that|which)(?: is| are| was| were|'s)"
# Words that are not the name of a thing.
_NO_THING = (
    r"(?:that|which|who|near|next|beside|close|by|at|on|in|to|of|from|with|behind|standing|has|have|had|is|are|was|were|"
    r"been|left|right|as|if|just|now|and|or|but|than|then|it|before|after|when|while|since|"
    r"colou?rs?|excluded|excepted)\b"
)
_END = rf"(?= {_NO_THING}| (?:\w+ed|\w+ing|came|went|ran|stood|sat)\b|$| ?[,.?!():-])"
# Each takes the words that say the colour, and nothing else.
_PHRASES = (
    rf"{_HAS_ROOF} {_ARTICLE}{_SHAPE}{_COLORED} {_MATERIAL}{_ROOF}",
    rf"{_HAS_ROOF} {_ARTICLE}{_ROOF} (?:of|in) {_ARTICLE}{_COLORED}(?: colou?r)?",
    rf"{_HAS_ROOF} {_ARTICLE}{_ROOF} {_WHO_IS} {_COLORED}",
    rf" whose (?:{_ROOF}|{_CLOTHES}|colou?r) (?:is|are|was|were) {_COLORED}",
    rf"\b{_COLORED}[- ](?:roofed(?: |$)|roofs? (?=\w*houses?\b|buildings?\b|homes?\b|barns?\b|sheds?\b))",
    rf" (?:{_WHO_IS} )?(?:dressed|clad|clothed) (?:all )?in {_COLORED}(?: {_CLOTHES})?",
    rf" (?:{_WHO_IS} wearing|(?:who|that) (?:wears?|wore)|wearing|having) (?:something )?{_ARTICLE}{_COLORED}"
    rf"(?: {_CLOTHES}\b|{_END})",
    rf" (?:in|with) {_ARTICLE}{_COLORED} {_CLOTHES}\b",
    rf" (?:of|in|with) {_ARTICLE}{_COLORED} colou?rs?",
    rf" (?:(?:of|in) {_ARTICLE}colou?r|colou?red) {_COLORED}(?= (?!by\b)|$)",
    rf" {_WHO_IS} (?:in )?{_COLORED}(?: and)?{_END}",
    rf"(?<=\w) in {_COLORED}{_END}",
    rf"(?<=thing) {_COLORED}(?= |$)",
    rf", {_COLORED}(?=,|$)",
    rf" \({_COLORED}\)",
    rf"(?<!\bin )(?<![\w-]){_COLORED}(?: |-(?=brick\b))(?=\w)(?!{_NO_THING})",
)
_COLOR_PHRASES = tuple(re.compile(phrase) for phrase in _PHRASES)

# Capitals of a name: "the White House", "Mr. Brown", but not those of a title: "The Red Car That Left".
_CAPITAL = rf"(?:{'|'.join(map(str.capitalize, _NAMES))})"
_PROPER_NAME = re.compile(rf"(?:[a-zA-Z,]|\b(?:Mr|Mrs|Ms|Dr|St)\.) {_CAPITAL}\b|\b{_CAPITAL} [A-Z][a-z]")
_NO_TITLE = re.compile(r"(?<![\w'-])(?!(?:the|and|for|from|that|with)\b)[a-z]{3}")
# Names and kinds of things in which a colour says little of what is seen.
_KINDS = {
    "any": "house press|cross|boards?|lights?|zones?|orchards?|groves?|trees?|birch(?:es)?|pines?|juice|tea|wines?|"
    "beans?|cabbages?|carrots?|currants?|grapes?|onions?|peppers?|potato(?:es)?|rice|waste|collar|jeans|goods|tape|"
    "elephants?|jays?",
    "white": "holes?|box|whales?|water",
    "black": "holes?|box|tops?|ice|markets?",
    "red": "lines?",
    "green": "lines?|spaces?|areas?|belts?|energy|land",
    "blue": "lines?|whales?|badges?",
    "brown": "field sites?|lines?",
    "golden": "retrievers?",
}
_KIND = re.compile(
    "|".join(rf"\b(?:{_ANY if name == 'any' else name}) (?:{nouns})\b" for name, nouns in _KINDS.items())
)
# Words before a colour that is the change ("turned bright red"), negated ("not red") or that of a surface.
_NO_CHOICE_BEFORE = re.compile(
    r"\b(?:(?:turn\w*|bec[ao]m\w*|went|go(?:es|ne)?|got|lost|los(?:es?|ing|s of)) (?:\w+ ){0,2}|"
    r"(?:re-?\w+ed|coated|covered|wrapped|finished) in |(?:given|received|gets?) (?:an? )?(?:new )?|"
    r"(?:not?|non|no longer|isn't|wasn't|except|but|than) (?:the |an? )?|non-)$"
)
# "All but the red one", "ignore the red one".
_LEFT_OUT = re.compile(
    r"\b(?:(?:but|not|except|other than|apart from) (?:for )?(?:the|those|these|that|any|ones?)|not only|neither|nor|"
    r"ignor\w+|skip\w*|forget|exclud\w+|omit\w*|"
    r"(?:don't|do not) (?:mark|show|include|highlight|count|select|segment))\b"
)
_CHANGED = re.compile(r"\b(?:chang\w*(?!:|\w)|repaint\w*|recolou?r\w*|dyed?|(?:what|which) colou?r)\b|->")
# Paint on the ground is a thing of its own: "newly painted white lines", "a white circle painted on the grass".
_PAINTED = re.compile(r"\bpaint(?:ed|s)?\b(?! (?:on|onto|across|along|over)\b)")
_MARKING = re.compile(
    rf"(?:{_ANY}) (?:\w+ )?(?:lines?|markings?|arrows?|stripes?|crossings?|crosswalks?|symbols?|letters|signs?)\b"
)
_AWAY = (
    r"(?:go|goes|went|going|gone|dr[io]ve[sn]?|driving|walk\w*|mov(?:ed|es|ing)|r[au]n|runs|running|sail\w*|haul\w*|"
    r"tow\w*|take|taken|took|got|gotten|carried|fl[ei]w|flown|pulled|clean\w*|clear\w*|wash\w*|swept|carted|rode|ridden|"
    r"tor[en]|blown|blew)"
)
_LEFT = (
    r"\b(?:dis+ap+ear\w*|vanish\w*|remov\w*|gone(?! up)|demoli\w*|destroy\w*|raz(?:ed|ing)|bulldoz\w*|dismantl\w*|"
    r"stolen|sold|cleared|collapsed|felled|departed|towed|erased|collected|harvested|dried up|built over|went home|"
    r"(?:tor[en]|knocked|pulled|taken|burn(?:ed|t)|cut|chopped|fell|fallen) down|"
    rf"{_AWAY} (?:away|off|out)|no longer|any ?more|no more|missing|(?:is|are|'?s)(?:n't| not) (?:there|here)|"
    r"(?<!to )leave|leaving(?! out)|former|used to (?:be|stand)|"
    r"(?:that|which|who|has|have|had|just|since|now|already) left|"
    r"(?<!the )left (?:the|his|her|its|their|my|our) \w+)\b|"
    r"\b(?:left|go|taken|built on)(?=[?!. ]*$)"
)
_CAME = (
    r"\b(?:(?<!dis)appear\w*|show(?:ed|n|s)? up|turn(?:ed|s)? up|add(?:ed|ition\w*)|(?<!to )another|new|newly|build|"
    r"built(?! over| on[?!. ]*$)|construct(?:ed|ion)|erected|(?:put|set) (?:up|out|in|down|over)|delivered|planted|"
    r"(?:went|gone) up|arriv\w*|placed|installed|emerg\w*|came(?! down)|dumped|landed|laid|drawn|dug|moved in|"
    r"entered|painted|(?:was|were)(?:n't| not) (?:yet )?(?:there|here))\b"
)
_IMAGE = r"(?:images?|photos?|pictures?|photographs?|shots?|scenes?|views?|frames?|dates?|one)\b"
_EARLIER = rf"(?:(?:the )?(?:before|earlier|first|previous|older) {_IMAGE}|t1\b)"
_LATER = rf"(?:(?:the )?(?:after|later|second|last|latest|newer) {_IMAGE}|t2\b)"
_ABSENT = r"(?:\bnot|n't|\bmissing|\babsent|\binvisible)(?: \w+){0,5}? "
_NAMED = rf"(?= {_IMAGE}|[?!.,]|$)"
_SEEN = r"\b(?:only|appears?|seen|visible|shown|present|exists?|there) (?:only )?(?:in|on|at) "
# Words for things in the earlier and in the later image; the most telling pair first.
_DATES = tuple(
    (re.compile(earlier), re.compile(later))
    for earlier, later in (
        (
            rf"{_ABSENT}(?:(?:after|t2|now)\b|(?:later|second){_NAMED})",
            rf"{_ABSENT}(?:(?:before|t1)\b|(?:earlier|first|previous){_NAMED})",
        ),
        (rf"{_SEEN}{_EARLIER}", rf"{_SEEN}{_LATER}"),
        (_LEFT, _CAME),
        (rf"\b(?<!since )(?<!after ){_EARLIER}", rf"\b(?<!before )(?<!until ){_LATER}"),
        (r"\bpresent before\b", r"\bparked\b"),
    )
)


def take_color(text: str) -> tuple[str, str | None]:
    """
    Removes the colour of the object that a sentence is about.

    Args:
        text (`str`): A sentence. Capital letters mark names ("the White House"), whose colours stay.

    Returns:
        `str`: The sentence in lower case without the colour: "the red cars that left" becomes "the cars that left".
        `str`, *optional*: One of `COLORS`; `None` if the sentence names no colour or several, or if the colour is the
        change ("the roof that turned red") or that of something else ("near the red house").
    """
    spelt = _SPELLING.sub(r"\1 ", text.lower())
    found = list(_COLOR.finditer(spelt))
    is_name = _PROPER_NAME.search(text) and _NO_TITLE.search(text)
    if len(found) != 1 or is_name or not _chooses(spelt, found[0].start()):
        return text.lower(), None
    for phrase in _COLOR_PHRASES:
        match = phrase.search(spelt)
        if match and not _is_of_another(spelt[: match.start()]):
            after = spelt[match.end() :].lstrip()
            before = re.sub(r"\ban? $", "an " if re.match("[aeio]|um", after) else "a ", spelt[: match.start()])
            rest = " ".join(f"{before} {after}".split())
            rest = re.sub(r" (?=[.?!])", "", re.sub(r"(?: ?,)+", ",", rest))
            return re.sub(r"(?<!of )\bthe ones?(?= |$)", "everything", rest), _NAMES[match["color"].replace(" ", "-")]
    return text.lower(), None


def date_of(text: str) -> int | None:
    """
    The image that shows the object that a sentence is about.

    Args:
        text (`str`): A sentence in lower case.

    Returns:
        `int`, *optional*: 0 for the earlier image ("that left"), 1 for the later one ("that was built"), `None` if the
        words do not say.
    """
    for earlier, later in _DATES:
        is_earlier, is_later = earlier.search(text) is not None, later.search(text) is not None
        if is_earlier or is_later:
            return None if is_earlier and is_later else int(is_later)
    return None


def _chooses(text: str, start: int) -> bool:
    """Whether the colour at a place of a sentence can choose: not "turned red", "not red", "green space"."""
    before = text[:start]
    if _CHANGED.search(text) or _KIND.search(text) or _LEFT_OUT.search(before):
        return False
    if _PAINTED.search(text) and _MARKING.match(text, start) is None:
        return False
    return _NO_CHOICE_BEFORE.search(before) is None


_THE = r"(?:(?:an?|the|some|any|my|your|his|her|its|their|our) )"
# What comes before "of" in "all of the red cars", "the demolition of the red house".
_SHARE = (
    r"(?:all|any|each|both|one|two|three|four|five|none|some|most|many|few|which|couple|lot|number|kind|type|sort|pair|"
    r"set|group|bunch|row|line|cluster|pile|heap|stack|load|herd|flock|fleet|plume|cloud|column|patch|piece|part|rest|"
    r"sheet|strip|area|image|picture|photo|mask|sign|out|hundred|dozen|plenty|half|several|convoy|"
    r"\w+(?:tion|val|ance|ure))s?"
)
_SEEING = r"(?:find|highlight|identify|includ|locat|look|mark|miss|remain|exist|search|see|segment|show|dur)ing"
# Words between a thing and another that has the colour. Each stands just before the colour.
_BESIDE = re.compile(
    # "The person near a tall", "the car on the".
    r"(?:\b(?:near|nearest|beside|besides|next (?:door )?to|close to|closest to|by(?! now)|behind|between|opposite|"
    r"above|below|under|over|(?<!zoom in )(?<!focus )(?<!zero in )on(?! foot)|(?<!look )at|around|along|against|"
    r"facing|left of|right of|in front of|across from|outside|inside|within) (?:\w+ ){0,3}|"
    r"\b(?:with|without|having|wearing|carrying|holding|riding|driving|pushing) (?:\w+ ){0,5}|"
    # "The road to the", "trees among".
    r"\b(?:from|into|onto|past|through|across|round|towards?|amid|among|amongst|beyond|off|as|"
    r"(?<!would )(?<!'d )(?<!look )(?<!looks )like|(?<!happened )to|(?<!look )(?<!looking )(?<!searching )for) "
    rf"{_THE}(?:\w+ )?|\b(?:from|among|amongst|amid|through) |(?<!zoom )\bin (?:the|an?) |\w where {_THE}|"
    rf"(?<![\w'-])(?!{_SHARE} )\w+ of {_THE}?(?:\w+ )?|"
    # "A car towing a", "the tarp that covers the", "the house now has a", "house and its", "tan and".
    rf"\w (?!{_SEEING})\w+ing {_THE}?(?:\w+ )?|"
    rf"(?<=\w )(?:that|which|who) (?!is |are |was |were |of )\w+ {_THE}(?:\w+ )?|"
    rf"\w (?<!\bi )(?<!we )(?<!you )(?<!they )(?:has|have|had) {_THE}(?:\w+ )?|\bits (?:\w+ )?|"
    r"\band (?:their|his|her) |\b(?:and|or) )$"
)


def _is_of_another(before: str) -> bool:
    """Whether the words before a colour make it that of another thing or of a part: "the person near a", "with a"."""
    return _BESIDE.search(before, end_of_opening(before)) is not None
