# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Which files are images, and which of them are rasters, according to their suffixes. Imports only the standard
library: commands need it for their help and before they load anything."""

from pathlib import Path


RASTER_SUFFIXES = frozenset((".tif", ".tiff", ".gtiff", ".vrt", ".jp2", ".j2k", ".img", ".ecw", ".sid"))
"""Files of these kinds are read in windows; other images are read completely, as in `mtrefseg.load_image`."""
PLAIN_SUFFIXES = (
    *(".jpg", ".jpeg", ".jfif", ".png", ".tif", ".tiff", ".bmp", ".webp"),
    *(".gif", ".jp2", ".avif", ".heic", ".heif"),
)
"""Files of these kinds can be read completely, without a library for rasters; the usual ones come first."""
IMAGE_SUFFIXES = RASTER_SUFFIXES | {*PLAIN_SUFFIXES}
"""Files of all kinds that can be segmented."""


def suffix_of(source: str | Path) -> str:
    """
    The suffix of an image in lower case, such as ".tif".

    Args:
        source (`str` or `Path`): Its path or URL; the query of a URL is ignored.
    """
    name = str(source)
    # A question mark in a path is part of a name.
    return Path(name.split("?")[0] if "://" in name else name).suffix.lower()
