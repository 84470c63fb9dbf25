# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Faster float32 inference on CPUs."""

from typing import Any, TypeVar, cast

import torch
from torch import nn
from transformers.activations import NewGELUActivation

from .onednn import FusedMlp, FusedNewGelu, OneDnnConv2d, OneDnnLayer, OneDnnLinear, folded_class


Model = TypeVar("Model", bound=nn.Module)


def optimize_for_cpu(model: Model, compute_dtype: torch.dtype = torch.float32) -> Model:
    """
    Makes float32 inference on a CPU faster: linear layers and convolutions run through oneDNN, convolutions on weights
    that are packed once, with the backbone's batch normalisations and activations fused into them, and GELU into the
    linear layers before it. Results differ only by rounding. The packed weights double the memory of the convolutions'
    weights.

    With `compute_dtype=torch.bfloat16` convolutions and large linear layers multiply in bfloat16, which is several
    times as fast on processors with instructions for it (Intel's AMX), and are unchanged on others. Weights, inputs
    and outputs stay float32, but logits change by some hundredths of their range, so pixels at the edges of
    masks may change.

    With gradients, under autocast or `torch.compile`, on other devices and in other precisions, the model computes as
    before. Does nothing if this build of PyTorch has no oneDNN.

    Call it after loading, and before adapters or quantisation are added: tools that look for the exact class
    `nn.Linear`, such as `torch.ao.quantization.quantize_dynamic`, no longer find it. Parameters, their names and hooks
    stay as they are, so the model can be trained and saved as before.

    Args:
        model (`nn.Module`): Any model. It is changed in place.
        compute_dtype (`torch.dtype`, *optional*, defaults to `torch.float32`): Precision of the multiplications,
            float32 or bfloat16. A second call can change it.

    Returns:
        `nn.Module`: The same model.

    Raises:
        ValueError: If `compute_dtype` is another one.

    Example:

    ```python
    >>> import mtrefseg
    >>> from transformers import AutoModel

    >>> model = mtrefseg.optimize_for_cpu(AutoModel.from_pretrained("mtrefseg-r1", trust_remote_code=True))
    ```
    """
    if compute_dtype not in (torch.float32, torch.bfloat16):
        raise ValueError(f"compute_dtype must be torch.float32 or torch.bfloat16, not {compute_dtype}.")
    if compute_dtype == torch.bfloat16 and not torch.cpu._is_amx_tile_supported():
        compute_dtype = torch.float32
    if torch.backends.mkldnn.is_available():
        for module in model.modules():
            module.__class__ = _faster_class(module)
            if isinstance(module, OneDnnLayer):
                module.compute_dtype = compute_dtype
    return model


def _faster_class(module: nn.Module) -> type[nn.Module]:
    """The class for a module: a faster one if it exists, otherwise its own."""
    plain = type(module)
    if plain is nn.Linear:
        return OneDnnLinear
    if plain is NewGELUActivation:
        return FusedNewGelu
    # By name, because importing both modules takes longer than a prediction.
    if plain.__module__.startswith("transformers.") and plain.__name__ in ("SwinMLP", "PhiMLP"):
        return FusedMlp
    # Padding by name or with values other than zeros is left to PyTorch.
    if plain is nn.Conv2d and module.padding_mode == "zeros" and not isinstance(module.padding, str):
        return OneDnnConv2d
    if issubclass(plain, nn.Conv2d) and plain.__name__ == "NormalizedConv2d":
        return folded_class(cast(Any, plain))
    return plain
