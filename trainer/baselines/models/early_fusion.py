# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Specialist with early fusion: both images enter the backbone as one."""

from typing import Any

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from transformers import AutoModelForCausalLM
from transformers import initialization as init

from modeling_mtrefseg.language_mtrefseg import SentenceLayout
from modeling_mtrefseg.outputs_mtrefseg import MTRefSegOutput
from modeling_mtrefseg.vision_model_mtrefseg import build_backbone

from .baseline import BaselineConfig, BaselineModel, read_sentences
from .word_attention import WordDecoder


@strict
class EarlyFusionConfig(BaselineConfig):
    """Configuration of [`EarlyFusionModel`]."""

    model_type = "mtrefseg_early_fusion"


class EarlyFusionModel(BaselineModel):
    """
    A LAVT-like referring segmentation model with six input channels. A convolution maps them to the three channels of
    a pretrained backbone; the words enter by cross-attention on the backbone's levels.

    Args:
        config ([`EarlyFusionConfig`]): Configuration.
    """

    config_class = EarlyFusionConfig

    def __init__(self, config: EarlyFusionConfig) -> None:
        super().__init__(config)
        self.joining = nn.Conv2d(6, 3, kernel_size=3, padding=1)
        self.backbone = build_backbone(config)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        self.decoder = WordDecoder(config, list(self.backbone.channels))
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is getattr(self, "joining", None):
            # The mean of both images, which is a usual input for the backbone, plus random differences.
            weight = 0.1 * torch.randn_like(self.joining.weight)
            weight[:, :, 1, 1] += 0.5 * torch.eye(3, device=weight.device).repeat(1, 2)
            init.copy_(self.joining.weight, weight)

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
        levels = self.backbone(self.joining(torch.cat([pixel_values_t1, pixel_values_t2], dim=1))).feature_maps
        words, is_word = read_sentences(self.language_model, input_ids, attention_mask, query_mask)
        masks, no_target = self.decoder(levels, layout.pair_index, words, is_word)
        return self.mask_output(masks, no_target, layout, labels)
