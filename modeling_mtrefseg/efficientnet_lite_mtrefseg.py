# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
EfficientNet-Lite, a convolutional backbone that is fast on CPUs: EfficientNet
(https://huggingface.co/papers/1905.11946) with ReLU6 and without squeeze-and-excitation. transformers has no class for
it.
"""

import math
from typing import Any, cast

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers import initialization as init
from transformers.backbone_utils import BackboneConfigMixin, BackboneMixin
from transformers.modeling_outputs import BackboneOutput
from transformers.utils.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from .cpu_gradients_mtrefseg import convolve, relu6_in_place


# Each group of blocks: repeats, kernel size, stride, expansion, output channels (all for multipliers of 1).
_GROUPS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STAGE_ENDS = (1, 2, 4, 6)  # The last groups at strides 4, 8, 16 and 32.
_STEM_CHANNELS = 32
_NORM_EPSILON = 1e-3


@strict
class EfficientNetLiteConfig(BackboneConfigMixin, PreTrainedConfig):
    r"""
    Configuration of [`EfficientNetLiteBackbone`]. The defaults are those of EfficientNet-Lite0.

    Args:
        width_multiplier (`float`, *optional*, defaults to 1.0):
            Factor of the channels of every group: 1.0 for Lite0 and Lite1, 1.1 for Lite2. The stem keeps 32.
        depth_multiplier (`float`, *optional*, defaults to 1.0):
            Factor of the number of blocks: 1.0 for Lite0, 1.1 for Lite1, 1.2 for Lite2. The first and the last group
            keep one block.
        out_features (`list[str]`, *optional*, defaults to all four stages):
            The stages to return: "stem" (stride 2), "stage1" to "stage4" (strides 4, 8, 16, 32).
        out_indices (`list[int]`, *optional*):
            The same by position, 0 for "stem"; an alternative to `out_features`.

    Raises:
        `StrictDataclassError`: A field has the wrong type, or a multiplier is not positive.
    """

    model_type = "efficientnet_lite"

    width_multiplier: float = 1.0
    depth_multiplier: float = 1.0

    def __post_init__(self, **kwargs: Any) -> None:
        self.stage_names = ["stem", "stage1", "stage2", "stage3", "stage4"]
        features = kwargs.pop("out_features", None)
        indices = kwargs.pop("out_indices", None)
        if features is None and indices is None:
            features = self.stage_names[1:]
        self.set_output_features_output_indices(out_indices=indices, out_features=features)
        super().__post_init__(**kwargs)

    def validate_architecture(self) -> None:
        """Raises a `ValueError` that names the field when a multiplier is not positive."""
        for name in ("width_multiplier", "depth_multiplier"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}={getattr(self, name)} must be positive.")

    def channels_of(self, group: int) -> int:
        """Output channels of a group of blocks (0 to 6): a multiple of 8 that is at most 10 % too small."""
        wanted = _GROUPS[group][-1] * self.width_multiplier
        rounded = max(8, int(wanted + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * wanted else rounded

    def depth_of(self, group: int) -> int:
        """Number of blocks of a group (0 to 6)."""
        repeats = _GROUPS[group][0]
        return repeats if group in (0, len(_GROUPS) - 1) else math.ceil(repeats * self.depth_multiplier)


class NormalizedConv2d(nn.Conv2d):
    """
    A convolution, the batch normalisation after it, and optionally ReLU6. The running statistics are those of
    pretraining and are never updated, so the normalisation is folded into the kernel and costs almost nothing. With
    stride 2 the input is padded as in TensorFlow ("SAME"): if needed, with one more row and column at the bottom and
    right.

    Args:
        in_channels, out_channels, kernel_size, stride, groups (`int`): See `nn.Conv2d`.
        activation (`bool`): Whether ReLU6 follows.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        groups: int = 1,
        activation: bool = False,
    ) -> None:
        padding = kernel_size // 2 if stride == 1 else 0
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, groups=groups)
        self.activation = activation
        self.scale = nn.Parameter(torch.ones(out_channels))
        self.register_buffer("running_mean", torch.zeros(out_channels))
        self.register_buffer("running_var", torch.ones(out_channels))

    def forward(self, features: Tensor, residual: Tensor | None = None) -> Tensor:
        """
        Args:
            features (`Tensor` of shape `(batch_size, in_channels, height, width)`): Input.
            residual (`Tensor`, *optional*): Added to the output, which has no activation then.

        Returns:
            `Tensor` of shape `(batch_size, out_channels, ceil(height / stride), ceil(width / stride))`.
        """
        kernel, shift = self.folded()
        if self.stride[0] > 1:
            features = self._pad(features)
        padding = cast(tuple[int, ...], self.padding)[0]
        convolved = convolve(features, kernel, shift, self.stride[0], padding, self.groups)
        if self.activation:
            return relu6_in_place(convolved)
        return convolved if residual is None else convolved + residual

    def folded(self) -> tuple[Tensor, Tensor]:
        """Kernel and bias that are equivalent to the convolution and the normalisation."""
        # The normalisation is (convolved - mean) * scale + bias with this scale.
        scale = self.scale * (self.running_var + _NORM_EPSILON).rsqrt()
        kernel = self.weight * scale[:, None, None, None]
        return kernel, cast(Tensor, self.bias) - self.running_mean * scale

    def _pad(self, features: Tensor) -> Tensor:
        """Pads with zeros so that every stride-2 window fits."""
        sides: list[int] = []
        for size in (features.shape[-1], features.shape[-2]):
            total = max((math.ceil(size / 2) - 1) * 2 + self.kernel_size[0] - size, 0)
            sides += [total // 2, total - total // 2]
        return nn.functional.pad(features, sides)


class InvertedResidual(nn.Module):
    """
    Expansion, depthwise convolution and projection (https://huggingface.co/papers/1801.04381). The input is added if
    it has the shape of the output.

    Args:
        in_channels, out_channels, kernel_size, stride (`int`): Sizes of the complete block.
        expansion (`int`): Factor of the channels inside the block; 1 means no expansion.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = in_channels * expansion
        self.expand = NormalizedConv2d(in_channels, inner, 1, activation=True) if expansion > 1 else None
        self.depthwise = NormalizedConv2d(inner, inner, kernel_size, stride, groups=inner, activation=True)
        self.project = NormalizedConv2d(inner, out_channels, 1)
        self.is_residual = stride == 1 and in_channels == out_channels

    def forward(self, features: Tensor) -> Tensor:
        """`(batch_size, in_channels, h, w)` to `(batch_size, out_channels, ceil(h / stride), ceil(w / stride))`."""
        hidden = features if self.expand is None else self.expand(features)
        return self.project(self.depthwise(hidden), features if self.is_residual else None)


class EfficientNetLiteBackbone(BackboneMixin, PreTrainedModel):
    """
    EfficientNet-Lite up to stride 32, without its classification head. Like other backbones it expects images that are
    normalised with ImageNet's mean and standard deviation, and scales them to the range from -1 to 1 with which its
    weights were trained.

    Args:
        config ([`EfficientNetLiteConfig`]): Sizes and the stages to return.
    """

    config: EfficientNetLiteConfig
    config_class = EfficientNetLiteConfig
    main_input_name = "pixel_values"
    base_model_prefix = "backbone"
    has_attentions = False
    supports_gradient_checkpointing = False
    _no_split_modules = ["InvertedResidual"]

    def __init__(self, config: EfficientNetLiteConfig) -> None:
        super().__init__(config)
        self.num_features = [_STEM_CHANNELS, *(config.channels_of(group) for group in _STAGE_ENDS)]
        self.stem = NormalizedConv2d(3, _STEM_CHANNELS, kernel_size=3, stride=2, activation=True)
        channels = _STEM_CHANNELS
        groups = []
        for group, (_, kernel_size, stride, expansion, _) in enumerate(_GROUPS):
            blocks = []
            for index in range(config.depth_of(group)):
                out_channels = config.channels_of(group)
                blocks.append(
                    InvertedResidual(channels, out_channels, kernel_size, stride if index == 0 else 1, expansion)
                )
                channels = out_channels
            groups.append(nn.Sequential(*blocks))
        self.groups = nn.ModuleList(groups)
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        if not isinstance(module, NormalizedConv2d):
            super()._init_weights(module)
            return
        fan_out = module.weight[0, 0].numel() * module.out_channels // module.groups
        init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        init.zeros_(module.bias)
        init.ones_(module.scale)
        init.zeros_(module.running_mean)
        init.ones_(module.running_var)

    def forward(self, pixel_values: Tensor, **kwargs: Any) -> BackboneOutput:
        """
        Args:
            pixel_values (`Tensor` of shape `(batch_size, 3, height, width)`): RGB, normalised as the processor does.
            kwargs: Ignored. Other backbones accept flags such as `output_attentions` here.

        Returns:
            `BackboneOutput`: `feature_maps`, for each of `config.out_features` a tensor of shape
            `(batch_size, channels, ceil(height / stride), ceil(width / stride))`.
        """
        features = _to_unit_range(pixel_values).contiguous(memory_format=torch.channels_last)
        features = self.stem(features)
        stages = {"stem": features}
        for group, blocks in enumerate(self.groups):
            features = blocks(features)
            if group in _STAGE_ENDS:
                stages[f"stage{_STAGE_ENDS.index(group) + 1}"] = features
        return BackboneOutput(feature_maps=tuple(stages[name] for name in self.out_features))


def _to_unit_range(pixel_values: Tensor) -> Tensor:
    """Converts normalised pixels to the range from -1 (black) to 1 (white)."""
    std = pixel_values.new_tensor(IMAGENET_DEFAULT_STD).view(3, 1, 1)
    mean = pixel_values.new_tensor(IMAGENET_DEFAULT_MEAN).view(3, 1, 1)
    return pixel_values * (2 * std) + (2 * mean - 1)


__all__ = ["EfficientNetLiteBackbone", "EfficientNetLiteConfig"]
