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


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # Where clouds keep credentials.
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_public_addresses_are_told_from_others(address: str, is_public: bool) -> None:
    assert image_download_mtrefseg._is_public(address) == is_public


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433"])
def test_hosts_that_are_not_public_are_refused_on_request(host: str) -> None:
    with pytest.raises(ValueError, match=r"is not on the public internet|there is no host"):
        image_download_mtrefseg.download_image(f"http://{host}:9/image.png", public_only=True)


def test_the_address_that_was_checked_is_connected_to_and_redirects_are_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that first leads to a public address and then elsewhere gets nobody in."""
    looked_up = []

    async def look_up(self, host, *arguments, **options):
        looked_up.append(str(host))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    def redirect(connection: socket.socket) -> None:
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: "
        connection.sendall(head + (b"/second.png\r\n\r\n" if len(looked_up) < 2 else b"http://inside.test/\r\n\r\n"))

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", look_up)
    monkeypatch.setattr(image_download_mtrefseg, "_is_public", lambda address: len(looked_up) < 3)
    with served(redirect) as url, pytest.raises(ValueError, match=r"inside\.test is not on the public internet"):
        image_download_mtrefseg.download_image(url.replace("127.0.0.1", "images.test"), public_only=True)
    assert looked_up[:3] == ["images.test", "images.test", "inside.test"]
