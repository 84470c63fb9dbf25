# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Finds words for a rank or a number: "the leftmost house", "the second one from the top", "the two largest"."""

import re
from typing import Literal, NamedTuple

from .place_words_mtrefseg import AFTER_A_PLACE, IMAGE, MOTION, OF_THE_IMAGE, OWNED, PARTS_OF_THINGS, tidy


Order = tuple[Literal["x", "y", "size"], bool]
"""What is compared, and whether the largest value comes first."""

SIDES: dict[str, Order] = {"left": ("x", False), "right": ("x", True), "top": ("y", False), "bottom": ("y", True)}
_LARGE = (
    *("massive", "enormous", "extensive", "voluminous", "gigantic", "sizeable", "sizable", "spacious", "substantial"),
    *("expansive", "immense", "colossal", "huge", "vast", "large", "big", "considerable", "bulky"),
)
_SMALL = ("minute", "diminutive", "tiny", "minuscule", "compact", "petite", "little", "small", "modest")
SUPERLATIVES: dict[str, Order] = {
    **dict.fromkeys(("leftmost", "westernmost", "westmost", "most westerly"), SIDES["left"]),
    **dict.fromkeys(("rightmost", "easternmost", "eastmost", "most easterly"), SIDES["right"]),
    **dict.fromkeys(
        ("topmost", "uppermost", "upmost", "highest", "northernmost", "northmost", "most northerly"), SIDES["top"]
    ),
    **dict.fromkeys(
        ("bottommost", "lowermost", "lowest", "southernmost", "southmost", "most southerly"), SIDES["bottom"]
    ),
    **dict.fromkeys(
        ("largest", "biggest", "greatest", "hugest", "heftiest", "bulkiest", "vastest", "roomiest"), ("size", True)
    ),
    **dict.fromkeys(
        ("smallest", "tiniest", "littlest", "minutest", "teeniest", "slightest", "puniest"), ("size", False)
    ),
    **{f"{most} {word}": ("size", is_most) for word in _LARGE for most, is_most in (("most", True), ("least", False))},
    **{
        f"{most} {word}": ("size", not is_most)
        for word in _SMALL
        for most, is_most in (("most", True), ("least", False))
    },
}
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6}
NUMERALS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}

_SIDE_WORDS = {
    **{side: side for side in SIDES},
    **dict.fromkeys(("upper", "upwards", "up", "north", "northern"), "top"),
    **dict.fromkeys(("lower", "downwards", "down", "south", "southern"), "bottom"),
    **dict.fromkeys(("west", "western"), "left"),
    **dict.fromkeys(("east", "eastern"), "right"),
}
_COMPARED: dict[str, Order] = {
    **dict.fromkeys(("higher", "further up", "farther up"), SIDES["top"]),
    **dict.fromkeys(("lower", "further down", "farther down"), SIDES["bottom"]),
    **dict.fromkeys(("bigger", "larger", "greater"), ("size", True)),
    **dict.fromkeys(("smaller", "tinier"), ("size", False)),
    **{f"{more} {to}{side}": SIDES[side] for more in ("further", "farther", "more") for to in ("", "to the ")
       for side in SIDES},
}  # fmt: skip


def _one_of(words: object) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"  # type: ignore[call-overload]


