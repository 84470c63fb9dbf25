# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Linear layers that use oneDNN for float32 inference on a CPU."""

import torch
from torch import Tensor, nn


class OneDnnLinear(nn.Linear):
    """
    `nn.Linear` whose float32 inference on a CPU runs through oneDNN, as PyTorch's own convolutions and bfloat16 matrix
    products do. PyTorch sends float32 matrix products to MKL, which is slower on the AMD processor that this was
    measured on (`benchmarks/operators.csv`). With gradients, under autocast or `torch.compile`, on other devices, in
    other precisions, with weights that are no plain parameters, and within
    `torch.backends.mkldnn.flags(enabled=False)` it is `nn.Linear`. Tools that look for the exact class `nn.Linear`,
    such as `quantize_dynamic`, have to be told of it.
    """

    def forward(self, input: Tensor) -> Tensor:
        """`(..., in_features)` to `(..., out_features)`."""
        if (
            input.device.type != "cpu"
            or input.dtype != torch.float32
            or self.weight.dtype != torch.float32
            or type(self.weight) is not nn.Parameter
            or not torch.backends.mkldnn.enabled
            or torch.is_grad_enabled()
            or torch.is_autocast_enabled("cpu")
            or torch.compiler.is_compiling()
        ):
            return super().forward(input)
        return torch.ops.mkldnn._linear_pointwise(input, self.weight, self.bias, "none", [], "")


def use_onednn(model: nn.Module) -> None:
    """Turns every plain `nn.Linear` of a model into [`OneDnnLinear`], where this build of PyTorch has oneDNN."""
    if not torch.backends.mkldnn.is_available():
        return
    for module in model.modules():
        if type(module) is nn.Linear:
            # Parameters, names and hooks stay as they are; only `forward` changes.
            module.__class__ = OneDnnLinear
