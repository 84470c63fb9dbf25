# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reduces a predicted and a true mask to a few integers, which are all that the scores need. Requires only NumPy.

A mask is a 2-D array or tensor, a PIL image of one channel, or COCO's run-length encoding (RLE). Two run-length
encoded masks are intersected without decoding them to pixels.
"""

import math
import sys
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray


BoolMask: TypeAlias = NDArray[np.bool_]
Integers: TypeAlias = NDArray[np.int64]

DILATION_RATIO = 0.02  # width of the boundary band over the diagonal of the image
NOT_MEASURED = -1
# The longest number of a compressed RLE that is read: 12 characters of 5 bits stay below the 63 bits of an int64.
MAX_CHARACTERS = 12
MOST_PIXELS = 2**40
"""Pixels of the largest mask: sums of a million of them stay below the 63 bits of an int64."""
MOST_PIXELS_IN_MEMORY = 2**30
"""Pixels of the largest run-length encoded mask that is written out, which takes a byte for each."""
POPULATION_COUNT = np.lib.NumpyVersion(np.__version__) >= "2.0.0"


class SampleCounts(NamedTuple):
    """
    Integers that describe one predicted and one true mask.

    Args:
        intersection (`int`): Pixels in both masks.
        prediction_area (`int`): Pixels of the predicted mask, 0 if it is missing.
        reference_area (`int`): Pixels of the true mask.
        is_missing (`int`): 1 if there is no prediction at all, else 0.
        boundary_intersection (`int`): Pixels in both boundary bands, or `NOT_MEASURED`.
        boundary_union (`int`): Pixels in at least one of the boundary bands, or `NOT_MEASURED`.
    """

    intersection: int
    prediction_area: int
    reference_area: int
    is_missing: int = 0
    boundary_intersection: int = NOT_MEASURED
    boundary_union: int = NOT_MEASURED


class RunLengths(NamedTuple):
    """
    A run-length encoded mask: column by column, background and foreground alternate, background first.

    Args:
        size (`tuple[int, int]`): Height and width.
        counts (`np.ndarray`): `(runs,)`, int64, length of every run; they add up to height times width.
    """

    size: tuple[int, int]
    counts: Integers


def count_masks(prediction: Any, reference: Any, *, boundary: bool = False, name: str = "the sample") -> SampleCounts:
    """
    Counts the pixels of a predicted mask, of a true mask, and of their intersection.

    Args:
        prediction (`array`, `Tensor`, `PIL.Image.Image`, `dict` or `None`): 2-D mask of booleans, 0 and 1, or 0 and
            255; or COCO RLE, `{"size": [height, width], "counts": str | bytes | list[int]}`; `None` if it is missing.
        reference (`array`, `Tensor`, `PIL.Image.Image` or `dict`): The true mask, of the same height and width.
        boundary (`bool`, *optional*, defaults to `False`): Whether to compare the boundary bands as well.
        name (`str`, *optional*): What to call the pair in an error message.

    Returns:
        [`SampleCounts`]

    Raises:
        ValueError: If something is not a mask, or the two differ in size. The message begins with `name`.
    """
    true_mask = _read_mask(reference, f"{name}: the reference")
    if prediction is None:
        measured = 0 if boundary else NOT_MEASURED
        return SampleCounts(0, 0, _area(true_mask), 1, measured, measured)
    mask = _read_mask(prediction, f"{name}: the prediction")
    if _size(mask) != _size(true_mask):
        sizes = [" x ".join(map(str, _size(each))) for each in (mask, true_mask)]
        raise ValueError(
            f"{name}: the prediction is {sizes[0]} pixels (height x width) and the reference {sizes[1]}; resize the "
            "prediction to the size of the image"
        )
    if isinstance(mask, RunLengths) and isinstance(true_mask, RunLengths) and not boundary:
        areas = _intersect_runs(mask.counts, true_mask.counts), _area(mask), _area(true_mask)
        return SampleCounts(*areas)
    pixels, true_pixels = _to_pixels(mask, f"{name}: the prediction"), _to_pixels(true_mask, f"{name}: the reference")
    counts = SampleCounts(*_count_pixels(pixels, true_pixels))
    if boundary:
        band, true_band = boundary_band(pixels), boundary_band(true_pixels)
        shared, area, true_area = _count_pixels(band, true_band)
        counts = counts._replace(boundary_intersection=shared, boundary_union=area + true_area - shared)
    return counts


def boundary_width(height: int, width: int) -> int:
    """Width in pixels of the boundary band: `DILATION_RATIO` of the image's diagonal, at least 1."""
    return max(1, round(DILATION_RATIO * math.hypot(height, width)))


