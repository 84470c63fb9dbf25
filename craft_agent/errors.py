# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The errors of this package, by what the caller can do about them."""

from collections.abc import Sequence

from mtrefseg.errors import UserError


class CraftError(UserError, ValueError):
    """Bad input. The message names the file or value and the fix; the command line prints it as one line."""


class BackendError(UserError):
    """
    A perceiver or segmenter gave no answer. Only the three subclasses below are raised.

    Args:
        message (`str`): The reason.
        failures (`Sequence[str]`, *optional*): The reasons of earlier requests for the same question that also failed.
    """

    def __init__(self, message: str, failures: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.failures = tuple(failures)


class TransientError(BackendError):
    """
    The question may be answered later: a timeout, a lost connection, status 429 or 5xx, after which the backend has
    already retried; or too little free memory of the GPU. The pair goes back to the queue.
    """


class PermanentError(BackendError, CraftError):
    """No question will ever be answered: no such model, no permission, a missing package. The run stops."""


class RefusedError(BackendError):
    """This question will not be answered, for example because of a content filter or an image that is too large. The
    pair continues without it."""
