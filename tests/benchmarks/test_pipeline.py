# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The simulated pipeline, and the formula that it checks."""

from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context

import pytest

from benchmarks.scenes.pipeline import Stage, predicted_seconds, simulate, slowest


STAGES = [Stage("read", 2, 0.4), Stage("predict", 1, 0.3), Stage("write", 1, 0.1)]


def test_the_slowest_stage_sets_the_pace() -> None:
    assert slowest(STAGES).name == "predict"
    assert predicted_seconds(STAGES, 11) == pytest.approx(0.8 + 10 * 0.3)
    assert slowest([Stage("read", 1, 0.4), *STAGES[1:]]).name == "read"


def test_the_simulation_takes_no_less_than_the_formula_says() -> None:
    if find_spec("ray") is None:
        pytest.skip("ray is not installed")
    # In a process of its own: Ray reads where it listens when it is first imported.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert pool.submit(simulate, STAGES, 8).result() > 0.99 * predicted_seconds(STAGES, 8)
