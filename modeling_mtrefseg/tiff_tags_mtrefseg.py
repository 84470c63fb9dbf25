# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads the tags that define the samples of a TIFF. PIL's modes do not distinguish extra bands from transparency.
"""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import TiffImagePlugin


# Photometric interpretations, and how many samples each has.
GREY, RGB, _PALETTE, _INKS, YCBCR, _LAB = ((0, 1), 2, 3, 5, 6, 8)
_PHOTOMETRIC_SAMPLES = {0: 1, 1: 1, RGB: 3, _PALETTE: 1, _INKS: 4, YCBCR: 3, _LAB: 3}
_SAMPLE_FORMATS = {1: "u", 2: "i", 3: "f"}
_JPEG, _WEBP = (6, 7), 50001  # Compressions.
COLOUR_MAP = 320
OTHER_PAGES = "it has several pages of the same size; save the one that you need as a separate file"

_PIXEL_SCALE, _TIE_POINTS, _MATRIX = 33550, 33922, 34264  # Tags of GeoTIFF.
_HEAD_BYTES = 32
_MOST_PAGES = 64
_OVERVIEW_OR_MASK, _MASK, _REDUCED = 0b101, 0b100, 2  # Values of the tags 254 and 255.


@dataclass(frozen=True)
class TiffTags:
    """
    The tags of a TIFF that define the meaning of its samples.

    Args:
        width, height (`int`): In pixels, as stored.
        samples (`int`): Samples a pixel.
        bits (`int`): Bits of the sample with the most bits.
        kind (`str`): "u" unsigned, "i" signed, "f" floating point, "?" anything else.
        photometric (`int`): As the format numbers it: 1 grey, 2 RGB and so on.
        extra (`tuple[int, ...]`): Kinds of the extra samples; 1 is premultiplied alpha.
        is_planar (`bool`): Whether the bands are stored separately.
        compression, orientation (`int`): As the format numbers them.
        nodata (`float`, *optional*): GDAL's value for "no data".
        has_narrow_palette (`bool`, *optional*, defaults to `False`): See [`has_narrow_palette`].
        has_other_pages (`bool`, *optional*, defaults to `False`): Whether another page of the file is as large as the
            first, and not marked as an overview or a mask of it.
        has_mask (`bool`, *optional*, defaults to `False`): Whether a page of the file is a mask of the first one.
        transform (`tuple[float, ...]`, *optional*): Of a GeoTIFF, from pixels to map coordinates, in GDAL's order.
    """

    width: int
    height: int
    samples: int
    bits: int
    kind: str
    photometric: int
    extra: tuple[int, ...]
    is_planar: bool
    compression: int
    orientation: int
    nodata: float | None
    has_narrow_palette: bool = False
    has_other_pages: bool = False
    has_mask: bool = False
    transform: tuple[float, ...] | None = None

    @property
    def is_deep(self) -> bool:
        """Whether a sample has more than 8 bits, or a sign."""
        return self.bits > 8 or self.kind != "u"

    @property
    def has_extra_bands(self) -> bool:
        """Whether there are more samples than its photometric interpretation needs."""
        return self.samples > _PHOTOMETRIC_SAMPLES.get(self.photometric, 1)

    @property
    def is_known_to_pillow(self) -> bool:
        """Whether Pillow knows the compression. It reports plain YCbCr as truncated, and few builds support
        WebP in TIFF."""
        is_plain_ycbcr = self.photometric == YCBCR and self.compression not in _JPEG
        return (
            self.compression in TiffImagePlugin.COMPRESSION_INFO and self.compression != _WEBP and not is_plain_ycbcr
        )

    def __str__(self) -> str:
        kind = {"u": "unsigned", "i": "signed", "f": "floating-point"}.get(self.kind, "unusual")
        bands = f"{self.samples} bands" if self.samples > 1 else "one band"
        return f"a TIFF of {bands} of {self.bits}-bit {kind} samples" + (", planar" if self.is_planar else "")


def read_tags(file: Path | bytes) -> TiffTags | None:
    """The tags of the first image of a TIFF, `None` for any other file. Must be called within `decoding`."""
    head = read_head(file)
    if head[:4] not in TiffImagePlugin.PREFIXES:
        return None
    # BigTIFF has a header of 16 bytes.
    is_big = head[2:4] in (b"\x2b\x00", b"\x00\x2b")
    directory = TiffImagePlugin.ImageFileDirectory_v2(head[: 16 if is_big else 8])
    start = directory.next
    with BytesIO(file) if isinstance(file, bytes) else file.open("rb") as stream:
        stream.seek(start)
        directory.load(stream)
        # Pillow only warns about tags that are missing in the file, and continues without them.
        if directory.next == start:
            raise OSError("it is damaged: the file ends before its tags do")
        first = collect_tags(directory)
        return _with_other_pages(stream, directory, first)


def _with_other_pages(stream: IO[bytes], directory: Any, first: TiffTags) -> TiffTags:
    """Adds what the tags of the pages after the first say."""
    for _ in range(_MOST_PAGES):
        start = directory.next
        if not start:
            break
        stream.seek(start)
        directory.load(stream)
        if directory.next == start:  # It is not in the file.
            break
        kind = int(directory.get(254, 0)) & _OVERVIEW_OR_MASK
        page = collect_tags(directory)
        if page.width < first.width or page.height < first.height:
            continue
        if kind == _MASK:
            first = replace(first, has_mask=True)
        elif not kind and directory.get(255) != _REDUCED:
            return replace(first, has_other_pages=True)
    return first


def collect_tags(tags: Any) -> TiffTags:
    """Reads the tags of a TIFF, by their numbers, from PIL's result."""
    bits = tags.get(258, (1,))
    formats = set(tags.get(339, (1,)))
    extra = tags.get(338, ())
    return TiffTags(
        width=int(tags.get(256, 0)),
        height=int(tags.get(257, 0)),
        samples=int(tags.get(277, 1)),
        bits=int(max(bits if isinstance(bits, tuple) else (bits,))),
        kind=_SAMPLE_FORMATS.get(formats.pop(), "?") if len(formats) == 1 else "?",
        photometric=int(tags.get(262, 1)),
        extra=tuple(extra if isinstance(extra, tuple) else (extra,)),
        is_planar=tags.get(284, 1) == 2 and tags.get(277, 1) > 1,
        compression=int(tags.get(259, 1)),
        orientation=int(tags.get(274, 1)),
        nodata=_nodata(tags.get(42113)),
        has_narrow_palette=has_narrow_palette(tags),
        transform=_transform(tags),
    )


