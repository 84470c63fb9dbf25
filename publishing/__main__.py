# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs [`publishing.command_line.main`]: `python -m publishing`."""

import sys

from .command_line import main


if __name__ == "__main__":
    sys.exit(main())
