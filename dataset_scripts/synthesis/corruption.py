# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Adds annotation noise to masks and sentences and flags it, to measure how robust training is to noise.

The errors imitate those of human and automatic annotation: outlines that are too loose or too tight, shifted masks,
boxes instead of outlines, missing parts, the mask of another sentence, and a wrong word.
"""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from dataset_scripts.synthesis.language.articles import article
from dataset_scripts.synthesis.language.lexicon import CELLS, HALVES
from dataset_scripts.synthesis.render.palette import COLORS

from .scene import SyntheticExpression


_TEXT_SHARE = 0.5  # Probability of corrupting the sentence rather than the mask
_NAMES = list(COLORS)
# Word -> what a careless annotator writes instead. The results are sentences of the generator's language too.
_SWAPS = (
    *zip(_NAMES, [*_NAMES[3:], *_NAMES[:3]], strict=True),
    *((first, second) for first, second in zip(CELLS, list(CELLS)[::-1], strict=True) if first != second),
    *zip(HALVES, ("in the right half", "in the left half", "in the lower half", "in the upper half"), strict=True),
    ("leftmost", "rightmost"),
    ("rightmost", "leftmost"),
    ("largest", "smallest"),
    ("smallest", "largest"),
    ("that appeared", "that disappeared"),
    ("that disappeared", "that appeared"),
    ("has appeared", "has disappeared"),
    ("has disappeared", "has appeared"),
    ("have appeared", "have disappeared"),
    ("have disappeared", "have appeared"),
    ("added", "removed"),
    ("removed", "added"),
    ("only be seen in the later image", "only be seen in the earlier image"),
    ("only be seen in the earlier image", "only be seen in the later image"),
    ("only be seen in the second image", "only be seen in the first image"),
    ("only be seen in the first image", "only be seen in the second image"),
    ("is new in", "is gone in"),
    ("is gone in", "is new in"),
    ("are new in", "are gone in"),
    ("are gone in", "are new in"),
    ("arrived", "left"),
)


def corrupt(
    expressions: tuple[SyntheticExpression, ...], random: np.random.Generator, share: float
) -> tuple[SyntheticExpression, ...]:
    """
    Corrupts the text or the mask of some sentences of a pair.

    Args:
        expressions (`tuple[SyntheticExpression, ...]`): Correct sentences with masks.
        random (`np.random.Generator`): Random generator.
        share (`float`): Probability of corrupting each sentence, 0 to 1.

    Returns:
        `tuple[SyntheticExpression, ...]`: Same order. Corrupted ones have `noisy=True` and differ from the original.
    """
    corrupted = []
    for index, expression in enumerate(expressions):
        if random.random() >= share:
            corrupted.append(expression)
            continue
        others = [other for place, other in enumerate(expressions) if place != index]
        changed = _corrupt_text(expression, random) if random.random() < _TEXT_SHARE else None
        corrupted.append(changed or _corrupt_mask(expression, others, random))
    return tuple(corrupted)


def _corrupt_text(expression: SyntheticExpression, random: np.random.Generator) -> "SyntheticExpression | None":
    """Replaces one word by a wrong one. Returns `None` if the sentence has no such word."""
    said = [(re.compile(rf"\b{re.escape(old)}\b"), new) for old, new in _SWAPS]
    found = [(pattern, new) for pattern, new in said if pattern.search(expression.text)]
    if not found:
        return None
    pattern, new = found[int(random.integers(len(found)))]
    text = pattern.sub(new, expression.text, count=1)
    text = re.sub(r"\b(a|an) (?=[a-z])", lambda match: f"{article(text[match.end() :])} ", text)
    return replace(expression, text=text, noisy=True)


def _corrupt_mask(
    expression: SyntheticExpression, others: "list[SyntheticExpression]", random: np.random.Generator
) -> SyntheticExpression:
    """Replaces the mask by a wrong one, chosen at random among several kinds of errors."""
    damages: list[Callable[[np.ndarray, np.random.Generator], np.ndarray]] = [_grow, _shrink, _shift, _box, _forget]
    different = [other for other in others if not np.array_equal(other.mask, expression.mask)]
    for index in random.permutation(len(damages)):
        if different and random.random() < 0.25:
            other = different[int(random.integers(len(different)))]
            return replace(expression, mask=other.mask, noisy=True)
        mask = damages[index](expression.mask, random)
        if not np.array_equal(mask, expression.mask):
            return replace(expression, mask=mask, noisy=True)
    return replace(expression, mask=_invented(expression.mask.shape, random), noisy=True)


def _filtered(mask: np.ndarray, random: np.random.Generator, grow: bool) -> np.ndarray:
    side = 2 * int(random.integers(1, max(2, mask.shape[0] // 64))) + 1
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(image.filter(ImageFilter.MaxFilter(side) if grow else ImageFilter.MinFilter(side))) > 0


def _grow(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _filtered(mask, random, grow=True)


def _shrink(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _filtered(mask, random, grow=False)


def _shift(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shifts the mask by up to a tenth of the side. Pixels that leave the image are lost."""
    reach = max(1, mask.shape[0] // 10)
    down, right = (int(step) for step in random.integers(-reach, reach + 1, 2))
    moved = np.zeros_like(mask)
    height, width = mask.shape
    moved[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = mask[
        max(0, -down) : height + min(0, -down), max(0, -right) : width + min(0, -right)
    ]
    return moved


def _box(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Fills the bounding box of the mask."""
    ys, xs = np.nonzero(mask)
    boxed = np.zeros_like(mask)
    if len(ys):
        boxed[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] = True
    return boxed


def _forget(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Clears the mask on one side of its middle."""
    ys, xs = np.nonzero(mask)
    part = mask.copy()
    if len(xs):
        part[:, int(np.median(xs)) :] = False
    return part


def _invented(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Draws a mask for a no-target sentence."""
    height, width = shape
    mask = np.zeros(shape, dtype=bool)
    top, left = int(random.integers(0, height * 3 // 4)), int(random.integers(0, width * 3 // 4))
    mask[top : top + height // 6, left : left + width // 6] = True
    return mask
