# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Output classes of the model and its parts."""

from dataclasses import dataclass

from torch import Tensor
from transformers.utils import ModelOutput


# Per layer of the language model: keys and values, (batch_size, num_key_value_heads, prompt_length, head_size)
KeyValues = tuple[tuple[Tensor, Tensor], ...]


@dataclass
class MaskFeatures(ModelOutput):
    """
    Output of the pixel decoder: everything that the masked-attention decoder needs for a pair.

    Args:
        mask_features (`Tensor` of shape `(batch_size, hidden_size, height / 4, width / 4)`):
            A mask is the scalar product of these with the embedding of a query.
        multi_scale_features (`tuple` of `Tensor` of shape `(batch_size, hidden_size, height, width)`):
            Keys and values of the decoder, strides 32, 16, 8.
        attention_mask_features (`tuple` of `Tensor` of shape `(batch_size, hidden_size, height, width)`):
            `mask_features` at strides 32, 16, 8. Masks are linear in them, so resizing them once is equivalent to
            resizing every query's mask in every layer.
        refinement_features (`Tensor` of shape `(batch_size, refinement_size, height / 4, width / 4)`, *optional*):
            The part of [`MaskRefinement`]'s hidden layer that all queries share.
    """

    mask_features: Tensor | None = None
    multi_scale_features: tuple[Tensor, ...] | None = None
    attention_mask_features: tuple[Tensor, ...] | None = None
    refinement_features: Tensor | None = None


@dataclass
class MaskDecoderOutput(ModelOutput):
    """
    Args:
        query_states (`Tensor` of shape `(batch_size, num_groups, num_queries, hidden_size)`):
            Normalised states of the queries after the last layer.
        mask_logits (`Tensor` of shape `(batch_size, num_groups, num_queries, height / 4, width / 4)`):
            Masks of the last layer.
        layer_mask_logits (`Tensor` of shape \
`(num_layers + 1, batch_size, num_groups, num_queries, height / 4, width / 4)`, *optional*):
            Masks before the first and after every layer.
        cross_attentions (`tuple` of `Tensor` of shape \
`(batch_size, num_groups, num_queries, num_heads, height, width)`, *optional*):
            Where each layer attended, at stride `(32, 16, 8)[layer % 3]`; sums to 1 over the positions.
    """

    query_states: Tensor | None = None
    mask_logits: Tensor | None = None
    layer_mask_logits: Tensor | None = None
    cross_attentions: tuple[Tensor, ...] | None = None


@dataclass
class MTRefSegPairEncoding(ModelOutput):
    """
    Everything that the sentences of a pair share. `encode_pair` computes it once, and `forward` can reuse it.

    Args:
        features ([`MaskFeatures`]):
            Features for the mask decoder.
        fused_features (`Tensor` of shape `(batch_size, channels, height / 32, width / 32)`):
            Fused features of the coarsest level, for the `[SEG]` head.
        coarse_features_t1, coarse_features_t2 (`Tensor` of shape `(batch_size, channels, height / 32, width / 32)`):
            The backbone's coarsest level of each image.
        image_tokens_t1, image_tokens_t2 (`Tensor` of shape `(batch_size, num_image_tokens, text_hidden_size)`, \
*optional*):
            The images as tokens of the language model.
        image_colors (`Tensor` of shape `(batch_size, 2, 3, height / 4, width / 4)`, *optional*):
            t1 and t2 at the size of the masks, normalised like the pixel values.
        change_logits (`Tensor` of shape `(batch_size, height / 4, width / 4)`, *optional*):
            Mask logits of every change. Not computed in training.
        prompt_mask (`Tensor` of shape `(batch_size, prompt_length)`, *optional*):
            Attention mask of the prompt.
        prompt_key_values (`tuple`, *optional*):
            The language model's keys and values of the prompt, per layer.
    """

    features: MaskFeatures | None = None
    fused_features: Tensor | None = None
    coarse_features_t1: Tensor | None = None
    coarse_features_t2: Tensor | None = None
    image_tokens_t1: Tensor | None = None
    image_tokens_t2: Tensor | None = None
    image_colors: Tensor | None = None
    change_logits: Tensor | None = None
    prompt_mask: Tensor | None = None
    prompt_key_values: KeyValues | None = None

    @property
    def batch_size(self) -> int:
        """Number of pairs."""
        return len(self.fused_features)


