# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A referring model of single images, used at both dates; the results are subtracted."""

from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from modeling_mtrefseg.language_mtrefseg import SentenceLayout
from modeling_mtrefseg.outputs_mtrefseg import MTRefSegOutput
from modeling_mtrefseg.vision_model_mtrefseg import build_backbone

from .baseline import BaselineConfig, BaselineModel, mean_state, read_sentences
from .word_attention import WordDecoder


@strict
class SingleImageConfig(BaselineConfig):
    """Configuration of [`SingleImageModel`]."""

    model_type = "mtrefseg_single_image"


class SingleImageModel(BaselineModel):
    """
    Segments the sentence in each image separately. Objects found at t2 but not at t1 have appeared, objects found at
    t1 but not at t2 have disappeared, and the sentence determines which of the two is needed. The images are never
    compared with each other, only the two results. It is trained end to end through the subtraction, on the same
    labels as all others.

    Args:
        config ([`SingleImageConfig`]): Configuration.
    """

    config_class = SingleImageConfig

    def __init__(self, config: SingleImageConfig) -> None:
        super().__init__(config)
        self.backbone = build_backbone(config)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.decoder = WordDecoder(config, list(self.backbone.channels))
        self.to_direction = nn.Linear(config.text_config.hidden_size, 1)
        self.post_init()

    def forward(
        self,
        pixel_values_t1: Tensor,
        pixel_values_t2: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        query_mask: Tensor | None = None,
        num_expressions: Tensor | None = None,
        labels: Tensor | None = None,
        **unused: Any,
    ) -> MTRefSegOutput:
        """See [`BaselineModel`]."""
        layout = SentenceLayout.of(input_ids, num_expressions, len(pixel_values_t1))
        levels = self.backbone(torch.cat([pixel_values_t1, pixel_values_t2])).feature_maps
        words, is_word = read_sentences(self.language_model, input_ids, attention_mask, query_mask)
        both = torch.cat([layout.pair_index, layout.pair_index + len(pixel_values_t1)])
        masks, no_target = self.decoder(levels, both, words.repeat(2, 1, 1), is_word.repeat(2, 1))
        found_t1, found_t2 = masks.sigmoid().chunk(2)
        came = self.to_direction(mean_state(words, is_word)).sigmoid().unsqueeze(-1)
        changed = came * found_t2 * (1 - found_t1) + (1 - came) * found_t1 * (1 - found_t2)
        no_target_t1, no_target_t2 = no_target.chunk(2)
        return self.mask_output(torch.logit(changed, eps=1e-4), no_target_t1 + no_target_t2, layout, labels)
