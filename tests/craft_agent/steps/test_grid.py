# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
import numpy as np
import pytest

from craft_agent.geometry import from_pixels, to_pixels
from craft_agent.records import Box
from craft_agent.steps.grid import draw_grid, plan_grid, side_by_side, whole_with
from tests.craft_agent.scripted_perceiver import make_pair


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (224, 224), (1000, 700), (2048, 600), (9000, 3000)])
def test_the_cells_cover_every_pixel_once(size):
    grid = plan_grid(size)
    covered = np.zeros((size[1], size[0]), dtype=np.int8)
    for cell in grid.cells:
        assert cell.view.intersect(cell.box) == cell.box
        covered[cell.box.top : cell.box.bottom, cell.box.left : cell.box.right] += 1
    assert (covered == 1).all()
    assert len({cell.name for cell in grid.cells}) == len(grid.cells)


def test_the_grid_is_finer_for_larger_images():
    assert [(plan_grid((side, side)).rows) for side in (224, 1536, 1537, 2048, 20_000)] == [3, 3, 4, 4, 8]
    assert [cell.name for cell in plan_grid((300, 300)).cells][:5] == [
        "top-left", "top-center", "top-right", "mid-left", "center",
    ]  # fmt: skip
    assert plan_grid((3000, 300)).cells[-1].name == "C6"


def test_boxes_go_to_pixels_and_back():
    part = Box(100, 50, 356, 178)
    for box in (Box(100, 50, 101, 51), Box(120, 60, 300, 150), Box(355, 177, 356, 178)):
        assert to_pixels(from_pixels(box, part), part) == box


@pytest.mark.parametrize("box", [[], [1, 2, 3], [5, 5, 5, 9], [5, 9, 8, 9]])
def test_a_box_without_extent_is_none(box):
    assert to_pixels(box, Box(0, 0, 10, 10)) is None


def test_sides_in_wrong_order_are_put_right_and_stay_inside():
    assert to_pixels([1000, 1000, 500, 0], Box(10, 10, 20, 30)) == Box(15, 10, 20, 30)


def test_the_views_show_both_times_and_the_region():
    pair = make_pair()
    mask = np.zeros((90, 120), dtype=bool)
    mask[40, 60] = True
    page = side_by_side(pair, Box(30, 20, 90, 65), mask)
    assert page.width > 2 * 600
    assert page.height > 400
    for image in (page, whole_with(pair.image_t2, mask)):
        assert (np.asarray(image) == (214, 39, 160)).all(axis=-1).any()
    assert draw_grid(pair.image_t1, plan_grid(pair.size)).size == (1024, 768)
