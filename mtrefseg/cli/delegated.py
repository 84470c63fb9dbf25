# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Verbs that are implemented in other folders. They are looked up by name when they are needed: the library does not
depend on them, and can be installed without the packages that they use.
"""

import argparse
import pkgutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

from mtrefseg.errors import UserError
from mtrefseg.option_values import OneLineParser


STAGES = {
    "pretrain_scenes": "stage 0, for small models: train a new vision part on generated images",
    "pretrain": "stage 1: train the vision part to mask every change",
    "finetune": "stage 2: train the whole model to mask the change that a sentence describes",
    "distill": "replace the language model of a trained model, or extend its vocabulary",
}


def train(arguments: Sequence[str]) -> int:
    """
    `mtrefseg train STAGE`: runs the script `trainer/STAGE.py` in this process. For several processes, use
    `accelerate launch -m mtrefseg train finetune ...`, or launch the script itself.
    """
    if not arguments or arguments[0] not in STAGES:
        _train_parser().parse_args(list(arguments[:1]))  # Prints help or an error, and exits.
    stage = arguments[0]
    return run_script(stage, arguments[1:], f"mtrefseg train {stage}")


def evaluate(arguments: Sequence[str]) -> int:
    """`mtrefseg evaluate`: scores a checkpoint, as `python trainer/evaluate.py` does."""
    return run_script("evaluate", arguments, "mtrefseg evaluate")


def benchmark(arguments: Sequence[str]) -> int:
    """`mtrefseg benchmark`: compares models, and scores predictions of other programs."""
    sys.argv = ["-m", "mtrefseg", "benchmark", *arguments]  # Reports record this as their command.
    return run_tool("trainer.benchmark.command:main", arguments, "train", "mtrefseg benchmark")


def data(arguments: Sequence[str]) -> int:
    """`mtrefseg data`: the data tools, which are also `python -m dataset_scripts`."""
    return run_tool("dataset_scripts.command_line:main", arguments, "data")


def craft(arguments: Sequence[str]) -> int:
    """`mtrefseg craft`: CRAFT-Agent, which is also the command `craft-agent`."""
    return run_tool("craft_agent.__main__:main", arguments, "craft")


DELEGATED: dict[str, Callable[[Sequence[str]], int]] = {
    "train": train,
    "evaluate": evaluate,
    "benchmark": benchmark,
    "data": data,
    "craft": craft,
}
"""The verbs of other folders. Each takes the arguments after the verb and returns the exit code."""


def look_up(name: str, extra: str) -> Any:
    """
    Finds a function or a value of another folder.

    Args:
        name (`str`): Its location, as `"package.module:name"`.
        extra (`str`): The extra of `mtrefseg` that installs what it needs.

    Raises:
        [`UserError`]: If it, or a package that it needs, is not installed.
    """
    try:
        return pkgutil.resolve_name(name)
    except ModuleNotFoundError as error:
        raise _missing(error, extra) from error


def run_tool(function: str, arguments: Sequence[str], extra: str, program: str | None = None) -> int:
    """
    Runs the `main` of another tool.

    Args:
        function (`str`): Its location, as `"package.module:main"`; it takes the arguments and returns the exit code.
        arguments (`Sequence[str]`): Passed on unchanged.
        extra (`str`): The extra of `mtrefseg` that installs what the tool needs.
        program (`str`, *optional*): Name of the program in help and errors, if the tool takes one.

    Returns:
        `int`: The exit code of the tool.

    Raises:
        [`UserError`]: If the tool, or a package that it needs, is not installed.
    """
    names = () if program is None else (program,)
    # The tool may import more packages while it runs.
    try:
        return int(pkgutil.resolve_name(function)(list(arguments), *names) or 0)
    except ModuleNotFoundError as error:
        raise _missing(error, extra) from error


def run_script(name: str, arguments: Sequence[str], program: str) -> int:
    """
    Runs a script of `trainer/`.

    Args:
        name (`str`): Its name, such as `"evaluate"`.
        arguments, program: See [`run_tool`].

    Returns:
        `int`: Its exit code.
    """
    # Model cards and reports record the command line: it should look the same in both cases.
    sys.argv = [f"trainer/{name}.py", *arguments]
    return run_tool(f"trainer.{name}:main", arguments, "train", program)


def _train_parser() -> OneLineParser:
    stages = "\n".join(f"  {stage:15}  {summary}" for stage, summary in STAGES.items())
    parser = OneLineParser(
        prog="mtrefseg train",
        usage="mtrefseg train STAGE ...",
        description="Train a model. Recipes with the options of whole runs are in trainer/recipes.",
        epilog=f"stages:\n{stages}\n\n`mtrefseg train STAGE --help` lists the options.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", metavar="STAGE", choices=STAGES, help=argparse.SUPPRESS)
    return parser


def _missing(error: ModuleNotFoundError, extra: str) -> UserError:
    return UserError(f'{error.name} is not installed: pip install "mtrefseg[{extra}]"')
