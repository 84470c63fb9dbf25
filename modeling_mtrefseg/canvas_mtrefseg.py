# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Places two images of any size on the model's square canvas, as pixel values. Needs neither PyTorch nor transformers, so
that exported models use the same code.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from PIL import Image

from .image_places_mtrefseg import check_same_place
from .image_reading_mtrefseg import ImageSource, load_images, name_source


Align: TypeAlias = Literal["error", "resize"]
Window: TypeAlias = int | Literal["auto", "off"]
SHRINK_LIMIT = 1.5
"""An image that is larger than the canvas by more than this factor is cut into windows."""
LEAST_WINDOW = 16
"""Smallest side of a window in pixels: nearly every pixel of a scene would need its own."""
NORMAL_SCENE = "normal_scene"
"""The domain of photographs from street and room cameras."""
_LEAST_SIDE = 8  # Smaller objects, in pixels of the canvas, may be missed.


def load_pair(
    source_t1: ImageSource, source_t2: ImageSource, align: Align, resample: int, antialias: bool
) -> tuple[Image.Image, Image.Image]:
    """
    Reads the two images of a pair as [`load_images`] does, at one size.

    Args:
        source_t1, source_t2 (`str`, `Path`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`):
            The earlier and the later image.
        align (`str`): `"error"` or `"resize"`, what to do with images of unequal sizes.
        resample, antialias: See [`resize_image`].

    Returns:
        `tuple[PIL.Image.Image, PIL.Image.Image]`: Both images in mode "RGB", at the original size of t1.

    Raises:
        ValueError: If `align` is unknown, if the images differ in size and it is `"error"`, or if files beside them
            say that they show different places.
    """
    check_align(align)
    image_t1, image_t2 = load_images([source_t1, source_t2])
    check_same_place([source_t1, source_t2], [image_t1.size, image_t2.size])
    if image_t1.size != image_t2.size:
        if align == "error":
            raise ValueError(
                f"The images of a pair differ in size (width x height): t1, {name_source(source_t1)}, is "
                f"{image_t1.width}x{image_t1.height} and t2, {name_source(source_t2)}, is "
                f"{image_t2.width}x{image_t2.height}. If they show the same area, align='resize' resamples t2 "
                "to the size of t1."
            )
        image_t2 = resize_image(image_t2, image_t1.height, image_t1.width, resample, antialias)
    return image_t1, image_t2


def check_align(align: Align) -> None:
    """Raises a `ValueError` unless it is `"error"` or `"resize"`."""
    if align not in ("error", "resize"):
        raise ValueError(f"`align` must be 'error' or 'resize', not {align!r}.")


def check_window(window: Window) -> None:
    """Raises a `ValueError` unless it is `"auto"`, `"off"` or a number of pixels, at least `LEAST_WINDOW`."""
    is_side = isinstance(window, int) and not isinstance(window, bool) and window >= LEAST_WINDOW
    if window not in ("auto", "off") and not is_side:
        raise ValueError(
            f"`window` must be 'auto', 'off' or a number of pixels, at least {LEAST_WINDOW}, not {window!r}."
        )


def needs_windows(height: int, width: int, window: Window, canvas_size: int, domain: str | None = None) -> bool:
    """
    Whether an image without a known ground resolution is cut into windows.

    Args:
        height, width (`int`): Size of the image in pixels.
        window (`int` or `str`): Side of the windows in pixels of the image, `"auto"` or `"off"`.
        canvas_size (`int`): Side of the model's canvas in pixels.
        domain (`str`, *optional*): Kind of scene. With `"auto"`, normal scenes are never cut: people and cars fill as
            much of a large photograph as of a small one, so in windows they would be larger than in training.
    """
    longest = max(height, width)
    if window == "off" or (window == "auto" and domain == NORMAL_SCENE):
        return False
    if window == "auto":
        return longest > SHRINK_LIMIT * canvas_size
    # An image that fits on the canvas, or into one window, is segmented as a whole.
    return longest > max(canvas_size, window)


def describe_shrinking(what: str, longest: float, canvas_size: int) -> str:
    """
    Says by how much an image is shrunk to the canvas, and what this may cost.

    Args:
        what (`str`): The image and the verb, such as `"the scene is"`.
        longest (`float`): Its longer side in pixels.
        canvas_size (`int`): Side of the model's canvas in pixels.

    Returns:
        `str`: Part of a sentence without a full stop; "" if the image fits on the canvas.
    """
    factor = longest / canvas_size
    if factor <= 1:
        return ""
    return (
        f"{what} shrunk {factor:.1f} times to the model's canvas of {canvas_size} pixels: objects smaller than "
        f"{round(_LEAST_SIDE * factor)} pixels may be missed"
    )


