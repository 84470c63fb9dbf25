# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Several workers of one machine: threads of this process, beside those of any other process on the same run."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait

from tqdm import tqdm

from ..prompts.templates import Prompts
from ..state.store import Claims, Store, Worker
from ..steps.pipeline import Backends, PairPipeline


IDLE_SECONDS = 0.5
"""How long a worker waits before it looks again whether another process has left pairs behind."""


def run_local(store: Store, backends: Backends, prompts: Prompts, workers: int) -> Counter[str]:
    """
    Works until no pair is left that anybody could work on.

    Args:
        store (`Store`): The run, its pairs listed.
        backends (`Backends`): The models, shared by all threads.
        prompts (`Prompts`): The texts of the questions.
        workers (`int`): How many threads.

    Returns:
        `Counter[str]`: How many pairs this process brought to which end.

    Raises:
        PermanentError: If the models will never answer. What is finished is kept.
        KeyboardInterrupt: When interrupted, after the steps that were under way have been given back.
    """
    worker = Worker(store.work)
    stop = threading.Event()
    ends: Counter[str] = Counter()
    try:
        with (
            tqdm(total=store.count_open(), desc="Pairs", unit=" pairs", smoothing=0.05) as bar,
            ThreadPoolExecutor(workers, thread_name_prefix="craft") as pool,
        ):
            futures = [pool.submit(_work, store, worker, backends, prompts, stop, ends, bar) for _ in range(workers)]
            try:
                wait(futures, return_when="FIRST_EXCEPTION")
            finally:
                stop.set()
            for future in futures:
                future.result()
    finally:
        worker.close()
    return ends


def _work(
    store: Store,
    worker: Worker,
    backends: Backends,
    prompts: Prompts,
    stop: threading.Event,
    ends: "Counter[str]",
    bar: tqdm,
) -> None:
    """One thread."""
    claims = Claims(store, worker)
    pipeline = PairPipeline(claims, backends, prompts, stop.is_set)
    while not stop.is_set():
        claimed = claims.claim()
        if not claimed:
            store.free_dead_claims()
            if not store.count_open():
                return
            time.sleep(IDLE_SECONDS)
            continue
        end = pipeline.run(claimed[0])
        with bar.get_lock():
            ends[end] += 1
            if end != "put_back":
                bar.update()
