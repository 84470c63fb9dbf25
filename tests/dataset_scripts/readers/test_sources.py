# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import datasets
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from dataset_scripts.command_line import main
from dataset_scripts.errors import DataError
from dataset_scripts.readers import GeneratedPairs, ImageFile, Pair, ReadingReport, Reason, open_pairs, pair_features
from dataset_scripts.synthesis import Generator, SyntheticPair
from mtrefseg.io import load_image, load_mask
from tests.dataset_scripts.image_folders import make_image_folder, read_rows, write_rows
from tests.dataset_scripts.raw_folders import cut_short, draw_image, draw_mask, make_dataset, make_raw_split


def read(folder: Path) -> tuple[list[Pair], ReadingReport]:
    source = open_pairs(folder)
    return list(source.usable()), source.report


def content(record: Pair) -> tuple[object, ...]:
    """All of a pair but the names of its files and folder."""
    size = record.image_t1.size
    sentences = [
        (item.text, item.change_type, item.noisy, item.mask.read_mask(size)[0].tobytes())
        for item in record.expressions
    ]
    change = None if record.change_mask is None else record.change_mask.read_mask(size)[0].tobytes()
    images = (record.image_t1.read_bytes(), record.image_t2.read_bytes())
    return record.pair_id, record.split, record.domain, record.view, record.source, *images, sentences, change


# --- what kind of folder it is ---


def test_the_root_and_a_single_split_folder_of_the_raw_layout_open(tmp_path) -> None:
    root = make_dataset(tmp_path / "set", pairs=2)
    source = open_pairs(root)
    assert source.kind == "raw layout"
    assert {part.name: (part.split, part.pair_count) for part in source.parts} == {
        "NS_pretrain": ("train", 2),
        "NS_train": ("train", 2),
        "NS_val": ("validation", 2),
        "RS_pretrain": ("train", 2),
        "RS_train": ("train", 2),
        "RS_val": ("validation", 2),
    }
    assert len(source) == 12
    assert [record.folder for record in source.usable()] == [part.name for part in source.parts for _ in range(2)]
    assert [part.name for part in open_pairs(root / "RS_val").parts] == ["RS_val"]


def test_one_split_and_domain_is_read_alone(tmp_path) -> None:
    root = make_dataset(tmp_path, pairs=1)
    cut_short(root / "NS_train" / "A" / "NS_train_000.png")
    source = open_pairs(root)
    report = source.report
    assert [record.folder for record in source.usable("validation")] == ["NS_val", "RS_val"]
    assert [record.folder for record in source.usable("train", "RS")] == ["RS_pretrain", "RS_train"]
    assert not report.findings  # the damaged pair was not looked at
    assert [record.folder for record in source.usable(domain="NS")] == ["NS_pretrain", "NS_val"]
    assert report.counts == {"unreadable_image": 1}


def test_a_folder_of_no_domain_learns_it_from_the_folders_beside_it(tmp_path) -> None:
    for name, prefix in (("NS_train", "n"), ("RS_train", "r")):
        make_raw_split(tmp_path, name, pairs=1, prefix=prefix)
    for prefix in ("n", "r", "x"):
        folder = make_raw_split(tmp_path / "made" / prefix, "train_all", pairs=1, prefix=prefix)
        shutil.copytree(folder, tmp_path / "train_all", dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "made")
    records, _ = read(tmp_path)
    domains = {record.pair_id: record.domain for record in records if record.folder == "train_all"}
    assert domains == {"n_000": "NS", "r_000": "RS", "x_000": None}
    shutil.rmtree(tmp_path / "RS_train")
    make_raw_split(tmp_path, "RS_train", pairs=1, prefix="n")
    records, _ = read(tmp_path)
    domains = {record.pair_id: record.domain for record in records if record.folder == "train_all"}
    assert domains == {"n_000": None, "r_000": None, "x_000": None}  # n_000 is in both


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.write_text("no folder"), lambda path: None])
def test_what_is_no_data_says_what_was_looked_for(tmp_path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "data")
    with pytest.raises(DataError) as caught:
        open_pairs(tmp_path / "data")
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / "data") in message
    if (tmp_path / "data").is_dir():
        assert all(word in message for word in ("A and B", "metadata.jsonl", "README.md"))


# --- image folders ---


