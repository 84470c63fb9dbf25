# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg demo`: the Gradio Space on this computer.

```bash
mtrefseg demo --model mtrefseg-r1 --port 7861
mtrefseg demo --host 0.0.0.0 --auth name:password
```
"""

import argparse
import os
import socket
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from mtrefseg.errors import UserError

from .common import add_model_option, check_model, check_model_type, default_model
from .parsing import VerbParser


HOST, PORT = "127.0.0.1", 7860
DEMO_PACKAGES = ("gradio", "pyarrow", "datasets", "rasterio", "shapely", "pyogrio", "pyproj", "scipy")
"""What the demo imports; the extras `demo` and `serve` name them."""


def make_parser() -> VerbParser:
    """The parser of the verb."""
    parser = VerbParser("demo", "Serves the Gradio demo (spaces_demo/) until it is interrupted.")
    options = parser.options
    add_model_option(options)
    options.add_argument(
        "--host",
        help=f"address to listen on; default: $GRADIO_SERVER_NAME or {HOST} (this computer only); 0.0.0.0: all",
    )
    options.add_argument("--port", type=_port, help=f"port to listen on; default: $GRADIO_SERVER_PORT or {PORT}")
    options.add_argument("--share", action="store_true", help="create a temporary public link with gradio")
    options.add_argument(
        "--auth", metavar="NAME:PASSWORD", type=_auth, help="user name and password that visitors must enter"
    )
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
    host = options.host or os.environ.get("GRADIO_SERVER_NAME") or HOST
    port = options.port or _port_of_environment()
    _check_free(host, port)
    os.environ |= {"MTREFSEG_MODEL": model, "GRADIO_SERVER_NAME": host, "GRADIO_SERVER_PORT": str(port)}
    try:
        # Looked up by name, because the library must not import folders that depend on it.
        import_module("spaces_demo").main(share=options.share, auth=options.auth)
    except OSError as error:
        raise UserError(f"cannot serve on port {port}: {error}") from error


def _port_of_environment() -> int:
    given = os.environ.get("GRADIO_SERVER_PORT") or str(PORT)
    try:
        return _port(given)
    except argparse.ArgumentTypeError as error:
        raise UserError(f"GRADIO_SERVER_PORT: {error}") from error


def _check_free(host: str, port: int) -> None:
    """Gradio would take the next port, so that whoever opens this one sees another program, or another demo."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host.strip("[]"), port))  # Gradio wants brackets around an IPv6 address, as in a URL.
        except OSError as error:
            raise UserError(
                f"cannot serve on port {port} of {host}: {error.strerror}; choose others with --host and --port"
            ) from error


def _check_demo() -> None:
    for package in DEMO_PACKAGES:
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


def _auth(text: str) -> tuple[str, str]:
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise argparse.ArgumentTypeError("give a name and a password with a colon between them, NAME:PASSWORD")
    return name, password
