# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The explicit call that makes float32 inference on CPUs faster."""

import copy
import gc
import pickle

import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import PhiConfig, SwinConfig
from transformers.models.phi.modeling_phi import PhiMLP
from transformers.models.swin.modeling_swin import SwinMLP

import mtrefseg
from modeling_mtrefseg.efficientnet_lite_mtrefseg import NormalizedConv2d
from mtrefseg.build.onednn import FusedMlp, OneDnnLinear
from mtrefseg.importing import import_libraries


needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this build of PyTorch has no oneDNN"
)


def linear_classes(model: nn.Module) -> set[type[nn.Module]]:
    return {type(module) for module in model.modules() if isinstance(module, nn.Linear)}


@torch.no_grad()
@needs_onednn
def test_it_changes_classes_and_not_results(model, ragged_inputs):
    assert OneDnnLinear not in linear_classes(model)
    optimized = copy.deepcopy(model)
    assert mtrefseg.optimize_for_cpu(optimized) is optimized
    assert OneDnnLinear in linear_classes(optimized)
    assert nn.Linear not in linear_classes(optimized)
    assert optimized.state_dict().keys() == model.state_dict().keys()
    torch.testing.assert_close(
        optimized(**ragged_inputs).mask_logits, model(**ragged_inputs).mask_logits, atol=1e-4, rtol=1e-4
    )


def test_gradients_are_those_of_the_plain_layer():
    layer = nn.Linear(3, 2)
    optimized = mtrefseg.optimize_for_cpu(copy.deepcopy(layer))
    values = torch.randn(4, 3)
    for each in (layer, optimized):
        each(values).square().sum().backward()
    assert torch.equal(layer.weight.grad, optimized.weight.grad)


def mlp(kind: str, activation: str) -> nn.Module:
    torch.manual_seed(0)
    if kind == "Swin":
        return SwinMLP(SwinConfig(hidden_act=activation), 64)
    return PhiMLP(PhiConfig(hidden_size=64, intermediate_size=256, hidden_act=activation))


@needs_onednn
@torch.no_grad()
@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu", "gelu_python"])
@pytest.mark.parametrize("kind", ["Swin", "Phi"])
@pytest.mark.parametrize("rows", [3, 400])  # the first are too few for oneDNN
def test_a_fused_mlp_gives_the_same(kind, activation, rows):
    plain, values = mlp(kind, activation), torch.randn(2, rows, 64)
    fused = mtrefseg.optimize_for_cpu(copy.deepcopy(plain))
    assert type(fused) is FusedMlp
    assert fused.state_dict().keys() == plain.state_dict().keys()
    torch.testing.assert_close(fused(values), plain(values), atol=1e-5, rtol=1e-5)


@needs_onednn
@torch.no_grad()
@pytest.mark.parametrize("part", ["fc1", "activation_fn"])
def test_hooks_of_a_fused_mlp_are_called(part):
    fused, seen = mtrefseg.optimize_for_cpu(mlp("Swin", "gelu")), []
    getattr(fused, part).register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    fused(torch.randn(1, 400, 64))
    assert seen == [(1, 400, 256)]


def convolution(stride: int = 1, groups: int = 1) -> nn.Conv2d:
    torch.manual_seed(0)
    return mtrefseg.optimize_for_cpu(nn.Conv2d(4, 8, 3, stride, padding=1, groups=groups))


@needs_onednn
@torch.no_grad()
def test_packed_weights_follow_the_weights_and_the_shape():
    layer, pixels = convolution(), torch.randn(1, 4, 9, 9)

    def check() -> None:
        torch.testing.assert_close(layer(pixels), functional.conv2d(pixels, layer.weight, layer.bias, 1, 1))

    check()
    layer.weight.mul_(2)
    check()
    layer.weight.data = torch.randn_like(layer.weight)
    check()
    layer.load_state_dict({"weight": torch.randn(8, 4, 3, 3), "bias": torch.randn(8)}, assign=True)
    check()
    pixels = torch.randn(2, 4, 6, 11)
    check()


@needs_onednn
@torch.no_grad()
def test_copies_and_pickles_hold_no_packed_weights():
    layer, pixels = convolution(), torch.randn(1, 4, 9, 9)
    expected = layer(pixels)
    assert torch.equal(copy.deepcopy(layer)(pixels), expected)
    assert layer.state_dict().keys() == {"weight", "bias"}
    restored = pickle.loads(pickle.dumps(layer))  # noqa: S301  # our own
    assert torch.equal(restored(pixels), expected)


@needs_onednn
@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 8), (7, 12), (5, 5)])
@pytest.mark.parametrize(("kernel", "stride", "groups"), [(1, 1, 1), (3, 1, 4), (3, 2, 1), (5, 2, 4), (1, 2, 1)])
@pytest.mark.parametrize("activation", [False, True])
def test_the_backbones_convolution_gives_the_same(height, width, kernel, stride, groups, activation):
    torch.manual_seed(0)
    layer = NormalizedConv2d(4, 8, kernel, stride, groups, activation)
    layer.running_mean.normal_()
    layer.running_var.uniform_(0.5, 2)
    features = torch.randn(2, 4, height, width)
    residual = None if activation else torch.randn_like(layer(features))
    expected = layer(features, residual)
    torch.testing.assert_close(mtrefseg.optimize_for_cpu(layer)(features, residual), expected, atol=1e-5, rtol=1e-5)


@needs_onednn
@torch.no_grad()
@pytest.mark.skipif(not torch.cpu._is_amx_tile_supported(), reason="this processor does not multiply in bfloat16")
def test_bfloat16_is_close_and_can_be_undone(model, ragged_inputs):
    optimized = mtrefseg.optimize_for_cpu(copy.deepcopy(model))
    expected = optimized(**ragged_inputs).mask_logits
    result = mtrefseg.optimize_for_cpu(optimized, torch.bfloat16)(**ragged_inputs).mask_logits
    assert result.dtype == torch.float32
    assert not torch.equal(result, expected)
    torch.testing.assert_close(result, expected, atol=0.05 * float(expected.abs().max()), rtol=0)
    assert torch.equal(mtrefseg.optimize_for_cpu(optimized)(**ragged_inputs).mask_logits, expected)


def test_other_precisions_are_refused():
    with pytest.raises(ValueError, match="float16"):
        mtrefseg.optimize_for_cpu(nn.Linear(1, 1), torch.float16)


def test_import_leaves_the_garbage_collector_as_it_was():
    for switch in (gc.disable, gc.enable):
        switch()
        was_enabled = gc.isenabled()
        import_libraries()
        assert gc.isenabled() == was_enabled
