# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reading of images: files, URLs, PIL images, arrays and tensors become 8-bit RGB."""

import logging
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeGuard, Union

import numpy as np
from PIL import Image

from .image_bands_mtrefseg import (
    Stretch,
    apply_limits,
    check_stretch,
    known_depth,
    percentile_limits,
    pick_bands,
    valid_pixels,
)
from .image_files_mtrefseg import DEEP_MODES, ImageError, Samples, check_opened, decode, decoding


if TYPE_CHECKING:
    import torch

ImageSource: TypeAlias = Union[str, Path, bytes, Image.Image, np.ndarray, "torch.Tensor"]
StretchOption: TypeAlias = Stretch | Literal["auto"] | None

# An image is "nearly black" if 99 % of its pixels are at most this bright, and "flat" if they differ by no more than
# this.
_BLACK, _FLAT = 10, 2
_SMALLEST_JUDGED = 32  # side in pixels
CHECKED = "mtrefseg_checked"
"""Entry of `info` of an image that was read here or belongs to one: no second warning is given for it."""

logger = logging.getLogger(__name__)


def name_source(source: ImageSource) -> str:
    """The name of an image in error messages: its path or URL, or its type."""
    return f"'{source}'" if isinstance(source, str | Path) else f"the given {type(source).__name__}"


def is_url(source: object) -> TypeGuard[str]:
    """Whether an image is downloaded: its source is an http(s) URL."""
    return isinstance(source, str) and source.startswith(("http://", "https://"))


def decode_source(
    source: ImageSource, name: str, bands: Sequence[int] | None = None
) -> Image.Image | Samples | np.ndarray:
    """
    Decodes any kind of source without scaling its values to 0 to 255.

    Args:
        source (`str`, `Path`, `bytes`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`): The source.
        name (`str`): Its name in messages.
        bands (`Sequence[int]`, *optional*): The bands to read if the file has several.

    Returns:
        `PIL.Image.Image` or [`Samples`]: As from [`decode`]; for an array or a tensor, an `np.ndarray` of shape
        `(height, width)` or `(height, width, 3 or 4)`.

    Raises:
        FileNotFoundError: If there is no such file.
        ImageError: If it cannot be read.
        TypeError: If `source` is of another type.
    """
    if isinstance(source, np.ndarray) or _is_tensor(source):
        return _from_array(source, name)
    if isinstance(source, Image.Image):
        return check_opened(source, name)
    if is_url(source):
        from .image_download_mtrefseg import download_image  # Imported here, since it needs the HTTP client.

        with decoding(name):
            return decode(download_image(source), name, bands)
    if isinstance(source, str | Path):
        return decode(Path(source), name, bands)
    if isinstance(source, bytes):
        return decode(source, name, bands)
    raise TypeError(f"An image must be a path, a URL, bytes, a PIL image, an array or a tensor, not {type(source)}.")


def read_images(
    sources: Sequence[ImageSource],
    names: Sequence[str] | None = None,
    bands: Sequence[int] | None = None,
    stretch: StretchOption = "auto",
) -> tuple[list[Image.Image], list[str]]:
    """
    Reads images that belong together as 8-bit RGB, see [`load_images`].

    Args:
        sources (`Sequence[ImageSource]`): The images.
        names (`Sequence[str]`, *optional*): Their names in messages; by default their paths or types.
        bands, stretch: See [`load_image`]. Images of the same type and number of bands have the same limits, unless
            `stretch.each` is set.

    Returns:
        `list[PIL.Image.Image]`: The images in mode "RGB".
        `list[str]`: Notes about them, one line each: dropped bands, a stretch, an image that
        is nearly black or flat, pixels that are black in all because they are missing in one.

    Raises:
        FileNotFoundError, ImageError, TypeError, ValueError: As [`load_image`].
    """
    check_stretch(stretch)
    names = [name_source(source) for source in sources] if names is None else names
    decoded = [_prepare(source, name, bands) for source, name in zip(sources, names, strict=True)]
    missing = [~each.valid if isinstance(each, Samples) else None for each in decoded]
    shown, notes = _render_together(decoded, names, stretch)
    images = []
    for index, (source, name, each) in enumerate(zip(sources, names, shown, strict=True)):
        with decoding(name):
            image, hidden = _to_rgb(each)
        missing[index] = _joined(missing[index], hidden)
        is_checked = isinstance(source, Image.Image) and source.info.get(CHECKED)
        if not is_checked and (dullness := describe_dullness(image)):
            notes.append(f"{name} is {dullness}; check its bit depth and bands")
        images.append(image)
    images, said = _black_in_all(images, missing, names)
    for image in images:
        image.info[CHECKED] = True
    return images, notes + said


