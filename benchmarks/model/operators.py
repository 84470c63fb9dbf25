# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Our operators against those of the library, at the sizes of the paper's architecture:

    python -m benchmarks.model.operators

Writes `results/operators.csv`: milliseconds of both, median wall clock of one run, and their ratio.
"""

import argparse
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.benchmark import Timer
from transformers.models.mask2former.modeling_mask2former import Mask2FormerPixelDecoderEncoderOnly

from benchmarks.tables import RESULTS, write_rows
from modeling_mtrefseg.fusion_mtrefseg import GroupNorm
from modeling_mtrefseg.pixel_decoder_mtrefseg import DeformableAttention
from mtrefseg.build.onednn import OneDnnLinear


# (rows, inputs, outputs) of linear layers of Swin-B, the pixel decoder and Phi-1.5
LINEAR_SIZES = ((65536, 128, 512), (4096, 512, 2048), (21504, 256, 1024), (221, 2048, 8192), (15, 2048, 8192))
LEVELS = [(32, 32), (64, 64), (128, 128)]


def milliseconds(function: Callable[[], object]) -> float:
    """Median time of a call."""
    timer = Timer("function()", globals={"function": function}, num_threads=torch.get_num_threads())
    return timer.blocked_autorange(min_run_time=2).median * 1e3


def deformable_attention(
    levels: list[tuple[int, int]] = LEVELS,
) -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """One layer of the pixel decoder, by default at 1024 pixels: the library's, and ours."""
    attention = DeformableAttention(256, num_heads=8, n_levels=3, n_points=4)
    nn.init.normal_(attention.sampling_offsets.bias, std=3)
    states = torch.randn(1, sum(height * width for height, width in levels), 256, requires_grad=True)
    positions = torch.randn_like(states)
    points = Mask2FormerPixelDecoderEncoderOnly.get_reference_points(levels, torch.ones(1, 3, 2), states.device)
    library = super(DeformableAttention, attention).forward
    shared = {"position_embeddings": positions, "spatial_shapes_list": levels}
    return (
        lambda: library(states, encoder_hidden_states=states, reference_points=points, **shared)[0],
        lambda: attention(states, **shared)[0],
    )


def group_normalization() -> tuple[Callable[[], Tensor], Callable[[], Tensor]]:
    """One of the fusion's at 256 pixels, in training with autocast to bfloat16: the library's, and ours."""
    features = torch.randn(8, 128, 64, 64, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    features.requires_grad_()
    layers = (nn.GroupNorm(32, 128), GroupNorm(32, 128))

    def run(layer: nn.Module) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            normalized: Tensor = layer(features)
            return normalized

    return partial(run, layers[0]), partial(run, layers[1])


def main() -> None:
    """Measures and writes the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.manual_seed(0)
    rows: list[tuple[str, float, float]] = []
    library, ours = deformable_attention()
    with torch.no_grad():
        rows.append(("deformable attention, forward", milliseconds(library), milliseconds(ours)))
    for name, runs in (
        ("deformable attention, forward and backward", (library, ours)),
        ("group normalisation, autocast, forward and backward", group_normalization()),
    ):
        times = [milliseconds(lambda run=run: run().sum().backward()) for run in runs]
        rows.append((name, times[0], times[1]))
    with torch.no_grad():
        for count, inputs, outputs in LINEAR_SIZES:
            states = torch.randn(count, inputs)
            layers = (nn.Linear(inputs, outputs), OneDnnLinear(inputs, outputs))
            times = [milliseconds(partial(layer, states)) for layer in layers]
            rows.append((f"linear {count} x {inputs} x {outputs}", times[0], times[1]))
    for name, before, after in rows:
        print(f"{name:52s} {before:8.1f} {after:8.1f} {before / after:6.2f}")
    columns = ("operator", "library_milliseconds", "milliseconds", "ratio")
    values = [(name, f"{before:.4g}", f"{after:.4g}", f"{before / after:.2f}") for name, before, after in rows]
    write_rows(RESULTS / "operators.csv", [dict(zip(columns, row)) for row in values])


if __name__ == "__main__":
    main()
