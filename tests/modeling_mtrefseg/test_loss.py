# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Losses of masks against their formulas."""

import pytest
import torch
from torch.testing import assert_close

from modeling_mtrefseg.loss_mtrefseg import best_queries, mask_losses, match_queries, point_losses, uncertain_points


def test_point_losses_follow_the_formulas():
    logits, targets = torch.randn(4, 50), torch.randint(0, 2, (4, 50)).float()
    cross_entropy, dice = point_losses(logits, targets)
    for row in range(4):
        p, t = logits[row].sigmoid(), targets[row]
        assert_close(cross_entropy[row], -(t * p.log() + (1 - t) * (1 - p).log()).mean())
        assert_close(dice[row], 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1))


def test_empty_truth():
    cross_entropy, dice = point_losses(torch.tensor([[-30.0] * 9, [30.0] * 9]), torch.zeros(2, 9))
    assert_close(cross_entropy, torch.tensor([0.0, 30.0]))
    assert_close(dice, torch.tensor([0.0, 0.9]))


def test_uncertain_points_lie_on_the_border():
    mask = torch.linspace(-1, 1, 64).expand(1, 64, 64)
    points = uncertain_points(mask, torch.rand(1, 3000, 2), torch.zeros(1, 10, 2), num_points=110)
    assert points.shape == (1, 110, 2)
    assert (points[:, :100, 0] - 0.5).abs().max() < 0.05
    assert points[:, 100:].abs().max() == 0


def test_training_and_evaluation_agree(make_config):
    """Random points and all pixels estimate the same thing where uncertainty plays no part."""
    torch.manual_seed(0)
    config = make_config(num_points=20_000, importance_sample_ratio=0.0)
    masks = torch.nn.functional.interpolate(torch.randn(3, 2, 6, 6), size=(32, 32), mode="bicubic")
    labels = torch.zeros(2, 128, 128)
    labels[0, 30:90, 20:100] = 1
    for random, exact in zip(
        mask_losses(masks, labels, config, training=True), mask_losses(masks, labels, config, training=False)
    ):
        assert_close(random, exact, rtol=0.02, atol=0)


def test_loss_is_a_mean_over_masks(make_config):
    masks, labels, config = torch.randn(3, 4, 8, 8), torch.randint(0, 2, (4, 32, 32)), make_config()
    together = mask_losses(masks, labels, config, training=False)
    alone = [mask_losses(masks[:, i : i + 1], labels[i : i + 1], config, training=False) for i in range(4)]
    for part in range(2):
        assert_close(together[part], torch.stack([losses[part] for losses in alone]).mean())


def test_no_masks_at_all(make_config):
    for loss in mask_losses(torch.zeros(3, 0, 8, 8), torch.zeros(0, 32, 32), make_config(), training=True):
        assert loss == 0


@pytest.mark.parametrize("training", [False, True])
def test_matching_finds_the_fitting_query(make_config, training):
    labels = torch.zeros(2, 32, 32)
    labels[0, :16], labels[1, :, 16:] = 1, 1
    masks = torch.full((3, 2, 4, 32, 32), -5.0)
    masks[:, 0, 2, :16], masks[:, 1, 3, :, 16:] = 5.0, 5.0
    config = make_config()
    matched = match_queries(masks, labels, config, training)
    assert_close(matched > 0, labels.bool().expand(3, -1, -1, -1))
    best = best_queries(masks, labels, torch.rand(3, 2, 200, 2), config)
    assert best.tolist() == [[2, 3]] * 3
