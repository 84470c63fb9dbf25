# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_scripts.command_line import main
from dataset_scripts.quality.dataset_statistics import (
    AREA_EDGES,
    DatasetFacts,
    MaskFacts,
    SentenceFacts,
    area_histogram,
    frequent_words,
    measure_dataset,
    summarize,
)
from dataset_scripts.readers import open_pairs
from tests.dataset_scripts.image_folders import make_image_folder, read_rows, write_rows
from tests.dataset_scripts.raw_folders import edit_json, make_dataset, make_raw_split


matplotlib = pytest.importorskip("matplotlib", reason="the page is drawn with matplotlib")

from dataset_scripts.pages.stats_page import draw_page  # noqa: E402 - needs matplotlib


def measure(folder: Path) -> DatasetFacts:
    return measure_dataset(open_pairs(folder))


def panel(figure, title: str):
    (axes,) = (axes for axes in figure.axes if axes.get_label() == title)
    return axes


def texts(axes) -> list[str]:
    return [text.get_text().strip() for text in axes.texts]


def bars(axes) -> list[float]:
    return [round(bar.get_width(), 6) for bar in axes.patches if hasattr(bar, "get_width")]


def bar_names(axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


@pytest.fixture(scope="module")
def figure(tmp_path_factory):
    return draw_page(measure(make_dataset(tmp_path_factory.mktemp("raw"), pairs=3)), "drawn")


def test_the_page_has_every_panel(figure) -> None:
    assert tuple(figure.get_size_inches() * figure.dpi) == (1600, 2000)
    assert [axes.get_label() for axes in figure.axes if axes.get_label()] == [
        "Pairs and sentences",
        "Change types, share of sentences",
        "Area of masks, share of masks",
        "Length of sentences, share of sentences",
        "Where masks lie (darker: more often)",
        "Frequent words, share of sentences",
        "Sentences per pair, share of pairs",
        "Pairs by size of the images",
        "Pairs by source",
    ]
    header = texts(figure.axes[0])
    assert header[0] == "drawn"
    assert header[1:5] == ["18", "pairs", "24", "sentences"]


def test_counts_are_those_of_the_data(figure) -> None:
    axes = panel(figure, "Pairs and sentences")
    assert bar_names(axes) == [
        "train · NS",
        "train · RS",
        "validation · NS",
        "validation · RS",
        "stage 1 · NS",
        "stage 1 · RS",
    ]
    assert bars(axes) == [3, 6, 3, 6, 3, 6, 3, 6, 3, 3]
    assert texts(axes)[:2] == ["3 pairs", "6 sentences"]


def test_change_types_add_up_to_all_sentences(figure) -> None:
    axes = panel(figure, "Change types, share of sentences")
    assert bar_names(axes) == ["train", "validation"]
    assert bars(axes) == [0.5, 0.5, 0.5, 0.5]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["appear", "disappear"]


@pytest.mark.parametrize(
    "title",
    ["Area of masks, share of masks", "Length of sentences, share of sentences", "Sentences per pair, share of pairs"],
)
def test_every_histogram_holds_all_of_its_split(figure, title: str) -> None:
    axes = panel(figure, title)
    lines = [patch for patch in axes.patches if not patch.get_fill()]
    assert len(lines) == (3 if title == "Area of masks, share of masks" else 2)  # train, validation and stage 1
    for line in lines:
        assert sum(line.get_data().values) == pytest.approx(1)


def test_maps_show_where_masks_lie(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=1, expressions=1, size=(64, 64))
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[:16, 32:] = 255
    Image.fromarray(mask).save(folder / "masks/RS_train_000/0.png")
    axes = panel(draw_page(measure(folder), "drawn"), "Where masks lie (darker: more often)")
    shown = axes.get_images()[0].get_array()
    assert axes.get_xlabel() == "remote sensing (RS)"
    assert (shown[:8, 16:] == 1).all()
    assert shown.sum() == 8 * 16


def test_the_share_of_empty_masks_is_said(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_val", pairs=2)
    Image.new("L", (48, 32)).save(folder / "masks/RS_val_000/1.png")
    figure = draw_page(measure(folder), "drawn")
    (label,) = panel(figure, "Area of masks, share of masks").get_legend().get_texts()
    assert label.get_text() == "validation (25 % empty)"
    header = texts(figure.axes[0])
    assert header[header.index("no-target sentences") - 1] == "25 %"


def test_stage_1_alone_says_that_there_are_no_sentences(tmp_path) -> None:
    figure = draw_page(measure(make_raw_split(tmp_path, "RS_pretrain", pairs=2)), "drawn")
    for title in (
        "Change types, share of sentences",
        "Length of sentences, share of sentences",
        "Sentences per pair, share of pairs",
    ):
        assert texts(panel(figure, title)) == ["no sentences"]
    assert bars(panel(figure, "Pairs by size of the images")) == [2]


def test_text_of_the_data_is_never_a_formula(tmp_path) -> None:
    folder = make_image_folder(tmp_path / "$x^", pairs=1)
    rows = [{**row, "source": "a$\\frac{$", "expression": "the $house$"} for row in read_rows(folder)]
    write_rows(folder, rows)
    assert main(["stats", str(folder), "--out", str(tmp_path / "page.png")]) == 0


def test_the_command_writes_a_png_of_1600_pixels_width(tmp_path, capsys) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=2)
    edit_json(folder, "RS_train_000", referring_expressions=["", "a"])
    assert main(["stats", str(folder), "--out", str(tmp_path / "page.png")]) == 0
    with Image.open(tmp_path / "page.png") as page:
        assert (page.format, page.width) == ("PNG", 1600)
    printed = capsys.readouterr().out
    assert "2 pairs" in printed
    assert "blank_expression" in printed


@pytest.mark.parametrize("out", ["nowhere/page.png", "."])
def test_a_page_that_cannot_be_written_is_bad_input(tmp_path, capsys, out: str) -> None:
    folder = make_raw_split(tmp_path / "raw", "RS_train", pairs=1)
    assert main(["stats", str(folder), "--out", str(tmp_path / out)]) == 2
    assert "give another --out" in capsys.readouterr().err


def test_without_matplotlib_the_command_says_what_to_install(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["stats", str(make_raw_split(tmp_path, "RS_train", pairs=1))]) == 2
    assert "pip install" in capsys.readouterr().err


def test_nothing_readable_is_bad_input(tmp_path, capsys) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=1)
    next((folder / "A").iterdir()).unlink()
    assert main(["stats", str(folder), "--out", str(tmp_path / "page.png")]) == 2
    assert re.search(r"holds no pair that can be read; see `.*validate", capsys.readouterr().err)


