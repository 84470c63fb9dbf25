# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from dataset_scripts.command_line import main
from dataset_scripts.quality import checks
from dataset_scripts.quality.checks import Check, Verdict
from dataset_scripts.quality.dataset_statistics import measure_dataset, summarize
from dataset_scripts.quality.validation import Validation, validate
from dataset_scripts.readers import open_pairs
from dataset_scripts.readers.schema import Count
from tests.dataset_scripts.image_folders import make_image_folder, read_rows, write_rows
from tests.dataset_scripts.raw_folders import (
    draw_image,
    edit_json,
    make_damaged_dataset,
    make_dataset,
    make_raw_split,
)


SIZE = (96, 72)
REAL_DATA = Path(__file__).parents[4] / "shared" / "realdata"


def draw_detail(seed: int) -> Image.Image:
    """Blotches of many sizes, as photographs have them."""
    fine = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8))
    return Image.blend(draw_image(seed, SIZE), fine.resize(SIZE, Image.Resampling.BICUBIC), 0.5)


def make_splits(root: Path) -> Path:
    """RS_train and RS_val, of three pairs each, with nothing to complain about."""
    for offset, name in enumerate(("RS_train", "RS_val")):
        folder = make_raw_split(root, name, expressions=3, size=SIZE)
        for number in range(3):
            for place, kind in enumerate("AB"):
                image = draw_detail(100 * offset + 10 * number + place)
                image.save(folder / kind / f"{name}_{number:03d}.png")
    return root


def check_of(validation: Validation, name: str) -> Check:
    (check,) = (check for check in validation.checks if check.name == name)
    return check


def mask_path(root: Path, index: int = 0, pair: str = "RS_train_000") -> Path:
    return root / "RS_train" / "masks" / pair / f"{index}.png"


def save_mask(root: Path, mask: np.ndarray, index: int = 0) -> None:
    Image.fromarray(mask.astype(np.uint8) * 255).save(mask_path(root, index))


def fill_masks(root: Path, value: bool, pairs: int = 1) -> None:
    """Makes the masks of the first pairs empty or full."""
    for number in range(pairs):
        for index in range(3):
            mask = np.full(SIZE[::-1], 255 * value, dtype=np.uint8)
            Image.fromarray(mask).save(mask_path(root, index, f"RS_train_{number:03d}"))


def dot(pixels: int) -> np.ndarray:
    mask = np.zeros(SIZE[::-1], dtype=bool)
    mask[10, 10 : 10 + pixels] = True
    return mask


def image(root: Path, name: str) -> Path:
    return root / f"{name}.png"


def repaint(root: Path, target: str, source: str, change: Callable[[Image.Image], Image.Image]) -> None:
    with Image.open(image(root, source)) as opened:
        changed = change(opened.convert("RGB"))
    changed.save(image(root, target))


# --- a good dataset, and a broken one ---


