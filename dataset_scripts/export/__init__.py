# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes raw folders as Parquet with a dataset card, for `load_dataset`, and pushes them to the Hub."""

from .exporter import ExportOptions, export_dataset, push_dataset


__all__ = ["ExportOptions", "export_dataset", "push_dataset"]
