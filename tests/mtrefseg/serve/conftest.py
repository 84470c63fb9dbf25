# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The API with a tiny random model, on a real port of this computer."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.serve import ServeOptions


for name in ("fastapi", "uvicorn", "python_multipart", "prometheus_client", "httpx"):
    pytest.importorskip(name, reason=f"{name} is not installed")

import httpx  # noqa: E402
import uvicorn  # noqa: E402
from fastapi import FastAPI  # noqa: E402

from mtrefseg.serve.app import create_app  # noqa: E402
from mtrefseg.serve.engine import Engine  # noqa: E402
from mtrefseg.serve.server import address_of, bind  # noqa: E402


Files = dict[str, tuple[str, bytes]]


@dataclass
class Server:
    """A running API: its address, the app, the model, and a client."""

    url: str
    app: FastAPI
    engine: Engine
    client: httpx.Client

    def segment(self, files: Files, data: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
        """Asks with a form."""
        return self.client.post("/v1/segment", files=files, data=data or {}, **options)

    def metric(self, name: str) -> float:
        """A number of `/metrics`."""
        lines = self.client.get("/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))

    def is_asking(self) -> bool:
        """Whether the worker has taken a request and wants the model, whose lock the test holds."""
        return len(self.engine.lock._waiting) == 1

    def wait_until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Until something has happened."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.01)


@pytest.fixture(scope="session")
def engine(model: MTRefSegModel, processor: MTRefSegProcessor) -> Engine:
    return Engine(model, processor, "tiny")


@pytest.fixture(scope="session")
def serving(engine: Engine) -> Callable[..., Any]:
    """A function from options to a running server, as a context."""

    @contextmanager
    def serve(**options: Any) -> Iterator[Server]:
        app = create_app(engine, ServeOptions(**options))
        listener = bind("127.0.0.1", 0)
        url = address_of(listener)
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=30)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
                yield Server(url, app, engine, client)
        finally:
            server.should_exit = True
            thread.join()

    return serve


@pytest.fixture(scope="session")
def server(serving: Callable[..., Any]) -> Iterator[Server]:
    """One with the usual limits, for all tests that change none."""
    with serving() as running:
        yield running


@pytest.fixture(scope="session")
def png(make_image: Callable[..., Image.Image]) -> Callable[..., bytes]:
    """A function from a seed to a PNG of 128 x 96 pixels."""

    def encode(seed: int = 0, **size: int) -> bytes:
        file = io.BytesIO()
        make_image(seed=seed, **size).save(file, "png")
        return file.getvalue()

    return encode


@pytest.fixture
def files(png: Callable[..., bytes]) -> Files:
    """A pair as a form holds it."""
    return {"image_t1": ("t1.png", png(0)), "image_t2": ("t2.png", png(1))}