def to_pixel_values(
    images: Sequence[Image.Image],
    size: int,
    resample: int,
    antialias: bool,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
) -> np.ndarray:
    """
    Places images on their canvases, as input of the model.

    Args:
        images (`Sequence[PIL.Image.Image]`): RGB, of any sizes.
        size (`int`): Side of the canvas in pixels.
        resample, antialias: See [`resize_image`].
        mean, std (`Sequence[float]`, *optional*): For each channel, for values in 0..1; `None` for no normalisation.

    Returns:
        `np.ndarray`: `float32` of shape `(batch_size, 3, size, size)`.
    """
    canvases = []
    for image in images:
        resized = resize_image(image, *fitted_size(image.height, image.width, size), resample, antialias)
        canvases.append(center_on_canvas(np.asarray(resized), size))
    # Along complete rows of pixels, which is several times faster than channel by channel.
    pixel_values = np.stack(canvases).reshape(len(canvases), size, size * 3).astype(np.float32)
    if mean is None or std is None:
        pixel_values /= 255
    else:
        for operation, values in ((np.subtract, mean), (np.divide, std)):
            row = np.tile((255 * np.array(values, dtype=np.float64)).astype(np.float32), size)
            operation(pixel_values, row, out=pixel_values)
    # (B, H, W, C) -> (B, C, H, W)
    return pixel_values.reshape(len(canvases), size, size, 3).transpose(0, 3, 1, 2)


def fitted_size(height: int, width: int, size: int) -> tuple[int, int]:
    """Height and width after the longer side is scaled to `size`. Each stays at least 1."""
    longest = max(height, width)
    return max(1, height * size // longest), max(1, width * size // longest)


def center_on_canvas(values: np.ndarray, size: int) -> np.ndarray:
    """Pads `(height, width, ...)` with zeros on all sides to shape `(size, size, ...)`."""
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
        antialias (`bool`): `False` is identical to `cv2.INTER_LINEAR`, bit for bit.
    """
    if antialias or image.size == (width, height):
        return image.resize((width, height), resample=resample)
    return Image.fromarray(_resize_like_cv2(np.asarray(image), height, width))


def resize_mask(mask: np.ndarray, height: int, width: int, resample: int, antialias: bool) -> np.ndarray:
    """
    Resizes a mask. A mask that is not empty does not become empty, because an empty mask means "no target".

    Args:
        mask (`np.ndarray`): Booleans of shape `(own_height, own_width)`.
        height, width, resample: See [`resize_image`].
        antialias (`bool`): `False` is identical to `cv2.INTER_NEAREST`, bit for bit.

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


def sample_axis(
    own_length: int, fitted_length: int, canvas_length: int, map_length: int, wanted: range
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Computes how a map of the canvas is sampled along one axis of an image.

    Args:
        own_length, fitted_length (`int`): The image's side, originally and on the canvas.
        canvas_length, map_length (`int`): Sides of the canvas and of the map that covers it.
        wanted (`range`): Pixels of the image for which the result is needed.

    Returns:
        `tuple`: For each wanted pixel centre, the indices of the two neighbouring values of the map (`int64`) and the
            weight of the second one (`float32`).
    """
    offset = (canvas_length - fitted_length) // 2
    # Large images need float64.
    own_positions = np.arange(wanted.start, wanted.stop, dtype=np.float64) + 0.5
    canvas_positions = offset + own_positions * (fitted_length / own_length)
    positions = (canvas_positions * (map_length / canvas_length) - 0.5).clip(0, map_length - 1)
    lower = np.floor(positions)
    upper = (lower + 1).clip(max=map_length - 1)
    return lower.astype(np.int64), upper.astype(np.int64), (positions - lower).astype(np.float32)


def parts_of(length: int, part_length: int) -> Iterator[range]:
    """Splits the positions on an axis into parts of at most this length."""
    for start in range(0, length, part_length):
        yield range(start, min(start + part_length, length))


def as_list(value: Any) -> list[Any]:
    """Returns a list or tuple as a list, and anything else as a list with one element."""
    return list(value) if isinstance(value, list | tuple) else [value]


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


__all__ = [
    "LEAST_WINDOW",
    "NORMAL_SCENE",
    "SHRINK_LIMIT",
    "Align",
    "Window",
    "as_list",
    "center_on_canvas",
    "check_align",
    "check_window",
    "describe_shrinking",
    "fitted_size",
    "load_pair",
    "needs_windows",
    "parts_of",
    "resize_image",
    "resize_mask",
    "sample_axis",
    "to_pixel_values",
]
