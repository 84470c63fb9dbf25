# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Files in which a part could be lost in silence: pages, palettes of 8 bits, transparency in grey and in 16 bits."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from dataset_scripts.readers import UnusableError
from dataset_scripts.readers.image_file import ImageFile
from modeling_mtrefseg import load_image, load_mask
from modeling_mtrefseg.image_files_mtrefseg import ImageError
from modeling_mtrefseg.image_reading_mtrefseg import read_images
from modeling_mtrefseg.mask_reading_mtrefseg import AmbiguousMaskError


HEIGHT, WIDTH = 24, 32
MASK = np.zeros((HEIGHT, WIDTH), dtype=bool)
MASK[4:12, 6:20] = True
RAMP = np.linspace(0, 255, HEIGHT * WIDTH).astype(np.uint8).reshape(HEIGHT, WIDTH)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


# --- pages ---


def pages(*images: Image.Image) -> bytes:
    return saved(images[0], "TIFF", save_all=True, append_images=images[1:])


@pytest.mark.parametrize("reader", [load_image, load_mask])
def test_a_tiff_of_several_pages_is_refused(reader: Any, tmp_path: Path) -> None:
    """As some programs store the bands of an image, or one object a page."""
    page, other = Image.fromarray(MASK.astype(np.uint8) * 255), Image.fromarray(RAMP)
    for file in (pages(page, other), pages(page.resize((8, 6)), page), pages(page, page.resize((8, 6)), other)):
        with pytest.raises(ImageError, match="several pages"):
            reader(file)
    with pytest.raises(UnusableError, match="several pages"):
        ImageFile("a.tif", pages(page, other)).check()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animated_mask_is_refused_and_an_animated_image_is_its_first_frame(kind: str) -> None:
    page, other = Image.fromarray(MASK.astype(np.uint8) * 255), Image.fromarray(RAMP)
    lossless = {"lossless": True} if kind == "WEBP" else {}
    file = saved(page, kind, save_all=True, append_images=[other], **lossless)
    for source in (file, Image.open(io.BytesIO(file))):
        with pytest.raises(ImageError, match="animation of 2 frames: save the right one"):
            load_mask(source)
    shown = np.asarray(load_image(file))[..., 0] > 127
    assert (shown == MASK).mean() > 0.99
    assert (load_mask(saved(page, kind, **lossless)) == MASK).mean() > 0.99


def test_files_that_only_point_at_an_image_or_are_empty_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    for reader in (load_image, load_mask):
        with pytest.raises(ImageError, match=r"a\.png.*git lfs pull"):
            reader(path)
    path.write_bytes(b"")
    with pytest.raises(ImageError, match=r"a\.png.*it is empty"):
        load_image(path)


def test_overviews_masks_and_previews_are_no_pages() -> None:
    page = Image.fromarray(MASK.astype(np.uint8) * 255)
    assert (load_mask(pages(page, page.resize((8, 6)))) == MASK).all()
    for kind in (1, 4):
        part = page.copy()
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[254] = kind
        part.encoderinfo = {"tiffinfo": tags}
        file = saved(page, "TIFF", save_all=True, append_images=[part])
        assert (load_mask(file) == MASK).all()


def test_pages_in_a_circle_end() -> None:
    content = bytearray(saved(Image.fromarray(RAMP).resize((8, 6)), "TIFF"))
    start = struct.unpack_from("<I", content, 4)[0]
    entries = struct.unpack_from("<H", content, start)[0]
    struct.pack_into("<I", content, start + 2 + 12 * entries, start)
    with pytest.raises(ImageError):
        load_image(bytes(content))


# --- palettes ---


def palette_tiff(colours: np.ndarray, entries: np.ndarray) -> bytes:
    """A TIFF whose palette holds these values, `(256, 3)`, as they are."""
    image = Image.fromarray(entries)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 3
    tags[320] = tuple(colours.T.ravel().tolist())
    tags.tagtype[320] = 3
    content = saved(image, "TIFF", tiffinfo=tags)
    # Pillow writes its own photometric interpretation.
    start, order = struct.unpack_from("<I", content, 4)[0], bytearray(content)
    for number in range(struct.unpack_from("<H", content, start)[0]):
        if struct.unpack_from("<H", content, start + 2 + 12 * number)[0] == 262:
            struct.pack_into("<H", order, start + 2 + 12 * number + 8, 3)
    return bytes(order)


def test_a_palette_of_8_bits_is_not_black() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (256, 3))
    for factor in (1, 257):
        pixels = np.asarray(load_image(palette_tiff(colours * factor, RAMP)))
        np.testing.assert_array_equal(pixels, colours[RAMP])
    # Whoever loads a data set decodes with Pillow alone, to which it is black.
    with pytest.raises(UnusableError, match="palette of 8 bits"):
        ImageFile("a.tif", palette_tiff(colours, RAMP)).check()


