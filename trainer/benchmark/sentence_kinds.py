# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Kinds of sentences, by how they refer to an object besides its class and change: by place, colour, rank or another
object.
"""

import re
from functools import cache

from dataset_scripts.synthesis.words.parsing import parse


KINDS = ("plain", "color", "place", "rank", "relation", "no-target")
"""In the order of tables. A sentence of several kinds counts for the last of them."""
# For sentences that the parser of the generator's language does not know.
_WORDS = {
    "relation": r"next to|beside|close to|near|left of|right of|above|below|behind|between|in front of|along|around",
    "rank": r"\w+most|largest|smallest|biggest|tallest|longest|first|second|third",
    "place": r"(?:top|upper|bottom|lower|left|right|middle|center|centre|corner|mid|edge)",
    "color": r"(?:red|green|blue|yellow|white|black|gr[ae]y|brown|orange|purple|pink|silver|beige)\w*(?:-\w+)?",
}
_PATTERNS = {kind: re.compile(rf"\b(?:{words})\b") for kind, words in _WORDS.items()}


def kind_of(sentence: str, domain: str | None, has_target: bool) -> str:
    """
    The kind of a sentence.

    Args:
        sentence (`str`): The sentence.
        domain (`str`, *optional*): "NS" or "RS".
        has_target (`bool`): Whether it has a target.

    Returns:
        `str`: One of `KINDS`.
    """
    return _kind(sentence, domain) if has_target else "no-target"


@cache
def _kind(sentence: str, domain: str | None) -> str:
    parts = parse(sentence, domain)
    if parts is None:
        lowered = sentence.lower()
        return next((kind for kind, pattern in _PATTERNS.items() if pattern.search(lowered)), "plain")
    if parts.relation:
        return "relation"
    if parts.superlative or parts.ordinal:
        return "rank"
    if parts.place:
        return "place"
    return "color" if parts.thing is not None and parts.thing.color else "plain"
