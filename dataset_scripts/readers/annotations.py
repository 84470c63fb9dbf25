# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reads the values of annotation files: sentences and labels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mtrefseg.io import is_blank

from .reading_report import ReadingReport, Reason, UnusableError, printable


_Label = TypeVar("_Label", str, bool)


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: it has no lone surrogates, as file names in other encodings do."""
    return printable(text) == text


@dataclass(frozen=True)
class AnnotationReader:
    """
    Reads values, and reports those that it repairs.

    Args:
        folder (`str`): Name of the split folder in the report.
        report (`ReadingReport`): Collects repaired values.
    """

    folder: str
    report: ReadingReport

    def sentence(self, text: Any, sample: str) -> str:
        """The sentence without white space around it; an [`UnusableError`] if it is blank or not text."""
        if not isinstance(text, str) or is_blank(text) or not is_unicode(text):
            raise UnusableError(Reason.BLANK_EXPRESSION, "the expression is blank, not text, or not valid Unicode")
        if text != text.strip():
            detail = "white space around the expression"
            self.report.repair(Reason.WHITESPACE_TRIMMED, self.folder, sample, detail)
        return text.strip()

    def label(self, value: Any, allowed: Sequence[_Label], key: str, sample: str) -> _Label | None:
        """The allowed label that is equal (1 counts as true), otherwise `None`; a value that is neither allowed nor
        missing is reported."""
        if value is None or value in allowed:
            return None if value is None else allowed[allowed.index(value)]
        known = ", ".join(label if isinstance(label, str) else json.dumps(label) for label in allowed)
        self.repair_label(f"{key} has the value {json.dumps(value)[:80]}; known are {known}", sample)
        return None

    def repair_label(self, detail: str, sample: str) -> None:
        """Reports a label that is not used as it is."""
        self.report.repair(Reason.UNKNOWN_LABEL, self.folder, sample, detail)
