# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The refinement of masks: what it adds, that new weights add nothing, and that it does not depend on the grouping."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.testing import assert_close
from transformers import BatchFeature

from modeling_mtrefseg import MTRefSegConfig, MTRefSegModel, MTRefSegProcessor
from modeling_mtrefseg import mask_refinement_mtrefseg as code
from modeling_mtrefseg.configuration_mtrefseg import MTRefSegMaskDecoderConfig
from modeling_mtrefseg.mask_refinement_mtrefseg import MaskRefinement
from modeling_mtrefseg.outputs_mtrefseg import MaskFeatures


SIZE = 32


def make_refinement() -> MaskRefinement:
    torch.manual_seed(0)
    refinement = MaskRefinement(MTRefSegMaskDecoderConfig(hidden_size=SIZE, num_attention_heads=2, refinement_size=12))
    return refinement.eval()


def make_features(batch_size: int) -> MaskFeatures:
    torch.manual_seed(1)
    levels = tuple(torch.randn(batch_size, SIZE, side, side) for side in (1, 2, 4))
    return MaskFeatures(torch.randn(batch_size, SIZE, 8, 8), levels, levels)


def make_queries(batch_size: int, groups: int, queries: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(2)
    return torch.randn(batch_size, groups, queries, SIZE), torch.randn(batch_size, groups, queries, SIZE)


def test_it_is_a_hidden_layer_for_each_query() -> None:
    refinement, features, (queries, states) = make_refinement(), make_features(2), make_queries(2, 3, 2)
    pixels = refinement.features(refinement.norm(features.mask_features.permute(0, 2, 3, 1)))
    for layer, level in zip(refinement.levels, features.multi_scale_features):
        larger = nn.functional.interpolate(level, size=(8, 8), mode="bilinear", align_corners=False)
        pixels = pixels + layer(larger.permute(0, 2, 3, 1))
    both = torch.cat([queries, states], dim=-1)
    hidden = (pixels[:, None, None] + refinement.biases(both)[:, :, :, None, None]).relu()
    expected = (hidden * refinement.weights(both)[:, :, :, None, None]).sum(-1) / 12**0.5
    assert_close(refinement(features, queries, states, 2), expected, rtol=1e-4, atol=1e-5)
    assert_close(refinement(features, queries, states, 1), expected[:, :, :1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("values_at_once", [1, 2 * 12 * 64, 5 * 12 * 64])
def test_predictions_do_not_depend_on_how_many_queries_are_computed_at_once(
    monkeypatch: pytest.MonkeyPatch, values_at_once: int
) -> None:
    refinement, features, queries = make_refinement(), make_features(1), make_queries(1, 7, 1)
    expected = refinement(features, *queries, 1)
    monkeypatch.setattr(code, "_VALUES_AT_ONCE", values_at_once)
    with torch.no_grad():
        assert_close(refinement(features, *queries, 1), expected)
        assert refinement(features, *(each[:, :0] for each in queries), 1).shape == (1, 0, 1, 8, 8)


@pytest.fixture
def refined(make_model: Callable[..., MTRefSegModel], make_config: Callable[..., MTRefSegConfig]) -> Any:
    fields = {**make_config().mask_decoder_config.to_dict(), "refinement_size": 8}

    def make() -> MTRefSegModel:
        model = make_model(mask_decoder_config=fields)
        model.vision_model.mask_decoder.refinement.reset_parameters()
        return model

    return make


@pytest.fixture
def training_inputs(processor: MTRefSegProcessor, make_image: Callable[..., Image.Image]) -> BatchFeature:
    masks = torch.zeros(2, 96, 128, dtype=torch.bool)
    masks[0, 20:60, 30:70] = True
    images = [make_image(seed=seed) for seed in (0, 1)]
    return processor(*images, text=["the new house", "the red car that left"], masks=list(masks))


def test_new_weights_change_no_mask(refined: Callable[[], MTRefSegModel], training_inputs: BatchFeature) -> None:
    model = refined().eval()
    decoder = model.vision_model.mask_decoder
    with torch.no_grad():
        outputs = model(**training_inputs, output_layer_masks=True)
        refinement, decoder.refinement = decoder.refinement, None
        without = model(**training_inputs, output_layer_masks=True)
        decoder.refinement = refinement
        assert_close(outputs.layer_mask_logits, without.layer_mask_logits)
        refinement.weights.bias.fill_(1)
        outputs = model(**training_inputs, output_layer_masks=True)
    assert not torch.allclose(outputs.mask_logits, without.mask_logits)
    assert_close(outputs.layer_mask_logits[-1], outputs.mask_logits)
    assert_close(outputs.layer_mask_logits[:-1], without.layer_mask_logits[:-1])


def test_it_is_trained_saved_and_loaded(
    refined: Callable[[], MTRefSegModel], training_inputs: BatchFeature, tmp_path: Path
) -> None:
    model = refined().train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):  # The hidden layer has gradients as soon as the output weights are not zero.
        optimizer.zero_grad()
        model(**training_inputs).loss.backward()
        optimizer.step()
    refinement = model.vision_model.mask_decoder.refinement
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in refinement.parameters())
    model.save_pretrained(tmp_path)
    loaded = MTRefSegModel.from_pretrained(tmp_path).vision_model.mask_decoder.refinement
    for name, value in refinement.state_dict().items():
        assert_close(loaded.state_dict()[name], value)


def test_a_checkpoint_without_it_gets_new_weights(
    make_model: Callable[..., MTRefSegModel], make_config: Callable[..., MTRefSegConfig], tmp_path: Path
) -> None:
    make_model().save_pretrained(tmp_path)
    fields = {**make_config().mask_decoder_config.to_dict(), "refinement_size": 8}
    config = make_config(mask_decoder_config=fields)
    refinement = MTRefSegModel.from_pretrained(tmp_path, config=config).vision_model.mask_decoder.refinement
    assert not refinement.weights.weight.any()
    assert refinement.features.weight.std() > 0.05
    assert refinement.norm.weight.eq(1).all()


def test_a_negative_size_is_named() -> None:
    with pytest.raises(Exception, match="refinement_size=-1"):
        MTRefSegMaskDecoderConfig(refinement_size=-1)


def test_what_queries_share_is_computed_once_for_a_pair(
    refined: Callable[[], MTRefSegModel], training_inputs: BatchFeature, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = refined().eval()
    nn.init.ones_(model.vision_model.mask_decoder.refinement.weights.bias)
    calls = []
    encode = MaskRefinement.encode

    def count(self: MaskRefinement, features: MaskFeatures) -> Tensor:
        calls.append(1)
        return encode(self, features)

    monkeypatch.setattr(MaskRefinement, "encode", count)
    prompt = {name: training_inputs[name] for name in ("prompt_input_ids", "prompt_attention_mask")}
    sentences = {
        name: training_inputs[name] for name in ("input_ids", "attention_mask", "query_mask", "num_expressions")
    }
    with torch.no_grad():
        images = [training_inputs[f"pixel_values_{date}"] for date in ("t1", "t2")]
        encoding = model.encode_pair(*images, **prompt)
        assert encoding.change_logits is not None
        expected = model(**sentences, pair_encoding=encoding).mask_logits
        assert len(calls) == 1
        # Exported graphs pass only the other features.
        encoding.features.refinement_features = None
        assert_close(model(**sentences, pair_encoding=encoding).mask_logits, expected)
