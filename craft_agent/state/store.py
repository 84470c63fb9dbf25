# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The state of a run: the step of every pair, and everything that was asked, answered and found.

The results of a step and the pair's new step are one transaction, and every answer is stored as soon as it is there.
A killed run therefore loses at most the questions in progress, and asks none twice.
"""

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import CraftError
from ..records import Candidate, Proposal, Sample
from .database import FILE_NAME, Database, open_database
from .journal import Exchange, FailedRequest
from .pairs_folder import PairFiles
from .rows import (
    Row,
    exchange_row,
    failure_row,
    insert_rows,
    load_candidates,
    load_exchange,
    load_proposals,
    load_sample,
    now,
)
from .serialization import dump
from .settings import AUDIT_PLAN, CHANGEABLE, RunSettings
from .workers import OPEN_STEPS, WORKERS, release_claims


STEPS = (*OPEN_STEPS, "refined", "skipped", "failed")
_NEEDED_TABLES = ("exchanges", "candidates", "proposals", "rounds")
# Of a skipped pair with two new hashes: its files differ from those because of which it was skipped.
_REPAIRED = """pairs.step = 'skipped' AND pairs.failed_step IN ('', 'new')
            AND (pairs.file_t1 = '' OR pairs.sha256_t1 != {} OR pairs.sha256_t2 != {})"""


class Store:
    """
    The state of a run. Every method may be called from any thread, and by several processes at once.

    Args:
        work (`Path`): The folder of a run; `create` starts a new one.

    Raises:
        CraftError: If the folder holds no run, or its database cannot be used. The same holds for every method.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self.database = open_database(work)

    @classmethod
    def create(cls, work: Path, settings: RunSettings) -> "Store":
        """
        Starts a run, or opens the existing one.

        Args:
            work (`Path`): A new or empty folder, or that of an earlier run.
            settings (`RunSettings`): Must agree with the earlier run, except for `CHANGEABLE`.

        Returns:
            `Store`: The state of the run.

        Raises:
            CraftError: If the folder holds something else, or a run with other settings.
        """
        if work.exists() and not (work.is_dir() and _is_run(os.listdir(work))):
            raise CraftError(f"{work} holds something other than a run; name a new folder with --out")
        (work / WORKERS).mkdir(parents=True, exist_ok=True)
        # SQLite does not wait when it switches to its journal, so two processes must not create the file at once.
        with FileLock(work / WORKERS / "begin.lock"):
            Database(work / FILE_NAME)
            store = cls(work)
        with store.database.transaction() as connection:
            with store.database.decoding():
                known = _parse_settings(connection.execute("SELECT key, value FROM settings").fetchall())
            if known is not None:
                _check_same(work, known, settings)
            for key, value in asdict(settings).items():
                connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, dump(value)))
        return store

    @property
    def settings(self) -> RunSettings:
        """The settings of the run."""
        with self.database.decoding():
            settings = _parse_settings(self.rows("SELECT key, value FROM settings"))
        if settings is None:
            raise CraftError(f"{self.work} holds a run that never started; remove it and run again")
        return settings

    def known_pairs(self) -> set[str]:
        """The ids of the pairs that are listed already. Skipped ones, for example because an image was missing or
        damaged, may be listed again."""
        return {row["pair_id"] for row in self.rows("SELECT pair_id FROM pairs WHERE step != 'skipped'")}

    def add_pairs(self, pairs: Sequence[PairFiles], sha256: Sequence[tuple[str, str]]) -> None:
        """Lists new pairs with the hashes of their files; pairs with a problem are skipped until they are listed
        without it. Pairs that were skipped because of their files are new if these have changed."""
        with self.database.transaction() as connection:
            insert_pairs(connection, pairs, sha256)

    def is_repaired(self, pair_id: str, sha256: tuple[str, str]) -> bool:
        """Whether a pair was skipped because of its files and would be new with these hashes; see `add_pairs`."""
        query = f"SELECT 1 FROM pairs WHERE pair_id = ? AND {_REPAIRED.format('?', '?')}"
        return bool(self.rows(query, pair_id, *sha256))

    def retry_failed(self) -> int:
        """Returns failed pairs to the step at which they failed; gives their number. Their questions without a usable
        answer will be asked again."""
        with self.database.transaction() as connection:
            # Under another key they are not recalled any more, and their cost still counts.
            connection.execute(
                """UPDATE exchanges SET key = key || ' ' || rowid WHERE problem != '' AND instr(key, ' ') = 0
                AND pair_id IN (SELECT pair_id FROM pairs WHERE step = 'failed')"""
            )
            return connection.execute(
                """UPDATE pairs SET step = failed_step, attempts = 0, deaths = 0, reason = '', worker = NULL
                WHERE step = 'failed'"""
            ).rowcount

    def release_dead_claims(self) -> int:
        """Frees the pairs that are claimed by processes that have ended; gives their number."""
        freed = 0
        for row in self.rows("SELECT DISTINCT worker FROM pairs WHERE worker IS NOT NULL"):
            path = self.work / WORKERS / f"{row['worker']}.lock"
            try:
                with FileLock(path, timeout=0), self.database.transaction() as connection:
                    freed += release_claims(connection, row["worker"])
            except Timeout:
                continue
            path.unlink(missing_ok=True)
        return freed

    def candidates(self, pair_id: str) -> list[Candidate]:
        """The result of step (a) for a pair."""
        return load_candidates(self._rows_of("candidates", pair_id))

    def proposals(self, pair_id: str) -> list[Proposal]:
        """The result of step (b) for a pair."""
        return load_proposals(*(self._rows_of(name, pair_id) for name in ("candidates", "proposals", "rounds")))

    def samples(self, pair_id: str) -> list[Sample]:
        """The result of step (c) for a pair."""
        rows = self.rows("SELECT * FROM samples WHERE pair_id = ? ORDER BY candidate", pair_id)
        with self.database.decoding():
            return [load_sample(row) for row in rows]

    def tables(self, pair_id: str) -> dict[str, list[Row]]:
        """Everything that the next step of an open pair needs, as rows by table."""
        return {name: rows for name in _NEEDED_TABLES if (rows := self._rows_of(name, pair_id))}

    def recall(self, key: str) -> Exchange | None:
        """The recorded exchange with this key, or `None`."""
        rows = self.rows("SELECT * FROM exchanges WHERE key = ?", key)
        return load_exchange(tuple(rows[0])) if rows else None

    def record(self, exchange: Exchange) -> None:
        """Records an exchange. The pair has made progress, so earlier deaths of workers no longer count."""
        with self.database.transaction() as connection:
            insert_rows(connection, {"exchanges": [exchange_row(exchange)]})
            connection.execute("UPDATE pairs SET deaths = 0 WHERE pair_id = ? AND deaths > 0", (exchange.pair_id,))

    def record_failures(self, failures: Sequence[FailedRequest]) -> None:
        """Records requests without an answer."""
        with self.database.transaction() as connection:
            insert_rows(connection, {"failures": [failure_row(failure) for failure in failures]})

    def count_open(self) -> int:
        """The number of pairs that are neither finished nor given up, claimed or not."""
        return int(self.rows(f"SELECT COUNT(*) FROM pairs WHERE step IN {OPEN_STEPS}")[0][0])

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a read-only query; columns can be accessed by name."""
        return self.database.rows(query, *values)

    def _rows_of(self, table: str, pair_id: str) -> list[Row]:
        return [tuple(row) for row in self.rows(f"SELECT * FROM {table} WHERE pair_id = ?", pair_id)]


def insert_pairs(
    connection: sqlite3.Connection, pairs: Sequence[PairFiles], sha256: Sequence[tuple[str, str]]
) -> None:
    """Does what `Store.add_pairs` does, in a transaction of the caller."""
    for files, hashes in zip(pairs, sha256, strict=True):
        step = "skipped" if files.problem else "new"
        connection.execute(
            f"""INSERT INTO pairs (pair_id, file_t1, file_t2, sha256_t1, sha256_t2, step, reason, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pair_id) DO UPDATE SET file_t1 = excluded.file_t1,
            file_t2 = excluded.file_t2, sha256_t1 = excluded.sha256_t1, sha256_t2 = excluded.sha256_t2,
            step = excluded.step, reason = excluded.reason, updated_at = excluded.updated_at
            WHERE {_REPAIRED.format("excluded.sha256_t1", "excluded.sha256_t2")}""",
            (files.pair_id, files.file_t1, files.file_t2, *hashes, step, files.problem, now()),
        )


def _is_run(names: Sequence[str]) -> bool:
    """Whether a folder with these files holds a run, one that is being created, or nothing."""
    return FILE_NAME in names or set(names) <= {WORKERS}


def _parse_settings(rows: Sequence[sqlite3.Row]) -> RunSettings | None:
    values = {row["key"]: json.loads(row["value"]) for row in rows if row["key"] != AUDIT_PLAN}
    return RunSettings(**values) if values else None


def _check_same(work: Path, known: RunSettings, asked: RunSettings) -> None:
    same = replace(known, **{name: getattr(asked, name) for name in CHANGEABLE})
    before, after = asdict(same), asdict(asked)
    different = [name for name in before if before[name] != after[name]]
    if different:
        changes = "; ".join(f"{name} was {before[name]!r} and is {after[name]!r}" for name in different)
        raise CraftError(f"{work} holds a run with other settings ({changes}); give the same ones, or another --out")
