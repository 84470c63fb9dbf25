# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Faster float32 inference on CPUs."""

from typing import TypeVar

import torch
from torch import Tensor, nn


Model = TypeVar("Model", bound=nn.Module)


class OneDnnLinear(nn.Linear):
    """
    `nn.Linear` whose float32 inference on a CPU runs through oneDNN, as PyTorch's own convolutions and bfloat16 matrix
    products do. It is plain `nn.Linear` with gradients, under autocast or `torch.compile`, on other devices, in other
    precisions, with weights that are not plain parameters, and within `torch.backends.mkldnn.flags(enabled=False)`.
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


def optimize_for_cpu(model: Model) -> Model:
    """
    Makes float32 inference on a CPU faster: every `nn.Linear` of the model becomes a [`OneDnnLinear`]. PyTorch sends
    float32 matrix products to MKL, which was slower on an AMD processor (`benchmarks/results/operators.csv`). Results
    differ by rounding only. Does nothing where this build of PyTorch has no oneDNN.

    Call it after loading, and before adapters or quantisation are added: tools that look for the exact class
    `nn.Linear`, such as `torch.ao.quantization.quantize_dynamic`, no longer find it. Parameters, their names and hooks
    stay as they are, so the model can be trained and saved as before.

    Args:
        model (`nn.Module`): Any model. It is changed in place.

    Returns:
        `nn.Module`: The same model.

    Example:

    ```python
    >>> import mtrefseg
    >>> from transformers import AutoModel

    >>> model = mtrefseg.optimize_for_cpu(AutoModel.from_pretrained("mtrefseg-r1", trust_remote_code=True))
    ```
    """
    if torch.backends.mkldnn.is_available():
        for module in model.modules():
            if type(module) is nn.Linear:
                module.__class__ = OneDnnLinear
    return model
