# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The audit page as people use it, in a headless Chromium."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from craft_agent.audit.store import AuditStore
from tests.craft_agent.audit.audit_browser import Browser, serve, wait_for
from tests.craft_agent.small_work import make_work


@pytest.fixture(scope="module")
def ann(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("ann"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def bob(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("bob"), (420, 860))
    yield browser
    browser.close()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return make_work(tmp_path, pairs=2)


@pytest.fixture
def store(work: Path) -> AuditStore:
    return AuditStore(work)


@pytest.fixture
def url(work: Path) -> Iterator[str]:
    with serve(work) as address:
        yield address


def test_accept_reject_edit_and_undo_by_keys(ann, url, store) -> None:
    first, second, third, *_ = store.sample_ids("ann", "all")
    ann.open(url, "ann")
    assert ann.title() == first
    ann.press("s", " at the left", "\ue00c")  # Escape
    ann.press("t", "a")
    assert ann.title() == second
    stored = store.decision(first, "ann")
    assert stored.verdict == "accept"
    assert stored.expressions == (
        "the red block that appeared at the left",
        "the only red block that appeared",
    )
    assert (stored.change_type.value, stored.mask) == ("disappear", None)

    ann.press("r")
    assert ann.find("reasons").is_displayed()
    ann.press("3")
    assert (store.decision(second, "ann").verdict, store.decision(second, "ann").reason) == ("reject", "wrong_mask")
    assert ann.title() == third
    assert ann.texts(".audit-counts") == ["1 accepted · 1 rejected · 4 left for you · 0 of 6 judged by two people"]

    ann.press("u")
    assert (ann.title(), store.decision(second, "ann")) == (second, None)
    ann.press("u")
    assert (ann.title(), store.decision(first, "ann")) == (first, None)
    assert ann.texts(".audit-sentence textarea")[0] == "the red block that appeared at the left"
    ann.press("x")
    assert ann.texts(".audit-sentence textarea")[0] == "the red block that appeared"
    ann.press("u")  # the return to the proposal is undone as well
    assert ann.texts(".audit-sentence textarea")[0] == "the red block that appeared at the left"
    ann.press("u")
    assert "ann has no decision to undo" in ann.texts(".audit-trouble")[0]


def test_the_same_by_mouse_with_sentences_removed_and_added(ann, url, store) -> None:
    first, second, *_ = store.sample_ids("ann", "all")
    ann.open(url, "ann")
    ann.click(".audit-sentence:nth-child(2) button")
    ann.click('[data-do="add"]')
    ann.press("a new one", "\ue00c")
    ann.click('[data-type="state_change"]')
    ann.click('[data-do="accept"]')
    stored = store.decision(first, "ann")
    assert stored.expressions == ("the red block that appeared", "a new one")
    assert stored.change_type.value == "state_change"
    ann.click('[data-do="reject"]')
    ann.find("comment").send_keys("hard to say")
    ann.click('[data-reason="ambiguous_sentence"]')
    assert store.decision(second, "ann").comment == "hard to say"
    ann.click('[data-do="previous"]')
    ann.click('[data-which="judged"]')
    assert ann.title() == first
    assert ann.texts(".audit-standing") == ["You accepted this"]


def test_keys_paint_and_erase_exactly_the_pixels_that_are_meant(ann, url, store) -> None:
    first = store.sample_ids("ann", "all")[0]
    proposed = store.sample(first).mask
    ann.open(url, "ann")
    ann.press("b", *"[[[[[[[[")  # one pixel wide
    ann.press("\ue014", "p", "\ue014", "\ue014", "\ue015", "p")  # right, down, right, right, lower, up
    ann.press("e")
    ann.script("document.querySelector('.audit-stage').viewer.cursor = { x: 20.5, y: 20.5 };")
    ann.press("p", "p")
    assert ann.texts(".audit-facts") == ["1,203 pixels · 4.0 % · +4 −1 against the proposal"]
    ann.press("a")
    wanted = proposed.copy()
    wanted[75, 101:104] = wanted[76, 103] = True
    wanted[20, 20] = False
    np.testing.assert_array_equal(store.decision(first, "ann").mask, wanted)


@pytest.mark.parametrize("view", ["1", "5"])
def test_a_brush_stroke_touches_nothing_else_and_is_undone(ann, url, store, view) -> None:
    first = store.sample_ids("ann", "all")[0]
    proposed = store.sample(first).mask
    ann.open(url, "ann")
    ann.press(view, "b", "+")
    ann.drag((90, 60), (120, 90), panel=0)
    assert "against the proposal" in ann.texts(".audit-facts")[0]
    ann.press("u")
    assert ann.texts(".audit-facts") == ["1,200 pixels · 4.0 % · as proposed"]
    ann.drag((90, 60), (120, 90))
    ann.press("a")
    mask = store.decision(first, "ann").mask
    added = np.argwhere(mask & ~proposed)
    # A line of 45 degrees from (90, 60) to (120, 90), twelve pixels wide, whatever the scale of the screen.
    assert not (proposed & ~mask).any()
    assert 350 < len(added) < 650
    assert added.min(axis=0).tolist() >= [52, 82]
    assert added.max(axis=0).tolist() <= [98, 128]
    distance = np.abs((added[:, 1] - 90) - (added[:, 0] - 60)) / np.sqrt(2)
    assert distance.max() < 8


def test_views_show_what_they_say(ann, url, store) -> None:
    ann.open(url, "ann")
    # The middle of the red block, which is there at t2 only.
    probe = """
        const { viewer } = document.querySelector(".audit-stage");
        const { x, y } = viewer.corner(viewer.panels[arguments[0]]);
        const place = [x + 40.5 * viewer.scale, y + 35.5 * viewer.scale];
        const [red, green] = viewer.panels[arguments[0]].canvas.getContext("2d").getImageData(...place, 1, 1).data;
        return red > 180 && green < 80;
    """
    ann.press("m", "m")  # no mask over it
    for keys, wanted in (("1", [False, True]), ("2", [False]), ("3", [True])):
        ann.press(*keys)
        for panel, is_red in enumerate(wanted):
            wait_for(lambda panel=panel, is_red=is_red: ann.script(probe, panel) is is_red)
    ann.press("5")
    wait_for(lambda: ann.script(probe, 0) is False)
    ann.press(*["," for _ in range(13)])  # The line moves to the left of the block.
    wait_for(lambda: ann.script(probe, 0) is True)
    ann.press("4")
    for is_red in (True, False, True):
        wait_for(lambda is_red=is_red: ann.script(probe, 0) is is_red)
    ann.press("2")
    stage = "document.querySelector('.audit-stage')"
    key = f"{stage}.dispatchEvent(new KeyboardEvent(arguments[0], {{ key: ' ', bubbles: true }}));"
    for event, is_red in (("keydown", True), ("keyup", False)):
        ann.script(key, event)
        wait_for(lambda is_red=is_red: ann.script(probe, 0) is is_red)
    ann.press("m")
    assert ann.texts("[data-overlay][aria-pressed=true]") == ["Fill"]


def test_edits_outlive_the_browser(tmp_path, url, store) -> None:
    first = store.sample_ids("ann", "all")[0]
    browser = Browser(tmp_path / "profile")
    browser.open(url, "ann")
    browser.press("s", " edited", "\ue00c", "b")
    browser.drag((90, 60), (95, 60))
    facts = browser.texts(".audit-facts")
    browser.close()
    assert store.decisions(first) == []
    browser = Browser(tmp_path / "profile")
    browser.open(url, "ann")
    assert browser.texts(".audit-sentence textarea")[0] == "the red block that appeared edited"
    assert browser.texts(".audit-facts") == facts
    assert browser.texts(".audit-standing") == ["Not judged by you yet · edited, not decided"]
    browser.press("a")
    assert store.decision(first, "ann").mask[60, 92]
    browser.close()


def test_two_auditors_at_once_and_what_they_settle(ann, bob, url, store) -> None:
    first, second, third, *_ = store.sample_ids("ann", "all")
    ann.open(url, "ann")
    bob.open(url, "bob")
    assert ann.title() == bob.title() == first
    ann.press("s", " at the left", "\ue00c", "a")
    # Bob sees nothing of that: neither the verdict nor the edit.
    assert not bob.find("other").is_displayed()
    assert bob.texts(".audit-sentence textarea")[0] == "the red block that appeared"
    bob.press("a", "a", "r", "1")
    ann.press("a", "a")
    assert [store.judged_counts()[each] for each in (first, second, third)] == [2, 2, 2]
    assert [each.kind for each in store.disagreements()] == ["sentences", "verdict"]
    assert bob.script("return document.documentElement.scrollWidth <= innerWidth")

    bob.press("g", "g")
    assert bob.title() == first
    assert "ann accepted this" in bob.texts(".audit-other")[0]
    bob.press("o", "a")  # takes Ann's sentence over
    assert store.decision(first, "bob").expressions == store.decision(first, "ann").expressions
    assert store.decision(first, "bob").settled
    assert bob.title() == third
    ann.press("g", "g")
    assert "bob rejected this: not a change" in ann.texts(".audit-other")[0]
    ann.press("o")
    assert ann.texts("[data-reason][aria-pressed=true]") == ["1Not a change"]
    ann.press("1")
    ann.settle("finished")
    assert store.disagreements() == []
    assert [each.sample_id for each in store.accepted_samples(2)] == [first, second]
    assert store.agreement("ann", "bob").only_first == 1  # as it was before they saw each other's


def test_the_agreement_tab_shows_no_empty_tables(ann, url) -> None:
    ann.open(url + "?auditor=ann")
    ann.driver.find_element("xpath", "//button[@role='tab' and contains(., 'Agreement')]").click()
    wait_for(lambda: "Nobody has judged a sample yet." in "".join(ann.texts(".audit-summary")))
    assert not [each for each in ann.driver.find_elements("css selector", ".audit-tables") if each.is_displayed()]
    # What explains a table comes with it.
    assert not any("kappa" in text for text in ann.texts(".audit-about"))


def test_the_agreement_tab_lists_and_draws_what_differs(ann, url, store) -> None:
    ann.open(url + "?auditor=ann")
    ann.press("a")
    ann.open(url + "?auditor=bob")
    ann.press("r", "8")
    ann.driver.find_element("xpath", "//button[@role='tab' and contains(., 'Agreement')]").click()
    cells = ".audit-disagreements td"
    wait_for(lambda: "ann accepted · bob rejected (something else)" in "".join(ann.texts(cells)))
    title = ann.script("const [first] = document.querySelectorAll('.audit-head h2'); return first.textContent")
    ann.press("j")  # Keys are for the tab that is shown.
    assert ann.script("return document.querySelector('.audit-head h2').textContent") == title
    row = f"//*[contains(@class, 'audit-disagreements')]//*[text()='{store.sample_ids('ann', 'all')[0]}']"
    wait_for(lambda: [each for each in ann.driver.find_elements("xpath", row) if each.is_displayed()])[0].click()
    notes = wait_for(lambda: ann.texts(".audit-versions .pv-note"))
    assert notes[1:] == ["IoU 1.00 with the proposal", "something else"]
    # The view runs: its panes have a place.
    assert wait_for(lambda: ann.script("return document.querySelector('.audit-versions .pv-pane').offsetWidth")) > 100


def test_a_disagreement_that_was_settled_meanwhile_is_said(ann, url, store) -> None:
    ann.open(url + "?auditor=ann")
    ann.press("a")
    ann.open(url + "?auditor=bob")
    ann.press("r", "8")
    ann.driver.find_element("xpath", "//button[@role='tab' and contains(., 'Agreement')]").click()
    row = f"//*[contains(@class, 'audit-disagreements')]//*[text()='{store.sample_ids('ann', 'all')[0]}']"
    shown = wait_for(lambda: [each for each in ann.driver.find_elements("xpath", row) if each.is_displayed()])
    store.undo("bob")
    shown[0].click()
    wait_for(lambda: "is no longer a disagreement" in "".join(ann.texts(".toast-body")))


def test_a_server_that_is_away_takes_nothing_along(ann, url, store) -> None:
    first, second, *_ = store.sample_ids("ann", "all")
    ann.open(url, "ann")
    ann.press("s", " edited", "\ue00c")
    ann.script("window.realFetch = window.fetch; window.fetch = () => Promise.reject(new TypeError('away'));")
    ann.press("a")
    assert "server does not answer" in ann.texts(".audit-trouble")[0]
    assert (ann.title(), store.decisions(first)) == (first, [])
    ann.script("window.fetch = window.realFetch;")
    ann.press("a")
    assert not ann.find("trouble").is_displayed()
    assert (ann.title(), store.decision(first, "ann").expressions[0]) == (second, "the red block that appeared edited")


def test_markup_in_the_data_stays_text_and_nothing_is_fetched_from_elsewhere(ann, work, store) -> None:
    evil = "</script><img src=x onerror=document.title='broken'>{{value}}${value}"
    with sqlite3.connect(work / "craft.sqlite") as connection:
        connection.execute("UPDATE samples SET expressions = json_array(?)", (evil,))
    connection.close()
    with serve(work, auditor="ann.b") as url:
        ann.addresses()
        ann.driver.get_log("browser")
        ann.open(url)
        assert ann.texts(".audit-auditor") == ["ann.b"]
        assert ann.texts(".audit-sentence textarea") == [evil]
        assert ann.driver.title == "Audit of work"
        foreign = {each for each in ann.addresses() if not each.startswith((url, "data:", "blob:", "chrome:"))}
        assert not foreign
        errors = [entry["message"] for entry in ann.driver.get_log("browser") if entry["level"] == "SEVERE"]
        assert not errors


def test_missing_images_are_reported_and_skipped(ann, work, store) -> None:
    (work.parent / "pairs/A/place_000.png").unlink()
    with serve(work) as url:
        ann.open(url, "ann")
        assert "images of place_000_0" in ann.texts(".audit-trouble")[0]
        ann.press("k")
        assert ann.title() == "place_001_2"
        assert not ann.find("trouble").is_displayed()


def test_a_mask_of_one_pixel_is_seen_however_small_it_is_shown(ann, url) -> None:
    ann.open(url, "ann")
    # As if the image were so large that it is shown at a sixteenth of its size or so.
    seen = ann.script(
        """
        const { viewer } = document.querySelector(".audit-stage");
        const mask = new Uint8Array(12000 * 9000);
        mask[4503 * 12000 + 6001] = 1;
        viewer.setView("t2");
        viewer.show(viewer.images, 12000, 9000, mask, null);
        const panel = viewer.panels[0];
        const { x, y } = viewer.corner(panel);
        const place = [x + 6001.5 * viewer.scale - 4, y + 4503.5 * viewer.scale - 4, 9, 9];
        const [without, withMask] = ["off", "outline"].map((overlay) => {
          viewer.overlay = overlay;
          viewer.draw(panel, "t2");
          return panel.canvas.getContext("2d").getImageData(...place).data;
        });
        return withMask.filter((value, index) => Math.abs(value - without[index]) > 60).length;
        """
    )
    assert seen >= 16
