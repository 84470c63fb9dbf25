# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Runs the API until it is stopped; running requests are finished first."""

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from mtrefseg.errors import UserError


EXTRA_SECONDS = 5.0  # Added to the time limit of a request: how long a stopping server waits.


def bind(host: str, port: int) -> socket.socket:
    """
    Binds a port.

    Args:
        host (`str`): Address or name.
        port (`int`): The port; 0 means any free port.

    Raises:
        [`UserError`]: If it is not available.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise UserError(
            f"cannot serve on {host}, port {port}: {error.strerror or error}; choose others with --host and --port"
        ) from error


def address_of(listener: socket.socket) -> str:
    """The URL of a server, for display."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def run(app: FastAPI, listener: socket.socket, timeout: float, on_ready: Callable[[], None]) -> None:
    """
    Serves until SIGTERM or Ctrl-C. Then no new connections are accepted, running requests are finished, and a second
    Ctrl-C stops at once.

    Args:
        app (`fastapi.FastAPI`): Result of [`create_app`].
        listener (`socket.socket`): Result of [`bind`].
        timeout (`float`): Seconds that a request may take.
        on_ready (`Callable`): Called when the server accepts requests.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("mtrefseg.serve")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(timeout + EXTRA_SECONDS),
    )
    # uvicorn raises the signal again at the end, but a requested stop is not an error.
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        _Server(config, app, on_ready).run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)
        log.removeHandler(handler)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: FastAPI, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        # Open pages of the demo keep a connection, which gradio closes on request.
        for route in self._app.routes:
            stop = getattr(getattr(route, "app", None), "stop_event", None)
            if stop is not None and self._loop is not None:
                self._loop.call_soon_threadsafe(stop.set)
