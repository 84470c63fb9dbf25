# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs a function on threads, a few items ahead of the consumer."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar


Item = TypeVar("Item")
Result = TypeVar("Result")


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
