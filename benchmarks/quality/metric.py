# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The metric's speed on masks of 1024 x 1024 pixels against plain loops and other libraries, and its memory:

    python -m benchmarks.quality.metric

Writes `results/metric.csv`. Speed is samples per second of processor time on one thread, the best of
several rounds in which all libraries take turns; `ratio` is ours divided by the other's. The speed of torchmetrics
varies severalfold between runs, because it allocates several arrays for each sample. Memory is the peak of a process
that keeps no masks itself (Linux only); its `ratio` is that of many samples divided by that of few.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.tables import RESULTS, ROOT, write_rows


SIDE = 1024
PAIRS = 64  # more than fits into a processor's caches
PASSES = 8  # over these pairs, so that a set has 512 samples
ROUNDS = 9
BATCH = 16
SAMPLES = (100, 1000, 10_000)


def draw_masks(count: int) -> list[np.ndarray]:
    """Masks of one to four ellipses: `(1024, 1024)` bool each."""
    generator = np.random.default_rng(0)
    rows, columns = np.ogrid[:SIDE, :SIDE]
    masks = []
    for _ in range(count):
        mask = np.zeros((SIDE, SIDE), dtype=bool)
        for _ in range(generator.integers(1, 5)):
            centre, radii = generator.integers(0, SIDE, 2), generator.integers(10, 200, 2)
            mask |= ((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2 < 1
        masks.append(mask)
    return masks


def load_metric(cache: str) -> Any:
    """The metric through `evaluate`."""
    import evaluate

    return evaluate.load(str(ROOT / "mtrs_iou"), cache_dir=cache)


def array_contestants(masks: list[np.ndarray], true_masks: list[np.ndarray], cache: str) -> dict[str, Callable]:
    """What scores a set of arrays, by name; ours begin with "mtrs_iou"."""
    import torch
    from torchmetrics.classification import BinaryJaccardIndex

    from mtrs_iou import score_masks

    torch.set_num_threads(1)  # as all the others
    metric = load_metric(cache)
    tensors = [(torch.from_numpy(mask), torch.from_numpy(true_mask)) for mask, true_mask in zip(masks, true_masks)]

    def jaccard() -> None:
        # Without the checks that it does by default: its fastest.
        index = BinaryJaccardIndex(validate_args=False)
        for mask, true_mask in tensors:
            index.update(mask, true_mask)
        index.compute()

    def add() -> None:
        for mask, true_mask in zip(masks, true_masks):
            metric.add(prediction=mask, reference=true_mask)
        metric.compute()

    def add_batch() -> None:
        for start in range(0, len(masks), BATCH):
            rows = slice(start, start + BATCH)
            metric.add_batch(predictions=masks[rows], references=true_masks[rows])
        metric.compute()

    return {
        "numpy loop, (p & q).sum() / (p | q).sum()": lambda: [
            (mask & true_mask).sum() / (mask | true_mask).sum() for mask, true_mask in zip(masks, true_masks)
        ],
        "numpy loop, count_nonzero(p & q) / count_nonzero(p | q)": lambda: [
            np.count_nonzero(mask & true_mask) / np.count_nonzero(mask | true_mask)
            for mask, true_mask in zip(masks, true_masks)
        ],
        "torchmetrics BinaryJaccardIndex(validate_args=False)": jaccard,
        "mtrs_iou, score_masks": lambda: score_masks(masks, true_masks),
        "mtrs_iou, evaluate, add_batch": add_batch,
        "mtrs_iou, evaluate, add": add,
    }


def rle_contestants(masks: list[np.ndarray], true_masks: list[np.ndarray]) -> dict[str, Callable]:
    """The same for compressed COCO RLE."""
    from pycocotools import mask as coco

    from mtrs_iou import encode_rle, score_masks

    encoded, true_encoded = ([encode_rle(mask) for mask in each[:PAIRS]] * PASSES for each in (masks, true_masks))
    return {
        "pycocotools loop, RLE": lambda: [coco.iou([one], [other], [0]) for one, other in zip(encoded, true_encoded)],
        "mtrs_iou, score_masks, RLE": lambda: score_masks(encoded, true_encoded),
    }


def samples_per_second(contestants: dict[str, Callable], samples: int) -> dict[str, float]:
    """The fastest of each, in rounds in which all take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in tqdm(range(ROUNDS), desc="rounds", leave=False):
        for name, run in contestants.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    return {name: samples / min(times) for name, times in seconds.items()}


def peak_mebibytes(samples: int, way: str) -> float:
    """Peak memory of a fresh process that scores this many samples."""
    command = [sys.executable, "-m", "benchmarks.quality.metric", "--score", str(samples), "--way", way]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)


def score_and_print_peak(samples: int, way: str) -> None:
    """What that process does: every mask is made for its sample alone."""
    from mtrs_iou import score_masks

    base = draw_masks(1)[0]

    def fresh(step: int) -> Any:
        return (np.roll(base, number * step) for number in range(samples))

    with tempfile.TemporaryDirectory() as cache:
        metric = load_metric(cache)
        if way == "score_masks":
            score_masks(fresh(1), fresh(3))
        else:
            for mask, true_mask in zip(fresh(1), fresh(3)):
                metric.add(prediction=mask, reference=true_mask)
            metric.compute()
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    print(int(kibibytes) / 1024)


def measure() -> list[tuple[str, str, float, float, float]]:
    """The rows of the table."""
    masks = draw_masks(2 * PAIRS)
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        pairs = masks[::2] * PASSES, masks[1::2] * PASSES
        sets = array_contestants(*pairs, cache), rle_contestants(*pairs)
        for contestants in sets:
            speeds = samples_per_second(contestants, PAIRS * PASSES)
            for name in (name for name in speeds if name.startswith("mtrs_iou")):
                for other in (other for other in speeds if not other.startswith("mtrs_iou")):
                    values = speeds[other], speeds[name]
                    rows.append((f"samples per CPU second: {name}", other, *values, values[1] / values[0]))
    for way in ("score_masks", "evaluate, add"):
        peaks = {samples: peak_mebibytes(samples, way) for samples in tqdm(SAMPLES, desc=f"memory, {way}")}
        for samples in SAMPLES[1:]:
            values = peaks[SAMPLES[0]], peaks[samples]
            name = f"peak memory, MiB: mtrs_iou, {way}, {samples:,} samples"
            rows.append((name, f"{SAMPLES[0]} samples", *values, values[1] / values[0]))
    return rows


def main() -> None:
    """Measures and writes the table."""
    parser = argparse.ArgumentParser(description="Speed and memory of the metric, written to results/metric.csv.")
    parser.add_argument("--score", type=int, help="score this many samples and print the peak memory in MiB")
    parser.add_argument("--way", choices=("score_masks", "evaluate, add"), default="score_masks")
    options = parser.parse_args()
    if options.score is not None:
        score_and_print_peak(options.score, options.way)
        return
    rows = measure()
    for name, other, before, after, ratio in rows:
        print(f"{name:62s} {before:8.1f} {after:8.1f} {ratio:6.2f}  against {other}")
    columns = ("measurement", "against", "against_value", "value", "ratio")
    values = [(*names, f"{before:.4g}", f"{after:.4g}", f"{ratio:.2f}") for *names, before, after, ratio in rows]
    write_rows(RESULTS / "metric.csv", [dict(zip(columns, row)) for row in values])


if __name__ == "__main__":
    main()
