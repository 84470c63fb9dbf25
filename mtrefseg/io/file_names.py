# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""File names that differ only in case or in the Unicode form of their letters."""

import unicodedata


def fold(name: str) -> str:
    """Normalises the case and the Unicode form (NFC, NFD) of a name, so that similar names become equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
