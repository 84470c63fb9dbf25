# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reading COCO folders: all kinds of masks, and everything that can be wrong with one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dataset_scripts.compose.canvas import PhotoCache
from dataset_scripts.compose.instances import SkippedItems, open_image, read_backgrounds, read_instances
from dataset_scripts.compose.library import Library
from dataset_scripts.errors import DataError
from tests.dataset_scripts.compose.coco_folders import compressed, rectangle, uncompressed, write_folder


BOX = (20, 30, 60, 90)


def change(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Edits the annotations of a folder."""
    file = folder / "annotations.json"
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "coco", images=4, count=2)


def test_the_only_json_file_is_read_whatever_its_name(folder: Path) -> None:
    expected = read_instances(folder, SkippedItems())
    renamed = (folder / "annotations.json").rename(folder / "instances_val2017.json")
    assert read_instances(folder, SkippedItems()) == expected
    other = folder / "captions.json"
    other.write_text("{}")
    with pytest.raises(
        DataError, match=r"captions\.json, instances_val2017\.json\); name the one to read annotations\."
    ):
        read_instances(folder, SkippedItems())
    renamed.rename(folder / "annotations.json")
    assert read_instances(folder, SkippedItems()) == expected
    (folder / "annotations.json").unlink()
    with pytest.raises(DataError, match=r"captions\.json is not of COCO format"):
        read_instances(folder, SkippedItems())
    other.unlink()
    with pytest.raises(DataError, match=r"holds no \.json file"):
        read_instances(folder, SkippedItems())


def test_polygons_and_both_run_length_codes_give_the_same_mask(folder: Path) -> None:
    left, top, right, bottom = BOX
    mask = rectangle(BOX, (300, 320))
    polygon = [[left, top, right, top, right, bottom, left, bottom]]

    def edit(content: dict[str, Any]) -> None:
        for annotation, segmentation in zip(content["annotations"], (compressed(mask), uncompressed(mask), polygon)):
            annotation["image_id"] = 0
            annotation["segmentation"] = segmentation
        content["annotations"] = content["annotations"][:3]

    change(folder, edit)
    skipped = SkippedItems()
    (source,) = read_instances(folder, skipped)
    assert not skipped.lines()
    assert len(source.instances) == 3
    for instance in source.instances:
        assert instance.box == BOX
        assert np.array_equal(source.mask(instance), mask)


def test_a_file_with_two_ids_is_one_image_with_all_its_objects(folder: Path) -> None:
    (before, *others) = read_instances(folder, SkippedItems())

    def edit(content: dict[str, Any]) -> None:
        first = next(image for image in content["images"] if image["file_name"] == before.file.name)
        content["images"].append({**first, "id": 77, "file_name": f"./{first['file_name']}"})
        own = [each for each in content["annotations"] if each["image_id"] == first["id"]]
        own[1]["image_id"] = 77
        content["annotations"].append({**own[0], "id": 777, "image_id": 77})  # Listed under both ids.

    change(folder, edit)
    skipped = SkippedItems()
    (merged, *rest) = read_instances(folder, skipped)
    assert (merged.file, set(merged.instances), len(merged.instances)) == (before.file, set(before.instances), 2)
    assert rest == others
    assert not skipped.lines()


@pytest.mark.parametrize(
    ("change_of", "reason"),
    [
        ({"segmentation": {"size": [300, 320], "counts": "zz"}}, "segmentation that cannot be read"),
        ({"segmentation": {"size": [300, 320], "counts": "0o"}}, "segmentation that cannot be read"),
        ({"segmentation": {"size": [300, 320], "counts": " ! "}}, "segmentation that cannot be read"),
        ({"segmentation": {"size": [300, 320], "counts": [5, 5]}}, "segmentation that cannot be read"),
        ({"segmentation": {"size": [300, 320], "counts": [-1, 96001]}}, "segmentation that cannot be read"),
        ({"segmentation": {"size": [320, 300], "counts": [96000]}}, "segmentation that cannot be read"),
        ({"segmentation": {"size": [300, 320], "counts": [96000]}}, "empty segmentation"),
        ({"segmentation": [[1, 2, 3, 4]]}, "segmentation that cannot be read"),
        ({"segmentation": [[1, 2, 3, 4, "a", 6]]}, "segmentation that cannot be read"),
        ({"segmentation": []}, "segmentation that cannot be read"),
        ({"segmentation": "mask.png"}, "segmentation that cannot be read"),
        ({"segmentation": None}, "segmentation that cannot be read"),
        ({"segmentation": [[0, 0, 1e9, 0, 1e9, 1e9]]}, "segmentation that cannot be read"),
        ({"segmentation": [[0, 0, 1e300, 0, 1e300, 1e300]]}, "segmentation that cannot be read"),
        ({"segmentation": [[10**400, 0, 9, 0, 9, 9]]}, "segmentation that cannot be read"),
        ({"segmentation": {"size": [300, 320], "counts": "o" * 1_000_000}}, "segmentation that cannot be read"),
        ({"category_id": [1]}, "annotation of an unknown category"),
        ({"image_id": {}}, "annotation of an unknown image"),
        ({"category_id": 99}, "annotation of an unknown category"),
        ({"image_id": 99}, "annotation of an unknown image"),
    ],
)
def test_a_bad_annotation_is_skipped_and_named(folder: Path, change_of: dict[str, Any], reason: str) -> None:
    change(folder, lambda content: content["annotations"][3].update(change_of))
    skipped = SkippedItems()
    images = read_instances(folder, skipped)
    assert sum(len(source.instances) for source in images) == 7
    (line,) = skipped.lines()
    assert line.startswith(f"skipped 1 x {reason}: coco, annotation 3")
    assert "\n" not in line


def test_crowds_are_no_objects_and_are_counted(folder: Path) -> None:
    """They remain in their images, so that nothing is said about the objects in them."""
    crowd = {"iscrowd": 1, "segmentation": uncompressed(rectangle(BOX, (300, 320)))}
    change(folder, lambda content: [content["annotations"][number].update(crowd) for number in (0, 3)])
    skipped = SkippedItems()
    images = read_instances(folder, skipped)
    found = [instance for source in images for instance in source.instances]
    assert [instance.is_crowd for instance in found] == [True, False, False, True, False, False, False, False]
    assert [instance.box for instance in found if instance.is_crowd] == [BOX, BOX]
    (line,) = skipped.lines()
    assert line.startswith("skipped 2 x crowd (iscrowd: 1), which is not one object: coco, annotation 0; coco, ")


def test_a_folder_of_crowds_alone_has_no_objects(folder: Path) -> None:
    change(folder, lambda content: [annotation.update(iscrowd=1) for annotation in content["annotations"]])
    with pytest.raises(DataError, match=r"no image with instances .*8 x crowd"):
        read_instances(folder, SkippedItems())


def test_bad_images_are_skipped_and_named(folder: Path) -> None:
    names = [f"coco_{index:03d}.png" for index in range(4)]
    (folder / "images" / names[0]).unlink()
    (folder / "images" / names[1]).write_bytes(b"no image")
    Image.new("RGB", (64, 64)).save(folder / "images" / names[2])
    change(folder, lambda content: content["images"][3].update(width=100))
    skipped = SkippedItems()
    with pytest.raises(DataError, match="no image with instances"):
        read_instances(folder, skipped)
    assert dict(skipped.counts) == {
        "missing image": 1,
        "unreadable image": 1,
        "image with a side of less than 128 pixels": 1,
        "image of another size than annotated": 1,
    }


def test_one_bad_image_or_category_costs_no_other(folder: Path) -> None:
    def edit(content: dict[str, Any]) -> None:
        content["images"] += [None, {"file_name": "a.png"}, {"id": [1], "file_name": "a.png"}]
        content["images"].append({"id": 77, "file_name": "x" * 300})
        content["categories"] += [None, {"id": 50}, {"id": 51, "name": None}]
        content["annotations"].append({**content["annotations"][0], "image_id": 77})

    change(folder, edit)
    skipped = SkippedItems()
    assert sum(len(source.instances) for source in read_instances(folder, skipped)) == 8
    assert dict(skipped.counts) == {
        "image without an id and a file_name": 3,
        "category without an id and a name": 3,
        "missing image": 1,
    }


def test_an_id_that_two_images_or_categories_have_means_neither(folder: Path) -> None:
    """The masks of one would be laid on the other, or be called by its name."""

    def edit(content: dict[str, Any]) -> None:
        content["images"][1]["id"] = content["images"][0]["id"]
        content["categories"].append({"id": content["annotations"][-1]["category_id"], "name": "cow"})

    before = {source.file.name: source.instances for source in read_instances(folder, SkippedItems())}
    change(folder, edit)
    skipped = SkippedItems()
    after = {source.file.name: source.instances for source in read_instances(folder, skipped)}
    assert not {"coco_000.png", "coco_001.png"} & set(after)
    kept = [instance for instances in after.values() for instance in instances]
    assert all(instance in before[name] for name, instances in after.items() for instance in instances)
    assert "cow" not in {instance.category for instance in kept}
    assert skipped.counts["image whose id another one has"] == 2
    assert skipped.counts["category whose id another one has"] == 2
    assert len(kept) + sum(skipped.counts[f"annotation of an unknown {kind}"] for kind in ("image", "category")) == 8


def test_file_names_of_windows_and_of_another_case_and_ids_in_quotes(folder: Path) -> None:
    def edit(content: dict[str, Any]) -> None:
        content["images"][0]["file_name"] = "images\\coco_000.png"
        content["images"][1]["file_name"] = "COCO_001.PNG"
        content["images"][2].update(width=None, height=None)
        for annotation in content["annotations"]:
            annotation.update(image_id=str(annotation["image_id"]), category_id=str(annotation["category_id"]))

    change(folder, edit)
    skipped = SkippedItems()
    assert sum(len(source.instances) for source in read_instances(folder, skipped)) == 8
    assert not skipped.lines()


def test_file_names_stay_in_the_folder(folder: Path, tmp_path: Path) -> None:
    Image.new("RGB", (320, 300)).save(tmp_path / "outside.png")
    change(folder, lambda content: content["images"][0].update(file_name="../../outside.png"))
    skipped = SkippedItems()
    assert len(read_instances(folder, skipped)) == 3
    assert skipped.counts["image without a file name inside the folder"] == 1


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"images": []}', '{"images": 3, "annotations": [], "categories": []}']
)
def test_what_is_not_coco_is_one_line(folder: Path, content: str) -> None:
    (folder / "annotations.json").write_text(content)
    with pytest.raises(DataError, match=r"annotations\.json") as caught:
        read_instances(folder, SkippedItems())
    assert "\n" not in str(caught.value)


def test_a_folder_without_annotations_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"annotations\.json"):
        read_instances(tmp_path, SkippedItems())
    with pytest.raises(DataError, match="holds no image"):
        read_backgrounds(tmp_path, SkippedItems())
    with pytest.raises(DataError, match="not a folder"):
        read_backgrounds(tmp_path / "none", SkippedItems())


def test_every_image_is_in_one_split_by_its_name_alone(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "many", images=40, count=1)
    splits = [
        {source.file.name for source in Library([folder], [], "NS", split, 2**20).images}
        for split in ("train", "validation", "test")
    ]
    assert sum(map(len, splits)) == len(set.union(*splits)) == 40
    moved = folder.rename(tmp_path / "elsewhere")
    assert {source.file.name for source in Library([moved], [], "NS", "test", 2**20).images} == splits[2]
    assert len(splits[0]) > 25


def test_the_cache_stays_within_its_bounds(folder: Path) -> None:
    images = read_instances(folder, SkippedItems())
    size = open_image(images[0]).nbytes * 5 // 3  # RGB, and two bytes for the numbers
    cache = PhotoCache(2 * size)
    photos = [cache.open(source) for source in images]
    assert len(cache) == 2
    assert cache.open(images[3]) is photos[3]
    assert cache.open(images[0]) is not photos[0]
    assert np.array_equal(cache.open(images[0]).image, photos[0].image)
