# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The benchmark of the demo counts every visitor."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest


pytest.importorskip("gradio_client", reason="the extra demo")

from benchmarks.serving import demo


class Visited:
    """A client whose second question ends in an error that is no answer of the demo."""

    def __init__(self, url: str, **options: Any) -> None:
        if url == "down":
            raise ConnectionError("refused")
        self.questions = 0

    def predict(self, *values: Any, **options: Any) -> dict[str, float]:
        self.questions += 1
        if self.questions == 2:
            raise OSError("connection reset")
        return {"encoding_seconds": 0.5, "answering_seconds": 0.25}


def test_a_visitor_that_is_stopped_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.gradio_client, "Client", Visited)
    log, end = demo.Log(), time.monotonic() + 600
    with ThreadPoolExecutor(3) as pool:
        visits = [
            pool.submit(demo.visit, url, number, tmp_path, over, 0, log)
            for number, (url, over) in enumerate([("up", end), ("down", end), ("up", 0)])
        ]
        demo.await_all(visits, log.errors)
    assert log.errors == [
        "visitor 0 was stopped by OSError: connection reset",
        "visitor 1 was stopped by ConnectionError: refused",
    ]
    assert len(log.waits[True]) == 1
