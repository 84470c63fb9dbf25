# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A tiny vision-language model: in this process, and behind the server that transformers has."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from transformers.utils.import_utils import is_serve_available

from craft_agent.backends.chat_perceiver import ChatPerceiver
from craft_agent.backends.protocols import Question
from craft_agent.backends.transformers_perceiver import TransformersPerceiver
from craft_agent.errors import PermanentError, RefusedError
from craft_agent.prompts.schemas import PERCEIVE
from craft_agent.records import ImagePair
from tests import tiny_models
from tests.craft_agent.small_work import draw_pairs


def question(prompt: str = "what changed", count: int = 2) -> Question:
    images = tuple(Image.new("RGB", (80, 60), (90 * number, 0, 200)) for number in range(count))
    pair = ImagePair("p1", Image.new("RGB", (64, 48)), Image.new("RGB", (64, 48)))
    return Question("perceive", prompt, images, PERCEIVE, pair, {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_llava(tmp_path_factory.mktemp("models") / "tiny-llava")


def test_answers_in_this_process(folder: Path):
    perceiver = TransformersPerceiver(str(folder), "cpu", max_tokens=12)
    assert perceiver.name == "transformers:tiny-llava"
    first, second = perceiver.ask(question()), perceiver.ask(question())
    assert first.text == second.text
    assert 1 <= first.usage.completion_tokens <= 12
    assert "[END]" not in first.text
    more = perceiver.ask(question(count=3)).usage.prompt_tokens - first.usage.prompt_tokens
    assert more >= 4  # An image's tokens, and those of its number.
    assert perceiver.ask(question(count=0)).usage.prompt_tokens < first.usage.prompt_tokens


def test_question_that_is_too_long(folder: Path):
    with pytest.raises(RefusedError, match="4096"):
        TransformersPerceiver(str(folder), "cpu").ask(question("red car " * 2500))


def test_model_that_is_none(folder: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PermanentError, match="cannot load"):
        TransformersPerceiver(str(tmp_path))


@pytest.fixture
def endpoint(folder: Path, tmp_path: Path) -> Iterator[str]:
    """`transformers serve` with the tiny model, on the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["serve", str(folder), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    command = [sys.executable, "-c", "from transformers.cli.transformers import main; main()", *arguments]
    with (tmp_path / "serve.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                    break
                except OSError:
                    assert server.poll() is None, (tmp_path / "serve.log").read_text()
                    time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


@pytest.mark.skipif("MTREFSEG_SLOW_TESTS" not in os.environ, reason="takes a minute: set MTREFSEG_SLOW_TESTS")
@pytest.mark.skipif(not is_serve_available(), reason="needs pip install transformers[serving]")
def test_transformers_serve(folder: Path, endpoint: str, tmp_path: Path):
    """A question, and then a whole run, in which every pair must finish although the model writes nonsense."""
    perceiver = ChatPerceiver(str(folder), endpoint, timeout=300, max_tokens=12)
    answer = perceiver.ask(question())
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0
    assert answer.usage.requests == 1
    assert perceiver.name == "chat:tiny-llava"
    with pytest.raises((PermanentError, RefusedError)):
        ChatPerceiver("another/model", endpoint, timeout=300).ask(question())

    draw_pairs(tmp_path / "pairs", 2)
    command = [sys.executable, "-m", "craft_agent", "run", str(tmp_path / "pairs"), "--out", str(tmp_path / "work")]
    command += ["--perceiver", "chat", "--perceiver-model", str(folder), "--endpoint", endpoint]
    command += ["--grid", "1", "--max-tokens", "12", "--timeout", "300"]
    for _ in range(2):
        subprocess.run(command, check=False, cwd=Path(__file__).parents[3])
    with closing(sqlite3.connect(tmp_path / "work" / "craft.sqlite")) as store:
        steps = dict(store.execute("SELECT step, count(*) FROM pairs GROUP BY step"))
        exchanges, requests, answered = store.execute(
            "SELECT count(*), sum(requests), count(response) FROM exchanges WHERE kind != 'segment'"
        ).fetchone()
    assert sum(steps.values()) == 2
    assert set(steps) <= {"refined", "failed"}
    # A second run asked nothing twice.
    assert exchanges == requests == answered > 0
