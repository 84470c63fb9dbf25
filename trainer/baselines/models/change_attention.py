# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Specialist with change-aware fusion and word attention across scales."""

from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor
from transformers import AutoModelForCausalLM

from modeling_mtrefseg.fusion_mtrefseg import TemporalFusion
from modeling_mtrefseg.language_mtrefseg import SentenceLayout
from modeling_mtrefseg.outputs_mtrefseg import MTRefSegOutput
from modeling_mtrefseg.vision_model_mtrefseg import build_backbone

from .baseline import BaselineConfig, BaselineModel, read_sentences
from .word_attention import WordDecoder


@strict
class ChangeAttentionConfig(BaselineConfig):
    """Configuration of [`ChangeAttentionModel`]."""

    model_type = "mtrefseg_change_attention"


class ChangeAttentionModel(BaselineModel):
    """
    A remote-sensing referring model similar to RMSIN and FIANet, on the fused levels of both images: pixels attend
    to words at three scales, which are then mixed. The fusion is that of our model.

    Args:
        config ([`ChangeAttentionConfig`]): Configuration.
    """

    config_class = ChangeAttentionConfig

    def __init__(self, config: ChangeAttentionConfig) -> None:
        super().__init__(config)
        self.backbone = build_backbone(config)
        channels = list(self.backbone.channels)
        self.fusion = TemporalFusion(config.fusion_type, channels, config.coordinate_channels)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.decoder = WordDecoder(config, channels, is_cross_scale=True)
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
        fused = self.fusion(*zip(*(level.chunk(2) for level in levels)))
        words, is_word = read_sentences(self.language_model, input_ids, attention_mask, query_mask)
        masks, no_target = self.decoder(fused, layout.pair_index, words, is_word)
        return self.mask_output(masks, no_target, layout, labels)
