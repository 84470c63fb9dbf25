# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What auditors decide about samples: the records, what makes a decision valid, and where two auditors differ."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mtrefseg.io import is_blank

from ..errors import CraftError
from ..geometry import mask_iou
from ..records import BoolMask, ChangeType, Round, Sample


REASON_TEXTS = {
    "not_a_change": "Not a change",
    "wrong_object": "The mask is on the wrong object",
    "wrong_mask": "The mask cannot be repaired",
    "wrong_sentence": "The sentence is wrong",
    "ambiguous_sentence": "The sentence fits several objects",
    "duplicate": "A duplicate of another sample",
    "bad_image": "The images are unusable",
    "other": "Something else",
}
"""The reasons for which a sample may be rejected, and how the page says them."""
REJECT_REASONS = tuple(REASON_TEXTS)
"""Their names."""
AUDITORS_PER_SAMPLE = 2
"""Maximum number of people who judge a sample, an adjudicator aside."""
SAME_MASK_IOU = 0.9
"""Two auditors disagree if the IoU of their masks is lower."""

DifferenceKind = Literal["verdict", "change_type", "sentences", "mask"]

_AUDITOR = re.compile(r"[\w][\w .@-]{0,38}[\w.]|\w")


@dataclass(frozen=True)
class AuditSample:
    """
    A sample as the machine proposed it.

    Args:
        sample_id (`str`): The sample.
        pair_id (`str`): Its pair.
        expressions (`tuple[str, ...]`): The sentence, then its paraphrases.
        change_type (`ChangeType`): What happened to the thing.
        mask (`np.ndarray`): Booleans `(height, width)`.
        provenance (`dict`): Models, prompt versions, scores.
        rounds (`tuple[Round, ...]`): All attempts to segment it, oldest first.
    """

    sample_id: str
    pair_id: str
    expressions: tuple[str, ...]
    change_type: ChangeType
    mask: BoolMask = field(repr=False)
    provenance: dict[str, Any]
    rounds: tuple[Round, ...] = field(repr=False)


@dataclass(frozen=True)
class Decision:
    """
    A decision. `expressions`, `change_type` and `mask` are `None` where the proposal is accepted as it is.

    Args:
        verdict (`str`): "accept" or "reject".
        reason (`str`, *optional*): One of `REJECT_REASONS`; only for "reject".
        comment (`str`, *optional*, defaults to `""`): The auditor's comment.
        expressions (`tuple[str, ...]`, *optional*): The corrected sentences.
        change_type (`ChangeType`, *optional*): The corrected change type.
        mask (`np.ndarray`, *optional*): The corrected mask, booleans `(height, width)`.
        settled (`bool`, *optional*, defaults to `False`): Whether the auditor had seen the other one's decision.
    """

    verdict: Literal["accept", "reject"]
    reason: str | None = None
    comment: str = ""
    expressions: tuple[str, ...] | None = None
    change_type: ChangeType | None = None
    mask: BoolMask | None = field(default=None, repr=False)
    settled: bool = False


@dataclass(frozen=True, kw_only=True)
class StoredDecision(Decision):
    """
    A decision with its author and time.

    Args:
        decision_id (`int`): Number of the decision in the run.
        sample_id (`str`): The sample.
        auditor (`str`): Name of the auditor.
        created_at (`str`): Time in UTC, ISO 8601.
        final (`bool`, *optional*, defaults to `False`): Whether it is an adjudicator's and ends a disagreement.
    """

    decision_id: int
    sample_id: str
    auditor: str
    created_at: str
    final: bool = False


