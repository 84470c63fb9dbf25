# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Image files and the reader of images. What is right follows from docs/images_and_masks.md."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mtrefseg.io import ImageError, load_image, load_images

from .cases import Case, Random
from .pixels import cut, encode, flip, overwrite, png_of_size, scene, size_claimed, write_tiff


REFUSALS = (ImageError, FileNotFoundError)
LOSSY = 12.0
"""How far the average sample of a lossy file may lie from what it was made of."""
# Form, suffix, options, whether it keeps values exactly.
FORMS: tuple[tuple[str, str, dict[str, Any], bool], ...] = (
    ("PNG", "png", {}, True),
    ("JPEG", "jpg", {"quality": 95, "subsampling": 0}, False),
    ("JPEG", "jfif", {"quality": 90, "progressive": True}, False),
    ("TIFF", "tif", {}, True),
    ("TIFF", "tiff", {"compression": "tiff_lzw"}, True),
    ("BMP", "bmp", {}, True),
    ("WEBP", "webp", {"lossless": True, "exact": True}, True),
    ("WEBP", "webp", {"quality": 95}, False),
    ("GIF", "gif", {}, True),
    ("JPEG2000", "jp2", {"irreversible": False}, True),
    ("AVIF", "avif", {"quality": 95, "subsampling": "4:4:4", "speed": 10}, False),
)
SUFFIXES = ("png", "jpg", "tif", "webp", "gif", "bmp", "jp2", "avif", "dat", "")
# How EXIF's orientations turn what is stored into what is shown.
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda values: values,
    2: np.fliplr,
    3: lambda values: np.rot90(values, 2),
    4: np.flipud,
    5: lambda values: np.swapaxes(values, 0, 1),
    6: lambda values: np.rot90(values, -1),
    7: lambda values: np.swapaxes(np.rot90(values, 2), 0, 1),
    8: lambda values: np.rot90(values, 1),
}
ZEROS = b"\0" * 4096
STRANGERS = (
    b"",
    ZEROS,
    b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    b"<!doctype html><title>404</title>",
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n",
    b"PK\x03\x04" + b"\0" * 60,
    b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
)
HUGE = ((60_000, 60_000), (65_535, 65_535), (1 << 24, 1 << 10), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (1, 1 << 30))


def make(random: Random, folder: Path) -> Case:
    """A case of any sort."""
    sorts = (_plain, _turned, _tiff, _tiff, _pair, _damaged, _damaged, _damaged, _huge, _stranger, _array, _no_file)
    return sorts[random.integers(0, len(sorts))](random, folder)


def reader(random: Random, folder: Path, data: bytes, suffix: str) -> Callable[[], np.ndarray]:
    """One of the ways in which an image gets to the reader: a file, by its path or as text, or its content."""
    path = folder / f"image.{suffix}"
    path.write_bytes(data)
    source = (path, str(path), data)[random.integers(0, 3)]
    return lambda: np.asarray(load_image(source))


def close_to(expected: np.ndarray, most: float = 0) -> Callable[[Any], bool]:
    """A check: the size is right, and the average sample (`most` of 2 or less: every sample) differs by no more."""

    def check(found: np.ndarray) -> bool:
        if found.shape != expected.shape or found.dtype != np.uint8:
            return False
        gap = np.abs(found.astype(int) - expected.astype(int))
        return bool((gap.max() if most <= 2 else gap.mean()) <= most)

    return check


