# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Rows of tables in Markdown and LaTeX, whatever letters are in their cells."""

from collections.abc import Sequence


_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$"} | {
    letter: f"\\{letter}" for letter in "&%$#_{}"
}


def markdown_row(cells: Sequence[str]) -> str:
    """A row of cells that [`markdown_cell`] has made safe."""
    return "| " + " | ".join(cells) + " |"


def markdown_cell(text: str) -> str:
    """Text that does not end a cell of Markdown."""
    return text.replace("|", "\\|").replace("\n", " ")


def latex_row(cells: Sequence[str]) -> str:
    """A row of cells, which are any text."""
    return " & ".join(latex_text(cell) for cell in cells) + r" \\"


def latex_text(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return "".join(_LATEX.get(letter, letter) for letter in text)