def test_a_good_dataset_passes_every_check(tmp_path, capsys) -> None:
    root = make_splits(tmp_path / "set")
    validation = validate(root)
    assert [check for check in validation.checks if check.verdict != Verdict.PASS] == []
    assert validation.verdict == Verdict.PASS
    assert check_of(validation, "reading").summary == "6 pairs, 18 sentences"
    assert main(["validate", str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("PASS ") for line in lines)
    assert f"{root}: {len(validation.checks)} PASS, 0 WARN, 0 FAIL" in lines[-1]


def test_every_damage_is_named_with_its_pair(tmp_path, capsys) -> None:
    folder, expected = make_damaged_dataset(tmp_path / "set")
    assert len(expected) >= 14
    assert main(["validate", str(folder), "--json", str(tmp_path / "report.json")]) == 1
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    printed = capsys.readouterr().out
    assert report["verdict"] == "FAIL"
    found = {check["name"]: check for check in report["checks"]}
    for damage, (pair_id, reason) in expected.items():
        check = found[f"reading: {reason.value}"]
        assert any(pair_id in example for example in check["examples"]), damage
        assert check["count"] == len(check["examples"])
        assert check["name"] in printed
    skipped = {finding["reason"] for finding in report["reading"]["skipped"]}
    repaired = {finding["reason"] for finding in report["reading"]["repaired"]}
    unused = {finding["reason"] for finding in report["reading"]["unused"]}
    assert unused == {"unused_file"}
    for name, check in found.items():
        if name.startswith("reading: "):
            reason_name = name.removeprefix("reading: ")
            assert check["verdict"] == ("FAIL" if reason_name in skipped else "WARN")
            assert reason_name in skipped | repaired | unused


def test_nothing_readable_fails_and_no_data_at_all_is_bad_input(tmp_path, capsys) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=1)
    next((folder / "A").iterdir()).unlink()
    assert main(["validate", str(folder)]) == 1
    assert "missing_image" in capsys.readouterr().out
    (tmp_path / "empty").mkdir()
    assert main(["validate", str(tmp_path / "empty")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "metadata.jsonl" in error
    assert main(["validate", str(tmp_path / "nowhere")]) == 2


def test_a_report_that_cannot_be_written_is_bad_input(tmp_path, capsys) -> None:
    root = make_splits(tmp_path / "set")
    assert main(["validate", str(root), "--json", str(tmp_path / "nowhere" / "report.json")]) == 2
    assert "give another --json" in capsys.readouterr().err


def test_only_the_first_examples_are_printed_and_all_are_in_the_report(tmp_path, capsys) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=8)
    for number in range(5):
        edit_json(folder, f"RS_train_{number:03d}", referring_expressions=["", "a"])
    main(["validate", str(folder), "--json", str(tmp_path / "report.json")])
    printed = capsys.readouterr().out
    assert "RS_train_002_0" in printed
    assert "RS_train_003_0" not in printed
    assert "2 more" in printed
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    (check,) = (check for check in report["checks"] if check["name"] == "reading: blank_expression")
    assert len(check["examples"]) == 5


def test_names_that_are_no_text_can_be_printed_and_written(tmp_path, capsys) -> None:
    folder = make_raw_split(tmp_path / "set", "RS_train", pairs=2)
    name = b"caf\xe9.json".decode("utf-8", errors="surrogateescape")
    try:
        (folder / "referring_expression" / name).write_text("{", encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes no such name")
    assert main(["validate", str(folder), "--json", str(tmp_path / "report.json")]) == 1
    assert "caf\\udce9.json" in capsys.readouterr().out
    assert "caf\\\\udce9.json" in (tmp_path / "report.json").read_text(encoding="utf-8")


# --- leakage between splits ---


def copy_pair(root: Path, name: str, swap: bool = False) -> None:
    """Puts the first training pair's images into the first validation pair, under its name or `name`."""
    for kind, other in (("A", "B"), ("B", "A")):
        source = root / "RS_train" / (other if swap else kind) / "RS_train_000.png"
        shutil.copy(source, root / "RS_val" / kind / f"{name}.png")


@pytest.mark.parametrize("swap", [False, True])
def test_the_same_images_under_another_name_fail(tmp_path, swap: bool) -> None:
    root = make_splits(tmp_path)
    copy_pair(root, "RS_val_000", swap)
    validation = validate(root)
    check = check_of(validation, "same pair in two splits")
    assert check.verdict == Verdict.FAIL
    assert check.examples == ("RS_val/RS_val_000 is RS_train/RS_train_000",)
    for other in ("same name", "same image", "near-duplicate"):
        assert check_of(validation, f"{other} in two splits").verdict == Verdict.PASS  # it is named once


def test_the_same_pixels_in_another_file_format_fail(tmp_path) -> None:
    root = make_splits(tmp_path)
    copy_pair(root, "RS_val_000")
    for kind in "AB":
        path = root / "RS_val" / kind / "RS_val_000.png"
        with Image.open(path) as image:
            image.save(path.with_suffix(".tif"))
        path.unlink()
    assert check_of(validate(root), "same pair in two splits").count == 1


def test_a_name_in_two_splits_fails_only_if_an_image_is_alike(tmp_path) -> None:
    root = make_splits(tmp_path)
    edit_json(root / "RS_val", "RS_val_000", sample_id="RS_train_000")
    shutil.move(root / "RS_val/masks/RS_val_000", root / "RS_val/masks/RS_train_000")
    validation = validate(root)
    assert check_of(validation, "same pair in two splits").verdict == Verdict.PASS
    assert check_of(validation, "same name in two splits").verdict == Verdict.WARN
    repaint(root, "RS_val/A/RS_val_000", "RS_train/A/RS_train_000", lambda image: image.point(lambda v: v * 0.9))
    validation = validate(root)
    assert check_of(validation, "same pair in two splits").verdict == Verdict.FAIL
    assert check_of(validation, "same name in two splits").verdict == Verdict.PASS


def test_one_image_in_two_splits_warns(tmp_path) -> None:
    root = make_splits(tmp_path)
    shutil.copy(root / "RS_train/B/RS_train_001.png", root / "RS_val/A/RS_val_002.png")
    validation = validate(root)
    check = check_of(validation, "same image in two splits")
    assert check.verdict == Verdict.WARN
    assert check.examples == ("RS_val/RS_val_002 has an image of RS_train/RS_train_001",)
    assert check_of(validation, "near-duplicate in two splits").verdict == Verdict.PASS
    assert validation.verdict == Verdict.WARN


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda image: image.point(lambda value: value * 0.8), "the same way up"),
        (lambda image: image.resize((48, 36)).resize(SIZE), "the same way up"),
        (ImageOps.mirror, "mirrored"),
        (lambda image: image.rotate(180), "turned by 180°"),
    ],
)
def test_a_near_duplicate_image_in_two_splits_warns(tmp_path, change, words: str) -> None:
    root = make_splits(tmp_path)
    repaint(root, "RS_val/B/RS_val_001", "RS_train/A/RS_train_002", change)
    check = check_of(validate(root), "near-duplicate in two splits")
    assert check.verdict == Verdict.WARN
    (example,) = check.examples
    assert example.startswith(f"RS_val/RS_val_001: t2 resembles t1 of RS_train/RS_train_002 ({words}, ")


