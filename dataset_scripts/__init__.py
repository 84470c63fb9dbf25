# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Datasets of multi-temporal referring segmentation: builders, Parquet export, checks, and a generator of scenes."""
