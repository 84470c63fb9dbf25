# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Images of more than 8-bit RGB: every kind of file is read with the right values, or refused in words."""

import contextlib
import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from benchmarks.hostile.images import TURNS
from benchmarks.hostile.pixels import write_tiff as hostile_tiff
from modeling_mtrefseg import image_files_mtrefseg, load_image, load_images, load_mask
from modeling_mtrefseg.image_bands_mtrefseg import Stretch
from modeling_mtrefseg.image_files_mtrefseg import ImageError, UnsupportedImageError, decode, decoding
from modeling_mtrefseg.image_reading_mtrefseg import read_images


rasterio = pytest.importorskip("rasterio")

HEIGHT, WIDTH = 48, 64
NEEDS_AVIF = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


def scene(bands: int, highest: int, seed: int = 0) -> np.ndarray:
    """Smooth bands of shape `(bands, height, width)`, 1 to `highest`."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    shift = np.random.default_rng(seed).random(bands)[:, None, None]
    share = 0.5 + 0.5 * np.sin(rows / 9 + columns / 7 + 6 * shift)
    return 1 + np.rint(share * (highest - 1))


def write_tiff(path: Path, values: np.ndarray, **options: Any) -> Path:
    """A TIFF of bands `(bands, height, width)`, as GDAL writes it."""
    profile = {"driver": "GTiff", "count": len(values), "height": HEIGHT, "width": WIDTH, "dtype": values.dtype.name}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", **profile, **options) as file:
            file.write(values)
    return path


def stretched(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """What a stretch between two values a band gives, `(height, width, bands)`."""
    share = (np.moveaxis(values, 0, -1).astype(np.float64) - low) / (high - low)
    return np.rint(255 * share.clip(0, 1))


def percentiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.percentile(values.reshape(len(values), -1), (2, 98), axis=1)
    return low, high


def read(path: Path, **options: Any) -> tuple[np.ndarray, list[str]]:
    (image,), notes = read_images([path], [path.name], **options)
    return np.asarray(image), notes


@pytest.fixture
def without_rasterio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_files_mtrefseg, "_optional", lambda package: None)


PLAIN = {
    "RGB": {"photometric": "RGB"},
    "planar RGB": {"photometric": "RGB", "interleave": "band"},
    "tiled and compressed": {
        "photometric": "RGB",
        "tiled": True,
        "blockxsize": 16,
        "blockysize": 16,
        "compress": "deflate",
    },
}


@pytest.mark.parametrize("kind", PLAIN)
def test_a_tiff_of_8_bit_rgb_is_read_as_it_is(tmp_path: Path, kind: str) -> None:
    values = scene(3, 255).astype(np.uint8)
    pixels, notes = read(write_tiff(tmp_path / "a.tif", values, **PLAIN[kind]))
    np.testing.assert_array_equal(pixels, np.moveaxis(values, 0, -1))
    assert notes == []


EXTRA = {
    "alpha": {"photometric": "RGB", "alpha": "yes"},
    "premultiplied alpha": {"photometric": "RGB", "alpha": "premultiplied"},
    "unspecified": {"photometric": "RGB", "alpha": "no"},
    "grey": {"photometric": "MINISBLACK"},
    "planar": {"photometric": "RGB", "interleave": "band", "alpha": "yes"},
}


@pytest.mark.parametrize("kind", EXTRA)
def test_an_extra_band_is_left_out_whatever_it_is_called(tmp_path: Path, kind: str) -> None:
    values = scene(4, 255).astype(np.uint8)
    pixels, notes = read(write_tiff(tmp_path / "naip.tif", values, **EXTRA[kind]))
    np.testing.assert_array_equal(pixels, np.moveaxis(values[:3], 0, -1))
    assert notes == ["naip.tif has 4 bands: bands 1, 2, 3 are read as RGB, band 4 is left out"]


@pytest.mark.parametrize("kind", EXTRA)
def test_without_rasterio_an_extra_band_is_left_out_or_refused(
    tmp_path: Path, kind: str, without_rasterio: None
) -> None:
    values = scene(4, 255).astype(np.uint8)
    path = write_tiff(tmp_path / "naip.tif", values, **EXTRA[kind])
    if kind in ("premultiplied alpha", "grey"):
        with pytest.raises(UnsupportedImageError, match=r"naip\.tif.*4 bands of 8-bit unsigned.*pip install rasterio"):
            read(path)
    else:
        pixels, notes = read(path)
        np.testing.assert_array_equal(pixels, np.moveaxis(values[:3], 0, -1))
        assert "band 4 is left out" in notes[0]


def test_an_opened_tiff_keeps_its_colours_too(tmp_path: Path) -> None:
    values = scene(4, 255).astype(np.uint8)
    path = write_tiff(tmp_path / "naip.tif", values, photometric="RGB", alpha="yes")
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(load_image(image)), np.moveaxis(values[:3], 0, -1))
    path = write_tiff(tmp_path / "deep.tif", scene(3, 4000).astype(np.uint16), photometric="RGB")
    with Image.open(path) as image, pytest.raises(ImageError, match="give its path instead of the opened image"):
        load_image(image)


@pytest.mark.parametrize("interleave", ["pixel", "band"])
@pytest.mark.parametrize("compress", ["none", "deflate"])
@pytest.mark.parametrize("bits", [10, 11, 12, 14])
def test_16_bits_that_hold_fewer_are_stretched(tmp_path: Path, interleave: str, compress: str, bits: int) -> None:
    values = scene(3, (1 << bits) - 1).astype(np.uint16)
    path = write_tiff(tmp_path / "a.tif", values, photometric="RGB", interleave=interleave, compress=compress)
    pixels, (note,) = read(path)
    np.testing.assert_array_equal(pixels, stretched(values, *percentiles(values)))
    assert f"span 1 to {(1 << bits) - 1} ({bits} bits) and are stretched: percentiles 2 and 98" in note


def test_full_16_bits_are_divided_by_257(tmp_path: Path) -> None:
    values = scene(3, 65535).astype(np.uint16)
    pixels, notes = read(write_tiff(tmp_path / "a.tif", values, photometric="RGB", interleave="band"))
    np.testing.assert_array_equal(pixels, np.rint(np.moveaxis(values, 0, -1) / 257))
    assert notes == []


def test_8_bits_in_16_are_read_as_8(tmp_path: Path) -> None:
    values = scene(3, 250).astype(np.uint16)
    pixels, (note,) = read(write_tiff(tmp_path / "a.tif", values, photometric="RGB"))
    np.testing.assert_array_equal(pixels, np.moveaxis(values, 0, -1))
    assert "read as 8-bit values" in note


def test_t1_and_t2_are_stretched_alike_by_default(tmp_path: Path) -> None:
    both = [scene(3, 2000).astype(np.uint16), scene(3, 4000, seed=1).astype(np.uint16)]
    paths = [
        write_tiff(tmp_path / f"t{index}.tif", values, photometric="RGB") for index, values in enumerate(both, start=1)
    ]
    images, (note,) = read_images(paths, ["t1.tif", "t2.tif"])
    limits = percentiles(np.concatenate(both, axis=1))
    for image, values in zip(images, both, strict=True):
        np.testing.assert_array_equal(np.asarray(image), stretched(values, *limits))
    assert note.startswith("t1.tif and t2.tif: ")
    images, notes = read_images(paths, ["t1.tif", "t2.tif"], stretch=Stretch(each=True))
    for image, values in zip(images, both, strict=True):
        np.testing.assert_array_equal(np.asarray(image), stretched(values, *percentiles(values)))
    assert len(notes) == 2


def test_a_stretch_can_be_asked_for_or_refused(tmp_path: Path) -> None:
    values = scene(3, 4000).astype(np.uint16)
    path = write_tiff(tmp_path / "a.tif", values, photometric="RGB")
    pixels, _ = read(path, stretch=Stretch(0, 100))
    np.testing.assert_array_equal(pixels, stretched(values, np.array([1] * 3), np.array([4000] * 3)))
    pixels, notes = read(path, stretch=None)
    np.testing.assert_array_equal(pixels, np.rint(np.moveaxis(values, 0, -1) / 257))
    assert notes == []
    assert "nearly black" in read(write_tiff(tmp_path / "b.tif", values // 4, photometric="RGB"), stretch=None)[1][0]


@pytest.mark.parametrize("stretch", ["1,99", (1, 99), "none"])
def test_a_stretch_as_the_command_line_takes_it_is_not_ignored(stretch: object) -> None:
    with pytest.raises(ValueError, match=r"`stretch` must be 'auto', None or a `Stretch` such as Stretch\(1, 99\)"):
        load_image(np.full((40, 40), 4000, np.uint16), stretch=stretch)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
def test_signed_and_floating_point_bands_are_stretched_without_nodata(tmp_path: Path, dtype: str) -> None:
    values = (scene(4, 3000) - 500).astype(dtype)
    values[:, :5] = -9999
    if dtype.startswith("float"):
        values[:, 5] = np.nan
    pixels, notes = read(write_tiff(tmp_path / "a.tif", values, nodata=-9999, photometric="RGB"))
    first = 6 if dtype.startswith("float") else 5
    assert not pixels[:first].any()
    shown = values[:3, first:]
    np.testing.assert_allclose(pixels[first:], stretched(shown, *percentiles(shown)), atol=1)
    assert len(notes) == 2
    assert "are stretched" in notes[1]


@pytest.mark.parametrize("highest", [0.22, 1.0])
def test_grey_reflectances_are_stretched_where_they_are_dark(tmp_path: Path, highest: float) -> None:
    values = (scene(1, 1000) / 1000 * highest).astype(np.float32)
    values[:, :4] = -9999
    pixels, _ = read(write_tiff(tmp_path / "a.tif", values, nodata=-9999))
    assert not pixels[:4].any()
    shown = values[:, 4:]
    expected = stretched(shown, *percentiles(shown)) if highest < 0.5 else np.rint(255 * np.moveaxis(shown, 0, -1))
    np.testing.assert_allclose(pixels[4:], np.repeat(expected, 3, axis=-1), atol=1)


@pytest.mark.parametrize("missing", [-3.4028234663852886e38, -9999, 9.96921e36])
def test_missing_data_that_the_file_does_not_name_is_black(tmp_path: Path, missing: float) -> None:
    """It would be 0, and all else white."""
    values = scene(3, 2000).astype(np.float32)
    held = values[:, :, 20:].copy()
    values[:, :, :20] = missing
    image, notes = read(write_tiff(tmp_path / "holed.tif", values))
    assert not image[:, :20].any()
    assert np.abs(image[:, 20:] - stretched(held, *percentiles(held))).max() <= 1
    assert any("holed.tif" in note and f"{missing:g} is treated as nodata" in note for note in notes)


def test_missing_data_beside_negative_values_is_found(tmp_path: Path) -> None:
    values = scene(3, 7500).astype(np.int16) - 2000
    values[:, :, :20] = -32768
    image, notes = read(write_tiff(tmp_path / "holed.tif", values))
    assert not image[:, :20].any()
    assert any("-32768 is treated as nodata" in note for note in notes)
    # Values that reach down to it are data.
    values = np.linspace(-9999, 9999, 3 * 64 * 64).reshape(3, 64, 64).astype(np.int16)
    assert not any("nodata" in note for note in read(write_tiff(tmp_path / "whole.tif", values))[1])


@pytest.mark.parametrize("kind", ["YCbCr", "WebP"])
def test_tiffs_that_pillow_calls_cut_short_are_read_with_rasterio(tmp_path: Path, kind: str) -> None:
    values = scene(3, 255).astype(np.uint8)
    path = tmp_path / "image.tif"
    if kind == "WebP":
        write_tiff(path, values, photometric="RGB", compress="WEBP", WEBP_LOSSLESS=True)
    else:
        Image.fromarray(np.moveaxis(values, 0, -1)).convert("YCbCr").save(path)
    image, _ = read(path)
    assert np.abs(image.astype(int) - np.moveaxis(values, 0, -1)).max() <= (0 if kind == "WebP" else 4)


def test_nodata_of_8_bits_is_black(tmp_path: Path) -> None:
    values = scene(3, 200).astype(np.uint8)
    values[:, :5] = 255
    values[0, 20] = 255  # One band alone may be as bright.
    pixels, _ = read(write_tiff(tmp_path / "a.tif", values, nodata=255, photometric="RGB"))
    assert not pixels[:5].any()
    np.testing.assert_array_equal(pixels[5:], np.moveaxis(values[:, 5:], 0, -1))


def test_bands_can_be_chosen(tmp_path: Path) -> None:
    values = scene(5, 255).astype(np.uint8)
    path = write_tiff(tmp_path / "a.tif", values, photometric="MINISBLACK")
    pixels, (note,) = read(path, bands=(5, 3, 2))
    np.testing.assert_array_equal(pixels, np.moveaxis(values[[4, 2, 1]], 0, -1))
    assert note == "a.tif has 5 bands: bands 5, 3, 2 are read as RGB, bands 1, 4 are left out"
    pixels, _ = read(path, bands=(4,))
    np.testing.assert_array_equal(pixels[..., 0], values[3])
    with pytest.raises(ImageError, match=r"a\.tif.*bands 1 to 5, but 3, 2, 6"):
        read(path, bands=(3, 2, 6))
    Image.fromarray(np.moveaxis(values[:3], 0, -1)).save(tmp_path / "plain.png")
    pixels, _ = read(tmp_path / "plain.png", bands=(3, 2, 1))
    np.testing.assert_array_equal(pixels, np.moveaxis(values[[2, 1, 0]], 0, -1))


def test_two_bands_are_read_as_grey(tmp_path: Path) -> None:
    values = scene(2, 255).astype(np.uint8)
    pixels, notes = read(write_tiff(tmp_path / "sar.tif", values, photometric="MINISBLACK"))
    np.testing.assert_array_equal(pixels[..., 0], values[0])
    assert notes == ["sar.tif has 2 bands: band 1 is read as grey, band 2 is left out"]


def test_an_orientation_turns_bands_too(tmp_path: Path) -> None:
    values = scene(1, 4000)[0].astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "turned.tif", tiffinfo={274: 6})
    Image.fromarray(values).save(tmp_path / "plain.tif")
    np.testing.assert_array_equal(read(tmp_path / "turned.tif")[0], np.rot90(read(tmp_path / "plain.tif")[0], -1))


def test_16_bit_png_in_colour_is_stretched_too(tmp_path: Path) -> None:
    values = scene(3, 4000).astype(np.uint16)
    path = tmp_path / "a.png"
    profile = {"driver": "PNG", "count": 3, "height": HEIGHT, "width": WIDTH, "dtype": "uint16"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", **profile) as file:
            file.write(values)
    pixels, notes = read(path)
    np.testing.assert_array_equal(pixels, stretched(values, *percentiles(values)))
    assert "12 bits" in notes[0]


def test_without_rasterio_what_pillow_misreads_is_refused(tmp_path: Path, without_rasterio: None) -> None:
    deep = scene(3, 4000).astype(np.uint16)
    full = scene(3, 65535).astype(np.uint16)
    cases = {
        "12bit.tif": (deep, {"photometric": "RGB"}, "nearly black"),
        "planar.tif": (full, {"photometric": "RGB", "interleave": "band"}, "misreads"),
        "float.tif": (deep.astype(np.float32), {"photometric": "RGB"}, "32-bit floating-point"),
        "int.tif": (deep.astype(np.int16), {"photometric": "MINISBLACK"}, "16-bit signed"),
        "double.tif": (deep[:1].astype(np.float64), {}, "64-bit floating-point"),
        "five.tif": (scene(5, 255).astype(np.uint8), {"photometric": "MINISBLACK"}, "5 bands"),
    }
    for name, (values, options, words) in cases.items():
        path = write_tiff(tmp_path / name, values, **options)
        with pytest.raises(UnsupportedImageError, match=rf"{name}.*{words}") as caught:
            read(path)
        assert "rasterio" in str(caught.value)
        assert "\n" not in str(caught.value)
    # What Pillow keeps is read: the upper eight bits where they are filled, and one band of any depth.
    pixels, _ = read(write_tiff(tmp_path / "full.tif", full, photometric="RGB"))
    np.testing.assert_allclose(pixels, np.moveaxis(full, 0, -1) / 257, atol=1)
    pixels, _ = read(write_tiff(tmp_path / "grey.tif", deep[:1]))
    np.testing.assert_array_equal(pixels[..., :1], stretched(deep[:1], *percentiles(deep[:1])))
    pixels, _ = read(write_tiff(tmp_path / "signed.tif", deep[:1].astype(np.int16), nodata=-9999))
    np.testing.assert_array_equal(pixels[..., :1], stretched(deep[:1], *percentiles(deep[:1])))


def test_other_kinds_of_tiff_are_refused_in_words(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "complex.tif", scene(1, 99).astype(np.complex64))
    with pytest.raises(UnsupportedImageError, match=r"complex\.tif.*8-bit"):
        read(path)


@pytest.mark.parametrize("suffix", [".jfif", ".jp2", pytest.param(".avif", marks=NEEDS_AVIF), ".gif", ".webp", ".bmp"])
def test_formats_that_people_have_are_read(tmp_path: Path, suffix: str) -> None:
    values = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    values[:, WIDTH // 2 :] = (250, 120, 10)
    image = Image.fromarray(values)
    other = Image.new("RGB", image.size, "blue")
    frames = {"save_all": True, "append_images": [other]} if suffix == ".gif" else {}
    image.save(tmp_path / f"a{suffix}", format="JPEG" if suffix == ".jfif" else None, **frames)
    pixels, _ = read(tmp_path / f"a{suffix}")
    away = np.abs(np.arange(WIDTH) - WIDTH // 2) > 8  # JPEG smears the edge.
    np.testing.assert_allclose(pixels[:, away], values[:, away], atol=8)


def test_a_fourth_component_of_jpeg_2000_is_a_band(tmp_path: Path) -> None:
    values = np.moveaxis(scene(4, 255).astype(np.uint8), 0, -1)
    Image.fromarray(values).save(tmp_path / "a.jp2", irreversible=False, no_jp2=True)
    pixels, notes = read(tmp_path / "a.jp2")
    np.testing.assert_array_equal(pixels, values[..., :3])
    assert "band 4 is left out" in notes[0]


def test_a_tiff_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", scene(4, 255).astype(np.uint8), photometric="RGB")
    content = bytearray(path.read_bytes())
    for tag in (256, 257):  # Width and height, as 16-bit numbers.
        place = content.index(tag.to_bytes(2, "little") + b"\x03\x00\x01\x00\x00\x00")
        content[place + 8 : place + 10] = (60_000).to_bytes(2, "little")
    with pytest.raises(ImageError, match="too large") as caught:
        load_image(bytes(content))
    assert caught.value.is_too_large


def test_heic_names_the_package_that_it_needs(tmp_path: Path, without_rasterio: None) -> None:
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    with pytest.raises(UnsupportedImageError, match=r"phone\.heic.*HEIC needs pillow-heif: pip install pillow-heif"):
        load_image(tmp_path / "phone.heic")


@pytest.mark.parametrize(
    "error", [RuntimeError("broken"), NotImplementedError("no"), SyntaxError("x"), KeyError(3), MemoryError()]
)
def test_whatever_a_decoder_raises_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    with pytest.raises(ImageError, match=r"^Cannot read .*a\.png'?: ."):
        load_image(tmp_path / "a.png")


@NEEDS_AVIF
def test_damaged_avif_and_dds_are_named_whatever_their_suffix(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.moveaxis(scene(3, 255).astype(np.uint8), 0, -1)).save(buffer, "AVIF")
    content = bytearray(buffer.getvalue())
    start = content.index(b"mdat") + 4
    content[start : start + 8] = bytes(8)
    damaged = {"avif": bytes(content), "dds": b"DDS " + (124).to_bytes(4, "little") + bytes(120)}
    for kind, data in damaged.items():
        for suffix in (kind, "png"):
            path = tmp_path / f"bad_{kind}.{suffix}"
            path.write_bytes(data)
            with pytest.raises(ImageError, match=path.name):
                load_image(path)


def test_random_damage_raises_nothing_else(tmp_path: Path) -> None:
    """Headers of TIFFs and others with bytes changed at random: an image, or an error that names the file."""
    random = np.random.default_rng(7)
    sources = [write_tiff(tmp_path / "a.tif", scene(3, 4000).astype(np.uint16), photometric="RGB").read_bytes()]
    for kind in ("PNG", "JPEG2000", "GIF", "WEBP", "DDS", *(["AVIF"] if features.check("avif") else [])):
        buffer = io.BytesIO()
        Image.fromarray(np.moveaxis(scene(3, 255).astype(np.uint8), 0, -1)).save(buffer, kind)
        sources.append(buffer.getvalue())
    for source in sources:
        for _ in range(40):
            content = bytearray(source)
            for _ in range(int(random.integers(1, 9))):
                content[int(random.integers(0, min(len(content), 400)))] = int(random.integers(0, 256))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with contextlib.suppress(ImageError):
                    decode(bytes(content), "noise")


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match=r"pipe\.png.*not a regular file"):
        load_image(tmp_path / "pipe.png")


def test_dark_and_flat_images_are_warned_of(tmp_path: Path) -> None:
    for name, value, words in (("dark.png", 3, "nearly black"), ("flat.png", 200, "flat")):
        Image.new("RGB", (40, 40), (value,) * 3).save(tmp_path / name)
        assert [words in note and name in note for note in read(tmp_path / name)[1]] == [True]
    image = Image.open(tmp_path / "dark.png")
    (once,), notes = read_images([image])
    assert len(notes) == 1
    assert read_images([once])[1] == []  # It was read before.


def test_notes_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_tiff(tmp_path / "naip.tif", scene(4, 255).astype(np.uint8), photometric="RGB", alpha="yes")
    from transformers.utils import logging

    logging.enable_propagation()
    try:
        load_images([path, path])
    finally:
        logging.disable_propagation()
    assert "naip.tif' has 4 bands" in caplog.text


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match=r"There is no file .*absent\.tif"),
        decoding(str(tmp_path / "absent.tif")),
    ):
        (tmp_path / "absent.tif").read_bytes()


@pytest.mark.parametrize("compression", ["none", "deflate"])
def test_nodata_of_a_tiff_whose_zero_is_white_is_black(tmp_path: Path, compression: str) -> None:
    values = scene(1, 200).astype(np.uint8)
    values[:, :10] = 210
    options = {"photometric": "MINISWHITE", "nodata": 210, "compress": compression}
    pixels, _ = read(write_tiff(tmp_path / "a.tif", values, **options))
    expected = np.where(values[0] == 210, 0, 255 - values[0])
    np.testing.assert_array_equal(pixels, np.repeat(expected[..., None], 3, axis=-1))


def test_a_png_whose_pixels_are_damaged_is_refused(tmp_path: Path) -> None:
    """Pillow shows some of them as images."""
    path = tmp_path / "bits.png"
    Image.fromarray((scene(1, 255)[0] > 127).astype(np.uint8) * 255).convert("1").save(path)
    content = bytearray(path.read_bytes())
    start = content.index(b"IDAT") + 4
    for place in range(start + 2, content.index(b"IEND") - 8):
        damaged = bytes(content[:place]) + bytes([content[place] ^ 0x55]) + bytes(content[place + 1 :])
        path.write_bytes(damaged)
        for source in (path, damaged):
            with pytest.raises(ImageError):
                load_image(source)
    content += b"more behind the end"
    np.testing.assert_array_equal(
        np.asarray(load_image(bytes(content)))[..., 0], np.where(scene(1, 255)[0] > 127, 255, 0)
    )


@pytest.mark.parametrize("harm", ["length", "cut"])
def test_a_png_without_the_checksum_of_its_pixels_is_refused(tmp_path: Path, harm: str) -> None:
    """Pillow stops at the end of the compressed pixels."""
    path = tmp_path / "mask.png"
    Image.fromarray((scene(1, 255)[0] > 127).astype(np.uint8) * 255).save(path)
    content = bytearray(path.read_bytes())
    if harm == "length":
        content[content.index(b"IDAT") - 4] ^= 64  # Another GiB.
    else:
        del content[content.index(b"IEND") - 6 :]
    path.write_bytes(content)
    for load in (load_image, load_mask):
        for source in (path, bytes(content)):
            with pytest.raises(ImageError, match="it is truncated, or the length of a part is wrong"):
                load(source)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("kept", [4, 13, 30])
def test_a_tiff_without_its_last_tags_is_refused(kept: int) -> None:
    """They may say which samples are no data."""
    values = scene(1, 200).astype(np.uint8)[0, ..., None]
    content = hostile_tiff(values, 1, nodata="8.0")
    start = int.from_bytes(content[4:8], "little")
    for end in (start + kept, len(content) - kept):
        with pytest.raises(ImageError, match="the file ends before its tags do"):
            load_image(content[:end])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("sort", ["path", "bytes", "opened", "opened mask"])
def test_a_grey_tiff_is_turned_however_it_is_given(tmp_path: Path, orientation: int, sort: str) -> None:
    """Pillow maps its file into memory, with width and height swapped."""
    values = (scene(1, 255)[0] > 127).astype(np.uint8) * 255
    path = tmp_path / "turned.tif"
    path.write_bytes(hostile_tiff(values[..., None], 1, orientation=orientation))
    expected = TURNS[orientation](values)
    if sort.startswith("opened"):
        with Image.open(path) as opened:
            loaded = load_mask(opened) * 255 if sort == "opened mask" else np.asarray(load_image(opened))[..., 0]
            assert opened.filename == str(path)
    else:
        loaded = np.asarray(load_image(path if sort == "path" else path.read_bytes()))[..., 0]
    np.testing.assert_array_equal(loaded, expected)


def test_an_opened_grey_tiff_means_what_its_file_means(tmp_path: Path) -> None:
    """Pillow takes a second band for transparency, and inverts grey values of 8 bits alone."""
    values = scene(2, 255).astype(np.uint8)
    deep = (65535 - values[:1].astype(np.uint16) * 257).astype(np.uint16)
    for path in (
        write_tiff(tmp_path / "two.tif", values, photometric="MINISBLACK", ALPHA="YES"),
        write_tiff(tmp_path / "white.tif", deep, photometric="MINISWHITE"),
    ):
        with Image.open(path) as opened:
            for source in (path, opened):
                pixels = np.asarray(load_image(source))
                np.testing.assert_array_equal(pixels, np.repeat(values[0][..., None], 3, axis=-1))


def test_a_compression_that_pillow_lacks_is_read_with_rasterio(tmp_path: Path) -> None:
    values = scene(3, 255).astype(np.uint8)
    path = write_tiff(tmp_path / "a.tif", values, photometric="RGB", compress="lerc_deflate")
    np.testing.assert_array_equal(load_image(path), np.moveaxis(values, 0, -1))
