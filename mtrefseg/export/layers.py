# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Layers rewritten for export: the same results from standard operators, with dynamic shapes.
"""

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn

from modeling_mtrefseg.fusion_mtrefseg import pixel_centers
from modeling_mtrefseg.modeling_mtrefseg import MTRefSegModel


class FoldedConv2d(nn.Module):
    """
    A `NormalizedConv2d` with its normalisation folded into the kernel. The sides of images must be multiples of 32, so
    that the padding of stride 2 is known.

    Args:
        original (`NormalizedConv2d`): Weights and sizes.
    """

    def __init__(self, original: Any) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            original.in_channels,
            original.out_channels,
            original.kernel_size,
            original.stride,
            original.padding,
            groups=original.groups,
        )
        kernel, bias = original.folded()
        self.convolution.weight.data, self.convolution.bias = kernel.detach(), nn.Parameter(bias.detach())
        self.activation = original.activation
        before = max(original.kernel_size[0] - 2, 0) // 2
        after = max(original.kernel_size[0] - 2, 0) - before
        self.sides = (before, after) * 2 if original.stride[0] > 1 else None

    def forward(self, features: Tensor, residual: Tensor | None = None) -> Tensor:
        """See `NormalizedConv2d`."""
        if self.sides is not None:
            features = nn.functional.pad(features, self.sides)
        convolved = self.convolution(features)
        if self.activation:
            return nn.functional.relu6(convolved)
        return convolved if residual is None else convolved + residual


class SampledAttention(nn.Module):
    """
    The pixel decoder's deformable attention with `grid_sample`, which every runtime supports; PyTorch's
    `embedding_bag` is faster there, but has no counterpart in ONNX.

    Args:
        original (`DeformableAttention`): Weights and sizes.
    """

    def __init__(self, original: Any) -> None:
        super().__init__()
        self.heads, self.levels, self.points = original.n_heads, original.n_levels, original.n_points
        self.value_proj, self.output_proj = original.value_proj, original.output_proj
        self.sampling_offsets, self.attention_weights = original.sampling_offsets, original.attention_weights

    def forward(
        self,
        hidden_states: Tensor,
        position_embeddings: Tensor | None = None,
        spatial_shapes_list: list[tuple[int, int]] | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, None]:
        """See `DeformableAttention`."""
        shapes = spatial_shapes_list or []
        queries = hidden_states if position_embeddings is None else hidden_states + position_embeddings
        # Positions come last, so that every step below runs along contiguous memory:
        # num_levels times (batch_size * num_heads, num_points, sequence_length, 2)
        grids = self._grids(self.sampling_offsets(queries), shapes)
        weights = self.attention_weights(queries).unflatten(-1, (self.heads, self.levels * self.points)).softmax(-1)
        weights = weights.unflatten(-1, (self.levels, self.points)).permute(3, 0, 2, 4, 1).flatten(1, 2)
        values = self.value_proj(hidden_states).transpose(1, 2)
        levels = values.split([height * width for height, width in shapes], dim=2)
        sampled = []
        for level, shape in enumerate(shapes):
            # (batch_size * num_heads, head_size, height, width)
            table = levels[level].unflatten(2, shape).unflatten(1, (self.heads, -1)).flatten(0, 1)
            points = nn.functional.grid_sample(table, grids[level], "bilinear", "zeros", align_corners=False)
            sampled.append((points * weights[level].unsqueeze(1)).sum(2))
        attended = sampled[0] + sampled[1] + sampled[2]
        # (batch_size * num_heads, head_size, sequence_length) to the shape of the input
        attended = attended.unflatten(0, (-1, self.heads)).flatten(1, 2).transpose(1, 2)
        return self.output_proj(attended), None

    def _grids(self, offsets: Tensor, shapes: list[tuple[int, int]]) -> Tensor:
        """
        Sampling positions, from -1 to 1.

        Args:
            offsets (`Tensor` of shape `(batch_size, sequence_length, num_heads * num_levels * num_points * 2)`):
                In pixels of each level.
            shapes (`list[tuple[int, int]]`): Height and width of each level.

        Returns:
            `Tensor` of shape `(num_levels, batch_size * num_heads, num_points, sequence_length, 2)`.
        """
        sizes = torch.stack([_as_tensor(size, offsets) for height, width in shapes for size in (width, height)])
        scale = (2 / sizes).view(1, self.levels, 1, 2).expand(self.heads, -1, self.points, -1).flatten()
        centers = torch.cat([_centers(height, width, offsets.device) for height, width in shapes]) * 2 - 1
        grids = offsets * scale + centers.repeat(1, self.heads * self.levels * self.points)
        grids = grids.unflatten(-1, (self.heads, self.levels, self.points, 2))
        return grids.permute(3, 0, 2, 4, 1, 5).flatten(1, 2)


def prepare(model: MTRefSegModel) -> MTRefSegModel:
    """
    Prepares a copy of a model for export, in float32 on the CPU.

    Args:
        model ([`MTRefSegModel`]): Loaded, and not changed by [`optimize_for_cpu`].
    """
    prepared = copy.deepcopy(model).float().cpu().eval()
    # The model's own method would warn about parts that do not support this setting.
    prepared.language_model.set_attn_implementation("eager")
    prepared.config.mask_decoder_config._attn_implementation = "eager"
    # The code that runs the graphs checks the lengths, because they are dynamic in the graphs.
    prepared.max_text_length = float("inf")
    for parent in list(prepared.modules()):
        for name, child in list(parent.named_children()):
            if type(child).__name__ == "NormalizedConv2d":
                setattr(parent, name, FoldedConv2d(child))
            elif type(child).__name__ == "DeformableAttention":
                setattr(parent, name, SampledAttention(child))
    for layer in prepared.vision_model.mask_decoder.pixel_decoder.encoder.layers:
        layer.activation_fn = nn.functional.relu
    return cast(MTRefSegModel, prepared.requires_grad_(False))


def _centers(height: int, width: int, device: torch.device) -> Tensor:
    """(x, y) of the pixel centres of a level, from 0 to 1: `(height * width, 2)`."""
    rows, columns = torch.meshgrid(pixel_centers(height, device), pixel_centers(width, device), indexing="ij")
    return torch.stack([columns, rows], dim=-1).flatten(0, 1)


def _as_tensor(size: int, like: Tensor) -> Tensor:
    """A size, which may be dynamic, as a scalar tensor of the graph."""
    return torch.ones((), dtype=like.dtype, device=like.device) * size
