# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Sentences about pairs that have masks."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_scripts.command_line import main
from dataset_scripts.describe import Describer
from dataset_scripts.describe.parts import find_parts, kinds_in
from dataset_scripts.errors import DataError
from dataset_scripts.readers import open_pairs


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


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A referring data set of one pair with two people that touch one another."""
    folder = tmp_path / "people" / "NS_street_train"
    for name in ("A", "B"):
        write_image(folder / name / "1.png", np.full((SIDE, SIDE, 3), 90, np.uint8))
    touching = ((20, 20, 40, 80), (40, 20, 60, 80))
    for index, mask in enumerate((rectangles(*touching), rectangles(touching[0]))):
        write_image(folder / "masks" / "1" / f"{index}.png", mask.astype(np.uint8) * 255)
    record = {
        "sample_id": "1",
        "img_A": "1.png",
        "img_B": "1.png",
        "referring_expressions": ["the people who appeared", "the leftmost person that appeared"],
        "mask": ["1/0.png", "1/1.png"],
        "change_types": ["appear", "appear"],
        "domain": "NS",
        "view": "normal",
    }
    file = folder / "referring_expression" / "1.json"
    file.parent.mkdir()
    file.write_text(json.dumps(record))
    return folder.parent


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


def test_unknown_things_are_named(levir: Path) -> None:
    with pytest.raises(DataError, match="'gadget'"):
        Describer(data=levir, domain="RS", thing="gadget")
