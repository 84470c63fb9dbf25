# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Images and masks of known content, a writer of TIFFs of every kind, and damage to files."""

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from .cases import Random


def scene(random: Random, bands: int, low: float, high: float, dtype: str = "uint8") -> np.ndarray:
    """Smooth bands of shape `(height, width, bands)` with sides of 32 to 64, which span `low` to `high` exactly."""
    height, width = random.integers(32, 65, 2)
    rows, columns = np.mgrid[0:height, 0:width]
    phase = 6.28 * random.random(bands)
    share = 0.5 + 0.5 * np.sin(rows[..., None] / 9 + columns[..., None] / 7 + phase)
    share = (share - share.min()) / (share.max() - share.min())
    values = low + share * (high - low)
    return values.astype(dtype) if np.dtype(dtype).kind == "f" else np.rint(values).astype(dtype)


def blobs(random: Random) -> np.ndarray:
    """A mask with sides of 16 to 48: one to three rectangles that neither fill nor leave it empty."""
    height, width = random.integers(16, 49, 2)
    mask = np.zeros((height, width), dtype=bool)
    for _ in range(random.integers(1, 4)):
        top, left = random.integers(0, height - 8), random.integers(0, width - 8)
        mask[top : top + random.integers(4, 8), left : left + random.integers(4, 8)] = True
    return mask


def encode(image: Image.Image, form: str, **options: Any) -> bytes:
    """An image file of a form that PIL writes."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def write_tiff(
    values: np.ndarray,
    photometric: int,
    extra: Sequence[int] = (),
    *,
    is_planar: bool = False,
    is_deflated: bool = False,
    is_big_endian: bool = False,
    nodata: str | None = None,
    orientation: int = 1,
    declared: tuple[int, int] | None = None,
) -> bytes:
    """
    A TIFF of one strip a plane, written from the specification alone, so that no reader's idea of it gets in.

    Args:
        values (`np.ndarray`): `(height, width, samples)`.
        photometric (`int`): 0 white is zero, 1 black is zero, 2 RGB.
        extra (`Sequence[int]`, *optional*): Kinds of the extra samples: 0 unspecified, 1 premultiplied, 2 alpha.
        is_planar, is_deflated, is_big_endian (`bool`, *optional*): How the samples are laid out.
        nodata (`str`, *optional*): As GDAL notes it.
        orientation (`int`, *optional*, defaults to 1): As EXIF numbers it.
        declared (`tuple[int, int]`, *optional*): Width and height that the file claims; by default the true ones.

    Returns:
        `bytes`: The file.
    """
    height, width, samples = values.shape
    order = ">" if is_big_endian else "<"
    content = values.astype(np.dtype(f"{order}{values.dtype.kind}{values.dtype.itemsize}"))
    planes = [content[..., index] for index in range(samples)] if is_planar else [content]
    strips = [np.ascontiguousarray(plane).tobytes() for plane in planes]
    strips = [zlib.compress(strip) for strip in strips] if is_deflated else strips
    bits, kind = 8 * values.dtype.itemsize, {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    wide, high = declared or (width, height)
    tags: dict[int, tuple[str, Sequence[Any]]] = {
        256: ("I", [wide]),
        257: ("I", [high]),
        258: ("H", [bits] * samples),
        259: ("H", [8 if is_deflated else 1]),
        262: ("H", [photometric]),
        274: ("H", [orientation]),
        277: ("H", [samples]),
        278: ("I", [high]),
        284: ("H", [2 if is_planar else 1]),
        339: ("H", [kind] * samples),
        279: ("I", [len(strip) for strip in strips]),
        273: ("I", [8 + sum(map(len, strips[:index])) for index in range(len(strips))]),
    }
    if extra:
        tags[338] = ("H", extra)
    if nodata is not None:
        tags[42113] = ("s", [nodata.encode() + b"\0"])
    return _tiff_file(order, b"".join(strips), tags)


def _tiff_file(order: str, data: bytes, tags: dict[int, tuple[str, Sequence[Any]]]) -> bytes:
    data += b"\0" * (len(data) % 2)
    start = 8 + len(data)
    behind = start + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, (form, content) in sorted(tags.items()):
        if form == "s":
            packed, count, number = content[0], len(content[0]), 2
        else:
            packed, count = struct.pack(f"{order}{len(content)}{form}", *content), len(content)
            number = {"H": 3, "I": 4}[form]
        if len(packed) <= 4:
            place = packed.ljust(4, b"\0")
        else:
            place = struct.pack(f"{order}I", behind + len(values))
            values += packed + b"\0" * (len(packed) % 2)
        entries += struct.pack(f"{order}HHI", tag, number, count) + place
    head = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(f"{order}I", start)
    return head + data + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + values


def cut(random: Random, data: bytes) -> bytes:
    """A file that ends too early, anywhere."""
    return data[: int(random.integers(0, len(data)))]


def flip(random: Random, data: bytes) -> bytes:
    """A file with one to eight wrong bits."""
    damaged = bytearray(data)
    for place in random.integers(0, len(data), random.integers(1, 9)):
        damaged[place] ^= 1 << int(random.integers(0, 8))
    return bytes(damaged)


def overwrite(random: Random, data: bytes) -> bytes:
    """A file with a run of zeros, of 255s or of noise in it."""
    start = int(random.integers(0, len(data)))
    length = int(random.integers(1, 1 + max(1, len(data) // 4)))
    filling = (bytes(length), b"\xff" * length, random.bytes(length))[random.integers(0, 3)]
    return data[:start] + filling + data[start + length :]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_size(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that claims a size, whatever it holds."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(data, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def size_claimed(random: Random, form: str, data: bytes, width: int, height: int) -> bytes | None:
    """A file of a form with another size in its header; `None` if it cannot be that large."""
    damaged = bytearray(data)
    if form == "PNG":
        return png_of_size(width, height, random.bytes(64))
    if form == "BMP":
        damaged[18:26] = struct.pack("<ii", min(width, 2**31 - 1), min(height, 2**31 - 1))
    elif form == "GIF" and max(width, height) < 1 << 16:
        damaged[6:10] = struct.pack("<HH", width, height)
    elif form == "JPEG" and max(width, height) < 1 << 16:
        start = data.find(b"\xff\xc0")
        if start < 0:
            return None
        damaged[start + 5 : start + 9] = struct.pack(">HH", height, width)
    else:
        return None
    return bytes(damaged)
