# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The number of pairs and changes that every step of a run let through, as a table and a chart."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtrefseg import looks
from mtrefseg.looks import to_hex

from ..errors import CraftError
from ..records import KEPT
from ..state.store import Store
from .store import AuditStore


if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, GREY, TRACK = map(to_hex, (looks.INK, looks.GREY, looks.HAIRLINE))
MOST_REASONS = 3
COLORS = {"pairs": to_hex(looks.QUIET), "differences": to_hex(looks.ACCENT)}


@dataclass(frozen=True)
class Stage:
    """
    One step of the funnel.

    Args:
        name (`str`): What is counted.
        count (`int`): The number.
        lost (`tuple[tuple[str, int], ...]`): Reasons and numbers of those lost before, most frequent first.
        unit (`str`): "pairs" or "differences".
    """

    name: str
    count: int
    lost: tuple[tuple[str, int], ...]
    unit: str


@dataclass(frozen=True)
class Funnel:
    """
    What happened to the pairs of a run and to the changes in them.

    Args:
        stages (`tuple[Stage, ...]`): In the order of the steps.
    """

    stages: tuple[Stage, ...]

    def table(self) -> str:
        """The stages with their counts, their shares of the previous stage, and the losses."""
        lines = []
        before: Stage | None = None
        for stage in self.stages:
            share = ""
            if before is not None and before.unit == stage.unit and before.count:
                share = f"{stage.count / before.count:>6.1%}"
            lost = ", ".join(f"{count:,} {reason}" for reason, count in stage.lost)
            lines.append(f"{stage.name:28} {stage.count:>8,} {share:>7}  {f'lost: {lost}' if lost else ''}".rstrip())
            before = stage
        return "\n".join(lines)


def read_funnel(store: Store) -> Funnel:
    """
    Counts what every step let through.

    Args:
        store (`Store`): The run.

    Returns:
        `Funnel`: The current counts.
    """
    steps = _counts(store, "SELECT step, COUNT(*) FROM pairs GROUP BY 1")
    listed = sum(steps.values())
    perceived = store.rows(
        "SELECT COUNT(*) FROM pairs WHERE step IN ('perceived', 'segmented', 'refined') OR failed_step IN "
        "('perceived', 'segmented')"
    )[0][0]
    outcomes = _counts(store, "SELECT outcome, COUNT(*) FROM proposals GROUP BY 1")
    refined = _counts(store, "SELECT outcome, COUNT(*) FROM refinements GROUP BY 1")
    differences = store.rows("SELECT COUNT(*) FROM candidates")[0][0]
    samples = store.rows("SELECT COUNT(*) FROM samples")[0][0]
    audit = AuditStore(store.work)
    disagreed = len(audit.disagreements())
    judged = len(audit.judged_counts())
    accepted = sum(1 for _ in audit.accepted_samples(1))
    rejected = judged - accepted - disagreed
    ends = {step: steps.get(step, 0) for step in ("skipped", "failed")}
    lost_in_refinement = {name: count for name, count in refined.items() if name not in ("refined", "grid_words")}
    return Funnel(
        (
            Stage("pairs listed", listed, (), "pairs"),
            Stage("pairs perceived", perceived, _most(ends), "pairs"),
            Stage("differences perceived", differences, (), "differences"),
            Stage("differences segmented", outcomes.pop(KEPT, 0), _most(outcomes), "differences"),
            Stage("samples with sentences", samples, _most(lost_in_refinement), "differences"),
            Stage("samples judged", judged, _most({"not judged yet": samples - judged}), "differences"),
            Stage("samples accepted", accepted, _most({"rejected": rejected, "disagreed": disagreed}), "differences"),
        )
    )


def agreement_table(audit: AuditStore) -> str:
    """The agreement of every two auditors as a Markdown table; "" without samples that two have judged."""
    rows = []
    for first, second, agreement in audit.agreements():
        kappa = "undefined" if agreement.kappa is None else f"{agreement.kappa:.3f}"
        rows.append(f"| {first}, {second} | {agreement.total:,} | {agreement.alike:,} | {kappa} |")
    if not rows:
        return ""
    head = ["| auditors | judged by both | same verdict | Cohen's kappa |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])


def draw_funnel(funnel: Funnel, title: str) -> "Figure":
    """
    Draws the stages as bars from one line, with what was lost before each below it.

    Args:
        funnel (`Funnel`): The counts.
        title (`str`): Title of the chart.

    Returns:
        `matplotlib.figure.Figure`: The chart.

    Raises:
        CraftError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise CraftError("the chart needs matplotlib; `pip install matplotlib`") from error
    figure = Figure(figsize=(10, 0.62 * len(funnel.stages) + 1.1), dpi=150, layout="constrained")
    axis = figure.subplots()
    widest = {unit: max([1, *(each.count for each in funnel.stages if each.unit == unit)]) for unit in COLORS}
    before: Stage | None = None
    for row, stage in enumerate(funnel.stages):
        share = stage.count / widest[stage.unit]
        # The light bar is what the first step of this unit had, so that what was lost is seen, too.
        axis.barh(row, 1, height=0.42, color=TRACK)
        axis.barh(row, share, height=0.42, color=COLORS[stage.unit])
        axis.text(-0.02, row, stage.name, ha="right", va="center", color=INK, fontsize=10)
        axis.text(1.13, row, f"{stage.count:,}", ha="right", va="center", color=INK, fontsize=10, fontweight="bold")
        if before is not None and before.unit == stage.unit and before.count:
            kept = f"{100 * stage.count / before.count:.0f} %"
            axis.text(1.21, row, kept, ha="right", va="center", color=GREY, fontsize=10)
        if stage.lost:
            axis.text(0, row + 0.36, _losses(stage), ha="left", va="center", color=GREY, fontsize=8.5)
        before = stage
    axis.set_xlim(-0.36, 1.22)
    axis.set_ylim(len(funnel.stages) - 0.4, -1.0)
    axis.set_axis_off()
    axis.set_title(title, color=INK, loc="left", fontsize=13, fontweight="bold")
    axis.text(0, -0.72, "what each step let through", ha="left", va="center", color=GREY, fontsize=10)
    axis.text(1.21, -0.72, "share of the step before", ha="right", va="center", color=GREY, fontsize=8.5)
    return figure


def save_funnel(funnel: Funnel, title: str, path: Path) -> None:
    """Writes the chart of `draw_funnel` as a PNG; raises `OSError` if the file cannot be written."""
    draw_funnel(funnel, title).savefig(path, format="png")


def _losses(stage: Stage) -> str:
    """What is missing since the stage before: the most frequent reasons, and the sum of the others."""
    reasons = [f"{count:,} {reason.replace('_', ' ')}" for reason, count in stage.lost[:MOST_REASONS]]
    others = sum(count for _, count in stage.lost[MOST_REASONS:])
    return "less " + " · ".join(reasons + [f"{others:,} for other reasons"] * bool(others))


def _counts(store: Store, query: str) -> dict[str, int]:
    return {row[0]: row[1] for row in store.rows(query)}


def _most(lost: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(
        sorted(((name, count) for name, count in lost.items() if count), key=lambda each: (-each[1], each[0]))
    )
