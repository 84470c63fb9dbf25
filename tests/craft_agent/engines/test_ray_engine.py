# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The engine for many machines, on a local Ray of two workers: what comes out is what the local engine gives."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from craft_agent.backends.offline.perceiver import OfflinePerceiver
from craft_agent.backends.offline.segmenter import OfflineSegmenter
from craft_agent.backends.protocols import Answer
from craft_agent.command_line import main
from craft_agent.engines.local_engine import run_local
from craft_agent.engines.ray_engine import MOST_DEATHS, RayOptions, _check_cards, run_ray, started_ray
from craft_agent.errors import PermanentError
from craft_agent.prompts.templates import Prompts
from craft_agent.steps.pipeline import Backends
from tests.craft_agent.commands.test_command_line import content, export
from tests.craft_agent.small_work import draw_pairs
from tests.craft_agent.state.test_pairs_folder import start


ROOT = Path(__file__).parents[3]
PAIRS = 12
PATIENCE_SECONDS = 600
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return draw_pairs(tmp_path_factory.mktemp("ray") / "pairs", PAIRS)


@pytest.fixture(scope="module")
def alone(pairs):
    """What the local engine makes of the pairs."""
    work = pairs.parent / "alone"
    assert main(["run", str(pairs), "--out", str(work), "--grid", "1", "--domain", "RS"]) == 0
    return work


def command(pairs, work):
    words = ["run", str(pairs), "--out", str(work), "--grid", "1", "--domain", "RS", "--engine", "ray"]
    return [sys.executable, "-m", "craft_agent", *words, "--workers", "2"]


@needs_ray
def test_killed_in_the_middle_it_ends_as_the_local_engine_does(pairs, alone, tmp_path):
    work = tmp_path / "work"
    process = subprocess.Popen(
        command(pairs, work), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    end = time.monotonic() + PATIENCE_SECONDS
    while not (before := list((work / "shared" / "done").glob("*.parquet"))) and process.poll() is None:
        if time.monotonic() > end:
            break
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    written = {path: path.stat().st_mtime_ns for path in before}
    assert 0 < len(written) < PAIRS
    told = subprocess.run(
        command(pairs, work), cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert told.returncode == 0, told.stderr
    assert f"pairs: {PAIRS} refined" in told.stdout
    # What was finished is taken over, not made anew.
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert content(work) == content(alone)
    assert export(work, tmp_path / "ray_out") == export(alone, tmp_path / "alone_out")
    assert main(["status", str(work)]) == main(["stats", str(work)]) == 0


class _Troubled(OfflinePerceiver):
    """Takes its process down: always at the second pair, once at the third; and babbles about the fourth."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ask(self, question):
        pair_id = question.pair.pair_id
        if pair_id == "place_001" or (pair_id == "place_002" and not (self._folder / "died").exists()):
            if pair_id == "place_002" and question.kind == "refine":
                (self._folder / "died").touch()
            if pair_id == "place_001" or question.kind == "refine":
                os._exit(1)
        if pair_id == "place_003":
            return Answer("I see a car.")
        return super().ask(question)


def troubled(folder: Path) -> Backends:
    return Backends(_Troubled(folder), OfflineSegmenter())


@needs_ray
def test_workers_that_die_and_pairs_that_fail_are_reported_and_nothing_is_lost(tmp_path):
    pictures = draw_pairs(tmp_path / "pairs", 4)
    store = start(pictures, tmp_path / "work")
    options = RayOptions(str(tmp_path / "shared"), workers=2)
    with started_ray(options):
        import ray

        # It listens on this machine alone, and reports to nobody.
        assert ray.nodes()[0]["NodeManagerAddress"] == "127.0.0.1"
        assert ray.get_runtime_context().gcs_address.startswith("127.0.0.1:")
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        ends = run_ray(store, partial(troubled, tmp_path), Prompts(), options)
    assert ends == {"refined": 2, "failed": 2}
    rows = {row["pair_id"]: (row["step"], row["reason"]) for row in store.rows("SELECT * FROM pairs")}
    assert rows["place_000"] == rows["place_002"] == ("refined", "")
    assert rows["place_001"] == ("failed", f"{MOST_DEATHS} workers ended in the middle of it")
    assert rows["place_003"] == ("failed", "the perceiver answered no question about it")
    asked = "SELECT COUNT(*) FROM exchanges WHERE pair_id = 'place_003' AND problem != ''"
    assert store.rows(asked)[0][0] > 0
    assert store.rows("SELECT COUNT(*) FROM pairs WHERE worker IS NOT NULL")[0][0] == 0
    # The worker that died in its last step had finished two; they were not taken anew.
    alone = start(pictures, tmp_path / "alone")
    run_local(alone, Backends(OfflinePerceiver(), OfflineSegmenter()), Prompts(), 1)
    for pair_id in ("place_000", "place_002"):
        exchanges = "SELECT key, response FROM exchanges WHERE pair_id = ? ORDER BY 1"
        assert [tuple(row) for row in store.rows(exchanges, pair_id)] == [
            tuple(row) for row in alone.rows(exchanges, pair_id)
        ]
        assert [sample.expressions for sample in store.samples(pair_id)] == [
            sample.expressions for sample in alone.samples(pair_id)
        ]


@needs_ray
def test_fewer_graphics_cards_than_the_workers_need_are_told_in_one_line(pairs, tmp_path, capsys):
    words = ["run", str(pairs), "--out", str(tmp_path / "work"), "--grid", "1", "--engine", "ray", "--workers", "1"]
    assert main([*words, "--gpus-per-worker", "64"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "1 workers with --gpus-per-worker 64 need 64 graphics cards and Ray finds" in told


@pytest.mark.parametrize(
    ("workers", "share", "needed"), [(5, 0.0, 0), (4, 0.5, 2), (3, 0.6, 3), (7, 0.3, 3), (2, 1.0, 2), (2, 3.0, 6)]
)
def test_a_share_of_a_card_lies_on_one_card(workers, share, needed, caplog):
    options = RayOptions("/shared", workers, graphics_cards=share)
    _check_cards(options, {"CPU": 1.0, "GPU": float(needed)} if needed else {})
    for found in range(needed):
        with pytest.raises(PermanentError, match=f"need {needed} graphics cards and Ray finds {found}"):
            _check_cards(options, {"GPU": float(found)})
        # A cluster may grow.
        caplog.clear()
        _check_cards(replace(options, address="auto"), {"GPU": float(found)})
        assert f"Ray finds {found}" in caplog.text


def test_without_ray_one_line_says_what_to_install(pairs, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ["run", str(pairs), "--out", str(tmp_path / "work"), "--grid", "1", "--engine", "ray"]
    assert main(words) == 2
    assert "mtrefseg[ray]" in capsys.readouterr().err.splitlines()[-1]


def test_options_of_ray_need_ray(pairs, tmp_path, capsys):
    assert main(["run", str(pairs), "--out", str(tmp_path / "work"), "--shared", str(tmp_path)]) == 2
    assert "need --engine ray" in capsys.readouterr().err
    words = ["run", str(pairs), "--out", str(tmp_path / "work"), "--engine", "ray", "--shared", "ftp://host/folder"]
    assert main(words) == 2
    assert "cannot be a shared folder" in capsys.readouterr().err
    assert main([*words[:-2], "--gpus-per-worker", "1.5"]) == 2
    assert "a share of one or a whole number" in capsys.readouterr().err
