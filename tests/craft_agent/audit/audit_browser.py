# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The audit page as a server of this computer, and a headless Chromium that uses it as a person would."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from craft_agent.audit.store import AuditStore


Value = TypeVar("Value")
PATIENCE = 90.0  # seconds; a busy machine is slow


@contextmanager
def serve(work: Path, auditor: str = "", seats: int = 2, host: str = "127.0.0.1") -> Iterator[str]:
    """Serves the page of a WORK folder on a free port; the value is its address."""
    audit_page = pytest.importorskip("craft_agent.audit.page", reason="gradio is not installed")
    uvicorn = pytest.importorskip("uvicorn")
    server_module = pytest.importorskip("mtrefseg.serve.server")
    listener = server_module.bind(host, 0)
    app = audit_page.build_app(AuditStore(work), work, auditor, seats, host)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield f"{server_module.address_of(listener)}/"
    finally:
        server.should_exit = True
        thread.join(30)


def wait_for(found: Callable[[], Value]) -> Value:
    """Waits until something is true, and returns it."""
    end = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
    return value


class Browser:
    """A window on the audit page."""

    def __init__(self, profile: Path, size: tuple[int, int] = (1440, 900)) -> None:
        webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        driver = shutil.which("chromedriver")
        if program is None or driver is None:
            pytest.skip("there is no Chromium with its chromedriver")
        options = webdriver.ChromeOptions()
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={profile}")
        # Whatever the page might want from elsewhere is not found, and the log shows that it was asked for.
        options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.binary_location = program
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(driver))
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, url: str, auditor: str = "") -> None:
        """Opens the page and begins under a name, unless the address or the server has one."""
        self.driver.get(url)
        wait_for(lambda: self.driver.find_elements("css selector", ".audit[data-state]"))
        if auditor:
            wait_for(lambda: self.find("name").is_displayed())
            self.find("name").send_keys(auditor + "\n")
        self.settle("work")

    def settle(self, state: str | None = None) -> None:
        """Waits until the page has done what it was asked for, and shows "work" or "finished"."""
        wanted = f'.audit[data-state="{state}"]:not([aria-busy])' if state else ".audit:not([aria-busy])"
        wait_for(lambda: self.driver.find_elements("css selector", wanted))

    def find(self, name: str) -> Any:
        """The element of that class, without "audit-"."""
        return self.driver.find_element("css selector", f".audit-{name}")

    def click(self, selector: str) -> None:
        """Clicks, and waits for what follows."""
        self.driver.find_element("css selector", f".audit {selector}").click()
        self.settle()

    def press(self, *keys: str) -> None:
        """Presses keys one after the other, wherever the focus is, and waits for what follows each."""
        for key in keys:
            self.chain().send_keys(key).perform()
            self.settle()

    def drag(self, start: tuple[float, float], end: tuple[float, float], panel: int = 0) -> None:
        """Drags the mouse over an image; places are in pixels of the image."""
        canvas = self.driver.find_elements("css selector", ".audit-panel canvas")[panel]
        scale, corner = self.geometry(panel)
        middle = (canvas.size["width"] / 2, canvas.size["height"] / 2)
        places = [
            [round(corner[axis] + place[axis] * scale - middle[axis]) for axis in (0, 1)] for place in (start, end)
        ]
        chain = self.chain()
        chain.move_to_element_with_offset(canvas, *places[0]).click_and_hold()
        chain.move_to_element_with_offset(canvas, *places[1]).release().perform()
        self.settle()

    def chain(self) -> Any:
        """Steps of mouse and keyboard, to be performed together."""
        webdriver = pytest.importorskip("selenium.webdriver")
        return webdriver.ActionChains(self.driver, duration=50)

    def geometry(self, panel: int) -> tuple[float, tuple[float, float]]:
        """Screen pixels a pixel of the image, and where its upper left corner lies in the panel."""
        found = self.script(
            "const viewer = document.querySelector('.audit-stage').viewer;"
            f"return [viewer.scale, viewer.corner(viewer.panels[{panel}])];"
        )
        return found[0], (found[1]["x"], found[1]["y"])

    def script(self, text: str, *values: Any) -> Any:
        """Runs JavaScript in the page."""
        return self.driver.execute_script(text, *values)

    def texts(self, selector: str) -> list[str]:
        """What stands in elements, or was typed into them."""
        read = "const text = (each) => (each.matches('textarea') ? each.value : each.textContent);"
        read += "return [...document.querySelectorAll(arguments[0])].map(text);"
        return self.script(read, selector)

    def title(self) -> str:
        """The sample that is shown."""
        return self.texts(".audit-head h2")[0]

    def addresses(self) -> set[str]:
        """Whatever the browser asked for since it was opened."""
        entries = (entry["message"] for entry in self.driver.get_log("performance"))
        messages = [json.loads(entry)["message"] for entry in entries]
        return {each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"}

    def close(self) -> None:
        """Closes the window and ends the browser."""
        self.driver.quit()
