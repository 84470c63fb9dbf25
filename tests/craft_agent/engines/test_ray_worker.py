# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Workers of the Ray engine without Ray: they keep nothing, and what they send is all that is to be stored."""

import shutil
from pathlib import Path

import pytest

from craft_agent.engines import run_local
from craft_agent.engines.ray_worker import ENDED, STOPPED, PairTask, PairWorker
from craft_agent.errors import CraftError, TransientError
from craft_agent.prompts import Prompts
from craft_agent.prompts.templates import FOLDER
from craft_agent.state.claims import Claims, Worker
from craft_agent.state.pairs_folder import read_pair
from craft_agent.steps.pipeline import Backends
from tests.craft_agent.runs import content, sensible, start
from tests.craft_agent.scripted_perceiver import BoxSegmenter, ScriptedPerceiver
from tests.craft_agent.small_work import draw_pairs


@pytest.fixture
def store(tmp_path):
    return start(draw_pairs(tmp_path / "pairs", 1), tmp_path / "work")


@pytest.fixture
def claims(store):
    worker = Worker(store.work, "ray")
    yield Claims(store, worker)
    worker.close()


def task_of(store, claims):
    claimed = claims.claim()
    contents = read_pair(Path(claims.settings.pairs), claimed.files, claimed.sha256)
    return PairTask(claimed, contents, store.tables(claimed.files.pair_id))


def worker_with(claims, script, prompts=None):
    perceiver = ScriptedPerceiver(script)
    worker = PairWorker(claims.settings, lambda: Backends(perceiver, BoxSegmenter()), prompts or Prompts())
    assert worker.load() == ""
    return worker, perceiver


def messages_of(worker, task):
    """All messages of a worker, each of which is taken for stored when the next one is asked for."""
    message = worker.start(task)
    while message[0] not in (ENDED, STOPPED):
        yield message
        message = worker.resume()
    yield message


def store_messages(claims, messages):
    """Stores what a worker sends, as the engine does; returns the last message."""
    for name, arguments in messages:
        if name in (ENDED, STOPPED):
            return name, *arguments
        getattr(claims, name)(*arguments)
    raise AssertionError("the worker did not say how it ended")


def test_what_a_worker_sends_is_what_the_local_engine_stores(store, claims, tmp_path):
    worker, _ = worker_with(claims, sensible)
    assert store_messages(claims, messages_of(worker, task_of(store, claims))) == (ENDED, "refined")
    alone = start(tmp_path / "pairs", tmp_path / "alone")
    run_local(alone, Backends(ScriptedPerceiver(sensible), BoxSegmenter()), Prompts(), 1)
    assert content(store.work) == content(alone.work)


@pytest.mark.parametrize("kept", range(1, 9))
def test_a_worker_goes_on_from_whatever_was_stored(store, claims, kept, tmp_path):
    """The first worker is lost after some of its messages have been stored."""
    worker, _ = worker_with(claims, sensible)
    messages = list(messages_of(worker, task_of(store, claims)))
    for name, arguments in messages[:kept]:
        getattr(claims, name)(*arguments)
    assert claims.worker_died("place_000") == "put_back"
    worker, perceiver = worker_with(claims, sensible)
    assert store_messages(claims, messages_of(worker, task_of(store, claims))) == (ENDED, "refined")
    stored = sum(name == "record" and arguments[0].kind != "segment" for name, arguments in messages[:kept])
    asked = sum(name == "record" and arguments[0].kind != "segment" for name, arguments in messages)
    assert len(perceiver.asked) == asked - stored


def test_delays_and_refusals_are_sent_too(store, claims):
    def late(question, number):
        raise TransientError("HTTP 503", ["HTTP 429"])

    worker, _ = worker_with(claims, late)
    assert store_messages(claims, messages_of(worker, task_of(store, claims))) == (ENDED, "put_back")
    assert sorted(row["problem"] for row in store.rows("SELECT problem FROM failures")) == ["HTTP 429", "HTTP 503"]
    [row] = store.rows("SELECT attempts, worker FROM pairs")
    assert tuple(row) == (1, None)


def test_a_worker_whose_models_cannot_be_used_says_why(claims):
    def no_key():
        raise CraftError("no such environment variable is set")

    assert PairWorker(claims.settings, no_key, Prompts()).load() == "no such environment variable is set"


def test_an_error_that_holds_for_all_pairs_stops_the_run(store, claims, tmp_path):
    shutil.copytree(FOLDER, tmp_path / "prompts")
    (tmp_path / "prompts" / "perceive_whole.txt").write_text("# version 1\n$unknown $schema")
    worker, _ = worker_with(claims, sensible, Prompts(tmp_path / "prompts"))
    name, reason = store_messages(claims, messages_of(worker, task_of(store, claims)))
    assert name == STOPPED
    assert "$unknown" in reason
    [row] = store.rows("SELECT step, worker, attempts FROM pairs")
    assert tuple(row) == ("new", None, 0)


def test_a_worker_does_not_ask_on_before_an_answer_is_stored(store, claims):
    worker, perceiver = worker_with(claims, sensible)
    message = worker.start(task_of(store, claims))
    for number in (1, 2):
        assert message[0] == "record"
        assert len(perceiver.asked) == number
        message = worker.resume()
