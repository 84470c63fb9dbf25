# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Step (d): what people decide about the samples of a run, and how far they agree. Every method is safe in threads."""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from dataset_scripts.reading_report import UnusableError

from ..errors import CraftError
from ..geometry import mask_iou
from ..records import BoolMask, ChangeType, ImagePair, Round, Sample
from ..state.database import open_database
from ..state.pairs_folder import PairFiles, load_pair
from ..state.rows import load_sample, now
from ..state.serialization import dump, dump_mask, load_mask, load_round


REJECT_REASONS = (
    "not_a_change",
    "wrong_object",
    "wrong_mask",
    "wrong_sentence",
    "ambiguous_sentence",
    "duplicate",
    "bad_picture",
    "other",
)
"""Why a sample may be rejected."""
AUDITORS_PER_SAMPLE = 2
SAME_MASK_IOU = 0.9
"""Two auditors who drew masks that overlap less than that disagree."""

_AUDITOR = re.compile(r"[\w][\w .@-]{0,38}[\w.]|\w")
_STANDING = "undone_at IS NULL"


@dataclass(frozen=True)
class AuditSample:
    """
    A sample as the machine proposed it.

    Args:
        sample_id (`str`): Its name.
        pair_id (`str`): Its pair.
        expressions (`tuple[str, ...]`): The sentence, then its paraphrases.
        change_type (`ChangeType`): What became of the thing.
        mask (`np.ndarray`): Booleans `(height, width)`.
        provenance (`dict`): Models, prompt versions, scores.
        rounds (`tuple[Round, ...]`): Every try to segment it, oldest first.
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
    What an auditor decides. `None` in the last three fields: as the machine proposed.

    Args:
        verdict (`str`): "accept" or "reject".
        reason (`str`, *optional*): One of `REJECT_REASONS`, for "reject" alone.
        comment (`str`, *optional*, defaults to `""`): In the auditor's words.
        expressions (`tuple[str, ...]`, *optional*): The sentences that hold.
        change_type (`ChangeType`, *optional*): What became of the thing.
        mask (`np.ndarray`, *optional*): Booleans `(height, width)`.
        settled (`bool`, *optional*, defaults to `False`): Whether it was made in view of the other auditor's decision.
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
        decision_id (`int`): Its number in the run.
        sample_id (`str`): What it is about.
        auditor (`str`): Who made it.
        created_at (`str`): When, ISO 8601 in UTC.
    """

    decision_id: int
    sample_id: str
    auditor: str
    created_at: str