def load_image(
    source: ImageSource, bands: Sequence[int] | None = None, stretch: StretchOption = "auto"
) -> Image.Image:
    """
    Read one image as 8-bit RGB. For the two images of a pair use [`load_images`], which treats both alike.

    All formats of PIL are supported, and with rasterio further kinds of TIFF, PNG and JPEG 2000. EXIF orientation
    is applied, transparent images are composited on black, and grey, palette, 1-bit and CMYK images are converted. In
    a TIFF, the first three bands are read as RGB, whatever the tag of the fourth one. Pixels without data are black.

    Args:
        source (`str`, `Path`, `bytes`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`):
            Path or http(s) URL of an image file, its content, or the image itself. Arrays and tensors have the shape
            `(height, width)`, `(height, width, channels)` or `(channels, height, width)` with 1, 3 or 4 channels
            (if both are possible, arrays are read channels last and tensors channels first), and contain booleans,
            integers in 0..255, 16-bit unsigned integers or floats in 0..1. Masked pixels of a masked array are without
            data.
        bands (`Sequence[int]`, *optional*):
            Numbers, from 1, of the one band or the three bands that are read as grey or as red, green and blue.
        stretch ([`Stretch`], `"auto"` or `None`, *optional*, defaults to `"auto"`):
            How samples of more than 8 bits are converted. With `"auto"`, 16-bit samples that never exceed 8 bits are
            kept; if they never exceed 10, 11, 12 or 14 bits, they are stretched between two percentiles; all others
            are divided by 257. Floats in 0..1 are multiplied by 255; from a file, floats of another range or of which
            none exceeds 0.5, and signed integers, are stretched. With `None` nothing is stretched. A stretch is
            logged in one line, and so are dropped bands, and images that are nearly black or flat.

    Returns:
        `PIL.Image.Image`: The image in mode "RGB".

    Raises:
        FileNotFoundError: If there is no such file.
        ImageError: A `ValueError`. If the URL cannot be fetched, if the file is not an image, is damaged, exceeds
            PIL's decompression bomb limit or needs rasterio, if the bands do not exist, or if the values or the
            shape of an array cannot be interpreted. The message names the file.
        TypeError: If `source` is of another type.
        ValueError: If `stretch` is none of these.
    """
    return load_images([source], bands, stretch)[0]


def load_images(
    sources: Sequence[ImageSource], bands: Sequence[int] | None = None, stretch: StretchOption = "auto"
) -> list[Image.Image]:
    """
    Read images that belong together as [`load_image`] does, with the same stretch if they are of the same type, and
    log notes about them. If they have one size, pixels that are transparent or without data in one are black in all.

    Args:
        sources (`Sequence[ImageSource]`): The images, for instance t1 and t2.
        bands, stretch: See [`load_image`].

    Returns:
        `list[PIL.Image.Image]`: The images in mode "RGB", in the same order.

    Raises:
        FileNotFoundError, ImageError, TypeError: As [`load_image`].
    """
    images, notes = read_images(sources, bands=bands, stretch=stretch)
    for note in notes:
        _warn_once(note)
    return images


@cache
def _warn_once(note: str) -> None:
    """Logs a warning only once."""
    logger.warning(note)


def _prepare(source: ImageSource, name: str, bands: Sequence[int] | None) -> Image.Image | Samples:
    """An image of at most 8 bits, or samples of the requested bands."""
    decoded = decode_source(source, name, bands)
    if isinstance(decoded, Samples):
        return decoded
    if isinstance(decoded, Image.Image):
        if decoded.mode in DEEP_MODES:
            values, hidden = _deep_values(decoded)[..., None], decoded.info.get("transparency")
            return Samples(values, valid_pixels(values, hidden if isinstance(hidden, int) else None))
        return decoded if bands is None else _choose_channels(decoded, name, bands)
    if decoded.dtype == np.bool_:
        decoded = decoded.astype(np.uint8) * 255
    if decoded.dtype == np.uint8 and not np.ma.is_masked(decoded):
        image = Image.fromarray(np.ascontiguousarray(decoded))
        return image if bands is None else _choose_channels(image, name, bands)
    values = np.atleast_3d(decoded)
    valid = np.asarray(~np.ma.getmaskarray(values).all(axis=-1))
    values = np.ma.getdata(values)
    if bands is not None:
        with decoding(name):
            values = values[..., list(pick_bands(values.shape[-1], bands))]
    return Samples(values, valid, is_file=False)


def _choose_channels(image: Image.Image, name: str, bands: Sequence[int]) -> Image.Image:
    """Channels of an ordinary image, as if they were bands."""
    channels = [image] if image.mode in ("1", "L") else list(image.convert("RGB").split())
    with decoding(name):
        chosen = [channels[index].convert("L") for index in pick_bands(len(channels), bands)]
    return chosen[0] if len(chosen) == 1 else Image.merge("RGB", chosen)