def test_the_distance_of_near_duplicates_can_be_set(tmp_path, capsys) -> None:
    root = make_splits(tmp_path / "set")
    # So smooth that its weaker frequencies change as it is shrunk.
    draw_image(4, SIZE).save(root / "RS_train/A/RS_train_002.png")
    repaint(root, "RS_val/B/RS_val_001", "RS_train/A/RS_train_002", lambda image: image.resize((24, 18)).resize(SIZE))
    counts = [
        check_of(validate(root, max_distance=distance), "near-duplicate in two splits").count for distance in (3, 4)
    ]
    assert counts == [0, 1]
    with pytest.raises(SystemExit):
        main(["validate", str(root), "--max-distance", "16"])
    assert "--max-distance" in capsys.readouterr().err


def test_stage_1_pairs_count_as_training_and_test_is_held_out_too(tmp_path) -> None:
    root = make_splits(tmp_path)
    make_raw_split(root, "RS_pretrain", pairs=1, size=SIZE)
    make_raw_split(root, "RS_test", pairs=1, size=SIZE)
    for kind in "AB":
        shutil.copy(root / "RS_pretrain" / kind / "RS_pretrain_000.png", root / "RS_test" / kind / "RS_test_000.png")
    check = check_of(validate(root), "same pair in two splits")
    assert check.examples == ("RS_test/RS_test_000 is RS_pretrain/RS_pretrain_000",)


def test_a_pair_twice_in_one_split_warns_unless_it_is_the_union_of_domains(tmp_path) -> None:
    root = make_splits(tmp_path)
    shutil.copytree(root / "RS_train", root / "train_all")
    validation = validate(root)
    assert check_of(validation, "repeated pairs").verdict == Verdict.PASS
    assert check_of(validation, "reading").summary == (
        "9 pairs, 27 sentences; 6 distinct pairs, to which all further checks refer"
    )
    for kind in "AB":
        shutil.copy(root / "RS_val" / kind / "RS_val_000.png", root / "RS_val" / kind / "RS_val_002.png")
    check = check_of(validate(root), "repeated pairs")
    assert (check.verdict, check.examples) == (
        Verdict.WARN,
        ("RS_val/RS_val_002 shows the same as RS_val/RS_val_000",),
    )