def boundary_band(mask: BoolMask) -> BoolMask:
    """
    The pixels of a mask that are near its contour: those that [`boundary_width`] erosions with a 3 x 3 square remove.
    The outside of the image counts as background, so a mask also has a contour at the border of the image.

    Args:
        mask (`np.ndarray`): `(height, width)`, bool.

    Returns:
        `np.ndarray`: `(height, width)`, bool.
    """
    distance = boundary_width(*mask.shape)
    window = 2 * distance + 1
    eroded = mask
    # A pixel stays if all pixels of the square around it are set: first those above and below, then left and right.
    for _ in range(2):
        eroded = np.pad(eroded.T, ((distance, distance), (0, 0)))
        length = 1  # How many neighbours each row stands for; doubled until the window is full.
        while length < window:
            step = min(length, window - length)
            eroded = eroded[:-step] & eroded[step:]
            length += step
    return mask & ~eroded


def encode_rle(mask: Any) -> dict[str, Any]:
    """
    Encodes a mask as compressed COCO RLE, byte for byte as pycocotools does.

    Args:
        mask (`array`, `Tensor`, `PIL.Image.Image` or `dict`): A mask as in [`count_masks`].

    Returns:
        `dict`: `size`, height and width, and `counts`, a `str`.
    """
    parsed = _read_mask(mask, "the mask")
    if isinstance(parsed, RunLengths):
        return {"size": list(parsed.size), "counts": _counts_to_text(parsed.counts)}
    columns = parsed.ravel(order="F")
    borders = np.flatnonzero(columns[1:] != columns[:-1]) + 1
    counts = np.diff(borders, prepend=0, append=columns.size)
    if columns[0]:
        counts = np.concatenate(([0], counts))
    return {"size": list(parsed.shape), "counts": _counts_to_text(counts)}


def decode_rle(mask: Mapping[str, Any]) -> BoolMask:
    """
    Decodes COCO RLE, compressed or not.

    Args:
        mask (`dict`): `size`, height and width, and `counts`, a `str`, `bytes` or list of `int`.

    Returns:
        `np.ndarray`: `(height, width)`, bool.

    Raises:
        ValueError: If it is not COCO RLE, is damaged, or has more than 2^30 pixels.
    """
    return _to_pixels(_read_rle(mask, "the mask"), "the mask")


