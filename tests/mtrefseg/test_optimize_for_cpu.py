# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The explicit call that makes float32 inference on CPUs faster."""

import copy

import pytest
import torch
from torch import nn

import mtrefseg
from mtrefseg.build.cpu import OneDnnLinear


def linear_classes(model: nn.Module) -> set[type[nn.Module]]:
    return {type(module) for module in model.modules() if isinstance(module, nn.Linear)}


@torch.no_grad()
@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this build of PyTorch has no oneDNN")
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
