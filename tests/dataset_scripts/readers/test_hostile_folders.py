# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Folders with files that nobody names, names in other forms, pipes, odd paths and odd cards."""

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from datasets import load_dataset

from dataset_scripts.command_line import main
from dataset_scripts.errors import DataError
from dataset_scripts.readers import Reason, open_pairs, parquet_pairs
from tests.dataset_scripts.image_folders import make_image_folder, read_rows, write_rows
from tests.dataset_scripts.raw_folders import edit_json, json_path, make_raw_split
from tests.parquet_pages import HEAD_UNCOMPRESSED, Fields, rewrite


NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


def names_of_unused(folder: Path) -> list[str]:
    return sorted(finding.sample for finding in open_pairs(folder).report.unused)


# --- files that no pair has ---


def test_files_that_no_pair_of_the_raw_layout_has_are_counted_and_named(tmp_path, capsys) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=2)
    assert names_of_unused(tmp_path / "set") == []
    (folder / "A" / "scan.psd").write_bytes(b"x")
    (folder / "A" / "Thumbs.db").write_bytes(b"x")
    (folder / "B" / "sub").mkdir()
    for name in ("A/lonely.png", "B/sub/deep.png", "masks/other.PNG"):
        (folder / name).write_bytes((folder / "A" / "RS_train_000.png").read_bytes())
    (folder / "referring_expression" / "notes.txt").write_text("x")
    os.mkfifo(folder / "B" / "pipe.png")
    expected = ["A/lonely.png", "A/scan.psd", "B/pipe.png", "B/sub/deep.png", "masks/other.PNG"]
    assert names_of_unused(tmp_path / "set") == [*expected, "referring_expression/notes.txt"]
    assert main(["validate", str(tmp_path / "set")]) == 0
    printed = capsys.readouterr().out
    assert "WARN       6  reading: unused_file" in printed
    assert "RS_train, A/scan.psd: not a file that ends in .jpg" in printed
    assert main(["export", str(tmp_path / "set"), str(tmp_path / "out")]) == 0
    assert "6  unused_file" in capsys.readouterr().out


def test_files_of_other_kinds_in_a_stage_1_set_are_named(tmp_path) -> None:
    """Six of seven pairs in another format are not dropped without a word."""
    folder = make_raw_split(tmp_path / "set", "RS_pretrain", pairs=7)
    for path in (path for kind in ("A", "B", "masks") for path in sorted((folder / kind).iterdir())[1:]):
        path.rename(path.with_suffix(".xyz"))
    source = open_pairs(tmp_path / "set")
    assert len(source) == 1
    assert len(source.report.unused) == 18


def test_images_whose_names_begin_with_a_dot_are_named(tmp_path) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_pretrain", pairs=2)
    for kind in ("A", "B", "masks"):
        (folder / kind / "RS_pretrain_000.png").rename(folder / kind / ".one.png")
        (folder / kind / "._RS_pretrain_001.png").write_bytes(b"kept by macOS")
        (folder / kind / ".DS_Store").write_bytes(b"")
    assert [pair.pair_id for pair in open_pairs(tmp_path / "set")] == ["RS_pretrain_001"]
    assert names_of_unused(tmp_path / "set") == ["A/.one.png", "B/.one.png", "masks/.one.png"]


@pytest.mark.parametrize("name", ["a b", " a", "a ", "a\nb", "a\tb", "a.b.c", "-a", "%s", "[a]*?", "~", "\u202ea"])
def test_odd_names_are_read(tmp_path, name: str) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_pretrain", pairs=2)
    for kind in ("A", "B", "masks"):
        (folder / kind / "RS_pretrain_000.png").rename(folder / kind / f"{name}.png")
    source = open_pairs(tmp_path / "set")
    assert {pair.pair_id for pair in source} == {name, "RS_pretrain_001"}
    pair = next(pair for pair in source if pair.pair_id == name)
    assert pair.change_mask is not None
    files = (pair.image_t1, pair.image_t2, pair.change_mask)
    assert [file.source for file in files] == [folder / kind / f"{name}.png" for kind in ("A", "B", "masks")]
    assert source.report.findings == source.report.unused == []


def test_files_that_no_row_names_are_counted_and_named(tmp_path) -> None:
    folder = make_image_folder(tmp_path / "mine", pairs=2)
    assert names_of_unused(folder) == []
    rows = read_rows(folder)
    write_rows(folder, rows[:2])
    (folder / "README.md").write_text("about")
    assert names_of_unused(folder) == ["masks/1_0.png", "masks/1_1.png", "t1/1.png", "t2/1.png"]