_ORDINAL, _NUMERAL = _one_of(ORDINALS), _one_of(NUMERALS)
_PLACE_IN_ORDER = rf"(?:(?P<nth>{_ORDINAL}) |(?P<count>{_NUMERAL}) )?"
_SIDE = rf"(?P<side>{_one_of(_SIDE_WORDS)})(?: hand)?(?! (?:left|right)\b)"
_SIZE = rf"(?P<size>{_one_of(word for word, (key, _) in SUPERLATIVES.items() if key == 'size')})"
_SUPERLATIVE = (
    r"(?:(?:very|single|absolute|by far the|overall) )?"
    rf"(?P<superlative>{_one_of(SUPERLATIVES)}|"
    rf"(?:furthest|farthest|most|far|extreme|outermost) {_one_of(_SIDE_WORDS)})"
    r"(?! (?:corner|part|half|third|edge|area|side|border|hand|end|quarter|section|region|zone)\b)"
    r"(?! (?:\w+ )?(?:number|amount|portion|share|proportion|percentage|majority|"
    r"concentration|quantity|floor|storey|story|level|branch|"
    r"point|peak|step|rung|shelf|deck|price|speed)\b)"
)
_EDGE = rf"(?: (?:edge|side|border|margin|rim|end|boundary))?(?: {OF_THE_IMAGE})?"
_IS = (
    r",? (?:(?:that|which|who) )?(?:(?:is|was|are|were|lies|lay|stands|stood|sits|sat|looks|appears|comes|being|"
    r"ranked|ordered|located|situated|positioned|placed|lying|standing|sitting|found|by|far) )*(?:the )?"
)
_THAT_IS = r",? (?:that|which|who) (?:is|was|are|were|lies|stands|sits|looks|appears|seems)(?: to be)? (?:the )?"
_WALK = (
    r"(?:when|if|as|you|one|we|count|counting|counted|start|starting|started|begin|beginning|go|going|seen|look|"
    r"looking|read|reading|in|along|over|across|numbered|numbering|moving|coming|order|ordered|sorted|ranked|taken|"
    r"inwards?|working|running|viewed|watching|proceeding|scanning)"
)
_FROM = rf"(?:(?:,? {_WALK})+ at|(?:,? {_WALK})* from)(?: the)? (?:very |far )?{_SIDE}{_EDGE}"
_OTHERS = (
    r"(?:(?:all |any |every |each )?(?:of )?(?:the )?(?:others?|rest|remaining)(?: ones?)?|(?:any|every)thing else|"
    r"its (?:neighbou?rs|peers|siblings))"
)
_OF_ALL = r"(?: (?:ones?|of (?:all|them|the lot)|of them all|of all of them|in (?:size|area)|by area|overall))*"
_AMONG = r"(?:(?: ones?)? (?:of|among|amongst|out of)(?: all)?(?: of)? (?:the|these|those))?"
_ENDS = r"(?=$|[,:;?.!)]| (?:that|which|who|was|were|is|are|has|have|had|got|did|now|in|on|at|with)\b)"

