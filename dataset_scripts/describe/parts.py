# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Splits the masks of a pair into the objects that changed, and infers their kinds from its sentences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

import cv2
import numpy as np

from dataset_scripts.compose.nouns import nouns_for
from dataset_scripts.synthesis.scene import ChangeType
from dataset_scripts.synthesis.words.parsing import parse


SPECK = 36 / 256**2
"""Share of the image: smaller parts of a mask are not counted as objects."""
_UNKNOWN = 0.02  # Largest share of the changed pixels that may be without a kind.
_CHANGES: dict[str, ChangeType] = {each: each for each in get_args(ChangeType)}
_MOST_MASKS = 60  # Bits of the pattern that distinguishes parts
# Common words for kinds that have another name in the lexicon.
_MORE_WORDS = {
    **dict.fromkeys(("villa", "villas", "mansion", "mansions", "house", "houses", "residential area"), "building"),
    **dict.fromkeys(("cropland", "croplands", "farmland"), "field"),
    **dict.fromkeys(("man", "men", "woman", "women", "pedestrian", "pedestrians"), "person"),
    **dict.fromkeys(("woods", "woodland"), "forest"),
    **dict.fromkeys(("path", "paths"), "road"),
    "bareland": "bare land",
}


@dataclass(frozen=True)
class Part:
    """An object that changed: its kind, its change and its pixels."""

    kind: str
    change: ChangeType
    mask: np.ndarray


def find_parts(
    masks: Sequence[tuple[str, ChangeType | None, np.ndarray]], shape: tuple[int, int]
) -> list[Part] | None:
    """
    Splits the changed pixels into objects.

    Args:
        masks (`Sequence[tuple[str, str, np.ndarray]]`): Sentences, their change types (`None` if unknown), and their
            masks: bool (height, width).
        shape (`tuple[int, int]`): Height and width in pixels.

    Returns:
        `list[Part]`, *optional*: The objects; `None` if the kind or the change of any of them is unknown, or if there
        are none.
    """
    by_kind: dict[tuple[str, ChangeType], list[np.ndarray]] = {}
    every = np.zeros(shape, bool)
    named = np.zeros(shape, bool)
    for text, change, mask in masks:
        if not mask.any():
            continue
        every |= mask
        kinds = kinds_in(text)
        if len(kinds) == 1 and change is not None:
            by_kind.setdefault((kinds.pop(), change), []).append(mask)
            named |= mask
    if not every.any() or (every & ~named).sum() > _UNKNOWN * every.sum():
        return None
    parts: list[Part] = []
    taken = np.zeros(shape, bool)
    for (kind, change), found in by_kind.items():
        # Pixels described by the same sentences belong together.
        pattern = np.zeros(shape, np.int64)
        for bit, mask in enumerate(found[:_MOST_MASKS]):
            pattern += mask.astype(np.int64) << bit
        if (taken & (pattern > 0)).sum() > _UNKNOWN * max(1, int((pattern > 0).sum())):
            return None  # Two kinds or two changes in one place
        for value in np.unique(pattern[pattern > 0]):
            of_value = (pattern == value).astype(np.uint8)
            _, labels, stats, _ = cv2.connectedComponentsWithStats(of_value, connectivity=8)
            # Only these are compared with every pixel: a noisy mask may have many thousands of specks.
            is_large = stats[:, cv2.CC_STAT_AREA] >= SPECK * labels.size
            is_large[0] = False  # The background
            for label in np.flatnonzero(is_large):
                part = (labels == label) & ~taken
                if part.sum() >= SPECK * part.size:
                    parts.append(Part(kind, change, part))
        taken |= pattern > 0
    return parts or None


def kinds_in(text: str) -> set[str]:
    """The kinds in a sentence."""
    found = {kind for words, kind in _words() if words.search(text.lower())}
    if len(found) > 1:
        found.discard("orange")  # It is a colour as well.
    # "building" is the general word for objects that are called houses in the same pair.
    return {"building" if kind in ("house", "warehouse") else kind for kind in found}


def change_in(text: str, domain: str) -> ChangeType | None:
    """The type of change in a sentence; `None` if it is not certain."""
    parts = parse(text, domain)
    return None if parts is None else _CHANGES.get(parts.change_type)


@lru_cache(maxsize=1)
def _words() -> list[tuple[re.Pattern[str], str]]:
    """Patterns of words, and their kinds."""
    known = {form: kind for kind, several in nouns_for(frozenset()).items() for forms in several for form in forms}
    return [(re.compile(rf"\b{re.escape(word)}\b"), kind) for word, kind in {**known, **_MORE_WORDS}.items()]
