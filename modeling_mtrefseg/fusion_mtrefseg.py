# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Temporal fusion: combines the features of t1 and t2 on each level to features of their change."""

import torch
from torch import Tensor, nn


class GroupNorm(nn.GroupNorm):
    """Group normalisation that runs in float32 under autocast on every device, as the standard one does on GPUs. On
    a CPU this is more exact, and has a faster backward pass (`benchmarks/results/operators.csv`)."""

    def forward(self, features: Tensor) -> Tensor:
        """`(batch_size, channels, height, width)` to the same shape."""
        return super().forward(features.float() if torch.is_autocast_enabled(features.device.type) else features)


class ConvNormActivation(nn.Module):
    """Convolution without bias, group normalisation, GELU; spatial size is kept."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)
        self.normalization = GroupNorm(_num_groups(out_channels), out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """`(batch_size, in_channels, height, width)` to `(batch_size, out_channels, height, width)`."""
        return nn.functional.gelu(self.normalization(self.convolution(features)))


class ChangeAwareFusion(nn.Module):
    """
    Fusion of the paper: a change feature is computed from the signed and the absolute difference, and a gate with a
    global view of both images decides per channel how much of this feature is added to their common features.

    Args:
        channels (`int`): Channels of the level, the same for t1, t2 and the output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        gate_channels = max(channels // 4, 32)
        self.projection_t1 = ConvNormActivation(channels, channels)
        self.projection_t2 = ConvNormActivation(channels, channels)
        self.difference = nn.Sequential(
            ConvNormActivation(2 * channels, channels, kernel_size=3),
            ConvNormActivation(channels, channels, kernel_size=3),
        )
        self.mixture = nn.Sequential(
            ConvNormActivation(4 * channels, channels),
            ConvNormActivation(channels, channels, kernel_size=3),
        )
        self.gate_squeeze = nn.Conv2d(2 * channels, gate_channels, kernel_size=1, bias=False)
        self.gate_expand = nn.Conv2d(gate_channels, channels, kernel_size=1)
        self.output_normalization = GroupNorm(_num_groups(channels), channels)

    def forward(self, features_t1: Tensor, features_t2: Tensor) -> Tensor:
        """Two tensors of shape `(batch_size, channels, height, width)` to one of the same shape."""
        features_t1 = self.projection_t1(features_t1)
        features_t2 = self.projection_t2(features_t2)
        signed = features_t2 - features_t1
        absolute = signed.abs()
        difference = self.difference(torch.cat([signed, absolute], dim=1))
        mixture = self.mixture(torch.cat([features_t1, features_t2, absolute, difference], dim=1))

        scene = torch.cat([features_t1.mean((2, 3), keepdim=True), features_t2.mean((2, 3), keepdim=True)], dim=1)
        gate = self.gate_expand(nn.functional.gelu(self.gate_squeeze(scene))).sigmoid()
        fused = torch.addcmul(mixture, gate, difference)
        fused = fused.add(features_t1, alpha=0.5).add(features_t2, alpha=0.5)
        return nn.functional.gelu(self.output_normalization(fused))


class ConcatenationFusion(nn.Module):
    """Ablation `"concat_conv"`: one 3 x 3 convolution over both images' channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mixture = ConvNormActivation(2 * channels, channels, kernel_size=3)

    def forward(self, features_t1: Tensor, features_t2: Tensor) -> Tensor:
        """Two tensors of shape `(batch_size, channels, height, width)` to one of the same shape."""
        return self.mixture(torch.cat([features_t1, features_t2], dim=1))


class AbsoluteDifferenceFusion(nn.Module):
    """Ablation `"abs_diff"`: the absolute difference, without weights. Blind to the order of t1 and t2."""

    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, features_t1: Tensor, features_t2: Tensor) -> Tensor:
        """Two tensors of shape `(batch_size, channels, height, width)` to one of the same shape."""
        return (features_t2 - features_t1).abs()


class AverageFusion(nn.Module):
    """Ablation `"avg"`: the mean of both images, without weights. Blind to the order of t1 and t2."""

    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, features_t1: Tensor, features_t2: Tensor) -> Tensor:
        """Two tensors of shape `(batch_size, channels, height, width)` to one of the same shape."""
        return (features_t1 + features_t2) / 2


FUSION_CLASSES: dict[str, type[nn.Module]] = {
    "change_aware": ChangeAwareFusion,
    "concat_conv": ConcatenationFusion,
    "abs_diff": AbsoluteDifferenceFusion,
    "avg": AverageFusion,
}


class TemporalFusion(nn.Module):
    """
    One fusion block per backbone level.

    Args:
        fusion_type (`str`): A key of `FUSION_CLASSES`.
        channels (`list[int]`): Channels of the four levels, strides 4, 8, 16, 32.
        coordinate_channels (`bool`): Whether a learned projection of the pixel coordinates is added to each level.
    """

    def __init__(self, fusion_type: str, channels: list[int], coordinate_channels: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([FUSION_CLASSES[fusion_type](level_channels) for level_channels in channels])
        self.coordinates = nn.ModuleList(
            [CoordinateProjection(level_channels) for level_channels in channels] if coordinate_channels else []
        )

    def forward(self, features_t1: list[Tensor], features_t2: list[Tensor]) -> tuple[Tensor, ...]:
        """Four levels of each image, `(batch_size, channels, height, width)`, to four fused ones."""
        fused = [
            block(as_channels_last(level_t1), as_channels_last(level_t2))
            for block, level_t1, level_t2 in zip(self.blocks, features_t1, features_t2)
        ]
        if self.coordinates:
            fused = [project(level) for project, level in zip(self.coordinates, fused)]
        return tuple(fused)


class Float32Linear(nn.Linear):
    """`nn.Linear` that computes in float32 for any precision of its weights: bfloat16 cannot distinguish the
    coordinates of neighbouring pixels."""

    def forward(self, input: Tensor) -> Tensor:
        """`(..., in_features)` to `float32` of shape `(..., out_features)`."""
        return nn.functional.linear(input.float(), self.weight.float(), self.bias.float())


class CoordinateProjection(nn.Module):
    """Adds a learned linear map of each position's (x, y), from -1 at the left/top edge to 1, to its features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.projection = Float32Linear(2, channels)

    def forward(self, features: Tensor) -> Tensor:
        """`(batch_size, channels, height, width)` to the same shape."""
        height, width = features.shape[-2:]
        y, x = torch.meshgrid(
            pixel_centers(height, features.device) * 2 - 1,
            pixel_centers(width, features.device) * 2 - 1,
            indexing="ij",
        )
        positions = self.projection(torch.stack([x, y], dim=-1))
        return features + positions.permute(2, 0, 1).to(features.dtype)


def as_channels_last(features: Tensor) -> Tensor:
    """
    The same `(batch_size, channels, height, width)` with the channels of a pixel next to each other in memory.
    Convolutions and resizing are up to twice as fast in this memory layout, which is also used by the outputs of
    transformer layers.
    """
    return features.contiguous(memory_format=torch.channels_last)


def pixel_centers(size: int, device: torch.device) -> Tensor:
    """Centres of `size` pixels along an axis that runs from 0 to 1, shape `(size,)`, always float32."""
    return (torch.arange(size, device=device, dtype=torch.float32) + 0.5) / size


def _num_groups(channels: int) -> int:
    """The largest of 32, 16, 8, 4, 2, 1 that divides `channels`."""
    return next(groups for groups in (32, 16, 8, 4, 2, 1) if channels % groups == 0)
