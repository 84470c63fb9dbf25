# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Finds out from the words of a sentence whether its object is in the earlier or in the later image: whether it
disappeared or appeared.

The patterns of this file are lists of words and regular expressions, separated by commas.
"""

import re

from .state_words_mtrefseg import (
    ASIDE,
    BEFORE,
    CHANGE_OF_STATE,
    COLOR,
    IMAGE,
    NOUN_WITH_CHANGE,
    OLD,
    REPLACED,
    YOUNG,
    one_of,
)


_ENDS = r"(?=[?!.,]|$)"
_PASSIVE_END = r"(?=[?!. ]*$| (?:by|with|for|to)\b)"
_IN_EARLIER, _IN_LATER = (
    rf"(?:(?:the )?(?:\w+ )?{words} (?:of the two )?(?:(?:satellite|aerial|map|drone) )?{IMAGE}|"
    rf"(?:in|on|from) the {words} one\b|"
    rf"(?:t|(?:image|photo|picture|frame|shot|scene|date|time|snapshot|pic|exhibit|visit|flight|pass|epoch|scan) )"
    rf"{number}\b|"
    rf"{IMAGE} (?:from |at |taken )?(?:{when})\b|"
    rf"(?<!than ){words}{_ENDS})"
    for words, when, number in (
        (OLD, "before|earlier", r"(?:1|one(?! of)|a(?=[?!.,;)]| only|$))"),
        (YOUNG, "after|later", r"(?:2|two(?! \w+s\b)|b(?=[?!.,;)]| only|$))"),
    )
)
_NOW = one_of(
    "now(?:adays)?, today, currently, presently, at present, later(?: on)?, after(?:wards?)?, subsequently, since",
    "finally, in the end, eventually, by (?:now|then), these days, any ?more, any longer, the second time, at last",
    "meanwhile, in the meantime",
)
_NOT_WORDS = one_of(
    "not, cannot, never, no, nobody, nothing, nowhere, none, neither, missing, absent, lacking, lacks?, unseen",
    "invisible, hidden, without, unbuilt, non-?existent, free of, devoid of",
)
_NOT = rf"(?:n't\b|\b{_NOT_WORDS}\b)"
_ONLY = r"(?<!the )(?<!one )(?<!that )\b(?:only|solely|exclusively|just|purely|unique|exclusive)\b"
_THERE = one_of(
    "there, here, present, visible, seen, shown, around, exists?, existed, in place, in view, in sight, to be found",
    "found, stood, stands?, standing, sits?, sat, parked, moored, docked, leaning, on site, on the spot",
    "in the (?:scene|picture|image), depicted, recorded, spotted, apparent, noticeable, part of",
)
_THERE = rf"\b{_THERE}\b"
_FEW, _FEWER = r"(?:[\w'’-]+,? ){0,5}?", r"(?:[\w'’-]+ ){0,3}?"
# "was not there before, but is now" is about something new.
_BUT_NOW = r"(?<!, )(?<!but )(?<!but is )(?<!but are )(?<!and is )(?<!and are )(?<!, is )(?<!, are )(?<!, present )"

_DOWN = one_of(
    "tor[en], tear, knock(?:ed)?, pull(?:ed)?, taken, took, brought, broken, blown, blew, burn(?:ed|t), cut, chopped",
    "sawn, sawed, hewn, hacked, fell, fallen, thrown",
)
_GO = one_of(
    "go, goes, went, going, gone, dr[io]ve[sn]?, driving, walk\\w*, mov(?:e|ed|es|ing), r[au]n, runs, running",
    "sail\\w*, haul\\w*, tow\\w*, take, got, gotten, get, carried, fl[ei]w, flown, clean\\w*, clear\\w*, wash\\w*",
    "swept, carted, rode, ridden, riding, wiped, ripped, threw, rooted, pushed(?! out of the ground), headed",
    "stroll\\w*, wander\\w*, sped, rac(?:e|ed|ing), hurr(?:ied|ying), rush\\w*, march\\w*, stepp\\w*, back(?:ed|ing)",
    "cycl(?:ed|ing), pedall?ed, slipped, made, dragged, trucked, wheeled, shipped, put, packed, tidied, scared",
    "chased, sent, dispatched, faded, died, melted, hurtled, zoomed, strode, crept, ambled, sauntered, jogged",
    "trotted, hopped, steered, whisked, dash\\w*, lift\\w*, transferr\\w*, picked, slid, shoved, drift\\w*, glid\\w*",
    "stripped, lopped, crawled",
    _DOWN,
)
# "Forest loss in the west", but not "leaf loss".
_NOUN_BEFORE = (
    r"(?<=\w )(?<!\bleaf )(?<!\bleaves )(?<!\broof )(?<!\bcolor )(?<!\bcolour )(?<!\bwater )(?<!\bheat )(?<!\bno )"
    r"(?<!\bthe )(?<!\ban )(?<!\ba )(?<!\band )"
    # "Cars at departure".
    r"(?<!\bfor )(?<!\bat )(?<!\bbefore )(?<!\bafter )(?<!\bof )(?<!\bwith )"
)
_NOUN_ENDS = r"(?=[?!.,;()]| *$| (?:in|at|on|near|along|from|between|since|by)\b)"
_DISAPPEARED = one_of(
    "dis+ap+ear\\w*, vanish\\w*, remov\\w*, gone(?! up| on\\b| from \\w+ to\\b), demoli\\w*, destroy\\w*",
    "raz(?:ed|ing), bulldoz\\w*(?! (?:through|across)), dismantl\\w*, deconstruct\\w*, disassembl\\w*, stolen?",
    "sold, cleared, collapsed",
    "crumbled, felled, depart(?:ed|s|ing), withdr[ae]wn?, withdrew, exit(?:ed|s)?, fled, escaped, retreated, decamped",
    "went missing, took (?:off|flight|(?:its|his|her|their) leave), set (?:off|out(?! (?:in|on|across|along)\\b))",
    "flattened, levell?ed, wrecked",
    "smash\\w*, uprooted, grubbed (?:up|out), eliminated, eradicated, obliterated, scrapped, discarded, disposed of",
    "deleted, lost, got(?:ten)? rid of, done away with, wiped out, erased, collected, evicted, ejected, logged",
    "expelled, extracted, relocated, displaced, transferred, confiscated, dispersed, deforest\\w*, total loss",
    "(?:built|covered|paved) over(?! (?:the|an?)\\b), (?:covered|paved) up, filled in, backfilled, dug (?:up|out of)",
    "unscrewed, (?:torn|tore|ripped) (?:up|out|apart), reduced to (?:rubble|ashes|nothing), bl[eo]wn? up, broken? up",
    "taken (?:up(?! (?:residence|position|station|root|its|his|her|their)\\b)|apart|from), picked up, packed up",
    "cleared up, went home, moved house, ceased (?:to|being)",
    "stopped existing, got going, dissolved, perished, toppled, (?:knocked|fell|fallen|blown|blew) over, fell apart",
    "(?:knocked|fell|fallen|burn(?:ed|t)) to the ground, axed, chopped, hewn, is history, (?:had|has|have) to go",
    "(?:out of|from) (?:view|sight), quit(?= the\\b|[?!.]|$), (?<!from )elsewhere, (?<!from )somewhere else",
    "missing, absent, former",
    "ex-\\w+, (?:departure|clearing|clearance|felling|loss|theft) of, (?:is|are) away, there used to be",
    "(?:rolled|rolls?) (?:away|off|out of)",
    "(?:somebody|someone|they|who) took (?:the|a|an|my|our|his|her) (?!place|photo|picture|spot|space)\\w+",
    "replaced (?:by|with) (?:an?|the|another), (?:replaced|superseded|supplanted) by",
    "(?:made|make|gave) (?:way|room) (?:for|to), place is (?:now )?taken",
    "(?:swapped|exchanged) (?:for|with)",
    "nothing (?:remain(?:s|ed)|is left|was left) of, (?:no|any|not a) trace of, not more (?:here|there|visible|in|on)",
    "no more, (?:can|is|are|was|were) no longer (?:be )?(?:there|here|present|visible|seen|around|standing|parked)",
    "no longer (?:there|here|present|extant|exists?|stands?|standing|visible|in|to be|appears?|parked|moored|part|see|"
    "grows?|lives?)",
    "there (?:is|are) no longer, fewer, (?<!that )(?<!which )(?<!has )(?<!have )swallowed",
    "(?:not|\\w+n't) (?:exist|be|see|appear|stand)s? (?:(?:it|here|there) )?more",
    "(?<!\\bit )(?<!\\bthey )used to be(?=[?!. ]*$)",
    "(?:that|which|who) (?:was|were) there(?=[?!. ]*$)",
    f"{_NOUN_BEFORE}(?:loss(?:es)?|clearances?|departures?){_NOUN_ENDS}",
    "(?:taken?|took|carried|moved|dragged|towed|hauled|swept|tor[en]|cut|knocked|washed|bl[eo]wn?|brought|burn(?:ed|"
    "t)) (?:the|an?|this|that|his|her|my|our|its) (?:\\w+ )?(?:away|out|down|off)",
    "(?:there|here|visible|present|around|seen|exists?|it|found) any ?(?:more|longer)",
    "used to (?:be (?:there|here|where|present|visible|in|parked|seen|around|on|at|by|near|standing)|stand|sit|exist|"
    "live|grow)",
    "(?:was|were) once, once (?:was|were|stood|sat|existed|there), (?:is|are)(?:n't| not) (?:there|here)",
    "(?<!to )leave, leaving(?! out), (?:that|which|who|has|have|had|just|since|now|already|did|to) left",
    "left (?:the|his|her|its|their|my|our) \\w+",
    "infilled, sailed(?! (?:in|into|up|past|by|through)\\b), set sail, stripped of, robbed of, deprived of, shorn of",
    "bereft of, relieved of, pocketed, retrieved, pulled back, (?:tugged|whipped|spirited|hauled|led|lugged|taxied|"
    "rumbled|trundled|nipped|slunk|scuttled|steamed) (?:away|off|out|down), evaporated, unaccounted for, dissipated",
    "(?:been|was|were|got) towed(?=[?!.,]|$), packed it in, upped sticks, reclaimed(?! (?:from|land)\\b), vacated",
    "sacrificed, put out to sea, (?:has|have|had|that|which) pushed back",
    "dismounted, melted right away, (?:that|which|has|have|had) melted",
    "(?:driven|led|herded|sent|walked|gone|went) home, (?:has|have|had) bolted(?! (?:on|onto|to)\\b)",
    "yield(?:ed)? to",
    "(?:out|off|away) (?:it|he|she|they) (?:went|ran|drove|walked|flew), (?:are|were) history, extinct, defunct",
    "(?:slid|fell|fallen|collapsed|crashed|washed|plunged|tumbled) into the (?:sea|river|water|lake|ocean|valley)",
    "(?:someone|somebody|they|who|she|he) took (?:it|them|him|her), hobbled (?:off|away|out), erstwhile, bygone",
    "decrease in",
    "(?:a )?goner, (?:demise|eradication|exodus|dismantling|razing|scrapping) of, nicked, pinched, swiped",
    "half-inched",
    "flogged, back to grass, to pieces, shut up shop, fell victim, t(?:aken|ook) flight, up in smoke, called it a day",
    "(?:done|did) a runner, (?:him|her|it|them)sel(?:f|ves) scarce, chucked (?:out|away), cut up",
    "bit(?:ten)? the dust",
    "parted company, marching orders, beaten a retreat, adrift, peeled off, banished, imploded, dynamited, binned",
    "drained (?:off|away|and), petered out, (?:been|was|were) lifted, (?:rubbed|blacked|craned|dug) out, scrubbed off",
    "ditched(?! (?:on|in|at|by|beside|near)\\b), deserted, consigned to, legged it, (?:got|get) shot of, shed its",
    "dispensed with, put (?:away|into storage), gathered in, skedaddled, made off, slipped (?:its|their) moorings",
    "fail(?:s|ed)? to (?:survive|re-?appear), minus (?:one|an?|the), clogs, (?:is|are) toast, in vain, overgrown and",
    "(?:collapse|destruction|deletion|elimination|erasure|absence|draining|tearing down|knocking down) of, snatched",
    "(?:someone|somebody|they|people|did \\w+) (?:carry off|clear|erase|get rid of|steal|take(?! place)|remove)",
    "mislaid",
    "took wing, put to sea, s[au]nk(?=[?!.]|$), went (?:under|off), borrowed, concealed, evacuated, fetched, unmoored",
    "(?:stowed|hoisted|shovelled|trimmed|shifted|seeped|ebbed|worn) (?:away|off)",
    "(?:tossed|cut|blotted|left|crossed|weeded|"
    "pumped) out, plucked, withered, consumed, eaten, receded, omitted, (?:not|n't) (?:remain|stay|survive)(?:ed)?",
    "pulled apart, herded off, nowhere to be (?:found|seen), out of the picture, wiped from, became invisible",
    "trashed",
    "cleaned up, cast off, salvaged, s[au]nk under, carried out, plou?ghed under, passed out of, transported",
    "towed (?:out|off), concreted over, shipped (?!in\\b), unhooked, used up, struck from, stripped from, hacked back",
    "melted (?:away|off), (?:taken|took) inside, retired, folded up, dried up, eroded away, craned off",
    "weighed anchor",
    "given away, ground out, grabbed, no longer grazing",
    "no longer (?:clings?|hangs?|lies?|rests?|occup\\w+|fills?|blocks?|crosses|spans?|runs?|adorns?|shelters?)",
    f"(?:{_DOWN}|c[ao]me) down, (?:{_GO}|c[ao]me) (?:away|off|elsewhere), {_GO} on{_ENDS}",
    f"{_GO} (?<!hacked )(?<!hewn )(?<!cut )(?<!broken )out(?! (?:onto|into|across|along|to|in front|over)\\b)",
    f"{_GO}-(?:away|off|out), {_DOWN}-down",
)
_DISAPPEARED = (
    rf"\b{_DISAPPEARED}\b|\b(?:left|go|taken|took|built on)(?=[?!. ]*$)|"
    rf"\b(?:was|were|been|got|someone|somebody|they|they have) cut{_PASSIVE_END}"
)
_NOT_BEFORE = "".join(
    f"(?<!{word} )" for word in ("used to", "previously", "formerly", "originally", "initially", "earlier", "once")
)
_INTO = one_of("in, into, by, here, over, along, up")
_APPEARED = one_of(
    "(?<!dis)ap+ear\\w*, add(?:ed|ition\\w*), (?<!to )another, newest, newcomers?, build",
    "built(?!-up| structures?| over(?! (?:the|an?)\\b)| on[?!. ]*$), construct(?:ed|ion)?, erected, developed",
    "unveiled, com(?:e|es) from, (?:go|goes|going|went|gone) up(?! the\\b)",
    "(?:show\\w*|turn\\w*|popp?\\w*|cropp?\\w*) up, now (?:holds|houses|contains|occup\\w+)",
    "(?:gr[eo]w|grown|put|set|rose|risen|rising|shot|sprouted|bubbled|thrown|threw|bred) up, spr[au]ng",
    "(?:springs?|springing) up",
    "(?:put|set|laid|placed) (?:in|down|over|there|here|on|into|next|beside|between|round|around|under|behind)",
    "arriv\\w*, placed, positioned, stationed, installed, emerg\\w*, materiali[sz]\\w*, surfaced, join\\w*, delivered",
    "introduced, established, founded, created, inserted, deployed, assembled, sown, seeded, additional",
    "extra(?! large| long| big| tall| wide), further (?=\\w+s\\b), recent, sprouted, germinated, (?:took|taken) root",
    "(?:trans)?planted, formed, pitched",
    "(?:erection|installation|planting|introduction|development|establishment|creation|delivery) of",
    "(?:one|two|three|several|some) more, raised, made (?:an|its|his|her|their) (?:appearance|entrance|way)",
    "(?:push|break)\\w* out of the ground, c(?:ame|om(?:e|es|ing)) (?:in|along|into|by|over|here|to be|up)",
    "came(?! down| off| away), c[ao]me out, (?:has|have|had|who|that|which) come(?! down| off| away| apart| on| to)",
    "(?:driving|walking|moving|wandering|running|riding) (?:into|up|in from), turn(?:ed|s|ing) in",
    "mov(?:es|ed) (?:in|into|here), backed up",
    "(?:rush|hurr|march|hop|drop|pop|creep|crept|jog|sail|rac|edg|back|wheel|push|carr|stopp?)\\w* (?:in|into|by|"
    "here|along)",
    "(?:brought|led|let|checked|settled|backed) (?:in|into|here|along|there|to)",
    "(?:stand|sit|live)\\w* (?:there|here) now, dumped, landed, laid, drawn, dug(?! up| out| over), excavated, sunk",
    "finished, completed, fabricated, produced, entered, enters, painted, dropped off, unloaded, deposited, hung",
    "fitted, attached, supplied, provided, included, born, got here, gathered, put together, incoming, mounted",
    "spread out, (?:got|gets?|was|were|been) dropped, (?:has|have|had|did|was|were|been) (?:\\w+ )?grow[ns]?, grew",
    "(?:had|has|have|was|were)(?:n't| not) (?:been )?(?:yet )?(?:there|here), could(?:n't| not) be seen, piled up",
    "(?:was|were|been|someone|somebody|they) left (?:on|in|at|by|under|near|beside|here|there|an?), sprayed(?! with)",
    "(?:was|were|been|someone|somebody|they|has|have) (?:stuck|pinned|stacked|heaped|scattered|screwed|chained|"
    "nailed)",
    "(?:towed|driven) (?:onto|into), put (?:(?!down|away|off|out)\\w+ ){0,3}(?:onto|into|across|on the|in the)",
    "(?:that|which) (?:has )?replace[sd]?, replacing, superseding, supplanting",
    f"{REPLACED}, (?:that|which) (?:has )?superseded",
    "(?:that|which) (?:has |have )?swallowed, t(?:ook|akes?|aken) the place of, extension (?:to|onto)",
    f"{_NOUN_BEFORE}gains?(?! in (?:height|size|width|length)\\b){_NOUN_ENDS}",
    "instead, drilled, thrown across, (?:that's|who's) (?:just )?come, increase in, increase(?=:), carved out",
    "(?:rises|rose|stands|sits|lies) (?:in place of|on what|where (?:the|an?) (?:\\w+ ){1,3}(?:was|were|used to)\\b)",
    "ride into view",
    "(?:wheeled|rolled) onto, (?:tree )?planting(?=[,.?!]|$)",
    "(?:strung|stretched|flung|slung) (?:across|up|along|over|between), (?:rocked|pitched|fetched|washed|reared|"
    "rigged|conjured|pasted|slapped|soared|tied|moored) up, (?:thrown|knocked|cobbled|slapped) together",
    "(?:ended|wound) up (?=in|on|at|by|here|there|under|beside|behind), tacked on, found (?:its|his|her|their) way",
    "touched down, dropped anchor, alighted, debut\\w*, amassed, accumulated",
    "(?:advent|emergence|arrival|building|laying|siting) of, spawned, gained, acquired, bestowed, (?<!recently )sited",
    "commissioned, coloni[sz]ed, plonked, plopped, shoehorned, interposed, hoisted (?:into|onto|in), bedded in",
    "threaded (?:through|across), (?:carved|landscaped|gouged|hacked|hewn|blasted|cut) (?:out of|through), mushroomed",
    "dr[ae]wn? up, (?:has|have) (?:stopped|moored|docked|settled), sat down, jumped (?:on|onto)",
    "unrolled (?:over|across)",
    "bolted (?:on|onto|to), bulldozed (?:through|across), hoisted on, sprouting, scattered over, dropped on",
    "(?:someone|somebody|they|people) (?:add|place|hang|install|mount|stand|bring|introduce|position|plant|park)",
    "(?:someone|somebody|they|people) put(?! (?:away|out|off)), (?:opening|growth|formation|insertion) of",
    "(?<!upon )(?<!on )completion of",
    "(?:placement|entrance|parking) of",
    "(?:put|set|brought|docked|berthed|anchored|moored|launched|hoisted|rose)(?=[?!.]|$)",
    "unfurled, left behind (?:on|in|at), brought over, piled on, slid in, offloaded, took shape, inaugurated",
    "superimposed",
    "became visible, (?:began|started) to (?:be seen|show), now (?:in evidence|on show), cleared through",
    "grafted (?:on|onto), propped (?:against|up), t(?:aken|ook) up (?:residence|position), strewn, flocked, blossomed",
    "t(?:aken|ook) (?:his|her|their|its|a) (?:post|place|seat|position), (?:stuck|slapped) (?:an?|some|up), novelty",
    "set out (?:in|on|across|along), trodden (?:across|through), snaked (?:its way )?(?:into|across|through)",
    "ditched on",
    "now (?:adorn|shelter|enclose|block|fill|punctuate|tower|thrust|stride|vault|span|grace|cross|loom|dominate|"
    "border|ring|cover|flank|line|crown|surround|straddle|jut|lie|rest|hang|run|rise|ride)(?:s|es)?",
    "(?:nudg|nos|trundl|rumbl|slink|squeez|slott|glid|taxi|float|haul|swing|shunt|steam|scuttl|trott|limp|pour|stream|"
    "herd|crane|hoist|sneak)(?:e?d|ing|e?s)? (?:in|into|onto|up|over), (?:slunk|swung|snuck) (?:in|into|onto|up)",
    f"new(?! {IMAGE})",
    f"(?:drove|driven?|walk(?:s|ed)?|step\\w*|rode|ridden|flew|flown|wandered|roll\\w*|pull\\w*|stroll\\w*) {_INTO}",
    f"r[au]n {_INTO}",
    f"{_NOT_BEFORE}(?<!be )(?<!was )(?<!were )(?<!still )(?<!longer )park\\w* (?:there|here)(?! {BEFORE}\\b)",
    f"{_NOT_BEFORE}(?:stopp?|arrange|fixe?|drop|bring|driven|drove|grow[ns]?)\\w* (?:there|here)(?! {BEFORE}\\b)",
    # Not "the newly demolished house".
    "(?:newly|fresh(?:ly)?)(?![- ](?:demol|raz|remov|clear|fell|vanish|cut(?! across)|miss|destr|dismant|torn|burn|"
    "abandon|bulldoz|level|flatten|uproot|wreck|collaps|knocked|pulled|taken|los|gone|emptied|disap|stolen|chop|harvest))",
)
_APPEARED = rf"\b{_APPEARED}\b(?!-lit)"
# "Only before", but not "only a week ago".
_NOT_AGO = r"(?!(?:(?:an?|one|two|three|some|several|few) (?:\w+ )?\w+ ago|last \w+|the other day)\b)"
# Words for things in the earlier and in the later image; the most telling pair first.
_PAIRS = tuple(
    (re.compile(earlier), re.compile(later))
    for earlier, later in (
        (
            rf"{_NOT} {_FEW}{_BUT_NOW}(?:{_NOW}\b|{_IN_LATER})|{_ONLY} {_FEWER}{_NOT_AGO}(?:{BEFORE}\b|{_IN_EARLIER})|"
            rf"{_IN_EARLIER} (?:only|alone)\b",
            rf"{_NOT} {_FEW}(?:{BEFORE}\b|{_IN_EARLIER})|{_ONLY} {_FEWER}(?:{_NOW}\b|{_IN_LATER})|"
            rf"{_IN_LATER} (?:only|alone)\b|\b(?:previously|formerly|initially|originally) {_NOT}",
        ),
        (rf"{_THERE} {_FEW}(?:in|on|at) {_IN_EARLIER}", rf"{_THERE} {_FEW}(?:in|on|at) {_IN_LATER}"),
        (_DISAPPEARED, _APPEARED),
        (
            rf"{_THERE} {_FEW}{BEFORE}\b|\b{BEFORE} {_FEW}{_THERE}",
            rf"{_THERE} {_FEW}{_NOW}\b|\b{_NOW} {_FEW}{_THERE}",
        ),
        (rf"\b(?<!since )(?<!after ){_IN_EARLIER}", rf"\b(?<!before )(?<!until ){_IN_LATER}"),
        (
            r"\bpresent before\b",
            r"\b(?:has|have|had|been|just|that|which|someone|somebody|they|i|we|did \w+) park(?:ed)?\b",
        ),
    )
)

_BARE = "(?:bare|empty|vacant|blank|spotless|unoccupied|unmanned|treeless|barren|deserted|free|clear)"
_IS = "(?:is|are|was|were|has|have|had|had been|been|stood|lay|shows?|showed)"
_NO = "(?:no(?! (?:longer|more))|not(?! any)|none|nothing|without)"
_LACKS = (
    "(?:lacks?|no longer shows?|is (?:lacking|missing)|lacked|(?:does|did)(?:n't| not)(?: (?:show|have|contain|"
    "feature))?|has(?:n't| not| no)|"
    "shows no|knows nothing of)\\b"
)
_GROUND = "(?:space|plot|lot|bay|bench|square|corner|pad|pasture|ground|field|site|desert|pitch|stand|strip|bank)s?"
_NONE, _AT = "(?:nothing|none)", "(?:(?:in|on|at) )?(?:the )?"
_CLAUSE_ENDS = r"(?=[?!.,;]|$| (?:there|here|visible|present)\b)"
# What a sentence says that it is not about: "not the removed trees, just the new ones".
_ASK = r"(?:show|mark|find|highlight|segment|select|give|include|count)"
_REJECTED = (
    r"(?:not|ignor(?:e|ing)|skip(?:ping)?|forget|never mind|leave out|apart from|other than|none of|instead of|"
    rf"rather than|(?:don't|do not) {_ASK}(?: me)?) (?:the|those|these|that|any|what)\b"
)
_DENIED = (
    r"(?:built|planted|added|created|installed|removed|demolished|destroyed|felled|cleared|(?:cut|torn|knocked) down|"
    r"taken away)"
)
_CAME_OR_WENT = r"(?:new|newly|appeared|arrived|disappeared|vanished|gone|left|lost|missing)"
_PERIOD = r"(?:\w+ )?(?:minute|hour|day|week|month|year|moment|while)s?\b"
# What stands where another thing was: "the car park where the school was".
_BUILT = (
    r"(?:huts?|houses?|homes|buildings?|barns?|sheds?|shops?|garages?|towers?|schools?|car parks?|parking lots?|flats|"
    r"supermarkets?|apartments?|malls?|factory|factories|warehouses?|pools?|playgrounds?|stadiums?|bridges?|roads?|"
    r"motorways?|highways?|church(?:es)?)"
)
_THING_AT = r"(?:(?:the|an?|some|all|every) )?(?:\w+ )?"
_SOMETHING = r"(?:the|an?|some|my|our) (?:\w+ ){1,3}"
# Not "the building where the fire was" or "the house where the van stood".
_LASTING = (
    rf"(?:the|an?|some|my|our) (?:\w+ ){{0,2}}(?:{_BUILT}|\w*(?:land|field|house|yard)s?|trees?|woods?|forest|park|"
    r"mills?|farms?|garden|lawn|grass|meadow|orchard|ponds?|lakes?|quarry|station|hospital|hotel|hall|pub|wall|hedge|"
    r"fence) "
)
_NOW_THERE = r"(?:(?:is|are|stands?) now|now (?:is|are|stands?))"
_SAID_BEFORE = tuple(
    (re.compile(words), shorter)
    for words, shorter in (
        (r"^(?:it )?(?:looks|seems|appears) (?:like|as if|as though) (?=\w+ \w)", ""),
        (rf"^(?:please,? |just |no,? )*{_REJECTED}(?:(?! but\b)[^,;.])*(?:[,;.]|,? but|(?= {_ASK}\b)) (?=\w+ \w)", ""),
        (rf"[,;(–—-] ?(?:but |and )?{_REJECTED}[^,;.)]*\)?$", ""),
        (rf"\b({COLOR}) (?:instead of|rather than) {COLOR}\b", r"\1"),
        # Not "show the garage instead of the shed", whose garage is new.
        (rf"^((?:please )?{_ASK} .*\b(?:{_DENIED}|{_CAME_OR_WENT})\b.*?),? (?:instead of|rather than) .*$", r"\1"),
        (rf"(?:was|were|is|are|been)(?: not|n't) (?:been )?{_DENIED}(?:,? but|,) (?:(?:it|they) (?:was|were) )?", ""),
        (r"did(?: not|n't) (?:appear|disappear|vanish|leave|arrive|go)(?:,? but|,) ", ""),
        (
            rf"(?:in|on|at) {_IN_EARLIER},? (?:there )?(?:is|are|was|were) (?:not|no)\b[^,;]*,? (?:but |and )?"
            rf"(?:in|on|at) {_IN_LATER}",
            "newly",
        ),
        # Questions that expect "yes": "wasn't there a tree here?", "isn't the barn gone?"
        (rf"^(?:was|were)n'?t there (?=(?:an?|some|any|two|three|four)\b(?! {_PERIOD}))", "there used to be "),
        (
            r"^(is|are|was|were|has|have|did|does)n'?t (?=(?:the|that|this|my|our|some|any|all|one|it|he|she|they|"
            r"\w+body|\w+one|\w+thing)\b)",
            r"\1 ",
        ),
        (
            rf"(^{_THING_AT}{_BUILT}(?= where {_LASTING})|\b(?:rises?|rose|stands?|sits?|lies?)) where {_SOMETHING}"
            r"(?:once )?(?:used to (?:be|stand|sit)|was|were|had been|stood)(?: (?:before|once|standing))?"
            r"(?=[?!.,]|$)",
            r"newly \1",
        ),
        (
            rf"^({_THING_AT}(?:{_BUILT}|trees?|woods?|forest|park))(?= where {_LASTING}) where {_SOMETHING}"
            rf"{_NOW_THERE}(?=[?!.,]|$)",
            r"\1 gone",
        ),
    )
)
# What other words say about time, in words of the patterns above.
_SAID_SHORTER = tuple(
    (re.compile(rf"\b{words}"), shorter)
    for words, shorter in (
        (r"(is|was|are|were|does|did|has|have|had|could|would)nt\b", r"\1n't"),
        (r"(?:don't|do not|can't|cannot) (?:remember|recall)\b", "newly"),
        (r"what(?:ever)? (?:has |have |had )?bec[ao]me of\b", ""),
        (rf"\bnow,? (?:it|they|he|she)(?:'s|'re| is| are) (?:not|gone){_CLAUSE_ENDS}", "gone"),
        (rf"\bnow (?:isn't|aren't){_CLAUSE_ENDS}", "gone"),
        # "A barn in t1, nothing in t2", and "in t1 nothing, in t2 a barn".
        (rf"(?:{BEFORE}\b|{_IN_EARLIER}),? {_NONE} {_AT}(?:{_NOW}\b|{_IN_LATER})", "gone"),
        (rf"(?:{_NOW}\b|{_IN_LATER}),? {_NONE} {_AT}(?:{BEFORE}\b|{_IN_EARLIER})", "newly"),
        (rf"(?:in|on|at) {_IN_EARLIER},? (?:there'?s )?{_NONE}\b", "newly"),
        (rf"(?:in|on|at) {_IN_LATER},? (?:there'?s )?{_NONE}\b", "gone"),
        (r"(?:change type|type|class|change|event|layer|category)[:=]? ?gain\b|gain (?:event|layer)\b", "newly"),
        (r"(?:change type|type|class|change|event|layer|category)[:=]? ?loss\b|loss (?:event|layer)\b", "not now"),
        (rf"(?:since|after|following) (?:that |this )?{_IN_EARLIER}(?: was taken)?", "afterwards"),
        (rf"not until {_IN_LATER}", "newly"),
        (rf"by (?:the time )?{_IN_LATER}(?: was taken| came along)?", "by then"),
        (rf"(?:previously|formerly|once|originally|earlier|hitherto)[- ]{_BARE}\b", "newly"),
        (rf"{_IS} {_BARE}(?: of (?:\w+ )?\w+)?,? (?:(?:in|on|at) )?(?:{BEFORE}\b|{_IN_EARLIER})", "newly"),
        (rf"(?:{BEFORE}|{_IN_EARLIER}),? (?:(?:there|it|they) )?{_IS} {_NO}\b", "not before"),
        (rf"(?:now|{_IN_LATER}),? (?:(?:there|it|they) )?{_IS} {_NO}\b", "not now"),
        (rf"no (?:trace|sign) of (?:[\w'-]+ ){{1,8}}?(?:in|on|at) {_IN_EARLIER}", "not before"),
        (rf"no (?:trace|sign) of (?:[\w'-]+ ){{1,8}}?(?:in|on|at) {_IN_LATER}", "not now"),
        (rf",? (?:and |so )?leav(?:ing|es) [^,.;]*?\b{_BARE}\b[^,.;]*|(?:once[ -]|now )?{_BARE} (?={_GROUND}\b)", ""),
        (rf"(?:post-?dat(?:es?|ed|ing)|younger than) {_IN_EARLIER}|{_IN_EARLIER} pre-?dates", "newly"),
        (rf"{_IN_EARLIER} {_LACKS}", "not before"),
        (rf"{_IN_LATER} {_LACKS}", "not now"),
        (rf"(?:compared|relative|in comparison) (?:with|to) {_IN_EARLIER}", "afterwards"),
        (rf"(?<!the )(?:\w+n't|not) (?:[\w']+ ){{0,5}}?until (?:later|{_IN_LATER})", "newly"),
        (rf"until {_IN_LATER}", "not now"),
        (r"(?:where|for which) there (?:was|were|used to be) (?:only|just|nothing)\b|for the first time", "newly"),
        (r"(?:where|for which) there (?:is|are) (?:now )?(?:only|just|nothing)\b", "not now"),
        (r"for the last time", "gone"),
        (rf"(?:site|place|spot|location) (?:was|were|had been) (?:\w+ ){{1,3}}(?:in|at|on) {_IN_EARLIER}", "newly"),
        (rf"(?:site|place|spot|location) (?:is|are) (?:\w+ ){{1,3}}(?:in|at|on) {_IN_LATER}", "not now"),
        (rf"where {_IN_EARLIER} (?:shows|has)|unlike (?:(?:in|on) )?{_IN_EARLIER}", "newly"),
        (rf"where {_IN_LATER} (?:shows|has)|unlike (?:(?:in|on) )?{_IN_LATER}", "not now"),
        (rf"extra (?:\w+ ){{1,2}}(?:in|of|on) {_IN_EARLIER}", "not now"),
        (
            r"(?:on|over|across|through|in|into) (?:what|a site that|a place that) (?:was|were|used to be|had been)\b"
            r"(?: (?:once|formerly|previously)\b)?",
            "newly",
        ),
        (
            rf"(?:on|over|across) (?:the |an? |some )?(?:site of (?:the |an? )?)?(?:former|erstwhile) (?!{IMAGE})",
            "newly ",
        ),
        (
            r"before,? (?:it was |there was |it is )?(?:not|no|nothing|none)\b[^,;]*[,;]? (?:but |and )?"
            r"now,? (?:there|yes|here|it is|present|visible|an?|one)\b",
            "newly",
        ),
        # "The house with more windows" has changed.
        (
            rf"(?<!with )(?<!has )(?<!have )more (?:\w+ )?\w*[^s\W]s than (?:{BEFORE}|(?:in|on|at) {_IN_EARLIER})",
            "newly",
        ),
        (rf"(?:less|fewer) (?:\w+ )?\w*[^s\W]s than (?:{BEFORE}|(?:in|on|at) {_IN_EARLIER})", "gone"),
        (r"(?:one|two|three) \w+ more(?=[?!. ]*$)", "newly"),
        (r"(?:one|two|three) \w+ (?:less|fewer)(?=[?!. ]*$)", "gone"),
        (
            r"before,? (?:it was )?(?:yes|there|here|present|visible),? (?:but |and )?now,? (?:no|not|gone|none)\b",
            "gone",
        ),
        (
            r"on what is (?:\w+ ){1,3}now\b|no longer (?:existing|seen|visible|present|shown|found|appears?|shows?)\b",
            "not now",
        ),
        (r"(?:previously|once|formerly) (?:existing|visible|present)\b|now invisible\b", "not now"),
    )
)


_YEAR = r"((?:19|20)\d\d)\b"
# "In 2020 but not in 2010", "not in 2010 but in 2020".
_YEARS = re.compile(rf"\b{_YEAR}.*(?:\bnot|n't)\b.*\b{_YEAR}|(?:\bnot|n't)\b.*\b{_YEAR}.*\bbut\b.*\b{_YEAR}")


def _of_both(words: tuple[re.Pattern[str], re.Pattern[str]], text: str) -> int | None:
    # "The lamp installed by the new door was removed": the last verb counts, unless both are said of one thing.
    said = NOUN_WITH_CHANGE.sub("the ", text)
    found = sorted((match.start(), date) for date in (0, 1) for match in words[date].finditer(said))
    if not found:
        return min((match.start(), date) for date in (0, 1) for match in words[date].finditer(text))[1]
    start, last = found[-1]
    end = max((place for place, date in found if date != last), default=start)
    return None if re.search(r"\b(?:and|but|then|or)\b|[,;]", said[end:start]) else last


def date_of(text: str) -> int | None:
    """
    The image that shows the object that a sentence is about.

    Args:
        text (`str`): A sentence in lower case.

    Returns:
        `int`, *optional*: 0 for the earlier image ("that left"), 1 for the later one ("that was built"), `None` if the
        words do not say, as for a change of state.
    """
    for words, shorter in _SAID_BEFORE:
        text = words.sub(shorter, text)
    text = ASIDE.sub(lambda found: next(filter(None, found.groups()), ""), text)
    for words, shorter in _SAID_SHORTER:
        text = words.sub(shorter, text)
    years = _YEARS.search(text)
    if years is not None:
        there, absent = int(years[1] or years[4]), int(years[2] or years[3])
        return None if there == absent else int(there > absent)
    if CHANGE_OF_STATE.search(text):
        return None
    for pair in _PAIRS:
        is_earlier, is_later = (words.search(text) is not None for words in pair)
        if is_earlier and is_later:
            return _of_both(pair, text)
        if is_earlier or is_later:
            return int(is_later)
    return None
