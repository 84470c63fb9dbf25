# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from craft_agent.audit.decisions import Agreement, Decision, check_auditor
from craft_agent.audit.store import AuditStore
from craft_agent.errors import CraftError
from craft_agent.records import ChangeType
from tests.craft_agent.small_work import SIZE, make_work


ACCEPT, REJECT = Decision("accept"), Decision("reject", "not_a_change")


@pytest.fixture
def store(tmp_path):
    return AuditStore(make_work(tmp_path))


def test_every_sample_waits_for_every_auditor(store):
    ids = store.sample_ids("ann")
    assert len(ids) == 9
    assert ids == store.sample_ids("ann", "all")
    store.decide(ids[2], "ann", ACCEPT)
    assert store.sample_ids("ann", "judged") == [ids[2]]
    assert ids[2] not in store.sample_ids("ann")
    assert ids[2] in store.sample_ids("bob")
    assert store.verdicts("ann") == {"accept": 1}
    assert store.judged_counts() == {ids[2]: 1}


def test_a_sample_comes_with_its_history_and_images(store):
    sample = store.sample("place_001_0")
    assert sample.expressions[0] == "the red block that appeared"
    assert [each.comment for each in sample.rounds] == ["too much above it", "fits"]
    pair = store.images("place_001_0")
    assert pair.size == SIZE
    red = np.asarray(pair.image_t2)[sample.mask].mean(axis=0)
    assert red[0] > 200
    assert red[1] < 60
    with pytest.raises(CraftError, match="no sample nothing"):
        store.sample("nothing")


def test_images_that_were_changed_are_not_shown(store, tmp_path):
    path = tmp_path / "pairs" / "B" / "place_001.png"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CraftError, match=r"B/place_001\.png"):
        store.images("place_001_0")


def test_a_new_decision_replaces_the_old_one_and_undo_brings_it_back(store):
    store.decide("place_000_0", "ann", ACCEPT)
    store.decide("place_000_0", "ann", Decision("accept", expressions=("  the new\n red block ",)))
    assert store.decision("place_000_0", "ann").expressions == ("the new red block",)
    undone = store.undo("ann")
    assert (undone.sample_id, undone.expressions) == ("place_000_0", ("the new red block",))
    assert store.decision("place_000_0", "ann").expressions is None
    assert store.undo("ann").verdict == "accept"
    assert store.undo("ann") is None
    assert store.auditors() == []


def test_two_people_judge_a_sample_and_no_third(store):
    store.decide("place_000_0", "ann", ACCEPT)
    store.decide("place_000_0", "bob", REJECT)
    with pytest.raises(CraftError, match="ann and bob"):
        store.decide("place_000_0", "cid", ACCEPT)
    store.undo("bob")
    store.decide("place_000_0", "cid", ACCEPT)
    assert [decision.auditor for decision in store.decisions("place_000_0")] == ["ann", "cid"]


def test_of_many_at_once_only_two_get_in(store):
    def decide(name):
        try:
            return store.decide("place_000_0", name, ACCEPT)
        except CraftError:
            return None

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(decide, [f"auditor {number}" for number in range(8)]))
    assert sum(result is not None for result in results) == 2


def test_kappa_is_that_of_the_textbook():
    # Cohen's own formula: observed 0.7, by chance 0.6 * 0.5 + 0.4 * 0.5 = 0.5.
    assert Agreement(both_accept=20, only_first=10, only_second=5, both_reject=15).kappa == pytest.approx(0.4)
    assert Agreement(0, 0, 0, 0).kappa is None
    assert Agreement(5, 0, 0, 0).kappa is None
    assert Agreement(5, 0, 0, 5).kappa == 1
    assert Agreement(0, 5, 5, 0).kappa == -1


def test_agreement_is_on_what_was_said_before_the_other_was_seen(store):
    for number, (first, second) in enumerate([(ACCEPT, ACCEPT), (ACCEPT, REJECT), (REJECT, REJECT)]):
        store.decide(f"place_00{number}_0", "ann", first)
        store.decide(f"place_00{number}_0", "bob", second)
    before = store.agreement("ann", "bob")
    assert (before.both_accept, before.only_first, before.only_second, before.both_reject) == (1, 1, 0, 1)
    assert [each.kind for each in store.disagreements()] == ["verdict"]
    store.decide("place_001_0", "bob", Decision("accept", settled=True))
    assert store.disagreements() == []
    assert store.agreement("ann", "bob") == before
    assert store.agreement("bob", "ann").only_second == 1


def test_two_who_accept_different_things_disagree(store):
    mask = store.sample("place_000_2").mask.copy()
    mask[:, : SIZE[0] // 2] = False
    mask[0, 0] = True
    edits = {
        "place_000_0": Decision("accept", expressions=("another sentence",)),
        "place_000_1": Decision("accept", change_type=ChangeType.STATE_CHANGE),
        "place_000_2": Decision("accept", mask=mask),
    }
    for sample_id, edit in edits.items():
        store.decide(sample_id, "ann", ACCEPT)
        store.decide(sample_id, "bob", edit)
    assert [each.kind for each in store.disagreements()] == ["sentences", "change_type", "mask"]
    assert list(store.accepted_samples(1)) == []


def test_what_was_edited_is_what_is_accepted(store):
    mask = store.sample("place_000_0").mask.copy()
    mask[:25] = False
    store.decide("place_000_0", "ann", Decision("accept", expressions=("a", "b"), mask=mask))
    store.decide("place_000_1", "ann", REJECT)
    [sample] = store.accepted_samples(1)
    assert sample.expressions == ("a", "b")
    assert np.array_equal(sample.mask, mask)
    assert sample.provenance["edited"] == ["expressions", "mask"]
    assert sample.provenance["audit"][0]["auditor"] == "ann"
    assert list(store.accepted_samples(2)) == []


@pytest.mark.parametrize(
    ("decision", "problem"),
    [
        (Decision("reject"), "not a reason"),
        (Decision("reject", "dislike"), "not a reason"),
        (Decision("accept", "other"), "accept without a reason"),
        (Decision("perhaps"), "accept without a reason"),
        (Decision("accept", expressions=()), "at least one sentence"),
        (Decision("accept", expressions=("good", " \n")), "none may be blank"),
        (Decision("accept", expressions=("good", "\u200b\u2060")), "none may be blank"),
        (Decision("accept", mask=np.zeros((SIZE[1], SIZE[0]), dtype=bool)), "is empty"),
        (Decision("accept", mask=np.ones(SIZE, dtype=bool)), "rows and columns"),
    ],
)
def test_what_cannot_hold_is_refused_and_leaves_nothing(store, decision, problem):
    with pytest.raises(CraftError, match=problem):
        store.decide("place_000_0", "ann", decision)
    assert store.decisions("place_000_0") == []


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\nb", "a/b", "<b>", "ann "])
def test_other_names_are_refused(name):
    with pytest.raises(CraftError, match="not a valid name"):
        check_auditor(name)


@pytest.mark.parametrize("name", ["a", "Ann B. Müller", "ann@home.org", "x" * 40])
def test_names_of_people_are_taken(name):
    assert check_auditor(name) == name


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(CraftError, match="holds no run"):
        AuditStore(tmp_path)
    assert list(tmp_path.iterdir()) == []
