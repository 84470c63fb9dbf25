# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Names the colours of objects in photographs, if they are clear, and recolours objects."""

from functools import lru_cache

import cv2
import numpy as np

from dataset_scripts.synthesis import COLORS


NAMES = tuple(COLORS)
_UNCLEAR = len(NAMES)
_BITS = 5  # Bits per channel in the table of names
# An object has a colour if at least this share of its pixels has it, and this many times more than the second most
# frequent colour.
_SHARE, _LEAD = 0.55, 2.5
_GREYISH_SHARE = 0.7  # Light and shadow also make other colours look white, grey or black.
# Share of all pixels, including black ones; share of black pixels of an object called black
_LEAST_SHARE, _BLACK_SHARE = 0.36, 0.7
_FEWEST = 12  # Pixels
_STRONGEST_CAST, _LEAST_COLORFUL, _DARK = 45.0, 3.0, 74.0  # Grey levels
_CORE = 2  # Pixels at the rim are mixed with the surroundings.
# Hue of OpenCV (0 to 180), saturation and mean brightness of what is painted in a colour.
PAINTS: dict[str, tuple[int, int, int]] = {
    "red": (177, 168, 145),
    "orange": (12, 185, 200),
    "yellow": (26, 168, 200),
    "green": (64, 128, 130),
    "blue": (110, 155, 140),
}
"""Colours for recolouring objects."""
ROOF_PAINTS = ("red", "green", "blue")
"""Colours for objects seen from above."""


@lru_cache(maxsize=1)
def _table() -> np.ndarray:
    """The index of the colour name for each colour with 5 bits per channel: uint8 (32768,)."""
    steps = np.arange(2**_BITS, dtype=np.uint8) * 8 + 4
    red, green, blue = np.meshgrid(steps, steps, steps, indexing="ij")
    colors = np.stack([red, green, blue], axis=-1).reshape(1, -1, 3)
    hue, saturation, value = (plane.astype(np.int32) for plane in cv2.split(cv2.cvtColor(colors, cv2.COLOR_RGB2HSV)))
    names = np.full(hue.shape, _UNCLEAR, np.uint8)

    def assign(name: str, where: np.ndarray) -> None:
        names[where & (names == _UNCLEAR)] = NAMES.index(name)

    assign("black", (value < 52) | ((value < 78) & (saturation < 90)))
    assign("white", (value > 196) & (saturation < 34))
    assign("grey", (value > 92) & (value < 180) & (saturation < 36))
    colorful = (saturation > 105) & (value > 62)
    for name, low, high in (
        ("orange", 8, 17),
        ("yellow", 22, 33),
        ("green", 40, 84),
        ("blue", 96, 124),
        ("purple", 130, 152),
    ):
        bright = value > {"orange": 165, "yellow": 140}.get(name, 62)
        assign(name, colorful & bright & (hue >= low) & (hue <= high))
    assign("red", colorful & (saturation > 125) & ((hue >= 173) | (hue <= 5)) & (value > 85))
    assign("brown", (saturation > 70) & (saturation < 190) & (hue >= 5) & (hue <= 18) & (value > 50) & (value < 135))
    assign("pink", (saturation > 45) & (saturation < 140) & (hue >= 150) & (hue <= 176) & (value > 165))
    return names.reshape(-1)


def tone_of(image: np.ndarray) -> np.ndarray:
    """Mean red - green and blue - green of an image, and its colourfulness: float (3,), in grey levels."""
    few = image[::4, ::4].astype(np.float32)
    red, blue = few[..., 0] - few[..., 1], few[..., 2] - few[..., 1]
    return np.array((red.mean(), blue.mean(), 0.5 * (np.abs(red).mean() + np.abs(blue).mean())))


