# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The base of all errors that a user can fix."""


class UserError(Exception):
    """
    Bad input. The message is one line that names the file or value and says what to change; commands print it without
    a traceback.
    """