@dataclass(frozen=True)
class Agreement:
    """
    How often two auditors said the same of samples that both judged, before they saw each other's decision.

    Args:
        both_accept, only_first, only_second, both_reject (`int`): Samples by who accepted them.
    """

    both_accept: int
    only_first: int
    only_second: int
    both_reject: int

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa, at most 1; `None` without a common sample, or if both always said one and the same."""
        total = self.both_accept + self.only_first + self.only_second + self.both_reject
        if not total:
            return None
        first = (self.both_accept + self.only_first) / total
        second = (self.both_accept + self.only_second) / total
        by_chance = first * second + (1 - first) * (1 - second)
        observed = (self.both_accept + self.both_reject) / total
        return None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


@dataclass(frozen=True)
class Disagreement:
    """
    A sample on which its auditors' standing decisions differ.

    Args:
        sample_id (`str`): The sample.
        kind (`str`): The first of these that differs: "verdict", "change_type", "sentences", "mask".
        decisions (`tuple[StoredDecision, ...]`): One an auditor, oldest first.
    """

    sample_id: str
    kind: Literal["verdict", "sentences", "change_type", "mask"]
    decisions: tuple[StoredDecision, ...]


@dataclass(frozen=True)
class AuditProgress:
    """
    How far an auditor is.

    Args:
        total (`int`): Samples of the run.
        accepted, rejected, open (`int`): What this auditor said of them, and what is not judged yet.
    """

    total: int
    accepted: int
    rejected: int
    open: int


class AuditStore:
    """
    The samples of a run and what people said of them.

    Args:
        work (`Path`): The run's folder.

    Raises:
        CraftError: If it holds no run.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self._database = open_database(work)

    def sample_ids(self, auditor: str, which: Literal["all", "open", "judged"] = "open") -> list[str]:
        """The samples in the order of their pairs: all, those that this auditor has not judged, or those judged."""
        condition = {"all": "1", "open": "NOT judged", "judged": "judged"}[which]
        rows = self._rows(
            f"""SELECT sample_id, EXISTS (SELECT 1 FROM decisions WHERE decisions.sample_id = samples.sample_id
            AND auditor = ? AND {_STANDING}) AS judged FROM samples WHERE {condition} ORDER BY pair_id, candidate""",
            auditor,
        )
        return [row["sample_id"] for row in rows]

    def sample(self, sample_id: str) -> AuditSample:
        """A sample with the history of its mask; `CraftError` if there is none of this id."""
        sample = self._sample(self._database.connection, sample_id)
        rows = self._rows(
            "SELECT round, content FROM rounds WHERE pair_id = ? AND candidate = ? ORDER BY round",
            sample.pair_id,
            sample.candidate,
        )
        return AuditSample(
            sample_id=sample.sample_id,
            pair_id=sample.pair_id,
            expressions=sample.expressions,
            change_type=sample.change_type,
            mask=sample.mask,
            provenance=sample.provenance,
            rounds=tuple(load_round(row["round"], row["content"]) for row in rows),
        )

    def pictures(self, sample_id: str) -> ImagePair:
        """The decoded pictures of a sample; `CraftError` if a file is gone or another one than it was."""
        sample = self._sample(self._database.connection, sample_id)
        [row] = self._rows("SELECT * FROM pairs WHERE pair_id = ?", sample.pair_id)
        [setting] = self._rows("SELECT value FROM settings WHERE key = 'pairs'")
        files = PairFiles(row["pair_id"], row["file_t1"], row["file_t2"])
        try:
            return load_pair(Path(json.loads(setting["value"])), files, (row["sha256_t1"], row["sha256_t2"]))
        except UnusableError as error:
            raise CraftError(f"the pictures of {sample_id} cannot be shown: {error.detail}") from error

    def decide(self, sample_id: str, auditor: str, decision: Decision) -> int:
        """
        Records a decision. It takes the place of this auditor's earlier one, which stays in the history.

        Args:
            sample_id (`str`): The sample.
            auditor (`str`): Who decides, as `check_auditor` accepts it.
            decision (`Decision`): What is decided.

        Returns:
            `int`: The decision's number.

        Raises:
            CraftError: If there is no such sample, two others have judged it, or the decision cannot hold: no
                sentence, an empty mask or one of another size, no reason to reject.
        """
        check_auditor(auditor)
        with self._database.transaction() as connection:
            sample = self._sample(connection, sample_id)
            decision = _checked(decision, sample)
            others = connection.execute(
                f"SELECT DISTINCT auditor FROM decisions WHERE sample_id = ? AND auditor != ? AND {_STANDING}",
                (sample_id, auditor),
            ).fetchall()
            if len(others) >= AUDITORS_PER_SAMPLE:
                names = " and ".join(row["auditor"] for row in others)
                raise CraftError(f"{sample_id} has been judged by {names}; take another sample")
            cursor = connection.execute(
                """INSERT INTO decisions (sample_id, auditor, verdict, reason, comment, expressions, change_type, mask,
                settled, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    sample_id,
                    auditor,
                    decision.verdict,
                    decision.reason,
                    decision.comment,
                    None if decision.expressions is None else dump(decision.expressions),
                    None if decision.change_type is None else decision.change_type.value,
                    None if decision.mask is None else dump_mask(decision.mask),
                    int(decision.settled),
                    now(),
                ),
            )
        return int(cursor.lastrowid or 0)

    def undo(self, auditor: str) -> StoredDecision | None:
        """Takes back this auditor's newest decision and returns it, `None` if there is none. An earlier one of that
        sample stands again."""
        with self._database.transaction() as connection:
            row = connection.execute(
                f"SELECT * FROM decisions WHERE auditor = ? AND {_STANDING} ORDER BY decision_id DESC LIMIT 1",
                (auditor,),
            ).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE decisions SET undone_at = ? WHERE decision_id = ?", (now(), row["decision_id"]))
        return _stored(row)

    def decision(self, sample_id: str, auditor: str) -> StoredDecision | None:
        """What this auditor says of a sample now, `None` if nothing."""
        return next((stored for stored in self.decisions(sample_id) if stored.auditor == auditor), None)

    def decisions(self, sample_id: str) -> list[StoredDecision]:
        """What every auditor says of a sample now, oldest first."""
        rows = self._rows(
            f"SELECT * FROM decisions WHERE sample_id = ? AND {_STANDING} ORDER BY decision_id", sample_id
        )
        return _newest(map(_stored, rows))

    def auditors(self) -> list[str]:
        """Who has decided anything that stands, by name."""
        return [
            row["auditor"]
            for row in self._rows(f"SELECT DISTINCT auditor FROM decisions WHERE {_STANDING} ORDER BY 1")
        ]

    def judged_counts(self) -> dict[str, int]:
        """How many auditors have judged a sample, for every sample that somebody has."""
        rows = self._rows(
            f"""SELECT sample_id, COUNT(DISTINCT auditor) AS auditors FROM decisions WHERE {_STANDING}
            GROUP BY sample_id"""
        )
        return {row["sample_id"]: row["auditors"] for row in rows}

    def agreement(self, first: str, second: str) -> Agreement:
        """How far two auditors agree on accepting what both have judged; decisions that were made in view of the
        other's count as the last one before."""
        verdicts: dict[str, dict[str, str]] = {first: {}, second: {}}
        rows = self._rows(
            f"""SELECT sample_id, auditor, verdict FROM decisions
            WHERE auditor IN (?, ?) AND {_STANDING} AND NOT settled ORDER BY decision_id""",
            first,
            second,
        )
        for row in rows:
            verdicts[row["auditor"]][row["sample_id"]] = row["verdict"]
        common = verdicts[first].keys() & verdicts[second].keys()
        said = [(verdicts[first][name] == "accept", verdicts[second][name] == "accept") for name in common]
        return Agreement(
            both_accept=said.count((True, True)),
            only_first=said.count((True, False)),
            only_second=said.count((False, True)),
            both_reject=said.count((False, False)),
        )

    def disagreements(self) -> list[Disagreement]:
        """The samples whose auditors differ, in the order of their pairs."""
        found = []
        for sample, decisions in self.judged_samples():
            kind = _difference(sample, decisions)
            if kind is not None:
                found.append(Disagreement(sample.sample_id, kind, tuple(decisions)))
        return found

    def judged_samples(self) -> Iterator[tuple[Sample, list[StoredDecision]]]:
        """Every sample that somebody has judged, with the standing decisions, in the order of their pairs."""
        rows = self._rows(
            f"""SELECT decisions.* FROM decisions JOIN samples USING (sample_id) WHERE {_STANDING}
            ORDER BY samples.pair_id, samples.candidate, decision_id"""
        )
        for sample_id, of_sample in groupby(rows, key=lambda row: str(row["sample_id"])):
            yield self._sample(self._database.connection, sample_id), _newest(map(_stored, of_sample))

    def accepted_samples(self, auditors: int) -> Iterator[Sample]:
        """
        What may be exported: samples that at least so many people accepted, and on which nobody differs, with the
        edits of the newest decision.

        Args:
            auditors (`int`): How many people must have accepted a sample, 1 or 2.

        Yields:
            `Sample`: In the order of their pairs.
        """
        for sample, decisions in self.judged_samples():
            agreed = len(decisions) >= auditors and _difference(sample, decisions) is None
            if agreed and decisions[-1].verdict == "accept":
                yield _edited(sample, decisions)

    def progress(self, auditor: str) -> AuditProgress:
        """How far an auditor is."""
        total = len(self.sample_ids(auditor, "all"))
        newest: dict[str, str] = {}
        rows = self._rows(
            f"SELECT sample_id, verdict FROM decisions WHERE auditor = ? AND {_STANDING} ORDER BY decision_id", auditor
        )
        for row in rows:
            newest[row["sample_id"]] = row["verdict"]
        accepted = sum(verdict == "accept" for verdict in newest.values())
        return AuditProgress(total, accepted, len(newest) - accepted, total - len(newest))

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self._database.connection.execute(query, values).fetchall()

    def _sample(self, connection: sqlite3.Connection, sample_id: str) -> Sample:
        row = connection.execute("SELECT * FROM samples WHERE sample_id = ?", (sample_id,)).fetchone()
        if row is None:
            raise CraftError(f"{self.work} has no sample {sample_id}; reload the list of samples")
        return load_sample(row)


def check_auditor(name: str) -> str:
    """
    Checks an auditor's name.

    Args:
        name (`str`): 1 to 40 letters, digits, spaces and `- _ . @`.

    Returns:
        `str`: The name.

    Raises:
        CraftError: If it is none.
    """
    if not _AUDITOR.fullmatch(name):
        shown = name if len(name) <= 60 else f"{name[:60]}…"
        raise CraftError(f"{shown!r} is no auditor's name; take 1 to 40 letters, digits, spaces or - _ . @")
    return name


def _checked(decision: Decision, sample: Sample) -> Decision:
    """The decision with its sentences trimmed, or a `CraftError` that says why it cannot hold."""
    if decision.verdict == "reject":
        if decision.reason not in REJECT_REASONS:
            raise CraftError(f"{decision.reason!r} is no reason to reject; take one of {', '.join(REJECT_REASONS)}")
    elif decision.verdict != "accept" or decision.reason is not None:
        raise CraftError(f"{decision.verdict!r} with the reason {decision.reason!r} cannot be; accept without one")
    expressions = decision.expressions
    if expressions is not None:
        expressions = tuple(" ".join(text.split()) for text in expressions)
        if not expressions or not all(expressions):
            raise CraftError(f"{sample.sample_id} needs at least one sentence, and none without a word")
    if decision.mask is not None:
        if decision.mask.shape != sample.mask.shape:
            raise CraftError(f"the mask of {sample.sample_id} must have {sample.mask.shape} rows and columns")
        if decision.verdict == "accept" and not decision.mask.any():
            raise CraftError(f"the mask of {sample.sample_id} has no pixel left; draw one, or reject the sample")
    return Decision(
        verdict=decision.verdict,
        reason=decision.reason,
        comment=decision.comment,
        expressions=expressions,
        change_type=decision.change_type,
        mask=decision.mask,
        settled=decision.settled,
    )


def _stored(row: sqlite3.Row) -> StoredDecision:
    return StoredDecision(
        verdict=row["verdict"],
        reason=row["reason"],
        comment=row["comment"],
        expressions=None if row["expressions"] is None else tuple(json.loads(row["expressions"])),
        change_type=None if row["change_type"] is None else ChangeType(row["change_type"]),
        mask=None if row["mask"] is None else load_mask(row["mask"]),
        settled=bool(row["settled"]),
        decision_id=row["decision_id"],
        sample_id=row["sample_id"],
        auditor=row["auditor"],
        created_at=row["created_at"],
    )


def _newest(decisions: Iterable[StoredDecision]) -> list[StoredDecision]:
    """Of every auditor the last of these decisions, oldest first."""
    standing = {decision.auditor: decision for decision in decisions}
    return sorted(standing.values(), key=lambda decision: decision.decision_id)


def _edited(sample: Sample, decisions: list[StoredDecision]) -> Sample:
    """The sample as the newest of these decisions has it, with who made them."""
    newest = decisions[-1]
    audit = [
        {"auditor": decision.auditor, "verdict": decision.verdict, "at": decision.created_at} for decision in decisions
    ]
    edits = {"expressions": newest.expressions, "change_type": newest.change_type, "mask": newest.mask}
    return Sample(
        sample_id=sample.sample_id,
        pair_id=sample.pair_id,
        candidate=sample.candidate,
        expressions=sample.expressions if newest.expressions is None else newest.expressions,
        change_type=sample.change_type if newest.change_type is None else newest.change_type,
        mask=sample.mask if newest.mask is None else newest.mask,
        provenance={
            **sample.provenance,
            "audit": audit,
            "edited": sorted(name for name, value in edits.items() if value is not None),
        },
    )


def _difference(
    sample: Sample, decisions: list[StoredDecision]
) -> Literal["verdict", "sentences", "change_type", "mask"] | None:
    """In what the decisions on a sample differ, `None` if in nothing. Those who reject it need not agree on why."""
    if len({decision.verdict for decision in decisions}) > 1:
        return "verdict"
    if decisions[0].verdict == "reject":
        return None
    versions = [_edited(sample, [decision]) for decision in decisions]
    if len({version.change_type for version in versions}) > 1:
        return "change_type"
    if len({version.expressions for version in versions}) > 1:
        return "sentences"
    if any(mask_iou(versions[0].mask, version.mask) < SAME_MASK_IOU for version in versions[1:]):
        return "mask"
    return None
