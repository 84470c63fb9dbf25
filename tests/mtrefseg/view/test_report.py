# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Images and page of an evaluation, and the command that writes them."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image, ImageDraw

from dataset_scripts.synthesis import Generator
from mtrefseg.cli.main import main
from mtrefseg.io import fill_template
from mtrefseg.looks import PREDICTION, TRUTH
from mtrefseg.view.predictions import PREDICTIONS_SCHEMA, ScoredSentence
from mtrefseg.view.report_images import draw_case, draw_histogram, draw_report_sheet
from mtrefseg.view.report_page import TEMPLATE
from mtrs_iou.mask_counts import encode_rle
from tests.browser_pages import EVIL, needs_browser, run_script


GENERATOR = Generator(size=128, domains=("RS",), split="validation")
SIZE = 128


def rle(left=0, right=0):
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[:64, left:right] = True
    return encode_rle(mask)


def make_row(number=0, **changes):
    """A sentence that is about the upper left quarter, and was found in the upper right one."""
    return {
        "sample_id": f"pair_{number}_0",
        "pair_id": f"pair_{number}",
        "domain": "RS",
        "change_type": "appear",
        "expression": f"the roof number {number}",
        "truth": rle(0, 64),
        "prediction": rle(64, 128),
        "iou": 0.0,
        "score": 0.75,
        "no_target_score": 0.25,
        "problem": None,
        **changes,
    }


def make_sentence(**changes):
    return ScoredSentence(**make_row(**changes), has_target=True, wrong_pixels=8192)


GREY = tuple(Image.new("RGB", (SIZE, SIZE), (level,) * 3) for level in (60, 180))


