# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What a run would take: counted on the meta device, and equal to the sizes of the real model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegModel
from trainer.arguments import DataArguments, ModelArguments
from trainer.building.estimate import Costs, count, estimate
from trainer.errors import TrainingError
from trainer.training_config import MTRefSegTrainingConfig


def test_formulas() -> None:
    costs = Costs(parameters=100, trained=60, operations=1e9, activations=1000)
    assert costs.memory(2, 4, "single", False, False) == 4 * 100 + 12 * 60 + 2 * 1000 * 4
    assert costs.memory(2, 4, "zero2", True, True) == 4 * 100 + 3 * 60 + 200 + 2 * 1000 * 2 * 0.2
    assert costs.memory(1, 4, "zero3", False, False) == 100 + 3 * 60 + 1000 * 4
    assert costs.hours(3600, 3e9, False) == pytest.approx(1)
    assert costs.hours(3600, 3e9, True) == pytest.approx(4 / 3)


def test_it_counts_the_real_model(small_model: MTRefSegModel) -> None:
    model = small_model.to("meta")
    costs = count(model, ["backbone"])
    assert costs.parameters == sum(weight.numel() for weight in model.parameters())
    backbone = sum(weight.numel() for weight in model.vision_model.backbone.parameters())
    assert costs.trained == costs.parameters - backbone
    assert costs.operations > 2 * backbone
    assert costs.activations > 0


@pytest.mark.parametrize("baseline", [None, "early_fusion"])
def test_the_table_of_a_run(baseline: str | None, overrides: dict[str, Any], tmp_path: Path) -> None:
    arguments = ModelArguments(image_size=64, config_overrides=overrides, baseline=baseline)  # type: ignore[arg-type]
    training = MTRefSegTrainingConfig(output_dir=str(tmp_path / "out"), max_steps=10, per_device_train_batch_size=2)
    said = estimate(arguments, DataArguments(), training, ModelConfig(), is_stage1=False)
    assert "20 pairs in all" in said
    assert [line.split("  ")[0] for line in said.splitlines()[3:7]] == ["1 CPU core", "1 GPU", "4 GPU", "8 GPU"]
    assert not (tmp_path / "out").exists()


def test_what_a_run_trains_is_counted(tmp_path: Path) -> None:
    def first_line(freeze: Sequence[str] = (), is_stage1: bool = False, use_peft: bool = False, **model: Any) -> str:
        arguments = ModelArguments(image_size=64, **model)
        training = MTRefSegTrainingConfig(output_dir=str(tmp_path), max_steps=1, freeze=[*freeze])
        peft = ModelConfig(use_peft=use_peft, lora_r=2)
        return estimate(arguments, DataArguments(), training, peft, is_stage1).splitlines()[0]

    assert first_line() != first_line(fusion_type="avg")
    assert first_line() != first_line(use_peft=True)
    assert first_line(["projector"]) != first_line(["projector"], use_peft=True)
    with pytest.raises(TrainingError, match="freeze names language_model, but this stage trains only"):
        first_line(["language_model"], is_stage1=True)
