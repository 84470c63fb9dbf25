# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The audit of a team: links, and two auditors and an adjudicator in browsers of their own at the same time."""

import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from craft_agent.audit.store import AuditStore
from craft_agent.audit.team import AuditTeam
from craft_agent.command_line import main
from tests.craft_agent.audit.audit_browser import Browser, serve, wait_for
from tests.craft_agent.small_work import make_work


pytest.importorskip("gradio", reason="gradio is not installed")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return make_work(tmp_path, pairs=1)


@pytest.fixture
def links(work: Path) -> Iterator[dict[str, str]]:
    team = AuditTeam(work)
    tokens = {name: team.invite(name) for name in ("ann", "bob")}
    tokens["carl"] = team.invite("carl", "adjudicator")
    with serve(work) as address:
        yield {"": address, **{name: f"{address}?token={token}" for name, token in tokens.items()}}


def status(address: str, opener: urllib.request.OpenerDirector | None = None) -> tuple[int, str]:
    try:
        with (opener or urllib.request.build_opener()).open(address) as answer:
            return answer.status, answer.url
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_only_those_who_were_invited_are_answered(links: dict[str, str]) -> None:
    for path in ("", "?token=wrong", "config", "gradio_api/info", "audit/image?run=x&sample=y&date=t1"):
        code, said = status(links[""] + path)
        assert code == 403, path
        assert "open the link that was sent to you" in said
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    code, address = status(links["ann"], opener)
    assert (code, "token" in address) == (200, False), "the token does not stay in the address"
    assert status(f"{links['']}config", opener)[0] == 200


def test_a_running_page_follows_invitations(work: Path) -> None:
    team = AuditTeam(work)
    with serve(work) as address:
        assert status(address)[0] == 200
        token = team.invite("ann")
        assert status(address)[0] == 403
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        assert status(f"{address}?token={token}", opener)[0] == 200
        assert main(["audit", str(work), "--withdraw", "ann", "--invite", "bob"]) == 2
        assert status(address, opener)[0] == 200
        assert main(["audit", str(work), "--withdraw", "ann"]) == 0
        assert status(address, opener)[0] == 403


def test_a_link_does_not_lead_to_another_server(links: dict[str, str]) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments: Any, **named: Any) -> None:
            return None

    address, token = links["ann"].split("?")
    with pytest.raises(urllib.error.HTTPError) as found:
        urllib.request.build_opener(Stay).open(f"{address}/example.org/?{token}")
    assert (found.value.code, found.value.headers["location"]) == (303, "/example.org/")
    # With "strict", browsers hold the cookie back if the link stands in a page of another site, such as a web mail.
    assert "samesite=lax" in found.value.headers["set-cookie"].lower()


def test_two_auditors_and_an_adjudicator_at_once(
    work: Path, links: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = AuditStore(work)
    first, second, third = store.sample_ids("ann", "all")
    browsers = {name: Browser(tmp_path_factory.mktemp(name)) for name in ("ann", "bob", "carl")}
    try:
        ann, bob, carl = browsers.values()
        for name in ("ann", "bob"):
            browsers[name].open(links[name])
        assert ann.texts(".audit-auditor") == ["ann"]
        assert ann.title() == bob.title() == first
        ann.press("a", "a")
        bob.press("a", "r", "2")
        assert (ann.title(), bob.title()) == (third, third)
        carl.driver.get(links["carl"])
        wait_for(lambda: carl.driver.find_elements("css selector", '.audit[data-state="work"]:not([aria-busy])'))
        assert carl.title() == second
        assert carl.texts(".audit-other .audit-verdict") == [
            "ann accepted this",
            "bob rejected this: the mask is on the wrong object",
        ]
        assert carl.texts(".audit-counts") == ["1 to settle · 0 accepted · 0 rejected"]
        # Meanwhile the auditors go on.
        ann.press("a")
        carl.press("r", "2")
        carl.settle("finished")
        assert carl.texts(".audit-finished h2") == ["There is nothing to settle."]
        bob.press("a")
        wait_for(lambda: store.decision(third, "bob"))
        decided = {each.auditor: (each.verdict, each.final) for each in store.decisions(second)}
        assert decided == {"ann": ("accept", False), "bob": ("reject", False), "carl": ("reject", True)}
        assert [sample.sample_id for sample in store.accepted_samples(2)] == [first, third]
        # The name in the page is that of the link, whatever a page says.
        assert "token" not in ann.driver.current_url
    finally:
        for browser in browsers.values():
            browser.close()


def test_the_command_prints_a_link_for_each(work: Path) -> None:
    command = [sys.executable, "-m", "craft_agent", "audit", str(work), "--port", "0", "--invite", "ann"]
    command += ["--adjudicator", "carl", "--order", "confidence", "--share", "0.5"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
    finally:
        process.terminate()
        process.wait(60)
    found = dict(re.findall(r"^(\w+ \(\w+\)): http://127\.0\.0\.1:\d+/\?token=(\S+)$", "".join(lines), re.MULTILINE))
    team = AuditTeam(work)
    assert list(found) == ["ann (auditor)", "carl (adjudicator)"]
    assert [getattr(team.person(token), "name", None) for token in found.values()] == ["ann", "carl"]
    assert (team.plan.order, team.plan.share) == ("confidence", 0.5)
