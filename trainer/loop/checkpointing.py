# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Checkpoints are written atomically: in a temporary folder, which is renamed when every
file is on the disk, so a killed process or a full disk neither leaves a partial checkpoint nor destroys the
previous one.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from transformers import TrainingArguments
from transformers.trainer_utils import rotate_checkpoints
from transformers.utils import logging

from dataset_scripts.readers import PairSource
from mtrefseg.errors import one_line
from mtrefseg.io import replace_folder, write_json
from trainer.errors import TrainingError


RUN_CONFIG = "run_config.json"
"""Name of the file, in the output folder, with the settings that must stay the same when the run is resumed."""
UNFINISHED = ".unfinished"
"""Name of the folder in which checkpoints are written."""

logger = logging.get_logger(__name__)
_STATE = "trainer_state.json"
_DATA = "train_data_sha256"
"""Where the settings of a run hold the hashes of its training data."""
# What the state of an optimizer holds: with other values, a resumed run would silently go on with its old ones.
_RESTORED = (
    *("learning_rate", "backbone_learning_rate", "language_learning_rate"),
    *("weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon"),
)


def find_checkpoint(arguments: TrainingArguments) -> str | None:
    """
    The checkpoint to resume from.

    Args:
        arguments (`TrainingArguments`): `resume_from_checkpoint` is a folder, or "last" for the last one in
            `output_dir`.

    Returns:
        `str` or `None`: The folder; `None` to start a new run.

    Raises:
        TrainingError: If there is no such checkpoint, or if there is one and `resume_from_checkpoint` is not set.
    """
    wanted, folder = arguments.resume_from_checkpoint, Path(str(arguments.output_dir))
    if wanted is None:
        earlier = _checkpoints(folder)
        if earlier:
            raise TrainingError(
                f"{earlier[0]} is from an earlier run: add --resume_from_checkpoint last, or choose another "
                "output_dir."
            )
        return None
    if wanted == "last":
        last = last_checkpoint(folder)
        return None if last is None else str(last)
    problem = _what_is_missing(Path(wanted))
    if problem:
        raise TrainingError(
            f"resume_from_checkpoint={wanted} is not a checkpoint ({problem}); give the folder of one, or last."
        )
    return str(wanted)


def last_checkpoint(folder: Path) -> Path | None:
    """
    The last complete checkpoint of a run. An incomplete one, such as an interrupted copy, is ignored
    with a warning.

    Args:
        folder (`Path`): The run's output folder.

    Returns:
        `Path` or `None`: `None` if there is none.
    """
    for checkpoint in _checkpoints(folder):
        problem = _what_is_missing(checkpoint)
        if not problem:
            return checkpoint
        logger.warning(f"{checkpoint} is incomplete and is skipped: {problem}")
    return None


