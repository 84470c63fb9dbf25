# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The shared folder of the engine for many machines; no Ray is needed to write into it."""

import os
import time
from contextlib import nullcontext
from dataclasses import replace

import pytest

from craft_agent.engines.ray_engine import (
    STOPPED,
    PairWorker,
    RayOptions,
    _dump_task,
    _gather,
    _load_task,
    _sign,
    run_ray,
)
from craft_agent.errors import CraftError, PermanentError, TransientError
from craft_agent.prompts.templates import Prompts
from craft_agent.state.object_folder import ObjectFolder
from craft_agent.state.pair_objects import Ending, PairObjects, pair_key, read_pair
from craft_agent.state.store import Claims, Store, Worker
from craft_agent.steps.asking import FailedRequest
from craft_agent.steps.pipeline import MOST_ATTEMPTS, Backends, PairPipeline
from tests.craft_agent.scripted_perceiver import BoxSegmenter, ScriptedPerceiver, difference
from tests.craft_agent.small_work import draw_pairs
from tests.craft_agent.state.test_pairs_folder import start
from tests.craft_agent.state.test_store import sensible


@pytest.fixture
def claims(tmp_path):
    store = start(draw_pairs(tmp_path / "pairs", 1), tmp_path / "work")
    worker = Worker(store.work)
    yield Claims(store, worker)
    worker.close()


def work_on(folder, claims, claimed, script=sensible, tables=None):
    objects = PairObjects(folder, claims.settings, claimed, tables or {})
    perceiver = ScriptedPerceiver(script)
    step = objects.last_step or claimed.step
    PairPipeline(objects, Backends(perceiver, BoxSegmenter()), Prompts()).run(replace(claimed, step=step))
    return objects, perceiver


def test_what_was_written_is_read_and_nothing_incomplete_is_seen(tmp_path):
    folder = ObjectFolder(str(tmp_path))
    tables = {"samples": [("a", 1, None, "ä")], "rounds": [(0.5,), (1,)]}
    folder.write("one/two", tables)
    assert folder.has("one/two")
    assert not folder.has("one/three")
    assert folder.read("one/two") == {"samples": [["a", 1, None, "ä"]], "rounds": [[0.5], [1]]}
    (tmp_path / "one" / "three.parquet.abc.incomplete").write_bytes(b"PAR1")
    assert folder.names("one") == ["two"]
    assert folder.names("none") == []
    folder.remove(["one/two", "one/two"])
    folder.remove_folder("one")
    folder.remove_folder("one")
    with pytest.raises(FileNotFoundError):
        folder.read("one/two")
    with pytest.raises(CraftError, match="shared folder"):
        ObjectFolder("relative/folder")


def test_a_worker_goes_on_where_another_one_was_killed(claims, tmp_path):
    folder, [claimed] = ObjectFolder(str(tmp_path / "shared")), claims.claim()

    class Killed(BaseException):
        pass

    def dies(question, number):
        if question.kind == "ground":
            raise Killed
        return sensible(question, number)

    with pytest.raises(Killed):
        work_on(folder, claims, claimed, dies)
    objects, perceiver = work_on(folder, claims, claimed)
    assert [question.kind for question in perceiver.asked] == ["ground"]
    assert objects.ending.step == "refined"
    assert os.listdir(tmp_path / "shared" / "open") == []
    # A third worker, which was not told, has nothing left to do.
    assert work_on(folder, claims, claimed)[1].asked == []
    known = read_pair(folder, objects.key)
    assert claims.adopt("place_000", known.tables, known.ordered()) == "refined"
    assert claims.adopt("place_000", known.tables, known.ordered()) == "refined"
    assert len(claims.recall(known.tables["exchanges"][0][0]).key) == 64


def test_what_another_engine_began_is_not_begun_anew(claims, tmp_path):
    [claimed] = claims.claim()
    PairPipeline(claims, Backends(ScriptedPerceiver(sensible), BoxSegmenter()), Prompts(), _after(1)).run(claimed)
    [claimed] = claims.claim()
    assert claimed.step == "perceived"
    tables = Store(tmp_path / "work").tables("place_000")
    _, perceiver = work_on(ObjectFolder(str(tmp_path / "shared")), claims, claimed, tables=tables)
    assert {question.kind for question in perceiver.asked} == {"review", "refine", "ground"}


