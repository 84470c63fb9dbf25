# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`python -m craft_agent`."""

import sys

from .command_line import main


if __name__ == "__main__":
    sys.exit(main())