def _read_mask(mask: Any, name: str) -> BoolMask | RunLengths:
    if isinstance(mask, Mapping):
        return _read_rle(mask, name)
    if mask is None or isinstance(mask, str | bytes):
        given = "None" if mask is None else f"a {type(mask).__name__}"
        raise ValueError(f"{name} is {given}; pass a 2-D array, a PIL image or a COCO RLE dict")
    if isinstance(mask, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array; say what its masked pixels are, such as mask.filled(0)")
    try:
        array = _to_array(mask)
    # RuntimeError: a tensor without values. OSError: an image file that is cut off.
    except (TypeError, ValueError, RuntimeError, OSError) as error:
        if _is_polygons(mask):
            raise _polygons_refused(name) from error
        raise ValueError(
            f"{name}, a {type(mask).__name__}, is not an array: {' '.join(str(error).split())}"
        ) from error
    if array.ndim != 2 or array.size == 0:
        shape = " x ".join(map(str, array.shape)) or "a single number"
        raise ValueError(f"{name} has the shape {shape}; a mask has two dimensions, height and width, and some pixels")
    try:
        return array if array.dtype == np.bool_ else _binary(array, name)
    except ValueError as error:
        if _is_polygons(mask):
            raise _polygons_refused(name) from error
        raise


def _to_array(mask: Any) -> NDArray[Any]:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(mask, torch.Tensor):
        mask = mask.detach().cpu()
        mask = mask.float() if mask.dtype == torch.bfloat16 else mask
    images = sys.modules.get("PIL.Image")
    if images is not None and isinstance(mask, images.Image) and mask.mode == "P":
        # A palette may number its colours in any order; their grey value is what is meant.
        mask = mask.convert("L")
    return np.asarray(mask)


def _is_polygons(mask: Any) -> bool:
    """Whether a value has the form of COCO's polygons: lists of x, y, x, y, ..., each of at least three points."""
    return (
        isinstance(mask, list | tuple)
        and len(mask) > 0
        and all(isinstance(each, list | tuple) and len(each) >= 6 and len(each) % 2 == 0 for each in mask)
        and all(isinstance(value, Real) for each in mask for value in each)
    )


def _polygons_refused(name: str) -> ValueError:
    return ValueError(
        f"{name} is a list of COCO polygons; rasterise them first: pycocotools.mask.frPyObjects(polygons, height, "
        "width), then pycocotools.mask.merge"
    )


def _binary(array: NDArray[Any], name: str) -> BoolMask:
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds values of type {array.dtype}; a mask is boolean, 0 and 1, or 0 and 255")
    if array.dtype == np.uint8:
        # The usual image, in the fewest passes: read as signed, 255 is -1.
        low, high = array.view(np.int8).min(), array.view(np.int8).max()
        if low >= 0 and high <= 1:
            return array.view(np.bool_)
        if low >= -1 and high <= 0:
            return array != 0
    largest = array.max()
    if np.isnan(largest):
        raise ValueError(f"{name} holds NaN; a mask is boolean, 0 and 1, or 0 and 255")
    pixels: BoolMask = array == (255 if largest == 255 else 1)
    if np.count_nonzero(pixels) != np.count_nonzero(array):
        wrong = array[~pixels & (array != 0)][0]
        beside = " beside 255" if largest == 255 else ""
        raise ValueError(
            f"{name} holds the value {wrong}{beside}; a mask is boolean, 0 and 1, or 0 and 255: threshold it"
        )
    return pixels


def _read_rle(mask: Any, name: str) -> RunLengths:
    if _is_polygons(mask):
        raise _polygons_refused(name)
    if not isinstance(mask, Mapping):
        given = "None" if mask is None else f"a {type(mask).__name__}"
        raise ValueError(f'{name} is {given}, not COCO RLE, a dict with "size", [height, width], and "counts"')
    try:
        height, width = mask["size"]
        counts = mask["counts"]
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f'{name} is a dict but not COCO RLE; it needs "size", [height, width], and "counts", not {list(mask)}'
        ) from None
    if not all(isinstance(side, Integral) and not isinstance(side, bool) for side in (height, width)):
        raise ValueError(f"{name} is an RLE of the size [{height!r}, {width!r}]; both must be integers")
    height, width = int(height), int(width)
    if height < 1 or width < 1:
        raise ValueError(f"{name} is an RLE of {height} x {width} pixels; both sides must be at least 1")
    if height * width > MOST_PIXELS:
        raise ValueError(f"{name} is an RLE of more than 2^40 pixels; cut the image into parts")
    runs = _counts_from_text(counts, name) if isinstance(counts, str | bytes) else _counts_from_list(counts, name)
    pixels = height * width
    # Unlike the sum of integers, that of floats cannot overflow, and one that is equal to `pixels` is exact.
    total = float(runs.sum(dtype=np.float64))
    if runs.size == 0 or runs.min() < 0 or runs.max() > pixels or total != pixels:
        wrong = runs[(runs < 0) | (runs > pixels)]
        problem = f"one run has {wrong[0]}" if wrong.size else f"its runs add up to {total:.0f}"
        raise ValueError(f"{name} is a damaged RLE: it is {height} x {width} = {pixels} pixels, but {problem}")
    return RunLengths((height, width), runs)


def _counts_from_list(counts: Any, name: str) -> Integers:
    try:
        runs = np.asarray(counts)
    except ValueError:
        runs = np.empty((0, 0))  # Lists of different lengths.
    if runs.ndim != 1 or runs.dtype.kind not in "iu":
        raise ValueError(f'{name} is a damaged RLE: "counts" is neither a string nor a list of integers')
    return runs.astype(np.int64)


