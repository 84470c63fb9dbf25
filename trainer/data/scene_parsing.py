# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Pretrains a small vision part: it learns to classify the kind and the colour of every object in generated images. The
vision part of the paper starts from a segmentation checkpoint. With random weights it needs a similar task first,
because change masks do not show what kind of object changed, and most sentences mention that.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from transformers import EvalPrediction

from dataset_scripts.synthesis import COLORS, NOUNS, Generator, SyntheticPair
from dataset_scripts.synthesis.scene import TIMES, Time
from modeling_mtrefseg import MTRefSegProcessor, MTRefSegVisionModel


STRIDE = 4
"""Stride of the predicted maps, in pixels."""
KINDS = ("background", *sorted(NOUNS))
COLOR_NAMES = tuple(COLORS)
IGNORED = -100
_HIDDEN_SIZE = 96  # Channels in which the levels of the backbone are added; a multiple of 16.
_BACKGROUND_WEIGHT = 0.3
_COLOR_WEIGHT = 0.5
_CHANGE_WEIGHT = 0.1


class ParsingHead(nn.Module):
    """
    Classifies the kind and the colour at each position.

    Args:
        channels (`int`): Number of channels of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.kind = nn.Conv2d(channels, len(KINDS), kernel_size=1)
        self.color = nn.Conv2d(channels, len(COLOR_NAMES), kernel_size=1)
        weights = torch.ones(len(KINDS))
        weights[0] = _BACKGROUND_WEIGHT
        self.register_buffer("kind_weights", weights, persistent=False)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """`(batch_size, channels, height, width)` to the logits of kinds and of colours."""
        return self.kind(features), self.color(features)

    def loss(self, logits: tuple[Tensor, Tensor], kinds: Tensor, colors: Tensor) -> Tensor:
        """
        Args:
            logits (`tuple`): Result of `forward`.
            kinds (`Tensor` of shape `(batch_size, height, width)`): Indices of `KINDS`.
            colors (`Tensor` of that shape): Indices of `COLOR_NAMES`, -100 where there is none.
        """
        weights = cast(Tensor, self.kind_weights)
        kind_loss = nn.functional.cross_entropy(logits[0], kinds, weight=weights)
        color_loss = nn.functional.cross_entropy(logits[1], colors, ignore_index=IGNORED, reduction="sum")
        # A batch without any colour would give 0 / 0.
        return kind_loss + _COLOR_WEIGHT * color_loss / (colors != IGNORED).sum().clamp(min=1)


class SceneParsingModel(nn.Module):
    """
    The vision part with heads that classify kinds and colours: for each image from the levels of the backbone, and for
    both dates from the mask features of the pair, with which sentences are compared later. It also predicts the mask
    of every change.

    Args:
        vision_model ([`MTRefSegVisionModel`]): The vision part.
    """

    def __init__(self, vision_model: MTRefSegVisionModel) -> None:
        super().__init__()
        self.vision_model = vision_model
        channels = list(vision_model.backbone.channels)
        self.projections = nn.ModuleList([nn.Conv2d(level, _HIDDEN_SIZE, kernel_size=1) for level in channels])
        self.mixture = nn.Sequential(
            nn.GroupNorm(16, _HIDDEN_SIZE),
            nn.GELU(),
            nn.Conv2d(_HIDDEN_SIZE, _HIDDEN_SIZE, kernel_size=3, padding=1),
            nn.GELU(),
        )
        self.image_head = ParsingHead(_HIDDEN_SIZE)
        mask_channels = vision_model.config.mask_decoder_config.hidden_size
        self.pair_heads = nn.ModuleList([ParsingHead(mask_channels) for _ in ("t1", "t2")])

    def train(self, mode: bool = True) -> "SceneParsingModel":
        """As in any module. The batch normalisation of the backbone only learns its statistics here."""
        super().train(mode)
        self.vision_model.backbone.train(mode)
        return self

    def forward(
        self, pixel_values_t1: Tensor, pixel_values_t2: Tensor, labels: Tensor, kinds: Tensor, colors: Tensor
    ) -> dict[str, Tensor]:
        """
        Args:
            pixel_values_t1, pixel_values_t2 (`Tensor` of shape `(batch_size, 3, height, width)`):
                The earlier and the later image, normalised by the processor.
            labels (`Tensor` of shape `(batch_size, height, width)`): 1 where anything changed, else 0.
            kinds (`Tensor` of shape `(batch_size, 2, height / 4, width / 4)`): Indices of `KINDS` at t1 and at t2.
            colors (`Tensor` of that shape): Indices of `COLOR_NAMES`, -100 where there is none.

        Returns:
            `dict`: "loss", and "kind_logits" and "color_logits" of the mask features, at t1 and at t2
            `(batch_size, 2, num_classes, height / 4, width / 4)`.
        """
        levels = self.vision_model.backbone(torch.cat([pixel_values_t1, pixel_values_t2])).feature_maps
        size = levels[0].shape[-2:]
        projected = [
            nn.functional.interpolate(project(level), size, mode="bilinear", align_corners=False)
            for project, level in zip(self.projections, levels)
        ]
        image_logits = self.image_head(self.mixture(torch.stack(projected).sum(0)))
        # The batch of the backbone holds all t1 images first.
        all_kinds, all_colors = (maps.transpose(0, 1).flatten(0, 1) for maps in (kinds, colors))
        loss = self.image_head.loss(image_logits, all_kinds, all_colors)
        encoding = self.vision_model.encode_features(levels)
        logits = [head(encoding.features.mask_features) for head in self.pair_heads]
        for time, head in enumerate(self.pair_heads):
            loss = loss + cast(ParsingHead, head).loss(logits[time], kinds[:, time], colors[:, time])
        changes = self.vision_model(pair_encoding=encoding, labels=labels)
        loss = loss + _CHANGE_WEIGHT * changes.loss
        kind_logits, color_logits = (torch.stack(of_both, dim=1) for of_both in zip(*logits))
        return {"loss": loss, "kind_logits": kind_logits, "color_logits": color_logits}


class SceneDataset(Dataset):
    """
    Generated pairs as images with maps of kinds and colours.

    Args:
        generator (`Generator`): Generates the pairs.
        num_pairs (`int`): Number of pairs.
    """

    def __init__(self, generator: Generator, num_pairs: int) -> None:
        self.generator = generator
        self.num_pairs = num_pairs

    def __len__(self) -> int:
        return self.num_pairs

    def __getitem__(self, index: int) -> SyntheticPair:
        return self.generator.pair(index)


class SceneCollator:
    """
    Prepares batches for [`SceneParsingModel`].

    Args:
        processor ([`MTRefSegProcessor`]): Normalises the images.
    """

    def __init__(self, processor: MTRefSegProcessor) -> None:
        self.processor = processor

    def __call__(self, pairs: Sequence[SyntheticPair]) -> dict[str, Tensor]:
        """The arguments of [`SceneParsingModel`] for some pairs."""
        inputs = self.processor(
            [pair.image_t1 for pair in pairs],
            [pair.image_t2 for pair in pairs],
            masks=[pair.change_mask for pair in pairs],
        )
        maps = [[parsing_maps(pair, time) for time in TIMES] for pair in pairs]
        return {
            **{name: inputs[name] for name in ("pixel_values_t1", "pixel_values_t2", "labels")},
            "kinds": torch.from_numpy(np.stack([[kinds for kinds, _ in group] for group in maps])),
            "colors": torch.from_numpy(np.stack([[colors for _, colors in group] for group in maps])),
        }


def parsing_maps(pair: SyntheticPair, time: Time) -> tuple[np.ndarray, np.ndarray]:
    """
    The kind and colour in the middle of every square of `STRIDE` pixels.

    Args:
        pair (`SyntheticPair`): The pair; its sides are multiples of `STRIDE`.
        time (`int`): 1 or 2.

    Returns:
        Two int64 arrays of shape `(height / 4, width / 4)`: indices of `KINDS`, and of `COLOR_NAMES` or -100.
    """
    numbers = (pair.numbers_t1 if time == 1 else pair.numbers_t2)[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    size = max((thing.number for thing in pair.scene.things), default=0) + 1
    kinds, colors = np.zeros(size, dtype=np.int64), np.full(size, IGNORED, dtype=np.int64)
    for thing in pair.scene.things:
        state = thing.state_t1 if time == 1 else thing.state_t2
        if thing.kind in KINDS:
            kinds[thing.number] = KINDS.index(thing.kind)
        if state is not None and state.color in COLOR_NAMES:
            colors[thing.number] = COLOR_NAMES.index(state.color)
    return kinds[numbers], colors[numbers]


def largest_classes(logits: tuple[Tensor, Tensor], labels: Any) -> tuple[Tensor, Tensor]:
    """The most likely kinds and colours, which need less memory than all logits."""
    kind_logits, color_logits = logits
    return kind_logits.argmax(2).to(torch.uint8), color_logits.argmax(2).to(torch.uint8)


def parsing_scores(prediction: EvalPrediction) -> dict[str, float]:
    """
    Scores in percent.

    Args:
        prediction (`EvalPrediction`): The result of [`largest_classes`], and the truth.

    Returns:
        `dict`: "kind_accuracy" and "color_accuracy" over the pixels of objects, and "kind_mIoU", the mean intersection
        over union of all kinds.
    """
    (kinds, colors), (true_kinds, true_colors) = prediction.predictions, prediction.label_ids
    is_thing, is_colored = true_kinds > 0, true_colors != IGNORED
    pairs = np.bincount((true_kinds * len(KINDS) + kinds).ravel(), minlength=len(KINDS) ** 2)
    confusion = pairs.reshape(len(KINDS), len(KINDS))
    union = confusion.sum(0) + confusion.sum(1) - confusion.diagonal()
    return {
        "kind_accuracy": 100 * float((kinds == true_kinds)[is_thing].mean()),
        "color_accuracy": 100 * float((colors == true_colors)[is_colored].mean()),
        "kind_mIoU": 100 * float((confusion.diagonal() / np.maximum(union, 1))[union > 0].mean()),
    }
