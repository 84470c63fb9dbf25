# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Draws the images of the README and its pages with the shipped checkpoint:

    python -m docs.draw_images
    python -m docs.draw_images --only hero --only overlay
    python -m docs.draw_images --model outputs/mine    # another checkpoint

`make images` first evaluates the checkpoint for the demo's report, which one of the images shows. That one and the
demo's are screenshots and need Chromium with its driver. "demo" also writes the answers of the demo's examples anew.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from dataset_scripts.readers import open_pairs
from docs.draw_hero import Frame, draw_frames, save_frames
from docs.draw_scores import draw_scores
from modeling_mtrefseg.image_reading_mtrefseg import load_image
from mtrefseg.cli.main import main as run_mtrefseg
from mtrefseg.looks import INK, MASK_COLORS, PAPER
from mtrefseg.view.drawing import GAP, MARGIN, PAGE_WIDTH, font_of, paint_masks, to_panel, wrap


ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "images"
MODEL = ROOT / "mtrefseg-r1"
SAMPLE = ROOT / "dataset_scripts" / "sample"
EXAMPLES = ROOT / "spaces_demo" / "examples"
TOWN = (str(EXAMPLES / "town_t1.jpg"), str(EXAMPLES / "town_t2.jpg"))
# The sentences that the README shows, with their truth.
SENTENCES = [answer["text"] for answer in json.loads((ROOT / "docs" / "example" / "truth.json").read_text("utf-8"))]
DOMAIN = "remote_sensing"
WIDTH, QUALITY = 1200, 72
WINDOW = (1200, 960)
PATIENCE_SECONDS = 120
COLUMNS, SCENE_SIDE = 4, 180


def draw_hero(model: str) -> list[Frame]:
    """The animation of the README: the pair, then each sentence with the mask that `mtrefseg predict` writes."""
    names = [f"mask_{number}.png" for number in range(1, len(SENTENCES) + 1)]
    masks = draw_by_command(model, names, "predict", *TOWN, *SENTENCES)
    images = (load_image(TOWN[0]), load_image(TOWN[1]))
    return draw_frames(images, SENTENCES, [np.asarray(mask) > 0 for mask in masks])


def draw_overlay(model: str) -> Image.Image:
    """What `mtrefseg predict` draws."""
    return draw_by_command(model, ["overlay.png"], "predict", *TOWN, *SENTENCES)[0]


def draw_inside(model: str) -> Image.Image:
    """What `mtrefseg explain` draws."""
    return draw_by_command(model, ["sheet.png"], "explain", *TOWN, SENTENCES[0])[0]


def draw_by_command(model: str, names: Sequence[str], command: str, *arguments: str) -> list[Image.Image]:
    """Images among the results of a sub-command of `mtrefseg` that shows a pair to the model."""
    images: list[Image.Image] = []
    with tempfile.TemporaryDirectory() as folder:
        if run_mtrefseg([command, *arguments, "--domain", DOMAIN, "--model", model, "--out", folder]):
            raise SystemExit(f"mtrefseg {command} failed: see above")
        for name in names:
            with Image.open(Path(folder) / name) as image:
                image.load()
                images.append(image)
    return images


def draw_scenes(model: str) -> Image.Image:
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
        images[1] = paint_masks(images[1], [mask], [MASK_COLORS[index % len(MASK_COLORS)]], numbered=False)
        x, y = MARGIN + cell[0] * (index % COLUMNS), MARGIN + cell[1] * (index // COLUMNS)
        for number, image in enumerate(images):
            sheet.paste(image, (x + number * (SCENE_SIDE + 6), y))
        for number, line in enumerate(wrap(expression.text, 2 * SCENE_SIDE, font_of(18), 2)):
            draw.text((x, y + SCENE_SIDE + 24 + 22 * number), line, fill=INK, font=font_of(18), anchor="ls")
    return sheet


def photograph_report(model: str) -> Image.Image:
    """The page of the demo's report, as `mtrefseg report` writes it."""
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        # The page's title is of the report beside the predictions.
        report, page = Path(folder) / "report", Path(folder) / "page"
        report.mkdir()
        shutil.copy(EXAMPLES / "predictions.parquet", report)
        about = {"model": {"name": Path(model).name}, "data": {"name": "generated", "split": "validation"}}
        (report / "report.json").write_text(json.dumps(about), encoding="utf-8")
        if run_mtrefseg(["report", str(report / "predictions.parquet"), "--out", str(page)]):
            raise SystemExit("mtrefseg report failed: see above")
        browser.get((page / "index.html").as_uri())
        return photograph(browser, ".pair img")


def photograph_demo(model: str) -> Image.Image:
    """The demo as it opens, once its examples and its scene are solved by the model."""
    from spaces_demo import Segmenter, build, launch_options
    from spaces_demo.scene_tab import write_example
    from spaces_demo.solved_examples import write_answers

    segmenter = Segmenter.from_pretrained(model)
    write_answers(segmenter)
    write_example(segmenter)
    page = build(segmenter)
    _, url, _ = page.launch(**launch_options(), prevent_thread_lock=True, quiet=True)
    try:
        with open_browser() as browser:
            browser.get(f"{url}?__theme=light")
            return photograph(browser, "#answers .pv-pane img")
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


IMAGES: dict[str, Callable[[str], Image.Image | list[Frame]]] = {
    "hero": draw_hero,
    "overlay": draw_overlay,
    "inside": draw_inside,
    "scenes": draw_scenes,
    "report": photograph_report,
    "demo": photograph_demo,
    "checkpoint": draw_scores,
}


def main() -> None:
    """Draws the images that the command line names, or all."""
    parser = argparse.ArgumentParser(description="Draw the README's images again.")
    parser.add_argument("--only", choices=IMAGES, action="append", help="this one alone; may be repeated")
    parser.add_argument("--model", default=str(MODEL), help="folder of the checkpoint (default: mtrefseg-r1)")
    options = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    for name in tqdm(options.only or list(IMAGES), unit="image"):
        image = IMAGES[name](options.model)
        if isinstance(image, list):
            save_frames(image, OUT / f"{name}.webp")
            continue
        image.thumbnail((WIDTH, 10 * WIDTH), Image.Resampling.LANCZOS)
        image.save(OUT / f"{name}.webp", quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
