# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Segments a manifest on a local Ray of two workers and kills it (SIGKILL): the driver after the first pair, then a
worker in the resumed run, then the driver amid a pair. The last run comes to its end.

    python -m tests.mtrefseg.scenes.killed_ray_runs TABLE OUT MODEL_AS_JSON SENTENCE...

Prints what was killed, and "finished".
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mtrefseg.scenes.manifest import ManifestSettings, read_manifest, run_manifest

from .test_manifest import OPTIONS


PATIENCE_SECONDS = 1500


def descendants(process: int) -> dict[int, str]:
    """Processes that a process has started, and those that these have, with their titles."""
    parents, titles = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            titles[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue  # It has ended.
        parents[int(folder.name)] = int(fields[1])
    found: dict[int, str] = {}
    open_ones = [process]
    while open_ones:
        parent = open_ones.pop()
        children = [each for each, its_parent in parents.items() if its_parent == parent]
        found |= {each: titles[each] for each in children}
        open_ones += children
    return found


def kill(process: int) -> None:
    """As `kill -9` does."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


class Run:
    """A run in a process of its own."""

    def __init__(self, arguments: Sequence[str], out: Path) -> None:
        self.out = out
        command = [sys.executable, "-m", __spec__.name, "--run", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # Ray says much.

    def wait(self, condition: Callable[[], object]) -> None:
        """Waits while the run goes on."""
        start = time.monotonic()
        while not condition():
            if self.process.poll() is not None or time.monotonic() - start > PATIENCE_SECONDS:
                self.kill()
                raise SystemExit("the run ended too early, or nothing happens")
            time.sleep(0.02)

    def done(self) -> int:
        """How many pairs are finished."""
        return len(list((self.out / "pairs").glob("[!.]*")))

    def is_amid(self) -> bool:
        """Whether a pair is begun and not finished."""
        return bool(list((self.out / "pairs").glob(".*")))

    def workers(self) -> list[int]:
        """The actors that hold the model."""
        started = descendants(self.process.pid)
        return [number for number, title in started.items() if title.startswith("ray::") and "Map" in title]

    def kill(self) -> None:
        """Kills the driver; what it leaves of Ray goes after it."""
        left = descendants(self.process.pid)
        kill(self.process.pid)
        self.process.wait()
        for each in left:
            kill(each)


def main(arguments: Sequence[str]) -> None:
    """Runs, kills, runs again."""
    out = Path(arguments[1])
    run = Run(arguments, out)
    run.wait(lambda: run.done() >= 1)
    run.kill()
    print("driver")  # noqa: T201
    run = Run(arguments, out)
    before = run.done()
    run.wait(lambda: run.done() > before and run.workers())
    kill(run.workers()[0])
    print("worker")  # noqa: T201
    before = run.done()
    run.wait(lambda: run.done() > before and run.is_amid())
    run.kill()
    print("driver")  # noqa: T201
    last = Run(arguments, out)
    if last.process.wait() == 0:
        print("finished")  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1] == "--run":
        table, target, model, *texts = sys.argv[2:]
        settings = ManifestSettings(target, OPTIONS, json.loads(model))
        run_manifest(read_manifest([table], texts), settings, "ray", workers=2)
    else:
        main(sys.argv[1:])
