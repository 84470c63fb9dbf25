# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs work in parallel: on processes, or on threads a few items ahead of the consumer."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import islice
from multiprocessing.process import BaseProcess
from typing import TypeVar


Item = TypeVar("Item")
Result = TypeVar("Result")


def worker_pool(processes: int) -> ProcessPoolExecutor:
    """
    A pool of processes that end when the process that started them ends, even if it is killed.

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


def map_ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """
    Like `map`, on all cores. Threads are enough, because PIL and NumPy release the interpreter lock.

    Args:
        function (`Callable`): Called with each item.
        items (`Iterable`): The items. Only a few are processed ahead, so memory does not grow with their number.

    Yields:
        The results, in the order of the items.
    """
    remaining = iter(items)
    workers = os.cpu_count() or 1
    running: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        while True:
            new = islice(remaining, 2 * workers - len(running))
            running.extend(pool.submit(function, item) for item in new)
            if not running:
                return
            yield running.popleft().result()
