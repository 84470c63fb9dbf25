# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Measures and checks a dataset: statistics, damage, leakage between splits."""
