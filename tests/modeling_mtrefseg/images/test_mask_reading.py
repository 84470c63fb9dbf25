# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Masks of every encoding are read with the right pixels, or refused with the values that they hold."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from modeling_mtrefseg import load_mask
from modeling_mtrefseg.image_files_mtrefseg import ImageError
from modeling_mtrefseg.mask_reading_mtrefseg import AmbiguousMaskError, read_mask


TRUTH = np.zeros((40, 56), dtype=bool)
TRUTH[8:24, 10:40] = True
OTHER = np.zeros_like(TRUTH)
OTHER[28:36, 4:20] = True


def grey(value: int, background: int = 0, dtype: Any = np.uint8) -> np.ndarray:
    return np.where(TRUTH, value, background).astype(dtype)


def classes(first: int, second: int, dtype: Any = np.uint8) -> np.ndarray:
    return np.where(TRUTH, first, np.where(OTHER, second, 0)).astype(dtype)


def coloured(colour: tuple[int, ...], background: tuple[int, ...]) -> np.ndarray:
    return np.where(TRUTH[..., None], colour, background).astype(np.uint8)


def palette(entries: np.ndarray, colours: dict[int, tuple[int, int, int]], **info: Any) -> Image.Image:
    image = Image.fromarray(entries.astype(np.uint8))
    image = image.convert("P") if image.mode != "P" else image
    table = [0] * 768
    for entry, colour in colours.items():
        table[3 * entry : 3 * entry + 3] = colour
    image.putdata(entries.ravel().tolist())
    image.putpalette(table)
    image.info.update(info)
    return image


def compressed(array: np.ndarray, kind: str, **options: Any) -> Image.Image:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return Image.open(io.BytesIO(buffer.getvalue()))


