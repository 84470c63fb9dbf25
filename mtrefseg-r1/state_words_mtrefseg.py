# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Words of a sentence that do not say whether its object appeared or disappeared: changes of state, and what is said of
other things. The lists of [`date_of`], which also says how they are written, use the names without an underscore.
"""

import re


def one_of(*lists: str) -> str:
    """A regular expression that matches any word of these lists, whose words are separated by a comma and a space."""
    return "(?:" + "|".join(word.strip() for words in lists for word in words.split(", ")) + ")"


IMAGE = one_of(
    "images?, photos?, pictures?, photographs?, shots?, scenes?, views?, frames?, dates?, visits?, captures?, imagery",
    "snapshots?, acquisitions?, moments?, surveys?, pics?, footage, snaps?, stills",
    "overpass(?:es)?, flights?(?! of)",
)
IMAGE = rf"{IMAGE}\b"
OLD = one_of(
    "before, earlier, first, previous, older, old, oldest, original, prior, initial, past, former, earliest, opening",
    "pre(?:-\\w+)?, archive, historical",
)
YOUNG = one_of(
    "after, later, second, last, latest, newer, new, newest, current, present, follow-up, recent, final, closing",
    "today's",
    "post(?:-\\w+)?",
)
BEFORE = one_of(
    # Not "before the gate", "in the first row".
    "before(?:hand)?(?! (?:the|an?|its|his|her|my|our|their) (?!storm|flood|fire|war|works?|constr|renov|demol|quake|"
    "earthq|change|event|accident|harvest|summer|winter|spring|autumn|(?:\\w+ )?(?:image|photo|picture|shot|scene|"
    "view|frame|date|visit|one|survey|time)))",
    "earlier, previously, formerly, initially, originally, at first, once, yet, in the past",
    "first(?! (?:row|berth|gate|room|garage|floor|house|building|lane|bay|field|street|road|door|pier|dock|desk|table|"
    "seat|column|line|block|parking|tree|bench|platform|corner|stand|spot|slot|space|window|shelf|step|level))",
    "prior, back then, at the (?:start|outset|beginning), in the beginning, to (?:begin|start) with, the first time",
    "(?:an?|one|two|three|some|several|few) (?:\\w+ )?(?:minute|hour|day|week|month|year)s? ago, b4",
    "last (?:time|week|month|year|summer|winter|spring|autumn), the other day",
    "at that time, then, until (?:now|then|recently|lately), so far, hitherto, heretofore, a while ago, some time ago",
)
# "A road has replaced the trees", but not "they have replaced the bench" and "builders have replaced the roof".
REPLACED = (
    r"(?:(?<!they )(?<!we )(?<!body )(?<!one )(?<!owner )(?<!who )(?:has|have|had) (?:replac|supersed|supplant)ed|"
    r"(?:replac|supersed)es) (?:the|an?|some|all|what)\b"
    r"(?! (?:\w+ )?(?:roof|window|door|tile|facade|surface|wheel|ty?i?re)s?\b)"
)
COLOR = "(?:white|black|red|green|blue|yellow|brown|grey|gray|orange|pink|purple)"
_STATE = one_of(
    "turn(?:ed|s|ing)? (?!up|in|away|out|off\\b)\\w+, bec[ao]me?s?, chang(?:ed|es|ing)(?! hands), different(?:ly)?",
    "repaint\\w*, recolou?r\\w*, painted(?! on)",
    "(?:hard-)?surfaced (?!(?:from|at|along|off|near|by|in (?:the|an?))\\b), re-covered, fitted with, altered",
    "identical, the same, given up, coat of, (?:no )?longer (?:what|the same|as|farm\\w*|farmland|lit|on|off|full)",
    "stay(?:s|ed)? put",
    "gr[eo]wn? (?:golden|yellow|ripe|larger|bigger|taller|higher|longer|wider), took on, taken? on",
    "open(?:ed)?(?! (?:air|spaces?|ground|land|fields?|areas?|country|lots?|plots?|sea|water)\\b|-)",
    "closed(?! to), shut, lit, unlit, glow\\w*, alight, switch\\w*, drain\\w*, fill(?:ed|s)?(?! in\\b)",
    "full(?! (?:of|set|list|range|group|number|lot|length|width)\\b)",
    "empt(?:y|ied), dry, dried, wet, (?:more|less|lost|had|has|no|without) (?:any )?water, water stands",
    "(?:water|pond|lake|river|reservoir) levels? (?:\\w+ ){0,2}(?:rose|risen|fell|fallen|dropped|sank|sunk|changed)",
    "charred, scorched, (?:has|have|had) lain down, (?:standing|sitting|seated|lying) (?:before|earlier|"
    "then|at first|first),? (?:but |and )?(?:\\w+ )?(?:standing|sitting|seated|lying)",
    "plough\\w*(?! under), plow\\w*(?! under), till\\w*, pav(?:ed|ing), asphalted, gravel(?! pits?), dirt",
    "tarmac\\w*, ripe\\w*, unripe",
    "farm(?:ed|ing|land any), fallow, cultivat\\w*, converted, used for, harvest\\w*, rebuilt, re-?erected",
    "reconstructed, renovated, part(?:ly|ially), look(?:s|ed)? (?:\\w+ )?(?:as|like|different|other)",
    "(?:is|was|are|were)(?: not|n't) (?:as|what|the), not as (?:it|they), (?:is|are|has|have) still",
    "(?:and|that|which) still, (?<!nothing )(?<!longer )(?<!not )(?<!n't )remain(?:s|ed|ing)?, burn(?:ed|t)[ -]out",
    "dug over, roll\\w* over, (?:rug|carpet|mat)s? (?:\\w+ ){0,2}rolled up, unfinished, half-(?:finished|built)",
    "(?:tree|house|building|car|roof)s? (?:that |which )?(?:has |have )?lost(?! to| in\\b)",
    "construction was (?:finished|completed)",
    "(?:another|other|new|fresh) (?:\\w+ )?(?:surface|lick|coat)(?= (?:of|in)\\b)",
    "fresh paint",
    "(?:another|other|new) (?:look|colou?rs?|form|state|roof|windows?|doors?|ty?i?res?|wheels?|curtains?|tiles|paint)",
    "roofs? (?:\\w+ ){0,4}(?:used to|went|gone from|was not), whose roofs? (?:is|was|are|were|has|have)",
    "roofs? (?:\\w+ ){0,3}(?:bl[eo]wn?|ripped|torn|c[ao]me) off, roof is \\w+ only",
    "(?:is|are|was|were|come|came|goes?|went|turned|be) (?:now |still |not )?(?:on|off)(?=[?!.]|$)",
    "(?:lamp|light|lantern|bulb|fire|candle|flame|screen)s? (?:\\w+ ){0,5}(?:went|gone|put|turned|c[ao]me) (?:out|"
    "off|on), blown out, relaid, re-?surfaced, restored, mown, overflow\\w*",
    "raised by (?:an?|one|two) (?:storey|story|floor|level)",
    "(?:windscreen|window|glass|screen|door)s? smashed",
    "(?:gone|went|goes|going) (?:brown|green|yellow|dark|flat|black|white|gr[ae]y|rusty|bald|to sleep)",
    "(?:has|have|had) (?:had )?(?:its|his|her|their) (?:\\w+ ){1,3}(?:raised|lowered|fitted|opened|closed|covered)",
    "candles? (?:\\w+ )?burn\\w*, missing (?:\\w+ )?(?:tiles?|doors?|windows?|wheels?)",
    "put out (?:a|the) (?:\\w+ )?(?:lamp|light|lantern|candle|fire)s?, c[ao]me into (?:leaf|bloom|flower|blossom)",
    "(?:took|take|taken|taking|pulled|put|puts|picked|raised|unloaded|lost|dropped) (?:up |off |on |down )?(?:his|"
    "her|their|its|some)",
    "lost (?:leaves|tiles|colou?r), (?:grass|meadow|lawn|hedge|hay|field|crop|wheat)s? (?:\\w+ ){0,4}cut(?! down)",
    "(?:road|street|pavement|sidewalk|surface|lawn|field|garden|ground)s? (?:\\w+ ){0,3}(?:dug|broken|torn) up",
    "(?:chair|stool|bottle|vase|cup|glass|bin|bikes?|bicycle|table)s? (?:\\w+ ){0,3}(?:fell|fallen|knocked|"
    "tipped) over",
    "umbrellas? (?:\\w+ ){0,2}(?:opened|closed|unfurled|furled|folded)",
    "(?:curtain|blind|shutter|flag|barrier|awning|hood|drawbridge)s? (?:\\w+ ){0,3}(?:up|down|drawn|raised)",
    "(?:lake|pond|river|pool|puddle|hole)s? (?:\\w+ ){0,2}gr[eo]wn?",
    "(?:not|never) (?:been |be |yet |got )*(?:torn|removed|demolished|destroyed|disappear\\w*|vanish\\w*|"
    "le(?:ft|ave)|gone?|cleared|felled|cut|taken|moved|missing)",
    "(?<!oth)(?<!rath)(?<!furth)(?<!earli)(?<!lat)er than, (?:wet|bright|dark|light)er, cleared of, turned(?=[?!.]|$)",
    "(?:snow|tide|smoke|leaves) (?:has |have |had |was |were |is |are |that |which |been )*(?:gone|went|c[ao]me|"
    "coming|melted|cleared|removed|fell|fallen)",
    "(?:tables?|bed) (?:was|were|has been|got) (?:laid|cleared|made|stripped)",
    "(?:cover|lid|cap|hat|coat|jacket|jumper|shoe)s? (?:\\w+ ){0,2}(?:taken|took|put|pulled) (?:off|on)",
    "bridges? (?:was|were|is|are) raised",
    "(?:put|puts|took|takes|pulled) (?:off|on) (?:an?|the) (?:\\w+ )?(?:cover|lid|cap|hat|coat|jacket|jumper|shoe)",
    "(?:crops?|hay|wheat|corn) (?:\\w+ ){0,3}(?:brought|taken|gathered) in",
    "(?:field|land|plot)s? (?:that |which )?(?:has been|have been|was|were|got) (?:newly )?(?:sown|seeded|planted)",
    "(?:sofa|couch|drawer|bed)s? (?:\\w+ ){0,2}pulled out",
    "nothing (?:\\w+ ){0,2}(?:appear|disappear|vanish|left|built|removed|added|new)\\w*",
    f"(?:in|on|at) both {IMAGE}, new {COLOR} (?:roof|coat|colou?r), (?:is|are|was|were) (?:now |since ){COLOR}",
    f"(?:{OLD}|{YOUNG}) {IMAGE},? (?:\\w+ )?\\w+ (?:is|was|are|were) {COLOR}",
    f"(?:is|are|was|were) (?:not )?{COLOR} (?:only )?(?:(?:in|on|at) (?:only )?(?:the )?(?:{OLD}|{YOUNG})|"
    f"{BEFORE}|now|today)",
)
CHANGE_OF_STATE = re.compile(
    rf"\b{_STATE}\b|n't (?:been |be )?(?:torn|removed|demolished|destroyed|disappear|vanish|leave|left)\b"
)
# Sides, roads, materials, names, purposes, replaced things and adjectives of other things do not say what changed.
# What stands in a group is kept.
_WAS = one_of(
    "demolished, destroyed, removed, felled, cleared, missing, abandoned, fallen, former, wrecked, collapsed, burned",
    "burnt, vanished, lost, dismantled, recent, fresh, additional, extra, flattened, razed, stolen, new, torn-down",
    "(?:newly|recently|freshly|just)[- ]\\w+",
)
_ADJECTIVE = rf"{_WAS} (?!{IMAGE})(?=\w)"
_ASIDE = one_of(
    "(?:the|upper|lower|top|bottom|far|middle|cent(?:re|er)|to|on|further|your|his|her|its|their|my|our|moved|"
    "facing|looking) left(?:most)?",
    "left[- ](?:of|hand|side|half|edge|corner|part|border|third|quarter|one|lane)",
    "((?:road|street|path|track|lane|river|railway|bridge|canal)s?) (?:leaving|coming|going|entering|running|"
    "leading)(?: (?:out|in|into|off|away|up|on|along|by|over))*",
    "built (?:on (?:stilts|piles)|in 1\\d+|(?:in|of|from|out of) (?:(?!the )\\w+ )?(?:bricks?|stones?|wood|logs|"
    "concrete|glass|steel)\\b)",
    "(?:removal|departure|arrivals?|construction|vanishing) (?:vans?|trucks?|lorry|lorries|board|lounge|hall|gate|"
    "cranes?|workers?|vehicles?|machines?|material|point)",
    "lost (?:property|and found), take-?away, new (?:york|zealand|orleans|jersey)",
    "(replaced (?:by|with) (?:an?|the|another)|(?:replaced|superseded|supplanted) by|(?:swapped|exchanged) (?:for|"
    "with)|(?:way|(?:made|make|gave) room) (?:for|to)|(?:in|took|takes?) (?:the )?place of|(?:that|which) (?:has )?"
    "(?:replace[sd]?|superseded)|(?:replac|supersed|supplant)ing|(?:that|which) (?:has |have )?swallowed|"
    "instead)\\b.*",
    f"({REPLACED}).*",
    "(?<=\\w )(?:due|owing|thanks) to [^,]*, ^(?:due|owing|thanks) to [^,]*(?=,)",
    "(?<!began )(?<!started )(?<!begun )(?<!used )to (?:build|construct|create|erect|install|plant|"
    "make room for)\\b.*",
    "so that .*, ,? (?:please )?(?:show|mark|find) (?:me |it )?where (?:it|they|he|she) .*",
    "(hut|house|building|barn|shed|shop|tree|garage|tower|school|built|stands|stood|planted|placed|appeared|up|"
    "erected|parked|added|grew|runs|installed|put|dug|laid|made) where (?:the|an?)\\b.*",
    f"(?<!am )(?<!'m )(?:after|before|while|because|because of|when) (?:the|an?|its|their|they|it|someone|"
    f"somebody) (?:(?!{IMAGE})\\w+ ){{0,3}}(?:was|were|is|are|has|have|had|got|left|came|went|\\w+ed|\\w+tion|"
    f"\\w+al)\\b[^,]*",
    f"(next to|beside|near|by|behind|under|above|opposite|alongside|adjacent to|close to|facing|in front of|between|"
    f"(?:standing|sitting|parked|lying|walking|driving) (?:in|at|on|along)) (?:(?:the|an?|its|their|his|"
    f"her) )?{_WAS} (?=\\w)",
)
ASIDE = re.compile(rf"\b{_ASIDE}")
NOUN_WITH_CHANGE = re.compile(rf"\b(?:the|an?|this|that|its|their|his|her|my|our|some) {_ADJECTIVE}")
