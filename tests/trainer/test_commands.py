# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The commands in processes of their own, from stage 1 to the table, killed and resumed; the recipes."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from transformers import AutoModel, AutoProcessor, TrainingArguments

from modeling_mtrefseg import MTRefSegVisionModel
from trainer.arguments import AugmentationArguments, DataArguments, DistillationArguments
from trainer.command_line import TrainingParser, parse_arguments
from trainer.names import RECIPES
from trainer.options import with_recipe


ROOT = Path(__file__).parents[2]
STEPS = ("--max_steps", 6, "--save_steps", 1, "--eval_data", "none", "--save_total_limit", 10)


def losses(folder):
    """The loss of each step that was logged, and its parts."""
    history = json.loads((folder / "trainer_state.json").read_text())["log_history"]
    logs = {log["step"]: log for log in history if "loss" in log}
    return {step: {name: log[name] for name in log if name.startswith("loss")} for step, log in logs.items()}


@pytest.fixture(scope="module")
def stage1(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stage1") / "model"
    return folder, run("pretrain", "--output_dir", folder)


def test_stage_1_then_stage_2(run, stage1, tmp_path):
    folder, said = stage1
    assert "dice" in said
    assert ", language" not in said
    assert not any("language_model" in name for name in load_file(folder / "model.safetensors"))
    MTRefSegVisionModel.from_pretrained(folder)

    said = run("finetune", "--stage1", folder, "--output_dir", tmp_path, "--load_best_model_at_end", "true")
    assert "Engine: MTRefSegModel (single), 1 process, cpu, fp32" in said
    (log,) = [line for line in said.splitlines() if line.startswith("step 2/4  loss ")]
    assert all(f"{part} " in log for part in ("dice", "language", "mask", "no_target"))
    assert "missing keys" not in said
    assert "step 2/4  validation: loss " in said
    table = dict(line.split("  ", 1) for line in said.splitlines()[-13:] if "  " in line)
    assert table["steps"].strip() == "4"
    assert 0 <= float(table["mIoU"]) <= 100
    AutoModel.from_pretrained(tmp_path)
    AutoProcessor.from_pretrained(tmp_path)
    card = ModelCard.load(tmp_path / "README.md")
    scores = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert scores["mIoU"] == pytest.approx(float(table["mIoU"]), abs=0.01)
    assert str(tmp_path) not in (tmp_path / "README.md").read_text()
    # Nothing is pickled but the states of optimizer and random generators, which checkpoints alone hold.
    assert not list(tmp_path.glob("*.bin"))
    assert not list(tmp_path.glob("*.pt"))
    state = json.loads((tmp_path / "trainer_state.json").read_text())
    assert Path(state["best_model_checkpoint"]).parent == tmp_path


def test_a_killed_run_resumes_with_equal_results(run, start, stage1, tmp_path):
    common = ("--stage1", stage1[0], "--gradient_accumulation_steps", 2, "--dataloader_num_workers", 1, *STEPS)
    run("finetune", "--output_dir", tmp_path / "undisturbed", *common)
    process = start("finetune", "--output_dir", tmp_path / "killed", *common)
    while not (tmp_path / "killed" / "checkpoint-3").exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert "trainer_state.json" not in os.listdir(tmp_path / "killed")
    said = run("finetune", "--output_dir", tmp_path / "killed", *common, code=2)
    assert "--resume_from_checkpoint last" in said
    run("finetune", "--output_dir", tmp_path / "killed", *common, "--resume_from_checkpoint", "last")
    assert losses(tmp_path / "killed") == losses(tmp_path / "undisturbed")
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("undisturbed", "killed")]
    assert all(torch.equal(weights[1][name], weight) for name, weight in weights[0].items())


def test_an_engine_that_is_not_there_stops_the_run(run, tmp_path):
    said = run("finetune", "--output_dir", tmp_path, "--expected_engine", "zero2", code=2)
    assert said.splitlines()[-1].startswith("finetune.py: error: expected_engine is 'zero2'")


