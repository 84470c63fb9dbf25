# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Command lines and recipes of the training commands: help, errors, and what is found before any data is prepared."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest
from trl import ModelConfig

from dataset_scripts import synthesis
from dataset_scripts.readers import opening, schema
from modeling_mtrefseg import MTRefSegModel
from mtrefseg.build.pretrained import BACKBONES
from trainer import finetune, pretrain
from trainer.arguments import AugmentationArguments, DataArguments, ModelArguments, TrainingOptions
from trainer.command_line import parse_arguments
from trainer.errors import TrainingError
from trainer.loop import running
from trainer.loop.checks import check_inputs
from trainer.names import COMPOSED, GENERATED, NO_TARGET_SHARE, PRETRAINED_BACKBONES, SETTINGS, SPLITS
from trainer.options import read_recipe, scene_options, stage_options
from trainer.training_config import MTRefSegTrainingConfig


ROOT = Path(__file__).parents[2]


def test_names_are_those_of_the_modules_that_are_imported_later() -> None:
    assert tuple(BACKBONES) == PRETRAINED_BACKBONES
    assert tuple(schema.SETTINGS) == SETTINGS
    assert tuple(schema.SPLITS) == SPLITS
    assert synthesis.NO_TARGET_SHARE == NO_TARGET_SHARE
    assert (opening.GENERATED, opening.COMPOSED) == (GENERATED, COMPOSED)


