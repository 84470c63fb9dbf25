# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""`mtrefseg data compose`: raw folders, Parquet, contact sheets, and bad input in one line."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from datasets import load_dataset
from PIL import Image

from dataset_scripts.command_line import main
from dataset_scripts.compose import Composer
from dataset_scripts.readers import find_split_folders, open_pairs
from dataset_scripts.synthesis import SyntheticPair
from tests.dataset_scripts.compose.coco_folders import write_folder


SIZE = 128
OPTIONS = ["--domain", "NS", "--size", str(SIZE)]


@pytest.fixture(scope="module")
def coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("coco") / "streets", images=12)


def test_raw_folders_read_back(coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", str(coco), str(tmp_path), "--pairs", "4", "--png", *OPTIONS]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "NS_composed_train")]
    source = open_pairs(tmp_path)
    records = list(source.usable())
    assert not source.report.findings
    for record, pair in zip(records, Composer([coco], "NS", size=SIZE).pairs(stop=4), strict=True):
        assert (record.pair_id, record.domain, record.view) == (pair.pair_id, "NS", "normal")
        assert record.source == "composed streets"
        image = Image.open(io.BytesIO(record.image_t1.read_bytes()))
        assert np.array_equal(np.asarray(image), np.asarray(pair.image_t1))
        for read, made in zip(record.expressions, pair.expressions, strict=True):
            assert (read.text, read.change_type) == (made.text, made.change_type)
            assert np.array_equal(read.mask.read_mask((SIZE, SIZE))[0], made.mask)


def test_a_stopped_run_is_continued_and_ends_equal(coco: Path, tmp_path: Path) -> None:
    assert main(["compose", str(coco), str(tmp_path / "whole"), "--pairs", "4", *OPTIONS]) == 0
    assert main(["compose", str(coco), str(tmp_path / "part"), "--pairs", "2", *OPTIONS]) == 0
    next((tmp_path / "part").rglob("referring_expression/*0001.json")).unlink()
    assert main(["compose", str(coco), str(tmp_path / "part"), "--pairs", "4", "--num-proc", "2", *OPTIONS]) == 0
    whole, part = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")}
        for root in (tmp_path / "whole", tmp_path / "part")
    )
    assert whole == part


def test_stage_1_folders_hold_every_change(coco: Path, tmp_path: Path) -> None:
    assert main(["compose", str(coco), str(tmp_path), "--pairs", "2", "--kind", "pretrain", *OPTIONS]) == 0
    (folder,) = find_split_folders(tmp_path)
    assert folder.is_pretrain
    pairs = Composer([coco], "NS", size=SIZE).pairs(stop=2)
    for record, pair in zip(open_pairs(tmp_path).usable(), pairs, strict=True):
        assert record.change_mask is not None
        assert np.array_equal(record.change_mask.read_mask((SIZE, SIZE))[0], pair.change_mask)


def test_parquet_and_sheet(coco: Path, tmp_path: Path) -> None:
    file, sheet = tmp_path / "rows" / "pairs.parquet", tmp_path / "sheet.png"
    assert main(["compose", str(coco), str(file), "--pairs", "3", "--contact-sheet", str(sheet), *OPTIONS]) == 0
    rows = load_dataset("parquet", data_files=str(file), split="train")
    pairs = list(Composer([coco], "NS", size=SIZE).pairs(stop=3))
    assert rows["pair_id"][:] == [pair.pair_id for pair in pairs]
    assert [row["expressions"] for row in rows] == [[one.text for one in pair.expressions] for pair in pairs]
    assert np.array_equal(np.asarray(rows[0]["masks"][0]) > 127, pairs[0].expressions[0].mask)
    assert Image.open(sheet).width > 3 * 512
    alone = tmp_path / "alone.png"
    assert main(["compose", str(coco), "--pairs", "1", "--contact-sheet", str(alone), *OPTIONS]) == 0
    assert alone.is_file()


def test_other_json_files_do_not_make_a_folder_for_results_an_input(coco: Path, tmp_path: Path) -> None:
    out, sheet = tmp_path / "out", tmp_path / "sheet.png"
    out.mkdir()
    (out / "notes.json").write_text("{}")
    arguments = ["--pairs", "1", "--contact-sheet", str(sheet), *OPTIONS]
    assert main(["compose", str(coco), str(out), *arguments]) == 0
    assert (out / "NS_composed_train").is_dir()
    other = shutil.copytree(coco, tmp_path / "other")
    (other / "annotations.json").rename(other / "instances.json")
    assert main(["compose", str(coco), str(other), *arguments]) == 0
    assert not (other / "NS_composed_train").exists()  # It is read.


def test_a_stopped_run_leaves_no_parquet_file(coco: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: Composer, index: int) -> SyntheticPair:
        raise KeyboardInterrupt

    monkeypatch.setattr(Composer, "pair", stop)
    assert main(["compose", str(coco), str(tmp_path / "pairs.parquet"), "--pairs", "3", *OPTIONS]) == 130
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["COCO"], "Say where to write"),
        (["NONE", "OUT"], "annotations.json"),
        (["COCO", "OUT", "--size", "64"], "size is 64"),
        (["COCO", "OUT", "--seed", "-1"], "seed"),
        (["COCO", "out.parquet", "--kind", "pretrain"], "raw folders"),
        (["COCO", "out.parquet", "--num-proc", "2"], "raw folders"),
        (["COCO", "--contact-sheet", "OUT", "--png"], "raw folders"),
        (["COCO", "OUT", "--backgrounds", "NONE"], "not a folder"),
    ],
)
def test_bad_input_is_one_line(
    coco: Path, tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"COCO": str(coco), "OUT": str(tmp_path / "out"), "NONE": str(tmp_path / "none")}
    command = ["compose", *(places.get(argument, argument) for argument in arguments), "--domain", "NS"]
    assert main(command) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert said in error[0]
    assert not (tmp_path / "out").exists()