def _render_together(
    decoded: Sequence[Image.Image | Samples], names: Sequence[str], stretch: StretchOption
) -> tuple[list[Image.Image], list[str]]:
    """Converts the samples among images that belong together to images of 8 bits, those of the same type and number of
    bands with the same limits; also returns notes about it."""
    is_each = isinstance(stretch, Stretch) and stretch.each
    images = {index: each for index, each in enumerate(decoded) if isinstance(each, Image.Image)}
    samples = {index: each for index, each in enumerate(decoded) if isinstance(each, Samples)}
    groups: dict[object, list[int]] = {}
    for index, each in samples.items():
        groups.setdefault(index if is_each else (each.values.dtype, each.values.shape[-1]), []).append(index)
    notes = [note for each in samples.values() for note in each.notes]
    for group in groups.values():
        rendered, said = _render([samples[index] for index in group], [names[index] for index in group], stretch)
        images |= zip(group, rendered, strict=True)
        notes += said
    return [images[index] for index in range(len(decoded))], notes


def _render(
    members: Sequence[Samples], names: Sequence[str], stretch: StretchOption
) -> tuple[list[Image.Image], list[str]]:
    """Converts samples of the same type to images of 8 bits; also returns notes about it."""
    name, dtype, (low, high) = " and ".join(names), members[0].values.dtype, _span(members)
    is_file = all(member.is_file for member in members)
    scale = _plain_scale(dtype, low, high, stretch, is_file)
    if scale is not None:
        is_narrow = dtype == np.uint16 and scale == 1 and high > 0
        said = f"{name}: the 16-bit values span {low} to {high} and are read as 8-bit values"
        return [_to_image(member, _scaled(member.values, scale)) for member in members], [said] if is_narrow else []
    if not isinstance(stretch, Stretch) and (stretch is None or (not is_file and dtype != np.uint16)):
        raise ImageError(
            name,
            f"its {dtype} values span {low} to {high}, expected 0 to {1 if dtype.kind == 'f' else 255}. "
            "Rescale them, or cast them to uint8 (0 to 255) or uint16 (0 to 65535), or ask for a stretch.",
        )
    wanted = stretch if isinstance(stretch, Stretch) else Stretch()
    limits = percentile_limits([(member.values, member.valid) for member in members], wanted)
    spans = ", ".join(f"{start:g} to {end:g}" for start, end in limits)
    bits = f" ({known_depth(high)} bits)" if dtype == np.uint16 and known_depth(high) else ""
    together = " of both together" if len(members) == 2 else ""
    said = (
        f"{name}: the {dtype} values span {low:g} to {high:g}{bits} and are stretched: percentiles {wanted.low:g} and "
        f"{wanted.high:g} of all pixels{together} ({spans}) become 0 and 255"
    )
    return [_to_image(member, apply_limits(member.values, limits)) for member in members], [said]


def _plain_scale(dtype: np.dtype, low: float, high: float, stretch: StretchOption, is_file: bool) -> float | None:
    """The factor that scales samples to 0 to 255 if they are not stretched."""
    if dtype == np.uint8:
        return 1
    if isinstance(stretch, Stretch):
        return None
    if dtype == np.uint16:
        depth = known_depth(high) if stretch == "auto" else None
        return 1 / 257 if depth is None else 1 if depth == 8 else None
    if dtype.kind == "f":
        # Reflectances in a file seldom exceed a half, and would be dark.
        is_dark = is_file and stretch == "auto" and 0 < high <= 0.5
        return 255 if low >= 0 and high <= 1 and not is_dark else None
    return 1 if low >= 0 and high <= 255 else None


def _span(members: Sequence[Samples]) -> tuple[float, float]:
    """The lowest and the highest sample. If an array contains NaN, both are NaN, and every comparison is false."""
    lows, highs = [], []
    for member in members:
        values = member.values[member.valid]
        if member.is_file and values.dtype.kind == "f":
            values = values[np.isfinite(values)]
        if values.size:
            lows.append(values.min())
            highs.append(values.max())
    return (np.min(lows), np.max(highs)) if lows else (0, 0)


def _scaled(values: np.ndarray, scale: float) -> np.ndarray:
    """Multiplies values by a factor and rounds them to bytes."""
    if scale == 1:
        return np.nan_to_num(values).astype(np.uint8)
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.rint(np.nan_to_num(values) * scale).astype(np.uint8)


def _to_image(samples: Samples, values: np.ndarray) -> Image.Image:
    """The image of scaled samples, black where there is no data."""
    if samples.is_inverted:
        values = 255 - values
    values[~samples.valid] = 0
    if samples.alpha is not None:
        values = np.concatenate([values, samples.alpha[..., None]], axis=-1)
    return Image.fromarray(np.ascontiguousarray(values[..., 0] if values.shape[-1] == 1 else values))


