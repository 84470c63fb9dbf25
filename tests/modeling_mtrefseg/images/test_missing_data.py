# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Missing data of one image of a pair must be black in both: otherwise it is segmented as a change."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modeling_mtrefseg import load_image, load_mask
from modeling_mtrefseg.image_files_mtrefseg import ImageError
from modeling_mtrefseg.image_reading_mtrefseg import ImageSource, read_images


HEIGHT, WIDTH = 48, 64
RGB = np.random.default_rng(0).integers(1, 200, (HEIGHT, WIDTH, 3), dtype=np.uint8)
HOLE = np.zeros((HEIGHT, WIDTH), dtype=bool)
HOLE[8:20, 10:40] = True


def filled(values: np.ndarray, value: float) -> np.ndarray:
    return np.where(HOLE[..., None], np.array(value, dtype=values.dtype), values)


def write_tiff(path: Path, values: np.ndarray, masked: bool = False, **options: Any) -> Path:
    rasterio = pytest.importorskip("rasterio", reason="it writes these files")
    size = {"count": values.shape[2], "height": HEIGHT, "width": WIDTH, "dtype": values.dtype}
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", **size, **options) as file:
            file.write(np.moveaxis(values, -1, 0))
            if masked:
                file.write_mask(~HOLE)
    return path


def check_pair(whole: ImageSource, holed: ImageSource, tolerance: int = 1) -> list[str]:
    """The hole of one image is black in both, whatever it holds; elsewhere they are alike. Returns the notes."""
    for sources in ([whole, holed], [holed, whole]):
        images, notes = read_images(sources, ["t1", "t2"])
        assert not any(np.asarray(image)[HOLE].any() for image in images)
        first, second = (np.asarray(image)[~HOLE].astype(int) for image in images)
        assert np.abs(first - second).max() <= tolerance
        assert "12 % of the pixels are transparent or without data in one" in notes[-1]
    return notes


@pytest.mark.parametrize("bands", [1, 3])
def test_nodata_of_8_bits_in_one_image_is_no_change(bands: int, tmp_path: Path) -> None:
    values = RGB[..., :bands]
    holed = write_tiff(tmp_path / "b.tif", filled(values, 255), nodata=255)
    check_pair(write_tiff(tmp_path / "a.tif", values), holed)
    channel = np.asarray(load_image(holed, bands=(bands,)))[..., 0]
    np.testing.assert_array_equal(channel, np.where(HOLE, 0, values[..., -1]))


def test_nodata_of_a_palette_is_no_change(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio", reason="it writes these files")
    values = RGB[..., :1]
    holed = write_tiff(tmp_path / "b.tif", filled(values, 255), nodata=255, photometric="palette")
    with rasterio.open(holed, "r+") as file:
        file.write_colormap(1, {value: (value,) * 3 for value in range(256)})
    check_pair(write_tiff(tmp_path / "a.tif", values), holed)


@pytest.mark.parametrize("kind", ["8 bits", "JPEG", "16 bits"])
def test_masks_within_a_tiff_are_read(kind: str, tmp_path: Path) -> None:
    """The usual form of aerial images."""
    values = RGB.astype(np.uint16) * 250 if kind == "16 bits" else RGB
    options = {"compress": "jpeg", "photometric": "ycbcr", "JPEG_QUALITY": 95} if kind == "JPEG" else {}
    paths = [
        write_tiff(tmp_path / name, filled(values, 250 if holed else 99), holed, **options)
        for name, holed in (("a.tif", False), ("b.tif", True))
    ]
    # In a JPEG, the pixels beside the hole differ as well.
    check_pair(*paths, tolerance=255 if kind == "JPEG" else 1)


@pytest.mark.parametrize(("stored", "declared"), [(-9999, np.nan), (np.finfo(np.float32).min, -3.4028230e38)])
def test_missing_data_that_the_file_declares_wrongly(stored: float, declared: float, tmp_path: Path) -> None:
    """All else was white: NaN instead of the value that is stored, or a rounded value."""
    values = (RGB / 400).astype(np.float32)
    holed = write_tiff(tmp_path / "b.tif", filled(values, stored), nodata=declared)
    notes = check_pair(write_tiff(tmp_path / "a.tif", values), holed)
    assert any("is treated as nodata" in note for note in notes)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_masked_pixels_of_arrays_are_without_data(dtype: str) -> None:
    """As `rasterio` returns them with `masked=True`; their values were used."""
    scale = {"uint8": 1, "uint16": 257, "float32": 1 / 255}[dtype]
    values = (RGB.astype(np.float64) * scale).astype(dtype)
    hidden = -9999 if dtype == "float32" else np.iinfo(dtype).max
    mask = np.repeat(HOLE[..., None], 3, axis=-1)
    holed = np.ma.masked_array(np.where(mask, np.array(hidden, dtype=dtype), values), mask)
    check_pair(values, holed)
    check_pair(values, np.ma.masked_array(np.moveaxis(holed.data, -1, 0), np.moveaxis(mask, -1, 0)))
    np.testing.assert_array_equal(np.asarray(load_image(np.ma.masked_array(values))), np.asarray(load_image(values)))
    marks = np.ma.masked_array(np.where(HOLE, 255, 0).astype(np.uint8), HOLE & (np.arange(WIDTH) < 20))
    np.testing.assert_array_equal(load_mask(marks), HOLE & (np.arange(WIDTH) >= 20))


def test_values_in_the_other_byte_order_are_the_same() -> None:
    """Arrays were rejected, and an opened TIFF was stretched apart from the other image."""
    values = RGB[..., 0].astype(np.uint16) * 250
    plain = np.asarray(load_image(values))
    for order in "<>":
        np.testing.assert_array_equal(np.asarray(load_image(values.astype(f"{order}u2"))), plain)
    for mode, kind in (("I;16", "<u2"), ("I;16B", ">u2")):
        image = Image.frombytes(mode, (WIDTH, HEIGHT), values.astype(kind).tobytes())
        np.testing.assert_array_equal(np.asarray(load_image(image)), plain)
    with pytest.raises(ImageError, match="float32 values span"):
        load_image((values / 2).astype(">f4"))
