# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Workers on many machines: Ray Data hands out the pairs, and all that they find is in a folder that all machines see.

Each worker takes a pair through the same `PairPipeline` as the local engine, and writes every answer and every step
into the shared folder. This process, which alone touches SQLite, takes a pair over when its worker is done with it.
"""

import json
import logging
import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from tqdm import tqdm

from ..errors import CraftError, PermanentError
from ..prompts.templates import Prompts
from ..state.object_folder import ObjectFolder
from ..state.pair_objects import Ending, PairObjects, pair_key, read_pair
from ..state.pairs_folder import PairFiles
from ..state.rows import Tables
from ..state.serialization import dump
from ..state.settings import RunSettings
from ..state.store import OPEN_STEPS, ClaimedPair, Claims, Store, Worker
from ..steps.pipeline import Backends, PairPipeline


IDLE_SECONDS = 1.0
"""How long to wait before looking again whether another process has left pairs behind, and before pairs that were put
back are handed out again: that pause doubles from round to round."""
LONGEST_PAUSE_SECONDS = 60.0
MOST_BLOCKS = 2000
"""Parts into which the pairs are split; Ray Data hands out and reports whole parts."""
MOST_DEATHS = 3
"""How often a pair may take its worker down before it is given up."""
STOPPED = "stopped"
"""A worker's report that nothing will ever be answered."""
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_LOOPBACK = {
    # Ray's own switch for "this machine only": without it, all of its servers listen on every network.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Workers of the local engine have this process's priority, too.
    "RAY_worker_niceness": "0",
}


@dataclass(frozen=True)
class RayOptions:
    """
    How Ray is used.

    Args:
        shared (`str`): Absolute path or PyArrow's address of the folder that all machines see.
        workers (`int`): Pairs at once.
        address (`str`, *optional*): Of a Ray cluster, or "auto"; by default one is started on this machine, for this
            machine alone.
        graphics_cards (`float`, *optional*, defaults to 0): That each worker takes; a share if several are to use one.
            Ray finds out itself how many there are.
    """

    shared: str
    workers: int
    address: str | None = None
    graphics_cards: float = 0.0


