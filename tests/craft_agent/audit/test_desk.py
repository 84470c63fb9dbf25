# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from craft_agent.audit import desk as desk_module
from craft_agent.audit.agreement import agreement_rows, disagreement_html, disagreement_rows, summary_of
from craft_agent.audit.decisions import REJECT_REASONS
from craft_agent.audit.desk import AuditDesk, read_decision
from craft_agent.audit.store import AuditStore
from craft_agent.errors import CraftError
from craft_agent.records import ChangeType
from mtrs_iou import decode_rle, encode_rle
from tests.craft_agent.small_work import make_work


ACCEPT = {"verdict": "accept"}
REJECT = {"verdict": "reject", "reason": "not_a_change"}


@pytest.fixture
def store(tmp_path: Path) -> AuditStore:
    """Six samples on two pairs."""
    return AuditStore(make_work(tmp_path, pairs=2))


@pytest.fixture
def desk(store: AuditStore) -> AuditDesk:
    return AuditDesk(store, seats=2)


def shown(state: dict[str, Any]) -> str | None:
    return state["sample"] and state["sample"]["sample_id"]


# --- which sample comes next ---


def test_samples_come_in_order_until_none_is_left(desk, store) -> None:
    ids = store.sample_ids("ann", "all")
    state = desk.open("ann")
    seen = []
    while state["sample"]:
        seen.append(shown(state))
        assert state["left"] == len(ids) - len(seen) + 1
        state = desk.decide("ann", seen[-1], ACCEPT if len(seen) % 2 else REJECT)
    assert seen == ids
    assert state["progress"] == {"total": 6, "accepted": 3, "rejected": 3, "open": 0, "complete": 0, "seats": 2}
    assert desk.open("bob")["progress"]["open"] == 6


def test_lists_go_round_in_both_directions_and_leave_out_what_is_judged(desk, store) -> None:
    ids = store.sample_ids("ann", "all")
    desk.decide("ann", ids[1], ACCEPT)
    assert shown(desk.open("ann", ids[0], 1)) == ids[2]
    assert shown(desk.open("ann", ids[2], -1)) == ids[0]
    assert shown(desk.open("ann", ids[0], -1)) == ids[5]
    assert shown(desk.open("ann", ids[5], 1)) == ids[0]
    assert shown(desk.open("ann", ids[4], 0)) == ids[4]
    judged = desk.open("ann", which="judged")
    assert (shown(judged), judged["left"], judged["following"]) == (ids[1], 1, ids[1])
    assert shown(desk.open("ann", which="disagreements")) is None


def test_at_most_two_people_get_a_sample(desk, store) -> None:
    first, second, *_ = store.sample_ids("ann", "all")
    assert shown(desk.open("ann")) == shown(desk.open("bob")) == first
    # Both seats are held while both look at it, though nothing is decided yet.
    assert shown(desk.open("cid")) == second
    desk.decide("ann", first, ACCEPT)
    desk.decide("bob", first, REJECT)
    assert first not in [shown(desk.open("cid", each, 1)) for each in store.sample_ids("cid", "all")]
    with pytest.raises(CraftError, match="judged by ann and bob"):
        desk.decide("cid", first, ACCEPT)
    assert desk.open("cid")["progress"]["complete"] == 1


def test_with_one_seat_two_people_share_the_samples_out(store) -> None:
    desk = AuditDesk(store, seats=1)
    first, second, third, *_ = store.sample_ids("ann", "all")
    assert (shown(desk.open("ann")), shown(desk.open("bob"))) == (first, second)
    assert shown(desk.decide("ann", first, ACCEPT)) == third
    with pytest.raises(CraftError, match="judged by ann"):
        desk.decide("bob", first, ACCEPT)


def test_an_open_sample_is_free_again_after_a_while(store, monkeypatch) -> None:
    desk = AuditDesk(store, seats=1)
    first = shown(desk.open("ann"))
    assert shown(desk.open("bob")) != first
    monkeypatch.setattr(desk_module.time, "monotonic", lambda: 1e12)
    assert shown(desk.open("bob")) == first


