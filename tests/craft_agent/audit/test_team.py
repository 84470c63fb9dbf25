# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Invitations, the plan of an audit, adjudication, and what each auditor did."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from craft_agent.audit.auditors import AUDITOR_HEADERS, auditor_rows
from craft_agent.audit.desk import AuditDesk
from craft_agent.audit.funnel import read_funnel
from craft_agent.audit.store import AuditStore
from craft_agent.audit.team import AuditPlan, AuditTeam, Person, choose_auditors
from craft_agent.errors import CraftError
from craft_agent.state.store import Store
from tests.craft_agent.small_work import make_work


ACCEPT, REJECT = {"verdict": "accept"}, {"verdict": "reject", "reason": "wrong_object"}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return make_work(tmp_path, pairs=4)


@pytest.fixture
def store(work: Path) -> AuditStore:
    return AuditStore(work)


@pytest.fixture
def team(work: Path) -> AuditTeam:
    return AuditTeam(work)


@pytest.fixture
def desk(store: AuditStore, team: AuditTeam) -> AuditDesk:
    return AuditDesk(store, 2, team)


def opened(desk: AuditDesk, name: str) -> list[str]:
    """All samples that somebody gets, in their order, accepting each."""
    found = []
    state: dict[str, Any] = desk.open(name)
    while state["sample"] is not None:
        found.append(state["sample"]["sample_id"])
        state = desk.decide(name, found[-1], ACCEPT)
    return found


def test_a_token_is_of_one_person_and_is_not_stored(team: AuditTeam, work: Path) -> None:
    token = team.invite("ann")
    other = team.invite("carl", "adjudicator")
    assert len(token) >= 32
    assert team.person(token) == Person("ann", "auditor")
    assert team.person(other) == Person("carl", "adjudicator")
    assert team.person("") is team.person("x" * 32) is None
    assert token.encode() not in b"".join(path.read_bytes() for path in work.glob("*") if path.is_file())
    newer = team.invite("ann")
    assert team.person(token) is None, "a new link ends the old one"
    assert team.person(newer) == Person("ann", "auditor")
    assert [each.name for each in AuditTeam(work).people()] == ["ann", "carl"]
    with pytest.raises(CraftError, match="not a valid name"):
        team.invite("<b>")


def test_a_withdrawn_invitation_is_not_valid_until_the_next(team: AuditTeam, desk: AuditDesk, work: Path) -> None:
    tokens = {name: team.invite(name) for name in ("ann", "bob", "cleo")}
    shared = set(opened(desk, "ann"))
    team.withdraw("bob")
    assert team.person(tokens["bob"]) is None
    assert [person.name for person in team.people()] == ["ann", "cleo"]
    assert set(opened(desk, "ann")) | shared == {*AuditStore(work).sample_ids("ann", "all")}
    with pytest.raises(CraftError, match="'bob' is not invited; invited are: ann, cleo"):
        team.withdraw("bob")
    assert team.person(team.invite("bob")) == Person("bob", "auditor")
    for name in tokens:
        team.withdraw(name)
    assert team.is_closed, "the page does not become open to everybody"
    assert team.people() == []


def test_a_plan_is_kept_with_the_run(team: AuditTeam, work: Path) -> None:
    assert team.plan == AuditPlan()
    team.set_plan(AuditPlan("confidence", 0.5))
    assert AuditTeam(work).plan == AuditPlan("confidence", 0.5)
    assert Store(work).settings.pairs, "the settings of the run can still be read"
    for wrong in ({"order": "size"}, {"share": 0.0}, {"share": 1.5}, {"share": float("nan")}):
        with pytest.raises(CraftError):
            AuditPlan(**wrong)


def test_a_share_is_always_the_same_samples(team: AuditTeam, store: AuditStore, desk: AuditDesk) -> None:
    every = store.sample_ids("ann", "all")
    team.set_plan(AuditPlan(share=0.5))
    part = team.planned()
    assert 0 < len(part) < len(every)
    assert part == team.planned() == [sample for sample in every if sample in part]
    assert opened(desk, "ann") == part
    assert desk.open("ann")["progress"]["total"] == len(part)
    team.set_plan(AuditPlan(share=0.8))
    assert set(part) <= set(team.planned()), "a larger share only adds"


def test_the_least_sure_and_the_most_disputed_come_first(team: AuditTeam, store: AuditStore, desk: AuditDesk) -> None:
    every = store.sample_ids("ann", "all")
    with store._database.transaction() as connection:
        # The last attempt of one sample becomes unsure, another one loses its first attempt.
        place = "pair_id = (SELECT pair_id FROM samples WHERE sample_id = ?) AND candidate = 1"
        score = "json_set(content, '$.score', 0.2)"
        connection.execute(f"UPDATE rounds SET content = {score} WHERE {place} AND round = 1", (every[4],))
        connection.execute(f"DELETE FROM rounds WHERE {place} AND round = 0", (every[1],))
        # Of a third one, the first attempt is kept and the last one is unsure.
        place = place.replace("= 1", "= 0")
        connection.execute(f"UPDATE proposals SET best = 0 WHERE {place}", (every[0],))
        score = "json_set(content, '$.score', CASE round WHEN 1 THEN 0.1 ELSE 1.0 END)"
        connection.execute(f"UPDATE rounds SET content = {score} WHERE {place}", (every[0],))
    team.set_plan(AuditPlan("confidence"))
    order = opened(desk, "ann")
    assert (order[0], order[-1]) == (every[4], every[0])
    team.set_plan(AuditPlan("disagreement"))
    order = opened(desk, "bob")
    assert order[0] == every[4]
    assert order[-1] == every[1]
    assert sorted(order) == sorted(every)


