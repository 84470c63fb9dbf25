# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Layers whose float32 inference on a CPU runs through oneDNN. In all other cases they behave like PyTorch's."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers.activations import GELUActivation, NewGELUActivation

from modeling_mtrefseg.cpu_gradients_mtrefseg import is_captured


# Multiplications below which calling oneDNN takes longer than it saves.
_SMALL_PRODUCT = 1 << 22
# Activations after a product, with oneDNN's names.
_RELU6: tuple[str, list[float], str] = ("hardtanh", [0.0, 6.0], "")
_NOTHING: tuple[str, list[float], str] = ("none", [], "")
_GELU: tuple[str, list[float], str] = ("gelu", [], "none")
_GELU_TANH: tuple[str, list[float], str] = ("gelu", [], "tanh")


class OneDnnLayer(nn.Module):
    """
    Base class of the layers below. They bypass PyTorch's own implementation in inference on a CPU, with float32
    weights that are plain parameters, not under autocast, `torch.compile` or `torch.jit.trace`, and not within
    `torch.backends.mkldnn.flags(enabled=False)`.

    Args:
        compute_dtype (`torch.dtype`): Precision of the multiplications, float32 or bfloat16; an attribute that
            [`optimize_for_cpu`] sets.
    """

    compute_dtype: torch.dtype = torch.float32

    def runs_in_onednn(self, input: Tensor) -> bool:
        """Whether this input is computed by oneDNN."""
        weight = cast(Tensor, self.weight)
        return bool(
            weight.dtype == torch.float32
            and input.dtype in (torch.float32, self.compute_dtype)
            and input.device.type == weight.device.type == "cpu"
            and type(weight) is nn.Parameter
            and not torch.is_grad_enabled()
            and not weight.is_inference()
            and torch.backends.mkldnn.enabled
            and not torch.is_autocast_enabled("cpu")
            and not is_captured()
        )

    @property
    def packed_weights(self) -> "PackedWeights":
        """The packed weights of this layer; not a submodule or buffer, so that they are not saved or moved."""
        return cast(PackedWeights, self.__dict__.setdefault("_packed_weights", PackedWeights()))


class PackedWeights:
    """
    Weights in the layout and precision that oneDNN needs for inputs of one shape. They are packed on first use, and
    again when the shape or the original weights have changed.
    """

    def __init__(self) -> None:
        # Purpose; aliases of the sources, which prevent reuse of their memory; weights.
        self._entry: tuple[Any, list[Tensor], tuple[Tensor, Tensor | None]] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "PackedWeights":
        return PackedWeights()

    def __reduce__(self) -> tuple[type["PackedWeights"], tuple[()]]:
        return PackedWeights, ()

    def get(
        self, purpose: Any, sources: Sequence[Tensor], make: Callable[[], tuple[Tensor, Tensor | None]]
    ) -> tuple[Tensor, Tensor | None]:
        """
        The packed weight, and the bias.

        Args:
            purpose (`Any`): Key of the packed weights, such as the shape of the input.
            sources (`Sequence[Tensor]`): Parameters and buffers that `make` reads.
            make (`Callable`): Returns the packed weight and the bias.
        """
        key = (purpose, [(source.data_ptr(), source._version) for source in sources])
        entry = self._entry  # Read once: several threads may use the model.
        if entry is None or entry[0] != key:
            entry = self._entry = (key, [source.detach() for source in sources], make())
        return entry[2]


class OneDnnLinear(OneDnnLayer, nn.Linear):
    """`nn.Linear` through oneDNN, like PyTorch's own convolutions and bfloat16 matrix products."""

    def forward(self, input: Tensor) -> Tensor:
        """`(..., in_features)` to `(..., out_features)`."""
        if not self.pays_in_onednn(input):
            return nn.functional.linear(input, self.weight, self.bias)
        return self.multiply(input)

    def pays_in_onednn(self, input: Tensor) -> bool:
        """Whether this input is computed by oneDNN, and is large enough for it."""
        return input.numel() * self.out_features >= _SMALL_PRODUCT and self.runs_in_onednn(input)

    def multiply(self, input: Tensor, after: tuple[str, list[float], str] = _NOTHING) -> Tensor:
        """
        The product by oneDNN, followed by an activation.

        Args:
            input (`Tensor` of shape `(..., in_features)`): An input that [`pays_in_onednn`].
            after (`tuple`, *optional*): An activation, with oneDNN's names.

        Returns:
            `Tensor` of shape `(..., out_features)`: In float32.
        """
        if self.compute_dtype == torch.float32:
            return torch.ops.mkldnn._linear_pointwise(input, self.weight, self.bias, *after)
        num_rows = input.numel() // self.in_features
        sources = [self.weight] if self.bias is None else [self.weight, self.bias]
        weight, bias = self.packed_weights.get((self.compute_dtype, num_rows), sources, lambda: self._pack(num_rows))
        return torch.ops.mkldnn._linear_pointwise(input.to(self.compute_dtype), weight, bias, *after).float()

    def _pack(self, num_rows: int) -> tuple[Tensor, Tensor | None]:
        packed = torch.ops.mkldnn._reorder_linear_weight(self.weight.detach().to(self.compute_dtype), num_rows)
        return packed, None if self.bias is None else self.bias.to(self.compute_dtype)


