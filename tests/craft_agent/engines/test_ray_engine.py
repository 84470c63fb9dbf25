# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The engine that uses Ray, on a local Ray with two workers: its results are those of the local engine."""

import logging
import os
import signal
import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from craft_agent.backends.offline import OfflinePerceiver, OfflineSegmenter
from craft_agent.backends.protocols import Answer
from craft_agent.command_line import main
from craft_agent.engines import RayOptions, run_local, run_ray
from craft_agent.engines.ray_setup import check_gpus, started_ray
from craft_agent.errors import PermanentError
from craft_agent.prompts import Prompts
from craft_agent.state.workers import MOST_DEATHS
from craft_agent.steps.pipeline import Backends
from tests.craft_agent.runs import content, export, start
from tests.craft_agent.small_work import draw_pairs


NO_WEIGHTS = ("--perceiver", "difference")


needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return draw_pairs(tmp_path_factory.mktemp("ray") / "pairs", 6)


@pytest.fixture(scope="module")
def local_ray():
    """One Ray for all tests; starting it takes seconds."""
    with started_ray(RayOptions(workers=2)):
        yield


@needs_ray
def test_it_listens_on_this_machine_only_and_reports_nothing(local_ray):
    import ray

    assert ray.nodes()[0]["NodeManagerAddress"] == "127.0.0.1"
    assert ray.get_runtime_context().gcs_address.startswith("127.0.0.1:")
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


@needs_ray
def test_the_command_gives_the_results_of_the_local_engine(local_ray, pairs, tmp_path):
    words = ["run", str(pairs), "--grid", "1", "--domain", "RS", *NO_WEIGHTS]
    assert main([*words, "--out", str(tmp_path / "alone")]) == 0
    assert main([*words, "--out", str(tmp_path / "work"), "--engine", "ray"]) == 0
    assert content(tmp_path / "work") == content(tmp_path / "alone")
    assert export(tmp_path / "work", tmp_path / "ray_out") == export(tmp_path / "alone", tmp_path / "alone_out")
    assert main(["status", str(tmp_path / "work")]) == main(["stats", str(tmp_path / "work")]) == 0


class _Troubled(OfflinePerceiver):
    """Kills its process always at the second pair and once at the third; babbles about the fourth; has a bug that
    shows at the fifth."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def ask(self, question):
        pair_id, died = question.pair.pair_id, self._folder / "died"
        if pair_id == "place_001":
            os.kill(os.getpid(), signal.SIGKILL)
        if pair_id == "place_002" and question.kind == "refine" and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if pair_id == "place_003":
            return Answer("I see a car.")
        if pair_id == "place_004":
            return Answer(str(1 // 0))
        return super().ask(question)


def troubled(folder: Path) -> Backends:
    return Backends(_Troubled(folder), OfflineSegmenter())


@needs_ray
def test_workers_that_die_and_pairs_that_fail_do_not_stop_the_others(local_ray, pairs, tmp_path, caplog):
    store = start(pairs, tmp_path / "work")
    ends = run_ray(store, partial(troubled, tmp_path), Prompts(), RayOptions(workers=2))
    # Two of the three deaths at the second pair put it back, and so does the one at the third pair.
    assert ends == {"refined": 3, "failed": 3, "put_back": MOST_DEATHS}
    rows = {row["pair_id"]: (row["step"], row["reason"]) for row in store.rows("SELECT * FROM pairs")}
    assert rows["place_000"] == rows["place_002"] == rows["place_005"] == ("refined", "")
    assert rows["place_001"] == ("failed", f"{MOST_DEATHS} workers died while processing it")
    assert rows["place_003"] == ("failed", "the perceiver answered no question about it")
    assert rows["place_004"][0] == "failed"
    assert "unexpected ZeroDivisionError" in rows["place_004"][1]
    assert "1 // 0" in caplog.text
    assert store.rows("SELECT COUNT(*) FROM pairs WHERE worker IS NOT NULL")[0][0] == 0
    # The worker that died in the last step of a pair had finished two; they were not repeated.
    alone = start(pairs, tmp_path / "alone")
    run_local(alone, Backends(OfflinePerceiver(), OfflineSegmenter()), Prompts(), 1)
    finished = (
        "SELECT key, response FROM exchanges WHERE pair_id IN ('place_000', 'place_002', 'place_005') ORDER BY 1"
    )
    assert list(map(tuple, store.rows(finished))) == list(map(tuple, alone.rows(finished)))
    for pair_id in ("place_000", "place_002"):
        assert [sample.expressions for sample in store.samples(pair_id)] == [
            sample.expressions for sample in alone.samples(pair_id)
        ]


def dying() -> Backends:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@needs_ray
def test_workers_that_die_while_loading_models_end_the_run_and_fail_no_pair(local_ray, pairs, tmp_path):
    store = start(pairs, tmp_path / "work")
    with pytest.raises(PermanentError, match="died while they loaded their models"):
        run_ray(store, dying, Prompts(), RayOptions(workers=1))
    assert [tuple(row) for row in store.rows("SELECT DISTINCT step, worker, deaths FROM pairs")] == [("new", None, 0)]


@needs_ray
def test_too_few_gpus_are_reported_in_one_line(local_ray, pairs, tmp_path, capsys):
    words = [
        "run",
        str(pairs),
        "--out",
        str(tmp_path / "work"),
        "--grid",
        "1",
        "--perceiver",
        "difference",
        "--engine",
        "ray",
        "--workers",
        "1",
    ]
    assert main([*words, "--gpus-per-worker", "64"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "1 workers with --gpus-per-worker 64 need 64 GPUs and Ray finds" in line


@pytest.mark.parametrize(
    ("workers", "share", "needed"), [(5, 0.0, 0), (4, 0.5, 2), (3, 0.6, 3), (7, 0.3, 3), (2, 1.0, 2), (2, 3.0, 6)]
)
def test_a_fraction_of_a_gpu_must_be_free_on_one_gpu(workers, share, needed, caplog):
    options = RayOptions(workers, gpus_per_worker=share)
    check_gpus(options, {"CPU": 1.0, "GPU": float(needed)} if needed else {})
    for found in range(needed):
        with pytest.raises(PermanentError, match=f"need {needed} GPUs and Ray finds {found}"):
            check_gpus(options, {"GPU": float(found)})
        # A cluster may grow.
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            check_gpus(replace(options, address="auto"), {"GPU": float(found)})
        assert f"Ray finds {found}" in caplog.text


def test_without_ray_one_line_says_what_to_install(pairs, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    words = [
        "run",
        str(pairs),
        "--out",
        str(tmp_path / "work"),
        "--grid",
        "1",
        "--perceiver",
        "difference",
        "--engine",
        "ray",
    ]
    assert main(words) == 2
    assert "mtrefseg[ray]" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--ray-address", "auto"], "need --engine ray"),
        (["--gpus-per-worker", "1"], "need --engine ray"),
        (["--engine", "ray", "--gpus-per-worker", "1.5"], "a fraction below 1 or a whole number"),
    ],
)
def test_bad_options_of_ray_are_refused(pairs, tmp_path, capsys, options, problem):
    assert main(["run", str(pairs), "--out", str(tmp_path / "work"), *options]) == 2
    assert problem in capsys.readouterr().err
