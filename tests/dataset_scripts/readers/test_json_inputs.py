# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""JSON in other encodings, and JSON that readers understand differently: `metadata.jsonl` and the raw layout."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataset_scripts.command_line import main
from dataset_scripts.readers import open_pairs
from tests.dataset_scripts.image_folders import make_image_folder, read_rows, write_rows
from tests.dataset_scripts.raw_folders import json_path, make_raw_split


SENTENCES = ["thing 0 that appeared – 屋根", "thing 1 that appeared 🏠"]

SAME_TEXT: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, big end first": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-32": lambda text: text.encode("utf-32"),
    "lines of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "UTF-16 with lines of Windows": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    "no line end": lambda text: text.rstrip("\n").encode(),
    "blank lines": lambda text: f"\n \n{text}\n\n".encode(),
}


def image_folder(tmp_path: Path) -> tuple[Path, str]:
    """A folder of one pair, and its rows with the sentences above."""
    folder = make_image_folder(tmp_path / "mine", pairs=1)
    text = (folder / "metadata.jsonl").read_text(encoding="utf-8")
    for index, sentence in enumerate(SENTENCES):
        text = text.replace(f"thing {index} that appeared", sentence)
    return folder, text


def raw_split(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """The JSON file of a folder of one pair, and its content with the sentences above."""
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=1, expressions=2)
    path = json_path(folder, "RS_train_000")
    return path, {**json.loads(path.read_text(encoding="utf-8")), "referring_expressions": SENTENCES}


def read(folder: Path) -> list[str]:
    return [expression.text for pair in open_pairs(folder) for expression in pair.expressions]


@pytest.mark.parametrize("form", SAME_TEXT)
def test_rows_are_the_same_in_every_encoding(tmp_path: Path, form: str) -> None:
    folder, text = image_folder(tmp_path)
    (folder / "metadata.jsonl").write_bytes(SAME_TEXT[form](text))
    assert read(folder) == SENTENCES
    assert open_pairs(folder).report.findings == []


@pytest.mark.parametrize("form", SAME_TEXT)
def test_json_of_a_pair_is_the_same_in_every_encoding(tmp_path: Path, form: str) -> None:
    path, content = raw_split(tmp_path)
    path.write_bytes(SAME_TEXT[form](json.dumps(content, ensure_ascii=False, indent=1) + "\n"))
    assert read(tmp_path / "set") == SENTENCES
    assert open_pairs(tmp_path / "set").report.findings == []


