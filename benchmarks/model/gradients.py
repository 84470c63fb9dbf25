# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Gradients on a CPU of our operators, `modeling_mtrefseg/cpu_gradients_mtrefseg.py`, and of PyTorch's own, which take
turns:

    taskset -c 1 python -m benchmarks.model.gradients

Sizes are those of the `small` preset in training at 256 pixels with 8 pairs. Writes `results/gradients.csv`:
milliseconds of the processor with one thread, the least of the rounds, without the forward pass; their ratio; and the
largest difference of any gradient, relative to its largest value.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.tables import RESULTS, today, write_rows
from modeling_mtrefseg.cpu_gradients_mtrefseg import convolve, weighted_maxima, weighted_row_sums
from mtrefseg.build.memory import keep_freed_memory


# (channels, height and width, kernel size, stride, padding) of depthwise convolutions
WIDE = ((144, 67, 5, 2, 0), (288, 32, 5, 1, 2), (720, 16, 5, 1, 2), (720, 19, 5, 2, 0), (1248, 8, 5, 1, 2))
STRIDED = ((96, 129, 3, 2, 0), (288, 33, 3, 2, 0))
DEPTHWISE = (
    *((torch.float32, sizes) for sizes in WIDE),
    *((torch.bfloat16, sizes) for sizes in (*WIDE, *STRIDED)),
)
SUMS, TERMS, ROWS, SIZE = 43008, 48, 50560, 24


class Case(NamedTuple):
    """An operator: its name, its inputs, PyTorch's implementation and ours."""

    name: str
    inputs: Sequence[Tensor]
    library: Callable[..., Tensor]
    ours: Callable[..., Tensor]


def cases() -> Iterator[Case]:
    """Yields all cases."""
    for dtype, (channels, size, kernel_size, stride, padding) in DEPTHWISE:
        # Padded in memory where the stride is 2.
        features = torch.randn(16, channels, size, size, dtype=dtype).contiguous(memory_format=torch.channels_last)
        yield Case(
            f"depthwise {kernel_size} x {kernel_size}, stride {stride}, {channels} x {size} x {size}"
            + (", bfloat16" if dtype == torch.bfloat16 else ""),
            (
                features,
                torch.randn(channels, 1, kernel_size, kernel_size, dtype=dtype),
                torch.randn(channels, dtype=dtype),
            ),
            partial(nn.functional.conv2d, stride=stride, padding=padding, groups=channels),
            partial(convolve, stride=stride, padding=padding, groups=channels),
        )
    yield Case(
        "refinement of 8 x 9 masks of 64 x 64",
        (torch.randn(8, 64, 4096), torch.randn(8, 9, 64), torch.randn(8, 9, 64)),
        lambda pixels, floors, weights: (
            weights.unsqueeze(2) @ torch.maximum(pixels.unsqueeze(1), floors.unsqueeze(-1))
        ).squeeze(2),
        weighted_maxima,
    )
    # Each sum takes rows near its own place, as deformable attention does.
    rows = torch.arange(SUMS)[:, None] * ROWS // SUMS + torch.randint(-2000, 2000, (SUMS, TERMS))
    rows = rows.clamp(0, ROWS - 1).int()
    yield Case(
        f"{SUMS} sums of {TERMS} weighted rows",
        (torch.randn(ROWS, SIZE), torch.rand(SUMS, TERMS)),
        lambda table, weights: nn.functional.embedding_bag(rows, table, mode="sum", per_sample_weights=weights),
        lambda table, weights: weighted_row_sums(table, rows, weights),
    )


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """A row of the table."""
    inputs = [tensor.requires_grad_() for tensor in case.inputs]
    outputs = [function(*inputs) for function in (case.library, case.ours)]
    gradient = torch.randn_like(outputs[0])
    spent = [float("inf")] * 2
    gradients: list[tuple[Tensor, ...]] = [(), ()]
    for _ in range(rounds):
        for index, output in enumerate(outputs):
            start = time.process_time()
            gradients[index] = torch.autograd.grad(output, inputs, gradient, retain_graph=True)
            spent[index] = min(spent[index], 1e3 * (time.process_time() - start))
    difference = max(float((ours - library).abs().max() / library.abs().max()) for library, ours in zip(*gradients))
    print(f"{case.name:48} {spent[0]:8.1f} {spent[1]:8.1f} {spent[1] / spent[0]:6.2f} {difference:8.0e}", flush=True)
    return {
        "operator": case.name,
        "library_milliseconds": f"{spent[0]:.3g}",
        "milliseconds": f"{spent[1]:.3g}",
        "ratio": f"{spent[1] / spent[0]:.2f}",
        "difference": f"{difference:.0e}",
        "date": today(),
    }


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    keep_freed_memory(torch.device("cpu"))
    write_rows(RESULTS / "gradients.csv", [measure(case, arguments.rounds) for case in cases()])


if __name__ == "__main__":
    main()
