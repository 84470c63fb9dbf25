# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The table of scored models: Markdown, LaTeX, CSV and an image, together with the rows of the paper."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtrefseg.io import write_text
from mtrefseg.looks import INK, QUIET, to_hex
from trainer.evaluation import csv_table, latex_row, latex_table, markdown_cell, markdown_row
from trainer.evaluation.paper_scores import KINDS as PAPER_GROUPS
from trainer.evaluation.paper_scores import PAPER_MEASURE, SCORES, paper_rows

from .comparison import ScoredModel, groups_of, interval, significance


FURTHER = ("N-acc", "T-acc")
HEADER = ("model", *SCORES, *FURTHER, "95 % of mIoU", "p", "on")


def write_table(models: Sequence[ScoredModel], folder: Path) -> str:
    """
    Writes `table.md`, `table.tex`, `table.csv` and `table.png`.

    Args:
        models (`Sequence[ScoredModel]`): Result of [`open_folders`]: by setting, the best first.
        folder (`Path`): The output folder.

    Returns:
        `str`: The content of `table.md`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = list(dict.fromkeys(model.setting for model in models))
    parts = [[model for model in models if model.setting == setting] for setting in settings]
    compared = [[_Row(model, part) for model in part] for part in parts]
    text = "\n".join(_markdown(setting, rows) for setting, rows in zip(settings, compared))
    write_text(folder / "table.md", text)
    latex = "\n".join(_latex(setting, rows) for setting, rows in zip(settings, compared))
    write_text(folder / "table.tex", latex)
    write_text(folder / "table.csv", csv_table([_csv_row(row) for rows in compared for row in rows]))
    _draw(compared, folder / "table.png")
    return text


class _Row:
    """A model among those of its setting: with its interval and its comparison with the best one."""

    def __init__(self, model: ScoredModel, others: Sequence[ScoredModel]) -> None:
        self.model = model
        self.low, self.high = interval(model.ious)
        data = {other.report["data"]["sha256"] for other in others}
        self.sources = sorted(data)
        # The best one on the same data.
        own = [other for other in others if other.report["data"]["sha256"] == model.report["data"]["sha256"]]
        self.best = own[0]
        self.p_value = None if self.best is model else significance(self.best, model)

    @property
    def mark(self) -> str:
        """The letter of its data; "a" is the paper's."""
        return chr(ord("b") + self.sources.index(self.model.report["data"]["sha256"]))

    def cells(self) -> list[str]:
        """Its row of the readable tables."""
        numbers = [_shown(self.model.scores.get(score)) for score in (*SCORES, *FURTHER)]
        p_value = "" if self.p_value is None else f"{self.p_value:.4f}"
        return [self.model.name, *numbers, f"{self.low:.1f} to {self.high:.1f}", p_value, f"({self.mark})"]


def _csv_row(row: _Row) -> dict[str, str]:
    """A model with the mean IoU of every group."""
    model = row.model
    line = {"model": model.name, "setting": model.setting}
    line |= {score: _shown(model.scores.get(score)) for score in (*SCORES, *FURTHER)}
    line |= {"mIoU_low": f"{row.low:.2f}", "mIoU_high": f"{row.high:.2f}"}
    line |= {"p_against_best": "" if row.p_value is None else f"{row.p_value:.4f}"}
    for grouping, groups in groups_of(model).items():
        line |= {f"{grouping}: {name}": f"{mean:.2f}" for name, (mean, _) in groups.items()}
    return line | {"measured_on": model.measure, "folder": model.folder.name}


def _markdown(setting: str, rows: Sequence[_Row]) -> str:
    right = len(HEADER) - 2
    lines = [f"## {setting}", "", markdown_row(HEADER), markdown_row(["---", *["---:"] * right, "---"])]
    lines += [markdown_row([markdown_cell(cell) for cell in row.cells()]) for row in rows]
    for group, names in PAPER_GROUPS.items():
        printed = [row for row in paper_rows(setting) if row["group"] == group]
        lines.append(markdown_row([f"*paper: {names}*", *[""] * (len(HEADER) - 1)]))
        lines += [markdown_row([*_paper_cells(row), "", "", "", "", "(a)"]) for row in printed]
    lines += ["", *(f"{note}  " for note in _notes(setting, rows)), ""]
    for grouping in ("domain", "change type", "mask size", "sentence"):
        lines += [*_groups(grouping, rows), ""]
    return "\n".join(lines)


def _groups(grouping: str, rows: Sequence[_Row]) -> list[str]:
    """A table of the mean IoU by group; numbers of sentences are those of the first row."""
    grouped = {row.model.folder: groups_of(row.model)[grouping] for row in rows}
    counts = grouped[rows[0].model.folder]
    names = list(dict.fromkeys(name for groups in grouped.values() for name in groups))
    header = [f"mIoU by {grouping}", *(f"{name} ({counts[name][1]:,})" if name in counts else name for name in names)]
    lines = [markdown_row(header), markdown_row(["---", *["---:"] * len(names)])]
    for row in rows:
        groups = grouped[row.model.folder]
        cells = [f"{groups[name][0]:.1f}" if name in groups else "-" for name in names]
        lines.append(markdown_row([markdown_cell(row.model.name), *cells]))
    return lines


def _latex(setting: str, rows: Sequence[_Row]) -> str:
    lines = [*(latex_row(row.cells()) for row in rows), r"\hline"]
    lines += [latex_row([*_paper_cells(row), "", "", "", "", "(a)"]) for row in paper_rows(setting)]
    return latex_table(f"l{'r' * (len(HEADER) - 2)}l", HEADER, lines, " ".join(_notes(setting, rows)))


def _notes(setting: str, rows: Sequence[_Row]) -> list[str]:
    measured = {row.mark: row.model.measure for row in rows}
    return [
        f"Measured on: (a) {PAPER_MEASURE.format(setting=setting)};",
        *(f"({mark}) {measure};" for mark, measure in sorted(measured.items())),
        "rows with different letters do not compare.",
        "95 %: bootstrap over sentences. p: approximate randomisation over pairs, against the best row of the same "
        "letter; it covers the choice of pairs, not that of the training seed.",
    ]


def _paper_cells(row: dict[str, str]) -> list[str]:
    encoders = ", ".join(part for part in (row["vision_encoder"], row["text_encoder"]) if part)
    return [f"{row['model']} ({encoders})" if encoders else row["model"], *(row[score] or "-" for score in SCORES)]


def _draw(parts: Sequence[Sequence[_Row]], path: Path) -> None:
    """Bars of mIoU with their intervals, one panel per setting."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = 0.6 + max(0.32 * len(part) for part in parts)
    figure = Figure(figsize=(6.5 * len(parts), height), layout="constrained")
    FigureCanvasAgg(figure)
    for place, part in enumerate(parts, 1):
        axes = figure.add_subplot(1, len(parts), place)
        names = [row.model.name if len(row.sources) == 1 else f"{row.model.name} ({row.mark})" for row in part]
        means = [row.model.scores["mIoU"] for row in part]
        ends = [
            [mean - row.low for mean, row in zip(means, part)],
            [row.high - mean for mean, row in zip(means, part)],
        ]
        axes.barh(range(len(part)), means, xerr=ends, color=to_hex(QUIET), ecolor=to_hex(INK), capsize=2)
        axes.set_yticks(range(len(part)), names)
        axes.invert_yaxis()
        axes.set_xlabel("mIoU (bars: 95 % over sentences)")
        axes.set_title(part[0].model.setting)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def _shown(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}"
