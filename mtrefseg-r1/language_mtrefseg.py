# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Connects images and language: projector, layout of many sentences after one prompt, `[SEG]` head."""

from dataclasses import dataclass
from inspect import signature

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from .configuration_mtrefseg import MTRefSegConfig
from .outputs_mtrefseg import KeyValues


class ChannelLayerNorm(nn.LayerNorm):
    """Layer normalisation of each position's channels, for `(batch_size, channels, height, width)`."""

    def forward(self, features: Tensor) -> Tensor:
        """Returns a tensor of the same shape."""
        return super().forward(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Projector(nn.Module):
    """
    Converts stride-32 features of one image to tokens of the language model: two convolutions of stride 2, each with a
    layer normalisation, and a linear map. An image of 1024 pixels becomes 64 tokens.

    Args:
        config ([`MTRefSegConfig`]): `projector_norm`, `image_size` and the language model's width.
        in_channels (`int`): Channels of the features.
    """

    def __init__(self, config: MTRefSegConfig, in_channels: int) -> None:
        super().__init__()
        hidden_size = config.text_config.hidden_size
        size = _halve(config.image_size // 32)
        self.convolution_1 = nn.Conv2d(in_channels, hidden_size, kernel_size=3, stride=2, padding=1)
        self.convolution_2 = nn.Conv2d(hidden_size, hidden_size, kernel_size=3, stride=2, padding=1)
        if config.projector_norm == "spatial":
            self.normalization_1 = nn.LayerNorm([hidden_size, size, size])
            self.normalization_2 = nn.LayerNorm([hidden_size, _halve(size), _halve(size)])
        else:
            self.normalization_1 = ChannelLayerNorm(hidden_size)
            self.normalization_2 = ChannelLayerNorm(hidden_size)
        self.linear = nn.Conv2d(hidden_size, hidden_size, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:
        """`(batch_size, in_channels, height, width)` to `(batch_size, num_image_tokens, hidden_size)`."""
        features = self.normalization_1(self.convolution_1(features))
        features = self.normalization_2(self.convolution_2(features))
        return self.linear(features).flatten(2).transpose(1, 2)


class SegHead(nn.Module):
    """
    The `[SEG]` head: turns states of the language model into queries of the mask decoder. The pooled state of a
    sentence passes through a linear layer and, in parallel, through attention over the fused stride-32 features and
    itself; both results are combined.

    Args:
        config ([`MTRefSegConfig`]): Sizes.
        vision_channels (`int`): Channels of the fused stride-32 features.
    """

    head_size = 64

    def __init__(self, config: MTRefSegConfig, vision_channels: int) -> None:
        super().__init__()
        size, inner_size = config.seg_head_size, config.seg_head_attention_heads * self.head_size
        self.pooled_projection = nn.Linear(config.text_config.hidden_size, size)
        self.query_projection = nn.Linear(config.text_config.hidden_size, size)
        self.vision_projection = nn.Linear(vision_channels, size)
        self.vision_normalization = nn.LayerNorm(size)
        self.query_normalization = nn.LayerNorm(size)
        self.to_query = nn.Linear(size, inner_size, bias=False)
        self.to_key_value = nn.Linear(size, 2 * inner_size, bias=False)
        self.to_output = nn.Linear(inner_size, size, bias=False)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(size), nn.Linear(size, size, bias=False), nn.GELU(), nn.Linear(size, size, bias=False)
        )
        self.output_normalization = nn.LayerNorm(size)
        self.output_projection = nn.Linear(2 * size, config.mask_decoder_config.hidden_size)

    def forward(self, pooled_states: Tensor, vision_features: Tensor) -> Tensor:
        """
        Args:
            pooled_states (`Tensor` of shape `(batch_size, num_expressions, text_hidden_size)`): One row per sentence.
            vision_features (`Tensor` of shape `(batch_size, vision_channels, height, width)`): Fused, stride 32.

        Returns:
            `Tensor` of shape `(batch_size, num_expressions, hidden_size)`: queries of the mask decoder.
        """
        query = self.query_projection(pooled_states)
        vision = self.vision_projection(vision_features.flatten(2).transpose(1, 2))
        query = query + self._attend(self.query_normalization(query), self.vision_normalization(vision))
        query = self.output_normalization(query + self.feed_forward(query))
        return self.output_projection(torch.cat([self.pooled_projection(pooled_states), query], dim=-1))

    def _attend(self, query: Tensor, vision: Tensor) -> Tensor:
        """Each query attends to all positions and to itself, not to the other queries."""
        queries = self._split_heads(self.to_query(query)) * self.head_size**-0.5
        own_key, own_value = map(self._split_heads, self.to_key_value(query).chunk(2, dim=-1))
        key, value = map(self._split_heads, self.to_key_value(vision).chunk(2, dim=-1))
        own_score = (queries * own_key).sum(-1, keepdim=True)
        weights = torch.cat([queries @ key.transpose(-1, -2), own_score], dim=-1).softmax(-1)
        attended = weights[..., :-1] @ value + weights[..., -1:] * own_value
        return self.to_output(attended.transpose(1, 2).flatten(2))

    def _split_heads(self, states: Tensor) -> Tensor:
        """`(batch_size, length, inner_size)` to `(batch_size, num_heads, length, head_size)`."""
        return states.unflatten(-1, (-1, self.head_size)).transpose(1, 2)


@dataclass
class SentenceLayout:
    """
    Positions of the sentences of a ragged batch in a padded one with `max_expressions` places per pair.

    Args:
        pair_index (`Tensor` of shape `(num_sentences,)`): The pair that each sentence belongs to.
        slot (`Tensor` of shape `(num_sentences,)`): Its place among the sentences of that pair.
        num_expressions (`Tensor` of shape `(batch_size,)`): Number of sentences of each pair.
        max_expressions (`int`): The largest number of sentences of a pair.
    """

    pair_index: Tensor
    slot: Tensor
    num_expressions: Tensor
    max_expressions: int

    @classmethod
    def of(cls, input_ids: Tensor, num_expressions: Tensor | None, batch_size: int) -> "SentenceLayout":
        """
        The layout of a batch.

        Args:
            input_ids (`Tensor` of shape `(num_sentences, length)`): The sentences of all pairs, one after another.
            num_expressions (`Tensor` of shape `(batch_size,)`, *optional*): Number of sentences of each pair; one
                sentence each if not given.
            batch_size (`int`): Number of pairs.

        Raises:
            `ValueError`: The numbers do not match the pairs or the sentences.
        """
        if num_expressions is None:
            num_expressions = torch.ones(batch_size, dtype=torch.long, device=input_ids.device)
        counts = num_expressions.tolist()
        if len(counts) != batch_size or sum(counts) != len(input_ids) or min(counts, default=0) < 0:
            raise ValueError(
                f"num_expressions={counts} must hold one count for each of {batch_size} pairs and "
                f"add up to the {len(input_ids)} sentences of input_ids."
            )
        pair_index = torch.arange(batch_size, device=num_expressions.device).repeat_interleave(num_expressions)
        first = num_expressions.cumsum(0) - num_expressions
        slot = torch.arange(len(pair_index), device=num_expressions.device) - first[pair_index]
        return cls(pair_index, slot, num_expressions, max(counts, default=0))

    def split(self, longest: int) -> tuple["SentenceLayout", Tensor]:
        """
        The same sentences in rows of at most `longest`, and the pair that each row belongs to, shape `(num_rows,)`.
        """
        num_rows = (self.num_expressions + longest - 1) // longest
        pair_of_row = torch.arange(len(num_rows), device=num_rows.device).repeat_interleave(num_rows)
        row = (num_rows.cumsum(0) - num_rows)[self.pair_index] + self.slot // longest
        counts = torch.bincount(row, minlength=len(pair_of_row))
        return SentenceLayout(row, self.slot % longest, counts, min(longest, self.max_expressions)), pair_of_row

    def pad(self, values: Tensor) -> Tensor:
        """`(num_sentences, ...)` to `(batch_size, max_expressions, ...)`, zeros where there is no sentence."""
        padded = values.new_zeros(len(self.num_expressions), self.max_expressions, *values.shape[1:])
        return padded.index_put((self.pair_index, self.slot), values)

    def flatten(self, values: Tensor) -> Tensor:
        """`(batch_size, max_expressions, ...)` back to `(num_sentences, ...)`."""
        return values[self.pair_index, self.slot]


def check_shapes(input_ids: Tensor, **others: Tensor | None) -> None:
    """Raises a `ValueError` that names the first given tensor whose shape differs from that of `input_ids`."""
    for name, other in others.items():
        if other is not None and other.shape != input_ids.shape:
            raise ValueError(f"{name} has shape {tuple(other.shape)}, but input_ids has {tuple(input_ids.shape)}.")


def check_absent(**of_sentences: Tensor | None) -> None:
    """Raises a `ValueError` that names the given arguments; for those that need sentences, where there are none."""
    if given := [name for name, value in of_sentences.items() if value is not None]:
        raise ValueError(f"Without `input_ids` there are no sentences: leave out {', '.join(given)}.")


def mean_states(states: Tensor, mask: Tensor) -> Tensor:
    """
    The state of each sentence, from which the `[SEG]` head makes its query.

    Args:
        states (`Tensor` of shape `(num_sentences, length, text_hidden_size)`): Last hidden states.
        mask (`Tensor` of shape `(num_sentences, length)`): 1 for the positions that are averaged, else 0.

    Returns:
        `Tensor` of shape `(num_sentences, text_hidden_size)`: Zeros where no position is averaged.
    """
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


def packed_positions(prompt_mask: Tensor, sentence_mask: Tensor) -> Tensor:
    """
    Position ids of a prompt and of the sentences after it: each sentence continues where the prompt ends.

    Args:
        prompt_mask (`Tensor` of shape `(batch_size, prompt_length)`): 1 for tokens, 0 for padding on either side.
        sentence_mask (`Tensor` of shape `(batch_size, num_expressions, sentence_length)`): Likewise.

    Returns:
        `Tensor` of shape `(batch_size, prompt_length + num_expressions * sentence_length)`.
    """
    prompt = prompt_mask.cumsum(-1) - 1
    sentences = sentence_mask.cumsum(-1) - 1 + prompt_mask.sum(-1)[:, None, None]
    return torch.cat([prompt, sentences.flatten(1)], dim=1).clamp_(min=0)


def packed_attention_mask(prompt_mask: Tensor, sentence_mask: Tensor, dtype: torch.dtype) -> Tensor:
    """
    Additive attention mask that lets each sentence attend to the prompt and to its own earlier tokens, but not to
    other sentences. So all sentences of a pair share one pass and one set of keys and values, and each gets the same
    states as it would alone.

    Args:
        prompt_mask, sentence_mask: See [`packed_positions`].
        dtype (`torch.dtype`): Precision of the language model.

    Returns:
        `Tensor` of shape `(batch_size, 1, length, length)`, 0 where a token is visible.
    """
    num_expressions, sentence_length = sentence_mask.shape[1:]
    device = prompt_mask.device
    # 0 for the prompt, n for the n-th sentence
    segment = torch.arange(1, num_expressions + 1, device=device).repeat_interleave(sentence_length)
    segment = torch.cat([segment.new_zeros(prompt_mask.shape[1]), segment])
    order = torch.arange(segment.shape[0], device=device)
    causal = order[:, None] >= order
    visible = causal & ((segment == 0) | (segment[:, None] == segment))
    valid = torch.cat([prompt_mask, sentence_mask.flatten(1)], dim=1).bool()
    # Padding attends to itself: a row of the mask with nothing visible would give NaN.
    visible = (visible & valid[:, None, :]) | torch.eye(segment.shape[0], dtype=torch.bool, device=device)
    mask = torch.zeros(visible.shape, dtype=dtype, device=device)
    return mask.masked_fill_(~visible, torch.finfo(dtype).min).unsqueeze(1)


def cache_name(decoder: nn.Module) -> str:
    """What a language model calls its keys and values: "cache", or "past_key_values" before transformers 5.24."""
    return "cache" if "cache" in signature(decoder.forward).parameters else "past_key_values"


def cache_from(key_values: KeyValues) -> DynamicCache:
    """A new cache that starts with given keys and values and does not change them."""
    cache = DynamicCache()
    for layer, (keys, values) in enumerate(key_values):
        cache.update(keys, values, layer)
    return cache


def key_values_of(cache: DynamicCache) -> KeyValues:
    """Keys and values in a cache."""
    return tuple((layer.keys, layer.values) for layer in cache.layers)


def _halve(size: int) -> int:
    """Output size of a convolution with kernel 3, stride 2, padding 1."""
    return (size + 1) // 2