# Words after the ranked object, which are removed. The first pattern that matches is used.
_AFTER = (
    # "The one third from the left", but not "one third from the left".
    re.compile(rf"{_IS}(?:(?<!\bone )|(?<=\bthe one ))(?<!\ba )(?P<nth>{_ORDINAL}){_FROM}"),
    re.compile(rf"{_IS}(?P<nth>{_ORDINAL}) {_SUPERLATIVE}(?: up| down)?{_ENDS}"),
    re.compile(rf"{_IS}(?P<superlative>highest up|lowest down)\b(?: {OF_THE_IMAGE})?"),
    re.compile(
        rf"{_IS}(?:(?P<nth>{_ORDINAL}) )?(?:furthest|farthest|(?<!changed )(?<!changed the )most|outermost) "
        rf"(?:(?:to|towards?|on|at) the )?{_SIDE}"
        r"(?: side)?\b"
    ),
    re.compile(rf"{_IS}(?:closest|nearest)(?: to)? the (?:very )?{_SIDE}\b{_EDGE}"),
    re.compile(rf"{_IS}(?P<compared>{_one_of(_COMPARED)})(?: up| down| in size)? than {_OTHERS}"),
    re.compile(rf"{_THAT_IS}{_PLACE_IN_ORDER}{_SUPERLATIVE}\b{_OF_ALL}"),
    re.compile(rf", (?:namely |i mean )?the {_PLACE_IN_ORDER}{_SUPERLATIVE}{_OF_ALL}{_ENDS}"),
    re.compile(
        rf"(?:,? (?:that|which) (?:is|are))? of (?:the )?(?:{_SIZE}|(?P<limit>maximum|maximal|minimum|minimal)) "
        r"(?:size|area|extent|dimensions?|proportions)"
    ),
    re.compile(
        rf",? (?:with|having|(?:that|which) has) (?:the )?{_SIZE} "
        r"(?:area|size|extent|surface(?: area)?|footprint|outline|dimensions?)"
    ),
    re.compile(
        rf",? (?:that|which) (?P<larger>exceeds|surpasses|outsizes|dwarfs) {_OTHERS}(?: in (?:size|area))?"
    ),
    re.compile(
        rf",? (?:that|which) (?:covers|occupies|fills|takes(?: up)?) the (?:{_SIZE}|(?P<much>most|least)) "
        r"(?:area|space|ground|room|surface)"
    ),
    re.compile(rf",? (?:with|and) (?:no other|none|nothing)(?: one)? (?:further|farther|more) (?:to the )?{_SIDE}"),
)  # fmt: skip
_AT_THE_FAR_SIDE = re.compile(
    rf",? (?:(?:that|which) (?:is|was|lies|stands) )?(?:over )?(?:on|at|to|towards) the (?:far|extreme|outermost) "
    rf"{_SIDE}\b{_EDGE}"
)
# Words before the object; the article stays.
_NTH_FROM_A_SIDE = re.compile(
    rf"(?<!\bevery )(?<!\beach )(?<!\ba )\b(?:the |number )?(?P<nth>{_ORDINAL})"
    rf"(?! (?:few|several|couple|many|half)\b)(?: (?P<behind>{_NUMERAL}))?"
    rf"(?: of (?:all )?(?:the|these|those))? (?P<rest>\S.*?){_FROM}"
)
_SUPERLATIVE_BEFORE = re.compile(
    rf"\b(?:the )?{_PLACE_IN_ORDER}{_SUPERLATIVE}(?: (?P<behind>{_NUMERAL})\b)?{_AMONG} "
    r"(?!(?:that|which|who|was|were|is|are|has|have|had|in|on|at|and|with|of|from|the|an?|up|down)\b)(?=\w)"
)
# "The left house", of two; but not "the left lane", and not "on the left that".
_AT_A_SIDE = re.compile(
    r"(?<!\bin )(?<!\bon )(?<!\bat )(?<!\bto )(?<!\bfrom )(?<!\bof )(?<!\bby )(?<!\bnear )\bthe "
    rf"(?!north|south|east|west){_SIDE} "  # "The north terminal" is a name.
    rf"(?!(?:\w+ )?(?:{PARTS_OF_THINGS}|course|flap|class|case|secret|soil|coat|brand|jaw)\b)"
    r"(?!(?:up|down|half|part|side|edge|corner|kind|time|way|answer|direction|angle|choice|hat|she|he|they|it|i|we|you|"
    r"and|or|of|in|on|at|to|ones?|that|which|who|was|were|is|are|has|have|had|image|photo|picture|frame|"
    r"view|lines?)\b)(?=[a-z]{2})"
)
# After these numbers, comes a measure or a number of parts: "two acres of trees", "a four lane road".
_MEASURED = (
    r"(?:(?:stor(?:e?y|e?ys|ies)|(?:bed)?rooms?|lanes?|stars?|doors?|wheels?|famil(?:y|ies)|way|ways|acres?|"
    r"hectares?|ha|m|km|cm|ft|meters?|metres?|feet|foot|yards?|miles?|inch(?:es)?|square|sq|percent|hundreds?|"
    r"thousands?|dozens?|years?|months?|weeks?|days?|hours?|minutes?|pm|am|o'clock|ends?|sides?|parts?|halves|"
    r"thirds|quarters|fifths|sixths|tenths|rows?|floors?|times|wings|corners|tons?|tonnes|point|scissors|"
    r"glasses|trousers|jeans|shoes|boots|socks|gloves)(?![\w]))"
)
_COUNT = re.compile(
    rf"(?:(?:the|all|which|what|these|those|all the|all of the|all of those) )?"
    rf"(?:(?P<count>{_NUMERAL})(?: of the(?:se)?)?|both(?: of)?(?: the(?:se)?| those)?|the pair of|a couple of) (?=\w)"
    rf"(?!(?:(?:extra|more|additional|further|new|other) )?{_MEASURED}\b)(?!(?:or|to|and|of)\b)"
)
# "Two houses and a shed": the number does not apply to everything.
_AND_MORE = re.compile(
    rf"(?<!between )\b(?:and|or) (?:{_NUMERAL}|one|an?|the|every|all|some|several|many|\d+)\b|"
    rf"\b(?:now|then|but) .{{0,80}}?\b(?:{_NUMERAL}|one)\b"
)
# After these words comes another object, which is not the one to be ranked.
_RELATION = re.compile(
    r"(?<![\w-])(?:next|near|over|beside|close|by|above|below|between|behind|under|opposite|around|along|alongside|"
    r"surrounding|adjacent|facing|inside|outside|across|against|beyond|past|through|beneath|underneath|as|like|not|n't|"
    r"(?:left|right|front|north|south|"
    r"east|west) of)\b|n't\b"
)
# What can follow "second from the left", but neither "of the house" nor "to the right" nor "bank".
_ENDS_A_PLACE = re.compile(
    rf"$|\s*(?!of\b|to (?:the )?{_one_of(SIDES)}\b)(?:(?:{AFTER_A_PLACE.pattern})(?!\w)|{_RELATION.pattern})"
)
# "The largest house's garden", but not "the largest house that's new".
_OWNER = re.compile(r"(?:[\w-]+ ){0,2}?(?!that's|which's|who's|it's|there's|what's)[\w-]+?(?:'s|’s|s') (?=\w)")
_OTHER_THING = re.compile(
    r"\b(?:of|to|with|that|in|on|at|has|have|had|holding|wearing|carrying|riding|driving|from|who|"
    r"which (?!is|was|are|were))\b"
)
_REQUESTS = (
    "show|find|see|mark|highlight|segment|select|give|get|display|reveal|detect|tag|label|bring|return|extract|isolate|"
    "single|help|locate|identify|outline|point|trace|pick|draw|mask|look|search|focus|zoom|concentrate|need|want|compute|"
    "produce|indicate|circle|seek|spot|output|crop|tell|grab|choose|catch|interested|love"
)
_ASKING = (
    r"(?:please|kindly|can|could|would|will|may|might|you|i|i'm|i'd|we|let|let's|me|us|to|just|only|try|trying|your|the|"
    r"task|job|goal|aim|is|am|do|know|how|where|want|like|need|now|go|and|then|have|all|simply|here)"
)
_LOCATION = (
    r"(?:location|mask|segmentation|area|place|position|shape|outline|spot|pixels|region|contour|extent|whereabouts)"
)
# What can precede the object: a time, a request, an opinion, a question.
_OPENING = re.compile(
    r"^(?:(?:and|so|now|well|here|there|only|just),? )*(?:(?<=there )(?:are|were|is|was) (?:now )?)?"
    rf"(?:(?:(?:in|on|at|by|since|from) (?:the |this )?(?:\w+ )?(?:meantime|now|date|time|{IMAGE})|meanwhile),? )?"
    rf"(?:(?:{_ASKING},? ){{0,7}}?(?:{_REQUESTS})\b(?! of| for| up)"
    r"(?: (?:me|us|out|up|at|to|in|on|only|just|where|which|that|please|for)\b)*[,:]* )?"
    r"(?:(?:[\w']+ ){1,4}(?:think|believe|guess|know|say|clear|obvious|evident|apparent|seems?|true|sure|noticed?) "
    r"that )?"
    rf"(?:(?:in|on|at|to) (?:which|what) (?:{_LOCATION}|part|side|corner)(?: {OF_THE_IMAGE})? "
    r"(?:is|are|was|were|did|has) )?"
    rf"(?:where(?: {OF_THE_IMAGE})? (?:is|are|was|were|might|may|could|can|has|have|did) )?"
    rf"(?:(?:an? |the )?(?:(?:exact|precise|segmentation) )?{_LOCATION} (?:of|for|where|with|covered by) )?"
)