def name_colors(image: np.ndarray, numbers: np.ndarray, count: int) -> list[str | None]:
    """
    The colour of each thing of an image.

    Args:
        image (`np.ndarray`): RGB, uint8, (height, width, 3).
        numbers (`np.ndarray`): int16 (height, width), the number of the thing visible at each pixel, 0 for none.
        count (`int`): Numbers are less than this.

    Returns:
        `list[str | None]`: By number: one of `NAMES`, `None` if no colour is clearly that of the thing.
    """
    usable = _usable_names(image)
    core = cv2.erode(numbers, np.ones((_CORE + 1, _CORE + 1), np.uint8))
    same = (core == numbers) & (numbers > 0)
    pixels = image[same].astype(np.int32) >> (8 - _BITS)
    names = _table()[(pixels[:, 0] << 2 * _BITS) + (pixels[:, 1] << _BITS) + pixels[:, 2]]
    cells = numbers[same].astype(np.int64) * (_UNCLEAR + 1) + names
    table = np.bincount(cells, minlength=count * (_UNCLEAR + 1)).reshape(count, _UNCLEAR + 1)
    found = [_clear_name(row) for row in table]
    return [name if name in usable else None for name in found]


def _usable_names(image: np.ndarray) -> frozenset[str]:
    """The colours that can be distinguished in the light of an image."""
    few = image[::4, ::4].reshape(-1, 3).astype(np.float32)
    brightness = few.mean(axis=1)
    warmth = few[:, 0] - few[:, 2]
    brightest = warmth[brightness >= np.quantile(brightness, 0.97)]
    # Under artificial light, even white is not white.
    has_cast = min(abs(float(warmth.mean())), abs(float(np.median(brightest)))) > _STRONGEST_CAST
    if has_cast or tone_of(image)[2] < _LEAST_COLORFUL:
        return frozenset()
    # In a dark image many things look black, grey or brown.
    is_dark = float(brightness.mean()) < _DARK
    return frozenset(NAMES) - (frozenset(("black", "grey", "brown")) if is_dark else frozenset())


def _clear_name(row: np.ndarray) -> str | None:
    """The name of a thing's colour from its numbers of pixels of each colour, the last one of no colour."""
    total = int(row.sum())
    if total < _FEWEST:
        return None
    order = np.argsort(-row[:_UNCLEAR], kind="stable")
    order = order[NAMES.index("black") != order] if row[order[0]] < _BLACK_SHARE * total else order
    # Windows, wheels and shadows are black on things of any colour.
    counted = total - int(row[NAMES.index("black")]) * (NAMES[order[0]] != "black")
    first, second = int(row[order[0]]), int(row[order[1]])
    name = NAMES[order[0]]
    needed = _GREYISH_SHARE if name in ("white", "grey", "black") else _SHARE
    is_clear = first >= needed * counted and first >= _LEAST_SHARE * total and first >= _LEAD * second
    return name if is_clear else None


def repaint(image: np.ndarray, mask: np.ndarray, name: str) -> np.ndarray:
    """
    Recolours an object, keeping light, shadow and texture.

    Args:
        image (`np.ndarray`): RGB, uint8, (height, width, 3).
        mask (`np.ndarray`): float32 (height, width), opacity of the paint at each pixel, 0 to 1.
        name (`str`): One of `PAINTS`.

    Returns:
        `np.ndarray`: RGB, uint8, (height, width, 3).
    """
    hue, saturation, brightness = PAINTS[name]
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    value = hsv[..., 2].astype(np.float32)
    # Highlights and dark gaps keep less of the paint, as on real lacquer.
    strength = np.clip((value - 18) / 60, 0, 1) * np.clip((290 - value) / 110, 0.25, 1)
    middle, old = (float(np.average(plane, weights=mask + 1e-3)) for plane in (value, hsv[..., 1]))
    if old > 60:
        # Places that were colourful before stay colourful.
        strength = 0.5 * strength + 0.5 * np.clip(hsv[..., 1] / old, 0, 1.3)
    value = np.clip(value * np.clip(brightness / max(middle, 1.0), 0.75, 1.5), 0, 245)
    hsv[..., 0] = hue
    hsv[..., 1] = np.clip(saturation * strength, 0, 255).astype(np.uint8)
    hsv[..., 2] = value.astype(np.uint8)
    painted = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)
    blended = image + (painted - image) * mask[..., None]
    return np.clip(blended + 0.5, 0, 255).astype(np.uint8)
