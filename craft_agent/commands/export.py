# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Exports the accepted samples:

```bash
craft-agent export WORK OUT                  # OUT/raw: raw layout; OUT/parquet: for load_dataset, with a dataset card
craft-agent export WORK OUT --auditors 2     # only samples that two people accepted
craft-agent export --format cvat WORK OUT    # for another tool: OUT/A, OUT/B and an annotation file
craft-agent export --format label-studio --auditors 0 WORK OUT  # samples to correct in that tool
```
"""

import argparse

from mtrefseg.option_values import named_path

from ..errors import CraftError
from ..exchange.formats import FORMATS, SHAPES


SPLITS = ("train", "val", "test")
DATASET = "dataset"
NAMED_PAIRS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `export`."""
    parser.add_argument("work", metavar="WORK", type=named_path, help="folder of a run")
    parser.add_argument("out", metavar="OUT", type=named_path, help="new folder, or folder of an earlier export")
    parser.add_argument(
        "--auditors",
        type=int,
        choices=(0, 1, 2),
        default=1,
        help="how many people must have accepted a sample (default: %(default)s); 0: all that are not rejected",
    )
    parser.add_argument(
        "--format", choices=(DATASET, *FORMATS), default=DATASET, help="output format (default: %(default)s)"
    )
    parser.add_argument("--shapes", choices=SHAPES, help="for other tools: pixel masks or polygons (default: masks)")
    parser.add_argument("--split", choices=SPLITS, default="train", help="split of the data (default: %(default)s)")
    parser.add_argument(
        "--license", metavar="NAME", help="licence of the data, as a Hub identifier (default: unknown)"
    )
    parser.add_argument(
        "--num-proc", metavar="N", type=int, default=1, help="number of processes (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs `export`; raises `CraftError` if nothing is accepted or OUT holds something else."""
    if arguments.format != DATASET:
        return _export_annotations(arguments)
    if arguments.shapes is not None or not arguments.auditors:
        raise CraftError(f"--shapes and --auditors 0 need --format with one of {', '.join(FORMATS)}")
    if arguments.num_proc < 1:
        raise CraftError(f"--num-proc {arguments.num_proc} must be at least 1")
    from ..steps.exporting import export_work  # Here, so that the help is printed without loading it.

    summary = export_work(
        arguments.work, arguments.out, arguments.auditors, arguments.split, arguments.license, arguments.num_proc
    )
    print(f"{summary.pairs:,} pairs, {summary.samples:,} regions, {summary.sentences:,} sentences")
    print(f"raw layout: {summary.raw}\nParquet: {summary.parquet}")
    _print_changed(summary.changed)
    return 0


def _export_annotations(arguments: argparse.Namespace) -> int:
    if (arguments.split, arguments.license, arguments.num_proc) != ("train", None, 1):
        raise CraftError(f"--split, --license and --num-proc have no effect with --format {arguments.format}")
    from ..exchange.exporting import export_annotations

    as_polygons = arguments.shapes == "polygons"
    summary = export_annotations(arguments.work, arguments.out, arguments.format, arguments.auditors, as_polygons)
    print(f"{summary.pairs:,} pairs, {summary.samples:,} regions, {summary.sentences:,} sentences: {summary.file}")
    _print_changed(summary.changed)
    return 0


def _print_changed(pairs: tuple[str, ...]) -> None:
    if pairs:
        names = ", ".join(pairs[:NAMED_PAIRS]) + (" …" if len(pairs) > NAMED_PAIRS else "")
        print(f"left out because their files have changed since the run: {len(pairs):,} pairs: {names}")