def test_rows_of_the_same_images_are_one_pair(tmp_path) -> None:
    folder = make_image_folder(tmp_path / "mine")
    records, report = read(folder)
    assert [record.pair_id for record in records] == ["t1/0", "t1/1"]
    assert [[item.text for item in record.expressions] for record in records] == [
        ["thing 0 that appeared", "thing 1 that appeared"]
    ] * 2
    first = records[0]
    assert (first.split, first.domain, first.view, first.source) == ("train", "RS", "aerial", "mine")
    assert [item.change_type for item in first.expressions] == ["appear", "disappear"]
    assert (first.expressions[1].mask.read_mask(first.image_t1.size)[0] == (np.asarray(draw_mask(1)) == 255)).all()
    assert not report.findings
    assert report.kept_pairs == {"mine": 2}
    assert report.kept_expressions == {"mine": 4}


def test_the_same_folder_loads_as_an_image_folder_of_datasets(tmp_path) -> None:
    folder = make_image_folder(tmp_path / "mine" / "train")
    table = datasets.load_dataset("imagefolder", data_dir=str(folder.parent), split="train")
    assert {"image_t1", "image_t2", "mask", "expression"} <= set(table.column_names)
    records, _ = read(folder.parent)
    assert table["expression"] == [item.text for record in records for item in record.expressions]
    assert (np.asarray(table[0]["image_t1"]) == np.asarray(draw_image(ord("1")))).all()


def test_sub_folders_are_splits_and_other_ones_are_not_looked_into(tmp_path) -> None:
    for name in ("train", "val", "test", "other"):
        make_image_folder(tmp_path / name, pairs=1)
    source = open_pairs(tmp_path)
    assert source.kind == "image folder"
    assert {part.name: part.split for part in source.parts} == {"train": "train", "val": "validation", "test": "test"}


def test_rows_above_the_folder_of_a_split_belong_to_it(tmp_path) -> None:
    def rows(split: str) -> list[dict[str, str]]:
        own = read_rows(tmp_path / split)
        return [{key: f"{split}/{row[key]}" if key.endswith("_name") else row[key] for key in row} for row in own]

    for name in ("train", "val"):
        make_image_folder(tmp_path / name, pairs=1, sentences=1)
    validation, both = rows("val"), rows("train") + rows("val")
    for name in ("train", "val"):
        (tmp_path / name / "metadata.jsonl").unlink()
    write_rows(tmp_path, validation)
    assert [pair.split for pair in open_pairs(tmp_path)] == ["validation"]
    assert len(open_pairs(tmp_path, "validation", checked=False)) == 1
    write_rows(tmp_path, both)
    with pytest.raises(DataError, match=r"names images of train and validation: write a metadata\.jsonl into"):
        open_pairs(tmp_path)


def test_a_split_does_not_reach_into_the_one_beside_it(tmp_path) -> None:
    for name in ("train", "validation"):
        make_image_folder(tmp_path / name, pairs=1, sentences=1)
    rows = read_rows(tmp_path / "validation")
    write_rows(tmp_path / "validation", [{**rows[0], "image_t1_file_name": "../train/t1/0.png"}])
    records, report = read(tmp_path)
    assert [record.folder for record in records] == ["train"]
    assert report.counts == {"path_escape": 1}


def test_a_lost_sentence_counts_only_in_its_own_split(tmp_path) -> None:
    for name in ("train", "validation"):
        make_image_folder(tmp_path / name, pairs=1, sentences=2)
    rows = read_rows(tmp_path / "train")
    write_rows(tmp_path / "train", [rows[0], {**rows[1], "mask_file_name": "masks/none.png"}, "no JSON"])
    train, validation = (open_pairs(tmp_path, split, checked=False) for split in ("train", "validation"))
    assert [bool(pair.problem) for pair in train] == [False, True, True]
    assert [bool(pair.problem) for pair in validation] == [False]
    assert not validation.report.findings


def test_optional_columns_may_be_missing(tmp_path) -> None:
    folder = make_image_folder(tmp_path, pairs=1, sentences=1)
    needed = ("image_t1_file_name", "image_t2_file_name", "mask_file_name", "expression")
    write_rows(folder, [{column: row[column] for column in needed} for row in read_rows(folder)])
    (record,), report = read(folder)
    assert (record.domain, record.view, record.source) == (None, "unknown", "unknown")
    assert record.expressions[0].change_type == "unknown"
    assert not report.findings


