# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Parses the command lines and recipes of the training commands, which have our own options and all those of
transformers' and trl's dataclasses. `options.py` checks them first, and prints the help.
"""

from collections.abc import Sequence, Set
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NoReturn, cast

from transformers import TrainingArguments
from trl import ModelConfig, SFTConfig, TrlParser

from .arguments import AugmentationArguments, DataArguments, ModelArguments
from .errors import TrainingError
from .names import LORA_OPTIONS, SHIPPED
from .options import stage_options, take_recipe, with_recipe
from .training_config import MTRefSegTrainingConfig


# The options of trl's dataclasses that have an effect here. The others are for language models.
_USED_BY_MODEL = {"model_name_or_path", "model_revision", "attn_implementation", "use_peft", *LORA_OPTIONS}
_USED_BY_TRAINING = {field.name for field in fields(TrainingArguments)} | {"dataset_kwargs", "activation_offloading"}

Arguments = tuple[ModelArguments, DataArguments, AugmentationArguments, MTRefSegTrainingConfig, ModelConfig]


class TrainingParser(TrlParser):
    """
    Parser of a training command. A wrong command line gives a one-line error.

    Args:
        groups (`Sequence[type]`): Dataclasses whose fields are the options.
        program (`str`): Name of the program.
        description (`str`): What it does.
    """

    def __init__(self, groups: Sequence[Any], program: str, description: str | None) -> None:
        super().__init__(groups, prog=program, description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raises a [`TrainingError`]."""
        raise TrainingError(f"{message} (see --help)")

    def parse(self, arguments: Sequence[str]) -> tuple[Any, ...]:
        """
        Reads a command line, and the recipe of `--config`.

        Args:
            arguments (`Sequence[str]`): The arguments after the program's name.

        Returns:
            `tuple`: An instance of each dataclass.

        Raises:
            TrainingError: If an option, a value or the recipe is wrong.
            SystemExit: After `--help_all`.
        """
        given, recipe = take_recipe(arguments)
        self.set_defaults_with_config(**recipe)
        if "--help_all" in given:
            self.print_help()
            raise SystemExit(0)
        try:
            return tuple(self.parse_args_into_dataclasses(given, look_for_args_file=False))
        except ValueError as error:
            raise TrainingError(" ".join(str(error).split())) from error


def parse_arguments(
    default_recipe: str, arguments: Sequence[str], program: str = "finetune.py", description: str | None = None
) -> Arguments:
    """
    Reads the command line of `pretrain.py` or `finetune.py`, and the recipe of `--config`.

    Args:
        default_recipe (`str`): The recipe without `--config`, by its name in `recipes/`.
        arguments (`Sequence[str]`): The arguments after the program's name.
        program, description (`str`, *optional*): For the help.

    Returns:
        The five groups of arguments.

    Raises:
        TrainingError: If an option, a value or the recipe is wrong.
        SystemExit: After the help.
    """
    stage_options().check(arguments, default_recipe, program, description)
    given, is_default = with_recipe(arguments, default_recipe)
    groups = (ModelArguments, DataArguments, AugmentationArguments, MTRefSegTrainingConfig, ModelConfig)
    parsed = TrainingParser(groups, program, description).parse(given)
    named = {piece[2:].replace("-", "_") for piece in given if piece[:2] == "--"}
    _settle_checkpoints(parsed[0], parsed[-1], named, is_default)
    _, data_arguments, _, training, model_config = parsed
    _refuse_unused(model_config, ModelConfig, _USED_BY_MODEL)
    _refuse_unused(training, SFTConfig, _USED_BY_TRAINING)
    if not data_arguments.eval_data:
        training.eval_strategy, training.do_eval, training.load_best_model_at_end = "no", False, False
    return cast(Arguments, parsed)


def _settle_checkpoints(
    model_arguments: ModelArguments, model_config: ModelConfig, named: Set[str], is_default: bool
) -> None:
    """
    Drops settings of the default recipe that conflict with the command line, and resolves the shipped checkpoint.

    Args:
        model_arguments, model_config: Changed in place.
        named (`Set[str]`): The options on the command line.
        is_default (`bool`): Whether the recipe is the default one.
    """
    if is_default and model_config.model_name_or_path is not None:
        # The default recipes describe a new model; these settings do not apply to a checkpoint.
        fresh = ModelArguments()
        for name in vars(fresh).keys() - named:
            setattr(model_arguments, name, getattr(fresh, name))
    checkpoints: tuple[tuple[Any, str], ...] = (
        (model_arguments, "stage1"),
        (model_arguments, "parts_from"),
        (model_config, "model_name_or_path"),
    )
    for group, name in checkpoints:
        if getattr(group, name) == SHIPPED.name and not Path(SHIPPED.name).exists() and SHIPPED.is_dir():
            setattr(group, name, str(SHIPPED))  # So that recipes find it from any working directory.


def _refuse_unused(given: Any, group: type, used: Set[str]) -> None:
    """
    Refuses options of a library's dataclass that would have no effect.

    Args:
        given: The parsed options.
        group (`type`): The library's dataclass.
        used (`Set[str]`): Those of its options that are read.

    Raises:
        TrainingError: If another one has been set.
    """
    for option in fields(group):
        if option.name not in used and option.default is not MISSING:
            value = getattr(given, option.name)
            if value not in (option.default, None):
                raise TrainingError(f"--{option.name} {value} has no effect on this model: leave it out.")
