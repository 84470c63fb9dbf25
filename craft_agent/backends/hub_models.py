# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Loads models and processors of `transformers`, with readable errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

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
        PermanentError: If the model does not exist, access is denied, or a required package is missing.
    """
    try:
        return load(model, **options)
    # RuntimeError: weights and configuration do not match. KeyError: unknown model type.
    except (OSError, ValueError, ImportError, RuntimeError, KeyError, SafetensorError, StrictDataclassError) as error:
        raise PermanentError(f"cannot load {model}: {' '.join(str(error).split())}") from error


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
    target = device or ("cuda" if torch.cuda.is_available() else "cpu")
    loaded = load_part(load, model, dtype="auto", **options)
    try:
        return loaded.to(target).eval()
    # It depends on the build of PyTorch which of these is raised.
    except (RuntimeError, AssertionError) as error:
        raise PermanentError(f"cannot use the device {target}: {' '.join(str(error).split())}") from error


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
