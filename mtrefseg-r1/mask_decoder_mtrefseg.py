# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Pixel decoder and masked-attention decoder: the modules, weights and initialisation of transformers' Mask2Former, with
forward passes made for many independent sentences on one image pair.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Mask2FormerConfig, PreTrainedModel
from transformers.models.mask2former.modeling_mask2former import (
    Mask2FormerMaskedAttentionDecoderLayer,
    Mask2FormerPixelDecoder,
    Mask2FormerPixelDecoderEncoderMultiscaleDeformableAttention,
    Mask2FormerPreTrainedModel,
    Mask2FormerSinePositionEmbedding,
    Mask2FormerTransformerModule,
)

from .configuration_mtrefseg import MTRefSegMaskDecoderConfig
from .fusion_mtrefseg import CoordinateProjection, GroupNorm, as_channels_last, pixel_centers
from .outputs_mtrefseg import MaskDecoderOutput, MaskFeatures


class DeformableAttention(Mask2FormerPixelDecoderEncoderMultiscaleDeformableAttention):
    """
    Multi-scale deformable attention ([Deformable DETR](https://huggingface.co/papers/2010.04159)) as one weighted
    look-up: a sampled value is a sum of four pixels, so the whole operator is a sum of
    `num_levels * num_points * 4` rows of the value table, which `embedding_bag` gathers and adds without storing them.
    Equal to the parent's `grid_sample`, differentiable, and several times faster on a CPU
    (`benchmarks/operators.csv`).
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
                What the library's encoder layer passes besides. Nothing is padded here, so there is no mask, and
                reference points follow from the shapes.
        """
        batch_size, sequence_length, _ = hidden_states.shape
        queries = hidden_states if position_embeddings is None else hidden_states + position_embeddings
        values = self.value_proj(hidden_states)
        # (batch_size, sequence_length, num_heads, num_levels, num_points, 2)
        offsets = self.sampling_offsets(queries).view(
            batch_size, sequence_length, self.n_heads, self.n_levels, self.n_points, 2
        )
        weights = self.attention_weights(queries).view(batch_size, sequence_length, self.n_heads, -1).softmax(-1)
        weights = weights.view(offsets.shape[:-1])

        # Coordinates need float32: bfloat16 cannot tell neighbouring pixels apart.
        rows, row_weights = self._sampled_rows(offsets.float(), weights.float(), spatial_shapes_list)
        attended = nn.functional.embedding_bag(
            rows.flatten(3).flatten(0, 2),
            self._table(values, spatial_shapes_list),
            mode="sum",
            per_sample_weights=row_weights.to(values.dtype).flatten(3).flatten(0, 2),
        )
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
            offsets (`Tensor` of shape `(batch_size, sequence_length, num_heads, num_levels, num_points, 2)`):
                (x, y) of the sampling points in pixels of their level, from the centre of the query's pixel.
            weights (`Tensor` of shape `(batch_size, sequence_length, num_heads, num_levels, num_points)`):
                Attention weights.
            shapes (`list[tuple[int, int]]`): Height and width of each level.

        Returns:
            Two tensors of shape `(batch_size, sequence_length, num_heads, num_levels, num_points, 4)`, int32 and
            float32.
        """
        device = offsets.device
        heights, widths = torch.tensor(shapes, dtype=torch.int32, device=device).view(-1, 2, 1).unbind(1)
        # With the frame a level is 2 wider and higher, and pixel (0, 0) lies at (1, 1).
        strides = widths + 2
        sizes = (heights + 2) * strides
        level_starts = sizes.cumsum(0).int() - sizes
        batch_starts = torch.arange(len(offsets), dtype=torch.int32, device=device).view(-1, 1, 1, 1, 1) * sizes.sum()
        heads = torch.arange(self.n_heads, dtype=torch.int32, device=device).view(-1, 1, 1)
        centers = torch.cat(
            [
                torch.cartesian_prod(pixel_centers(height, device), pixel_centers(width, device))
                for height, width in shapes
            ]
        )
        center_y, center_x = centers.view(-1, 1, 1, 1, 2).unbind(-1)
        left, right_weight = _pixel_and_fraction(offsets[..., 0] + (center_x * widths + 0.5), widths)
        top, bottom_weight = _pixel_and_fraction(offsets[..., 1] + (center_y * heights + 0.5), heights)

        rows = top.mul_(strides).add_(left).add_(level_starts + batch_starts).mul_(self.n_heads).add_(heads)
        right, below = torch.full_like(strides, self.n_heads), strides * self.n_heads
        corners = torch.stack([torch.zeros_like(right), right, below, below + right], dim=-1)
        lower = weights * bottom_weight
        upper = weights - lower
        lower_right, upper_right = lower * right_weight, upper * right_weight
        corner_weights = torch.stack([upper - upper_right, upper_right, lower - lower_right, lower_right], dim=-1)
        return rows.unsqueeze(-1) + corners, corner_weights


def _pixel_and_fraction(position: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """
    The pixel (int32) left of a position and how far the position is towards the next one, on an axis of `size` pixels
    with a zero pixel before and after. Positions outside end on a zero.
    """
    position = position.minimum(size + 1).clamp(min=0)
    pixel = position.detach().int().minimum(size)
    return pixel, position - pixel


class SinePositionEmbedding(Mask2FormerSinePositionEmbedding):
    """Sine positions computed in float32 whatever the precision of the features, as the reference does."""

    def forward(
        self, shape: torch.Size, device: torch.device | str, dtype: torch.dtype, mask: Tensor | None = None
    ) -> Tensor:
        """Positions of shape `(1, num_channels, height, width)`, equal for all images of a batch."""
        return super().forward(torch.Size((1, *shape[1:])), device, torch.float32, mask).to(dtype)


class PixelDecoder(Mask2FormerPixelDecoder):
    """
    Mask2Former's pixel decoder with the fast [`DeformableAttention`], on whole images without padding.

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