# --- images, masks, sentences ---


def test_equal_images_fail_unless_their_masks_are_empty(tmp_path) -> None:
    root = make_splits(tmp_path)
    shutil.copy(root / "RS_train/A/RS_train_000.png", root / "RS_train/B/RS_train_000.png")
    check = check_of(validate(root), "t1 equal to t2")
    assert (check.verdict, check.examples) == (Verdict.FAIL, ("RS_train/RS_train_000",))
    fill_masks(root, False)
    assert check_of(validate(root), "t1 equal to t2").verdict == Verdict.WARN


def test_empty_masks_are_counted_and_warn_if_most_are(tmp_path) -> None:
    root = make_splits(tmp_path)
    fill_masks(root, False)
    check = check_of(validate(root), "no-target sentences")
    assert (check.verdict, check.count) == (Verdict.PASS, 3)
    assert "3 of 18 sentences (16.7 %)" in check.summary
    fill_masks(root, False, pairs=3)
    shutil.rmtree(root / "RS_val")
    assert check_of(validate(root), "no-target sentences").verdict == Verdict.WARN


def test_full_and_tiny_masks_warn(tmp_path) -> None:
    root = make_splits(tmp_path)
    save_mask(root, np.ones(SIZE[::-1], dtype=bool), 0)
    save_mask(root, dot(1), 1)
    save_mask(root, dot(5), 2)
    Image.new("L", SIZE).save(mask_path(root, 0, "RS_train_001"))  # an empty one is no tiny one
    validation = validate(root)
    assert check_of(validation, "full masks").examples == (
        'RS_train/RS_train_000: "the thing number 0 that appeared"',
    )
    assert check_of(validation, "full masks").verdict == Verdict.WARN
    (example,) = check_of(validation, "tiny masks").examples
    assert example.endswith('"the thing number 1 that appeared": 1 pixels')
    assert "0.0145 % to 100 % of the image" in check_of(validation, "mask areas").summary


def test_long_sentences_warn(tmp_path) -> None:
    root = make_splits(tmp_path)
    edit_json(root / "RS_train", "RS_train_000", referring_expressions=["a" * 513, "b" * 512, "c"])
    check = check_of(validate(root), "sentence lengths")
    assert (check.verdict, check.count) == (Verdict.WARN, 1)
    assert check.summary.startswith("1 to 513 characters, median 32;")


def test_one_sentence_with_two_masks_is_ambiguous_and_with_one_mask_repeated(tmp_path) -> None:
    root = make_splits(tmp_path)
    edit_json(root / "RS_train", "RS_train_000", referring_expressions=["The  house.", "the house", "a car"])
    validation = validate(root)
    assert check_of(validation, "ambiguous sentences").examples == ('RS_train/RS_train_000: "the house"',)
    assert check_of(validation, "repeated sentences").verdict == Verdict.PASS
    shutil.copy(mask_path(root, 0), mask_path(root, 1))
    validation = validate(root)
    assert check_of(validation, "ambiguous sentences").verdict == Verdict.PASS
    assert check_of(validation, "repeated sentences").verdict == Verdict.WARN


def test_a_change_type_that_hardly_occurs_warns(tmp_path) -> None:
    root = make_splits(tmp_path)
    for split in ("RS_train", "RS_val"):
        for number in range(3):
            edit_json(root / split, f"{split}_{number:03d}", change_types=["appear", "appear", "disappear"])
    check = check_of(validate(root), "change types")
    assert (check.verdict, check.summary) == (Verdict.WARN, "appear 12, disappear 6")
    assert check.examples == ("state_change: 0 sentences, under 5 % of those whose type is known",)


