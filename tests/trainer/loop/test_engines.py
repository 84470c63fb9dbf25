# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""DeepSpeed and two processes on the CPU: killed and resumed, compared with one process. Slow: minutes."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoModel


ROOT = Path(__file__).parents[3]
LAUNCH = ("-m", "accelerate.commands.launch", "--config_file")
PATIENCE = 3600
"""Seconds, for a machine with other work, too."""
pytestmark = pytest.mark.skipif("MTREFSEG_SLOW_TESTS" not in os.environ, reason="minutes: set MTREFSEG_SLOW_TESTS")


def adapter_parts(folder):
    """By the names of the merged model: what the adapters add to weights, and the parts that are trained in full."""
    config = json.loads((folder / "adapter_config.json").read_text())
    saved = load_file(folder / "adapter_model.safetensors")
    saved = {name.removeprefix("base_model.model."): tensor for name, tensor in saved.items()}
    added = {
        name.replace("lora_A.", ""): saved[name.replace("lora_A", "lora_B")]
        @ tensor
        * config["lora_alpha"]
        / config["r"]
        for name, tensor in saved.items()
        if "lora_A" in name
    }
    return added, {name: tensor for name, tensor in saved.items() if "lora_" not in name}


def test_runs_that_are_killed_at_random_steps_end_like_one_that_is_not(tmp_path):
    command = [sys.executable, "-m", "benchmarks.training.kills", "--kills", "5", "--out", str(tmp_path / "kills.csv")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 0, result.stderr
    with (tmp_path / "kills.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["engine"] for row in rows] == ["single", "ddp", "zero2"]
    assert all(row["losses_equal"] == row["weights_equal"] == "True" for row in rows)


def test_adapters_that_zero3_has_partitioned_are_merged_like_others(run, tmp_path):
    common = ("--max_steps", 2, "--save_strategy", "no", "--eval_strategy", "no", "--use_peft", "true", "--lora_r", 2)
    # By default such small tensors would not be partitioned.
    partition_all = {
        "zero_optimization": {
            "stage": 3,
            "stage3_param_persistence_threshold": 0,
            "stage3_gather_16bit_weights_on_model_save": True,
        },
        **dict.fromkeys(
            ("train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "gradient_clipping"), "auto"
        ),
    }
    (tmp_path / "deepspeed.json").write_text(json.dumps(partition_all))
    config = yaml.safe_load((ROOT / "trainer/accelerate/cpu_zero3.yaml").read_text())
    config["deepspeed_config"] = {"deepspeed_config_file": str(tmp_path / "deepspeed.json"), "zero3_init_flag": False}
    del config["mixed_precision"]
    (tmp_path / "zero3.yaml").write_text(yaml.safe_dump(config))
    zero3 = (*LAUNCH, str(tmp_path / "zero3.yaml"))
    run("finetune", "--output_dir", tmp_path / "single", *common, timeout=PATIENCE)
    two = ("--per_device_train_batch_size", 1, "--expected_engine", "zero3")
    run("finetune", "--output_dir", tmp_path / "zero3", *common, *two, launcher=zero3, timeout=PATIENCE)
    one, other = (load_file(tmp_path / name / "merged" / "model.safetensors") for name in ("single", "zero3"))
    assert one.keys() == other.keys()
    given, taken = (adapter_parts(tmp_path / name) for name in ("single", "zero3"))
    assert given[0].keys() == taken[0].keys() != set()
    for name, change in taken[0].items():
        # Both began with the same weights.
        torch.testing.assert_close(other[name] - change, one[name] - given[0][name], rtol=0, atol=1e-6, msg=name)
        assert not torch.equal(change, given[0][name])
    for name, weight in taken[1].items():
        assert torch.equal(other[name], weight), name
    AutoModel.from_pretrained(tmp_path / "zero3" / "merged")


def test_all_engines_take_the_same_steps_and_save_the_weights_in_memory(tmp_path):
    command = [
        sys.executable,
        "-m",
        "benchmarks.training.engines",
        "--steps",
        "3",
        "--out",
        str(tmp_path / "engines.csv"),
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 0, result.stderr
    with (tmp_path / "engines.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["engine"].split(",")[0] for row in rows] == [
        "MTRefSegModel (single)",
        "DistributedDataParallel (ddp)",
        "DeepSpeedEngine (zero2)",
        "DeepSpeedEngine (zero3)",
    ]
    for row in rows:
        assert float(row["relative"]) < 1e-4
        assert row["saved_equal_memory"] == "True"
        assert (int(row["partitioned"]) > 50) == ("zero3" in row["engine"])
