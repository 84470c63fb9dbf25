# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Imports annotations that were made or corrected in another tool:

```bash
craft-agent import --format coco FILE WORK                        # a new run; A/ and B/ are next to FILE
craft-agent import --format label-studio FILE WORK --auditor ann  # corrections of an exported run, made by ann
```

A region with the id of a sample corrects or accepts it; any other region becomes a new sample. With --auditor, all
regions count as accepted by this person. Otherwise, review new regions with `craft-agent audit WORK`. Samples that are
not in FILE stay unchanged. If an entry is invalid, nothing is imported.
"""

import argparse

from dataset_scripts.readers import DOMAINS
from mtrefseg.option_values import named_path

from ..exchange.formats import FORMATS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `import`."""
    parser.add_argument("file", metavar="FILE", type=named_path, help="annotation file that the tool exported")
    parser.add_argument("work", metavar="WORK", type=named_path, help="folder of a run, or a new one")
    parser.add_argument("--format", choices=tuple(FORMATS), required=True, help="format of the file")
    parser.add_argument("--auditor", metavar="NAME", default="", help="person who made or checked the annotations")
    parser.add_argument(
        "--pairs",
        metavar="FOLDER",
        type=named_path,
        help="for a new run: folder with A/ and B/ (default: the folder of FILE)",
    )
    parser.add_argument("--domain", choices=DOMAINS, help="for a new run: normal scenes or remote sensing")


def run(arguments: argparse.Namespace) -> int:
    """Runs `import`; raises `CraftError` if the file is wrong or does not fit the run."""
    # Here, so that the help is printed without loading it.
    from ..exchange.importing import ImportOptions, import_annotations

    options = ImportOptions(arguments.format, arguments.auditor, arguments.pairs, arguments.domain)
    summary = import_annotations(arguments.file, arguments.work, options)
    regions = f"{summary.new:,} new regions, {summary.edited:,} corrected, {summary.same:,} unchanged"
    print(f"{summary.pairs:,} pairs: {regions}")
    if not arguments.auditor:
        print(f"run `craft-agent audit {arguments.work}` to judge them")
    return 0
