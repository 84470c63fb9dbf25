# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Kills of training runs are counted right. The runs themselves: tests/trainer/loop/test_engines.py."""

import json
import os
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file


pytest.importorskip("accelerate", reason="the extra train")

from benchmarks.training import kills


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")


def write(folder, wrong=0.0):
    """What a run leaves at its end."""
    folder.mkdir(parents=True, exist_ok=True)
    history = [{"step": step, "loss": 1 / step, "pairs_per_second": 100.0} for step in range(1, kills.STEPS + 1)]
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    save_file({"weight": torch.tensor([1.0 + wrong])}, folder / "model.safetensors")


@pytest.fixture
def play(monkeypatch, tmp_path):
    """Lets a function take the place of training: it is given the output folder."""

    def replace(run):
        def main(arguments):
            return run(Path(arguments[arguments.index("--output_dir") + 1]))

        monkeypatch.setattr(kills.finetune, "main", main)
        monkeypatch.setattr(kills, "last_checkpoint", lambda folder: next(iter(folder.glob("checkpoint-*")), None))
        return lambda count=3: kills.compare("single", count, tmp_path, 0)

    return replace


def train(folder, ends=True, wrong=0.0):
    """Writes the last checkpoint and logs all steps then, so that the run after one that is killed has none to do."""
    if not (folder / f"checkpoint-{kills.STEPS}").exists():
        write(folder, wrong)
        (folder / f"checkpoint-{kills.STEPS}").mkdir()
        for step in range(1, kills.STEPS + 1):
            os.write(1, f"step {step:>2}/{kills.STEPS}\n".encode())
        if not ends:
            time.sleep(600)
    return 0


def test_a_run_that_had_nothing_left_to_do_was_not_killed(play, capfd):
    row = play(lambda folder: train(folder, ends=folder.name == "undisturbed"))()
    assert (row["kills"], row["runs"], row["losses_equal"], row["weights_equal"]) == (3, 3, True, True)
    assert capfd.readouterr().out.count("ended before kill") == 2


def test_steps_of_one_digit_are_seen(tmp_path):
    run = kills.Run.__new__(kills.Run)
    run.log = tmp_path / "log"
    run.log.write_text("step  8/24  loss 1\nstep  9/24  loss 1\n")
    assert run.step == 9


def test_every_run_is_compared(play):
    row = play(lambda folder: train(folder, folder.name == "undisturbed", wrong=folder.name == "killed-2"))()
    assert (row["losses_equal"], row["weights_equal"]) == (True, False)


def test_a_run_that_fails_is_no_kill(play):
    def run(folder):
        train(folder)
        return int(folder.name != "undisturbed")

    with pytest.raises(RuntimeError, match="the run has failed:\nstep  1/"):
        play(run)()
