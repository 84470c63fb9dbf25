# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Mask files and the reader of masks. What is right follows from docs/images_and_masks.md."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mtrefseg.io import ImageError, load_mask

from .cases import Case, Random
from .pixels import blobs, cut, encode, flip, write_tiff


REFUSALS = (ImageError, FileNotFoundError)


def make(random: Random, folder: Path) -> Case:
    """A case of any sort."""
    sorts = (
        _two_values,
        _two_values,
        _class_ids,
        _deep,
        _palette,
        _colours,
        _alpha,
        _soft,
        _chosen,
        _damaged,
        _single,
    )
    return sorts[random.integers(0, len(sorts))](random, folder)


def _reader(random: Random, folder: Path, data: bytes, suffix: str, **options: Any) -> Callable[[], np.ndarray]:
    path = folder / f"mask.{suffix}"
    path.write_bytes(data)
    source = (path, str(path), data)[random.integers(0, 3)]
    return lambda: load_mask(source, **options)


def same(expected: Any) -> Callable[[Any], bool]:
    """A check for exactly this mask."""
    return lambda found: found.dtype == bool and found.shape == expected.shape and bool((found == expected).all())


def _not_emptied(expected: np.ndarray) -> Callable[[Any], bool]:
    """A check for a mask of which only soft edges are open."""

    def check(found: np.ndarray) -> bool:
        common = np.count_nonzero(found & expected)
        return found.shape == expected.shape and bool(common >= 0.6 * np.count_nonzero(found | expected))

    return check


def _form(random: Random, grey: np.ndarray) -> tuple[str, bytes]:
    """A grey mask in a form that keeps values: suffix and content."""
    form = int(random.integers(0, 5))
    if form == 0:
        return "png", encode(Image.fromarray(grey), "PNG")
    if form == 1:
        return "bmp", encode(Image.fromarray(grey), "BMP")
    if form == 2:
        options: dict[str, Any] = {"is_deflated": random.random() < 0.5, "is_big_endian": random.random() < 0.5}
        return "tif", write_tiff(grey[..., None], 1, **options)
    if form == 3:
        return "webp", encode(Image.fromarray(grey).convert("RGB"), "WEBP", lossless=True)
    return "png", encode(Image.fromarray(grey).convert("RGB"), "PNG")


def _two_values(random: Random, folder: Path) -> Case:
    """0 and another value, or two values around the middle; two bright or two dark ones mean nothing."""
    mask = blobs(random)
    sort = random.integers(0, 4)
    high = int(random.integers(1, 256))
    low = 0 if sort < 2 else int(random.integers(1, 256))
    if sort == 0:
        high = (1, 255)[random.integers(0, 2)]
    low, high = min(low, high), max(low, high)
    if low == high:
        low, high = 0, 255
    grey = np.where(mask, high, low).astype(np.uint8)
    is_clear = low == 0 or (low <= 127 < high and high > 1)
    suffix, data = _form(random, grey)
    return Case(
        f"{suffix}, values {low} and {high}",
        _reader(random, folder, data, suffix),
        REFUSALS,
        same(mask) if is_clear else None,
        must_read=is_clear,
    )


def _single(random: Random, folder: Path) -> Case:
    """One value everywhere."""
    shape = tuple(random.integers(1, 33, 2))
    value = int(random.choice([0, 1, 2, 100, 223, 224, 254, 255]))
    suffix, data = _form(random, np.full(shape, value, dtype=np.uint8))
    read = _reader(random, folder, data, suffix)
    is_clear = value in (0, 1) or value >= 224
    expected = np.full(shape, value > 0)
    return Case(
        f"{suffix}, {value} everywhere", read, REFUSALS, same(expected) if is_clear else None, must_read=is_clear
    )


def _class_ids(random: Random, folder: Path) -> Case:
    """Three classes and more, or instances: refused, never read as empty or as one of them."""
    mask = blobs(random)
    grey = mask.astype(np.uint8)
    for value in range(2, int(random.integers(3, 9))):
        grey[blobs_of(random, mask.shape)] = value
    spread = int(random.choice([1, 1, 7, 30]))
    grey = (grey * spread).astype(np.uint8)
    grey[-1, :3] = np.array([0, 1, 2]) * spread
    suffix, data = _form(random, grey)
    return Case(f"{suffix}, class ids {np.unique(grey).tolist()}", _reader(random, folder, data, suffix), REFUSALS)


