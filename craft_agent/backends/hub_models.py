# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Loads models and processors of `transformers`, with readable errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from mtrefseg.build.loading import CheckpointError, check_files, find_device, load_errors

from ..errors import PermanentError, RefusedError


_Loaded = TypeVar("_Loaded")


def load_part(load: Callable[..., _Loaded], model: str, **options: Any) -> _Loaded:
    """
    Calls a `from_pretrained`.

    Args:
        load (`Callable`): The method.
        model (`str`): Hub id or folder.
        **options: Further arguments of the method.

    Returns:
        The result of the method.

    Raises:
        PermanentError: If the model does not exist or is damaged, access is denied, or a required package is missing.
    """
    try:
        check_files(model)
        with load_errors(model):
            return load(model, **options)
    except CheckpointError as error:
        raise PermanentError(str(error)) from error


def load_model(load: Callable[..., Any], model: str, device: str | None, **options: Any) -> Any:
    """
    Loads a model for inference, in the precision of its weights.

    Args:
        load (`Callable`): Its `from_pretrained`.
        model (`str`): Hub id or folder.
        device (`str`, *optional*): The device; by default the first GPU if there is one.
        **options: Further arguments of `load`.

    Returns:
        The model, in evaluation mode.

    Raises:
        PermanentError: If the model cannot be loaded or the device cannot be used.
    """
    try:
        target = find_device(device)
    except CheckpointError as error:
        raise PermanentError(str(error)) from error
    return load_part(load, model, dtype="auto", **options).to(target).eval()


@contextmanager
def refusing_without_memory() -> Iterator[None]:
    """Raises `RefusedError` if the GPU runs out of memory in the block."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise RefusedError("the images do not fit into the memory of the GPU") from error


def to_model(inputs: Any, model: Any) -> dict[str, Any]:
    """The output of a processor on the device of a model, with floating-point tensors in the dtype of the model."""
    moved = {}
    for name, value in inputs.items():
        if isinstance(value, torch.Tensor):
            value = value.to(model.device, model.dtype if value.is_floating_point() else None)
        moved[name] = value
    return moved
