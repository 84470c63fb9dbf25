# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Operators whose gradients are several times faster on a CPU than PyTorch's own (`benchmarks/results/gradients.csv`),
with the same values up to rounding. On other devices, without gradients and in compiled graphs they are PyTorch's
operators.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


_FAST_WIDTH = 3  # oneDNN has fast gradients of depthwise kernels that are not wider.
_MOST_WIDTH = 2 * _FAST_WIDTH


def convolve(features: Tensor, kernel: Tensor, bias: Tensor, stride: int, padding: int, groups: int) -> Tensor:
    """
    A convolution. Depthwise ones with kernels of 4 to 6 columns, and in bfloat16 also those with a stride, have faster
    gradients.

    Args:
        features (`Tensor` of shape `(batch_size, in_channels, height, width)`): Input.
        kernel (`Tensor` of shape `(out_channels, in_channels / groups, kernel_size, kernel_size)`): Kernel.
        bias (`Tensor` of shape `(out_channels,)`): Bias.
        stride, padding, groups (`int`): See `nn.Conv2d`.

    Returns:
        `Tensor` of shape `(batch_size, out_channels, ...)`: As `torch.nn.functional.conv2d`.
    """
    dtype, device = features.dtype, features.device.type
    if torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
    is_wide = _FAST_WIDTH < kernel.shape[-1] <= _MOST_WIDTH
    is_slow = {torch.float32: is_wide, torch.bfloat16: is_wide or stride > 1}.get(dtype, False)
    if groups == features.shape[1] and is_slow and _needs_gradients(features, kernel, bias):
        return _DepthwiseConvolution.apply(features.to(dtype), kernel.to(dtype), bias.to(dtype), stride, padding)
    return nn.functional.conv2d(features, kernel, bias, stride, padding, groups=groups)


def relu6_in_place(features: Tensor) -> Tensor:
    """
    ReLU6 in place. PyTorch's own copies its input first where gradients are computed.

    Args:
        features (`Tensor`): Any shape. It is overwritten, so nothing else may need it.

    Returns:
        `Tensor`: The same tensor.
    """
    if _needs_gradients(features):
        result: Tensor = _ReLU6InPlace.apply(features)
        return result
    return nn.functional.relu6(features, inplace=True)


