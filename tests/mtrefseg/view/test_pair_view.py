# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The view of a pair: its HTML, and what mouse, fingers, keys and buttons do in a browser."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from mtrefseg.looks import css_variables
from mtrefseg.view.drawing import CLOSEST
from mtrefseg.view.pair_view import DOTTED, MOST_CORNERS, SCRIPT, STYLE, ShownAnswer, pair_view_html
from tests.browser_pages import EVIL, needs_browser, run_script


def pair(width: int = 300, height: int = 200) -> tuple[Image.Image, Image.Image]:
    return Image.new("RGB", (width, height), "grey"), Image.new("RGB", (width, height), "white")


def block(left: int, top: int, right: int, bottom: int, size: tuple[int, int] = (200, 300)) -> np.ndarray:
    mask = np.zeros(size, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def test_what_comes_from_the_data_is_escaped() -> None:
    html = pair_view_html(pair(), [ShownAnswer(EVIL, block(10, 10, 50, 50), EVIL)], EVIL)
    assert "<script" not in html
    assert "<img src=x" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") >= 3


def test_it_fetches_nothing_and_has_names() -> None:
    html = pair_view_html(pair(), [ShownAnswer("a car", block(10, 10, 50, 50), "found")])
    assert not any(word in SCRIPT.read_text() + html for word in ("http", "import ", "fetch(", "eval", "<script"))
    buttons = re.findall(r"<button(.*?)>([^<]*)<", html)
    assert all("aria-label" in properties or len(name) > 1 for properties, name in buttons if "data-act" in properties)
    assert len(buttons) == 7
    assert 'alt="The earlier image (t1)"' in html
    assert 'role="slider" tabindex="0" aria-label=' in html
    assert 'role="status"' in html


def test_outlines_are_those_of_the_masks_at_the_size_of_the_images() -> None:
    html = pair_view_html(pair(), [ShownAnswer("a", block(10, 20, 30, 50, (100, 150)), "found")])
    (path,) = re.findall(r'<path id="[^"]+" d="M([^"]+)Z"', html)
    points = np.array([list(map(float, point.split())) for point in path.split("L")])
    assert points.min(axis=0).tolist() == [20, 40]
    assert points.max(axis=0).tolist() == [60, 100]
    assert len(points) == 8, "each of the four corners is cut"


def test_an_outline_on_another_one_leaves_gaps_for_it() -> None:
    both = block(10, 10, 50, 50) | block(100, 100, 160, 150)
    inside = block(110, 110, 130, 130)
    masks = [both, block(10, 10, 50, 50), inside, np.zeros((200, 300), bool)]
    html = pair_view_html(pair(), [ShownAnswer("a", mask, "found", "appear") for mask in masks])
    kinds = re.findall(r'class="pv-mask ([a-z ]+)" data-answer="(\d)"', html)
    shared = {number for kind, number in kinds if "shared" in kind}
    assert shared == {"2"}
    assert {number for _, number in kinds} == {"1", "2", "3"}


def test_empty_masks_have_no_outline_and_ragged_ones_a_coarse_one() -> None:
    ragged = np.random.default_rng(0).random((400, 600)) > 0.5
    empty = np.zeros((200, 300), bool)
    html = pair_view_html(pair(), [ShownAnswer("a", empty, "none"), ShownAnswer("b", ragged, "x")])
    assert '<li class="nothing">' in html
    assert 'pv-mask here" data-answer="1"' not in html
    assert html.count("L") < 4 * MOST_CORNERS


def test_dotted_outlines_are_explained_where_there_are_any() -> None:
    mask = block(100, 100, 150, 150)
    assert DOTTED in pair_view_html(pair(), [ShownAnswer("a", mask, "", "appear")])
    assert DOTTED not in pair_view_html(pair(), [ShownAnswer("a", mask, "", "state_change")])
    assert DOTTED not in pair_view_html(pair(), [ShownAnswer("a", np.zeros_like(mask), "", "appear")])


def test_numbers_of_equal_masks_stand_beside_each_other() -> None:
    mask = block(100, 100, 150, 150)
    html = pair_view_html(pair(), [ShownAnswer("a", mask, ""), ShownAnswer("b", mask, "")])
    places = set(re.findall(r"--x:([\d.]+)%;--y:([\d.]+)%", html))
    assert len(places) == 2


ACTS = """
  const root = document.querySelector(".pair-view"), view = root.pairView, stage = view.stage, seen = [];
  stage.setPointerCapture = () => {};
  const rounded = (length) => 5 * Math.round(length / 5);
  const say = (name) => seen.push([name, rounded(view.x), rounded(view.y), view.scale.toFixed(2)].join(" "));
  const press = (key, target = stage) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const point = (type, pointerId, x, y) => {
    const box = stage.getBoundingClientRect();
    const place = { clientX: box.left + x, clientY: box.top + y };
    stage.dispatchEvent(new PointerEvent(type, { pointerId, ...place, bubbles: true }));
  };
  seen.push(stage.dataset.mode);
  root.querySelector('[data-act="slider"]').click(); say("fit");
  press("+"); say("in");
  press("ArrowLeft"); press("ArrowUp"); say("pan");
  point("pointerdown", 1, 100, 100); point("pointermove", 1, 90, 80); point("pointerup", 1, 90, 80); say("drag");
  point("pointermove", 1, 0, 0); say("released");
  point("pointerdown", 1, 0, 100); point("pointerdown", 2, 200, 100); point("pointermove", 2, 100, 100); say("pinch");
  point("pointerup", 1, 0, 0); point("pointerup", 2, 0, 0);
  press("0"); say("all");
  point("pointerdown", 1, 300, 100); point("pointermove", 1, 360, 100); point("pointerup", 1, 360, 100);
  seen.push(`slid ${Math.round(view.at)}`);
  press("ArrowLeft", view.split); press("Home", view.split);
  seen.push(`slid ${view.split.getAttribute("aria-valuenow")}`);
  const dates = () => [...root.querySelectorAll(".pv-date")].map((each) => each.innerText.trim()).join(", ");
  view.slideTo(10); seen.push(dates()); view.slideTo(50); seen.push(dates()); view.slideTo(0);
  const masks = () => [...root.querySelectorAll(".pv-mask.on")];
  const lit = () => masks().map((each) => each.dataset.answer + each.classList[1]).join(" ");
  const [first, second] = root.querySelectorAll(".pv-answer");
  first.dispatchEvent(new PointerEvent("pointerover", { bubbles: true })); seen.push(`lit ${lit()}`);
  first.dispatchEvent(new PointerEvent("pointerout", { bubbles: true })); seen.push(`lit ${lit()}`);
  second.click(); seen.push(`chosen ${lit()} ${second.ariaPressed} ${first.ariaPressed}`);
  press("m"); seen.push(`masks ${root.querySelector('[data-act="masks"]').ariaPressed}`);
  return seen;
"""


def test_the_closest_changes_are_dashed_and_named() -> None:
    mask = block(10, 10, 50, 50)
    answers = [ShownAnswer("a", mask, "score 0.90"), ShownAnswer("b", mask, "score 0.50", "appear", is_closest=True)]
    html = pair_view_html(pair(), answers)
    assert 'class="pv-mask here" data-answer="1"' in html
    assert 'class="pv-mask here closest" data-answer="2"' in html
    assert 'class="pv-mask there closest" data-answer="2"' in html
    assert html.count(f"{CLOSEST} · score 0.50") == html.count(CLOSEST) == 1
    assert '<li class="closest">' in html


@needs_browser
def test_it_is_panned_zoomed_slid_and_lit(tmp_path: Path) -> None:
    answers = [
        ShownAnswer("the new car", block(10, 10, 50, 50), "found", "appear"),
        ShownAnswer("the tree that left", block(100, 10, 150, 50), "found", "disappear"),
    ]
    style = css_variables() + STYLE.read_text(encoding="utf-8")
    (tmp_path / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><style>{style}</style><body style='margin:0'>"
        f"<div style='width:600px'>{pair_view_html(pair(), answers)}</div>"
        f"<script>innerHeight = 1200; {SCRIPT.read_text()} startPairViews(document.body);</script></body>",
        encoding="utf-8",
    )
    assert run_script(tmp_path, ACTS) == [
        "slider",
        "fit 0 0 2.00",
        "in -150 -100 3.00",
        "pan -90 -40 3.00",
        "drag -100 -60 3.00",
        "released -100 -60 3.00",
        "pinch 0 0 2.00",
        "all 0 0 2.00",
        "slid 60",
        "slid 0",
        "t1, t2 · later",  # The date has a short form where little of its image is visible.
        "t1 · earlier, t2 · later",
        "lit 1there 1here",
        "lit ",
        "chosen 2here 2there true false",
        "masks false",
    ]
