# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Ablations: a matrix of trainings, and the tables and curves of their results."""
