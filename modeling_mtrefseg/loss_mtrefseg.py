# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Losses of masks: binary cross entropy and dice at sampled points, on every decoder layer, as in
[Mask2Former](https://huggingface.co/papers/2112.01527). All layers are computed at once.
"""

import torch
from torch import Tensor, nn

from .configuration_mtrefseg import MTRefSegConfig


def sample_points(maps: Tensor, points: Tensor) -> Tensor:
    """
    Bilinear values of `maps` `(batch_size, height, width)` at `points` `(batch_size, num_points, 2)`, given as (x, y)
    from 0 to 1; shape `(batch_size, num_points)`.
    """
    grid = 2 * points.unsqueeze(2) - 1
    return nn.functional.grid_sample(maps.unsqueeze(1), grid.to(maps.dtype), align_corners=False).flatten(1)


def uncertain_points(mask_logits: Tensor, candidates: Tensor, extra: Tensor, num_points: int) -> Tensor:
    """
    Selects from random `candidates` the points where the mask is least certain, and adds the random points `extra`
    ([PointRend](https://huggingface.co/papers/1912.08193)).

    Args:
        mask_logits (`Tensor` of shape `(batch_size, height, width)`): Current masks.
        candidates (`Tensor` of shape `(batch_size, num_candidates, 2)`): (x, y) from 0 to 1.
        extra (`Tensor` of shape `(batch_size, num_extra, 2)`): Points taken in any case.
        num_points (`int`): How many to return.

    Returns:
        `Tensor` of shape `(batch_size, num_points, 2)`.
    """
    uncertainty = -sample_points(mask_logits, candidates).abs()
    chosen = uncertainty.topk(num_points - extra.shape[1], dim=1).indices
    return torch.cat([candidates.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 2)), extra], dim=1)


def point_losses(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """
    Args:
        logits (`Tensor` of shape `(..., num_points)`): Mask logits.
        targets (`Tensor` of shape `(..., num_points)`): Truth from 0 to 1.

    Returns:
        Mean binary cross entropy and dice loss of each mask, both of shape `(...)`. The `+ 1` in the dice loss makes
        the loss of an empty prediction for an empty truth zero.
    """
    targets = targets.to(logits.dtype).expand_as(logits)
    cross_entropy = nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(-1)
    probabilities = logits.sigmoid()
    overlap = (probabilities * targets).sum(-1)
    dice = 1 - (2 * overlap + 1) / (probabilities.sum(-1) + targets.sum(-1) + 1)
    return cross_entropy, dice


def mask_losses(
    layer_mask_logits: Tensor, labels: Tensor, config: MTRefSegConfig, training: bool
) -> tuple[Tensor, Tensor]:
    """
    Weighted mask and dice losses, summed over the decoder layers and averaged over the masks.

    Args:
        layer_mask_logits (`Tensor` of shape `(num_layers + 1, num_masks, height, width)`):
            Masks before the first and after every layer.
        labels (`Tensor` of shape `(num_masks, label_height, label_width)`):
            Truth, 0 or 1; all zeros for no-target sentences.
        config ([`MTRefSegConfig`]): Weights and point sampling.
        training (`bool`):
            Whether the loss is computed at `config.num_points` random points. Otherwise, and if `num_points` is 0, it
            is computed at every pixel of the logits.
    """
    num_layers, num_masks = layer_mask_logits.shape[:2]
    if num_masks == 0:
        return layer_mask_logits.float().sum(), layer_mask_logits.float().sum()
    labels = labels.float()
    layer_mask_logits = layer_mask_logits.float()
    if training and config.num_points:
        logits, targets = _random_points(layer_mask_logits, labels, config)
    else:
        logits, targets = layer_mask_logits.flatten(2), _resize(labels, layer_mask_logits.shape[-2:])
    cross_entropy, dice = point_losses(logits, targets)
    return config.mask_weight * cross_entropy.mean(1).sum(), config.dice_weight * dice.mean(1).sum()


def match_queries(layer_mask_logits: Tensor, labels: Tensor, config: MTRefSegConfig, training: bool) -> Tensor:
    """
    The learned query that matches the truth best, per layer and image. With one truth per image, Hungarian matching is
    a minimum over the queries.

    Args:
        layer_mask_logits (`Tensor` of shape `(num_layers + 1, batch_size, num_queries, height, width)`): Masks.
        labels (`Tensor` of shape `(batch_size, label_height, label_width)`): Truth.
        config ([`MTRefSegConfig`]): Weights and the number of points.
        training (`bool`): Whether points are drawn at random, see [`mask_losses`].

    Returns:
        `Tensor` of shape `(num_layers + 1, batch_size, height, width)`: the masks of those queries.
    """
    num_layers, batch_size, num_queries = layer_mask_logits.shape[:3]
    with torch.no_grad():
        masks = layer_mask_logits.float()
        if training and config.num_points:
            points = torch.rand(num_layers * batch_size, config.num_points, 2, device=masks.device)
            best = best_queries(masks, labels.float(), points.unflatten(0, (num_layers, batch_size)), config)
        else:
            targets = _resize(labels.float(), masks.shape[-2:]).unsqueeze(1)
            best = _cost(*point_losses(masks.flatten(3), targets), config).argmin(-1)
    index = best[..., None, None, None].expand(-1, -1, 1, *layer_mask_logits.shape[-2:])
    return layer_mask_logits.gather(2, index).squeeze(2)


def best_queries(masks: Tensor, labels: Tensor, points: Tensor, config: MTRefSegConfig) -> Tensor:
    """
    Index of the cheapest query at given `points` `(num_layers, batch_size, num_points, 2)`, for `masks`
    `(num_layers, batch_size, num_queries, height, width)`; shape `(num_layers, batch_size)`.
    """
    num_layers, batch_size, num_queries = masks.shape[:3]
    repeated = points.unsqueeze(2).expand(-1, -1, num_queries, -1, -1)
    logits = sample_points(masks.flatten(0, 2), repeated.flatten(0, 2)).unflatten(0, masks.shape[:3])
    targets = sample_points(labels, points.transpose(0, 1).flatten(1, 2)).unflatten(1, (num_layers, -1))
    return _cost(*point_losses(logits, targets.transpose(0, 1).unsqueeze(2)), config).argmin(-1)


def _cost(cross_entropy: Tensor, dice: Tensor, config: MTRefSegConfig) -> Tensor:
    return config.mask_weight * cross_entropy + config.dice_weight * dice


def _random_points(masks: Tensor, labels: Tensor, config: MTRefSegConfig) -> tuple[Tensor, Tensor]:
    """Logits and truth at random points, `(num_layers, num_masks, num_points)` each."""
    num_layers, num_masks = masks.shape[:2]
    num_random = config.num_points - int(config.importance_sample_ratio * config.num_points)
    flat_masks = masks.flatten(0, 1)
    candidates = torch.rand(len(flat_masks), int(config.num_points * config.oversample_ratio), 2, device=masks.device)
    extra = torch.rand(len(flat_masks), num_random, 2, device=masks.device)
    with torch.no_grad():
        points = uncertain_points(flat_masks, candidates, extra, config.num_points)
        # (num_layers * num_masks, points, 2) -> (num_masks, num_layers * points, 2): each truth is sampled once
        by_mask = points.unflatten(0, (num_layers, num_masks)).transpose(0, 1).flatten(1, 2)
        targets = sample_points(labels, by_mask).unflatten(1, (num_layers, -1)).transpose(0, 1)
    return sample_points(flat_masks, points).unflatten(0, (num_layers, num_masks)), targets


def _resize(labels: Tensor, size: torch.Size) -> Tensor:
    """Truth `(num_masks, height, width)` as its share of each pixel of the logits: `(num_masks, positions)`."""
    height, width = size
    return nn.functional.adaptive_avg_pool2d(labels, (height, width)).flatten(1)
