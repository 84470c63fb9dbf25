# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The results of an ablation: a table as CSV, Markdown and LaTeX, and a report with all settings."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtrefseg.io import write_text
from trainer.evaluation import (
    command_line,
    csv_table,
    hardware,
    latex_row,
    latex_table,
    markdown_cell,
    markdown_row,
    shown_name,
    versions,
)

from .folder import TrainingFolder
from .matrix import Run


SCORES = ("mIoU", "oIoU", "Pr@50", "N-acc", "T-acc", "loss")
"""The scores of the tables."""
HEADER = ("run", "what is different", "steps", "seconds", "pairs", *SCORES)


@dataclass(frozen=True)
class Outcome:
    """
    The result of one run.

    Args:
        run ([`Run`]): The run.
        folders (`list[TrainingFolder]`): The folders of its stages.
        failure (`str`, *optional*): Why it failed, if it did.
    """

    run: Run
    folders: list[TrainingFolder]
    failure: str | None = None

    @property
    def is_finished(self) -> bool:
        """Whether there are scores."""
        return self.failure is None and all(folder.results() is not None for folder in self.folders)

    @property
    def status(self) -> str:
        """ "finished", "failed: ..." or "not finished"."""
        if self.failure is not None:
            return f"failed: {self.failure}"
        return "finished" if self.is_finished else "not finished"

    def total(self, name: str) -> float:
        """The sum of one number of `results.json` over the stages."""
        return sum((folder.results() or {}).get(name, 0) for folder in self.folders)

    def seconds(self) -> float:
        """Wall time of all its stages."""
        return sum(folder.seconds() for folder in self.folders)

    def evaluation(self) -> dict[str, float]:
        """The scores after the last stage."""
        return (self.folders[-1].results() or {}).get("evaluation", {})


@dataclass(frozen=True)
class Row:
    """
    A row of a table: a run with all its seeds.

    Args:
        outcomes (`tuple[Outcome, ...]`): One per seed.
    """

    outcomes: tuple[Outcome, ...]

    @property
    def run(self) -> Run:
        """The run, with the first seed."""
        return self.outcomes[0].run

    @property
    def finished(self) -> list[Outcome]:
        """The seeds that have scores."""
        return [outcome for outcome in self.outcomes if outcome.is_finished]

    @property
    def steps(self) -> list[int]:
        """The folders of the stages."""
        return [training.steps for training in self.run.trainings]

    def mean(self, name: str) -> float | None:
        """Mean of a score, or of "seconds" or "pairs", over the seeds that have it; `None` without any."""
        values = self.values(name)
        return statistics.fmean(values) if values else None

    def spread(self, name: str) -> float | None:
        """Sample standard deviation; `None` for fewer than two seeds."""
        values = self.values(name)
        return statistics.stdev(values) if len(values) > 1 else None

    def values(self, name: str) -> list[float]:
        """The values that [`mean`] averages."""
        if name == "seconds":
            return [outcome.seconds() for outcome in self.finished]
        if name == "pairs":
            return [outcome.total(name) for outcome in self.finished]
        scores = [outcome.evaluation().get(name) for outcome in self.finished]
        return [score for score in scores if score is not None]


def make_rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """Joins the seeds of each run, in the order of the runs."""
    names = dict.fromkeys((outcome.run.name, outcome.run.noise) for outcome in outcomes)
    return [Row(tuple(one for one in outcomes if (one.run.name, one.run.noise) == name)) for name in names]


def write_tables(rows: Sequence[Row], stem: Path) -> str:
    """
    Writes `STEM.csv`, `STEM.md` and `STEM.tex`.

    Args:
        rows (`Sequence[Row]`): The rows; the others are compared with the first.
        stem (`Path`): Path without a suffix.

    Returns:
        `str`: The table in Markdown, which can be read on a terminal too.
    """
    write_text(stem.with_suffix(".csv"), csv_table([_csv_row(row) for row in rows]))
    cells, notes = [_cells(row) for row in rows], _notes(rows)
    table = _markdown(cells)
    write_text(stem.with_suffix(".md"), "\n".join([table, "", *(f"- {note}" for note in notes), ""]))
    columns = f"ll{'r' * (len(HEADER) - 2)}"
    write_text(stem.with_suffix(".tex"), latex_table(columns, HEADER, [*map(latex_row, cells)], " ".join(notes)))
    return "\n".join([table, *notes])


