# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Complete runs against a chat server: its faults must not change the results."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from craft_agent.command_line import main
from tests.craft_agent.scripted_server import Reply, ScriptedServer, refuses, says
from tests.craft_agent.small_work import draw_pairs


SENTENCE = "the red block that appeared"
ANSWERS: dict[str, dict[str, Any]] = {
    "differences": {
        "differences": [
            {
                "expression": SENTENCE,
                "object": "the red block",
                "change_type": "appear",
                "confidence": 0.9,
                "box": [100, 130, 300, 340],
            }
        ]
    },
    "review": {
        "verdict": "accept",
        "fit": 0.9,
        "expression": SENTENCE,
        "object": "the red block",
        "change_type": "appear",
        "box": [],
        "points": [],
        "comment": "",
    },
    "refinement": {"expression": "the red block that was put on the grass", "paraphrases": []},
    "grounding": {"found": True, "box": [100, 130, 300, 340], "object": "the red block", "change_type": "appear"},
}
FAULTS = (
    refuses(429),
    refuses(500),
    Reply(b"<html>Bad gateway</html>", 502),
    Reply(dies="before"),
    Reply(says("{}").body, dies="amid"),
    Reply(b"no JSON at all"),
    Reply(b'{"error": {"message": "overloaded"}}'),
)
BABBLE = ("", "I am sorry.", '{"differences": [', '{"wrong": true}', "違いはありません", "x" * 50_000)


def good(request: dict[str, Any]) -> Reply:
    return says(json.dumps(ANSWERS[request["response_format"]["json_schema"]["name"]]))


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("craft_agent.backends.chat_perceiver.LONGEST_WAIT", 0.02)
    return draw_pairs(tmp_path / "pairs", 3)


def run(server: ScriptedServer, pairs: Path, name: str, *options: str) -> Path:
    work = pairs.parent / name
    words = ["run", str(pairs), "--out", str(work), "--segmenter", "difference"]
    words += ["--perceiver", "chat", "--perceiver-model", "org/model"]
    with server.running():
        main([*words, "--endpoint", server.endpoint, "--grid", "1", "--timeout", "20", *options])
    return work


def read(work: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(work / "craft.sqlite")) as store:
        return store.execute(query).fetchall()