def test_many_auditors_at_once_lose_nothing(store) -> None:
    desk = AuditDesk(store, seats=2)
    refused: list[str] = []

    def audit(name: str) -> None:
        state = desk.open(name)
        while state["sample"]:
            try:
                state = desk.decide(name, shown(state), ACCEPT)
            except CraftError as error:
                refused.append(str(error))
                state = desk.open(name, shown(state), 1)

    threads = [threading.Thread(target=audit, args=(name,)) for name in ("ann", "bob", "cid", "dee")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert store.judged_counts() == dict.fromkeys(store.sample_ids("ann", "all"), 2)
    assert not refused  # A sample that somebody has open is never offered to a third one.


# --- what is shown, and to whom ---


def test_a_sample_is_described_with_its_history_but_not_with_what_others_said(desk, store) -> None:
    first = store.sample_ids("ann", "all")[0]
    desk.decide("ann", first, {**ACCEPT, "expressions": ["mine"]})
    sample = desk.open("bob", first)["sample"]
    assert sample["decision"] is None
    assert sample["others"] == []
    assert (sample["width"], sample["height"], sample["change_type"]) == (200, 150, "appear")
    assert sample["expressions"] == ["the red block that appeared", "the only red block that appeared"]
    np.testing.assert_array_equal(decode_rle(sample["mask"]), store.sample(first).mask)
    assert [each["verdict"] for each in sample["rounds"]] == ["too_large", "accept"]
    desk.decide("bob", first, REJECT)
    sample = desk.open("bob", first)["sample"]
    assert [(each["auditor"], each["expressions"]) for each in sample["others"]] == [("ann", ["mine"])]
    assert (sample["decision"]["verdict"], sample["decision"]["reason"]) == ("reject", "not_a_change")


# --- decisions ---


def test_an_edited_mask_is_kept_pixel_by_pixel(desk, store) -> None:
    first = store.sample_ids("ann", "all")[0]
    mask = store.sample(first).mask.copy()
    mask[3, 7] = mask[149, 199] = True
    mask[20, 20] = False
    columns = mask.ravel(order="F")
    borders = [0, *np.flatnonzero(columns[1:] != columns[:-1]) + 1, columns.size]
    runs = np.diff(borders).tolist()  # as the page counts them, background first
    desk.decide("ann", first, {**ACCEPT, "mask": {"size": [150, 200], "counts": runs}})
    np.testing.assert_array_equal(store.decision(first, "ann").mask, mask)


def test_what_is_left_as_proposed_is_not_written(desk, store) -> None:
    first = store.sample_ids("ann", "all")[0]
    sample = desk.open("ann", first)["sample"]
    given = {name: sample[name] for name in ("expressions", "change_type", "mask")}
    desk.decide("ann", first, {**ACCEPT, **given, "reason": "other"})
    stored = store.decision(first, "ann")
    assert (stored.expressions, stored.change_type, stored.mask, stored.reason) == (None, None, None, None)
    desk.decide(
        "ann", first, {**ACCEPT, **given, "change_type": "state_change", "expressions": [" a  b\n", "", "a b"]}
    )
    stored = store.decision(first, "ann")
    assert (stored.expressions, stored.change_type) == (("a b",), ChangeType.STATE_CHANGE)


def test_undo_gives_back_the_sample_with_its_edits(desk, store) -> None:
    first, second, *_ = store.sample_ids("ann", "all")
    desk.decide("ann", first, {**ACCEPT, "expressions": ["edited"]})
    desk.decide("ann", second, REJECT)
    assert shown(desk.undo("ann")) == second
    state = desk.undo("ann")
    assert (shown(state), state["undone"]["expressions"], state["sample"]["decision"]) == (first, ["edited"], None)
    with pytest.raises(CraftError, match="ann has no decision to undo"):
        desk.undo("ann")


def test_who_undoes_after_seeing_the_others_is_not_independent_any_more(desk, store) -> None:
    first, second, *_ = store.sample_ids("ann", "all")
    for sample_id in (first, second):
        desk.decide("bob", sample_id, REJECT)
        desk.decide("ann", sample_id, ACCEPT)
    # Of the second one, ann sees what bob said; the first one she corrects without having seen anything.
    assert desk.open("ann", second)["sample"]["others"]
    for _ in range(2):
        desk.undo("ann")
    again = AuditDesk(store, seats=2)  # It is remembered when the server starts again.
    for sample_id in (first, second):
        again.decide("ann", sample_id, REJECT)
    assert [store.decision(each, "ann").settled for each in (first, second)] == [False, True]
    assert store.agreement("ann", "bob").total == 1


def test_nothing_is_stored_if_the_next_list_does_not_exist(desk, store) -> None:
    first = store.sample_ids("ann", "all")[0]
    with pytest.raises(CraftError, match="no list 'bogus'"):
        desk.decide("ann", first, ACCEPT, "bogus")
    assert store.decision(first, "ann") is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "verdict is None"),
        ({"verdict": "maybe"}, "verdict is 'maybe'"),
        ({**ACCEPT, "mood": 1}, "no 'mood'"),
        ({**ACCEPT, "comment": 7}, "comment must be text"),
        ({**ACCEPT, "comment": "x" * 2000}, "at most 1000 characters"),
        ({**ACCEPT, "expressions": "one"}, "sentences are str"),
        ({**ACCEPT, "expressions": [1]}, "sentences are list"),
        ({**ACCEPT, "expressions": ["x" * 501]}, "501 characters"),
        ({**ACCEPT, "expressions": list(map(str, range(21)))}, "21 sentences"),
        ({**ACCEPT, "change_type": "unknown"}, "change type is 'unknown'"),
        ({**ACCEPT, "change_type": []}, "change type is"),
        ({**ACCEPT, "mask": [1]}, "mask is list"),
        ({**ACCEPT, "mask": {"size": [10**9, 10**9], "counts": [10**18]}}, r"150 x 200 \(height x width\)"),
        ({**ACCEPT, "mask": {"size": [150, 200], "counts": [1, 2]}}, "damaged RLE"),
        ({**ACCEPT, "mask": {"size": [150, 200], "counts": [{}]}}, "cannot be read"),
        ({**ACCEPT, "mask": {"size": [150, 200]}}, "cannot be read"),
        ({**ACCEPT, "mask": {"size": [150, 200], "counts": [30000]}}, "is empty"),
        ({**ACCEPT, "expressions": ["", " ", "\u200b"]}, "at least one sentence"),
        ({"verdict": "reject"}, "not a reason to reject"),
        ({"verdict": "reject", "reason": "mood"}, "not a reason to reject"),
        ({"verdict": "reject", "reason": ["other"]}, "not a reason to reject"),
    ],
)
def test_what_cannot_hold_is_refused_and_not_written(desk, store, given, message) -> None:
    first = store.sample_ids("ann", "all")[0]
    with pytest.raises(CraftError, match=message):
        desk.decide("ann", first, given)
    assert store.decisions(first) == []


