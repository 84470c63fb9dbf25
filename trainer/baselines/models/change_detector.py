# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A change detector without language: every sentence gets all changes."""

from typing import Any

from huggingface_hub.dataclasses import strict
from torch import Tensor

from modeling_mtrefseg.language_mtrefseg import SentenceLayout
from modeling_mtrefseg.outputs_mtrefseg import MTRefSegOutput
from modeling_mtrefseg.vision_model_mtrefseg import MTRefSegVisionModel

from .baseline import BaselineConfig, BaselineModel


@strict
class ChangeDetectorConfig(BaselineConfig):
    """Configuration of [`ChangeDetectorModel`]."""

    model_type = "mtrefseg_change_detector"


class ChangeDetectorModel(BaselineModel):
    """
    The vision part of our model, trained on the mask of every change of a pair. It ignores the sentences.

    Args:
        config ([`ChangeDetectorConfig`]): Configuration; `text_config` is not used.
    """

    config_class = ChangeDetectorConfig

    def __init__(self, config: ChangeDetectorConfig) -> None:
        super().__init__(config)
        self.vision_model = MTRefSegVisionModel(config)
        self.post_init()

    def forward(
        self,
        pixel_values_t1: Tensor,
        pixel_values_t2: Tensor,
        input_ids: Tensor,
        num_expressions: Tensor | None = None,
        labels: Tensor | None = None,
        change_labels: Tensor | None = None,
        **unused: Any,
    ) -> MTRefSegOutput:
        """See [`BaselineModel`]. The loss is that of stage 1, and needs `change_labels` or `labels`."""
        layout = SentenceLayout.of(input_ids, num_expressions, len(pixel_values_t1))
        if change_labels is None and labels is not None:
            change_labels = union_of(labels, layout)
        changes = self.vision_model(pixel_values_t1, pixel_values_t2, labels=change_labels)
        return MTRefSegOutput(
            loss=changes.loss,
            loss_change=changes.loss,
            mask_logits=changes.mask_logits[layout.pair_index],
            no_target_logits=changes.no_target_logits[layout.pair_index],
            num_expressions=layout.num_expressions,
        )


def union_of(labels: Tensor, layout: SentenceLayout) -> Tensor:
    """Where any sentence of a pair describes a change: `(num_sentences, h, w)` to `(batch_size, h, w)`."""
    return layout.pad(labels).amax(1)
