# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`python -m mtrefseg` is the command `mtrefseg`."""

import sys

from mtrefseg.cli.main import main


if __name__ == "__main__":
    sys.exit(main())