def _counts_from_text(text: str | bytes, name: str) -> Integers:
    """
    Reads the compressed form: each character holds 5 bits of a number, the lowest first, and a sixth bit if more
    characters follow; the fifth bit of the last one is the sign. From the fourth number on, the stored value is the
    difference from the number before the previous one.
    """
    data = text.encode(errors="replace") if isinstance(text, str) else text
    codes = np.frombuffer(data, dtype=np.uint8).astype(np.int64) - 48
    if codes.size == 0:
        return codes
    if not 0 <= codes.min() <= codes.max() <= 63:
        raise ValueError(f'{name} is a damaged RLE: "counts" holds characters outside 0 to o')
    ends = np.flatnonzero(codes < 32)
    starts = np.concatenate(([0], ends[:-1] + 1))
    if codes[-1] >= 32 or (ends - starts).max() >= MAX_CHARACTERS:
        raise ValueError(f'{name} is a damaged RLE: a number of "counts" is cut off or too long')
    lengths = ends - starts + 1
    places = np.arange(codes.size) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((codes & 31) << (5 * places), starts)
    numbers -= np.where(codes[ends] & 16, np.left_shift(1, 5 * lengths), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def _counts_to_text(counts: Integers) -> str:
    """Writes the form that [`_counts_from_text`] reads."""
    numbers = counts.astype(np.int64)
    numbers[3:] -= counts[1:-2]
    # A number of k characters lies in [-2^(5k-1), 2^(5k-1)).
    limits = np.left_shift(np.int64(16), 5 * np.arange(MAX_CHARACTERS - 1))
    lengths = 1 + np.searchsorted(limits, np.where(numbers < 0, ~numbers, numbers), side="right")
    starts = np.cumsum(lengths) - lengths
    places = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    codes = np.repeat(numbers, lengths) >> (5 * places) & 31
    codes += np.where(places < np.repeat(lengths, lengths) - 1, 32, 0) + 48
    return codes.astype(np.uint8).tobytes().decode("ascii")


def _intersect_runs(counts: Integers, other_counts: Integers) -> int:
    ends, other_ends = np.cumsum(counts), np.cumsum(other_counts)
    # Foreground of the other mask up to the end of each of its runs; runs of odd number are foreground.
    filled = np.cumsum(other_counts * (np.arange(other_counts.size) & 1))
    # The same up to the beginning and the end of each foreground run of this mask. A last background run has neither.
    borders = ends[: ends.size // 2 * 2]
    run = np.searchsorted(other_ends, borders)
    filled_there = filled[run] - (other_ends[run] - borders) * (run & 1)
    return int(filled_there[1::2].sum() - filled_there[::2].sum())


def _to_pixels(mask: BoolMask | RunLengths, name: str) -> BoolMask:
    if not isinstance(mask, RunLengths):
        return mask
    height, width = mask.size
    if height * width > MOST_PIXELS_IN_MEMORY:
        raise ValueError(
            f"{name} is an RLE of {height} x {width} pixels; at most 2^30 are written out: cut the image into parts"
        )
    values = np.arange(mask.counts.size) % 2 == 1
    return np.repeat(values, mask.counts).reshape(width, height).T


def _size(mask: BoolMask | RunLengths) -> tuple[int, ...]:
    return mask.size if isinstance(mask, RunLengths) else mask.shape


def _area(mask: BoolMask | RunLengths) -> int:
    return int(mask.counts[1::2].sum()) if isinstance(mask, RunLengths) else int(np.count_nonzero(mask))


def _count_pixels(mask: BoolMask, other: BoolMask) -> tuple[int, int, int]:
    """Pixels of the intersection, of the one and of the other mask."""
    if not POPULATION_COUNT:
        return tuple(int(np.count_nonzero(each)) for each in (mask & other, mask, other))  # type: ignore[return-value]
    # Limited by memory bandwidth: packed into bits, each mask is read once, and all else is an eighth of its size.
    bits, other_bits = _pack(mask), _pack(other)
    return tuple(int(np.bitwise_count(each).sum()) for each in (bits & other_bits, bits, other_bits))  # type: ignore[return-value]


def _pack(mask: BoolMask) -> NDArray[np.uint64]:
    packed = np.packbits(mask)
    words = np.zeros(-(-packed.size // 8), dtype=np.uint64)
    words.view(np.uint8)[: packed.size] = packed
    return words
