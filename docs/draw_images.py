# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Draws the images of the README from generated pairs and the shipped checkpoint:

    python -m docs.draw_images
    python -m docs.draw_images --only overlay --only inside

`make images` first evaluates the checkpoint for the demo's report, which two of the images show. Those two are
screenshots and need Chromium with its driver.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from tqdm import tqdm

from dataset_scripts.readers import open_pairs
from modeling_mtrefseg.image_reading_mtrefseg import load_image
from mtrefseg.cli.main import main as run_mtrefseg
from mtrefseg.view.drawing import (
    GAP,
    INK,
    MARGIN,
    PAGE_WIDTH,
    PALETTE,
    PAPER,
    font_of,
    paint_masks,
    to_panel,
    wrap,
)


ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "images"
MODEL = ROOT / "mtrefseg-r1"
SAMPLE = ROOT / "dataset_scripts" / "sample"
EXAMPLES = ROOT / "spaces_demo" / "examples"
HOUSES = (str(EXAMPLES / "houses_t1.jpg"), str(EXAMPLES / "houses_t2.jpg"))
ROOFS, SHOWN_POOL, GONE_POOL = (
    "all the houses whose roofs turned white",
    "the pool that showed up",
    "the pool that disappeared",
)
WIDTH, QUALITY = 1200, 78
WINDOW = (1200, 960)
PATIENCE_SECONDS = 120
COLUMNS, SCENE_SIDE = 4, 180


def draw_overlay() -> Image.Image:
    """What `mtrefseg predict` draws."""
    return draw_by_command("overlay.png", "predict", *HOUSES, ROOFS, SHOWN_POOL, GONE_POOL)


def draw_inside() -> Image.Image:
    """What `mtrefseg explain` draws."""
    return draw_by_command("sheet.png", "explain", *HOUSES, ROOFS)


def draw_by_command(name: str, command: str, *arguments: str) -> Image.Image:
    """An image among the results of a sub-command of `mtrefseg` that shows a pair to the model."""
    with tempfile.TemporaryDirectory() as folder:
        if run_mtrefseg([command, *arguments, "--model", str(MODEL), "--out", folder]):
            raise SystemExit(f"mtrefseg {command} failed: see above")
        with Image.open(Path(folder) / name) as image:
            image.load()
            return image