# --- names in other forms ---


@pytest.mark.parametrize(("asked", "there"), [(NFC, NFD), (NFD, NFC), ("House", "house"), ("straße", "STRASSE")])
def test_names_that_differ_in_case_or_unicode_form_match(tmp_path, asked: str, there: str) -> None:
    folder = make_raw_split(tmp_path / "raw", "RS_train", pairs=1, expressions=1)
    edit_json(folder, "RS_train_000", img_B=f"{asked}.png")
    (folder / "B" / "RS_train_000.png").rename(folder / "B" / f"{there}.png")
    source = open_pairs(tmp_path / "raw")
    assert source[0].image_t2.source == folder / "B" / f"{there}.png"
    assert source.report.counts == {"similar_name": 1}
    assert source.report.unused == []

    folder = make_raw_split(tmp_path / "stage1", "RS_pretrain", pairs=1)
    for kind, name in (("A", asked), ("B", there), ("masks", asked)):
        (folder / kind / "RS_pretrain_000.png").rename(folder / kind / f"{name}.png")
    source = open_pairs(tmp_path / "stage1")
    assert [pair.image_t2.source for pair in source] == [folder / "B" / f"{there}.png"]
    assert source.report.counts == {"similar_name": 1}

    folder = make_image_folder(tmp_path / "mine", pairs=1, sentences=1)
    (row,) = read_rows(folder)
    write_rows(folder, [{**row, "image_t2_file_name": f"T2/{asked}.png"}])
    (folder / "t2" / "0.png").rename(folder / "t2" / f"{there}.png")
    source = open_pairs(folder)
    assert source[0].image_t2.source == folder / "t2" / f"{there}.png"
    assert source.report.counts == {"similar_name": 1}


def test_exact_names_go_before_similar_ones(tmp_path) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_pretrain", pairs=2)
    for kind in ("A", "B", "masks"):
        (folder / kind / "RS_pretrain_000.png").rename(folder / kind / "a.png")
        (folder / kind / "RS_pretrain_001.png").rename(folder / kind / "A.png")
    source = open_pairs(tmp_path / "set")
    assert [(pair.pair_id, pair.image_t2.name) for pair in source] == [
        ("A", "RS_pretrain/B/A.png"),
        ("a", "RS_pretrain/B/a.png"),
    ]
    assert source.report.findings == []
    # The mask of the one is not that of the other.
    (folder / "masks" / "A.png").unlink()
    source = open_pairs(tmp_path / "set")
    assert [pair.pair_id for pair in source] == ["a"]
    assert source.report.counts == {"missing_mask": 1}


def test_pairs_whose_names_differ_in_case_keep_their_own_masks(tmp_path) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=2, expressions=1)
    for number, name in ((0, "pair"), (1, "Pair")):
        old = f"RS_train_00{number}"
        edit_json(folder, old, sample_id=name, mask=[f"{name}/0.png"])
        json_path(folder, old).rename(json_path(folder, name))
        (folder / "masks" / old).rename(folder / "masks" / name)
    (folder / "masks" / "Pair" / "0.png").unlink()
    source = open_pairs(tmp_path / "set")
    assert [pair.pair_id for pair in source] == ["pair"]
    assert source.report.counts == {"no_expression_left": 1, "missing_mask": 1}


# --- no files ---


def test_pipes_and_links_in_circles_do_not_hang(tmp_path, capsys) -> None:
    folder = make_raw_split(tmp_path / "raw", "RS_train", pairs=4)
    for number, name in enumerate(("A/RS_train_000.png", "masks/RS_train_001/0.png")):
        (folder / name).unlink()
        os.mkfifo(folder / name) if number else (folder / name).symlink_to("RS_train_000.png")
    json_path(folder, "RS_train_002").unlink()
    os.mkfifo(json_path(folder, "RS_train_002"))
    json_path(folder, "circle").symlink_to("circle.json")
    (folder / "A" / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "B" / "loop").symlink_to(folder, target_is_directory=True)
    assert main(["validate", str(tmp_path / "raw")]) == 1
    printed = capsys.readouterr().out
    assert "not a regular file" in printed
    assert "2 pairs, 3 sentences" in printed
    assert main(["export", str(tmp_path / "raw"), str(tmp_path / "out")]) == 0

    folder = make_image_folder(tmp_path / "mine", pairs=1)
    (folder / "metadata.jsonl").unlink()
    os.mkfifo(folder / "metadata.jsonl")
    assert main(["validate", str(folder)]) == 2
    folder = make_image_folder(tmp_path / "other", pairs=1)
    write_rows(folder, [{**row, "image_t1_file_name": "x" * 300 + ".png"} for row in read_rows(folder)])
    assert main(["validate", str(folder)]) == 1
    assert all(line.count("Traceback") == 0 for line in capsys.readouterr().err.splitlines())


