# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Images behind URLs: downloads are limited in size and in total time."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from modeling_mtrefseg import image_download_mtrefseg, load_image


Answer = Callable[[socket.socket], None]


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """A server that answers every request with `answer`; gives the URL of an image."""

    def respond(connection: socket.socket) -> None:
        with connection:
            connection.recv(1 << 16)
            try:
                answer(connection)
            except OSError:
                return  # The client has gone.

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=respond, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/image.png"


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(image_download_mtrefseg, "MOST_DOWNLOADED_BYTES", 1 << 20)


def drip(start: bytes, piece: bytes) -> Answer:
    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(piece)
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"x-more: header\r\n"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"0"),
    ],
    ids=["headers", "body", "chunk size"],
)
def test_a_server_that_drips_is_given_up(start: bytes, piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_download_mtrefseg, "DOWNLOAD_SECONDS", 1.0)
    # Without the limit, it would have no end.
    with (
        served(drip(start, piece)) as url,
        pytest.raises(ValueError, match=r"image\.png.*took longer than 1 s|invalid"),
    ):
        load_image(url)


def test_a_download_without_end_is_given_up() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(bytes(1 << 16))

    with served(answer) as url, pytest.raises(ValueError, match=r"image\.png': the file is larger than 1 MiB"):
        load_image(url)


@pytest.mark.parametrize("url", ["http://[::1", "http://127.0.0.1:1/image.png", "http://a b/c.png", "http://"])
def test_a_url_that_cannot_be_asked_is_named(url: str) -> None:
    with pytest.raises(ValueError, match="Cannot read 'http://"):
        load_image(url)


def test_a_running_event_loop_does_not_matter() -> None:
    """As in a notebook."""
    from PIL import Image

    picture = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3))

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        picture.save(connection.makefile("wb"), "bmp")

    async def read(url: str) -> np.ndarray:
        return np.asarray(load_image(url))

    with served(answer) as url:
        np.testing.assert_array_equal(asyncio.run(read(url)), np.asarray(picture))
