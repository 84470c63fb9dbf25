# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The curves of an ablation."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dataset_scripts.pages import DOTS_PER_INCH, INK, STYLE
from mtrefseg.looks import MASK_COLORS

from .tables import Outcome, Row


LINES = ("-", "--", ":")
"""Line styles; the next one is taken when all colours have been used."""
CURVES = {"eval_mIoU": "mIoU of the validation pairs", "loss": "training loss"}
NOISE_SCORES = ("mIoU", "Pr@50", "N-acc")
CURVE_STYLE: Any = STYLE
"""For `matplotlib.rc_context`."""


def draw_curves(rows: Sequence[Row], path: Path) -> None:
    """
    Draws validation mIoU and training loss of stage 2 over the steps of both stages.

    Args:
        rows (`Sequence[Row]`): The runs. Only finished ones are drawn, as the mean over their seeds.
        path (`Path`): The PNG.
    """
    with matplotlib.rc_context(CURVE_STYLE):
        figure = Figure(figsize=(10, 4.5), dpi=DOTS_PER_INCH, layout="constrained")
        panels = figure.subplots(1, len(CURVES), sharex=True)
        for panel, (name, title) in zip(panels, CURVES.items()):
            prepare_panel(panel, title, "steps, those of stage 1 included")
            marker = "o" if name == "eval_mIoU" else None
            for place, row in enumerate(row for row in rows if row.finished):
                curve = mean_curve(row.finished, name)
                panel.plot(
                    list(curve),
                    list(curve.values()),
                    label=row.run.name,
                    marker=marker,
                    markersize=4,
                    **look_of(place),
                )
        _start_at_zero(panels[0])
        panels[0].set_xlim(left=0)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
        figure.savefig(path)


def draw_noise(rows: Sequence[Row], path: Path) -> None:
    """
    Draws scores over the share of training sentences that were corrupted.

    Args:
        rows (`Sequence[Row]`): The noise series. Dots are seeds, lines go through their means.
        path (`Path`): The PNG.
    """
    with matplotlib.rc_context(CURVE_STYLE):
        figure = Figure(figsize=(6, 4), dpi=DOTS_PER_INCH, layout="constrained")
        panel = figure.subplots()
        prepare_panel(panel, "scores on clean validation pairs", "corrupted training sentences, %")
        series = sorted(((100 * (row.run.noise or 0.0), row) for row in rows), key=lambda point: point[0])
        for place, name in enumerate(NOISE_SCORES):
            means = [(share, mean) for share, row in series if (mean := row.mean(name)) is not None]
            dots = [(share, value) for share, row in series for value in row.values(name)]
            look = look_of(place)
            panel.plot([x for x, _ in means], [y for _, y in means], label=name, **look)
            panel.plot([x for x, _ in dots], [y for _, y in dots], "o", color=look["color"], markersize=4)
        panel.set_xticks([share for share, _ in series], [f"{share:g}" for share, _ in series])
        _start_at_zero(panel)
        panel.legend()
        figure.savefig(path)


def mean_curve(outcomes: Sequence[Outcome], name: str) -> dict[int, float]:
    """
    Reads a value that stage 2 has logged.

    Args:
        outcomes (`Sequence[Outcome]`): Finished seeds of one run.
        name (`str`): Name of the value in the log.

    Returns:
        `dict[int, float]`: The mean over the seeds, by the steps of both stages.
    """
    values: dict[int, list[float]] = defaultdict(list)
    for outcome in outcomes:
        before = sum(training.steps for training in outcome.run.trainings[:-1])
        # The trainer scores the last step again at the end.
        curve = {before + int(log["step"]): log[name] for log in outcome.folders[-1].history() if name in log}
        for step, value in curve.items():
            values[step].append(value)
    return {step: fmean(numbers) for step, numbers in sorted(values.items())}


def prepare_panel(panel: Axes, title: str, label: str) -> None:
    """Adds title, axis label and horizontal lines to a panel."""
    panel.set_title(title, loc="left", fontsize=10, color=INK)
    panel.set_xlabel(label)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.grid(axis="y")


def _start_at_zero(panel: Axes) -> None:
    """Starts the axis at 0, even if there are no other scores."""
    panel.set_ylim(0, max(1.0, panel.get_ylim()[1]))


def look_of(place: int) -> dict[str, Any]:
    """Colour and style of a line."""
    color = tuple(channel / 255 for channel in MASK_COLORS[place % len(MASK_COLORS)])
    return {"color": color, "linestyle": LINES[place // len(MASK_COLORS) % len(LINES)], "linewidth": 1.6}
