# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reports items that were skipped or repaired while data were read, with the reasons."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from dataset_scripts.errors import DataError


NAMED_FILES = 3
"""Number of unused files in a table."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class Reason(str, Enum):
    """Reason why an item was skipped or repaired. Reports show the value."""

    # A whole pair is skipped.
    UNREADABLE_JSON = "unreadable_json"
    PATH_ESCAPE = "path_escape"
    DUPLICATE_ID = "duplicate_id"
    MISSING_IMAGE = "missing_image"
    UNREADABLE_IMAGE = "unreadable_image"
    IMAGE_TOO_LARGE = "image_too_large"
    UNEQUAL_SIZES = "unequal_sizes"
    NO_EXPRESSION_LEFT = "no_expression_left"
    INCOMPLETE_UNION = "incomplete_union"
    # One expression is skipped, or a stage-1 pair, which is useless without its mask.
    BLANK_EXPRESSION = "blank_expression"
    MISSING_MASK = "missing_mask"
    UNREADABLE_MASK = "unreadable_mask"
    MASK_PATH_ESCAPE = "mask_path_escape"
    MASK_OF_OTHER_SHAPE = "mask_of_other_shape"
    MASK_AMBIGUOUS = "mask_ambiguous"
    NOT_LISTED = "not_listed"
    # Something is repaired, and the sample kept.
    MASK_RESIZED = "mask_resized"
    MASK_NOT_BINARY = "mask_not_binary"
    MASK_OF_ONES = "mask_of_ones"
    MASK_IN_COLOUR = "mask_in_colour"
    MASK_IN_ALPHA = "mask_in_alpha"
    EXTRA_BANDS = "extra_bands"
    EXTRA_MASKS = "extra_masks"
    OTHER_MASK = "other_mask"
    WHITESPACE_TRIMMED = "whitespace_trimmed"
    UNKNOWN_LABEL = "unknown_label"
    SHARED_ID = "shared_id"
    SIMILAR_NAME = "similar_name"
    # A file is unused. This is not a finding about a pair, and is listed separately.
    UNUSED_FILE = "unused_file"


EXPLANATIONS = {
    Reason.UNREADABLE_JSON: "pair skipped: the JSON file cannot be read or holds values of wrong types",
    Reason.PATH_ESCAPE: "pair skipped: a path in it leads out of the dataset's folder",
    Reason.DUPLICATE_ID: "pair skipped: an earlier pair of this split has the same id",
    Reason.MISSING_IMAGE: "pair skipped: an image is missing",
    Reason.UNREADABLE_IMAGE: "pair skipped: an image is damaged, truncated or not 8-bit",
    Reason.IMAGE_TOO_LARGE: "pair (expression) skipped: an image (mask) is larger than PIL's limit",
    Reason.UNEQUAL_SIZES: "pair skipped: t1 and t2 differ in size",
    Reason.NO_EXPRESSION_LEFT: "pair skipped: it has no usable expression",
    Reason.INCOMPLETE_UNION: "pair skipped (stage 1): a sentence of it was skipped, so the union of its masks may "
    "lack a change",
    Reason.BLANK_EXPRESSION: "sentence skipped: it is empty or not text",
    Reason.MISSING_MASK: "sentence (stage 1: pair) skipped: there is no mask",
    Reason.UNREADABLE_MASK: "sentence (stage 1: pair) skipped: the mask is damaged or truncated",
    Reason.MASK_PATH_ESCAPE: "sentence (stage 1: pair) skipped: the mask's path leads out of the dataset's folder",
    Reason.MASK_OF_OTHER_SHAPE: "sentence (stage 1: pair) skipped: the aspect ratios of mask and images differ",
    Reason.MASK_AMBIGUOUS: "sentence (stage 1: pair) skipped: the mask's values are ambiguous; say which are "
    "foreground with --mask-values or --mask-threshold",
    Reason.NOT_LISTED: "pair skipped: no split list names it",
    Reason.MASK_RESIZED: "kept: the mask had another size and was resized (nearest neighbour)",
    Reason.MASK_NOT_BINARY: "kept: the mask had values other than 0 and 255, whose meaning is unambiguous",
    Reason.MASK_OF_ONES: "kept: the mask had the values 0 and 1; 1 is foreground",
    Reason.MASK_IN_COLOUR: "kept: the mask had several channels or a palette; what is not black is foreground",
    Reason.MASK_IN_ALPHA: "kept: the mask had one colour, and its opacity is read",
    Reason.EXTRA_BANDS: "kept: an image had more bands than RGB; the first three are read",
    Reason.OTHER_MASK: "kept: the mask that the JSON file names is missing; the mask with the same number is read",
    Reason.EXTRA_MASKS: "kept: more masks than sentences; the last ones are ignored",
    Reason.WHITESPACE_TRIMMED: "kept: white space around the expression was removed",
    Reason.UNKNOWN_LABEL: "kept: a label had an unknown value or contradicts its folder",
    Reason.SIMILAR_NAME: "kept: the name of a file differs only in case or Unicode form (NFC, NFD)",
    Reason.UNUSED_FILE: "not used: no pair names the file, or its kind is not read",
    Reason.SHARED_ID: "kept: pairs of both domains have this id, so it is not unique if both are read",
}


class UnusableError(DataError):
    """
    A pair, an expression, an image or a mask cannot be used; readers skip it.

    Args:
        reason (`Reason`): The reason.
        detail (`str`): Description with the name of the file.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["UnusableError"], tuple[Reason, str]]:
        # Without it, a worker process that raises this error looks as if it had been killed.
        return type(self), (self.reason, self.detail)


