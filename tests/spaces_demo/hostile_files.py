# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Files that are not the images they claim to be."""

import io
import struct
import zlib
from pathlib import Path

from PIL import Image


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_size(width: int, height: int) -> bytes:
    """A small PNG file that says that it is a large image, black all over."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def cut_png() -> bytes:
    """A PNG file whose end is missing."""
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(file, "png")
    return file.getvalue()[:-2000]


def hostile_files() -> dict[str, tuple[str, bytes, str]]:
    """By name: file name, content, and what the answer must say."""
    return {
        "bomb": ("bomb.png", png_of_size(60_000, 60_000), "too many pixels"),
        "too many pixels": ("large.png", png_of_size(5000, 5000), "has 5000 x 5000 pixels"),
        "very wide": ("wide.png", png_of_size(1 << 24, 1), "no side may have more than 16,384"),
        "very tall": ("tall.png", png_of_size(1, 1 << 24), "no side may have more than 16,384"),
        "script": ("drawing.svg", SVG, "is not an image"),
        "script named png": ("drawing.png", SVG, "is not an image"),
        "empty": ("empty.jpg", b"", "is an empty file"),
        "html": ("page.jpg", HTML, "is not an image"),
        "cut": ("cut.png", cut_png(), "is damaged"),
        "path": ("../../../../outside.png", HTML, "is not an image"),
        "postscript": ("figure.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not an image"),
    }


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / Path(name).name
    path.write_bytes(content)
    return path
