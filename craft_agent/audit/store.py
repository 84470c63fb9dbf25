# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Step (d), the audit: the samples of a run and the decisions about them."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, groupby
from pathlib import Path
from typing import Any, Literal, TypeVar

from dataset_scripts.readers import UnusableError

from ..errors import CraftError
from ..records import ChangeType, ImagePair, Sample
from ..state.database import open_database
from ..state.pairs_folder import PairFiles, load_pair
from ..state.rows import load_sample, now
from ..state.serialization import dump, dump_mask, load_mask, load_round
from .decisions import (
    AUDITORS_PER_SAMPLE,
    Agreement,
    AuditSample,
    Decision,
    Disagreement,
    StoredDecision,
    apply_decisions,
    check_auditor,
    check_decision,
    find_difference,
)


Loaded = TypeVar("Loaded")

_STANDING = "undone_at IS NULL"
_FINAL = "decisions.decision_id IN (SELECT decision_id FROM finals)"


class AuditStore:
    """
    The samples of a run and the decisions about them. Every method may be called from any thread.

    Args:
        work (`Path`): The folder of the run.

    Raises:
        CraftError: If the folder holds no run, or its database cannot be used. The same holds for every method.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self._database = open_database(work)

    def sample_ids(self, auditor: str, which: Literal["all", "open", "judged"] = "open") -> list[str]:
        """The ids of all samples, or of those that an auditor has not judged or has judged, in the order of pairs."""
        condition = {"all": "1", "open": "NOT judged", "judged": "judged"}[which]
        rows = self._rows(
            f"""SELECT sample_id, EXISTS (SELECT 1 FROM decisions WHERE decisions.sample_id = samples.sample_id
            AND auditor = ? AND {_STANDING}) AS judged FROM samples WHERE {condition} ORDER BY pair_id, candidate""",
            auditor,
        )
        return [row["sample_id"] for row in rows]

    def sample(self, sample_id: str) -> AuditSample:
        """A sample with the history of its mask; raises `CraftError` if there is none with this id."""
        sample = self._sample(sample_id)
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
            rounds=self._decoded(rows, lambda row: load_round(row["round"], row["content"])),
        )

    def images(self, sample_id: str) -> ImagePair:
        """The images of a sample; raises `CraftError` if a file is missing or has changed."""
        sample = self._sample(sample_id)
        [row] = self._rows("SELECT * FROM pairs WHERE pair_id = ?", sample.pair_id)
        [setting] = self._rows("SELECT value FROM settings WHERE key = 'pairs'")
        files = PairFiles(row["pair_id"], row["file_t1"], row["file_t2"])
        try:
            with self._database.decoding():
                folder = Path(json.loads(setting["value"]))
            return load_pair(folder, files, (row["sha256_t1"], row["sha256_t2"]))
        except UnusableError as error:
            raise CraftError(f"the images of {sample_id} cannot be shown: {error.detail}") from error

    def decide(self, sample_id: str, auditor: str, decision: Decision, final: bool = False) -> int:
        """
        Records a decision. It replaces an earlier one of this auditor, which stays in the history.

        Args:
            sample_id (`str`): The sample.
            auditor (`str`): The auditor's name, valid for `check_auditor`.
            decision (`Decision`): The decision.
            final (`bool`, *optional*, defaults to `False`): Whether it is an adjudicator's: then it holds, and it
                does not matter how many have judged the sample.

        Returns:
            `int`: The number of the decision.

        Raises:
            CraftError: If there is no such sample, two others have judged it, or `check_decision` refuses it.
        """
        check_auditor(auditor)
        with self._database.transaction() as connection:
            sample = self._sample(sample_id)
            decision = check_decision(decision, sample)
            others = connection.execute(
                f"""SELECT DISTINCT auditor FROM decisions WHERE sample_id = ? AND auditor != ? AND {_STANDING}
                AND NOT {_FINAL}""",
                (sample_id, auditor),
            ).fetchall()
            if len(others) >= AUDITORS_PER_SAMPLE and not final:
                names = " and ".join(row["auditor"] for row in others)
                raise CraftError(f"{sample_id} has already been judged by {names}; choose another sample")
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
            if final:
                connection.execute("INSERT INTO finals (decision_id) VALUES (?)", (cursor.lastrowid,))
        return int(cursor.lastrowid or 0)

    def undo(self, auditor: str) -> StoredDecision | None:
        """Undoes the newest decision of this auditor and returns it; `None` if there is none. An earlier decision on
        the same sample becomes valid again."""
        with self._database.transaction() as connection:
            row = connection.execute(
                f"""SELECT *, {_FINAL} AS final FROM decisions WHERE auditor = ? AND {_STANDING}
                ORDER BY decision_id DESC LIMIT 1""",
                (auditor,),
            ).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE decisions SET undone_at = ? WHERE decision_id = ?", (now(), row["decision_id"]))
        with self._database.decoding():
            return _stored(row)

    def decision(self, sample_id: str, auditor: str) -> StoredDecision | None:
        """The current decision of an auditor on a sample, or `None`."""
        return next((stored for stored in self.decisions(sample_id) if stored.auditor == auditor), None)

    def decisions(self, sample_id: str) -> list[StoredDecision]:
        """The current decisions on a sample, one per auditor, oldest first, an adjudicator's last."""
        rows = self._rows(
            f"SELECT *, {_FINAL} AS final FROM decisions WHERE sample_id = ? AND {_STANDING} ORDER BY decision_id",
            sample_id,
        )
        return _newest(self._decoded(rows, _stored))

    def mark_seen(self, sample_id: str, auditor: str) -> None:
        """Records that an auditor was shown the decisions of others on a sample."""
        if not self.has_seen(sample_id, auditor):
            with self._database.transaction() as connection:
                connection.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (sample_id, auditor))

    def has_seen(self, sample_id: str, auditor: str) -> bool:
        """Whether an auditor was shown the decisions of others on a sample."""
        return bool(self._rows("SELECT 1 FROM seen WHERE sample_id = ? AND auditor = ?", sample_id, auditor))

    def auditors(self) -> list[str]:
        """The names of all auditors with a current decision, sorted."""
        return [
            row["auditor"]
            for row in self._rows(f"SELECT DISTINCT auditor FROM decisions WHERE {_STANDING} ORDER BY 1")
        ]

    def judged_counts(self) -> dict[str, int]:
        """The number of auditors who have judged a sample, for every judged sample."""
        rows = self._rows(
            f"""SELECT sample_id, COUNT(DISTINCT auditor) AS auditors FROM decisions WHERE {_STANDING}
            GROUP BY sample_id"""
        )
        return {row["sample_id"]: row["auditors"] for row in rows}

    def agreement(self, first: str, second: str) -> Agreement:
        """The agreement of two auditors on the samples that both have judged. A decision that was made after seeing
        the other one does not count; the one before it does."""
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

    def agreements(self) -> Iterator[tuple[str, str, Agreement]]:
        """Every two auditors who have judged a sample in common, and their agreement."""
        for first, second in combinations(self.auditors(), 2):
            agreement = self.agreement(first, second)
            if agreement.total:
                yield first, second, agreement

    def disagreements(self) -> list[Disagreement]:
        """The samples on which auditors differ, in the order of pairs."""
        found = []
        for sample, decisions in self.judged_samples():
            kind = find_difference(sample, decisions)
            if kind is not None:
                found.append(Disagreement(sample.sample_id, kind, tuple(decisions)))
        return found

    def judged_samples(self) -> Iterator[tuple[Sample, list[StoredDecision]]]:
        """All judged samples with their current decisions, in the order of pairs."""
        rows = self._rows(
            f"""SELECT decisions.*, {_FINAL} AS final FROM decisions JOIN samples USING (sample_id) WHERE {_STANDING}
            ORDER BY samples.pair_id, samples.candidate, decision_id"""
        )
        for sample_id, of_sample in groupby(rows, key=lambda row: str(row["sample_id"])):
            yield self._sample(sample_id), _newest(self._decoded(of_sample, _stored))

    def accepted_samples(self, auditors: int) -> Iterator[Sample]:
        """
        The samples that may be exported: accepted by enough people and nobody differs, or by an adjudicator.

        Args:
            auditors (`int`): How many people must have accepted a sample, 1 or 2.

        Yields:
            `Sample`: The samples with the edits of the newest decision, in the order of pairs.
        """
        for sample, decisions in self.judged_samples():
            enough = len(decisions) >= auditors or decisions[-1].final
            agreed = enough and find_difference(sample, decisions) is None
            if agreed and decisions[-1].verdict == "accept":
                yield apply_decisions(sample, decisions)

    def verdicts(self, auditor: str) -> Counter[str]:
        """How many samples an auditor accepts ("accept") and rejects ("reject")."""
        rows = self._rows(
            f"SELECT sample_id, verdict FROM decisions WHERE auditor = ? AND {_STANDING} ORDER BY decision_id", auditor
        )
        # The newest decision on a sample counts.
        return Counter({row["sample_id"]: row["verdict"] for row in rows}.values())

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self._database.rows(query, *values)

    def _sample(self, sample_id: str) -> Sample:
        rows = self._rows("SELECT * FROM samples WHERE sample_id = ?", sample_id)
        if not rows:
            raise CraftError(f"{self.work} has no sample {sample_id}; reload the list of samples")
        with self._database.decoding():
            return load_sample(rows[0])

    def _decoded(self, rows: Iterable[sqlite3.Row], load: Callable[[sqlite3.Row], Loaded]) -> tuple[Loaded, ...]:
        """What rows hold; raises `CraftError` if one cannot be decoded."""
        with self._database.decoding():
            return tuple(load(row) for row in rows)


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
        final=bool(row["final"]),
    )


def _newest(decisions: Iterable[StoredDecision]) -> list[StoredDecision]:
    """The last of these decisions for every auditor, oldest first, an adjudicator's last."""
    newest = {decision.auditor: decision for decision in decisions}
    return sorted(newest.values(), key=lambda decision: (decision.final, decision.decision_id))