def test_auditors_meet_equally_often() -> None:
    names = ["ann", "bob", "cleo", "dan"]
    found = Counter(choose_auditors(f"sample_{number}", names, 2) for number in range(3000))
    assert len(found) == 6
    assert max(found.values()) < 1.25 * min(found.values())
    assert choose_auditors("x", names[:2], 2) == ("ann", "bob")
    assert choose_auditors("x", [], 2) == ()


def test_each_gets_what_is_assigned(team: AuditTeam, desk: AuditDesk, store: AuditStore) -> None:
    for name in ("ann", "bob", "cleo"):
        team.invite(name)
    every = store.sample_ids("ann", "all")
    count = Counter(sample for name in ("ann", "bob", "cleo") for sample in opened(desk, name))
    assert count == dict.fromkeys(every, 2)


def test_an_adjudicator_has_the_last_word(team: AuditTeam, desk: AuditDesk, store: AuditStore, work: Path) -> None:
    for name in ("ann", "bob"):
        team.invite(name)
    team.invite("carl", "adjudicator")
    first, second, third, *_ = store.sample_ids("ann", "all")
    for sample, said in ((first, (ACCEPT, REJECT)), (second, (ACCEPT, REJECT)), (third, (ACCEPT, ACCEPT))):
        desk.decide("ann", sample, said[0])
        desk.decide("bob", sample, said[1])
    state = desk.open("carl")
    assert (state["role"], state["left"], state["sample"]["sample_id"]) == ("adjudicator", 2, first)
    assert [(each["auditor"], each["verdict"]) for each in state["sample"]["others"]] == [
        ("ann", "accept"),
        ("bob", "reject"),
    ], "both versions are seen before deciding"
    edited = {**ACCEPT, "expressions": ["the block that carl describes"]}
    state = desk.decide("carl", first, edited)
    assert (state["left"], state["sample"]["sample_id"]) == (1, second)
    state = desk.decide("carl", second, REJECT)
    assert (state["left"], state["sample"]) == (0, None)
    assert store.disagreements() == []
    accepted = {sample.sample_id: sample for sample in store.accepted_samples(2)}
    assert set(accepted) == {first, third}
    assert accepted[first].expressions == ("the block that carl describes",)
    # A later change of mind of an auditor does not undo it, but the adjudicator can.
    desk.decide("bob", second, ACCEPT)
    assert second not in {sample.sample_id for sample in store.accepted_samples(2)}
    assert desk.undo("carl")["sample"]["sample_id"] == second
    assert [each.sample_id for each in store.disagreements()] == []
    assert second in {sample.sample_id for sample in store.accepted_samples(2)}
    assert store.agreement("ann", "carl").kappa is None, "who sees the others' verdicts does not count"
    assert read_funnel(Store(work)).stages[-1].count == 3


def test_what_each_auditor_did(desk: AuditDesk, team: AuditTeam, store: AuditStore) -> None:
    team.invite("carl", "adjudicator")
    first, second, third, *_ = store.sample_ids("ann", "all")
    desk.decide("ann", first, {**ACCEPT, "expressions": ["another sentence"]})
    desk.decide("ann", second, ACCEPT)
    desk.decide("ann", third, REJECT)
    desk.decide("bob", second, REJECT)
    desk.decide("bob", third, REJECT)
    desk.decide("carl", second, REJECT)
    rows = {row[0]: dict(zip(AUDITOR_HEADERS, row, strict=True)) for row in auditor_rows(store)}
    assert set(rows) == {"ann", "bob", "carl"}
    ann = rows["ann"]
    assert [ann[name] for name in AUDITOR_HEADERS[1:6]] == ["3", "2", "1", "50 % of 2", "1"]
    assert [rows["bob"][name] for name in AUDITOR_HEADERS[1:6]] == ["2", "0", "0", "50 % of 2", "0"]
    assert float(ann["seconds each"]) < 300
    assert rows["carl"]["same as others"] == "–"


def test_a_settled_disagreement_still_counts_as_one(desk: AuditDesk, store: AuditStore) -> None:
    first, second, *_ = store.sample_ids("ann", "all")
    for sample_id, verdict in ((first, ACCEPT), (second, REJECT)):
        desk.decide("ann", sample_id, REJECT)
        desk.decide("bob", sample_id, verdict)
    desk.decide("ann", first, ACCEPT)
    column = AUDITOR_HEADERS.index("same as others")
    assert [row[column] for row in auditor_rows(store)] == ["50 % of 2"] * 2


def test_a_run_of_before_gets_the_new_tables(work: Path) -> None:
    with AuditStore(work)._database.transaction() as connection:
        connection.execute("DROP TABLE finals")
        connection.execute("DROP TABLE people")
        connection.execute("DROP TABLE seen")
    assert AuditTeam(work).people() == []
    assert AuditDesk(AuditStore(work), 2).open("ann")["sample"] is not None
