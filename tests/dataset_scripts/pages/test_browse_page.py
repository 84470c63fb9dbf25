# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dataset_scripts.command_line import main
from dataset_scripts.pages.browse_page import PALETTE, TEMPLATE
from mtrefseg.io import fill_template
from mtrefseg.looks import MASK_COLORS, to_hex
from mtrefseg.view.drawing import stands_out_on
from tests.browser_pages import EVIL, needs_browser, run_script
from tests.dataset_scripts.image_folders import make_image_folder, read_rows, write_rows
from tests.dataset_scripts.raw_folders import (
    cut_short,
    draw_mask,
    edit_json,
    make_dataset,
    make_raw_split,
)


def browse(folder: Path, out: Path, *options: str) -> dict[str, Any]:
    """Writes the page, and reads what its script reads."""
    assert main(["browse", str(folder), "--out", str(out), *options]) == 0
    return read_data(out)


def read_data(out: Path) -> dict[str, Any]:
    script = (out / "pairs.js").read_text(encoding="ascii")
    head, pairs = re.fullmatch(
        r"window\.DATASET = \{\.\.\.(\{.*\}), pairs: \[\n(.*)\]\};\n", script, re.DOTALL
    ).groups()
    return {**json.loads(head), "pairs": [json.loads(line.removesuffix(",")) for line in pairs.splitlines()]}


# --- what is written ---


def test_every_pair_and_sentence_is_there_with_its_files(tmp_path, capsys) -> None:
    data = browse(make_dataset(tmp_path / "set", pairs=2), tmp_path / "out")
    assert data["title"] == "set"
    assert len(data["pairs"]) == 12
    assert f"{tmp_path / 'out' / 'index.html'}: 12 pairs" in capsys.readouterr().out
    pair = next(pair for pair in data["pairs"] if pair["id"] == "RS_val_001")
    assert {key: pair[key] for key in ("part", "split", "domain", "view", "source", "width", "height")} == {
        "part": "RS_val",
        "split": "validation",
        "domain": "RS",
        "view": "aerial",
        "source": "drawn",
        "width": 48,
        "height": 32,
    }
    assert [sentence["text"] for sentence in pair["sentences"]] == [
        "the thing number 0 that appeared",
        "the thing number 1 that appeared",
    ]
    assert [sentence["change"] for sentence in pair["sentences"]] == ["appear", "disappear"]
    for pair in data["pairs"]:
        folder = tmp_path / "out" / "images" / pair["number"]
        masks = {f"mask_{index}.png" for index in range(len(pair["sentences"]))}
        masks |= {f"mask_{index}_gaps.png" for index, each in enumerate(pair["sentences"]) if each.get("gaps")}
        assert {path.name for path in folder.iterdir()} == {"t1.jpg", "t2.jpg", *masks}


def test_images_and_masks_lie_on_each_other(tmp_path) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=1, size=(1024, 640))
    mask = np.zeros((640, 1024), dtype=np.uint8)
    mask[200:400, 300:700] = 255
    Image.fromarray(mask).save(folder / "masks/RS_train_000/1.png")
    data = browse(folder, tmp_path / "out")
    images = tmp_path / "out/images/000000"
    with Image.open(images / "t1.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (512, 320))
        expected = draw_image_of(folder).resize((512, 320), Image.Resampling.LANCZOS)
        assert np.abs(np.asarray(image, dtype=int) - np.asarray(expected, dtype=int)).mean() < 2
    with Image.open(images / "mask_1.png") as image:
        overlay = np.asarray(image.convert("RGBA"))
    assert overlay.shape == (320, 512, 4)
    inside, outside, outline = overlay[150, 250], overlay[10, 10], overlay[150, 149]
    color = tuple(bytes.fromhex(PALETTE[1][1:]))
    assert tuple(inside[:3]) == tuple(outline[:3]) == color
    assert (outside[3], outline[3]) == (0, 255)
    assert 0 < inside[3] < 255
    assert data["pairs"][0]["sentences"][1]["area"] == pytest.approx(mask.mean() / 255)


def draw_image_of(folder: Path) -> Image.Image:
    with Image.open(folder / "A/RS_train_000.png") as image:
        return image.convert("RGB")


@pytest.mark.parametrize("size", [(1200, 1200), (20_000, 20)], ids=str)
def test_a_mask_of_one_pixel_stays_visible_and_an_empty_one_has_no_file(tmp_path, size) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=1, size=size)
    mask = np.zeros(size[::-1], dtype=np.uint8)
    Image.fromarray(mask).save(folder / "masks/RS_train_000/0.png")
    mask[-10, 1000] = 255
    Image.fromarray(mask).save(folder / "masks/RS_train_000/1.png")
    data = browse(folder, tmp_path / "out")
    images = tmp_path / "out/images/000000"
    assert data["pairs"][0]["sentences"][0]["area"] == 0
    assert not (images / "mask_0.png").exists()
    with Image.open(images / "mask_1.png") as image:
        assert np.asarray(image.convert("RGBA"))[..., 3].max() == 255


