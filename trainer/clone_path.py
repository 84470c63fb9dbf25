# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Imported first by the scripts that people launch, so that they run from a clone with and without an installation.

Python puts the folder of a script first on the path. Here that is `trainer/`, where `evaluate.py` hides the library of
the same name and the project's packages are not found. This puts the clone's folder in its place.
"""

import sys
from pathlib import Path


sys.path[0] = str(Path(__file__).resolve().parents[1])
