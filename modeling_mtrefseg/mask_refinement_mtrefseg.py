# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Corrects the masks of the masked-attention decoder by a small network for each query."""

import torch
from torch import Tensor, nn
from transformers import initialization as init

from .configuration_mtrefseg import MTRefSegMaskDecoderConfig
from .cpu_gradients_mtrefseg import is_captured, weighted_maxima
from .outputs_mtrefseg import MaskFeatures


_VALUES_AT_ONCE = 2**22
"""About how many hidden values a prediction holds at once, 16 MB in float32; at least those of one query of each
pair."""


class MaskRefinement(nn.Module):
    """
    A network for each query that corrects its mask, after
    [CondInst](https://huggingface.co/papers/2003.05664). The decoder's logits are a scalar product of the query and
    the features of a pixel; this adds one hidden layer. All queries share its weights for the features of a pixel, and
    each query determines the biases and the output weights. New weights change no mask.

    Args:
        config ([`MTRefSegMaskDecoderConfig`]): Sizes.
    """

    def __init__(self, config: MTRefSegMaskDecoderConfig) -> None:
        super().__init__()
        hidden_size, size = config.hidden_size, config.refinement_size
        self.norm = nn.LayerNorm(hidden_size)
        self.features = nn.Linear(hidden_size, size)
        self.levels = nn.ModuleList([nn.Linear(hidden_size, size, bias=False) for _ in range(3)])
        self.biases = nn.Linear(2 * hidden_size, size)
        self.weights = nn.Linear(2 * hidden_size, size)

    def reset_parameters(self) -> None:
        """Sets the hidden layer to random weights, and the output to zero."""
        for layer in (self.features, self.biases, *self.levels):
            init.xavier_uniform_(layer.weight)
        init.zeros_(self.weights.weight)
        init.zeros_(self.weights.bias)

    def forward(self, features: MaskFeatures, queries: Tensor, states: Tensor, num_masks: int) -> Tensor:
        """
        Args:
            features ([`MaskFeatures`]): Features of `batch_size` pairs. `refinement_features` are computed if missing.
            queries, states (`Tensor` of shape `(batch_size, num_groups, num_queries, hidden_size)`):
                The queries before and after the decoder's layers.
            num_masks (`int`): How many queries of each group have a mask; the first ones.

        Returns:
            `Tensor` of shape `(batch_size, num_groups, num_masks, height, width)`: Is added to the mask logits.
        """
        pixels = features.refinement_features
        if pixels is None:
            pixels = self.encode(features)
        of_queries = torch.cat([queries, states], dim=-1)[:, :, :num_masks]
        biases = self.biases(of_queries).flatten(1, 2)
        weights = self.weights(of_queries).flatten(1, 2) * biases.shape[-1] ** -0.5
        corrections = self._corrections(pixels.flatten(2), biases, weights)
        return corrections.unflatten(1, of_queries.shape[1:3]).unflatten(-1, pixels.shape[-2:])

    def encode(self, features: MaskFeatures) -> Tensor:
        """The part of the hidden layer that all queries share: `(batch_size, refinement_size, height, width)`."""
        pixels = _on_channels(self.features, self.norm(features.mask_features.movedim(1, -1)).movedim(-1, 1))
        for layer, level in zip(self.levels, features.multi_scale_features or ()):
            pixels = pixels + nn.functional.interpolate(
                _on_channels(layer, level), size=pixels.shape[-2:], mode="bilinear", align_corners=False
            )
        return pixels

    def _corrections(self, pixels: Tensor, biases: Tensor, weights: Tensor) -> Tensor:
        """
        The output of the network.

        Args:
            pixels (`Tensor` of shape `(batch_size, refinement_size, num_pixels)`): Result of `encode`.
            biases, weights (`Tensor` of shape `(batch_size, num_queries, refinement_size)`): Of each query.

        Returns:
            `Tensor` of shape `(batch_size, num_queries, num_pixels)`.
        """
        # relu(pixels + biases) is the maximum of pixels and -biases, plus biases.
        constant = (weights * biases).sum(-1, keepdim=True)
        if torch.is_grad_enabled() or is_captured():
            return weighted_maxima(pixels, -biases, weights) + constant
        at_once = max(1, _VALUES_AT_ONCE // pixels.numel())
        parts = zip((-biases).split(at_once, dim=1), weights.split(at_once, dim=1))
        return torch.cat([weighted_maxima(pixels, *part) for part in parts], dim=1) + constant


def _on_channels(layer: nn.Module, features: Tensor) -> Tensor:
    """A linear layer on the channels of `(batch_size, channels, height, width)`."""
    output: Tensor = layer(features.movedim(1, -1))
    return output.movedim(-1, 1)


__all__ = ["MaskRefinement"]
