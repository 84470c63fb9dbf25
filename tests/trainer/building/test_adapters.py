# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""LoRA: what is trained, and that the merged checkpoint gives the same outputs."""

import pytest
import torch
from peft import get_peft_model
from transformers import AutoModel
from trl import ModelConfig

from mtrefseg.build.presets import preset_model
from trainer.building.adapters import FULLY_TRAINED, lora_errors, make_lora_config, save_merged
from trainer.building.models import freeze_parts
from trainer.data import PairCollator
from trainer.errors import TrainingError


LORA = ModelConfig(use_peft=True, lora_r=4, lora_alpha=8, lora_dropout=0.0)


@pytest.mark.parametrize("is_tied", [True, False])
def test_adapters_train_and_merge(make_trainer, small_processor, pairs, tmp_path, is_tied, overrides):
    text_config = {**overrides["text_config"], "tie_word_embeddings": is_tied}
    small_model = preset_model("tiny", small_processor, **{**overrides, "text_config": text_config})
    assert make_lora_config(small_model, ModelConfig()) is None
    before = {name: parameter.detach().clone() for name, parameter in small_model.named_parameters()}
    trainer = make_trainer(
        model=small_model,
        peft_config=make_lora_config(small_model, LORA),
        max_steps=3,
        learning_rate=1e-2,
        save_strategy="steps",
        save_steps=3,
    )
    trained = {name for name, parameter in trainer.model.named_parameters() if parameter.requires_grad}
    adapters = {name for name in trained if "lora_" in name}
    assert adapters
    assert all("language_model.model" in name for name in adapters)
    assert all("lora_" in name or "modules_to_save" in name or "token_adapter" in name for name in trained)
    for part in FULLY_TRAINED:
        assert any(f"{part}.modules_to_save" in name for name in trained), part
    trainer.train()

    batch = PairCollator(small_processor)([{"sample": pair} for pair in pairs[:2]])
    model = trainer.model.eval()
    with torch.no_grad():
        expected = model(**batch)
    save_merged(model, small_processor, tmp_path / "merged")
    loaded = AutoModel.from_pretrained(tmp_path / "merged").eval()
    with torch.no_grad():
        found = loaded(**batch)
    torch.testing.assert_close(found.mask_logits, expected.mask_logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.loss_language, expected.loss_language, rtol=1e-4, atol=1e-5)
    weights = dict(loaded.named_parameters())
    assert weights.keys() == before.keys()
    unchanged = {name for name, weight in weights.items() if torch.equal(weight, before[name])}
    # The language model's norms and biases have no adapters; of its embeddings at most the row of [SEG] has moved.
    assert any("layernorm" in name for name in unchanged)
    embedding = "language_model.model.embed_tokens.weight"
    moved = (weights[embedding] != before[embedding]).any(1).nonzero().flatten().tolist()
    assert moved == ([] if is_tied else [small_processor.seg_token_id])
    assert (tmp_path / "out" / "checkpoint-3" / "adapter_model.safetensors").is_file()


def test_what_is_frozen_is_not_thawed_by_adapters(make_trainer, small_processor, overrides):
    text_config = {**overrides["text_config"], "tie_word_embeddings": False}
    small_model = preset_model("tiny", small_processor, **{**overrides, "text_config": text_config})
    frozen = ["backbone", "mask_decoder", "token_embeddings"]
    freeze_parts(small_model, frozen)
    trainer = make_trainer(model=small_model, peft_config=make_lora_config(small_model, LORA, frozen))
    trained = {name for name, parameter in trainer.model.named_parameters() if parameter.requires_grad}
    assert any("lora_" in name for name in trained)
    assert any("projector.modules_to_save" in name for name in trained)
    assert not any(f".{part}." in name for name in trained for part in (*frozen, "embed_tokens"))
    with pytest.raises(TrainingError, match="language_model"):
        make_lora_config(small_model, LORA, ["language_model"])


@pytest.mark.parametrize("named", ["q_proj", "self_attn.q_proj", r"language_model\..*\.q_proj"])
def test_one_target_is_a_name_or_a_pattern(make_trainer, small_model, named):
    given = ModelConfig(use_peft=True, lora_r=4, lora_target_modules=[named])
    trainer = make_trainer(model=small_model, peft_config=make_lora_config(small_model, given))
    trained = {name for name, parameter in trainer.model.named_parameters() if parameter.requires_grad}
    adapters = {name for name in trained if "lora_" in name}
    assert adapters
    assert all("language_model." in name and ".q_proj." in name for name in adapters)


@pytest.mark.parametrize("names", [["nothing"], ["nothing", "none"], ["input_projections.0"]])
def test_targets_that_no_layer_has_are_one_line(small_model, names):
    given = ModelConfig(use_peft=True, lora_target_modules=names)
    with pytest.raises(TrainingError, match=r"--lora_target_modules .* names no layer"), lora_errors(given):
        get_peft_model(small_model, make_lora_config(small_model, given))


def test_a_part_to_save_that_is_not_there_is_named(small_model):
    given = ModelConfig(use_peft=True, lora_modules_to_save=["seg_head", "vision_model.fusion"])
    assert make_lora_config(small_model, given).modules_to_save == ["seg_head", "vision_model.fusion"]
    given = ModelConfig(use_peft=True, lora_modules_to_save=["seg_head", "projekt"])
    with pytest.raises(TrainingError, match="--lora_modules_to_save projekt: there is no such part"):
        make_lora_config(small_model, given)


def test_what_has_no_language_model_has_no_adapters(small_model):
    with pytest.raises(TrainingError, match=r"--use_peft .* is a MTRefSegVisionModel: leave it out"):
        make_lora_config(small_model.vision_model, LORA)
