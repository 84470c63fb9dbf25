# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Distillation of the language part: a new one learns to produce the queries of the old one, for the same mask decoder.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import EvalPrediction

from modeling_mtrefseg import MTRefSegConfig, MTRefSegModel, MTRefSegProcessor
from modeling_mtrefseg.outputs_mtrefseg import MTRefSegPairEncoding
from mtrefseg.build.presets import PRESETS


_LANGUAGE_FIELDS = ("text_config", "seg_head_size", "seg_head_attention_heads")
_CONTRAST_WEIGHT, _CONTRAST_TEMPERATURE = 0.3, 40.0


def with_new_language(model: MTRefSegModel, preset: str, processor: MTRefSegProcessor) -> MTRefSegModel:
    """
    Builds a model with the vision part of another one and a new projector, language model and `[SEG]` head.

    Args:
        model ([`MTRefSegModel`]): The source of the vision part, which is not changed.
        preset (`str`): The preset with the sizes of the new parts.
        processor ([`MTRefSegProcessor`]): Processor of the new language model.

    Returns:
        [`MTRefSegModel`]: Only the new parts are trained.
    """
    sizes = {name: value for name, value in PRESETS[preset].items() if name in _LANGUAGE_FIELDS}
    fields = processor.config_overrides
    sizes["text_config"] = {**sizes["text_config"], "vocab_size": fields.pop("vocab_size")}
    config = MTRefSegConfig.from_dict({**model.config.to_dict(), **sizes, **fields})
    student = MTRefSegModel(config)
    student.vision_model.load_state_dict(model.vision_model.state_dict())
    return freeze_vision(student)


def freeze_vision(model: MTRefSegModel) -> MTRefSegModel:
    """Freezes the vision part and returns the model."""
    model.vision_model.requires_grad_(False)
    return model


class QueryDistillation(nn.Module):
    """
    Loss between a model's queries and given ones. All channels have equal weight, and each query must be closer to its
    target than to the targets of other sentences about the pair.

    Args:
        model ([`MTRefSegModel`]): The model that learns, see [`with_new_language`].
        queries (`Tensor` of shape `(num_sentences, hidden_size)`): Queries from which the scale of each channel is
            computed.
        is_new (`bool`, *optional*, defaults to `True`): Whether the language part has learned nothing yet.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, model: MTRefSegModel, queries: Tensor, is_new: bool = True) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", queries.mean(0))
        self.register_buffer("scale", queries.std(0) + 1e-3)
        self.register_state_dict_post_hook(_drop_shared)
        if is_new:  # The mean is the best prediction of an untrained model.
            with torch.no_grad():
                model.seg_head.output_projection.bias.copy_(queries.mean(0))

    # Explicit arguments: the trainer passes further ones to models that accept `**kwargs`.
    def forward(
        self,
        fused_features: Tensor,
        coarse_features_t1: Tensor,
        coarse_features_t2: Tensor,
        prompt_input_ids: Tensor,
        prompt_attention_mask: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        query_mask: Tensor,
        num_expressions: Tensor,
        labels: Tensor,
    ) -> dict[str, Tensor]:
        """
        Args:
            fused_features, coarse_features_t1, coarse_features_t2 (`Tensor` of shape `(batch_size, channels, height, \
width)`): The encoded pairs, see `IMAGE_FEATURES`.
            labels (`Tensor` of shape `(num_sentences, hidden_size)`): The queries to learn.

        Other arguments are those of [`~MTRefSegModel.embed_sentences`].

        Returns:
            `dict`: "loss", and "logits": the model's queries, of the shape of `labels`.
        """
        encoding = MTRefSegPairEncoding(
            fused_features=fused_features,
            coarse_features_t1=coarse_features_t1,
            coarse_features_t2=coarse_features_t2,
        )
        queries = self.model.embed_sentences(
            encoding,
            input_ids,
            attention_mask,
            query_mask,
            num_expressions,
            prompt_input_ids,
            prompt_attention_mask,
        )
        own, wanted = ((values - self.mean) / self.scale for values in (queries, labels))
        loss = functional.smooth_l1_loss(own, wanted, beta=0.5)
        pair = torch.arange(len(num_expressions), device=labels.device).repeat_interleave(num_expressions)
        loss = loss + _CONTRAST_WEIGHT * _contrast(own, wanted, pair)
        return {"loss": loss, "logits": queries}


def _drop_shared(module: nn.Module, state: dict[str, Any], prefix: str, metadata: dict[str, Any]) -> None:
    """Names each tensor once in checkpoints: safetensors rejects tied weights that are stored twice."""
    names: dict[int, str] = {}
    for name, tensor in list(state.items()):
        if names.setdefault(tensor.data_ptr(), name) != name:
            del state[name]


def _contrast(own: Tensor, wanted: Tensor, pair: Tensor) -> Tensor:
    """Cross-entropy of finding the target query of each sentence among those of its pair."""
    number = torch.arange(len(own), device=own.device)
    is_equal = (torch.cdist(wanted, wanted) < 1e-2) & (number[:, None] != number)
    scores = -torch.cdist(own, wanted).pow(2) / _CONTRAST_TEMPERATURE
    scores = scores.masked_fill(is_equal | (pair[:, None] != pair), torch.finfo(scores.dtype).min)
    return functional.cross_entropy(scores, number)


def explained_variance(prediction: EvalPrediction) -> dict[str, float]:
    """Explained variance of the target queries, in percent."""
    own, wanted = prediction.predictions, prediction.label_ids
    error = ((own - wanted) ** 2).mean(0)
    return {"explained_variance": 100 * float(1 - (error / wanted.var(0)).mean())}