def resized(array: np.ndarray, factor: int) -> np.ndarray:
    """An object as large as `TRUTH`, with edges that were softened by resizing."""
    image = Image.fromarray(array)
    small = image.resize((image.width // factor, image.height // factor), Image.Resampling.BOX)
    return np.asarray(small.resize(image.size, Image.Resampling.BILINEAR))


VOC = {1: (128, 0, 0), 2: (0, 128, 0), 8: (64, 0, 0), 38: (0, 64, 128)}

READ: dict[str, tuple[Any, list[str]]] = {
    "booleans": (TRUTH, []),
    "1 bit": (Image.fromarray(TRUTH), []),
    "0 and 255": (Image.fromarray(grey(255)), []),
    "0 and 1": (Image.fromarray(grey(1)), ["ones"]),
    "0 and a class": (Image.fromarray(grey(2)), ["values"]),
    "0 and an instance": (Image.fromarray(grey(38)), ["values"]),
    "0 and 200": (Image.fromarray(grey(200)), ["values"]),
    "90 and 200": (Image.fromarray(grey(200, 90)), ["values"]),
    "16 bits, 1000": (Image.fromarray(grey(1000, 0, np.uint16)), ["values"]),
    "16 bits, 1": (Image.fromarray(grey(1, 0, np.uint16)), ["ones"]),
    "16 bits, 65535": (Image.fromarray(grey(65535, 0, np.uint16)), []),
    "32 bits": (Image.fromarray(grey(100_000, 0, np.int32)), ["values"]),
    "floats, 1": (Image.fromarray(grey(1, 0, np.float32)), ["ones"]),
    "floats, 255": (Image.fromarray(grey(255, 0, np.float32)), []),
    "floats, 0.3": (np.where(TRUTH, 0.3, 0), ["values"]),
    "probabilities": (np.where(TRUTH, 0.9, 0.2) - np.where(OTHER, 0.05, 0), ["values"]),
    "a tensor": (torch.from_numpy(grey(7)), ["values"]),
    "a palette of one class": (palette(grey(1), VOC), ["colour"]),
    "a palette of one dark class": (palette(grey(8), VOC), ["colour"]),
    "a palette of one instance": (palette(grey(38), VOC), ["colour"]),
    "a palette without colours": (palette(grey(5), {}), ["colour", "values"]),
    "a palette of white and black": (palette(grey(0, 1), {0: (255, 255, 255)}), ["colour"]),
    "a palette with blue background": (palette(grey(3), {0: (31, 119, 180), 3: (214, 39, 40)}), ["colour", "values"]),
    "a palette with transparent background": (
        palette(grey(1), {0: (255, 255, 255), 1: (255, 0, 0)}, transparency=0),
        ["colour", "ones"],
    ),
    "red on black": (Image.fromarray(coloured((255, 0, 0), (0, 0, 0))), ["colour"]),
    "dark red on black": (Image.fromarray(coloured((90, 0, 0), (0, 0, 0))), ["colour"]),
    "white on black in RGB": (Image.fromarray(coloured((255,) * 3, (0,) * 3)), ["colour"]),
    "alpha of white": (Image.fromarray(coloured((255, 255, 255, 255), (255, 255, 255, 0))), ["colour", "alpha"]),
    "alpha of black": (Image.fromarray(coloured((0, 0, 0, 255), (0, 0, 0, 0))), ["colour", "alpha"]),
    "alpha of half": (Image.fromarray(coloured((9, 9, 9, 127), (9, 9, 9, 0))), ["colour", "alpha"]),
    "half-transparent red": (Image.fromarray(coloured((255, 0, 0, 127), (0, 0, 0, 0))), ["colour"]),
    "red on transparent white": (Image.fromarray(coloured((255, 0, 0, 255), (255, 255, 255, 0))), ["colour"]),
    "opaque white on black": (Image.fromarray(coloured((255, 255, 255, 255), (0, 0, 0, 255))), ["colour"]),
    "grey with alpha": (Image.fromarray(coloured((255, 255), (255, 0)), mode="LA"), ["colour", "alpha"]),
    "JPEG": (compressed(grey(255), "JPEG"), ["values"]),
    "strong JPEG": (compressed(grey(255), "JPEG", quality=20), ["values"]),
    "JPEG in red": (compressed(coloured((255, 0, 0), (0, 0, 0)), "JPEG"), ["colour", "values"]),
    "WebP": (compressed(grey(255), "WEBP"), ["colour", "values"]),
    "resized": (Image.fromarray(resized(grey(255), 2)), ["values"]),
    "resized, floats": (resized(grey(1, 0, np.float32), 2), ["values"]),
}


@pytest.mark.parametrize("kind", READ)
def test_what_can_mean_one_thing_is_read(tmp_path: Path, kind: str) -> None:
    source, repairs = READ[kind]
    reading = read_mask(source, "mask")
    assert reading.mask.dtype == np.bool_
    is_soft = any(word in kind for word in ("JPEG", "WebP", "resized"))
    assert (reading.mask != TRUTH).mean() <= (0.03 if is_soft else 0)
    if kind != "WebP":
        assert [repair for repair, _ in reading.repairs] == repairs


@pytest.mark.parametrize(
    "source",
    [
        Image.fromarray(grey(255)),
        Image.fromarray(grey(38)),
        Image.fromarray(grey(1000, 0, np.uint16)),
        palette(grey(8), VOC),
        Image.fromarray(coloured((255, 255, 255, 255), (255, 255, 255, 0))),
        Image.fromarray(TRUTH),
    ],
)
def test_files_are_read_as_images_in_memory_are(tmp_path: Path, source: Image.Image) -> None:
    for suffix in ("png", "tif"):
        source.save(tmp_path / f"mask.{suffix}")
        np.testing.assert_array_equal(load_mask(tmp_path / f"mask.{suffix}"), TRUTH)
        np.testing.assert_array_equal(load_mask((tmp_path / f"mask.{suffix}").read_bytes()), TRUTH)


OPEN: dict[str, tuple[Any, str]] = {
    "classes": (Image.fromarray(classes(1, 3)), "values 0, 1 and 3"),
    "classes and a border": (Image.fromarray(classes(1, 255)), "values 0, 1 and 255"),
    "classes above the middle": (Image.fromarray(classes(100, 200)), "values 0, 100 and 200"),
    "classes of 16 bits": (Image.fromarray(classes(1000, 3000, np.uint16)), "values 0, 1000 and 3000"),
    "classes, floats": (classes(2, 5, np.float32), "values 0, 2 and 5"),
    "classes without 0": (Image.fromarray(grey(2, 1)), "values 1 and 2"),
    "one class everywhere": (Image.fromarray(np.full((9, 9), 38, dtype=np.uint8)), "values 38"),
    "instances": (Image.fromarray(np.arange(240, dtype=np.uint8).reshape(12, 20)), r"up to 239 \(240 of them\)"),
    "a palette of classes": (palette(classes(1, 2), VOC), "palette entries 0, 1 and 2"),
    "red and green": (
        Image.fromarray(np.stack([grey(255), np.where(OTHER, 255, 0), grey(0)], axis=-1).astype(np.uint8)),
        "3 colours .*#ff0000",
    ),
    "red on white": (Image.fromarray(coloured((255, 0, 0), (255, 255, 255))), "2 colours"),
    "a photo": (Image.effect_noise((40, 40), 90), "of them"),
    "nan": (np.where(TRUTH, np.nan, 0), "nan"),
    "negative": (np.where(TRUTH, -1, 0), "values -1 and 0"),
    "low probabilities": (np.where(TRUTH, 0.4, 0) + np.where(OTHER, 0.1, 0), "values 0, 0.1 and 0.4"),
    "transparent white": (Image.new("RGBA", (9, 9), (255, 255, 255, 0)), "transparent everywhere"),
    "hidden white": (
        Image.fromarray(
            np.dstack([grey(255)] * 3 + [np.where(OTHER | (np.arange(56) < 20), 0, 255)]).astype(np.uint8)
        ),
        "hides a part",
    ),
}


@pytest.mark.parametrize("kind", OPEN)
def test_what_can_mean_several_things_is_refused_with_its_values(kind: str) -> None:
    source, words = OPEN[kind]
    with pytest.raises(AmbiguousMaskError, match=words) as caught:
        read_mask(source, "mask 7")
    assert str(caught.value).startswith("Cannot read mask 7: it")
    assert "--mask-values" in str(caught.value)
    assert "--mask-threshold" in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        np.ones((9, 9), dtype=bool),
        Image.new("1", (9, 9), 1),
        Image.new("L", (9, 9), 255),
        Image.new("L", (9, 9), 254),
        Image.new("L", (9, 9), 1),
        Image.new("RGB", (9, 9), "white"),
        Image.fromarray(np.full((9, 9), 65535, dtype=np.uint16)),
        np.ones((9, 9), dtype=np.float32),
    ],
)
def test_a_white_mask_is_full(source: Any) -> None:
    assert load_mask(source).all()