def test_sentences_of_no_change_type_are_not_a_matter_of_balance(tmp_path) -> None:
    folder = make_image_folder(tmp_path)
    write_rows(folder, [{**row, "change_type": None} for row in read_rows(folder)])
    check = check_of(validate(folder), "change types")
    assert (check.verdict, check.summary) == (Verdict.PASS, "unknown 4")


def test_a_domain_that_training_lacks_warns(tmp_path) -> None:
    root = make_splits(tmp_path)
    make_raw_split(root, "NS_val", pairs=2, size=SIZE)
    check = check_of(validate(root), "domains")
    assert check.verdict == Verdict.WARN
    assert check.examples == ("validation has pairs of NS, train has none",)
    assert check.summary == "train: RS 3; validation: NS 2, RS 3"


def test_validation_alone_has_no_training_to_be_compared_with(tmp_path) -> None:
    assert check_of(validate(make_raw_split(tmp_path, "RS_val", size=SIZE)), "domains").verdict == Verdict.PASS


def test_domains_for_some_pairs_only_warn(tmp_path) -> None:
    make_image_folder(tmp_path / "train", pairs=1, sentences=1)
    folder = make_image_folder(tmp_path / "validation", pairs=1, sentences=1, seed=1000)
    write_rows(folder, [{**row, "domain": None} for row in read_rows(folder)])
    check = check_of(validate(tmp_path), "domains")
    assert check.examples == ("some pairs have a domain and some have none",)


def test_images_that_are_not_rgb_or_of_odd_sizes_warn(tmp_path) -> None:
    root = make_splits(tmp_path)
    repaint(root, "RS_train/A/RS_train_000", "RS_train/A/RS_train_000", lambda image: image.convert("L"))
    repaint(root, "RS_train/B/RS_train_000", "RS_train/B/RS_train_000", lambda image: image.convert("RGBA"))
    make_raw_split(root, "RS_train_more", pairs=1, size=(48, 32))
    validation = validate(root)
    assert check_of(validation, "image colours").verdict == Verdict.WARN
    assert check_of(validation, "image colours").summary.startswith('1 of mode "L", 1 of mode "RGBA"')
    check = check_of(validation, "image sizes")
    assert (check.verdict, check.count) == (Verdict.WARN, 1)
    assert check.summary.startswith("2 sizes from 48×32 to 96×72")


# --- counts against the published ones ---


def make_published(root: Path) -> Path:
    for name in ("NS_FINAL_CLEAN_train", "NS_FINAL_CLEAN_val", "RS_FINAL_CLEAN_train", "RS_FINAL_CLEAN_val"):
        make_raw_split(root, name, pairs=2, size=SIZE)
    for split in ("train", "val"):
        for domain in ("NS", "RS"):
            shutil.copytree(root / f"{domain}_FINAL_CLEAN_{split}", root / f"{split}_FINAL_CLEAN", dirs_exist_ok=True)
    return root


@pytest.fixture
def _published(monkeypatch) -> None:
    counts = {name: Count(4, 8) for name in ("train", "validation", "NS", "RS")} | {"TV": Count(8, 16)}
    monkeypatch.setattr(checks, "PUBLISHED_COUNTS", counts)


@pytest.mark.usefixtures("_published")
def test_published_folders_are_compared_with_the_published_counts(tmp_path) -> None:
    root = make_published(tmp_path)
    validation = validate(root)
    for name in ("train", "validation", "NS", "RS", "TV"):
        assert check_of(validation, f"published counts of {name}").verdict == Verdict.PASS
    assert not any(check.name == "published counts" for check in validation.checks)
    for folder in ("NS_FINAL_CLEAN_val", "val_FINAL_CLEAN"):
        (root / folder / "referring_expression" / "NS_FINAL_CLEAN_val_001.json").unlink()
    validation = validate(root)
    verdicts = {
        name: check_of(validation, f"published counts of {name}").verdict.value
        for name in ("train", "validation", "NS", "RS", "TV")
    }
    assert verdicts == {"train": "PASS", "validation": "FAIL", "NS": "FAIL", "RS": "PASS", "TV": "FAIL"}
    assert check_of(validation, "published counts of NS").summary == "3 pairs and 6 sentences; published are 4 and 8"


