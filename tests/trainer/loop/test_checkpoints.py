# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Checkpoints are complete or not there, never of weights that are not finite; one run at a time uses a folder."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from trl import ModelConfig

from dataset_scripts.readers import GeneratedPairs, open_pairs
from dataset_scripts.synthesis import Generator
from trainer.arguments import AugmentationArguments, DataArguments, ModelArguments
from trainer.errors import TrainingError
from trainer.loop import mtrefseg_trainer, run_lock
from trainer.loop.checkpointing import (
    RUN_CONFIG,
    UNFINISHED,
    check_resume_config,
    check_resume_data,
    find_checkpoint,
    publish,
    unfinished_checkpoint,
)
from trainer.loop.running import run_config
from trainer.training_config import MTRefSegTrainingConfig


def test_a_checkpoint_is_complete_or_absent(tmp_path):
    (tmp_path / "checkpoint-2").mkdir()

    def write():
        with unfinished_checkpoint(tmp_path, is_writer=True) as folder:
            Path(folder, "checkpoint-4").mkdir(parents=True)
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-2"]


def test_a_full_disk_keeps_the_last_checkpoint(make_trainer, monkeypatch, tmp_path):
    trainer = make_trainer(max_steps=4, save_steps=2, save_total_limit=1, eval_strategy="no")
    plain = trainer._save_rng_state

    def fail(output_dir):
        if trainer.state.global_step == 4:
            raise OSError(28, "No space left on device")
        plain(output_dir)

    monkeypatch.setattr(trainer, "_save_rng_state", fail)
    with pytest.raises(TrainingError, match=r"checkpoint-4 could not be saved: .*No space left.*out/checkpoint-2"):
        trainer.train()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["README.md", "checkpoint-2"]
    assert find_checkpoint(trainer_arguments(tmp_path / "out", "last")) == str(tmp_path / "out" / "checkpoint-2")


@pytest.mark.parametrize("step", [1, 4])
def test_a_loss_that_is_not_finite_stops_the_run(make_trainer, monkeypatch, tmp_path, step):
    trainer = make_trainer(max_steps=5, save_steps=2, eval_strategy="no")
    plain = mtrefseg_trainer.loss_parts

    def diverge(outputs):
        parts = plain(outputs)
        return {**parts, "loss_mask": parts["loss_mask"] * (torch.nan if trainer.state.global_step + 1 == step else 1)}

    monkeypatch.setattr(mtrefseg_trainer, "loss_parts", diverge)
    with pytest.raises(TrainingError, match=rf"the loss of step {step} is not finite \(loss_mask nan\)") as error:
        trainer.train()
    last = find_checkpoint(trainer_arguments(tmp_path / "out", "last"))
    assert last == (str(tmp_path / "out" / "checkpoint-2") if step == 4 else None)
    advice = "There is no checkpoint yet" if last is None else f"another --output_dir, and --model_name_or_path {last}"
    assert advice in str(error.value)


def test_weights_that_are_not_finite_are_not_saved(make_trainer, monkeypatch, tmp_path):
    trainer = make_trainer(max_steps=4, save_steps=2, eval_strategy="no")
    plain = trainer.training_step

    def diverge(model, *arguments):
        loss = plain(model, *arguments)
        if trainer.state.global_step == 3:  # The last step: no loss follows that would show it.
            next(parameter.grad for parameter in model.parameters() if parameter.grad is not None).fill_(torch.nan)
        return loss

    monkeypatch.setattr(trainer, "training_step", diverge)
    with pytest.raises(TrainingError, match=r"after step 4 the weights of .* are not finite.*checkpoint-2"):
        trainer.train()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["README.md", "checkpoint-2"]


def make_checkpoint(folder, state='{"global_step": 2}'):
    folder.mkdir(parents=True)
    (folder / "trainer_state.json").write_text(state)
    save_file({"weight": torch.zeros(100)}, folder / "model.safetensors")
    return folder


