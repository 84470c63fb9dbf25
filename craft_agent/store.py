# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The state of a run: which pair is at which step, and all that was asked, answered and found.

A step's results and the pair's new step are written in one transaction, and every answer as soon as it is there. So a
run that was killed loses at most the questions that were under way, and asks none twice.
"""

import json
import os
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from .asking import Exchange
from .content import dump, dump_candidate, dump_mask, dump_round, load_candidate, load_round, load_sample
from .database import FILE_NAME, Database, open_database
from .errors import CraftError
from .pairs_folder import PairFiles
from .protocols import Usage
from .records import Candidate, Proposal, Sample
from .run_settings import CHANGEABLE, RunSettings


OPEN_STEPS = ("new", "perceived", "segmented")
STEPS = (*OPEN_STEPS, "refined", "skipped", "failed")


@dataclass(frozen=True)
class ClaimedPair:
    """
    A pair that this worker alone works on.

    Args:
        files (`PairFiles`): Its files.
        sha256 (`tuple[str, str]`): What their hashes were when they were listed.
        step (`str`): The last one that is finished: "new", "perceived" or "segmented".
        attempts (`int`): How often it was put back.
    """

    files: PairFiles
    sha256: tuple[str, str]
    step: str
    attempts: int


class Worker:
    """
    Somebody who claims pairs: a lock file that the system frees when the process ends, however it ends.

    Args:
        work (`Path`): The run's folder.
    """

    def __init__(self, work: Path) -> None:
        folder = work / "workers"
        folder.mkdir(parents=True, exist_ok=True)
        self.name = uuid.uuid4().hex
        self._path = folder / f"{self.name}.lock"
        self._lock = FileLock(self._path)
        self._lock.acquire()

    def close(self) -> None:
        """Frees whatever is still claimed."""
        self._lock.release()
        self._path.unlink(missing_ok=True)


class Store:
    """
    The state of a run. Every method may be called from any thread, and from several processes at once.

    Args:
        work (`Path`): The run's folder. It must hold a run, or `create` makes it one.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self.database = open_database(work)

    @classmethod
    def create(cls, work: Path, settings: RunSettings) -> "Store":
        """
        Begins a run, or opens the one that is there.

        Args:
            work (`Path`): A new or empty folder, or one of an earlier run.
            settings (`RunSettings`): Must agree with those of the earlier run, but for `CHANGEABLE`.

        Raises:
            CraftError: If the folder holds something else, or a run with other settings.
        """
        if not (work / FILE_NAME).is_file():
            if work.exists() and not (work.is_dir() and set(os.listdir(work)) <= {"workers"}):
                raise CraftError(f"{work} holds something else than a run; name a new folder with --out")
            work.mkdir(parents=True, exist_ok=True)
            Database(work / FILE_NAME)
        store = cls(work)
        with store.database.transaction() as connection:
            known = _settings(connection)
            if known is not None:
                _check_same(work, known, settings)
            for key, value in asdict(settings).items():
                connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, dump(value)))
        return store

    @property
    def settings(self) -> RunSettings:
        """What the run is made with."""
        settings = _settings(self.database.connection)
        if settings is None:
            raise CraftError(f"{self.work} holds a run that never began; remove it and run again")
        return settings

    def known_pairs(self) -> set[str]:
        """The ids of the pairs that are listed already."""
        return {row["pair_id"] for row in self.database.connection.execute("SELECT pair_id FROM pairs")}

    def add_pairs(self, pairs: Sequence[PairFiles], sha256: Sequence[tuple[str, str]]) -> None:
        """Lists new pairs; those with a problem are skipped for good."""
        with self.database.transaction() as connection:
            for files, hashes in zip(pairs, sha256, strict=True):
                step = "skipped" if files.problem else "new"
                connection.execute(
                    """INSERT OR IGNORE INTO pairs (pair_id, file_t1, file_t2, sha256_t1, sha256_t2, step, reason,
                    updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                    (files.pair_id, files.file_t1, files.file_t2, *hashes, step, files.problem, now()),
                )

    def retry_failed(self) -> int:
        """Puts failed pairs back to where they failed; returns how many."""
        with self.database.transaction() as connection:
            return connection.execute(
                """UPDATE pairs SET step = failed_step, attempts = 0, reason = '', worker = NULL
                WHERE step = 'failed'"""
            ).rowcount

    def claim(self, worker: Worker) -> ClaimedPair | None:
        """The next pair to work on, `None` if there is none that nobody works on. Those put back come last."""
        with self.database.transaction() as connection:
            row = connection.execute(
                f"""SELECT * FROM pairs WHERE worker IS NULL AND step IN {OPEN_STEPS}
                ORDER BY attempts, pair_id LIMIT 1"""
            ).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE pairs SET worker = ? WHERE pair_id = ?", (worker.name, row["pair_id"]))
        files = PairFiles(row["pair_id"], row["file_t1"], row["file_t2"])
        return ClaimedPair(files, (row["sha256_t1"], row["sha256_t2"]), row["step"], row["attempts"])

    def free_dead_claims(self) -> int:
        """Frees what workers had claimed whose processes have ended; returns how many pairs."""
        rows = self.database.connection.execute("SELECT DISTINCT worker FROM pairs WHERE worker IS NOT NULL")
        freed = 0
        for name in [row["worker"] for row in rows]:
            path = self.work / "workers" / f"{name}.lock"
            try:
                with FileLock(path, timeout=0), self.database.transaction() as connection:
                    freed += connection.execute("UPDATE pairs SET worker = NULL WHERE worker = ?", (name,)).rowcount
            except Timeout:
                continue
            path.unlink(missing_ok=True)
        return freed

    def put_back(self, worker: Worker, pair_id: str, reason: str, attempts: int) -> None:
        """Frees a pair to be taken up again later."""
        self._update(worker, pair_id, "worker = NULL, attempts = ?, reason = ?", attempts, reason)

    def give_up(self, worker: Worker, pair_id: str, step: str, reason: str) -> None:
        """Ends the work on a pair; `step` is "skipped" for good, or "failed" until it is tried again."""
        self._update(worker, pair_id, "failed_step = step, step = ?, worker = NULL, reason = ?", step, reason)

    def save_candidates(self, worker: Worker, pair_id: str, candidates: Sequence[Candidate], seconds: float) -> None:
        """Ends step (a)."""
        with self.database.transaction() as connection:
            _advance(connection, worker, pair_id, "new", "perceived", seconds)
            for candidate in candidates:
                connection.execute(
                    "INSERT INTO candidates VALUES (?, ?, ?)", (pair_id, candidate.index, dump_candidate(candidate))
                )

    def save_proposals(self, worker: Worker, pair_id: str, proposals: Sequence[Proposal], seconds: float) -> None:
        """Ends step (b)."""
        with self.database.transaction() as connection:
            _advance(connection, worker, pair_id, "perceived", "segmented", seconds)
            for proposal in proposals:
                index = proposal.candidate.index
                connection.execute(
                    "INSERT INTO proposals VALUES (?, ?, ?, ?)", (pair_id, index, proposal.best, proposal.outcome)
                )
                for round_ in proposal.rounds:
                    connection.execute(
                        "INSERT INTO rounds VALUES (?, ?, ?, ?)", (pair_id, index, round_.number, dump_round(round_))
                    )

    def save_samples(
        self, worker: Worker, pair_id: str, samples: Sequence[Sample], outcomes: dict[int, str], seconds: float
    ) -> None:
        """Ends step (c); `outcomes` says by candidate what became of each kept proposal."""
        with self.database.transaction() as connection:
            _advance(connection, worker, pair_id, "segmented", "refined", seconds)
            for index, outcome in outcomes.items():
                connection.execute("INSERT INTO refinements VALUES (?, ?, ?)", (pair_id, index, outcome))
            for sample in samples:
                connection.execute(
                    "INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        sample.sample_id,
                        pair_id,
                        sample.candidate,
                        dump(sample.expressions),
                        sample.change_type.value,
                        dump_mask(sample.mask),
                        dump(sample.provenance),
                    ),
                )

    def candidates(self, pair_id: str) -> list[Candidate]:
        """What step (a) found in a pair."""
        rows = self.rows("SELECT candidate, content FROM candidates WHERE pair_id = ? ORDER BY 1", pair_id)
        return [load_candidate(row["candidate"], row["content"]) for row in rows]

    def proposals(self, pair_id: str) -> list[Proposal]:
        """What step (b) made of it."""
        candidates = {candidate.index: candidate for candidate in self.candidates(pair_id)}
        proposals = []
        for row in self.rows("SELECT * FROM proposals WHERE pair_id = ? ORDER BY candidate", pair_id):
            rounds = self.rows(
                "SELECT round, content FROM rounds WHERE pair_id = ? AND candidate = ? ORDER BY 1",
                pair_id,
                row["candidate"],
            )
            loaded = tuple(load_round(each["round"], each["content"]) for each in rounds)
            proposals.append(Proposal(candidates[row["candidate"]], loaded, row["best"], row["outcome"]))
        return proposals

    def samples(self, pair_id: str) -> list[Sample]:
        """What step (c) made of it."""
        rows = self.rows("SELECT * FROM samples WHERE pair_id = ? ORDER BY candidate", pair_id)
        return [load_sample(row) for row in rows]

    def recall(self, key: str) -> Exchange | None:
        """The answer to a question that was asked before."""
        row = self.database.connection.execute("SELECT * FROM exchanges WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        usage = Usage(row["prompt_tokens"], row["completion_tokens"], row["requests"], row["seconds"])
        names = ("key", "pair_id", "kind", "backend", "request", "response", "problem")
        return Exchange(**{name: row[name] for name in names}, usage=usage)

    def record(self, exchange: Exchange) -> None:
        """Remembers an answer."""
        usage = exchange.usage
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO exchanges VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    exchange.key,
                    exchange.pair_id,
                    exchange.kind,
                    exchange.backend,
                    exchange.request,
                    exchange.response,
                    exchange.problem,
                    usage.prompt_tokens,
                    usage.completion_tokens,
                    usage.requests,
                    usage.seconds,
                    now(),
                ),
            )

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a query that changes nothing."""
        return self.database.connection.execute(query, values).fetchall()

    def _update(self, worker: Worker, pair_id: str, changes: str, *values: Any) -> None:
        with self.database.transaction() as connection:
            connection.execute(
                f"UPDATE pairs SET {changes}, updated_at = ? WHERE pair_id = ? AND worker = ?",
                (*values, now(), pair_id, worker.name),
            )


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _advance(
    connection: sqlite3.Connection, worker: Worker, pair_id: str, before: str, after: str, seconds: float
) -> None:
    """Moves a pair on; the claim is freed with the last step."""
    freed = ", worker = NULL" if after == "refined" else ""
    changed = connection.execute(
        f"""UPDATE pairs SET step = ?, seconds = seconds + ?, reason = '', updated_at = ?{freed}
        WHERE pair_id = ? AND step = ? AND worker = ?""",
        (after, seconds, now(), pair_id, before, worker.name),
    ).rowcount
    if changed != 1:
        raise sqlite3.IntegrityError(f"pair {pair_id} is not claimed by this worker at step {before}")


def _settings(connection: sqlite3.Connection) -> RunSettings | None:
    rows = connection.execute("SELECT key, value FROM settings").fetchall()
    return RunSettings(**{row["key"]: json.loads(row["value"]) for row in rows}) if rows else None


def _check_same(work: Path, known: RunSettings, asked: RunSettings) -> None:
    same = replace(known, **{name: getattr(asked, name) for name in CHANGEABLE})
    before, after = asdict(same), asdict(asked)
    different = [name for name in before if before[name] != after[name]]
    if different:
        told = "; ".join(f"{name} was {before[name]!r} and is {after[name]!r}" for name in different)
        raise CraftError(f"{work} holds a run with other settings ({told}); give the same ones, or another --out")
