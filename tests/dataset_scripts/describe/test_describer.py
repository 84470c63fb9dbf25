# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Sentences about pairs that have masks."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from dataset_scripts.command_line import main
from dataset_scripts.describe import Describer
from dataset_scripts.describe.mosaics import MOSAIC_SIDE
from dataset_scripts.describe.parts import find_parts, kinds_in
from dataset_scripts.errors import DataError
from dataset_scripts.export import ExportOptions, export_dataset
from dataset_scripts.readers import UnusableError, open_pairs
from dataset_scripts.synthesis import Domain


SIDE = 128
LEFT, RIGHT = (8, 20, 40, 50), (80, 70, 120, 120)  # x0, y0, x1, y1; the right one is larger


def rectangles(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    return mask


def write_image(file: Path, pixels: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


@pytest.fixture
def levir(tmp_path: Path) -> Path:
    """A change detection data set of one pair with two new buildings."""
    folder = tmp_path / "levir" / "train"
    for name in ("A", "B"):
        write_image(folder / name / "1.png", np.full((SIDE, SIDE, 3), 90, np.uint8))
    write_image(folder / "label" / "1.png", rectangles(LEFT, RIGHT).astype(np.uint8) * 255)
    return folder.parent


def write_sentences(folder: Path, *said: tuple[str, np.ndarray], **labels: Any) -> Path:
    """Writes a raw split folder of one pair; returns the folder that holds it."""
    for name in ("A", "B"):
        write_image(folder / name / "1.png", np.full((SIDE, SIDE, 3), 90, np.uint8))
    for index, (_, mask) in enumerate(said):
        write_image(folder / "masks" / "1" / f"{index}.png", mask.astype(np.uint8) * 255)
    record = {"sample_id": "1", "referring_expressions": [text for text, _ in said], **labels}
    file = folder / "referring_expression" / "1.json"
    file.parent.mkdir()
    file.write_text(json.dumps(record))
    return folder.parent


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A referring data set of one pair with two people that touch one another."""
    touching = ((20, 20, 40, 80), (40, 20, 60, 80))
    return write_sentences(
        tmp_path / "people" / "NS_street_train",
        ("the people who appeared", rectangles(*touching)),
        ("the leftmost person that appeared", rectangles(touching[0])),
        change_types=["appear", "appear"],
        domain="NS",
        view="normal",
    )


def test_mosaics_hold_the_objects_of_several_pairs(levir: Path) -> None:
    """The masks of their sentences are exactly the marked pixels, also where an object is cut."""
    other = levir / "train"
    for name in ("A", "B"):
        write_image(other / name / "2.png", np.full((SIDE, SIDE, 3), 10, np.uint8))
    write_image(other / "label" / "2.png", rectangles((0, 0, SIDE, SIDE)).astype(np.uint8) * 255)
    describer = Describer(data=levir, domain="RS", thing="building", mosaics=6)
    assert len(describer) == 6
    seen = set()
    for index in range(6):
        pair = describer.pair(index)
        assert pair.image_t1.size == pair.image_t2.size == (MOSAIC_SIDE, MOSAIC_SIDE)
        values = np.asarray(pair.image_t2)[..., 0]
        seen |= set(np.unique(values))
        described = np.logical_or.reduce([one.mask for one in pair.expressions])
        assert described[values == 10].all()
        assert set(np.unique(values)) <= {10, 90}
    assert seen == {10, 90}
    assert (
        describer.pair(3).expressions[0].text
        == Describer(data=levir, domain="RS", thing="building", mosaics=6).pair(3).expressions[0].text
    )


def test_without_known_objects_there_is_no_mosaic(tmp_path: Path) -> None:
    folder = write_sentences(
        tmp_path / "RS_some_train", ("something odd", rectangles(LEFT)), change_types=["appear"], domain="RS"
    )
    with pytest.raises(UnusableError, match="the objects of no pair are known"):
        Describer(data=folder, domain="RS", mosaics=1).pair(0)


def test_mosaics_of_another_domain_are_refused_before_anything_is_written(levir: Path, tmp_path: Path) -> None:
    people = write_sentences(tmp_path / "people" / "NS_street_train", ("the car", rectangles(LEFT)), domain="NS")
    with pytest.raises(DataError, match="has no pair of RS"):
        len(Describer(data=people, domain="RS", mosaics=2))
    assert main(["describe", str(people), str(tmp_path / "out"), "--domain", "RS", "--mosaics", "2"]) == 2
    assert not (tmp_path / "out").exists()


def new_sentences(data: Path, domain: Domain) -> list[str]:
    pair = Describer(data=data, domain=domain).pair(0)
    return [one.text for one in pair.expressions[2:]]


def test_masks_of_every_change_get_sentences(levir: Path) -> None:
    said: dict[str, np.ndarray] = {}
    for seed in range(8):
        describer = Describer(data=levir, domain="RS", thing="building", seed=seed, no_target_share=0.3)
        said |= {expression.text: expression.mask for expression in describer.pair(0).expressions}
    left, right, both = rectangles(LEFT), rectangles(RIGHT), rectangles(LEFT, RIGHT)
    meant = {
        "leftmost": left,
        "topmost": left,
        "smallest": left,
        "rightmost": right,
        "largest": right,
        "all the ": both,
    }
    assert sum(any(words in text for text in said) for words in meant) >= 4
    for text, found in said.items():
        for words, mask in meant.items():
            if words in text and found.any() and " half" not in text:
                assert np.array_equal(found, mask), text
    empty = [text for text, mask in said.items() if not mask.any()]
    # "The house that was demolished" may be true where one was replaced, so that nobody claims that it is not.
    assert empty
    assert not any("building" in text and "demolished" in text for text in empty)


def test_masks_of_buildings_say_nothing_about_cars_and_trees(levir: Path) -> None:
    texts = {
        expression.text
        for seed in range(30)
        for expression in Describer(data=levir, domain="RS", thing="building", seed=seed, no_target_share=0.6)
        .pair(0)
        .expressions
        if not expression.mask.any()
    }
    assert len(texts) > 20
    assert not {"car", "truck", "tree", "pool", "greenhouse"} & {kind for text in texts for kind in kinds_in(text)}


def test_masks_of_one_kind_say_nothing_about_everything(levir: Path) -> None:
    texts = [
        expression.text
        for seed in range(12)
        for expression in Describer(data=levir, domain="NS", thing="car", seed=seed, most_expressions=30)
        .pair(0)
        .expressions
    ]
    assert texts
    assert not [text for text in texts if "everything" in text or text in ("every change", "all the changes")]


def test_sentences_say_what_the_masks_show_and_are_kept(people: Path) -> None:
    pair = Describer(data=people, domain="NS", most_expressions=20).pair(0)
    texts = [expression.text for expression in pair.expressions]
    assert texts[:2] == ["the people who appeared", "the leftmost person that appeared"]
    assert len(texts) == len(set(texts)) > 6
    # A sentence tells the two apart, although their masks touch.
    rightmost = [one for one in pair.expressions if "rightmost person" in one.text or "from the left" in one.text]
    assert all(np.array_equal(one.mask, rectangles((40, 20, 60, 80))) for one in rightmost)


def test_the_same_seed_gives_the_same_sentences(levir: Path) -> None:
    first, again = (Describer(data=levir, domain="RS", thing="building", seed=3).pair(0) for _ in range(2))
    other = Describer(data=levir, domain="RS", thing="building", seed=4).pair(0)
    texts = [[expression.text for expression in pair.expressions] for pair in (first, again, other)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("the villas that were built", {"building"}),
        ("two men who left", {"person"}),
        ("the patch of cropland on the right", {"field"}),
        ("some houses are built along the road", {"building", "road"}),
        ("everything that changed", set()),
        ("the orange car that left", {"car"}),
        ("the oranges that appeared", {"orange"}),
    ],
)
def test_kinds_of_sentences(text: str, kinds: set[str]) -> None:
    assert kinds_in(text) == kinds


def test_changes_of_unknown_kind_are_not_described() -> None:
    masks = [("the car that left", "disappear", rectangles(LEFT)), ("what changed", "appear", rectangles(RIGHT))]
    assert find_parts(masks, (SIDE, SIDE)) is None


def test_command_writes_a_data_set(levir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "described"
    command = ["describe", str(levir), str(out), "--domain", "RS", "--thing", "building", "--sentences", "6"]
    assert main(command) == 0
    assert capsys.readouterr().out.split() == [str(out / "RS_described_train")]
    pairs = open_pairs(out, "train")
    assert len(pairs) == 1
    assert 3 <= len(pairs[0].expressions) <= 6
    assert main(command) == 0
    write_image(levir / "train" / "label" / "1.png", rectangles(RIGHT).astype(np.uint8) * 255)
    assert main(command) == 2
    assert "made with other settings or of other files" in capsys.readouterr().err


def test_unknown_things_are_named(levir: Path) -> None:
    with pytest.raises(DataError, match="'gadget'"):
        Describer(data=levir, domain="RS", thing="gadget")


def test_the_change_is_taken_from_the_sentence_if_the_data_do_not_name_it(tmp_path: Path) -> None:
    left, right = rectangles(LEFT), rectangles(RIGHT)
    folder = tmp_path / "known" / "NS_street_train"
    known = write_sentences(folder, ("the car that left", left), ("the person that appeared", right))
    assert new_sentences(known, "NS")
    folder = tmp_path / "unclear" / "NS_street_train"
    unclear = write_sentences(folder, ("the car that left", left), ("a person, look", right))
    assert not new_sentences(unclear, "NS")


def test_labels_of_the_data_are_kept(tmp_path: Path) -> None:
    said = (("the house that was demolished", rectangles(LEFT)), ("the pool that appeared", rectangles(RIGHT)))
    labels = {"change_types": ["disappear", "appear"], "source": "LEVIR-CD", "view": "satellite"}
    pair = Describer(data=write_sentences(tmp_path / "a" / "RS_train", *said, **labels), domain="RS").pair(0)
    assert (pair.source, pair.view, len(pair.expressions) > 2) == ("LEVIR-CD", "satellite", True)
    # A corrupted mask says nothing about what changed.
    data = write_sentences(tmp_path / "b" / "RS_train", *said, **labels, noisy=[True, False])
    assert [one.noisy for one in Describer(data=data, domain="RS").pair(0).expressions] == [True, False]


@pytest.mark.parametrize("layout", ["raw", "exported"])
def test_nothing_new_is_said_about_a_pair_of_which_a_sentence_was_skipped(tmp_path: Path, layout: str) -> None:
    said = (("the house that was demolished", rectangles(LEFT)), ("the house that appeared", rectangles(RIGHT)))
    data = write_sentences(tmp_path / "a" / "RS_train", *said, change_types=["disappear", "appear"])
    assert new_sentences(data, "RS")
    (data / "RS_train" / "masks" / "1" / "1.png").write_bytes(b"not an image")
    if layout == "exported":
        export_dataset(data, tmp_path / "exported", ExportOptions())
        data = tmp_path / "exported"
    assert not new_sentences(data, "RS")
    out = tmp_path / "out"
    assert main(["describe", str(data), str(out), "--domain", "RS"]) == 0
    # Nor does the new folder say that its only sentence is about every change.
    (pair,) = open_pairs(out)
    assert (len(pair.expressions), pair.skipped_sentences) == (1, 1)


def test_pairs_of_the_other_domain_are_left_out(
    people: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = (("the house that was demolished", rectangles(LEFT)), ("the pool that appeared", rectangles(RIGHT)))
    write_sentences(people / "RS_town_train", *said, change_types=["disappear", "appear"])
    out = tmp_path / "out"
    assert main(["describe", str(people), str(out), "--domain", "RS"]) == 0
    (pair,) = open_pairs(out)
    assert (pair.domain, pair.expressions[0].text) == ("RS", "the house that was demolished")
    assert "pairs left out because they are not of RS: 1" in caplog.text


def test_ids_with_folders_become_names_of_files(tmp_path: Path) -> None:
    data, rows = tmp_path / "data", []
    for index, pair_id in enumerate((None, "../../../escaped", "a/b", "a_b", "x" * 300)):
        for name in ("t1", "t2"):
            write_image(data / name / f"{index}.png", np.full((SIDE, SIDE, 3), 90, np.uint8))
        write_image(data / "masks" / f"{index}.png", rectangles(LEFT).astype(np.uint8) * 255)
        row = {"image_t1_file_name": f"t1/{index}.png", "image_t2_file_name": f"t2/{index}.png"}
        row |= {"mask_file_name": f"masks/{index}.png", "expression": "the car that left"}
        rows.append(json.dumps(row if pair_id is None else {**row, "pair_id": pair_id}))
    (data / "metadata.jsonl").write_text("\n".join(rows))
    out = tmp_path / "out"
    assert main(["describe", str(data), str(out), "--domain", "NS", "--sentences", "1"]) == 0
    source = open_pairs(out)
    assert len(list(source.usable())) == len(rows)
    assert not source.report.findings
    assert {path.name for path in tmp_path.iterdir()} == {"data", "out"}


def test_pairs_that_cannot_be_described_are_counted(
    levir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("A", "B"):
        write_image(levir / "train" / name / "2.png", np.full((SIDE, SIDE, 3), 90, np.uint8))
    write_image(levir / "train" / "label" / "2.png", rectangles().astype(np.uint8))
    command = ["describe", str(levir), str(tmp_path / "out"), "--domain", "RS", "--thing", "building"]
    assert main(command) == 0
    assert "left out 1 of 2 pairs: RS_described_train, 2: no_expression_left" in caplog.text
    assert [pair.pair_id for pair in open_pairs(tmp_path / "out")] == ["1"]


def test_a_damaged_row_does_not_stop_the_others(
    people: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    split = people / "NS_street_train"
    for kind, suffix in (("A", ".png"), ("B", ".png"), ("masks", ""), ("referring_expression", ".json")):
        old, new = (split / kind / f"{name}{suffix}" for name in "12")
        shutil.copytree(old, new) if old.is_dir() else new.write_bytes(old.read_bytes())
    file = split / "referring_expression" / "2.json"
    file.write_text(file.read_text().replace('"sample_id": "1"', '"sample_id": "2"'))
    assert main(["export", str(people), str(tmp_path / "parquet")]) == 0
    (path,) = (tmp_path / "parquet" / "data").rglob("*.parquet")
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        row["image_t1"]["bytes"] = b"damaged" if row["pair_id"] == "1" else row["image_t1"]["bytes"]
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)
    out = tmp_path / "out"
    assert main(["describe", str(tmp_path / "parquet"), str(out), "--domain", "NS"]) == 0
    assert [pair.pair_id for pair in open_pairs(out)] == ["2"]
    assert "left out 1 of 2 pairs: NS_described_train, 1: unreadable_image" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", "-1"], "seed is -1"),
        (["--change", "disappear"], "--thing"),
        (["--thing", "person"], "has sentences"),
        (["--domain", "RS"], "no pair of RS"),
    ],
)
def test_wrong_options_are_named(
    people: Path, tmp_path: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", str(people), str(tmp_path / "out"), "--domain", "NS", *options]) == 2
    assert message in capsys.readouterr().err


def test_generated_pairs_are_not_described() -> None:
    with pytest.raises(DataError, match="unlimited"):
        len(Describer(data="generated", domain="NS"))
