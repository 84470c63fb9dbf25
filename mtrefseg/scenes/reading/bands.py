# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Which bands of a raster are red, green and blue, and how their values become 8-bit ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from mtrefseg.errors import UserError


Stretch: TypeAlias = tuple[float, float] | Literal["none"] | None
"""Two percentiles; `"none"` keeps the values of the type; `None` chooses by the type: 8 bits are kept."""

DEFAULT_PERCENTILES = (2.0, 98.0)


@dataclass(frozen=True)
class Limits:
    """
    The values that become 0 and 255.

    Args:
        low, high (`np.ndarray` of shape `(3,)` or `(1,)`): One value for each band that is shown.
    """

    low: np.ndarray
    high: np.ndarray


def choose_bands(dataset: Any, bands: Sequence[int] | None) -> tuple[int, ...]:
    """
    The bands to show: the ones that are asked for, else those that the file calls red, green and blue, else the first
    three, else the first one as grey.

    Args:
        dataset (`rasterio.DatasetReader`): The raster.
        bands (`Sequence[int]`, *optional*): Numbers from 1, three or one of them.

    Returns:
        `tuple[int, ...]`: Three bands, or one grey one.

    Raises:
        [`UserError`]: If there is no such band.
    """
    from rasterio.enums import ColorInterp

    if bands:
        missing = [band for band in bands if not 1 <= band <= dataset.count]
        if missing:
            raise UserError(f"{dataset.name} has {dataset.count} bands, but --bands names {missing[0]}")
        return tuple(bands)
    kinds = dataset.colorinterp
    colors = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
    if all(color in kinds for color in colors):
        return tuple(kinds.index(color) + 1 for color in colors)
    shown = [index for index, kind in enumerate(kinds, start=1) if kind != ColorInterp.alpha]
    return tuple(shown[:3] if len(shown) >= 3 else (shown or [1])[:1])


def is_stretched(dtypes: Sequence[str], stretch: Stretch) -> bool:
    """Whether values of these types are stretched between percentiles."""
    return stretch != "none" and (stretch is not None or any(dtype != "uint8" for dtype in dtypes))


def find_limits(samples: Sequence[np.ndarray], stretch: Stretch) -> Limits:
    """
    The percentiles of the bands, over all dates together, so that what did not change looks the same.

    Args:
        samples (`Sequence[np.ndarray]` of shape `(bands, number)`): Values of each date that are data.
        stretch (`Stretch`): The percentiles.
    """
    low, high = stretch if isinstance(stretch, tuple) else DEFAULT_PERCENTILES
    values = np.concatenate([sample.astype(np.float64) for sample in samples], axis=1)
    if not values.shape[1]:
        return Limits(np.zeros(len(values)), np.ones(len(values)))
    lows, highs = np.percentile(values, [low, high], axis=1)
    return Limits(lows, np.maximum(highs, lows + np.finfo(np.float32).eps))


def to_rgb(values: np.ndarray, limits: Limits | None, name: str) -> np.ndarray:
    """
    Values of bands as an image.

    Args:
        values (`np.ndarray` of shape `(3 or 1, height, width)`): Of any numeric type.
        limits ([`Limits`], *optional*): What becomes 0 and 255; without them the values of the type are kept.
        name (`str`): Of the file, for the error.

    Returns:
        `np.ndarray`: `uint8` of shape `(height, width, 3)`.

    Raises:
        [`UserError`]: If values that are kept as they are cannot be shown.
    """
    if limits is not None:
        low, high = (bound.astype(np.float32)[:, None, None] for bound in (limits.low, limits.high))
        scaled = (np.nan_to_num(values.astype(np.float32)) - low) * (255 / (high - low))
        values = np.rint(scaled.clip(0, 255)).astype(np.uint8)
    elif values.dtype == np.uint16:
        values = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif values.dtype != np.uint8:
        raise UserError(f"{name} holds {values.dtype} values, which have no fixed range: use --stretch 2,98")
    if len(values) == 1:
        values = np.repeat(values, 3, axis=0)
    return np.ascontiguousarray(values.transpose(1, 2, 0))
