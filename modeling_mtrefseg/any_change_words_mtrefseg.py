# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds out whether a sentence asks for every change of a thing, whatever its type: "cars that came or went", "what
happened to the car?", "changes in the cars". The patterns are written as in `change_words_mtrefseg.py`.
"""

import re

from .change_words_mtrefseg import date_of
from .rank_words_mtrefseg import end_of_opening
from .state_words_mtrefseg import CHANGE_OF_STATE, IMAGE, one_of


# "Appeared or disappeared", "new or missing", "new cars and removed cars", "in only one of the images".
_CAME = one_of(
    "appear(?:s|ed|ing)?, c[ao]me, coming, arriv(?:es?|ed|ing), built, add(?:ed|ing), (?:brand[- ]|newly )?new",
    "(?:newly )?(?:constructed|erected|installed|planted|placed|put up|built), emerged?, enter(?:s|ed|ing)?, gained",
)
_WENT = one_of(
    "dis+ap+ear(?:s|ed|ing)?, go, goes, going, went, gone, leaves?, leaving, left, remov(?:ed|ing), demolished",
    "destroyed, missing, vanish(?:ed|ing)?, lost, felled, exit(?:ed|ing)?, depart(?:ed|ing)?",
    "(?:torn|taken|cut|knocked|pulled) (?:down|away|up|out)",
)
_OR = r"(?:,? (?:and/or|or|and) | ?/ ?)(?:(?:that|which|who|was|were|is|are|been|be|has|have|had|newly) ){0,3}"
_ONE = rf"(?:(?:only|just) )?one (?:(?:of )?(?:the )?(?:two )?)?{IMAGE}(?: only)?"
_BOTH_WAYS = re.compile(
    # Not "the barn was demolished and new houses were built", "who arrived and left the bag".
    rf"\b(?!{_WENT} and (?:(?:a|the) )?(?:brand[- ]|newly )?new\b)(?:{_CAME}{_OR}{_WENT}|{_WENT}{_OR}{_CAME})\b"
    r"(?! (?:back|again|by|to|from|on|in|into|of|the|an?|his|her|its|their)\b)|"
    rf"\b{_CAME} (?P<kind>[\w' -]+?){_OR}{_WENT} (?P=kind)\b|"
    rf"\b{_WENT} (?P<thing>[\w' -]+?){_OR}{_CAME} (?P=thing)\b|"
    rf"(?<=\w )(?:(?:is|are|only|visible|present|there|seen|found) )*(?:in|on|at) {_ONE}|"
    r"\b(?:(?:from |the )?before and (?:the )?after|then and now)(?=[?!. ]*$)|"
    r"(?:(?<=that )|(?<=which )|(?<=who ))(?:has |have )?moved(?=[?!. ]*$)"
)
# What a sentence that only names things does not contain: verbs, words of time, names of changes.
_NO_NAME = one_of(
    "that, which, who, whom, whose, where, when, while, why, how, what, if, but, than, (?<!next )(?<!close )to, as",
    "is, are, was, were, be, been, being, has, have, had, did, does, do, done, can, could, will, would, shall",
    "should, may, might, must, not, no, none, never, nothing, nobody, neither, nor, only, just, still, now, then",
    "since, until, once, again, already, yet, soon, ago, bec[ao]mes?, gr[eo]wn?s?, f[ae]ll(?:en)?s?, r[io]sen?",
    "g[eo]ts?, took, t(?:akes?|aken), ma[kd]es?, c[ao]mes?, goes, gone, go, went, left, lost, built, torn, dug, cut",
    "sets?, put, send, sent, sold, s[au]nk, hidden, off, away, out, (?:in|on|up|over|down)(?=[?!. ]*$)",
    "[\\w-]+-(?:up|down|off|away|out), new-?built, open, closed, fire, flames, chang\\w*, differ\\w*, alter\\w*",
    "modif\\w*, transform\\w*, evol\\w*, growth, loss, losses, increases?, decreases?, shrink\\w*, departures?",
    "arrivals?, removals?, renewals?, clearances?, disposals?",
    "(?:dis)?appearances?, refurbish\\w*, (?:move|deploy|develop|replace|displace|improve|settle)ments?",
    "(?!station|planta|vegeta|junction|intersec|pavilion|mansion|section|recrea|reserva)\\w+[st]ions?",
    "(?!bed\\b|shed\\b|red\\b|reed\\b|seed\\b|sled\\b|weed\\b|terraced|detached|wooded|striped|tiled|hundred|parked)"
    "\\w+ed",
    "(?!building|parking|crossing|swing|ceiling|clothing|painting|railing|wing|ring|awning|string|king|thing|housing|"
    "fencing|dwelling|swimming|shopping|walking|standing|sitting|riding|wearing|carrying|holding|pushing|facing|lying|"
    "leaning|looking|sailing|pulling|paving|roofing|landing|bowling|training|dining|living|washing|surrounding)\\w+ing",
)
_DID = re.compile(r"\b(?:did|has|have)\b(?! happened)")
_NAMES_ONLY = re.compile(
    r"(?:what (?:has |have )?(?:happened|happens) (?:to|with) |what's up with |(?:what|how) about |"
    r"(?:is|are|was|were) there |"
    r"(?:(?:any|all|every|the) )?(?:changes?|differences?) (?:in|of|to|among|for|with|regarding|concerning) )?"
    r"(?!(?:(?:the|this|these|both|your|my) )?(?:\w+ )?"
    rf"(?:{IMAGE}|area|region|place|land(?:scape)?|site|surface|state|use)\b)"
    rf"(?P<things>(?!(?:{_NO_NAME})\b)[a-z][\w'’-]*(?:,? (?!(?:{_NO_NAME})\b)[a-z][\w'’-]*){{0,7}})[?!. ]*$"
)


# Names of a change of any type, and what says that two images differ.
_NAME = (
    r"(?:changes?|differences?|alterations?|modifications?|discrepanc(?:y|ies)|variations?|mismatch(?:es)?|dynamics|"
    r"evolution|diffs?|deviations?|disparit(?:y|ies))\b"
)
_DIFFERS = (
    r"(?:chang(?:ed?|es)|differ(?:s|ed)?|different|altered|alter|modified|var(?:y|ies|ied)|mismatch(?:ed|es)?|"
    r"disagrees?|(?:is|are|was|were)(?:n'?t| not) (?:the same|identical|alike|as (?:it|they) (?:was|were))|"
    r"(?:do|does|did)(?:n'?t| not) (?:match|agree|coincide)|(?:undergone|experienced|seen|suffered|shows?|with|had|"
    r"has|have) (?:an?y?|some|every|each) (?:change|alteration|modification|difference|mismatch)s?)\b"
)
_BETWEEN = re.compile(
    r"(?:,? ?\(?(?:from|between|across|in|when comparing|comparing|compared?) )?(?:the )?"
    rf"(?:(?:first|earlier|old|older|before|one) (?:{IMAGE} )?(?:and|to|vs\.?|versus|with|against) "
    rf"(?:the )?(?:second|later|new|newer|after|next|other|last) ?(?:{IMAGE})?|"
    r"(?:t|(?:image|photo|picture) )?1(?:,| and| to| vs\.?| versus| ?[-–→↔/]+) ?(?:t|(?:image|photo|picture) )?2|"
    r"before (?:and|vs\.?|versus|to|/) ?after|then (?:and|vs\.?) now|(?:the )?(?:two|both) {IMAGE}|"
    r"(?:19|20)\d\d ?(?:and|to|[-–→]) ?(?:19|20)\d\d|one date (?:and|to|from) (?:the other|another))\)?"
)
_EITHER_WAY = (
    r"(?:,? ?[-–—(]? ?(?:irrespective of|regardless of|no matter|of (?:any|every|all|whatever|whichever)|in (?:any|"
    r"every|either|whatever|whichever|both|all)|(?:any|either|whatever|whichever|every) (?=(?:kind|type|sort|way|"
    r"direction|manner|nature|sense)s?\b)|whatever|whichever|any ?how\b|somehow\b|any and all\b|all of (?:it|them)\b|"
    r"(?:no|without) exceptions?|alike\b|at all\b|if any\b|two-way).*)"
)
_TAIL = rf"(?=(?:{_EITHER_WAY}| (?:pls|plz|please)\b.*)?[?!.)]*(?:$|[,;:(–—]| [-–—] ))"
_EACH = r"(?:(?:all|any|every|each|both|of|the|these|those|this|your|my|our) )*"
_NO_THING = one_of(
    "any, all, the, an?, every, each, and, or, with, in, of, what\\w*, wher\\w*, which\\w*, kinds?, sorts?, types?",
    "ones?, it, they, there",
)
_WORD = rf"(?!(?:{_NO_NAME})\b|and (?:mark|show|list|give|find)\b)[a-z][\w'’-]*"
_THINGS = rf"(?P<things>{_EACH}(?!{_NO_THING}\b){_WORD}(?: {_WORD}){{0,6}}?)(?<!\bwith)(?<!\bthe)(?<!\band)(?<!\ba)"
_ABOUT = one_of(
    "in, of, to, among, amongst, for, with, regarding, concerning, involving, about, on, at, affecting, over, across",
    "within",
)
_ASKED = one_of(
    "flag, map, mark, show, list, give, find, highlight, segment, outline, note, report, track, tick, delineate",
    "detect, display, indicate, monitor, circle, draw, locate, extract, trace, record, log, spot, see, tell, need",
    "want, get, detail, count, compare, check, identify, point out, pick out, look for, look at, me, us, i",
    "please, kindly, out",
)
_HAS = (
    r"(?:(?:that|which|who|whose \w+|has|have|had|is|are|was|were|been|being|got|did|do|does|may|might|to|in fact)"
    r",? )*"
)
_HOW = (
    r"(?:what|anything|everything|something|whatever|whichever|how|every single thing|each thing|all)\b[^.:;?!]*?\b"
    r"(?:different|chang(?:ed?|es)|altered|happen(?:ed|s)?|done|off|the same|become|differs?|modified|wrong|identical)"
)
# One pattern for each form: "what is different about the cars", "how have the cars changed", "did the cars change",
# "altered cars", "car changes", "changes in the cars", "cars that differ".
_QUESTIONS = tuple(
    re.compile(question)
    for question in (
        rf"{_HOW} (?:at all )?{_ABOUT} {_THINGS}{_TAIL}",
        rf"\bhow (?:has|have|had|do|does|did) {_THINGS} (?:\w+ly )?(?:{_DIFFERS}|evolved?|developed|look)\b",
        rf"^(?:did|have|has|do|does) {_THINGS} {_DIFFERS}{_TAIL}",
        rf"^{_EACH}(?:altered|changed|modified|differing|different) {_THINGS}(?=[?!. ]*$)",
        rf"^{_EACH}{_THINGS}(?:,| [-–—]|:)? {_EACH}(?:[\w-]+[- ])?{_NAME}"
        rf"(?: (?:in|on|at|along) (?:the|this|that|my|our) \w+)?{_TAIL}",
        rf"(?<!\ba )(?<!['’]s )\b{_NAME} {_ABOUT} {_THINGS}{_TAIL}",
        rf"^{_THINGS},? {_HAS}(?:(?:been|be) )?(?:\w+ly )?{_DIFFERS}{_TAIL}",
    )
)
_OPENED = re.compile(rf"(?:(?:{_ASKED})\b,? ?|[^:]{{1,40}}: (?={_EACH}{_WORD}))*")
# Lists such as "arrivals, departures and moves" and "built, scrapped or altered".
_ARRIVAL = one_of(
    _CAME,
    "arrivals?, additions?, gains?, newcomers?, created, creation, plus, accretion, growth, construction, surplus",
    "comings?, (?:newly|freshly) (?:built|planted|dug), extensions?, pitched, opened, expansion, ones new, planting",
)
_DEPARTURE = one_of(
    _WENT,
    "departures?, removals?, deletions?, loss(?:es)?, leavers?, minus, erosion, demolition, flattened, scrapped",
    "shortfall, goings?, struck, taken, closed down, shrinkage, melt, clearance, felling, ones gone, regrowth",
)
_ITEM = r"(?!the |an? )[a-z]+(?: [a-z]+)?"
_SEPARATOR = r"(?:, (?:and |or )?| (?:and/or|or|and|plus|as well as) | ?/ ?)(?:(?:what|who|which) )?"
_LIST = re.compile(
    rf"\b(?:{_ARRIVAL}(?:{_SEPARATOR}{_ITEM}){{0,3}}?{_SEPARATOR}{_DEPARTURE}|"
    rf"{_DEPARTURE}(?:{_SEPARATOR}{_ITEM}){{0,3}}?{_SEPARATOR}{_ARRIVAL}|in(?: or | and |, )out)\b"
    # Not "the man who arrived and left the bag".
    rf"(?:{_SEPARATOR}{_ITEM})*(?=[,;:.?!)–—]|$| [-–—] | (?:alike|included|too|please)\b| of (?!the\b))"
)
_BEFORE_A_LIST = re.compile(
    r"(?:[ ,:–—(-]|\b(?:the|that|which|who|what|were|was|are|is|been|be|it|they|it's|they're|whether|if|either|"
    r"movements?|includ\w+|one|of|mark each|new|newly|freshly)\b)*$"
)
# These name nothing to look for: "significant changes", "changes of the images".
_NO_THINGS = re.compile(
    rf"{IMAGE}|(?:['’]s|\b"
    + one_of(
        "(?:use|colou?r|shape|size|surface|state|condition|look|appearance|area|place|way)s?, significant, notable",
        "major, minor, main, visible, obvious, subtle, small, big, large, slight, structural, seasonal, natural",
        "urban, overall, environmental, physical, important, total, other, some, any, most, more, new, old, real",
        "actual, human, recent, sudden, few, many, several, no, great, relevant, key, temporal, spatial, local, land",
        "text, leaves",
    )
    + ")$"
)
_ALL = re.compile(rf"{_THINGS}$")
_OF = re.compile(rf" of {_THINGS}{_TAIL}")


def any_change(text: str) -> str | None:
    """
    The question for a sentence that asks for changes of every type.

    Args:
        text (`str`): A sentence in lower case.

    Returns:
        `str`, *optional*: For "cars that came or went", "cars that changed". For a sentence that only names things, as
        "red cars" and "what happened to the car?", these things "that changed". `None` for other sentences.
    """
    both_ways = _BOTH_WAYS.sub(lambda found: f"changed {found['kind'] or found['thing'] or ''}".rstrip(), text)
    if both_ways != text:
        return both_ways
    things = _different_things(text)
    if things is not None:
        return f"{things} that changed"
    named = _NAMES_ONLY.match(text, end_of_opening(text))
    if named is None or _DID.search(text) or CHANGE_OF_STATE.search(named["things"]) or date_of(text) is not None:
        return None
    return f"{named['things']} that changed"


def _different_things(text: str) -> str | None:
    """The things of a sentence that asks what is different about them, as "cars" of "all changes in the cars"."""
    if text.rstrip("?!. ").endswith(" that changed"):
        return None  # In these words already.
    said = _BETWEEN.sub("", text[end_of_opening(text) :]).strip()
    said = said[_OPENED.match(said).end() :]
    listed = _LIST.search(said)
    if listed is not None:
        before = _BEFORE_A_LIST.sub("", said[: listed.start()])
        found = _ALL.match(before) or _asked_about(before) or (None if before else _OF.match(said, listed.end()))
    else:
        found = _asked_about(said)
    return None if found is None or _NO_THINGS.search(found["things"]) else found["things"]


def _asked_about(said: str) -> re.Match[str] | None:
    found = next(filter(None, (question.search(said) for question in _QUESTIONS)), None)
    return None if found is None or date_of(said) is not None else found
