# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Starts Ray on this machine, or connects to a cluster."""

import logging
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..errors import PermanentError


_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_THIS_MACHINE_ONLY = {
    # Despite its name, this makes the servers of Ray listen on 127.0.0.1 instead of on every network.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Workers run with the priority of this process, as those of the local engine do.
    "RAY_worker_niceness": "0",
}


@dataclass(frozen=True)
class RayOptions:
    """
    How Ray is used.

    Args:
        workers (`int`): Number of pairs at once.
        address (`str`, *optional*): Address of a Ray cluster, or "auto". By default Ray is started on this machine,
            for this machine alone.
        gpus_per_worker (`float`, *optional*, defaults to 0): GPUs for each worker; a fraction if several workers are
            to share one.
    """

    workers: int
    address: str | None = None
    gpus_per_worker: float = 0.0


@contextmanager
def started_ray(options: RayOptions) -> Iterator[None]:
    """
    Runs Ray while the block lasts, unless it is running in this process already. It reports no usage. If it is started
    here, it has no dashboard, listens on this machine only, and removes its files at the end.

    Args:
        options (`RayOptions`): How Ray is used.

    Raises:
        PermanentError: If Ray is missing or cannot be reached, or this machine has too few GPUs.
    """
    os.environ.update(_QUIET if options.address else {**_QUIET, **_THIS_MACHINE_ONLY})
    try:
        import ray
    except ImportError as error:
        raise PermanentError(f'Ray cannot be imported ({error}): pip install "mtrefseg[ray]"') from error
    if ray.is_initialized():
        check_gpus(options, ray.cluster_resources())
        yield
        return
    logging.getLogger("ray").setLevel(logging.ERROR)
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    with tempfile.TemporaryDirectory(prefix="craft-ray-", ignore_cleanup_errors=True) as folder:
        try:
            if options.address:
                ray.init(address=options.address, **common)
            else:
                ray.init(
                    address="local", num_cpus=options.workers, include_dashboard=False, _temp_dir=folder, **common
                )
        # Ray raises a plain Exception if it does not start in time.
        except Exception as error:
            raise PermanentError(f"Ray cannot be started or reached: {' '.join(str(error).split())}") from error
        try:
            check_gpus(options, ray.cluster_resources())
            yield
        finally:
            ray.shutdown()


def check_gpus(options: RayOptions, resources: dict[str, float]) -> None:
    """
    Checks that there are enough GPUs for all workers.

    Args:
        options (`RayOptions`): How Ray is used.
        resources (`dict[str, float]`): What Ray has found, by name.

    Raises:
        PermanentError: If there are too few on this machine. In a cluster, which may grow, it is a warning.
    """
    share, workers = options.gpus_per_worker, options.workers
    # A fraction of a GPU must be free on one GPU.
    needed = share * workers if share >= 1 or not share else math.ceil(workers / int(min(1 / share, workers)))
    found = resources.get("GPU", 0)
    if found >= needed:
        return
    message = (
        f"{workers} workers with --gpus-per-worker {share:g} need {needed:g} GPUs and Ray finds {found:g}: give fewer "
        "--workers or a smaller --gpus-per-worker"
    )
    if options.address is None:
        raise PermanentError(message)
    logging.getLogger(__name__).warning(message)