@pytest.mark.usefixtures("_published")
def test_only_what_is_whole_is_compared(tmp_path) -> None:
    root = make_published(tmp_path)
    for folder in root.iterdir():
        if folder.name not in ("RS_FINAL_CLEAN_train", "RS_FINAL_CLEAN_val"):
            shutil.rmtree(folder)
    validation = validate(root)
    assert check_of(validation, "published counts of RS").verdict == Verdict.PASS
    assert check_of(validation, "published counts").summary.endswith("train, validation, NS, TV")


@pytest.mark.usefixtures("_published")
def test_splits_of_both_domains_are_compared_even_if_no_domain_is_given(tmp_path) -> None:
    root = make_published(tmp_path)
    for folder in root.iterdir():
        if folder.name[:2] in ("NS", "RS"):
            shutil.rmtree(folder)
    validation = validate(root)
    for name in ("train", "validation", "TV"):
        assert check_of(validation, f"published counts of {name}").verdict == Verdict.PASS
    assert check_of(validation, "published counts").summary.endswith("NS, RS")


@pytest.mark.usefixtures("_published")
def test_other_folders_are_compared_only_on_demand(tmp_path) -> None:
    root = make_dataset(tmp_path, pairs=2)
    assert not any("published" in check.name for check in validate(root).checks)
    assert check_of(validate(root, compare_with_published=True), "published counts of TV").verdict == Verdict.PASS


# --- other kinds of data ---


def test_peoples_own_image_folders_are_checked_too(tmp_path) -> None:
    make_image_folder(tmp_path / "train", pairs=3)
    make_image_folder(tmp_path / "validation", pairs=2, seed=1000)
    validation = validate(tmp_path)
    assert validation.to_json()["kind"] == "image folder"
    assert check_of(validation, "reading").verdict == Verdict.PASS
    # Files are called 0.png, 1.png… in both: that alone is no leak.
    assert check_of(validation, "same name in two splits").verdict == Verdict.WARN
    assert check_of(validation, "same pair in two splits").verdict == Verdict.PASS


def test_a_stage_1_set_alone_is_checked(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_pretrain", pairs=2, size=SIZE)
    validation = validate(folder)
    assert validation.verdict == Verdict.PASS
    assert not any("sentence" in check.name for check in validation.checks)
    assert summarize(validation.facts)["stage_1_pairs"] == 2


def test_a_damaged_parquet_file_is_bad_input(tmp_path, capsys) -> None:
    make_raw_split(tmp_path / "raw", "RS_train")
    assert main(["export", str(tmp_path / "raw"), str(tmp_path / "out")]) == 0
    (path,) = (tmp_path / "out/data/RS").iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:200] + bytes(400) + content[600:])
    capsys.readouterr()
    assert main(["validate", str(tmp_path / "out")]) == 2
    assert f"{path} is not a complete Parquet file" in capsys.readouterr().err


def test_facts_hold_no_images(tmp_path) -> None:
    folder = make_raw_split(tmp_path, "RS_train", pairs=2, size=(512, 512))
    facts = measure_dataset(open_pairs(folder))
    arrays = [image.thumbnail for pair in facts.pairs for image in (pair.image_t1, pair.image_t2)]
    assert {array.nbytes for array in arrays} == {1024}
    # A view would keep the full image in memory.
    assert all(array.base is None or len(memoryview(array.base)) <= 1024 for array in arrays)


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason=f"{REAL_DATA} is not here")
def test_real_data_have_the_counts_of_their_description() -> None:
    validation = validate(REAL_DATA / "NS_real_val")
    assert Verdict.FAIL not in {check.verdict for check in validation.checks}
    assert check_of(validation, "reading").summary == "89 pairs, 225 sentences"
    assert check_of(validation, "no-target sentences").count == 15
