# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Masked-attention decoder: the modules, weights and initialisation of transformers' Mask2Former, with a forward pass for
many independent sentences on one image pair.
"""

import torch
from torch import Tensor, nn
from transformers import Mask2FormerConfig, PreTrainedModel
from transformers.models.mask2former.modeling_mask2former import (
    Mask2FormerMaskedAttentionDecoderLayer,
    Mask2FormerPreTrainedModel,
    Mask2FormerTransformerModule,
)

from .configuration_mtrefseg import MTRefSegMaskDecoderConfig
from .fusion_mtrefseg import CoordinateProjection, as_channels_last
from .mask_refinement_mtrefseg import MaskRefinement
from .outputs_mtrefseg import MaskDecoderOutput, MaskFeatures
from .pixel_decoder_mtrefseg import PixelDecoder, SinePositionEmbedding


class ContainerInitialization(PreTrainedModel):
    """
    Calls `_init_weights` also for modules without parameters of their own, such as Mask2Former's attention and decoder
    layers. For classes outside of transformers ("custom code") the library skips these modules and thus their
    initialisation; here a module is skipped only if all its submodules are initialised already.
    """

    def _initialize_weights(self, module: nn.Module, is_custom_code: bool = False) -> None:
        tensors = [*module.parameters(), *module.buffers(recurse=False)]
        if tensors and all(is_initialized(tensor) for tensor in tensors):
            module.__dict__["_is_hf_initialized"] = True
        super()._initialize_weights(module, is_custom_code=False)


def is_initialized(tensor: Tensor) -> bool:
    """Whether transformers has marked a tensor as loaded or initialised."""
    return tensor.__dict__.get("_is_hf_initialized", False)


class MaskDecoder(ContainerInitialization, Mask2FormerPreTrainedModel):
    """
    Pixel decoder and masked-attention decoder. The parts have Mask2Former's names, so that its checkpoints can be
    loaded.

    Args:
        config ([`MTRefSegMaskDecoderConfig`]): Sizes.
        channels (`list[int]`): Channels of the fused levels, strides 4, 8, 16, 32.
        coordinate_channels (`bool`): Whether coordinates are added to the mask features.
    """

    _supports_sdpa = True

    def __init__(self, config: MTRefSegMaskDecoderConfig, channels: list[int], coordinate_channels: bool) -> None:
        mask2former_config = config.to_mask2former_config()
        super().__init__(mask2former_config)
        self.pixel_decoder = PixelDecoder(config, mask2former_config, channels)
        self.transformer_module = MaskedAttentionDecoder(config, mask2former_config)
        self.coordinates = CoordinateProjection(config.hidden_size) if coordinate_channels else nn.Identity()
        self.refinement = MaskRefinement(config) if config.refinement_size else None
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, MaskRefinement):
            module.reset_parameters()

    def encode(self, fused_features: tuple[Tensor, ...]) -> MaskFeatures:
        """Runs the pixel decoder once for a pair; four fused levels to [`MaskFeatures`]."""
        mask_features, multi_scale_features = self.pixel_decoder(fused_features)
        mask_features = as_channels_last(self.coordinates(mask_features))
        features = MaskFeatures(
            mask_features=mask_features,
            multi_scale_features=multi_scale_features,
            attention_mask_features=tuple(
                nn.functional.interpolate(mask_features, size=level.shape[-2:], mode="bilinear", align_corners=False)
                for level in multi_scale_features
            ),
        )
        if self.refinement is not None:
            features.refinement_features = self.refinement.encode(features)
        return features

    def forward(
        self,
        features: MaskFeatures,
        queries: Tensor | None = None,
        num_masks: int | None = None,
        output_layer_masks: bool = False,
        output_attentions: bool = False,
    ) -> MaskDecoderOutput:
        """
        Args:
            features ([`MaskFeatures`]): Result of [`~MaskDecoder.encode`] for `batch_size` pairs.
            queries (`Tensor` of shape `(batch_size, num_groups, num_queries, hidden_size)`, *optional*):
                Queries. Those of one group attend to each other; groups are independent. Without them, the learned
                queries of stage 1 form one group.
            num_masks (`int`, *optional*, defaults to all):
                How many queries of each group get a full-size mask; the first ones.
            output_layer_masks (`bool`, *optional*, defaults to `False`):
                Whether to compute the masks of all layers at full size.
            output_attentions (`bool`, *optional*, defaults to `False`): Whether to keep the cross-attention maps.

        Returns:
            [`MaskDecoderOutput`]: The states of all queries, and the masks of the first `num_masks` of each group.
        """
        if queries is None:
            queries, positions = self.transformer_module.learned_queries(features)
        else:
            # Sentence queries have no position; the reference adds zeros.
            positions = None
        decoded = self.transformer_module(
            features, queries, positions, num_masks, output_layer_masks, output_attentions
        )
        if self.refinement is not None:
            masks = decoded.mask_logits
            masks = masks + self.refinement(features, queries, decoded.query_states, masks.shape[2])
            decoded.mask_logits = masks
            if output_layer_masks:
                decoded.layer_mask_logits = torch.cat([decoded.layer_mask_logits[:-1], masks.unsqueeze(0)])
        return decoded


class CrossAttention(nn.Module):
    """
    Cross-attention from queries to the features of an image. The parameters have the names and shapes of
    `nn.MultiheadAttention`, which Mask2Former uses here, so that its checkpoints can be loaded.

    Args:
        config ([`MTRefSegMaskDecoderConfig`]): Sizes, and the attention implementation that the user chose.
    """

    def __init__(self, config: MTRefSegMaskDecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.in_proj_weight = nn.Parameter(torch.empty(3 * config.hidden_size, config.hidden_size))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * config.hidden_size))
        self.out_proj = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, output_attentions: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """
        Args:
            queries (`Tensor` of shape `(batch_size, num_queries, hidden_size)`): The queries.
            keys, values (`Tensor` of shape `(batch_size, num_positions, hidden_size)`): Keys and values.
            mask (`Tensor` of shape `(batch_size, 1, num_queries, num_positions)`): True where a query may attend.
            output_attentions (`bool`, *optional*, defaults to `False`): Whether to return the attention weights.

        Returns:
            `tuple`: A tensor like `queries`, and the weights of shape `(batch_size, num_heads, num_queries,
            num_positions)` if asked for.
        """
        query, key, value = (
            split_heads(nn.functional.linear(states, weight, bias), self.config.num_attention_heads)
            for states, weight, bias in zip(
                (queries, keys, values), self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
            )
        )
        attended, weights = attend(query, key, value, self.config, mask, output_attentions)
        return self.out_proj(attended.transpose(1, 2).flatten(2)), weights


class MaskedAttentionDecoder(Mask2FormerTransformerModule):
    """
    Mask2Former's masked-attention decoder for independent groups of queries. In the parent class all queries of an
    image attend to each other, and every layer computes masks at full size. Here keys and values are computed once per
    pair and layer for all groups, and masks only at the size that the attention needs.
    """

    def __init__(self, config: MTRefSegMaskDecoderConfig, mask2former_config: Mask2FormerConfig) -> None:
        super().__init__(config.hidden_size, mask2former_config)
        self.position_embedder = SinePositionEmbedding(config.hidden_size // 2, normalize=True)
        self.mask_decoder_config = config  # contains the attention implementation that the user chose
        for layer in self.decoder.layers:
            layer.cross_attn = CrossAttention(config)

    def learned_queries(self, features: MaskFeatures) -> tuple[Tensor, Tensor]:
        """
        The learned queries of stage 1.

        Returns:
            `tuple`: The queries, one group per pair, `(batch_size, 1, num_queries, hidden_size)`, and their positions,
            `(num_queries, hidden_size)`.
        """
        batch_size, device = features.mask_features.shape[0], features.mask_features.device
        numbers = torch.arange(self.mask_decoder_config.num_queries, device=device)
        return self.queries_features(numbers).expand(batch_size, 1, -1, -1), self.queries_embedder(numbers)

    def forward(
        self,
        features: MaskFeatures,
        queries: Tensor,
        query_positions: Tensor | None = None,
        num_masks: int | None = None,
        output_layer_masks: bool = False,
        output_attentions: bool = False,
    ) -> MaskDecoderOutput:
        """See [`MaskDecoder.forward`]; `query_positions` are added to the queries where these attend."""
        values, keys = self._values_and_keys(features)
        decoder = self.decoder
        states = decoder.layernorm(queries)
        layer_masks = []
        cross_attentions = []
        for index, layer in enumerate(decoder.layers):
            level = index % self.num_feature_levels
            mask_embeddings = decoder.mask_predictor.mask_embedder(states)
            if output_layer_masks:
                layer_masks.append(_masks(mask_embeddings[:, :, :num_masks], features.mask_features))
            attention_mask = self._attention_mask(mask_embeddings, features.attention_mask_features[level])
            attended, attention = self._cross_attention(
                layer, _add(queries, query_positions), keys[level], values[level], attention_mask, output_attentions
            )
            queries = layer.cross_attn_layer_norm(queries + attended)
            queries = layer.self_attn_layer_norm(queries + self._self_attention(layer, queries, query_positions))
            hidden = layer.fc2(layer.activation_fn(layer.fc1(queries)))
            queries = layer.final_layer_norm(queries + hidden)
            states = decoder.layernorm(queries)
            if output_attentions:
                cross_attentions.append(attention.unflatten(-1, features.multi_scale_features[level].shape[-2:]))
        mask_embeddings = decoder.mask_predictor.mask_embedder(states[:, :, :num_masks])
        masks = _masks(mask_embeddings, features.mask_features)
        return MaskDecoderOutput(
            query_states=states,
            mask_logits=masks,
            layer_mask_logits=torch.stack([*layer_masks, masks]) if output_layer_masks else None,
            cross_attentions=tuple(cross_attentions) if output_attentions else None,
        )

    def _values_and_keys(self, features: MaskFeatures) -> tuple[list[Tensor], list[Tensor]]:
        """Per level, values (with level embedding) and keys (positions too): `(batch_size, length, hidden)`."""
        values, keys = [], []
        level_numbers = torch.arange(self.num_feature_levels, device=features.mask_features.device)
        level_embeddings = self.level_embed(level_numbers)
        for level, feature in enumerate(features.multi_scale_features):
            value = self.input_projections[level](feature).flatten(2).transpose(1, 2) + level_embeddings[level]
            positions = self.position_embedder(feature.shape, feature.device, feature.dtype)
            values.append(value)
            keys.append(value + positions.flatten(2).transpose(1, 2))
        return values, keys

    @torch.no_grad()
    def _attention_mask(self, mask_embeddings: Tensor, mask_features: Tensor) -> Tensor:
        """
        Positions inside each query's current mask, all of them where it is empty: bool of shape
        `(batch_size, 1, num_groups * num_queries, positions)`.
        """
        inside = _masks(mask_embeddings, mask_features).flatten(3).flatten(1, 2).unsqueeze(1) >= 0
        return inside | ~inside.any(dim=-1, keepdim=True)

    def _cross_attention(
        self,
        layer: Mask2FormerMaskedAttentionDecoderLayer,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        attention_mask: Tensor,
        output_attentions: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """
        Cross-attention: all queries `(batch_size, num_groups, num_queries, hidden_size)` of a pair attend to its
        features.
        """
        attended, weights = layer.cross_attn(queries.flatten(1, 2), keys, values, attention_mask, output_attentions)
        if weights is not None:
            # (batch_size, num_heads, queries, positions) -> (batch_size, groups, queries, num_heads, positions)
            weights = weights.transpose(1, 2).unflatten(1, queries.shape[1:3])
        return attended.view_as(queries), weights

    def _self_attention(
        self, layer: Mask2FormerMaskedAttentionDecoderLayer, queries: Tensor, query_positions: Tensor | None
    ) -> Tensor:
        """Self-attention of the queries of each group; for a single query this is its own value."""
        attention = layer.self_attn
        positioned = _add(queries, query_positions)
        # (batch_size * num_groups, num_heads, num_queries, head_size)
        query, key, value = (
            split_heads(projection(states.flatten(0, 1)), self.mask_decoder_config.num_attention_heads)
            for projection, states in (
                (attention.q_proj, positioned),
                (attention.k_proj, positioned),
                (attention.v_proj, queries),
            )
        )
        attended, _ = attend(query, key, value, self.mask_decoder_config)
        return attention.out_proj(attended.transpose(1, 2).flatten(2)).view_as(queries)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    config: MTRefSegMaskDecoderConfig,
    mask: Tensor | None = None,
    output_attentions: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """
    Attention of `(batch_size, num_heads, length, head_size)`.

    Args:
        query, key, value (`Tensor`): Keys and values are of one length.
        config ([`MTRefSegMaskDecoderConfig`]): Contains the attention implementation, `"sdpa"` or `"eager"`.
        mask (`Tensor`, *optional*): True where a query may attend.
        output_attentions (`bool`, *optional*, defaults to `False`): Whether to return the weights.

    Returns:
        `tuple`: A tensor like `query`, and the weights of shape `(batch_size, num_heads, num_queries, num_keys)` if
        asked for.
    """
    if not output_attentions and config._attn_implementation != "eager":
        return nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask), None
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1)
    return weights @ value, weights if output_attentions else None


def split_heads(states: Tensor, num_heads: int) -> Tensor:
    """`(batch_size, length, hidden_size)` to `(batch_size, num_heads, length, head_size)`."""
    return states.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def _masks(mask_embeddings: Tensor, mask_features: Tensor) -> Tensor:
    """Scalar products of `(batch, groups, queries, hidden)` and `(batch, hidden, height, width)`."""
    masks = mask_embeddings.flatten(1, 2) @ mask_features.flatten(2)
    return masks.view(*mask_embeddings.shape[:3], *mask_features.shape[2:])


def _add(states: Tensor, positions: Tensor | None) -> Tensor:
    return states if positions is None else states + positions
