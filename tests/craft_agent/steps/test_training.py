# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What was audited and exported trains a model, and the data tools find nothing wrong with it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from craft_agent.audit.decisions import Decision
from craft_agent.audit.store import AuditStore
from craft_agent.command_line import main
from dataset_scripts.command_line import main as data_main
from tests.craft_agent.small_work import make_work
from tests.tiny_models import TINY


ROOT = Path(__file__).parents[3]
STEPS = 4


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("craft")
    work = make_work(folder, pairs=4)
    audit = AuditStore(work)
    for sample_id in audit.sample_ids("ann"):
        audit.decide(sample_id, "ann", Decision("accept"))
    assert main(["export", str(work), str(folder / "data")]) == 0
    # The same again stands for a split to validate on.
    assert main(["export", str(work), str(folder / "val"), "--split", "val"]) == 0
    return folder / "data"


def test_the_data_tools_pass_both_layouts(exported, capsys):
    for folder in (exported / "parquet", exported / "raw" / "data"):
        assert data_main(["validate", str(folder)]) == 0
        assert " 0 FAIL" in capsys.readouterr().out


def test_stage_2_learns_from_it(exported, tmp_path):
    recipe = {
        "preset": "tiny",
        "image_size": 64,
        "config_overrides": TINY,
        "train_data": [str(exported / "parquet")],
        "eval_data": [str(exported.with_name("val") / "raw" / "val")],
        "max_steps": STEPS,
        "per_device_train_batch_size": 2,
        "learning_rate": 1e-3,
        "logging_steps": 1,
        "eval_strategy": "no",
        "save_strategy": "no",
        "disable_tqdm": True,
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    command = [sys.executable, "trainer/finetune.py", "--config", str(tmp_path / "recipe.yaml")]
    done = subprocess.run(
        [*command, "--output_dir", str(tmp_path / "model")],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    history = json.loads((tmp_path / "model" / "trainer_state.json").read_text())["log_history"]
    assert [log["step"] for log in history if "loss" in log] == list(range(1, STEPS + 1))
    assert (tmp_path / "model" / "model.safetensors").is_file()