@dataclass
class MTRefSegOutput(ModelOutput):
    """
    Output of [`MTRefSegModel`] and [`MTRefSegVisionModel`]. A batch of pairs with several sentences each is flattened:
    `num_sentences` rows in the order of the sentences. Without sentences (stage 1) there is one row per pair, the mask
    of every change.

    Args:
        loss (`Tensor` of shape `()`, *optional*, returned with `labels`, `text_labels` or \
`change_labels`):
            Weighted sum of the losses below.
        loss_mask, loss_dice, loss_no_target, loss_language, loss_change (`Tensor` of shape `()`, *optional*):
            The single losses, already weighted. `loss_language` needs `text_labels`, `loss_change` needs
            `change_labels`.
        mask_logits (`Tensor` of shape `(num_sentences, height / 4, width / 4)`):
            Logit that a pixel belongs to the described change, on the padded canvas.
        no_target_logits (`Tensor` of shape `(num_sentences,)`):
            Logit that the sentence has no target.
        num_expressions (`Tensor` of shape `(batch_size,)`):
            How many of the rows belong to each pair.
        object_choices (`Tensor` of shape `(num_sentences, 20)`, *optional*):
            The choice among the objects of `mask_logits` that the processor took from the sentences. The
            processor applies it when it makes masks.
        image_colors (`Tensor` of shape `(batch_size, 2, 3, height / 4, width / 4)`, *optional*, returned with \
`object_choices`):
            t1 and t2 at the size of `mask_logits`, normalised like the pixel values, to select objects by colour.
        change_logits (`Tensor` of shape `(batch_size, height / 4, width / 4)`, *optional*):
            Mask logits of every change, from which the processor may select for sentences whose mask is empty. Not
            computed in training.
        layer_mask_logits (`Tensor` of shape `(num_layers + 1, num_sentences, height / 4, width / 4)`, *optional*, \
returned with `output_layer_masks`):
            Masks before the first and after every decoder layer. In stage 1 `(num_layers + 1, batch_size, \
num_queries, height / 4, width / 4)`.
        cross_attentions (`tuple` of `Tensor` of shape `(num_sentences, num_heads, height, width)`, *optional*, \
returned with `output_attentions`):
            Attention of the `[SEG]` query in each decoder layer, at stride `(32, 16, 8)[layer % 3]`.
        seg_embedding (`Tensor` of shape `(num_sentences, hidden_size)`, *optional*):
            The mask decoder's queries.
        sequences (`Tensor` of shape `(num_sentences, length)`, *optional*, returned by `generate_and_segment`):
            Token ids of the answers that the language model wrote.
        has_seg (`Tensor` of shape `(num_sentences,)`, *optional*, returned by `generate_and_segment`):
            Whether the answer, or already the question, contains `[SEG]`. If neither does, the mask is empty.
    """

    loss: Tensor | None = None
    loss_mask: Tensor | None = None
    loss_dice: Tensor | None = None
    loss_no_target: Tensor | None = None
    loss_language: Tensor | None = None
    loss_change: Tensor | None = None
    mask_logits: Tensor | None = None
    no_target_logits: Tensor | None = None
    num_expressions: Tensor | None = None
    object_choices: Tensor | None = None
    image_colors: Tensor | None = None
    change_logits: Tensor | None = None
    layer_mask_logits: Tensor | None = None
    cross_attentions: tuple[Tensor, ...] | None = None
    seg_embedding: Tensor | None = None
    sequences: Tensor | None = None
    has_seg: Tensor | None = None
