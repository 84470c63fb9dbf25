# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Images with more than three bands or 8 bits: which bands are shown, and how their values are mapped to 0 to 255."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


# Values for "no data", and the distance from zero beyond which every value counts as "no data".
_FILLS, _HUGE = (-9999, -99999, -32767, -32768), 1e20
KNOWN_DEPTHS = (8, 10, 11, 12, 14)
"""Bits of sensors whose samples are stored in 16 bits. If no sample exceeds one of these depths, the higher bits are
unused."""


@dataclass(frozen=True)
class Stretch:
    """
    How samples of more than 8 bits are mapped to 0 to 255: each band is scaled between two percentiles.

    Args:
        low, high (`float`, *optional*, defaults to 2 and 98): Percentiles, 0 to 100, of all samples that are not
            nodata; lower or higher samples become 0 or 255.
        each (`bool`, *optional*, defaults to `False`): Whether every image has its own limits. By default, t1 and t2
            of a pair share them, so that unchanged regions look the same.

    Raises:
        ValueError: If the percentiles are not in order, or outside of 0 to 100.
    """

    low: float = 2
    high: float = 98
    each: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 100:
            raise ValueError(
                f"a stretch is two percentiles, 0 to 100, the lower one first; not {self.low:g} and {self.high:g}."
            )


def check_stretch(stretch: Any) -> None:
    """Raises a `ValueError` unless it is a [`Stretch`], `"auto"` or `None`: a text such as "1,99" would be ignored."""
    if not (stretch is None or isinstance(stretch, Stretch) or stretch == "auto"):
        raise ValueError(f"`stretch` must be 'auto', None or a `Stretch` such as Stretch(1, 99), not {stretch!r}.")


def pick_bands(count: int, bands: Sequence[int] | None = None) -> tuple[int, ...]:
    """
    Chooses the bands that are shown.

    Args:
        count (`int`): Number of bands in the file.
        bands (`Sequence[int]`, *optional*): Numbers from 1 of one band (grey) or three (red, green, blue). By default
            the first three, or the first one if there are fewer.

    Returns:
        `tuple[int, ...]`: One or three indices from 0.

    Raises:
        ValueError: If there are not one or three numbers, or no such bands.
    """
    if bands is None:
        return (0, 1, 2) if count >= 3 else (0,)
    if len(bands) not in (1, 3):
        raise ValueError(f"one band (grey) or three (red, green, blue) can be shown, not {len(bands)}.")
    if min(bands) < 1 or max(bands) > count:
        raise ValueError(f"it has the bands 1 to {count}, but {', '.join(map(str, bands))} are requested.")
    return tuple(band - 1 for band in bands)


def valid_pixels(values: np.ndarray, nodata: float | None = None) -> np.ndarray:
    """
    Finds the pixels with data.

    Args:
        values (`np.ndarray`): Samples of shape `(height, width, bands)`.
        nodata (`float`, *optional*): The value for "no data".

    Returns:
        `np.ndarray`: Booleans of shape `(height, width)`; false where every band is nodata, NaN or infinite.
    """
    is_float = values.dtype.kind == "f"
    missing = ~np.isfinite(values) if is_float else np.zeros(values.shape, dtype=bool)
    if nodata is not None and (is_float or _fits(nodata, values.dtype)):
        missing |= values == np.asarray(nodata).astype(values.dtype)
    return np.asarray(~missing.all(axis=-1))


def unsaid_nodata(values: np.ndarray) -> float | None:
    """
    Finds a value for "no data" that the file does not declare.

    Args:
        values (`np.ndarray`): Samples of any shape and type.

    Returns:
        `float`, *optional*: The lowest or the highest sample, if programs use this value for "no data",
        and all others are far from it.
    """
    if values.dtype.kind not in "if":  # No unsigned value is known to stand for it.
        return None
    held = values[np.isfinite(values)]
    if not held.size:
        return None
    low, high = float(held.min()), float(held.max())
    if low in _FILLS or low <= -_HUGE:
        others = held[held > held.min()]
        return low if others.size and (others.min() > low / 100 or _is_apart(low, others)) else None
    if high >= _HUGE:
        others = held[held < held.max()]
        return high if others.size and (others.max() < high / 100 or _is_apart(high, others)) else None
    return None


def _is_apart(value: float, others: np.ndarray) -> bool:
    """Whether a value is further from others than they are from one another."""
    lowest, highest = float(others.min()), float(others.max())
    return max(lowest - value, value - highest) > highest - lowest


def known_depth(highest: float) -> int | None:
    """The smallest of [`KNOWN_DEPTHS`] that is sufficient for a sample; `None` if none is."""
    return next((bits for bits in KNOWN_DEPTHS if highest < 1 << bits), None)


def percentile_limits(images: Sequence[tuple[np.ndarray, np.ndarray]], stretch: Stretch) -> np.ndarray:
    """
    Finds the values that become 0 and 255, over all pixels of one or several images together.

    Args:
        images (`Sequence[tuple[np.ndarray, np.ndarray]]`): For each image, or each window of a large one, the samples,
            `(height, width, bands)`, and the pixels with data, bool `(height, width)`.
        stretch ([`Stretch`]): The percentiles.

    Returns:
        `np.ndarray`: `float64` of shape `(bands, 2)`; 0 and 1 for a band without data.
    """
    limits = []
    for band in range(images[0][0].shape[-1]):
        samples = np.concatenate([values[..., band][valid] for values, valid in images])
        if samples.dtype.kind == "f":
            samples = samples[np.isfinite(samples)]
        limits.append(np.percentile(samples, (stretch.low, stretch.high)) if samples.size else (0.0, 1.0))
    return np.asarray(limits, dtype=np.float64)


def apply_limits(values: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """
    Scales samples to 0 to 255.

    Args:
        values (`np.ndarray`): Samples of shape `(height, width, bands)`.
        limits (`np.ndarray`): Of shape `(bands, 2)`: the values that become 0 and 255. If both are the same, smaller
            samples become 0 and all others 255.

    Returns:
        `np.ndarray`: `uint8` of the shape of `values`. NaN becomes 0.
    """
    result = np.zeros(values.shape, dtype=np.uint8)
    for band, (low, high) in enumerate(limits):
        samples = values[..., band].astype(np.float64)
        share = (samples - low) / (high - low) if high > low else (samples >= low).astype(np.float64)
        result[..., band] = np.rint(255 * np.clip(np.nan_to_num(share, nan=0.0), 0, 1)).astype(np.uint8)
    return result


def _fits(value: float, dtype: np.dtype) -> bool:
    """Whether an integer type can represent a value exactly."""
    bounds = np.iinfo(dtype)
    return bool(np.isfinite(value)) and value == int(value) and bounds.min <= value <= bounds.max
