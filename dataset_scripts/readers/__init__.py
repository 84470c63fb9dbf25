# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reads pairs: the raw layout, folders with metadata, Parquet; and the schema of what is read."""