def _checkpoints(folder: Path) -> list[Path]:
    """All checkpoints in a folder, the last one first."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if re.fullmatch(r"checkpoint-\d+", path.name) and path.is_dir()]
    return sorted(found, key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)


def _what_is_missing(checkpoint: Path) -> str:
    """
    The reason why a run cannot be resumed from a checkpoint; "" if it can. Only header and size of weight files are
    checked.
    """
    try:
        state = json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return f"{_STATE} cannot be read"
    if not isinstance(state, dict) or "global_step" not in state:
        return f"{_STATE} is not that of a run"
    weights = sorted(checkpoint.glob("*.safetensors"))
    for path in weights:
        try:
            with safe_open(path, "pt"):
                pass
        except (OSError, SafetensorError):
            return f"{path.name} is truncated or damaged"
    # ZeRO-3 may only save its own shards.
    return "" if weights or any(checkpoint.glob("global_step*")) else "it holds no weights"


def check_resume_config(arguments: TrainingArguments, config: Mapping[str, Any]) -> None:
    """
    Saves the settings of a new run, and refuses to resume a run with different ones: its model card would be wrong,
    or they would have no effect.

    Args:
        arguments (`TrainingArguments`): The output folder, whether a run is resumed, and the learning rates.
        config (`Mapping[str, Any]`): The settings of model and training data, by name.

    Raises:
        TrainingError: If a run is resumed with other settings, or see [`find_checkpoint`].
    """
    own = Path(str(arguments.output_dir), RUN_CONFIG)
    restored = {name: getattr(arguments, name) for name in _RESTORED if hasattr(arguments, name)}
    config = json.loads(json.dumps({**config, **restored}, default=str))
    checkpoint = find_checkpoint(arguments)
    if checkpoint is not None:
        # The checkpoint may be one of a run in another folder.
        _check_same(Path(checkpoint).parent / RUN_CONFIG, config, checkpoint)
    if arguments.should_save and (checkpoint is None or not own.is_file()):
        own.parent.mkdir(parents=True, exist_ok=True)
        write_json(own, dict(sorted(config.items())))


def check_resume_data(arguments: TrainingArguments, names: Sequence[str], sources: Sequence[PairSource]) -> None:
    """
    Adds the training data to the settings of a new run, and refuses to resume a run if its pairs or sentences have
    changed: the rest of the run would repeat some pairs and skip others, with labels that its start did not have.

    Args:
        arguments (`TrainingArguments`): The output folder, and whether a run is resumed.
        names (`Sequence[str]`): The names of the datasets, for the message.
        sources (`Sequence[PairSource]`): The opened datasets.

    Raises:
        TrainingError: If they have changed, or see [`find_checkpoint`].
    """
    own, checkpoint = Path(str(arguments.output_dir), RUN_CONFIG), find_checkpoint(arguments)
    hashes = [source.hash_of_labels() for source in sources]
    if checkpoint is not None:
        # A run of an earlier version did not record them.
        known = _read_config(Path(checkpoint).parent / RUN_CONFIG).get(_DATA, hashes)
        changed = [name for name, found, saved in zip(names, hashes, known) if found != saved]
        if changed:
            raise TrainingError(
                f"{', '.join(changed)} had other pairs or sentences when the run of {checkpoint} was started. Restore "
                f"them to resume it, or start a new run with another --output_dir{_model_option(Path(checkpoint))}."
            )
    if arguments.should_save and _DATA not in (config := _read_config(own)):
        own.parent.mkdir(parents=True, exist_ok=True)
        write_json(own, {**config, _DATA: hashes})


def _read_config(path: Path) -> dict[str, Any]:
    """The settings in a file; none if there is no file. [`check_resume_config`] has checked it."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _check_same(path: Path, config: Mapping[str, Any], checkpoint: str) -> None:
    """Refuses settings other than those of the run of a checkpoint, which are in the file `path`."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else config
    except ValueError as error:
        raise TrainingError(
            f"{path} is damaged ({one_line(error)}). Delete it to resume without a check of the settings."
        ) from error
    # A run of an earlier version did not record all of them.
    changed = [
        f"{name}={saved[name]}, not {value}"
        for name, value in sorted(config.items())
        if name in saved and saved[name] != value
    ]
    if changed:
        raise TrainingError(
            f"The run in {path.parent} was started with {', '.join(changed)}. Resume it with the same settings, or "
            f"start a new one with another --output_dir{_model_option(Path(checkpoint))}."
        )


@contextmanager
def unfinished_checkpoint(output_dir: str | os.PathLike, is_writer: bool) -> Iterator[str]:
    """
    A temporary folder to write a checkpoint in; it is removed if the block raises an error.

    Args:
        output_dir (`str`): Folder of the checkpoint.
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
        output_dir (`str`): Folder of the checkpoint.
        name (`str`): Its name.
        limit (`int`, *optional*): Number of checkpoints to keep.
        best (`str`, *optional*): The best one, which is always kept.
    """
    finished, place = Path(output_dir, UNFINISHED, name), Path(output_dir, name)
    # There may be one from an earlier run that was resumed from an older checkpoint.
    replace_folder(finished, place)
    shutil.rmtree(finished.parent, ignore_errors=True)
    rotate_checkpoints(output_dir=str(output_dir), save_total_limit=limit, best_model_checkpoint=best, use_mtime=True)


@contextmanager
def saving(what: str, arguments: TrainingArguments) -> Iterator[None]:
    """
    Converts errors of writing in the block, such as a full disk, to one that names the last complete checkpoint.

    Args:
        what (`str`): Name of the saved object, for the message.
        arguments (`TrainingArguments`): The output folder.

    Raises:
        TrainingError: If writing fails.
    """
    try:
        yield
    # PyTorch reports a full disk as a RuntimeError when it saves optimizer states.
    except (OSError, RuntimeError, SafetensorError) as error:
        folder = Path(str(arguments.output_dir))
        free = shutil.disk_usage(folder).free / 1e6
        raise TrainingError(
            f"{what} could not be saved: {one_line(error)}. {folder} has {free:,.1f} MB of free space. "
            f"{_advice_after_full_disk(arguments)}"
        ) from error


def _advice_after_full_disk(arguments: TrainingArguments) -> str:
    last = last_checkpoint(Path(str(arguments.output_dir)))
    if last is None:
        return "There is no checkpoint yet; free space and start the run again."
    return f"The last complete checkpoint is {last}; free space and add --resume_from_checkpoint last."


def _advice_after_diverging(arguments: TrainingArguments) -> str:
    """A resumed run keeps its learning rates, which its checkpoint holds, so that lower ones need a new run."""
    last = last_checkpoint(Path(str(arguments.output_dir)))
    if last is None:
        return "There is no checkpoint yet; lower --learning_rate or check the data, and start the run again."
    return (
        f"The last complete checkpoint is {last}; check the data and add --resume_from_checkpoint last, or start a "
        f"new run with a lower --learning_rate and another --output_dir{_model_option(last)}."
    )


def _model_option(checkpoint: Path) -> str:
    """The option that lets a new run start from a checkpoint; "" if it is no complete model, like that of adapters."""
    is_complete = (checkpoint / "config.json").is_file()
    return f", and --model_name_or_path {checkpoint} to go on from there" if is_complete else ""


def check_finite(model: nn.Module, step: int, arguments: TrainingArguments) -> None:
    """
    Refuses to save weights that are not finite, so that earlier checkpoints remain.

    Args:
        model (`nn.Module`): The model; for partitioned parameters, the part of this process is checked.
        step (`int`): Number of finished steps.
        arguments (`TrainingArguments`): The output folder.

    Raises:
        TrainingError: If a weight is NaN or infinite.
    """
    for name, parameter in model.named_parameters():
        if not bool(parameter.detach().isfinite().all()):
            raise TrainingError(
                f"after step {step} the weights of {name} are not finite, so they are not saved. "
                f"{_advice_after_diverging(arguments)}"
            )


def check_loss(parts: Mapping[str, Tensor], step: int, arguments: TrainingArguments) -> None:
    """
    Stops a run whose loss is NaN or infinite: its weights are unusable.

    Args:
        parts (`Mapping[str, Tensor]`): The parts of the loss of a batch.
        step (`int`): The current step, from 1.
        arguments (`TrainingArguments`): The output folder.

    Raises:
        TrainingError: If one of the parts is not finite.
    """
    if not bool(sum(parts.values(), torch.zeros(())).isfinite()):
        found = ", ".join(f"{name} {part.item():g}" for name, part in parts.items() if not part.isfinite())
        raise TrainingError(
            f"the loss of step {step} is not finite ({found or 'their sum'}). {_advice_after_diverging(arguments)}"
        )


def write_arguments(arguments: TrainingArguments, folder: str | os.PathLike) -> None:
    """Writes the arguments as JSON, instead of the library's pickle."""
    Path(folder, "training_args.bin").unlink(missing_ok=True)
    text = json.dumps(arguments.to_sanitized_dict(), indent=2, sort_keys=True)
    Path(folder, "training_args.json").write_text(text + "\n", encoding="utf-8")