# --- paths that are patterns ---


@pytest.mark.parametrize("name", ["a[b]c", "what?", "all*", "[x", "quote\"'s"])
@pytest.mark.parametrize("domains", [("RS",), ("NS", "RS")])
def test_the_printed_line_loads_an_export_at_any_path(tmp_path, capsys, name: str, domains: tuple[str, ...]) -> None:
    for domain in domains:
        make_raw_split(tmp_path / "raw", f"{domain}_train", pairs=2)
    out = tmp_path / name
    assert main(["export", str(tmp_path / "raw"), str(out)]) == 0
    line = capsys.readouterr().out.splitlines()[-1].split("; ")[-1]
    loaded = eval(line, {"load_dataset": load_dataset})  # noqa: S307 # What a reader would do with it.
    assert len(loaded) == 4 * len(domains)
    table = open_pairs(out, "train", "TV")
    assert len(table) == 2 * len(domains)
    with pytest.raises(DataError, match="has no split 'test'"):
        open_pairs(out, "test", "TV")


def test_a_folder_whose_name_is_not_utf_8_is_exported(tmp_path, capsys) -> None:
    make_raw_split(tmp_path / "raw\udcff", "RS_train", pairs=1)
    assert main(["export", str(tmp_path / "raw\udcff"), str(tmp_path / "out\udcff")]) == 0
    assert "1 pairs" in capsys.readouterr().out


# --- cards ---

CARDS: dict[str, str] = {
    "configs is a number": "configs: 7",
    "configs is a text": "configs: all",
    "configs is a mapping": "configs: {a: b}",
    "a configuration is a text": "configs: [a]",
    "a configuration is null": "configs: [null]",
    "no config_name": "configs: [{data_files: [{split: train, path: 'data/*'}]}]",
    "config_name is a number": "configs: [{config_name: 7, data_files: [{split: train, path: 'data/*'}]}]",
    "config_name is a list": "configs: [{config_name: [a], data_files: [{split: train, path: 'data/*'}]}]",
    "no data_files": "configs: [{config_name: RS}]",
    "data_files is a mapping": "configs: [{config_name: RS, data_files: {train: 'data/*'}}]",
    "no split": "configs: [{config_name: RS, data_files: [{path: 'data/*'}]}]",
    "split is a list": "configs: [{config_name: RS, data_files: [{split: [train], path: 'data/*'}]}]",
    "split is a date": "configs: [{config_name: RS, data_files: [{split: 2020-01-01, path: 'data/*'}]}]",
    "no path": "configs: [{config_name: RS, data_files: [{split: train}]}]",
    "path is a number": "configs: [{config_name: RS, data_files: [{split: train, path: 7}]}]",
    "path is empty": "configs: [{config_name: RS, data_files: [{split: train, path: ''}]}]",
    "path is no pattern": "configs: [{config_name: RS, data_files: [{split: train, path: '**data'}]}]",
    "path is nested": "configs: [{config_name: RS, data_files: [{split: train, path: [['data/*']]}]}]",
    "path has a NUL": 'configs: [{config_name: RS, data_files: [{split: train, path: "a\\0b"}]}]',
    "a tag of Python": "configs: !!python/object:os.system {}",
    "a date that is none": "configs: 2020-99-99",
    "a time that is none": "configs: !!timestamp x",
    "a number that is none": "configs: !!int ''",
    "nested": "configs: " + "[" * 5000,
    "an unhashable key": "configs: {[a]: b}",
    "an alias of itself": "configs: &a [*a]",
    "not closed": "configs: [",
    "aliases that expand to gigabytes": "\n".join(
        [
            "a0: &a0 [x, x]",
            *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)),
            "configs: {x: *a9}",
        ]
    ),
    "a number of 7,000 digits": f"configs: 0x{'f' * 6000}",
    "the head is a list": "- a",
    "the head is a number": "7",
}


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("split", [None, "train"])
def test_an_unusual_card_is_one_error(tmp_path, name: str, split: str | None) -> None:
    out = tmp_path / "[set]"
    out.mkdir()
    (out / "data").mkdir()
    (out / "data" / "train.parquet").write_bytes(b"PAR1")
    (out / "README.md").write_text(f"---\n{CARDS[name]}\n---\nText\n")
    with pytest.raises(DataError) as caught:
        open_pairs(out, split)
    assert str(caught.value)
    plain = out.rename(tmp_path / "set")
    with pytest.raises(DataError):
        open_pairs(plain, split)