# --- the numbers behind the page ---


def sentence(text: str) -> SentenceFacts:
    return SentenceFacts(text, "appear", False, MaskFacts(b"", 1, 0.5))


def test_words_are_counted_once_a_sentence_and_function_words_not_at_all() -> None:
    words = frequent_words(map(sentence, ["The car by the CAR", "a car-park's 2 cars", "le café of the car"]), 9)
    assert words == [("car", 2), ("café", 1), ("car-park's", 1), ("cars", 1), ("le", 1)]
    assert frequent_words(map(sentence, ["b c", "c"]), 1) == [("c", 2)]


def test_areas_are_counted_in_bins_from_a_speck_to_everything() -> None:
    counts = area_histogram([0, 1e-9, 1e-5, 0.5, 1, 1])
    assert len(counts) == len(AREA_EDGES) - 1
    assert (counts[0], counts[-1], sum(counts)) == (2, 2, 5)
    assert area_histogram([]) == [0] * 25


def test_the_summary_counts_a_pair_of_two_folders_once(tmp_path) -> None:
    root = make_dataset(tmp_path, pairs=2)
    union = make_raw_split(tmp_path / "other", "train_all", pairs=1)
    for path in (root / "RS_train").rglob("*_000*"):
        target = union / path.relative_to(root / "RS_train")
        if path.is_file():
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    for path in (root / "RS_train/masks/RS_train_000").iterdir():
        target = union / "masks/RS_train_000" / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    union.rename(root / "train_all")
    summary = summarize(measure(root))
    assert summary["stage_1_pairs"] == 4
    assert summary["total"]["pairs"] == 9  # two of each of four folders, and one that train_all alone has
    assert summary["total"]["domains"] == {"NS": 4, "RS": 4, "unknown": 1}
    assert {split: counts["pairs"] for split, counts in summary["splits"].items()} == {"train": 5, "validation": 4}
    assert summary["splits"]["validation"]["change_types"] == {"appear": 4, "disappear": 4}
    assert summary["total"]["characters"] == {"min": 32, "median": 32, "max": 32}
    assert sum(summary["total"]["area_histogram"]["counts"]) == 18
