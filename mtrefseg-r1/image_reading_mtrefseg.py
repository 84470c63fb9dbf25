# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reading of images and masks: files, URLs, PIL images, arrays and tensors."""

import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, Union

import numpy as np
from huggingface_hub.utils import httpx
from PIL import Image, ImageOps, UnidentifiedImageError


if TYPE_CHECKING:
    import torch

ImageSource: TypeAlias = Union[str, Path, Image.Image, np.ndarray, "torch.Tensor"]

DOWNLOAD_TIMEOUT_SECONDS = 30.0
# What downloading, and what PIL's decoders raise on damaged files beside its own error classes.
_READING_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, SyntaxError, ValueError, EOFError, struct.error)
# Grey modes of more than 8 bits, which PIL would clip instead of scale.
_DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")


@contextmanager
def _naming(source: ImageSource) -> Iterator[None]:
    """Turn whatever PIL raises while reading `source` into an error that names it."""
    name = name_source(source)
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no file {name}.") from error
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} is not an image file that PIL can read.") from error
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"{name} is too large: {error} Shrink or cut it, or, if you trust it, raise `PIL.Image.MAX_IMAGE_PIXELS`."
        ) from error
    except _READING_ERRORS as error:
        raise ValueError(f"Cannot read {name}: {error}") from error


def name_source(source: ImageSource) -> str:
    """How an error message calls an image: by its path or URL, or by its type."""
    return f"'{source}'" if isinstance(source, str | Path) else f"the given {type(source).__name__}"


def _decode(source: str | Path | Image.Image) -> Image.Image:
    """Read a file, URL or PIL image into memory, turned upright as its EXIF orientation says."""
    if isinstance(source, Image.Image):
        return ImageOps.exif_transpose(source)
    file: Path | BytesIO = Path(source)
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        response = httpx.get(source, timeout=DOWNLOAD_TIMEOUT_SECONDS, follow_redirects=True)
        file = BytesIO(response.raise_for_status().content)
    with Image.open(file) as image:
        image.load()
        return ImageOps.exif_transpose(image)


def _to_bytes(array: np.ndarray) -> np.ndarray:
    """Grey or colour values as 0..255: booleans, bytes, 16-bit (value / 257) and floats in 0..1 are understood."""
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    is_float = np.issubdtype(array.dtype, np.floating)
    highest = 1 if is_float else 255
    # Written so that NaN, which no comparison accepts, fails as well.
    if not (array.min() >= 0 and array.max() <= highest):
        raise ValueError(
            f"its {array.dtype} values span {array.min()} to {array.max()}, expected 0 to {highest}. "
            "Rescale them, or cast them to uint8 (0 to 255) or uint16 (0 to 65535)."
        )
    return np.rint(array * 255).astype(np.uint8) if is_float else array.astype(np.uint8)


def _deep_values(image: Image.Image) -> np.ndarray:
    """Values of an image in one of `_DEEP_MODES`; 16-bit ones, which PIL may hold as 32-bit integers, as `uint16`."""
    values = np.asarray(image)
    is_16_bit = values.dtype == np.int32 and values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max
    return values.astype(np.uint16) if is_16_bit else values


def _channels_last(array: np.ndarray, channels_first: bool) -> np.ndarray:
    """View an image of shape `(height, width)`, `(height, width, channels)` or `(channels, height, width)` as the
    first or second of these. `channels_first` decides where both of the last two readings are possible."""
    if array.ndim == 2 and array.size:
        return array
    if array.ndim == 3 and array.size:
        for axis in (0, -1) if channels_first else (-1, 0):
            if array.shape[axis] in (1, 3, 4):
                array = np.moveaxis(array, axis, -1)
                return array[..., 0] if array.shape[-1] == 1 else array
    raise ValueError(
        f"its shape is {array.shape}, expected (height, width), (height, width, channels) or "
        "(channels, height, width) with 1, 3 or 4 channels."
    )


def _is_tensor(value: Any) -> "TypeGuard[torch.Tensor]":
    """Whether it is a PyTorch tensor. Does not import PyTorch, which somebody who has a tensor has imported."""
    return "torch" in sys.modules and isinstance(value, sys.modules["torch"].Tensor)


def _from_array(array: "np.ndarray | torch.Tensor") -> np.ndarray:
    """A NumPy array or tensor as an array of shape `(height, width)` or `(height, width, 3 or 4)`."""
    if not isinstance(array, np.ndarray):
        array = array.detach().cpu()
        # NumPy has no bfloat16.
        return _channels_last((array.float() if array.is_floating_point() else array).numpy(), channels_first=True)
    return _channels_last(array, channels_first=False)


def load_image(source: ImageSource) -> Image.Image:
    """
    Read one image as 8-bit RGB.

    Whatever PIL reads will do: EXIF orientation is applied, transparent images are laid on black, 16-bit values are
    divided by 257, and grey, palette, 1-bit and CMYK images are converted.

    Args:
        source (`str`, `Path`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`):
            Path or http(s) URL of an image file, or the image itself. Arrays and tensors have the shape `(height,
            width)`, `(height, width, channels)` or `(channels, height, width)` with 1, 3 or 4 channels (where both
            are possible, arrays are read channels last and tensors channels first), and hold booleans, integers in
            0..255, 16-bit unsigned integers or floats in 0..1.

    Returns:
        `PIL.Image.Image`: The image in mode "RGB".

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the URL cannot be fetched, if the file is no image, damaged or larger than PIL's decompression
            bomb limit, or if the values or the shape of an array cannot be understood. The message names the file.
        TypeError: If `source` is of another type.
    """
    with _naming(source):
        if isinstance(source, np.ndarray) or _is_tensor(source):
            image = Image.fromarray(np.ascontiguousarray(_to_bytes(_from_array(source))))
        elif isinstance(source, str | Path | Image.Image):
            image = _decode(source)
        else:
            raise TypeError(f"An image must be a path, a URL, a PIL image, an array or a tensor, not {type(source)}.")
        if image.mode in _DEEP_MODES:
            image = Image.fromarray(_to_bytes(_deep_values(image)))
        if image.has_transparency_data:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image.convert("RGBA"))
        return image.convert("RGB")


def load_mask(source: ImageSource) -> np.ndarray:
    """
    Read one mask.

    Args:
        source (`str`, `Path`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`):
            Path or http(s) URL of an image file, or the mask itself: booleans, 0/1, or grey values of which those
            above 127 belong to the mask.

    Returns:
        `np.ndarray`: Booleans of shape `(height, width)`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the URL cannot be fetched, if the file is no image or damaged, or if the values are neither 0/1
            nor reach above 127. The message names the file.
        TypeError: If `source` is of another type.
    """
    with _naming(source):
        if isinstance(source, np.ndarray) or _is_tensor(source):
            values = _from_array(source)
        elif isinstance(source, str | Path | Image.Image):
            image = _decode(source)
            values = np.asarray(image if image.mode in _DEEP_MODES else image.convert("L"))
        else:
            raise TypeError(f"A mask must be a path, a URL, a PIL image, an array or a tensor, not {type(source)}.")
        if values.ndim == 3:
            values = values[..., :3].max(axis=-1)
        highest = values.max()
        if highest <= 1:
            return values > 0.5
        if highest > 127:
            return values > 127
        raise ValueError(f"mask values reach up to {highest}, expected 0/1 or 0/255. Save it as 0 and 255.")


__all__ = ["ImageSource", "load_image", "load_mask", "name_source"]
