# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Stage 0: maps of kinds and colours, and a vision part that the next stages take."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import EvalPrediction

from dataset_scripts.synthesis import Generator
from modeling_mtrefseg import MTRefSegVisionModel
from mtrefseg.build.presets import preset_config, preset_model, tiny_processor
from trainer.arguments import SceneArguments
from trainer.building.models import VISION_PARTS, take_parts
from trainer.data.scene_parsing import COLOR_NAMES, IGNORED, KINDS, SceneParsingModel, parsing_maps, parsing_scores
from trainer.errors import TrainingError


ROOT = Path(__file__).resolve().parents[2]


def test_maps_name_what_is_seen() -> None:
    pair = Generator(seed=1, size=128).pair(1)
    for time, numbers in ((1, pair.numbers_t1), (2, pair.numbers_t2)):
        kinds, colors = parsing_maps(pair, time)
        assert kinds.shape == colors.shape == (32, 32)
        things = {thing.number: thing for thing in pair.scene.things}
        for y, x in ((4, 4), (16, 20), (30, 9)):
            number = int(numbers[4 * y + 2, 4 * x + 2])
            if number == 0:
                assert (kinds[y, x], colors[y, x]) == (0, IGNORED)
            elif things[number].kind in KINDS:
                assert KINDS[kinds[y, x]] == things[number].kind
    assert {KINDS[kind] for kind in np.unique(kinds)} <= {"background"} | {thing.kind for thing in pair.scene.things}


def test_scores_are_those_of_a_hand_made_case() -> None:
    truth, colors = np.array([[0, 1, 1, 2]]), np.array([[IGNORED, 0, 1, IGNORED]])
    scores = parsing_scores(EvalPrediction((np.array([[0, 1, 2, 2]]), np.array([[3, 0, 0, 0]])), (truth, colors)))
    assert scores["kind_accuracy"] == pytest.approx(100 * 2 / 3)
    assert scores["color_accuracy"] == pytest.approx(50.0)
    assert scores["kind_mIoU"] == pytest.approx(100 * (1 + 1 / 2 + 1 / 2) / 3)


@pytest.mark.parametrize("option", [{"image_size": 100}, {"eval_pairs": 0}])
def test_sizes_that_cannot_be_are_refused(option: dict[str, int]) -> None:
    with pytest.raises(TrainingError, match=r"multiple of 32, and eval_pairs=\d+ 1 or more"):
        SceneArguments(**option)


def test_maps_of_t1_and_t2_are_learnt_by_their_own_heads() -> None:
    torch.manual_seed(0)
    model = SceneParsingModel(MTRefSegVisionModel(preset_config("tiny", image_size=64)))
    pixels = torch.rand(2, 3, 64, 64)
    kinds = torch.zeros(2, 2, 16, 16, dtype=torch.int64)
    kinds[:, 1] = 3  # What is at t2, everywhere
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(12):
        outputs = model(pixels, pixels.flip(-1), torch.zeros(2, 64, 64), kinds, torch.full_like(kinds, IGNORED))
        assert outputs["loss"].isfinite()  # No colour anywhere
        outputs["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
    assert outputs["color_logits"].shape == (2, 2, len(COLOR_NAMES), 16, 16)
    found = outputs["kind_logits"].argmax(2)
    assert (found[:, 0] == 0).float().mean() > 0.9
    assert (found[:, 1] == 3).float().mean() > 0.9


def test_the_command_trains_a_visual_half_that_the_next_stages_take(tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    command = [sys.executable, "trainer/pretrain_scenes.py", "--output_dir", str(folder), "--max_steps", "2"]
    command += ["--per_device_train_batch_size", "1", "--eval_pairs", "2", "--dataloader_num_workers", "0"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert "kind_mIoU" in result.stdout
    model = preset_model("tiny", tiny_processor(128))
    take_parts(model.vision_model, str(folder), VISION_PARTS)
    trained = MTRefSegVisionModel.from_pretrained(folder).state_dict()
    for name, tensor in model.vision_model.state_dict().items():
        assert torch.equal(tensor, trained[name]), name


def test_batch_normalisations_of_the_backbone_learn_their_statistics_in_this_stage_alone() -> None:
    vision_model = MTRefSegVisionModel(preset_config("tiny", image_size=64)).train()
    norms = [module for module in vision_model.backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms
    assert vision_model.training
    assert not any(norm.training for norm in norms)
    SceneParsingModel(vision_model).train()
    assert all(norm.training for norm in norms)
