# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Writes what people accepted:

```bash
craft-agent export WORK OUT                  # OUT/raw: the raw layout; OUT/parquet: for load_dataset, with a card
craft-agent export WORK OUT --auditors 2     # only what two people accepted
```
"""

import argparse
from pathlib import Path

from ..errors import CraftError


SPLITS = ("train", "val", "test")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `export`."""
    parser.add_argument("work", metavar="WORK", type=Path, help="folder of a run")
    parser.add_argument("out", metavar="OUT", type=Path, help="a new folder, or that of an earlier export")
    parser.add_argument(
        "--auditors",
        type=int,
        choices=(1, 2),
        default=1,
        help="people who must have accepted a sample (default: %(default)s)",
    )
    parser.add_argument("--split", choices=SPLITS, default="train", help="split of the data (default: %(default)s)")
    parser.add_argument(
        "--license", metavar="NAME", help="licence of the data, as named on the Hub (default: unknown)"
    )
    parser.add_argument(
        "--num-proc", metavar="N", type=int, default=1, help="number of processes (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs `export`; raises `CraftError` if nothing is accepted or OUT holds something else."""
    if arguments.num_proc < 1:
        raise CraftError(f"--num-proc {arguments.num_proc} must be at least 1")
    from ..steps.exporting import export_work  # Here, so that the help is printed without loading it.

    summary = export_work(
        arguments.work, arguments.out, arguments.auditors, arguments.split, arguments.license, arguments.num_proc
    )
    print(f"{summary.pairs:,} pairs, {summary.samples:,} regions, {summary.sentences:,} sentences")
    print(f"raw layout: {summary.raw}\nParquet: {summary.parquet}")
    if summary.changed:
        print(f"left out because their files have changed since the run: {', '.join(summary.changed[:10])}")
    return 0
