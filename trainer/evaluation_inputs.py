# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
What the commands that score models have in common: the options for their pairs, the pairs, the checkpoint, and the
connection of the processes. Large libraries are imported where they are used, so that help and usage errors are fast.
"""

import argparse
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mtrefseg.option_values import positive
from trainer.errors import TrainingError
from trainer.names import DATA_HELP, GENERATED, SETTING_HELP, SETTINGS, SPLITS


if TYPE_CHECKING:
    from accelerate import Accelerator

    from dataset_scripts.readers import PairSource


def not_negative(text: str) -> int:
    """An integer of 0 or more, as `type=` of an option."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def add_data_options(
    parser: argparse.ArgumentParser, seed: int = 0, generated_pairs: int = 1000, many_settings: bool = False
) -> None:
    """
    Declares the options for the pairs; [`open_source`] reads them.

    Args:
        parser (`ArgumentParser`): The parser of a command.
        seed, generated_pairs (`int`, *optional*): Defaults.
        many_settings (`bool`, *optional*, defaults to `False`): Declares `--settings`, a list, instead of `--setting`.
    """
    parser.add_argument("--data", default=GENERATED, help=DATA_HELP)
    if many_settings:
        parser.add_argument(
            "--settings", nargs="+", default=["TV"], choices=SETTINGS, help=f"{SETTING_HELP}; one or several"
        )
    else:
        parser.add_argument("--setting", default="TV", choices=SETTINGS, help=SETTING_HELP)
    parser.add_argument("--split", default="validation", choices=SPLITS, help="split of --data (default: validation)")
    parser.add_argument(
        "--seed", type=not_negative, default=seed, help="seed of the generated pairs (default: %(default)s)"
    )
    parser.add_argument(
        "--generated_pairs",
        type=positive,
        default=generated_pairs,
        help="number of generated pairs (default: %(default)s)",
    )
    parser.add_argument(
        "--generated_size", type=positive, default=256, help="side of generated images in pixels (default: 256)"
    )


def open_source(arguments: argparse.Namespace, setting: str, limit: int | None = None) -> "PairSource":
    """
    Opens pairs according to the options of [`add_data_options`].

    Args:
        arguments (`Namespace`): The command line.
        setting (`str`): One of `SETTINGS`.
        limit (`int`, *optional*): Maximum number of pairs, evenly spaced; by default all.

    Returns:
        `PairSource`: The pairs, unchecked.

    Raises:
        [`DataError`]: If there is no such dataset or split, or it is empty.
    """
    from dataset_scripts.readers import open_pairs

    source = open_pairs(
        arguments.data,
        arguments.split,
        setting,
        checked=False,
        num_pairs=arguments.generated_pairs,
        generator={"seed": arguments.seed, "size": arguments.generated_size},
    )
    if limit is None:
        return source
    from trainer.evaluation.selection import EvenlySpacedPairs

    return EvenlySpacedPairs(source, limit)


def resolve_checkpoint(name: str) -> Path:
    """
    The folder of a checkpoint; one of the Hub is downloaded unless it is in the cache.

    Args:
        name (`str`): Folder or Hub id.

    Returns:
        `Path`: The folder.
    """
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(name))


def connect_processes() -> "Accelerator":
    """
    Connects the processes of a command that `accelerate launch` started. On CPUs, each of them uses one core.

    Returns:
        `Accelerator`: The connection; also for a single process.

    Raises:
        TrainingError: If there are several processes that are not connected.
    """
    import torch
    from accelerate import Accelerator
    from accelerate.utils import InitProcessGroupKwargs

    # Without `cpu=True`, accelerate does not connect the processes of a machine without an accelerator.
    is_cpu = not torch.accelerator.is_available()
    if is_cpu:
        torch.set_num_threads(1)  # The number of threads affects the rounding of sums.
    accelerator = Accelerator(cpu=is_cpu, kwargs_handlers=[InitProcessGroupKwargs(timeout=timedelta(days=1))])
    if accelerator.num_processes != int(os.environ.get("WORLD_SIZE", "1")):
        raise TrainingError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, but the processes are not connected: use accelerate launch."
        )
    return accelerator
