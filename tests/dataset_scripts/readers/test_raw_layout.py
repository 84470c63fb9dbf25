# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import contextlib
import copy
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_scripts.errors import DataError
from dataset_scripts.readers import (
    EXPLANATIONS,
    ImageFile,
    Pair,
    ReadingReport,
    Reason,
    UnusableError,
    check_pairs,
    find_split_folders,
    list_pairs,
    list_setting,
    select_folders,
)
from tests.dataset_scripts import raw_folders
from tests.dataset_scripts.raw_folders import (
    BROKEN_EXPRESSIONS,
    BROKEN_PAIRS,
    REPAIRS,
    draw_image,
    draw_mask,
    edit_json,
    json_path,
    make_damaged_dataset,
    make_dataset,
    make_raw_split,
)


REAL_DATA = Path(__file__).parents[4] / "shared" / "realdata"


def read(folder: Path) -> tuple[list[Pair], ReadingReport]:
    (split_folder,) = find_split_folders(folder)
    report = ReadingReport()
    return list(check_pairs(list_pairs(split_folder, report), report)), report


def reasons(report: ReadingReport) -> list[Reason]:
    return [finding.reason for finding in report.findings]


def mask_of(record: Pair, index: int = 0) -> np.ndarray:
    size = record.image_t1.size
    mask, _ = record.expressions[index].mask.read_mask(size)
    assert (mask.dtype, mask.shape) == (bool, size[::-1])
    return mask


@pytest.mark.parametrize(
    ("name", "split", "domain", "is_pretrain"),
    [
        ("train_FINAL_CLEAN", "train", None, False),
        ("val_FINAL_CLEAN", "validation", None, False),
        ("NS_FINAL_CLEAN_train", "train", "NS", False),
        ("RS_FINAL_CLEAN_val", "validation", "RS", False),
        ("RS_real_test", "test", "RS", False),
        ("MTRefSeg_pretrain_TV_clean", "train", None, True),
        ("MTRefSeg_pretrain_NS", "train", "NS", True),
        ("RS_real_pretrain", "train", "RS", True),
        ("rs-validation", "validation", "RS", False),
        ("transport", "train", None, False),
    ],
)
def test_the_name_of_a_folder_tells_split_and_domain(tmp_path, name, split, domain, is_pretrain) -> None:
    path = make_raw_split(tmp_path, name, pairs=1)
    for root in (tmp_path, path):
        (folder,) = find_split_folders(root)
        assert (folder.name, folder.split, folder.domain, folder.is_pretrain) == (name, split, domain, is_pretrain)


def test_a_folder_without_sentences_is_stage_1(tmp_path) -> None:
    for kind in ("A", "B"):
        (tmp_path / "RS_train" / kind).mkdir(parents=True)
    (folder,) = find_split_folders(tmp_path)
    assert folder.is_pretrain


def test_what_is_no_split_folder_is_ignored(tmp_path) -> None:
    make_raw_split(tmp_path, "RS_train")
    make_raw_split(tmp_path, "__MACOSX")
    make_raw_split(tmp_path, ".hidden_train")
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.md").write_text("hello")
    assert [folder.name for folder in find_split_folders(tmp_path)] == ["RS_train"]


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("")])
def test_no_split_folder_is_an_error_that_says_what_is_needed(tmp_path, make) -> None:
    make(tmp_path / "data")
    with pytest.raises(DataError, match=r"data .*(folder|needed)"):
        find_split_folders(tmp_path / "data")