def write_report(rows: Sequence[Row], path: Path) -> None:
    """
    Writes the settings, the versions and the results of every run.

    Args:
        rows (`Sequence[Row]`): The rows of all tables.
        path (`Path`): The JSON file.
    """
    runs = [
        {
            "run": outcome.run.name,
            "changes": outcome.run.changes,
            "seed": outcome.run.seed,
            "status": outcome.status,
            "seconds": round(outcome.seconds(), 1),
            "pairs": outcome.total("pairs"),
            "evaluation": outcome.evaluation() if outcome.is_finished else {},
            "stages": [
                {
                    "stage": folder.training.stage,
                    "folder": folder.path.name,
                    "engine": (folder.results() or {}).get("engine"),
                    "settings": folder.training.settings,
                }
                for folder in outcome.folders
            ],
        }
        for row in rows
        for outcome in row.outcomes
    ]
    report = {"command": command_line(1), "versions": versions(), "hardware": hardware(), "runs": runs}
    write_text(path, json.dumps(report, indent=1, ensure_ascii=False, default=str) + "\n")


def _csv_row(row: Row) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for name in ("seconds", "pairs", *SCORES):
        numbers[name] = _rounded(row.mean(name))
        if name in SCORES:
            numbers[f"{name}_spread"] = _rounded(row.spread(name))
    return {
        "run": row.run.name,
        "changes": row.run.changes,
        "status": "; ".join(dict.fromkeys(outcome.status for outcome in row.outcomes)),
        "seeds": len(row.outcomes),
        "finished": len(row.finished),
        "stage1_steps": sum(row.steps[:-1]),
        "steps": sum(row.steps),
        **numbers,
    }


def _cells(row: Row) -> list[str]:
    """A row of the readable tables."""
    name, seconds, pairs = row.run.name, row.mean("seconds"), row.mean("pairs")
    if len(row.finished) < len(row.outcomes):
        failed = any(outcome.failure is not None for outcome in row.outcomes)
        share = f"{len(row.finished)} of {len(row.outcomes)} seeds; " if row.finished else ""
        name += f" ({share}{'failed' if failed else 'not finished'})"
    return [
        name,
        row.run.changes,
        " + ".join(f"{steps:,}" for steps in row.steps),
        *("-" if value is None else f"{value:,.0f}" for value in (seconds, pairs)),
        *(_with_spread(row, score) for score in SCORES),
    ]


def _notes(rows: Sequence[Row]) -> list[str]:
    """The notes below the table."""
    base, notes = rows[0], []
    settings = base.run.trainings[-1].settings
    sentences = base.values("num_samples")
    data = ", ".join(shown_name(name) for name in settings.get("eval_data", ["generated"])) or "nothing"
    notes.append(
        f"Scores of the validation pairs ({data}{f'; {sentences[0]:,.0f} sentences' if sentences else ''}) after the "
        "last step, 0 to 100, except for the loss."
    )
    if len(base.run.trainings) > 1:
        notes.append("Steps: stage 1 + stage 2; seconds and pairs count both stages.")
    notes.append("Seconds: wall time, including the start, evaluations and work that was repeated after a stop.")
    if base.run.noise is not None:
        notes.append(
            "Noise: share of stage 2's generated sentences that were corrupted; the evaluation pairs are clean."
        )
    others = [row for row in rows if row.finished and base.finished and row.mean("pairs") != base.mean("pairs")]
    if others:
        names = ", ".join(row.run.name for row in others)
        notes.append(f"Not trained on as many pairs as {base.run.name}: {names}.")
    if len(base.outcomes) > 1:
        notes.append("Means over the seeds ± standard deviation of the sample.")
    for row in rows:
        for outcome in row.outcomes:
            if outcome.failure is not None:
                notes.append(f"{row.run.name}, seed {outcome.run.seed}, failed: {outcome.failure}")
    return notes


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    table = [[markdown_cell(cell) for cell in cells] for cells in (HEADER, *rows)]
    widths = [max(3, *map(len, column)) for column in zip(*table)]
    aligned = [
        [cell.ljust(width) if place < 2 else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths))]
        for row in table
    ]
    rule = ["-" * width if place < 2 else "-" * (width - 1) + ":" for place, width in enumerate(widths)]
    return "\n".join(map(markdown_row, [aligned[0], rule, *aligned[1:]]))


def _with_spread(row: Row, score: str) -> str:
    mean, spread = row.mean(score), row.spread(score)
    digits = 3 if score == "loss" else 2
    if mean is None:
        return "-"
    return f"{mean:.{digits}f}" + ("" if spread is None else f" ± {spread:.{digits}f}")


def _rounded(value: float | None) -> float | str:
    return "" if value is None else round(value, 4)