def test_other_settings_and_other_pictures_have_other_objects(claims):
    [claimed] = claims.claim()
    tables = {"candidates": [("place_000", 0, "{}"), ("place_000", 1, "{}")]}
    key = pair_key(claims.settings, claimed, tables)
    assert pair_key(replace(claims.settings, input_price=3.0, pairs="/elsewhere"), claimed, tables) == key
    assert pair_key(replace(claims.settings, rounds=9), claimed, tables) != key
    assert pair_key(claims.settings, replace(claimed, sha256=("x", "y")), tables) != key
    # As rows come back from JSON, in whatever order.
    known = {"candidates": [["place_000", 1, "{}"], ["place_000", 0, "{}"]]}
    assert pair_key(claims.settings, replace(claimed, attempts=1), known) == key
    assert pair_key(claims.settings, replace(claimed, step="perceived"), tables) != key
    assert pair_key(claims.settings, claimed, {}) != key


def test_requests_in_vain_are_kept_and_marks_of_the_dead_are_counted(claims, tmp_path):
    folder, [claimed] = ObjectFolder(str(tmp_path / "shared")), claims.claim()

    def late(question, number):
        raise TransientError("HTTP 503", ["HTTP 429"])

    objects, _ = work_on(folder, claims, claimed, late)
    assert (objects.ending.step, objects.ending.attempts) == ("put_back", 1)
    assert [row[6] for row in read_pair(folder, objects.key).tables["failures"]] == ["HTTP 429", "HTTP 503"]
    objects.record_failures([FailedRequest("k", "place_000", "review", "b", "{}", "lost")])
    other = PairObjects(folder, claims.settings, claimed, {})
    mark = other.marked("run")
    assert mark.__enter__() == 0
    third = PairObjects(folder, claims.settings, claimed, {})
    with third.marked("run") as dead:
        assert dead == 1
        third.give_up("place_000", "failed", "why")
    # Given up or not, it does not get as many deaths again.
    with third.marked("run") as dead:
        assert dead == 1
    with other.marked("another run") as dead:
        assert dead == 0


def test_a_pair_that_is_put_together_meanwhile_is_read_whole(claims, tmp_path):
    [claimed] = claims.claim()
    key = pair_key(claims.settings, claimed, {})

    class Slow(ObjectFolder):
        """Another worker finishes the pair right after somebody looked whether it is finished."""

        def has(self, name):
            found = super().has(name)
            if not found and name == f"done/{key}":
                work_on(ObjectFolder(str(tmp_path / "shared")), claims, claimed)
            return found

    PairObjects(ObjectFolder(str(tmp_path / "shared")), claims.settings, claimed, {}).record_failures(
        [FailedRequest("k", "place_000", "review", "b", "{}", "lost")]
    )
    assert [result.after for result in read_pair(Slow(str(tmp_path / "shared")), key).ordered()][-1] == "refined"


def test_answers_of_a_step_that_another_engine_did_not_finish_are_handed_over(claims, tmp_path):
    [claimed] = claims.claim()

    def dies(question, number):
        if number:
            raise KeyboardInterrupt
        return sensible(question, number)

    with pytest.raises(KeyboardInterrupt):
        PairPipeline(claims, Backends(ScriptedPerceiver(dies), BoxSegmenter()), Prompts()).run(claimed)
    [claimed] = claims.claim()
    assert (claimed.step, claimed.attempts) == ("new", 0)
    known, tables = _load_task(_dump_task(claimed, Store(tmp_path / "work").tables("place_000")))
    assert known == claimed
    assert len(tables["exchanges"]) == 1


