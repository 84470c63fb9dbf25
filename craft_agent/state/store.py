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
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import CraftError
from ..records import Candidate, Proposal, Sample
from ..steps.asking import Exchange, FailedRequest
from .database import FILE_NAME, Database, open_database
from .pairs_folder import PairFiles
from .rows import (
    Row,
    StepResult,
    Tables,
    exchange_row,
    failure_row,
    load_candidates,
    load_exchange,
    load_proposals,
    load_sample,
    now,
)
from .serialization import dump
from .settings import CHANGEABLE, RunSettings


OPEN_STEPS = ("new", "perceived", "segmented")
STEPS = (*OPEN_STEPS, "refined", "skipped", "failed")
TABLES = ("exchanges", "candidates", "proposals", "rounds")
"""Those that hold what the next step of an open pair needs."""
WORKERS = "workers"
"""The folder of the lock files, in that of the run."""


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
        folder = work / WORKERS
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
        if work.exists() and not (work.is_dir() and _is_run(os.listdir(work))):
            raise CraftError(f"{work} holds something else than a run; name a new folder with --out")
        (work / WORKERS).mkdir(parents=True, exist_ok=True)
        # SQLite changes to its journal without waiting, so two processes must not begin a run at once.
        with FileLock(work / WORKERS / "begin.lock"):
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

    def free_dead_claims(self) -> int:
        """Frees what workers had claimed whose processes have ended; returns how many pairs."""
        rows = self.database.connection.execute("SELECT DISTINCT worker FROM pairs WHERE worker IS NOT NULL")
        freed = 0
        for name in [row["worker"] for row in rows]:
            path = self.work / WORKERS / f"{name}.lock"
            try:
                with FileLock(path, timeout=0), self.database.transaction() as connection:
                    freed += connection.execute("UPDATE pairs SET worker = NULL WHERE worker = ?", (name,)).rowcount
            except Timeout:
                continue
            path.unlink(missing_ok=True)
        return freed

    def candidates(self, pair_id: str) -> list[Candidate]:
        """What step (a) found in a pair."""
        return load_candidates(self._rows_of("candidates", pair_id))

    def proposals(self, pair_id: str) -> list[Proposal]:
        """What step (b) made of it."""
        return load_proposals(*(self._rows_of(name, pair_id) for name in ("candidates", "proposals", "rounds")))

    def samples(self, pair_id: str) -> list[Sample]:
        """What step (c) made of it."""
        rows = self.rows("SELECT * FROM samples WHERE pair_id = ? ORDER BY candidate", pair_id)
        return [load_sample(row) for row in rows]

    def tables(self, pair_id: str) -> dict[str, list[Row]]:
        """What the next step of an open pair needs, by table."""
        return {name: rows for name in TABLES if (rows := self._rows_of(name, pair_id))}

    def recall(self, key: str) -> Exchange | None:
        """The answer to a question that was asked before."""
        rows = self.rows("SELECT * FROM exchanges WHERE key = ?", key)
        return load_exchange(tuple(rows[0])) if rows else None

    def record(self, exchange: Exchange) -> None:
        """Remembers an answer."""
        with self.database.transaction() as connection:
            _insert(connection, {"exchanges": [exchange_row(exchange)]})

    def record_failures(self, failures: Sequence[FailedRequest]) -> None:
        """Remembers requests that brought no answer."""
        with self.database.transaction() as connection:
            _insert(connection, {"failures": [failure_row(failure) for failure in failures]})

    def count_open(self) -> int:
        """How many pairs are neither finished nor given up, whoever works on them."""
        return int(self.rows(f"SELECT COUNT(*) FROM pairs WHERE step IN {OPEN_STEPS}")[0][0])

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a query that changes nothing."""
        return self.database.connection.execute(query, values).fetchall()

    def _rows_of(self, table: str, pair_id: str) -> list[Row]:
        return [tuple(row) for row in self.rows(f"SELECT * FROM {table} WHERE pair_id = ?", pair_id)]


class Claims:
    """
    What one worker does with pairs that nobody else works on; for the pipeline, a `pipeline.PairStore`.

    Args:
        store (`Store`): The run.
        worker (`Worker`): Who works.
    """

    def __init__(self, store: Store, worker: Worker) -> None:
        self.settings = store.settings
        self.candidates = store.candidates
        self.proposals = store.proposals
        self.recall = store.recall
        self.record = store.record
        self.record_failures = store.record_failures
        self._database = store.database
        self._worker = worker

    def claim(self, most: int | None = 1) -> list[ClaimedPair]:
        """The next pairs to work on, so many or, with `None`, all; none if there are none that nobody works on. Those
        that were put back come last."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                f"""SELECT * FROM pairs WHERE worker IS NULL AND step IN {OPEN_STEPS}
                ORDER BY attempts, pair_id LIMIT ?""",
                (-1 if most is None else most,),
            ).fetchall()
            connection.executemany(
                "UPDATE pairs SET worker = ? WHERE pair_id = ?",
                [(self._worker.name, row["pair_id"]) for row in rows],
            )
        return [
            ClaimedPair(
                PairFiles(row["pair_id"], row["file_t1"], row["file_t2"]),
                (row["sha256_t1"], row["sha256_t2"]),
                row["step"],
                row["attempts"],
            )
            for row in rows
        ]

    def put_back(self, pair_id: str, reason: str, attempts: int) -> None:
        """Frees a pair to be taken up again later."""
        self._update(pair_id, "worker = NULL, attempts = ?, reason = ?", attempts, reason)

    def give_up(self, pair_id: str, step: str, reason: str) -> None:
        """Ends the work on a pair; `step` is "skipped" for good, or "failed" until it is tried again."""
        self._update(pair_id, "failed_step = step, step = ?, worker = NULL, reason = ?", step, reason)

    def save(self, pair_id: str, result: StepResult) -> None:
        """Ends a step."""
        with self._database.transaction() as connection:
            self._advance(connection, pair_id, result)
            _insert(connection, result.tables)

    def adopt(self, pair_id: str, tables: Tables, results: Sequence[StepResult]) -> str:
        """
        Takes over what was asked and found elsewhere.

        Args:
            pair_id (`str`): The pair.
            tables (`Tables`): Answers and failures; what is known already is passed over.
            results (`Sequence[StepResult]`): Finished steps, earliest first; those that the pair has behind it are
                passed over.

        Returns:
            `str`: The step at which the pair is.
        """
        with self._database.transaction() as connection:
            _insert(connection, tables)
            [(step,)] = connection.execute("SELECT step FROM pairs WHERE pair_id = ?", (pair_id,))
            for result in results:
                if result.before == step:
                    self._advance(connection, pair_id, result)
                    _insert(connection, result.tables)
                    step = result.after
        return str(step)

    def _advance(self, connection: sqlite3.Connection, pair_id: str, result: StepResult) -> None:
        """Moves a pair on; the claim is freed with the last step."""
        freed = ", worker = NULL" if result.after == "refined" else ""
        changed = connection.execute(
            f"""UPDATE pairs SET step = ?, seconds = seconds + ?, reason = '', updated_at = ?{freed}
            WHERE pair_id = ? AND step = ? AND worker = ?""",
            (result.after, result.seconds, now(), pair_id, result.before, self._worker.name),
        ).rowcount
        if changed != 1:
            raise sqlite3.IntegrityError(f"pair {pair_id} is not claimed by this worker at step {result.before}")

    def _update(self, pair_id: str, changes: str, *values: Any) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                f"UPDATE pairs SET {changes}, updated_at = ? WHERE pair_id = ? AND worker = ?",
                (*values, now(), pair_id, self._worker.name),
            )


def _insert(connection: sqlite3.Connection, tables: Tables) -> None:
    """Writes rows. Answers and failures may be known already; of nothing else there may be two."""
    for name, rows in tables.items():
        clash = "OR IGNORE " if name in ("exchanges", "failures") else ""
        for row in rows:
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT {clash}INTO {name} VALUES ({marks})", tuple(row))


def _is_run(names: Sequence[str]) -> bool:
    """Whether a folder with these files holds a run, one that begins just now, or nothing."""
    return FILE_NAME in names or set(names) <= {WORKERS}


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
