# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Rewrites English sentences for pairs whose t1 and t2 are exchanged: "appeared" becomes "disappeared", and vice versa.
"""

import re


_BE = r"(is|are|was|were|be|been|being)"
_LATER = r"(?:second|later)"
_EARLIER = r"(?:first|earlier)"
_IMAGE = r"(image|picture|photo)"
_ALONE = r"(?! (?:of|the|a|an|its|their)\b)"  # not "left the lot", "left of the house"
# Patterns for things that appear, and their counterparts for things that disappear.
_APPEAR = (
    (rf"\b(only be seen|visible only|seen only) in the {_LATER} {_IMAGE}\b", r"\1 in the earlier \2"),
    (rf"\b(is|are) new in the {_LATER} {_IMAGE}\b", r"\1 gone in the later \2"),
    (r"\bdid not exist in the (?:first|earlier) (image|picture)\b", r"does not exist in the later \1"),
    (r"\b(?:newly )?(?:built|constructed|erected|added|placed|put up|installed)\b(?!-)(?! to\b)", r"removed"),
    (r"\b(?:newly )?planted\b", r"cut down"),
    (r"\b(?:newly )?appear(s|ed|ing)?\b", r"disappear\1"),
    (r"\b(?:showed|shown|popped) up\b", r"disappeared"),
    (r"\bshows up\b", r"disappears"),
    (r"\bshow up\b", r"disappear"),
    (r"\b(?:newly )?arrived\b", r"left"),
)
_DISAPPEAR = (
    (rf"\b(only be seen|visible only|seen only) in the {_EARLIER} {_IMAGE}\b", r"\1 in the later \2"),
    (rf"\b(is|are) (?:gone|missing) in the {_LATER} {_IMAGE}\b", r"\1 new in the later \2"),
    (r"\b(?:demolished|torn down|pulled down|knocked down|dismantled)\b", r"built"),
    (r"\b(?:removed|taken away)\b(?! from\b)", r"added"),
    (r"\bcut down\b", r"planted"),
    (r"\bdisappear(s|ed|ing)?\b", r"appear\1"),
    (r"\bvanished\b", r"appeared"),
    (rf"\b(?<=that )left\b{_ALONE}", r"arrived"),
    (rf"\b((?:has|have|had) )left\b{_ALONE}", r"\1arrived"),
)
_STATE_CHANGE = (
    (r"\bchanged from (\w+) to (\w+)(?= *$)", r"changed from \2 to \1"),
    (rf"\b{_BE} opened\b", r"\1 closed"),
    (rf"\b{_BE} closed\b", r"\1 opened"),
    (rf"\b(is|are) open in the {_LATER} {_IMAGE}\b", r"\1 closed in the later \2"),
    (rf"\b(is|are) closed in the {_LATER} {_IMAGE}\b", r"\1 open in the later \2"),
    (r"\bswitched on\b", r"switched off"),
    (r"\bswitched off\b", r"switched on"),
    (rf"\b{_BE} drained\b", r"\1 filled"),
    (rf"\b{_BE} filled\b(?! with)", r"\1 drained"),
    (r"\bdried up\b", r"filled with water"),
    (r"\bfilled with water\b", r"dried up"),
    (r"\b(levels?) (?:fell|dropped)\b", r"\1 rose"),
    (r"\b(levels?) rose\b", r"\1 fell"),
    # Phrases that are the same in both directions.
    (rf"\b(looks?) different in the {_LATER} {_IMAGE}\b", r"\1 different in the later \2"),
    (r"\b(that|has|have) changed(?= *$| its state\b| their state\b)", r"\1 changed"),
    (rf"\b{_BE} repainted(?= *$)", r"\1 repainted"),
)
_RULES = {
    change_type: tuple((re.compile(pattern, re.IGNORECASE), replacement) for pattern, replacement in rules)
    for change_type, rules in (("appear", _APPEAR), ("disappear", _DISAPPEAR), ("state_change", _STATE_CHANGE))
}
_EVERYTHING = re.compile(r"^(every change|all the changes)$", re.IGNORECASE)
# Words about time that no rule covers: the sentence may describe more than an appearance or disappearance.
_TIME = re.compile(
    r"\b(new|newly|now|previous|previously|former|formerly|old|older|original|originally|existing|still|once|later|"
    r"earlier|before|after|then|already|again|anymore|longer|yet|recent|recently|replac\w*|becom\w*|became|turn\w*|"
    r"chang\w*|use|used|gone|missing|vanish\w*|arriv\w*|leaves?|leaving|built|build|builds|rebuilt|construct\w*|"
    r"construction|erect\w*|add(ed|s|ing)?|remov\w*|demolish\w*|torn|pull\w*|knock\w*|dismantl\w*|plant(ed|ing)|cut|"
    r"clear\w*|dis?appear\w*|appear\w*|shows?|showed|shown|plac(ed|ing)|install\w*|convert\w*|extend\w*|expand\w*|"
    r"enlarg\w*|repaint\w*|paint(ed|ing)|open(ed|s)?|clos(ed|es)|fill\w*|drain\w*|dri(ed|es)|came|comes?|went|goes|"
    r"mov(ed|es|ing)|parked|places?|took|grow\w*|widen\w*|lush\w*|renew\w*|rebuild\w*|"
    r"taken|t1|t2|time|times|years?|today|finished|completed|grown|grew|"
    r"(first|second|other) (image|picture|photo))\b|\b(?<=that )left\b|\b(?<=has )left\b|\b(?<=have )left\b",
    re.IGNORECASE,
)


def time_swapped(sentence: str, change_type: str) -> str | None:
    """
    Rewrites a sentence for exchanged images.

    Args:
        sentence (`str`): The sentence.
        change_type (`str`): The change that it describes: "appear", "disappear" or "state_change".

    Returns:
        `str` or `None`: The sentence with "appear" and "disappear", and their synonyms, exchanged; `None` if some of
        its words about time may be misinterpreted.
    """
    if _EVERYTHING.match(sentence.strip()):
        return sentence
    text, replacements = sentence, []
    for pattern, replacement in _RULES.get(change_type, ()):
        while match := pattern.search(text):
            replacements.append(match.expand(replacement))
            # A placeholder that no pattern matches.
            text = f"{text[: match.start()]}\0{len(replacements) - 1}\0{text[match.end() :]}"
    if not replacements or _TIME.search(text):
        return None
    swapped = re.sub(r"\0(\d+)\0", lambda mark: replacements[int(mark[1])], text)
    return swapped[0].upper() + swapped[1:] if sentence[:1].isupper() else swapped


def swapped_type(change_type: str) -> str:
    """The change type when time is reversed."""
    return {"appear": "disappear", "disappear": "appear"}.get(change_type, change_type)