@pytest.fixture
def drawn_texts(monkeypatch):
    """Every text that is written onto an image."""
    texts = []
    draw_text = ImageDraw.ImageDraw.text

    def recording(self, position, text, *arguments, **options):
        texts.append(text)
        return draw_text(self, position, text, *arguments, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", recording)
    return texts


@pytest.fixture
def evaluation(tmp_path):
    """The folder of an evaluation of generated pairs."""
    rows = []
    for number in range(3):
        pair = GENERATOR.pair(number)
        for index, expression in enumerate(pair.expressions):
            truth = encode_rle(expression.mask)
            named = {"sample_id": f"{pair.pair_id}_{index}", "pair_id": pair.pair_id}
            said = {"expression": expression.text, "change_type": expression.change_type, "iou": 2.0 * len(rows)}
            rows.append(make_row(**named, **said, truth=truth, prediction=truth))
    folder = tmp_path / "evaluation"
    folder.mkdir()
    write_rows(folder, rows)
    report = {"data": {"name": "generated", "split": "validation"}, "model": {"name": "mine"}}
    (folder / "report.json").write_text(json.dumps(report))
    return folder


def write_rows(folder, rows):
    table = pyarrow.Table.from_pylist(rows, schema=PREDICTIONS_SCHEMA)
    pyarrow.parquet.write_table(table, folder / "predictions.parquet")


def read_page(out: Path) -> dict[str, Any]:
    """What the page's script reads."""
    script = (out / "report.js").read_text(encoding="ascii")
    head, entries = re.fullmatch(
        r"window\.REPORT = \{\.\.\.(\{.*\}), sentences: \[\n(.*)\n\]\};\n", script, re.DOTALL
    ).groups()
    return {**json.loads(head), "sentences": [json.loads(line.removesuffix(",")) for line in entries.splitlines()]}


def report_on(folder, out, *options):
    return main(["report", str(folder / "predictions.parquet"), "--out", str(out), *map(str, options)])


# --- images ---


@pytest.mark.parametrize(("change_type", "level"), [("appear", 180), ("state_change", 180), ("disappear", 60)])
def test_truth_and_prediction_stand_on_the_image_that_shows_the_thing(change_type, level, drawn_texts):
    row = np.asarray(draw_case(make_sentence(change_type=change_type), GREY)).astype(int)
    columns = [32 + (369 + 20) * index for index in range(4)]
    y = 26 + 60

    def colors(index):
        """In the upper left and the upper right quarter of a panel."""
        return row[y, columns[index] + 90].tolist(), row[y, columns[index] + 270].tolist()

    assert colors(0) == ([60] * 3, [60] * 3)
    assert colors(1) == ([180] * 3, [180] * 3)
    tinted = [[round(level + 0.42 * (channel - level)) for channel in color] for color in (TRUTH, PREDICTION)]
    np.testing.assert_allclose(colors(2), [tinted[0], [level] * 3], atol=2)
    np.testing.assert_allclose(colors(3), [[level] * 3, tinted[1]], atol=2)
    place = "on t1" if change_type == "disappear" else "on t2"
    assert {f"truth, {place}", f"prediction, {place}", "the roof number 0"} <= set(drawn_texts)


def test_what_is_missing_is_said(drawn_texts):
    draw_case(make_sentence(), None)
    assert "truth, images not available" in drawn_texts
    draw_case(make_sentence(truth=rle(), prediction=None, score=None, problem="unreadable_mask: cut"), GREY)
    assert {"truth, on t2: empty", "prediction, on t2: missing"} <= set(drawn_texts)
    assert any(text.endswith("unreadable_mask: cut") for text in drawn_texts)
    nothing = draw_case(make_sentence(truth=None, prediction=None, expression="新しい " * 900), None)
    assert nothing.width == 1600
    assert nothing.height < 300


@pytest.mark.parametrize("size", [(1, 1), (4, 900), (900, 4)])
def test_images_of_any_shape_fit(size):
    mask = encode_rle(np.ones(size, dtype=bool))
    image = Image.new("RGB", size[::-1])
    drawn = draw_case(make_sentence(truth=mask, prediction=mask), (image, image))
    assert drawn.width == 1600
    assert drawn.height < 700


def test_the_histogram_shows_single_ones(drawn_texts):
    few = [make_sentence(iou=95.0)]
    chart = np.asarray(draw_histogram([make_sentence(iou=5.0)] * 999 + few)).astype(int)
    blue = (chart[..., 2] - chart[..., 0]) > 100
    assert blue[:, 40:180].sum() > 20_000
    assert 200 < blue[:, 1410:].sum() < 2000
    assert not blue[:, 200:1400].any()
    assert {"999", "1", "IoU of 1,000 sentences, mean 5.1"} <= set(drawn_texts)
    assert draw_histogram([]).size == (1600, 300)


def test_the_sheet_shows_one_sentence_a_pair(drawn_texts):
    sentences = [make_sentence(number=number // 2, expression=f"roof {number}") for number in range(40)]
    draw_report_sheet(sentences, None)
    assert sum(text.startswith("roof ") for text in drawn_texts) == 12


# --- the page ---


def test_the_page_has_every_sentence_with_its_files(evaluation, tmp_path, capsys):
    out = tmp_path / "out"
    assert report_on(evaluation, out) == 0
    page = read_page(out)
    assert page["title"] == "mine on generated, validation"
    count = sum(len(GENERATOR.pair(number).expressions) for number in range(3))
    assert len(page["sentences"]) == page["chosen"] == count
    assert [entry["iou"] for entry in page["sentences"]] == [2.0 * number for number in range(count)]
    for entry in page["sentences"]:
        assert entry["images"]
        for date in ("t1", "t2"):
            with Image.open(out / "images" / entry["folder"] / f"{date}.jpg") as image:
                assert image.size == (entry["width"], entry["height"]) == (SIZE, SIZE)
        for mask in {entry["truth"], entry["prediction"]} - {"empty"}:
            with Image.open(out / "images" / mask) as image:
                assert image.size == (SIZE, SIZE)
        assert (entry["truth"] == "empty") == (not entry["target"])
    assert len(list((out / "images").iterdir())) == 3
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.width == 1600
    printed = capsys.readouterr()
    assert printed.out == f"{out / 'index.html'}: {count} of {count} sentences, the worst first\n{out / 'sheet.png'}\n"
    assert report_on(evaluation, out) == 2
    assert "is not empty" in capsys.readouterr().err


def test_filters_and_limit_choose(evaluation, tmp_path, capsys):
    assert report_on(evaluation, tmp_path / "a", "--min-iou", 3, "--max-iou", 8, "--limit", 2) == 0
    page = read_page(tmp_path / "a")
    assert [entry["iou"] for entry in page["sentences"]] == [4.0, 6.0]
    assert page["chosen"] == 3
    assert report_on(evaluation, tmp_path / "b", "--search", "NS_validation") == 2
    assert "passes the filters" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "gone"], "gone is neither a folder nor a Hub id"),
        (["--data", "evaluation"], "contains no pairs"),
        (["--limit", "0"], "'0' is not a whole number of 1 or more"),
        (["--max-iou", "101"], "'101' is not between 0 and 100"),
        (["--domain", "moon"], "invalid choice: 'moon'"),
    ],
)
def test_bad_options_are_one_line(options, message, evaluation, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    try:
        code = report_on(evaluation, tmp_path / "out", *options)
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr().err
    assert code == 2
    assert message in printed
    assert printed.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_without_images_the_masks_are_shown(evaluation, tmp_path, capsys):
    (evaluation / "report.json").unlink()
    assert report_on(evaluation, tmp_path / "out") == 0
    page = read_page(tmp_path / "out")
    assert page["title"] == "evaluation"
    assert not any(entry["images"] for entry in page["sentences"])
    assert "pass the evaluated data with --data" in capsys.readouterr().err
    assert report_on(evaluation, tmp_path / "again", "--data", "generated") == 0
    assert all(entry["images"] for entry in read_page(tmp_path / "again")["sentences"])
    # Data that has none of the pairs is a mistake, data that lacks some is worth a note.
    write_rows(evaluation, [make_row()])
    assert report_on(evaluation, tmp_path / "other", "--data", "generated") == 2
    assert "--data generated holds none of the 1 sentences' pairs" in capsys.readouterr().err
    pair = GENERATOR.pair(0)
    known = make_row(pair_id=pair.pair_id, expression=pair.expressions[0].text)
    write_rows(evaluation, [make_row(number=1), known])
    assert report_on(evaluation, tmp_path / "part", "--data", "generated") == 0
    assert "the images of 1 of 2 sentences were not found" in capsys.readouterr().err


def make_evil_page(tmp_path) -> Path:
    texts = {"expression": EVIL, "sample_id": EVIL, "problem": EVIL, "pair_id": "../../../evil"}
    write_rows(tmp_path, [make_row(**texts)])
    report = {"data": {"name": EVIL}, "model": {"name": EVIL}}
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert report_on(tmp_path, tmp_path / "out") == 0
    return tmp_path / "out"


def test_nothing_of_the_data_stands_in_the_page_as_markup(tmp_path):
    out = make_evil_page(tmp_path)
    assert read_page(out)["sentences"][0]["text"] == EVIL
    assert not set((out / "report.js").read_text(encoding="ascii")) & set("<>&\u2028")
    assert "evil" not in (out / "index.html").read_text(encoding="utf-8")
    assert all(re.fullmatch(r"[\w.]+", path.name) for path in out.rglob("*"))
    assert {path.name for path in tmp_path.iterdir()} == {"out", "predictions.parquet", "report.json"}


class Page(HTMLParser):
    """Collects the elements of the template."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(fill_template(TEMPLATE))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def test_the_page_needs_nothing_from_elsewhere_and_writes_no_markup():
    source = fill_template(TEMPLATE)
    assert not re.search(r"https?:|//[\w.]+/|@import|url\(", source)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", source)
    elements = Page().elements
    assert [attributes["src"] for _, attributes in elements if "src" in attributes] == ["report.js"]
    for tag, attributes in elements:
        if tag in ("input", "select", "nav"):
            assert attributes.get("aria-label"), attributes
        if tag == "button":
            assert attributes["type"] == "button"


@needs_browser
def test_markup_in_the_data_is_shown_as_it_is(tmp_path):
    shown = run_script(
        make_evil_page(tmp_path),
        """return {
            heading: document.querySelector("h1").textContent, text: document.querySelector(".pair h2").textContent,
            style: getComputedStyle(document.querySelector(".pair")).borderRadius,
            scripts: document.scripts.length, images: document.querySelectorAll("img[src=x]").length,
        };""",
    )
    assert shown == {
        "heading": f"{EVIL} on {EVIL}, None",
        "text": EVIL,
        "style": "10px",  # Of the page of pairs, whose style is in this page's head.
        "scripts": 3,  # the data, the page's own, and the test's
        "images": 0,
    }


@needs_browser
def test_filters_bars_and_order_choose_in_the_browser(tmp_path):
    changes = [
        {"iou": 5.0},
        {"iou": 5.0, "domain": "NS", "change_type": "disappear", "expression": "the blue car"},
        {"iou": 55.0, "truth": rle(), "prediction": rle()},
        {"iou": 100.0, "prediction": None, "problem": "unreadable_image: cut"},
    ]
    write_rows(tmp_path, [make_row(number=number, **change) for number, change in enumerate(changes)])
    assert report_on(tmp_path, tmp_path / "out") == 0
    steps = run_script(
        tmp_path / "out",
        """
        const heads = () => [...document.querySelectorAll(".pair h2")];
        const texts = () => heads().map((head) => head.textContent.split(" ").at(-1));
        const counts = () => [...document.querySelectorAll(".bar")].map((bar) => bar.dataset.count).join("");
        const choose = (id, value) => {
          document.getElementById(id).value = value;
          document.getElementById(id).dispatchEvent(new Event("change"));
          return texts();
        };
        const steps = { all: texts(), counts: counts(), found: document.getElementById("found").textContent };
        steps.best = choose("order", "best"); choose("order", "");
        steps.target = choose("target", "no");
        steps.problem = choose("target", "problem"); choose("target", "");
        steps.change = choose("change", "disappear"); choose("change", "");
        document.querySelectorAll(".bar")[0].click(); steps.bar = texts(); steps.hash = location.hash;
        steps.domain = choose("domain", "NS"); steps.domainCounts = counts();
        document.querySelectorAll(".bar")[0].click(); choose("domain", "");
        document.getElementById("search").value = "ROOF 3";
        document.getElementById("filters").dispatchEvent(new Event("submit", { cancelable: true }));
        steps.search = texts();
        steps.captions = [...document.querySelectorAll("figcaption")].map((caption) => caption.textContent);
        steps.bars = [...document.querySelectorAll(".bar")].map((bar) => bar.getAttribute("aria-pressed")).join();
        return steps;""",
    )
    assert sorted(steps["all"][:2]) == ["0", "car"]
    assert steps["all"][2:] == ["2", "3"]
    assert steps["counts"] == "2000010001"
    assert steps["found"] == "4 sentences · mean IoU 41.3"
    assert steps["best"][:2] == ["3", "2"]
    assert steps["target"] == ["2"]
    assert steps["problem"] == ["3"]
    assert steps["change"] == ["car"]
    assert sorted(steps["bar"]) == ["0", "car"]
    assert steps["hash"] == "#step=0"
    assert (steps["domain"], steps["domainCounts"]) == (["car"], "1000000000")
    assert steps["search"] == ["3"]
    missing = ["t1 · not available", "t2 · not available", "truth, on t2", "prediction, on t2: missing"]
    assert steps["captions"] == missing
    assert "true" not in steps["bars"]


@needs_browser
def test_a_link_opens_with_its_filters(tmp_path):
    write_rows(tmp_path, [make_row(number=number, iou=10.0 * number) for number in range(4)])
    assert report_on(tmp_path, tmp_path / "out") == 0
    found = 'return document.getElementById("found").textContent;'
    assert run_script(tmp_path / "out", found, "#step=2").startswith("1 sentence ·")
    for wrong in ("#step=99", "#step=x", "#page=7", "#order=nonsense", "#domain=moon"):
        assert run_script(tmp_path / "out", found, wrong).startswith("4 sentences"), wrong
