# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes words of places and ranks in one spelling: "top-left", "2nd", "above the middle"."""

import re
from collections.abc import Callable

from .place_words_mtrefseg import AFTER_A_PLACE, DIRECTIONS, IMAGE, OF_THE_IMAGE, PARTS
from .rank_words_mtrefseg import NUMERALS, ORDINALS, SUPERLATIVES


_CHOOSING = re.compile(
    "left|right|top|bottom|upper|lower|cent(?:er|r)|mid|half|north|south|east|west|head|foot|heart|core|"
    "most|est\\b|hs\\b|btm|\\b[ns][ew]\\b|than|further|farther|axis|line|high|low|both|pair|couple|equator|extreme|corner|"
    r"(?:larg|bigg|small)er|\b(?:up|down) (?:part|side)|"
    "(?:the|that) (?:big|large|huge|small|little|tiny) |"  # "But the big one".
    "minim|maxim|exceeds|surpasses|outsizes|dwarfs|penultimate|interior|inner|"
    + "|".join((*ORDINALS, *NUMERALS, r"\d"))
)
_HYPHENATED = "|".join(
    (*DIRECTIONS, *ORDINALS, *SUPERLATIVES, "hand", "most", "furthest", "farthest", "up", "down", "height", "extreme")
)
_HYPHEN = re.compile(rf"\b({_HYPHENATED})-(?=(?:{_HYPHENATED})\b)")
_NUMBER = re.compile(
    r"(?<![\d.,-])(?<!image )(?<!photo )(?<!picture )(?<!date )(?<!time )\b"
    r"(?:([1-6])(st|nd|rd|th)|(10|[2-9])(?= [a-z]))\b"
)
_END = rf"(?=$|[^\w ]| (?!(?:of|ones?)\b)(?:{AFTER_A_PLACE.pattern})(?!\w))"
# The same, but no object is named to which the words before refer: "further down the road", "centred on the wall".
_END_OR_IMAGE = (
    rf"(?=$|[^\w ]| {OF_THE_IMAGE}| (?!(?:of|the|an?|in|on|at|by|from|to|for|as)\b)(?:{AFTER_A_PLACE.pattern})(?!\w))"
)
_MIDDLE = rf"(?:the )?(?:{IMAGE}(?:'s)? )?(?:middle|center|centre)\b(?: {OF_THE_IMAGE})?{_END}"
_SIDE = "(left|right|top|bottom|upper|lower)"
_TO_SIDE = rf"{_SIDE.replace('(', '(?:')}[ -]to[ -](?:the )?(?:left|right|top|bottom)\b(?: (?:order|side))?"
_OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "upper": "lower", "bottom": "top", "lower": "upper"}
_ORDINAL = "|".join(ORDINALS)
_SUPERLATIVE = "|".join(SUPERLATIVES)
_DIGITS = "|".join((*NUMERALS, "[2-6]"))
# Words between "second" and "from the left".
_COUNTED = (
    r"(?:(?:(?:if|when|as) )?(?:(?:you|one|we) )?(?:count|go|read|move|start|look)(?:s|ing|ed)?"
    r"(?: (?:left|right|up|down)wards)?|"
    r"(?:as )?seen|to come|by position|in (?:the |a )?(?:position|row|line|order|sequence)|in|over|along|on|from)"
)
# A word of "second new house from above": not "second house lit from above", "second view from above".
_WORD = (
    r"(?!(?:\w+ed|the|that|which|who|was|were|is|are|it|from|seen|shown|lit|visible|survey|flight|pass|visit|"
    rf"{IMAGE})\b)[a-z-]+"
)
# "Second (one) going left to right", "second (house) left to right", "second (house), going left to right"; but not
# "second road going left to right".
_BEFORE_A_WALK = (
    rf"(?: one| position| place)?(?=,? {_COUNTED})|"
    rf"(?: (?!(?!building)\w+ing\b){_WORD}){{0,3}}?(?=,? {_TO_SIDE})|"
    rf"(?: {_WORD}){{1,3}}?(?=,| (?:if|when|as|count|read|look|start|in|from))"
)
_LAST_BUT_ONE = (
    r"(?:(?:second|next)[ -](?:to|from)[ -](?:the[ -])?last|last[ -]but[ -]one|one before last|penultimate)"
)
_RIM = "(?:edge|side|border|end)"
_CLOCK = {"three": "right", "six": "bottom", "nine": "left", "twelve": "top"}
_NOUN_ENDS = "(?:that|which|who|whose|is|was|has|in|on|at|near|by|beside|with)"
_INITIALS = re.compile(r"\b([NS])([EW])\b")
_COMPASS = {"n": "north", "s": "south", "e": "east", "w": "west"}
_ENDS = {"head": "top", "foot": "bottom", "heart": "center", "core": "center"}
_NAMED = "|".join((*DIRECTIONS, *ORDINALS, *NUMERALS, "(?:north|south)(?:east|west)(?:ern)?"))
_NAME = re.compile(rf"\b(?=[A-Z])(?i:{_NAMED}) (?P<last>[A-Z][a-z]+)\b")
_RANKED = rf"(?:the )?(?:(?:{'|'.join((*ORDINALS, *NUMERALS))}) )?(?:{_SUPERLATIVE})"
_SPELLINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_NUMBER, lambda match: list(ORDINALS)[int(match[1]) - 1] if match[1] else list(NUMERALS)[int(match[3]) - 2]),
    (_HYPHEN, r"\1 "),
    (re.compile(r"\b([lr])hs\b"), lambda match: {"l": "left side", "r": "right side"}[match[1]]),
    (re.compile(r"\bbtm\b"), "bottom"),
    (re.compile(rf"^({_RANKED})(?=[?!]*$)"), r"\1 one"),
    (re.compile(rf"^({'|'.join(ORDINALS)}) (?=from\b)"), r"\1 one "),
    (
        re.compile(rf"^which (?:ones? )?(?:of the )?(.+?) (?:is|was|are|were) ({_RANKED})(?: ones?)?(?=[?!]*$)"),
        r"\2 of the \1",
    ),
    (
        re.compile(
            r"\b(?:the|an?) (?:(?:(?:horizontal|vertical|central|center|centre|middle|halfway|imaginary|dividing|mid)"
            r"[ -])+(?:line|axis|mark)|(?:horizontal |vertical )?midline|equator)\b"
        ),
        "the middle",
    ),
    (re.compile(rf"\b{_SIDE}(?:[ -]hand)?[ -]most\b"), r"\1most"),
    # Ranks: "no. 2 from the left", "second going left to right", "second one in from the left", "second from above",
    # "second one down", "in second place from the top", "second closest to the left", "next to last from the left".
    (
        re.compile(rf"(?:\bnumber |\bno\. ?|#)({_DIGITS})(?= (?:from|{_SUPERLATIVE})\b)"),
        lambda match: _ordinal(match[1]),
    ),
    (
        re.compile(rf"\b({_ORDINAL})\b({_BEFORE_A_WALK})(?:,? {_COUNTED})*,? (?:the )?(?={_SIDE}){_TO_SIDE}"),
        r"\1\2 from the \3",
    ),
    (re.compile(rf"\b({_ORDINAL})((?: one)?)(?: {_COUNTED})+ (?=from\b)"), r"\1\2 "),
    (
        re.compile(rf"\b({_ORDINAL})\b((?: {_WORD}){{0,4}}?)(?: count(?:ed|ing))? from (above|below)\b"),
        lambda match: f"{match[1]}{match[2]} from the {'top' if match[3] == 'above' else 'bottom'}",
    ),
    (re.compile(rf"\b({_ORDINAL}) ((?:[a-z-]+ )?)(?:down|up|in|over) (?=from\b)"), r"\1 \2"),
    (
        re.compile(rf"\b({_ORDINAL}) one (down|up){_END_OR_IMAGE}"),
        lambda match: f"{match[1]} one from the {'top' if match[2] == 'down' else 'bottom'}",
    ),
    (re.compile(rf"\b(?:in|at) (?:the )?({_ORDINAL}) (?:place|position|spot) (?=from)"), r"\1 "),
    (re.compile(rf"\bat (?:position|place|number) ({_DIGITS}) (?=from)"), lambda match: f"{_ordinal(match[1])} "),
    (
        re.compile(rf"\b({_ORDINAL}) (?:closest|nearest) ((?:[a-z-]+ ){{0,3}}?)(?:to )?the (?=(?:very )?{_SIDE}\b)"),
        r"\1 \2from the ",
    ),
    (
        re.compile(rf"\b(?:closest|nearest) (?!to\b)((?:[a-z-]+ ){{1,3}}?)to the (?=(?:very )?{_SIDE}\b)"),
        r"first \1from the ",
    ),
    (re.compile(rf"(?:(?:^|(?<=the ))next to |\bnext-to-|\b(?:the )?second[ -]most )(?={_SIDE}most\b)"), "second "),
    (
        re.compile(rf"\b{_LAST_BUT_ONE} ((?:[a-z-]+ ){{0,3}}?)from the {_SIDE}\b"),
        lambda match: f"second {match[1]}from the {_OPPOSITE[match[2]]}",
    ),
    (re.compile(rf"\bfrom the {IMAGE}(?:'s|’s) (?={_SIDE}\b)"), "from the "),
    # "First from the left among the sheds", "counting from the left, the second shed".
    (
        re.compile(
            rf"^(?:the )?({_ORDINAL}|last)(?: one)? from the {_SIDE}(?:[ -]hand)?(?: {_RIM})? "
            rf"(?:among|amongst|of|out of) (?!{OF_THE_IMAGE})"
        ),
        lambda match: f"{_outermost(match[1], match[2])} of ",
    ),
    (
        re.compile(
            rf"^(?:counting|reading|going|starting|counted) (?:down |up )?(?:from|at) (?:the )?{_SIDE}(?:[ -]hand)?"
            rf"(?: {_RIM})?(?: to (?:the )?\w+)?, the ({_ORDINAL}) "
        ),
        lambda match: f"{_outermost(match[2], match[1])} ",
    ),
    (
        re.compile(rf"\bthe outermost ((?!one\b)[a-z ]+?) on the {_SIDE}(?:[ -]hand)?(?: {_RIM})?{_END}"),
        r"the \2most \1",
    ),
    (
        re.compile(
            r"\b(?<!on )(?<!to )(?<!at )(?<!in )the (?:far|extreme)[- ](left|right)(?:[- ]hand)? "
            r"(?!of\b|corner|side|edge|part|end|half)"
        ),
        r"the \1most ",
    ),
    (
        re.compile(rf"\bnumber ({_DIGITS}) from the (?=(?:{'|'.join(DIRECTIONS)})\b)"),
        lambda match: f"{_ordinal(match[1])} from the ",
    ),
    # "Covering the most ground", "number one in size", "second in area".
    (
        re.compile(
            r"\b(?:that |which )?(?:covering|occupying|covers|occupies|takes up|taking up) the (most|least|greatest|"
            r"largest|smallest|fewest) (?:ground|area|space|room|pixels)\b"
        ),
        lambda match: f"with the {'smallest' if match[1] in ('least', 'fewest', 'smallest') else 'largest'} area",
    ),
    (
        re.compile(rf",? (?:ranked|that is|which is)? ?({_ORDINAL}) (?:in|for|by) (?:size|area)\b"),
        lambda match: f", the {'' if match[1] == 'first' else match[1] + ' '}largest one",
    ),
    # "(The biggest one)".
    (re.compile(rf" \((?:the )?({_RANKED})(?: one)?\)"), r", the \1 one"),
    (re.compile(rf"\bsince (?=the {_SIDE}\b)"), "from "),
    # "Except for the largest, all new houses".
    (
        re.compile(
            r"^(?:except(?: for)?|excluding|apart from|aside from|other than|with the exception of) (the .+?), "
            r"((?:all|every|each) .+)$"
        ),
        r"\2 except \1",
    ),
    # Of two, which are often not numbered: "the larger new house", "the left one of the new cars".
    (
        re.compile(r"^(the) (larger|bigger|smaller)(?: ones?)?(?= of (?:the|these|those)\b)"),
        lambda match: f"{match[1]} {'smallest' if match[2] == 'smaller' else 'largest'}",
    ),
    (
        re.compile(
            r"^(the) (larger|bigger|smaller)(?! (?:of|and|or)\b)(?!.* than\b)"
            rf"(?!(?: (?!{_NOUN_ENDS}\b)[\w-]+){{0,2}} (?!{_NOUN_ENDS}\b|bus\b)[\w-]*[^\Ws]s\b)(?= \w)"
        ),
        lambda match: f"{match[1]} {'smallest' if match[2] == 'smaller' else 'largest'}",
    ),
    (re.compile(rf"^the {_SIDE} one (?=of (?:the|these|those)\b)"), r"the \1most "),
    # Places
    (
        re.compile(r"(?:(?<=in )|(?<=at )|(?<=on )|(?<=the ))(up|down)(?= (?:part|side|left|right|corner|half)\b)"),
        lambda match: "upper" if match[1] == "up" else "lower",
    ),
    (re.compile(rf"^the {_SIDE} (half|third|part|portion)'s (?!middle|cent)([a-z -]+)$"), r"the \3 in the \1 \2"),
    (re.compile(r"\bat (three|six|nine|twelve) o'clock\b"), lambda match: f"at the {_CLOCK[match[1]]}"),
    (re.compile(rf"\b{_SIDE} (?:50 ?(?:%|percent|per cent)|fifty (?:percent|per cent))"), r"\1 half"),
    (re.compile(r"\b(left|right)side\b"), r"\1 side"),
    (re.compile(r"\blow half\b"), "lower half"),
    (
        re.compile(rf"\b{_SIDE} (side|edge|border|flank|part|half)'s (middle|center|centre)\b"),
        r"\3 of the \1 \2",
    ),
    (
        re.compile(rf"(?<!the )(?<!window )(?<!door )(?<!picture )(?<!tv )\b(?:frame|screen) (left|right){_END}"),
        r"on the \1 of the image",
    ),
    (re.compile(rf"\bon (?:your|our|the viewer's) (left|right){_END}"), r"on the \1"),
    (re.compile(rf"\b(north|south|east|west)wards?{_END}"), r"to the \1"),
    (
        re.compile(
            rf"\b(?:cent(?:red|ered)(?: {OF_THE_IMAGE})?{_END_OR_IMAGE}|in mid[ -]{IMAGE}|"
            rf"in the interior {OF_THE_IMAGE}|in the inner (?:part|area)(?: {OF_THE_IMAGE})?|"
            rf"(?:at|in|near|around|by|close to) the "
            rf"(?:{IMAGE} cent(?:er|re)|cent(?:ral|er|re) (?:point|ninth))){_END}"
        ),
        "in the middle",
    ),
    (
        re.compile(
            rf"\b(?:(?:closer|nearer)(?: to)? the |(?:further|farther|more) (?:to(?:wards)? the )?){_SIDE}"
            rf"(?: {_RIM})?(?: than (?:to )?the {_SIDE}(?: (?:{_RIM}|one))?)?{_END}"
        ),
        r"to the \1 half",  # "To": "the car that moved further to the left" is no place.
    ),
    (
        re.compile(rf"\b(?:lower|further|farther|higher) (?:(down)|up){_END_OR_IMAGE}(?! than\b)"),
        lambda match: f"to the {'lower' if match[1] else 'upper'} half",
    ),
    (re.compile(rf"\b(?:all the|the whole) way (?:over )?(?:to|at|on) the {_SIDE}{_END}"), r"to the far \1"),
    (
        re.compile(rf"\b(?:with|in|at|on|having) ({_RANKED}) (?:position|place|location|spot){_END}"),
        r"that is \1",
    ),
    (re.compile(r"\b(north|south)(east|west)(?:ern)?\b"), r"\1 \2"),
    (re.compile(r"\b(top|bottom|upper|lower)(left|right)\b"), r"\1 \2"),
    (re.compile(rf"\b(?:(?:higher|further|farther)(?: up)? than|up from|above) {_MIDDLE}"), "in the upper half"),
    (
        re.compile(
            rf"\b(?:(?:lower|further|farther)(?: down)? than|down from|below|beneath|underneath|under) {_MIDDLE}"
        ),
        "in the lower half",
    ),
    (re.compile(rf"\b(?:further|more) (?:to the )?(left|right) than {_MIDDLE}"), r"in the \1 half"),
    (re.compile(rf"\b(?:high|far|way)(?:(?: up)? (?:in|on)| up on) the {IMAGE}\b"), "in the upper half"),
    (re.compile(rf"\b(?:low|far|way)(?: down)? (?:in|on) the {IMAGE}\b"), "in the lower half"),
    (re.compile(rf"\b(head|foot|heart|core) {OF_THE_IMAGE}\b"), lambda match: _ENDS[match[1]]),
    (
        re.compile(r"\b([ns])[- ]?([ew])(?= (?:corner|part|quadrant|area|side|quarter|section|sector)\b)"),
        lambda match: f"{_COMPASS[match[1]]} {_COMPASS[match[2]]}",
    ),
    (re.compile(r"\bmore (?=(?:to|towards?) the (?:left|right|top|bottom)\b(?! than))"), ""),
    (re.compile(r"\b(?:medium|half|middle)[ -](height|level)\b"), r"mid \1"),
)


