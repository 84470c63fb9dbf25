# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Finds missing or wrong checkpoints and datasets before any data is prepared, which may take a long time."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtrefseg.errors import UserError, one_line
from mtrefseg.hub import check_hub_model, is_hub_id
from mtrefseg.io import read_json
from trainer.errors import TrainingError
from trainer.names import COMPOSED, GENERATED, MODEL_TYPES, NO_DATA, SHIPPED


if TYPE_CHECKING:
    from trl import ModelConfig

    from trainer.arguments import DataArguments, ModelArguments


_CHECKPOINTS = ("model_name_or_path", "stage1", "parts_from")
_DATASETS = ("train_data", "eval_data")


def check_given(options: Mapping[str, Any]) -> None:
    """
    Checks the checkpoints and datasets of a command line, which needs no large library. [`check_inputs`] checks those
    of the recipe as well, when it is known which of them are used.

    Args:
        options (`Mapping[str, Any]`): The options on the command line; see [`OptionSet.check`].

    Raises:
        TrainingError: If one of them is missing, empty or of another type; the message names the option.
    """
    for option in _CHECKPOINTS:
        name = options.get(option)
        # The shipped checkpoint of a clone is found from any folder.
        if name is not None and (name != SHIPPED.name or Path(name).exists()):
            check_checkpoint(option, name, _revision(option, options.get("model_revision")))
    for option in _DATASETS:
        for name in options.get(option, ()):
            if name != NO_DATA:
                check_dataset(option, name)


def check_inputs(
    model_arguments: "ModelArguments", model_config: "ModelConfig", data_arguments: "DataArguments"
) -> None:
    """
    Checks that the checkpoints and datasets of a run exist.

    Args:
        model_arguments ([`ModelArguments`]): `stage1` and `parts_from` are checked.
        model_config (`ModelConfig`): `model_name_or_path` is checked, in its `model_revision`.
        data_arguments ([`DataArguments`]): `train_data` and `eval_data` are checked.

    Raises:
        TrainingError: If one of them is missing, empty or of another type; the message names the option.
    """
    checkpoints = (model_config.model_name_or_path, model_arguments.stage1, model_arguments.parts_from)
    for option, name in zip(_CHECKPOINTS, checkpoints, strict=True):
        if name is not None:
            check_checkpoint(option, name, _revision(option, model_config.model_revision))
    for option, names in zip(_DATASETS, (data_arguments.train_data, data_arguments.eval_data), strict=True):
        for name in names:
            check_dataset(option, name)


def _revision(option: str, revision: str | None) -> str | None:
    """`--model_revision` applies to `--model_name_or_path` only."""
    return revision if option == "model_name_or_path" else None


def check_checkpoint(option: str, name: str, revision: str | None = None) -> None:
    """
    Checks that a name refers to a checkpoint of an mtrefseg model.

    Args:
        option (`str`): The option with this name.
        name (`str`): Folder or Hub id.
        revision (`str`, *optional*): Branch, tag or commit on the Hub; by default the main branch.

    Raises:
        TrainingError: If there is no such checkpoint, or it is of another model.
    """
    folder = Path(name)
    if not folder.is_dir():
        if folder.exists() or not is_hub_id(name):
            raise TrainingError(
                f"--{option} {name} is neither a folder nor a Hub id (OWNER/NAME): name the folder of a checkpoint."
            )
        try:
            check_hub_model(name, revision)
            from transformers.utils import cached_file

            path = cached_file(name, "config.json", revision=revision)
        except (UserError, OSError) as error:
            raise TrainingError(f"--{option} {name}: {one_line(error)}") from error
    else:
        path = folder / "config.json"
    try:
        config = read_json(str(path))
    except FileNotFoundError as error:
        raise TrainingError(f"--{option} {name} is not a checkpoint: it has no config.json.") from error
    except (OSError, ValueError) as error:
        raise TrainingError(f"--{option} {name}: its config.json cannot be read: {one_line(error)}") from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind not in MODEL_TYPES:
        raise TrainingError(f'--{option} {name} is a model of type {kind!r}; "mtrefseg" is needed.')
    if Path(name).is_dir() and not any(Path(name).glob("*.safetensors")):
        raise TrainingError(f"--{option} {name} holds no weights (*.safetensors).")


def check_dataset(option: str, name: str) -> None:
    """
    Checks that a name can be a dataset. Whether it has the split is checked when it is opened.

    Args:
        option (`str`): The option with this name.
        name (`str`): A folder, a Hub id, `GENERATED`, or `COMPOSED` and the folders from which pairs are composed.

    Raises:
        TrainingError: If it is none of these, or an empty folder.
    """
    if name.startswith(COMPOSED):
        for folder_name in name.removeprefix(COMPOSED).split(","):
            if not Path(folder_name).is_dir():
                raise TrainingError(f"--{option} {name} names {folder_name!r}, which is not a folder.")
        return
    folder = Path(name)
    if folder.is_dir():
        if not any(path.is_file() for path in folder.rglob("*")):
            raise TrainingError(f"--{option} {name} is an empty folder.")
    elif name != GENERATED and (folder.exists() or not is_hub_id(name)):
        raise TrainingError(
            f"--{option} {name} is neither a folder, a Hub id (OWNER/NAME), {GENERATED!r} nor "
            f"{COMPOSED}FOLDER; name the folder that holds the data."
        )
