# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Objects of masks that are cut into strips equal those of whole masks."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy.ndimage import label

from mtrefseg.scenes.output import labels as labels_module
from mtrefseg.scenes.output.labels import MaskLabels, shrink_mask
from mtrefseg.scenes.output.objects import find_objects
from mtrefseg.scenes.reading import Grid


def write(path: Path, values: np.ndarray) -> Path:
    size = {"width": values.shape[1], "height": values.shape[0], "count": 1, "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", **size) as raster:
        raster.write(values, 1)
    return path


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("rows_at_once", [1, 7, 100])
def test_strips_do_not_matter(rows_at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    mask = (random.random((60, 50)) < 0.35).astype(np.uint8)
    mask[20:40, 10:30] = 1
    mask[45:, 40:] = 255  # No data
    percent = random.integers(0, 101, mask.shape, dtype=np.uint8)
    monkeypatch.setattr(labels_module, "_STRIP_PIXELS", rows_at_once * mask.shape[1])
    grid = Grid(50, 60, Affine.identity(), None)
    masks = write(tmp_path / "masks.tif", mask)
    found = MaskLabels(masks, write(tmp_path / "percent.tif", percent), 1, grid)
    objects = find_objects(found)
    numbers, count = label(mask == 1, np.ones((3, 3)))
    assert len(objects) == count
    for one in objects:
        inside = rasterize([(one.shape, 1)], out_shape=mask.shape, dtype="uint8") > 0
        (number,) = np.unique(numbers[inside])
        np.testing.assert_array_equal(inside, numbers == number)
        assert one.shape.is_valid
        assert one.shape.area == one.area_pixels == inside.sum()
        assert one.score == pytest.approx(percent[inside].mean() / 100)
        again = np.zeros(mask.shape, dtype=bool)
        for window, values in found.masks_of([one.part]):
            again[window.row_off : window.row_off + window.height] = values
        np.testing.assert_array_equal(again, inside)
    assert len(find_objects(found, min_area=5)) == (np.bincount(numbers.ravel())[1:] >= 5).sum()
    small = shrink_mask(masks, 1, grid, (20, 10))
    np.testing.assert_array_equal(small, (mask == 1).reshape(20, 3, 10, 5).any(axis=(1, 3)))
