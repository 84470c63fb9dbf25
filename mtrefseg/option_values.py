# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Command lines whose errors are one line, and numbers in a range, as `type=` of an option."""

import argparse
from collections.abc import Callable
from typing import NoReturn

from .errors import BAD_INPUT


class OneLineParser(argparse.ArgumentParser):
    """Reports a wrong command line in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Exits with code 2 after one line on stderr."""
        self.exit(BAD_INPUT, f"{self.prog.split()[0]}: error: {message} (see {self.prog} --help)\n")


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def between(least: float, most: float) -> Callable[[str], float]:
    """
    Numbers in a range.

    Args:
        least, most (`float`): Its ends, which belong to it.

    Returns:
        `Callable[[str], float]`: Reads such a number.
    """

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not between {least:g} and {most:g}")
        return value

    return read
