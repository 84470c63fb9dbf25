# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg explain` with a tiny model."""

import json

import pytest
from PIL import Image

from mtrefseg.cli.main import main


@pytest.fixture(scope="module")
def checkpoint(model, processor, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture
def explain(checkpoint, make_image, tmp_path, monkeypatch):
    """A function that runs the command on a pair in the current folder, and gives the exit code."""
    for name, seed in (("t1.png", 0), ("t2.png", 1)):
        make_image(seed=seed).save(tmp_path / name)
    make_image(30, 40).save(tmp_path / "small.png")
    (tmp_path / "notes.png").write_text("no image")
    monkeypatch.chdir(tmp_path)

    def explain(*arguments):
        try:
            return main(["explain", *arguments, "--model", str(checkpoint), "--device", "cpu", "--out", "out"])
        except SystemExit as stop:
            return stop.code

    return explain


def test_explain_writes_sheet_parts_and_report(explain, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    for name in ("result.json", "attention_99.png", "mask_of_mine.png"):
        (out / name).write_text("{}")
    assert explain("t1.png", "t2.png", "the red car", "--domain", "normal_scene") == 0
    report = json.loads((out / "result.json").read_text(encoding="utf-8"))
    # What an earlier run left behind is gone, what a person put there is not.
    assert {path.name for path in out.iterdir()} == {*report["images"], "result.json", "mask_of_mine.png"}
    assert {"sheet.png", "t1.png", "words.png", "difference.png", "attention_4.png", "mask_0.png"} <= {
        *report["images"]
    }
    for name in report["images"]:
        with Image.open(out / name) as image:
            assert image.mode == "RGB"
    assert (report["expression"], report["domain"]) == ("the red car", "normal_scene")
    assert (report["width"], report["height"]) == (128, 96)
    assert [word["word"] for word in report["words"]] == ["the", "red", "car"]
    printed = capsys.readouterr()
    _, heading, *words, sheet = printed.out.splitlines()
    assert heading == "share of the mask that changes without a word:"
    assert (len(words), sheet) == (3, "out/sheet.png")
    assert "without each of its 3 words" in printed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.png", "t2.png", "a"], "gone.png"),
        (["t1.png", "notes.png", "a"], "notes.png"),
        (["t1.png", "small.png", "a"], "--align resize"),
        (["t1.png", "t2.png", " "], "sentence 1 is empty"),
        (["t1.png", "t2.png", "the [SEG]"], "special token"),
        (["t1.png", "t2.png", "tree " * 600], "Shorten it"),
        (["t1.png", "t2.png"], "the following arguments are required: SENTENCE"),
        (["t1.png", "t2.png", "a", "b"], "unrecognized arguments: b"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(arguments, message, explain, tmp_path, capsys):
    before = sorted(tmp_path.rglob("*"))
    assert explain(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("mtrefseg: error: ")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert sorted(tmp_path.rglob("*")) == before


def test_another_size_of_t2_is_resampled(explain, tmp_path):
    assert explain("small.png", "t2.png", "a tree", "--align", "resize") == 0
    report = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert (report["width"], report["height"], report["align"]) == (40, 30, "resize")
