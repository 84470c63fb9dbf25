# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What can go wrong, by what is to be done about it."""

from collections.abc import Sequence

from mtrefseg.errors import UserError


class CraftError(UserError, ValueError):
    """Bad input. The message names the file or value and says what to do; the command line prints it as one line."""


class BackendError(Exception):
    """
    A perceiver or segmenter gave no answer. Always one of the three kinds below.

    Args:
        message (`str`): Why.
        failures (`Sequence[str]`, *optional*): Why each request failed that was sent in vain before the one that this
            error is about.
    """

    def __init__(self, message: str, failures: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.failures = tuple(failures)


class TransientError(BackendError):
    """
    It may work later: a timeout, a lost connection, 429, a 5xx. The backend has tried again by itself before it raises
    this. The pair is put back and taken up later.
    """


class PermanentError(BackendError):
    """Nothing will ever be answered: no such model, no right to use it, a package that is missing. The run stops."""


class RefusedError(BackendError):
    """This one question is not answered: a content filter, too large an image. The pair goes on without it."""
