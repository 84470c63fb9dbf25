# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""DeepSpeed and two processes on the CPU: killed and resumed, compared with one process. Slow: minutes."""

import csv
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoModel

from trainer.loop.checkpointing import UNFINISHED
from trainer.loop.run_lock import LOCK


ROOT = Path(__file__).parents[3]
LAUNCH = ("-m", "accelerate.commands.launch", "--config_file")
ZERO2 = (*LAUNCH, "trainer/accelerate/cpu_zero2.yaml")
LAUNCHERS = {"single": (), "ddp": (*LAUNCH, "trainer/accelerate/cpu_two_processes.yaml"), "zero2": ZERO2}
STEPS, KILLS = 24, 20
PATIENCE = 3600
"""Seconds, for a machine with other work, too."""
pytestmark = pytest.mark.skipif("MTREFSEG_SLOW_TESTS" not in os.environ, reason="minutes: set MTREFSEG_SLOW_TESTS")


def losses(folder):
    history = json.loads((folder / "trainer_state.json").read_text())["log_history"]
    return {log["step"]: log["loss"] for log in history if "loss" in log}


def kill(process):
    """SIGKILL for the launcher and all that it has started."""
    family = [process, *psutil.Process(process.pid).children(recursive=True)]
    for member in family:
        member.kill()
    process.communicate()


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


def last_checkpoint(folder):
    return max((int(path.name.rpartition("-")[2]) for path in folder.glob("checkpoint-*")), default=0)


@pytest.mark.parametrize("engine", LAUNCHERS)
def test_a_run_that_is_killed_at_random_steps_ends_like_one_that_is_not(engine, run, start, tmp_path):
    launcher = LAUNCHERS[engine]
    common = ("--max_steps", STEPS, "--save_steps", 2, "--eval_data", "none", "--expected_engine", engine)
    output = run("finetune", "--output_dir", tmp_path / "undisturbed", *common, launcher=launcher, timeout=PATIENCE)
    assert f"({engine})" in output
    random_numbers = random.Random(0)
    kills = []
    for wanted in sorted(random_numbers.sample(range(1, STEPS), KILLS)):
        folder = tmp_path / "killed"
        step = resumed_from = last_checkpoint(folder)
        command = ("--output_dir", folder, *common, "--resume_from_checkpoint", "last")
        process = start("finetune", *command, launcher=launcher)
        for line in process.stdout:
            step += "  loss " in line
            if step >= wanted:
                break
        assert step >= wanted, f"ended after step {step}"
        time.sleep(random_numbers.random() / 2)  # Somewhere in the next steps, or while a checkpoint is written.
        had_unfinished = (folder / UNFINISHED).exists()
        kill(process)
        kills.append(
            {
                "resumed_from": resumed_from,
                "last_logged_step": step,
                "last_checkpoint": last_checkpoint(folder),
                "while_saving": had_unfinished,
            }
        )
        (tmp_path / "kills.json").write_text(json.dumps(kills))
    run("finetune", *command, launcher=launcher, timeout=PATIENCE)
    assert losses(tmp_path / "killed") == losses(tmp_path / "undisturbed")
    assert len(losses(tmp_path / "killed")) == STEPS
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("undisturbed", "killed")]
    assert all(torch.equal(weights[1][name], weight) for name, weight in weights[0].items())
    assert not (tmp_path / "killed" / UNFINISHED).exists()
    assert not (tmp_path / "killed" / LOCK).exists()


def test_adapters_that_zero3_has_partitioned_are_merged_like_others(run, tmp_path):
    common = ("--max_steps", 2, "--save_strategy", "no", "--eval_strategy", "no", "--use_peft", "true", "--lora_r", 2)
    # By default minute tensors would stay whole.
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
    zero3 = (*ZERO2[:-1], str(tmp_path / "zero3.yaml"))
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


def test_all_engines_take_the_same_steps_and_save_what_they_have_learnt(tmp_path):
    command = [sys.executable, "-m", "benchmarks.engines", "--steps", "3", "--out", str(tmp_path / "engines.csv")]
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
