# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Binary masks with soft edges, from resizing or lossy formats. A JPEG of a mask has many values. To check which mask
it shows, the presumed mask is encoded with the quantisation tables of the file and compared with its content.
"""

import math
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from .image_files_mtrefseg import open_image
from .tiff_tags_mtrefseg import read_tags


WHITE, BLACK, MIDDLE = 224, 31, 127
"""
Values from the first one on count as white, and values up to the second one as black, apart from the noise of lossy
formats. Values above the third are foreground.
"""
JPEG_EDGE, JPEG_COLOUR_EDGE = 8, 17
"""JPEG changes values up to this distance from white: within its blocks of 8 pixels, or 16 pixels for colours."""
STRAY_SHARE = 0.01
"""At most this many pixels, as a share of the mask, may deviate from what a mask looks like."""

# With at most this many values, intermediate ones must be within this distance of both black and white pixels.
_FEW_VALUES, _SHARP_EDGE = 8, 2
_WIDEST_EDGE = 2  # as a multiple of the white pixels: small objects consist mostly of edges
# Values that differ by less than this within 5 x 5 pixels are no edge.
_FLAT, _FLAT_RADIUS = 40, 2
_FLAT_SHIFT, _SHIFTED_SHARE = 8, 0.06
# After saving twice, no square of 3 x 3 pixels is brighter than black by more than this everywhere.
_NOISE, _BRIGHTER_SHARE = 2, 0.005
_LOSSY_FORMATS = ("JPEG", "MPO", "AVIF", "HEIF")
_JPEG_IN_TIFF = (6, 7)
# Marker of a JPEG 2000 with its length, and the offset of the wavelet type after it.
_CODING_STYLE, _TRANSFORM = b"\xff\x52\x00", 13
_SMALLEST_DC = 8 * -128  # The value of JPEG for a block of black pixels, before quantisation.


@dataclass(frozen=True)
class Compression:
    """
    How a lossy format stored a mask.

    Args:
        table (`tuple[int, ...]`, *optional*): Quantisation table of a JPEG for brightness, in the order of Pillow;
            `None` for other formats.
    """

    table: tuple[int, ...] | None = None

    @property
    def black(self) -> int:
        """The value that black pixels have after decoding: 1 or 2 in JPEGs of moderate quality."""
        if self.table is None:
            return 0
        # Decoders round halves up.
        return max(0, math.floor(128.5 + self.table[0] * round(_SMALLEST_DC / self.table[0]) / 8))


def find_compression(source: Path | bytes | Image.Image) -> Compression | None:
    """
    Checks whether a mask comes from a lossy format. Must be called within `decoding`.

    Args:
        source (`Path`, `bytes` or `PIL.Image.Image`): A file, its content, or an image opened by PIL.

    Returns:
        [`Compression`], *optional*: `None` for lossless formats.
    """
    if isinstance(source, Image.Image):
        return _of_image(source)
    tags = read_tags(source)
    if tags is not None:
        return Compression() if tags.compression in _JPEG_IN_TIFF else None
    with open_image(source) as image:
        if image.format in ("WEBP", "JPEG2000"):
            content = source if isinstance(source, bytes) else source.read_bytes()
            is_lossy = b"VP8L" not in content[:64] if image.format == "WEBP" else _is_irreversible(content)
            return Compression() if is_lossy else None
        return _of_image(image)


def _is_irreversible(content: bytes) -> bool:
    """Whether a JPEG 2000 is lossy."""
    start = content.find(_CODING_STYLE)
    return 0 <= start < len(content) - _TRANSFORM and content[start + _TRANSFORM] == 0


def _of_image(image: Image.Image) -> Compression | None:
    if image.format not in _LOSSY_FORMATS and image.info.get("compression") != "jpeg":  # For TIFFs.
        return None
    table = tuple((getattr(image, "quantization", None) or {}).get(0, ()))
    return Compression(table if len(table) == 64 and all(0 < step < 256 for step in table) else None)


def read_soft(values: np.ndarray, edge: int = JPEG_EDGE, compression: Compression | None = None) -> np.ndarray | None:
    """
    Reads a black-and-white mask with soft edges.

    Args:
        values (`np.ndarray`): `(height, width)`, not negative; integers of up to 16 bits, or floats in 0..255.
        edge (`int`, *optional*, defaults to `JPEG_EDGE`): Maximum distance of the end of an edge from white, in
            pixels.
        compression ([`Compression`], *optional*): How it was stored, if it comes from a lossy format.

    Returns:
        `np.ndarray`, *optional*: Booleans, true above the middle; `None` if the values can have another meaning.
    """
    if 255 < values.max() <= np.iinfo(np.uint16).max:
        values = values / 257
    if not (WHITE <= values.max() <= 255 and values.min() <= BLACK):
        return None
    mask = values > MIDDLE
    background = _background(values)
    if compression is not None and compression.table is not None:
        again = _as_jpeg(np.where(mask, 255, 0), compression.table)
        changed = values.astype(np.int16) - again
        if int((changed != 0).sum()) <= STRAY_SHARE * int(mask.sum()):
            return mask
        # Masks that were resized or saved twice differ from the presumed mask by varying amounts along edges; classes
        # close to black differ by a constant.
        dark = (values <= BLACK) & _shifted(changed - (int(background) - int(_background(again))))
        if int(dark.sum()) > _SHIFTED_SHARE * int(mask.sum()):
            return None
        if int(_brighter(values, background, compression.table).sum()) > _BRIGHTER_SHARE * int(mask.sum()):
            return None
    held = np.unique(values)
    white = values >= WHITE
    if compression is None and len(held) <= _FEW_VALUES and (held >= WHITE).sum() == 1:
        # A lossy format would have spread the white as well.
        between = (values > held[0]) & (values < held[-1])
        near = spread(values == held[-1], _SHARP_EDGE) & spread(values == held[0], _SHARP_EDGE)
        # In lossless formats, a small object of another class is not an artefact.
        if (between & ~near).any():
            return None
    else:
        between = (values != background) & ~white
        near = spread(white, edge)
    grey = (values > BLACK) & ~white
    strays = int((between & ~near).sum()) + int((grey & _flat(values)).sum())
    is_thin = int(grey.sum()) <= _WIDEST_EDGE * int(white.sum())
    return mask if is_thin and strays <= STRAY_SHARE * int(white.sum()) else None


def _as_jpeg(values: np.ndarray, table: tuple[int, ...]) -> np.ndarray:
    """Encodes values in 0..255 as a JPEG."""
    file = BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(file, "JPEG", qtables=[list(table)])
    with Image.open(file) as image:
        return np.asarray(image)


def _background(values: np.ndarray) -> np.ndarray:
    """The most frequent black value."""
    held, counts = np.unique(values, return_counts=True)
    return held[np.argmax(counts * (held <= BLACK))]


def _brighter(values: np.ndarray, background: np.ndarray, table: tuple[int, ...]) -> np.ndarray:
    """Where dark values are higher than those that a JPEG of black would have, in a square of 3 x 3 pixels."""
    dark = values <= BLACK
    again = _as_jpeg(np.where(dark, 0, np.where(values >= WHITE, 255, values)), table).astype(np.int16)
    above = values - again - (int(background) - int(_background(again)))
    return dark & (_around(above, 1, np.minimum) > _NOISE)


def _shifted(changed: np.ndarray) -> np.ndarray:
    """Where values differ from those of the mask by about the same in a square of 3 x 3 pixels."""
    highest, lowest = _around(changed, 1, np.maximum), _around(changed, 1, np.minimum)
    return (highest - lowest <= _FLAT_SHIFT) & ((lowest > 0) | (highest < 0))


def _flat(values: np.ndarray) -> np.ndarray:
    """Pixels whose values hardly differ from their neighbours: classes rather than edges."""
    highest, lowest = _around(values, _FLAT_RADIUS, np.maximum), _around(values, _FLAT_RADIUS, np.minimum)
    return (highest - lowest < _FLAT) & (lowest > BLACK) & (highest < WHITE)


def spread(mask: np.ndarray, radius: int) -> np.ndarray:
    """
    Dilates a mask with a square.

    Args:
        mask (`np.ndarray`): Booleans of shape `(height, width)`.
        radius (`int`): In pixels.

    Returns:
        `np.ndarray`: Booleans of the same shape.
    """
    return _around(mask, radius, np.logical_or)


def _around(values: np.ndarray, radius: int, combine: np.ufunc) -> np.ndarray:
    """All values of the square around each pixel, combined."""
    found = values.copy()
    for axis in (0, 1):
        line, before = np.moveaxis(found, axis, 0), np.moveaxis(found.copy(), axis, 0)
        for step in range(1, min(radius, len(line) - 1) + 1):
            combine(line[step:], before[:-step], out=line[step:])
            combine(line[:-step], before[step:], out=line[:-step])
    return found


__all__ = ["BLACK", "JPEG_COLOUR_EDGE", "MIDDLE", "WHITE", "Compression", "find_compression", "read_soft", "spread"]
