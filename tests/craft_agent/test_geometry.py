# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from craft_agent.geometry import box_mask, box_of, dilate, mask_iou
from craft_agent.records import Box


def test_boxes_overlap_as_their_pixels_do():
    first, second = Box(2, 3, 8, 9), Box(5, 1, 12, 6)
    masks = box_mask(first, (15, 10)), box_mask(second, (15, 10))
    assert first.iou(second) == pytest.approx(mask_iou(*masks))
    assert first.intersect(second).area == np.count_nonzero(masks[0] & masks[1])
    assert box_of(masks[0] | masks[1]) == first.unite(second)
    assert first.intersect(Box(9, 9, 12, 12)).area == 0
    assert first.grow(100, (15, 10)) == Box(0, 0, 15, 10)


def test_empty_masks():
    empty = np.zeros((4, 5), dtype=bool)
    assert box_of(empty).area == 0
    assert mask_iou(empty, empty) == 1
    assert mask_iou(empty, ~empty) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (9, 3), (12, 14)])
@pytest.mark.parametrize("radius", [0, 1, 3, 20])
def test_a_mask_grows_by_a_square(shape, radius):
    mask = np.random.default_rng(0).random(shape) < 0.1
    expected = np.zeros_like(mask)
    for row, column in zip(*np.nonzero(mask)):
        expected[max(0, row - radius) : row + radius + 1, max(0, column - radius) : column + radius + 1] = True
    assert np.array_equal(dilate(mask, radius), expected)