def _transform(tags: Any) -> tuple[float, ...] | None:
    """The transform of a GeoTIFF, the nearest one if it tells its place by control points; `None` if there is none."""
    scale, tie, matrix = (tags.get(tag, ()) for tag in (_PIXEL_SCALE, _TIE_POINTS, _MATRIX))
    if isinstance(matrix, tuple) and len(matrix) == 16:
        return tuple(float(matrix[place]) for place in (3, 0, 1, 7, 4, 5))
    if isinstance(scale, tuple) and len(scale) >= 2 and isinstance(tie, tuple) and len(tie) == 6:
        across, down = float(scale[0]), float(scale[1])
        return (float(tie[3]) - tie[0] * across, across, 0.0, float(tie[4]) + tie[1] * down, 0.0, -down)
    if isinstance(tie, tuple) and len(tie) >= 18 and len(tie) % 6 == 0:
        columns, rows, _, x, y, _ = np.reshape(tie, (-1, 6)).astype(np.float64).T
        pixels, places = np.column_stack([np.ones_like(rows), columns, rows]), np.column_stack([x, y])
        fits, _, rank, _ = np.linalg.lstsq(pixels, places, rcond=None)
        return tuple(map(float, fits.T.ravel())) if rank == 3 else None
    return None


def has_narrow_palette(tags: Any) -> bool:
    """
    Whether the colours of a palette, by the tags that PIL has read, are of 8 bits. They should have 16 bits, but some
    programs write 8, which all readers based on libtiff accept.
    """
    colours = tags.get(COLOUR_MAP)
    return isinstance(colours, tuple) and len(colours) % 3 == 0 and 0 < max(colours) <= 255


def _nodata(text: Any) -> float | None:
    try:
        return float(str(text).strip("\0 "))
    except ValueError:
        return None


def read_head(file: Path | bytes, count: int = _HEAD_BYTES) -> bytes:
    """The first bytes of a file. A named pipe or a device would block, or never end."""
    if isinstance(file, bytes):
        return file[:count]
    if file.exists() and not file.is_file():
        raise OSError("it is a folder" if file.is_dir() else "it is not a regular file")
    with file.open("rb") as stream:
        return stream.read(count)


__all__ = [
    "COLOUR_MAP",
    "GREY",
    "OTHER_PAGES",
    "RGB",
    "YCBCR",
    "TiffTags",
    "collect_tags",
    "has_narrow_palette",
    "read_head",
    "read_tags",
]
