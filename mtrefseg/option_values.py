# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A parser with one-line errors, and functions for `type=` of an option, such as numbers in a range."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .errors import BAD_INPUT


class OneLineParser(argparse.ArgumentParser):
    """
    Reports a wrong command line in one line, without the usage. The words of an option may be separated by dashes or
    underscores (`--batch-size`, `--batch_size`). In the help, code blocks of the description are indented.

    Args:
        description (`str`, *optional*): Markdown.
        options: Other arguments of `ArgumentParser`.
    """

    def __init__(self, *, description: str | None = None, **options: Any) -> None:
        super().__init__(description=description and without_fences(description), **options)

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:  # type: ignore[override]
        """As in the base class, with both spellings of options. What follows `--` stays as it is."""
        given = list(sys.argv[1:] if args is None else args)
        end = given.index("--") if "--" in given else len(given)
        return super().parse_known_args([*map(self._as_declared, given[:end]), *given[end:]], namespace)

    def _as_declared(self, word: str) -> str:
        name, equals, value = word.partition("=")
        if not name.startswith("--") or name in self._option_string_actions:
            return word
        declared = {option.replace("_", "-"): option for option in self._option_string_actions}
        return f"{declared.get(name.replace('_', '-'), name)}{equals}{value}"

    def error(self, message: str) -> NoReturn:
        """Exits with code 2 after one line on stderr."""
        self.exit(BAD_INPUT, f"{self.prog.split()[0]}: error: {message} (see {self.prog} --help)\n")


def without_fences(text: str) -> str:
    """Markdown with code blocks that are indented."""
    lines, is_code = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            is_code = not is_code
        else:
            lines.append(f"    {line}" if is_code and line else line)
    return "\n".join(lines)


def named_path(text: str) -> Path:
    """A path. An empty one, such as that of a shell variable that is not set, would be the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the path is empty; the current folder is .")
    return Path(text)


def positive(text: str) -> int:
    """An integer of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def port(text: str) -> int:
    """A port number; 0 means any free port."""
    if not text.isdecimal() or not int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 65535")
    return int(text)


def between(least: float, most: float) -> Callable[[str], float]:
    """
    Numbers in a range.

    Args:
        least, most (`float`): Ends of the range, included.

    Returns:
        `Callable[[str], float]`: Parses such a number.
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


def whole_numbers(text: str) -> tuple[int, ...]:
    """Integers separated by commas, such as the values of a mask."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be whole numbers separated by commas") from None


def band_numbers(text: str) -> tuple[int, ...]:
    """Numbers of one band or of three, from 1."""
    bands = whole_numbers(text)
    if len(bands) not in (1, 3) or min(bands) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be one or three band numbers, counted from 1, such as 3,2,1")
    return bands


def percentiles(text: str) -> tuple[float, float, bool] | str | None:
    """
    How samples of more than 8 bits are stretched.

    Returns:
        `tuple`, `str` or `None`: Two percentiles, and whether each image is stretched separately; "auto", or `None`
        for "none".
    """
    if text in ("auto", "none"):
        return "auto" if text == "auto" else None
    try:
        low, high = (float(part) for part in text.removesuffix(",each").split(","))
    except ValueError:
        low = high = 0
    if not 0 <= low < high <= 100:
        problem = "must be two percentiles from 0 to 100, the lower one first, such as 2,98 or 2,98,each; or none"
        raise argparse.ArgumentTypeError(f"{text!r} {problem}")
    return low, high, text.endswith(",each")
