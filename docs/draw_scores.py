# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""How the scores of the shipped checkpoint rose: the image of docs/checkpoint.md."""

import csv
from io import BytesIO
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from dataset_scripts.pages import DOTS_PER_INCH
from trainer.ablation.curves import CURVE_STYLE, look_of, prepare_panel


SCORES = Path(__file__).parents[1] / "benchmarks" / "results" / "checkpoint.csv"
SETS = {
    "RS_real_val": "real pairs from above",
    "NS_real_val": "real pairs of streets and rooms",
    "generated": "generated pairs",
}


def draw_scores(model: str) -> Image.Image:
    """mIoU of each validation set over the hours of training. `model` is not looked at: the scores are in the CSV."""
    with SCORES.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    hours = [float(row["hours"]) for row in rows]
    picture = BytesIO()
    with matplotlib.rc_context(CURVE_STYLE):
        figure = Figure(figsize=(8, 4.2), dpi=DOTS_PER_INCH, layout="constrained")
        panel = figure.subplots()
        prepare_panel(panel, "mIoU of validation pairs, %", "hours of one CPU core")
        for place, (name, title) in enumerate(SETS.items()):
            panel.plot(
                hours, [float(row[name]) for row in rows], label=title, marker="o", markersize=4, **look_of(place)
            )
        panel.set_ylim(20, 80)
        panel.legend(loc="upper left")
        figure.savefig(picture, format="png")
    return Image.open(picture).convert("RGB")
