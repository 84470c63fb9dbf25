# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds out from the words of a sentence whether its object is in the earlier or in the later image: whether it
disappeared or appeared.

The patterns of this file are lists of words and regular expressions, separated by commas.
"""

import re


def _one_of(*lists: str) -> str:
    return "(?:" + "|".join(word.strip() for words in lists for word in words.split(", ")) + ")"


_IMAGE = r"(?:images?|photos?|pictures?|photographs?|shots?|scenes?|views?|frames?|dates?|visits?|one)\b"
_OLD = _one_of("before, earlier, first, previous, older, old, oldest, original, prior, initial, past, former")
_YOUNG = _one_of("after, later, second, last, latest, newer, new, newest, current, present, follow-up, recent, final")
_ENDS = r"(?=[?!.,]|$)"
_IN_EARLIER, _IN_LATER = (
    rf"(?:(?:the )?(?:\w+ )?{words} (?:of the two )?{_IMAGE}|{date}\b|{_IMAGE} (?:from |at )?(?:{when}|{date})\b|"
    rf"{words}{_ENDS})"
    for words, when, date in ((_OLD, "before", "t1"), (_YOUNG, "after", "t2"))
)
_BEFORE = _one_of(
    "before(?:hand)?, earlier, previously, formerly, initially, originally, at first, first, once, yet, in the past",
    "prior, back then, at the (?:start|outset|beginning), in the beginning, to (?:begin|start) with, the first time",
    "at that time, then, until (?:now|then|recently|lately), so far, hitherto, heretofore, a while ago, some time ago",
)
_NOW = _one_of(
    "now(?:adays)?, today, currently, presently, at present, later(?: on)?, after(?:wards?)?, subsequently, since",
    "finally, in the end, eventually, by (?:now|then), these days, any ?more, any longer, the second time, at last",
    "meanwhile, in the meantime",
)
_NOT_WORDS = _one_of(
    "not, cannot, never, no, nothing, nowhere, none, neither, missing, absent, lacking, lacks?, unseen, invisible",
    "hidden, without, unbuilt, non-?existent, free of, devoid of",
)
_NOT = rf"(?:n't\b|\b{_NOT_WORDS}\b)"
_ONLY = r"(?<!the )(?<!one )(?<!that )\b(?:only|solely|exclusively|just|purely)\b"
_THERE = _one_of(
    "there, here, present, visible, seen, shown, around, exists?, existed, in place, in view, in sight, to be found",
    "found, stood, stands?, standing, sits?, sat, parked, on site, on the spot, in the (?:scene|picture|image)",
    "depicted, recorded, spotted, apparent, noticeable, part of",
)
_THERE = rf"\b{_THERE}\b"
_FEW, _FEWER = r"(?:[\w'’-]+,? ){0,5}?", r"(?:[\w'’-]+ ){0,3}?"

_DOWN = _one_of(
    "tor[en], tore, knocked, pulled, taken, took, brought, broken, blown, came, come, burn(?:ed|t), cut, chopped",
    "sawn, sawed, hewn, hacked, fell, fallen, thrown",
)
_GO = _one_of(
    "go, goes, went, going, gone, dr[io]ve[sn]?, driving, walk\\w*, mov(?:e|ed|es|ing), r[au]n, runs, running",
    "sail\\w*, haul\\w*, tow\\w*, take, taken, took, got, gotten, get, carried, fl[ei]w, flown, pulled, clean\\w*",
    "clear\\w*, wash\\w*, swept, carted, rode, ridden, riding, blown, blew, wiped, ripped, thrown, threw, rooted",
    "pushed, headed, stroll\\w*, wander\\w*, sped, rac(?:e|ed|ing), hurr(?:ied|ying), rush\\w*, march\\w*, stepp\\w*",
    "back(?:ed|ing), cycl(?:ed|ing), pedall?ed, slipped, made, dragged, trucked, wheeled, shipped, put, packed",
    "tidied, scared, chased, sent, dispatched, faded, died, melted, hurtled, zoomed, strode, crept, ambled, sauntered",
    "jogged, trotted, hopped, steered, whisked, dash\\w*, lift\\w*, transferr\\w*, picked, brought, slid, shoved",
    "drift\\w*, glid\\w*, stripped, lopped, crawled",
    _DOWN,
)
_DISAPPEARED = _one_of(
    "dis+ap+ear\\w*, vanish\\w*, remov\\w*, gone(?! up| on\\b| from \\w+ to\\b), demoli\\w*, destroy\\w*",
    "raz(?:ed|ing), bulldoz\\w*, dismantl\\w*, deconstruct\\w*, disassembl\\w*, stolen, sold, cleared, collapsed",
    "crumbled, felled, depart(?:ed|s|ing), withdr[ae]wn?, withdrew, exit(?:ed|s)?, fled, escaped, retreated, decamped",
    "went missing, took (?:off|flight|(?:its|his|her|their) leave), set (?:off|out), flattened, levell?ed, wrecked",
    "smash\\w*, uprooted, grubbed (?:up|out), eliminated, eradicated, obliterated, scrapped, discarded, disposed of",
    "deleted, lost, got(?:ten)? rid of, done away with, wiped out, erased, collected, evicted, ejected",
    "expelled, extracted, relocated, displaced, transferred, confiscated",
    "(?:built|covered|paved) (?:over|up), filled in, backfilled, dug up, (?:torn|tore|ripped) (?:up|out|apart)",
    "broken? up, taken (?:up|apart), picked up, packed up, cleared up, went home, moved house, ceased (?:to|being)",
    "stopped existing, got going, dissolved, perished, toppled",
    "(?:knocked|fell|fallen) (?:over|to the ground), fell apart, axed, chopped, hewn, is history",
    "(?:out of|from) (?:view|sight), quit(?= the\\b|[?!.]|$), elsewhere, somewhere else, missing, absent, former",
    "ex-\\w+",
    f"{_DOWN} down, {_GO} (?:away|off|out|on|elsewhere), {_GO}-(?:away|off|out|down), (?:rolled|rolls?) (?:away|off)",
    "no more, (?:can|is|are|was|were) no longer (?:be )?(?:there|here|present|visible|seen|around|standing|parked)",
    "no longer (?:there|here|present|exists?|stands?|standing|visible|in|to be|appears?|parked|part|grows?|lives?)",
    "(?:there|here|visible|present|around|seen|exists?|it|found) any ?(?:more|longer)",
    "used to (?:be (?:there|here|present|visible|in|parked|seen|around|on|at|standing)|stand|sit|exist|live|grow)",
    "(?:was|were) once, once (?:was|were|stood|sat|existed|there), (?:is|are)(?:n't| not) (?:there|here)",
    "(?<!to )leave, leaving(?! out), (?:that|which|who|has|have|had|just|since|now|already|did|to) left",
    "(?<!the )left (?:the|his|her|its|their|my|our) \\w+",
)
_DISAPPEARED = rf"\b{_DISAPPEARED}\b|\b(?:left|go|taken|built on|cut)(?=[?!. ]*$)"
_INTO = _one_of("in, into, by, here, over, along, up")
_APPEARED = _one_of(
    "(?<!dis)ap+ear\\w*, add(?:ed|ition\\w*), (?<!to )another, new, newly, build, built(?! over| on[?!. ]*$)",
    "construct(?:ed|ion), erected, developed, (?:go|goes|went|gone|show\\w*|turn\\w*|popp?\\w*|cropp?\\w*) up",
    "(?:gr[eo]w|grown|put|set|rose|risen|rising|shot|sprouted|bubbled|thrown|threw|bred) up, spr[aiu]ng",
    "(?:put|set|laid|placed) (?:in|down|over|there|here|on|into|next|beside|between), delivered, (?:trans)?planted",
    "arriv\\w*, placed, positioned, stationed, installed, emerg\\w*, materiali[sz]\\w*, surfaced, join\\w*",
    "introduced, established, founded, created, inserted, deployed, assembled, sown, seeded, fresh(?:ly)?, additional",
    "extra, further (?=\\w+s\\b), recent, sprouted, germinated, (?:took|taken) root",
    "raised, made (?:an|its|his|her|their) (?:appearance|entrance|way)",
    "c[ao]me (?:in|along|into|by|over|here|to be|up), came",
    "(?:drove|driven?|walk\\w*|step\\w*|rode|ridden|flew|flown|wander\\w*|mov\\w*|roll\\w*|pull\\w*|stroll\\w*) "
    f"{_INTO}, r[au]n {_INTO}",
    "(?:rush|hurr|march|hop|drop|pop|creep|crept|jog|sail|rac|edg|back|turn|wheel|push|carr|stopp?)\\w* "
    "(?:in|into|by|here|along), (?:brought|led|let|checked|settled|backed) (?:in|into|here|along|there)",
    "(?<!used to )(?:stopp?|arrange|fixe?|park|drop|bring|driven|drove|grow[ns]?)\\w* (?:there|here)",
    "(?:stand|sit|live)\\w* (?:there|here) now, dumped, landed, laid, drawn, dug(?! up), excavated, sunk, completed",
    "finished, fabricated, produced, entered, enters, painted, dropped off, unloaded, deposited, hung, mounted",
    "fitted, attached, supplied, provided, included, born, got here, gathered, put together, came into, incoming",
    "spread out, (?:got|gets?|was|were|been) dropped, (?:has|have|had|did|was|were|been) (?:\\w+ )?grow[ns]?, grew",
    "(?:had|has|have|was|were)(?:n't| not) (?:been )?(?:yet )?(?:there|here), could(?:n't| not) be seen",
    "parked in the meantime",
)
_APPEARED = rf"\b{_APPEARED}\b(?!-lit)"
_STATE = _one_of(
    "turn(?:ed|s|ing)? (?!up|in|away|out|off\\b)\\w+, bec[ao]me?s?, chang(?:ed|es|ing)(?! hands), different(?:ly)?",
    "repaint\\w*, recolou?r\\w*, painted(?! on), (?:hard-)?surfaced (?!from\\b), re-covered, fitted with, altered",
    "identical, the same, given up, coat of, (?:no )?longer (?:what|the same|as|farm\\w*|farmland|lit|on|off|full)",
    "grown? (?:golden|yellow|ripe), took on, taken? on, open(?:ed)?(?! air|-), closed(?! to), shut, lit, unlit",
    "glow\\w*, alight, switch\\w*, drain\\w*, fill(?:ed|s)?(?! in\\b), full(?! of), empt(?:y|ied), dry, dried, wet",
    "(?:more|less|lost|had|has|no) water, water level, plough\\w*, plow\\w*, till\\w*, pav(?:ed|ing), asphalted",
    "gravel, dirt, tarmac\\w*, ripe\\w*, unripe, farm(?:ed|ing|land any), fallow, cultivat\\w*, converted, used for",
    "look(?:s|ed)? (?:\\w+ )?(?:as|like|different|other), (?:is|was|are|were) (?:not|n't) (?:as|what|the)",
    "(?:another|other|new) (?:look|colou?r|form|state|roof)",
    "new (?:white|black|red|green|blue|yellow|brown|grey|gray|orange|pink|purple) (?:roof|coat|colou?r)",
    "roofs? (?:\\w+ ){0,4}(?:used to|went|gone from|was not), whose roofs? (?:is|was|are|were|has|have)",
    "(?:is|are|was|were) (?:now |since )(?:white|black|red|green|blue|yellow|brown|grey|gray|orange|pink|purple)",
    "(?:is|are|was|were|come|came|goes?|went|turned|be) (?:now |still |not )?(?:on|off)(?=[?!.]|$)",
    "(?:lamp|light|lantern|bulb)s? (?:\\w+ ){0,2}(?:went|gone|put|turned|came|come) (?:out|off|on)",
)
_STATE = re.compile(rf"\b{_STATE}\b")
# Words for things in the earlier and in the later image; the most telling pair first.
_PAIRS = tuple(
    (re.compile(earlier), re.compile(later))
    for earlier, later in (
        (
            rf"{_NOT} {_FEW}(?:{_NOW}\b|{_IN_LATER})|{_ONLY} {_FEWER}(?:{_BEFORE}\b|{_IN_EARLIER})|"
            rf"{_IN_EARLIER} (?:only|alone)\b",
            rf"{_NOT} {_FEW}(?:{_BEFORE}\b|{_IN_EARLIER})|{_ONLY} {_FEWER}(?:{_NOW}\b|{_IN_LATER})|"
            rf"{_IN_LATER} (?:only|alone)\b|\b(?:previously|formerly|initially|originally) {_NOT}",
        ),
        (rf"{_THERE} {_FEW}(?:in|on|at) {_IN_EARLIER}", rf"{_THERE} {_FEW}(?:in|on|at) {_IN_LATER}"),
        (_DISAPPEARED, _APPEARED),
        (
            rf"{_THERE} {_FEW}{_BEFORE}\b|\b{_BEFORE} {_FEW}{_THERE}",
            rf"{_THERE} {_FEW}{_NOW}\b|\b{_NOW} {_FEW}{_THERE}",
        ),
        (rf"\b(?<!since )(?<!after ){_IN_EARLIER}", rf"\b(?<!before )(?<!until ){_IN_LATER}"),
        (r"\bpresent before\b", r"\bparked?\b"),
    )
)


def date_of(text: str) -> int | None:
    """
    The image that shows the object that a sentence is about.

    Args:
        text (`str`): A sentence in lower case.

    Returns:
        `int`, *optional*: 0 for the earlier image ("that left"), 1 for the later one ("that was built"), `None` if the
        words do not say, as for a change of state.
    """
    if _STATE.search(text):
        return None
    for earlier, later in _PAIRS:
        is_earlier, is_later = earlier.search(text) is not None, later.search(text) is not None
        if is_earlier or is_later:
            return None if is_earlier and is_later else int(is_later)
    return None


def with_change(text: str) -> str:
    """
    Writes "appeared" or "disappeared" before a sentence, if its words say which of them it is about: the model knows
    these two words better than most others for the same changes ("sprang from the ground", "is history").
    """
    date = date_of(text.lower())
    return text if date is None else f"{('disappeared', 'appeared')[date]}: {text}"
