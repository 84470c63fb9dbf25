# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Building around pretrained parts: their weights are really taken."""

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Mask2FormerConfig,
    Mask2FormerModel,
    PhiConfig,
    Qwen3Config,
    ResNetBackbone,
    ResNetConfig,
    SwinConfig,
    SwinForImageClassification,
)

from modeling_mtrefseg import MTRefSegModel
from mtrefseg.build.backbones import build_from_backbones, build_vision_from_backbones, from_backbones
from mtrefseg.build.presets import STAGES


SWIN = {"embed_dim": 16, "depths": [1, 1, 1, 1], "num_heads": [1, 2, 2, 4], "window_size": 4, "out_features": STAGES}
TEXT = {"vocab_size": 90, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
TOKENS = {"seg_token_id": 100, "image_t1_token_id": 101, "image_t2_token_id": 102}


@pytest.fixture(scope="module")
def mask2former(tmp_path_factory):
    """As on the Hub: a Swin backbone in a Mask2Former."""
    torch.manual_seed(1)
    config = Mask2FormerConfig(
        backbone_config=SwinConfig(**SWIN),
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        num_attention_heads=4,
        encoder_layers=2,
        encoder_feedforward_dim=48,
        decoder_layers=4,
        dim_feedforward=40,
        num_queries=7,
    )
    folder = tmp_path_factory.mktemp("mask2former")
    Mask2FormerModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["phi", "qwen3"])
def language_model(request, tmp_path_factory):
    """Phi in half precision, as the Hub has it."""
    torch.manual_seed(2)
    if request.param == "phi":
        model = AutoModelForCausalLM.from_config(PhiConfig(**TEXT)).half()
    else:
        config = Qwen3Config(**TEXT, head_dim=8, num_key_value_heads=2, tie_word_embeddings=True)
        model = AutoModelForCausalLM.from_config(config)
    model.generation_config.eos_token_id = 77
    folder = tmp_path_factory.mktemp(request.param)
    model.save_pretrained(folder)
    return folder


def test_weights_are_taken(mask2former, language_model):
    model, report = build_from_backbones(mask2former, language_model, vocab_size=101, image_size=128, **TOKENS)
    source, text = Mask2FormerModel.from_pretrained(mask2former), AutoModelForCausalLM.from_pretrained(language_model)
    state = model.state_dict()
    for prefix, part in (
        ("vision_model.backbone", source.pixel_level_module.encoder),
        ("vision_model.mask_decoder.pixel_decoder", source.pixel_level_module.decoder),
        ("vision_model.mask_decoder.transformer_module", source.transformer_module),
    ):
        for key, tensor in part.state_dict().items():
            assert torch.equal(state[f"{prefix}.{key}"], tensor), key
            assert report.taken[f"{prefix}.{key}"] == str(mask2former)
    for key, tensor in text.state_dict().items():
        assert torch.equal(state[f"language_model.{key}"][: len(tensor)], tensor.float()), key
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert model.language_model.generation_config.eos_token_id == 77
    assert "language_model token embeddings, rows 90 to 100" in report.new
    assert not report.unused
    assert {key.split(".")[0] for key in report.new[:-1]} == {"projector", "seg_head", "vision_model"}
    assert {key.split(".")[1] for key in report.new if key.startswith("vision")} == {"fusion", "no_target_head"}
    assert model.config.text_config.vocab_size == 101
    assert model.config.mask_decoder_config.decoder_layers == 3


def test_the_visual_half_is_that_of_the_whole_without_loading_the_language_model(
    mask2former, language_model, monkeypatch
):
    fields = {"vocab_size": 101, "image_size": 128, **TOKENS}
    whole, _ = build_from_backbones(mask2former, language_model, **fields)
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", None)
    half, report = build_vision_from_backbones(mask2former, language_model, **fields)
    expected = whole.vision_model.state_dict()
    assert half.state_dict().keys() == expected.keys()
    assert half.config.text_config.vocab_size == 101
    assert {key.split(".")[0] for key in report.new} == {"fusion", "no_target_head"}
    assert all(torch.equal(tensor, expected[key]) for key, tensor in half.state_dict().items() if key in report.taken)


def test_model_runs_and_reloads(mask2former, language_model, tmp_path):
    model = from_backbones(mask2former, language_model, vocab_size=101, image_size=128, **TOKENS).eval()
    inputs = {
        "pixel_values_t1": torch.randn(1, 3, 128, 128),
        "pixel_values_t2": torch.randn(1, 3, 128, 128),
        "prompt_input_ids": torch.tensor([[1, 101, 2, 102, 3]]),
        "input_ids": torch.tensor([[4, 5, 100]]),
        "query_mask": torch.tensor([[1, 1, 1]]),
    }
    model.save_pretrained(tmp_path)
    with torch.no_grad():
        expected = model(**inputs).mask_logits
        actual = MTRefSegModel.from_pretrained(tmp_path)(**inputs).mask_logits
    torch.testing.assert_close(actual, expected)


def test_plain_backbone_and_overrides(language_model, tmp_path):
    backbone = ResNetBackbone(
        ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], out_features=["stage4"])
    )
    backbone.save_pretrained(tmp_path)
    model = from_backbones(
        tmp_path,
        language_model,
        vocab_size=101,
        image_size=64,
        fusion_type="avg",
        mask_decoder_config={"hidden_size": 32, "num_attention_heads": 4, "decoder_layers": 2},
        **TOKENS,
    )
    for key, tensor in backbone.state_dict().items():
        assert torch.equal(model.vision_model.backbone.state_dict()[key], tensor), key
    assert model.config.fusion_type == "avg"
    assert model.config.mask_decoder_config.decoder_layers == 2
    with torch.no_grad():
        masks = model.eval()(torch.randn(1, 3, 64, 64), torch.randn(1, 3, 64, 64)).mask_logits
    assert masks.shape == (1, 16, 16)


def test_what_a_checkpoint_lacks_is_new(language_model, tmp_path):
    """A classifier has no norms of the backbone's outputs, and its last layer has no place here."""
    SwinForImageClassification(SwinConfig(**SWIN, num_labels=5)).save_pretrained(tmp_path)
    decoder = {"hidden_size": 32, "num_attention_heads": 4, "decoder_layers": 2}
    model, report = build_from_backbones(
        tmp_path, language_model, image_size=128, mask_decoder_config=decoder, **TOKENS
    )
    norms = {key for key in model.state_dict() if ".hidden_states_norms." in key}
    assert len(norms) == 8
    assert norms <= set(report.new)
    assert {key.split(": ")[1] for key in report.unused} == {"classifier.weight", "classifier.bias"}
    assert "vision_model.backbone.swin.embeddings.norm.weight" in report.taken


def test_backbone_with_too_few_stages(language_model, tmp_path):
    ResNetBackbone(ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="four"):
        from_backbones(tmp_path, language_model)


def test_missing_folder(mask2former):
    with pytest.raises(OSError, match="nowhere"):
        from_backbones(mask2former, "./nowhere")
