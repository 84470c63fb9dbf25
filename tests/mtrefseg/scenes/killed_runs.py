# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Segments a manifest again and again, and kills the run each time when the model is asked for the n-th time:

    python -m tests.mtrefseg.scenes.killed_runs TABLE OUT MOST

Prints how many runs were killed; the others had come to their end first.
"""

import os
import signal
import sys
from pathlib import Path

import torch

from .conftest import ColorPredictor
from .test_manifest import run


class DyingPredictor(ColorPredictor):
    """Kills its process, as `kill -9` does, when it is asked for the n-th time."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    def predict(self, *arguments, **options):
        self.calls -= 1
        if not self.calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(*arguments, **options)


def main(table: Path, out: Path, most: int) -> None:
    """Forks before anything else, so that no thread is lost."""
    killed = 0
    for calls in range(1, most + 1):
        child = os.fork()
        if not child:
            torch.set_num_threads(1)
            run(table, out, DyingPredictor(calls))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    print(killed)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
