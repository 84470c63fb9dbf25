# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import errno
import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from datasets.exceptions import DatasetGenerationError
from filelock import FileLock
from huggingface_hub import DatasetCard
from PIL import Image

from dataset_scripts.command_line import main
from dataset_scripts.errors import DataError
from dataset_scripts.export import ExportOptions, export_dataset, exporter, push_dataset, shard_writer
from dataset_scripts.mtrefseg_21k import MTRefSeg21K
from dataset_scripts.readers import pair_features, pretrain_features, referring_features
from tests.dataset_scripts.raw_folders import (
    draw_image,
    edit_json,
    make_damaged_dataset,
    make_dataset,
    make_raw_split,
)


SMALL = ExportOptions(max_shard_size=6000)
"""So that the drawn folders give several files each."""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "raw")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def tree(folder: Path) -> dict[str, str]:
    """Name and hash of every file."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def load(out: Path, *arguments, **options):
    return load_dataset(str(out), *arguments, **options)


def pixels(image: Image.Image) -> str:
    return hashlib.sha256(np.asarray(image).tobytes()).hexdigest()


def test_every_setting_loads(raw, out) -> None:
    export_dataset(raw, out)
    for config, rows in (("TV", 12), ("NS", 6), ("RS", 6)):
        dataset = load(out, config)
        assert {split: len(part) for split, part in dataset.items()} == {"train": rows, "validation": rows}
        assert dataset["train"].features == referring_features()
        stream = load(out, config, split="validation", streaming=True)
        assert [row["sample_id"] for row in stream] == dataset["validation"]["sample_id"][:]
    assert load(out)["train"]["pair_id"][:] == load(out, "TV")["train"]["pair_id"][:]
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert files == [
        "README.md",
        *(
            f"data/{config}/{split}-00000-of-00001.parquet"
            for config in ("NS", "RS")
            for split in ("train", "validation")
        ),
        "export.json",
    ]


def test_pixels_and_sentences_come_back_as_they_were(raw, out) -> None:
    for name in ("RS_train", "NS_val"):
        edit_json(raw / name, f"{name}_001", noisy=[False, True], change_types=["state_change", "disappear"])
    export_dataset(raw, out)
    for config, split, folder in (("RS", "train", raw / "RS_train"), ("NS", "validation", raw / "NS_val")):
        rows = load(out, config, split=split)
        seen: list[tuple[str, int]] = []
        for row in rows:
            pair_id, index = row["pair_id"], int(row["sample_id"].rsplit("_", 1)[1])
            content = json.loads((folder / "referring_expression" / f"{pair_id}.json").read_text())
            assert row["expression"] == content["referring_expressions"][index]
            assert rows.features["change_type"].int2str(row["change_type"]) == content["change_types"][index]
            assert rows.features["view"].int2str(row["view"]) == content["view"]
            assert (row["source"], row["noisy"]) == (content["source"], content.get("noisy", [False] * 2)[index])
            for column, path in (
                ("image_t1", folder / "A" / f"{pair_id}.png"),
                ("image_t2", folder / "B" / f"{pair_id}.png"),
                ("mask", folder / "masks" / pair_id / f"{index}.png"),
            ):
                assert pixels(row[column]) == pixels(Image.open(path))
            stored = rows.data.column("image_t1")[len(seen)].as_py()["bytes"]
            assert stored == (folder / "A" / f"{pair_id}.png").read_bytes()
            seen.append((pair_id, index))
        assert seen == [(f"{folder.name}_{pair:03d}", index) for pair in range(3) for index in range(2)]


def test_the_export_holds_what_the_builder_reads(tmp_path, out) -> None:
    folder, _ = make_damaged_dataset(tmp_path / "data")
    result = export_dataset(folder, out, SMALL)
    builder = MTRefSeg21K(config_name="RS", data_dir=str(folder), cache_dir=str(tmp_path / "cache"))
    builder.download_and_prepare()
    built, exported = builder.as_dataset(split="train"), load(out, "RS", split="train")
    assert exported.data.to_pylist() == built.data.to_pylist()
    assert result.report.counts == builder.reading_report.counts
    assert result.report.kept_expressions == {"RS_train": len(exported)}
    record = json.loads((out / "export.json").read_text())
    assert record["report"]["counts"] == result.report.counts
    assert "pair skipped: t1 and t2 differ in size" in (out / "README.md").read_text()
    assert str(tmp_path) not in (out / "export.json").read_text() + (out / "README.md").read_text()


def test_one_row_a_pair_on_request(raw, out) -> None:
    export_dataset(raw, out, ExportOptions(with_pairs=True))
    for config in ("TV_pairs", "NS_pairs", "RS_pairs"):
        dataset = load(out, config)
        assert dataset["train"].features == pair_features()
        assert len(dataset["train"]) == (6 if config == "TV_pairs" else 3)
    row = load(out, "RS_pairs", split="validation")[0]
    assert [mask.size for mask in row["masks"]] == [(48, 32)] * 2
    assert row["expressions"] == ["the thing number 0 that appeared", "the thing number 1 that appeared"]
    assert len(load(out, "RS", split="train")) == 6
    assert json.loads((out / "export.json").read_text())["report"]["read"]["RS_train"]["pairs"] == 3


def test_stage_1_folders_are_exported_by_themselves(raw, out, tmp_path, capsys) -> None:
    assert main(["export", str(raw), str(out), "--kind", "pretrain"]) == 0
    dataset = load(out, "TV")
    assert dataset["train"].features == pretrain_features()
    assert len(dataset["train"]) == 6
    assert "not exported: NS_train, NS_val, RS_train, RS_val; for these: " in capsys.readouterr().out
    assert export_dataset(raw / "RS_pretrain", tmp_path / "alone").kind == "pretrain"
    with pytest.raises(DataError, match=r"kind referring .RS_pretrain"):
        export_dataset(raw / "RS_pretrain", tmp_path / "none", ExportOptions(kind="referring"))
    with pytest.raises(DataError, match="--pairs"):
        export_dataset(raw / "RS_pretrain", tmp_path / "none", ExportOptions(with_pairs=True))
    assert not (tmp_path / "none").exists()


def test_tv_has_files_of_its_own_where_it_has_folders(tmp_path, out) -> None:
    make_raw_split(tmp_path / "raw", "RS_FINAL_CLEAN_train", pairs=2, prefix="p")
    make_raw_split(tmp_path / "raw", "train_FINAL_CLEAN", pairs=3, prefix="p")
    make_raw_split(tmp_path / "raw", "RS_FINAL_CLEAN_val", pairs=1, prefix="v")
    export_dataset(tmp_path / "raw", out)
    dataset = load(out, "TV")
    assert {split: len(rows) for split, rows in dataset.items()} == {"train": 6, "validation": 2}
    assert dataset["train"]["domain"][:] == [1] * 4 + [None] * 2
    assert (out / "data" / "TV" / "train-00000-of-00001.parquet").is_file()
    assert not (out / "data" / "TV" / "validation-00000-of-00001.parquet").exists()


def test_an_id_of_both_domains_is_reported(tmp_path, out) -> None:
    for name in ("NS_train", "RS_train"):
        make_raw_split(tmp_path / "raw", name, pairs=2, prefix="p")
    assert export_dataset(tmp_path / "raw", out).report.counts == {"shared_id": 2}
    assert len(load(out, "TV", split="train")) == 8


def test_the_published_folders_are_known(tmp_path, out) -> None:
    make_raw_split(tmp_path / "raw", "NS_FINAL_CLEAN_val", pairs=1)
    export_dataset(tmp_path / "raw", out)
    card = DatasetCard.load(out / "README.md")
    assert (card.data.license, card.data.pretty_name) == ("apache-2.0", "MTRefSeg-21K")
    assert card.data.source_datasets == ["kkk2026/MTRefSeg-21K"]
    assert "a small share of the masks is noisy" in card.text


def test_the_card_says_what_is_in_it(raw, out) -> None:
    Image.new("L", (48, 32)).save(raw / "RS_val" / "masks" / "RS_val_000" / "1.png")
    export_dataset(raw, out, ExportOptions(license="cc-by-4.0"))
    card = DatasetCard.load(out / "README.md")
    data = card.data.to_dict()
    assert (data["license"], data["pretty_name"], data["language"]) == ("cc-by-4.0", "raw", ["en"])
    assert (data["task_categories"], data["size_categories"]) == (["image-segmentation"], ["n<1K"])
    assert {"referring-segmentation", "change-detection", "geospatial"} <= set(data["tags"])
    (default,) = [entry for entry in data["configs"] if entry.get("default")]
    assert default["config_name"] == "TV"
    assert default["data_files"][0] == {
        "split": "train",
        "path": ["data/NS/train-*.parquet", "data/RS/train-*.parquet"],
    }
    sizes = {
        (info["config_name"], split["name"]): split["num_examples"]
        for info in data["dataset_info"]
        for split in info["splits"]
    }
    assert sizes == {
        (config, split): 12 if config == "TV" else 6
        for config in ("TV", "NS", "RS")
        for split in ("train", "validation")
    }
    assert "| `RS` | validation | 3 | 6 | 1 | 3 | 3 | 0 | 0 |" in card.text
    assert "| `TV` | train | 6 | 12 | 0 | 6 | 6 | 0 | 0 |" in card.text
    assert "noisy masks" not in card.text
    assert "@article{li2026mtrefseg" in card.text


def test_without_a_licence_the_card_says_so(raw, out) -> None:
    export_dataset(raw, out)
    card = DatasetCard.load(out / "README.md")
    assert card.data.license == "unknown"
    assert "The licence of this data is unknown" in card.text


def test_rows_come_in_groups_of_a_hundred(tmp_path, out) -> None:
    make_raw_split(tmp_path / "raw", "RS_train", pairs=3, expressions=70)
    export_dataset(tmp_path / "raw", out)
    file = pq.ParquetFile(out / "data" / "RS" / "train-00000-of-00001.parquet")
    assert [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)] == [100, 100, 10]
    assert {file.metadata.row_group(0).column(index).compression for index in range(file.metadata.num_columns)} == {
        "ZSTD"
    }


@pytest.mark.parametrize("limit", ["_STORED_BYTES_PER_GROUP", "_BYTES_PER_GROUP"])
def test_groups_are_small_in_bytes_as_well(tmp_path, out, monkeypatch, limit) -> None:
    make_raw_split(tmp_path / "raw", "RS_train", pairs=4, expressions=2)
    monkeypatch.setattr(shard_writer, limit, 1)
    export_dataset(tmp_path / "raw", out)
    file = pq.ParquetFile(out / "data" / "RS" / "train-00000-of-00001.parquet")
    assert [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)] == [1] * 8


def test_the_images_of_a_pair_are_stored_once(tmp_path, out) -> None:
    folder = make_raw_split(tmp_path / "raw", "RS_train", pairs=1, expressions=6, size=(900, 600))
    for kind in ("A", "B"):
        noise = np.random.default_rng(ord(kind)).integers(0, 256, (600, 900, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / kind / "RS_train_000.png", compress_level=1)
    images = sum((folder / kind / "RS_train_000.png").stat().st_size for kind in ("A", "B"))
    export_dataset(tmp_path / "raw", out)
    assert (out / "data" / "RS" / "train-00000-of-00001.parquet").stat().st_size < 1.1 * images
    assert len(load(out, "RS", split="train")) == 6


def test_the_same_folders_give_the_same_bytes(raw, tmp_path) -> None:
    export_dataset(raw, tmp_path / "a", SMALL)
    export_dataset(raw, tmp_path / "b", SMALL)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert len(tree(tmp_path / "a")) > 10


def test_processes_do_not_change_the_result(raw, tmp_path) -> None:
    export_dataset(raw, tmp_path / "one", SMALL)
    export_dataset(raw, tmp_path / "two", SMALL, num_proc=2)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def run_until_killed(raw: Path, out: Path, step: int, overwrite: bool) -> bool:
    """
    Exports in another process, which is killed (signal 9) before the `step`-th time that it gives a file another name,
    removes one or reads a pair. Returns whether it was.
    """

    def child() -> None:
        count = 0

        def counted(function: Callable) -> Callable:
            def run(*arguments, **options):
                nonlocal count
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **options)

            return run

        for name in ("replace", "rename", "unlink"):
            setattr(Path, name, counted(getattr(Path, name)))
        shard_writer.read_content = counted(shard_writer.read_content)
        export_dataset(raw, out, SMALL, overwrite=overwrite)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_killed_export_resumes_and_equals_an_undisturbed_export(tmp_path, overwrite) -> None:
    raw, earlier = tmp_path / "raw", tmp_path / "earlier"
    for name in ("NS_train", "RS_train"):
        make_raw_split(raw, name, pairs=1)
    make_raw_split(earlier, "RS_train", pairs=1, seed=5)
    undisturbed = tmp_path / "undisturbed"
    export_dataset(raw, undisturbed, SMALL)
    expected = tree(undisturbed)
    kills, step = 0, 1
    while True:
        out = tmp_path / f"out_{step}"
        if overwrite:
            export_dataset(earlier, out)
        was_killed = run_until_killed(raw, out, step, overwrite)
        if was_killed:
            kills += 1
            assert_nothing_half_loads(out, expected_rows=4)
            export_dataset(raw, out, SMALL, overwrite=overwrite)
        assert tree(out) == expected, step
        if not was_killed:
            break
        step += 1
    assert kills > 15


def assert_nothing_half_loads(out: Path, expected_rows: int) -> None:
    """Either all of an export loads, or nothing."""
    try:
        dataset = load(out)
    except (FileNotFoundError, ValueError, DatasetGenerationError):
        return
    # Two rows are the export that is to be replaced.
    assert sum(len(rows) for rows in dataset.values()) in (expected_rows, 2)


def fill_disk(*arguments, **options) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_is_complete_is_not_written_again(raw, out, monkeypatch) -> None:
    written: list[str] = []
    write = exporter.write_shard
    capacity = 3

    def write_some(shard, *arguments):
        if len(written) == capacity:
            fill_disk()
        written.append(shard.name)
        return write(shard, *arguments)

    monkeypatch.setattr(exporter, "write_shard", write_some)
    with pytest.raises(DataError, match=r"disk is full.*is kept: run the same command again"):
        export_dataset(raw, out, SMALL)
    assert len(list(out.rglob("*.parquet"))) == 3
    with pytest.raises(FileNotFoundError):
        load(out)
    capacity = 1000
    export_dataset(raw, out, SMALL)
    assert len(written) == len(set(written)) == len(list(out.rglob("*.parquet")))


def test_a_full_disk_leaves_no_unfinished_file(raw, out, monkeypatch) -> None:
    monkeypatch.setattr(os, "fsync", fill_disk)
    with pytest.raises(DataError, match="disk is full"):
        export_dataset(raw, out, SMALL)
    assert not list(out.rglob("*.incomplete"))


def test_a_finished_export_is_left_alone(raw, out, capsys) -> None:
    assert main(["export", str(raw), str(out)]) == 0
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert main(["export", str(raw), str(out), "--num-proc", "2"]) == 0
    assert "was finished already" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times


@pytest.mark.parametrize("change", ["raw", "options"])
@pytest.mark.parametrize("is_finished", [True, False])
def test_another_export_is_not_replaced_unless_one_says_so(raw, out, monkeypatch, change, is_finished) -> None:
    if is_finished:
        export_dataset(raw, out)
    else:
        with monkeypatch.context() as patch:
            patch.setattr(exporter, "write_shard", fill_disk)
            with pytest.raises(DataError):
                export_dataset(raw, out)
    before = tree(out)
    if change == "raw":
        edit_json(raw / "RS_train", "RS_train_000", referring_expressions=["something else", "the red car"])
    options = ExportOptions(license="mit") if change == "options" else ExportOptions()
    with pytest.raises(DataError, match=r"other data or with other options .*--overwrite"):
        export_dataset(raw, out, options)
    assert tree(out) == before
    assert export_dataset(raw, out, options, overwrite=True).is_new
    sentences = load(out, "RS", split="train")["expression"]
    assert ("something else" in sentences) == (change == "raw")


def test_what_is_not_ours_is_not_touched(raw, tmp_path) -> None:
    folder = tmp_path / "photos"
    (folder / "data").mkdir(parents=True)
    (folder / "README.md").write_text("mine")
    (folder / "export.json").write_text('{"identity": "of something else"}')
    (folder / "data" / "x.parquet").write_text("mine, too")
    (tmp_path / "file").write_text("mine")
    before = tree(tmp_path / "photos")
    for overwrite in (False, True):
        with pytest.raises(DataError, match="photos is not empty and holds no export"):
            export_dataset(raw, folder, overwrite=overwrite)
        with pytest.raises(DataError, match="file is a file"):
            export_dataset(raw, tmp_path / "file", overwrite=overwrite)
        with pytest.raises(DataError, match="is not empty and holds no export"):
            export_dataset(raw, raw, overwrite=overwrite)
    assert tree(folder) == before
    assert not (folder / ".export").exists()


def test_other_files_beside_an_export_stay(raw, out) -> None:
    export_dataset(raw, out)
    (out / ".git").mkdir()
    (out / "notes.txt").write_text("mine")
    export_dataset(raw, out, SMALL, overwrite=True)
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / ".git").is_dir()
    assert len(load(out, "TV", split="train")) == 12


def test_the_raw_folder_is_not_written_into(raw) -> None:
    with pytest.raises(DataError, match="lies in the raw folder"):
        export_dataset(raw, raw / "RS_train" / "out")


def test_an_empty_folder_may_be_used(raw, out) -> None:
    out.mkdir()
    assert export_dataset(raw, out).is_new


def test_a_second_export_into_the_folder_is_refused(raw, out) -> None:
    (out / ".export").mkdir(parents=True)
    with FileLock(out / ".export" / "lock"), pytest.raises(DataError, match=r"another export .* is running"):
        export_dataset(raw, out)
    assert export_dataset(raw, out).is_new


def test_a_damaged_export_is_noticed(raw, out) -> None:
    export_dataset(raw, out)
    path = out / "data" / "RS" / "train-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"missing or damaged.*--overwrite"):
        export_dataset(raw, out)
    export_dataset(raw, out, overwrite=True)
    assert len(load(out, "RS", split="train")) == 6


def test_a_folder_that_changes_meanwhile_is_noticed(raw, out, monkeypatch) -> None:
    write = exporter.write_shard

    def write_and_change(shard, *arguments):
        edit_json(raw / "RS_train", "RS_train_000", source="changed")
        return write(shard, *arguments)

    monkeypatch.setattr(exporter, "write_shard", write_and_change)
    with pytest.raises(DataError, match="were changed meanwhile"):
        export_dataset(raw, out)
    with pytest.raises(FileNotFoundError):
        load(out)


def test_strict_lists_all_and_what_was_written_serves_later(tmp_path, out, monkeypatch) -> None:
    folder, _ = make_damaged_dataset(tmp_path / "data")
    with pytest.raises(DataError) as error:
        export_dataset(folder, out, strict=True)
    with pytest.raises(FileNotFoundError):
        load(out)
    monkeypatch.setattr(exporter, "write_shard", None)
    result = export_dataset(folder, out)
    assert len(str(error.value).splitlines()) == 1 + len(result.report.skipped)
    with pytest.raises(DataError, match="cannot be used"):
        export_dataset(folder, out, strict=True)


def test_what_has_no_usable_pair_is_not_there(raw, out, tmp_path) -> None:
    for path in (raw / "RS_val" / "A").iterdir():
        path.write_text("no image")
    for path in (raw / "RS_train" / "A").glob("*_001.png"):
        path.write_text("no image")
    result = export_dataset(raw, out, SMALL)
    assert set(load(out, "RS")) == {"train"}
    assert {split: len(rows) for split, rows in load(out, "TV").items()} == {"train": 10, "validation": 6}
    assert sum(1 for _ in load(out, "RS", split="train", streaming=True)) == 4
    assert set(result.configs["RS"]) == {"train"}
    assert not list(out.glob("data/RS/validation*"))
    for path in (raw / "RS_train" / "B").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="nothing to export"):
        export_dataset(raw / "RS_train", tmp_path / "none")


class FakeHub:
    """Stands in for `HfApi`."""

    calls: list[tuple[str, dict]] = []

    def create_repo(self, repository: str, **options):
        self.calls.append(("create_repo", {"repository": repository, **options}))
        if repository == "other/taken":
            raise OSError("403 Forbidden")
        url = type("Url", (str,), {"repo_id": repository})
        return url(f"https://example.org/datasets/{repository}")

    def upload_folder(self, **options) -> None:
        self.calls.append(("upload_folder", options))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> type[FakeHub]:
    monkeypatch.setattr(FakeHub, "calls", [])
    monkeypatch.setattr(exporter, "HfApi", FakeHub)
    return FakeHub


@pytest.mark.parametrize("is_private", [False, True])
def test_an_export_is_pushed(raw, out, hub, capsys, is_private) -> None:
    options = ["--private"] if is_private else []
    assert main(["export", str(raw), str(out), "--push-to-hub", "me/data", *options]) == 0
    (create, create_options), (upload, upload_options) = hub.calls
    assert (create, upload) == ("create_repo", "upload_folder")
    assert create_options == {"repository": "me/data", "repo_type": "dataset", "private": is_private, "exist_ok": True}
    assert (upload_options["repo_id"], upload_options["repo_type"]) == ("me/data", "dataset")
    assert upload_options["folder_path"] == out
    assert upload_options["delete_patterns"] == ["data/*"]
    assert capsys.readouterr().out.rstrip().endswith("https://example.org/datasets/me/data")
    assert 'load_dataset("me/data", "TV", split="train")' in (out / "README.md").read_text()
    assert len(load(out, "TV", split="train")) == 12
    assert not export_dataset(raw, out).is_new


def test_the_card_names_the_repository_of_the_last_upload(raw, out, hub) -> None:
    export_dataset(raw, out)
    for repository in ("me/data", "you/copy"):
        push_dataset(out, repository, is_private=False)
        assert f'load_dataset("{repository}", "TV", split="train")' in (out / "README.md").read_text()
    assert "me/data" not in (out / "README.md").read_text()


def test_a_failed_upload_says_that_the_export_is_there(raw, out, hub) -> None:
    export_dataset(raw, out)
    with pytest.raises(DataError, match=r"out is complete, but cannot be uploaded to other/taken.*403"):
        push_dataset(out, "other/taken", is_private=True)


@pytest.mark.parametrize("split", [".", "train"])
def test_an_image_folder_is_refused_before_its_sentences_are_lost(tmp_path, out, split) -> None:
    for name in ("t1", "t2", "masks"):
        (tmp_path / split / name).mkdir(parents=True)
        Image.new("RGB" if name != "masks" else "L", (32, 32)).save(tmp_path / split / name / "0.png")
    (tmp_path / split / "metadata.jsonl").write_text("{}")
    with pytest.raises(DataError, match=r"image folder .*needs no export"):
        export_dataset(tmp_path, out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--private"], "--push-to-hub"),
        (["--max-shard-size", "many"], "many is not a size"),
        (["--max-shard-size", "0MB"], "0MB is not a size"),
        (["--num-proc", "0"], "'0' is not a whole number of 1 or more"),
        (["--kind", "all"], "all"),
    ],
)
def test_wrong_arguments_are_refused(raw, out, capsys, arguments, message) -> None:
    try:
        code: object = main(["export", str(raw), str(out), *arguments])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_missing_folder_is_named(tmp_path, capsys) -> None:
    assert main(["export", str(tmp_path / "nowhere"), str(tmp_path / "out")]) == 2
    assert "nowhere is not a folder" in capsys.readouterr().err


def test_an_image_that_vanishes_while_it_is_read_is_an_error(raw, out, monkeypatch) -> None:
    read = shard_writer.read_content

    def read_late(record):
        (raw / "RS_train" / "A" / "RS_train_001.png").unlink(missing_ok=True)
        return read(record)

    monkeypatch.setattr(shard_writer, "read_content", read_late)
    checked = shard_writer.check_pair
    records: dict[str, tuple] = {}

    def check_early(record):
        return records.setdefault(record.pair_id, checked(record))

    for record in exporter.plan_export(exporter.find_split_folders(raw), False, False, 10**9).shards[2].pairs:
        check_early(record)
    monkeypatch.setattr(shard_writer, "check_pair", check_early)
    with pytest.raises(DataError, match="was changed while it was read"):
        export_dataset(raw, out)


def test_jpeg_images_are_stored_as_they_are(tmp_path, out) -> None:
    folder = make_raw_split(tmp_path / "raw", "RS_train", pairs=1, image_suffix=".jpg")
    draw_image(3).save(folder / "A" / "RS_train_000.jpg", quality=50)
    export_dataset(tmp_path / "raw", out)
    stored = load(out, "RS", split="train").data.column("image_t1")[0].as_py()
    assert stored == {"bytes": (folder / "A" / "RS_train_000.jpg").read_bytes(), "path": "t1/RS_train_000.jpg"}
