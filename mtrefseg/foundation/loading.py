# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Loads models and processors of `transformers`, with readable errors."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from transformers.utils import is_torchvision_available

from mtrefseg.build.loading import CheckpointError, check_files, find_device, load_errors


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
        CheckpointError: If the model does not exist or is damaged, access is denied, or a required package is missing.
    """
    check_files(model)
    with load_errors(model):
        return load(model, **options)


def load_third_party_model(load: Callable[..., Any], model: str, device: str | None, **options: Any) -> Any:
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
        CheckpointError: If the model cannot be loaded or the device cannot be used.
    """
    target = find_device(device)
    return load_part(load, model, dtype="auto", **options).to(target).eval()


def to_model(inputs: Any, model: Any) -> dict[str, Any]:
    """The output of a processor on the device of a model, with floating-point tensors in the dtype of the model."""
    moved = {}
    for name, value in inputs.items():
        if isinstance(value, torch.Tensor):
            value = value.to(model.device, model.dtype if value.is_floating_point() else None)
        moved[name] = value
    return moved


def need_torchvision(model: str) -> None:
    """Raises `CheckpointError` without torchvision: the error of transformers would refer to the files of the
    model."""
    if not is_torchvision_available():
        raise CheckpointError(
            f"cannot load {model}: its images are prepared with torchvision; pip install torchvision"
        )
