# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Checks a dataset and prints the result of each check:

    mtrefseg data validate FOLDER --json report.json

FAIL: repair before training. WARN: should be reviewed. PASS: no problem found.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from dataset_scripts.errors import DataError
from dataset_scripts.mask_options import add_mask_options, chosen_rule
from dataset_scripts.readers import printable
from mtrefseg.option_values import named_path

from .checks import Verdict
from .perceptual_hash import DEFAULT_MAX_DISTANCE, LARGEST_MAX_DISTANCE
from .validation import validate


EXAMPLES = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """
    Declares the options of `validate`.

    Args:
        parser (`argparse.ArgumentParser`): The sub-command's parser.
    """
    parser.add_argument(
        "folder", metavar="FOLDER", type=named_path, help="raw layout, image folder or exported Parquet"
    )
    parser.add_argument("--json", metavar="FILE", type=named_path, help="write all findings to this file")
    parser.add_argument(
        "--published",
        action="store_true",
        help="compare the counts with the published ones; always done if the folders have the published names",
    )
    parser.add_argument(
        "--max-distance",
        metavar="N",
        type=int,
        choices=range(LARGEST_MAX_DISTANCE + 1),
        default=DEFAULT_MAX_DISTANCE,
        help="how many of 64 hash bits may differ between near-duplicates, 0 to 15 (default: %(default)s)",
    )

    add_mask_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """
    Runs `validate`.

    Args:
        arguments (`argparse.Namespace`): Parsed by the parser of [`add_arguments`].

    Returns:
        `int`: The exit code: 0 if no check fails, otherwise 1.

    Raises:
        [`DataError`]: If the folder cannot be read or the JSON file cannot be written.
    """
    start = time.perf_counter()
    rule = chosen_rule(arguments)
    validation = validate(arguments.folder, arguments.published, arguments.max_distance, rule)
    for check in validation.checks:
        count = f"{check.count:,}" if check.count else ""
        print(f"{check.verdict.value} {count:>7}  {check.name:29} {printable(check.summary)}")
        examples = check.examples if check.verdict != Verdict.PASS else ()
        for example in examples[:EXAMPLES]:
            print(f"{'':14}{printable(example)}")
        if len(examples) > EXAMPLES:
            print(f"{'':14}… {len(examples) - EXAMPLES:,} more" + ("" if arguments.json else ", with --json"))
    verdicts = [check.verdict for check in validation.checks]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict.value}" for verdict in Verdict)
    print(f"{validation.verdict.value}  {arguments.folder}: {counts}, in {time.perf_counter() - start:.1f} s")
    if arguments.json is not None:
        _write_json(arguments.json, validation.to_json())
    return 1 if validation.verdict == Verdict.FAIL else 0


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes the findings, directly, because the file may be a pipe or /dev/stdout."""
    try:
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}; give another --json.") from error
