# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the audit page calls: which sample comes next for an auditor, and decisions about samples."""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from mtrefseg.io import is_blank
from mtrs_iou import decode_rle, encode_rle

from ..errors import CraftError
from ..records import BoolMask, ChangeType
from .decisions import AuditSample, Decision, StoredDecision, check_auditor
from .store import AuditStore
from .team import AuditTeam, choose_auditors


Which = Literal["open", "judged", "disagreements"]
LEASE_SECONDS = 1800.0
"""How long an opened sample is reserved for the auditor."""
MAX_SENTENCES = 20
MAX_SENTENCE_LENGTH = 500
MAX_COMMENT_LENGTH = 1000


@dataclass(frozen=True)
class Lease:
    """
    The sample that is reserved for an auditor.

    Args:
        sample_id (`str`): The sample.
        until (`float`): End of the reservation, as in `time.monotonic`.
    """

    sample_id: str
    until: float


class AuditDesk:
    """
    Hands out samples and takes decisions. Arguments and results are plain JSON. Every method may be called from any
    thread.

    A sample is offered to at most `seats` people. To measure agreement, auditors see each other's decisions on a
    sample only after they have made their own.

    Args:
        store (`AuditStore`): The decisions of a run.
        seats (`int`): How many people judge a sample: 1 or 2.
        team (`AuditTeam`, *optional*): Who audits which samples in which order. An adjudicator gets the samples on
            which auditors differ, sees their versions, and has the last word.
    """

    def __init__(self, store: AuditStore, seats: int, team: AuditTeam | None = None) -> None:
        self.store = store
        self.seats = seats
        self.team = AuditTeam(store.work) if team is None else team
        self._leases: dict[str, Lease] = {}
        self._lock = threading.Lock()

    def open(self, auditor: str, sample_id: str = "", step: int = 0, which: str = "open") -> dict[str, Any]:
        """
        Opens a sample and reserves it for an auditor.

        Args:
            auditor (`str`): The auditor's name.
            sample_id (`str`, *optional*, defaults to `""`): The sample that `step` is relative to. Without it, the
                first sample of the list is opened.
            step (`int`, *optional*, defaults to 0): 0 for the sample itself, 1 for the next one in the list, -1 for
                the previous one. The list wraps around.
            which (`str`, *optional*, defaults to `"open"`): The list: "open" (not judged by this auditor, with a free
                seat), "judged" (by this auditor) or "disagreements" (that involve this auditor).

        Returns:
            `dict`: `auditor`, `role`, `which`, `left` (length of the list), `progress`, `sample` (`None` if the list
            is empty) and `following`, the id of the next sample, so that the page can load its images in advance.

        Raises:
            CraftError: If the name, the list or the sample does not exist.
        """
        auditor = check_auditor(auditor)
        _check_list(which)
        with self._lock:
            ids = self._list(auditor, which)
            if not sample_id or step:
                sample_id = self._neighbour(ids, sample_id, step)
            if sample_id:
                self._leases[auditor] = Lease(sample_id, time.monotonic() + LEASE_SECONDS)
            else:
                self._leases.pop(auditor, None)
            following = self._neighbour(ids, sample_id, 1) if sample_id else ""
            progress = self._progress(auditor)
        return {
            "auditor": auditor,
            "which": which,
            "role": "adjudicator" if self.team.is_adjudicator(auditor) else "auditor",
            "left": len(ids),
            "following": following,
            "progress": progress,
            "sample": self._describe(auditor, sample_id) if sample_id else None,
        }

    def decide(self, auditor: str, sample_id: str, decision: Mapping[str, Any], which: str = "open") -> dict[str, Any]:
        """
        Stores a decision, and opens the next sample.

        Args:
            auditor (`str`): The auditor's name.
            sample_id (`str`): The sample.
            decision (`Mapping`): `verdict`, `reason`, `comment`, `expressions`, `change_type` and `mask` (COCO RLE) as
                in `Decision`; all but the verdict are optional.
            which (`str`, *optional*, defaults to `"open"`): The list from which the next sample is taken.

        Returns:
            `dict`: As from `open`.

        Raises:
            CraftError: If the decision is incomplete, the list or the sample does not exist, or all seats are taken.
                Nothing is stored in that case.
        """
        auditor = check_auditor(auditor)
        _check_list(which)
        sample = self.store.sample(sample_id)
        parsed = read_decision(decision, sample)
        final = self.team.is_adjudicator(auditor)
        with self._lock:
            others = {each.auditor for each in self.store.decisions(sample_id) if not each.final} - {auditor}
            if len(others) >= self.seats and not final:
                names = " and ".join(sorted(others))
                raise CraftError(f"{sample_id} has already been judged by {names}; continue with the next sample.")
            # Who has seen the decision of another is not independent any more, even after undoing the own one.
            revises = self.store.decision(sample_id, auditor) is not None or self.store.has_seen(sample_id, auditor)
            settles = final or (bool(others) and revises)
            self.store.decide(sample_id, auditor, replace(parsed, settled=settles), final)
        return self.open(auditor, sample_id, 1, which)

    def undo(self, auditor: str) -> dict[str, Any]:
        """
        Undoes the newest decision of an auditor, and opens its sample again.

        Args:
            auditor (`str`): The auditor's name.

        Returns:
            `dict`: As from `open`, and `undone`, the decision with its edits.

        Raises:
            CraftError: If there is no decision.
        """
        auditor = check_auditor(auditor)
        undone = self.store.undo(auditor)
        if undone is None:
            raise CraftError(f"{auditor} has no decision to undo.")
        state = self.open(auditor, undone.sample_id)
        return {**state, "undone": describe_decision(undone, self.store.sample(undone.sample_id))}

    # --- lists ---

    def _list(self, auditor: str, which: str) -> list[str]:
        order = self._order()
        if which == "judged":
            judged = set(self.store.sample_ids(auditor, "judged"))
            return [sample_id for sample_id in order if sample_id in judged]
        if which == "disagreements" or self.team.is_adjudicator(auditor):
            differing = {
                each.sample_id
                for each in self.store.disagreements()
                if self.team.is_adjudicator(auditor) or auditor in {decision.auditor for decision in each.decisions}
            }
            return [sample_id for sample_id in order if sample_id in differing]
        taken, unjudged = self._taken(auditor), set(self.store.sample_ids(auditor, "open"))
        people = [each.name for each in self.team.people() if each.role == "auditor"]
        mine = [each for each in self.team.planned() if each in unjudged and taken[each] < self.seats]
        if auditor not in people:
            return mine
        return [each for each in mine if auditor in choose_auditors(each, people, self.seats)]

    def _order(self) -> list[str]:
        """All samples in the order of the plan; those that it leaves out come last, for they may have been judged."""
        planned = self.team.planned()
        chosen = set(planned)
        return planned + [each for each in self.store.sample_ids("", "all") if each not in chosen]

    def _taken(self, auditor: str) -> Counter[str]:
        """Number of taken seats per sample: by a decision, or because another auditor has it open."""
        taken = Counter(self.store.judged_counts())
        now = time.monotonic()
        for name, lease in self._leases.items():
            if name != auditor and lease.until > now and self.store.decision(lease.sample_id, name) is None:
                taken[lease.sample_id] += 1
        return taken

    def _neighbour(self, ids: Sequence[str], sample_id: str, step: int) -> str:
        """The next (`step` 1) or previous (-1) sample in the list, relative to any sample; "" if the list is empty."""
        if not ids:
            return ""
        if not sample_id:
            return ids[0]
        place = {each: index for index, each in enumerate(self._order())}
        start = place.get(sample_id, -1)
        if step > 0:
            return next((each for each in ids if place[each] > start), ids[0])
        return next((each for each in reversed(ids) if place[each] < start), ids[-1])

    def _progress(self, auditor: str) -> dict[str, int]:
        mine = self.store.verdicts(auditor)
        planned, judged = self.team.planned(), self.store.judged_counts()
        return {
            "total": len(planned),
            "accepted": mine["accept"],
            "rejected": mine["reject"],
            "open": len(self._list(auditor, "open")),
            "complete": sum(judged.get(sample_id, 0) >= self.seats for sample_id in planned),
            "seats": self.seats,
        }

    # --- a sample as JSON ---

    def _describe(self, auditor: str, sample_id: str) -> dict[str, Any]:
        sample = self.store.sample(sample_id)
        height, width = sample.mask.shape
        mine = self.store.decision(sample_id, auditor)
        sees_others = mine is not None or self.team.is_adjudicator(auditor)
        others = [each for each in self.store.decisions(sample_id) if each.auditor != auditor] if sees_others else []
        if others:
            self.store.mark_seen(sample_id, auditor)
        return {
            "sample_id": sample.sample_id,
            "pair_id": sample.pair_id,
            "width": width,
            "height": height,
            "expressions": list(sample.expressions),
            "change_type": ChangeType(sample.change_type).value,
            "mask": encode_rle(sample.mask),
            "rounds": [
                {"number": each.number, "verdict": each.verdict.value, "score": each.score, "comment": each.comment}
                for each in sample.rounds
            ],
            "decision": describe_decision(mine, sample) if mine else None,
            "others": [describe_decision(each, sample) for each in others],
        }


