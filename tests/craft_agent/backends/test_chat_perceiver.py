# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The chat perceiver against a server that answers well, badly, late, with errors, or dies."""

import base64
import io
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from craft_agent.backends.chat_perceiver import MOST_CHARACTERS, ChatPerceiver
from craft_agent.backends.protocols import Question
from craft_agent.errors import BackendError, PermanentError, RefusedError, TransientError
from craft_agent.prompts.schemas import PERCEIVE
from craft_agent.records import ImagePair
from mtrefseg.foundation.chat_client import MOST_BYTES, retry_after
from tests.craft_agent.scripted_server import Reply, ScriptedServer, refuses, says


GOOD = '{"differences": []}'
KEY = "sk-very-secret-0123456789"


def question(prompt: str = "What changed?", count: int = 2) -> Question:
    images = tuple(Image.new("RGB", (40 + number, 30), (200, 10 * number, 0)) for number in range(count))
    pair = ImagePair("p1", Image.new("RGB", (64, 48)), Image.new("RGB", (64, 48)))
    return Question("perceive", prompt, images, PERCEIVE, pair, {})


def perceiver(server: ScriptedServer, **options: Any) -> ChatPerceiver:
    return ChatPerceiver("org/model", **{"endpoint": server.endpoint, "first_wait": 0.01, "timeout": 5.0, **options})


def ask_all(replies: list[Reply], **options: Any) -> tuple[Any, ScriptedServer, ChatPerceiver]:
    """Asks one question of a server that gives these replies in turn, the last one for ever."""
    server = ScriptedServer(lambda number, _: replies[min(number, len(replies) - 1)])
    with server.running():
        asked = perceiver(server, **options)
        outcome: Any
        try:
            outcome = asked.ask(question())
        except BackendError as error:
            outcome = error
    return outcome, server, asked


def test_request_is_of_the_protocol():
    answer, server, asked = ask_all([says(GOOD)])
    assert answer.text == GOOD
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.requests) == (11, 7, 1)
    assert answer.usage.seconds > 0
    assert asked.name == "chat:org/model"
    request = server.requests[0]
    assert server.paths == ["/v1/chat/completions"]
    assert request["model"] == "org/model"
    assert request["temperature"] == 0
    assert request["response_format"]["type"] == "json_schema"
    assert request["response_format"]["json_schema"]["schema"] == json.loads(json.dumps(PERCEIVE))
    assert request["response_format"]["json_schema"]["name"] == "differences"
    parts = request["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url", "text", "image_url", "text"]
    assert [part["text"] for part in parts[::2]] == ["Image 1:", "Image 2:", "What changed?"]
    sent = Image.open(io.BytesIO(base64.b64decode(parts[3]["image_url"]["url"].split(",")[1])))
    assert sent.size == (41, 30)


def test_key_is_sent_and_nowhere_else(caplog, tmp_path: Path):
    caplog.set_level(logging.DEBUG)
    outcome, server, asked = ask_all([refuses(401, f"wrong key {KEY}")], key=KEY)
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert isinstance(outcome, PermanentError)
    assert "wrong key [key]" in str(outcome)
    for written in (str(outcome), repr(asked), asked.name, caplog.text):
        assert KEY not in written


def test_token_of_the_hub_does_not_leave_for_other_servers(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    _, server, _ = ask_all([says(GOOD)])
    assert "hf_secret" not in str(server.headers)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "I see a red car.",
        '{"differences": [',
        '{"wrong": 1}',
        "```json\n{}\n```",
        "すべて同じです",
        '"\\ud800',
    ],
)
def test_bad_words_are_handed_on_as_they_came(text: str):
    answer, server, _ = ask_all([says(text)])
    assert answer.text == text
    assert len(server.requests) == 1


def test_no_words_and_words_in_parts():
    assert ask_all([says(None)])[0].text == ""
    parts = [{"type": "text", "text": '{"diff'}, {"type": "thinking"}, {"type": "text", "text": 'erences": []}'}]
    assert ask_all([says(parts)])[0].text == GOOD


def test_long_words_are_cut():
    answer, _, _ = ask_all([says("x" * (MOST_CHARACTERS + 5))])
    assert len(answer.text) == MOST_CHARACTERS


