# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the model and its processor are made of."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import AutoModel
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from trainer.arguments import ModelArguments
from trainer.command_line import parse_arguments
from trainer.errors import TrainingError
from trainer.loop.building import build_stage1, build_stage2
from trainer.names import RECIPES
from trainer.training_config import MTRefSegTrainingConfig


@pytest.fixture
def training(tmp_path: Path) -> MTRefSegTrainingConfig:
    return MTRefSegTrainingConfig(output_dir=str(tmp_path / "run"))


@pytest.fixture
def checkpoint(tmp_path: Path, small_model: MTRefSegModel, small_processor: MTRefSegProcessor) -> Path:
    small_model.save_pretrained(tmp_path / "checkpoint")
    small_processor.save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def test_checkpoint_goes_on_with_a_larger_canvas(checkpoint: Path, training: MTRefSegTrainingConfig) -> None:
    picture = Image.new("RGB", (96, 96))
    for size in (64, 160):
        arguments = ModelArguments(image_size=None if size == 64 else size)
        model, processor = build_stage2(arguments, ModelConfig(model_name_or_path=str(checkpoint)), training)
        inputs = processor(picture, picture, text="a tree")
        assert model.config.image_size == size
        assert inputs["pixel_values_t1"].shape == (1, 3, size, size)
        assert model(**inputs).mask_logits.shape == (1, size // 4, size // 4)


def test_the_default_recipe_changes_nothing_of_a_checkpoint(
    checkpoint: Path, training: MTRefSegTrainingConfig
) -> None:
    given = AutoModel.from_pretrained(checkpoint).state_dict()
    said = ["--model_name_or_path", str(checkpoint), f"--output_dir={training.output_dir}"]
    arguments, _, _, _, config = parse_arguments("tiny_stage2", said)
    model, _ = build_stage2(arguments, config, training)
    assert model.config.image_size == 64
    assert all(torch.equal(weight, given[name]) for name, weight in model.state_dict().items())
    for wanted in ("--image_size=96", "--image-size=96"):
        arguments, _, _, _, config = parse_arguments("tiny_stage2", [*said, wanted])
        assert build_stage2(arguments, config, training)[0].config.image_size == 96


@pytest.mark.parametrize(
    "ignored",
    [
        {"stage1": "x"},
        {"parts_from": "x"},
        {"fusion_type": "avg"},
        {"preset": "paper"},
        {"config_overrides": '{"num_points": 0}'},
        {"vision_backbone": "x", "text_backbone": "y"},
    ],
)
def test_what_is_said_of_a_new_model_is_refused_for_a_checkpoint(
    checkpoint: Path, training: MTRefSegTrainingConfig, ignored: dict[str, str]
) -> None:
    with pytest.raises(TrainingError, match=f"whole model.*{next(iter(ignored))}"):
        build_stage2(ModelArguments(**ignored), ModelConfig(model_name_or_path=str(checkpoint)), training)


def test_fields_of_the_configuration_are_json() -> None:
    said = ["--config_overrides", '{"language_weight": 0.5}']
    assert parse_arguments("tiny_stage2", said)[0].config_fields() == {"language_weight": 0.5}
    for wrong in ("{", "[1]"):
        with pytest.raises(TrainingError, match="config_overrides"):
            ModelArguments(config_overrides=wrong)


def test_a_recipe_may_be_named_with_an_equals_sign() -> None:
    assert parse_arguments("tiny_stage2", [f"--config={RECIPES / 'lora.yaml'}"])[4].model_name_or_path == "mtrefseg-r1"


def test_stage_1_leaves_the_other_half_without_a_word(
    checkpoint: Path, training: MTRefSegTrainingConfig, caplog: pytest.LogCaptureFixture
) -> None:
    model, processor = build_stage1(
        ModelArguments(image_size=128), ModelConfig(model_name_or_path=str(checkpoint)), training
    )
    assert model.config.image_size == 128
    assert processor.num_image_tokens == 1
    assert "UNEXPECTED" not in caplog.text
