# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reads the command line of a verb."""

import argparse
import shutil
import textwrap
from collections.abc import Sequence

from mtrefseg.option_values import OneLineParser


class VerbParser:
    """
    Parser of one verb. Positional arguments may come before, between and after the options, which argparse does
    not support for a variable number of them.

    Args:
        verb (`str`): Name of the verb.
        description (`str`): What it does, for its help.
        examples (`Sequence[str]`, *optional*): Command lines, for the end of its help.
    """

    def __init__(self, verb: str, description: str, examples: Sequence[str] = ()) -> None:
        self.program = f"mtrefseg {verb}"
        self.description = description
        self.examples = examples
        self.options = OneLineParser(prog=self.program, add_help=False)
        self.positionals = OneLineParser(prog=self.program, add_help=False)

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """
        Reads the arguments after the verb. Everything after `--` is positional, even if it begins with a dash.

        Args:
            arguments (`Sequence[str]`): The arguments.

        Raises:
            SystemExit: After `--help` (code 0) or if the arguments are wrong (code 2).
        """
        given = list(arguments)
        end = given.index("--") if "--" in given else len(given)
        if {"-h", "--help"} & {*given[:end]}:
            self._full_parser().parse_args(["--help"])
        options, rest = self.options.parse_known_args(given[:end])
        # As in argparse, text with a space in it is a sentence and not an option.
        unknown = [text for text in rest if text.startswith("-") and len(text) > 1 and " " not in text]
        if unknown:
            self.options.error(f"unrecognized arguments: {' '.join(unknown)}")
        positionals = [*rest, *given[end + 1 :]]
        return self.positionals.parse_args(["--", *positionals] if positionals else [], options)

    def _full_parser(self) -> OneLineParser:
        width = shutil.get_terminal_size().columns - 2  # That of argparse's own formatter.
        return OneLineParser(
            prog=self.program,
            description=textwrap.fill(self.description, width),
            epilog="\n  ".join(["examples:", *self.examples]) if self.examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[self.positionals, self.options],
        )
