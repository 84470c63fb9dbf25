# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The named colours. They are far enough apart that light and haze do not make one look like another."""

from collections.abc import Sequence

import numpy as np

from dataset_scripts.synthesis.scene import Color


# RGB centre of each named colour. Shades vary in brightness by `_BRIGHTNESS` and slightly in each channel.
COLORS: dict[str, Color] = {
    "white": (232, 230, 226),
    "grey": (134, 136, 140),
    "black": (38, 38, 42),
    "red": (172, 48, 40),
    "orange": (216, 126, 44),
    "yellow": (222, 196, 62),
    "green": (58, 122, 70),
    "blue": (52, 92, 168),
    "brown": (112, 78, 54),
    "purple": (116, 72, 138),
    "pink": (222, 146, 160),
}
_BRIGHTNESS = 0.08
_CHANNEL = 5


def shade_of(name: str, random: np.random.Generator) -> Color:
    """
    Samples a shade of a named colour.

    Args:
        name (`str`): One of the keys of `COLORS`.
        random (`np.random.Generator`): Chooses the shade.

    Returns:
        `Color`: RGB, 0 to 255.
    """
    values = np.array(COLORS[name]) * (1 + random.uniform(-_BRIGHTNESS, _BRIGHTNESS)) + random.uniform(
        -_CHANNEL, _CHANNEL, 3
    )
    red, green, blue = (int(value) for value in values.clip(0, 255))
    return red, green, blue


def scaled(color: Color, factor: float) -> Color:
    """Multiplies the brightness of a colour by a factor and clips it to 0 to 255."""
    red, green, blue = color
    return (
        max(0, min(255, round(red * factor))),
        max(0, min(255, round(green * factor))),
        max(0, min(255, round(blue * factor))),
    )


def other_color(name: str | None, choices: Sequence[str], random: np.random.Generator) -> str:
    """Chooses one of the names other than `name`."""
    return str(random.choice([choice for choice in choices if choice != name]))


def mixed(first: Color, second: Color, share: float) -> Color:
    """Blends two colours; `share` is the weight of the second one, 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
