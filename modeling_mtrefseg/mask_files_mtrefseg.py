# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Decodes masks without changing their values, which are labels and not brightness."""

import math
from pathlib import Path

import numpy as np
from PIL import Image, TiffImagePlugin

from .image_download_mtrefseg import download_image
from .image_files_mtrefseg import (
    DEEP_MODES,
    ImageError,
    Samples,
    decode,
    decoding,
    load_upright,
    open_image,
)
from .image_reading_mtrefseg import ImageSource, decode_source, is_url
from .mask_edges_mtrefseg import Compression, find_compression
from .tiff_tags_mtrefseg import OTHER_PAGES, TiffTags, collect_tags, read_tags


# Photometric interpretation, number of samples, and kind of the last one, of TIFFs with a possible alpha band that
# Pillow reads.
_WITH_OPACITY = ((1, 2, 2), (2, 4, 1), (2, 4, 2))
_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")


def decode_mask(source: ImageSource, name: str) -> tuple[Image.Image | np.ndarray, Compression | None]:
    """
    Decodes a mask without changing its values.

    Args:
        source (`str`, `Path`, `bytes`, `PIL.Image.Image`, `np.ndarray` or `torch.Tensor`): See `load_mask`.
        name (`str`): Its name in messages.

    Returns:
        `PIL.Image.Image` or `np.ndarray`: The upright image, or an array for values that PIL cannot represent.
        [`Compression`], *optional*: How a lossy format stored it.

    Raises:
        FileNotFoundError, ImageError, TypeError: See `load_mask`.
    """
    if isinstance(source, Image.Image):
        with decoding(name):
            upright, compression = load_upright(source), find_compression(source)
            _check_frames(source, name)
            if isinstance(source, TiffImagePlugin.TiffImageFile):
                return _plain(upright, collect_tags(source.tag_v2), name), compression
            return upright, compression
    if is_url(source):
        with decoding(name):
            source = download_image(source)
    if not isinstance(source, str | Path | bytes):
        decoded = decode_source(source, name)
        assert not isinstance(decoded, Samples)
        # What is masked has no data, and is background as in a TIFF.
        return decoded.filled(0) if isinstance(decoded, np.ma.MaskedArray) else decoded, None
    file = source if isinstance(source, bytes) else Path(source)
    with decoding(name):
        tags, compression = read_tags(file), find_compression(file)
        if tags is not None:
            return _decode_tiff(file, name, tags), compression
        with open_image(file) as image:
            _check_frames(image, name)
        decoded = decode(file, name)
    return _values_of(decoded) if isinstance(decoded, Samples) else decoded, compression


def _check_frames(image: Image.Image, name: str) -> None:
    """Rejects an animation, because each frame could be the mask."""
    frames = getattr(image, "n_frames", 1) if image.format in _ANIMATED else 1
    if frames > 1:
        raise ImageError(name, f"it is an animation of {frames} frames: save the right one as PNG")


def _decode_tiff(file: Path | bytes, name: str, tags: TiffTags) -> Image.Image | np.ndarray:
    """Decodes a TIFF, in which an extra band may be the opacity, and the "no data" value may define the mask."""
    if tags.has_other_pages:
        raise ImageError(name, OTHER_PAGES)
    is_opacity = (tags.photometric, tags.samples, *tags.extra) in _WITH_OPACITY and not tags.is_deep
    if tags.has_extra_bands and not is_opacity and tags.samples != 3:
        raise ImageError(name, f"it is {tags}, each of which could be the mask; save it as one band")
    if tags.is_deep or 1 in tags.extra or not tags.is_known_to_pillow:
        decoded = decode(file, name)
        return _plain(_values_of(decoded) if isinstance(decoded, Samples) else decoded, tags, name)
    with open_image(file) as image:
        return _plain(load_upright(image), tags, name)


def _values_of(samples: Samples) -> np.ndarray:
    """One channel, three, or four of which the last is opacity."""
    values = samples.values
    if samples.alpha is not None:
        colours = np.broadcast_to(values, (*values.shape[:2], 3))
        return np.concatenate([colours, samples.alpha[..., None]], axis=-1)
    return values[..., 0] if values.shape[-1] == 1 else values


def _plain(decoded: Image.Image | np.ndarray, tags: TiffTags, name: str) -> Image.Image | np.ndarray:
    """The values of a TIFF where 0 is black, and "no data" is background."""
    is_image = isinstance(decoded, Image.Image)
    if is_image and decoded.mode not in ("L", *DEEP_MODES):
        return decoded
    values = np.asarray(decoded)
    nodata = tags.nodata
    is_inverted = tags.photometric == 0
    if is_inverted and is_image and decoded.mode == "L":  # PIL has already inverted the values.
        nodata = None if nodata is None else 255 - nodata
    elif is_inverted:
        if tags.kind != "u":
            raise ImageError(name, f"it is {tags}, of which 0 is white; save it with 0 as black")
        highest = (1 << tags.bits) - 1
        values = highest - values
        nodata = None if nodata is None else highest - nodata
    return _without_nodata(values, nodata) if nodata is not None or not is_image or is_inverted else decoded


def _without_nodata(values: np.ndarray, nodata: float | None) -> np.ndarray:
    """0 where there is no data, unless the mask contains only such pixels."""
    if nodata is None:
        return values
    missing = np.isnan(values) if math.isnan(nodata) else values == nodata
    if nodata > 0 and not values[~missing].any():
        return values
    return np.where(missing, 0, values).astype(values.dtype)


__all__ = ["decode_mask"]
