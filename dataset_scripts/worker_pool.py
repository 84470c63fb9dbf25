# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A pool of worker processes that end when the process that started them ends, even if it is killed."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.process import BaseProcess


def worker_pool(processes: int) -> ProcessPoolExecutor:
    """
    Makes a pool.

    Args:
        processes (`int`): Number of workers.

    Returns:
        `ProcessPoolExecutor`: A pool. If a worker is killed, pending calls raise `BrokenProcessPool`.
    """
    # Forked processes would inherit the locks of the parent's threads in an undefined state.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_follow_parent)


def _follow_parent() -> None:
    """In a worker: ignores interrupts, which the parent handles, and ends when the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
