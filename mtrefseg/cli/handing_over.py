# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Verbs that use the tools of another folder. These are looked up by name when they are needed: the library does not
depend on them, and may be installed without the packages that they use.
"""

import pkgutil
import sys
from collections.abc import Sequence
from typing import Any

from mtrefseg.errors import UserError


def look_up(name: str, extra: str) -> Any:
    """
    Finds a function or a value of another folder.

    Args:
        name (`str`): Where it is, as `"package.module:name"`.
        extra (`str`): The extra of `mtrefseg` that installs what it needs.

    Raises:
        [`UserError`]: If it, or a package that it needs, is not installed.
    """
    try:
        return pkgutil.resolve_name(name)
    except ModuleNotFoundError as error:
        raise _missing(error, extra) from error


def hand_over(function: str, arguments: Sequence[str], extra: str, program: str | None = None) -> int:
    """
    Runs the `main` of another tool.

    Args:
        function (`str`): Where it is, as `"package.module:main"`; it takes the arguments and returns the exit code.
        arguments (`Sequence[str]`): Passed on as they are.
        extra (`str`): The extra of `mtrefseg` that installs what the tool needs.
        program (`str`, *optional*): What the tool calls itself in its help and errors, if it takes a name.

    Returns:
        `int`: The exit code of the tool.

    Raises:
        [`UserError`]: If the tool, or a package that it needs, is not installed.
    """
    names = () if program is None else (program,)
    try:
        return int(pkgutil.resolve_name(function)(list(arguments), *names) or 0)
    except ModuleNotFoundError as error:
        raise _missing(error, extra) from error


def hand_over_to_script(name: str, arguments: Sequence[str], program: str) -> int:
    """
    Runs a script of `trainer/`.

    Args:
        name (`str`): Its name, such as `"evaluate"`.
        arguments, program: See [`hand_over`].

    Returns:
        `int`: Its exit code.
    """
    # Model cards and reports record the command line; this one does the same.
    sys.argv = [f"trainer/{name}.py", *arguments]
    return hand_over(f"trainer.{name}:main", arguments, "train", program)


def _missing(error: ModuleNotFoundError, extra: str) -> UserError:
    return UserError(f'{error.name} is not installed: pip install "mtrefseg[{extra}]" brings it')
