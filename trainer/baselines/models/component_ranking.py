# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A change detector whose connected components are selected by the sentence."""

from typing import Any, cast

import torch
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from modeling_mtrefseg.language_mtrefseg import SentenceLayout
from modeling_mtrefseg.outputs_mtrefseg import MTRefSegOutput
from modeling_mtrefseg.vision_model_mtrefseg import MTRefSegVisionModel

from .baseline import BaselineConfig, BaselineModel, mean_state, read_sentences
from .change_detector import union_of


SURELY = 10.0
"""Logit of a certain no-target score, used if nothing changed."""


@strict
class ComponentRankingConfig(BaselineConfig):
    """Configuration of [`ComponentRankingModel`]."""

    model_type = "mtrefseg_component_ranking"


class ComponentRankingModel(BaselineModel):
    """
    Two steps: the vision part of our model masks every change, and each connected component of that mask is kept if it
    matches the sentence, based on its mean features, place and size. In training the components are those of the true
    mask; one matches if more than half of it is in the sentence's mask.

    Args:
        config ([`ComponentRankingConfig`]): Configuration.
    """

    config_class = ComponentRankingConfig

    def __init__(self, config: ComponentRankingConfig) -> None:
        super().__init__(config)
        self.vision_model = MTRefSegVisionModel(config)
        self.language_model = AutoModelForCausalLM.from_config(config.text_config)
        size, text_size = config.mask_decoder_config.hidden_size, config.text_config.hidden_size
        self.component_projection = nn.Sequential(nn.Linear(size + 3, size), nn.GELU(), nn.Linear(size, size))
        self.sentence_projection = nn.Sequential(nn.Linear(text_size, size), nn.GELU(), nn.Linear(size, size))
        self.to_score = nn.Sequential(nn.Linear(3 * size, size), nn.GELU(), nn.Linear(size, 1))
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
        change_labels: Tensor | None = None,
        **unused: Any,
    ) -> MTRefSegOutput:
        """See [`BaselineModel`]. The loss is that of stage 1 and the cross entropy of "this component matches"."""
        layout = SentenceLayout.of(input_ids, num_expressions, len(pixel_values_t1))
        encoding = self.vision_model.encode_pair(pixel_values_t1, pixel_values_t2)
        if change_labels is None and labels is not None:
            change_labels = union_of(labels, layout)
        changes = self.vision_model(pair_encoding=encoding, labels=change_labels)
        size = changes.mask_logits.shape[-2:]
        is_changed = changes.mask_logits > 0
        if self.training and labels is not None and change_labels is not None:
            # Where not every change is known (-1), those of the sentences are.
            known = torch.where(change_labels < 0, union_of(labels, layout), change_labels)
            is_changed = _shrink(known, size) > 0.5
        components = label_components(is_changed)
        states, is_word = read_sentences(self.language_model, input_ids, attention_mask, query_mask)
        sentences = self.sentence_projection(mean_state(states, is_word))
        # (num_sentences, num_components), and which components exist
        features = cast(Tensor, encoding.features.mask_features)
        scores, is_there = self._rank(features, components, sentences, layout)
        ranks = components[layout.pair_index]
        pixel_scores = scores.gather(1, ranks.flatten(1)).view(ranks.shape)
        kept = torch.minimum(changes.mask_logits[layout.pair_index], pixel_scores)
        best = scores.masked_fill(~is_there, -SURELY).amax(1)
        output = MTRefSegOutput(mask_logits=kept, no_target_logits=-best, num_expressions=layout.num_expressions)
        if labels is not None:
            fits = _share(_shrink(labels, size), ranks, scores.shape[1]) > 0.5
            losses = nn.functional.binary_cross_entropy_with_logits(scores, fits.to(scores.dtype), reduction="none")
            output.loss_mask = self.config.mask_weight * losses[is_there].sum() / is_there.sum().clamp(min=1)
            output.loss_change = changes.loss
            output.loss = output.loss_mask + output.loss_change
        return output

    def _rank(
        self, features: Tensor, components: Tensor, sentences: Tensor, layout: SentenceLayout
    ) -> tuple[Tensor, Tensor]:
        """How well each component matches each sentence (logits; number 0, unchanged pixels, never does)."""
        height, width = components.shape[-2:]
        count = int(components.max()) + 1
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, height, device=features.device),
            torch.linspace(-1, 1, width, device=features.device),
            indexing="ij",
        )
        places = torch.stack([x, y]).to(features.dtype).expand(len(features), -1, -1, -1)
        sums, areas = _sums(torch.cat([features, places], dim=1), components, count)
        means = torch.cat([sums / areas.clamp(min=1), (areas / (height * width)).sqrt()], dim=-1)
        regions = self.component_projection(means)[layout.pair_index]
        said = sentences.unsqueeze(1).expand_as(regions)
        scores = self.to_score(torch.cat([regions, said, regions * said], dim=-1)).squeeze(-1)
        is_there = (areas.squeeze(-1) > 0)[layout.pair_index]
        is_there[:, 0] = False
        return torch.cat([torch.full_like(scores[:, :1], -SURELY), scores[:, 1:]], dim=1), is_there


@torch.no_grad()
def label_components(masks: Tensor) -> Tensor:
    """
    Labels the connected components (with eight neighbours) of masks.

    Args:
        masks (`Tensor` of shape `(batch_size, height, width)`): bool.

    Returns:
        `Tensor`: int64, of the same shape: 0 outside, and 1, 2, ... in the components of each mask.
    """
    height, width = masks.shape[-2:]
    numbers = torch.arange(1, height * width + 1, device=masks.device, dtype=torch.float32).view(1, height, width)
    spread = numbers * masks
    while True:
        grown = nn.functional.max_pool2d(spread.unsqueeze(1), 3, stride=1, padding=1).squeeze(1) * masks
        if torch.equal(grown, spread):
            break
        spread = grown
    components = torch.zeros_like(spread, dtype=torch.long)
    for row, mask in enumerate(masks):
        if mask.any():
            components[row][mask] = spread[row][mask].unique(return_inverse=True)[1] + 1
    return components


def _sums(features: Tensor, components: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Sums of features `(batch, size, h, w)` and numbers of pixels of each component: `(batch, count, size or 1)`."""
    flat = features.flatten(2).transpose(1, 2)
    index = components.flatten(1).unsqueeze(-1)
    sums = flat.new_zeros(len(flat), count, flat.shape[-1]).scatter_add(1, index.expand_as(flat), flat)
    areas = flat.new_zeros(len(flat), count, 1).scatter_add(1, index, torch.ones_like(flat[..., :1]))
    return sums, areas


def _share(labels: Tensor, components: Tensor, count: int) -> Tensor:
    """The share of each component that is in a sentence's mask: `(num_sentences, count)`."""
    sums, areas = _sums(labels.unsqueeze(1), components, count)
    return (sums / areas.clamp(min=1)).squeeze(-1)


def _shrink(labels: Tensor, size: tuple[int, int]) -> Tensor:
    return nn.functional.interpolate(labels.unsqueeze(1).float(), size=tuple(size), mode="area").squeeze(1)
