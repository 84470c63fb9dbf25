# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Selects the objects of a mask that have a given colour in the images."""

import math

import numpy as np
import numpy.typing as npt

from .color_names_mtrefseg import COLORS
from .components_mtrefseg import label_components, with_edges


# Usual colours of things in photographs, which are duller than those that the words stand for; RGB, 0 to 255.
_TYPICAL = {
    "white": (225, 225, 222),
    "grey": (134, 132, 130),
    "black": (40, 40, 45),
    "red": (160, 55, 52),
    "orange": (205, 125, 55),
    "yellow": (215, 195, 100),
    "green": (85, 125, 75),
    "blue": (70, 100, 155),
    "brown": (112, 88, 66),
    "purple": (105, 70, 125),
    "pink": (200, 130, 145),
}
_LIGHTNESS_WEIGHT = 0.6  # Light and shadow change the lightness of a thing more than its hue.
_DOUBT = 10.0  # A pixel also has a colour whose typical value is so much farther away than the nearest one's.
_SHARE = 0.2  # Of the pixels of an object that have its colour: clothes, or a roof beside its shadow.
# A dark red car is mostly black: tyres, windows, shadow. Its vivid pixels show its colour, if there are enough of them
# and most have this hue; degrees from and to, in CIELAB. Not green: masks often have some grass at their edges.
_HUES = {"red": (-20, 50), "yellow": (82, 105), "blue": (235, 300)}
_VIVID, _VIVID_SHARE, _MOST = 15.0, 0.2, 0.6
_DROPPED = -50.0  # The logit of dropped pixels.


def without_other_colors(
    logits: npt.NDArray[np.float32],
    image_colors: npt.NDArray[np.float32],
    color: str,
    date: int | None,
    threshold: float,
) -> npt.NDArray[np.float32]:
    """
    Removes the connected components of a mask that do not have a colour.

    Args:
        logits (`np.ndarray` of shape `(height, width)`): Mask logits.
        image_colors (`np.ndarray` of shape `(2, 3, height, width)`): t1 and t2 at the same size, RGB, 0 to 1.
        color (`str`): One of `COLORS`.
        date (`int`, *optional*): The image that shows the objects, 0 or 1; `None` to accept either.
        threshold (`float`): The logit above which a pixel is masked.

    Returns:
        `np.ndarray` of shape `(height, width)`: The logits, with those of removed components far below the threshold.
    """
    labels, count = label_components(logits > threshold)
    if not count:
        return logits
    dates = (0, 1) if date is None else (date,)
    masked = labels > 0
    owners = labels[masked]
    is_dropped = np.zeros(count + 1, dtype=bool)
    is_dropped[1:] = ~np.any([_have_color(owners, image_colors[each][:, masked], color) for each in dates], axis=0)
    if not is_dropped.any():
        return logits
    # The pixels around a removed component are removed, too; otherwise upsampling leaves its edge.
    return np.where(is_dropped[with_edges(labels)], np.float32(_DROPPED), logits)


def has_color(image: npt.NDArray[np.float32], color: str) -> npt.NDArray[np.bool_]:
    """
    Which pixels have a colour, with some tolerance.

    Args:
        image (`np.ndarray` of shape `(3, ...)`): RGB, 0 to 1; a complete image or some of its pixels.
        color (`str`): One of `COLORS`.

    Returns:
        `np.ndarray` of shape `(...)`: Booleans.
    """
    typical = to_lab(np.array([_TYPICAL[name] for name in COLORS], dtype=np.float32) / np.float32(255))
    difference = to_lab(np.moveaxis(image, 0, -1))[..., None, :] - typical
    distances = np.sqrt((difference**2 * (_LIGHTNESS_WEIGHT**2, 1, 1)).sum(-1))
    return np.asarray(distances[..., COLORS.index(color)] <= distances.min(-1) + _DOUBT)


def logit_of(probability: float) -> float:
    """The logit of a probability; 0 and 1 give numbers that no logit of a model reaches."""
    if not 0 < probability < 1:
        return math.copysign(1e4, probability - 0.5)
    return math.log(probability / (1 - probability))


def to_lab(colors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """
    CIELAB (D65) of sRGB colours.

    Args:
        colors (`np.ndarray` of shape `(..., 3)`): RGB, 0 to 1.

    Returns:
        `np.ndarray` of shape `(..., 3)`: L (0 to 100), a and b.
    """
    colors = colors.clip(0, 1)
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    xyz = linear @ to_xyz / (0.9505, 1.0, 1.089)
    x, y, z = np.moveaxis(np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _have_color(owners: npt.NDArray[np.int32], pixels: npt.NDArray[np.float32], color: str) -> npt.NDArray[np.bool_]:
    """For each component, numbered from 1, whether it has a colour; `pixels` have the shape `(3, num_pixels)`."""
    has_it = _shares(owners, has_color(pixels, color)) >= _SHARE
    if color in _HUES:
        _, a, b = np.moveaxis(to_lab(pixels.T), -1, 0)
        vivid = np.hypot(a, b) > _VIVID
        start, end = _HUES[color]
        is_hue = (np.degrees(np.arctan2(b, a)) - start) % 360 < end - start
        vivid_share = _shares(owners, vivid)
        has_it |= (vivid_share >= _VIVID_SHARE) & (_shares(owners, vivid & is_hue) >= _MOST * vivid_share)
    return np.asarray(has_it)


def _shares(owners: npt.NDArray[np.int32], is_it: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """For each component, numbered from 1, the share of its pixels where `is_it` is true."""
    return np.asarray((np.bincount(owners, is_it) / np.bincount(owners).clip(1))[1:])
