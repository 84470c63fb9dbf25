# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Labels connected components of the mask of a scene strip by strip, so that memory does not grow with the scene."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.windows import Window
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from modeling_mtrefseg.components_mtrefseg import label_components

from ..reading import Grid, open_raster
from .rasters import PERCENT, create_raster, writing


_STRIP_PIXELS = 1 << 23


class MaskLabels:
    """
    Labels the connected components of a mask.

    Args:
        masks, probabilities (`Path`): Rasters of bytes: 1 inside the mask, and percent.
        band (`int`): From 1.
        grid ([`Grid`]): The grid of the scene.

    Attributes:
        areas (`np.ndarray`): Pixels of each component.
        scores (`np.ndarray`): Mean probability of each component.
    """

    def __init__(self, masks: Path, probabilities: Path, band: int, grid: Grid) -> None:
        self.grid = grid
        self._path = masks.with_name(f"labels{band}.part.tif")
        areas: list[np.ndarray] = [np.zeros(1)]
        sums: list[np.ndarray] = [np.zeros(1)]
        pairs = []
        count, last_row = 0, np.zeros(grid.width, dtype=np.int32)
        with (
            open_raster(masks) as mask_raster,
            open_raster(probabilities) as percent_raster,
            create_raster(self._path, grid, 1, "int32") as written,
        ):
            for window in strips(grid):
                numbers, found = label_components(mask_raster.read(band, window=window) == 1)
                inside = numbers > 0
                areas.append(np.bincount(numbers[inside], minlength=found + 1)[1:])
                percent = percent_raster.read(band, window=window)[inside]
                sums.append(np.bincount(numbers[inside], percent, found + 1)[1:])
                numbers[inside] += count
                pairs.append(_touching(last_row, numbers[0]))
                count, last_row = count + found, numbers[-1]
                with writing(self._path):
                    written.write(numbers, 1, window=window)
        # Components that strips cut apart are joined.
        first, second = np.concatenate(pairs, axis=1)
        links = coo_array((np.ones(len(first), dtype=bool), (first, second)), (count + 1, count + 1))
        parts, self._part_of = connected_components(links, directed=False)
        # Number 0, outside, touches nothing: it is component 0.
        self.areas = np.bincount(self._part_of, np.concatenate(areas), parts).astype(np.int64)
        self.scores = np.bincount(self._part_of, np.concatenate(sums), parts) / np.maximum(1, self.areas) / PERCENT

    def strips(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """
        The labels, strip by strip.

        Yields:
            `tuple`: The first row; the labels, `int32` of shape `(rows, width)`, 0 outside; and for each label its
            component, because a component in several strips has another label in each.
        """
        with open_raster(self._path) as raster:
            for window in strips(self.grid):
                yield window.row_off, raster.read(1, window=window), self._part_of

    def masks_of(self, parts: Sequence[int]) -> Iterator[tuple[Window, np.ndarray]]:
        """The mask of some components, strip by strip: position and booleans."""
        wanted = np.zeros(len(self.areas), dtype=bool)
        wanted[list(parts)] = True
        wanted = wanted[self._part_of]
        with open_raster(self._path) as raster:
            for window in strips(self.grid):
                yield window, wanted[raster.read(1, window=window)]


def strips(grid: Grid) -> Iterator[Window]:
    """A scene in strips from the top."""
    rows = max(1, _STRIP_PIXELS // grid.width)
    for top in range(0, grid.height, rows):
        yield Window(0, top, grid.width, min(rows, grid.height - top))


def shrink_mask(masks: Path, band: int, grid: Grid, size: tuple[int, int]) -> np.ndarray:
    """
    A mask at a smaller size, in which small components keep a pixel.

    Args:
        masks (`Path`): Raster of bytes, 1 inside the mask.
        band (`int`): From 1.
        grid ([`Grid`]): The grid of the scene.
        size (`tuple[int, int]`): Height and width, not larger than the scene's.

    Returns:
        `np.ndarray`: Booleans.
    """
    small = np.zeros(size, dtype=bool)
    columns = np.arange(size[1]) * grid.width // size[1]
    with open_raster(masks) as raster:
        for window in strips(grid):
            inside = raster.read(band, window=window) == 1
            if inside.any():
                narrow = np.logical_or.reduceat(inside, columns, axis=1)
                rows = (window.row_off + np.arange(len(narrow))) * size[0] // grid.height
                np.logical_or.at(small, rows, narrow)
    return small


def _touching(above: np.ndarray, below: np.ndarray) -> Any:
    """Numbers of a row and of the one below it that touch, also at corners, `(2, number)`."""
    pairs = []
    for shift in (-1, 0, 1):
        upper = above[max(0, -shift) : len(above) - max(0, shift)]
        lower = below[max(0, shift) : len(below) - max(0, -shift)]
        both = (upper > 0) & (lower > 0)
        pairs.append(np.unique(np.stack([upper[both], lower[both]]), axis=1))
    return np.concatenate(pairs, axis=1)
