# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The error that the data tools raise for input they cannot accept."""

from mtrefseg.errors import UserError


class DataError(UserError, ValueError):
    """Bad input. The message names the file or value and the fix; the command line prints it as one line."""
