# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Colours in sentences: "the red cars", "houses with a grey roof", "someone dressed in blue"."""

import functools
import re

from .color_names_mtrefseg import COLOR_NAMES
from .rank_words_mtrefseg import end_of_opening


# "Sky-blue" is also written "sky blue".
_ANY = "|".join(sorted(COLOR_NAMES, key=len, reverse=True)).replace("-", "[- ]")
_SHADES = "light|dark|pale|bright|deep|dull|vivid|faded|neon|fluorescent|hi-vis|pastel|medium"
_DEGREES = "very|slightly|rather|quite|fairly|mostly|partly|completely|entirely|fully|almost|all|plain"
_SHADE = rf"(?:(?:{_DEGREES}) )?(?:(?:{_SHADES})(?:er)? )?"
_HUE = "(?:colou?r|hue|shade|tone|tint)s?"
# "Red-coloured", "red-painted".
_HUED = r"(?:colou?r(?:ed)?|hued|toned|tinted|tinged|shaded|painted|lacquered|finished)"
_COLORED = rf"{_SHADE}(?P<color>{_ANY})(?:[- ]{_HUED}\b| in {_HUE}\b)?"
# "Light-blue" and "big, red" are written "light blue" and "big red".
_SPELLING = re.compile(
    rf"\b((?:{_SHADES})(?=-)|(?:big|huge|large|long|little|small|tall|tiny|old|new|shiny|dirty|rusty)(?=, ))(?:-|, )"
    rf"(?=(?:{_ANY})\b)"
)
_CLOTHES = (
    r"(?:\w*coats?|jackets?|\w*shirts?|t-shirts?|sweaters?|jumpers?|hoodies?|hooded tops?|dress|dresses|tops?|clothes|"
    r"clothing|\w*suits?|vests?|outfits?|uniforms?|pullovers?|garments?|jerseys?|cardigans?|blouses?|overalls|"
    r"coveralls|dungarees|robes?|gowns?|attire|garb|gear|apparel|kit|fleeces?|anoraks?|parkas?|windbreakers?|tunics?|"
    r"costumes?|workwear|wear|polos?|blazers?|ponchos?|tees?|saris?)"
)
_ROOF = r"(?:roofs?|rooftops?|roofing|(?:roof )?(?:tiles|tiling|shingles|covering))"
_PAINT = r"(?:paint ?(?:work|job)?|coats? of paint|finish|body(?:work)?|bodies|livery|exteriors?|upholstery|surfaces?)"
_DRESSED = r"(?:clad|dressed|attired|garbed|clothed|robed|decked out|kitted out|uniformed)"
# "Red-roofed", "blue-clad".
_COMPOUND = rf"(?:roofed|tiled|topped|capped|shingled|shirted|jacketed|suited|coated|{_DRESSED})"
_ARTICLE = r"(?:an? |the |all |its |their |his |her )?"
_COLOR = re.compile(rf"(?<![\w-])(?:{_ANY})(?:(?![\w-])|(?=-(?:{_COMPOUND}|{_HUED}|roofs?|brick)\b))")
_HAS_ROOF = (
    r" (?:that |which )?(?:with|has|have|had|having|carrying|bearing|sporting|featuring|under|beneath|"
    r"(?:covered|topped|capped|crowned|roofed) (?:by|with|in))"
)
_MATERIAL = r"(?:(?:tiled?|clay|tin|metal|steel|slate|shingled?|thatched|brick) )?"
_SHAPE = r"(?:(?:flat|pitched|sloping|low|large|big|small|rusty) )?"
_WHO_IS = r"(?:(?:who|that|which)(?: is| are| was| were|'s| looks?| seems?)|being)"
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
    rf",? (?:whose|where (?:the|its)|the(?= \w+ of which)) (?:{_ROOF}|{_CLOTHES}|{_HUE}|{_PAINT})(?: of which)? "
    rf"(?:is|are|was|were) {_COLORED}",
    rf" (?:topped|capped|crowned|roofed) (?:by|with|in) {_COLORED}{_END}",
    rf" (?:{_WHO_IS} )?(?:in|with|having|sporting|featuring|wearing|bearing|of|finished in) {_ARTICLE}(?:\w+ )?"
    rf"{_COLORED} {_PAINT}\b(?! of\b)",
    rf" (?:{_WHO_IS} )?(?:in|of|with|having) {_ARTICLE}{_HUE} of {_COLORED}\b",
    rf"\b{_COLORED}[- ]{_COMPOUND}(?: |$)",
    rf"\b{_COLORED}[- ]roofs? (?=\w*houses?\b|buildings?\b|homes?\b|barns?\b|sheds?\b)",
    rf" (?:{_WHO_IS} )?{_DRESSED} (?:all )?in {_ARTICLE}{_COLORED}(?: {_CLOTHES})?",
    rf" (?:{_WHO_IS} (?:wearing|sporting)|(?:who|that|which) (?:wears?|wore|ha[sd] on|have on)|wearing|sporting|"
    rf"having)(?: on)? (?:something )?{_ARTICLE}{_COLORED}"
    rf"(?: {_CLOTHES}\b|{_END})",
    rf" (?:in|with) {_ARTICLE}{_COLORED} {_CLOTHES}\b",
    rf" (?:of|in|with) {_ARTICLE}{_COLORED} {_HUE}\b",
    rf" (?:(?:of|in) {_ARTICLE}colou?r|colou?red) {_COLORED}(?= (?!by\b)|$)",
    rf" {_WHO_IS} (?:in )?{_COLORED}(?: and)?{_END}",
    rf"(?<=\w) in {_COLORED}{_END}",
    rf"(?<=thing) {_COLORED}(?= |$)",
    rf", {_COLORED}(?=,|$)",
    rf" \({_COLORED}\)",
    rf"(?<!\bin )(?<![\w-]){_COLORED}(?: |-(?=brick\b))(?=\w)(?!{_NO_THING})",
)

# Capitals of a name: "the White House", "Mr. Brown", but not those of a title: "The Red Car That Left".
_CAPITAL = rf"(?:{'|'.join(map(str.capitalize, COLOR_NAMES))})"
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
    "navy": "ships?|vessels?|boats?|bases?|officers?|yards?",
    "mustard": "fields?|plants?|bottles?|jars?",
    "olive": "oil|branch(?:es)?|fields?|plantations?",
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
_PAINTED = re.compile(r"(?<!-)\bpaint(?:ed|s)?\b(?! (?:on|onto|across|along|over)\b)")
_MARKING = re.compile(
    rf"(?:{_ANY}) (?:\w+ )?(?:lines?|markings?|arrows?|stripes?|crossings?|crosswalks?|symbols?|letters|signs?)\b"
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
    for phrase in _color_phrases():
        match = phrase.search(spelt)
        if match and not _is_of_another(spelt[: match.start()]):
            after = spelt[match.end() :].lstrip()
            before = re.sub(r"\ban? $", "an " if re.match("[aeio]|um", after) else "a ", spelt[: match.start()])
            rest = " ".join(f"{before} {after}".split())
            rest = re.sub(r" (?=[.?!])", "", re.sub(r"(?: ?,)+", ",", rest))
            color = COLOR_NAMES[match["color"].replace(" ", "-")]
            return re.sub(r"(?<!of )\bthe ones?(?= |$)", "everything", rest), color
    return text.lower(), None


@functools.cache
def _color_phrases() -> tuple[re.Pattern[str], ...]:
    # Compiled at the first sentence with a colour: it takes almost 0.1 s, as long as a prediction.
    return tuple(re.compile(phrase) for phrase in _PHRASES)


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
