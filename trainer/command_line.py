# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads the command lines and recipes of the training commands, which take our own options and all of those of
transformers' and trl's dataclasses.
"""

import argparse
import difflib
import textwrap
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn, cast

from trl import ModelConfig, TrlParser

from mtrefseg.io import read_yaml

from .arguments import AugmentationArguments, DataArguments, ModelArguments
from .errors import TrainingError
from .names import RECIPES, SHIPPED
from .training_config import MTRefSegTrainingConfig


Arguments = tuple[ModelArguments, DataArguments, AugmentationArguments, MTRefSegTrainingConfig, ModelConfig]
# The fields of `ModelConfig` that the help describes.
_MODEL_OPTIONS = (
    "model_name_or_path",
    "model_revision",
    "attn_implementation",
    "use_peft",
    "lora_r",
    "lora_alpha",
    "lora_dropout",
)
# And those of `TrainingArguments`.
_TRAINING_OPTIONS = (
    "max_steps",
    "num_train_epochs",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
    "logging_steps",
    "eval_strategy",
    "eval_steps",
    "save_strategy",
    "save_steps",
    "resume_from_checkpoint",
    "seed",
)
_LIBRARY = "https://huggingface.co/docs/transformers/main_classes/trainer"


class TrainingParser(TrlParser):
    """
    Parser of a training command. Its help shows our own options in groups and those of the libraries by name alone,
    and a wrong command line is an error of one line.

    Args:
        groups (`Sequence[type]`): Dataclasses whose fields are the options.
        own (`Mapping[str, tuple]`): By the title of a group in the help, a dataclass and the names of its fields to
            show, `None` for all.
        program (`str`): Name of the program.
        description (`str`): What it does.
    """

    def __init__(
        self,
        groups: Sequence[Any],
        own: Mapping[str, tuple[type, Sequence[str] | None]],
        program: str,
        description: str | None,
    ) -> None:
        super().__init__(groups, prog=program, description=description, allow_abbrev=False)
        self._own = {
            title: [each for each in fields(group) if names is None or each.name in names]
            for title, (group, names) in own.items()
        }

    def error(self, message: str) -> NoReturn:
        """Raises a [`TrainingError`]."""
        raise TrainingError(f"{message} (see --help)")

    def format_help(self) -> str:
        """Our own options in groups, then the names of all others."""
        shown = argparse.ArgumentParser(
            prog=self.prog,
            usage=f"{self.prog} [--config RECIPE] [--OPTION VALUE ...]",
            description=self.description,
            formatter_class=_HelpFormatter,
        )
        shown.add_argument(
            "--config", metavar="RECIPE", help="YAML file with any of these options; see trainer/recipes"
        )
        for title, group in self._own.items():
            section = shown.add_argument_group(title)
            for each in group:
                # Only what is printed: the values are read by the parser of the libraries.
                section.add_argument(
                    f"--{each.name}",
                    metavar="VALUE",
                    default=self.get_default(each.name),
                    help=_help_of(each.metadata, self.get_default(each.name)),
                )
        own = {each.name for group in self._own.values() for each in group}
        others = sorted({each.name for group in self.dataclass_types for each in fields(group) if each.init} - own)
        names = textwrap.fill(" ".join(others), 100, initial_indent="  ", subsequent_indent="  ")
        return f"{shown.format_help()}\nfurther options of transformers and trl ({_LIBRARY}):\n{names}\n"

    def parse(self, arguments: Sequence[str]) -> tuple[Any, ...]:
        """
        Reads a command line, and the recipe that `--config` names.

        Args:
            arguments (`Sequence[str]`): The arguments after the program's name.

        Returns:
            `tuple`: An instance of each dataclass.

        Raises:
            TrainingError: If an option, a value or the recipe is wrong.
            SystemExit: After `--help`.
        """
        given = list(arguments)
        recipe: dict[str, Any] = {}
        if "--config" in given:
            place = given.index("--config")
            if place + 1 == len(given):
                self.error("argument --config: expected a file")
            path = Path(given[place + 1])
            recipe = read_recipe(path)
            del given[place : place + 2]
            for name in recipe:
                self._check_known(name, f"{path}: there is no option {name!r}")
        self.set_defaults_with_config(**recipe)
        # Before the dataclasses are made, which may connect processes.
        for word in self.parse_known_args(given)[1]:
            self._check_known(word.removeprefix("--"), f"there is no option {word}")
        try:
            return tuple(self.parse_args_into_dataclasses(given, look_for_args_file=False))
        except ValueError as error:
            raise TrainingError(" ".join(str(error).split())) from error

    def _check_known(self, name: str, message: str) -> None:
        known = [each.name for group in self.dataclass_types for each in fields(group) if each.init]
        if name not in known:
            near = difflib.get_close_matches(name.replace("-", "_"), known, n=1)
            self.error(f"{message}{f'; do you mean {near[0]}?' if near else ''}")


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=36, width=119)


def _help_of(metadata: Mapping[str, Any], default: Any) -> str:
    choices = f"; {', '.join(metadata['choices'])}" if "choices" in metadata else ""
    value = " ".join(map(str, default)) if isinstance(default, list) else default
    shown = "" if value in (None, "") else f" ({value})"
    return f"{metadata.get('help', '')}{choices}{shown}".replace("%", "%%")


def read_recipe(path: Path) -> dict[str, Any]:
    """
    Reads a recipe.

    Args:
        path (`Path`): A YAML file.

    Returns:
        `dict`: Values by the names of options.

    Raises:
        TrainingError: If it cannot be read, or holds something else.
    """
    try:
        content = read_yaml(path)
    except (OSError, ValueError) as error:
        raise TrainingError(f"the recipe {path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise TrainingError(f"the recipe {path} must hold options with their values.")
    return content


def with_recipe(arguments: Sequence[str], default_recipe: str) -> tuple[list[str], bool]:
    """
    Adds the default recipe to a command line that names none.

    Args:
        arguments (`Sequence[str]`): The arguments after the program's name.
        default_recipe (`str`): A recipe by its name in `recipes/`.

    Returns:
        `tuple[list[str], bool]`: The arguments with `--config`, and whether it is the default recipe's.
    """
    # "--name=value" in two pieces, so that "--config=file" is found, too.
    given = [piece for text in arguments for piece in (text.split("=", 1) if text.startswith("--") else [text])]
    if "--config" in given:
        return given, False
    return ["--config", str(RECIPES / f"{default_recipe}.yaml"), *given], True


def parse_arguments(
    default_recipe: str, arguments: Sequence[str], program: str = "finetune.py", description: str | None = None
) -> Arguments:
    """
    Reads the command line of `pretrain.py` or `finetune.py`, and the recipe that `--config` names.

    Args:
        default_recipe (`str`): The recipe without `--config`, by its name in `recipes/`.
        arguments (`Sequence[str]`): The arguments after the program's name.
        program, description (`str`, *optional*): For the help.

    Returns:
        The five groups of arguments.

    Raises:
        TrainingError: If an option, a value or the recipe is wrong.
    """
    given, is_default = with_recipe(arguments, default_recipe)
    own = {
        "model": (ModelArguments, None),
        "checkpoint and adapters": (ModelConfig, _MODEL_OPTIONS),
        "data": (DataArguments, None),
        "augmentation": (AugmentationArguments, None),
        "training": (
            MTRefSegTrainingConfig,
            [*MTRefSegTrainingConfig.__annotations__, *_TRAINING_OPTIONS],
        ),
    }
    groups = (ModelArguments, DataArguments, AugmentationArguments, MTRefSegTrainingConfig, ModelConfig)
    parsed = TrainingParser(groups, own, program, description).parse(given)
    named = {piece[2:].replace("-", "_") for piece in given if piece[:2] == "--"}
    _settle_checkpoints(parsed[0], parsed[-1], named, is_default)
    _, data_arguments, _, training, _ = parsed
    if not data_arguments.eval_data:
        training.eval_strategy, training.do_eval, training.load_best_model_at_end = "no", False, False
    return cast(Arguments, parsed)


def _settle_checkpoints(
    model_arguments: ModelArguments, model_config: ModelConfig, named: Set[str], is_default: bool
) -> None:
    """
    Resolves what the default recipe says of a new model against the command line, and the shipped checkpoint.

    Args:
        model_arguments, model_config: Changed in place.
        named (`Set[str]`): The options on the command line.
        is_default (`bool`): Whether the recipe is the default one.
    """
    if is_default and model_config.model_name_or_path is not None:
        # The default recipes make a new model; what they say of it does not apply to a checkpoint.
        fresh = ModelArguments()
        for name in vars(fresh).keys() - named:
            setattr(model_arguments, name, getattr(fresh, name))
    if is_default and named & {"preset", "vision_backbone"} and "stage1" not in named:
        model_arguments.stage1 = None  # The one of the default recipe is of another size.
    checkpoints: tuple[tuple[Any, str], ...] = (
        (model_arguments, "stage1"),
        (model_arguments, "parts_from"),
        (model_config, "model_name_or_path"),
    )
    for group, name in checkpoints:
        if getattr(group, name) == SHIPPED.name and not Path(SHIPPED.name).exists() and SHIPPED.is_dir():
            setattr(group, name, str(SHIPPED))  # Recipes find it from any folder.