def _content(random: Random, form: str) -> tuple[Image.Image, np.ndarray, str]:
    """An image of a mode that the form has, and the RGB that it means."""
    modes = {"JPEG": ("RGB", "L", "CMYK"), "AVIF": ("RGB",), "BMP": ("RGB", "L", "1", "P"), "GIF": ("L", "P")}
    modes["WEBP"], modes["JPEG2000"] = ("RGB", "RGBA"), ("RGB", "L")
    modes["TIFF"] = ("RGB", "L", "1", "P", "CMYK")
    allowed = modes.get(form, ("RGB", "L", "1", "P", "LA", "RGBA"))
    mode = allowed[random.integers(0, len(allowed))]
    values = scene(random, 4, 0, 255)
    colours = values[..., :3]
    if mode in ("L", "1"):
        grey = values[..., 0] if mode == "L" else np.where(values[..., 0] > 127, 255, 0).astype(np.uint8)
        image = Image.fromarray(grey)
        return (image if mode == "L" else image.convert("1")), np.repeat(grey[..., None], 3, axis=-1), mode
    if mode == "P":
        entries = (values[..., 0] // 16).astype(np.uint8)
        palette = random.integers(0, 256, (16, 3)).astype(np.uint8)
        image = Image.fromarray(entries)
        image.putpalette(palette.tobytes())
        return image, palette[entries], mode
    if mode == "CMYK":
        inks = 255 - colours
        return Image.fromarray(np.dstack([inks, np.zeros_like(inks[..., 0])]), "CMYK"), colours, mode
    if mode in ("LA", "RGBA"):
        shown = colours[..., :1] if mode == "LA" else colours
        image = Image.fromarray(np.ascontiguousarray(values[..., [0, 3]] if mode == "LA" else values), mode)
        on_black = np.rint(shown * (values[..., 3:].astype(float) / 255)).astype(np.uint8)
        return image, np.broadcast_to(on_black, colours.shape), mode
    return Image.fromarray(np.ascontiguousarray(colours)), colours, mode


def _whole(random: Random) -> tuple[str, str, bytes, np.ndarray, float]:
    """A whole file: what it is, its suffix, its content, what it means, and how exactly."""
    form, suffix, options, is_exact = FORMS[random.integers(0, len(FORMS))]
    image, expected, mode = _content(random, form)
    data = encode(image, form, **options)
    most = (1 if mode in ("RGBA", "LA", "CMYK") else 0) if is_exact else LOSSY
    if form == "WEBP" and not is_exact and mode == "RGBA":
        most = 2 * LOSSY
    return f"{form} of mode {mode}", suffix, data, expected, most


def _plain(random: Random, folder: Path) -> Case:
    what, suffix, data, expected, most = _whole(random)
    if random.random() < 0.5:
        suffix = SUFFIXES[random.integers(0, len(SUFFIXES))]
        what += f" called .{suffix}"
    if random.random() < 0.2:
        data += random.bytes(int(random.integers(1, 200)))
        what += ", with more behind its end"
    return Case(what, reader(random, folder, data, suffix), REFUSALS, close_to(expected, most), must_read=True)


def _turned(random: Random, folder: Path) -> Case:
    """EXIF's orientation, also numbers that there are not."""
    orientation = int(random.integers(0, 12))
    form = ("PNG", "JPEG", "WEBP", "TIFF")[random.integers(0, 4)]
    values = scene(random, 3, 0, 255)
    expected = TURNS.get(orientation, TURNS[1])(values)
    if form == "TIFF":
        data, most = write_tiff(values, 2, orientation=orientation), 0.0
    else:
        exif = Image.Exif()
        exif[274] = orientation
        lossless: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}
        options = lossless.get(form, {})
        data = encode(Image.fromarray(values), form, exif=exif, **options)
        most = LOSSY / 2 if form == "JPEG" else 0
    read = reader(random, folder, data, form.lower())
    return Case(f"{form}, orientation {orientation}", read, REFUSALS, close_to(expected, most), must_read=True)


# --- TIFFs by their tags ---