class Rank(NamedTuple):
    """
    A rank in a sentence.

    Args:
        order (`Order`, *optional*): What is compared; `None` for only a number.
        rank (`int`): The first selected object, from 1.
        number (`int`, *optional*): Number of selected objects, if the sentence gives one.
    """

    order: Order | None
    rank: int = 1
    number: int | None = None


def take_rank(text: str) -> tuple[str, Rank | None]:
    """
    Removes a rank or a number from a sentence.

    Args:
        text (`str`): A sentence in lower case, as [`plain_hyphens`] writes it.

    Returns:
        `str`: The rest of the sentence; `text` itself if it names no rank.
        [`Rank`], *optional*: The rank; `None` also if it is the rank of another object ("next to the largest pond").
    """
    return (
        _take_before(text, _NTH_FROM_A_SIDE)
        or _take_after(text)
        or _take_before(text, _SUPERLATIVE_BEFORE)
        or _take_count(text)
        or (text, None)
    )


def take_side(text: str) -> tuple[str, Rank | None]:
    """Removes "left" from a sentence about "the left house": it is the leftmost one. See [`take_rank`]."""
    return _take_before(text, _AT_A_SIDE) or (text, None)


def take_far_side(text: str) -> tuple[str, Rank | None]:
    """Removes "on the far left" from a sentence about one object: it is the leftmost one. See [`take_rank`]."""
    match = _AT_THE_FAR_SIDE.search(text)
    if match is None or _RELATION.search(text[: match.start()]) or (" on " not in match[0] and _is_moved(text, match)):
        return text, None
    if text.startswith(" of ", match.end()):
        return text, None  # "On the far left of the table".
    return tidy(f"{text[: match.start()]} {text[match.end() :]}"), _rank(match)


