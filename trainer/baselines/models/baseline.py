# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Base of the baselines: parts taken from our model, and the form of inputs, outputs and losses."""

from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor
from transformers import PreTrainedModel

from modeling_mtrefseg.configuration_mtrefseg import MTRefSegConfig
from modeling_mtrefseg.language_mtrefseg import SentenceLayout
from modeling_mtrefseg.outputs_mtrefseg import MTRefSegOutput
from modeling_mtrefseg.vision_model_mtrefseg import MTRefSegPreTrainedModel, keep_statistics


@strict
class BaselineConfig(MTRefSegConfig):
    """The fields of [`MTRefSegConfig`]; a baseline uses those of the parts that it has."""

    model_type = "mtrefseg_baseline"
    _auto_class = None  # Its code is not saved with the weights: loading needs this project.

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        del self.custom_pipelines  # The pipeline is for our model.


class BaselineModel(MTRefSegPreTrainedModel):
    """
    Base class of the baselines. A subclass creates its parts, with the names of [`MTRefSegModel`] if they are the
    same, and has a `forward` with the arguments of [`MTRefSegModel.forward`], as far as it needs them.

    Args:
        config ([`BaselineConfig`]): Configuration.
    """

    config_class = BaselineConfig
    base_model_prefix = "baseline"
    _auto_class = None
    _no_split_modules: list[str] = []

    def train(self, mode: bool = True) -> "BaselineModel":
        """As in any module, but batch normalisations of the backbone keep their statistics, as in our model."""
        super().train(mode)
        if hasattr(self, "backbone"):
            keep_statistics(self.backbone)
        return self

    def mask_output(
        self, mask_logits: Tensor, no_target_logits: Tensor, layout: SentenceLayout, labels: Tensor | None
    ) -> MTRefSegOutput:
        """
        The output of a `forward`, with the losses of our model if there are labels.

        Args:
            mask_logits (`Tensor` of shape `(num_sentences, height, width)`): Logits of any size.
            no_target_logits (`Tensor` of shape `(num_sentences,)`): Logit that there is no target.
            layout ([`SentenceLayout`]): Which sentence belongs to which pair.
            labels (`Tensor` of shape `(num_sentences, height, width)`, *optional*): 1 for pixels of the described
                change.
        """
        output = MTRefSegOutput(
            mask_logits=mask_logits, no_target_logits=no_target_logits, num_expressions=layout.num_expressions
        )
        if labels is not None:
            self.add_mask_losses(output, mask_logits.unsqueeze(0), labels)
        return output


def read_sentences(
    language_model: PreTrainedModel,
    input_ids: Tensor,
    attention_mask: Tensor | None = None,
    query_mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """
    Lets a language model read each sentence alone, without the images: a text encoder.

    Args:
        language_model (`PreTrainedModel`): A causal language model.
        input_ids, attention_mask, query_mask (`Tensor` of shape `(num_sentences, length)`): From the processor.

    Returns:
        `Tensor` of shape `(num_sentences, length, text_hidden_size)`: The states of the tokens.
        `Tensor` of shape `(num_sentences, length)`: bool, true at the tokens of the sentence.
    """
    if attention_mask is None:
        attention_mask = torch.ones_like(input_ids)
    read = language_model.get_decoder()(input_ids=input_ids, attention_mask=attention_mask, use_cache=False)
    return read.last_hidden_state, (attention_mask if query_mask is None else query_mask).bool()


def mean_state(states: Tensor, is_word: Tensor) -> Tensor:
    """The mean of the states of each sentence's words: `(num_sentences, text_hidden_size)`."""
    weights = is_word.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)
