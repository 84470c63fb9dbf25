# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs that are killed with SIGKILL at any moment end as if nothing had happened, whatever the engine."""

import random
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest

from craft_agent.backends.offline import OfflinePerceiver, OfflineSegmenter
from craft_agent.engines import run_local
from craft_agent.prompts import Prompts
from craft_agent.state.store import Store
from craft_agent.state.workers import MOST_DEATHS
from craft_agent.steps.pipeline import Backends
from tests.craft_agent.engines.watched_run import ASKED
from tests.craft_agent.runs import answers, content, never, run_until, start
from tests.craft_agent.small_work import draw_pairs


PAIRS = 6
KILLS = {"local": 5, "ray": 2}
WORKERS = 2


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return draw_pairs(tmp_path_factory.mktemp("kills") / "pairs", PAIRS)


@pytest.fixture(scope="module")
def undisturbed(pairs):
    """What a run without any kill stores."""
    work = pairs.parent / "undisturbed"
    run_local(start(pairs, work), Backends(OfflinePerceiver(), OfflineSegmenter()), Prompts(), WORKERS)
    return work


def run(engine: str, work: Path, *deadly: str, kill_at: int | None = None) -> int:
    """Runs until the end, or until so many answers are stored."""
    is_time = never if kill_at is None else lambda: answers(work) >= kill_at
    return run_until(["tests.craft_agent.engines.watched_run", engine, str(work), *deadly], is_time)


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_run_killed_many_times_equals_an_undisturbed_run(engine, pairs, undisturbed, tmp_path):
    if engine == "ray" and find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    kills, work, at = KILLS[engine], tmp_path / "work", random.Random(0)
    start(pairs, work)
    total = answers(undisturbed)
    for _ in range(kills):
        kill_at = answers(work) + at.randint(1, max(1, total // kills - 2))
        assert run(engine, work, kill_at=kill_at) == -signal.SIGKILL
        # The claims of the killed process can be released.
        store = Store(work)
        store.release_dead_claims()
        assert store.rows("SELECT COUNT(*) FROM pairs WHERE worker IS NOT NULL")[0][0] == 0
    assert run(engine, work) == 0
    assert content(work) == content(undisturbed)
    # No question was asked whose answer was stored already.
    asked = (tmp_path / ASKED).read_text().splitlines()
    assert [line for line in asked if not line.startswith("0 ")] == []
    # Each kill costs at most the questions in progress.
    assert len(asked) - len(set(asked)) <= kills * WORKERS


def test_a_pair_that_kills_its_process_is_given_up_and_the_others_are_finished(pairs, undisturbed, tmp_path):
    work = tmp_path / "work"
    start(pairs, work)
    codes = []
    while not codes or codes[-1]:
        codes.append(run("local", work, "place_002"))
        assert len(codes) <= MOST_DEATHS + 1
    store = Store(work)
    ends = {row["pair_id"]: (row["step"], row["reason"]) for row in store.rows("SELECT * FROM pairs")}
    assert ends.pop("place_002") == ("failed", f"{MOST_DEATHS} workers died while processing it")
    assert set(ends.values()) == {("refined", "")}
    assert store.retry_failed() == 1
    assert run("local", work) == 0
    assert content(work) == content(undisturbed)
