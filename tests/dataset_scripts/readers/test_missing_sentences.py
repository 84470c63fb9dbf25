# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Folders that hold no sentences, or no pairs themselves: the error says what to do."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import Dataset
from huggingface_hub.errors import LocalEntryNotFoundError

from dataset_scripts.command_line import main
from dataset_scripts.errors import DataError
from dataset_scripts.export import ExportOptions, export_dataset
from dataset_scripts.readers import Reason, UnusableError, open_pairs
from tests.dataset_scripts.image_folders import make_image_folder, read_rows, write_rows
from tests.dataset_scripts.raw_folders import SIZE, edit_json, make_dataset, make_raw_split


def test_a_folder_around_an_export_names_it(tmp_path) -> None:
    make_dataset(tmp_path / "out" / "raw" / "mine", pairs=1)
    assert main(["export", str(tmp_path / "out" / "raw" / "mine"), str(tmp_path / "out" / "parquet")]) == 0
    for split in (None, "train"):
        with pytest.raises(DataError, match=r"out holds no pairs itself, but .*out/parquet does: name that folder"):
            open_pairs(tmp_path / "out", split)


def test_a_folder_with_a_readme_is_no_export(tmp_path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "README.md").write_text("Images of a bridge.")
    with pytest.raises(DataError, match="contains no pairs in a known layout: neither folders A and B"):
        open_pairs(tmp_path, "train")


@pytest.mark.parametrize("checked", [True, False])
def test_data_without_sentences_say_where_they_belong(tmp_path, checked) -> None:
    folder = make_image_folder(tmp_path / "mine", pairs=2, sentences=1)
    rows = [{"sentence": row.pop("expression"), **row, "\x1b[2J\n": 1} for row in read_rows(folder)]
    write_rows(folder, rows)
    with pytest.raises(
        DataError, match=r"no row of metadata\.jsonl has the column expression\. .*mask_file_name, sen"
    ):
        open_pairs(folder, "train", checked=checked)
    source = open_pairs(folder)
    assert [finding.detail for finding in source.report.unused] == [
        r"these columns are ignored: \x1b[2J\n, sentence; put sentences into the column expression"
    ]
    (folder / "metadata.jsonl").rename(folder / "metadata.csv")
    (folder / "masks").rename(folder / "label")
    for mask in (folder / "label").iterdir():
        mask.rename(mask.with_name(f"{mask.name[0]}.png"))
    with pytest.raises(
        DataError, match=r"mine has masks of every change, but no sentences: put them into metadata\.js.* --thing "
    ):
        open_pairs(folder, "train", checked=checked)
    assert len(open_pairs(folder, "train", is_stage1=True, checked=checked)) == 2


@pytest.mark.parametrize("problem", ["missing mask", "damaged mask", "blank sentence"])
@pytest.mark.parametrize("layout", ["image folder", "raw layout"])
def test_masks_are_united_for_stage_1_only_if_a_pair_has_all_of_them(tmp_path, layout, problem) -> None:
    folder, masks, pairs = _two_pairs(tmp_path, layout)
    if problem == "missing mask":
        masks[1].unlink()
    elif problem == "damaged mask":
        masks[1].write_bytes(b"not an image")
    elif layout == "image folder":
        first, second, *others = read_rows(folder)
        write_rows(folder, [first, {**second, "expression": " "}, *others])
    else:
        edit_json(folder / "RS_train", pairs[0], referring_expressions=["the house that appeared", " "])
    sentences = open_pairs(folder, "train", "RS")
    assert sorted(len(pair.expressions) for pair in sentences) == [1, 2]
    united = open_pairs(folder, "train", "RS", is_stage1=True)
    assert [pair.pair_id for pair in united] == [pairs[1]]
    assert united[0].load_change_mask(SIZE).sum() > 0
    assert [finding.sample for finding in united.report.skipped if finding.reason is Reason.INCOMPLETE_UNION] == [
        pairs[0]
    ]


def test_a_failed_download_of_raw_files_is_an_error_of_the_data(monkeypatch) -> None:
    def download(*arguments: object, **options: object) -> str:
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    with pytest.raises(DataError, match="MTRefSeg-21K cannot be opened as a dataset: no connection"):
        open_pairs("kkk2026/MTRefSeg-21K", "train", checked=False)


@pytest.mark.parametrize("with_pairs", [False, True])
def test_an_export_and_the_prepared_data_know_of_skipped_sentences(tmp_path, with_pairs) -> None:
    _, masks, pairs = _two_pairs(tmp_path / "raw", "raw layout")
    masks[0].write_bytes(b"not an image")
    exported = tmp_path / "exported"
    export_dataset(tmp_path / "raw", exported, ExportOptions(with_pairs=with_pairs))
    listed = [open_pairs(tmp_path / "raw", "train", "RS"), open_pairs(exported, "train", "RS"), open_pairs(exported)]
    for source in listed:
        known = {pair.pair_id: (pair.knows_every_change, len(pair.expressions)) for pair in source}
        assert known == {pairs[0]: (False, 1), pairs[1]: (True, 2)}
        (incomplete,) = (pair for pair in source if pair.pair_id == pairs[0])
        with pytest.raises(UnusableError, match="1 of the sentences of RS_train_000 skipped"):
            incomplete.load_change_mask(SIZE)
    united = open_pairs(exported, "train", "RS", is_stage1=True)
    assert [pair.pair_id for pair in united] == [pairs[1]]
    assert [(finding.reason, finding.sample) for finding in united.report.skipped] == [
        (Reason.INCOMPLETE_UNION, pairs[0])
    ]


def test_an_export_without_the_number_of_skipped_sentences_can_be_read(tmp_path) -> None:
    _two_pairs(tmp_path / "raw", "raw layout")
    exported = tmp_path / "exported"
    export_dataset(tmp_path / "raw", exported, ExportOptions())
    for file in exported.rglob("*.parquet"):
        Dataset(pq.read_table(file)).remove_columns("skipped_sentences").to_parquet(file)
    assert [pair.knows_every_change for pair in open_pairs(exported)] == [True, True]


def _two_pairs(root: Path, layout: str) -> tuple[Path, list[Path], list[str]]:
    """A folder of two pairs with two sentences each, the masks of the first pair, and the names of both."""
    if layout == "image folder":
        folder = make_image_folder(root / "mine")
        return folder, sorted((folder / "masks").glob("0_*.png")), ["t1/0", "t1/1"]
    split = make_raw_split(root, "RS_train", pairs=2)
    names = ["RS_train_000", "RS_train_001"]
    return root, sorted((split / "masks" / names[0]).iterdir()), names
