# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Deformable attention gives the values of the library's, also in graphs and in half precision."""

import pytest
import torch
from torch.testing import assert_close

from modeling_mtrefseg import MTRefSegModel
from modeling_mtrefseg.cpu_gradients_mtrefseg import weighted_row_sums
from modeling_mtrefseg.pixel_decoder_mtrefseg import DeformableAttention


def test_it_starts_on_a_grid(make_config):
    model = MTRefSegModel(make_config())
    bias = model.vision_model.mask_decoder.pixel_decoder.encoder.layers[0].self_attn.sampling_offsets.bias
    assert_close(bias.view(4, 3, 4, 2)[0, 0], torch.tensor([[1.0, 0], [2, 0], [3, 0], [4, 0]]))


@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_it_equals_the_library(scale):
    """Values and gradients, also where points fall outside of the image."""
    torch.manual_seed(0)
    shapes = [(3, 5), (6, 10), (12, 20)]
    attention = DeformableAttention(64, num_heads=4, n_levels=3, n_points=4)
    torch.nn.init.normal_(attention.sampling_offsets.bias, std=scale)
    states = torch.randn(2, 15 + 60 + 240, 64, requires_grad=True)
    positions = torch.randn_like(states)
    actual, _ = attention(states, position_embeddings=positions, spatial_shapes_list=shapes)
    actual_gradients = torch.autograd.grad(actual.square().sum(), [states, *attention.parameters()])

    grids = [
        torch.stack(torch.meshgrid((torch.arange(h) + 0.5) / h, (torch.arange(w) + 0.5) / w, indexing="ij"), -1)
        for h, w in shapes
    ]
    centers = torch.cat([grid.flatten(0, 1) for grid in grids]).flip(-1)
    parent = super(DeformableAttention, attention)
    expected, _ = parent.forward(
        states,
        encoder_hidden_states=states,
        position_embeddings=positions,
        reference_points=centers[None, :, None].expand(2, -1, 3, -1),
        spatial_shapes_list=shapes,
    )
    expected_gradients = torch.autograd.grad(expected.square().sum(), [states, *attention.parameters()])
    assert_close(actual, expected, atol=1e-5, rtol=1e-4)
    for ours, theirs in zip(actual_gradients, expected_gradients):
        assert_close(ours, theirs, atol=2e-3, rtol=1e-3)


@torch.no_grad()
def test_graphs_answer_for_other_numbers_of_pairs():
    torch.manual_seed(0)
    shapes = [(3, 5), (6, 10), (12, 20)]
    attention = DeformableAttention(32, num_heads=4, n_levels=3, n_points=4)
    torch.nn.init.normal_(attention.sampling_offsets.weight)

    class Attend(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = attention

        def forward(self, states):
            return self.attention(states, spatial_shapes_list=shapes)[0]

    one, two, three = (torch.randn(count, 315, 32) for count in (1, 2, 3))
    attend = Attend()
    expected = attend(three)
    assert_close(torch.jit.trace(attend, one)(three), expected)
    dynamic = {"states": {0: torch.export.Dim("pairs")}}
    program = torch.export.export(attend, (two,), dynamic_shapes=dynamic, strict=False)
    assert_close(program.module()(three), expected)


@torch.no_grad()
def test_half_precision_weighs_samples_in_float32(monkeypatch):
    torch.manual_seed(0)
    attention = DeformableAttention(32, num_heads=4, n_levels=1, n_points=4).bfloat16()
    torch.nn.init.normal_(attention.attention_weights.weight, std=3)
    found = []

    def record(table, rows, weights):
        found.append(weights)
        return weighted_row_sums(table, rows, weights)

    monkeypatch.setattr("modeling_mtrefseg.pixel_decoder_mtrefseg.weighted_row_sums", record)
    attention(torch.randn(1, 24, 32).bfloat16(), spatial_shapes_list=[(4, 6)])
    assert_close(found[0].sum(1), torch.ones(24 * 4))  # assert_close compares the precision, too.