def blobs_of(random: Random, shape: tuple[int, ...]) -> np.ndarray:
    """A rectangle in an image of a shape."""
    mask = np.zeros(shape, dtype=bool)
    top, left = random.integers(0, shape[0] - 6), random.integers(0, shape[1] - 6)
    mask[top : top + 6, left : left + 6] = True
    return mask


def _deep(random: Random, folder: Path) -> Case:
    """16 bits, signed, 32 bits and floats: two values are clear, ids are not."""
    mask = blobs(random)
    dtype = ("uint16", "uint16", "int16", "int32", "float32", "float64")[random.integers(0, 6)]
    sort = random.integers(0, 4)
    values = np.zeros(mask.shape, dtype=dtype)
    expected: np.ndarray | None = mask
    if sort == 0:
        top = 1.0 if dtype.startswith("float") else np.iinfo(dtype).max
        values[mask] = random.choice([1, 255, 1000, top])
    elif sort == 1:
        values[mask] = random.integers(1, 1000, np.count_nonzero(mask))
        values[0, :3] = 1, 2, 3
        expected = None
    elif sort == 2 and dtype.startswith("float"):
        noise = random.random(mask.shape)
        values[:] = np.where(mask, 0.55 + 0.45 * noise, 0.45 * noise)
    else:
        values[mask] = -1 if dtype[0] in "if" else 7
        values[0, 0] = np.nan if dtype.startswith("float") else 5
        expected = None
    is_png = dtype == "uint16" and random.random() < 0.5
    data = encode(Image.fromarray(values), "PNG") if is_png else write_tiff(values[..., None], 1)
    read = _reader(random, folder, data, "png" if is_png else "tif")
    check = None if expected is None else same(expected)
    return Case(f"{dtype} mask, sort {sort}", read, REFUSALS, check, must_read=check is not None)


def _palette(random: Random, folder: Path) -> Case:
    mask = blobs(random)
    sort = random.integers(0, 4)
    entries = mask.astype(np.uint8)
    palette = np.zeros((256, 3), dtype=np.uint8)
    expected: np.ndarray | None = mask
    if sort == 0:  # Black and a colour, in any order.
        swapped = bool(random.random() < 0.5)
        palette[0 if swapped else 1] = random.integers(1, 256, 3)
        entries = (mask ^ swapped).astype(np.uint8)
    elif sort == 1:  # Neither is black: entry 0 is the background.
        palette[:2] = (200, 10, 10), (10, 200, 10)
    elif sort == 2:  # VOC: several classes.
        palette[:4] = (0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)
        entries[0, :4] = 0, 1, 2, 3
        expected = None
    else:  # Two entries behind the first.
        palette[:] = np.arange(256)[:, None] * (1, 3, 7) % 256
        entries = np.where(mask, 9, 3).astype(np.uint8)
        expected = None
    image = Image.fromarray(entries)
    image.putpalette(palette.tobytes())
    # PIL numbers the entries of a GIF anew.
    form = ("PNG", "BMP", "GIF")[random.integers(0, 2 if sort == 3 else 3)]
    read = _reader(random, folder, encode(image, form), form.lower())
    check = None if expected is None else same(expected)
    return Case(f"palette in {form}, sort {sort}", read, REFUSALS, check, must_read=check is not None)


def _colours(random: Random, folder: Path) -> Case:
    mask = blobs(random)
    count = int(random.integers(1, 4))
    colours = np.zeros((*mask.shape, 3), dtype=np.uint8)
    shades = random.integers(0, 256, (count, 3)).astype(np.uint8)
    shades[:, 0] |= 1
    shades[:, 1] &= 254
    colours[mask] = shades[0]
    for shade in shades[1:]:
        colours[blobs_of(random, mask.shape)] = shade
    colours[0, :count] = shades
    colours[-1, -1] = 0
    held = len(np.unique(colours.reshape(-1, 3), axis=0))
    expected = (colours > 0).any(axis=-1) if held == 2 else None
    data = encode(Image.fromarray(colours), "PNG") if random.random() < 0.6 else write_tiff(colours, 2)
    read = _reader(random, folder, data, "png")
    check = None if expected is None else same(expected)
    # Of several colours, shades of one may be soft edges to the reader; that the mask is not lost is what counts.
    if held > 2:
        check = _covers(colours)
    return Case(f"{held} colours", read, REFUSALS, check, must_read=held == 2)