def test_endless_body_is_refused_without_reading_it_all():
    outcome, server, _ = ask_all([Reply(b" " * 2**16, repeats=2**15)], timeout=60)  # 2 GiB
    assert isinstance(outcome, RefusedError)
    assert str(MOST_BYTES) in str(outcome)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "bad",
    [
        refuses(429),
        refuses(500),
        refuses(503),
        refuses(408),
        Reply(b"<html>Bad gateway</html>", 502, {"content-type": "text/html"}),
        Reply(b'["x"]', 500),
        Reply(b"\xff\xfe\x00", 500),
        Reply(b""),
        Reply(b"<html>Sign in</html>"),
        Reply(b'{"choices": []}'),
        Reply(b'{"choices": ["abc"]}'),
        Reply(b'{"choices": [{"message": null}]}'),
        Reply(b'{"choices": [{"message": {"content": 5}}]}'),
        Reply(b'{"error": {"message": "overloaded", "code": 503}}'),
        Reply(b"[" * 100_000),
        Reply(b"null"),
        Reply(dies="before"),
        Reply(says(GOOD).body, dies="amid"),
    ],
    ids=lambda reply: f"{reply.status}-{reply.dies}-{reply.body[:24]!r}",
)
def test_what_may_pass_is_tried_again(bad: Reply):
    answer, server, _ = ask_all([bad, bad, says(GOOD)])
    assert answer.text == GOOD
    assert (answer.usage.requests, len(answer.failures), len(server.requests)) == (1, 2, 3)

    outcome, server, _ = ask_all([bad], tries=3)
    assert isinstance(outcome, TransientError)
    assert len(server.requests) == 3


@pytest.mark.parametrize("usage", ["abc", None, {"prompt_tokens": "many"}, {"prompt_tokens": -5}, []])
def test_odd_usage_counts_as_nothing(usage):
    body = {"choices": [{"message": {"content": GOOD}, "logprobs": {"content": 3}}], "usage": usage, "id": [1]}
    answer, _, _ = ask_all([Reply(json.dumps(body).encode())])
    assert answer.text == GOOD
    assert answer.usage.prompt_tokens == 0


def test_late_server_is_a_timeout():
    outcome, server, _ = ask_all([Reply(says(GOOD).body, delay=1.0)], timeout=0.2, tries=2)
    assert isinstance(outcome, TransientError)
    assert "no complete answer within 0.2 s" in str(outcome)
    assert len(server.requests) == 2


def test_trickle_does_not_outlast_the_timeout():
    outcome, _, _ = ask_all([Reply(says(GOOD).body, trickle=0.05)], timeout=0.3, tries=1)
    assert isinstance(outcome, TransientError)
    assert "no complete answer within 0.3 s" in str(outcome)


@pytest.mark.parametrize("reply", [Reply(drips=True), Reply(drips_chunk=True)], ids=["headers", "chunk size"])
def test_endless_headers_and_chunk_sizes_do_not_outlast_the_timeout(reply):
    outcome, _, _ = ask_all([reply], timeout=0.3, tries=1)
    assert isinstance(outcome, TransientError)
    assert "no complete answer within 0.3 s" in str(outcome)


@pytest.mark.parametrize("count", [2**63, 10**300, -(2**70), 1.5, True, "7"])
def test_absurd_token_counts_count_as_nothing(count):
    body = {"choices": [{"message": {"content": GOOD}}], "usage": {"prompt_tokens": count, "completion_tokens": 3}}
    answer, _, _ = ask_all([Reply(json.dumps(body).encode())])
    assert answer.usage.prompt_tokens == 0
    assert answer.usage.completion_tokens == 3


def test_a_number_of_thousands_of_digits_is_no_chat_answer():
    body = f'{{"choices": [{{"message": {{"content": "x"}}, "index": {"1" * 5000}}}]}}'
    outcome, _, _ = ask_all([Reply(body.encode())], tries=1)
    assert isinstance(outcome, TransientError)
    assert "not a chat completion" in str(outcome)