def test_masks_on_one_another_can_all_be_seen(tmp_path) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=1, size=(512, 512))
    mask = np.zeros((512, 512), dtype=np.uint8)
    mask[100:300, 100:300] = 255
    for index in range(2):
        Image.fromarray(mask).save(folder / f"masks/RS_train_000/{index}.png")
    first, second = browse(folder, tmp_path / "out")["pairs"][0]["sentences"]
    assert (first["level"], first["gaps"], second["level"], second["gaps"]) == (0, False, 1, True)
    assert first["top"] == pytest.approx([100.5 / 512, 100.5 / 512], abs=1e-4)
    images = tmp_path / "out/images/000000"
    assert not (images / "mask_0_gaps.png").exists()
    whole, gapped = (np.asarray(Image.open(images / f"mask_1{end}.png").convert("RGBA")) for end in ("", "_gaps"))
    outline = whole[..., 3] == 255
    assert 0.4 < (gapped[..., 3][outline] == 255).mean() < 0.6
    assert (gapped[~outline] == whole[~outline]).all()


def test_a_smaller_mask_lies_above_a_larger_one(tmp_path) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=1, size=(512, 512))
    mask = np.zeros((512, 512), dtype=np.uint8)
    mask[200:220, 200:220] = 255
    Image.fromarray(mask).save(folder / "masks/RS_train_000/0.png")
    mask[100:400, 100:400] = 255
    Image.fromarray(mask).save(folder / "masks/RS_train_000/1.png")
    small, large = browse(folder, tmp_path / "out")["pairs"][0]["sentences"]
    assert (large["level"], small["level"]) == (0, 1)
    assert not small["gaps"]


def test_stage_1_pairs_show_every_change(tmp_path) -> None:
    data = browse(make_raw_split(tmp_path / "set", "RS_pretrain", pairs=1), tmp_path / "out")
    (sentence,) = data["pairs"][0]["sentences"]
    assert (sentence["text"], sentence["change"]) == ("(every change)", "")
    assert sentence["area"] == pytest.approx(np.asarray(draw_mask(1000 * sum(map(ord, "RS_pretrain")))).mean() / 255)


def test_splits_domains_and_numbers_can_be_chosen(tmp_path, capsys) -> None:
    root = make_dataset(tmp_path / "set", pairs=2)

    def parts(name: str, *options: str) -> list[str]:
        return [pair["part"] for pair in browse(root, tmp_path / name, *options)["pairs"]]

    assert parts("a", "--split", "validation") == ["NS_val", "NS_val", "RS_val", "RS_val"]
    assert parts("b", "--split", "validation", "--domain", "RS") == ["RS_val", "RS_val"]
    assert parts("c", "--limit", "3") == ["NS_pretrain", "NS_pretrain", "NS_train"]
    assert main(["browse", str(root), "--out", str(tmp_path / "d"), "--split", "test"]) == 2
    assert "No pair is left" in capsys.readouterr().err
    assert list((tmp_path / "d").iterdir()) == []
    with pytest.raises(SystemExit):
        main(["browse", str(root), "--out", str(tmp_path / "e"), "--limit", "0"])


