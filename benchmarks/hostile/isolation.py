# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs cases in a separate process with limits on time and memory, and continues after a crash."""

import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import tempfile
import zlib
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

import numpy as np

from .cases import HangError, Kind, Outcome, Verdict, judge


PATIENCE = 12
"""
A case may take this multiple of its CPU seconds in wall time, because the machine may be busy or the case may wait.
"""
GRACE_SECONDS = 10.0
"""A process that is stuck in third-party code for this long after that is killed."""
START_SECONDS = 300.0


def run_cases(kind: Kind, count: int, seed: int) -> Iterator[Verdict]:
    """
    Runs cases of a kind. Case number n is the same in every run with the same seed.

    Args:
        kind (`Kind`): The kind.
        count (`int`): How many cases.
        seed (`int`): Seeds all of them.

    Yields:
        `Verdict`: One a case, in order.
    """
    done = 0
    while done < count:
        for verdict in _run_process(kind, done, count, seed):
            done += 1
            yield verdict


def _run_process(kind: Kind, first: int, count: int, seed: int) -> Iterator[Verdict]:
    """Verdicts from case `first` on, until all are done or the process has died; then the last one says how."""
    # A process that has imported everything is copied for every kind, since importing takes longer than many cases.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.hostile"])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(kind, first, count, seed, sender), daemon=True)
    process.start()
    sender.close()
    patience, what = START_SECONDS, "the start of the process"
    number = first
    try:
        while number < count:
            if not receiver.poll(patience):
                yield Verdict(Outcome.HANG, what, "in foreign code; the process was killed")
                return
            message = receiver.recv()
            # A text names the case that begins, so that it is known if the process does not come back.
            if isinstance(message, str):
                patience, what = PATIENCE * kind.seconds + GRACE_SECONDS, message
                continue
            number += 1
            yield message
    except EOFError:
        process.join(GRACE_SECONDS)
        yield Verdict(Outcome.CRASH, what, f"the process died with code {process.exitcode}")
    finally:
        process.kill()
        process.join()
        receiver.close()


def _work(kind: Kind, first: int, count: int, seed: int, sender: Connection) -> None:
    """The process: runs cases one by one and sends what became of them."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        os.dup2(nowhere.fileno(), 2)  # Decoders in C write to the descriptor.
        with tempfile.TemporaryDirectory() as shared:
            if kind.prepare is not None:
                kind.prepare(Path(shared))
            _limit_memory(kind.memory)
            for timer in (signal.SIGPROF, signal.SIGALRM):
                signal.signal(timer, _raise_hang)
            for number in range(first, count):
                sender.send(_run_one(kind, number, seed, sender))


def _run_one(kind: Kind, number: int, seed: int, sender: Connection) -> Verdict:
    folder = Path(tempfile.mkdtemp(prefix="hostile"))
    try:
        case = kind.make(np.random.default_rng((seed, zlib.crc32(kind.name.encode()), number)), folder)
        sender.send(f"{case.what} (case {number})")
        signal.setitimer(signal.ITIMER_PROF, kind.seconds)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE * kind.seconds)
        try:
            return judge(case)
        except HangError:  # Between the end of the case and the line below.
            return Verdict(Outcome.HANG, case.what)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _raise_hang(number: int, frame: FrameType | None) -> None:
    raise HangError


def _limit_memory(extra: int) -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + extra
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
