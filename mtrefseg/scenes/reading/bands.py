# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Which bands of a raster are shown, and how the values of all dates are converted to 8 bits."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from mtrefseg.errors import UserError
from mtrefseg.io import Stretch, apply_limits, known_depth, percentile_limits


StretchOption: TypeAlias = Stretch | Literal["auto"] | None
"""`None` keeps the values of the type; `"auto"` stretches values that are not 8-bit and do not use all 16 bits."""
EIGHT_BITS = np.tile((0.0, 255.0), (3, 1))
"""Limits of three bands whose values stay as they are."""


def choose_bands(dataset: Any, bands: Sequence[int] | None) -> tuple[int, ...]:
    """
    The bands to show: the requested ones, else those that the file labels red, green and blue, else the first
    three, else the first one as grey.

    Args:
        dataset (`rasterio.DatasetReader`): The raster.
        bands (`Sequence[int]`, *optional*): Numbers from 1, three or one of them.

    Returns:
        `tuple[int, ...]`: Three bands, or one grey band.

    Raises:
        [`UserError`]: If there is no such band, or if neither one nor three are requested.
    """
    from rasterio.enums import ColorInterp

    if bands:
        if len(bands) not in (1, 3):
            raise UserError(f"give one or three band numbers, not {', '.join(map(str, bands))}")
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


def find_limits(samples: Sequence[np.ndarray], stretch: StretchOption) -> list[np.ndarray | None]:
    """
    The values that become black and white in each date: those of all dates together, so that unchanged areas look
    the same, unless each date is stretched separately.

    Args:
        samples (`Sequence[np.ndarray]` of shape `(bands, number)`): Valid values of each date, of one type.
        stretch (`StretchOption`): The percentiles.

    Returns:
        `list`: For each date the limits, `(bands, 2)`; `None` if the values of the type are kept.
    """
    if stretch is None or (stretch == "auto" and _uses_all_bits(samples)):
        return [None] * len(samples)
    if stretch == "auto" and _are_8_bit(samples):
        return [EIGHT_BITS[: len(samples[0])]] * len(samples)
    chosen = Stretch() if stretch == "auto" else stretch
    images = [(sample.T[None], np.ones((1, sample.shape[1]), dtype=bool)) for sample in samples]
    if chosen.each:
        return [percentile_limits([image], chosen) for image in images]
    return [percentile_limits(images, chosen)] * len(samples)


def to_rgb(values: np.ndarray, limits: np.ndarray | None, name: str) -> np.ndarray:
    """
    Converts values of bands to an image.

    Args:
        values (`np.ndarray` of shape `(3 or 1, height, width)`): Of any numeric type.
        limits (`np.ndarray` of shape `(bands, 2)`, *optional*): The values that become 0 and 255; without them the
            values of the type are kept.
        name (`str`): Name of the file, for the error.

    Returns:
        `np.ndarray`: `uint8` of shape `(height, width, 3)`.

    Raises:
        [`UserError`]: If unstretched values cannot be shown.
    """
    shown = np.ascontiguousarray(values.transpose(1, 2, 0))
    if limits is not None:
        shown = apply_limits(shown, limits)
    elif shown.dtype == np.uint16:
        shown = ((shown.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif shown.dtype != np.uint8:
        raise UserError(f"{name} holds {values.dtype} values, which have no fixed range: use --stretch 2,98")
    return np.repeat(shown, 3, axis=2) if shown.shape[2] == 1 else shown


def _uses_all_bits(samples: Sequence[np.ndarray]) -> bool:
    """Whether values are visible as they are: 8-bit ones, and 16-bit ones of which some need the highest bits."""
    dtype = samples[0].dtype
    highest = max((sample.max() for sample in samples if sample.size), default=0)
    return bool(dtype == np.uint8 or (dtype == np.uint16 and known_depth(float(highest)) is None))


def _are_8_bit(samples: Sequence[np.ndarray]) -> bool:
    """Whether integers of a larger type all fit into 8 bits."""
    return samples[0].dtype.kind in "iu" and all(
        sample.min() >= 0 and sample.max() <= 255 for sample in samples if sample.size
    )
