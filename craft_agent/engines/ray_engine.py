# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Processes pairs in actors of Ray, on this machine or on many.

Each thread of the common loop has one actor. It sends a pair's files and what is stored about it, and stores every
answer and step that comes back at once. So the database of the run is the only state: killed actors are replaced, and
when this process is killed, the next call resumes from the database.
"""

import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dataset_scripts.readers import UnusableError

from ..errors import PermanentError
from ..prompts.templates import Prompts
from ..state.claims import ClaimedPair, Claims
from ..state.pairs_folder import read_pair
from ..state.store import Store
from ..state.workers import MOST_DEATHS, Worker
from ..steps.pipeline import Backends, give_up_unusable
from .ray_setup import RayOptions, started_ray
from .ray_worker import ENDED, STOPPED, PairTask, PairWorker
from .work_loop import run_workers


POLL_SECONDS = 0.5
"""How long to wait for an actor before checking whether the run is being stopped."""


def run_ray(
    store: Store, make_backends: Callable[[], Backends], prompts: Prompts, options: RayOptions
) -> Counter[str]:
    """
    Processes all open pairs.

    Args:
        store (`Store`): The run with its pairs listed.
        make_backends (`Callable[[], Backends]`): Makes the models, once in each actor. It is sent there, so it must
            hold no secret and no loaded model.
        prompts (`Prompts`): The texts of the questions.
        options (`RayOptions`): How Ray is used.

    Returns:
        `Counter[str]`: As in `run_workers`.

    Raises:
        PermanentError: If the models cannot be used, Ray is missing or cannot be reached, or this machine has too few
            GPUs. Finished work is kept.
        KeyboardInterrupt: As in `run_workers`.
    """
    worker = Worker(store.work, "ray")
    try:
        with started_ray(options):

            def make_runner(claims: Claims, stopping: Callable[[], bool]) -> _RayRunner:
                return _RayRunner(store, claims, make_backends, prompts, options, stopping)

            return run_workers(store, worker, options.workers, make_runner)
    finally:
        worker.close()


class _RayRunner:
    """One actor, which is replaced when it dies, and the pairs that it processes."""

    def __init__(
        self,
        store: Store,
        claims: Claims,
        make_backends: Callable[[], Backends],
        prompts: Prompts,
        options: RayOptions,
        stopping: Callable[[], bool],
    ) -> None:
        import ray

        self._ray = ray
        self._store = store
        self._claims = claims
        self._stopping = stopping
        self._actor_class = ray.remote(
            num_cpus=1, num_gpus=options.gpus_per_worker, max_restarts=0, max_task_retries=0
        )(PairWorker)
        self._actor_arguments = (claims.settings, make_backends, prompts)
        self._actor: Any = None
        self._loading: ray.ObjectRef | None = None
        self._deaths_while_loading = 0

    def is_ready(self) -> bool:
        """Whether the actor has loaded its models; waits for a moment. In a full cluster it may take long, and the
        others must not wait for a pair that this one has claimed."""
        if self._actor is None:
            self._actor = self._actor_class.remote(*self._actor_arguments)
            self._loading = self._actor.load.remote()
        if self._loading is None:
            return True
        if not self._ray.wait([self._loading], timeout=POLL_SECONDS)[0]:
            return False
        try:
            problem = self._ray.get(self._loading)
        except self._ray.exceptions.RayError as error:
            self.close()
            self._deaths_while_loading += 1
            if self._deaths_while_loading < MOST_DEATHS:
                return False
            problem = f"{MOST_DEATHS} workers died while they loaded their models: {' '.join(str(error).split())}"
        if problem:
            raise PermanentError(problem)
        self._loading = None
        self._deaths_while_loading = 0
        return True

    def run(self, claimed: ClaimedPair) -> str:
        """Has a pair processed, and stores what comes back."""
        claims, pair_id = self._claims, claimed.files.pair_id
        try:
            contents = read_pair(Path(claims.settings.pairs), claimed.files, claimed.sha256)
        except UnusableError as error:
            return give_up_unusable(claims, pair_id, error)
        task = PairTask(claimed, contents, self._store.tables(pair_id))
        try:
            message = self._actor.start.remote(task)
            while not self._stopping():
                if not self._ray.wait([message], timeout=POLL_SECONDS)[0]:
                    continue
                name, arguments = self._ray.get(message)
                if name == ENDED:
                    return str(arguments[0])
                if name == STOPPED:
                    raise PermanentError(arguments[0])
                getattr(claims, name)(*arguments)
                message = self._actor.resume.remote()
        except self._ray.exceptions.RayTaskError:
            claims.give_up(pair_id, "failed", "the worker failed on it; see the log", traceback.format_exc())
            return "failed"
        except self._ray.exceptions.RayError:
            self.close()
            return claims.worker_died(pair_id)
        # Answers are stored as they come, so the actor can be killed at any moment.
        self.close()
        claims.put_back(pair_id, "", claimed.attempts)
        return "put_back"

    def close(self) -> None:
        """Kills the actor."""
        if self._actor is not None:
            self._ray.kill(self._actor)
            self._actor = self._loading = None
