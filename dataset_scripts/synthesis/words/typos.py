# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Typical typing errors."""

import re
from collections.abc import Set

import numpy as np


_LONG_WORD = re.compile(r"[A-Za-z]{5,}")
_NEIGHBOURS = {
    key: neighbours
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for key, neighbours in ((row[i], row[max(0, i - 1) : i] + row[i + 1 : i + 2]) for i in range(len(row)))
}
NEVER = frozenset(("three", "seven", "eight", "first", "second", "third"))
"""Numbers that are never misspelt; shorter words never are either."""


def misspell(text: str, known: Set[str], random: np.random.Generator) -> str:
    """
    Misspells one word: two letters swapped, one dropped, doubled, or replaced by its neighbour on the keyboard.

    Args:
        text (`str`): A sentence.
        known (`Set[str]`): Lower-case words that a typo must not produce.
        random (`np.random.Generator`): Random generator.

    Returns:
        `str`: The sentence with a typo in one word of five letters or more; unchanged if there is no such word.
    """
    words = [match for match in _LONG_WORD.finditer(text) if match[0].lower() not in NEVER]
    if not words:
        return text
    match = words[int(random.random() * len(words))]
    for _ in range(3):
        word = _misspelt(match[0], random)
        if word.lower() not in known and word != match[0]:
            return text[: match.start()] + word + text[match.end() :]
    return text


def _misspelt(word: str, random: np.random.Generator) -> str:
    at = 1 + int(random.random() * (len(word) - 2))  # Neither the first letter nor the last.
    way = int(random.random() * 4)
    letter = word[at]
    if way == 0:
        return word[:at] + word[at + 1] + letter + word[at + 2 :]
    if way == 1:
        return word[:at] + word[at + 1 :]
    if way == 2:
        return word[:at] + letter + word[at:]
    near = _NEIGHBOURS.get(letter.lower(), letter)
    return word[:at] + near[int(random.random() * len(near))] + word[at + 1 :]
