# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
from itertools import pairwise

import numpy as np
import pytest


pytest.importorskip("rasterio", reason="the extra geo is not installed")

from mtrefseg.scenes.stitching import rows_at_once
from mtrefseg.scenes.windows import blend_weights, plan_windows, widened_side, window_side


@pytest.mark.parametrize(("width", "height"), [(64, 64), (100, 65), (1000, 10), (257, 511), (65, 1)])
@pytest.mark.parametrize("offset", [0, 32])
def test_windows_cover_everything_and_overlap(width: int, height: int, offset: int) -> None:
    plan = plan_windows(width, height, 64, offset)
    covered = np.zeros((height, width), dtype=int)
    for top in plan.tops:
        for box in plan.boxes(top):
            part = covered[box.top : box.top + box.height, box.left : box.left + box.width]
            assert part.shape == (box.height, box.width) == (min(64, height), min(64, width))
            part += 1
    assert covered.min() >= 1
    assert plan.count == len(plan.tops) * len(plan.lefts)
    for starts, size in ((plan.lefts, plan.window_width), (plan.tops, plan.window_height)):
        assert all(later - earlier <= size - size // 4 for earlier, later in pairwise(starts))


@pytest.mark.parametrize("offset", [0, 8, 30])
def test_a_bound_on_windows_counts_those_that_are_moved(offset: int) -> None:
    side = widened_side(16, 120, 100, 4, 0.25, offset)
    assert plan_windows(120, 100, side, offset).count <= 4


def test_weights_are_smooth_and_positive() -> None:
    weights = blend_weights(64, 32)
    assert weights.shape == (64, 32)
    assert weights.min() > 0
    assert weights.max() == 1
    assert np.abs(np.diff(weights, axis=0)).max() < 0.15
    np.testing.assert_array_equal(weights, weights[::-1, ::-1])


@pytest.mark.parametrize(
    ("window", "size", "pixel_size", "trained", "side"),
    [
        ("auto", (96, 96), None, None, 96),  # Not more than 1.5 times the canvas
        ("auto", (97, 97), None, None, 64),
        ("auto", (1000, 500), 0.1, 0.5, 320),
        ("auto", (1000, 500), 1.0, 0.5, 32),
        ("auto", (1000, 500), 1.0, None, 64),
        ("off", (1000, 500), None, None, 1000),
        (200, (1000, 500), None, None, 200),
    ],
)
def test_the_side_of_the_windows(
    window: int | str, size: tuple[int, int], pixel_size: float | None, trained: float | None, side: int
) -> None:
    assert window_side(window, *size, 64, pixel_size, trained) == side


@pytest.mark.parametrize(
    ("longest", "pixel_size", "trained", "side"),
    [(1000, None, 0.4, 51), (96, None, 0.4, 96), (1000, None, None, 64), (1000, 1.0, 0.4, 26)],
)
def test_images_from_above_count_as_half_a_metre(
    longest: int, pixel_size: float | None, trained: float | None, side: int
) -> None:
    assert window_side("auto", longest, 50, 64, pixel_size, trained, "remote_sensing") == side


@pytest.mark.parametrize(
    ("window", "pixel_size", "side"), [("auto", None, 1000), ("auto", 1.0, 32), (200, None, 200)], ids=str
)
def test_normal_scenes_are_not_cut_unless_asked_for_or_placed_on_the_ground(
    window: int | str, pixel_size: float | None, side: int
) -> None:
    assert window_side(window, 1000, 500, 64, pixel_size, 0.5, "normal_scene") == side


@pytest.mark.parametrize(
    ("width", "sentences", "intervals", "expected"),
    [
        (20_000, 50, 1, (50, 1)),  # As usual, everything at once.
        (100_000, 50, 1, (10, 1)),
        (100_000, 50, 4, (2, 4)),
        (100_000, 1, 30, (1, 10)),
        (10_000_000, 5, 5, (1, 1)),  # One answer needs its buffer.
    ],
)
def test_as_many_rows_at_once_as_fit_into_the_buffer(
    width: int, sentences: int, intervals: int, expected: tuple[int, int]
) -> None:
    plan = plan_windows(width, 1000, 256)
    assert rows_at_once(plan, sentences, intervals) == expected
    assert rows_at_once(plan_windows(width, 256, width), sentences, intervals) == (sentences, intervals)
