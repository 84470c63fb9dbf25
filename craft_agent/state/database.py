# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The SQLite file of a run, which several threads and processes use at once."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CraftError


FILE_NAME = "craft.sqlite"
BUSY_SECONDS = 60.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pairs (
    pair_id TEXT PRIMARY KEY,
    file_t1 TEXT NOT NULL,              -- within the folder of pairs, '' if there is none
    file_t2 TEXT NOT NULL,
    sha256_t1 TEXT NOT NULL,
    sha256_t2 TEXT NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('new', 'perceived', 'segmented', 'refined', 'skipped', 'failed')),
    failed_step TEXT NOT NULL DEFAULT '',  -- where a failed pair goes on when it is tried again
    worker TEXT,                        -- who works on it; its claim ends with its process
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    seconds REAL NOT NULL DEFAULT 0,    -- time spent on it
    updated_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS pairs_by_step ON pairs (step, worker);
CREATE TABLE IF NOT EXISTS exchanges (
    key TEXT PRIMARY KEY,               -- of the question's content: what is here is never asked again
    pair_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    backend TEXT NOT NULL,
    request TEXT NOT NULL,              -- JSON: the prompt, the sizes and hashes of the pictures
    response TEXT,                      -- as it came; NULL if the question was refused
    problem TEXT NOT NULL DEFAULT '',   -- why it could not be used
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    seconds REAL NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS exchanges_by_pair ON exchanges (pair_id);
CREATE TABLE IF NOT EXISTS failures (  -- requests that brought no answer; each is asked again
    failure_id TEXT PRIMARY KEY,
    key TEXT NOT NULL,                  -- of the exchange that it should have become
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
    expressions TEXT,                   -- NULL: as proposed, here and in the next two
    change_type TEXT,
    mask TEXT,
    settled INTEGER NOT NULL,           -- 1 if it was made in view of the other auditor's
    created_at TEXT NOT NULL,
    undone_at TEXT
);
CREATE INDEX IF NOT EXISTS decisions_by_sample ON decisions (sample_id, auditor);
"""


def open_database(work: Path) -> "Database":
    """The database of a run's folder; `CraftError` if it holds no run."""
    if not (work / FILE_NAME).is_file():
        raise CraftError(f"{work} holds no run; make one with `craft-agent run PAIRS --out {work}`")
    return Database(work / FILE_NAME)


class Database:
    """
    A SQLite file in WAL mode, with one connection a thread. Every commit is on the disk before it returns.

    Args:
        path (`Path`): The file; it is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        with self.transaction() as connection:
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection; rows can be read by name."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # Transactions begin and end where `transaction` says, not where the module thinks.
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._local.connection = connection
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written in the block, or nothing. Nobody else writes meanwhile."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
