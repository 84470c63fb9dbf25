# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Resamples maps on the model's square canvas to maps and masks at the size of the image."""

from typing import TypeAlias

import torch
from torch import Tensor

from .canvas_mtrefseg import fitted_size, parts_of, sample_axis


# For each position on an axis: the indices of its two neighbours, and the weight of the second one.
AxisSamples: TypeAlias = tuple[Tensor, Tensor, Tensor]

# Masks are sampled in bands of rows; in very wide images, the bands are also split into columns. This is the number of
# floats in a band; the few bands in memory at a time fit into the cache of a CPU.
_FLOATS_PER_BAND = 1 << 17


def sample_maps(
    maps: Tensor, canvas_size: int, height: int, width: int, band: tuple[int, int] | None = None
) -> Tensor:
    """
    Resamples maps of the canvas to the original size of an image.

    Args:
        maps (`Tensor` of shape `(num_maps, map_height, map_width)`): Values that cover the complete canvas.
        canvas_size (`int`): Side of the canvas in pixels.
        height, width (`int`): The original size of the image.
        band (`tuple[int, int]`, *optional*): First row, and the one after the last, if only some rows are needed.

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
    Masks at the original size of an image, computed in bands to limit memory for images of any shape.

    Args:
        mask_logits (`Tensor` of shape `(num_masks, logits_height, logits_width)`): They cover the complete canvas.
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
    for columns in parts_of(width, band_width):
        spread = _spread(_sample_axis(width, fitted_width, canvas_size, logits_width, device, columns), logits_width)
        for rows in parts_of(height, band_height):
            top, bottom, row_weights = _sample_axis(height, fitted_height, canvas_size, logits_height, device, rows)
            first, last = int(top[0]), int(bottom[-1])
            # (num_masks, few rows of logits, width of the logits) -> (num_masks, the same rows, columns of the band)
            lines = mask_logits[:, first : last + 1] @ spread
            # -> (num_masks, rows and columns of the band)
            above, below = lines.index_select(1, top - first), lines.index_select(1, bottom - first)
            probabilities = torch.lerp(above, below, row_weights[:, None]).sigmoid_()
            inside = masks[:, rows.start : rows.stop, columns.start : columns.stop]
            torch.gt(probabilities, threshold, out=inside)
            # Sums of floats are several times as fast as sums that involve booleans.
            torch.threshold_(probabilities, threshold, 0.0)
            probability_sums += probabilities.sum(dim=(-2, -1))
            areas += probabilities.sign_().sum(dim=(-2, -1)).long()
    return masks, probability_sums / areas.clamp(min=1)


def _sample_axis(
    own_length: int, fitted_length: int, canvas_length: int, map_length: int, device: torch.device, wanted: range
) -> AxisSamples:
    """The result of [`sample_axis`] as tensors on a device."""
    samples = sample_axis(own_length, fitted_length, canvas_length, map_length, wanted)
    lower, upper, weights = (torch.from_numpy(values).to(device) for values in samples)
    return lower, upper, weights


def _spread(samples: AxisSamples, map_length: int) -> Tensor:
    """The interpolation as a matrix `(map_length, num_positions)`, which is faster than indexing."""
    lower, upper, weights = samples
    spread = weights.new_zeros(map_length, len(weights))
    positions = torch.arange(len(weights), device=weights.device)
    spread[lower, positions] = 1 - weights
    spread[upper, positions] += weights
    return spread


__all__ = ["sample_maps", "sample_masks"]