def test_pair_ids_and_noisy_flags_are_read_if_given(tmp_path) -> None:
    folder = make_image_folder(tmp_path, pairs=1)
    write_rows(
        folder, [{**row, "pair_id": "house", "noisy": index == 1} for index, row in enumerate(read_rows(folder))]
    )
    (record,), _ = read(folder)
    assert record.pair_id == "house"
    assert [item.noisy for item in record.expressions] == [False, True]


def test_pairs_that_share_t1_have_different_names(tmp_path) -> None:
    folder = make_image_folder(tmp_path, pairs=2, sentences=1)
    first, second = read_rows(folder)
    write_rows(folder, [first, {**second, "image_t1_file_name": first["image_t1_file_name"]}])
    records, report = read(folder)
    assert [record.pair_id for record in records] == ["t1/0", "t1/0+t2/1"]
    assert not report.findings


def test_rows_without_any_expression_are_a_stage_1_set(tmp_path) -> None:
    folder = make_image_folder(tmp_path, pairs=2, sentences=2)
    rows = [{key: value for key, value in row.items() if key != "expression"} for row in read_rows(folder)]
    write_rows(folder, rows)
    records, report = read(folder)
    assert [(record.expressions, record.change_mask is not None) for record in records] == [((), True)] * 2
    assert report.counts == {"duplicate_id": 2}


ROW_DAMAGES = {
    "no JSON": (lambda folder, row: "{", Reason.UNREADABLE_JSON),
    "no object": (lambda folder, row: "[1]", Reason.UNREADABLE_JSON),
    "very deep": (lambda folder, row: "[" * 100_000, Reason.UNREADABLE_JSON),
    "no t1": (lambda folder, row: {**row, "image_t1_file_name": None}, Reason.UNREADABLE_JSON),
    "t2 is a number": (lambda folder, row: {**row, "image_t2_file_name": 7}, Reason.UNREADABLE_JSON),
    "t1 is missing": (lambda folder, row: {**row, "image_t1_file_name": "t1/none.png"}, Reason.MISSING_IMAGE),
    "t1 climbs up": (lambda folder, row: {**row, "image_t1_file_name": "../secret.png"}, Reason.PATH_ESCAPE),
    "t1 is absolute": (
        lambda folder, row: {**row, "image_t1_file_name": str(folder.parent / "secret.png")},
        Reason.PATH_ESCAPE,
    ),
    "t2 is of a drive": (lambda folder, row: {**row, "image_t2_file_name": "C:\\secret.png"}, Reason.PATH_ESCAPE),
    "t2 climbs with backslashes": (
        lambda folder, row: {**row, "image_t2_file_name": "t2\\..\\..\\secret.png"},
        Reason.PATH_ESCAPE,
    ),
    "t2 links outside": (
        lambda folder, row: {**row, "image_t2_file_name": link(folder / "t2" / "link.png")},
        Reason.PATH_ESCAPE,
    ),
    "mask climbs up": (lambda folder, row: {**row, "mask_file_name": "../secret.png"}, Reason.MASK_PATH_ESCAPE),
    "mask is null": (lambda folder, row: {**row, "mask_file_name": None}, Reason.MISSING_MASK),
    "mask is missing": (lambda folder, row: {**row, "mask_file_name": "masks/none.png"}, Reason.MISSING_MASK),
    "mask is a text": (lambda folder, row: {**row, "mask_file_name": "metadata.jsonl"}, Reason.MISSING_MASK),
    "mask is cut short": (lambda folder, row: cut(folder, row, "mask_file_name"), Reason.UNREADABLE_MASK),
    "t1 is cut short": (lambda folder, row: cut(folder, row, "image_t1_file_name"), Reason.UNREADABLE_IMAGE),
    "sentence is blank": (lambda folder, row: {**row, "expression": " "}, Reason.BLANK_EXPRESSION),
    "sentence is half a letter": (lambda folder, row: {**row, "expression": "a \ud83c"}, Reason.BLANK_EXPRESSION),
    "sentence is missing": (lambda folder, row: {**row, "expression": None}, Reason.BLANK_EXPRESSION),
    "sentence has white space": (lambda folder, row: {**row, "expression": " a "}, Reason.WHITESPACE_TRIMMED),
    "change type is unknown": (lambda folder, row: {**row, "change_type": "explode"}, Reason.UNKNOWN_LABEL),
    "domain is unknown": (lambda folder, row: {**row, "domain": "XX"}, Reason.UNKNOWN_LABEL),
    "pair id is taken": (lambda folder, row: {**row, "pair_id": "t1/1"}, Reason.DUPLICATE_ID),
}