def test_error_messages_can_be_stored():
    outcome, _, _ = ask_all([Reply(b'{"error": {"message": "bad \\ud800 text"}}', 400)])
    assert isinstance(outcome, RefusedError)
    str(outcome).encode("utf-8")


@pytest.mark.parametrize(("finish_reason", "is_cut_off"), [("length", True), ("stop", False), (5, False)])
def test_cut_off_answers_are_marked(finish_reason, is_cut_off):
    answer, _, _ = ask_all([says(GOOD, finish_reason=finish_reason)])
    assert answer.is_cut_off is is_cut_off


@pytest.mark.parametrize("models", [Reply(b'{"data": []}'), refuses(404), refuses(503), refuses(429), None])
def test_a_server_that_answers_passes_the_check(models):
    server = ScriptedServer(lambda number, _: says(GOOD), models)
    with server.running():
        perceiver(server).check_server()
    assert server.paths == ["/v1/models"]


@pytest.mark.parametrize(
    ("models", "problem"),
    [
        (refuses(401, f"wrong key {KEY}"), r"HTTP 401: wrong key \[key\]"),
        (refuses(302, location="/elsewhere"), "HTTP 302"),
        (Reply(dies="before"), "connection failed"),
        (Reply(drips=True), "no complete answer within 0.2 s"),
        (Reply(b"[]", trickle=0.3), "no complete answer within 0.2 s"),
    ],
)
def test_a_server_that_cannot_be_used_is_noticed_before_the_run(models, problem, monkeypatch):
    monkeypatch.setattr("craft_agent.backends.chat_perceiver.CHECK_SECONDS", 0.2)
    server = ScriptedServer(lambda number, _: says(GOOD), models)
    with server.running(), pytest.raises(PermanentError, match=problem) as caught:
        perceiver(server, key=KEY).check_server()
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (refuses(404, "no model m"), "HTTP 404: no model m; check --endpoint, the model and the API key"),
        (refuses(401, f"wrong key {KEY}"), r"HTTP 401: wrong key \[key\]"),
    ],
)
def test_a_model_that_cannot_be_asked_is_noticed_before_the_run(check, problem):
    server = ScriptedServer(lambda number, _: says(GOOD), Reply(b'{"data": []}'), check)
    with server.running(), pytest.raises(PermanentError, match=problem) as caught:
        perceiver(server, key=KEY).check_server()
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("check", "warns"),
    [
        (Reply(drips=True), True),
        (refuses(503, "loading"), True),
        (refuses(429), True),
        (refuses(400, "max_tokens"), False),
    ],
)
def test_a_server_that_is_busy_is_warned_about_within_seconds(check, warns, monkeypatch, caplog):
    monkeypatch.setattr("craft_agent.backends.chat_perceiver.CHECK_SECONDS", 1.0)
    server = ScriptedServer(lambda number, _: says(GOOD), Reply(b'{"data": []}'), check)
    with server.running():
        perceiver(server).check_server()  # Without its limit, it would wait for the dripping server without end.
    assert ("did not answer a short question" in caplog.text) is warns


def test_no_server_listens():
    asked = ChatPerceiver("m", "http://127.0.0.1:9", tries=2, first_wait=0.01)
    with pytest.raises(TransientError, match="connection failed"):
        asked.ask(question())


@pytest.mark.parametrize("status", [401, 402, 403, 404, 302])
def test_what_never_works_ends_at_once(status: int):
    outcome, server, _ = ask_all([refuses(status, location="/elsewhere")])
    assert isinstance(outcome, PermanentError)
    assert len(server.requests) == 1


def test_blind_model_ends_at_once():
    outcome, server, _ = ask_all([refuses(400, "org/model is not a multimodal model")])
    assert isinstance(outcome, PermanentError)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_refused_is_refused(status: int):
    outcome, _, _ = ask_all([refuses(status, "the prompt is too long")])
    assert isinstance(outcome, RefusedError)
    assert "too long" in str(outcome)


def test_content_filter_is_a_refusal():
    outcome, _, _ = ask_all([says("", finish_reason="content_filter")])
    assert isinstance(outcome, RefusedError)


