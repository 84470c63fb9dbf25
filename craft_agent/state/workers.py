# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Processes that claim pairs, and what happens to the pairs of those that died.

Every process holds a lock file that the system releases however the process ends. A pair that kills its workers is
given up after `MOST_DEATHS` deaths without progress.
"""

import sqlite3
import uuid
from pathlib import Path
from typing import Literal

from filelock import FileLock

from .rows import now


OPEN_STEPS = ("new", "perceived", "segmented")
"""The steps of pairs that are neither finished nor given up."""
WORKERS = "workers"
"""The folder of lock files inside the folder of a run."""
MOST_DEATHS = 3
"""A pair is given up after this number of dead workers without any progress in between."""


class Worker:
    """
    A process that claims pairs, with its lock file.

    Args:
        work (`Path`): The folder of the run.
        engine (`str`): "local" if pairs are processed inside this process, so that they can kill it; "ray" if other
            processes do the work.
    """

    def __init__(self, work: Path, engine: Literal["local", "ray"]) -> None:
        folder = work / WORKERS
        folder.mkdir(parents=True, exist_ok=True)
        self.engine = engine
        self.name = f"{engine}-{uuid.uuid4().hex}"
        self._path = folder / f"{self.name}.lock"
        self._lock = FileLock(self._path)
        self._lock.acquire()

    def close(self) -> None:
        """Ends all claims."""
        self._lock.release()
        self._path.unlink(missing_ok=True)


def release_claims(connection: sqlite3.Connection, worker: str) -> int:
    """
    Frees the pairs of a worker whose process has ended.

    Args:
        connection (`sqlite3.Connection`): In a transaction.
        worker (`str`): The worker's name.

    Returns:
        `int`: The number of pairs.
    """
    # The process of the Ray engine only writes: none of its pairs can have killed it.
    deaths = int(worker.startswith("local-"))
    freed = connection.execute(
        "UPDATE pairs SET worker = NULL, deaths = deaths + ? WHERE worker = ?", (deaths, worker)
    ).rowcount
    fail_deadly_pairs(connection)
    return freed


def fail_deadly_pairs(connection: sqlite3.Connection) -> None:
    """Gives up the free pairs that have killed `MOST_DEATHS` workers; in a transaction."""
    connection.execute(
        f"""UPDATE pairs SET failed_step = step, step = 'failed', updated_at = ?,
        reason = deaths || ' workers died while processing it'
        WHERE worker IS NULL AND deaths >= ? AND step IN {OPEN_STEPS}""",
        (now(), MOST_DEATHS),
    )
