# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Requests that wait: batching, limits of number and time, clients that go away, the end of the server."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.serve import batching
from mtrefseg.serve.engine import FairLock
from tests.mtrefseg.serve.conftest import Files, Server


ROOT = Path(__file__).parents[3]


@pytest.fixture
def encoded(engine: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A list that grows with every pair that is encoded."""
    calls: list[Any] = []
    encode = engine.encode

    def count(*arguments: Any) -> Any:
        calls.append(arguments)
        return encode(*arguments)

    monkeypatch.setattr(engine, "encode", count)
    return calls


def ask_together(server: Server, pairs: list[Files], sentences: list[list[str]]) -> list[httpx.Response]:
    """Sends requests while the model is busy, so that all wait, each behind the one before."""
    with ThreadPoolExecutor(len(pairs)) as pool:
        with server.engine.lock:
            answers = []
            for number, (files, texts) in enumerate(zip(pairs, sentences)):
                answers.append(pool.submit(server.segment, files, {"sentences": texts}))
                server.wait_until(server.is_asking)
                server.wait_until(lambda number=number: server.app.state.batcher.waiting == number + 1)
        return [answer.result() for answer in answers]


def test_requests_for_one_pair_are_answered_together(
    serving: Callable[..., Any], files: Files, png: Callable[..., bytes], encoded: list[Any]
) -> None:
    other = {"image_t1": ("t1.png", png(5)), "image_t2": ("t2.png", png(6))}
    texts = [["a tree"], ["a car", "a house"], ["a house"], ["the pond"]]
    with serving() as server:
        answers = ask_together(server, [other, files, files, files], texts)
        assert [answer.status_code for answer in answers] == [200] * 4
        assert [answer.json()["batched_requests"] for answer in answers] == [1, 3, 3, 3]
        assert len(encoded) == 2
    with serving(batching=False) as server:
        alone = ask_together(server, [other, files, files, files], texts)
        assert [answer.json()["batched_requests"] for answer in alone] == [1] * 4
    for together, single in zip(answers, alone):
        for one, two in zip(together.json()["masks"], single.json()["masks"], strict=True):
            assert one["sentence"] == two["sentence"]
            assert one["score"] == pytest.approx(two["score"], abs=1e-3)
            assert one["area_pixels"] == pytest.approx(two["area_pixels"], abs=20)


def test_only_as_many_sentences_as_fit_into_a_batch_are_combined(
    serving: Callable[..., Any], files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who ask little do not wait for all that others ask about the pair."""
    monkeypatch.setattr(batching, "SENTENCES_AT_ONCE", 3)
    texts = [["a tree", "a car"], ["a house", "a pond"], ["a car", "a road"], ["a", "b", "c", "d"], ["a house"]]
    with serving() as server:
        answers = ask_together(server, [files] * 5, texts)
        assert [len(answer.json()["masks"]) for answer in answers] == [2, 2, 2, 4, 1]
        assert [answer.json()["batched_requests"] for answer in answers] == [2, 2, 2, 1, 2]


def test_the_time_until_the_model_is_free_is_waiting(serving: Callable[..., Any], files: Files) -> None:
    with serving() as server, ThreadPoolExecutor(1) as pool:
        with server.engine.lock:
            answer = pool.submit(server.segment, files)
            server.wait_until(server.is_asking)
            start = time.perf_counter()
            time.sleep(0.1)
            held = time.perf_counter() - start
        assert answer.result().json()["timings"]["waiting"] >= held


def test_nobody_is_passed_over_while_the_worker_is_busy() -> None:
    lock, order = FairLock(), []

    def work(name: int) -> None:
        for _ in range(3):
            with lock:
                order.append(name)
                time.sleep(0.02)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(sorted(order[start : start + 3]) == [0, 1, 2] for start in (2, 5)), order


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (batching.InputError("The model rejects a sentence: too long"), 422, "rejects a sentence"),
        (RuntimeError("too long"), 500, "The server failed"),
    ],
)
def test_a_sentence_that_the_model_refuses_fails_alone(
    error: Exception,
    status: int,
    message: str,
    serving: Callable[..., Any],
    files: Files,
    engine: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = engine.answer

    def picky(encoding: Any, sentences: list[str]) -> Any:
        if "too long" in sentences:
            raise error
        return answer(encoding, sentences)

    monkeypatch.setattr(engine, "answer", picky)
    with serving() as server:
        answers = ask_together(server, [files] * 3, [["a tree"], ["too long"], ["a car"]])
        assert [each.status_code for each in answers] == [200, status, 200]
        assert message in answers[1].json()["error"]["message"]


def test_a_failure_of_the_model_is_an_answer_too(
    serving: Callable[..., Any], files: Files, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as server:
        with monkeypatch.context() as patch:
            patch.setattr(engine, "encode", lambda *arguments: 1 / 0)
            response = server.segment(files)
            assert response.status_code == 500
            assert response.json()["error"]["request_id"] == response.headers["x-request-id"]
            assert "division" not in response.text
        assert server.segment(files).status_code == 200


def test_a_thousand_sentences_are_answered_where_allowed(serving: Callable[..., Any], files: Files) -> None:
    sentences = [f"car {number}" for number in range(1000)]
    with serving(max_sentences=1000, timeout=600) as server:
        body = server.segment(files, {"sentences": sentences, "threshold": "0.99"}).json()
        assert [mask["sentence"] for mask in body["masks"]] == sentences
        assert server.metric("mtrefseg_sentences_total") == 1000
        (known,) = [entry.value for entry in server.app.state.batcher.pairs._kept.values()]
        assert len(known.answers) == batching.MAX_ANSWERS


def test_a_full_queue_and_a_greedy_client_are_told_to_wait(serving: Callable[..., Any], files: Files) -> None:
    for options, status in (({"queue": 2}, 503), ({"client_requests": 2}, 429)):
        with serving(**options) as server, ThreadPoolExecutor(2) as pool:
            with server.engine.lock:
                first = [pool.submit(server.segment, files) for _ in range(2)]
                server.wait_until(lambda server=server: server.metric("mtrefseg_requests_under_way") == 2)
                response = server.segment(files)
                assert response.status_code == status
                assert int(response.headers["retry-after"]) >= 1
                assert server.client.get("/healthz").status_code == 200, "it answers while the model is busy"
            assert [each.result().status_code for each in first] == [200, 200]
            assert server.segment(files).status_code == 200


def test_who_waits_too_long_gets_504(serving: Callable[..., Any], files: Files) -> None:
    with serving(timeout=1) as server, server.engine.lock:
        response = server.segment(files)
        assert response.status_code == 504
        assert "within 1 s" in response.json()["error"]["message"]
        assert not server.app.state.batcher.waiting, "its files are not kept until the model is free"


def test_what_a_client_that_has_gone_asked_is_not_computed(
    serving: Callable[..., Any], files: Files, png: Callable[..., bytes], encoded: list[Any]
) -> None:
    with serving() as server, ThreadPoolExecutor(1) as pool:
        with server.engine.lock:
            busy = pool.submit(server.segment, {**files, "image_t1": ("t1.png", png(7))})
            server.wait_until(server.is_asking)
            request = httpx.Request("POST", f"{server.url}/v1/segment", files=files)
            body = request.read()
            with socket.create_connection(("127.0.0.1", request.url.port)) as leaving:
                head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
                leaving.sendall(f"POST /v1/segment HTTP/1.1\r\n{head}\r\n".encode() + body)
                server.wait_until(lambda: server.app.state.batcher.waiting == 2)
            server.wait_until(lambda: server.metric("mtrefseg_requests_under_way") == 1)
            assert server.app.state.batcher.waiting == 1, "its files are not kept until the model is free"
        assert busy.result().status_code == 200
        server.wait_until(lambda: server.app.state.batcher.waiting == 0)
        assert len(encoded) == 1


def test_many_clients_at_once_are_all_answered(serving: Callable[..., Any], png: Callable[..., bytes]) -> None:
    pairs = [{"image_t1": ("a", png(seed)), "image_t2": ("b", png(seed + 1))} for seed in range(3)]
    with serving(queue=100) as server, ThreadPoolExecutor(20) as pool:
        asked = [(pairs[number % 3], f"car {number % 7}") for number in range(60)]
        answers = [pool.submit(server.segment, files, {"sentences": [text]}) for files, text in asked]
        results: dict[tuple[int, str], set[str]] = {}
        for number, (answer, (_, text)) in enumerate(zip(answers, asked)):
            mask = answer.result().json()["masks"][0]
            assert mask["sentence"] == text
            results.setdefault((number % 3, text), set()).add(mask["rle"]["counts"])
        assert server.metric("mtrefseg_encoding_seconds_count") == 3


def test_the_cache_stays_in_its_bounds(serving: Callable[..., Any], png: Callable[..., bytes]) -> None:
    with serving(cache_megabytes=1.5) as server:
        for seed in range(6):
            server.segment({"image_t1": ("a", png(seed)), "image_t2": ("b", png(seed + 1))})
            assert server.metric("mtrefseg_cache_bytes") <= 1.5e6


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM")
def test_a_stopped_server_finishes_what_runs(
    model: MTRefSegModel, processor: MTRefSegProcessor, files: Files, tmp_path: Path
) -> None:
    for part in (model, processor):
        part.save_pretrained(tmp_path / "model")
    words = ["serve", "--model", str(tmp_path / "model"), "--no-demo", "--port", "0", "--max-sentences", "1000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mtrefseg", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        (url,) = re.findall(r"(http://127\.0\.0\.1:\d+)/v1/segment", line)
        answers: list[httpx.Response] = []

        def ask() -> None:
            data = {"sentences": [f"car {number}" for number in range(1000)]}
            answers.append(httpx.post(f"{url}/v1/segment", files=files, data=data, timeout=300, trust_env=False))

        asking = threading.Thread(target=ask)
        asking.start()
        while "mtrefseg_requests_under_way 1" not in httpx.get(f"{url}/metrics", trust_env=False).text:
            pass
        process.send_signal(signal.SIGTERM)
        asking.join()
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
    assert answers[0].status_code == 200
    assert len(answers[0].json()["masks"]) == 1000
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz", trust_env=False)
    assert process.stderr is not None
    assert "POST /v1/segment 200" in process.stderr.read()
