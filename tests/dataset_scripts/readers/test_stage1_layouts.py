# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The layouts in which sets for stage 1 come: names of folders, splits as folders or as lists."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_scripts.errors import DataError
from dataset_scripts.readers import Reason, find_split_folders, open_pairs


SIZE = (40, 32)


def mask_of(number: int) -> np.ndarray:
    mask = np.zeros(SIZE[::-1], dtype=bool)
    mask[2 + number : 9, 3 : 9 + number] = True
    return mask


def write_pair(folders: tuple[Path, Path, Path], name: str, number: int) -> None:
    for date, folder in enumerate(folders[:2]):
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", SIZE, (50 * date, 20 * number, 99)).save(folder / name)
    folders[2].mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask_of(number).astype(np.uint8) * 255).save(folders[2] / name)


def read(root: Path) -> dict[str, list[str]]:
    """The ids by split; of every pair the order of its images and its mask are checked."""
    found: dict[str, list[str]] = {}
    for pair in open_pairs(root):
        number = int(pair.pair_id[-1])
        earlier, later = pair.load_images()
        assert (earlier.getpixel((0, 0)), later.getpixel((0, 0))) == ((0, 20 * number, 99), (50, 20 * number, 99))
        assert np.array_equal(pair.load_change_mask(SIZE), mask_of(number))
        found.setdefault(pair.split, []).append(pair.pair_id)
    return found


@pytest.mark.parametrize(
    "images", [("A", "B"), ("Image1", "Image2"), ("im1", "im2"), ("T1", "T2"), ("time1", "time2"), ("t1", "t2")]
)
@pytest.mark.parametrize("masks", ["masks", "mask", "label", "labels", "gt", "GT"])
def test_the_usual_names_of_folders_are_known(tmp_path: Path, images: tuple[str, str], masks: str) -> None:
    root = tmp_path / "set"  # The name of a folder tells its split.
    folders = (root / images[0], root / images[1], root / masks)
    write_pair(folders, "tile_1.png", 1)
    write_pair(folders, "tile_2.png", 2)
    assert read(root) == {"train": ["tile_1", "tile_2"]}


