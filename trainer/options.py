# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
The help of the training commands and their usage errors, without importing PyTorch, transformers or trl.

The names and types of the libraries' options are read from the source of the installed versions. The values themselves
are read later, by the libraries' own parser in `command_line.py`.
"""

import argparse
import ast
import difflib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from mtrefseg.io import read_yaml
from mtrefseg.option_values import OneLineParser

from .arguments import (
    AugmentationArguments,
    DataArguments,
    DistillationArguments,
    ModelArguments,
    SceneArguments,
    TrainingOptions,
)
from .errors import TrainingError
from .names import RECIPES


# Dataclasses of options: the package, the file there, and the name.
_TRAINING_ARGUMENTS = ("transformers", "training_args.py", "TrainingArguments")
_STAGE_LIBRARIES = (
    _TRAINING_ARGUMENTS,
    ("trl", "trainer/base_config.py", "_BaseConfig"),
    ("trl", "trainer/sft_config.py", "SFTConfig"),
    ("trl", "trainer/model_config.py", "ModelConfig"),
)
_LIBRARY_LINK = "https://huggingface.co/docs/transformers/main_classes/trainer"
# The libraries' options that most runs need.
_TRAINING_HELP = {
    "max_steps": "optimizer steps of the run; -1 for num_train_epochs",
    "num_train_epochs": "how often each pair is trained on",
    "per_device_train_batch_size": "pairs of a batch, on each device",
    "per_device_eval_batch_size": "pairs of a batch in evaluation, on each device",
    "gradient_accumulation_steps": "batches of an optimizer step",
    "logging_steps": "steps between two lines of the log",
    "eval_strategy": "when to evaluate: no, steps or epoch",
    "eval_steps": "steps between two evaluations",
    "save_strategy": "when to save a checkpoint: no, steps, epoch or best",
    "save_steps": "steps between two checkpoints",
    "resume_from_checkpoint": "checkpoint folder to resume from, or last",
    "seed": "seed of new weights, order and augmentation",
}
_PLAIN_HELP = {"output_dir": "folder for checkpoints and the final model", "learning_rate": "learning rate"}
_MODEL_HELP = {
    "model_name_or_path": "checkpoint to train further, instead of a new model (folder or Hub id)",
    "model_revision": "branch, tag or commit of a checkpoint on the Hub",
    "attn_implementation": "attention of the model, such as eager or sdpa",
    "use_peft": "train LoRA adapters on the language model",
    "lora_r": "rank of the adapters",
    "lora_alpha": "scale of the adapters",
    "lora_dropout": "dropout of the adapters",
}
_TRUE_OR_FALSE = ("yes", "true", "t", "y", "1", "no", "false", "f", "n", "0")


@dataclass
class Option:
    """
    An option of a training command.

    Args:
        kind (`str`): Its type annotation, such as `"int | None"`.
        default (`Any`): `None` if there is none, or if it is not a literal.
        help (`str`): Its help text.
        choices (`list[str]`, *optional*): The allowed values.
    """

    kind: str
    default: Any = None
    help: str = ""
    choices: list[str] | None = None


@dataclass
class OptionSet:
    """
    The options of a training command.

    Args:
        own (`Mapping[str, type]`): Our own dataclasses of options, by their titles in the help.
        libraries (`Sequence[tuple]`): Dataclasses of the libraries: package, file in it, and name of each.
        shown (`Mapping[str, str]`): The libraries' options in the help, with their descriptions.
    """

    own: Mapping[str, type]
    libraries: Sequence[tuple[str, str, str]]
    shown: Mapping[str, str]
    _known: dict[str, Option] = field(init=False)

    def __post_init__(self) -> None:
        self._known = {}
        for library in self.libraries:
            self._known |= _options_in_source(*library)
        for group in self.own.values():
            self._known |= _options_of(group)

    @property
    def names(self) -> frozenset[str]:
        """The names of all options."""
        return frozenset(self._known)

    def check(
        self, arguments: Sequence[str], default_recipe: str, program: str, description: str | None
    ) -> dict[str, Any]:
        """
        Checks the names and types of options, and prints the help if requested.

        Args:
            arguments (`Sequence[str]`): The arguments after the program's name.
            default_recipe (`str`): The recipe without `--config`, by its name in `recipes/`.
            program, description (`str`): For the help.

        Returns:
            `dict`: The options on the command line, without those of the recipe.

        Raises:
            TrainingError: If an option is unknown or has a value of another type, the output folder has no name, or
                the recipe is wrong.
            SystemExit: After `--help`.
        """
        with_config, _ = with_recipe(arguments, default_recipe)
        given, recipe = take_recipe(with_config)
        if any(word in ("-h", "--help") for word in given):
            print(self._help(recipe, program, description), end="")  # noqa: T201
            raise SystemExit(0)
        parsed, unknown = self._parser().parse_known_args([word for word in given if word != "--help_all"])
        for word in unknown:
            self._check_known(word.removeprefix("--"), f"there is no option {word}")
        file = with_config[with_config.index("--config") + 1]
        for name in recipe:
            self._check_known(name, f"{file}: there is no option {name!r}")
        if parsed.output_dir is not None and not parsed.output_dir.strip():
            raise TrainingError("--output_dir: the path is empty; the current folder is . (see --help)")
        return {name: value for name, value in vars(parsed).items() if value is not None}

    def _check_known(self, name: str, message: str) -> None:
        if name not in self._known:
            near = difflib.get_close_matches(name.replace("-", "_"), self._known, n=1)
            raise TrainingError(f"{message}{f'; did you mean {near[0]}?' if near else ''} (see --help)")

    def _parser(self) -> "_Parser":
        parser = _Parser(allow_abbrev=False, add_help=False)
        for name, option in self._known.items():
            parser.add_argument(*_spellings(name), **_reading(option))
            if option.kind.startswith("bool"):
                parser.add_argument(*_spellings(f"no_{name}"), action="store_true")
        return parser

    def _help(self, recipe: Mapping[str, Any], program: str, description: str | None) -> str:
        shown = OneLineParser(
            prog=program,
            usage=f"{program} [--config RECIPE] [--OPTION VALUE ...]",
            description=description,
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=36, width=119),
            epilog=(
                "All other options of transformers and trl work, too: --help_all lists them, and\n"
                f"{_LIBRARY_LINK} explains them."
            ),
        )
        shown.add_argument("--help_all", action="store_true", help="also list the options of transformers and trl")
        shown.add_argument(
            "--config",
            metavar="RECIPE",
            help="YAML file with any of these options; base: FILE takes those that it does not name from another one",
        )
        groups = {
            title: {name: self._known[name].help for name in _options_of(own)} for title, own in self.own.items()
        }
        for title, descriptions in {**groups, "options of transformers and trl": self.shown}.items():
            section = shown.add_argument_group(title)
            for name, text in descriptions.items():
                option = self._known.get(name, Option("str"))
                line = _help_line(text, option, recipe.get(name, option.default))
                section.add_argument(f"--{name}", metavar="VALUE", help=line)
        return shown.format_help()


def stage_options() -> OptionSet:
    """The options of `pretrain.py` and `finetune.py`."""
    own = {
        "model": ModelArguments,
        "data": DataArguments,
        "augmentation": AugmentationArguments,
        "training": TrainingOptions,
    }
    return OptionSet(own, _STAGE_LIBRARIES, {**_MODEL_HELP, **_TRAINING_HELP})


def scene_options() -> OptionSet:
    """The options of `pretrain_scenes.py`."""
    return OptionSet({"images": SceneArguments}, (_TRAINING_ARGUMENTS,), {**_PLAIN_HELP, **_TRAINING_HELP})


def distillation_options() -> OptionSet:
    """The options of `distill.py`."""
    own = {"model": DistillationArguments, "data": DataArguments, "augmentation": AugmentationArguments}
    return OptionSet(own, (_TRAINING_ARGUMENTS,), {**_PLAIN_HELP, **_TRAINING_HELP})


def read_recipe(path: Path) -> dict[str, Any]:
    """
    Reads a recipe, and the complete recipe that it names as its `base`.

    Args:
        path (`Path`): A YAML file.

    Returns:
        `dict`: Values by option name: those of the recipe, and those of its base that the recipe does not name.

    Raises:
        TrainingError: If a file cannot be read, or has other content.
    """
    recipe = _read_options(path)
    if "base" not in recipe:
        return recipe
    base = _read_options(path.parent / str(recipe.pop("base")))
    if "base" in base:
        raise TrainingError(f"the base of the recipe {path} must be a complete recipe, without a base of its own.")
    return base | recipe


def _read_options(path: Path) -> dict[str, Any]:
    try:
        content = read_yaml(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise TrainingError(f"the recipe {path} cannot be read: {reason}") from error
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise TrainingError(f"the recipe {path} must hold options with their values.")
    return content


def with_recipe(arguments: Sequence[str], default_recipe: str) -> tuple[list[str], bool]:
    """
    Adds the default recipe to a command line without a recipe.

    Args:
        arguments (`Sequence[str]`): The arguments after the program's name.
        default_recipe (`str`): A recipe by its name in `recipes/`.

    Returns:
        `tuple[list[str], bool]`: The arguments with `--config`, and whether it is the default recipe's.
    """
    # Splits "--name=value", so that "--config=file" is recognised, too.
    given = [piece for text in arguments for piece in (text.split("=", 1) if text.startswith("--") else [text])]
    if "--config" in given:
        return given, False
    return ["--config", str(RECIPES / f"{default_recipe}.yaml"), *given], True


def take_recipe(arguments: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """
    Reads the recipe of `--config`.

    Args:
        arguments (`Sequence[str]`): Arguments of [`with_recipe`].

    Returns:
        `tuple[list[str], dict]`: The arguments without `--config`, and the content of the recipe.

    Raises:
        TrainingError: If there is no file, or see [`read_recipe`].
    """
    given = list(arguments)
    if "--config" not in given:
        return given, {}
    place = given.index("--config")
    if place + 1 == len(given):
        raise TrainingError("argument --config: expected a file (see --help)")
    recipe = read_recipe(Path(given[place + 1]))
    del given[place : place + 2]
    return given, recipe


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise TrainingError(f"{message} (see --help)")


def _spellings(name: str) -> list[str]:
    return sorted({f"--{name}", f"--{name.replace('_', '-')}"}, reverse=True)


def _reading(option: Option) -> dict[str, Any]:
    """The argparse settings of an option: at least as lenient as the parser of the libraries."""
    kind = option.kind.removesuffix(" | None")
    types = {"int": int, "float": float, "str": str}
    if kind in types:
        return {"type": types[kind], "choices": option.choices}
    if kind == "bool":
        return {"type": str.lower, "nargs": "?", "choices": _TRUE_OR_FALSE}
    if kind.startswith("list["):
        return {"type": types.get(kind[5:-1], str), "nargs": "+"}
    return {"nargs": "*"}


def _options_of(group: Any) -> dict[str, Option]:
    """The fields of one of our own dataclasses."""
    options = {}
    for each in fields(group):
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        kind = inspect.formatannotation(each.type).strip("'\"")
        options[each.name] = Option(kind, default, each.metadata.get("help", ""), each.metadata.get("choices"))
    return options


def _options_in_source(package: str, file: str, name: str) -> dict[str, Option]:
    """The fields of a dataclass of an installed library, from its source."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise TrainingError(f'training needs {package}: pip install "mtrefseg[train]"')
    path = Path(spec.origin).parent / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    found = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    if not found:
        # In another version it may be elsewhere: import it, which takes seconds.
        group = getattr(import_module(package), name, None)
        return {} if group is None else _options_of(group)
    options = {}
    for node in found[0].body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            options[node.target.id] = Option(ast.unparse(node.annotation).strip("'\""), _literal_default(node.value))
    return options


def _literal_default(value: ast.expr | None) -> Any:
    """The default of `field(default=...)`, if it is written as a literal."""
    if isinstance(value, ast.Call):
        value = next((each.value for each in value.keywords if each.arg == "default"), None)
    return value.value if isinstance(value, ast.Constant) else None


def _help_line(text: str, option: Option, default: Any) -> str:
    choices = f"; {', '.join(option.choices)}" if option.choices else ""
    value = " ".join(map(str, default)) if isinstance(default, list) else default
    shown = "" if value in (None, "") else f" ({value})"
    return f"{text}{choices}{shown}".replace("%", "%%")
