# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The curves of a training: read from wherever its log is, and drawn."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from trainer.ablation import plot_curves
from trainer.ablation.plot_curves import read_curves, smooth
from trainer.errors import TrainingError


def write_log(folder, logs):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": logs}))
    return folder


LOGS = [
    {"step": 10, "loss": 8.0, "loss_mask": 5.0, "loss_dice": 3.0, "epoch": 0.1},
    {"step": 20, "loss": 4.0, "loss_mask": 2.0, "loss_dice": 2.0, "epoch": 0.2},
    {"step": 20, "eval_mIoU": 40.0, "eval_T-acc": 90.0},
    {"step": 20, "train_runtime": 3.0},
    {"step": 20, "eval_mIoU": 41.0},
]


def test_curves_are_read_from_the_folder_or_its_last_checkpoint(tmp_path):
    run = tmp_path / "run"
    write_log(run / "checkpoint-9", LOGS[:1])
    write_log(run / "checkpoint-20", LOGS[:3])
    assert read_curves(run)["eval_mIoU"] == {20: 40.0}
    write_log(run, LOGS)
    curves = read_curves(run)
    assert curves["loss"] == {10: 8.0, 20: 4.0}
    assert curves["eval_mIoU"] == {20: 41.0}
    with pytest.raises(TrainingError, match="and no checkpoint"):
        read_curves(tmp_path / "nothing")


def test_smoothing_keeps_ends_and_mean_level():
    values = np.concatenate([np.zeros(200), np.ones(200)])
    smoothed = smooth(values)
    assert (smoothed[0], smoothed[-1]) == (0.0, 1.0)
    assert smoothed[200] == pytest.approx(0.5, abs=0.05)
    assert (np.diff(smoothed) >= 0).all()
    assert smooth(np.array([3.0])).tolist() == [3.0]


def test_the_command_draws_every_training_it_is_given(tmp_path, monkeypatch, capsys):
    folders = [write_log(tmp_path / name, LOGS) for name in ("one", "two")]
    folders.append(write_log(tmp_path / "unscored", LOGS[:2]))
    sizes = []
    for count in (1, 3):
        out = tmp_path / "images" / f"{count}.png"
        monkeypatch.setattr(sys, "argv", ["plot_curves.py", *map(str, folders[-count:]), "--out", str(out)])
        plot_curves.main()
        assert str(out) in capsys.readouterr().out
        with Image.open(out) as image:
            sizes.append(image.size)
    assert sizes[1] == (sizes[0][0], 3 * sizes[0][1])


def test_a_training_without_a_log_is_refused_in_one_line(tmp_path, monkeypatch, capsys):
    write_log(tmp_path / "new", [])
    monkeypatch.setattr(sys, "argv", ["plot_curves.py", str(tmp_path / "new"), "--out", str(tmp_path / "x.png")])
    assert plot_curves.main() == 2
    assert "new holds no losses yet" in capsys.readouterr().err