class ContainerInitialization(PreTrainedModel):
    """
    Lets `_init_weights` see modules that hold no parameters of their own, such as Mask2Former's attention and decoder
    layers. For classes outside of transformers the library skips these ("custom code"), and their initialisation with
    them; here a module is skipped only when everything below it is initialised already.
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
    Pixel decoder and masked-attention decoder. The parts carry Mask2Former's names, so that its checkpoints fit.

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
        self.post_init()

    def encode(self, fused_features: tuple[Tensor, ...]) -> MaskFeatures:
        """Runs the pixel decoder once for a pair; four fused levels to [`MaskFeatures`]."""
        mask_features, multi_scale_features = self.pixel_decoder(fused_features)
        mask_features = as_channels_last(self.coordinates(mask_features))
        return MaskFeatures(
            mask_features=mask_features,
            multi_scale_features=multi_scale_features,
            attention_mask_features=tuple(
                nn.functional.interpolate(mask_features, size=level.shape[-2:], mode="bilinear", align_corners=False)
                for level in multi_scale_features
            ),
        )

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
            features ([`MaskFeatures`]): What [`~MaskDecoder.encode`] gave for `batch_size` pairs.
            queries (`Tensor` of shape `(batch_size, num_groups, num_queries, hidden_size)`, *optional*):
                Queries; those of one group see one another, groups are independent. Without them, the learned queries
                of stage 1 form one group.
            num_masks (`int`, *optional*, defaults to all):
                How many queries of each group get a full-size mask; the first ones.
            output_layer_masks (`bool`): Whether to compute the masks of all layers at full size.
            output_attentions (`bool`): Whether to keep the cross-attention maps.
        """
        return self.transformer_module(features, queries, num_masks, output_layer_masks, output_attentions)


