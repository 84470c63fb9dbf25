# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""How matplotlib draws figures: resolution, colours and fonts."""

from typing import Any

from mtrefseg import looks
from mtrefseg.looks import to_hex


DOTS_PER_INCH = 160
PAPER, INK, GREY, HAIRLINE = map(to_hex, (looks.PAPER, looks.INK, looks.GREY, looks.HAIRLINE))
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the page looks the same everywhere
    "font.size": 8,
    "text.color": INK,
    "axes.edgecolor": HAIRLINE,
    "axes.facecolor": PAPER,
    "axes.labelcolor": GREY,
    "axes.labelsize": 8,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "figure.facecolor": PAPER,
    "grid.color": HAIRLINE,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 1.2,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "xtick.major.pad": 6,
}