def weighted_row_sums(table: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
    """
    Sums of weighted rows of a table, without storing these rows.

    Args:
        table (`Tensor` of shape `(num_rows, size)`): The table.
        rows (`Tensor` of shape `(num_sums, num_terms)`): Indices of rows, int32 or int64.
        weights (`Tensor` of shape `(num_sums, num_terms)`): Weights; any floating point type.

    Returns:
        `Tensor` of shape `(num_sums, size)`: As `embedding_bag` with `mode="sum"`, in the precision of the table.
            Where gradients are computed on a CPU, sums and gradients are computed in float32.
    """
    if _needs_gradients(table, weights):
        return _WeightedRowSums.apply(table.float(), rows, weights.float()).to(table.dtype)
    return _row_sums(table, rows, weights.to(table.dtype))


def _order_of(numbers: Tensor) -> Tensor:
    """
    The places of sorted numbers, equal ones in their order. `numbers.sort(stable=True).indices`, which takes twice as
    long as sorting each number together with its place as one.

    Args:
        numbers (`Tensor` of shape `(count,)`): Integers of at least 0, on the CPU.
    """
    bits = len(numbers).bit_length()
    keys = (numbers.long() << bits).bitwise_or_(torch.arange(len(numbers)))
    keys.numpy().sort()  # In place.
    return keys.bitwise_and_((1 << bits) - 1)


def weighted_maxima(pixels: Tensor, floors: Tensor, weights: Tensor) -> Tensor:
    """
    Weighted sums, over the channels, of pixels that are raised to a floor. Each query has its own floors and weights.
    Where gradients are computed on a CPU, one query is processed after another, so that everything stays in the cache.

    Args:
        pixels (`Tensor` of shape `(batch_size, channels, num_pixels)`): Shared by the queries.
        floors, weights (`Tensor` of shape `(batch_size, num_queries, channels)`): Of each query.

    Returns:
        `Tensor` of shape `(batch_size, num_queries, num_pixels)`: The sums; in float32 where gradients are computed on
        a CPU.
    """
    if _needs_gradients(pixels, floors, weights):
        return _WeightedMaxima.apply(pixels.float(), floors.float(), weights.float())
    raised = torch.maximum(pixels.unsqueeze(1), floors.unsqueeze(-1))
    return (weights.unsqueeze(2) @ raised).squeeze(2)


def is_captured() -> bool:
    """
    Whether operators are being recorded in a graph, by `torch.compile`, `torch.export` or `torch.jit.trace`: then none
    may be chosen by the sizes of this call.
    """
    return torch.compiler.is_compiling() or torch.jit.is_tracing()


def _needs_gradients(*tensors: Tensor) -> bool:
    """Whether gradients will be computed on a CPU, outside of a compiled graph."""
    return (
        tensors[0].device.type == "cpu"
        and torch.is_grad_enabled()
        and any(tensor.requires_grad for tensor in tensors)
        and not is_captured()
    )


class _DepthwiseConvolution(torch.autograd.Function):
    """
    A depthwise convolution. The gradients of a wide kernel are those of its first and its last three columns; those of
    the input, in bfloat16 with a stride, are another convolution.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, kernel: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(features, kernel)
        ctx.stride, ctx.padding = stride, padding
        return nn.functional.conv2d(features, kernel, bias, stride, padding, groups=len(kernel))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, kernel = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        needs_features, needs_kernel, needs_bias = ctx.needs_input_grad[:3]
        of_features = of_kernel = of_bias = None
        padding = (ctx.padding, ctx.padding)
        if needs_features and ctx.stride > 1 and features.dtype == torch.bfloat16:
            of_features = _gradients_of_features(gradient, features, kernel, ctx.stride, ctx.padding)
        elif needs_features:
            of_features, _, _ = _gradients(gradient, features, kernel, ctx.stride, padding, (True, False, False))
        if needs_kernel or needs_bias:
            if kernel.shape[-1] > _FAST_WIDTH:
                of_kernel, of_bias = _gradients_of_weights(gradient, features, kernel, ctx.stride, ctx.padding)
            else:
                _, of_kernel, of_bias = _gradients(
                    gradient, features, kernel, ctx.stride, padding, (False, True, True)
                )
        return of_features, of_kernel if needs_kernel else None, of_bias if needs_bias else None, None, None


def _gradients_of_features(gradient: Tensor, features: Tensor, kernel: Tensor, stride: int, padding: int) -> Tensor:
    """
    Gradients of the input: `gradient` with zeros between its pixels, convolved with the mirrored kernel. oneDNN uses a
    slow implementation for them in bfloat16 with a stride.
    """
    size = kernel.shape[-1]
    # Pixels at the end of the input that no window reaches get a gradient of zero.
    lengths = [length + 2 * padding - size + 1 for length in features.shape[2:]]
    shape = (*gradient.shape[:2], *lengths)
    spread = torch.empty(shape, dtype=gradient.dtype, memory_format=torch.channels_last).zero_()
    spread[:, :, ::stride, ::stride] = gradient
    return nn.functional.conv2d(spread, kernel.flip(2, 3), None, 1, size - 1 - padding, groups=len(kernel))


def _gradients_of_weights(
    gradient: Tensor, features: Tensor, kernel: Tensor, stride: int, padding: int
) -> tuple[Tensor, Tensor]:
    """Gradients of kernel and bias."""
    spare = kernel.shape[-1] - _FAST_WIDTH
    columns = kernel[..., :_FAST_WIDTH]  # Only its shape is used.
    sides = []
    for left, right in ((padding, padding - spare), (padding - spare, padding)):
        # Negative padding crops.
        part = nn.functional.pad(features, (left, right)).contiguous(memory_format=torch.channels_last)
        sides.append(_gradients(gradient, part, columns, stride, (padding, 0), (False, True, True)))
    return torch.cat([sides[0][1], sides[1][1][..., -spare:]], dim=-1), sides[0][2]


def _gradients(
    gradient: Tensor,
    features: Tensor,
    kernel: Tensor,
    stride: int,
    padding: tuple[int, int],
    needed: tuple[bool, bool, bool],
) -> tuple[Any, Any, Any]:
    """PyTorch's gradients of features, kernel and bias, `None` where not needed."""
    gradients: tuple[Any, Any, Any] = torch.ops.aten.convolution_backward(
        gradient, features, kernel, [len(kernel)], [stride] * 2, padding, [1, 1], False, [0, 0], len(kernel), needed
    )
    return gradients


class _ReLU6InPlace(torch.autograd.Function):
    """See [`relu6_in_place`]. The output tells where the gradient is zero as well as the input does."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.mark_dirty(features)
        features.clamp_(0, 6)
        ctx.save_for_backward(features)
        return features

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        result: Tensor = torch.ops.aten.hardtanh_backward(gradient, output, 0, 6)
        return result


class _WeightedRowSums(torch.autograd.Function):
    """See [`weighted_row_sums`]."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(table, rows, weights)
        return _row_sums(table, rows, weights)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None, Tensor | None]:
        table, rows, weights = ctx.saved_tensors
        gradient = gradient.contiguous()
        of_table = _gradient_of_table(gradient, rows, weights, len(table)) if ctx.needs_input_grad[0] else None
        of_weights = _gradient_of_row_weights(gradient, table, rows) if ctx.needs_input_grad[2] else None
        return of_table, None, of_weights


