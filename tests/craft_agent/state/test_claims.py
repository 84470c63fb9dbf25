# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Who works on which pair, and which pairs are given up because their workers die."""

import pytest

from craft_agent.backends.protocols import Usage
from craft_agent.state.claims import Claims
from craft_agent.state.journal import Exchange
from craft_agent.state.workers import MOST_DEATHS, Worker
from tests.craft_agent.runs import start
from tests.craft_agent.small_work import draw_pairs


@pytest.fixture
def store(tmp_path):
    return start(draw_pairs(tmp_path / "pairs", 4), tmp_path / "work")


def die(store, engine="local", claims=1):
    """A process claims pairs and dies; returns their ids."""
    worker = Worker(store.work, engine)
    held = [Claims(store, worker).claim() for _ in range(claims)]
    worker.close()
    store.release_dead_claims()
    return [pair.files.pair_id for pair in held if pair is not None]


def deaths(store):
    return {row["pair_id"]: row["deaths"] for row in store.rows("SELECT pair_id, deaths FROM pairs WHERE deaths > 0")}


def test_pairs_of_a_dead_process_come_last(store):
    assert die(store, claims=2) == ["place_000", "place_001"]
    assert deaths(store) == {"place_000": 1, "place_001": 1}
    assert die(store, claims=2) == ["place_002", "place_003"]


def test_a_suspect_is_alone_in_its_process_and_only_then_given_up(store):
    for _ in range(MOST_DEATHS - 1):
        assert len(die(store, claims=4)) == 4
    assert set(deaths(store).values()) == {MOST_DEATHS - 1}
    # Each of the four may have been the cause, so they are tried one by one.
    assert die(store, claims=4) == ["place_000"]
    rows = store.rows("SELECT pair_id, reason FROM pairs WHERE step = 'failed'")
    assert [tuple(row) for row in rows] == [("place_000", f"{MOST_DEATHS} workers died while processing it")]
    # While a suspect is processed, the process claims nothing else.
    with store.database.transaction() as connection:
        connection.execute("UPDATE pairs SET deaths = 0 WHERE pair_id = 'place_003'")
    assert die(store, claims=4) == ["place_003"]
    assert die(store, claims=4) == ["place_003"]


def test_progress_clears_the_deaths(store):
    die(store)
    store.record(Exchange("key", "place_000", "perceive", "backend", "{}", "{}", "", Usage()))
    assert deaths(store) == {}


def test_the_process_of_the_ray_engine_may_die_as_often_as_it_likes(store):
    for _ in range(2 * MOST_DEATHS):
        assert len(die(store, "ray", claims=4)) == 4
    assert deaths(store) == {}


def test_deaths_of_ray_workers_count_for_their_pair_alone(store):
    worker = Worker(store.work, "ray")
    claims = Claims(store, worker)
    ends = []
    for _ in range(MOST_DEATHS):
        while (claimed := claims.claim()) is not None and claimed.files.pair_id != "place_000":
            continue
        ends.append(claims.worker_died("place_000"))
    assert ends == ["put_back"] * (MOST_DEATHS - 1) + ["failed"]
    assert deaths(store) == {"place_000": MOST_DEATHS}
    worker.close()
    assert store.retry_failed() == 1
    assert deaths(store) == {}
