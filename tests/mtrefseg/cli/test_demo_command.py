# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg demo` hands over to the Space."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mtrefseg.cli.main import main


ROOT = Path(__file__).parents[3]


def put_app(monkeypatch: pytest.MonkeyPatch, start: Callable[..., None]) -> None:
    """Puts a function in the place of the Space."""
    monkeypatch.setattr("spaces_demo.main", start)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The settings of each demo that was started."""
    pytest.importorskip("gradio", reason="gradio is not installed")
    calls: list[dict[str, Any]] = []

    def start(**options: Any) -> None:
        settings = {name: value for name, value in os.environ.items() if name.startswith(("MTREF", "GRADIO"))}
        calls.append(settings | options)

    put_app(monkeypatch, start)
    monkeypatch.setenv("MTREFSEG_MODEL", "before")
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
        monkeypatch.setenv(name, "before")  # Restored after the test, whatever the command sets.
        monkeypatch.delenv(name)
    return calls


def test_it_starts_the_space_on_this_computer_alone(started: list[dict[str, Any]]) -> None:
    assert main(["demo", "--port", "7999"]) == 0
    (settings,) = started
    assert settings["MTREFSEG_MODEL"] == str(ROOT / "mtrefseg-r1")
    assert (settings["GRADIO_SERVER_NAME"], settings["GRADIO_SERVER_PORT"]) == ("127.0.0.1", "7999")
    assert (settings["share"], settings["auth"]) == (False, None)


def test_the_variables_of_gradio_hold_unless_an_option_says_otherwise(
    started: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7001")
    assert main(["demo"]) == 0
    assert main(["demo", "--host", "127.0.0.2", "--port", "7002", "--share", "--auth", "ada:p:q"]) == 0
    addresses = [(settings["GRADIO_SERVER_NAME"], settings["GRADIO_SERVER_PORT"]) for settings in started]
    assert addresses == [("0.0.0.0", "7001"), ("127.0.0.2", "7002")]
    assert (started[1]["share"], started[1]["auth"]) == (True, ("ada", "p:q"))
    monkeypatch.setenv("GRADIO_SERVER_PORT", "http")
    assert main(["demo"]) == 2
    assert "GRADIO_SERVER_PORT: 'http' is not between 1 and 65535" in capsys.readouterr().err


def test_a_model_that_is_not_there_is_named(started: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--model", "nowhere"]) == 2
    assert 'there is no model folder "nowhere"' in capsys.readouterr().err
    assert not started


def test_a_port_that_is_taken_is_said(
    started: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**options: Any) -> None:
        raise OSError("Cannot find empty port")

    put_app(monkeypatch, refuse)
    assert main(["demo"]) == 2
    assert "cannot serve on port 7860: Cannot find empty port" in capsys.readouterr().err


def test_another_port_is_not_taken_instead(started: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["demo", "--port", str(port)]) == 2
        assert f"cannot serve on port {port} of 127.0.0.1: Address already in use" in capsys.readouterr().err
    assert main(["demo", "--port", str(port)]) == 0
    assert [settings["GRADIO_SERVER_PORT"] for settings in started] == [str(port)]


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address_may_have_brackets(host: str, started: list[dict[str, Any]]) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
            port = free.getsockname()[1]
    except OSError:
        pytest.skip("this computer has no IPv6 address")
    assert main(["demo", "--host", host, "--port", str(port)]) == 0
    assert [settings["GRADIO_SERVER_NAME"] for settings in started] == [host]


@pytest.mark.parametrize("port", ["0", "70000", "x"])
def test_a_port_is_a_number_of_a_port(port: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["demo", "--port", port])
    assert caught.value.code == 2
