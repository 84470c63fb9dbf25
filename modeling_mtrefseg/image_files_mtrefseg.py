# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Opens and decodes image files. TIFFs are interpreted by their tags, because Pillow treats any fourth band as
transparency and misreads some bit depths. This is the only module that turns the errors of decoders into an
[`ImageError`].
"""

import importlib
import math
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from .image_bands_mtrefseg import pick_bands, unsaid_nodata, valid_pixels
from .tiff_tags_mtrefseg import (
    COLOUR_MAP,
    GREY,
    OTHER_PAGES,
    RGB,
    YCBCR,
    TiffTags,
    collect_tags,
    has_narrow_palette,
    read_head,
    read_tags,
)


DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
"""Grey modes of more than 8 bits, which PIL would clip instead of scale."""

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JPEG_2000_BYTES = 1 << 16  # The description of the samples comes before them, but other boxes may precede it.
_LFS_POINTER = b"version https://git-lfs.github.c"  # This part of the head is compared.
_PNG = b"\x89PNG\r\n\x1a\n"
_CODE_STREAM = b"\xff\x4f\xff\x51"  # Start and size marker of a JPEG 2000 code stream.
_UNKNOWN_TO_PILLOW = "which PIL cannot decode; save it as 8-bit RGB"
_MISSING_RASTERIO = "for which rasterio is needed: pip install rasterio, or save it as 8-bit RGB"
# The highest of the upper eight bits where a sensor's 14 bits or fewer are stored in 16.
_DARK = 63
_MOST_BYTES = 4 << 30
_WARNINGS_LOCK = threading.Lock()
# Kinds and bits of samples that Pillow preserves.
_PILLOW_GREY = (("u", 8), ("u", 16), ("i", 16), ("i", 32), ("f", 32))
_PILLOW_BANDS = (("u", 8), ("u", 16))
_TURNS = {
    2: lambda values: values[:, ::-1],
    3: lambda values: values[::-1, ::-1],
    4: lambda values: values[::-1],
    5: lambda values: values.swapaxes(0, 1),
    6: lambda values: values.swapaxes(0, 1)[:, ::-1],
    7: lambda values: values[::-1, ::-1].swapaxes(0, 1),
    8: lambda values: values.swapaxes(0, 1)[::-1],
}


class ImageError(ValueError):
    """
    An image or a mask cannot be read.

    Args:
        name (`str`): The name of the image in the message.
        problem (`str`): What is wrong, and how to fix it.
        is_too_large (`bool`, *optional*, defaults to `False`): Whether it has more pixels than PIL decodes.
    """

    def __init__(self, name: str, problem: str, is_too_large: bool = False) -> None:
        super().__init__(f"Cannot read {name}: {problem}")
        self.name = name
        self.problem = problem
        self.is_too_large = is_too_large


class UnsupportedImageError(ImageError):
    """An image is intact, but its format is not supported, or needs a package that is not installed."""


class _UnsupportedKindError(Exception):
    """An [`ImageError`] before the name of the image is known."""


@dataclass
class Samples:
    """
    Values that are not 8-bit RGB yet.

    Args:
        values (`np.ndarray`): `(height, width, 1 or 3)`, of any real type.
        valid (`np.ndarray`): Booleans `(height, width)`, false where there is no data.
        alpha (`np.ndarray`, *optional*): Opacity `(height, width)`, 0 to 255.
        is_inverted (`bool`, *optional*, defaults to `False`): Whether 0 is white.
        is_file (`bool`, *optional*, defaults to `True`): Whether the values come from a file. Values of files may have
            any range; the creator of an array is asked to scale it.
        notes (`list[str]`): Notes for the user.
    """

    values: np.ndarray
    valid: np.ndarray
    alpha: np.ndarray | None = None
    is_inverted: bool = False
    is_file: bool = True
    notes: list[str] = field(default_factory=list)


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """
    Turns any error of a decoder in the block into an [`ImageError`] with this name. Decoders raise more than
    `OSError` on damaged files: `RuntimeError`, `NotImplementedError`, `SyntaxError`, `struct.error` and so on.

    Args:
        name (`str`): Name of the image in the message.

    Raises:
        FileNotFoundError: If there is no such file.
        ImageError: If the image cannot be read.
    """
    try:
        yield
    except ImageError:
        raise
    except _UnsupportedKindError as error:
        raise UnsupportedImageError(name, str(error)) from error
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no file {name}.") from error
    except Image.DecompressionBombError as error:
        raise ImageError(name, f"it is too large: {error} Shrink or cut it.", is_too_large=True) from error
    except UnidentifiedImageError as error:
        raise ImageError(name, "not an image that PIL can read") from error
    except MemoryError as error:
        raise ImageError(name, "there is not enough memory to decode it") from error
    except Exception as error:
        raise ImageError(name, _describe(error)) from error


def open_image(file: Path | bytes, formats: tuple[str, ...] | None = None) -> Image.Image:
    """
    Opens an image without decoding it. Must be called within [`decoding`].

    Args:
        file (`Path` or `bytes`): The file or its content.
        formats (`tuple[str, ...]`, *optional*): Only these formats (PIL's names), and HEIC.

    Returns:
        `PIL.Image.Image`: Must be closed by the caller; as a context manager it closes itself.
    """
    head = read_head(file)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        _register_heif()
        formats = None if formats is None else (*formats, "HEIF")
    try:
        return Image.open(BytesIO(file) if isinstance(file, bytes) else file, formats=formats)
    except UnidentifiedImageError:
        if not head:
            raise _UnsupportedKindError("it is empty") from None
        if head.startswith(_LFS_POINTER):
            raise _UnsupportedKindError("it is a Git LFS pointer: fetch the image with git lfs pull") from None
        tags = read_tags(file)
        if tags is None:
            raise
        advice = _MISSING_RASTERIO if _optional("rasterio") is None else _UNKNOWN_TO_PILLOW
        raise _UnsupportedKindError(f"it is {tags}, {advice}") from None


def load_upright(image: Image.Image) -> Image.Image:
    """
    Decodes an opened image. Must be called within [`decoding`].

    Args:
        image (`PIL.Image.Image`): The image.

    Returns:
        `PIL.Image.Image`: A copy, rotated according to its orientation.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        # If Pillow knows the path, it maps uncompressed samples into memory, in the wrong order if the orientation
        # swaps width and height.
        filename, image.filename = image.filename, ""
        try:
            image.load()
        finally:
            image.filename = filename
        if image.mode == "P" and has_narrow_palette(image.tag_v2):
            image.putpalette(np.reshape(image.tag_v2[COLOUR_MAP], (3, -1)).T.ravel().tolist())
    else:
        image.load()
    return ImageOps.exif_transpose(image)


def read_size(file: Path | bytes, formats: tuple[str, ...] | None = None) -> tuple[int, int]:
    """Width and height of a file as stored, from its header. Must be called within [`decoding`]; arguments as for
    [`open_image`]."""
    tags = read_tags(file)
    if tags is not None and (tags.is_deep or tags.has_extra_bands):
        return tags.width, tags.height
    with open_image(file, formats) as image:
        return image.size


def depth_of(file: Path | bytes) -> int:
    """Bits of the deepest sample of a file, from its header; 8 for formats that have no others. Must be called
    within [`decoding`]."""
    tags = read_tags(file)
    if tags is not None:
        return tags.bits
    head = read_head(file)
    if head.startswith(_PNG) and len(head) > 24:
        return head[24]
    if head[4:8] == b"jP  " or head.startswith(_CODE_STREAM):
        head = read_head(file, _JPEG_2000_BYTES)
        start = head.find(_CODE_STREAM)
        if 0 <= start < len(head) - 42:
            return (head[start + 42] & 0x7F) + 1
    return 8


def decode(file: Path | bytes, name: str, bands: Sequence[int] | None = None) -> Image.Image | Samples:
    """
    Decodes a file.

    Args:
        file (`Path` or `bytes`): The file or its content.
        name (`str`): Its name in messages.
        bands (`Sequence[int]`, *optional*): The bands to read if the file has several, see [`pick_bands`].

    Returns:
        `PIL.Image.Image` or [`Samples`]: An image of at most 8 bits (or of a mode in `DEEP_MODES`), upright according
        to its EXIF orientation; or the chosen bands if PIL cannot represent them.

    Raises:
        FileNotFoundError: If there is no such file.
        ImageError: If it cannot be read.
    """
    with decoding(name):
        tags = read_tags(file)
        if tags is not None and tags.has_other_pages:
            raise UnsupportedImageError(name, OTHER_PAGES)
        if tags is not None and (tags.is_deep or tags.has_extra_bands or not tags.is_known_to_pillow):
            return _decode_bands(file, name, tags, bands)
        # Pillow does not read masks.
        if tags is not None and tags.has_mask and _is_colour(tags) and tags.bits == 8 and _optional("rasterio"):
            return _decode_bands(file, name, tags, bands)
        if tags is None and depth_of(file) > 8:
            return _decode_deep(file, name, bands)
        if tags is None:
            _check_png(file)
        with open_image(file) as opened:
            image = load_upright(opened)
        if tags is not None and tags.nodata is not None and image.mode in ("L", "P", "RGB"):
            # If 0 is white, Pillow has inverted the samples, but not their value for "no data".
            is_inverted = tags.photometric == 0 and image.mode == "L"
            return _without_nodata(image, 255 - tags.nodata if is_inverted else tags.nodata, bands)
        # A fourth component of a JPEG 2000 is transparency if the file defines it so.
        if opened.format == "JPEG2000" and image.mode == "RGBA" and b"cdef" not in read_head(file, _JPEG_2000_BYTES):
            return _first_bands(image, name, 4, None)
        return image


def check_opened(image: Image.Image, name: str) -> Image.Image | Samples:
    """
    Checks an image that the caller opened with PIL, which ignores some tags of TIFFs.

    Args:
        image (`PIL.Image.Image`): The image.
        name (`str`): Its name in messages.

    Returns:
        `PIL.Image.Image` or [`Samples`]: The image, upright, without a fourth band that was read as transparency.

    Raises:
        ImageError: If PIL has misread it, or it is damaged.
    """
    with decoding(name):
        upright = load_upright(image)
        if not isinstance(image, TiffImagePlugin.TiffImageFile):
            return upright
        tags = collect_tags(image.tag_v2)
        if upright.mode in DEEP_MODES and tags.photometric == 0:  # Pillow only inverts those of 8 bits.
            values = np.asarray(upright)[..., None]
            return Samples(values, valid_pixels(values, tags.nodata), is_inverted=True)
        if image.mode in ("LA", "RGB", "RGBA", "RGBX") and (tags.is_deep or tags.has_extra_bands):
            return _pillow_bands(upright, name, tags, "give its path instead of the opened image")
        return upright


def _decode_bands(file: Path | bytes, name: str, tags: TiffTags, bands: Sequence[int] | None) -> Image.Image | Samples:
    """Reads a TIFF with extra samples, or with more than 8 bits."""
    if not _is_colour(tags) or tags.kind == "?":
        problem = f"it is {tags}, of photometric kind {tags.photometric}; save it as 8-bit RGB"
        raise UnsupportedImageError(name, problem)
    rasterio = _optional("rasterio")
    if rasterio is not None:
        return _read_raster(rasterio, file, name, "GTiff", bands, tags)
    is_known = (tags.kind, tags.bits) in (_PILLOW_BANDS if tags.samples > 1 else _PILLOW_GREY)
    if not is_known or (tags.samples > 1 and bands is not None):
        raise UnsupportedImageError(name, f"it is {tags}, {_MISSING_RASTERIO}")
    with open_image(file) as opened:
        image = load_upright(opened)
    if tags.samples > 1:
        return _pillow_bands(image, name, tags, _MISSING_RASTERIO)
    values = np.asarray(image)[..., None]
    return Samples(values, valid_pixels(values, tags.nodata), is_inverted=tags.photometric == 0)


def _is_colour(tags: TiffTags) -> bool:
    """Whether rasterio gives grey values, or red, green and blue."""
    return tags.photometric in (RGB, *GREY) or (tags.photometric == YCBCR and tags.bits == 8)


def _pillow_bands(image: Image.Image, name: str, tags: TiffTags, advice: str) -> Samples:
    """Pillow's result for several bands, if it is correct: it divides by what it reads as alpha, mixes planar bands
    of 16 bits, and only keeps the upper eight of 16 bits."""
    is_mixed = tags.is_deep and tags.is_planar and tags.compression == 1
    if 1 in tags.extra or is_mixed or image.mode not in ("L", "LA", "RGB", "RGBA", "RGBX"):
        raise UnsupportedImageError(name, f"it is {tags}, which Pillow misreads; {advice}")
    samples = _first_bands(image, name, tags.samples, None if tags.is_deep else tags.nodata)
    if tags.is_deep and samples.values.max() <= _DARK:
        lost = "but Pillow only keeps the upper eight, which are nearly black"
        raise UnsupportedImageError(name, f"it is {tags}, {lost}; {advice}")
    return samples


def _first_bands(image: Image.Image, name: str, count: int, nodata: float | None) -> Samples:
    """Red, green and blue, or grey, from PIL's result for several bands."""
    order = pick_bands(count)
    values = np.atleast_3d(np.asarray(image))[..., list(order)]
    samples = Samples(values, valid_pixels(values, nodata))
    _say_bands(samples, name, count, order)
    return samples


def _decode_deep(file: Path | bytes, name: str, bands: Sequence[int] | None) -> Image.Image | Samples:
    """Reads a PNG or JPEG 2000 of more than 8 bits; with several channels Pillow only keeps the upper eight bits."""
    rasterio = _optional("rasterio")
    with open_image(file) as opened:
        is_png, mode, orientation = (
            opened.format == "PNG",
            opened.mode,
            opened.getexif().get(ExifTags.Base.Orientation),
        )
        hidden = opened.info.get("transparency")
        if rasterio is None or (is_png and mode in DEEP_MODES):
            return _checked_deep(load_upright(opened), name, depth_of(file), is_png)
    driver = "PNG" if is_png else "JP2OpenJPEG"
    has_alpha = mode in ("LA", "RGBA") and (is_png or b"cdef" in read_head(file, _JPEG_2000_BYTES))
    samples = _read_raster(rasterio, file, name, driver, bands, None, has_alpha)
    if isinstance(hidden, tuple) and bands is None:  # The colour that a PNG declares as transparent.
        samples.valid &= (samples.values != np.asarray(hidden, dtype=samples.values.dtype)).any(axis=-1)
    return _turned(samples, orientation)


def _checked_deep(image: Image.Image, name: str, bits: int, is_png: bool) -> Image.Image | Samples:
    """Pillow's result for more than 8 bits, if it has kept enough of them."""
    if image.mode in DEEP_MODES and not is_png:
        values = np.asarray(image)[..., None] >> (16 - bits)  # Pillow scales JPEG 2000 to 16 bits.
        return Samples(values, valid_pixels(values))
    if image.mode not in DEEP_MODES and np.asarray(image.convert("RGB")).max() <= _DARK:
        problem = f"it has {bits} bits per sample, but Pillow only keeps the upper eight, which are nearly black"
        raise UnsupportedImageError(name, f"{problem}; pip install rasterio, or save it as 8-bit RGB")
    return image


def _read_raster(
    rasterio: Any,
    file: Path | bytes,
    name: str,
    driver: str,
    bands: Sequence[int] | None,
    tags: TiffTags | None,
    has_alpha: bool = False,
) -> Samples:
    """Reads the chosen bands with rasterio."""
    # Interleaved bands are decoded together, even if only some of them are needed.
    if tags is not None and tags.width * tags.height * tags.samples * tags.bits > 8 * _MOST_BYTES:
        raise Image.DecompressionBombError(f"it is {tags}, more than {_MOST_BYTES >> 30} GiB.")
    with _opened_raster(rasterio, file, driver) as dataset:
        count = dataset.count - 1 if has_alpha else dataset.count
        order = pick_bands(count, bands)
        if any(not np.issubdtype(np.dtype(kind), np.number) or "complex" in kind for kind in dataset.dtypes):
            raise UnsupportedImageError(name, f"its bands are of type {dataset.dtypes[0]}; save it as 8-bit RGB")
        values = np.moveaxis(dataset.read([index + 1 for index in order]), 0, -1)
        masked = dataset.read_masks(1) == 0 if tags is not None and tags.has_mask else None
        alpha = dataset.read(count + 1) if has_alpha else None
    if alpha is not None:
        alpha = ((alpha.astype(np.uint32) + 128) // 257).astype(np.uint8)
    nodata = None if tags is None else tags.nodata
    valid = valid_pixels(values, nodata)
    # Many programs declare NaN but store another value, or declare a rounded one.
    unsaid = unsaid_nodata(values) if nodata is None or math.isnan(nodata) or valid.all() else None
    if unsaid is not None:
        valid = valid_pixels(values, unsaid)
    if masked is not None:
        valid &= ~masked
    samples = Samples(values, valid, alpha)
    _say_bands(samples, name, count, order)
    if unsaid is not None:
        samples.notes.append(f"{name}: {unsaid:g} is treated as nodata, although the file does not declare it")
    if tags is None:
        return samples
    samples.is_inverted = tags.photometric == 0
    return _turned(samples, tags.orientation)


@contextmanager
def _opened_raster(rasterio: Any, file: Path | bytes, driver: str) -> Iterator[Any]:
    """A file opened by rasterio, unless it has more pixels than PIL decodes."""
    # From memory, because GDAL interprets some paths as URLs and looks for other files next to the image.
    content = file if isinstance(file, bytes) else file.read_bytes()
    with rasterio.io.MemoryFile(content) as memory:
        with _WARNINGS_LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # A warning that the image is not georeferenced.
            dataset = memory.open(driver=driver)
        with dataset:
            limit = Image.MAX_IMAGE_PIXELS
            if limit is not None and dataset.width * dataset.height > 2 * limit:
                raise Image.DecompressionBombError(f"it has {dataset.width * dataset.height} pixels.")
            yield dataset


def _say_bands(samples: Samples, name: str, count: int, order: Sequence[int]) -> None:
    """Notes which bands were dropped."""
    left = [index + 1 for index in range(count) if index not in order]
    if left:
        shown = f"bands {', '.join(str(index + 1) for index in order)} are read as RGB"
        if len(order) == 1:
            shown = f"band {order[0] + 1} is read as grey"
        numbers = f"band {left[0]} is" if len(left) == 1 else f"bands {', '.join(map(str, left))} are"
        samples.notes.append(f"{name} has {count} bands: {shown}, {numbers} left out")


def _turned(samples: Samples, orientation: int | None) -> Samples:
    """Rotates according to an EXIF orientation."""
    turn = _TURNS.get(orientation or 1)
    if turn is not None:
        samples.values, samples.valid = turn(samples.values), turn(samples.valid)
        samples.alpha = None if samples.alpha is None else turn(samples.alpha)
    return samples


def _check_png(file: Path | bytes) -> None:
    """Compares the checksums of a PNG, which Pillow does not do for pixels: damaged data would be read as a different
    image."""
    with BytesIO(file) if isinstance(file, bytes) else file.open("rb") as stream:
        if stream.read(len(_PNG)) != _PNG:
            return
        while len(head := stream.read(8)) == 8 and head[4:] != b"IEND":
            left, checksum = int.from_bytes(head[:4], "big"), zlib.crc32(head[4:])
            while left and (block := stream.read(min(left, 1 << 20))):
                left, checksum = left - len(block), zlib.crc32(block, checksum)
            stored = stream.read(4)
            if not head[4:5].isupper():  # It contains no pixels.
                continue
            if len(stored) < 4:
                raise OSError("it is truncated, or the length of a part is wrong")
            if int.from_bytes(stored, "big") != checksum:
                raise OSError("it is damaged: a checksum is wrong")


def _without_nodata(image: Image.Image, nodata: float, bands: Sequence[int] | None) -> Image.Image | Samples:
    """The image; if all bands of some pixels are nodata, its samples, which say where."""
    values = np.atleast_3d(np.asarray(image))
    valid = valid_pixels(values, nodata)
    if valid.all():
        return image
    if image.mode == "P":
        values = np.asarray(image.convert("RGB"))
    return Samples(values[..., list(pick_bands(values.shape[-1], bands))], valid)


def _optional(package: str) -> Any:
    """Imports a package that may be missing."""
    try:
        if package == "rasterio":
            importlib.import_module("rasterio.io")
        return importlib.import_module(package)
    except ImportError:
        return None


def _register_heif() -> None:
    """Lets PIL open HEIC files."""
    pillow_heif = _optional("pillow_heif")
    if pillow_heif is None:
        raise _UnsupportedKindError("HEIC needs pillow-heif: pip install pillow-heif, or save it as JPEG or PNG")
    pillow_heif.register_heif_opener()


def _describe(error: Exception) -> str:
    """The message of an error without the path of the file."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, struct.error | IndexError | KeyError):
        return f"it is damaged ({type(error).__name__}: {error})"
    return " ".join(str(error).split()) or type(error).__name__


__all__ = [
    "DEEP_MODES",
    "ImageError",
    "Samples",
    "UnsupportedImageError",
    "check_opened",
    "decode",
    "decoding",
    "depth_of",
    "load_upright",
    "open_image",
    "read_size",
]
