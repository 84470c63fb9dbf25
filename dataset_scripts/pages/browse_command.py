# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Writes a static HTML page with pairs, sentences and masks, which needs no server:

    mtrefseg data browse FOLDER --out pages
"""

import argparse
import sys
from itertools import islice

from tqdm import tqdm

from dataset_scripts.mask_options import add_mask_options, chosen_rule
from dataset_scripts.readers import DOMAINS, SPLITS, open_pairs
from mtrefseg.option_values import named_path, positive

from .browse_page import write_page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declares the options of `browse`.

    Args:
        parser (`argparse.ArgumentParser`): The sub-command's parser.
    """
    parser.add_argument(
        "folder", metavar="FOLDER", type=named_path, help="raw layout, image folder or exported Parquet"
    )
    parser.add_argument(
        "--out", metavar="DIR", type=named_path, required=True, help="new or empty folder for the page"
    )
    parser.add_argument("--split", choices=SPLITS, help="only this split")
    parser.add_argument("--domain", choices=DOMAINS, help="only this domain")
    parser.add_argument("--limit", metavar="N", type=positive, help="only the first N pairs")
    add_mask_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """
    Runs `browse`.

    Args:
        arguments (`argparse.Namespace`): Parsed by the parser of [`add_arguments`].

    Returns:
        `int`: The exit code 0.

    Raises:
        [`DataError`]: If the folder cannot be read, no pair is left, or the page cannot be written.
    """
    source = open_pairs(arguments.folder)
    usable = source.usable(arguments.split, arguments.domain, chosen_rule(arguments))
    limited = islice(usable, arguments.limit)
    total = None if arguments.split or arguments.domain else min(len(source), arguments.limit or sys.maxsize)
    with tqdm(limited, total=total, unit="pair", desc="drawing", leave=False, disable=None) as progress:
        count = write_page(progress, arguments.out, source.name)
    print(f"{arguments.out / 'index.html'}: {count:,} pairs")
    if source.report.counts:
        print(source.report.table())
    return 0
