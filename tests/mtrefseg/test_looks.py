# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The colours of the project: told apart with any colour blindness, and legible on light and dark pages."""

import re
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtrefseg import looks
from mtrefseg.view.drawing import stands_out_on


# Machado, Oliveira and Fernandes (2009), full strength, for linear RGB.
SIMULATIONS: dict[str, Any] = {
    "usual sight": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])
SMALLEST_DIFFERENCE = 15.0
"""Of CIEDE2000, where 2 can just be seen side by side. The colours of Okabe and Ito reach 10.9."""
GROUPS = {
    "masks": looks.MASK_COLORS,
    "truth and prediction": (looks.TRUTH, looks.PREDICTION),
    "change types": tuple(looks.CHANGE_COLORS.values()),
    "splits": tuple(looks.SPLIT_COLORS.values()),
}


def linear(color: Any) -> np.ndarray:
    share = np.asarray(color, dtype=float) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def seen(color: Any, simulation: Any) -> np.ndarray:
    """CIELAB of a colour as it is seen."""
    xyz = TO_XYZ @ np.clip(np.asarray(simulation) @ linear(color), 0, 1) / WHITE
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """CIEDE2000."""
    color = pytest.importorskip("skimage.color", reason="scikit-image is not installed")
    return float(color.deltaE_ciede2000(first, second))


def brightness(color: Any) -> float:
    return float(linear(color) @ (0.2126, 0.7152, 0.0722))


def contrast(first: Any, second: Any) -> float:
    """As WCAG defines it, 1 to 21."""
    light, dark = sorted((brightness(first), brightness(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def from_hex(color: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(color[1:]))


@pytest.mark.parametrize(("group", "sight"), list(product(GROUPS, SIMULATIONS)))
def test_colours_are_told_apart(group: str, sight: str) -> None:
    shown = [seen(color, SIMULATIONS[sight]) for color in GROUPS[group]]
    assert min(difference(*two) for two in combinations(shown, 2)) >= SMALLEST_DIFFERENCE


@pytest.mark.parametrize("color", [*looks.MASK_COLORS, looks.TRUTH, looks.PREDICTION])
def test_outlines_and_numbers_are_seen(color: looks.Color) -> None:
    assert contrast(color, looks.HALO) >= 3, "the outline stands out from its halo"
    assert contrast(color, stands_out_on(color)) >= 4.5, "the number on its chip can be read"


@pytest.mark.parametrize("theme", [looks.LIGHT, looks.DARK], ids=["light", "dark"])
def test_text_can_be_read(theme: dict[str, str]) -> None:
    for ink, ground in product(("ink", "soft", "accent", "good", "bad"), ("paper", "card", "tint")):
        assert contrast(from_hex(theme[ink]), from_hex(theme[ground])) >= 4.5, (ink, ground)
    assert contrast(from_hex(theme["on-accent"]), from_hex(theme["accent"])) >= 4.5
    assert set(theme) == set(looks.LIGHT)


@pytest.mark.parametrize("theme", [looks.LIGHT, looks.DARK], ids=["light", "dark"])
def test_fields_can_be_seen(theme: dict[str, str]) -> None:
    for ground in ("paper", "card"):
        assert contrast(from_hex(theme["edge"]), from_hex(theme[ground])) >= 3, ground


def test_style_sheets_get_the_same_colours() -> None:
    for theme in ("system", "class"):
        rules = looks.css_variables(theme)
        assert f"--mask-1: {looks.to_hex(looks.MASK_COLORS[0])};" in rules
        assert f"--ink: {looks.LIGHT['ink']};" in rules
        assert f"--ink: {looks.DARK['ink']};" in rules
    assert "prefers-color-scheme: dark" in looks.css_variables("system")
    assert ".dark {" in looks.css_variables("class")


def test_the_site_of_the_documentation_has_them_too() -> None:
    path = Path(__file__).parents[2] / "docs" / "site" / "style.css"
    light, dark = path.read_text(encoding="utf-8").split('[data-md-color-scheme="slate"]', 1)
    wanted = {"accent-fg-color": "accent", "typeset-a-color": "accent", "default-fg-color": "ink"}
    wanted |= {"default-fg-color--light": "soft", "code-hl-keyword-color": "accent", "code-hl-string-color": "good"}
    for name, meaning in wanted.items():
        assert f"--md-{name}: {looks.LIGHT[meaning]};" in light
        assert f"--md-{name}: {looks.DARK[meaning]};" in dark


@pytest.mark.parametrize(
    "path", ["spaces_demo/style.css", "craft_agent/audit/page.css", "mtrefseg/view/pair_view.css"]
)
def test_no_rule_overrides_a_part_of_a_border_with_a_variable(path: str) -> None:
    """gradio writes the rules anew. A shorthand with a variable is then lost if a part of it is overridden."""
    rules = re.findall(r"\{([^{}]*)\}", (Path(__file__).parents[2] / path).read_text(encoding="utf-8"))
    assert len(rules) > 20
    for rule in rules:
        if re.search(r"\bborder:[^;]*var\(", rule):
            assert not re.search(r"\bborder-(?!radius)[a-z-]+:", rule), rule