class _WeightedMaxima(torch.autograd.Function):
    """See [`weighted_maxima`]."""

    @staticmethod
    def forward(ctx: Any, pixels: Tensor, floors: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(pixels, floors, weights)
        sums = pixels.new_empty(*floors.shape[:2], pixels.shape[2])
        raised = torch.empty_like(pixels[0])
        for image, rows, *of_image in zip(pixels, sums, floors, weights):
            for row, floor, weight in zip(rows, *of_image):
                torch.maximum(image, floor[:, None], out=raised)
                torch.mv(raised.t(), weight, out=row)
        return sums

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pixels, floors, weights = ctx.saved_tensors
        of_pixels = torch.zeros_like(pixels)
        of_floors, of_weights = torch.empty_like(floors), torch.empty_like(weights)
        buffer = torch.empty_like(pixels[0])
        for b, image in enumerate(pixels):
            for n, (floor, weight) in enumerate(zip(floors[b], weights[b])):
                torch.maximum(image, floor[:, None], out=buffer)
                torch.mv(buffer, gradient[b, n], out=of_weights[b, n])
                # The gradient of the sum where a pixel is above the floor, else 0.
                torch.mul(image > floor[:, None], gradient[b, n], out=buffer)
                of_floors[b, n] = weight * (gradient[b, n].sum() - buffer.sum(1))
                of_pixels[b].addcmul_(buffer, weight[:, None])
        return of_pixels, of_floors, of_weights


def _row_sums(table: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
    return nn.functional.embedding_bag(rows, table, mode="sum", per_sample_weights=weights)


def _gradient_of_table(gradient: Tensor, rows: Tensor, weights: Tensor, num_rows: int) -> Tensor:
    """Each row's gradient is a weighted sum of those of the sums that contain it: the same operator, transposed."""
    flat = rows.flatten()
    order = _order_of(flat)
    counts = torch.bincount(flat, minlength=num_rows)
    return nn.functional.embedding_bag(
        order.div(rows.shape[1], rounding_mode="floor"),
        gradient,
        counts.cumsum(0) - counts,
        mode="sum",
        per_sample_weights=weights.flatten().index_select(0, order),
    )


def _gradient_of_row_weights(gradient: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """Scalar products of the gradients of the sums and the rows in them: a product that is only needed at these
    places."""
    num_sums, num_terms = rows.shape
    starts = torch.arange(0, rows.numel() + 1, num_terms, dtype=rows.dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")
        places = torch.sparse_csr_tensor(
            starts, rows.flatten(), gradient.new_zeros(rows.numel()), (num_sums, len(table)), check_invariants=False
        )
        return torch.sparse.sampled_addmm(places, gradient, table.t(), beta=0.0).values().view_as(rows)


__all__ = ["convolve", "is_captured", "weighted_maxima", "weighted_row_sums"]
