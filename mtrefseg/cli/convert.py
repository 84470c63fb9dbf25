# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg convert-original`: weights of the reference implementation as a model folder.

```bash
mtrefseg convert-original WEIGHTS OUT --original-config config.json --tokenizer DIR
```
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from .common import CommandError, bad_input, check_writable, progress


def add_parser(commands: Any) -> None:
    """
    Declares the sub-command.

    Args:
        commands: What `add_subparsers` gave.
    """
    parser = commands.add_parser(
        "convert-original", help="convert weights of the reference implementation into a model folder"
    )
    parser.add_argument("weights", metavar="WEIGHTS", type=Path, help="file or folder of the reference weights")
    parser.add_argument("out", metavar="OUT", type=Path, help="new folder for the converted model")
    parser.add_argument(
        "--original-config", metavar="FILE", type=Path, required=True, help="the reference's config.json"
    )
    parser.add_argument("--tokenizer", metavar="DIR", type=Path, required=True, help="folder of its tokenizer")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Runs the sub-command. Converts into a folder beside `OUT` and renames it at the end.

    Args:
        options (`argparse.Namespace`): Parsed by the parser of [`add_parser`].

    Raises:
        [`CommandError`]: If `OUT` exists or cannot be written, or the weights cannot be converted.
    """
    out: Path = options.out
    if out.exists():
        raise CommandError(f"{out} exists already: name a new folder, or remove it first")
    check_writable(out)

    from huggingface_hub.errors import StrictDataclassError

    from mtrefseg.build.conversion import convert_original

    progress(f"converting {options.weights}")
    with bad_input(StrictDataclassError, prefix=f"cannot convert {options.weights}: "):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=out.parent) as folder:
            unfinished = Path(folder) / out.name
            report = convert_original(options.weights, unfinished, options.original_config, options.tokenizer)
            unfinished.rename(out)
    for line in str(report).splitlines():
        progress(line)
    print(out)
