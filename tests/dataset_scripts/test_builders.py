# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset, DownloadConfig, load_dataset
from huggingface_hub.errors import LocalEntryNotFoundError
from PIL import Image

from dataset_scripts.errors import DataError
from dataset_scripts.mtrefseg_21k import MTRefSeg21K
from dataset_scripts.mtrefseg_pretrain import MTRefSegPretrain
from dataset_scripts.readers import RawBuilder, pair_features, pretrain_features, raw_builder, referring_features
from tests.dataset_scripts.raw_folders import (
    BROKEN_EXPRESSIONS,
    BROKEN_PAIRS,
    edit_json,
    make_damaged_dataset,
    make_dataset,
    make_raw_split,
)


ROOT = Path(__file__).parents[2]
OLD_PYTHON = os.environ.get("MTREFSEG_DATASETS36_PYTHON")


def prepare(builder_class: type[RawBuilder], config: str, root: Path, cache: Path, **options) -> RawBuilder:
    num_proc = options.pop("num_proc", None)
    builder = builder_class(config_name=config, data_dir=str(root), cache_dir=str(cache), **options)
    builder.download_and_prepare(num_proc=num_proc)
    return builder


def digest(image: Image.Image) -> str:
    return hashlib.sha256(np.asarray(image).tobytes()).hexdigest()


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "raw")


@pytest.mark.parametrize("config", ["TV", "NS", "RS"])
def test_a_row_is_a_sentence(raw, tmp_path, config) -> None:
    dataset = prepare(MTRefSeg21K, config, raw, tmp_path / "cache").as_dataset()
    assert set(dataset) == {"train", "validation"}
    train = dataset["train"]
    assert train.features == referring_features()
    assert len(train) == (12 if config == "TV" else 6)
    assert len(set(train["sample_id"])) == len(train)
    row = train[-1]
    domain = "NS" if config == "NS" else "RS"
    assert row["sample_id"] == f"{domain}_train_002_1"
    assert row["pair_id"] == f"{domain}_train_002"
    assert row["expression"] == "the thing number 1 that appeared"
    assert train.features["change_type"].int2str(row["change_type"]) == "disappear"
    assert train.features["domain"].int2str(row["domain"]) == domain
    assert (row["source"], row["noisy"]) == ("drawn", False)
    folder = raw / f"{domain}_train"
    for column, path in (
        ("image_t1", folder / "A" / f"{domain}_train_002.png"),
        ("image_t2", folder / "B" / f"{domain}_train_002.png"),
        ("mask", folder / "masks" / f"{domain}_train_002" / "1.png"),
    ):
        assert digest(row[column]) == digest(Image.open(path))
    assert (row["image_t1"].mode, row["mask"].mode) == ("RGB", "L")


def test_a_row_may_be_a_pair(raw, tmp_path) -> None:
    validation = prepare(MTRefSeg21K, "TV_pairs", raw, tmp_path / "cache").as_dataset(split="validation")
    assert validation.features == pair_features()
    assert len(validation) == 6
    row = validation[3]
    assert row["pair_id"] == "RS_val_000"
    assert row["expressions"] == ["the thing number 0 that appeared", "the thing number 1 that appeared"]
    assert row["change_types"] == [0, 1]
    assert row["noisy"] == [False, False]
    stored = [Image.open(raw / "RS_val" / "masks" / "RS_val_000" / f"{index}.png") for index in range(2)]
    assert [digest(mask) for mask in row["masks"]] == [digest(mask) for mask in stored]


def test_stage_1_has_no_sentences(raw, tmp_path) -> None:
    dataset = prepare(MTRefSegPretrain, "TV", raw, tmp_path / "cache").as_dataset()
    assert set(dataset) == {"train"}
    assert dataset["train"].features == pretrain_features()
    assert dataset["train"]["pair_id"][:] == [f"{domain}_pretrain_00{n}" for domain in ("NS", "RS") for n in range(3)]


def test_a_single_split_folder_is_enough(raw, tmp_path) -> None:
    dataset = prepare(MTRefSeg21K, "RS", raw / "RS_val", tmp_path / "cache").as_dataset()
    assert {split: len(rows) for split, rows in dataset.items()} == {"validation": 6}