def _covers(colours: np.ndarray) -> Callable[[Any], bool]:
    """A check that bright pixels are foreground and black ones are not."""
    bright = colours.max(axis=-1)
    return lambda found: bool(found[bright >= 224].all() and not found[bright == 0].any() and found.any())


def _alpha(random: Random, folder: Path) -> Case:
    """Opacity that varies in one colour is the mask; where both vary, they must agree."""
    mask = blobs(random)
    alpha = np.where(mask, 255, 0).astype(np.uint8)
    sort = random.integers(0, 4)
    colour = random.integers(0, 256, 3).astype(np.uint8)
    pixels = np.empty((*mask.shape, 4), dtype=np.uint8)
    pixels[..., :3], pixels[..., 3] = colour, alpha
    expected: np.ndarray | None = mask
    if sort == 1:
        pixels[..., :3] = np.where(mask, 255, 0)[..., None]
    elif sort == 2:
        pixels[..., :3], pixels[..., 3] = np.where(mask, 255, 0)[..., None], 255
    elif sort == 3:  # Hides a part of what the colours mark.
        marked = np.argwhere(mask)
        pixels[..., :3], pixels[..., 3] = np.where(mask, 255, 0)[..., None], 255
        pixels[tuple(marked[0])][3] = 0
        expected = None
    form = ("PNG", "WEBP")[random.integers(0, 2)]
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    read = _reader(random, folder, encode(Image.fromarray(pixels), form, **options), form.lower())
    check = None if expected is None else same(expected)
    return Case(f"opacity in {form}, sort {sort}", read, REFUSALS, check, must_read=check is not None)


def _soft(random: Random, folder: Path) -> Case:
    """Edges that JPEG or a resize has softened."""
    mask = np.zeros((64, 64), dtype=bool)
    top, left = random.integers(4, 28, 2)
    mask[top : top + 28, left : left + 28] = True
    image = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))
    if random.random() < 0.5:
        data, suffix = encode(image, "JPEG", quality=int(random.integers(60, 100))), "jpg"
        return Case("JPEG of a mask", _reader(random, folder, data, suffix), REFUSALS, _not_emptied(mask))
    side = int(random.integers(40, 90))
    method = (Image.Resampling.BILINEAR, Image.Resampling.LANCZOS)[random.integers(0, 2)]
    resized = np.asarray(image.resize((side, side), method))
    data = encode(Image.fromarray(resized), "PNG")
    return Case(f"resized to {side}", _reader(random, folder, data, "png"), REFUSALS, same(resized > 127))


def _chosen(random: Random, folder: Path) -> Case:
    """What the owner says counts."""
    grey = random.integers(0, 12, random.integers(8, 40, 2)).astype(np.uint8)
    suffix, data = _form(random, grey)
    if random.random() < 0.5:
        values = [int(value) for value in random.integers(0, 14, random.integers(1, 4))]
        read = _reader(random, folder, data, suffix, values=values)
        return Case(f"values {values}", read, REFUSALS, same(np.isin(grey, values)), must_read=True)
    threshold = float(random.integers(-1, 14))
    read = _reader(random, folder, data, suffix, threshold=threshold)
    return Case(f"threshold {threshold}", read, REFUSALS, same(grey > threshold), must_read=True)


def _damaged(random: Random, folder: Path) -> Case:
    """A damaged mask; only of a PNG is it known that it is."""
    mask = blobs(random)
    suffix, data = _form(random, np.where(mask, 255, 0).astype(np.uint8))
    harm = (cut, flip)[random.integers(0, 2)]
    read = _reader(random, folder, harm(random, data), suffix)
    is_undetectable = harm is flip and suffix != "png"
    return Case(f"{suffix} mask, {harm.__name__}", read, REFUSALS, same(mask), is_undetectable=is_undetectable)