@pytest.mark.parametrize(
    "source",
    [
        np.zeros((9, 9), dtype=np.float32),
        Image.new("1", (9, 9)),
        Image.new("L", (9, 9)),
        Image.new("RGB", (9, 9)),
        Image.new("RGBA", (9, 9)),
        palette(np.zeros((9, 9)), {0: (31, 119, 180)}),
        Image.fromarray(np.zeros((9, 9), dtype=np.uint16)),
    ],
)
def test_a_black_mask_is_empty(source: Any) -> None:
    assert not load_mask(source).any()


def test_the_owner_can_say_what_values_mean() -> None:
    np.testing.assert_array_equal(load_mask(Image.fromarray(classes(1, 3)), values=(3,)), OTHER)
    np.testing.assert_array_equal(load_mask(Image.fromarray(classes(1, 3)), values=(1, 3)), TRUTH | OTHER)
    np.testing.assert_array_equal(load_mask(Image.fromarray(classes(1, 3)), threshold=2), OTHER)
    np.testing.assert_array_equal(load_mask(palette(classes(1, 2), VOC), values=(2,)), OTHER)
    np.testing.assert_array_equal(load_mask(classes(1000, 3000, np.uint16), values=(1000,)), TRUTH)
    assert not load_mask(Image.fromarray(classes(1, 3)), values=(2,)).any()
    # It counts for plain masks as well.
    np.testing.assert_array_equal(load_mask(Image.fromarray(grey(255)), values=(0,)), ~TRUTH)
    with pytest.raises(AmbiguousMaskError, match="single values cannot be selected"):
        load_mask(Image.fromarray(coloured((255, 0, 0), (0, 255, 0))), values=(1,))