def _deep_values(image: Image.Image) -> np.ndarray:
    """Values of an image in one of `DEEP_MODES`; 16-bit ones, which PIL may store as 32-bit integers, as `uint16`."""
    values = _native(np.asarray(image))
    is_16_bit = values.dtype == np.int32 and values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max
    return values.astype(np.uint16) if is_16_bit else values


def _to_rgb(image: Image.Image) -> tuple[Image.Image, np.ndarray | None]:
    """The image in mode "RGB", composited on black where it is transparent; and where it is completely transparent,
    `None` if it cannot be."""
    if not image.has_transparency_data:
        return image.convert("RGB"), None
    image = image.convert("RGBA")
    shown = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image).convert("RGB")
    return shown, np.asarray(image.getchannel("A")) == 0


def _joined(hole: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    """What is missing for one reason or another."""
    return other if hole is None else hole if other is None else hole | other


def _black_in_all(
    images: list[Image.Image], missing: Sequence[np.ndarray | None], names: Sequence[str]
) -> tuple[list[Image.Image], list[str]]:
    """Makes what is missing in one of several images black in all, so that it does not look like a change; also
    returns a note about it. Images of different sizes stay as they are."""
    holes = [hole for hole in missing if hole is not None and hole.any()]
    if not holes or len({image.size for image in images}) > 1:
        return images, []
    union = np.logical_or.reduce(holes)
    if all(hole is not None and np.array_equal(hole, union) for hole in missing):
        return images, []
    share = f"{max(1, round(100 * union.mean()))} %"
    note = (
        f"{' and '.join(names)}: {share} of the pixels are transparent or without data in one of them, and are made "
        "black in all"
    )
    return [Image.fromarray(np.where(union[..., None], np.uint8(0), np.asarray(image))) for image in images], [note]


def describe_dullness(image: Image.Image, valid: Image.Image | None = None) -> str:
    """
    Checks whether an image shows almost nothing.

    Args:
        image (`PIL.Image.Image`): The image, RGB.
        valid (`PIL.Image.Image`, *optional*): Its pixels with data, mode "1"; by default all.

    Returns:
        `str`: "nearly black: ..." or "flat: ..."; "" for any other image, and for one with a side under 32 pixels, or
        with data in fewer than 32 x 32 pixels.
    """
    below = np.cumsum(image.convert("L").histogram(valid))
    if min(image.size) < _SMALLEST_JUDGED or below[-1] < _SMALLEST_JUDGED**2:
        return ""
    dark, bright = (int(np.searchsorted(below, share * below[-1])) for share in (0.01, 0.99))
    if bright <= _BLACK:
        return f"nearly black: 99 of 100 pixels are at most {bright} of 255"
    return f"flat: 98 of 100 pixels are {dark} to {bright} of 255" if bright - dark <= _FLAT else ""


def _channels_last(array: np.ndarray, channels_first: bool, name: str) -> np.ndarray:
    """View an image of shape `(height, width)`, `(height, width, channels)` or `(channels, height, width)` as the
    first or second of these. `channels_first` decides where both of the last two readings are possible."""
    if array.ndim == 2 and array.size:
        return array
    if array.ndim == 3 and array.size:
        for axis in (0, -1) if channels_first else (-1, 0):
            if array.shape[axis] in (1, 3, 4):
                array = np.moveaxis(array, axis, -1)
                return array[..., 0] if array.shape[-1] == 1 else array
    raise ImageError(
        name,
        f"its shape is {array.shape}, expected (height, width), (height, width, channels) or "
        "(channels, height, width) with 1, 3 or 4 channels.",
    )


def _is_tensor(value: Any) -> "TypeGuard[torch.Tensor]":
    """
    Whether a value is a PyTorch tensor. Does not import PyTorch: a caller who passes a tensor has already imported it.
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _from_array(array: "np.ndarray | torch.Tensor", name: str) -> np.ndarray:
    """A NumPy array or tensor as an array of shape `(height, width)` or `(height, width, 3 or 4)`."""
    if not isinstance(array, np.ndarray):
        array = array.detach().cpu()
        # NumPy has no bfloat16.
        array = (array.float() if array.is_floating_point() else array).numpy()
        return _channels_last(array, channels_first=True, name=name)
    if array.dtype.kind not in "biuf":
        raise ImageError(name, f"its values are of type {array.dtype}, expected booleans, integers or floats.")
    return _channels_last(_native(array), channels_first=False, name=name)


def _native(array: np.ndarray) -> np.ndarray:
    """The same values in the byte order of this machine: NumPy has another `dtype` for each, as for another type."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


__all__ = [
    "CHECKED",
    "ImageSource",
    "StretchOption",
    "decode_source",
    "describe_dullness",
    "is_url",
    "load_image",
    "load_images",
    "name_source",
    "read_images",
]
