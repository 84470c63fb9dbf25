# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg demo`: the Gradio Space on this computer.

```bash
mtrefseg demo --model mtrefseg-r1 --port 7861
```
"""

import argparse
import os
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from mtrefseg.errors import UserError

from .common import add_model_option, check_model, check_model_type, default_model
from .parsing import VerbParser


HOST, PORT = "127.0.0.1", 7860


def make_parser() -> VerbParser:
    """The parser of the verb."""
    parser = VerbParser("demo", "Serves the Gradio Space of spaces_demo/ until it is interrupted.")
    options = parser.options
    add_model_option(options)
    options.add_argument(
        "--host", default=HOST, help=f"address to listen on, {HOST} (this computer alone) by default; 0.0.0.0: all"
    )
    options.add_argument("--port", type=_port, default=PORT, help=f"{PORT} by default")
    return parser


def run(arguments: Sequence[str]) -> None:
    """
    Runs the verb: starts the Space as its `app.py` does.

    Args:
        arguments (`Sequence[str]`): The arguments after the verb.

    Raises:
        [`UserError`]: If the model, gradio or the demo is missing, or the port is taken.
    """
    options = make_parser().parse(arguments)
    model = options.model or default_model()
    check_model_type(model, check_model(model))
    _check_demo()
    os.environ |= {
        "MTREFSEG_MODEL": model,
        "GRADIO_SERVER_NAME": options.host,
        "GRADIO_SERVER_PORT": str(options.port),
    }
    try:
        import_module("spaces_demo").main()  # By its name: the library never imports what is built on it.
    except OSError as error:
        raise UserError(f"cannot serve on port {options.port}: {error}") from error


def _check_demo() -> None:
    for package in ("gradio", "pyarrow", "datasets", "rasterio", "shapely", "pyogrio", "pyproj", "scipy"):
        if find_spec(package) is None:
            raise UserError(f'the demo needs {package}: pip install "mtrefseg[demo]"')
    if find_spec("spaces_demo") is None:
        raise UserError(
            "spaces_demo is not installed: install the package again, or call the command in a clone of the repository"
        )


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 1 and 65535")
    return int(text)
