# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Plots the statistics of a dataset on one page:

    mtrefseg data stats FOLDER --out statistics.png
"""

import argparse
from pathlib import Path

from dataset_scripts.errors import DataError
from dataset_scripts.mask_options import add_mask_options, chosen_rule
from dataset_scripts.quality import measure_dataset
from dataset_scripts.readers import open_pairs
from mtrefseg.option_values import named_path

from .stats_page import draw_page, import_matplotlib


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declares the options of `stats`.

    Args:
        parser (`argparse.ArgumentParser`): The sub-command's parser.
    """
    parser.add_argument(
        "folder", metavar="FOLDER", type=named_path, help="raw layout, image folder or exported Parquet"
    )
    parser.add_argument(
        "--out",
        metavar="PNG",
        type=named_path,
        default=Path("statistics.png"),
        help="PNG file to write (default: %(default)s)",
    )
    add_mask_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """
    Runs `stats`.

    Args:
        arguments (`argparse.Namespace`): Parsed by the parser of [`add_arguments`].

    Returns:
        `int`: The exit code 0.

    Raises:
        [`DataError`]: If matplotlib is missing, the folder cannot be read or contains no pair, or the page cannot be
            written.
    """
    import_matplotlib()
    pairs = open_pairs(arguments.folder)
    facts = measure_dataset(pairs, chosen_rule(arguments))
    if not facts.pairs:
        raise DataError(f"{arguments.folder} holds no pair that can be read; see `validate {arguments.folder}`.")
    figure = draw_page(facts, arguments.folder.resolve().name)
    try:
        figure.savefig(arguments.out, format="png")
    except OSError as error:
        raise DataError(f"{arguments.out} cannot be written: {error.strerror}; give another --out.") from error
    print(f"{arguments.out}: {len(facts.distinct_pairs()):,} pairs")
    if pairs.report.counts:
        print(pairs.report.table())
    return 0