def link(path: Path) -> str:
    path.symlink_to(path.parents[2] / "secret.png")
    return f"{path.parent.name}/{path.name}"


def cut(folder: Path, row: dict[str, str], column: str) -> dict[str, str]:
    cut_short(folder / row[column])
    return row


@pytest.mark.parametrize("damage", ROW_DAMAGES)
def test_every_damage_of_a_row_is_reported_and_other_pairs_are_read(tmp_path, damage: str) -> None:
    draw_image(5).save(tmp_path / "secret.png")
    folder = make_image_folder(tmp_path / "mine", pairs=3, sentences=1)
    rows = read_rows(folder)
    apply, reason = ROW_DAMAGES[damage]
    write_rows(folder, [rows[0], rows[1], apply(folder, rows[2])])
    records, report = read(folder)
    assert [record.pair_id for record in records][:2] == ["t1/0", "t1/1"]
    assert reason in {finding.reason for finding in report.findings}
    is_repair = reason in (Reason.WHITESPACE_TRIMMED, Reason.UNKNOWN_LABEL)
    assert len(records) == (3 if is_repair else 2)
    assert bool(report.repaired) is is_repair
    assert bool(report.skipped) is not is_repair


# --- exported Parquet ---


@pytest.mark.parametrize("options", [[], ["--pairs"], ["--max-shard-size", "10KB"]])
def test_an_export_reads_as_the_raw_folders_that_it_is_of(tmp_path, options: list[str]) -> None:
    root = tmp_path / "raw"
    for name in ("NS_train", "NS_val", "RS_train"):
        make_raw_split(root, name, pairs=3)
    assert main(["export", str(root), str(tmp_path / "out"), *options]) == 0
    source = open_pairs(tmp_path / "out")
    assert source.kind == "Parquet"
    suffix = "_pairs" if "--pairs" in options else ""
    assert {part.name: part.pair_count for part in source.parts} == {
        f"NS{suffix}/train": 3,
        f"NS{suffix}/validation": 3,
        f"RS{suffix}/train": 3,
    }
    records, report = read(tmp_path / "out")
    assert not report.findings
    assert {record.pair_id: content(record) for record in records} == {
        record.pair_id: content(record) for record in read(root)[0]
    }


def test_pairs_of_both_domains_with_one_id_stay_apart_in_one_file(tmp_path) -> None:
    for name in ("NS_train", "RS_train"):
        make_raw_split(tmp_path / "raw", name, pairs=1, prefix="same", seed=len(name))
    out = tmp_path / "out"
    assert main(["export", str(tmp_path / "raw"), str(out)]) == 0
    tables = [pyarrow.parquet.read_table(path) for path in sorted((out / "data").rglob("*.parquet"))]
    pyarrow.parquet.write_table(pyarrow.concat_tables(tables), out / "data" / "all.parquet")
    write_card(out, [{"config_name": "TV", "data_files": [{"split": "train", "path": "data/all.parquet"}]}])
    pairs = open_pairs(out)
    assert len(pairs) == 2
    assert [pair.domain for pair in pairs] == [pairs[index].domain for index in (0, 1)] == ["NS", "RS"]
    assert pairs.positions == {"same_000": [("NS", 0), ("RS", 1)]} == open_pairs(out, "train").positions


def test_a_stray_parquet_file_does_not_hide_the_raw_folders(tmp_path) -> None:
    make_raw_split(tmp_path, "RS_train", pairs=1)
    (tmp_path / "RS_train" / "index.parquet").write_bytes(b"PAR1")
    assert len(open_pairs(tmp_path, "train", checked=False)) == 1


def test_a_table_without_a_column_says_which(tmp_path) -> None:
    path = write_parquet(tmp_path, [make_row("one")]) / "data/train.parquet"
    table = pyarrow.parquet.read_table(path).drop_columns(["domain"])
    pyarrow.parquet.write_table(table.replace_schema_metadata(None), path)
    with pytest.raises(DataError, match=r"not those of sentences; domain is missing\.$"):
        open_pairs(tmp_path, "train", "RS")