def test_what_holds_something_is_never_empty_and_the_other_way_round() -> None:
    """Random masks of few values in every mode: read without loss, or refused."""
    random = np.random.default_rng(11)
    modes = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
    read = 0
    for _ in range(400):
        mode = str(random.choice(list(modes)))
        levels = random.integers(0, 256, (int(random.integers(1, 4)), modes[mode]))
        if random.random() < 0.7:
            levels[0] = 0
        if mode in ("LA", "RGBA") and random.random() < 0.5:
            levels[:, -1] = random.choice([0, 127, 255])
        image = Image.fromarray(
            levels[random.integers(0, len(levels), (12, 12))].squeeze().astype(np.uint8), mode=mode
        )
        try:
            mask = load_mask(image)
        except AmbiguousMaskError:
            continue
        read += 1
        colours = np.asarray(image.convert("RGBA"))
        holds_nothing = not colours[..., :3].any() and len(np.unique(colours[..., 3])) == 1
        assert mask.any() != holds_nothing
    assert read > 100


def test_a_damaged_mask_is_named(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(b"nothing")
    with pytest.raises(ImageError, match=r"mask\.png"):
        load_mask(tmp_path / "mask.png")
    with pytest.raises(TypeError, match="int"):
        load_mask(7)  # type: ignore[arg-type]


def test_a_mask_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(grey(255)).save(tmp_path / "mask.png", exif=exif)
    np.testing.assert_array_equal(load_mask(tmp_path / "mask.png"), np.rot90(TRUTH, -1))


def write_tiff(path: Path, values: np.ndarray, **options: Any) -> Path:
    """A TIFF with the tags that GDAL writes; `values` are `(height, width)` or `(height, width, bands)`."""
    rasterio = pytest.importorskip("rasterio", reason="it writes these files")
    bands = np.moveaxis(np.atleast_3d(values), -1, 0)
    shape = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2], "dtype": values.dtype}
    with rasterio.open(path, "w", driver="GTiff", **shape, **options) as file:
        file.write(bands)
    return path


TIFFS: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
    "255 is called no data": (grey(255), {"nodata": 255}),
    "1 is called no data": (grey(1), {"nodata": 1}),
    "16 bits, the highest is called no data": (grey(65535, 0, np.uint16), {"nodata": 65535}),
    "floats, 1 is called no data": (grey(1, 0, np.float32), {"nodata": 1}),
    "0 is called no data": (grey(255), {"nodata": 0}),
    "no data beside the object": (np.where(OTHER, 255, grey(1)).astype(np.uint8), {"nodata": 255}),
    "no data around the object": (grey(1, -9999, np.float32), {"nodata": -9999}),
    "not a number around the object": (np.where(TRUTH, 1, np.nan).astype(np.float32), {"nodata": np.nan}),
    "0 is white": (grey(0, 255), {"photometric": "MINISWHITE"}),
    "0 is white, 16 bits": (grey(0, 65535, np.uint16), {"photometric": "MINISWHITE"}),
    "0 is white, 1 bit": (grey(0, 1), {"photometric": "MINISWHITE", "nbits": 1, "compress": "CCITTFAX4"}),
    "tiles, BigTIFF": (grey(255), {"tiled": True, "blockxsize": 16, "blockysize": 16, "BIGTIFF": "YES"}),
    "three equal bands of floats": (np.dstack([grey(1, 0, np.float32)] * 3), {}),
    "a compression that Pillow lacks": (grey(255), {"compress": "lerc_deflate"}),
}


