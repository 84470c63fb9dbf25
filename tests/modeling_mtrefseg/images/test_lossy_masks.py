# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Masks in formats that do not keep values: black and white ones are read, classes are refused."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from modeling_mtrefseg.mask_reading_mtrefseg import AmbiguousMaskError, load_mask, read_mask


QUALITIES = range(50, 99)
FORMS: dict[str, dict[str, Any]] = {"grey": {}, "RGB, 4:4:4": {"subsampling": 0}, "RGB, 4:2:0": {"subsampling": 2}}


def draw(random: np.random.Generator, side: int) -> np.ndarray:
    """One to three rectangles, ellipses, polygons or lines, without soft edges."""
    width, height = int(random.integers(side // 2, side + 1)), side
    image = Image.new("1", (width, height))
    pen = ImageDraw.Draw(image)
    for _ in range(int(random.integers(1, 4))):
        left, top = random.integers(0, (width - 6, height - 6))
        right, bottom = random.integers((left + 4, top + 4), (width, height))
        box = [int(each) for each in (left, top, right, bottom)]
        sort = int(random.integers(0, 4))
        if sort == 0:
            pen.rectangle(box, fill=1)
        elif sort == 1:
            pen.ellipse(box, fill=1)
        elif sort == 2:
            pen.polygon([box[0], box[1], box[2], box[1], box[0], box[3]], fill=1)
        else:
            pen.line(box, fill=1, width=int(random.integers(2, 6)))
    return np.asarray(image)


def jpeg(values: np.ndarray, quality: int, form: str = "grey") -> bytes:
    image = Image.fromarray(values.astype(np.uint8))
    return saved(image if form == "grey" else image.convert("RGB"), "JPEG", quality=quality, **FORMS[form])


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Their IoU."""
    assert found.shape == truth.shape
    return float((found & truth).sum() / max(1, (found | truth).sum()))


@pytest.mark.parametrize("form", FORMS)
def test_a_jpeg_of_a_black_and_white_mask_is_read_at_every_quality(form: str) -> None:
    random = np.random.default_rng(5)
    for quality in QUALITIES:
        for side in (*random.integers(16, 129, 2), 512 if quality % 10 == 0 else 64):
            mask = draw(random, int(side))
            assert overlap(load_mask(jpeg(mask * 255, quality, form)), mask) > 0.99, (quality, mask.shape)


@pytest.mark.parametrize("form", FORMS)
def test_a_jpeg_of_one_value_is_empty_or_full(form: str) -> None:
    # At some qualities black comes back as 1.
    for quality in QUALITIES:
        assert not load_mask(jpeg(np.zeros((24, 40)), quality, form)).any(), quality
        assert load_mask(jpeg(np.full((24, 40), 255), quality, form)).all(), quality


def test_what_was_saved_twice_or_from_a_jpeg_is_read() -> None:
    random = np.random.default_rng(6)
    for quality in (55, 62, 75, 90):
        mask = draw(random, 96)
        once = np.asarray(Image.open(io.BytesIO(jpeg(mask * 255, quality))))
        assert overlap(load_mask(jpeg(once, 80)), mask) > 0.99
        assert overlap(load_mask(saved(Image.fromarray(once), "PNG")), mask) > 0.99
        assert overlap(load_mask(once), mask) > 0.99


def test_a_jpeg_may_be_turned_opened_or_within_a_tiff(tmp_path: Path) -> None:
    mask = draw(np.random.default_rng(7), 61)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(Image.fromarray(mask.astype(np.uint8) * 255), "JPEG", quality=62, exif=exif)
    assert overlap(load_mask(turned), np.rot90(mask, -1)) > 0.99
    with Image.open(io.BytesIO(jpeg(mask * 255, 53))) as opened:
        assert overlap(load_mask(opened), mask) > 0.99
    path = tmp_path / "mask.tif"
    path.write_bytes(saved(Image.fromarray(mask.astype(np.uint8) * 255), "TIFF", compression="jpeg"))
    assert overlap(load_mask(path), mask) > 0.99
    path.write_bytes(saved(Image.fromarray(mask.astype(np.uint8) * 2), "TIFF", compression="jpeg"))
    with pytest.raises(AmbiguousMaskError):
        load_mask(path)


# Two objects that cover a third and a sixth of the mask.
FIRST, SECOND = np.zeros((2, 96, 96), dtype=bool)
FIRST[8:88, 6:40] = True
SECOND[20:70, 60:88] = True


@pytest.mark.parametrize(
    "values",
    [(1, 2), (2, 1), (7, 14), (30, 60), (1, 0), (2, 0), (38, 0), (100, 200), (128, 255), (1, 255), (15, 255)],
)
@pytest.mark.parametrize("form", FORMS)
def test_classes_in_a_jpeg_are_refused(form: str, values: tuple[int, int]) -> None:
    ids = np.where(FIRST, values[0], np.where(SECOND, values[1], 0))
    # At lower qualities classes 0 and 1 become one value.
    for quality in (85, 90, 95, 98):
        with pytest.raises(AmbiguousMaskError, match="--mask-values"):
            load_mask(jpeg(ids, quality, form))


def test_classes_with_a_white_border_in_a_jpeg_are_refused() -> None:
    for value in (3, 8, 15):
        ids = np.where(FIRST, value, 0)
        ids[6:8, 4:42] = ids[88:90, 4:42] = ids[6:90, 4:6] = ids[6:90, 40:42] = 255
        with pytest.raises(AmbiguousMaskError):
            load_mask(jpeg(ids, 90))


@pytest.mark.parametrize("value", [5, 10, 20])
@pytest.mark.parametrize("how", ["once", "twice", "resized"])
def test_classes_along_a_white_object_in_a_jpeg_are_refused(how: str, value: int) -> None:
    """Narrow ones, which look like a soft edge unless one knows what JPEG does to an edge."""
    beside = np.zeros_like(FIRST)
    beside[14:50, 40:45] = True
    for ids, is_refused in (np.where(FIRST, 255, beside * value), True), (FIRST * 255, False):
        for quality in (75, 85, 95):
            image = Image.fromarray(ids.astype(np.uint8))
            if how == "twice":
                image = Image.open(io.BytesIO(saved(image, "JPEG", quality=90)))
            elif how == "resized":
                image = image.resize((150, 150), Image.Resampling.BILINEAR)
            file = saved(image, "JPEG", quality=quality)
            if is_refused:
                with pytest.raises(AmbiguousMaskError):
                    load_mask(file)
            else:
                assert load_mask(file).any()


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_other_lossy_formats_hold_black_and_white_too(kind: str) -> None:
    mask = Image.fromarray(FIRST.astype(np.uint8) * 255).convert("RGB")
    assert overlap(load_mask(saved(mask, kind, quality=80)), FIRST) > 0.97
    assert not load_mask(saved(Image.new("RGB", (40, 24)), kind, quality=80)).any()
    ids = Image.fromarray(np.where(FIRST, 38, 0).astype(np.uint8)).convert("RGB")
    with pytest.raises(AmbiguousMaskError):
        load_mask(saved(ids, kind, quality=80))


def test_lossless_webp_keeps_classes() -> None:
    ids = Image.fromarray(np.where(FIRST, 38, 0).astype(np.uint8)).convert("RGB")
    reading = read_mask(saved(ids, "WEBP", lossless=True), "mask")
    np.testing.assert_array_equal(reading.mask, FIRST)


def test_a_colour_in_a_jpeg_is_read_or_refused() -> None:
    for quality in (70, 80, 95):
        red = np.zeros((96, 96, 3), dtype=np.uint8)
        red[FIRST, 0] = 255
        assert overlap(load_mask(saved(Image.fromarray(red), "JPEG", quality=quality)), FIRST) > 0.95
        red[SECOND] = 0, 128, 0
        with pytest.raises(AmbiguousMaskError, match="colours"):
            load_mask(saved(Image.fromarray(red), "JPEG", quality=quality))
