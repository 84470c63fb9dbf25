# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Speed of the scene generator, and the exactness of its sentences over many scenes:

    python -m benchmarks.quality.synthesis
    python -m benchmarks.quality.synthesis --scenes 1000  # also checks every sentence of 1,000 scenes of each domain

Writes `results/synthesis.csv`: pairs a second with one and with two processes (making a pair, without
writing it), and how many sentences the independent checker resolves to another mask than the generator's.
"""

import argparse
import multiprocessing
import time
from functools import partial

import numpy as np
from tqdm.auto import tqdm

from benchmarks.tables import RESULTS, write_rows
from dataset_scripts.synthesis import Generator
from tests.oracles.checker import refer


# (domains, size, pairs)
RUNS = (
    (("RS",), 256, 240),
    (("NS",), 256, 240),
    (("NS", "RS"), 256, 480),
    (("NS", "RS"), 512, 120),
    (("NS", "RS"), 1024, 40),
)


def make(generator: Generator, index: int) -> int:
    """Makes a pair and says how many sentences it has."""
    return len(generator.pair(index).expressions)


def pairs_per_second(generator: Generator, count: int, processes: int) -> float:
    """Wall clock, after each process has made its noise tiles."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(partial(make, generator), range(16 * processes), chunksize=1)
        start = time.perf_counter()
        for _ in pool.imap_unordered(partial(make, generator), range(count), chunksize=8):
            pass
        return count / (time.perf_counter() - start)


def disagreements(generator: Generator, scenes: int) -> tuple[int, int]:
    """Sentences in all, and those whose mask is not what the checker reads from the text."""
    sentences = wrong = 0
    for pair in tqdm(generator.pairs(stop=scenes), total=scenes, desc="check", disable=None):
        for expression in pair.expressions:
            sentences += 1
            mask = refer(expression.text, pair.scene, pair.numbers_t1, pair.numbers_t2).mask
            wrong += not np.array_equal(mask, expression.mask)
    return sentences, wrong


def main() -> None:
    """Measures and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=100, help="scenes of each domain whose sentences are checked")
    arguments = parser.parse_args()
    rows: list[tuple[str, str]] = []
    for domains, size, count in RUNS:
        generator = Generator(seed=0, size=size, domains=domains)
        rates = [pairs_per_second(generator, count, processes) for processes in (1, 2)]
        for processes, rate in zip((1, 2), rates, strict=True):
            rows.append((f"{'+'.join(domains)} {size} pixels, {processes} processes, pairs a second", f"{rate:.1f}"))
        rows.append((f"{'+'.join(domains)} {size} pixels, two processes against one", f"{rates[1] / rates[0]:.2f}"))
    for domain in ("RS", "NS"):
        sentences, wrong = disagreements(Generator(seed=1, domains=(domain,)), arguments.scenes)
        rows.append((f"{domain}, sentences of {arguments.scenes} scenes", str(sentences)))
        rows.append((f"{domain}, of these not exactly their mask", str(wrong)))
    write_rows(RESULTS / "synthesis.csv", [{"what": name, "value": value} for name, value in rows])
    for name, value in rows:
        print(f"{name:60s} {value:>10s}")


if __name__ == "__main__":
    main()
