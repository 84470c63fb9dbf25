# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes raw folders as Parquet with a dataset card."""
