# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Pixel decoder: the modules, weights and initialisation of transformers' Mask2Former, with deformable attention that
is fast on CPUs.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Mask2FormerConfig
from transformers.models.mask2former.modeling_mask2former import (
    Mask2FormerPixelDecoder,
    Mask2FormerPixelDecoderEncoderMultiscaleDeformableAttention,
    Mask2FormerSinePositionEmbedding,
)

from .configuration_mtrefseg import MTRefSegMaskDecoderConfig
from .cpu_gradients_mtrefseg import weighted_row_sums
from .fusion_mtrefseg import GroupNorm, pixel_centers


class DeformableAttention(Mask2FormerPixelDecoderEncoderMultiscaleDeformableAttention):
    """
    Multi-scale deformable attention ([Deformable DETR](https://huggingface.co/papers/2010.04159)) as one weighted
    look-up: a sampled value is a sum of four pixels, so the whole operator is a sum of
    `num_levels * num_points * 4` rows of the value table, which `embedding_bag` gathers and adds without storing them.
    Gives the same as the parent's `grid_sample`, is differentiable, and several times faster on a CPU
    (`benchmarks/results/operators.csv`).
    """

    def forward(
        self,
        hidden_states: Tensor,
        position_embeddings: Tensor | None = None,
        spatial_shapes_list: list[tuple[int, int]] | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, None]:
        """
        Args:
            hidden_states (`Tensor` of shape `(batch_size, sequence_length, hidden_size)`):
                All levels, flattened and concatenated.
            position_embeddings (`Tensor` of shape `(batch_size, sequence_length, hidden_size)`, *optional*):
                Added to the queries.
            spatial_shapes_list (`list[tuple[int, int]]`):
                Height and width of each level.
            kwargs:
                Further arguments of the library's encoder layer. Nothing is padded here, so there is no mask, and
                reference points are computed from the shapes.
        """
        queries = hidden_states if position_embeddings is None else hidden_states + position_embeddings
        values = self.value_proj(hidden_states)
        # Both in float32: bfloat16 cannot distinguish the coordinates of neighbouring pixels.
        offsets = self.sampling_offsets(queries).float().unflatten(-1, (-1, 2))
        logits = self.attention_weights(queries).float().unflatten(-1, (self.n_heads, -1))
        rows, row_weights = self._sampled_rows(offsets, _softmax_over_few(logits).flatten(-2), spatial_shapes_list)
        attended = weighted_row_sums(self._table(values, spatial_shapes_list), rows, row_weights)
        return self.output_proj(attended.view_as(hidden_states)), None

    def _table(self, values: Tensor, shapes: list[tuple[int, int]]) -> Tensor:
        """
        Values `(batch_size, sequence_length, hidden_size)` with a frame of zeros around every level, as rows
        `(batch, level, y, x, head)` of `head_size` numbers.
        """
        levels = values.split([height * width for height, width in shapes], dim=1)
        framed = [
            nn.functional.pad(level.unflatten(1, shape), (0, 0, 1, 1, 1, 1)).flatten(1, 2)
            for level, shape in zip(levels, shapes)
        ]
        return torch.cat(framed, dim=1).view(-1, self.d_model // self.n_heads)

    def _sampled_rows(self, offsets: Tensor, weights: Tensor, shapes: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """
        The four pixels around each sampling point: their rows in the table, and bilinear times attention weights.

        Args:
            offsets (`Tensor` of shape `(batch_size, sequence_length, num_heads * num_levels * num_points, 2)`):
                (x, y) of the sampling points in pixels of their level, from the centre of the query's pixel.
            weights (`Tensor` of shape `(batch_size, sequence_length, num_heads * num_levels * num_points)`):
                Attention weights.
            shapes (`list[tuple[int, int]]`): Height and width of each level.

        Returns:
            Two tensors of shape `(batch_size * sequence_length * num_heads, 4 * num_levels * num_points)`, int32 and
            float32.
        """
        device = offsets.device
        # Of each level; with the frame a level is 2 wider and higher, and pixel (0, 0) is at (1, 1).
        heights, widths = torch.tensor(shapes, dtype=torch.int32, device=device).unbind(1)
        strides = widths + 2
        sizes = (heights + 2) * strides
        starts = sizes.cumsum(0).int() - sizes
        # Of each sampling point of a query. These are rows, so that the steps below run along contiguous memory.
        heights, widths, strides, starts = (
            each.repeat_interleave(self.n_points).repeat(self.n_heads) for each in (heights, widths, strides, starts)
        )
        heads = torch.arange(self.n_heads, dtype=torch.int32, device=device).repeat_interleave(
            self.n_levels * self.n_points
        )
        centers = [
            torch.cartesian_prod(pixel_centers(height, device), pixel_centers(width, device))
            for height, width in shapes
        ]
        center_y, center_x = torch.cat(centers).unsqueeze(-1).unbind(1)
        left, right_weight = _pixel_and_fraction(offsets[..., 0] + (center_x * widths + 0.5), widths)
        top, bottom_weight = _pixel_and_fraction(offsets[..., 1] + (center_y * heights + 0.5), heights)

        # `len(offsets)` would be a constant in traced graphs.
        pair = torch.arange(offsets.shape[0], dtype=torch.int32, device=device).view(-1, 1, 1)
        starts = (starts + pair * sizes.sum()) * self.n_heads + heads
        row_strides = strides * self.n_heads
        upper_left = top.mul_(row_strides).add_(left, alpha=self.n_heads).add_(starts)
        lower_left = upper_left + row_strides
        lower = weights * bottom_weight
        upper = weights - lower
        lower_right, upper_right = lower * right_weight, upper * right_weight
        rows = [upper_left, upper_left + self.n_heads, lower_left, lower_left + self.n_heads]
        row_weights = [upper - upper_right, upper_right, lower - lower_right, lower_right]
        num_samples = self.n_levels * self.n_points
        return (
            torch.cat([each.view(-1, num_samples) for each in rows], dim=1),
            torch.cat([each.view(-1, num_samples) for each in row_weights], dim=1),
        )


def _softmax_over_few(logits: Tensor) -> Tensor:
    """
    Softmax over a last dimension with few elements, in separate steps: PyTorch's own takes six times as long for a
    dozen of them on a CPU (`docs/experiments.md`). The maximum needs no gradient, because it cancels out.
    """
    exponentials = (logits - logits.detach().amax(-1, keepdim=True)).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


def _pixel_and_fraction(position: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """
    The pixel (int32) left of a position and how far the position is towards the next one, on an axis of `size` pixels
    with a zero pixel before and after. Positions outside give zero.
    """
    position = position.minimum(size + 1).clamp(min=0)
    pixel = position.detach().int().minimum(size)
    return pixel, position - pixel


class SinePositionEmbedding(Mask2FormerSinePositionEmbedding):
    """Sine positions computed in float32 for any precision of the features, as the reference does. Rows and
    columns are computed only once, not for every pixel."""

    def forward(
        self, shape: torch.Size, device: torch.device | str, dtype: torch.dtype, mask: Tensor | None = None
    ) -> Tensor:
        """Positions of shape `(1, num_channels, height, width)`, equal for all images of a batch. There is no mask."""
        height, width = shape[-2:]
        rows, columns = self._axis(height, device), self._axis(width, device)
        positions = torch.cat(
            [rows[:, None].expand(-1, width, -1), columns[None].expand(height, -1, -1)],
            dim=-1,
        )
        return positions.permute(2, 0, 1).unsqueeze(0).to(dtype)

    def _axis(self, size: int, device: torch.device | str) -> Tensor:
        """Sines and cosines of the positions on an axis: `(size, num_position_features)`."""
        positions = torch.arange(1, size + 1, dtype=torch.float32, device=device)
        positions = positions / (positions[-1] + 1e-6) * self.scale
        pairs = torch.arange(self.num_position_features // 2, dtype=torch.float32, device=device)
        angles = positions[:, None] / self.temperature ** (2 * pairs / self.num_position_features)
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class PixelDecoder(Mask2FormerPixelDecoder):
    """
    Mask2Former's pixel decoder with the fast [`DeformableAttention`], on complete images without padding.

    Args:
        config ([`MTRefSegMaskDecoderConfig`]): Sizes.
        mask2former_config (`Mask2FormerConfig`): The same sizes for the parent class.
        channels (`list[int]`): Channels of the fused levels, strides 4, 8, 16, 32.
    """

    def __init__(
        self, config: MTRefSegMaskDecoderConfig, mask2former_config: Mask2FormerConfig, channels: list[int]
    ) -> None:
        with warnings.catch_warnings():
            # "set embed_dim [...] more efficient in the authors' CUDA implementation", which is not used here
            warnings.filterwarnings("ignore", message="You'd better set embed_dim", category=UserWarning)
            super().__init__(mask2former_config, feature_channels=channels)
            for layer in self.encoder.layers:
                layer.self_attn = DeformableAttention(
                    config.hidden_size, config.num_attention_heads, n_levels=3, n_points=4
                )
        self.position_embedding = SinePositionEmbedding(config.hidden_size // 2, normalize=True)
        for block in (*self.input_projections, self.adapter_1, self.layer_1):
            block[1] = GroupNorm(block[1].num_groups, block[1].num_channels)
        for layer in self.encoder.layers:
            layer.activation_fn = torch.relu_  # in place: the widest tensor of the layer is not copied
        if config.lateral_bias_and_activation:
            self.adapter_1[0] = nn.Conv2d(channels[0], config.hidden_size, kernel_size=1)
            self.adapter_1.append(nn.ReLU())
            self.layer_1[0] = nn.Conv2d(config.hidden_size, config.hidden_size, kernel_size=3, padding=1)

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """
        Args:
            features (`tuple` of `Tensor` of shape `(batch_size, channels, height, width)`):
                Strides 4, 8, 16, 32.

        Returns:
            Mask features at stride 4, and features at strides 32, 16, 8, all with `hidden_size` channels.
        """
        coarse_to_fine = features[:0:-1]
        shapes = [tuple(level.shape[-2:]) for level in coarse_to_fine]
        projected = [project(level) for project, level in zip(self.input_projections, coarse_to_fine)]
        level_positions = [
            self.position_embedding(level.shape, level.device, level.dtype).flatten(2).transpose(1, 2) + embedding
            for level, embedding in zip(projected, self.level_embed)
        ]
        positions = torch.cat(level_positions, dim=1)
        states = torch.cat([level.flatten(2).transpose(1, 2) for level in projected], dim=1)
        for layer in self.encoder.layers:
            states = layer(states, None, position_embeddings=positions, spatial_shapes_list=shapes)[0]
        levels = tuple(
            level.unflatten(1, shape).permute(0, 3, 1, 2)  # (batch, length, hidden) -> (batch, hidden, height, width)
            for level, shape in zip(states.split([height * width for height, width in shapes], dim=1), shapes)
        )
        lateral = self.adapter_1(features[0])
        upsampled = nn.functional.interpolate(levels[-1], lateral.shape[-2:], mode="bilinear", align_corners=False)
        return self.mask_projection(self.layer_1(lateral + upsampled)), levels
