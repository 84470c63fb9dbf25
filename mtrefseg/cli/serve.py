# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
`mtrefseg serve`: an HTTP API together with the demo.

```bash
mtrefseg serve --port 8000
curl -F image_t1=@t1.png -F image_t2=@t2.png -F "sentences=the house that appeared" http://127.0.0.1:8000/v1/segment
```
"""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from mtrefseg.errors import UserError
from mtrefseg.option_values import between, port, positive
from mtrefseg.serve import ServeOptions

from .common import add_model_option, check_model, check_model_type, default_model
from .delegated import look_up
from .demo import DEMO_PACKAGES
from .parsing import VerbParser


HOST, PORT = "127.0.0.1", 8000
TOKEN_VARIABLE = "MTREFSEG_AUTH_TOKEN"
_PACKAGES = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
_DEFAULTS = ServeOptions()


def make_parser() -> VerbParser:
    """The parser of the verb."""
    parser = VerbParser(
        "serve", "Serves POST /v1/segment, /v1/models, /healthz, /metrics, /docs and the demo until it is stopped."
    )
    options = parser.options
    add_model_option(options)
    options.add_argument(
        "--host",
        default=HOST,
        help=f"address to listen on, {HOST} (this computer only) by default; 0.0.0.0: all",
    )
    options.add_argument(
        "--port", type=port, default=PORT, help=f"port to listen on, {PORT} by default; 0: any free port"
    )
    options.add_argument(
        "--auth-token",
        metavar="TOKEN",
        help='token that clients must send as "Authorization: Bearer TOKEN", also the password of the demo; '
        f"default: ${TOKEN_VARIABLE}. Prefer the variable: other users can see command lines",
    )
    options.add_argument("--no-demo", dest="demo", action="store_false", help="serve only the API, without gradio")
    _add_limits(options)
    options.add_argument(
        "--allow-urls",
        action="store_true",
        help="accept http(s) URLs of images; only hosts on the public internet are contacted",
    )
    options.add_argument(
        "--no-batching",
        dest="batching",
        action="store_false",
        help="process waiting requests for the same pair one by one (for benchmarks)",
    )
    return parser


def _add_limits(options: Any) -> None:
    number: dict[str, Any] = {"metavar": "N", "type": positive}
    options.add_argument(
        "--queue",
        default=_DEFAULTS.queue,
        help=f"maximum number of open requests; further ones get 503 ({_DEFAULTS.queue} by default)",
        **number,
    )
    options.add_argument(
        "--client-requests",
        help="maximum number of open requests per address; further ones get 429 (no limit by default, because all "
        "clients behind a proxy have the same address)",
        **number,
    )
    options.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=between(1, 86_400),
        default=_DEFAULTS.timeout,
        help=f"time limit of a request, from its first byte to the response ({_DEFAULTS.timeout:g} by default)",
    )
    options.add_argument(
        "--max-mb",
        metavar="MB",
        type=between(0.001, 4096),
        default=_DEFAULTS.max_megabytes,
        help=f"maximum size of a request body ({_DEFAULTS.max_megabytes:g} by default)",
    )
    options.add_argument(
        "--max-sentences",
        default=_DEFAULTS.max_sentences,
        help=f"maximum number of sentences per request ({_DEFAULTS.max_sentences} by default)",
        **number,
    )
    options.add_argument(
        "--cache-mb",
        metavar="MB",
        type=between(0, 1_000_000),
        default=_DEFAULTS.cache_megabytes,
        help=f"memory for cached pairs ({_DEFAULTS.cache_megabytes:g} by default)",
    )


def run(arguments: Sequence[str]) -> None:
    """
    Runs the verb.

    Args:
        arguments (`Sequence[str]`): The arguments after the verb.

    Raises:
        [`UserError`]: If the model or a package is missing, the token is empty, or the port is taken.
    """
    options = make_parser().parse(arguments)
    token = _token(options.auth_token)
    _check_packages(options.demo)
    model = options.model or default_model()
    check_model_type(model, check_model(model))

    from mtrefseg.serve.server import address_of, bind
    from mtrefseg.serve.server import run as run_server

    listener = bind(options.host, options.port)
    mount = look_up("spaces_demo:mount", "serve") if options.demo else None

    from mtrefseg.build.memory import give_back_freed_memory
    from mtrefseg.serve.app import create_app
    from mtrefseg.serve.engine import Engine

    give_back_freed_memory()
    limits = ServeOptions(
        queue=options.queue,
        timeout=options.timeout,
        max_megabytes=options.max_mb,
        max_sentences=options.max_sentences,
        client_requests=options.client_requests,
        cache_megabytes=options.cache_mb,
        allow_urls=options.allow_urls,
        auth_token=token,
        batching=options.batching,
    )
    app = create_app(Engine.from_pretrained(model), limits, mount)
    address = address_of(listener)
    demo = f", the demo at {address}/demo/" if options.demo else ""
    run_server(
        app,
        listener,
        options.timeout,
        lambda: print(f"mtrefseg serve: {address}/v1/segment, documented at {address}/docs{demo}", flush=True),
    )


def _token(given: str | None) -> str | None:
    """The token, without white space around it: a line break at the end of a file is no part of what clients send."""
    token = (os.environ.get(TOKEN_VARIABLE) or None) if given is None else given
    if token is not None and not token.strip():
        raise UserError(f"the token is empty: give one, or leave out --auth-token and unset {TOKEN_VARIABLE}")
    return None if token is None else token.strip()


def _check_packages(with_demo: bool) -> None:
    for package in (*_PACKAGES, *(DEMO_PACKAGES if with_demo else ())):
        if find_spec(package) is None:
            raise UserError(f'{package} is not installed: pip install "mtrefseg[serve]"')