def test_a_test_split_is_read(tmp_path) -> None:
    make_raw_split(tmp_path / "raw", "RS_test")
    dataset = prepare(MTRefSeg21K, "RS", tmp_path / "raw", tmp_path / "cache").as_dataset()
    assert set(dataset) == {"test"}


def test_the_stored_images_are_embedded(raw, tmp_path, monkeypatch) -> None:
    builder = prepare(MTRefSeg21K, "RS", raw, tmp_path / "cache")
    original = (raw / "RS_train" / "A" / "RS_train_000.png").read_bytes()
    (raw / "RS_train").rename(tmp_path / "elsewhere")
    stored = builder.as_dataset(split="train").data.column("image_t1")[0].as_py()
    assert stored["bytes"] == original


def test_the_working_folder_does_not_matter(raw, tmp_path, monkeypatch) -> None:
    # `datasets` takes an image's path for a file of the working folder, if there is one.
    monkeypatch.chdir(raw / "RS_train" / "A")
    builder = prepare(MTRefSeg21K, "RS", raw, tmp_path / "cache")
    assert builder.as_dataset(split="train").data.column("image_t1")[0].as_py()["bytes"]


@pytest.mark.parametrize("num_proc", [None, 2])
def test_processes_share_the_work(raw, tmp_path, num_proc) -> None:
    builder = prepare(MTRefSeg21K, "TV", raw, tmp_path / f"cache{num_proc}", num_proc=num_proc)
    assert builder.as_dataset(split="train")["sample_id"][:3] == ["NS_train_000_0", "NS_train_000_1", "NS_train_001_0"]
    assert builder.reading_report.kept_pairs["RS_train"] == 3


def test_it_streams(raw, tmp_path) -> None:
    builder = MTRefSeg21K(config_name="RS", data_dir=str(raw), cache_dir=str(tmp_path / "cache"))
    stream = builder.as_streaming_dataset(split="train")
    assert stream.num_shards == 3
    rows = list(stream)
    assert len(rows) == 6
    assert rows[0]["image_t1"].size == (48, 32)


def test_it_writes_parquet_that_loads(raw, tmp_path) -> None:
    builder = MTRefSeg21K(config_name="RS", data_dir=str(raw), cache_dir=str(tmp_path / "cache"))
    builder.download_and_prepare(str(tmp_path / "out"), file_format="parquet")
    dataset = load_dataset(str(tmp_path / "out"), split="validation")
    assert dataset.features == referring_features()
    assert len(dataset) == 6


def test_a_changed_raw_file_is_noticed(raw, tmp_path) -> None:
    def sentences() -> list[str]:
        rows = prepare(MTRefSeg21K, "RS", raw, tmp_path / "cache").as_dataset(split="train")
        return list(rows["expression"])

    before = sentences()
    assert sentences() == before
    edit_json(raw / "RS_train", "RS_train_000", referring_expressions=["something else", "the red car"])
    assert sentences()[:2] == ["something else", "the red car"]
    edit_json(raw / "RS_train", "RS_train_000", referring_expressions=["something else", "the new car"])
    assert sentences()[:2] == ["something else", "the new car"]
    make_raw_split(raw, "RS_more_train", pairs=1)
    assert len(sentences()) == len(before) + 2


def test_an_unchanged_folder_is_read_once(raw, tmp_path, monkeypatch) -> None:
    prepare(MTRefSeg21K, "RS", raw, tmp_path / "cache")
    monkeypatch.setattr(raw_builder, "check_pairs", None)
    prepare(MTRefSeg21K, "RS", raw, tmp_path / "cache", report_file=str(tmp_path / "report.json"))


def test_what_is_skipped_is_logged_and_reported(tmp_path, caplog, monkeypatch) -> None:
    folder, expected = make_damaged_dataset(tmp_path / "raw")
    monkeypatch.setattr(logging.getLogger("datasets"), "propagate", True)
    report_file = tmp_path / "report.json"
    with caplog.at_level(logging.WARNING, logger=raw_builder.__name__):
        builder = prepare(MTRefSeg21K, "RS", folder, tmp_path / "cache", report_file=str(report_file))
    report = json.loads(report_file.read_text())
    assert report == builder.reading_report.to_json()
    assert {entry["reason"] for entry in report["skipped"] + report["repaired"]} == {
        reason.value for _, reason in expected.values()
    }
    pairs = len(list((folder / "referring_expression").iterdir())) - len(BROKEN_PAIRS) - 1
    assert report["read"]["RS_train"] == {"pairs": pairs, "expressions": 2 * pairs - len(BROKEN_EXPRESSIONS)}
    assert len(builder.as_dataset(split="train")) == report["read"]["RS_train"]["expressions"]
    assert builder.reading_report.table() in caplog.text


