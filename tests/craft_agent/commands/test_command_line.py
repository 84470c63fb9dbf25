# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The command as its user calls it: from pictures to a data set, through any end."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from craft_agent.audit.store import AuditStore, Decision
from craft_agent.command_line import main
from craft_agent.state.database import FILE_NAME
from craft_agent.state.serialization import dump_mask
from craft_agent.state.store import Store
from craft_agent.steps.exporting import export_work
from tests.craft_agent.small_work import draw_pairs


ROOT = Path(__file__).parents[3]
KILLS = 4


def test_from_pictures_to_a_data_set(tmp_path, capsys):
    pairs, work = draw_pairs(tmp_path / "pairs", 2), tmp_path / "work"
    arguments = ["run", str(pairs), "--out", str(work), "--domain", "RS", "--grid", "2"]
    assert main([*arguments, "--dry-run", "--input-price", "1000000"]) == 0
    estimate = capsys.readouterr().out
    assert "2 pairs to do" in estimate
    assert not work.exists()
    assert main(arguments) == 0
    assert "2 refined" in capsys.readouterr().out
    assert main(arguments) == 0
    assert main(["export", str(work), str(tmp_path / "out")]) == 2
    assert "craft-agent audit" in capsys.readouterr().err
    store = AuditStore(work)
    for sample_id in store.sample_ids("ann"):
        store.decide(sample_id, "ann", Decision("accept"))
    assert main(["export", str(work), str(tmp_path / "out")]) == 0
    assert "2 pairs, 6 regions, 18 sentences" in capsys.readouterr().out
    assert main(["status", str(work)]) == 0
    assert "samples to audit: 6" in capsys.readouterr().out
    assert main(["stats", str(work), "--out", str(tmp_path / "funnel.png")]) == 0
    assert "samples accepted" in capsys.readouterr().out
    assert (tmp_path / "funnel.png").stat().st_size > 10_000
    assert main([*arguments, "--dry-run"]) == 0
    assert "0 pairs to do" in capsys.readouterr().out


def test_a_dry_run_loads_no_model(tmp_path, capsys):
    pairs, work = draw_pairs(tmp_path / "pairs", 2), tmp_path / "work"
    nowhere = ["--perceiver-model", str(tmp_path / "none"), "--segmenter-model", str(tmp_path / "none")]
    models = ["--perceiver", "transformers", "--segmenter", "clipseg", *nowhere]
    assert main(["run", str(pairs), "--out", str(work), *models, "--dry-run"]) == 0
    assert "2 pairs to do" in capsys.readouterr().out
    assert not work.exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["run", "{tmp}/none", "--out", "{tmp}/work"], "no folder"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/pairs/A/work"], "among the pictures"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/pairs"], "something else"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/work", "--rounds", "0"], "--rounds 0"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/work", "--grid", "0"], "--grid 0"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/work", "--grounding-iou", "nan"], "--grounding-iou nan"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/work", "--input-price", "nan"], "--input-price nan"),
        (["run", "{tmp}/pairs", "--out", "{tmp}/work", "--prompts", "{tmp}"], "perceive_whole.txt"),
        (["status", "{tmp}"], "holds no run"),
        (["export", "{tmp}", "{tmp}/out"], "holds no run"),
        (["stats", "{tmp}/none"], "holds no run"),
    ],
)
def test_bad_input_ends_with_one_line(tmp_path, capsys, arguments, problem):
    draw_pairs(tmp_path / "pairs", 1)
    assert main([argument.format(tmp=tmp_path) for argument in arguments]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert problem in line
    assert not (tmp_path / "work").exists()


def test_other_settings_are_refused(tmp_path, capsys):
    arguments = ["run", str(draw_pairs(tmp_path / "pairs", 1)), "--out", str(tmp_path / "work"), "--grid", "1"]
    assert main(arguments) == 0
    assert main([*arguments, "--paraphrases", "0"]) == 2
    assert "paraphrases was 2 and is 0" in capsys.readouterr().err


def test_killed_at_any_point_it_ends_as_if_nothing_had_happened(tmp_path):
    pairs = draw_pairs(tmp_path / "pairs", 3)
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert run_until(pairs, undisturbed, None) == 0
    total = answers(undisturbed)
    at = random.Random(0)
    for _ in range(KILLS):
        assert run_until(pairs, killed, answers(killed) + at.randrange(1, total // KILLS)) == -signal.SIGKILL
    assert run_until(pairs, killed, None) == 0
    # Nothing is lost, and nothing was asked twice: a second asking would be refused by its key or counted.
    assert content(killed) == content(undisturbed)
    exported = [export(work, tmp_path / f"{work.name}_out") for work in (undisturbed, killed)]
    assert exported[0] == exported[1]


def test_two_processes_share_a_run(tmp_path):
    pairs = draw_pairs(tmp_path / "pairs", 3)
    assert run_until(pairs, tmp_path / "alone", None) == 0
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda _: run_until(pairs, tmp_path / "shared", None), range(2)))
    assert ends == [0, 0]
    assert content(tmp_path / "shared") == content(tmp_path / "alone")


def run_until(pairs: Path, work: Path, kill_at: int | None) -> int:
    """Runs the command, and kills it as soon as it has stored so many answers."""
    command = [sys.executable, "-m", "craft_agent", "run", str(pairs), "--out", str(work), "--grid", "2"]
    process = subprocess.Popen(
        [*command, "--domain", "RS"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while kill_at is not None and process.poll() is None:
        if answers(work) >= kill_at:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.005)
    return process.wait(timeout=600)


def answers(work: Path) -> int:
    try:
        with sqlite3.connect(f"file:{work / FILE_NAME}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT COUNT(*) FROM exchanges").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def content(work: Path) -> dict[str, list[tuple]]:
    """All that a run found and asked, without times."""
    store = Store(work)
    queries = {
        "pairs": "SELECT pair_id, step, attempts, worker FROM pairs ORDER BY 1",
        "exchanges": "SELECT key, pair_id, kind, response, problem FROM exchanges ORDER BY 1",
        "candidates": "SELECT * FROM candidates ORDER BY 1, 2",
        "proposals": "SELECT * FROM proposals ORDER BY 1, 2",
        "rounds": "SELECT * FROM rounds ORDER BY 1, 2, 3",
        "samples": "SELECT * FROM samples ORDER BY 1",
    }
    return {name: [tuple(row) for row in store.rows(query)] for name, query in queries.items()}


def export(work: Path, out: Path) -> list[tuple[str, str]]:
    store = AuditStore(work)
    for sample_id in store.sample_ids("ann"):
        store.decide(sample_id, "ann", Decision("accept"))
    assert all(dump_mask(store.sample(sample_id).mask) for sample_id in store.sample_ids("ann", "all"))
    raw = export_work(work, out).raw
    return [(str(path.relative_to(raw)), path.read_bytes().hex()) for path in sorted(raw.rglob("*")) if path.is_file()]
