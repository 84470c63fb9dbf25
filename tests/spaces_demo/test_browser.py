# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A real browser uploads a pair, asks, and sees masks."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spaces_demo.inspect_tab import FIRST
from spaces_demo.scene_tab import EXAMPLE_SENTENCES
from spaces_demo.solved_examples import EXAMPLES
from tests.spaces_demo.conftest import SPACE, Server


pytest.importorskip("selenium", reason="selenium is not installed")
DRIVER, BROWSER = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
if DRIVER is None or BROWSER is None:
    pytest.skip("chromium and chromedriver are not installed", allow_module_level=True)

from selenium import webdriver  # noqa: E402
from selenium.common.exceptions import StaleElementReferenceException  # noqa: E402
from selenium.webdriver.chrome.options import Options  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402


PATIENCE_SECONDS = 120
REMOVE = """
const field = document.querySelector(arguments[0]);
field.querySelector("button[aria-label='Remove Image']")?.click();
return !field.querySelector(".image-frame img");
"""
LAGOON = (SPACE / "examples" / "lagoon_t1.jpg", SPACE / "examples" / "lagoon_t2.jpg")


class Page:
    """The page in a browser window."""

    def __init__(self, driver: Any, url: str, width: int, dark: bool) -> None:
        self.driver = driver
        options = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", options)
        driver.get(f"{url}?__theme={'dark' if dark else 'light'}")
        self.wait(lambda: len(self.all("#images .image-frame img")) == 2 and self.all(".pv-mask"))

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def wait(self, condition: Callable[[], Any]) -> Any:
        # The page puts other elements in place of those that were found.
        stale = [StaleElementReferenceException]
        return WebDriverWait(self.driver, PATIENCE_SECONDS, ignored_exceptions=stale).until(lambda _: condition())

    def upload(self, *paths: Path) -> None:
        for number, path in enumerate(paths, start=1):
            field = f"#images > :nth-child({number})"
            # A field that holds an image has no file input.
            self.wait(lambda field=field: self.run(REMOVE, field))
            self.wait(lambda field=field, path=path: self.give(f"{field} input[type=file]", path))
            self.wait(lambda field=field: self.all(f"{field} .image-frame img"))

    def give(self, selector: str, path: Path) -> bool:
        found = self.all(selector)
        for field in found[:1]:
            field.send_keys(str(path.resolve()))
        return bool(found)

    def run(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def ask(self, *sentences: str) -> None:
        box = self.all("#sentences textarea")[0]
        box.clear()
        box.send_keys("\n".join(sentences))
        self.press("segment")

    def answers(self) -> list[str]:
        return self.run("return [...document.querySelectorAll('#answers .pv-text')].map((each) => each.innerText)")

    def choose_tab(self, name: str) -> None:
        next(tab for tab in self.all("button[role=tab]") if tab.text == name).click()

    def text_of(self, selector: str) -> str:
        return " ".join(each.text for each in self.all(selector))

    def press(self, name: str) -> None:
        self.click(f"#{name}")

    def press_card(self, index: int) -> None:
        self.click(f"#examples [data-index='{index}']")

    def click(self, selector: str) -> None:
        button = self.all(selector)[0]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    def requested_hosts(self) -> set[str]:
        hosts = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if url.startswith(("http:", "https:")):
                    hosts.add(url.split("/")[2].split(":")[0])
        return hosts


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = Options()
    options.binary_location = str(BROWSER)
    # Whatever the page asks for elsewhere is not found.
    rules = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
    profile = tmp_path_factory.mktemp("profile")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", rules, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_it_opens_solved_and_answers_about_a_pair(driver: Any, server: Server, width: int, dark: bool) -> None:
    page = Page(driver, server.url, width, dark)
    assert page.answers() == list(EXAMPLES[0].sentences)
    assert len(page.all("#answers .pv-pane img")) == 2
    # The images fill their fields, and on a phone the answers follow the question without a gap.
    for image in page.all("#images .image-frame img"):
        empty = "return arguments[0].closest('.image-container').clientWidth - arguments[0].clientWidth"
        assert abs(page.run(empty, image)) < 8
    if width < 600:
        examples, answers = (page.all(each)[0].rect for each in ("#examples", "#answers"))
        assert 0 <= answers["y"] - examples["y"] - examples["height"] < 30
        # They begin on the first screen.
        assert answers["y"] < 800
    # One click shows another example; the model is not asked.
    page.press_card(1)
    page.wait(lambda: page.answers() == list(EXAMPLES[1].sentences))
    assert page.all("#sentences textarea")[0].get_property("value") == EXAMPLES[1].text
    page.upload(*LAGOON)
    page.ask("all the houses whose roofs turned white", "the car that has left")
    page.wait(lambda: page.answers() == ["all the houses whose roofs turned white", "the car that has left"])
    assert all(image.get_property("naturalWidth") == 768 for image in page.all("#answers .pv-pane img"))
    # Nothing sticks out to the side, and nothing was asked of other computers.
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert page.requested_hosts() == {"127.0.0.1"}
    # The keyboard alone asks again, and the pair is known by then.
    page.all("#sentences textarea")[0].send_keys(Keys.ENTER, "every pool that showed up", Keys.SHIFT, Keys.ENTER)
    page.wait(lambda: len(page.answers()) == 3)
    assert "The pair was cached. 1 question answered" in page.all("#answers [role=status]")[0].text


def test_the_other_tabs_open_with_something_solved(driver: Any, server: Server) -> None:
    page = Page(driver, server.url, 1280, dark=False)
    page.choose_tab("Look inside")
    page.wait(lambda: page.text_of("#verdict .verdict span") == FIRST)
    page.wait(lambda: len(page.all(".figures img")) > 2)
    page.choose_tab("Large scene")
    page.wait(lambda: len(page.all("#scene-view .pv-pane img")) == 2 and page.all("#scene-view .pv-mask"))
    assert page.all("#scene-sentences textarea")[0].get_property("value").splitlines() == list(EXAMPLE_SENTENCES)


def test_own_images_and_sentences_go_along_to_the_other_tabs(driver: Any, server: Server, pair: tuple) -> None:
    page = Page(driver, server.url, 1280, dark=False)
    page.upload(*map(Path, pair))
    page.all("#sentences textarea")[0].clear()
    page.all("#sentences textarea")[0].send_keys("the house that appeared")
    page.choose_tab("Look inside")
    page.wait(lambda: page.text_of("#verdict .verdict span") == "the house that appeared")
    page.choose_tab("Large scene")
    page.wait(lambda: page.all("#scene-sentences textarea")[0].get_property("value") == "the house that appeared")
    assert Path(pair[0]).name in page.text_of("#scene-t1").replace("\n", "")
    assert page.all("#scene-view .empty")


def test_fields_have_names_for_screen_readers(driver: Any, server: Server) -> None:
    page = Page(driver, server.url, 1280, dark=False)
    labels = driver.execute_script(
        "return [...document.querySelectorAll('textarea, input[type=range], input[type=file], input[type=checkbox]')]"
        ".filter(each => each.offsetParent || each.type === 'file')"
        ".map(each => each.ariaLabel || each.labels?.[0]?.innerText || each.closest('button')?.ariaLabel || '')"
    )
    assert len(labels) >= 1
    assert all(label.strip() for label in labels)
    assert page.all("[role=tab]")


def test_a_file_that_is_no_image_gets_a_message(driver: Any, server: Server, tmp_path: Path) -> None:
    wrong = tmp_path / "page.jpg"
    wrong.write_text("<!doctype html>")
    page = Page(driver, server.url, 1280, dark=False)
    page.upload(wrong, LAGOON[1])
    page.ask("a car")
    page.wait(lambda: "is not an image" in " ".join(each.text for each in page.all("[role=alert], .toast-body")))


def test_what_was_left_out_is_said(driver: Any, server: Server) -> None:
    page = Page(driver, server.url, 1280, dark=False)
    page.ask(" ")
    page.wait(lambda: "Write what changed" in " ".join(each.text for each in page.all(".toast-body")))
    # Only once: the answers and their buttons stay as they were.
    assert not [each for each in page.all("#answers .error") if each.is_displayed()]