def _check_list(which: str) -> None:
    if which not in get_args(Which):
        raise CraftError(f"There is no list {which!r}; ask for one of {', '.join(get_args(Which))}.")


def describe_decision(decision: StoredDecision, sample: AuditSample) -> dict[str, Any]:
    """
    A decision as JSON, with the machine's proposal where the auditor left it as it was.

    Args:
        decision (`StoredDecision`): The decision.
        sample (`AuditSample`): What it is about.

    Returns:
        `dict`: `auditor`, `verdict`, `reason`, `comment`, `expressions`, `change_type`, `mask` (compressed COCO RLE),
        and `created_at`.
    """
    return {
        "auditor": decision.auditor,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "comment": decision.comment,
        "expressions": list(decision.expressions or sample.expressions),
        "change_type": ChangeType(decision.change_type or sample.change_type).value,
        "mask": encode_rle(sample.mask if decision.mask is None else decision.mask),
        "created_at": decision.created_at,
    }


def read_decision(given: Mapping[str, Any], sample: AuditSample) -> Decision:
    """
    Parses a decision that came over the network.

    Args:
        given (`Mapping`): With the keys of `AuditDesk.decide`.
        sample (`AuditSample`): The sample that it is about.

    Returns:
        `Decision`: The decision; fields that equal the proposal are `None`.

    Raises:
        CraftError: If a key is unknown or a value is not valid.
    """
    unknown = sorted(set(given) - {"verdict", "reason", "comment", "expressions", "change_type", "mask"})
    if unknown:
        raise CraftError(f"A decision has no {', '.join(map(repr, unknown))}; remove it.")
    verdict = given.get("verdict")
    if verdict not in ("accept", "reject"):
        raise CraftError(f'The verdict is {verdict!r}; it must be "accept" or "reject".')
    reason, comment = given.get("reason") or None, given.get("comment") or ""
    if not isinstance(comment, str) or len(comment) > MAX_COMMENT_LENGTH:
        raise CraftError(f"The comment must be text of at most {MAX_COMMENT_LENGTH} characters.")
    expressions = _read_expressions(given.get("expressions"))
    change_type = _read_change_type(given.get("change_type"))
    mask = _read_mask(given.get("mask"), sample)
    return Decision(
        verdict=verdict,
        reason=reason if verdict == "reject" else None,
        comment=comment.strip(),
        expressions=None if expressions == sample.expressions else expressions,
        change_type=None if change_type == sample.change_type else change_type,
        mask=None if mask is None or np.array_equal(mask, sample.mask) else mask,
    )


