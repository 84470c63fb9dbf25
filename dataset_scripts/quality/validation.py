# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Checks a dataset and gives a verdict for each check."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_scripts.readers import (
    EXPLANATIONS,
    MaskRule,
    PairSource,
    ReadingReport,
    Reason,
    open_pairs,
    printable,
)

from .checks import Check, Verdict, content_checks, published_checks
from .dataset_statistics import DatasetFacts, measure_dataset, summarize
from .perceptual_hash import DEFAULT_MAX_DISTANCE
from .split_leakage import leakage_checks


PUBLISHED_FOLDERS = "_FINAL_CLEAN"  # part of the names of all published split folders


@dataclass(frozen=True)
class Validation:
    """
    The outcomes of all checks.

    Args:
        folder (`Path`): The checked folder.
        source (`PairSource`): Its pairs, with the report of their reading.
        facts (`DatasetFacts`): The measured facts.
        checks (`tuple[Check, ...]`): The outcomes.
    """

    folder: Path
    source: PairSource
    facts: DatasetFacts
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all checks."""
        verdicts = {check.verdict for check in self.checks}
        return next(verdict for verdict in (Verdict.FAIL, Verdict.WARN, Verdict.PASS) if verdict in verdicts)

    def to_json(self) -> dict[str, Any]:
        """
        The outcomes as JSON values.

        Returns:
            `dict`: `folder`, `kind`, `verdict`, `checks` with all examples, `statistics` and `reading`.
        """
        return {
            "folder": printable(str(self.folder)),
            "kind": self.source.kind,
            "verdict": self.verdict.value,
            "checks": [
                {
                    "name": check.name,
                    "verdict": check.verdict.value,
                    "count": check.count,
                    "summary": printable(check.summary),
                    "examples": [printable(text) for text in check.examples],
                }
                for check in self.checks
            ],
            "statistics": summarize(self.facts),
            "reading": self.source.report.to_json(),
        }


def validate(
    folder: str | Path,
    compare_with_published: bool = False,
    max_distance: int = DEFAULT_MAX_DISTANCE,
    mask_rule: MaskRule | None = None,
) -> Validation:
    """
    Runs all checks on a folder.

    Args:
        folder (`str` or `Path`): The raw layout, an image folder with `metadata.jsonl`, or exported Parquet.
        compare_with_published (`bool`, *optional*, defaults to `False`): Whether to compare the counts with those of
            MTRefSeg-21K; always done if the folders have its names.
        max_distance (`int`, *optional*, defaults to 7): Maximum number of different bits of the 64-bit hashes of
            near-duplicate images, 0 to 15.
        mask_rule (`MaskRule`, *optional*): Meaning of the values of the masks.

    Returns:
        `Validation`: The outcomes: of reading, of the splits, of images, masks and sentences, of counts.

    Raises:
        [`DataError`]: If the folder cannot be read.
    """
    source = open_pairs(folder)
    facts = measure_dataset(source, mask_rule)
    pairs = facts.distinct_pairs()
    checks = _reading_checks(source.report, len(pairs))
    if pairs:
        checks += leakage_checks(pairs, max_distance) + content_checks(pairs)
        if compare_with_published or any(PUBLISHED_FOLDERS in part.name for part in source.parts):
            checks += published_checks(pairs)
    return Validation(Path(folder), source, facts, tuple(checks))


def _reading_checks(report: ReadingReport, pairs: int) -> list[Check]:
    """One outcome for the number of pairs, and one for each reason to skip or repair."""
    kept = f"{report.kept_pairs.total():,} pairs, {report.kept_expressions.total():,} sentences"
    if report.kept_pairs.total() > pairs:
        kept += f"; {pairs:,} distinct pairs, to which all further checks refer"
    checks = [Check("reading", Verdict.PASS if pairs else Verdict.FAIL, pairs, kept)]
    for reason in Reason:
        for findings, verdict in ((report.skipped, Verdict.FAIL), ([*report.repaired, *report.unused], Verdict.WARN)):
            found = [finding for finding in findings if finding.reason == reason]
            examples = tuple(f"{finding.split}, {finding.sample}: {finding.detail}" for finding in found)
            if examples:
                name = f"reading: {reason.value}"
                checks.append(Check(name, verdict, len(examples), EXPLANATIONS[reason], examples))
    return checks
