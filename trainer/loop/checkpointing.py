# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Checkpoints that are whole or not there. They are written in a folder aside and moved to their place when every file is
on the disk, so that neither a killed process nor a full disk leaves a half one, or costs the one before.
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


BEGINNING = "beginning.json"
"""Name of the file, in the output folder, that tells with what a run was begun."""
UNFINISHED = ".unfinished"
"""Name of the folder in which checkpoints are written."""


def find_checkpoint(arguments: TrainingArguments) -> str | None:
    """
    The checkpoint to go on from.

    Args:
        arguments (`TrainingArguments`): `resume_from_checkpoint` is a folder, or "last" for the last one in
            `output_dir`.

    Returns:
        `str` or `None`: The folder; `None` to begin anew.

    Raises:
        TrainingError: If there is no such checkpoint, or one is there and nothing is said of it.
    """
    wanted, folder = arguments.resume_from_checkpoint, Path(str(arguments.output_dir))
    last = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    if wanted is None:
        if last is not None:
            raise TrainingError(
                f"{last} is there from an earlier run: add --resume_from_checkpoint last, or take another output_dir."
            )
        return None
    if wanted == "last":
        return last
    if not Path(wanted, "trainer_state.json").is_file():
        raise TrainingError(f"resume_from_checkpoint={wanted} is no checkpoint; give its folder, or last.")
    return str(wanted)


def keep_beginning(arguments: TrainingArguments, said: Mapping[str, Any]) -> None:
    """
    Writes down with what a run begins, or compares it where the run goes on: half a run on other data would be called,
    in its card, one on these. Whoever wants that begins a new run from the weights of the old one.

    Args:
        arguments (`TrainingArguments`): Tell the folder, and whether a run goes on.
        said (`Mapping[str, Any]`): What decides about model and training data, by name.

    Raises:
        TrainingError: If it goes on with something else, or see [`find_checkpoint`].
    """
    place, said = Path(str(arguments.output_dir), BEGINNING), json.loads(json.dumps(dict(said), default=str))
    if find_checkpoint(arguments) is None:
        if arguments.should_save:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(said, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return
    begun = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else said
    changed = [f"{name}={begun[name]} and not {said[name]}" for name in sorted(said) if begun.get(name) != said[name]]
    if changed:
        raise TrainingError(
            f"The run in {place.parent} was begun with {', '.join(changed)}. Say the same again, or take another "
            "output_dir and begin there with --model_name_or_path and the folder of its last checkpoint."
        )


@contextmanager
def unfinished_folder(output_dir: str | os.PathLike, is_writer: bool) -> Iterator[str]:
    """
    A folder to write a checkpoint in, which is removed if an error ends the block.

    Args:
        output_dir (`str`): Where the checkpoint belongs.
        is_writer (`bool`): Whether this process removes what is left.
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
    Moves a finished checkpoint to its place, and then removes old ones.

    Args:
        output_dir (`str`): Where the checkpoint belongs.
        name (`str`): Its name.
        limit (`int`, *optional*): How many are kept.
        best (`str`, *optional*): The best one, which is kept in any case.
    """
    finished, place = Path(output_dir, UNFINISHED, name), Path(output_dir, name)
    if place.exists():
        # Of an earlier run that went on from an older checkpoint.
        shutil.rmtree(place)
    os.replace(finished, place)
    shutil.rmtree(finished.parent, ignore_errors=True)
    rotate_checkpoints(output_dir=str(output_dir), save_total_limit=limit, best_model_checkpoint=best, use_mtime=True)


def write_arguments(arguments: TrainingArguments, folder: str | os.PathLike) -> None:
    """Writes the arguments as JSON, in place of the pickle that the library writes."""
    Path(folder, "training_args.bin").unlink(missing_ok=True)
    text = json.dumps(arguments.to_sanitized_dict(), indent=2, sort_keys=True)
    Path(folder, "training_args.json").write_text(text + "\n", encoding="utf-8")