def test_what_cannot_be_read_is_left_out_and_said(tmp_path, capsys) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=3)
    cut_short(folder / "A" / "RS_train_001.png")
    data = browse(folder, tmp_path / "out")
    assert [pair["id"] for pair in data["pairs"]] == ["RS_train_000", "RS_train_002"]
    assert "unreadable_image" in capsys.readouterr().out


def test_folders_that_hold_something_are_never_written_into(tmp_path, capsys) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=1)
    before = sorted(tmp_path.rglob("*"))
    assert main(["browse", str(folder), "--out", str(folder)]) == 2
    assert "is not empty" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["browse", str(folder), "--out", str(tmp_path / "file" / "out")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "file"])


# --- what people wrote is text, never markup ---


def make_evil_folder(root: Path) -> Path:
    """Markup in sentences, names and sources."""
    folder = make_image_folder(root / "evil <b>bold", pairs=1, sentences=2)
    name = "t1/<script>alert(1)<!--.png"
    shutil.copy(folder / "t1/0.png", (folder / "t1") / "<script>alert(1)<!--.png")
    rows = [{**row, "expression": EVIL, "source": EVIL, "image_t1_file_name": name} for row in read_rows(folder)]
    write_rows(folder, rows)
    return folder


def test_nothing_of_the_data_stands_in_the_page_as_markup(tmp_path) -> None:
    data = browse(make_evil_folder(tmp_path), tmp_path / "out")
    assert data["title"] == "evil <b>bold"
    assert data["pairs"][0]["id"] == "t1/<script>alert(1)<!--"
    assert data["pairs"][0]["source"] == EVIL
    assert data["pairs"][0]["sentences"][0]["text"] == EVIL.strip()
    script = (tmp_path / "out/pairs.js").read_text(encoding="ascii")
    assert not set(script) & set("<>&\u2028")
    assert (tmp_path / "out/index.html").read_text(encoding="utf-8") == fill_template(TEMPLATE)
    assert all(re.fullmatch(r"[\w.]+", path.name) for path in (tmp_path / "out").rglob("*"))


def test_half_letters_do_not_stop_the_page(tmp_path) -> None:
    folder = make_image_folder(tmp_path / "set", pairs=1, sentences=1)
    write_rows(folder, [{**row, "pair_id": "a \ud83c", "source": "b \ud83c"} for row in read_rows(folder)])
    (pair,) = browse(folder, tmp_path / "out")["pairs"]
    assert (pair["id"], pair["source"]) == ("a \\ud83c", "b \\ud83c")


class Page(HTMLParser):
    """Collects the elements of the template."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(fill_template(TEMPLATE))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def test_the_page_needs_nothing_from_elsewhere_and_writes_no_markup() -> None:
    source = fill_template(TEMPLATE)
    assert not re.search(r"https?:|//[\w.]+/|@import|url\(", source)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", source)
    loaded = [attributes["src"] for _, attributes in Page().elements if "src" in attributes]
    assert loaded == ["pairs.js"]


def test_every_control_has_a_name() -> None:
    elements = Page().elements
    for tag, attributes in elements:
        if tag in ("input", "select", "nav"):
            assert attributes.get("aria-label"), attributes
        if tag == "button":
            assert attributes["type"] == "button"
    assert ("html", {"lang": "en"}) in elements
    assert any(attributes.get("aria-live") == "polite" for _, attributes in elements)


# --- what the page does, in a browser ---


STATE = """
    const state = () => ({
      pairs: [...document.querySelectorAll("h2")].map((name) => name.textContent),
      found: document.getElementById("found").textContent,
      page: document.getElementById("page").textContent,
      hash: location.hash,
    });
    const choose = (id, value) => {
      document.getElementById(id).value = value;
      document.getElementById(id).dispatchEvent(new Event("change"));
      return state();
    };
