# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Starts runs, kills them, and reads what they stored."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from craft_agent.audit.decisions import Decision
from craft_agent.audit.store import AuditStore
from craft_agent.state.database import FILE_NAME
from craft_agent.state.pairs_folder import hash_pair, list_pairs
from craft_agent.state.settings import RunSettings
from craft_agent.state.store import Store
from craft_agent.steps.exporting import export_work
from tests.craft_agent.scripted_perceiver import difference, review


ROOT = Path(__file__).parents[2]


def start(images: Path, work: Path) -> Store:
    """A new run on a folder of pairs, with nothing done yet."""
    store = Store.create(work, RunSettings(str(images), "offline", "offline", grid=1, paraphrases=0))
    listed = list_pairs(images)
    store.add_pairs(listed, [hash_pair(images, files) for files in listed])
    return store


def sensible(question, number):
    """Answers for `ScriptedPerceiver`: one difference in each view, which is accepted and found again."""
    return {
        "perceive": {"differences": [difference()]},
        "review": review(),
        "refine": {"expression": "the white car that came", "paraphrases": []},
        "ground": {"found": True, "box": [100, 100, 300, 300], "object": "car", "change_type": "appear"},
    }[question.kind]


def run_until(command: Sequence[str], is_time: Callable[[], bool]) -> int:
    """Runs a Python module, kills it with SIGKILL as soon as it is time, and returns its exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while process.poll() is None and not is_time():
            time.sleep(0.005)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        return process.wait()
    finally:
        process.kill()


def never() -> bool:
    """Lets a run end by itself."""
    return False


def answers(work: Path) -> int:
    """The number of stored answers, from outside of the run."""
    try:
        with closing(sqlite3.connect(f"file:{work / FILE_NAME}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT COUNT(*) FROM exchanges").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def content(work: Path) -> dict[str, list[tuple]]:
    """Everything that a run asked and found, without times."""
    store = Store(work)
    queries = {
        "pairs": "SELECT pair_id, step, attempts, worker FROM pairs ORDER BY 1",
        "exchanges": "SELECT key, pair_id, kind, response, problem FROM exchanges ORDER BY 1",
        "candidates": "SELECT * FROM candidates ORDER BY 1, 2",
        "proposals": "SELECT * FROM proposals ORDER BY 1, 2",
        "rounds": "SELECT * FROM rounds ORDER BY 1, 2, 3",
        "samples": "SELECT * FROM samples ORDER BY 1",
    }
    return {name: [tuple(row) for row in store.rows(query)] for name, query in queries.items()}


def export(work: Path, out: Path) -> list[tuple[str, str]]:
    """Accepts all samples and exports them; the files of the raw layout with their content."""
    store = AuditStore(work)
    for sample_id in store.sample_ids("ann"):
        store.decide(sample_id, "ann", Decision("accept"))
    raw = export_work(work, out).raw
    return [(str(path.relative_to(raw)), path.read_bytes().hex()) for path in sorted(raw.rglob("*")) if path.is_file()]
