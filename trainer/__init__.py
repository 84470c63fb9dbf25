# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Training and evaluation. The scripts in this folder are the commands; the subfolders contain their parts."""
