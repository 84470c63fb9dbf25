# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Processes pairs in threads of this process. Other processes may work on the same run at the same time."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ..prompts.templates import Prompts
from ..state.claims import ClaimedPair, Claims
from ..state.pairs_folder import load_pair
from ..state.store import Store
from ..state.workers import Worker
from ..steps.pipeline import Backends, PairPipeline
from .work_loop import run_workers


def run_local(store: Store, backends: Backends, prompts: Prompts, workers: int) -> Counter[str]:
    """
    Processes all open pairs.

    Args:
        store (`Store`): The run with its pairs listed.
        backends (`Backends`): The models, shared by all threads.
        prompts (`Prompts`): The texts of the questions.
        workers (`int`): Number of threads.

    Returns:
        `Counter[str]`: As in `run_workers`.

    Raises:
        CraftError, KeyboardInterrupt: As in `run_workers`.
    """
    worker = Worker(store.work, "local")
    try:
        return run_workers(
            store, worker, workers, lambda claims, stopping: _LocalRunner(claims, backends, prompts, stopping)
        )
    finally:
        worker.close()


class _LocalRunner:
    def __init__(self, claims: Claims, backends: Backends, prompts: Prompts, stopping: Callable[[], bool]) -> None:
        folder = Path(claims.settings.pairs)
        self._pipeline = PairPipeline(
            claims, backends, prompts, lambda pair: load_pair(folder, pair.files, pair.sha256), stopping
        )

    def is_ready(self) -> bool:
        return True

    def run(self, claimed: ClaimedPair) -> str:
        return self._pipeline.run(claimed)

    def close(self) -> None:
        return
