# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Starts the demo: the script that a Space runs. The published Space holds it beside the package `spaces_demo`, and
`mtrefseg demo` does the same from a clone or an installation.
"""

from spaces_demo import main


if __name__ == "__main__":
    main()
