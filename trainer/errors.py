# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The error that a user can mend; the commands show its message alone."""

from mtrefseg.errors import UserError


class TrainingError(UserError, ValueError):
    """The arguments, the checkpoint or the engine is not what it must be; the message says how to mend it."""