class FusedNewGelu(NewGELUActivation):
    """GELU with the tanh approximation in one operator instead of eight."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return nn.functional.gelu(input, approximate="tanh")


class FusedMlp(nn.Module):
    """
    The library's `SwinMLP` and `PhiMLP`. GELU is part of the first product, which writes its wide result only once;
    apart from it, if one of the two has hooks, which would not be called.
    """

    fc1: nn.Module
    fc2: nn.Module
    activation_fn: nn.Module

    def forward(self, hidden_states: Tensor) -> Tensor:
        """`(..., hidden_size)` to the same shape."""
        first, activation = self.fc1, self.activation_fn
        after = None if _is_hooked(first) or _is_hooked(activation) else _activation_after(activation)
        if after is not None and type(first) is OneDnnLinear and first.pays_in_onednn(hidden_states):
            return cast(Tensor, self.fc2(first.multiply(hidden_states, after)))
        return cast(Tensor, self.fc2(activation(first(hidden_states))))


def _activation_after(activation: nn.Module) -> tuple[str, list[float], str] | None:
    """A GELU with oneDNN's names, `None` for other activations."""
    if type(activation) is FusedNewGelu:
        return _GELU_TANH
    is_exact = type(activation) is GELUActivation and activation.act is nn.functional.gelu
    return _GELU if is_exact else None


def _is_hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)


class OneDnnConv2d(OneDnnLayer, nn.Conv2d):
    """`nn.Conv2d` on [`PackedWeights`]."""

    def forward(self, input: Tensor) -> Tensor:
        """`(batch_size, in_channels, height, width)` to float32 of shape `(batch_size, out_channels, ...)`."""
        if not self.runs_in_onednn(input):
            return self._conv_forward(input, self.weight, self.bias)
        sources = [self.weight] if self.bias is None else [self.weight, self.bias]
        return _convolve(self, input, sources, lambda: (self.weight, self.bias)).float()


@cache
def folded_class(original: Any) -> type[nn.Module]:
    """
    The backbone's convolution with batch normalisation and ReLU6, all in one operator. Its output has the precision
    of its computation.

    Args:
        original (`type`): `NormalizedConv2d`; remote code has its own copy of that class.
    """

    class OneDnnNormalizedConv2d(OneDnnLayer, original):
        def forward(self, features: Tensor, residual: Tensor | None = None) -> Tensor:
            """See the original."""
            layer: Any = self
            if not self.runs_in_onednn(features):
                return cast(Tensor, original.forward(layer, features, residual))
            sources = (layer.weight, layer.bias, layer.scale, layer.running_mean, layer.running_var)
            after = _RELU6 if layer.activation else _NOTHING
            padding = [size // 2 for size in layer.kernel_size]
            return _convolve(
                layer, features, sources, lambda: _folded_for(layer, features.shape), after, residual, padding
            )

    return OneDnnNormalizedConv2d


def _folded_for(layer: Any, shape: torch.Size) -> tuple[Tensor, Tensor]:
    """
    Kernel and bias of a `NormalizedConv2d` for inputs of a shape. With stride 2, an even side is padded with one zero
    less before it than after it. A kernel that begins with a zero is equivalent to this with symmetric padding,
    without a copy of the input.
    """
    kernel, bias = layer.folded()
    if layer.stride[0] > 1 and layer.kernel_size[0] > 1:
        kernel = nn.functional.pad(kernel, (1 - shape[-1] % 2, 0, 1 - shape[-2] % 2, 0))
    return kernel, bias


def _convolve(
    layer: Any,
    input: Tensor,
    sources: Sequence[Tensor],
    weights: Callable[[], tuple[Tensor, Tensor | None]],
    after: tuple[str, list[float], str] = _NOTHING,
    residual: Tensor | None = None,
    padding: Sequence[int] | None = None,
) -> Tensor:
    """
    Runs a convolution, followed by an activation or the addition of a residual.

    Args:
        layer ([`OneDnnLayer`] and `nn.Conv2d`): Its sizes and precision.
        input (`Tensor` of shape `(batch_size, in_channels, height, width)`): Input.
        sources (`Sequence[Tensor]`): The tensors that `weights` reads.
        weights (`Callable`): Returns kernel and bias.
        after (`tuple`): An activation, with oneDNN's names.
        residual (`Tensor`, *optional*): Added to the output.
        padding (`Sequence[int]`, *optional*): Zeros above and below, left and right; the layer's by default.
    """
    dtype, sizes = layer.compute_dtype, (padding or layer.padding, layer.stride, layer.dilation, layer.groups)

    def pack() -> tuple[Tensor, Tensor | None]:
        kernel, bias = weights()
        plain = kernel.detach().contiguous().to(dtype).to_mkldnn()
        reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight
        packed = reorder(plain, *sizes, input.shape)
        return packed, None if bias is None else bias.detach().to(dtype)

    kernel, bias = layer.packed_weights.get((dtype, input.shape), sources, pack)
    input = input.to(dtype, memory_format=torch.channels_last)
    if residual is None:
        return cast(Tensor, torch.ops.mkldnn._convolution_pointwise(input, kernel, bias, *sizes, *after))
    residual = residual.to(dtype, memory_format=torch.channels_last)
    return cast(
        Tensor,
        torch.ops.mkldnn._convolution_pointwise.binary(
            input, residual, kernel, bias, *sizes, "add", 1.0, None, [], None
        ),
    )