def test_an_incomplete_checkpoint_is_passed_over(tmp_path, caplog):
    complete = make_checkpoint(tmp_path / "checkpoint-2")
    make_checkpoint(tmp_path / "checkpoint-4", state="")
    (make_checkpoint(tmp_path / "checkpoint-6") / "trainer_state.json").unlink()
    (make_checkpoint(tmp_path / "checkpoint-8") / "model.safetensors").unlink()
    cut = make_checkpoint(tmp_path / "checkpoint-10") / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:-1])
    make_checkpoint(tmp_path / UNFINISHED / "checkpoint-12")
    assert find_checkpoint(trainer_arguments(tmp_path, "last")) == str(complete)
    for step in (4, 6, 8, 10):
        with pytest.raises(TrainingError, match=f"checkpoint-{step} is not a checkpoint"):
            find_checkpoint(trainer_arguments(tmp_path, str(tmp_path / f"checkpoint-{step}")))


def test_one_run_at_a_time_writes_into_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(run_lock, "_WAIT_SECONDS", 0.1)
    code = (
        "import sys, time; from types import SimpleNamespace; from trainer.loop.run_lock import locked_folder\n"
        "with locked_folder(SimpleNamespace(output_dir=sys.argv[1], should_save=True)):\n"
        "    print('locked', flush=True); time.sleep(600)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "locked\n"
        with (
            pytest.raises(TrainingError, match=rf"is in use by another run \(process {other.pid} on "),
            run_lock.locked_folder(trainer_arguments(tmp_path)),
        ):
            pass
    finally:
        other.kill()
        other.communicate()
    assert (tmp_path / run_lock.LOCK).exists(), "a killed run leaves its lock file"
    monkeypatch.setattr(run_lock, "_WAIT_SECONDS", 60)
    with run_lock.locked_folder(trainer_arguments(tmp_path)):
        assert json.loads((tmp_path / run_lock.RUNNING).read_text())["process"] == os.getpid()
    assert not list(tmp_path.iterdir())


def trainer_arguments(folder, resume=None, **options):
    return MTRefSegTrainingConfig(output_dir=str(folder), resume_from_checkpoint=resume, **options)


def test_old_checkpoints_go_and_the_best_one_stays(tmp_path):
    for step in (2, 4, 6, 8):
        (tmp_path / UNFINISHED / f"checkpoint-{step}").mkdir(parents=True)
        publish(tmp_path, f"checkpoint-{step}", 2, str(tmp_path / "checkpoint-2"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-2", "checkpoint-8"]


def test_a_checkpoint_of_an_earlier_run_is_replaced(tmp_path):
    """A run that was resumed from an older checkpoint comes to the same step again."""
    for name in ("old", "new"):
        (tmp_path / UNFINISHED / "checkpoint-2").mkdir(parents=True)
        (tmp_path / UNFINISHED / "checkpoint-2" / name).touch()
        publish(tmp_path, "checkpoint-2", None, None)
    assert list(tmp_path.rglob("*")) == [tmp_path / "checkpoint-2", tmp_path / "checkpoint-2" / "new"]


def test_an_earlier_run_is_not_overwritten_by_accident(tmp_path):
    assert find_checkpoint(trainer_arguments(tmp_path)) is None
    assert find_checkpoint(trainer_arguments(tmp_path, "last")) is None
    (tmp_path / "checkpoint-2").mkdir()
    with pytest.raises(TrainingError, match="--resume_from_checkpoint last"):
        find_checkpoint(trainer_arguments(tmp_path))
    with pytest.raises(TrainingError, match="is not a checkpoint"):
        find_checkpoint(trainer_arguments(tmp_path, str(tmp_path / "checkpoint-3")))


def test_a_run_is_resumed_with_its_own_settings(tmp_path):
    def keep(weights, resume=None):
        check_resume_config(
            trainer_arguments(tmp_path, resume), {"train_data": ["generated", "real"], "weights": weights}
        )

    keep([3, 1])
    make_checkpoint(tmp_path / "checkpoint-7")
    keep([3, 1], "last")
    with pytest.raises(TrainingError, match=r"weights=\[3, 1\], not \[1, 1\]"):
        keep([1, 1], "last")
    with pytest.raises(TrainingError, match="--resume_from_checkpoint last"):
        keep([3, 1])
    (tmp_path / RUN_CONFIG).write_text("{")
    with pytest.raises(TrainingError, match="is damaged"):
        keep([3, 1], "last")
    (tmp_path / RUN_CONFIG).unlink()  # of a run of an earlier version
    keep([1, 1], "last")


def test_a_run_is_resumed_with_the_pairs_and_sentences_of_its_start(tmp_path):
    sample = Path(__file__).parents[3] / "dataset_scripts" / "sample"
    data = shutil.copytree(sample, tmp_path / "data")
    generated = GeneratedPairs(Generator(seed=0), None)

    def keep(resume="last", folder=data):
        training = trainer_arguments(tmp_path / "run", resume)
        check_resume_config(training, {"seed": 1})
        sources = [generated, *(open_pairs(folder, "validation", checked=checked) for checked in (True, False))]
        check_resume_data(training, ["generated", "mine", "raw"], sources)

    keep(None)
    make_checkpoint(tmp_path / "run" / "checkpoint-7")
    keep()
    keep(folder=shutil.copytree(data, tmp_path / "copy"))  # at another place, with other dates
    [path, *_] = sorted(data.rglob("*.json"), key=lambda path: path.name == "generator.json")
    content = json.loads(path.read_text())
    content["referring_expressions"][0] = "something else"
    path.write_text(json.dumps(content))
    with pytest.raises(
        TrainingError, match=r"^mine, raw had other pairs or sentences when .*checkpoint-7 was started"
    ):
        keep()
    config = json.loads((tmp_path / "run" / RUN_CONFIG).read_text())
    del config["train_data_sha256"]  # of a run of an earlier version
    (tmp_path / "run" / RUN_CONFIG).write_text(json.dumps(config))
    keep()


def test_the_data_of_a_run_are_saved_in_a_new_folder(tmp_path):
    """Programs that call `make_trainer` themselves do not save settings before."""
    check_resume_data(trainer_arguments(tmp_path / "new" / "run", None), ["mine"], [GeneratedPairs(Generator(), 3)])
    assert len(json.loads((tmp_path / "new" / "run" / RUN_CONFIG).read_text())["train_data_sha256"]) == 1


def test_a_checkpoint_of_another_folder_is_resumed_with_its_settings(tmp_path):
    def keep(folder, weights, resume=None):
        check_resume_config(trainer_arguments(tmp_path / folder, resume), {"weights": weights})

    keep("first", [3, 1])
    checkpoint = make_checkpoint(tmp_path / "first" / "checkpoint-7")
    with pytest.raises(TrainingError, match=r"The run in .*first was started with weights=\[3, 1\], not \[1, 1\]"):
        keep("second", [1, 1], str(checkpoint))
    keep("second", [3, 1], str(checkpoint))
    assert json.loads((tmp_path / "second" / RUN_CONFIG).read_text())["weights"] == [3, 1]


def test_a_resumed_run_keeps_what_its_optimizer_holds(tmp_path):
    def keep(resume="last", **options):
        check_resume_config(trainer_arguments(tmp_path, resume, **options), {})

    keep(None, learning_rate=1e-3, weight_decay=0.1)
    folder = make_checkpoint(tmp_path / "checkpoint-7")
    keep(learning_rate=1e-3, weight_decay=0.1)
    advice = r"start a new one with another --output_dir\.$"
    with pytest.raises(TrainingError, match=rf"started with learning_rate=0\.001, not 0\.0001\. .*{advice}"):
        keep(learning_rate=1e-4, weight_decay=0.1)
    (folder / "config.json").touch()  # A complete model, not only adapters.
    advice = rf"another --output_dir, and --model_name_or_path {folder} to go on"
    with pytest.raises(TrainingError, match=rf"started with weight_decay=0\.1, not 0\.0\. .*{advice}"):
        keep(learning_rate=1e-3, weight_decay=0.0)
    # A run of an earlier version recorded neither.
    (tmp_path / RUN_CONFIG).write_text("{}")
    keep(learning_rate=1e-4, language_learning_rate=1e-5)


def test_other_adapters_do_not_resume_a_run(tmp_path):
    def keep(resume="last", **options):
        training = trainer_arguments(tmp_path, resume)
        groups = (ModelArguments(), ModelConfig(**options), DataArguments(), AugmentationArguments(), training)
        check_resume_config(training, run_config(*groups))

    keep(None, use_peft=True, lora_alpha=8, lora_target_modules=["q_proj"])
    make_checkpoint(tmp_path / "checkpoint-7")
    keep(use_peft=True, lora_alpha=8, lora_target_modules=["q_proj"])
    with pytest.raises(TrainingError, match="started with lora_alpha=8, not 32, lora_target_modules=q_proj, not None"):
        keep(use_peft=True)
    with pytest.raises(TrainingError, match=r"started with use_peft=True, not False\. Resume"):
        keep()