def test_a_worker_that_cannot_begin_says_why_in_one_line(claims, tmp_path):
    folder, [claimed] = ObjectFolder(str(tmp_path / "shared")), claims.claim()
    task = {"task": _dump_task(claimed, Store(tmp_path / "work").tables("place_000"))}

    def no_secret():
        raise CraftError("no such environment variable is set")

    worker = PairWorker(claims.settings, no_secret, Prompts(), str(tmp_path / "shared"), "run")
    report = worker(task)
    assert report["step"] == STOPPED
    assert "--shared" in report["reason"]
    folder.write(_sign("run"), {})
    report = worker(task)
    assert (report["step"], report["reason"]) == (STOPPED, "no such environment variable is set")


def test_a_finished_pair_that_the_shared_folder_lacks_stops_the_run(claims, tmp_path):
    folder, [claimed] = ObjectFolder(str(tmp_path / "shared")), claims.claim()
    with pytest.raises(PermanentError, match="does not hold it"):
        _gather(claims, folder, "place_000", pair_key(claims.settings, claimed, {}), Ending("refined"))


@pytest.fixture
def without_ray(monkeypatch):
    """`run_ray` with a worker in this process; gives the pauses that it would have made."""

    def dispatch(tasks, worker_settings, options):
        worker = PairWorker(*worker_settings)
        for report in map(worker, [{"task": task} for task in tasks]):
            yield report["pair"], Ending(report["step"], report["reason"], report["attempts"])

    pauses = []
    monkeypatch.setattr(engine_ray, "started_ray", lambda options: nullcontext())
    monkeypatch.setattr(engine_ray, "_dispatch", dispatch)
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("killed_at", ["refine", None])
@pytest.mark.parametrize("steps", [1, 2])
def test_engines_that_take_turns_do_not_mix_what_they_found(claims, tmp_path, without_ray, killed_at, steps):
    shared, store = str(tmp_path / "shared"), Store(tmp_path / "work")
    [claimed] = claims.claim()

    def dies(question, number):
        if question.kind == killed_at:
            raise KeyboardInterrupt
        return sensible(question, number)

    # The one engine is killed before its steps, or the finished pair, are taken over ...
    with nullcontext() if killed_at is None else pytest.raises(KeyboardInterrupt):
        work_on(ObjectFolder(shared), claims, claimed, dies)

    def others(question, number):
        if question.kind == "perceive":
            boxes = [[100, 100, 300, 300], [600, 600, 900, 900]]
            return {"differences": [difference(box=box, object=f"thing {box[0]}") for box in boxes]}
        return sensible(question, number)

    # ... the other one finds other things, and is killed, too.
    pipeline = PairPipeline(claims, Backends(ScriptedPerceiver(others), BoxSegmenter()), Prompts(), _after(steps))
    assert pipeline.run(claimed) == "put_back"
    found = store.candidates("place_000")
    assert len(found) == 2
    perceiver = ScriptedPerceiver(others)
    options = RayOptions(shared, workers=1)
    ends = run_ray(store, lambda: Backends(perceiver, BoxSegmenter()), Prompts(), options)
    assert ends == {"refined": 1}
    kinds = {question.kind for question in perceiver.asked}
    assert kinds == ({"review", "refine", "ground"} if steps == 1 else {"refine", "ground"})
    assert store.candidates("place_000") == found
    assert [proposal.candidate for proposal in store.proposals("place_000")] == found
    asked = {row["candidate"] for row in store.rows("SELECT candidate FROM refinements")}
    assert asked == {candidate.index for candidate in found}


def test_pairs_that_were_put_back_are_handed_out_again_after_ever_longer_pauses(claims, tmp_path, without_ray):
    def dead(question, number):
        raise TransientError("connection refused")

    options = RayOptions(str(tmp_path / "shared"), workers=1)
    backends = Backends(ScriptedPerceiver(dead), BoxSegmenter())
    ends = run_ray(Store(tmp_path / "work"), lambda: backends, Prompts(), options)
    assert ends == {"put_back": MOST_ATTEMPTS - 1, "failed": 1}
    assert without_ray == [2**number for number in range(MOST_ATTEMPTS - 1)]


def _after(steps):
    """Whether so many steps were asked about."""
    left = iter([False] * steps)
    return lambda: next(left, True)