def test_names_and_samples_that_are_none(desk) -> None:
    for name in ("", " ", "x" * 41, "<b>", "a/b", "ann\n"):
        with pytest.raises(CraftError, match="not a valid name"):
            desk.open(name)
    with pytest.raises(CraftError, match="no sample nothing"):
        desk.open("ann", "nothing")
    with pytest.raises(CraftError, match="no list 'mine'"):
        desk.open("ann", which="mine")


def test_every_reason_of_the_store_can_be_given(desk, store) -> None:
    sample = store.sample(store.sample_ids("ann", "all")[0])
    for reason in REJECT_REASONS:
        assert read_decision({"verdict": "reject", "reason": reason, "comment": " so "}, sample).comment == "so"


# --- agreement ---


def judge(desk: AuditDesk, name: str, verdicts: str) -> None:
    """One letter a sample, in order: a(ccept), r(eject)."""
    for sample_id, letter in zip(desk.store.sample_ids(name, "all"), verdicts):
        desk.decide(name, sample_id, ACCEPT if letter == "a" else REJECT)


def test_kappa_of_two_auditors(desk, store) -> None:
    judge(desk, "ann", "aaarrr")
    judge(desk, "bob", "aarrra")
    # They agree on 4 of 6; each accepts half, so chance gives 1/2: (4/6 - 1/2) / (1 - 1/2) = 1/3.
    assert agreement_rows(store) == [["ann and bob", "6", "2", "1", "1", "2", "0.33"]]
    ids = store.sample_ids("ann", "all")
    assert [row[:2] for row in disagreement_rows(store)] == [[ids[2], "verdict"], [ids[5], "verdict"]]
    assert disagreement_rows(store)[0][2] == "ann accepted · bob rejected (not a change)"


def test_kappa_has_no_value_if_everybody_always_says_the_same(desk, store) -> None:
    judge(desk, "ann", "aa")
    judge(desk, "bob", "aa")
    assert agreement_rows(store) == [["ann and bob", "2", "2", "0", "0", "0", "–"]]


def test_a_disagreement_is_settled_in_view_of_both_without_changing_kappa(desk, store) -> None:
    judge(desk, "ann", "ar")
    judge(desk, "bob", "rr")
    kappa = agreement_rows(store)
    state = desk.open("bob", which="disagreements")
    other = state["sample"]["others"][0]
    assert (state["left"], other["auditor"], other["verdict"]) == (1, "ann", "accept")
    taken = {name: other[name] for name in ("verdict", "expressions", "change_type", "mask")}
    assert shown(desk.decide("bob", shown(state), taken, "disagreements")) is None
    assert disagreement_rows(store) == []
    assert agreement_rows(store) == kappa
    assert [each.sample_id for each in store.accepted_samples(2)] == [shown(state)]


def test_masks_sentences_and_types_that_differ_are_listed(desk, store) -> None:
    ids = store.sample_ids("ann", "all")
    judge(desk, "ann", "aaa")
    mask = store.sample(ids[0]).mask.copy()
    mask[:, :30] = True
    desk.decide("bob", ids[0], {**ACCEPT, "mask": encode_rle(mask)})
    desk.decide("bob", ids[1], {**ACCEPT, "expressions": ["other"]})
    desk.decide("bob", ids[2], {**ACCEPT, "change_type": "state_change"})
    rows = disagreement_rows(store)
    assert [row[1] for row in rows] == ["mask", "sentences", "change type"]
    assert rows[0][2].startswith("IoU 0.")
    assert rows[1][2] == "ann: as proposed · bob: other"
    assert rows[2][2] == "ann: as proposed · bob: state change"
    assert summary_of(store) == "**3 disagreements.** 2 people have judged samples."
    page, same = disagreement_html(store, ids[0]), disagreement_html(store, ids[3])
    assert [page.count("<li"), same.count("<li")] == [3, 1]  # a line for each version
    assert "with the proposal" in page