def test_the_report_is_there_again_when_the_cache_is_used(tmp_path) -> None:
    folder, _ = make_damaged_dataset(tmp_path / "raw")
    first = prepare(MTRefSeg21K, "RS", folder, tmp_path / "cache")
    report_file = tmp_path / "report.json"
    second = prepare(MTRefSeg21K, "RS", folder, tmp_path / "cache", report_file=str(report_file))
    assert second.reading_report.to_json() == first.reading_report.to_json() == json.loads(report_file.read_text())


@pytest.mark.parametrize("is_streamed", [False, True])
def test_strict_raises_with_all_of_them(tmp_path, is_streamed) -> None:
    folder, expected = make_damaged_dataset(tmp_path / "raw")
    prepare(MTRefSeg21K, "RS", folder, tmp_path / "cache")
    builder = MTRefSeg21K(config_name="RS", data_dir=str(folder), cache_dir=str(tmp_path / "cache"), strict=True)
    with pytest.raises(DataError) as error:
        builder.as_streaming_dataset() if is_streamed else builder.download_and_prepare()
    skips = {**BROKEN_PAIRS, **BROKEN_EXPRESSIONS}
    assert len(str(error.value).splitlines()) == 1 + len(skips) + 1
    for name, (_, reason) in skips.items():
        assert any(expected[name][0] in line and reason.value in line for line in str(error.value).splitlines()), name


def test_strict_accepts_an_intact_folder(raw, tmp_path) -> None:
    assert len(prepare(MTRefSeg21K, "RS", raw, tmp_path / "cache", strict=True).as_dataset(split="train")) == 6


@pytest.mark.parametrize(("builder", "config"), [(MTRefSeg21K, "NS"), (MTRefSegPretrain, "RS")])
def test_a_folder_without_the_wanted_pairs_is_an_error(tmp_path, builder, config) -> None:
    make_raw_split(tmp_path / "raw", "RS_val")
    with pytest.raises(DataError, match=f'"{config}" .*RS_val'):
        prepare(builder, config, tmp_path / "raw", tmp_path / "cache")


def test_an_unknown_configuration_is_an_error(raw) -> None:
    with pytest.raises(ValueError, match=r"rs.*Available.*RS_pairs"):
        MTRefSeg21K(config_name="rs", data_dir=str(raw))


@pytest.mark.parametrize(
    ("builder_class", "config", "repository", "patterns"),
    [
        (MTRefSeg21K, "RS", "kkk2026/MTRefSeg-21K", ["RS_FINAL_CLEAN_*/*"]),
        (MTRefSeg21K, "NS_pairs", "kkk2026/MTRefSeg-21K", ["NS_FINAL_CLEAN_*/*"]),
        (MTRefSeg21K, "TV", "kkk2026/MTRefSeg-21K", ["NS_FINAL_CLEAN_*/*", "RS_FINAL_CLEAN_*/*"]),
        (MTRefSegPretrain, "RS", "kkk2026/MTRefSeg_Pretrained", ["MTRefSeg_pretrain_RS*/*"]),
    ],
)
def test_without_a_folder_it_is_downloaded(tmp_path, monkeypatch, builder_class, config, repository, patterns) -> None:
    calls = []

    def download(*arguments, **options) -> str:
        calls.append((arguments, options))
        for name in ("NS_FINAL_CLEAN_train", "RS_FINAL_CLEAN_train", "MTRefSeg_pretrain_RS"):
            make_raw_split(tmp_path / "snapshot", name, pairs=1)
        return str(tmp_path / "snapshot")

    monkeypatch.setattr(raw_builder, "snapshot_download", download)
    builder = builder_class(
        config_name=config, revision="0123abc", cache_dir=str(tmp_path / "cache"), token="secret-token"
    )
    builder.download_and_prepare()
    assert len(builder.as_dataset(split="train")) > 0
    ((arguments, options),) = calls
    assert arguments == (repository,)
    assert options == {
        "repo_type": "dataset",
        "revision": "0123abc",
        "allow_patterns": patterns,
        "token": "secret-token",
    }


