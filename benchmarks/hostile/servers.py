# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Responses of chat servers: status lines, headers and bodies of every kind, over a real connection."""

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

from mtrefseg.foundation.chat_client import ChatClient, Completion, ExchangeError

from .answers import WORDS
from .cases import Case, Random


PATIENCE_SECONDS = 3.0
"""Time limit of the client for the servers that never end."""
LONG_PATIENCE_SECONDS = 45.0
"""The same for all others, which answer at once where the machine is not busy."""
MOST_TOKENS = 2**53


class _Server:
    """Answers every connection with the same bytes, in pieces, and then closes it or not."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.pause = 0.0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._answer, args=(connection, self.pieces, self.pause), daemon=True).start()

    def _answer(self, connection: socket.socket, pieces: list[bytes], pause: float) -> None:
        with connection:
            try:
                connection.settimeout(LONG_PATIENCE_SECONDS)
                request = b""
                while b"\r\n\r\n" not in request or not request.rstrip().endswith(b"}"):
                    request += connection.recv(65536) or b"}\r\n\r\n}"
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(pause)
            except OSError:
                return


_server: _Server
_clients: dict[float, ChatClient]


def prepare(folder: Path) -> None:
    """Starts the server and makes the clients."""
    global _server, _clients
    _server = _Server()
    url = f"http://127.0.0.1:{_server.listener.getsockname()[1]}/v1"
    _clients = {patience: ChatClient(url, None, patience) for patience in (PATIENCE_SECONDS, LONG_PATIENCE_SECONDS)}


def make(random: Random, folder: Path) -> Case:
    """A case of any sort."""
    makers = {"body": _body, "status": _status, "no protocol": _no_protocol, "slow": _slow, "damaged": _damaged}
    sort = str(random.choice(list(makers), p=[0.72, 0.12, 0.1, 0.01, 0.05]))
    pieces, expected, what = makers[sort](random)

    def read() -> Completion:
        _server.pieces, _server.pause = pieces, 0.02 if sort == "slow" else 0.0
        client = _clients[PATIENCE_SECONDS if sort == "slow" else LONG_PATIENCE_SECONDS]
        return client.complete(model="m", messages=[{"role": "user", "content": "?"}])

    is_right = None if expected is None else expected.__eq__
    is_undetectable = sort == "damaged"
    return Case(f"{sort}: {what}", read, (ExchangeError,), is_right, expected is not None, is_undetectable)


def _response(body: bytes, status: str = "200 OK", headers: str = "content-type: application/json\r\n") -> bytes:
    head = f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode("latin-1") + body


def _content(random: Random) -> tuple[dict[str, Any], Completion]:
    text = " ".join(random.choice(WORDS, random.integers(0, 6)))
    tokens = [int(count) for count in random.integers(-2, 5, 2)]
    reason: Any = ("stop", "length", None, 3, [])[random.integers(0, 5)]
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if random.random() < 0.2:
        message["content"] = [{"type": "text", "text": text}, {"type": "image", "url": "x"}]
    content: dict[str, Any] = {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}
    content["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": -1}
    return content, Completion(text, reason if isinstance(reason, str) else "", max(0, tokens[0]), max(0, tokens[1]))


def _body(random: Random) -> tuple[list[bytes], Completion | None, str]:
    content, expected = _content(random)
    tokens: tuple[Any, ...] = (2**63, 2**64, 10**400, -(2**70), 1.5, True, "9", None, [], {}, 2**53, 12)
    if random.random() < 0.5:
        value = tokens[random.integers(0, len(tokens))]
        content["usage"]["prompt_tokens"] = value
        is_count = type(value) is int and 0 < value <= MOST_TOKENS
        expected = Completion(
            expected.text, expected.finish_reason, value if is_count else 0, expected.completion_tokens
        )
    sort = random.integers(0, 5)
    whole: Completion | None = expected
    if sort == 0:
        content["usage"] = (None, [], "x", 3, {})[random.integers(0, 5)]
        whole = Completion(expected.text, expected.finish_reason, 0, 0)
    elif sort == 1:
        odd: tuple[Any, ...] = (
            None,
            [],
            {},
            "x",
            3,
            [None],
            [3],
            [{}],
            [{"message": None}],
            [{"message": []}],
            [{"message": {"content": 3}}],
        )
        content["choices"] = odd[random.integers(0, len(odd))]
        whole = None
    body = json.dumps(content).encode()
    if sort == 2:
        body = (b"", b"null", b"[" * 100_000, body[:-3], b"<html>" + body, b"\xff" + body, b"9" * 5000)[
            random.integers(0, 7)
        ]
        whole = None
    # A message without content, or of no dictionary, is an empty text.
    if content["choices"] == [{"message": {}}]:
        whole = Completion("", "", expected.prompt_tokens, expected.completion_tokens)
    return [_response(body)], whole, f"{body[:200]!r}"


def _status(random: Random) -> tuple[list[bytes], None, str]:
    """An error, with `Retry-After` of any kind."""
    number = int(random.choice([100, 201, 204, 301, 302, 307, 400, 401, 404, 418, 429, 500, 503, 599, 999]))
    waits = ("99999999999", "-1", "nan", "inf", "1e400", "soon", "Fri, 31 Dec 99999999 23:59:59 GMT", "9" * 4000, "")
    wait = waits[random.integers(0, len(waits))]
    words = ('{"error": {"message": "\\ud800"}}', '{"error": ' * 3000, "", "no", '{"detail": [3]}', "x" * 100_000)
    body = words[random.integers(0, len(words))].encode()
    headers = f"retry-after: {wait}\r\nlocation: http://127.0.0.1:1/\r\n"
    return [_response(body, f"{number} X", headers)], None, f"{number}, retry after {wait[:40]!r}"


def _no_protocol(random: Random) -> tuple[list[bytes], None, str]:
    """No HTTP, or HTTP that breaks its own rules."""
    pieces = (
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200\r\n",
        b"HTTP/9.9 999999 \r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffffff\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\xff\xfe: \0\r\n\r\n{}",
        random.bytes(int(random.integers(1, 300))),
    )
    piece = pieces[random.integers(0, len(pieces))]
    return [piece], None, f"{piece[:80]!r}"


def _slow(random: Random) -> tuple[list[bytes], None, str]:
    """A server that drips a byte now and then, in its head, its chunk sizes or its body, without end."""
    heads = (b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", _response(b"")[:-2])
    head = heads[random.integers(0, len(heads))]
    return [head, *[b"0"] * 200], None, f"{head!r}, without end"


def _damaged(random: Random) -> tuple[list[bytes], Completion | None, str]:
    """Bits flipped in a whole response."""
    content, _ = _content(random)
    data = bytearray(_response(json.dumps(content).encode()))
    for place in random.integers(0, len(data), random.integers(1, 6)):
        data[place] ^= 1 << int(random.integers(0, 8))
    return [bytes(data)], None, f"{bytes(data)[:120]!r}"
