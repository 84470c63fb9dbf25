# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Corrects misspelt words that decide how a sentence is read: changes, places, ranks, exceptions and frequent nouns.

Other rules compare words with lists, so that "exept the biggest" would select the biggest one. Letters that are left
out, doubled or swapped are corrected in words of a closed list. A wrong letter is not: "planned" is not "planted".
"""

import re


def _words(text: str) -> list[str]:
    return text.split()


_WORDS = _words(
    "appear appears appeared appearing disappear disappears disappeared vanished removed removal demolished destroyed "
    "constructed construction erected installed planted arrived replaced missing dismantled collapsed departed "
    "chopped knocked changed parked built building buildings house houses vehicle vehicles person people bicycle "
    "suitcase warehouse greenhouse farmland forest bridge right bottom middle center centre corner upper lower north "
    "south northern southern western eastern leftmost rightmost except excluding largest biggest smallest second "
    "third yellow orange purple white black green brown before longer anymore"
)
# Words of their own, although a letter of another word seems to be missing.
_REAL = {*_words("hoses planed panted plated pared bride corer loner copped")}
_SHORTEST = 6  # In shorter words, a missing letter too often makes another word.
# Letters of short words, wrong letters, and forms of learners of English.
_FREQUENT = dict(
    entry.split("=")
    for entry in _words(
        "teh=the wich=which uper=upper lowr=lower rigt=right cornor=corner wharehouse=warehouse botton=bottom "
        "exsept=except yello=yellow cutted=cut builded=built putted=put taked=taken breaked=broken stealed=stolen"
    )
)


def _misspelt(word: str) -> set[str]:
    """How a word is misspelt: two letters swapped, one doubled, or one inside left out."""
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    doubled = {word[:i] + word[i] + word[i:] for i in range(len(word))}
    left_out = {word[:i] + word[i + 1 :] for i in range(1, len(word) - 1)} if len(word) >= _SHORTEST else set()
    return (swapped | doubled | left_out) - {*_WORDS} - _REAL


# If two words are misspelt alike ("houes"), the first one is meant.
_CORRECT = {wrong: word for word in reversed(_WORDS) for wrong in _misspelt(word)} | _FREQUENT
_WORD = re.compile(r"(?<![\w-])[a-zA-Z]{3,}(?![\w-])")
_DISAPPEAR = re.compile(r"\b([dD])is+ap+e?a?re?(?=d\b|s\b|ing\b|ance)|\b([dD])is+ap+ear")
_PARTICIPLE = re.compile(r"\b(has|have|had|is|are) (went|leaved)\b")


def in_correct_spelling(text: str) -> str:
    """
    Corrects misspelt words that decide how a sentence is read.

    Args:
        text (`str`): A sentence.

    Returns:
        `str`: The sentence; "teh bulding that dissapered, exept" becomes "the building that disappeared, except".
    """
    text = _DISAPPEAR.sub(lambda found: f"{found[1] or found[2]}isappear", text)
    text = _PARTICIPLE.sub(lambda found: f"{found[1]} {'gone' if found[2] == 'went' else 'left'}", text)
    return _WORD.sub(_corrected, text)


def _corrected(found: re.Match[str]) -> str:
    word = _CORRECT.get(found[0].lower(), found[0])
    return word.capitalize() if found[0][0].isupper() and word != found[0] else word