def test_another_revision_is_another_dataset(tmp_path) -> None:
    folders = {
        MTRefSeg21K(config_name="RS", cache_dir=str(tmp_path), **options).cache_dir
        for options in ({}, {"revision": "v1"}, {"repo_id": "me/mine"})
    }
    assert len(folders) == 3


def test_a_failed_download_says_what_to_do(tmp_path, monkeypatch) -> None:
    def download(*arguments, **options) -> str:
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr(raw_builder, "snapshot_download", download)
    builder = MTRefSeg21K(config_name="RS", cache_dir=str(tmp_path))
    with pytest.raises(DataError, match=r"MTRefSeg-21K .revision main. cannot be downloaded.*data_dir"):
        builder.download_and_prepare(download_config=DownloadConfig())


OLD_SCRIPT = """
import hashlib, json, sys
import numpy as np
from datasets import load_dataset

script, config, raw, cache = sys.argv[1:]
options = {"data_dir": raw, "cache_dir": cache, "trust_remote_code": True}
dataset = load_dataset(script, config, **options)
parallel = load_dataset(script, config, num_proc=2, **{**options, "cache_dir": cache + "_parallel"})
stream = load_dataset(script, config, streaming=True, **options)
result = {}
for split, rows in dataset.items():
    first = rows[0]
    result[split] = {
        "rows": [len(rows), len(parallel[split]), sum(1 for _ in stream[split])],
        "columns": rows.column_names,
        "pair_ids": rows["pair_id"],
        "image": hashlib.sha256(np.asarray(first["image_t1"]).tobytes()).hexdigest(),
    }
print("RESULT " + json.dumps(result))
"""


@pytest.mark.skipif(not OLD_PYTHON, reason="MTREFSEG_DATASETS36_PYTHON names no Python with datasets 3.6")
@pytest.mark.parametrize(
    ("builder_class", "config"), [(MTRefSeg21K, "RS"), (MTRefSeg21K, "TV_pairs"), (MTRefSegPretrain, "TV")]
)
def test_it_is_a_loading_script_of_datasets_3(raw, tmp_path, builder_class, config) -> None:
    script = ROOT / "dataset_scripts" / f"{builder_class.__module__.split('.')[-1]}.py"
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    environment["PYTHONPATH"] = str(ROOT)
    run = subprocess.run(
        [str(OLD_PYTHON), "-c", OLD_SCRIPT, str(script), config, str(raw), str(tmp_path / "old")],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert "RESULT " in run.stdout, run.stderr
    old = json.loads(run.stdout.split("RESULT ")[1])
    new = prepare(builder_class, config, raw, tmp_path / "cache").as_dataset()
    assert set(old) == set(new)
    for split, rows in new.items():
        assert isinstance(rows, Dataset)
        assert old[split] == {
            "rows": [len(rows)] * 3,
            "columns": rows.column_names,
            "pair_ids": list(rows["pair_id"]),
            "image": digest(rows[0]["image_t1"]),
        }


def test_datasets_5_says_that_scripts_are_gone(raw) -> None:
    with pytest.raises(RuntimeError, match="no longer supported"):
        load_dataset(str(ROOT / "dataset_scripts" / "mtrefseg_21k.py"), "RS", data_dir=str(raw))


@pytest.mark.parametrize("name", ["mtrefseg_21k", "mtrefseg_pretrain"])
def test_the_scripts_load_from_a_copy(name, tmp_path) -> None:
    """Loads the script as datasets 3 does: copied into a folder of its own, with the package importable."""
    (tmp_path / "copied").mkdir()
    shutil.copy(ROOT / "dataset_scripts" / f"{name}.py", tmp_path / "copied")
    run = subprocess.run(
        [sys.executable, "-c", f"import copied.{name}"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.returncode == 0, run.stderr