def test_faults_change_nothing(pairs: Path):
    """Every other request fails in one of seven ways; the samples are those of a run without any fault."""
    samples = "SELECT sample_id, expressions, change_type, mask FROM samples ORDER BY sample_id"
    calm = run(ScriptedServer(lambda _, request: good(request)), pairs, "calm")
    server = ScriptedServer(lambda n, request: good(request) if n % 2 else FAULTS[n // 2 % len(FAULTS)])
    # With two workers a question can meet several faults in a row.
    rough = run(server, pairs, "rough", "--tries", "12")
    assert len(read(calm, samples)) == 3
    assert read(rough, samples) == read(calm, samples)
    assert read(rough, "SELECT DISTINCT step FROM pairs") == [("refined",)]
    counts = "SELECT count(*), sum(prompt_tokens), sum(completion_tokens) FROM exchanges"
    assert read(rough, counts) == read(calm, counts)
    answered = "SELECT sum(requests) FROM exchanges WHERE kind != 'segment'"
    assert read(rough, answered) == read(calm, answered)
    # Every request is written down, also those without an answer, each with what happened to it.
    problems = [problem for (problem,) in read(rough, "SELECT problem FROM failures")]
    assert read(rough, answered)[0][0] + len(problems) == len(server.requests)
    for said in ("HTTP 429", "HTTP 500", "HTTP 502", "connection failed", "not a chat completion"):
        assert any(said in problem for problem in problems)
    assert not read(rough, "SELECT * FROM failures WHERE key NOT IN (SELECT key FROM exchanges)")


def test_unreadable_answers_are_recorded_and_asked_again(pairs: Path):
    """Every third answer cannot be read. All of them are kept, and each pair comes to an end."""
    server = ScriptedServer(lambda n, request: says(BABBLE[n // 3 % len(BABBLE)]) if n % 3 == 0 else good(request))
    work = run(server, pairs, "work")
    steps = dict(read(work, "SELECT step, count(*) FROM pairs GROUP BY step"))
    assert sum(steps.values()) == 3
    assert set(steps) <= {"refined", "failed"}
    asked = read(work, "SELECT response FROM exchanges WHERE kind != 'segment'")
    assert len(asked) == len(server.requests)
    assert {text for (text,) in asked} >= {BABBLE[1], BABBLE[5]}


def test_second_run_asks_nothing(pairs: Path):
    run(ScriptedServer(lambda _, request: good(request)), pairs, "work")
    server = ScriptedServer(lambda _, request: good(request))
    run(server, pairs, "work")
    assert server.requests == []


def test_server_that_is_gone_loses_nothing(pairs: Path):
    """The server stops in the middle of a run; a later run continues where it ended."""
    samples = "SELECT sample_id, expressions, mask FROM samples ORDER BY sample_id"
    calm = run(ScriptedServer(lambda _, request: good(request)), pairs, "calm")
    first = ScriptedServer(lambda n, request: good(request) if n < 9 else Reply(dies="before"))
    work = run(first, pairs, "work", "--tries", "2")
    second = ScriptedServer(lambda _, request: good(request))
    run(second, pairs, "work", "--retry-failed")
    assert read(work, samples) == read(calm, samples)
    asked = read(work, "SELECT count(*) FROM exchanges WHERE kind != 'segment'")[0][0]
    assert asked == 9 + len(second.requests)
    assert read(work, "SELECT count(*) FROM failures") == [(len(first.requests) - 9,)]


def test_cut_off_drafts_and_thoughts_are_not_taken_for_answers(pairs: Path):
    """Every other answer is a draft inside unfinished thoughts, or cut off; the samples are those of a calm run."""
    draft = '{"differences": []}'
    hostile = (
        says(f"<think>perhaps {draft}"),
        says(draft, finish_reason="length"),
        says(f"{draft} hm, no: <thinking>"),
    )
    samples = "SELECT sample_id, expressions, change_type, mask FROM samples ORDER BY sample_id"
    calm = run(ScriptedServer(lambda _, request: good(request)), pairs, "calm", "--workers", "1")
    server = ScriptedServer(lambda n, request: good(request) if n % 2 else hostile[n // 2 % len(hostile)])
    work = run(server, pairs, "work", "--workers", "1")
    assert read(work, samples) == read(calm, samples)
    assert read(work, "SELECT COUNT(*) FROM exchanges WHERE kind = 'repair'") == [(0,)]


def test_surrogates_and_huge_numbers_end_no_run(pairs: Path):
    """Every third answer holds what Python can read and a database cannot store."""
    broken = [
        json.dumps(ANSWERS["differences"]).replace("red", "\\ud800"),
        json.dumps(ANSWERS["differences"]).replace("0.9", "1" * 5000),
    ]
    server = ScriptedServer(lambda n, request: good(request) if n % 3 else says(broken[n // 3 % 2], 2**63, 2**70))
    work = run(server, pairs, "work")
    assert dict(read(work, "SELECT step, count(*) FROM pairs GROUP BY step")) == {"refined": 3}


def test_a_dead_server_ends_the_run_before_it_begins(pairs: Path, capsys: pytest.CaptureFixture):
    server = ScriptedServer(lambda _, request: good(request))
    with server.running():
        pass
    words = ["run", str(pairs), "--out", str(pairs.parent / "work"), "--perceiver", "chat", "--perceiver-model", "m"]
    assert main([*words, "--endpoint", server.endpoint]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "connection failed" in line
    assert not (pairs.parent / "work").exists()


def test_wrong_key_stops_the_run(pairs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture):
    monkeypatch.setenv("MY_KEY", "sk-hush-hush")
    server = ScriptedServer(lambda _, request: refuses(401, "bad key sk-hush-hush"))
    work = run(server, pairs, "work", "--api-key-env", "MY_KEY")
    said = "".join(capfd.readouterr())
    assert "HTTP 401" in said
    assert "sk-hush-hush" not in said
    assert b"sk-hush-hush" not in b"".join(path.read_bytes() for path in work.rglob("*") if path.is_file())
    assert dict(read(work, "SELECT step, count(*) FROM pairs GROUP BY step")) == {"new": 3}
    assert read(work, "SELECT count(*) FROM failures") == [(len(server.requests),)]