@pytest.mark.parametrize("kind", TIFFS)
def test_tiffs_of_gdal_keep_what_they_mark(tmp_path: Path, kind: str) -> None:
    path = write_tiff(tmp_path / "mask.tif", TIFFS[kind][0], **TIFFS[kind][1])
    np.testing.assert_array_equal(load_mask(path), TRUTH)
    np.testing.assert_array_equal(load_mask(path.read_bytes()), TRUTH)


@pytest.mark.parametrize("kind", ["0 is white", "0 is white, 16 bits", "255 is called no data"])
def test_an_opened_tiff_keeps_what_it_marks(tmp_path: Path, kind: str) -> None:
    path = write_tiff(tmp_path / "mask.tif", TIFFS[kind][0], **TIFFS[kind][1])
    with Image.open(path) as opened:
        np.testing.assert_array_equal(load_mask(opened), TRUTH)


def test_bands_that_could_each_be_the_mask_are_refused(tmp_path: Path) -> None:
    empty = np.zeros_like(grey(1))
    for bands, options in (
        ([empty, grey(255)], {}),
        ([empty.astype(np.uint16), grey(9, 0, np.uint16)], {}),
        ([empty] * 3 + [grey(255)], {"photometric": "RGB", "ALPHA": "UNSPECIFIED"}),
        ([empty] * 3 + [grey(255)], {"photometric": "MINISBLACK"}),
    ):
        path = write_tiff(tmp_path / "mask.tif", np.dstack(bands), **options)
        with pytest.raises(ImageError, match=r"bands of .* each of which could be the mask; save it as one band"):
            load_mask(path)
    one_hot = np.dstack([~TRUTH, TRUTH, np.zeros_like(TRUTH)])
    for dtype in (np.float32, np.uint16, np.uint8):
        with pytest.raises(AmbiguousMaskError, match="2 colours"):
            load_mask((one_hot * 255).astype(dtype))


def test_jpeg_2000_that_does_not_keep_values_holds_no_classes() -> None:
    mask = load_mask(compressed(grey(2), "JPEG2000"))
    np.testing.assert_array_equal(mask, TRUTH)
    file = io.BytesIO()
    Image.fromarray(grey(2)).save(file, "JPEG2000", irreversible=True, quality_mode="rates", quality_layers=[40])
    with pytest.raises(AmbiguousMaskError):
        load_mask(file.getvalue())


@pytest.mark.parametrize("small", [1, 2, 31, 100, 128])
def test_a_small_object_of_another_class_is_no_stray(small: int) -> None:
    """It was dropped beside an object a hundred times its size, such as what is to be ignored, 255."""
    values = np.zeros((128, 160), dtype=np.uint8)
    values[60:120, 10:150] = 255
    large = values > 0
    assert (load_mask(values) == large).all()
    values[20:28, 30:40] = small
    with pytest.raises(AmbiguousMaskError, match=f"0, {small} and 255"):
        load_mask(Image.fromarray(values))
    # Softened edges are still edges.
    soft = resized(np.where(large, 255, 0).astype(np.uint8), 2)
    assert (load_mask(soft) != large).mean() < 0.02


@pytest.mark.parametrize(
    "colours", [((0, 0, 0), (255, 0, 0)), ((255, 255, 255), (255, 0, 0)), ((0, 0, 0), (0, 255, 0))]
)
def test_a_small_object_of_another_colour_is_no_stray(colours: Any) -> None:
    """Red on white was FULL, and a small red object beside a large blue one was marked with it."""
    values = np.broadcast_to(np.array(colours[0], dtype=np.uint8), (128, 160, 3)).copy()
    if colours[0] == (0, 0, 0):
        values[60:120, 10:150] = (0, 0, 255)
    values[20:28, 30:40] = colours[1]
    with pytest.raises(AmbiguousMaskError, match="colours"):
        load_mask(Image.fromarray(values))