class PairWorker:
    """
    What runs in each of Ray's processes.

    Args:
        settings (`RunSettings`): Of the run.
        make_backends (`Callable[[], Backends]`): Makes the models, with the first pair.
        prompts (`Prompts`): The texts of the questions.
        shared (`str`): The folder that all machines see.
        run_name (`str`): Tells marks of this call of the engine from those of others.
    """

    def __init__(
        self,
        settings: RunSettings,
        make_backends: Callable[[], Backends],
        prompts: Prompts,
        shared: str,
        run_name: str,
    ) -> None:
        self._settings = settings
        self._make_backends = make_backends
        self._prompts = prompts
        self._shared = shared
        self._folder = ObjectFolder(shared)
        self._run_name = run_name
        self._backends: Backends | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Takes a pair as far as it goes; a row of Ray Data in, a row out."""
        claimed, tables = _load_task(row["task"])
        try:
            ending = self._run(claimed, tables)
        # Options that are good where the run was called may be bad here: a variable with a secret is not set.
        except (CraftError, PermanentError) as error:
            ending = Ending(STOPPED, str(error))
        return {
            "pair": claimed.files.pair_id,
            "step": ending.step,
            "reason": ending.reason,
            "attempts": ending.attempts,
        }

    def _run(self, claimed: ClaimedPair, tables: dict[str, Any]) -> Ending:
        if not self._folder.has(_sign(self._run_name)):
            raise PermanentError(
                f"a worker does not find this run in {self._shared}: name a folder with --shared that all machines see"
            )
        objects = PairObjects(self._folder, self._settings, claimed, tables)
        step = max(claimed.step, objects.last_step or "new", key=(*OPEN_STEPS, "refined").index)
        if step == "refined":
            return Ending(step)
        with objects.marked(self._run_name) as deaths:
            if deaths >= MOST_DEATHS:
                objects.give_up(claimed.files.pair_id, "failed", f"{deaths} workers ended in the middle of it")
            else:
                if self._backends is None:
                    self._backends = self._make_backends()
                PairPipeline(objects, self._backends, self._prompts).run(replace(claimed, step=step))
        assert objects.ending is not None
        return objects.ending


def run_ray(
    store: Store, make_backends: Callable[[], Backends], prompts: Prompts, options: RayOptions
) -> Counter[str]:
    """
    Works until no pair is left that anybody could work on.

    Args:
        store (`Store`): The run, its pairs listed. Their folder must lie at the same path on all machines.
        make_backends (`Callable[[], Backends]`): Makes the models, in each worker. It travels there, so it must hold
            no secret and nothing that is loaded.
        prompts (`Prompts`): The texts of the questions.
        options (`RayOptions`): How Ray is used.

    Returns:
        `Counter[str]`: How many pairs were brought to which end.

    Raises:
        PermanentError: If the models will never answer, Ray is missing or cannot be reached, or this machine has fewer
            graphics cards than the workers need. What is finished is kept.
        CraftError: If there is no such shared folder.
    """
    folder = ObjectFolder(options.shared)
    worker = Worker(store.work)
    ends: Counter[str] = Counter()
    pause = IDLE_SECONDS
    try:
        claims = Claims(store, worker)
        folder.write(_sign(worker.name), {})
        total = store.count_open()
        with started_ray(options), tqdm(total=total, desc="Pairs", unit=" pairs", smoothing=0.05) as bar:
            while claimed := _claimed(store, claims):
                # What an earlier call had finished when it was killed need not be handed out.
                finished = set(folder.names("done"))
                keys, known, tasks = {}, [], []
                for pair in claimed:
                    pair_id, tables = pair.files.pair_id, store.tables(pair.files.pair_id)
                    keys[pair_id] = pair_key(claims.settings, pair, tables)
                    if keys[pair_id] in finished:
                        known.append((pair_id, Ending("refined")))
                    else:
                        tasks.append(_dump_task(pair, tables))
                worker_settings = (claims.settings, make_backends, prompts, options.shared, worker.name)
                put_back = ends["put_back"]
                for pair_id, ending in chain(known, _dispatch(tasks, worker_settings, options)):
                    ends[_gather(claims, folder, pair_id, keys[pair_id], ending)] += 1
                    bar.update(ending.step != "put_back")
                if ends["put_back"] > put_back:
                    # The server needs time, and the next round's workers know nothing of it.
                    time.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    finally:
        worker.close()
        folder.remove([_sign(worker.name)])
    return ends


def _sign(run_name: str) -> str:
    """The object by which workers know that they see the same folder as the process that was called."""
    return f"runs/{run_name}"


def _claimed(store: Store, claims: Claims) -> list[ClaimedPair]:
    """All pairs that nobody works on; waits for those of others, and is empty when no pair is open."""
    while True:
        store.free_dead_claims()
        claimed = claims.claim(None)
        if claimed or not store.count_open():
            return claimed
        time.sleep(IDLE_SECONDS)


def _gather(claims: Claims, folder: ObjectFolder, pair_id: str, key: str, ending: Ending) -> str:
    """Takes a pair over from the shared folder, where its objects lie under `key`; returns its ending."""
    known = read_pair(folder, key)
    step = claims.adopt(pair_id, known.tables, known.ordered())
    if ending.step == STOPPED:
        raise PermanentError(ending.reason)
    if ending.step == "refined" and step != "refined":
        raise PermanentError(f"the pair {pair_id} is finished, but the shared folder does not hold it; run again")
    if ending.step == "put_back":
        claims.put_back(pair_id, ending.reason, ending.attempts)
    elif ending.step != "refined":
        claims.give_up(pair_id, ending.step, ending.reason)
    return ending.step


def _dump_task(claimed: ClaimedPair, tables: Tables) -> str:
    """A pair with what the run knows of it, as text."""
    files = claimed.files
    names = (files.pair_id, files.file_t1, files.file_t2)
    return dump([*names, claimed.sha256, claimed.step, claimed.attempts, tables])


def _load_task(task: str) -> tuple[ClaimedPair, dict[str, Any]]:
    pair_id, file_t1, file_t2, sha256, step, attempts, tables = json.loads(task)
    return ClaimedPair(PairFiles(pair_id, file_t1, file_t2), tuple(sha256), step, attempts), tables


@contextmanager
def started_ray(options: RayOptions) -> Iterator[None]:
    """
    Ray, as long as the block lasts, unless it runs in this process already. It reports no usage; one that is started
    here has no dashboard, listens on this machine alone, and leaves no file behind.

    Args:
        options (`RayOptions`): How it is used.

    Raises:
        PermanentError: If Ray is missing or cannot be reached, or this machine has too few graphics cards.
    """
    os.environ.update(_QUIET if options.address else {**_QUIET, **_LOOPBACK})
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise PermanentError(f'Ray cannot be imported ({error}): pip install "mtrefseg[ray]"') from error
    if ray.is_initialized():
        _check_cards(options, ray.cluster_resources())
        yield
        return
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    with tempfile.TemporaryDirectory(prefix="craft-ray-", ignore_cleanup_errors=True) as folder:
        try:
            if options.address:
                ray.init(address=options.address, **common)
            else:
                ray.init(
                    address="local",
                    num_cpus=options.workers,
                    include_dashboard=False,
                    _temp_dir=folder,
                    **common,
                )
        # Of a start that takes too long Ray raises a plain Exception.
        except Exception as error:
            raise PermanentError(f"Ray cannot be started or reached: {' '.join(str(error).split())}") from error
        try:
            _check_cards(options, ray.cluster_resources())
            yield
        finally:
            ray.shutdown()


def _check_cards(options: RayOptions, resources: dict[str, float]) -> None:
    """Says it if there are fewer graphics cards than all workers need; a cluster may grow, this machine will not."""
    share, workers = options.graphics_cards, options.workers
    # A share lies on one card.
    needed = share * workers if share >= 1 or not share else math.ceil(workers / int(min(1 / share, workers)))
    found = resources.get("GPU", 0)
    if found >= needed:
        return
    told = (
        f"{workers} workers with --gpus-per-worker {share:g} need {needed:g} graphics cards and Ray finds {found:g}: "
        "give fewer --workers or a smaller --gpus-per-worker"
    )
    if options.address is None:
        raise PermanentError(told)
    logging.getLogger(__name__).warning(told)


def _dispatch(tasks: list[str], worker_settings: tuple[Any, ...], options: RayOptions) -> Iterator[tuple[str, Ending]]:
    """Hands pairs to the workers; gives each with its ending as soon as that is known."""
    if not tasks:
        return
    import ray.data

    pairs = ray.data.from_items([{"task": task} for task in tasks], override_num_blocks=min(len(tasks), MOST_BLOCKS))
    reports = pairs.map(
        PairWorker,
        fn_constructor_args=worker_settings,
        compute=ray.data.ActorPoolStrategy(size=min(options.workers, len(tasks))),
        num_cpus=1,
        num_gpus=options.graphics_cards or None,
    )
    # Fetched ahead, reports would arrive a part later.
    for batch in reports.iter_batches(batch_size=None, prefetch_batches=0, batch_format="pyarrow"):
        for row in batch.to_pylist():
            yield row["pair"], Ending(row["step"], row["reason"], row["attempts"])
