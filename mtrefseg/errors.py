# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The base class of all errors that a user can fix, and the function with which commands report them."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


BAD_INPUT = 2
"""Exit code of a command whose input is bad."""
INTERRUPTED = 130
"""Exit code of a command that was stopped with Ctrl-C."""
PIPE_CLOSED = 141
"""Exit code of a command whose output is no longer read."""


class UserError(Exception):
    """
    Bad input. The message names the file or value and the fix; commands print it as one line, without a
    traceback.
    """


def one_line(error: BaseException) -> str:
    """The message of an error on one line; the name of its class if it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def readable(text: str) -> str:
    """A text in which escapes stand for what UTF-8 cannot encode, such as a file name in another encoding."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def show_all_letters() -> None:
    """
    Makes output streams escape characters that they cannot encode, such as those of a file name that is not UTF-8,
    instead of failing.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def run_command(program: str, run: Callable[[], int | None]) -> int:
    """
    Runs a command and reports the errors that its user can fix.

    Args:
        program (`str`): Prefix of the line on stderr, such as `"mtrefseg"`.
        run (`Callable`): The command; it returns its exit code, `None` for 0.

    Returns:
        `int`: The exit code of the command; `BAD_INPUT` after a [`UserError`] or an error of the operating system and
        `INTERRUPTED` after Ctrl-C, each with one line on stderr; `PIPE_CLOSED` if the output is no longer read.
    """
    show_all_letters()
    try:
        code = run() or 0
        if sys.stdout is not None:  # It is None in `mtrefseg ... >&-`.
            sys.stdout.flush()  # Here, a closed pipe can still be handled.
        return code
    except UserError as error:
        sys.stderr.write(f"{program}: error: {one_line(error)}\n")
        return BAD_INPUT
    except BrokenPipeError:
        # The reader, such as `head`, closed the pipe. Without this, Python would print an error when it flushes stdout
        # at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    # For example a path that is too long, a full disk, or no permission.
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else one_line(error)
        sys.stderr.write(f"{program}: error: {' '.join(reason.split())}\n")
        return BAD_INPUT
    except KeyboardInterrupt as error:
        sys.stderr.write(f"{program}: interrupted{f'; {error}' if error.args else ''}\n")
        return INTERRUPTED


@contextmanager
def resumable() -> Iterator[None]:
    """Work that the same command resumes: the line after Ctrl-C says so."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt("run the same command again to resume") from None
