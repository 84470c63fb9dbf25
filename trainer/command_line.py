# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Parses the command lines and recipes of the training commands, which have our own options and all those of
transformers' and trl's dataclasses. `options.py` checks them first, and prints the help.
"""

import math
import sys
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NoReturn, cast

from transformers import TrainingArguments
from trl import ModelConfig, SFTConfig, TrlParser

from mtrefseg.errors import one_line

from .arguments import AugmentationArguments, DataArguments, ModelArguments
from .errors import TrainingError
from .names import LORA_OPTIONS, NO_DATA, SHIPPED
from .options import stage_options, take_recipe, with_recipe
from .training_config import MTRefSegTrainingConfig


# The options of trl's dataclasses that have an effect here. The others are for language models.
_USED_BY_MODEL = {"model_name_or_path", "model_revision", "attn_implementation", "use_peft", *LORA_OPTIONS}
_USED_BY_TRAINING = {field.name for field in fields(TrainingArguments)} | {"dataset_kwargs", "activation_offloading"}

# Numbers that the libraries check when they use them, with a traceback, or not at all. `None` is always possible.
_AT_LEAST_1 = (
    *("per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps"),
    *("lora_r", "lora_alpha"),
)
_NOT_NEGATIVE = (
    *("learning_rate", "backbone_learning_rate", "language_learning_rate", "weight_decay", "warmup_steps"),
    *("dataloader_num_workers", "seed"),
)

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
            parsed = tuple(self.parse_args_into_dataclasses(given, look_for_args_file=False))
        except ValueError as error:
            raise TrainingError(" ".join(str(error).split())) from error
        for group in parsed:
            _check_numbers(vars(group))
        return parsed


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
    on_line = stage_options().check(arguments, default_recipe, program, description)
    given, is_default = with_recipe(arguments, default_recipe)
    given += _without_evaluation({**take_recipe(given)[1], **on_line})
    groups = (ModelArguments, DataArguments, AugmentationArguments, MTRefSegTrainingConfig, ModelConfig)
    parsed = TrainingParser(groups, program, description).parse(given)
    named = {piece[2:].replace("-", "_") for piece in given if piece[:2] == "--"}
    _settle_checkpoints(parsed[0], parsed[-1], named, is_default)
    training, model_config = parsed[-2:]
    _refuse_unused(model_config, ModelConfig, _USED_BY_MODEL)
    _refuse_unused(training, SFTConfig, _USED_BY_TRAINING)
    _check_best(training, parsed[1])
    _check_reports(training)
    return cast(Arguments, parsed)


def _check_best(training: MTRefSegTrainingConfig, data: DataArguments) -> None:
    """Refuses a score that evaluations do not give; the libraries would notice it after the first one."""
    from .evaluation import SCORES  # Imported here, because `evaluation` imports the model.

    known = (*SCORES, "loss")
    name = (training.metric_for_best_model or "loss").removeprefix("eval_")
    # With several datasets, each of them has scores: NAME_SCORE.
    of_dataset = len(data.eval_data) > 1 and name.rpartition("_")[2] in SCORES
    if name not in known and not of_dataset:
        raise TrainingError(f"--metric_for_best_model {name}: there is no such score; choose {', '.join(known)}.")


def _check_reports(training: MTRefSegTrainingConfig) -> None:
    """Refuses trackers that are unknown or cannot be used; the libraries do so later, with a traceback."""
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    # A recipe may also say "null".
    names = [name for name in training.report_to if name is not None]
    training.report_to = names  # type: ignore[assignment]  # Text becomes a list after parsing.
    if len(names) > 1 and {"none", "all"} & set(names):
        raise TrainingError(f"--report_to {' '.join(names)}: none and all stand alone.")
    for name in names:
        if name not in INTEGRATION_TO_CALLBACK:
            known = ", ".join(INTEGRATION_TO_CALLBACK)
            raise TrainingError(f"--report_to {name!r}: unknown; choose none, all, {known}.")
        reason = _why_not(INTEGRATION_TO_CALLBACK[name])
        if reason:
            raise TrainingError(f"--report_to {name}: {reason}")


def _why_not(tracker: Callable[[], Any]) -> str:
    """Why a tracker cannot be made, in one line; empty if it can."""
    reason = ""
    # Trackers that were made in part complain when they are deleted.
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        tracker()
    except (ImportError, RuntimeError, ValueError) as error:
        reason = one_line(error)
    finally:
        sys.unraisablehook = hook
    return reason


def _without_evaluation(options: Mapping[str, Any]) -> list[str]:
    """
    Options that turn evaluation off if there is no data for it. They are added before the libraries compare the steps
    of evaluations and checkpoints.
    """
    # A recipe may also say "null".
    if "eval_data" not in options or options["eval_data"] not in (NO_DATA, [NO_DATA], [], None):
        return []
    return ["--eval_strategy", "no", "--do_eval", "false", "--load_best_model_at_end", "false"]


def _check_numbers(values: Mapping[str, Any]) -> None:
    """
    Refuses numbers with which a run cannot be made, or would not do what they say.

    Args:
        values (`Mapping[str, Any]`): Options by name.

    Raises:
        TrainingError: If one of them is out of range; the message names it.
    """
    for names, least in ((_AT_LEAST_1, 1), (_NOT_NEGATIVE, 0)):
        for name in names:
            value = values.get(name)
            if isinstance(value, int | float) and not least <= value < math.inf:
                wanted = "finite" if value == math.inf else f"{least} or more"
                raise TrainingError(f"--{name} {value} must be {wanted}.")
    if not 0 <= values.get("lora_dropout", 0) < 1:
        raise TrainingError(f"--lora_dropout {values['lora_dropout']} must be from 0 to below 1.")
    if "max_steps" in values and values["max_steps"] < 1:
        if values["max_steps"] == 0:
            # The libraries would train for num_train_epochs.
            raise TrainingError("--max_steps 0 trains nothing: give 1 or more, or -1 to train for num_train_epochs.")
        if not values["num_train_epochs"] > 0:
            raise TrainingError(f"--num_train_epochs {values['num_train_epochs']} must be more than 0.")


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
