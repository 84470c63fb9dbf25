# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from craft_agent.errors import CraftError
from craft_agent.state.claims import Claims, Worker
from craft_agent.state.store import Store
from tests.craft_agent.runs import start
from tests.craft_agent.small_work import draw_pairs


def test_a_claim_lives_as_long_as_its_worker(tmp_path):
    store = start(draw_pairs(tmp_path / "pairs", 2), tmp_path / "work")
    first, second = Worker(tmp_path / "work", "local"), Worker(tmp_path / "work", "local")
    claimed = Claims(store, first).claim()
    claims = Claims(store, second)
    other = claims.claim()
    assert other.files.pair_id != claimed.files.pair_id
    assert claims.claim() is None
    assert store.release_dead_claims() == 0
    first.close()
    assert store.release_dead_claims() == 1
    assert claims.claim() == claimed
    assert claims.claim() is None
    second.close()


def test_a_run_goes_on_only_with_the_settings_that_it_began_with(tmp_path):
    store = start(draw_pairs(tmp_path / "pairs", 1), tmp_path / "work")
    settings = store.settings
    with pytest.raises(CraftError, match="rounds was 3 and is 4"):
        Store.create(tmp_path / "work", replace(settings, rounds=4))
    moved = replace(settings, pairs="/elsewhere", input_price=2.0)
    assert Store.create(tmp_path / "work", moved).settings == moved
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(CraftError, match="something other"):
        Store.create(tmp_path / "full", settings)


def test_a_run_can_be_begun_by_several_at_once(tmp_path):
    settings = start(draw_pairs(tmp_path / "pairs", 1), tmp_path / "work").settings
    with ThreadPoolExecutor(8) as pool:
        for number in range(10):
            barrier = threading.Barrier(8)

            def begin(work, barrier=barrier):
                barrier.wait()
                return Store.create(work, settings).settings

            assert list(pool.map(begin, [tmp_path / f"work_{number}"] * 8)) == [settings] * 8
