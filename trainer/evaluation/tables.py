# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Rows of Markdown and LaTeX tables, with all special characters escaped."""

from collections.abc import Sequence


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


def latex_text(text: str) -> str:
    """Text escaped for LaTeX."""
    return "".join(_LATEX.get(letter, letter) for letter in text)
