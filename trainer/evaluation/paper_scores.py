# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Tables with the scores of the paper (tables V to VII of arXiv 2606.00987, in `paper_scores.csv`) and your own. Each
row names the data, because scores on different data or canvases are not comparable.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .tables import latex_row, latex_table, latex_text, markdown_cell, markdown_row


SCORES = ("mIoU", "oIoU", "Pr@50", "Pr@60", "Pr@70", "Pr@80", "Pr@90")
"""The columns of the paper."""
FURTHER_SCORES = ("mIoU_nonempty", "N-acc", "T-acc", "boundary_IoU", "no_target_AUROC")
"""Further scores of your own model."""
KINDS = {
    "specialist": "specialists",
    "lvlm_zero_shot": "large vision-language models, zero-shot",
    "lvlm_finetuned": "large vision-language models, fine-tuned",
    "ours": "the paper's own",
}
PAPER_MEASURE = "MTRefSeg-21K {setting} validation, padded 1024 x 1024 canvas, as printed in arXiv 2606.00987"


def paper_rows(setting: str) -> list[dict[str, str]]:
    """
    The rows of the paper.

    Args:
        setting (`str`): "TV", "NS" or "RS".

    Returns:
        `list[dict]`: "setting", "group" (a key of `KINDS`), "model", "vision_encoder", "text_encoder" and `SCORES`, as
        printed; "" if the paper has none.
    """
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["setting"] == setting]


def markdown_report(setting: str, name: str, measure: str, scores: Mapping[str, Any]) -> str:
    """
    The table in Markdown.

    Args:
        setting (`str`): "TV", "NS" or "RS": one of the tables of the paper.
        name (`str`): Name of your own model.
        measure (`str`): The data of the evaluation.
        scores (`Mapping`): Its scores, 0 to 100, `None` where undefined.

    Returns:
        `str`: The table, with notes about the data of the rows.
    """
    header = ("model", "vision", "text", *SCORES, "measured on")
    lines = [markdown_row(header), markdown_row(["---"] * 3 + ["---:"] * len(SCORES) + ["---"])]
    for kind, rows in _groups(setting).items():
        lines.append(markdown_row([f"*{KINDS[kind]}*", *[""] * (len(header) - 1)]))
        lines += [markdown_row([*_names(row), *_printed(row), "(a)"]) for row in rows]
    lines.append(markdown_row(["*this evaluation*", *[""] * (len(header) - 1)]))
    lines.append(markdown_row([f"**{markdown_cell(name)}**", "", "", *_shown(scores, SCORES), "**(b)**"]))
    notes = [
        f"(a) {PAPER_MEASURE.format(setting=setting)}.",
        f"(b) {markdown_cell(measure)}.",
        "Rows of (a) and (b) are only as comparable as the data on which they were measured.",
        "Further scores of (b): " + ", ".join(f"{key} {value}" for key, value in _further(scores)) + ".",
    ]
    return "\n".join([*lines, "", *(f"{note}  " for note in notes[:-1]), notes[-1], ""])


def latex_report(setting: str, name: str, measure: str, scores: Mapping[str, Any]) -> str:
    """The table in LaTeX, which needs no package; arguments as in [`markdown_report`]."""
    columns, lines = f"lll{'r' * len(SCORES)}l", []
    for kind, rows in _groups(setting).items():
        lines.append(rf"\multicolumn{{{len(columns)}}}{{l}}{{\emph{{{latex_text(KINDS[kind])}}}}} \\")
        lines += [latex_row([*_names(row), *_printed(row), "(a)"]) for row in rows]
    lines += [r"\hline", latex_row([name, "", "", *_shown(scores, SCORES), "(b)"])]
    further = ", ".join(f"{key} {value}" for key, value in _further(scores))
    caption = (
        f"Measured on: (a) {PAPER_MEASURE.format(setting=setting)}; (b) {measure}. Rows of (a) and (b) are only "
        f"as comparable as the data on which they were measured. Further scores of (b): {further}."
    )
    return latex_table(columns, ["model", "vision", "text", *SCORES, "on"], lines, caption)


def _groups(setting: str) -> dict[str, list[dict[str, str]]]:
    rows = paper_rows(setting)
    return {kind: [row for row in rows if row["group"] == kind] for kind in KINDS}


def _names(row: Mapping[str, str]) -> list[str]:
    return [row["model"], row["vision_encoder"], row["text_encoder"]]


def _printed(row: Mapping[str, str]) -> list[str]:
    return [row[score] or "-" for score in SCORES]


def _shown(scores: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return ["-" if scores.get(name) is None else f"{scores[name]:.2f}" for name in names]


def _further(scores: Mapping[str, Any]) -> list[tuple[str, str]]:
    return list(zip(FURTHER_SCORES, _shown(scores, FURTHER_SCORES)))