def draw_scenes() -> Image.Image:
    """Every pair of the committed sample, the first sentence below it and its mask on the later image."""
    records = list(open_pairs(SAMPLE).usable())
    cell = ((PAGE_WIDTH - 2 * MARGIN + GAP) // COLUMNS, SCENE_SIDE + 76)
    sheet = Image.new("RGB", (PAGE_WIDTH, 2 * MARGIN + cell[1] * -(-len(records) // COLUMNS) - GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, record in enumerate(records):
        expression = record.expressions[0]
        # The sample's images are files, and all of one size.
        files = [Path(str(each.source)) for each in (record.image_t1, record.image_t2)]
        images = [to_panel(load_image(file), (SCENE_SIDE, SCENE_SIDE)) for file in files]
        mask = expression.mask.read_mask(record.image_t1.size)[0]
        images[1] = paint_masks(images[1], [mask], [PALETTE[index % len(PALETTE)]], numbered=False)
        x, y = MARGIN + cell[0] * (index % COLUMNS), MARGIN + cell[1] * (index // COLUMNS)
        for number, image in enumerate(images):
            sheet.paste(image, (x + number * (SCENE_SIDE + 6), y))
        for number, line in enumerate(wrap(expression.text, 2 * SCENE_SIDE, font_of(18), 2)):
            draw.text((x, y + SCENE_SIDE + 24 + 22 * number), line, fill=INK, font=font_of(18), anchor="ls")
    return sheet


def photograph_report() -> Image.Image:
    """The page of the demo's report, as `mtrefseg report` writes it."""
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        # The page's title is of the report beside the predictions.
        report, page = Path(folder) / "report", Path(folder) / "page"
        report.mkdir()
        shutil.copy(EXAMPLES / "predictions.parquet", report)
        about = {"model": {"name": MODEL.name}, "data": {"name": "generated", "split": "validation"}}
        (report / "report.json").write_text(json.dumps(about), encoding="utf-8")
        if run_mtrefseg(["report", str(report / "predictions.parquet"), "--out", str(page)]):
            raise SystemExit("mtrefseg report failed: see above")
        browser.get((page / "index.html").as_uri())
        return photograph(browser, ".pair img")


def photograph_demo() -> Image.Image:
    """The demo's first tab, after it has answered three sentences about a pair."""
    from spaces_demo import Segmenter, build, launch_options

    page = build(Segmenter.from_pretrained(str(MODEL)))
    _, url, _ = page.launch(**launch_options(), prevent_thread_lock=True, quiet=True)
    try:
        with open_browser() as browser:
            browser.get(f"{url}?__theme=light")
            for number, path in enumerate(HOUSES):
                wait_for(browser, partial(shows_images, browser, number))
                wait_for(browser, lambda: find(browser, "#images input[type=file]"))
                # A field that holds an image has no file input any more.
                find(browser, "#images input[type=file]")[-number].send_keys(path)
            wait_for(browser, partial(shows_images, browser, len(HOUSES)))
            find(browser, "textarea")[0].send_keys("\n".join((ROOFS, SHOWN_POOL, GONE_POOL)))
            browser.execute_script("document.getElementById('segment').click()")
            return photograph(browser, "#before-after img")
    finally:
        page.close()


@contextmanager
def open_browser() -> Iterator[Any]:
    """A headless Chromium of a fixed size."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    driver = shutil.which("chromedriver")
    if driver is None:
        raise SystemExit("the images of pages need Chromium and chromedriver; --only names the others")
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        metrics = {"width": WINDOW[0], "height": WINDOW[1], "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        yield browser
    finally:
        browser.quit()


def find(browser: Any, selector: str) -> list[Any]:
    """The elements of a page that a CSS selector chooses."""
    return browser.find_elements("css selector", selector)


def shows_images(browser: Any, count: int) -> bool:
    """Whether the demo's fields show so many images."""
    return len(find(browser, "#images .image-frame img")) == count


def wait_for(browser: Any, condition: Callable[[], Any]) -> None:
    """Waits until a condition is true of the page."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, PATIENCE_SECONDS).until(lambda _: condition())


def photograph(browser: Any, images: str) -> Image.Image:
    """The upper part of a page, once it shows some images and nothing moves any more."""
    loaded = "return [...document.querySelectorAll(arguments[0])].slice(0, 4).every(each => each.naturalWidth > 0)"
    wait_for(browser, lambda: len(find(browser, images)) > 1 and browser.execute_script(loaded, images))
    still = "const done = arguments[0]; window.scrollTo(0, 0); setTimeout(() => done(true), 1500)"
    browser.execute_async_script(still)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.png"
        browser.save_screenshot(str(path))
        with Image.open(path) as image:
            return image.convert("RGB")


IMAGES: dict[str, Callable[[], Image.Image]] = {
    "overlay": draw_overlay,
    "inside": draw_inside,
    "scenes": draw_scenes,
    "report": photograph_report,
    "demo": photograph_demo,
}


def main() -> None:
    """Draws the images that the command line names, or all."""
    parser = argparse.ArgumentParser(description="Draw the README's images anew.")
    parser.add_argument("--only", choices=IMAGES, action="append", help="this one alone; may be repeated")
    chosen = parser.parse_args().only or list(IMAGES)
    OUT.mkdir(exist_ok=True)
    for name in tqdm(chosen, unit="image"):
        image = IMAGES[name]()
        image.thumbnail((WIDTH, 10 * WIDTH), Image.Resampling.LANCZOS)
        image.save(OUT / f"{name}.webp", quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
