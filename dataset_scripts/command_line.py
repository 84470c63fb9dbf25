# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The data tools, `mtrefseg data` or `python -m dataset_scripts`:

```bash
mtrefseg data export RAW OUT        # raw folders -> Parquet with a card, for load_dataset
mtrefseg data validate FOLDER       # the result of each check
mtrefseg data stats FOLDER          # one PNG page of plots
mtrefseg data browse FOLDER         # HTML pages to browse
mtrefseg data synth OUT             # generated pairs with sentences and masks
mtrefseg data compose COCO OUT      # pairs composed from real images with instance masks
mtrefseg data describe DATA OUT     # sentences for pairs that have masks
```

Exit codes: 0 done; 1 `validate` found something wrong; 2 bad input, with one line on stderr that gives the fix;
130 interrupted; 141 stdout was closed. Results go to stdout, progress to stderr.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from mtrefseg.errors import BAD_INPUT, UserError, run_command
from mtrefseg.option_values import OneLineParser, without_fences


_TOOLS = {
    "export": ("export.command", "convert raw folders to Parquet with a dataset card, for load_dataset"),
    "validate": ("quality.command", "check a dataset for damage, leakage between splits, counts and balance"),
    "stats": ("pages.stats_command", "plot the statistics of a dataset on one PNG page"),
    "browse": ("pages.browse_command", "write HTML pages with pairs, sentences and masks"),
    "synth": ("synthesis.command", "generate pairs with sentences and exact masks"),
    "compose": ("compose.command", "compose pairs from real images with instance masks (COCO format)"),
    "describe": ("describe.command", "write sentences for pairs that have masks"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """
    Runs the command line.

    Args:
        argv (`Sequence[str]`, *optional*): Arguments; by default those of the process.

    Returns:
        `int`: The exit code.
    """
    parser = OneLineParser(
        prog="mtrefseg data",
        description="Data for multi-temporal referring segmentation.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return run_tool(parser, "dataset_scripts", _TOOLS, argv)


def run_tool(
    parser: argparse.ArgumentParser,
    package: str,
    tools: Mapping[str, tuple[str, str]],
    argv: Sequence[str] | None,
) -> int:
    """
    Runs one of several commands; `craft-agent` uses it, too.

    Args:
        parser (`argparse.ArgumentParser`): The parser of the program.
        package (`str`): The package with the modules of the commands.
        tools (`Mapping[str, tuple[str, str]]`): By command, its module, which supplies `add_arguments(parser)` and
            `run(arguments) -> exit code`, and a summary.
        argv (`Sequence[str]`, *optional*): Arguments; by default those of the process.

    Returns:
        `int`: The exit code: the command's own; 2, 130 or 141 as described above.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    program = parser.prog.split()[0]

    def run() -> int:
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        for name, (module, summary) in tools.items():
            command = commands.add_parser(name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter)
            # Imports only the requested tool: the others may need libraries that are not installed.
            if arguments[:1] == [name]:
                tool = import_module(f".{module}", package)
                command.description = without_fences(tool.__doc__ or "")
                tool.add_arguments(command)
                command.set_defaults(run=tool.run)
        parsed, unknown = parser.parse_known_args(arguments)
        if unknown:  # `parse_args` would name the help of the program, which does not list the options of the command.
            commands.choices[parsed.command].error(f"unrecognized arguments: {' '.join(unknown)}")
        try:
            return int(parsed.run(parsed))
        except UserError as error:
            # As it is: after `--strict`, it has a line for each pair that was skipped.
            print(f"{program}: error: {error}", file=sys.stderr)
            return BAD_INPUT

    return run_command(program, run)
