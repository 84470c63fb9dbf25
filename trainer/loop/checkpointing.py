# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Checkpoints appear complete or not at all. They are written in a temporary folder and moved to their place when every
file is on the disk, so that a killed process or a full disk neither leaves a partial one nor costs the one before.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import TrainingArguments
from transformers.trainer_utils import get_last_checkpoint, rotate_checkpoints

from trainer.errors import TrainingError


RUN_CONFIG = "run_config.json"
"""Name of the file, in the output folder, with the settings that must stay the same when the run is resumed."""
UNFINISHED = ".unfinished"
"""Name of the folder in which checkpoints are written."""


def find_checkpoint(arguments: TrainingArguments) -> str | None:
    """
    The checkpoint to resume from.

    Args:
        arguments (`TrainingArguments`): `resume_from_checkpoint` is a folder, or "last" for the last one in
            `output_dir`.

    Returns:
        `str` or `None`: The folder; `None` to start from the beginning.

    Raises:
        TrainingError: If there is no such checkpoint, or if there is one and `resume_from_checkpoint` is not set.
    """
    wanted, folder = arguments.resume_from_checkpoint, Path(str(arguments.output_dir))
    last = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    if wanted is None:
        if last is not None:
            raise TrainingError(
                f"{last} is from an earlier run: add --resume_from_checkpoint last, or choose another output_dir."
            )
        return None
    if wanted == "last":
        return last
    if not Path(wanted, "trainer_state.json").is_file():
        raise TrainingError(f"resume_from_checkpoint={wanted} is no checkpoint; name its folder, or last.")
    return str(wanted)


def check_resume_config(arguments: TrainingArguments, config: Mapping[str, Any]) -> None:
    """
    Saves the settings of a new run, and refuses to resume a run with different ones: its model card would be wrong.

    Args:
        arguments (`TrainingArguments`): The output folder, and whether a run is resumed.
        config (`Mapping[str, Any]`): The settings of model and training data, by name.

    Raises:
        TrainingError: If a run is resumed with other settings, or see [`find_checkpoint`].
    """
    path, config = Path(str(arguments.output_dir), RUN_CONFIG), json.loads(json.dumps(dict(config), default=str))
    if find_checkpoint(arguments) is None:
        if arguments.should_save:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return
    saved = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else config
    changed = [
        f"{name}={saved.get(name)}, not {value}" for name, value in sorted(config.items()) if saved.get(name) != value
    ]
    if changed:
        raise TrainingError(
            f"The run in {path.parent} was started with {', '.join(changed)}. Resume it with the same settings, or "
            "start a new one in another output_dir with --model_name_or_path and the folder of its last checkpoint."
        )


@contextmanager
def unfinished_folder(output_dir: str | os.PathLike, is_writer: bool) -> Iterator[str]:
    """
    A temporary folder to write a checkpoint in; it is removed if the block raises an error.

    Args:
        output_dir (`str`): Where the checkpoint belongs.
        is_writer (`bool`): Whether this process may remove files.
    """
    folder = Path(output_dir, UNFINISHED)
    if is_writer:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        yield str(folder)
    except BaseException:
        if is_writer:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def publish(output_dir: str | os.PathLike, name: str, limit: int | None, best: str | None) -> None:
    """
    Moves a finished checkpoint from the temporary folder to the output folder, and then removes old ones.

    Args:
        output_dir (`str`): Where the checkpoint belongs.
        name (`str`): Its name.
        limit (`int`, *optional*): How many are kept.
        best (`str`, *optional*): The best one, which is always kept.
    """
    finished, place = Path(output_dir, UNFINISHED, name), Path(output_dir, name)
    if place.exists():
        # It is from an earlier run that was resumed from an older checkpoint.
        shutil.rmtree(place)
    os.replace(finished, place)
    shutil.rmtree(finished.parent, ignore_errors=True)
    rotate_checkpoints(output_dir=str(output_dir), save_total_limit=limit, best_model_checkpoint=best, use_mtime=True)


def write_arguments(arguments: TrainingArguments, folder: str | os.PathLike) -> None:
    """Writes the arguments as JSON, in place of the pickle that the library writes."""
    Path(folder, "training_args.bin").unlink(missing_ok=True)
    text = json.dumps(arguments.to_sanitized_dict(), indent=2, sort_keys=True)
    Path(folder, "training_args.json").write_text(text + "\n", encoding="utf-8")