@pytest.mark.parametrize("complaint", ["Unknown field: response_format", "bad request"])
def test_server_without_schemas_is_asked_without_from_then_on(complaint: str):
    server = ScriptedServer(lambda _, request: refuses(400, complaint) if "response_format" in request else says(GOOD))
    with server.running():
        asked = perceiver(server)
        assert [len(asked.ask(question()).failures) for _ in range(3)] == [1, 0, 0]
    assert ["response_format" in request for request in server.requests] == [True, False, False, False]


def test_refused_question_does_not_cost_the_schema():
    """A server that refuses one question with and without the field is asked with it the next time."""
    server = ScriptedServer(lambda number, _: refuses(400, "too large") if number < 2 else says(GOOD))
    with server.running():
        asked = perceiver(server)
        with pytest.raises(RefusedError):
            asked.ask(question())
        asked.ask(question())
    assert "response_format" in server.requests[2]


def test_other_names_and_missing_options():
    def script(_: int, request: dict) -> Reply:
        if "max_tokens" in request:
            return refuses(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return refuses(400, "'temperature' does not support 0") if "temperature" in request else says(GOOD)

    server = ScriptedServer(script)
    with server.running():
        asked = perceiver(server, max_tokens=99)
        assert [len(asked.ask(question()).failures) for _ in range(2)] == [2, 0]
    assert server.requests[-1]["max_completion_tokens"] == 99
    assert "response_format" in server.requests[-1]


def test_retry_after_is_obeyed_by_all_threads():
    server = ScriptedServer(lambda number, _: refuses(429, **{"retry-after": "0.6"}) if number == 0 else says(GOOD))
    with server.running():
        asked = perceiver(server)
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(asked.ask, question())
            while not server.times:
                time.sleep(0.01)
            time.sleep(0.2)
            second = threads.submit(asked.ask, question("other"))
            first.result(), second.result()
    assert min(server.times[1:]) - server.times[0] >= 0.55


def test_long_pause_puts_the_pair_back():
    outcome, server, _ = ask_all([refuses(429, **{"retry-after": "86400"})])
    assert isinstance(outcome, TransientError)
    assert len(server.requests) == 1


@pytest.mark.parametrize("value", ["1e400", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_an_absurd_pause_puts_the_pair_back(value):
    outcome, server, _ = ask_all([refuses(429, **{"retry-after": value})])
    assert isinstance(outcome, TransientError)
    assert len(server.requests) == 1


def test_retry_after_reads_seconds_and_dates():
    assert retry_after({"retry-after": "12"}) == 12
    assert retry_after({"retry-after": "-3"}) == 0
    assert retry_after({"retry-after": formatdate(time.time() + 100, usegmt=True)}) == pytest.approx(100, abs=3)
    for unreadable in ("", "nan", "soon", "Wed, 99 Foo", "Fri, 31 Dec 99999999 23:59:59 GMT"):
        assert retry_after({"retry-after": unreadable}) is None


def test_counts_add_up_under_load():
    """Forty questions at once, of which the server treats every fifth request badly in another way."""
    bad = [refuses(429), refuses(500), Reply(dies="before"), Reply(b"nonsense"), refuses(503)]
    server = ScriptedServer(lambda number, _: bad[number // 5 % len(bad)] if number % 5 == 0 else says(GOOD))
    with server.running():
        asked = perceiver(server, concurrency=4)
        with ThreadPoolExecutor(10) as threads:
            answers = list(threads.map(lambda number: asked.ask(question(f"question {number}")), range(40)))
    assert all(answer.text == GOOD for answer in answers)
    sent = sum(answer.usage.requests + len(answer.failures) for answer in answers)
    assert sent == len(server.requests)
    assert {(answer.usage.prompt_tokens, answer.usage.completion_tokens) for answer in answers} == {(11, 7)}
    assert server.most_under_way <= 4
    prompts = [request["messages"][0]["content"][-1]["text"] for request in server.requests]
    assert set(prompts) == {f"question {number}" for number in range(40)}


def test_router_is_not_asked_offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PermanentError, match="HF_HUB_OFFLINE"):
        ChatPerceiver("org/model")


def test_own_server_is_asked_offline(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert ask_all([says(GOOD)])[0].text == GOOD