def test_help_describes_our_own_options_and_those_that_most_runs_need(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        finetune.main(["--help"])
    assert stop.value.code == 0
    described = capsys.readouterr().out.partition("\noptions:\n")[2]
    for group in (ModelArguments, DataArguments, AugmentationArguments, TrainingOptions):
        assert all(f"--{field.name} " in described for field in fields(group))
    assert "--max_steps" in described
    assert "--adam_beta1" not in described


def test_all_options_of_the_libraries_are_listed_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        finetune.main(["--help_all"])
    assert "--adam_beta1" in capsys.readouterr().out


def test_options_are_known_without_importing_the_libraries() -> None:
    known = stage_options()._known
    groups = (ModelArguments, DataArguments, AugmentationArguments, MTRefSegTrainingConfig, ModelConfig)
    assert known.keys() >= {field.name for group in groups for field in fields(group) if field.init}
    assert known.keys() >= stage_options().shown.keys()
    assert scene_options()._known.keys() >= scene_options().shown.keys()


@pytest.mark.parametrize(
    "command",
    [
        [f"trainer/{script}.py", *arguments]
        for script in ("finetune", "pretrain", "pretrain_scenes", "distill", "evaluate", "ablate", "calibrate")
        for arguments in (["--help"], ["--no_such_option", "1"])
    ],
    ids=" ".join,
)
def test_help_and_usage_errors_import_no_large_library(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == (0 if "--help" in command else 2)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "argparse" in imported
    assert not imported & {"torch", "transformers", "trl", "datasets", "numpy"}


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (["ablate", "--matrix", "no.yaml"], "no.yaml cannot be read"),
        (["ablate", "--runs", "typo"], "ablation.yaml has no typo"),
        (["ablate", "--accelerate_config", "no.yaml"], "no.yaml cannot be read"),
        (["ablate", "--steps", "1"], "too few for a stage1_share"),
        (["calibrate", "--output_dir", "out", "--model", "no"], "--model no is neither"),
        (["calibrate", "--output_dir", "out", "--model", "mtrefseg-r1", "--also", "no"], "--also no is neither"),
        (["finetune", "--output_dir="], "--output_dir: the path is empty"),
        (["pretrain_scenes", "--output-dir", ""], "--output_dir: the path is empty"),
        (["distill", "--output_dir", " "], "--output_dir: the path is empty"),
    ],
    ids=str,
)
def test_wrong_paths_and_names_are_found_before_the_libraries_are_imported(command: list[str], named: str) -> None:
    script, *arguments = command
    words = [sys.executable, "-X", "importtime", f"trainer/{script}.py", *arguments]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert named in done.stderr.splitlines()[-1]
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert not imported & {"torch", "transformers", "trl", "datasets"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--stage2", "x"], "did you mean stage1?"),
        (["--max_steps", "many"], "'many'"),
        (["--config"], "--config"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--config", "broken.yaml"], "broken.yaml"),
        (["--config", "unknown.yaml"], "'stage_1'; did you mean stage1?"),
        (["--freeze", "encoder"], "encoder"),
        (["--stage1", "outputs/typo"], "--stage1 outputs/typo"),
        (["--stage1", "bert"], "--stage1 bert"),
        (["--stage1", "hollow"], "--stage1 hollow"),
        (["--model_name_or_path", "/nowhere"], "--model_name_or_path /nowhere"),
        (["--train_data", "typo"], "--train_data typo"),
        (["--train_data", "broken.yaml"], "--train_data broken.yaml"),
        (["--train_data", "composed:hollow,typo"], "names 'typo', which is not a folder"),
        (["--eval_data", "generated", "./typo"], "--eval_data ./typo"),
        (["--eval_data", "empty"], "--eval_data empty"),
        (["--vision_backbone", "some/backbone"], "text_backbone"),
        (["--load_in_4bit"], "--load_in_4bit True has no effect"),
        (["--dtype", "bfloat16"], "--dtype bfloat16 has no effect"),
        (["--lora_target_parameters", "experts"], "--lora_target_parameters"),
        (["--packing"], "--packing True has no effect"),
        (["--learning_rate", "-1"], "--learning_rate -1.0 must be 0 or more"),
        (["--learning_rate", "nan"], "--learning_rate nan must be 0 or more"),
        (["--backbone_learning_rate", "inf"], "--backbone_learning_rate inf must be finite"),
        (["--per_device_train_batch_size", "0"], "--per_device_train_batch_size 0 must be 1 or more"),
        (["--gradient_accumulation_steps", "0"], "--gradient_accumulation_steps 0 must be 1 or more"),
        (["--max_steps", "0"], "--max_steps 0 trains nothing"),
        (["--max_steps", "-1", "--num_train_epochs", "0"], "--num_train_epochs 0.0 must be more than 0"),
        (["--use_peft", "--lora_r", "0"], "--lora_r 0 must be 1 or more"),
        (["--use_peft", "--lora_dropout", "1.5"], "--lora_dropout 1.5 must be from 0 to below 1"),
        (["--metric_for_best_model", "mIuU"], "--metric_for_best_model mIuU: there is no such score; choose mIoU"),
        (["--report_to", "wendb"], "--report_to 'wendb': unknown; choose none, all, "),
        (["--report_to", "neptune"], "--report_to neptune: NeptuneCallback requires"),
        (["--report_to", "flyte"], "--report_to flyte: FlyteCallback requires"),
        (["--config", "reports.yaml"], "--report_to none tensorboard: none and all stand alone."),
        (["--eval_strategy", "no"], "add --load_best_model_at_end false"),
    ],
    ids=str,
)
@pytest.mark.parametrize("stage", [finetune, pretrain], ids=["finetune", "pretrain"])
def test_bad_input_is_refused_in_one_line_before_any_data_is_prepared(
    stage: SimpleNamespace,
    arguments: list[str],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.yaml").write_text("{")
    Path("unknown.yaml").write_text("stage_1: x")
    Path("reports.yaml").write_text("report_to: [none, tensorboard]")
    for folder, kind in (("bert", "bert"), ("hollow", "mtrefseg")):
        Path(folder).mkdir()
        Path(folder, "config.json").write_text(json.dumps({"model_type": kind}))
    Path("empty").mkdir()
    monkeypatch.setattr(running, "make_trainer", lambda *_: pytest.fail("data is prepared"))
    given = ["--output_dir", "out", *arguments]
    assert stage.main(given) == 2
    printed = capsys.readouterr()
    last = printed.err.splitlines()[-1]
    assert last.startswith(f"{stage.__name__.rpartition('.')[2]}.py: error: ")
    assert named in last
    assert not Path("out").exists()


def test_evaluation_may_be_turned_off() -> None:
    _, data, _, training, _ = parse_arguments("tiny_stage2", ["--eval_data", "none"])
    assert data.eval_data == []
    assert training.eval_strategy == "no"
    assert not training.load_best_model_at_end
    assert DataArguments(eval_data="none", train_data="pairs").train_data == ["pairs"]  # as in a recipe


def test_the_best_checkpoint_has_the_lowest_loss_or_the_highest_score() -> None:
    several = ["--eval_data", "one/pairs", "other"]
    for name, is_greater, options in (("mIoU", True, []), ("eval_loss", False, []), ("pairs_oIoU", True, several)):
        training = parse_arguments("tiny_stage2", ["--metric_for_best_model", name, *options])[3]
        assert training.greater_is_better is is_greater


def test_a_recipe_may_say_null_for_no_tracker(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("report_to: null")
    assert parse_arguments("tiny_stage2", ["--config", str(recipe)])[3].report_to == []


@pytest.mark.parametrize("said", ["none", "null", "[]"])
def test_without_evaluation_its_steps_do_not_limit_those_of_checkpoints(tmp_path: Path, said: str) -> None:
    base = ROOT / "trainer" / "recipes" / "tiny_stage2.yaml"
    (tmp_path / "recipe.yaml").write_text(f"base: {base}\neval_data: {said}\nsave_steps: 7")
    for arguments in (["--eval_data", "none", "--save_steps", "7"], ["--config", str(tmp_path / "recipe.yaml")]):
        training = parse_arguments("tiny_stage2", arguments)[3]
        assert (training.eval_strategy, training.load_best_model_at_end, training.save_steps) == ("no", False, 7)


def test_a_recipe_takes_what_it_does_not_name_from_its_base(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("seed: 1\nmax_steps: 4")
    (tmp_path / "second.yaml").write_text("base: first.yaml\nseed: 2\nbf16: true")
    (tmp_path / "third.yaml").write_text("base: second.yaml")
    (tmp_path / "lost.yaml").write_text("base: nowhere.yaml")
    assert read_recipe(tmp_path / "second.yaml") == {"seed": 2, "max_steps": 4, "bf16": True}
    with pytest.raises(TrainingError, match=r"third\.yaml must be a complete recipe"):
        read_recipe(tmp_path / "third.yaml")
    with pytest.raises(TrainingError, match=r"nowhere\.yaml cannot be read"):
        read_recipe(tmp_path / "lost.yaml")


def test_the_shipped_checkpoint_of_recipes_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_arguments("lora", [])[4].model_name_or_path == str(ROOT / "mtrefseg-r1")
    (tmp_path / "mtrefseg-r1").mkdir()
    assert parse_arguments("lora", [])[4].model_name_or_path == "mtrefseg-r1"


def test_finetune_trains_without_any_option_that_names_a_model(tmp_path: Path) -> None:
    small = "--max_steps 1 --per_device_train_batch_size 1 --dataloader_num_workers 0 --generated_eval_pairs 2"
    quiet = "--eval_strategy no --save_strategy no --load_best_model_at_end false"
    assert finetune.main([*small.split(), *quiet.split(), "--output_dir", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_inputs_that_are_there_pass(tmp_path: Path, small_model: MTRefSegModel) -> None:
    small_model.save_pretrained(tmp_path / "model")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "metadata.jsonl").touch()
    model = ModelArguments(stage1=str(tmp_path / "model"))
    data = DataArguments(train_data=["generated", "owner/name", str(tmp_path / "data")])
    check_inputs(model, SimpleNamespace(model_name_or_path=None, model_revision="main"), data)


def test_an_unknown_option_of_a_library_is_not_taken_for_a_prefix() -> None:
    with pytest.raises(TrainingError, match="max_step"):
        parse_arguments("tiny_stage2", ["--max_step", "3"])


def test_the_ablation_starts_where_there_is_no_fcntl() -> None:
    code = "import sys; sys.modules['fcntl'] = None; from trainer.ablate import main; sys.exit(main(['--dry_run']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "trainings" in done.stdout
