# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The command `mtrefseg`, also `python -m mtrefseg`:

```bash
mtrefseg predict t1.png t2.png "the house that appeared" --out outputs
mtrefseg explain t1.png t2.png "the house that appeared" --out outputs
mtrefseg report outputs/report/predictions.parquet --out pages
mtrefseg demo
mtrefseg convert-original WEIGHTS OUT --original-config config.json --tokenizer DIR
mtrefseg info --model mtrefseg-r1
```

Exit codes: 0 done; 2 bad input, with one line on stderr that says what to change; 130 interrupted. Results go to
stdout, progress to stderr.
"""

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from . import convert, demo, explain, info, predict, report
from .common import CommandError, one_line, version_of


class _Parser(argparse.ArgumentParser):
    """Reports a wrong command line in one line, as every other bad input."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"mtrefseg: error: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Runs the command line.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.

    Returns:
        `int`: The exit code: 0 done, 2 bad input, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a letter of a sentence shows its code instead.
            stream.reconfigure(errors="backslashreplace")
    options = _build_parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        run(options)
    except CommandError as error:
        print(f"mtrefseg: error: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("mtrefseg: interrupted", file=sys.stderr)
        return 130
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mtrefseg", description="Segment the change between two images that a sentence describes.")
    parser.add_argument("--version", action="version", version=f"mtrefseg {version_of('mtrefseg')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")

    for module in (predict, convert, info, explain, report, demo):
        module.add_parser(commands)
    return parser