def _take_after(text: str) -> tuple[str, Rank] | None:
    """Removes a rank after its object: "the house that is furthest to the left"."""
    for pattern in _AFTER:
        match = pattern.search(text)
        if match is None or not match.start() or _RELATION.search(text[: match.start()]):
            continue
        following = re.match(r"\s*(\w+|\W|$)", text[match.end() :])
        is_along = re.search(r"\b(?:up|down)$", match[0]) and re.match(r" (?:the|an?)\b", text[match.end() :])
        if is_along or (not match.groupdict().get("nth") and _is_moved(text, match)):
            continue  # "Furthest down the road", "moved furthest to the right".
        if following and following[1] != "of" and AFTER_A_PLACE.fullmatch(following[1] or ","):
            rank, rest = _rank(match), _without_group(f"{text[: match.start()]} {text[match.end() :]}")
            if _AND_MORE.search(rest, match.start()):
                return None
            counted = None if rank.number else _take_count(rest)
            return (counted[0], rank._replace(number=counted[1].number)) if counted else (rest, rank)
    return None


def _is_moved(text: str, match: re.Match[str]) -> bool:
    """Whether a verb of motion precedes a match: "the car that moved (furthest to the right)"."""
    before = text[: match.start()].split()
    return bool(before) and not match[0].startswith(",") and MOTION.fullmatch(before[-1]) is not None


def _take_before(text: str, pattern: re.Pattern[str]) -> tuple[str, Rank] | None:
    """Removes a rank before its object: "the second house from the left"."""
    skipped = end_of_opening(text)
    match = pattern.search(text, skipped)
    if match is None or any(words.search(text, skipped, match.start()) for words in (_RELATION, _OTHER_THING)):
        return None
    before, after = text[: match.start()], text[match.end() :]
    if pattern is _NTH_FROM_A_SIDE:
        # "The second window from the left of the house", "the second boat sailing in from the left".
        coming = re.search(r"(\w+ing)(?: in| out| over)?$", match["rest"])
        is_other_thing = not _ENDS_A_PLACE.match(after) or bool(coming and MOTION.fullmatch(coming[1]))
    else:
        # "The house farthest left of the church", but "the farthest left of the houses".
        is_other_thing = bool(re.search(r" (?:of|among|amongst)\b", match[0]) and before[skipped:].strip(" ,"))
    if is_other_thing or _AND_MORE.search(after) or _OWNER.match(after) or OWNED.search(before):
        return None
    rest = match.groupdict().get("rest") or ""
    article = "" if re.search(r"\b(?:my|our|your) $", before) else "the "
    return tidy(f"{before}{article}{rest}{after}"), _rank(match)


def _take_count(text: str) -> tuple[str, Rank] | None:
    """Removes a number: "the two houses"."""
    start = end_of_opening(text)
    match = _COUNT.match(text, start)
    if match is None or _AND_MORE.search(text, match.end()):
        return None
    return f"{text[:start]}the {text[match.end() :]}", Rank(None, number=NUMERALS[match["count"] or "two"])


def end_of_opening(text: str) -> int:
    """Where the noun phrase of the object can begin: after "please show me", "in the second image", "I think that"."""
    opening = _OPENING.match(text)
    return opening.end() if opening else 0


def _without_group(text: str) -> str:
    """The rest of "of the new houses, the leftmost"."""
    group = re.match(r"(?:out of|of|among|amongst|from) (?:all )?(?:of )?(?=the |these |those )", tidy(text))
    return re.sub(r", the one\b", "", tidy(text)[group.end() :]) if group else tidy(text)


def _rank(match: re.Match[str]) -> Rank:
    """The rank that a match names."""
    found = {name: value for name, value in match.groupdict().items() if value}
    if "superlative" in found or "size" in found:
        order = _order_of(found.get("superlative") or found["size"])
    elif "compared" in found:
        order = _COMPARED[found["compared"]]
    elif "limit" in found:
        order = ("size", found["limit"].startswith("max"))
    elif "larger" in found:
        order = ("size", True)
    elif "much" in found:
        order = ("size", found["much"] == "most")
    else:
        order = SIDES[_SIDE_WORDS[found["side"]]]
    number = NUMERALS.get(found.get("count") or found.get("behind", ""))
    return Rank(order, ORDINALS.get(found.get("nth", "first"), 1), number)


def _order_of(superlative: str) -> Order:
    """The order of a superlative such as "leftmost" or "furthest left"."""
    return SUPERLATIVES.get(superlative) or SIDES[_SIDE_WORDS[superlative.split()[-1]]]
