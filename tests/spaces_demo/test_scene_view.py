# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The view of a scene in a browser, without the demo around it: what mouse, fingers, keys and buttons do."""

import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from spaces_demo.scene_view import SCRIPT, scene_html
from tests.spaces_demo.conftest import SPACE


BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
ACTS = """
const seen = [];
// The browser rounds where the mouse is.
const rounded = (length) => 5 * Math.round(length / 5);
const say = (name) => seen.push([name, rounded(view.x), rounded(view.y), view.scale].join(" "));
const shown = (name) => !element.querySelector(`.layer-${name}`).hidden;
const press = (key) => frame().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const point = (type, pointerId, x, y) => {
  const box = frame().getBoundingClientRect();
  const place = { clientX: box.left + x, clientY: box.top + y };
  frame().dispatchEvent(new PointerEvent(type, { pointerId, ...place, bubbles: true }));
};
frame().setPointerCapture = () => {};
setTimeout(() => {
  fit(); say("fit");
  press("+"); say("in");
  press("ArrowLeft"); press("ArrowUp"); say("pan");
  point("pointerdown", 1, 100, 100); point("pointermove", 1, 90, 80); point("pointerup", 1, 90, 80); say("drag");
  point("pointermove", 1, 0, 0); say("released");
  const box = frame().getBoundingClientRect();
  const wheel = { deltaY: -400 * Math.log(2), clientX: box.left + 100, clientY: box.top + 80, bubbles: true };
  frame().dispatchEvent(new WheelEvent("wheel", { ...wheel, cancelable: true })); say("wheel");
  point("pointerdown", 1, 0, 100); point("pointerdown", 2, 200, 100); point("pointermove", 2, 100, 100); say("pinch");
  point("pointerup", 1, 0, 0); point("pointerup", 2, 0, 0);
  press("0"); say("all");
  press("1"); seen.push(`t1 ${shown("t1")} ${shown("t2")}`);
  element.querySelector("[data-act=t2]").click(); seen.push(`t2 ${shown("t1")} ${shown("t2")}`);
  press("m"); seen.push(`masks ${shown("masks")} ${element.querySelector("[data-act=masks]").ariaPressed}`);
  document.body.innerHTML = `<pre>${seen.join("\\n")}</pre>`;
}, 300);
"""


@pytest.mark.skipif(BROWSER is None, reason="chromium is not installed")
def test_a_scene_is_panned_and_zoomed(tmp_path: Path) -> None:
    layers = [Image.new("RGB", (300, 200)), Image.new("RGB", (300, 200)), Image.new("RGBA", (300, 200))]
    style = (SPACE / "style.css").read_text(encoding="utf-8")
    page = tmp_path / "view.html"
    # What gr.HTML gives to the script.
    given = 'const element = document.getElementById("scene-view"); const watch = () => {};'
    page.write_text(
        f"<!doctype html><meta charset=utf-8><style>{style} .scene-frame {{ width: 600px; height: 400px !important; }}"
        f'</style><div id="scene-view">{scene_html(layers)}</div><script>{given}{SCRIPT.read_text()}{ACTS}</script>',
        encoding="utf-8",
    )
    flags = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--virtual-time-budget=3000",
    )
    run = subprocess.run(
        [str(BROWSER), *flags, f"--user-data-dir={tmp_path}/profile", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    seen = run.stdout.partition("<pre>")[2].partition("</pre>")[0].splitlines()
    assert seen == [
        "fit 0 0 2",
        "in -150 -100 3",
        "pan -90 -40 3",
        "drag -100 -60 3",
        "released -100 -60 3",
        "wheel -300 -200 6",
        "pinch -125 -50 3",
        "all 0 0 2",
        "t1 true false",
        "t2 false true",
        "masks false false",
    ], run.stdout[-2000:]