def test_an_exported_stage_1_set_reads_as_its_raw_folders(tmp_path) -> None:
    make_raw_split(tmp_path / "raw", "RS_pretrain", pairs=3)
    assert main(["export", str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    records, report = read(tmp_path / "out")
    assert not report.findings
    assert list(map(content, records)) == list(map(content, read(tmp_path / "raw")[0]))


def write_parquet(folder: Path, rows: list[dict[str, object]], path: str = "data/train.parquet") -> Path:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    datasets.Dataset.from_list(rows, features=pair_features()).to_parquet(str(folder / path))
    write_card(folder, [{"config_name": "RS_pairs", "data_files": [{"split": "train", "path": path}]}])
    return folder


def write_card(folder: Path, configs: object) -> None:
    (folder / "README.md").write_text(f"---\nconfigs: {json.dumps(configs)}\n---\n# Data\n", encoding="utf-8")


def make_row(pair_id: str, **changes: object) -> dict[str, object]:
    return {
        "pair_id": pair_id,
        "image_t1": draw_image(1),
        "image_t2": draw_image(2),
        "masks": [draw_mask(3)],
        "expressions": ["the house"],
        "change_types": [0],
        "domain": None,
        "view": 1,
        "source": None,
        "noisy": [False],
        "skipped_sentences": 0,
        **changes,
    }


def test_rows_that_cannot_be_used_are_skipped_and_named(tmp_path) -> None:
    rows = [
        make_row("good"),
        make_row("good"),
        make_row("no-t1", image_t1=None),
        make_row("no-mask", masks=[None]),
        make_row("short-list", change_types=[0, 1]),
        make_row("other-size", image_t2=draw_image(2, (20, 20))),
        make_row("last"),
    ]
    records, report = read(write_parquet(tmp_path, rows))
    assert [record.pair_id for record in records] == ["good", "last"]
    assert (records[0].domain, records[0].view, records[0].source) == (None, "aerial", "unknown")
    assert report.counts == {
        "unreadable_json": 1,
        "duplicate_id": 1,
        "missing_image": 1,
        "unequal_sizes": 1,
        "missing_mask": 1,
    }


def test_a_blank_sentence_or_a_lost_mask_costs_no_other_sentence(tmp_path) -> None:
    several = {"masks": [draw_mask(3)] * 3, "change_types": [0] * 3, "noisy": [False] * 3}
    rows = [
        make_row("nulls", **several, expressions=["the house", None, "\u200b"]),
        make_row("mask", **{**several, "masks": [draw_mask(3), None, draw_mask(4)]}, expressions=["a", "b", "c"]),
        make_row("no-list", expressions=None),
        make_row("blank", expressions=[" "]),
        make_row("last"),
    ]
    records, report = read(write_parquet(tmp_path, rows))
    assert {record.pair_id: [one.text for one in record.expressions] for record in records} == {
        "nulls": ["the house"],
        "mask": ["a", "c"],
        "last": ["the house"],
    }
    assert report.counts == {"unreadable_json": 1, "blank_expression": 3, "missing_mask": 1}
    assert {finding.sample for finding in report.skipped} >= {"nulls_1", "nulls_2", "mask_1"}


def larger(table: pyarrow.Table) -> pyarrow.Table:
    """As Polars writes texts."""
    columns = [
        column.cast(pyarrow.large_string()) if column.type == pyarrow.string() else column for column in table.columns
    ]
    return pyarrow.table(dict(zip(table.column_names, columns)))


WRITTEN_ANEW = {
    "without the features of datasets": lambda table: table.replace_schema_metadata(None),
    "large strings": larger,
    "large lists": lambda table: table.set_column(
        table.column_names.index("expressions"),
        "expressions",
        table["expressions"].cast(pyarrow.large_list(pyarrow.large_string())),
    ),
    "dictionaries": lambda table: table.set_column(0, "pair_id", table["pair_id"].dictionary_encode()),
    "short numbers": lambda table: table.set_column(
        table.column_names.index("view"), "view", table["view"].cast(pyarrow.int8())
    ),
    "names of labels": lambda table: table.set_column(
        table.column_names.index("domain"), "domain", pyarrow.array(["RS"] * len(table))
    ),
    "columns in another order": lambda table: table.select(table.column_names[::-1]),
}


@pytest.mark.parametrize("change", WRITTEN_ANEW)
def test_an_export_that_another_program_has_written_anew_reads_the_same(tmp_path, change: str) -> None:
    rows = [make_row("one", domain=1), make_row("two", domain=1, source="mine")]
    expected = [content(pair) for pair in read(write_parquet(tmp_path / "a", rows))[0]]
    path = write_parquet(tmp_path / "b", rows) / "data/train.parquet"
    pyarrow.parquet.write_table(WRITTEN_ANEW[change](pyarrow.parquet.read_table(path)), path)
    records, report = read(tmp_path / "b")
    assert [content(pair) for pair in records] == expected
    assert len(expected) == 2
    assert not report.findings
    assert [pair.pair_id for pair in (open_pairs(tmp_path / "b")[0], open_pairs(tmp_path / "b")[1])] == ["one", "two"]


def test_a_column_of_another_type_is_named(tmp_path) -> None:
    path = write_parquet(tmp_path, [make_row("one")]) / "data/train.parquet"
    table = pyarrow.parquet.read_table(path).set_column(0, "pair_id", pyarrow.array([1.5]))
    pyarrow.parquet.write_table(table.replace_schema_metadata(None), path)
    with pytest.raises(DataError, match=r"train\.parquet: pair_id is of type double, in exports string"):
        open_pairs(tmp_path)


def test_files_of_several_configurations_are_read_once(tmp_path) -> None:
    write_parquet(tmp_path, [make_row("one")], "data/a.parquet")
    write_parquet(tmp_path, [make_row("two")], "data/b.parquet")
    write_card(
        tmp_path,
        [
            {
                "config_name": "TV_pairs",
                "data_files": [{"split": "train", "path": ["data/a.parquet", "data/b.parquet"]}],
            },
            {"config_name": "RS_pairs", "data_files": [{"split": "train", "path": "data/b*.parquet"}]},
        ],
    )
    assert {record.pair_id: record.folder for record in read(tmp_path)[0]} == {
        "one": "TV_pairs/train",
        "two": "RS_pairs/train",
    }


@pytest.mark.parametrize(
    ("configs", "words"),
    [
        ([{"config_name": "x", "data_files": [{"split": "train", "path": "../secret.parquet"}]}], "leads out"),
        ([{"config_name": "x", "data_files": [{"split": "train", "path": "/secret.parquet"}]}], "leads out"),
        ([{"config_name": "x", "data_files": [{"split": "train", "path": "gone.parquet"}]}], "no file matches"),
        ([{"config_name": "x", "data_files": [{"split": "all", "path": "data/train.parquet"}]}], "'all'"),
        ([{"config_name": "x", "data_files": "data/*"}], "not a list"),
        ([{"config_name": "x", "data_files": [{"split": "train", "path": "README.md"}]}], "not a complete Parquet"),
    ],
)
def test_a_card_that_cannot_be_followed_says_why(tmp_path, configs: object, words: str) -> None:
    write_parquet(tmp_path / "set", [make_row("one")])
    (tmp_path / "secret.parquet").write_bytes((tmp_path / "set/data/train.parquet").read_bytes())
    write_card(tmp_path / "set", configs)
    with pytest.raises(DataError, match=words):
        open_pairs(tmp_path / "set")


def test_parquet_of_other_columns_or_cut_short_is_refused(tmp_path) -> None:
    folder = write_parquet(tmp_path, [make_row("one")])
    datasets.Dataset.from_dict({"text": ["a"]}).to_parquet(str(folder / "data/train.parquet"))
    with pytest.raises(DataError, match="has other columns"):
        open_pairs(folder)
    write_parquet(tmp_path, [make_row("one")])
    cut_short(folder / "data/train.parquet")
    with pytest.raises(DataError, match="not a complete Parquet"):
        open_pairs(folder)


# --- pairs that are made ---


@dataclass(frozen=True)
class FakeComposer:
    """Makes pairs as `dataset_scripts.compose.Composer` does: those of the generator, under other names."""

    version: ClassVar[int] = 1
    made_of: ClassVar[str] = ""

    folders: tuple[Path, ...]
    domain: str
    seed: int = 0
    size: int = 256
    split: str = "train"

    def pair_id(self, index: int) -> str:
        return f"{self.domain}_composed_{self.split}_{self.seed}_{index:07d}"

    def pair(self, index: int) -> SyntheticPair:
        made = Generator(self.seed, self.size, (self.domain,), self.split).pair(index)
        return replace(made, pair_id=self.pair_id(index))


def test_generated_pairs_have_a_length_only_if_it_is_given() -> None:
    infinite = open_pairs("generated", "validation", "RS", generator={"seed": 3, "size": 128, "strength": 0.5})
    assert infinite.is_infinite
    with pytest.raises(TypeError, match="no length"):
        len(infinite)
    pair, expected = infinite[7], Generator(3, 128, ("RS",), "validation", strength=0.5).pair(7)
    assert (pair.pair_id, pair.split, pair.source) == (expected.pair_id, "validation", expected.source)
    assert pair.load_images() == (expected.image_t1, expected.image_t2)
    assert (pair.load_change_mask((128, 128)) == expected.change_mask).all()
    finite = open_pairs("generated", "train", num_pairs=3, generator={"size": 128}, is_stage1=True)
    assert not finite.is_infinite
    assert [one.expressions for one in finite] == [()] * 3


def test_a_setting_selects_among_the_domains_of_generated_pairs() -> None:
    settings = {"size": 128, "domains": ("NS", "RS")}
    pairs = open_pairs("generated", "train", "NS", num_pairs=2, generator=settings)
    assert [pair.domain for pair in pairs] == ["NS", "NS"]
    with pytest.raises(DataError, match="the setting NS needs pairs of this domain"):
        open_pairs("generated", "train", "NS", generator={"domains": ("RS",)})


def test_composed_pairs_are_opened_by_their_folders(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "dataset_scripts.compose", SimpleNamespace(Composer=FakeComposer))
    pairs = open_pairs("composed:a/rs_one,b/rs_two", "validation", generator={"size": 128, "noise": 0.5})
    assert isinstance(pairs, GeneratedPairs)
    assert vars(pairs.maker).items() >= {"folders": (Path("a/rs_one"), Path("b/rs_two")), "domain": "RS"}.items()
    pair = pairs[4]
    assert (pair.pair_id, pair.domain) == ("RS_composed_validation_0_0000004", "RS")
    found = pairs.find(pair.pair_id, pair.expressions[0].text, size=(128, 128))
    assert found is not None
    assert found.load_images() == pair.load_images()
    assert open_pairs("composed:mine", "train", "NS")[0].domain == "NS"
    for name in ("composed:mine", "composed:ns_one,rs_two"):
        with pytest.raises(DataError, match="must be of one domain"):
            open_pairs(name, "train")
    with pytest.raises(DataError, match="holds pairs of RS, not of NS"):
        open_pairs("composed:rs_one", "train", "NS")


# --- stage 1 and the one meaning of files ---


@pytest.mark.parametrize("options", [None, [], ["--pairs"]])
def test_stage_1_unites_the_masks_of_sentences(tmp_path, monkeypatch, options) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    make_raw_split(tmp_path / "raw", "RS_train", pairs=2)
    folder = tmp_path / "raw"
    if options is not None:
        folder = tmp_path / "out"
        assert main(["export", str(tmp_path / "raw"), str(folder), *options]) == 0
    pairs = open_pairs(folder, "train", "RS", is_stage1=True)
    assert pairs.is_stage1
    for pair in pairs:
        size = pair.image_t1.size
        assert len(pair.expressions) > 1
        assert (pair.load_change_mask(size) == np.logical_or.reduce(pair.load_masks(size))).all()


def test_images_and_masks_mean_the_same_as_to_the_library(tmp_path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (6, 9, 4), dtype=np.uint8)
    for number, mode in enumerate(("RGB", "L", "RGBA", "P")):
        path = tmp_path / f"{number}.png"
        Image.fromarray(values).convert(mode).save(path)
        for source in (path, path.read_bytes()):
            assert ImageFile("image", source).load() == load_image(path)
    for number, mask in enumerate((values[..., 0] > 99, values[..., 0] // 128, (values[..., 0] > 99) * np.uint8(255))):
        path = tmp_path / f"mask_{number}.png"
        Image.fromarray(mask).save(path)
        assert (ImageFile("mask", path).read_mask((9, 6))[0] == load_mask(path)).all()
