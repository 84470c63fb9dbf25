# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Prediction for the many pairs of a manifest."""

import argparse
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from mtrefseg.errors import UserError, resumable
from mtrefseg.option_values import positive

from ..common import progress
from .options import check_scene_input, need_geo, open_scene_input, scene_options


SOME_FAILED = 1
"""Exit code of a run in which some pairs failed."""


def add_manifest_options(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    group = parser.add_argument_group("many pairs")
    group.add_argument(
        "--manifest",
        metavar="TABLE",
        help="many pairs, instead of T1 and T2: a .csv, .tsv or .parquet file with the columns t1 and t2 and, "
        "optionally, sentences (separated by |, or a JSON list) and id; finished pairs are skipped",
    )
    group.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="where to process the pairs: in this process (default) or on Ray workers",
    )
    group.add_argument(
        "--workers",
        metavar="N",
        type=positive,
        default=1,
        help="with --engine ray: number of workers, each with its own model",
    )


def refuse_engine(options: argparse.Namespace, is_many: bool) -> None:
    """Raises a `UserError` for `--engine` and `--workers` where they would do nothing."""
    if not is_many and (options.engine != "local" or options.workers != 1):
        raise UserError("--engine and --workers are for many pairs: leave them out, or pass --manifest or two folders")
    if options.engine == "local" and options.workers != 1:
        raise UserError("--workers requires --engine ray")


def run_many(options: argparse.Namespace, sources: Sequence[str]) -> int:
    """
    Segments the pairs of a manifest.

    Args:
        options (`argparse.Namespace`): Arguments of the verb.
        sources (`Sequence[str]`): A table, or two folders.

    Returns:
        `int`: The exit code; 1 if some pairs failed; they are marked in the table.

    Raises:
        [`UserError`]: If the input is bad, or the results cannot be written.
    """
    need_geo("segmenting many pairs", "pyarrow")
    from mtrefseg.scenes.reading import read_manifest

    rows = read_manifest(sources, options.texts, progress)
    _, device = open_scene_input(options, check_scene_input(options))

    from mtrefseg.build.memory import keep_freed_memory
    from mtrefseg.scenes.manifest import ManifestSettings, run_manifest

    keep_freed_memory(device)

    model = {
        "model": options.model,
        "threshold": options.threshold,
        "no_target_threshold": options.no_target_threshold,
        "domain": options.domain,
        "device": options.device,
        "dtype": options.dtype,
    }
    settings = ManifestSettings(str(options.out), scene_options(options), model)
    with resumable():
        table = run_manifest(rows, settings, options.engine, options.workers, say=progress)

    import pyarrow.parquet

    statuses = iter(pyarrow.parquet.read_table(table, columns=["status"]).column("status").to_pylist())
    # Each pair has a line for each sentence, or one for every change, all of one status.
    counts = Counter(min(islice(statuses, len(row.sentences) or 1)) for row in rows)
    print(f"pairs: {counts['done']} done, {counts['failed']} failed")
    print(table)
    return SOME_FAILED if counts["failed"] else 0