slow = pytest.mark.skipif("MTREFSEG_SLOW_TESTS" not in os.environ, reason="takes a minute: set MTREFSEG_SLOW_TESTS")


@pytest.mark.parametrize(
    "config",
    [pytest.param("cpu_two_processes", marks=slow), "cpu_zero2", pytest.param("cpu_zero3", marks=slow)],
)
def test_two_processes_score_as_one(run, stage1, tmp_path, config):
    launcher = ("-m", "accelerate.commands.launch", "--config_file", f"trainer/accelerate/{config}.yaml")
    engine = "ddp" if config == "cpu_two_processes" else config.removeprefix("cpu_")
    common = ("--stage1", stage1[0], "--max_steps", 2, "--learning_rate", 0, "--backbone_learning_rate", 0)
    wanted = ("--expected_engine", engine, "--expected_processes", 2)
    run("finetune", "--output_dir", tmp_path / "one", *common)
    # accelerate's launcher starts the script itself, so it comes first.
    said = run(
        "finetune",
        "--output_dir",
        tmp_path / "two",
        *common,
        *wanted,
        "--per_device_train_batch_size",
        1,
        launcher=launcher,
    )
    assert f"({engine}), 2 processes, gloo, cpu" in said
    one, two = (json.loads((tmp_path / name / "trainer_state.json").read_text()) for name in ("one", "two"))
    for log, other in zip(one["log_history"], two["log_history"]):
        for name, value in log.items():
            if name.startswith("eval_") and "second" not in name and "runtime" not in name:
                assert other[name] == pytest.approx(value, rel=1e-4), name
    AutoModel.from_pretrained(tmp_path / "two")


@pytest.mark.parametrize(
    "recipe",
    sorted(RECIPES.rglob("*.yaml")),
    ids=lambda path: path.stem,
)
def test_recipes_can_be_read(recipe):
    name = recipe.relative_to(RECIPES).with_suffix("").as_posix().replace("/", "_")
    if name in ("checkpoint_06_distill_vocabulary", "checkpoint_10_distill_paraphrases"):
        groups = (DistillationArguments, DataArguments, AugmentationArguments, TrainingArguments)
        given, _ = with_recipe(["--config", str(recipe)], "checkpoint/06_distill_vocabulary")
        *_, training = TrainingParser(groups, "distill.py", None).parse(given)
        assert name == training.output_dir.removeprefix("outputs/").replace("/", "_")
        return
    _, data, _, training, model_config = parse_arguments("tiny_stage2", ["--config", str(recipe)])
    assert training.report_to in ("none", [], ["none"])
    # "outputs/checkpoint/07_all_parts" is that of checkpoint/07_all_parts.
    assert name.startswith(training.output_dir.removeprefix("outputs/").replace("/", "_"))
    assert (model_config.use_peft and model_config.lora_alpha == 16) or "lora" not in recipe.stem
    assert data.eval_data or recipe.stem == "paper_stage1"


def test_recipes_have_the_papers_numbers():
    for stage, rate in ((1, 1e-4), (2, 5e-5)):
        _, _, augmentation, training, _ = parse_arguments(
            "tiny_stage2", ["--config", str(RECIPES / f"paper_stage{stage}.yaml")]
        )
        assert training.num_train_epochs == 20
        assert training.learning_rate == rate
        assert (training.per_device_train_batch_size, training.gradient_accumulation_steps) == (4, 8)
        assert training.warmup_steps == 0.05
        assert training.bf16
        assert not any(value for name, value in vars(augmentation).items() if name.endswith("_share"))


def test_without_a_recipe_the_commands_take_their_own():
    assert parse_arguments("tiny_stage1", [])[3].output_dir == "outputs/tiny_stage1"
    assert parse_arguments("tiny_stage1", ["--learning_rate", "0.5"])[3].learning_rate == 0.5


@pytest.mark.parametrize("path", sorted((ROOT / "trainer" / "accelerate").glob("*.yaml")), ids=lambda path: path.stem)
def test_accelerate_configurations_can_be_read(path):
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(path))
    assert config.num_processes == yaml.safe_load(path.read_text())["num_processes"]