"""


@needs_browser
def test_markup_in_the_data_is_shown_as_it_is(tmp_path) -> None:
    browse(make_evil_folder(tmp_path), tmp_path / "out")
    shown = run_script(
        tmp_path / "out",
        """return {
            title: document.title, heading: document.querySelector("h1").textContent,
            name: document.querySelector("h2").textContent, text: document.querySelector(".text").textContent,
            scripts: document.scripts.length, images: document.querySelectorAll("img[src=x], b").length,
        };""",
    )
    assert shown == {
        "title": "evil <b>bold",
        "heading": "evil <b>bold",
        "name": "t1/<script>alert(1)<!--",
        "text": EVIL.strip(),
        "scripts": 3,  # the data, the page's own, and the test's
        "images": 0,
    }


@needs_browser
def test_filters_and_search_choose_pairs_and_pages_turn(tmp_path) -> None:
    root = make_dataset(tmp_path / "set", pairs=2)
    edit_json(root / "RS_val", "RS_val_001", referring_expressions=["The red barn", "a car"])
    Image.new("L", (48, 32)).save(root / "RS_val/masks/RS_val_000/1.png")
    out = tmp_path / "out"
    browse(root, out)
    script = (out / "pairs.js").read_text(encoding="ascii")
    (out / "pairs.js").write_text(script.replace('"pageSize": 200', '"pageSize": 5'), encoding="ascii")
    steps = run_script(
        out,
        STATE
        + """
        const steps = { all: state() };
        document.getElementById("next").click(); steps.second = state();
        document.getElementById("next").click(); steps.third = state();
        steps.atTheEnd = document.getElementById("next").disabled;
        steps.split = choose("split", "validation");
        steps.target = choose("target", "no"); choose("target", "");
        steps.change = choose("change", "disappear"); choose("change", "");
        document.getElementById("search").value = "BARN red";
        document.getElementById("filters").dispatchEvent(new Event("submit", { cancelable: true }));
        steps.search = state();
        steps.aside = [...document.querySelectorAll(".sentence")].map((item) => item.classList.contains("aside"));
        const overlays = document.querySelectorAll("figure:first-child .overlay:not([hidden])");
        steps.masks = [...overlays].map((overlay) => overlay.getAttribute("src").split("/").pop());
        steps.nothing = choose("domain", "NS");
        return steps;""",
    )
    assert steps["all"]["found"] == "12 pairs, 16 sentences"
    assert [len(steps[name]["pairs"]) for name in ("all", "second", "third")] == [5, 5, 2]
    assert steps["third"]["page"] == "Page 3 of 3"
    assert steps["third"]["hash"] == "#page=3"
    assert steps["atTheEnd"] is True
    assert steps["split"]["pairs"] == ["NS_val_000", "NS_val_001", "RS_val_000", "RS_val_001"]
    assert steps["split"]["hash"] == "#split=validation"
    assert steps["target"]["found"] == "1 pair, 1 sentence"
    assert steps["change"]["found"] == "4 pairs, 4 sentences"
    assert steps["search"]["pairs"] == ["RS_val_001"]
    assert steps["aside"] == [False, True]
    assert steps["masks"] == ["mask_0.png"]
    assert steps["nothing"]["pairs"] == []


@needs_browser
def test_domains_have_words_and_numbers_are_readable_on_their_colours(tmp_path) -> None:
    out = tmp_path / "out"
    browse(make_dataset(tmp_path / "set", pairs=2), out)
    found = run_script(
        out,
        """return {
          domains: [...document.querySelectorAll("#domain option")].map((option) => option.textContent),
          inks: palette.map(inkOn),
          first: document.querySelector(".sentence").style.getPropertyValue("--on-swatch")};""",
    )
    assert found["domains"] == ["every domain", "everyday scene", "remote sensing"]
    assert found["inks"] == [to_hex(stands_out_on(color)) for color in MASK_COLORS]
    assert found["first"] == found["inks"][0]


@needs_browser
def test_a_link_opens_with_its_filters(tmp_path) -> None:
    out = tmp_path / "out"
    browse(make_dataset(tmp_path / "set", pairs=2), out)
    state = run_script(out, STATE + "return state();", "#split=train&domain=RS&change=disappear")
    assert state["found"] == "2 pairs, 2 sentences"
    for wrong in ("#page=99", "#page=-3", "#page=x", "#split=nonsense"):
        state = run_script(out, STATE + "return state();", wrong)
        assert state["found"] == "12 pairs, 16 sentences", wrong


@needs_browser
def test_masks_follow_mouse_clicks_and_keys(tmp_path) -> None:
    out = tmp_path / "out"
    browse(make_raw_split(tmp_path / "set", "RS_train", pairs=2), out)
    steps = run_script(
        out,
        """
        const [first, second] = document.querySelectorAll(".pair");
        const shown = (card) => {
          const all = [...card.querySelectorAll("figure:first-child .overlay")];
          // Not only the attribute: a style sheet can show what is hidden.
          const overlays = all.filter((overlay) => getComputedStyle(overlay).display !== "none");
          return overlays.map((overlay) => overlay.getAttribute("src").split("/").pop().replace("_gaps", "")).sort();
        };
        const sentences = first.querySelectorAll(".sentence");
        const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        const steps = [["all", shown(first)]];
        sentences[1].dispatchEvent(new Event("pointerenter")); steps.push(["pointed at", shown(first)]);
        sentences[1].dispatchEvent(new Event("pointerleave")); steps.push(["left", shown(first)]);
        sentences[0].click(); steps.push(["clicked", shown(first)], ["other pair", shown(second)]);
        steps.push(["pressed", [...sentences].map((item) => item.getAttribute("aria-pressed"))]);
        sentences[0].click(); press("m"); steps.push(["m", shown(first)]);
        press("j"); press("2"); steps.push(["j 2", shown(second)]);
        press("c"); steps.push(["c", [first, second].map((card) => card.classList.contains("swapped"))]);
        press("k"); steps.push(["k", first.classList.contains("current")]);
        const frame = first.querySelector(".frame");
        const other = () => getComputedStyle(frame.querySelector(".other")).visibility;
        steps.push(["before", other()]);
        frame.dispatchEvent(new Event("pointerdown")); steps.push(["held", other()]);
        frame.dispatchEvent(new Event("pointerup")); steps.push(["let go", other()]);
        return Object.fromEntries(steps);""",
    )
    assert steps == {
        "all": ["mask_0.png", "mask_1.png"],
        "pointed at": ["mask_1.png"],
        "left": ["mask_0.png", "mask_1.png"],
        "clicked": ["mask_0.png"],
        "other pair": ["mask_0.png", "mask_1.png"],
        "pressed": ["true", "false"],
        "m": [],
        "j 2": ["mask_1.png"],
        "c": [False, True],
        "k": True,
        "before": "hidden",
        "held": "visible",
        "let go": "hidden",
    }


@needs_browser
def test_images_and_masks_load_from_the_disk(tmp_path) -> None:
    out = tmp_path / "out"
    browse(make_raw_split(tmp_path / "set", "RS_train", pairs=1), out)
    sizes = run_script(out, "return [...document.images].map((image) => image.naturalWidth);")
    assert sizes == [48] * 8  # two images in each frame, and two masks over each


@needs_browser
def test_each_mask_has_its_number_and_gaps_only_beside_others(tmp_path) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=1, size=(512, 512))
    mask = np.zeros((512, 512), dtype=np.uint8)
    mask[100:300, 100:300] = 255
    for index in range(2):
        Image.fromarray(mask).save(folder / f"masks/RS_train_000/{index}.png")
    browse(folder, tmp_path / "out")
    steps = run_script(
        tmp_path / "out",
        """
        const shown = (selector) => [...document.querySelectorAll(`figure:first-child ${selector}:not([hidden])`)];
        const names = () => shown(".overlay").map((each) => each.getAttribute("src").split("/").pop());
        const numbers = () => shown(".number").map((each) => each.textContent);
        const all = [names(), numbers()];
        const [first, second] = document.querySelectorAll(".sentence");
        second.dispatchEvent(new Event("pointerenter"));
        const alone = [names(), numbers()];
        first.dispatchEvent(new Event("pointerenter"));
        return { all, alone, other: [names(), numbers()] };""",
    )
    # The first thing is there at t2 alone.
    assert steps == {
        "all": [["mask_0.png", "mask_1_gaps.png"], ["2"]],
        "alone": [["mask_1.png"], ["2"]],
        "other": [["mask_0.png"], []],
    }
