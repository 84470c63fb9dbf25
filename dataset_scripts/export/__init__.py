# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Writes raw folders as Parquet with a dataset card, for `load_dataset`, and pushes them to the Hub."""

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from .exporter import ExportOptions, export_dataset, push_dataset


__all__ = ["ExportOptions", "export_dataset", "push_dataset"]


def __getattr__(name: str) -> Any:
    # The exporter needs `datasets`, which is slow to import; the help of the command does not need it.
    if name in __all__:
        from . import exporter

        return getattr(exporter, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
