# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Colours and font sizes of all pages and figures: overlays, reports, pages of pairs and statistics, the audit
and the demo. No other module of the project defines a colour.

The colours of masks, and those of charts, are distinguishable with any colour blindness: a test simulates the three
kinds and measures the smallest difference.
"""

from typing import Literal


Color = tuple[int, int, int]
Theme = Literal["system", "class"]

MASK_COLORS: tuple[Color, ...] = (
    (240, 146, 84),  # orange
    (79, 160, 251),  # light blue
    (252, 248, 40),  # yellow
    (60, 250, 210),  # aqua
    (170, 62, 106),  # wine
    (217, 10, 10),  # red
    (39, 95, 206),  # blue
)
"""Colours of sentences, in their order. After seven they repeat, and numbers distinguish the masks."""
TRUTH: Color = (240, 228, 66)
PREDICTION: Color = (240, 84, 176)
"""Yellow and magenta, which stand out from streets and woods."""
HALO: Color = (20, 20, 20)
"""Around the outlines of masks, so that they are visible on any background."""

# For drawn pages, which are light.
PAPER: Color = (255, 255, 255)
INK: Color = (32, 33, 36)
GREY: Color = (104, 107, 112)
HAIRLINE: Color = (222, 224, 228)
ACCENT: Color = (43, 95, 147)
QUIET: Color = (125, 143, 165)
"""Bars of charts whose colour has no meaning."""
CHANGE_COLORS: dict[str, Color] = {
    "appear": (43, 95, 147),
    "disappear": (224, 122, 40),
    "state_change": (112, 186, 162),
    "unknown": (226, 229, 233),
}
SPLIT_COLORS: dict[str, Color] = {"train": (72, 60, 126), "validation": (190, 100, 150), "test": (200, 185, 90)}
"""None of them is a colour of change types, which are shown next to them."""

TEXT_SIZES = {"small": 0.8, "note": 0.88, "body": 1.0, "lead": 1.15, "title": 1.45}
"""The font sizes of pages, as shares of that of the body."""
BODY_PIXELS = 15

FONTS = ("system-ui", "-apple-system", '"Segoe UI"', "Roboto", '"Liberation Sans"', '"DejaVu Sans"', "sans-serif")
"""Fonts of the visitor's computer: no external files are loaded."""

LIGHT = {
    "paper": "#f5f6f8",
    "card": "#ffffff",
    "ink": "#20242b",
    "soft": "#59616c",
    "line": "#dfe3e8",
    "edge": "#848c97",
    "tint": "#eef2f7",
    "accent": "#2b5f93",
    "on-accent": "#ffffff",
    "good": "#19723f",
    "bad": "#b23a2e",
    "stage": "#e9ebee",
}
DARK = {
    "paper": "#14171b",
    "card": "#1d2126",
    "ink": "#e7eaee",
    "soft": "#a6afba",
    "line": "#353c45",
    "edge": "#737d89",
    "tint": "#272d35",
    "accent": "#8bbcf0",
    "on-accent": "#101418",
    "good": "#5cc592",
    "bad": "#f08c80",
    "stage": "#0e1013",
}
"""Colours of pages for the browser, by purpose. `line` separates; `edge` shows where one can type or choose."""


def to_hex(color: Color) -> str:
    """
    A colour in the notation of style sheets and matplotlib.

    Args:
        color (`tuple[int, int, int]`): Red, green and blue, 0 to 255.

    Returns:
        `str`: "#rrggbb".
    """
    return "#" + bytes(color).hex()


def css_variables(theme: Theme = "system") -> str:
    """
    The colours and font sizes as CSS variables: `--ink`, `--text-note`, `--mask-1`, `--truth` and so on.

    Args:
        theme (`str`, *optional*, defaults to `"system"`): What makes a page dark: the visitor's "system" setting, or
            the "class" `dark` on an element, as in gradio.

    Returns:
        `str`: Rules for `:root` and for dark pages.
    """
    shared = {f"text-{name}": f"{share}rem" for name, share in TEXT_SIZES.items()}
    shared |= {f"mask-{number}": to_hex(color) for number, color in enumerate(MASK_COLORS, start=1)}
    shared |= {"truth": to_hex(TRUTH), "prediction": to_hex(PREDICTION), "halo": to_hex(HALO), "radius": "10px"}
    light, dark = _rules(LIGHT), _rules(DARK)
    if theme == "class":
        return f":root {{ {_rules(shared)} {light} }}\n.dark {{ {dark} }}\n"
    return (
        f":root {{ color-scheme: light dark; font-size: {BODY_PIXELS}px; {_rules(shared)} {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )


def _rules(values: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in values.items())
