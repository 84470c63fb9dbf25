# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Worker processes that end with the process that started them, however that ends."""

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
        processes (`int`): How many workers.

    Returns:
        `ProcessPoolExecutor`: If a worker is killed, what waits for it raises `BrokenProcessPool`.
    """
    # Forked processes would inherit the threads of the libraries in any state.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=context, initializer=_follow_parent)


def _follow_parent() -> None:
    """For a worker: leaves interrupts to the parent, and ends when that is killed, instead of waiting for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
