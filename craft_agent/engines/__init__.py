# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Who processes the pairs of a run: threads of this process (`run_local`), or processes on this or many machines that
Ray starts (`run_ray`).

Both run the same loop, `work_loop.run_workers`: claim a pair, process it, store the results. Only this process writes
the state of the run; workers of Ray keep nothing but the models.
"""

from .local import run_local
from .ray_engine import run_ray
from .ray_setup import RayOptions


__all__ = ["RayOptions", "run_local", "run_ray"]
