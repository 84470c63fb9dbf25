# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Damaged model folders, wrong processors and devices that hold nothing: each is one line for the user."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from modeling_mtrefseg import MTRefSegVisionModel
from mtrefseg.build.loading import CheckpointError, find_device, load_model, load_processor
from mtrefseg.cli.main import main
from mtrefseg.errors import UserError, one_line
from tests.tiny_models import save_mtrefseg


CPU = torch.device("cpu")
Damage = Callable[[Path], Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_mtrefseg(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "damaged"))


def write(name: str, text: str) -> Damage:
    return lambda folder: (folder / name).write_text(text)


def change(name: str, key: str, value: Any) -> Damage:
    def damage(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        content[key] = value
        (folder / name).write_text(json.dumps(content))

    return damage


def replace_by_pickle(folder: Path) -> None:
    torch.save({"a": torch.zeros(1)}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def rename_a_tensor(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    name = next(name for name in sorted(weights) if name.endswith("fc1.weight"))
    weights[f"{name}_"] = weights.pop(name)
    save_file(weights, path, metadata={"format": "pt"})


def swap_two_tokens(folder: Path) -> None:
    """The vocabulary of another model: the words are there, with other numbers."""
    text = (folder / "tokenizer.json").read_text()
    text = text.replace('"[SEG]"', '"[TMP]"').replace('"<image_t1>"', '"[SEG]"').replace('"[TMP]"', '"<image_t1>"')
    (folder / "tokenizer.json").write_text(text)


DAMAGES: dict[str, Damage] = {
    "empty tokenizer": write("tokenizer.json", ""),
    "tokenizer of no model": write("tokenizer.json", "{}"),
    "tokenizer is a list": write("tokenizer.json", "[]"),
    "tokenizer nested": write("tokenizer.json", "[" * 100_000),
    "tokenizer settings are a list": write("tokenizer_config.json", "[]"),
    "processor is a list": write("processor_config.json", "[]"),
    "processor is a number": write("processor_config.json", "7"),
    "processor nested": write("processor_config.json", "[" * 100_000),
    "image processor is a list": change("processor_config.json", "image_processor", []),
    "processor is missing": lambda folder: (folder / "processor_config.json").unlink(),
    "configuration is a list": write("config.json", "[]"),
    "configuration nested": write("config.json", '{"a":' * 100_000),
    "configuration is cut": lambda folder: os.truncate(folder / "config.json", 100),
    "configuration is missing": lambda folder: (folder / "config.json").unlink(),
    "part is a list": change("config.json", "text_config", []),
    "part is a word": change("config.json", "vision_config", "swin"),
    "wrong type": change("config.json", "seg_token_id", "seven"),
    "negative size": change("config.json", "text_config", {"model_type": "phi", "hidden_size": -1}),
    "wrong id of [SEG]": change("config.json", "seg_token_id", 3),
    "swapped tokens": swap_two_tokens,
    "weights are empty": write("model.safetensors", ""),
    "weights are text": write("model.safetensors", "x" * 1000),
    "weights are cut": lambda folder: os.truncate(folder / "model.safetensors", 1000),
    "weights are a pickle": replace_by_pickle,
    "weights are missing": lambda folder: (folder / "model.safetensors").unlink(),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_folder_is_one_error(name: str, folder: Path) -> None:
    DAMAGES[name](folder)
    with pytest.raises(CheckpointError, match=r"^cannot load (the processor of )?\S*damaged") as caught:
        load_model(folder, load_processor(folder), CPU)
    assert isinstance(caught.value, UserError)


def test_missing_weights_are_not_made_up(folder: Path) -> None:
    rename_a_tensor(folder)
    with pytest.raises(
        CheckpointError, match=r"lack 1 of the model's tensors, such as .*fc1\.weight; copy or download"
    ):
        load_model(folder, load_processor(folder), CPU)


def test_a_checkpoint_of_stage_1_is_told_from_a_damaged_one(folder: Path) -> None:
    MTRefSegVisionModel.from_pretrained(folder).save_pretrained(folder)
    with pytest.raises(CheckpointError, match=r"a checkpoint of stage 1, .* finetune\.py --stage1"):
        load_model(folder, load_processor(folder), CPU)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "model.safetensors", "anything.py"])
def test_a_pipe_in_the_folder_does_not_hang(name: str, folder: Path) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with pytest.raises(CheckpointError, match=f"cannot load .*: {name} is not a regular file"):
        load_processor(folder)


def test_a_whole_folder_is_loaded(whole: Path) -> None:
    assert not load_model(whole, load_processor(whole), CPU, dtype="auto").training


def test_a_data_type_that_does_not_exist_is_named(whole: Path) -> None:
    with pytest.raises(CheckpointError, match="dtype is 'float8', but must be"):
        load_model(whole, load_processor(whole), CPU, dtype="float8")


def test_no_code_of_the_folder_is_needed(whole: Path) -> None:
    """Loading registers the classes of this package; it does not depend on what else was imported."""
    code = "import sys; from mtrefseg.build.loading import load_processor; load_processor(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(whole)], check=True, cwd=Path(__file__).parents[3])


def test_a_vocabulary_that_is_too_small_is_named(whole: Path) -> None:
    processor = load_processor(whole)
    processor.tokenizer.add_tokens([f"word{number}" for number in range(1000)])
    with pytest.raises(CheckpointError, match=r"the tokenizer has ids up to .* but the model knows .* tokens"):
        load_model(whole, processor, CPU)


@pytest.mark.parametrize("name", ["meta", "abacus", "cuda:99", "cpu:x", "", "xla", "vulkan"])
def test_a_device_that_cannot_be_used_is_named(name: str) -> None:
    with pytest.raises(CheckpointError, match=f"cannot use the device {name}: "):
        find_device(name)


def test_devices_that_can_be_used() -> None:
    assert find_device("cpu") == CPU
    assert find_device().type in ("cpu", "cuda")


@pytest.mark.parametrize("name", ["empty tokenizer", "processor nested", "swapped tokens", "configuration is a list"])
def test_the_command_says_it_in_one_line(
    name: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    DAMAGES[name](folder)
    assert main(["info", "--model", str(folder)]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("mtrefseg: error: ")


@pytest.mark.parametrize("verb", ["predict", "report", "convert"])
def test_a_name_that_is_too_long_is_one_line(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / ("x" * 300))
    words = {
        "predict": ["t1.png", "t2.png", "--out", out],
        "report": ["predictions.parquet", "--out", out],
        "convert": ["w", out, "--original-config", "c", "--tokenizer", "t"],
    }
    assert main([verb, *words[verb]]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "File name too long" in said


def test_errors_are_one_line() -> None:
    assert one_line(CheckpointError("a\n  b")) == "a b"