def test_a_mask_with_a_palette_of_8_bits_is_not_inverted() -> None:
    colours = np.zeros((256, 3), dtype=int)
    colours[0] = 255
    for factor in (1, 257):
        assert (load_mask(palette_tiff(colours * factor, MASK.astype(np.uint8))) == ~MASK).all()


# --- transparency ---


def png(values: np.ndarray, kind: int, transparent: int | tuple[int, ...] | None = None) -> bytes:
    """A PNG of a colour type, of 8 or 16 bits as the values have."""

    def part(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    bits = 8 * values.dtype.itemsize
    rows = b"".join(b"\0" + row.astype(values.dtype.newbyteorder(">")).tobytes() for row in values)
    hidden = b"" if transparent is None else part(b"tRNS", np.asarray(transparent, dtype=">u2").tobytes())
    head = part(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + hidden + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


@pytest.mark.parametrize("factor", [1, 257])
def test_a_colour_that_is_transparent_is_black_in_8_and_16_bits(factor: int) -> None:
    pytest.importorskip("rasterio")
    values = np.stack([RAMP, RAMP[::-1], RAMP], axis=-1)
    expected = values.copy()
    expected[(values == values[3, 5]).all(axis=-1)] = 0
    stored = values.astype(np.uint16) * factor if factor > 1 else values
    shown = np.asarray(load_image(png(stored, 2, transparent=tuple(stored[3, 5]))))
    assert np.array_equal(shown, expected)
    assert (shown != values).any()


@pytest.mark.parametrize("channels", [2, 4])
def test_the_opacity_of_16_bits_is_the_mask_too(channels: int) -> None:
    pytest.importorskip("rasterio")
    opacity = MASK.astype(np.uint16) * 65535
    content = np.dstack([np.full((HEIGHT, WIDTH, channels - 1), 65535, np.uint16), opacity])
    assert (load_mask(png(content, {2: 4, 4: 6}[channels])) == MASK).all()
    # The opacity says nothing where it is the same everywhere.
    content = np.dstack([*[opacity] * (channels - 1), np.full_like(opacity, 65535)])
    assert (load_mask(png(content, {2: 4, 4: 6}[channels])) == MASK).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_grey_value_that_is_transparent_is_no_part_of_the_mask(dtype: Any) -> None:
    values = MASK.astype(dtype) * 200
    assert (load_mask(png(values, 0, transparent=0)) == MASK).all()
    with pytest.raises(AmbiguousMaskError, match="transparency hides"):
        load_mask(png(values, 0, transparent=200))


def test_a_grey_value_that_is_transparent_is_black_in_8_and_16_bits() -> None:
    values = np.where(MASK, 255, RAMP // 2).astype(np.uint8)
    shown = np.where(MASK, 0, values)
    for content, hidden in ((values, 255), (values.astype(np.uint16) * 257, 65535)):
        pixels = np.asarray(load_image(png(content, 0, hidden)))
        assert np.abs(pixels[..., 0].astype(int) - shown).max() <= 1
        assert not pixels[MASK].any()


@pytest.mark.parametrize("deep", [False, True])
def test_what_is_transparent_in_one_image_of_a_pair_is_no_change(deep: bool, tmp_path: Path) -> None:
    """It was black in one image only, and was segmented as a change."""
    rgb = np.stack([RAMP] * 3, axis=-1)
    if deep:
        hidden = png(np.where(MASK[..., None], 65535, rgb.astype(np.uint16) * 256), 2, (65535, 65535, 65535))
    else:
        alpha = np.where(MASK, 0, 255).astype(np.uint8)
        hidden = saved(Image.fromarray(np.dstack([rgb, alpha])), "PNG")
    whole = saved(Image.fromarray(rgb), "PNG")
    for files in ([hidden, whole], [whole, hidden]):
        images, notes = read_images(files, ["t1", "t2"])
        assert all((np.asarray(image)[MASK] == 0).all() for image in images)
        assert np.abs(np.asarray(images[0]).astype(int) - np.asarray(images[1]))[~MASK].max() <= 1
        assert f"t1 and t2: {round(100 * MASK.mean())} % of the pixels are transparent or without data" in notes[-1]
        assert read_images(images)[1] == []
    (alone,), notes = read_images([whole])
    assert (np.asarray(alone) == rgb).all()
    assert notes == []
    assert not any("transparent" in note for note in read_images([hidden, hidden])[1])
    larger = saved(Image.new("RGB", (WIDTH * 2, HEIGHT)), "PNG")
    assert [image.size for image in read_images([hidden, larger])[0]] == [(WIDTH, HEIGHT), (WIDTH * 2, HEIGHT)]
