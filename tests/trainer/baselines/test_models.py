# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Baselines that are trained here: they learn, are saved and loaded, and answer as segmenters."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel
from trl import ModelConfig

from modeling_mtrefseg import MTRefSegProcessor
from tests.trainer.baselines.contract import check_segmenter
from trainer.arguments import ModelArguments
from trainer.baselines import open_segmenter
from trainer.baselines.models import BASELINES, baseline_model
from trainer.baselines.models.component_ranking import label_components
from trainer.building.models import build_stage2, named_parts
from trainer.data import PairCollator, PairSample
from trainer.errors import TrainingError
from trainer.evaluation import loss_parts
from trainer.loop.checks import check_checkpoint
from trainer.names import BASELINES as NAMES
from trainer.training_config import MTRefSegTrainingConfig


def test_the_names_of_the_option_are_those_of_the_models() -> None:
    assert set(NAMES) == set(BASELINES)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_learns_is_saved_and_answers(
    name: str, overrides: dict[str, Any], small_processor: MTRefSegProcessor, pairs: list[PairSample], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = baseline_model(name, "tiny", small_processor, **overrides)
    batch = PairCollator(small_processor)([{"sample": sample} for sample in pairs[:3]])
    batch["change_labels"][0] = -1  # Not every change of the first pair is known.
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses: list[float] = []
    for _ in range(6):
        parts = loss_parts(model(**batch))
        loss = torch.stack(list(parts.values())).sum()
        loss.backward()
        if not losses:
            idle = [key for key, weight in model.named_parameters() if weight.grad is None and "lm_head" not in key]
            assert not [key for key in idle if "queries" not in key], f"never trained: {idle}"
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]

    model.eval()
    with torch.no_grad():
        blind = {key: value for key, value in batch.items() if "labels" not in key}
        assert torch.equal(model(**batch).mask_logits, model(**blind).mask_logits)  # The truth is not looked at.
    model.save_pretrained(tmp_path)
    small_processor.save_pretrained(tmp_path)
    assert not (tmp_path / f"{name}.py").exists()  # It needs this project; only the processor's code goes along.
    check_checkpoint("model", str(tmp_path))
    loaded = AutoModel.from_pretrained(tmp_path)
    assert type(loaded) is BASELINES[name]
    check_segmenter(open_segmenter(f"mtrefseg:{tmp_path}"))


def test_a_baseline_takes_its_parts_from_our_model(
    overrides: dict[str, Any], small_model: Any, small_processor: MTRefSegProcessor, tmp_path: Path
) -> None:
    small_model.save_pretrained(tmp_path)
    arguments = ModelArguments(
        baseline="early_fusion",
        image_size=64,
        config_overrides=overrides,  # type: ignore[arg-type]
        parts_from=str(tmp_path),
        parts=["backbone", "language_model"],
    )
    training = MTRefSegTrainingConfig(output_dir=str(tmp_path / "out"))
    model, _ = build_stage2(arguments, ModelConfig(), training)
    own, given = named_parts(model), named_parts(small_model)
    assert "mask_decoder" not in own
    for part in ("backbone", "language_model"):
        for key, tensor in own[part].state_dict().items():
            assert torch.equal(tensor, given[part].state_dict()[key])
    arguments.parts = ["fusion"]
    with pytest.raises(TrainingError, match="fusion"):
        build_stage2(arguments, ModelConfig(), training)


def test_components_are_numbered_alone() -> None:
    masks = torch.zeros(2, 6, 7, dtype=torch.bool)
    masks[0, 0:2, 0:2] = masks[0, 2, 2] = True  # Joined at a corner.
    masks[0, 4:6, 4:7] = True
    masks[1, :, 3] = True
    found = label_components(masks)
    assert found.amax((1, 2)).tolist() == [2, 1]
    assert found[0, 0, 0] == found[0, 2, 2] != found[0, 5, 5]
    assert ((found > 0) == masks).all()
    assert label_components(torch.zeros(1, 3, 3, dtype=torch.bool)).sum() == 0


def test_a_bag_of_words_is_our_model_without_layers(
    overrides: dict[str, Any], small_processor: MTRefSegProcessor
) -> None:
    from mtrefseg.build.presets import preset_model

    fields = {**overrides, "text_config": {**overrides["text_config"], "num_hidden_layers": 0}}
    torch.manual_seed(0)
    model = preset_model("tiny", small_processor, **fields).eval()
    images = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    encoded = small_processor.encode_text([["the red car left of the house", "the house left of the red car"]])
    with torch.no_grad():
        masks = model(*images, **encoded).mask_logits
    torch.testing.assert_close(masks[0], masks[1], rtol=1e-3, atol=1e-3)
