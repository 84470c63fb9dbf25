# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What the model and its processor are made of."""

from pathlib import Path

import pytest
from PIL import Image
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from trainer.arguments import ModelArguments, MTRefSegTrainingConfig
from trainer.building import build_stage1, build_stage2


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


def test_stage_1_leaves_the_other_half_without_a_word(
    checkpoint: Path, training: MTRefSegTrainingConfig, caplog: pytest.LogCaptureFixture
) -> None:
    model, processor = build_stage1(
        ModelArguments(image_size=128), ModelConfig(model_name_or_path=str(checkpoint)), training
    )
    assert model.config.image_size == 128
    assert processor.num_image_tokens == 1
    assert "UNEXPECTED" not in caplog.text
