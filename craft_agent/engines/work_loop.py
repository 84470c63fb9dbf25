# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The loop of every engine: threads that claim pairs and have them processed until none is left."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Protocol

from tqdm import tqdm

from ..state.claims import ClaimedPair, Claims
from ..state.store import Store
from ..state.workers import Worker


IDLE_SECONDS = 0.5
"""How long a thread waits before it looks again for pairs that another worker may have put back."""


class PairRunner(Protocol):
    """Processes pairs, one at a time."""

    def is_ready(self) -> bool:
        """Whether a pair can be processed now."""
        ...

    def run(self, claimed: ClaimedPair) -> str:
        """Processes a claimed pair and stores the results; returns "refined", "skipped", "failed" or "put_back"."""
        ...

    def close(self) -> None:
        """Frees what the runner holds."""
        ...


def run_workers(
    store: Store,
    worker: Worker,
    threads: int,
    make_runner: Callable[[Claims, Callable[[], bool]], PairRunner],
) -> Counter[str]:
    """
    Works until no open pair is left, in this or another process.

    Args:
        store (`Store`): The run with its pairs listed.
        worker (`Worker`): This process.
        threads (`int`): Number of pairs at once.
        make_runner (`Callable`): Makes the runner of a thread from its claims and a function that says whether the
            run is being stopped.

    Returns:
        `Counter[str]`: How often a pair was brought to each end. A pair can be put back several times.

    Raises:
        CraftError: If no pair can be processed, such as `PermanentError`. Finished work is kept.
        KeyboardInterrupt: When interrupted, after all pairs have been put back.
    """
    stop = threading.Event()
    ends: Counter[str] = Counter()
    with (
        tqdm(total=store.count_open(), desc="Pairs", unit=" pairs", smoothing=0.05) as bar,
        ThreadPoolExecutor(threads, thread_name_prefix="craft") as pool,
    ):

        def work() -> None:
            claims = Claims(store, worker)
            runner = make_runner(claims, stop.is_set)
            try:
                while not stop.is_set():
                    claimed = claims.claim() if runner.is_ready() else None
                    if claimed is not None:
                        end = runner.run(claimed)
                        with bar.get_lock():
                            ends[end] += 1
                            bar.update(end != "put_back")
                        continue
                    store.release_dead_claims()
                    if not store.count_open():
                        return
                    stop.wait(IDLE_SECONDS)
            finally:
                runner.close()

        futures = [pool.submit(work) for _ in range(threads)]
        try:
            wait(futures, return_when="FIRST_EXCEPTION")
        finally:
            stop.set()
        for future in futures:
            future.result()
    return ends
