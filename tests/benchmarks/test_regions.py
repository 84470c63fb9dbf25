# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Counting found regions, on generated pairs and on masks drawn here."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.quality import regions
from craft_agent.backends.offline import Comparison, Comparisons, Difference
from craft_agent.geometry import box_of
from craft_agent.records import ChangeType, ImagePair
from dataset_scripts.readers import GENERATED, Pair, open_pairs


def proposal(mask: np.ndarray, change_type: ChangeType = ChangeType.APPEAR) -> Difference:
    box = box_of(mask)
    part = mask[box.top : box.bottom, box.left : box.right]
    return Difference(part, box, mask.shape[::-1], change_type, 0.5, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


def square(top: int, left: int, side: int) -> np.ndarray:
    mask = np.zeros((128, 128), dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


@pytest.fixture
def pair() -> Pair:
    """A pair with two sentences: of something that appeared, and of something that left."""
    (first,) = open_pairs(GENERATED, "validation", num_pairs=1, generator={"seed": 0, "size": 128})
    change_types = ("appear", "disappear")
    one = first.expressions[0]
    return replace(first, expressions=tuple(replace(one, change_type=change_type) for change_type in change_types))


def test_found_false_and_tiny_regions(pair: Pair) -> None:
    came, gone = square(10, 10, 20), square(60, 60, 20)
    masks = [came | square(0, 127, 1), gone]
    shifted = square(12, 12, 20)
    counts = regions.count_regions(pair, masks, (proposal(shifted), proposal(gone), proposal(square(100, 0, 9))))
    assert counts == {
        "pairs": 1,
        "true": 3,
        "large": 2,
        "found": 2,
        "found_large": 2,
        "typed": 2,
        "type_correct": 1,
        "proposals": 3,
        "correct": 2,
    }


def test_touching_changes_are_one_region_without_a_type(pair: Pair) -> None:
    came, gone = square(10, 10, 20), square(10, 30, 20)
    counts = regions.count_regions(pair, [came, gone | came], (proposal(came | gone),))
    assert (counts["true"], counts["found"], counts["typed"]) == (1, 1, 1)
    both = [came | square(10, 30, 11), square(10, 19, 20) | gone]
    counts = regions.count_regions(pair, both, (proposal(came | gone, ChangeType.DISAPPEAR),))
    assert (counts["found"], counts["typed"], counts["type_correct"]) == (1, 0, 0)


def test_a_pair_without_masks_has_only_false_proposals(pair: Pair) -> None:
    counts = regions.count_regions(pair, [], (proposal(square(0, 0, 9)),))
    assert (counts["true"], counts["proposals"], counts["correct"]) == (0, 1, 0)
    counts = regions.count_regions(pair, [np.zeros((128, 128), dtype=bool)] * 2, (proposal(square(0, 0, 9)),))
    assert (counts["true"], counts["proposals"], counts["correct"]) == (0, 1, 0)


def test_a_folder_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(data: str, split: str) -> Any:
        return open_pairs(GENERATED, split, num_pairs=3, generator={"seed": 0, "size": 128})

    def everything(pair: ImagePair) -> Comparison:
        mask = np.ones(pair.size[::-1], dtype=bool)
        return Comparison(mask.astype(np.float32), (proposal(mask),))

    monkeypatch.setattr(regions, "open_pairs", made)
    counts = regions.measure(lambda domain: Comparisons(everything, "everything"), "folder", 2)
    row = regions.make_row(sum(counts.values(), Counter()))
    assert (row["pairs"], row["proposals"], row["found"], row["precision_percent"]) == (2, 2, 0, 0.0)
    assert row["true"] > 0
