# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A few hundred hostile inputs of every kind, and the benchmark's own judgement of them."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from benchmarks.hostile import KINDS, Case, Kind, Outcome, judge, run_cases
from benchmarks.hostile.cases import HangError, Random


pytest.importorskip("rasterio", reason="without it, other TIFFs are refused")

FEW = {"model folders": 6, "cards of exports": 60, "uploaded Parquet": 60, "responses of servers": 100}
SEED = 1
FAILURES: dict[str, BaseException] = {
    "refused": ValueError("no mask"),
    "crash": KeyError("mask"),
    "memory": MemoryError(),
    "no line": ValueError("one\ntwo"),
    "empty line": ValueError(),
}


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """A case that hangs ends."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGPROF, stop)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


def test_all_kinds_together_are_100_000_cases() -> None:
    assert sum(kind.share for kind in KINDS) == 100_000


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_hostile_inputs_are_read_rightly_or_refused(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    if kind.prepare is not None:
        kind.prepare(tmp_path / "shared")
    faults = []
    for number in range(FEW.get(kind.name, 200)):
        folder = tmp_path / str(number)
        folder.mkdir()
        case = kind.make(np.random.default_rng((SEED, number)), folder)
        signal.setitimer(signal.ITIMER_PROF, kind.seconds)
        verdict = judge(case)
        signal.setitimer(signal.ITIMER_PROF, 0)
        faults += [verdict] if verdict.outcome.is_fault else []
    assert not faults


# --- the judgement ---


def _fail(name: str) -> Case:
    def read() -> None:
        raise FAILURES[name]

    return Case(name, read, (ValueError,))


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        (_fail("refused"), Outcome.REFUSED),
        (replace(_fail("refused"), must_read=True), Outcome.NEEDLESS),
        (_fail("crash"), Outcome.CRASH),
        (_fail("memory"), Outcome.MEMORY),
        (_fail("no line"), Outcome.CRASH),
        (_fail("empty line"), Outcome.CRASH),
        (Case("right", lambda: 3, (), lambda found: found == 3), Outcome.RIGHT),
        (Case("wrong", lambda: 3, (), lambda found: found == 4), Outcome.WRONG),
        (Case("accepted", lambda: 3, ()), Outcome.WRONG),
        (Case("other", lambda: 3, (), lambda found: found == 4, is_undetectable=True), Outcome.UNDETECTABLE),
    ],
    ids=lambda value: value.what if isinstance(value, Case) else "",
)
def test_a_case_is_judged(case: Case, outcome: Outcome) -> None:
    assert judge(case).outcome is outcome


def _sleep(random: Random, folder: Path) -> Case:
    return Case("sleeps", lambda: time.sleep(60), ())


def _die(random: Random, folder: Path) -> Case:
    return Case("dies", lambda: os._exit(3), ())


def _eat(random: Random, folder: Path) -> Case:
    def read() -> Any:
        return bytearray(1 << 30)

    return Case("eats", read, ())


@pytest.mark.parametrize(("make", "outcome"), [(_sleep, "hang"), (_die, "crash"), (_eat, "memory")])
def test_a_process_that_hangs_dies_or_eats_is_noticed(make: Any, outcome: str) -> None:
    kind = Kind("bad", 1, make, seconds=0.3, memory=1 << 28)
    assert [verdict.outcome.value for verdict in run_cases(kind, 2, SEED)] == [outcome] * 2
