# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The errors of training that a user can fix."""

from mtrefseg.errors import UserError


class TrainingError(UserError, ValueError):
    """An option, a checkpoint or the engine is invalid; the message says how to fix it."""
