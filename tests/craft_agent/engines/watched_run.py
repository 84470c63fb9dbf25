# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A run in a process of its own, to be killed: `python -m tests.craft_agent.engines.watched_run ENGINE WORK [DEADLY]`.

Every question is written down together with whether its answer was stored already. The pair DEADLY kills its process.
"""

import hashlib
import os
import signal
import sqlite3
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

from craft_agent.backends.offline import OfflinePerceiver, OfflineSegmenter
from craft_agent.engines import RayOptions, run_local, run_ray
from craft_agent.prompts import Prompts
from craft_agent.state.database import FILE_NAME
from craft_agent.state.store import Store
from craft_agent.steps.pipeline import Backends


ASKED = "asked.txt"
STORED = "SELECT COUNT(*) FROM exchanges WHERE pair_id = ? AND kind = ? AND json_extract(request, '$.prompt') = ?"


class WatchedPerceiver(OfflinePerceiver):
    """Writes down what it is asked."""

    def __init__(self, work: Path, deadly: str) -> None:
        super().__init__()
        self._work = work
        self._deadly = deadly

    def ask(self, question):
        pair_id, kind, prompt = question.pair.pair_id, question.kind, question.prompt
        with closing(sqlite3.connect(f"file:{self._work / FILE_NAME}?mode=ro", uri=True)) as connection:
            [stored] = connection.execute(STORED, (pair_id, kind, prompt)).fetchone()
        line = f"{stored} {pair_id} {kind} {hashlib.sha256(prompt.encode()).hexdigest()}\n"
        descriptor = os.open(self._work.parent / ASKED, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(descriptor, line.encode())
        os.close(descriptor)
        if pair_id == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().ask(question)


def make_backends(work: Path, deadly: str) -> Backends:
    return Backends(WatchedPerceiver(work, deadly), OfflineSegmenter())


def main(engine: str, work: Path, deadly: str = "") -> None:
    store = Store(work)
    store.release_dead_claims()
    make = partial(make_backends, work, deadly)
    if engine == "ray":
        run_ray(store, make, Prompts(), RayOptions(workers=2))
    else:
        run_local(store, make(), Prompts(), workers=2)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
