# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reads images and masks, and writes files: the image reader, the mask reader, atomic writing of files,
hashes, and static pages.

Everything except the functions for files, their names and the suffixes is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .file_names import fold
from .files import (
    INCOMPLETE_SUFFIX,
    check_expansion,
    open_regular,
    parse_json,
    read_json,
    read_regular,
    read_yaml,
    sha256_bytes,
    sha256_of,
    to_utf8,
    write_bytes,
    write_json,
    write_text,
    written_whole,
)
from .folders import folder_written_whole, replace_folder, unfinished_folder
from .results import results_in, results_written_together
from .suffixes import IMAGE_SUFFIXES, PLAIN_SUFFIXES, RASTER_SUFFIXES, suffix_of


if TYPE_CHECKING:
    from .images import (
        DEEP_MODES,
        OTHER_PAGES,
        AmbiguousMaskError,
        ImageError,
        Stretch,
        UnsupportedImageError,
        apply_limits,
        check_same_place,
        decoding,
        depth_of,
        describe_dullness,
        known_depth,
        load_image,
        load_images,
        load_mask,
        open_image,
        percentile_limits,
        read_images,
        read_mask,
        read_size,
        read_tags,
        unsaid_nodata,
    )
    from .limited_process import read_limited
    from .masks import encode_mask
    from .static_page import JPEG_QUALITY, THUMBNAIL_SIDE, draw_mask, draw_thumbnail, fill_template, to_script
    from .texts import EVERY_CHANGE, SCENES, is_blank, sentence_in_line


# Imported on first use, so that commands that only print their help do not import NumPy.
_PAGES = ("JPEG_QUALITY", "THUMBNAIL_SIDE", "draw_mask", "draw_thumbnail", "fill_template", "to_script")
_READERS = (
    "DEEP_MODES",
    "OTHER_PAGES",
    "AmbiguousMaskError",
    "ImageError",
    "Stretch",
    "UnsupportedImageError",
    "apply_limits",
    "check_same_place",
    "decoding",
    "depth_of",
    "describe_dullness",
    "known_depth",
    "load_image",
    "load_images",
    "load_mask",
    "open_image",
    "percentile_limits",
    "read_images",
    "read_mask",
    "read_size",
    "read_tags",
    "unsaid_nodata",
)

__all__ = [
    "DEEP_MODES",
    "EVERY_CHANGE",
    "IMAGE_SUFFIXES",
    "INCOMPLETE_SUFFIX",
    "JPEG_QUALITY",
    "OTHER_PAGES",
    "PLAIN_SUFFIXES",
    "RASTER_SUFFIXES",
    "SCENES",
    "THUMBNAIL_SIDE",
    "AmbiguousMaskError",
    "ImageError",
    "Stretch",
    "UnsupportedImageError",
    "apply_limits",
    "check_expansion",
    "check_same_place",
    "decoding",
    "depth_of",
    "describe_dullness",
    "draw_mask",
    "draw_thumbnail",
    "encode_mask",
    "fill_template",
    "fold",
    "folder_written_whole",
    "is_blank",
    "known_depth",
    "load_image",
    "load_images",
    "load_mask",
    "open_image",
    "open_regular",
    "parse_json",
    "percentile_limits",
    "read_images",
    "read_json",
    "read_limited",
    "read_mask",
    "read_regular",
    "read_size",
    "read_tags",
    "read_yaml",
    "replace_folder",
    "results_in",
    "results_written_together",
    "sentence_in_line",
    "sha256_bytes",
    "sha256_of",
    "suffix_of",
    "to_script",
    "to_utf8",
    "unfinished_folder",
    "unsaid_nodata",
    "write_bytes",
    "write_json",
    "write_text",
    "written_whole",
]


_HOMES = {
    **dict.fromkeys(_READERS, "images"),
    **dict.fromkeys(_PAGES, "static_page"),
    "encode_mask": "masks",
    **dict.fromkeys(("EVERY_CHANGE", "SCENES", "is_blank", "sentence_in_line"), "texts"),
    "read_limited": "limited_process",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
