# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The card of a trained model, which is published: it names no folders of the machine."""

import sys
from pathlib import Path

import pytest

from trainer.evaluation import shown_name, write_card


def test_absolute_paths_are_shortened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / "data" / name for name in ("ns_one", "ns_two")]
    for folder in folders:
        folder.mkdir(parents=True)
    composed = f"composed:{folders[0]},{folders[1]}"
    command = ["trainer/finetune.py", f"--output_dir={tmp_path}/run", "--train_data", composed, str(folders[0])]
    monkeypatch.setattr(sys, "argv", command)
    write_card(
        tmp_path / "run",
        name="run",
        repository="run",
        train_data=[composed, str(folders[0])],
        eval_data=[],
        scores={},
        steps=1,
        engine="single",
        is_stage1=False,
    )
    card = (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert "--output_dir=run --train_data composed:ns_one,ns_two ns_one" in card
    assert "| data | composed:ns_one,ns_two, ns_one |" in card
    assert str(tmp_path) not in card
    assert shown_name("composed:other") == "composed:other"
