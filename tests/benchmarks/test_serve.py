# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The benchmark of the server counts every program and visitor."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest


pytest.importorskip("gradio_client", reason="the extra serve")

from benchmarks.serving import serve


def test_a_program_or_visitor_that_is_stopped_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyError("batched_requests")

    monkeypatch.setattr(serve, "ask", stop)
    monkeypatch.setattr(serve, "visit", stop)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        server = serve.Server("http://127.0.0.1:1", process, serve.Log())
        serve.load(server, [None], argparse.Namespace(clients=2, seconds=0), tmp_path)
    assert sorted(server.log.errors) == [
        *(f"program {number} was stopped by KeyError: 'batched_requests'" for number in range(2)),
        "visitor 0 was stopped by KeyError: 'batched_requests'",
    ]