def _tiff_content(random: Random) -> tuple[str, np.ndarray, dict[str, Any]]:
    """What it is, samples, and options of the writer."""
    dtype = ("uint8", "uint8", "uint16", "uint16", "int16", "float32", "uint32", "int32", "float64")[
        random.integers(0, 9)
    ]
    bands = int(random.integers(1, 7))
    all_spans: dict[str, list[tuple[float, float]]] = {
        "uint8": [(0, 255)],
        "uint16": [(0, 255), (0, 1023), (40, 2047), (100, 4095), (0, 16383), (0, 20000), (0, 65535)],
        "int16": [(-2000, 9000), (0, 255), (-1, 1)],
        "float32": [(0, 1), (0, 0.4), (-3, 70), (0, 9000)],
        "float64": [(0, 1), (0, 0.4), (-3, 70), (0, 9000)],
        "uint32": [(0, 255), (0, 10**6)],
        "int32": [(0, 255), (-5, 10**6)],
    }
    spans = all_spans[dtype]
    low, high = spans[random.integers(0, len(spans))]
    values = scene(random, bands, low, high, dtype)
    photometric = 2 if bands >= 3 and random.random() < 0.6 else int(random.random() < 0.8)
    colours = 3 if photometric == 2 else 1
    kind = int(random.integers(0, 3))
    options: dict[str, Any] = {
        "photometric": photometric,
        "extra": [kind] + [0] * (bands - colours - 1) if bands > colours else [],
        "is_planar": bands > 1 and random.random() < 0.4,
        "is_deflated": random.random() < 0.3,
        "is_big_endian": random.random() < 0.3,
        "orientation": int(random.integers(1, 9)) if random.random() < 0.2 else 1,
    }
    what = f"TIFF of {bands} bands of {dtype} {low} to {high}, {options}"
    if random.random() < 0.3:
        values[: values.shape[0] // 3] = values[0, 0, 0]
        options["nodata"] = f"{float(values[0, 0, 0])!r}"
        what += f", nodata {options['nodata']}"
    elif values.dtype.kind == "f" and random.random() < 0.3:
        values[: values.shape[0] // 3] = np.nan
        what += ", with NaN"
    return what, values, options


def meaning(values: np.ndarray, nodata: str | None = None, photometric: int = 1) -> np.ndarray:
    """8-bit RGB of samples `(height, width, bands)`, as docs/images_and_masks.md tells it."""
    chosen = values[..., :3] if values.shape[-1] >= 3 else values[..., :1]
    missing = ~np.isfinite(chosen) if chosen.dtype.kind == "f" else np.zeros(chosen.shape, dtype=bool)
    if nodata is not None:
        missing = missing | (chosen == np.asarray(float(nodata)).astype(chosen.dtype))
    empty = missing.all(axis=-1)
    held = chosen[~empty]
    held = held[np.isfinite(held)] if held.dtype.kind == "f" else held
    low, high = (held.min(), held.max()) if held.size else (0, 0)
    result = _scale(chosen, low, high, empty)
    result = 255 - result if photometric == 0 else result
    result[empty] = 0
    return np.broadcast_to(np.rint(result), (*values.shape[:2], 3)).astype(np.uint8)


def _scale(chosen: np.ndarray, low: float, high: float, empty: Any) -> np.ndarray:
    values = np.nan_to_num(chosen.astype(np.float64))
    kind = chosen.dtype.kind
    if chosen.dtype == np.uint8 or (kind != "f" and low >= 0 and high <= 255):
        return values
    if chosen.dtype == np.uint16 and high >= 1 << 14:
        return np.floor(values / 257 + 0.5)
    if kind == "f" and low >= 0 and 0.5 < high <= 1:
        return np.rint(values * 255)
    if kind == "f" and high == low == 0:
        return values
    result = np.zeros_like(values)
    for band in range(values.shape[-1]):
        held = chosen[..., band][~empty].astype(np.float64)
        held = held[np.isfinite(held)]
        first, last = np.percentile(held, (2, 98)) if held.size else (0.0, 1.0)
        share = (values[..., band] - first) / (last - first) if last > first else values[..., band] >= first
        result[..., band] = np.rint(255 * np.clip(share, 0, 1))
    return result


def _tiff(random: Random, folder: Path) -> Case:
    what, values, options = _tiff_content(random)
    data = write_tiff(values, **options)
    expected = meaning(values, options.get("nodata"), options["photometric"])
    expected = TURNS[options["orientation"]](expected)
    return Case(what, reader(random, folder, data, "tif"), REFUSALS, close_to(expected, 1), must_read=True)


def _pair(random: Random, folder: Path) -> Case:
    """Two images of more than 8 bits have the same stretch."""
    high = (1023, 4095, 16383)[random.integers(0, 3)]
    first = scene(random, 3, 0, high, "uint16")
    second = (first // int(random.integers(2, 5))).astype(np.uint16)
    both = meaning(np.concatenate([first, second]))
    expected = both[: len(first)], both[len(first) :]
    paths = []
    for name, values in (("t1", first), ("t2", second)):
        paths.append(folder / f"{name}.tif")
        paths[-1].write_bytes(write_tiff(values, 2, is_planar=random.random() < 0.3))
    return Case(
        f"a pair of 16-bit TIFFs up to {high}",
        lambda: [np.asarray(image) for image in load_images(paths)],
        REFUSALS,
        lambda found: all(close_to(each, 1)(image) for each, image in zip(expected, found, strict=True)),
        must_read=True,
    )


# --- damage ---


def _damaged(random: Random, folder: Path) -> Case:
    if random.random() < 0.3:
        what, values, options = _tiff_content(random)
        data, suffix, most = write_tiff(values, **options), "tif", 1.0
        expected = TURNS[options["orientation"]](meaning(values, options.get("nodata"), options["photometric"]))
    else:
        what, suffix, data, expected, most = _whole(random)
    harm = (cut, cut, flip, overwrite)[random.integers(0, 4)]
    read = reader(random, folder, harm(random, data), suffix)
    # A file that is cut off is noticed; of the others, only PNG has checksums.
    is_undetectable = harm is not cut and not what.startswith("PNG")
    return Case(f"{what}, {harm.__name__}", read, REFUSALS, close_to(expected, most), is_undetectable=is_undetectable)


def _huge(random: Random, folder: Path) -> Case:
    width, height = HUGE[random.integers(0, len(HUGE))]
    form = ("PNG", "BMP", "GIF", "JPEG", "TIFF", "TIFF")[random.integers(0, 6)]
    values = scene(random, 3, 0, 255, ("uint8", "uint16")[random.integers(0, 2)] if form == "TIFF" else "uint8")
    data: bytes | None
    if form == "TIFF":
        side = min(width, 2**31 - 1), min(height, 2**31 - 1)
        data = write_tiff(values, 2, declared=side, is_planar=random.random() < 0.5)
    else:
        data = size_claimed(random, form, encode(Image.fromarray(values), form), width, height)
    data = png_of_size(width, height) if data is None else data
    return Case(f"{form} that claims {width} x {height}", reader(random, folder, data, form.lower()), REFUSALS)


def _stranger(random: Random, folder: Path) -> Case:
    data = (*STRANGERS, random.bytes(int(random.integers(1, 400))))[random.integers(0, len(STRANGERS) + 1)]
    is_right = None
    if random.random() < 0.5:
        form, _, options, _ = FORMS[random.integers(0, len(FORMS))]
        head = encode(Image.new("RGB", (32, 32)).convert("L" if form == "GIF" else "RGB"), form, **options)
        # The head of a bitmap is mostly zeros, so with enough of them it is whole.
        is_right = close_to(np.zeros((32, 32, 3))) if form == "BMP" and data == ZEROS else None
        data = head[: int(random.integers(4, min(40, len(head) // 2)))] + data
    suffix = SUFFIXES[random.integers(0, len(SUFFIXES))]
    read = reader(random, folder, data, suffix)
    return Case(f"no image, {data[:16]!r}, called .{suffix}", read, REFUSALS, is_right)


# --- no files, and no files at all ---


def _array(random: Random, folder: Path) -> Case:
    sort = random.integers(0, 6)
    values = scene(random, 3, 0, 255)
    if sort == 0:
        return Case("array of bytes", lambda: np.asarray(load_image(values)), REFUSALS, close_to(values), True)
    if sort == 1:
        return Case(
            "array of floats in 0 to 1",
            lambda: np.asarray(load_image(values / 255)),
            REFUSALS,
            close_to(values, 1),
            must_read=True,
        )
    if sort == 2:
        wrong: np.ndarray = values / 255
        wrong[0, 0, 0] = (np.nan, np.inf, -0.1, 2.0)[random.integers(0, 4)]
        return Case(f"array with {wrong[0, 0, 0]}", lambda: load_image(wrong), REFUSALS)
    if sort == 3:
        wrong = np.zeros([int(side) for side in random.integers(0, 8, random.integers(0, 6))])
        shapes = wrong.ndim in (2, 3) and wrong.size > 0 and (wrong.ndim == 2 or {1, 3, 4} & {*wrong.shape[::2]})
        return Case(
            f"array of shape {wrong.shape}", lambda: load_image(wrong), REFUSALS, (lambda _: True) if shapes else None
        )
    if sort == 4:
        dtype = ("complex64", "datetime64[s]", "S4", "O")[random.integers(0, 4)]
        odd = np.zeros((8, 8), dtype=dtype)
        return Case(f"array of {dtype}", lambda: load_image(odd), (*REFUSALS, TypeError))
    source = (None, 3, [[1]], {"bytes": b""}, io.BytesIO(b""))[random.integers(0, 5)]
    return Case(f"source {source!r}", lambda: load_image(source), (*REFUSALS, TypeError))  # type: ignore[arg-type]


def _no_file(random: Random, folder: Path) -> Case:
    path = folder / "image.png"
    sort = random.integers(0, 6)
    if sort == 0:
        os.mkfifo(path)
    elif sort == 1:
        path.mkdir()
    elif sort == 2:
        path.symlink_to(path)
    elif sort == 3:
        path.symlink_to(("/dev/zero", "/dev/full", "/dev/tty")[random.integers(0, 3)])
    elif sort == 4:
        path = folder / ("x" * int(random.integers(200, 2000)))
    else:
        path = Path(("\0", "a\0b", "\udcff.png", "", ".", "file:///etc/passwd")[random.integers(0, 6)])
    source = path if random.random() < 0.5 else str(path)
    return Case(f"no file: {sort}, {str(path)[-40:]!r}", lambda: load_image(source), REFUSALS)
