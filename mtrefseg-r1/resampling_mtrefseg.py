# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Geometry between an image of any size and the model's square canvas, in both directions."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor


# Of each position on an axis: the two neighbours that are mixed, and the second one's weight.
AxisSamples: TypeAlias = tuple[Tensor, Tensor, Tensor]

# Masks are sampled in bands of rows, those of very wide images in several columns of bands. This is the number of
# floats in a band; the few bands that are in memory at a time fit into a processor's cache.
_FLOATS_PER_BAND = 1 << 17


def fitted_size(height: int, width: int, size: int) -> tuple[int, int]:
    """Height and width after the longer side is scaled to `size`. Each stays at least 1."""
    longest = max(height, width)
    return max(1, height * size // longest), max(1, width * size // longest)


def center_on_canvas(values: np.ndarray, size: int) -> np.ndarray:
    """`(height, width, ...)` in the middle of zeros of shape `(size, size, ...)`."""
    height, width = values.shape[:2]
    top, left = (size - height) // 2, (size - width) // 2
    canvas = np.zeros((size, size, *values.shape[2:]), dtype=values.dtype)
    canvas[top : top + height, left : left + width] = values
    return canvas


def resize_image(image: Image.Image, height: int, width: int, resample: int, antialias: bool) -> Image.Image:
    """
    Resizes an RGB image.

    Args:
        image (`PIL.Image.Image`): The image.
        height, width (`int`): New size.
        resample (`PILImageResampling` or `int`): PIL's filter, used with `antialias`.
        antialias (`bool`): `False` gives what `cv2.INTER_LINEAR` gives, bit for bit.
    """
    if antialias or image.size == (width, height):
        return image.resize((width, height), resample=resample)
    return Image.fromarray(_resize_like_cv2(np.asarray(image), height, width))


def resize_mask(mask: np.ndarray, height: int, width: int, resample: int, antialias: bool) -> np.ndarray:
    """
    Resizes a mask. A mask that is not empty stays so: "nothing fits" must not come from resizing.

    Args:
        mask (`np.ndarray`): Booleans of shape `(own_height, own_width)`.
        height, width, resample: See [`resize_image`].
        antialias (`bool`): `False` gives what `cv2.INTER_NEAREST` gives, bit for bit.

    Returns:
        `np.ndarray`: Booleans of shape `(height, width)`.
    """
    own_height, own_width = mask.shape
    if antialias:
        resized = np.asarray(Image.fromarray(mask).convert("L").resize((width, height), resample=resample)) > 127
    else:
        rows, columns = np.arange(height) * own_height // height, np.arange(width) * own_width // width
        resized = mask[rows][:, columns]
    if mask.any() and not resized.any():
        # The mask is too thin: keep every pixel that it touches.
        rows, columns = mask.nonzero()
        resized = np.zeros((height, width), dtype=bool)
        resized[rows * height // own_height, columns * width // own_width] = True
    return resized


def sample_maps(
    maps: Tensor, canvas_size: int, height: int, width: int, band: tuple[int, int] | None = None
) -> Tensor:
    """
    Brings maps of the canvas to an image's own size.

    Args:
        maps (`Tensor` of shape `(num_maps, map_height, map_width)`): Values that cover the whole canvas.
        canvas_size (`int`): Side of the canvas in pixels.
        height, width (`int`): The image's own size.
        band (`tuple[int, int]`, *optional*): First row, and the one after the last, if not all rows are wanted.

    Returns:
        `Tensor`: `float32` of shape `(num_maps, height, width)`, sampled bilinearly at the pixel centres.
    """
    wanted = (range(*(band or (0, height))), range(width))
    own_size = (height, width)
    rows, columns = (
        _sample_axis(own_length, fitted_length, canvas_size, map_length, maps.device, positions)
        for own_length, fitted_length, map_length, positions in zip(
            own_size, fitted_size(*own_size, canvas_size), maps.shape[-2:], wanted, strict=True
        )
    )
    if band is not None:
        first, last = int(rows[0][0]), int(rows[1][-1])
        maps, rows = maps[:, first : last + 1], (rows[0] - first, rows[1] - first, rows[2])
    lines = torch.lerp(maps[..., columns[0]].float(), maps[..., columns[1]].float(), columns[2])
    return torch.lerp(lines[:, rows[0]], lines[:, rows[1]], rows[2][:, None])


def sample_masks(
    mask_logits: Tensor, canvas_size: int, height: int, width: int, threshold: float
) -> tuple[Tensor, Tensor]:
    """
    Masks at an image's own size. They are computed in bands, so that memory stays small for images of any shape.

    Args:
        mask_logits (`Tensor` of shape `(num_masks, logits_height, logits_width)`): They cover the whole canvas.
        canvas_size, height, width: See [`sample_maps`].
        threshold (`float`): Probability, 0 to 1, above which a pixel belongs to the mask.

    Returns:
        `tuple`: The masks (`bool` of shape `(num_masks, height, width)`) and the mean probability inside each
        (`float32` of shape `(num_masks,)`, 0 if the mask is empty).
    """
    device, num_masks = mask_logits.device, len(mask_logits)
    fitted_height, fitted_width = fitted_size(height, width, canvas_size)
    logits_height, logits_width = mask_logits.shape[-2:]
    masks = torch.empty((num_masks, height, width), dtype=torch.bool, device=device)
    probability_sums = torch.zeros(num_masks, device=device)
    areas = torch.zeros(num_masks, dtype=torch.long, device=device)
    band_width = max(1, min(width, _FLOATS_PER_BAND // max(1, num_masks, logits_width)))
    band_height = max(1, _FLOATS_PER_BAND // max(1, num_masks * band_width))
    for columns in _parts(width, band_width):
        spread = _spread(_sample_axis(width, fitted_width, canvas_size, logits_width, device, columns), logits_width)
        for rows in _parts(height, band_height):
            top, bottom, row_weights = _sample_axis(height, fitted_height, canvas_size, logits_height, device, rows)
            first, last = int(top[0]), int(bottom[-1])
            # (num_masks, few rows of logits, width of the logits) -> (num_masks, the same rows, columns of the band)
            lines = mask_logits[:, first : last + 1] @ spread
            # -> (num_masks, rows and columns of the band)
            above, below = lines.index_select(1, top - first), lines.index_select(1, bottom - first)
            probabilities = torch.lerp(above, below, row_weights[:, None]).sigmoid_()
            inside = masks[:, rows.start : rows.stop, columns.start : columns.stop]
            torch.gt(probabilities, threshold, out=inside)
            # Sums of floats are several times as fast as those that booleans take part in.
            torch.threshold_(probabilities, threshold, 0.0)
            probability_sums += probabilities.sum(dim=(-2, -1))
            areas += probabilities.sign_().sum(dim=(-2, -1)).long()
    return masks, probability_sums / areas.clamp(min=1)


def _parts(length: int, part_length: int) -> Iterator[range]:
    """The positions on an axis in parts of at most this length."""
    for start in range(0, length, part_length):
        yield range(start, min(start + part_length, length))


def _sample_axis(
    own_length: int, fitted_length: int, canvas_length: int, map_length: int, device: torch.device, wanted: range
) -> AxisSamples:
    """For each wanted pixel centre of an image's own axis, the two values of the map around it and the second's
    weight."""
    offset = (canvas_length - fitted_length) // 2
    # On the CPU: large images need float64, which not every device has.
    own_positions = torch.arange(wanted.start, wanted.stop, dtype=torch.float64) + 0.5
    canvas_positions = offset + own_positions * (fitted_length / own_length)
    positions = (canvas_positions * (map_length / canvas_length) - 0.5).clamp(0, map_length - 1)
    lower = positions.floor()
    upper = (lower + 1).clamp(max=map_length - 1)
    return lower.long().to(device), upper.long().to(device), (positions - lower).float().to(device)


def _spread(samples: AxisSamples, map_length: int) -> Tensor:
    """The matrix, `(map_length, num_positions)`, that mixes the values of a map as told: faster than look-ups."""
    lower, upper, weights = samples
    spread = weights.new_zeros(map_length, len(weights))
    positions = torch.arange(len(weights), device=weights.device)
    spread[lower, positions] = 1 - weights
    spread[upper, positions] += weights
    return spread


def _resize_like_cv2(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear resize of `(height, width, channels)` bytes with the 11-bit weights and the intermediate shifts of
    `cv2.INTER_LINEAR`."""
    top, bottom, row_weights = _neighbours(image.shape[0], height)
    left, right, column_weights = _neighbours(image.shape[1], width)
    column_weights, row_weights = column_weights[:, None], row_weights[:, None, None]

    def blend_columns(rows: np.ndarray) -> np.ndarray:
        lines = image[rows].astype(np.int64)
        return (lines[:, left] * (2048 - column_weights) + lines[:, right] * column_weights) >> 4

    upper_part = (blend_columns(top) * (2048 - row_weights)) >> 16
    lower_part = (blend_columns(bottom) * row_weights) >> 16
    return ((upper_part + lower_part + 2) >> 2).astype(np.uint8)


def _neighbours(length: int, new_length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each of `new_length` positions, the two source indices around it and the second one's weight in 1/2048."""
    positions = ((np.arange(new_length) + 0.5) * length / new_length - 0.5).clip(0, length - 1)
    lower = np.floor(positions).astype(np.int64)
    return lower, np.minimum(lower + 1, length - 1), np.rint((positions - lower) * 2048).astype(np.int64)


__all__ = ["center_on_canvas", "fitted_size", "resize_image", "resize_mask", "sample_maps", "sample_masks"]
