# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Imported first by the scripts of this folder, so that they run from a clone even if the project is not installed.
Python puts the folder of a script first on the path. Here that is `trainer/`, whose `evaluate.py` shadows the library
`evaluate`, and which does not contain the project's packages. This module replaces it with the root of the clone.
"""

import sys
from pathlib import Path


sys.path[0] = str(Path(__file__).resolve().parents[1])
