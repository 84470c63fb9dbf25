# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The indefinite article."""

# Beginnings of words that take "an" or "a" against the rule for their first letter.
_AN = ("hgv", "suv", "hour")
_A = ("one", "uni", "use", "uti", "eur")


def article(words: str) -> str:
    """
    The indefinite article of a noun phrase.

    Args:
        words (`str`): The phrase, or its first word; not empty.

    Returns:
        `str`: "a" or "an".
    """
    first = words.lower()
    has_vowel = first.startswith(_AN) or (first[0] in "aeiou" and not first.startswith(_A))
    return "an" if has_vowel else "a"
