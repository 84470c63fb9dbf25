# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Weights that are elsewhere while the model runs: offloaded, or wrapped by an adapter. Every module has to be called,
because a weight that is read from outside of its module is missing or incomplete."""

import copy

import pytest
import torch
from torch.testing import assert_close
from transformers import AutoModel


accelerate = pytest.importorskip("accelerate")
peft = pytest.importorskip("peft")


@pytest.fixture(scope="module")
def model(make_model):
    return make_model(coordinate_channels=True)


def run(model, inputs):
    """Masks of sentences and, by the learned query, of every change."""
    with torch.no_grad():
        sentences = model(**inputs)
        every_change = model(inputs["pixel_values_t1"], inputs["pixel_values_t2"])
    return sentences.mask_logits, sentences.no_target_logits, every_change.mask_logits


def test_cpu_offload_gives_the_same_masks(model, ragged_inputs):
    offloaded = accelerate.cpu_offload(copy.deepcopy(model), execution_device=torch.device("cpu"))
    assert all(parameter.device.type == "meta" for parameter in offloaded.parameters())
    assert_close(run(offloaded, ragged_inputs), run(model, ragged_inputs), atol=0, rtol=0)


def test_a_device_map_with_disk_offload_gives_the_same_masks(model, ragged_inputs, tmp_path):
    model.save_pretrained(tmp_path / "model")
    device_map = {
        "vision_model.backbone": "cpu",
        "vision_model.fusion": "disk",
        "vision_model.mask_decoder": "disk",
        "vision_model.no_target_head": "disk",
        "language_model": "cpu",
        "projector": "disk",
        "seg_head": "disk",
    }
    offloaded = AutoModel.from_pretrained(
        tmp_path / "model", device_map=device_map, offload_folder=tmp_path / "offloaded"
    )
    assert next(offloaded.vision_model.mask_decoder.parameters()).device.type == "meta"
    assert_close(run(offloaded, ragged_inputs), run(model, ragged_inputs), atol=1e-6, rtol=1e-5)


def test_lora_on_every_linear_layer_changes_nothing_at_first(model, ragged_inputs):
    adapted = peft.get_peft_model(copy.deepcopy(model), peft.LoraConfig(r=2, target_modules="all-linear")).eval()
    wrapped = {
        name.removeprefix("base_model.model.") for name, module in adapted.named_modules() if hasattr(module, "lora_A")
    }
    for name in ("coordinates.projection", "transformer_module.decoder.layers.0.cross_attn.out_proj"):
        assert f"vision_model.mask_decoder.{name}" in wrapped
    assert_close(run(adapted, ragged_inputs), run(model, ragged_inputs), atol=1e-5, rtol=1e-5)


def test_lora_on_the_coordinates_reaches_the_masks(model, ragged_inputs):
    config = peft.LoraConfig(r=2, target_modules=r".*mask_decoder\.coordinates\.projection", init_lora_weights=False)
    adapted = peft.get_peft_model(copy.deepcopy(model), config).eval()
    assert not torch.allclose(run(adapted, ragged_inputs)[0], run(model, ragged_inputs)[0], atol=1e-3)


@pytest.mark.parametrize(
    ("part", "tolerance", "agreement"), [("language_model", 0.02, 0.995), ("", 0.5, 0.95)], ids=["language", "all"]
)
def test_linear_layers_of_8_bits_give_close_masks(model, ragged_inputs, part: str, tolerance: float, agreement: float):
    """Such a layer has no plain weight that could be read from outside."""
    quantized = copy.deepcopy(model)
    layers = {torch.nn.Linear}
    torch.ao.quantization.quantize_dynamic(quantized.get_submodule(part), layers, torch.qint8, inplace=True)
    assert not any(type(module) is torch.nn.Linear for module in quantized.get_submodule(part).modules())
    for found, expected in zip(run(quantized, ragged_inputs), run(model, ragged_inputs), strict=True):
        assert_close(found, expected, atol=tolerance, rtol=0)
        assert ((found > 0) == (expected > 0)).float().mean() >= agreement