@dataclass(frozen=True)
class Agreement:
    """
    The verdicts of two auditors on the samples that both judged, before they saw each other's decision.

    Args:
        both_accept, only_first, only_second, both_reject (`int`): Number of samples by who accepted them.
    """

    both_accept: int
    only_first: int
    only_second: int
    both_reject: int

    @property
    def total(self) -> int:
        """`int`: Number of samples that both judged."""
        return self.both_accept + self.only_first + self.only_second + self.both_reject

    @property
    def alike(self) -> int:
        """`int`: Number of samples on which both gave the same verdict."""
        return self.both_accept + self.both_reject

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa, at most 1; `None` without common samples, or if both always gave the same one verdict."""
        total = self.total
        if not total:
            return None
        first = (self.both_accept + self.only_first) / total
        second = (self.both_accept + self.only_second) / total
        by_chance = first * second + (1 - first) * (1 - second)
        observed = self.alike / total
        return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


@dataclass(frozen=True)
class Disagreement:
    """
    A sample whose auditors differ.

    Args:
        sample_id (`str`): The sample.
        kind (`str`): The first of these that differs: "verdict", "change_type", "sentences", "mask".
        decisions (`tuple[StoredDecision, ...]`): One per auditor, oldest first.
    """

    sample_id: str
    kind: DifferenceKind
    decisions: tuple[StoredDecision, ...]


def check_auditor(name: str) -> str:
    """
    Checks the name of an auditor.

    Args:
        name (`str`): 1 to 40 letters, digits, spaces and `- _ . @`.

    Returns:
        `str`: The name.

    Raises:
        CraftError: If it is not such a name.
    """
    if not _AUDITOR.fullmatch(name):
        shown = name if len(name) <= 60 else f"{name[:60]}…"
        raise CraftError(f"{shown!r} is not a valid name; use 1 to 40 letters, digits, spaces or - _ . @")
    return name


def check_decision(decision: Decision, sample: Sample) -> Decision:
    """
    Checks a decision.

    Args:
        decision (`Decision`): The decision.
        sample (`Sample`): The sample that it is about.

    Returns:
        `Decision`: The decision with white space in its sentences normalised.

    Raises:
        CraftError: If it has no sentence, an empty mask, a mask of another size, or no reason to reject.
    """
    if decision.verdict == "reject":
        if decision.reason not in REJECT_REASONS:
            reasons = ", ".join(REJECT_REASONS)
            raise CraftError(f"{decision.reason!r} is not a reason to reject; use one of {reasons}")
    elif decision.verdict != "accept" or decision.reason is not None:
        raise CraftError(
            f"{decision.verdict!r} with the reason {decision.reason!r} is not a verdict; accept without a reason"
        )
    expressions = decision.expressions
    if expressions is not None:
        expressions = tuple(" ".join(text.split()) for text in expressions)
        if not expressions or any(map(is_blank, expressions)):
            raise CraftError(f"{sample.sample_id} needs at least one sentence, and none may be blank")
    if decision.mask is not None:
        if decision.mask.shape != sample.mask.shape:
            raise CraftError(f"the mask of {sample.sample_id} must have {sample.mask.shape} rows and columns")
        if decision.verdict == "accept" and not decision.mask.any():
            raise CraftError(f"the mask of {sample.sample_id} is empty; draw one, or reject the sample")
    return replace(decision, expressions=expressions)


def apply_decisions(sample: Sample, decisions: Sequence[StoredDecision]) -> Sample:
    """
    Applies the edits of the newest decision.

    Args:
        sample (`Sample`): The sample as it was proposed.
        decisions (`Sequence[StoredDecision]`): The decisions about it, the one that holds last.

    Returns:
        `Sample`: The edited sample; its provenance names the auditors, and the fields that were edited.
    """
    newest = decisions[-1]
    audit = [
        {"auditor": decision.auditor, "verdict": decision.verdict, "at": decision.created_at} for decision in decisions
    ]
    edits = {"expressions": newest.expressions, "change_type": newest.change_type, "mask": newest.mask}
    return replace(
        sample,
        expressions=sample.expressions if newest.expressions is None else newest.expressions,
        change_type=sample.change_type if newest.change_type is None else newest.change_type,
        mask=sample.mask if newest.mask is None else newest.mask,
        provenance={
            **sample.provenance,
            "audit": audit,
            "edited": sorted(name for name, value in edits.items() if value is not None),
        },
    )


def find_difference(sample: Sample, decisions: Sequence[StoredDecision]) -> DifferenceKind | None:
    """
    Compares the decisions about a sample.

    Args:
        sample (`Sample`): The sample as it was proposed.
        decisions (`Sequence[StoredDecision]`): One per auditor.

    Returns:
        `str` or `None`: The first of "verdict", "change_type", "sentences" and "mask" that differs; `None` if none
        does, or an adjudicator has decided. Auditors who reject a sample need not agree on the reason.
    """
    if any(decision.final for decision in decisions):
        return None
    if len({decision.verdict for decision in decisions}) > 1:
        return "verdict"
    if decisions[0].verdict == "reject":
        return None
    versions = [apply_decisions(sample, [decision]) for decision in decisions]
    if len({version.change_type for version in versions}) > 1:
        return "change_type"
    if len({version.expressions for version in versions}) > 1:
        return "sentences"
    if any(mask_iou(versions[0].mask, version.mask) < SAME_MASK_IOU for version in versions[1:]):
        return "mask"
    return None
