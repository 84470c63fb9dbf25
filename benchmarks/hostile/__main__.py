# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Hostile inputs: damaged, disguised, huge and odd files, answers, uploads and folders, whose right values are known.

    python -m benchmarks.hostile                                 # 100,000 cases
    python -m benchmarks.hostile --cases 2000 --kinds "mask files" --show 20

The cases of a kind run in a process with limits of time and memory. Each ends in one of these ways: the right value; a
refusal in one line; the value of other content, where the format cannot tell that it is damaged; or a fault: a refusal
of a whole input, a crash, a hang, too much memory, or a silent wrong result. Prints a table and the faults, writes
`results/hostile.csv`, and exits with 1 if there is a fault. Case number n of a kind is the same in all runs with the
same seed.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.tables import RESULTS, today, write_rows

from . import KINDS, Kind, Outcome, Verdict, run_cases


ALL_CASES = sum(kind.share for kind in KINDS)


def run_kind(kind: Kind, cases: int, seed: int) -> tuple[Counter[Outcome], list[Verdict], float]:
    """
    Runs the cases of a kind.

    Args:
        kind (`Kind`): The kind.
        cases (`int`): How many.
        seed (`int`): Seeds them.

    Returns:
        `Counter[Outcome]`: How often each outcome.
        `list[Verdict]`: The faults.
        `float`: Seconds.
    """
    start = time.perf_counter()
    counts: Counter[Outcome] = Counter()
    faults = []
    for verdict in run_cases(kind, cases, seed):
        counts[verdict.outcome] += 1
        if verdict.outcome.is_fault:
            faults.append(verdict)
    return counts, faults, time.perf_counter() - start


def show_row(name: str, counts: Counter[Outcome], seconds: float) -> None:
    """Prints a row of the table."""
    cells = [f"{counts[outcome]:>{len(outcome.value)},}" for outcome in Outcome]
    print(f"{name:22} {counts.total():>8,}  {'  '.join(cells)}  {seconds:>8.1f}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description="Try hostile inputs on every reader.")
    parser.add_argument("--cases", type=int, default=ALL_CASES, help="in all kinds together")
    parser.add_argument("--kinds", nargs="*", metavar="KIND", choices=[kind.name for kind in KINDS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=5, help="faults that are printed of each kind")
    parser.add_argument("--csv", type=Path, default=RESULTS / "hostile.csv")
    options = parser.parse_args(arguments)
    kinds = [kind for kind in KINDS if not options.kinds or kind.name in options.kinds]
    whole = sum(kind.share for kind in kinds)
    print(f"{'':22} {'cases':>8}  {'  '.join(outcome.value for outcome in Outcome)}  {'seconds':>8}")
    rows, sums, all_seconds = [], Counter[Outcome](), 0.0
    for kind in kinds:
        counts, faults, seconds = run_kind(kind, max(1, round(options.cases * kind.share / whole)), options.seed)
        show_row(kind.name, counts, seconds)
        for fault in faults[: options.show]:
            print(f"    {fault.outcome.value}: {fault.what[:300]}: {fault.detail}")
        rows.append(
            {
                "kind": kind.name,
                "cases": counts.total(),
                **{outcome.value: counts[outcome] for outcome in Outcome},
                "seconds": round(seconds, 1),
                "seed": options.seed,
                "date": today(),
            }
        )
        sums += counts
        all_seconds += seconds
    show_row("all", sums, all_seconds)
    print(", ".join(f"{outcome.value} {sums[outcome]}" for outcome in Outcome if outcome.is_fault))
    write_rows(options.csv, rows)
    return int(any(outcome.is_fault for outcome in sums))


if __name__ == "__main__":
    sys.exit(main())