@dataclass(frozen=True)
class Finding:
    """
    One skipped or repaired item.

    Args:
        reason (`Reason`): The reason.
        split (`str`): Name of the split folder.
        sample (`str`): Name of the pair or expression.
        detail (`str`): Description with file, values and limits.
        is_skip (`bool`): Whether the item was skipped rather than repaired.
    """

    reason: Reason
    split: str
    sample: str
    detail: str
    is_skip: bool = True

    def __str__(self) -> str:
        return f"{self.split}, {self.sample}: {self.reason.value} ({self.detail})"


class ReadingReport:
    """
    Collects findings and counts kept items.

    Attributes:
        findings (`list[Finding]`): All findings, in the order in which they were added.
        unused (`list[Finding]`): Unused files, with the reason `UNUSED_FILE`. Those of a skipped pair
            may be included.
        kept_pairs, kept_expressions (`Counter[str]`): Number of read items by split folder.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.unused: list[Finding] = []
        self.kept_pairs: Counter[str] = Counter()
        self.kept_expressions: Counter[str] = Counter()

    def skip(self, reason: Reason, split: str, sample: str, detail: str) -> None:
        """Adds a pair or an expression that was skipped."""
        self.findings.append(Finding(reason, split, sample, detail))

    def repair(self, reason: Reason, split: str, sample: str, detail: str) -> None:
        """Adds an item that was repaired and kept."""
        self.findings.append(Finding(reason, split, sample, detail, is_skip=False))

    def leave_out(self, split: str, name: str, detail: str) -> None:
        """Adds an unused file."""
        self.unused.append(Finding(Reason.UNUSED_FILE, split, name, detail, is_skip=False))

    def keep(self, split: str, expressions: int) -> None:
        """Counts a pair that was read, and its expressions."""
        self.kept_pairs[split] += 1
        self.kept_expressions[split] += expressions

    def extend(self, findings: Iterable[Finding]) -> None:
        """Adds findings."""
        self.findings.extend(findings)

    @property
    def skipped(self) -> list[Finding]:
        """The findings about skipped data."""
        return [finding for finding in self.findings if finding.is_skip]

    @property
    def repaired(self) -> list[Finding]:
        """The findings about repaired data."""
        return [finding for finding in self.findings if not finding.is_skip]

    @property
    def counts(self) -> dict[str, int]:
        """Number of findings by the value of their reason, in the order of `Reason`."""
        counter = Counter(finding.reason for finding in self.findings)
        return {reason.value: counter[reason] for reason in Reason if counter[reason]}

    def to_json(self) -> dict[str, Any]:
        """
        The report as JSON values.

        Returns:
            `dict`: `read` (pairs and expressions by split folder), `counts`, and the lists `skipped`, `repaired` and
            `unused`. Characters that are not valid Unicode, as in some file names, are escaped.
        """
        return {
            "read": {
                split: {"pairs": pairs, "expressions": self.kept_expressions[split]}
                for split, pairs in sorted(self.kept_pairs.items())
            },
            "counts": self.counts,
            "skipped": [_to_json(finding) for finding in self.skipped],
            "repaired": [_to_json(finding) for finding in self.repaired],
            "unused": [_to_json(finding) for finding in self.unused],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "ReadingReport":
        """The report from the values of `to_json`."""
        report = cls()
        for split, read in content["read"].items():
            report.kept_pairs[split] = read["pairs"]
            report.kept_expressions[split] = read["expressions"]
        for is_skip, key in ((True, "skipped"), (False, "repaired")):
            for entry in content[key]:
                finding = Finding(
                    Reason(entry["reason"]), entry["split"], entry["sample"], entry["detail"], is_skip=is_skip
                )
                report.findings.append(finding)
        # Reports from before unused files were counted do not contain them.
        for entry in content.get("unused", ()):
            report.leave_out(entry["split"], entry["sample"], entry["detail"])
        return report

    def merge(self, other: "ReadingReport") -> None:
        """Adds the content of another report."""
        self.findings.extend(other.findings)
        self.unused.extend(other.unused)
        self.kept_pairs.update(other.kept_pairs)
        self.kept_expressions.update(other.kept_expressions)

    def part(self, splits: Collection[str]) -> "ReadingReport":
        """A new report with the content about some split folders."""
        part = ReadingReport()
        part.findings = [finding for finding in self.findings if finding.split in splits]
        part.unused = [finding for finding in self.unused if finding.split in splits]
        part.kept_pairs += Counter({name: count for name, count in self.kept_pairs.items() if name in splits})
        part.kept_expressions += Counter(
            {name: count for name, count in self.kept_expressions.items() if name in splits}
        )
        return part

    def table(self) -> str:
        """A table of the numbers of read items, with a line for each reason and its count; without a final line
        break."""
        lines = []
        for split, pairs in sorted(self.kept_pairs.items()):
            expressions = self.kept_expressions[split]
            sentences = f", {expressions:,} sentences" if expressions else ""
            lines.append(f"{printable(split)}: {pairs:,} pairs{sentences} read")
        for value, count in self.counts.items():
            lines.append(f"{count:>8,}  {value:20}  {EXPLANATIONS[Reason(value)]}")
        if self.unused:
            named = ", ".join(f"{finding.split}/{finding.sample}" for finding in self.unused[:NAMED_FILES])
            more = " ..." if len(self.unused) > NAMED_FILES else ""
            lines.append(f"{len(self.unused):>8,}  {Reason.UNUSED_FILE.value:20}  {EXPLANATIONS[Reason.UNUSED_FILE]}")
            lines.append(printable_line(f"{'':10}{named}{more}"))
        if not self.findings:
            lines.append("nothing was skipped or repaired")
        return "\n".join(lines)

    def raise_if_skipped(self) -> None:
        """
        For strict reading.

        Raises:
            DataError: If anything was skipped. The first line gives the number of pairs or expressions, and each
                further line names one.
        """
        if self.skipped:
            lines = [printable(str(finding)) for finding in self.skipped]
            raise DataError(
                f"{len(lines)} pairs or sentences cannot be used; repair them, or read without `strict`:\n"
                + "\n".join(lines)
            )


def printable(text: str) -> str:
    """The text with characters that are not valid Unicode, as in some file names, escaped."""
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8")


def printable_line(text: str) -> str:
    """The `printable` text on one line, with control characters escaped as well."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), printable(text))


def _to_json(finding: Finding) -> dict[str, str]:
    entry = asdict(finding)
    del entry["is_skip"]
    return {key: printable(str(Reason(value).value if key == "reason" else value)) for key, value in entry.items()}