def may_choose(text: str) -> bool:
    """Quick check whether a sentence contains any word of a place, a rank or a number."""
    return _CHOOSING.search(text.lower()) is not None


def in_one_spelling(text: str) -> str:
    """
    Writes the words of places and ranks in one spelling.

    Args:
        text (`str`): A sentence.

    Returns:
        `str`: The sentence in lower case, without a full stop: "the 2nd house, top-left." becomes "the second house,
        top left".
    """
    text = _INITIALS.sub(lambda found: " ".join(_COMPASS[letter.lower()] for letter in found.groups()), text)
    text = _with_names_joined(" ".join(text.split())).lower().rstrip(".")
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    return text


def names_apart(text: str) -> str:
    """Undoes what [`in_one_spelling`] does to names."""
    return re.sub(r"(?<!\w)_\w+", lambda match: match[0][1:].replace("_", " "), text)


def _ordinal(numeral: str) -> str:
    """The ordinal for a number: "second" for "two" or "2"; numbers above the last ordinal stay."""
    number = int(numeral) if numeral.isdigit() else NUMERALS[numeral]
    return {number: word for word, number in ORDINALS.items()}.get(number, numeral)


def _outermost(ordinal: str, side: str) -> str:
    """A rank counted from a side: "the second leftmost"; the last one is the first from the other side."""
    if ordinal == "last":
        ordinal, side = "first", _OPPOSITE[side]
    return (
        f"the {'' if ordinal == 'first' else ordinal + ' '}{ {'upper': 'top', 'lower': 'bottom'}.get(side, side) }most"
    )


def _with_names_joined(text: str) -> str:
    """Joins names such as "North Beach" or "Two Rivers" to one word: they are neither places nor numbers."""
    if not re.search(r"\b[a-z]{3,}", text):
        return text  # If all words have capital letters, names cannot be recognised.
    known = DIRECTIONS.keys() | PARTS | SUPERLATIVES.keys()
    return _NAME.sub(
        lambda match: match[0] if match["last"].lower() in known else "_" + match[0].replace(" ", "_"), text
    )
