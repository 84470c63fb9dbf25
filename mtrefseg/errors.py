# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The base of all errors that a user can fix, and the one place where commands report them."""

import sys
from collections.abc import Callable


BAD_INPUT = 2
"""Exit code of a command whose input is bad."""
INTERRUPTED = 130
"""Exit code of a command that was stopped with Ctrl-C."""


class UserError(Exception):
    """
    Bad input. The message names the file or value and says what to change; commands print it as one line, without a
    traceback.
    """


def one_line(error: BaseException) -> str:
    """The message of an error on one line; the name of its class if it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def run_command(program: str, run: Callable[[], int | None]) -> int:
    """
    Runs a command and reports the errors that its user can fix.

    Args:
        program (`str`): Begins the line on stderr, such as `"mtrefseg"`.
        run (`Callable`): The command; it returns its exit code, `None` for 0.

    Returns:
        `int`: The exit code of the command; `BAD_INPUT` after a [`UserError`] and `INTERRUPTED` after Ctrl-C, each
        with one line on stderr.
    """
    try:
        return run() or 0
    except UserError as error:
        sys.stderr.write(f"{program}: error: {one_line(error)}\n")
        return BAD_INPUT
    except KeyboardInterrupt:
        sys.stderr.write(f"{program}: interrupted\n")
        return INTERRUPTED