class MaskedAttentionDecoder(Mask2FormerTransformerModule):
    """
    Mask2Former's masked-attention decoder for groups of queries that do not see one another.

    In the parent class the queries of an image always attend to one another, and full-size masks are made in every
    layer. Here keys and values are computed once per pair and layer for all groups, and masks at the size that the
    attention needs.
    """

    def __init__(self, config: MTRefSegMaskDecoderConfig, mask2former_config: Mask2FormerConfig) -> None:
        super().__init__(config.hidden_size, mask2former_config)
        self.position_embedder = SinePositionEmbedding(config.hidden_size // 2, normalize=True)
        self.num_heads = config.num_attention_heads
        self.mask_decoder_config = config  # holds the attention implementation that the user asked for

    def forward(
        self,
        features: MaskFeatures,
        queries: Tensor | None = None,
        num_masks: int | None = None,
        output_layer_masks: bool = False,
        output_attentions: bool = False,
    ) -> MaskDecoderOutput:
        """See [`MaskDecoder.forward`]."""
        if queries is None:
            batch_size = features.mask_features.shape[0]
            queries = self.queries_features.weight.expand(batch_size, 1, -1, -1)
            query_positions = self.queries_embedder.weight
        else:
            # Sentence queries carry no position of their own; the reference feeds zeros.
            query_positions = None
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
        for level, feature in enumerate(features.multi_scale_features):
            value = self.input_projections[level](feature).flatten(2).transpose(1, 2) + self.level_embed.weight[level]
            positions = self.position_embedder(feature.shape, feature.device, feature.dtype)
            values.append(value)
            keys.append(value + positions.flatten(2).transpose(1, 2))
        return values, keys

    @torch.no_grad()
    def _attention_mask(self, mask_embeddings: Tensor, mask_features: Tensor) -> Tensor:
        """
        Positions inside each query's present mask, all of them where it is empty: bool of shape
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
        """All queries of a pair look at its features; `attention_mask` is True where they may."""
        attention = layer.cross_attn
        weight_query, weight_key, weight_value = attention.in_proj_weight.chunk(3)
        bias_query, bias_key, bias_value = attention.in_proj_bias.chunk(3)
        # (batch_size, num_heads, num_groups * num_queries or positions, head_size)
        query = self._split_heads(nn.functional.linear(queries.flatten(1, 2), weight_query, bias_query))
        key = self._split_heads(nn.functional.linear(keys, weight_key, bias_key))
        value = self._split_heads(nn.functional.linear(values, weight_value, bias_value))
        attended, probabilities = self._attend(query, key, value, attention_mask, output_attentions)
        if probabilities is not None:
            # (batch_size, num_heads, queries, positions) -> (batch_size, groups, queries, num_heads, positions)
            probabilities = probabilities.transpose(1, 2).unflatten(1, queries.shape[1:3])
        attended = attention.out_proj(attended.transpose(1, 2).flatten(2))
        return attended.view_as(queries), probabilities

    def _self_attention(
        self, layer: Mask2FormerMaskedAttentionDecoderLayer, queries: Tensor, query_positions: Tensor | None
    ) -> Tensor:
        """The queries of each group look at one another; with one query that is its own value."""
        attention = layer.self_attn
        positioned = _add(queries, query_positions)
        # (batch_size * num_groups, num_heads, num_queries, head_size)
        query, key, value = (
            self._split_heads(projection(states.flatten(0, 1)))
            for projection, states in (
                (attention.q_proj, positioned),
                (attention.k_proj, positioned),
                (attention.v_proj, queries),
            )
        )
        attended, _ = self._attend(query, key, value)
        return attention.out_proj(attended.transpose(1, 2).flatten(2)).view_as(queries)

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, output_attentions: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Attention of `(batch, num_heads, length, head_size)` where `mask` is True, and its weights if asked for."""
        if not output_attentions and self.mask_decoder_config._attn_implementation != "eager":
            return nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask), None
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1)
        return weights @ value, weights if output_attentions else None

    def _split_heads(self, states: Tensor) -> Tensor:
        """`(batch, length, hidden)` to `(batch, num_heads, length, head_size)`."""
        return states.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)


def _masks(mask_embeddings: Tensor, mask_features: Tensor) -> Tensor:
    """Scalar products of `(batch, groups, queries, hidden)` and `(batch, hidden, height, width)`."""
    return torch.einsum("bgqc,bchw->bgqhw", mask_embeddings, mask_features)


def _add(states: Tensor, positions: Tensor | None) -> Tensor:
    return states if positions is None else states + positions