def test_splits_are_folders_around_the_images(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val", "test")):
        write_pair(tuple(tmp_path / split / name for name in ("A", "B", "label")), f"tile_{number}.png", number)
    assert read(tmp_path) == {"train": ["tile_0"], "validation": ["tile_1"], "test": ["tile_2"]}


def test_splits_are_folders_among_the_images(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val", "test")):
        write_pair(tuple(tmp_path / name / split for name in ("im1", "im2", "gt")), f"tile_{number}.png", number)
    assert read(tmp_path) == {"train": ["tile_0"], "validation": ["tile_1"], "test": ["tile_2"]}


def test_splits_are_lists_of_names(tmp_path: Path) -> None:
    for number in range(5):
        write_pair((tmp_path / "A", tmp_path / "B", tmp_path / "label"), f"my tile {number}.png", number)
    lists = tmp_path / "list"
    lists.mkdir()
    (lists / "train.txt").write_bytes(b"\xef\xbb\xbfmy tile 0.png\r\nmy tile 1.png\r\n")
    (lists / "val.txt").write_text("A/my tile 2.png\n")
    (lists / "test.txt").write_text("my tile 3\nmissing_7.png\n\n")
    (lists / "trainval.txt").write_text("my tile 4.png\n")
    source = open_pairs(tmp_path)
    assert read(tmp_path) == {"train": ["my tile 0", "my tile 1"], "validation": ["my tile 2"], "test": ["my tile 3"]}
    assert {(finding.reason, finding.sample) for finding in source.report.skipped} == {
        (Reason.NOT_LISTED, "my tile 4"),
        (Reason.MISSING_IMAGE, "missing_7"),
    }


def test_a_line_of_a_list_may_name_all_three_files(tmp_path: Path) -> None:
    for number in range(2):
        write_pair((tmp_path / "T1", tmp_path / "T2", tmp_path / "gt"), f"tile_{number}.png", number)
    (tmp_path / "list").mkdir()
    for number, split in enumerate(("train", "val")):
        line = " ".join(f"{place}/tile_{number}.png" for place in ("T1", "T2", "gt"))
        (tmp_path / "list" / f"{split}.txt").write_text(line)
    assert read(tmp_path) == {"train": ["tile_0"], "validation": ["tile_1"]}


def test_a_list_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "data"
    write_pair((root / "A", root / "B", root / "gt"), "tile_0.png", 0)
    (tmp_path / "secret.txt").write_text("tile_0.png")
    (root / "list").mkdir()
    (root / "list" / "train.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(DataError, match=r"train\.txt is a link out of"):
        open_pairs(root)


def test_a_folder_without_images_says_which_names_are_known(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    with pytest.raises(DataError, match="Image1/Image2"):
        find_split_folders(tmp_path)


def test_a_split_is_opened_for_stage_1(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val")):
        write_pair(tuple(tmp_path / split / name for name in ("Image1", "Image2", "label")), f"t_{number}.png", number)
    pairs = open_pairs(tmp_path, "validation", is_stage1=True, checked=False)
    assert [pair.pair_id for pair in pairs] == ["t_1"]


def unused(root: Path) -> list[str]:
    return [f"{finding.split}/{finding.sample}" for finding in open_pairs(root).report.unused]


@pytest.mark.parametrize(
    ("folder", "train", "test"),
    [
        ("List", "Train.txt", "Test.txt"),
        ("list", "train.TXT", "test.TXT"),
        ("LIST", "train_list.txt", "list_test.txt"),
    ],
)
def test_lists_of_other_spellings_are_splits(tmp_path: Path, folder: str, train: str, test: str) -> None:
    """Otherwise the pairs of the test would be trained on."""
    root = tmp_path / "set"
    for number in range(3):
        write_pair((root / "A", root / "B", root / "label"), f"é_{number}.png", number)
    (root / folder).mkdir()
    (root / folder / train).write_text("É_0.PNG\ne\u0301_1.png,e\u0301_1.png\n", encoding="utf-8")
    (root / folder / test).write_text("é_2.png\n", encoding="utf-8")
    (root / folder / "trainval.txt").write_text("é_2.png\n", encoding="utf-8")
    assert read(root) == {"train": ["é_0", "é_1"], "test": ["é_2"]}
    assert open_pairs(root).report.findings == []
    assert unused(root) == [f"set/{folder}/trainval.txt"]


def test_something_else_beside_the_folders_of_splits_does_not_make_all_training_data(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for number, split in enumerate(("train", "test", "extra")):
        write_pair((root / "A" / split, root / "B" / split, root / "label" / split), f"tile_{number}.png", number)
    (root / "A" / "notes.txt").write_text("how they were made")
    for folder in ("B", "label"):  # A split whose earlier images are missing.
        (root / folder / "val").mkdir()
        Image.new("RGB", SIZE).save(root / folder / "val" / "tile_7.png")
    assert read(root) == {"train": ["tile_0"], "test": ["tile_1"]}
    report = open_pairs(root).report
    assert [(finding.reason, finding.sample) for finding in report.skipped] == [(Reason.MISSING_IMAGE, "tile_7")]
    assert set(unused(root)) == {"set/A/extra", "set/A/notes.txt", "set/B/extra", "set/label/extra"}


def test_folders_with_images_that_are_not_read_are_named(tmp_path: Path) -> None:
    """A test split without `B`, splits beside `A` and `B`, and a second pair of folders were left out in silence."""
    root = tmp_path / "set"
    write_pair(tuple(root / "train" / name for name in ("A", "B", "label")), "tile_0.png", 0)
    write_pair(tuple(root / "test" / name for name in ("A", "C", "label")), "tile_1.png", 1)
    write_pair(tuple(root / "train" / name for name in ("im1", "im2", "gt")), "tile_2.png", 2)
    write_pair(tuple(root / "train" / "val" / name for name in ("A", "B", "label")), "tile_3.png", 3)
    Image.new("RGB", SIZE).save(root / "overview.png")
    (root / "train" / "metadata.csv").write_text("file_name\n")
    (root / "docs").mkdir()
    (root / "docs" / "readme.txt").write_text("no image")
    assert read(root) == {"train": ["tile_0"]}
    names = ("set/overview.png", "set/test", "train/gt", "train/im1", "train/im2", "train/metadata.csv", "train/val")
    assert sorted(unused(root)) == sorted(names)


@pytest.mark.parametrize(("name", "split"), [("test2", "test"), ("val_1", "validation"), ("latest", "train")])
def test_a_number_behind_the_name_of_a_split(tmp_path: Path, name: str, split: str) -> None:
    write_pair(tuple(tmp_path / name / folder for folder in ("A", "B", "label")), "tile_0.png", 0)
    assert read(tmp_path) == {split: ["tile_0"]}