def test_a_split_is_read(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_val", pairs=2, expressions=3)
    records, report = read(folder)
    assert [record.pair_id for record in records] == ["RS_val_000", "RS_val_001"]
    record = records[0]
    assert (record.split, record.domain, record.view, record.source) == ("validation", "RS", "aerial", "drawn")
    assert record.image_t1.read_bytes() == (folder / "A" / "RS_val_000.png").read_bytes()
    assert record.image_t2.read_bytes() == (folder / "B" / "RS_val_000.png").read_bytes()
    assert record.image_t1.size == raw_folders.SIZE
    assert [expression.change_type for expression in record.expressions] == ["appear", "disappear", "state_change"]
    assert record.sample_id(record.expressions[2]) == "RS_val_000_2"
    for index in range(3):
        stored = np.asarray(Image.open(folder / "masks" / "RS_val_000" / f"{index}.png"))
        assert np.array_equal(mask_of(record, index), stored == 255)
    assert not report.findings
    assert report.table() == "RS_val: 2 pairs, 6 sentences read\nnothing was skipped or repaired"


def test_only_the_sentences_are_needed_in_a_json_file(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "train_FINAL_CLEAN", pairs=1)
    path = json_path(folder, "train_FINAL_CLEAN_000")
    path.write_text(json.dumps({"referring_expressions": ["a", "b"], "unknown key": 1}))
    ((record,), report) = read(folder)
    assert [expression.text for expression in record.expressions] == ["a", "b"]
    assert (record.pair_id, record.domain, record.view, record.source) == (path.stem, None, "unknown", "unknown")
    assert {expression.change_type for expression in record.expressions} == {"unknown"}
    assert not report.findings


def test_a_byte_order_mark_is_no_damage(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_val", pairs=1)
    path = json_path(folder, "RS_val_000")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    records, report = read(folder)
    assert len(records) == 1
    assert not report.findings


def test_files_are_found_by_stem_where_the_ending_differs(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_val", pairs=1, image_suffix=".jpg")
    stem = "tile_0.5"
    for kind, suffix in (("A", ".JPG"), ("B", ".jpeg")):
        (folder / kind / "RS_val_000.jpg").rename(folder / kind / (stem + suffix))
    edit_json(folder, "RS_val_000", img_A=f"{stem}.png", img_B=stem, mask=["RS_val_000/0.tif", "RS_val_000/1"])
    ((record,), report) = read(folder)
    assert (record.image_t1.name, record.image_t2.name) == ("RS_val/A/tile_0.5.JPG", "RS_val/B/tile_0.5.jpeg")
    assert [expression.mask.name for expression in record.expressions] == [
        "RS_val/masks/RS_val_000/0.png",
        "RS_val/masks/RS_val_000/1.png",
    ]
    assert not report.findings


def test_the_exact_name_wins_over_the_stem(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_val", pairs=1)
    draw_image(5).save(folder / "A" / "RS_val_000.jpg")
    ((record,), _) = read(folder)
    assert record.image_t1.name == "RS_val/A/RS_val_000.png"


@pytest.mark.parametrize(
    ("key", "entries", "files", "expected"),
    [
        ("mask", ["own/7.png", "x/1.png"], ["own/7.png", "s/0.png", "s/1.png"], ["own/7.png", "s/1.png"]),
        ("masks", [{"path": "own/7.png"}, {"path": None}], ["own/7.png", "s/1.png"], ["own/7.png", "s/1.png"]),
        ("mask", ["own\\7.png"], ["own/7.png", "j/1.png"], ["own/7.png", "j/1.png"]),
        ("mask", None, ["s/0.png", "j/0.png", "j/1.png"], ["s/0.png", "j/1.png"]),
        ("mask", [], ["s/0.png", "s.png"], ["s/0.png", "s.png"]),
        ("mask", None, ["j.png"], ["j.png", "j.png"]),
        ("mask", None, ["s.png", "j.png"], ["s.png", "s.png"]),
    ],
)
def test_the_first_mask_that_exists_is_taken(tmp_path, key, entries, files, expected) -> None:
    folder = make_raw_split(tmp_path, "RS_val", pairs=1)
    json_path(folder, "RS_val_000").rename(json_path(folder, "j"))
    edit_json(folder, "j", sample_id="s", **{"mask": None, key: entries})
    for number, name in enumerate(files):
        (folder / "masks" / name).parent.mkdir(exist_ok=True)
        draw_mask(number).save(folder / "masks" / name)
    ((record,), _) = read(folder)
    names = [expression.mask.name.removeprefix("RS_val/masks/") for expression in record.expressions]
    assert names == expected


@pytest.mark.parametrize("name", ["s.png", "j.png"])
def test_a_sentence_beyond_the_listed_masks_does_not_get_the_mask_of_another(tmp_path, name) -> None:
    folder = make_raw_split(tmp_path, "RS_val", pairs=1)
    json_path(folder, "RS_val_000").rename(json_path(folder, "j"))
    edit_json(folder, "j", sample_id="s", mask=[name])
    draw_mask(0).save(folder / "masks" / name)
    ((record,), report) = read(folder)
    assert [expression.index for expression in record.expressions] == [0]
    assert [(finding.reason, finding.sample) for finding in report.skipped] == [(Reason.MISSING_MASK, "s_1")]


@pytest.mark.parametrize("name", BROKEN_PAIRS)
def test_a_broken_pair_is_skipped_and_named(tmp_path, name) -> None:
    damage, reason = BROKEN_PAIRS[name]
    folder = make_raw_split(tmp_path / "data", "RS_train", pairs=2)
    draw_image(99).save(tmp_path / raw_folders.SECRET)
    damage(folder, "RS_train_000")
    records, report = read(folder)
    assert [record.pair_id for record in records] == ["RS_train_001"]
    (finding,) = report.skipped
    assert (finding.reason, finding.split) == (reason, "RS_train")
    assert finding.sample.startswith("RS_train_000")
    assert str(tmp_path) not in str(finding)


@pytest.mark.parametrize("name", BROKEN_EXPRESSIONS)
def test_a_broken_expression_is_skipped_and_its_pair_kept(tmp_path, name) -> None:
    damage, reason = BROKEN_EXPRESSIONS[name]
    folder = make_raw_split(tmp_path / "data", "RS_train", pairs=1)
    damage(folder, "RS_train_000")
    ((record,), report) = read(folder)
    assert [expression.index for expression in record.expressions] == [1]
    (finding,) = report.skipped
    assert (finding.reason, finding.sample) == (reason, "RS_train_000_0")


@pytest.mark.parametrize("name", REPAIRS)
def test_a_repair_is_reported_and_everything_kept(tmp_path, name) -> None:
    damage, reason = REPAIRS[name]
    folder = make_raw_split(tmp_path, "RS_train", pairs=1)
    stored = np.asarray(Image.open(folder / "masks" / "RS_train_000" / "0.png"))
    damage(folder, "RS_train_000")
    ((record,), report) = read(folder)
    assert [expression.index for expression in record.expressions] == [0, 1]
    assert set(reasons(report)) == {reason}
    assert not report.skipped
    report.raise_if_skipped()
    assert all(text.text == text.text.strip() for text in record.expressions)
    different = (mask_of(record) != (stored == 255)).mean()
    assert different < 0.1 if reason == Reason.MASK_RESIZED else different == 0


@pytest.mark.parametrize("value", [None, "exploded"])
def test_a_change_type_that_is_not_known_is_unknown(tmp_path, value) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=1)
    edit_json(folder, "RS_train_000", change_types=[value, "disappear"])
    ((record,), _) = read(folder)
    assert [expression.change_type for expression in record.expressions] == ["unknown", "disappear"]


def test_the_error_of_an_unusable_item_leaves_a_worker_process() -> None:
    error = copy.copy(UnusableError(Reason.MISSING_IMAGE, "there is no A/1"))  # As when it is sent
    assert (error.reason, error.detail, str(error)) == (Reason.MISSING_IMAGE, "there is no A/1", "there is no A/1")


def test_flags_of_noise_are_read(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=2)
    edit_json(folder, "RS_train_000", noisy=[1, 0])
    edit_json(folder, "RS_train_001", noisy=["yes", None])
    records, report = read(folder)
    flags = [[item.noisy for item in record.expressions] for record in records]
    assert flags == [[True, False], [False, False]]
    # Arrow does not write 1 as a boolean.
    assert all(isinstance(flag, bool) for of_pair in flags for flag in of_pair)
    assert [(finding.reason, finding.sample) for finding in report.findings] == [
        (Reason.UNKNOWN_LABEL, "RS_train_001_0")
    ]


def test_a_pair_without_a_usable_mask_is_skipped(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=2)
    for index in range(2):
        (folder / "masks" / "RS_train_000" / f"{index}.png").write_text("no image")
        (folder / "masks" / "RS_train_001" / f"{index}.png").unlink()
    records, report = read(folder)
    assert not records
    assert report.counts == {"no_expression_left": 2, "missing_mask": 2, "unreadable_mask": 2}


def test_of_two_pairs_with_one_id_the_first_usable_one_is_kept(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=4)
    for number in range(4):
        edit_json(folder, f"RS_train_{number:03d}", sample_id="same")
    (folder / "A" / "RS_train_000.png").unlink()
    records, report = read(folder)
    assert [record.image_t1.name for record in records] == ["RS_train/A/RS_train_001.png"]
    assert reasons(report) == [Reason.MISSING_IMAGE, Reason.DUPLICATE_ID, Reason.DUPLICATE_ID]


def test_left_behind_files_are_ignored(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=1)
    (folder / "A" / ".DS_Store").write_text("")
    (folder / "A" / "._RS_train_000.png").write_text("")
    (folder / "referring_expression" / "._RS_train_000.json").write_text("")
    (folder / "referring_expression" / "Thumbs.db").write_text("")
    (folder / "masks" / "__MACOSX").mkdir()
    (folder / "masks" / "__MACOSX" / "x.png").write_text("")
    records, report = read(folder)
    assert len(records) == 1
    assert not report.findings


def test_an_orientation_that_xmp_alone_tells_counts_in_sizes_of_tiffs_too() -> None:
    xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    file = io.BytesIO()
    draw_image(1).save(file, "TIFF", tiffinfo={700: xmp.encode()})
    image = ImageFile("a.tif", file.getvalue())
    assert image.check() == image.size == image.load().size == raw_folders.SIZE[::-1]


def test_orientation_counts_in_sizes(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=2, image_suffix=".jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = draw_image(1, (32, 48))
    turned.save(folder / "A" / "RS_train_000.jpg", exif=exif)
    turned.save(folder / "B" / "RS_train_000.jpg", exif=exif)
    turned.save(folder / "A" / "RS_train_001.jpg")
    records, report = read(folder)
    assert [record.image_t1.size for record in records] == [(48, 32)]
    assert reasons(report) == [Reason.UNEQUAL_SIZES]


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_the_size_in_the_header_is_that_of_the_decoded_image(image_format) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    draw_image(1, (40, 20)).save(buffer, image_format, exif=exif)
    image = ImageFile("image", buffer.getvalue())
    assert image.size == image.check() == (20, 40)


def test_a_file_that_changes_in_memory_is_still_named() -> None:
    with pytest.raises(UnusableError, match="row 7: not an image that PIL can read"):
        ImageFile("row 7", b"nothing").check()


@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
def test_a_damaged_image_never_raises_anything_else() -> None:
    random = np.random.default_rng(0)
    for image_format in ("PNG", "JPEG", "TIFF", "WEBP", "BMP"):
        buffer = io.BytesIO()
        draw_image(1).save(buffer, image_format)
        for _ in range(60):
            content = bytearray(buffer.getvalue())
            for _ in range(int(random.integers(1, 12))):
                content[int(random.integers(0, min(len(content), 300)))] = int(random.integers(0, 256))
            image = ImageFile("image", bytes(content))
            for look in (image.check, lambda image=image: image.size, lambda p=image: p.read_mask((48, 32))):
                with contextlib.suppress(UnusableError):
                    look()


def test_stage_1_is_matched_by_stem(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "MTRefSeg_pretrain_RS", pairs=6)
    stem = "MTRefSeg_pretrain_RS_00"
    (folder / "B" / f"{stem}0.png").rename(folder / "B" / f"{stem}0.TIFF")
    Image.open(folder / "A" / f"{stem}0.png").save(folder / "B" / f"{stem}0.TIFF")
    (folder / "A" / f"{stem}1.png").unlink()
    (folder / "masks" / f"{stem}2.png").unlink()
    (folder / "masks" / f"{stem}3.png").write_text("no image")
    draw_image(3).save(folder / "A" / f"{stem}4.jpg")
    records, report = read(folder)
    assert [record.pair_id for record in records] == [f"{stem}0", f"{stem}4", f"{stem}5"]
    assert all(record.change_mask is not None and not record.expressions for record in records)
    assert report.counts == {"duplicate_id": 1, "missing_image": 1, "missing_mask": 1, "unreadable_mask": 1}
    assert records[1].image_t1.name == f"MTRefSeg_pretrain_RS/A/{stem}4.jpg"


def test_the_hub_cache_may_link_to_its_blobs(tmp_path) -> None:
    snapshot = tmp_path / "datasets--owner--name" / "snapshots" / "0123"
    folder = make_raw_split(snapshot, "RS_train", pairs=1)
    blob = tmp_path / "datasets--owner--name" / "blobs" / "abc"
    blob.parent.mkdir()
    (folder / "A" / "RS_train_000.png").rename(blob)
    (folder / "A" / "RS_train_000.png").symlink_to(blob)
    for root in (snapshot, folder):
        records, report = read(root)
        assert len(records) == 1
        assert not report.findings


def test_a_folder_that_links_outside_is_not_read(tmp_path) -> None:
    folder = make_raw_split(tmp_path / "data", "RS_train", pairs=2)
    (folder / "A").rename(tmp_path / "elsewhere")
    (folder / "A").symlink_to(tmp_path / "elsewhere")
    records, report = read(folder)
    assert not records
    assert reasons(report) == [Reason.PATH_ESCAPE] * 2


def test_names_that_are_not_unicode_are_skipped(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=2)
    source = os.fsencode(json_path(folder, "RS_train_000"))
    try:
        os.rename(source, source.replace(b"RS_train_000", b"caf\xe9"))
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    edit_json(folder, "RS_train_001", source="no \ud800 text")
    path = os.fsdecode(source.replace(b"RS_train_000", b"caf\xe9"))
    content = json.loads(Path(path).read_text())
    del content["sample_id"]
    Path(path).write_text(json.dumps(content))
    records, report = read(folder)
    assert [(record.pair_id, record.source) for record in records] == [("RS_train_001", "unknown")]
    assert reasons(report) == [Reason.UNKNOWN_LABEL, Reason.UNREADABLE_JSON]
    json.dumps(report.to_json()).encode()
    report.table().encode()


def test_a_setting_reads_its_folders(tmp_path) -> None:
    folders = find_split_folders(make_dataset(tmp_path))
    selected = {
        (setting, is_pretrain): [folder.name for folder in select_folders(folders, setting, "train", is_pretrain)]
        for setting in ("TV", "NS", "RS")
        for is_pretrain in (False, True)
    }
    assert selected == {
        ("TV", False): ["NS_train", "RS_train"],
        ("NS", False): ["NS_train"],
        ("RS", False): ["RS_train"],
        ("TV", True): ["NS_pretrain", "RS_pretrain"],
        ("NS", True): ["NS_pretrain"],
        ("RS", True): ["RS_pretrain"],
    }


def test_tv_has_its_own_folder_where_there_is_one(tmp_path) -> None:
    make_raw_split(tmp_path, "NS_FINAL_CLEAN_train", pairs=1, prefix="n")
    make_raw_split(tmp_path, "RS_FINAL_CLEAN_train", pairs=1, prefix="r")
    folder = make_raw_split(tmp_path, "train_FINAL_CLEAN", pairs=1, prefix="n")
    for prefix in ("r", "other", "told"):
        make_raw_split(tmp_path / prefix, "train_FINAL_CLEAN", pairs=1, prefix=prefix)
        for path in (tmp_path / prefix).glob("*/*/**/*"):
            target = folder / path.relative_to(tmp_path / prefix / "train_FINAL_CLEAN")
            if path.is_file():
                target.parent.mkdir(exist_ok=True)
                path.rename(target)
    edit_json(folder, "told_000", domain="RS")
    records = list_setting(find_split_folders(tmp_path), "TV", "train", False, ReadingReport())
    assert {record.pair_id: record.domain for record in records} == {
        "n_000": "NS",
        "r_000": "RS",
        "other_000": None,
        "told_000": "RS",
    }
    assert {record.folder for record in records} == {"train_FINAL_CLEAN"}


def test_the_clean_stage_1_folder_is_preferred(tmp_path) -> None:
    for name in ("MTRefSeg_pretrain_TV", "MTRefSeg_pretrain_TV_clean", "MTRefSeg_pretrain_RS"):
        make_raw_split(tmp_path, name, pairs=1, prefix="p")
    folders = find_split_folders(tmp_path)
    (record,) = list_setting(folders, "TV", "train", True, ReadingReport())
    assert (record.folder, record.domain) == ("MTRefSeg_pretrain_TV_clean", "RS")


def test_ids_are_unique_in_a_domain_and_shared_ones_are_reported(tmp_path) -> None:
    for name in ("NS_train", "RS_a_train", "RS_b_train"):
        make_raw_split(tmp_path, name, pairs=2, prefix="p")
    report = ReadingReport()
    records = list_setting(find_split_folders(tmp_path), "TV", "train", False, report)
    assert [record.folder for record in records] == ["NS_train"] * 2 + ["RS_a_train"] * 2
    assert report.counts == {"duplicate_id": 2, "shared_id": 2}


def test_every_damage_at_once_is_read_reported_and_strict(tmp_path) -> None:
    folder, expected = make_damaged_dataset(tmp_path / "data")
    draw_image(99).save(tmp_path / raw_folders.SECRET)
    assert len(expected) >= 14
    (split_folder,) = find_split_folders(folder)
    report = ReadingReport()
    records = list(check_pairs(list_pairs(split_folder, report), report))
    found = {(finding.sample.removesuffix(".json").removesuffix("_0"), finding.reason) for finding in report.findings}
    assert found == set(expected.values())
    intact = len(list((folder / "referring_expression").iterdir())) - len(BROKEN_PAIRS) - 1
    assert len(records) == report.kept_pairs["RS_train"] == intact
    assert report.kept_expressions["RS_train"] == 2 * intact - len(BROKEN_EXPRESSIONS)
    with pytest.raises(DataError) as error:
        report.raise_if_skipped()
    assert len(str(error.value).splitlines()) == 1 + len(report.skipped)
    assert all(str(finding) in str(error.value) for finding in report.skipped)


def test_reading_on_threads_gives_what_reading_in_order_gives(tmp_path) -> None:
    folder, _ = make_damaged_dataset(tmp_path / "data")
    records, report = read(folder)
    (split_folder,) = find_split_folders(folder)
    threaded = ReadingReport()
    assert list(check_pairs(list_pairs(split_folder, threaded), threaded)) == records
    assert sorted(map(str, threaded.findings)) == sorted(map(str, report.findings))


def test_a_report_survives_json(tmp_path) -> None:
    folder, _ = make_damaged_dataset(tmp_path / "data")
    _, report = read(folder)
    content = json.loads(json.dumps(report.to_json()))
    again = ReadingReport.from_json(content)
    assert again.to_json() == content
    assert again.table() == report.table()
    doubled = ReadingReport()
    doubled.merge(report)
    doubled.merge(again)
    assert doubled.counts == {reason: 2 * count for reason, count in report.counts.items()}


def test_every_reason_is_explained() -> None:
    assert set(EXPLANATIONS) == set(Reason)


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real images are not here")
def test_the_real_images_are_read_without_a_complaint() -> None:
    report = ReadingReport()
    for folder in find_split_folders(REAL_DATA):
        if folder.split == "validation":
            assert len(list(check_pairs(list_pairs(folder, report), report))) > 0
    assert report.kept_pairs == {"NS_real_val": 89, "RS_real_val": 82}
    assert report.kept_expressions == {"NS_real_val": 225, "RS_real_val": 312}
    assert not report.findings
