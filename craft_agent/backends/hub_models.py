# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Loads models and processors of `transformers`, and tells their failures apart."""

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
        **options: Its further arguments.

    Returns:
        What it returns.

    Raises:
        PermanentError: If there is no such model, no right to it, or no package that it needs.
    """
    try:
        return load(model, **options)
    # RuntimeError: weights and configuration do not fit. KeyError: a model type that is not known.
    except (OSError, ValueError, ImportError, RuntimeError, KeyError, SafetensorError, StrictDataclassError) as error:
        raise PermanentError(f"cannot load {model}: {' '.join(str(error).split())}") from error


def load_model(load: Callable[..., Any], model: str, device: str | None, **options: Any) -> Any:
    """
    Loads a model for inference, in the precision of its weights.

    Args:
        load (`Callable`): Its `from_pretrained`.
        model (`str`): Hub id or folder.
        device (`str`, *optional*): Where it shall run; by default the first graphics card, if there is one.
        **options: Further arguments of `load`.

    Returns:
        The model, in evaluation mode.

    Raises:
        PermanentError: If it cannot be loaded or the device cannot be used.
    """
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    loaded = load_part(load, model, dtype="auto", **options)
    try:
        return loaded.to(place).eval()
    # Which of these PyTorch raises depends on how it was built.
    except (RuntimeError, AssertionError) as error:
        raise PermanentError(f"cannot use the device {place}: {' '.join(str(error).split())}") from error


@contextmanager
def refusing_without_memory() -> Iterator[None]:
    """Turns an input that does not fit into the graphics card's memory into a `RefusedError`."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise RefusedError("the pictures do not fit into the memory of the graphics card") from error


def to_model(inputs: Any, model: Any) -> dict[str, Any]:
    """A processor's output on the model's device, its real numbers in the model's precision."""
    moved = {}
    for name, value in inputs.items():
        if isinstance(value, torch.Tensor):
            value = value.to(model.device, model.dtype if value.is_floating_point() else None)
        moved[name] = value
    return moved
