# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Loads models, with the errors of this package."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mtrefseg.build.loading import CheckpointError

from ..errors import PermanentError, TransientError


@contextmanager
def permanent_if_not_loaded() -> Iterator[None]:
    """Raises `PermanentError` if a model cannot be loaded in the block, or the device cannot be used."""
    try:
        yield
    except CheckpointError as error:
        raise PermanentError(str(error)) from error


@contextmanager
def delaying_without_memory() -> Iterator[None]:
    """
    Raises `TransientError` if the GPU runs out of memory in the block: others may use it at the moment. A refusal
    would be recorded as if the model had seen the images and found nothing.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise TransientError("the images do not fit into the free memory of the GPU") from error
