# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads images and masks, and writes files: the image reader, the mask reader, atomic writing of files,
hashes, and static pages.

`load_image` and `load_mask` import the model's image reader when they are first used.
"""

from typing import Any

from .files import (
    INCOMPLETE_SUFFIX,
    sha256_bytes,
    sha256_of,
    write_bytes,
    write_json,
    write_text,
    written_whole,
)
from .masks import encode_mask
from .static_page import JPEG_QUALITY, THUMBNAIL_SIDE, draw_mask, draw_thumbnail, fill_template, to_script


__all__ = [
    "INCOMPLETE_SUFFIX",
    "JPEG_QUALITY",
    "THUMBNAIL_SIDE",
    "draw_mask",
    "draw_thumbnail",
    "encode_mask",
    "fill_template",
    "load_image",
    "load_mask",
    "sha256_bytes",
    "sha256_of",
    "to_script",
    "write_bytes",
    "write_json",
    "write_text",
    "written_whole",
]


def __getattr__(name: str) -> Any:
    if name in ("load_image", "load_mask"):
        from . import images

        return getattr(images, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