@pytest.mark.parametrize("damage", ["cut", "pipe", "text"])
def test_a_damaged_file_of_an_export_is_one_error(tmp_path, capsys, damage: str) -> None:
    make_raw_split(tmp_path / "raw", "RS_train", pairs=1)
    assert main(["export", str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    (path,) = (tmp_path / "out" / "data").rglob("*.parquet")
    content: Any = {"cut": path.read_bytes()[:500], "text": b"x" * 100}.get(damage)
    path.unlink()
    os.mkfifo(path) if content is None else path.write_bytes(content)
    for split in (None, "train"):
        with pytest.raises(DataError):
            open_pairs(tmp_path / "out", split)


def test_a_page_of_an_export_that_lies_is_one_line_within_bounded_memory(tmp_path, capsys, monkeypatch) -> None:
    """Every page says that it holds two gigabytes."""

    def enlarge(name: str, header: Fields, data: bytes) -> bytes:
        header[HEAD_UNCOMPRESSED] = (5, 2**31 - 1)
        return data

    make_raw_split(tmp_path / "raw", "RS_train", pairs=1)
    assert main(["export", str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    (path,) = (tmp_path / "out" / "data").rglob("*.parquet")
    whole = path.read_bytes()
    path.write_bytes(rewrite(whole, lambda name, header, data: data))
    assert main(["validate", str(tmp_path / "out")]) == 0
    path.write_bytes(rewrite(whole, enlarge))
    monkeypatch.setattr(parquet_pairs, "MOST_BYTES", 256 << 20)
    for command in (["validate"], ["stats", "--out", str(tmp_path / "page")]):
        capsys.readouterr()
        assert main([command[0], str(tmp_path / "out"), *command[1:]]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"{path} would need more than 256 MiB of memory" in line


@pytest.mark.parametrize("part", ["identity", "files", "configs", "report"])
@pytest.mark.parametrize("value", [None, 7, [], {}, {"RS/train-00000-of-00001.parquet": 7}])
def test_a_damaged_record_of_an_export_is_one_error(tmp_path, part: str, value: Any, capsys) -> None:
    make_raw_split(tmp_path / "raw", "RS_train", pairs=1)
    out = tmp_path / "out"
    assert main(["export", str(tmp_path / "raw"), str(out)]) == 0
    record = json.loads((out / "export.json").read_text())
    (out / "export.json").write_text(json.dumps({**record, part: value}))
    capsys.readouterr()
    assert main(["export", str(tmp_path / "raw"), str(out)]) in (0, 2)
    assert len(capsys.readouterr().err.splitlines()) <= 1


def test_the_reasons_are_explained() -> None:
    from dataset_scripts.readers import EXPLANATIONS

    assert set(EXPLANATIONS) == set(Reason)


@pytest.mark.parametrize("options", [[], ["--pairs"]])
def test_no_file_of_an_export_stays_open(tmp_path, monkeypatch, options: list[str]) -> None:
    make_raw_split(tmp_path / "raw", "RS_train", pairs=2)
    assert main(["export", str(tmp_path / "raw"), str(tmp_path / "out"), *options]) == 0
    opened: list[pyarrow.parquet.ParquetFile] = []

    class Noted(pyarrow.parquet.ParquetFile):
        def __init__(self, *args, **kwargs) -> None:
            super().__init__(*args, **kwargs)
            opened.append(self)

    monkeypatch.setattr(pyarrow.parquet, "ParquetFile", Noted)
    source = open_pairs(tmp_path / "out")
    for _ in source:  # A reader that stops early closes its file, too.
        break
    assert opened
    assert len(list(source)) == 2
    assert source[1].pair_id
    assert all(file.closed for file in opened)
