# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The local engine: every pair is processed once, whatever the models do."""

import threading
import unicodedata

import pytest

from craft_agent.backends.offline.segmenter import OfflineSegmenter
from craft_agent.commands.status import print_status
from craft_agent.engines.local import run_local
from craft_agent.errors import PermanentError, RefusedError, TransientError
from craft_agent.prompts.templates import Prompts
from craft_agent.steps.pipeline import MOST_ATTEMPTS, Backends
from tests.craft_agent.runs import sensible, start
from tests.craft_agent.scripted_perceiver import BoxSegmenter, ScriptedPerceiver, difference
from tests.craft_agent.small_work import draw_pairs


def run(store, script, workers=2):
    perceiver = ScriptedPerceiver(script)
    ends = run_local(store, Backends(perceiver, BoxSegmenter()), Prompts(), workers)
    return perceiver, ends


def counts(store):
    return {row[0]: row[1] for row in store.rows("SELECT step, COUNT(*) FROM pairs GROUP BY 1")}


def test_several_workers_do_every_pair_once(tmp_path):
    store = start(draw_pairs(tmp_path / "pairs", 8), tmp_path / "work")
    perceiver, ends = run(store, sensible, workers=5)
    assert ends == {"refined": 8}
    keys = [(question.pair.pair_id, question.kind, question.prompt) for question in perceiver.asked]
    # The full image and the one cell are two views; other questions are asked once.
    assert len(keys) == len(set(keys)) == 8 * 5
    assert store.rows("SELECT COUNT(*) FROM samples")[0][0] == 8
    assert run(store, sensible)[0].asked == []


def test_nonsense_fails_the_pairs_and_loses_nothing(tmp_path):
    store = start(draw_pairs(tmp_path / "pairs", 3), tmp_path / "work")
    assert run(store, lambda question, number: "I see a car.")[1] == {"failed": 3}
    [row] = store.rows("SELECT COUNT(*), SUM(problem != ''), SUM(requests) FROM exchanges")
    # Two views, each asked twice; the same words are given back to be repaired once an attempt.
    assert tuple(row) == (18, 18, 18)
    assert store.retry_failed() == 3
    assert counts(store) == {"new": 3}


@pytest.mark.parametrize("problem", [RefusedError("400: the context is too small"), None])
def test_a_failed_pair_that_is_retried_is_asked_again(tmp_path, problem):
    store = start(draw_pairs(tmp_path / "pairs", 1), tmp_path / "work")

    def useless(question, number):
        if problem is not None:
            raise problem
        return "I see a car."

    for _ in range(2):
        assert run(store, useless)[1] == {"failed": 1}
        assert store.retry_failed() == 1
    asked = len(store.rows("SELECT 1 FROM exchanges"))
    perceiver, ends = run(store, sensible)
    assert (ends, len(perceiver.asked)) == ({"refined": 1}, 5)
    # What was asked in vain has its cost, too.
    assert len(store.rows("SELECT 1 FROM exchanges WHERE kind != 'segment'")) == asked + 5


def test_a_server_that_is_down_for_a_while_delays_and_a_dead_one_fails(tmp_path):
    store = start(draw_pairs(tmp_path / "pairs", 2), tmp_path / "work")
    calls = threading.Semaphore(3)

    def flaky(question, number):
        if calls.acquire(blocking=False):
            raise TransientError("503")
        return sensible(question, number)

    assert run(store, flaky)[1] == {"put_back": 3, "refined": 2}

    def dead(question, number):
        raise TransientError("connection refused")

    other = start(draw_pairs(tmp_path / "more", 1), tmp_path / "other")
    assert run(other, dead)[1] == {"put_back": MOST_ATTEMPTS - 1, "failed": 1}
    assert "connection refused" in other.rows("SELECT reason FROM pairs")[0][0]
    other.retry_failed()
    assert run(other, sensible)[1] == {"refined": 1}


def test_a_model_that_does_not_exist_ends_the_run_and_frees_the_pairs(tmp_path):
    store = start(draw_pairs(tmp_path / "pairs", 3), tmp_path / "work")

    def gone(question, number):
        if question.kind == "refine":
            raise PermanentError("no such model")
        return sensible(question, number)

    with pytest.raises(PermanentError):
        run(store, gone)
    assert store.rows("SELECT COUNT(*) FROM pairs WHERE worker IS NOT NULL")[0][0] == 0
    perceiver, _ = run(store, sensible)
    assert counts(store) == {"refined": 3}
    assert "segmented" not in counts(store)
    # What was answered before is not asked again.
    assert sum(question.kind == "perceive" for question in perceiver.asked) <= 4


def test_the_offline_segmenter_may_stand_beside_any_perceiver(tmp_path):
    store = start(draw_pairs(tmp_path / "pairs", 1), tmp_path / "work")

    def script(question, number):
        # The red block.
        if question.kind == "perceive":
            return {"differences": [difference(box=[90, 120, 310, 340])]}
        return sensible(question, number)

    run_local(store, Backends(ScriptedPerceiver(script), OfflineSegmenter()), Prompts(), 1)
    [proposal] = store.proposals("place_000")
    assert proposal.rounds[0].mask[25:45, 25:55].mean() > 0.9
    assert proposal.rounds[0].mask.mean() < 0.08


def test_a_server_does_not_speak_to_the_terminal_by_its_messages(tmp_path, capsys):
    store = start(draw_pairs(tmp_path / "pairs", 1), tmp_path / "work")

    def dead(question, number):
        raise TransientError("503 \x1b[2Jgrün\nfailed: 9 pairs\x9b", ["429 \x07"])

    run(store, dead)
    print_status(store)
    output = capsys.readouterr().out
    assert r"503 \x1b[2Jgrün\nfailed: 9 pairs\x9b" in output
    assert r"429 \x07" in output
    assert not any(unicodedata.category(letter) == "Cc" for letter in output.replace("\n", ""))
    assert sum(line.startswith("failed: ") for line in output.splitlines()) == 1


def test_an_unexpected_error_fails_one_pair_and_is_logged(tmp_path, caplog):
    store = start(draw_pairs(tmp_path / "pairs", 3), tmp_path / "work")

    def buggy(question, number):
        return 1 // 0 if question.pair.pair_id == "place_001" else sensible(question, number)

    assert run(store, buggy)[1] == {"refined": 2, "failed": 1}
    [row] = store.rows("SELECT pair_id, reason, worker FROM pairs WHERE step = 'failed'")
    assert tuple(row) == ("place_001", "unexpected ZeroDivisionError: integer division or modulo by zero", None)
    assert "return 1 // 0 if question" in caplog.text
    store.retry_failed()
    assert run(store, sensible)[1] == {"refined": 1}
