# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Who works on which pair.

A worker claims a pair before it touches it. A claim ends when the worker is done, or when its process ends: every
process holds a lock file that the system releases however the process ends.

A pair that kills its workers is given up after `MOST_DEATHS` deaths without progress. The threads of the local engine
share a process, so when it dies, any pair that it had claimed may be the cause. Such pairs are therefore claimed last,
and a suspect is claimed alone before it is given up.
"""

import logging
import sqlite3
from dataclasses import dataclass

from .pairs_folder import PairFiles
from .rows import StepResult, insert_rows, now
from .store import Store
from .workers import MOST_DEATHS, OPEN_STEPS, Worker, fail_deadly_pairs


_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClaimedPair:
    """
    A pair that one worker alone works on.

    Args:
        files (`PairFiles`): Its files.
        sha256 (`tuple[str, str]`): The hashes of the files when they were listed.
        step (`str`): The last finished step: "new", "perceived" or "segmented".
        attempts (`int`): How often the pair was put back.
    """

    files: PairFiles
    sha256: tuple[str, str]
    step: str
    attempts: int


class Claims:
    """
    The pairs that a worker has claimed: where the steps of these pairs are read and written, a `pipeline.PairStore`.

    Args:
        store (`Store`): The run.
        worker (`Worker`): The process that claims.
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

    def claim(self) -> ClaimedPair | None:
        """Claims the next pair that nobody works on; `None` if there is none at the moment. Pairs whose workers died,
        and pairs that were put back, come last."""
        with self._database.transaction() as connection:
            row = connection.execute(
                f"""SELECT * FROM pairs WHERE worker IS NULL AND step IN {OPEN_STEPS} AND NOT EXISTS (
                    SELECT 1 FROM pairs AS mine WHERE mine.worker = ? AND max(mine.deaths, pairs.deaths) >= ?
                ) ORDER BY deaths, attempts, pair_id LIMIT 1""",
                (self._worker.name if self._worker.engine == "local" else None, MOST_DEATHS - 1),
            ).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE pairs SET worker = ? WHERE pair_id = ?", (self._worker.name, row["pair_id"]))
        return ClaimedPair(
            PairFiles(row["pair_id"], row["file_t1"], row["file_t2"]),
            (row["sha256_t1"], row["sha256_t2"]),
            row["step"],
            row["attempts"],
        )

    def put_back(self, pair_id: str, reason: str, attempts: int) -> None:
        """Ends the claim; the pair will be claimed again later."""
        self._update(pair_id, "worker = NULL, attempts = ?, reason = ?", attempts, reason)

    def give_up(self, pair_id: str, step: str, reason: str, trace: str = "") -> None:
        """
        Ends the claim, and the work on the pair.

        Args:
            pair_id (`str`): The pair.
            step (`str`): "skipped" until its files change, or "failed" until it is retried.
            reason (`str`): One line for the user.
            trace (`str`, *optional*): The traceback of an unexpected error, for the log.
        """
        if trace:
            _LOG.error("the pair %s failed: %s\n%s", pair_id, reason, trace)
        self._update(pair_id, "failed_step = step, step = ?, worker = NULL, reason = ?", step, reason)

    def worker_died(self, pair_id: str) -> str:
        """Puts a pair back whose worker process died, or gives it up after `MOST_DEATHS`; returns "put_back" or
        "failed"."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE pairs SET deaths = deaths + 1, worker = NULL WHERE pair_id = ? AND worker = ?",
                (pair_id, self._worker.name),
            )
            fail_deadly_pairs(connection)
            [(step,)] = connection.execute("SELECT step FROM pairs WHERE pair_id = ?", (pair_id,))
        return "failed" if step == "failed" else "put_back"

    def save(self, pair_id: str, result: StepResult) -> None:
        """Stores the result of a step and the pair's new step. The claim ends with the last step."""
        freed = ", worker = NULL" if result.after == "refined" else ""
        with self._database.transaction() as connection:
            changed = connection.execute(
                f"""UPDATE pairs SET step = ?, seconds = seconds + ?, reason = '', deaths = 0, updated_at = ?{freed}
                WHERE pair_id = ? AND step = ? AND worker = ?""",
                (result.after, result.seconds, now(), pair_id, result.before, self._worker.name),
            ).rowcount
            if changed != 1:
                raise sqlite3.IntegrityError(f"pair {pair_id} is not claimed by this worker at step {result.before}")
            insert_rows(connection, result.tables)

    def _update(self, pair_id: str, changes: str, *values: object) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                f"UPDATE pairs SET {changes}, updated_at = ? WHERE pair_id = ? AND worker = ?",
                (*values, now(), pair_id, self._worker.name),
            )
