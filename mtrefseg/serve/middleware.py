# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Applied to every request: an id, a log line, the check of the token, and the limits on number and size."""

import asyncio
import logging
import math
import re
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hmac import compare_digest
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import ServeOptions
from .errors import ApiError, error_response
from .metrics import Metrics


SEGMENT, HEALTH, METRICS, MODELS, DEMO = "/v1/segment", "/healthz", "/metrics", "/v1/models", "/demo"
BODIES_AT_ONCE = 16
"""All request bodies and downloaded images together may take this many times the largest allowed size."""
DRAIN_SECONDS = 2.0
_REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)

logger = logging.getLogger("mtrefseg.serve")


class Gate:
    """
    ASGI middleware around the API. Requests of the demo are not checked, because gradio has its own queue and limits.

    Args:
        app: The app to protect.
        options ([`ServeOptions`]): Limits and the token.
        metrics ([`Metrics`]): Counters of the requests.
    """

    def __init__(self, app: ASGIApp, options: ServeOptions, metrics: Metrics) -> None:
        self.app = app
        self.options = options
        self.metrics = metrics
        self._clients: Counter[str] = Counter()
        self._bytes = 0
        self._usual_seconds = 1.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one connection."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path == DEMO or path.startswith(f"{DEMO}/"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        start, status = time.perf_counter(), 500
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        body = _Body(self, receive)
        scope["state"]["count_bytes"] = body.count
        try:
            self._check_token(path, headers)
            if path == SEGMENT and scope["method"] == "POST":
                with self._admitted(scope, headers, body):
                    await self.app(scope, body.receive, send_with_id)
            else:
                await self.app(scope, receive, send_with_id)
        except ApiError as error:
            if error.status in (401, 413, 429, 503):
                await body.drain()
            await error_response(error.status, str(error), request_id, error.headers)(scope, receive, send_with_id)
        finally:
            self._record(scope, request_id, status, time.perf_counter() - start)

    def _check_token(self, path: str, headers: Headers) -> None:
        token = self.options.auth_token
        if token is None or not (path.startswith("/v1/") or path == METRICS):
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not compare_digest(given.encode("latin-1").strip(), token.encode()):
            problem = 'The token is missing or wrong: send the header "Authorization: Bearer TOKEN".'
            raise ApiError(401, problem, {"WWW-Authenticate": "Bearer"})

    @contextmanager
    def _admitted(self, scope: Scope, headers: Headers, body: "_Body") -> Iterator[None]:
        """Counts a request as running, if the limits allow it."""
        client = (scope.get("client") or ("", 0))[0]
        retry = {"Retry-After": str(max(1, math.ceil(self._usual_seconds)))}
        if sum(self._clients.values()) >= self.options.queue:
            problem = f"{self.options.queue} requests are open, the maximum of this server: try again later."
            raise ApiError(503, problem, retry)
        if self._clients[client] >= (self.options.client_requests or math.inf):
            problem = f"{self.options.client_requests} of your requests are open, the maximum of this server."
            raise ApiError(429, problem, retry)
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self.options.max_bytes:
            raise body.too_large()
        self._clients[client] += 1
        self.metrics.under_way.inc()
        try:
            yield
        finally:
            self._bytes -= body.size
            self.metrics.under_way.dec()
            self._clients[client] -= 1
            self._clients += Counter()  # Drops clients without a request.

    def _record(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        path = scope["path"]
        label = path if path in (SEGMENT, HEALTH, METRICS, MODELS) else "other"
        self.metrics.requests.labels(label, str(status)).inc()
        self.metrics.seconds.labels(label).observe(seconds)
        if path == SEGMENT and status == 200:
            self._usual_seconds += 0.1 * (seconds - self._usual_seconds)
        detail = scope["state"].get("detail", "")
        level = logging.DEBUG if path in (HEALTH, METRICS) and status == 200 else logging.INFO
        method = scope["method"]
        logger.log(level, "%s %s %s %d %.3f s%s", request_id, method, quote(path), status, seconds, detail)


class _Body:
    """Counts the bytes of one body while it is received."""

    def __init__(self, gate: Gate, receive: Receive) -> None:
        self.gate = gate
        self.size = 0
        self._receive = receive
        self._is_complete = False

    async def receive(self) -> Message:
        """The next part. Raises [`ApiError`] if the body, or all bodies together, are too large."""
        message = await self._receive()
        self._is_complete = not message.get("more_body", False)
        count = len(message.get("body", b""))
        if self.size + count > self.gate.options.max_bytes:
            raise self.too_large()
        self.count(count)
        return message

    def count(self, number: int) -> None:
        """Counts bytes that are kept until the request is answered. Raises [`ApiError`] if all requests together keep
        too many."""
        self.size += number
        self.gate._bytes += number
        if self.gate._bytes > BODIES_AT_ONCE * self.gate.options.max_bytes:
            raise ApiError(503, "Too much is being uploaded at once: try again later.", {"Retry-After": "5"})

    def too_large(self) -> ApiError:
        """The error for a body that is too large."""
        most = f"{self.gate.options.max_megabytes:g} MB"
        return ApiError(
            413, f"The request is larger than {most}, the maximum of this server: shrink or cut the images."
        )

    async def drain(self) -> None:
        """
        Continues to read for a moment, because many clients read the response only after they have sent everything.
        """
        try:
            await asyncio.wait_for(self._read_rest(), DRAIN_SECONDS)
        except asyncio.TimeoutError:
            return

    async def _read_rest(self) -> None:
        while not self._is_complete:
            self._is_complete = not (await self._receive()).get("more_body", False)
