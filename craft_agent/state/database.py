# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The SQLite file of a run. Several threads and processes may use it at the same time."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import CraftError


FILE_NAME = "craft.sqlite"
BUSY_SECONDS = 60.0
"""How long to wait for another process that writes."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pairs (
    pair_id TEXT PRIMARY KEY,
    file_t1 TEXT NOT NULL,              -- relative to the folder of pairs; '' if there is none
    file_t2 TEXT NOT NULL,
    sha256_t1 TEXT NOT NULL,
    sha256_t2 TEXT NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('new', 'perceived', 'segmented', 'refined', 'skipped', 'failed')),
    failed_step TEXT NOT NULL DEFAULT '',  -- the step to go back to when a failed pair is retried
    worker TEXT,                        -- who has claimed it; the claim ends with the process
    attempts INTEGER NOT NULL DEFAULT 0,   -- how often it was put back because answers were delayed
    reason TEXT NOT NULL DEFAULT '',
    seconds REAL NOT NULL DEFAULT 0,    -- time spent on it
    updated_at TEXT NOT NULL,
    deaths INTEGER NOT NULL DEFAULT 0   -- workers that died on it since its last progress
);
CREATE INDEX IF NOT EXISTS pairs_by_step ON pairs (step, worker);
CREATE TABLE IF NOT EXISTS exchanges (
    key TEXT PRIMARY KEY,               -- hash of the question: what is here is never asked again; with a number
                                        -- behind it if a failed pair was retried
    pair_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    backend TEXT NOT NULL,
    request TEXT NOT NULL,              -- JSON: the prompt, the sizes and hashes of the images
    response TEXT,                      -- as received; NULL if the question was refused
    problem TEXT NOT NULL DEFAULT '',   -- why it cannot be used
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    seconds REAL NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS exchanges_by_pair ON exchanges (pair_id);
CREATE TABLE IF NOT EXISTS failures (   -- requests without an answer; each is sent again
    failure_id TEXT PRIMARY KEY,
    key TEXT NOT NULL,                  -- of the exchange that the request was sent for
    pair_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    backend TEXT NOT NULL,
    request TEXT NOT NULL,
    problem TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS candidates (
    pair_id TEXT NOT NULL, candidate INTEGER NOT NULL, content TEXT NOT NULL, PRIMARY KEY (pair_id, candidate)
);
CREATE TABLE IF NOT EXISTS proposals (
    pair_id TEXT NOT NULL, candidate INTEGER NOT NULL, best INTEGER, outcome TEXT NOT NULL,
    PRIMARY KEY (pair_id, candidate)
);
CREATE TABLE IF NOT EXISTS rounds (
    pair_id TEXT NOT NULL, candidate INTEGER NOT NULL, round INTEGER NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (pair_id, candidate, round)
);
CREATE TABLE IF NOT EXISTS refinements (
    pair_id TEXT NOT NULL, candidate INTEGER NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY (pair_id, candidate)
);
CREATE TABLE IF NOT EXISTS samples (
    sample_id TEXT PRIMARY KEY, pair_id TEXT NOT NULL, candidate INTEGER NOT NULL, expressions TEXT NOT NULL,
    change_type TEXT NOT NULL, mask TEXT NOT NULL, provenance TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS samples_by_pair ON samples (pair_id, candidate);
CREATE TABLE IF NOT EXISTS decisions (
    decision_id INTEGER PRIMARY KEY AUTOINCREMENT,
    sample_id TEXT NOT NULL REFERENCES samples (sample_id),
    auditor TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('accept', 'reject')),
    reason TEXT,
    comment TEXT NOT NULL,
    expressions TEXT,                   -- NULL: as proposed; likewise the next two
    change_type TEXT,
    mask TEXT,
    settled INTEGER NOT NULL,           -- 1 if the auditor had seen the other one's decision
    created_at TEXT NOT NULL,
    undone_at TEXT
);
CREATE INDEX IF NOT EXISTS decisions_by_sample ON decisions (sample_id, auditor);
CREATE TABLE IF NOT EXISTS finals (     -- decisions of adjudicators, which hold whatever others decided
    decision_id INTEGER PRIMARY KEY REFERENCES decisions (decision_id)
);
CREATE TABLE IF NOT EXISTS seen (       -- auditors who were shown the decisions of others on a sample
    sample_id TEXT NOT NULL REFERENCES samples (sample_id), auditor TEXT NOT NULL, PRIMARY KEY (sample_id, auditor)
);
CREATE TABLE IF NOT EXISTS people (     -- who was invited to the audit
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('auditor', 'adjudicator')),
    token_sha256 TEXT NOT NULL UNIQUE,  -- of the token in the link, which itself is not kept
    invited_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS withdrawn (  -- those of them whose invitation was withdrawn
    name TEXT PRIMARY KEY REFERENCES people (name)
);
"""


def open_database(work: Path) -> "Database":
    """
    Opens the database of a run.

    Args:
        work (`Path`): The folder of the run.

    Returns:
        `Database`: The database.

    Raises:
        CraftError: If the folder holds no run, or its database is damaged.
    """
    if not (work / FILE_NAME).is_file():
        raise CraftError(f"{work} holds no run; start one with `craft-agent run PAIRS --out {work}`")
    return Database(work / FILE_NAME)


class Database:
    """
    A SQLite file in WAL mode with one connection per thread. A commit is on disk before it returns.

    Args:
        path (`Path`): The file. It is created if it does not exist.

    Raises:
        CraftError: If the file cannot be used. The same holds for every method.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        with self.transaction() as connection:
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            # Runs that were started before deaths were counted lack this column.
            if "deaths" not in {row["name"] for row in connection.execute("PRAGMA table_info(pairs)")}:
                connection.execute("ALTER TABLE pairs ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0")

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a read-only query; columns can be accessed by name."""
        with self._readable_errors():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commits everything that is written in the block, or nothing. Nobody else can write in the meantime."""
        with self._readable_errors():
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                # After some errors, such as a full disk, SQLite has rolled back already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @property
    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # With isolation_level None, transactions begin and end where `transaction` says.
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._local.connection = connection
        return connection

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """Raises `CraftError` if what a row holds cannot be decoded in the block."""
        try:
            yield
        except CraftError:
            raise
        # Of JSON that is cut, of other types, of masks, and of values that are none of an enumeration.
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> CraftError:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return CraftError(
            f"{self.path} is damaged ({reason}); restore it from a backup, or start a new run with another --out"
        )

    @contextmanager
    def _readable_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise CraftError(
                f"{self.path} cannot be used ({error}); check that the disk is writable and not full, and that no "
                "other program holds the file"
            ) from error
        # Its subclasses for wrong statements and broken constraints are programming errors.
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:
                raise
            raise self._damaged(error) from error
