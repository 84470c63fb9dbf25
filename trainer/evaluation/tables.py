# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Markdown, LaTeX and CSV tables, with all special characters escaped."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any


_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$"} | {
    letter: f"\\{letter}" for letter in "&%$#_{}"
}


def markdown_row(cells: Sequence[str]) -> str:
    """A row of cells that [`markdown_cell`] has escaped."""
    return "| " + " | ".join(cells) + " |"


def markdown_cell(text: str) -> str:
    """Text escaped for a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")


def latex_row(cells: Sequence[str]) -> str:
    """A row of cells of arbitrary text."""
    return " & ".join(latex_text(cell) for cell in cells) + r" \\"


def latex_table(columns: str, header: Sequence[str], rows: Sequence[str], caption: str) -> str:
    """
    A table in LaTeX, which needs no package.

    Args:
        columns (`str`): Their alignment, such as "lrr".
        header (`Sequence[str]`): Arbitrary text.
        rows (`Sequence[str]`): Results of [`latex_row`], and lines between them.
        caption (`str`): Arbitrary text.
    """
    lines = [r"\begin{table}", r"\centering", rf"\begin{{tabular}}{{{columns}}}", r"\hline", latex_row(header)]
    lines += [r"\hline", *rows, r"\hline", r"\end{tabular}", rf"\caption{{{latex_text(caption)}}}", r"\end{table}"]
    return "\n".join([*lines, ""])


def csv_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of values by column as CSV. A column that only some rows have stays empty in the others."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def latex_text(text: str) -> str:
    """Text escaped for LaTeX."""
    return "".join(_LATEX.get(letter, letter) for letter in text)
