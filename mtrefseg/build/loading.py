# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Loads checkpoints. Converts the many exceptions that the libraries raise for damaged folders to a one-line error.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, AutoProcessor

# This also registers the model's classes, so no code of a model repository runs.
from modeling_mtrefseg import MTRefSegProcessor
from mtrefseg.errors import UserError, one_line

from .cpu import optimize_for_cpu


class CheckpointError(UserError, ValueError):
    """A checkpoint cannot be loaded, or a device cannot be used; the message names it and the reason."""


@contextmanager
def load_errors(what: str) -> Iterator[None]:
    """
    Converts any exception in the block to a [`CheckpointError`].

    Args:
        what (`str`): Name of what is loaded, for the message: a folder or Hub id.
    """
    try:
        yield
    except UserError:
        raise
    # For damaged files the libraries raise almost any exception class, and the tokenizers a plain `Exception`.
    except Exception as error:
        reason = one_line(error)
        if isinstance(error, JSONDecodeError) or not isinstance(error, OSError | ValueError | ImportError):
            reason = f"one of its files is damaged ({type(error).__name__}: {reason}); copy or download it again"
        raise CheckpointError(f"cannot load {what}: {reason}") from error


def check_files(name: str | Path) -> None:
    """
    Rejects a folder that contains a named pipe or a device, because loading would wait for it forever.

    Args:
        name (`str` or `Path`): Folder or Hub id of a checkpoint; Hub ids are accepted.

    Raises:
        CheckpointError: If an entry of the folder is neither a file nor a folder.
    """
    folder = Path(name)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.exists() and not path.is_file() and not path.is_dir():
            raise CheckpointError(f"cannot load {folder}: {path.name} is not a regular file")


def find_device(name: str | None = None) -> torch.device:
    """
    Finds the device to use.

    Args:
        name (`str`, *optional*): Such as "cpu" or "cuda:1"; by default a CUDA device if there is one.

    Returns:
        `torch.device`: The device.

    Raises:
        CheckpointError: If there is no such device, or it stores no values, such as "meta".
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        probe = torch.zeros(1, device=torch.device(name))
        probe.item()
    # The exception depends on the build of PyTorch.
    except (RuntimeError, AssertionError, ValueError, ImportError) as error:
        raise CheckpointError(f"cannot use the device {name}: {one_line(error)}") from error
    return probe.device


def load_processor(name: str | Path, **options: Any) -> MTRefSegProcessor:
    """
    Loads the processor of a checkpoint.

    Args:
        name (`str` or `Path`): Folder or Hub id.
        **options: Further arguments of `from_pretrained`.

    Returns:
        [`MTRefSegProcessor`]

    Raises:
        CheckpointError: If it cannot be loaded.
    """
    check_files(name)
    with load_errors(f"the processor of {name}"):
        processor = AutoProcessor.from_pretrained(name, **options)
        # Without a configuration of the processor, the library only returns the tokenizer.
        if not hasattr(processor, "check_fits"):
            raise ValueError(f"it is a {type(processor).__name__}, but an MTRefSegProcessor is needed")
        return processor


def check_complete(model: nn.Module, missing: Collection[str], accept_stage1: bool = False) -> None:
    """
    Rejects a checkpoint without some of the model's weights. The library would continue with random values.

    Args:
        model (`nn.Module`): The loaded model.
        missing (`Collection[str]`): Names of the tensors that the checkpoint lacks.
        accept_stage1 (`bool`, *optional*, defaults to `False`): Whether a checkpoint of stage 1 is enough.

    Raises:
        ValueError: If there are any. If these are all weights beside the vision part, the checkpoint is from stage 1.
    """
    if not missing:
        return
    vision = "vision_model."
    others = {name for name, _ in model.named_parameters() if not name.startswith(vision)}
    if others and others <= {*missing} and not any(name.startswith(vision) for name in missing):
        if accept_stage1:
            return
        raise ValueError(
            "it is a checkpoint of stage 1, which has no language model; train stage 2 from it with finetune.py "
            "--stage1, and take the result"
        )
    raise ValueError(
        f"its weights lack {len(missing)} of the model's tensors, such as {min(missing)}; copy or download it again"
    )


def load_plain_model(
    name: str | Path, processor: MTRefSegProcessor, accept_stage1: bool = False, **options: Any
) -> Any:
    """
    Loads a model on the CPU, with PyTorch's own layers.

    Args:
        name (`str` or `Path`): Folder or Hub id of a checkpoint with safetensors.
        processor ([`MTRefSegProcessor`]): Its processor.
        accept_stage1 (`bool`, *optional*, defaults to `False`): Whether a checkpoint of stage 1 is enough, because
            no sentences are asked. Its language model has random weights.
        **options: Further arguments of `from_pretrained`, such as `dtype`.

    Returns:
        [`MTRefSegModel`]: In evaluation mode.

    Raises:
        CheckpointError: If it cannot be loaded, lacks weights, or model and processor do not match, or there is no
            such `dtype`.
    """
    check_files(name)
    dtype = options.get("dtype", "auto")
    if isinstance(dtype, str) and dtype != "auto" and not isinstance(getattr(torch, dtype, None), torch.dtype):
        raise CheckpointError(f"dtype is {dtype!r}, but must be 'auto' or a data type of PyTorch, such as 'bfloat16'")
    with load_errors(str(name)):
        model, info = AutoModel.from_pretrained(name, use_safetensors=True, output_loading_info=True, **options)
        check_complete(model, info["missing_keys"], accept_stage1)
        processor.check_fits(model.config)
        return model.eval()


def load_model(name: str | Path, processor: MTRefSegProcessor, device: torch.device, **options: Any) -> Any:
    """
    Loads a model for inference.

    Args:
        name, processor, **options: See [`load_plain_model`]; its `accept_stage1` is among the options.
        device (`torch.device`): The target device.

    Returns:
        [`MTRefSegModel`]: In evaluation mode, see [`optimize_for_cpu`].

    Raises:
        CheckpointError: As [`load_plain_model`], or if the device has not enough memory for it.
    """
    model = load_plain_model(name, processor, **options)
    with load_errors(str(name)):
        return optimize_for_cpu(model.to(device))
