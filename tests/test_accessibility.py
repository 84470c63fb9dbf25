# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Pages for everybody: names of fields and buttons, texts for images, headings.

Colours are checked in `tests/mtrefseg/test_looks.py`. With `AXE=node_modules/axe-core/axe.min.js` in the environment,
axe-core looks at the same pages and finds nothing serious.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataset_scripts.pages.browse_page import write_page
from dataset_scripts.readers import open_pairs
from mtrefseg.serve import ServeOptions
from mtrefseg.serve.engine import Engine
from mtrefseg.view.predictions import load_predictions, worst_first
from mtrefseg.view.report_page import write_report
from tests.browser_pages import needs_browser
from tests.craft_agent.audit.audit_browser import Browser, serve, wait_for
from tests.craft_agent.small_work import make_work


ROOT = Path(__file__).parents[1]
AXE = os.environ.get("AXE", "")
CHECKS = """
const text = (each) => (each.getAttribute("aria-label") || each.title || each.innerText || "").trim();
const label = (each) => text(each) || [...(each.labels ?? [])].map(text).join("") || each.placeholder || "";
const shown = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.offsetParent);
const ids = [...document.querySelectorAll("[id]")].map((each) => each.id).filter(Boolean);
return {
  language: document.documentElement.lang ? [] : ["html"],
  titles: document.title ? [] : ["title"],
  buttons: shown("button, [role=button]").filter((each) => !label(each)).map((each) => each.outerHTML),
  fields: shown("input, select, textarea").filter((each) => !label(each)).map((each) => each.outerHTML),
  images: [...document.images].filter((each) => !each.hasAttribute("alt")).map((each) => each.outerHTML.slice(0, 200)),
  headings: shown("h1").length === 1 ? [] : ["there must be one h1"],
  ids: ids.filter((each, index) => ids.indexOf(each) !== index),
};
"""
# Colours are those of a page at rest: gradio fades tabs in, and fields in which an answer is awaited.
MOVES = """
const pale = (each) => each instanceof Element && (getComputedStyle(each).opacity < 1 || pale(each.parentElement));
const ends = (each) => Number.isFinite(each.effect.getComputedTiming().endTime);
return document.getAnimations().some((each) => each.playState === "running" && ends(each))
  || [...document.querySelectorAll(".verdict, [data-act]")].some((each) => each.offsetParent && pale(each));
"""
RUN_AXE = """
const done = arguments[0];
const serious = (each) => ["serious", "critical"].includes(each.impact);
axe.run(document, { resultTypes: ["violations"] }).then((found) =>
  done(found.violations.filter(serious).map((each) => `${each.id}: ${each.nodes[0].html}`)));
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def look(browser: Browser) -> None:
    """Finds nothing wrong with the page that is shown."""
    found = browser.script(CHECKS)
    assert found == {name: [] for name in found}
    if AXE:
        wait_for(lambda: not browser.script(MOVES))
        browser.script(Path(AXE).read_text(encoding="utf-8"))
        assert browser.driver.execute_async_script(RUN_AXE) == []


@needs_browser
def test_the_page_of_pairs(browser: Browser, tmp_path: Path) -> None:
    write_page(list(open_pairs(ROOT / "dataset_scripts" / "sample").usable())[:2], tmp_path / "page", "sample")
    browser.driver.get((tmp_path / "page" / "index.html").as_uri())
    wait_for(lambda: browser.texts(".pair h2"))
    look(browser)


@needs_browser
def test_the_report(browser: Browser, tmp_path: Path) -> None:
    sentences = worst_first(load_predictions(ROOT / "spaces_demo" / "examples" / "predictions.parquet"))[:8]
    write_report(sentences, sentences, None, tmp_path / "page", "examples")
    browser.driver.get((tmp_path / "page" / "index.html").as_uri())
    wait_for(lambda: browser.texts(".pv-date"))
    look(browser)


@needs_browser
def test_the_audit(browser: Browser, tmp_path: Path) -> None:
    with serve(make_work(tmp_path, pairs=1)) as url:
        browser.open(url, "ann")
        look(browser)
        browser.press("?")
        look(browser)
        browser.click("[data-do=close-help]")
        choose_tab(browser, "Agreement")
        wait_for(lambda: browser.texts(".audit-summary p"))
        look(browser)


@needs_browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_demo(browser: Browser, model: Any, processor: Any, width: int) -> None:
    browser.driver.set_window_size(width, 900)
    spaces_demo = pytest.importorskip("spaces_demo", reason="gradio is not installed")
    page = spaces_demo.build(spaces_demo.Segmenter(model, processor))
    _, url, _ = page.launch(**spaces_demo.launch_options(), prevent_thread_lock=True, quiet=True)
    try:
        browser.driver.get(url)
        wait_for(lambda: len(browser.texts("#images .image-frame img")) == 2 and browser.texts(".pv-date"))
        look(browser)
        choose_tab(browser, "Look inside")
        wait_for(lambda: len(browser.texts(".figures figure")) > 2)
        look(browser)
        choose_tab(browser, "Large scene")
        wait_for(lambda: browser.texts("#scene-view .pv-date"))
        look(browser)
        choose_tab(browser, "Benchmark")
        wait_for(lambda: browser.texts("#case .sentence"))
        look(browser)
    finally:
        page.close()


@needs_browser
def test_the_description_of_the_api(browser: Browser, tmp_path: Path, model: Any, processor: Any) -> None:
    server = pytest.importorskip("mtrefseg.serve.app", reason="the server is not installed", exc_type=ImportError)
    app = server.create_app(Engine(model, processor), ServeOptions())
    page = server.api_page(app.openapi(), "http://127.0.0.1:8000", has_demo=True, needs_token=True)
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    browser.driver.get((tmp_path / "index.html").as_uri())
    look(browser)
    assert "Authorization: Bearer TOKEN" in browser.texts("pre")[0]


def choose_tab(browser: Browser, name: str) -> None:
    """Chooses a tab of the demo with the keyboard. On a narrow page, some are in a menu."""
    tabs = browser.driver.find_elements("css selector", "button[role=tab], .overflow-dropdown button")
    tab = next((tab for tab in tabs if tab.is_displayed() and tab.text == name), None)
    if tab is None:
        browser.driver.find_element("css selector", ".overflow-menu > button").send_keys("\n")
        wait_for(lambda: name in browser.texts(".overflow-dropdown button"))
        menu = browser.driver.find_elements("css selector", ".overflow-dropdown button")
        tab = next(tab for tab in menu if tab.text == name)
    tab.send_keys("\n")
