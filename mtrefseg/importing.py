# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Installed packages: their versions, and the import of PyTorch and transformers."""

import gc
from importlib.metadata import PackageNotFoundError, version


def version_of(package: str) -> str:
    """The version of a package, "(not installed)" if there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def import_libraries() -> None:
    """
    Imports PyTorch and transformers' model classes with the garbage collector disabled. It would repeatedly scan some
    hundred thousand new functions and classes and find nothing, which takes a sixth of the time of the import.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        import transformers.modeling_utils
        import transformers.processing_utils  # noqa: F401
    finally:
        if was_enabled:
            gc.enable()
