# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg demo`: the Gradio Space on this computer.

```bash
mtrefseg demo --model mtrefseg-r1 --port 7861
```
"""

import argparse
import os
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .common import (
    DEFAULT_MODEL,
    CommandError,
    add_model_option,
    check_model,
    check_model_type,
)


HOST, PORT = "127.0.0.1", 7860


def add_parser(commands: Any) -> None:
    """
    Declares the sub-command.

    Args:
        commands: What `add_subparsers` gave.
    """
    parser = commands.add_parser(
        "demo",
        help="start the demo as a page for the browser",
        description="Serves the Gradio Space of spaces_demo/ until it is interrupted.",
    )
    add_model_option(parser, DEFAULT_MODEL)
    parser.add_argument(
        "--host", default=HOST, help=f"address to listen on, {HOST} (this computer alone) by default; 0.0.0.0: all"
    )
    parser.add_argument("--port", type=_port, default=PORT, help=f"{PORT} by default")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Runs the sub-command: starts `app.py` as a Space does.

    Args:
        options (`argparse.Namespace`): Parsed by the parser of [`add_parser`].

    Raises:
        [`CommandError`]: If the model, gradio or the demo is not there, or the port is taken.
    """
    check_model_type(options.model, check_model(options.model))
    folder = _find_demo()
    os.environ |= {
        "MTREFSEG_MODEL": options.model,
        "GRADIO_SERVER_NAME": options.host,
        "GRADIO_SERVER_PORT": str(options.port),
    }
    # Its files find one another by their bare names, as in a Space.
    sys.path.insert(0, str(folder))
    try:
        runpy.run_path(str(folder / "app.py"), run_name="__main__")
    except OSError as error:
        raise CommandError(f"cannot serve on port {options.port}: {error}") from error


def _find_demo() -> Path:
    for package in ("gradio", "pyarrow", "datasets"):
        if find_spec(package) is None:
            raise CommandError(f'the demo needs {package}: pip install ".[demo]"')
    spec = find_spec("spaces_demo")
    if spec is None or spec.submodule_search_locations is None:
        raise CommandError(
            "spaces_demo is not installed: install the package anew, or start spaces_demo/app.py of the repository"
        )
    return Path(spec.submodule_search_locations[0])


def _port(text: str) -> int:
    value = int(text)
    if not 0 < value < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 65535")
    return value
