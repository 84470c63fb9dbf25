# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A chat server on the loopback interface that gives the answers a test has prepared, right or wrong."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from craft_agent.backends.chat_perceiver import CHECK_QUESTION


@dataclass(frozen=True)
class Reply:
    """
    One answer of the server.

    Args:
        body (`bytes`): What it sends.
        status (`int`): HTTP status.
        headers (`Mapping`): Further headers.
        delay (`float`): Seconds before it says anything.
        trickle (`float`): Seconds between single bytes of the body.
        dies (`str`): "" or when the connection breaks: "before" anything is sent, or "amid" the body.
        repeats (`int`): How often the body is sent one after the other.
        drips (`bool`): Whether the headers never end, a byte at a time.
        drips_chunk (`bool`): Whether the size of the first chunk of the body never ends, a digit at a time.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    trickle: float = 0.0
    dies: str = ""
    repeats: int = 1
    drips: bool = False
    drips_chunk: bool = False


def says(text: Any, prompt_tokens: int = 11, completion_tokens: int = 7, finish_reason: str = "stop") -> Reply:
    """An answer as the protocol has it."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
    content = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return Reply(json.dumps(content).encode())


def refuses(status: int, message: str = "no", **headers: str) -> Reply:
    """An error as most servers write it."""
    return Reply(json.dumps({"error": {"message": message}}).encode(), status, headers)


class ScriptedServer:
    """
    Answers request number n with what `script(n, request)` returns.

    Args:
        script (`Callable`): From the number of the request, from 0, and its JSON to a `Reply`.
        models (`Reply`, *optional*): The answer to a GET request; by default there is no list of models.
        check (`Reply`, *optional*): The answer to the question of the check before a run, which is not counted.
    """

    def __init__(
        self, script: Callable[[int, dict[str, Any]], Reply], models: Reply | None = None, check: Reply | None = None
    ) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.times: list[float] = []
        self.under_way = 0
        self.most_under_way = 0
        self._lock = threading.Lock()
        self._script = script
        self._check = check or says("ok")
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                server._answer(self)

            def do_GET(self) -> None:
                server.paths.append(self.path)
                with suppress(OSError):  # The client may have had enough.
                    _send(self, models or Reply(b"no such page", 404))

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @contextmanager
    def running(self) -> Iterator["ScriptedServer"]:
        """Serves while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        request = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        if request["messages"][0]["content"] == CHECK_QUESTION:
            with suppress(OSError):
                _send(handler, self._check)
            return
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
            self.paths.append(handler.path)
            self.times.append(time.monotonic())
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            with suppress(OSError):  # The client may have had enough.
                _send(handler, self._script(number, request))
        finally:
            with self._lock:
                self.under_way -= 1


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    time.sleep(reply.delay)
    if reply.dies == "before":
        # With this option, closing the socket resets the connection.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.close()
        return
    if reply.drips:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.05)
    if reply.drips_chunk:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            handler.wfile.write(b"0")
            time.sleep(0.05)
    handler.send_response(reply.status)
    for name, value in {"content-type": "application/json", **reply.headers}.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(reply.body) * reply.repeats))
    handler.end_headers()
    if reply.dies == "amid":
        handler.wfile.write(reply.body[: len(reply.body) // 2])
        handler.close_connection = True
        return
    for _ in range(reply.repeats):
        if not reply.trickle:
            handler.wfile.write(reply.body)
            continue
        for byte in reply.body:
            handler.wfile.write(bytes([byte]))
            time.sleep(reply.trickle)