def _read_expressions(given: Any) -> tuple[str, ...] | None:
    """The sentences, each on one line, without blank ones and duplicates."""
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise CraftError(f"The sentences are {type(given).__name__}; they must be a list of strings.")
    sentences = tuple(dict.fromkeys(" ".join(each.split()) for each in given if not is_blank(each)))
    if len(sentences) > MAX_SENTENCES:
        raise CraftError(f"There are {len(sentences)} sentences; keep at most {MAX_SENTENCES}.")
    longest = max(map(len, sentences), default=0)
    if longest > MAX_SENTENCE_LENGTH:
        raise CraftError(f"A sentence has {longest} characters; shorten it to at most {MAX_SENTENCE_LENGTH}.")
    return sentences


def _read_change_type(given: Any) -> ChangeType | None:
    if given is None:
        return None
    try:
        return ChangeType(given)
    except ValueError:
        names = ", ".join(each.value for each in ChangeType)
        raise CraftError(f"The change type is {given!r}; it must be one of {names}.") from None


def _read_mask(given: Any, sample: AuditSample) -> BoolMask | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise CraftError(f"The mask is {type(given).__name__}; it must be a run-length encoded mask.")
    # The size is checked first: a short text can encode a mask that does not fit into memory.
    if given.get("size") != list(sample.mask.shape):
        wanted = " x ".join(map(str, sample.mask.shape))
        raise CraftError(
            f"The mask has the size {given.get('size')}; {sample.sample_id} is {wanted} (height x width)."
        )
    try:
        return decode_rle(given)
    except ValueError as error:
        raise CraftError(f"The mask of {sample.sample_id} cannot be read: {error}.") from error
