# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Converts raw folders to a Parquet dataset that `load_dataset` reads directly:

```bash
mtrefseg data export RAW OUT
```

```python
load_dataset("OUT", "RS", split="validation")
```

All files are written to the hidden folder `OUT/.export` and moved into place when they are complete: first the data,
in one rename, then the card. An interrupted export continues when the same command is run again.
"""

import argparse
import json
import shlex
import time
from glob import escape as escape_pattern
from typing import TYPE_CHECKING

from dataset_scripts.errors import DataError
from dataset_scripts.mask_options import add_mask_options, chosen_rule
from dataset_scripts.readers import DOMAINS, printable
from mtrefseg.option_values import named_path, positive

from .plan import DEFAULT_SHARD_SIZE, KINDS


if TYPE_CHECKING:
    from .exporter import ExportResult


def _shard_size(text: str) -> int:
    from datasets.utils.py_utils import convert_file_size_to_int  # Slow to import, and not needed for the help.

    try:
        size = convert_file_size_to_int(text)
    except ValueError:
        size = 0
    if size <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not a size; write, for example, 256MB")
    return int(size)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of the command."""
    parser.add_argument(
        "raw", metavar="RAW", type=named_path, help="folder of the raw dataset, or one of its split folders"
    )
    parser.add_argument(
        "out", metavar="OUT", type=named_path, help="folder for the Parquet files and the dataset card"
    )
    parser.add_argument(
        "--kind",
        choices=KINDS,
        help="export folders with sentences or stage-1 folders; by default those with sentences, if there are any",
    )
    parser.add_argument(
        "--pairs",
        action="store_true",
        help="also write TV_pairs, NS_pairs and RS_pairs, one row per pair; the images are then stored twice",
    )
    parser.add_argument(
        "--license",
        metavar="NAME",
        help="licence of the data as a Hub identifier; default: apache-2.0 for the published folders, else unknown",
    )
    parser.add_argument("--num-proc", metavar="N", type=positive, default=1, help="number of processes, 1 by default")
    parser.add_argument(
        "--max-shard-size",
        metavar="SIZE",
        type=_shard_size,
        default=DEFAULT_SHARD_SIZE,
        help="approximate size of a file, 256MB by default",
    )
    add_mask_options(parser)
    parser.add_argument("--strict", action="store_true", help="fail if anything must be skipped, and list it")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace an existing export of other data or with other options"
    )
    parser.add_argument(
        "--push-to-hub", metavar="REPO", help="upload the export to this dataset repository, OWNER/NAME"
    )
    parser.add_argument("--private", action="store_true", help="with --push-to-hub: make the repository private")


def run(arguments: argparse.Namespace) -> int:
    """
    Runs the command and prints a summary.

    Args:
        arguments (`argparse.Namespace`): Parsed arguments of `add_arguments`.

    Returns:
        `int`: 0.

    Raises:
        DataError: See `export_dataset` and `push_dataset`.
    """
    if arguments.private and not arguments.push_to_hub:
        raise DataError("--private needs --push-to-hub; name the repository")
    # These import `datasets` and PyArrow, which the help does not need.
    from .exporter import ExportOptions, export_dataset, push_dataset

    start = time.perf_counter()
    rule = chosen_rule(arguments)
    options = ExportOptions(arguments.kind, arguments.pairs, arguments.max_shard_size, arguments.license, rule)
    result = export_dataset(
        arguments.raw, arguments.out, options, arguments.num_proc, arguments.strict, arguments.overwrite
    )
    _print_result(result, time.perf_counter() - start)
    if result.other_folders:
        other = next(kind for kind in KINDS if kind != result.kind)
        out = f"{arguments.out}_{other}"
        command = shlex.join(["mtrefseg", "data", "export", str(arguments.raw), out, "--kind", other])
        print(f"not exported: {', '.join(result.other_folders)}; for these: {command}")
    if arguments.push_to_hub:
        print(push_dataset(arguments.out, arguments.push_to_hub, arguments.private))
    return 0


def _print_result(result: "ExportResult", seconds: float) -> None:
    for config, splits in result.configs.items():
        for split, sizes in splits.items():
            megabytes = sizes["file_bytes"] / 1e6
            print(f"{config:10} {split:10} {sizes['rows']:>8,} rows {sizes['pairs']:>8,} pairs {megabytes:>9,.1f} MB")
    print(result.report.table())
    example = loading_line(result)
    state = f"written in {seconds:.1f} s" if result.is_new else "was finished already, with the same data and options"
    print(printable(f"{result.path}: {state}; {example}"))


def loading_line(result: "ExportResult") -> str:
    """The line of Python that loads the first configuration and split of an export."""
    config, splits = next(iter(result.configs.items()))
    split = next(iter(splits))
    folder = str(result.path)
    if escape_pattern(folder) == folder:
        return f'load_dataset({_quoted(folder)}, "{config}", split="{split}")'
    # `load_dataset` always interprets the paths of folders as patterns.
    parts = (
        [config] if (result.path / "data" / config).is_dir() else [part for part in DOMAINS if part in result.configs]
    )
    files = ", ".join(_quoted(f"{escape_pattern(folder)}/data/{part}/{split}-*.parquet") for part in parts)
    return f'load_dataset("parquet", data_files={{"{split}": [{files}]}}, split="{split}")'


def _quoted(text: str) -> str:
    """A text as a Python string in double quotes."""
    return json.dumps(text, ensure_ascii=False)
