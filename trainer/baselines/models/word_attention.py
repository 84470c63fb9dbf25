# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The decoder of the specialist baselines: pixels attend to words, and the mask is computed from coarse to fine."""

import torch
from torch import Tensor, nn

from modeling_mtrefseg.configuration_mtrefseg import MTRefSegConfig
from modeling_mtrefseg.fusion_mtrefseg import ConvNormActivation, CoordinateProjection

from .baseline import mean_state


class WordAttention(nn.Module):
    """
    Pixel-word attention with a gate, as in LAVT (https://huggingface.co/papers/2112.02244): each pixel gathers the
    relevant words, and a gate decides how much of them is added.

    Args:
        size (`int`): Channels of the features.
        text_size (`int`): Width of the words' states.
        num_heads (`int`): Attention heads.
    """

    def __init__(self, size: int, text_size: int, num_heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(size, num_heads, kdim=text_size, vdim=text_size, batch_first=True)
        self.normalization = nn.LayerNorm(size)
        self.value = nn.Linear(size, size)
        self.gate = nn.Sequential(nn.Linear(size, size), nn.GELU(), nn.Linear(size, size), nn.Tanh())

    def forward(self, features: Tensor, words: Tensor, is_word: Tensor) -> Tensor:
        """
        Args:
            features (`Tensor` of shape `(num_sentences, size, height, width)`): One map per sentence.
            words (`Tensor` of shape `(num_sentences, length, text_size)`): The states of its words.
            is_word (`Tensor` of shape `(num_sentences, length)`): bool, false at padding.

        Returns:
            `Tensor`: Like `features`.
        """
        pixels = features.flatten(2).transpose(1, 2)
        gathered, _ = self.attention(
            self.normalization(pixels), words, words, key_padding_mask=~is_word, need_weights=False
        )
        joined = self.value(pixels) * gathered + gathered
        pixels = pixels + (1 + self.gate(joined)) * joined
        return pixels.transpose(1, 2).reshape(features.shape)


class WordDecoder(nn.Module):
    """
    Decodes one mask per sentence from the levels of a backbone and the words of the sentence. Words are used at
    strides 32, 16 and 8; the mask has stride 4.

    Args:
        config ([`MTRefSegConfig`]): `hidden_size` and heads of `mask_decoder_config`, `coordinate_channels`.
        channels (`list[int]`): Channels of the levels, strides 4, 8, 16, 32.
        is_cross_scale (`bool`, *optional*, defaults to `False`): Whether the three levels are mixed by one transformer
            layer at stride 16 before the mask is computed, as in RMSIN (https://huggingface.co/papers/2312.12470).
    """

    def __init__(self, config: MTRefSegConfig, channels: list[int], is_cross_scale: bool = False) -> None:
        super().__init__()
        size, heads = config.mask_decoder_config.hidden_size, config.mask_decoder_config.num_attention_heads
        text_size = config.text_config.hidden_size
        self.laterals = nn.ModuleList([ConvNormActivation(width, size) for width in channels])
        self.coordinates = nn.ModuleList(
            [CoordinateProjection(size) for _ in channels] if config.coordinate_channels else []
        )
        self.attentions = nn.ModuleList([WordAttention(size, text_size, heads) for _ in channels[1:]])
        self.smoothing = nn.ModuleList([ConvNormActivation(size, size, kernel_size=3) for _ in channels[1:-1]])
        self.mixing = (
            nn.TransformerEncoderLayer(size, heads, 2 * size, 0.0, batch_first=True) if is_cross_scale else None
        )
        self.last = ConvNormActivation(size, size)
        self.to_mask = nn.Conv2d(size, 1, kernel_size=1)
        self.to_no_target = nn.Linear(size + text_size, 1)

    def forward(
        self, levels: tuple[Tensor, ...], pair_index: Tensor, words: Tensor, is_word: Tensor
    ) -> tuple[Tensor, Tensor]:
        """
        Args:
            levels (`tuple` of `Tensor` of shape `(batch_size, channels, height, width)`): Strides 4, 8, 16, 32.
            pair_index (`Tensor` of shape `(num_sentences,)`): The pair that each sentence belongs to.
            words, is_word: See [`WordAttention.forward`].

        Returns:
            `Tensor` of shape `(num_sentences, height / 4, width / 4)`: Logits of the masks.
            `Tensor` of shape `(num_sentences,)`: Logits that there is no target.
        """
        lateral = [project(level) for project, level in zip(self.laterals, levels)]
        if self.coordinates:
            lateral = [project(level) for project, level in zip(self.coordinates, lateral)]
        finest, *coarser = lateral
        told = [attend(level[pair_index], words, is_word) for attend, level in zip(self.attentions, coarser)]
        if self.mixing is not None:
            told = self._mix(self.mixing, told)
        features = told[-1]
        pooled = features.mean((2, 3))
        for level, smooth in zip(reversed(told[:-1]), self.smoothing):
            features = smooth(level + _resize(features, level))
        features = self.last(finest[pair_index] + _resize(features, finest))
        no_target = self.to_no_target(torch.cat([pooled, mean_state(words, is_word)], dim=1))
        return self.to_mask(features).squeeze(1), no_target.squeeze(1)

    def _mix(self, layer: nn.Module, levels: list[Tensor]) -> list[Tensor]:
        """Fuses all levels at the resolution of the middle one and adds the result to each level."""
        middle = levels[1]
        joined = torch.stack([_resize(level, middle) for level in levels]).sum(0)
        mixed = layer(joined.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(middle.shape)
        return [level + _resize(mixed, level) for level in levels]


def _resize(features: Tensor, like: Tensor) -> Tensor:
    return nn.functional.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=False)