REFUSED = {
    "a name with two values": ('"expression": "another", ', "it gives 'expression' two different values"),
    "1 and true": ('"noisy": 1, "noisy": true, ', "it gives 'noisy' two different values"),
    "within": ('"extra": {"a": [1], "a": [2]}, ', "it gives 'a' two different values"),
    "deep": (f'"extra": {"[" * 100_000}{"]" * 100_000}, ', "it is nested too deeply"),
    "long number": (f'"extra": {"9" * 5000}, ', "it contains a number with thousands of digits"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_row_that_can_mean_several_things_is_skipped_alone(tmp_path: Path, name: str, capsys: Any) -> None:
    folder, text = image_folder(tmp_path)
    inserted, words = REFUSED[name]
    (folder / "metadata.jsonl").write_text("{" + inserted + text[1:], encoding="utf-8")
    assert read(folder) == SENTENCES[1:]
    (finding,) = open_pairs(folder).report.skipped
    assert (finding.sample, finding.reason.value) == ("metadata.jsonl:1", "unreadable_json")
    assert words in finding.detail
    assert main(["validate", str(folder)]) == 1
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("name", REFUSED)
def test_json_of_a_pair_that_can_mean_several_things_is_skipped(tmp_path: Path, name: str) -> None:
    path, content = raw_split(tmp_path)
    inserted, words = REFUSED[name]
    inserted = inserted.replace('"expression": "another"', '"referring_expressions": []')
    path.write_text("{" + inserted + json.dumps(content)[1:], encoding="utf-8")
    (finding,) = open_pairs(tmp_path / "set").report.skipped
    assert (finding.sample, finding.reason.value) == ("RS_train_000.json", "unreadable_json")
    assert words.replace("'expression'", "'referring_expressions'") in finding.detail


def test_a_name_that_is_repeated_with_the_same_value_is_read(tmp_path: Path) -> None:
    folder, text = image_folder(tmp_path)
    (folder / "metadata.jsonl").write_text(
        '{"domain": "RS", "score": NaN, "score": NaN, ' + text[1:], encoding="utf-8"
    )
    assert read(folder) == SENTENCES
    assert open_pairs(folder).report.findings == []


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", "9" * 4000, '"\\ud800"'], ids=lambda value: value[:9])
@pytest.mark.parametrize(
    "column", ["image_t1_file_name", "mask_file_name", "expression", "pair_id", "domain", "noisy"]
)
def test_numbers_and_surrogates_cost_no_other_row(tmp_path: Path, column: str, value: str) -> None:
    """What pandas writes for a missing value, and worse: labels are reported, rows that need it are skipped."""
    folder, text = image_folder(tmp_path)
    first, second = text.splitlines()
    row = json.dumps({**json.loads(first), column: "@"}).replace('"@"', value)
    (folder / "metadata.jsonl").write_text(f"{row}\n{second}\n", encoding="utf-8")
    is_label = column in ("domain", "noisy", "pair_id")
    found = read(folder)
    assert found == SENTENCES if is_label else found == SENTENCES[1:]
    report = open_pairs(folder).report
    assert len(report.skipped) == (0 if is_label else 1)
    assert report.repaired or not is_label or (column, value) == ("pair_id", '"\\ud800"')
    name = "\\ud800" if (column, value) == ("pair_id", '"\\ud800"') else "t1/0"
    assert [pair.pair_id for pair in open_pairs(folder)] == [name]
    assert all("\n" not in finding.detail and len(finding.detail) < 500 for finding in report.findings)


@pytest.mark.parametrize("value", ["NaN", "1e999", "9" * 4000, '"\\ud800"', "[1]"], ids=lambda value: value[:9])
@pytest.mark.parametrize("key", ["sample_id", "img_A", "change_types", "noisy", "domain", "view"])
def test_numbers_and_surrogates_in_json_of_a_pair(tmp_path: Path, key: str, value: str) -> None:
    path, content = raw_split(tmp_path)
    listed = f"[{value}, {value}]" if key in ("change_types", "noisy") else value
    path.write_text(json.dumps({**content, key: "@"}).replace('"@"', listed), encoding="utf-8")
    report = open_pairs(tmp_path / "set").report
    assert report.findings
    assert all("\n" not in finding.detail and len(finding.detail) < 500 for finding in report.findings)
    found = read(tmp_path / "set")
    assert found == (SENTENCES if key in ("change_types", "noisy", "domain", "view") else [])


def test_utf_16_that_is_cut_off_is_one_line(tmp_path: Path) -> None:
    folder, text = image_folder(tmp_path)
    (folder / "metadata.jsonl").write_bytes(text.encode("utf-16")[:-1])
    (finding,) = open_pairs(folder).report.skipped
    assert (finding.sample, finding.reason.value) == ("metadata.jsonl", "unreadable_json")
    path, content = raw_split(tmp_path)
    path.write_bytes(json.dumps(content).encode("utf-16")[:-1])
    (finding,) = open_pairs(tmp_path / "set").report.skipped
    assert "is not UTF-16" in finding.detail


@pytest.mark.parametrize("spelling", ["./t1/0.png", "t1//0.png", "t1\\0.png", "T1/0.PNG"])
def test_rows_that_spell_the_same_images_otherwise_are_one_pair(tmp_path: Path, spelling: str) -> None:
    """They were two pairs of the same images, each with a part of the sentences."""
    folder = make_image_folder(tmp_path / "mine", pairs=1)
    first, second = read_rows(folder)
    second["image_t1_file_name"] = spelling
    write_rows(folder, [first, second])
    (pair,) = open_pairs(folder)
    assert pair.pair_id == "t1/0"
    assert len(pair.expressions) == 2


def test_rows_of_a_pair_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    folder = make_image_folder(tmp_path / "mine", pairs=1, sentences=3)
    rows = read_rows(folder)
    del rows[0]["domain"]
    rows[1] |= {"pair_id": "a", "source": "theirs"}
    rows[2] |= {"pair_id": "b", "domain": "NS"}
    write_rows(folder, rows)
    source = open_pairs(folder)
    (pair,) = source
    assert (pair.pair_id, pair.domain, pair.source, len(pair.expressions)) == ("a", "RS", "mine", 3)
    assert [finding.detail for finding in source.report.repaired] == [
        'source is "theirs", but "mine" in an earlier row of the pair; the earlier one is used',
        'pair_id is "b", but "a" in an earlier row of the pair; the earlier one is used',
        'domain is "NS", but "RS" in an earlier row of the pair; the earlier one is used',
    ]


def test_metadata_in_upper_case_is_not_another_layout(tmp_path: Path) -> None:
    """Folders `t1` and `t2` would be read as a set without sentences."""
    folder = make_image_folder(tmp_path / "mine")
    (folder / "metadata.jsonl").rename(folder / "Metadata.JSONL")
    assert len(read(folder)) == 4
    assert open_pairs(folder).report.unused == []


def test_paths_that_begin_with_their_own_folder_are_found(tmp_path: Path) -> None:
    path, content = raw_split(tmp_path)
    names = {"img_A": "A/RS_train_000.png", "img_B": "B\\RS_train_000.png", "mask": ["masks/RS_train_000/1.png"] * 2}
    path.write_text(json.dumps({**content, **names}), encoding="utf-8")
    (pair,) = source = open_pairs(tmp_path / "set")
    assert [one.mask.name for one in pair.expressions] == ["RS_train/masks/RS_train_000/1.png"] * 2
    assert not source.report.findings


def test_masks_that_are_no_files_are_not_taken_for_numbered_ones(tmp_path: Path) -> None:
    """Run lengths and polygons in the JSON file were passed over for the files of their numbers."""
    path, content = raw_split(tmp_path)
    path.write_text(json.dumps({**content, "mask": [{"size": [2, 2], "counts": "04"}, None]}), encoding="utf-8")
    (pair,) = source = open_pairs(tmp_path / "set")
    assert [one.text for one in pair.expressions] == SENTENCES[1:]
    assert [finding.detail for finding in source.report.skipped] == ["entry 0 of the masks is not a file name"]
