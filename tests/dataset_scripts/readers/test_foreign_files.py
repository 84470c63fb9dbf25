# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Other people's images and masks in data sets: read rightly, or skipped and named, and never the end of a command."""

import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from dataset_scripts.command_line import main
from dataset_scripts.quality.checks import Verdict
from dataset_scripts.quality.validation import validate
from dataset_scripts.readers import ImageFile, MaskRule, Pair, Reason, UnusableError, check_pair, open_pairs
from tests.dataset_scripts.raw_folders import draw_image, make_raw_split


rasterio = pytest.importorskip("rasterio")

SIZE = (48, 32)
TRUTH = np.zeros(SIZE[::-1], dtype=bool)
TRUTH[6:20, 8:30] = True
OTHER = np.zeros_like(TRUTH)
OTHER[24:30, 34:44] = True


def classes(first: int, second: int = 0, dtype: Any = np.uint8) -> Image.Image:
    return Image.fromarray(np.where(TRUTH, first, np.where(OTHER, second, 0)).astype(dtype))


def painted(colour: tuple[int, ...], background: tuple[int, ...]) -> Image.Image:
    return Image.fromarray(np.where(TRUTH[..., None], colour, background).astype(np.uint8))


def voc(first: int, second: int = 0) -> Image.Image:
    image = classes(first, second).convert("P")
    image.putdata(np.asarray(classes(first, second)).ravel().tolist())
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 64, 0, 0])
    return image


MASKS: dict[str, tuple[Image.Image, str, Reason | None]] = {
    "ok255": (classes(255), "png", None),
    "ones": (classes(1), "png", Reason.MASK_OF_ONES),
    "class2": (classes(2), "png", Reason.MASK_NOT_BINARY),
    "instance38": (classes(38), "png", Reason.MASK_NOT_BINARY),
    "voc1": (voc(1), "png", Reason.MASK_IN_COLOUR),
    "voc3": (voc(3), "png", Reason.MASK_IN_COLOUR),
    "u16_1000": (classes(1000, dtype=np.uint16), "png", Reason.MASK_NOT_BINARY),
    "f32_1": (classes(1, dtype=np.float32), "tif", Reason.MASK_OF_ONES),
    "alpha": (painted((255, 255, 255, 255), (255, 255, 255, 0)), "png", Reason.MASK_IN_ALPHA),
    "red_half": (painted((255, 0, 0, 127), (0, 0, 0, 0)), "png", Reason.MASK_IN_COLOUR),
    "white": (Image.new("L", SIZE, 255), "png", None),
}
"""Masks that can mean one thing only: the mask, its suffix, and what is said about it."""

OPEN_MASKS = {"classes0_1_3": (classes(1, 3), "0, 1 and 3"), "voc0_1_2": (voc(1, 2), "0, 1 and 2")}


def write_set(root: Path, masks: dict[str, tuple[Image.Image, str]]) -> Path:
    """A folder with `metadata.jsonl`, one pair a mask."""
    rows = []
    for number, (name, (mask, suffix)) in enumerate(masks.items()):
        row = {"expression": "the new house", "mask_file_name": f"masks/{name}.{suffix}"}
        for date in (1, 2):
            (root / f"t{date}").mkdir(parents=True, exist_ok=True)
            draw_image(10 * number + date, SIZE).save(root / f"t{date}" / f"{name}.png")
            row[f"image_t{date}_file_name"] = f"t{date}/{name}.png"
        (root / "masks").mkdir(exist_ok=True)
        mask.save(root / "masks" / f"{name}.{suffix}")
        rows.append(json.dumps(row))
    (root / "metadata.jsonl").write_text("\n".join(rows))
    return root


def test_masks_that_can_mean_one_thing_are_read(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", {name: (mask, suffix) for name, (mask, suffix, _) in MASKS.items()})
    for pair in open_pairs(root):
        name = pair.pair_id.removeprefix("t1/")
        checked, findings = check_pair(pair)
        assert isinstance(checked, Pair)
        assert np.array_equal(checked.load_masks(SIZE)[0], TRUTH | (name == "white"))
        reason = MASKS[name][2]
        assert findings == [] if reason is None else reason in [finding.reason for finding in findings]
        assert not any(finding.is_skip for finding in findings)


def test_masks_that_can_mean_several_things_are_skipped_and_named(tmp_path: Path, capsys: Any) -> None:
    root = write_set(tmp_path / "set", {name: (mask, "png") for name, (mask, _) in OPEN_MASKS.items()})
    for pair in open_pairs(root):
        name = pair.pair_id.removeprefix("t1/")
        checked, findings = check_pair(pair)
        assert checked is None
        assert findings[0].reason == Reason.MASK_AMBIGUOUS
        assert OPEN_MASKS[name][1] in findings[0].detail
        assert "--mask-values" in findings[0].detail
    assert main(["validate", str(root)]) == 1
    said = capsys.readouterr().out
    assert "reading: mask_ambiguous" in said
    assert "--mask-threshold" in said


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--mask-values", "3"], OTHER),
        (["--mask-values", "1,3"], TRUTH | OTHER),
        (["--mask-threshold", "2"], OTHER),
        (["--mask-values", "2"], np.zeros_like(TRUTH)),
    ],
)
def test_their_owner_can_say_what_they_mean(tmp_path: Path, options: list[str], expected: np.ndarray) -> None:
    raw = make_raw_split(tmp_path / "raw", "RS_train", pairs=2, expressions=1, size=SIZE)
    for mask in (raw / "masks").rglob("*.png"):
        classes(1, 3).save(mask)
    rule = MaskRule((3,)) if options == ["--mask-values", "3"] else None
    if rule is not None:
        validation = validate(raw, mask_rule=rule)
        assert validation.facts.pairs[0].sentences[0].mask.pixels == OTHER.sum()
    assert main(["export", str(raw), str(tmp_path / "out"), *options]) == 0
    for pair in open_pairs(tmp_path / "out"):
        assert np.array_equal(pair.load_masks(SIZE)[0], expected)
    # Other options make another export.
    assert main(["export", str(raw), str(tmp_path / "out"), "--mask-values", "7"]) == 2


def test_pages_take_the_same_options(tmp_path: Path, capsys: Any) -> None:
    raw = make_raw_split(tmp_path / "raw", "RS_train", pairs=2, expressions=1, size=SIZE)
    for mask in (raw / "masks").rglob("*.png"):
        classes(1, 3).save(mask)
    for command in ("browse", "stats"):
        out = str(tmp_path / command)
        assert main([command, str(raw), "--out", f"{out}_open"]) == 2
        assert main([command, str(raw), "--out", out, "--mask-values", "3"]) == 0
        assert "2 pairs" in capsys.readouterr().out


def test_one_option_excludes_the_other(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["validate", str(tmp_path), "--mask-values", "1", "--mask-threshold", "3"])
    with pytest.raises(SystemExit):
        main(["validate", str(tmp_path), "--mask-values", "one"])
    assert "whole numbers" in capsys.readouterr().err
    # No value is above it: every mask would be empty.
    with pytest.raises(SystemExit):
        main(["validate", str(tmp_path), "--mask-threshold", "nan"])
    assert "finite" in capsys.readouterr().err


def damaged_files() -> dict[str, bytes]:
    """Files whose decoders raise RuntimeError, NotImplementedError and others."""
    files = {"dds": b"DDS " + (124).to_bytes(4, "little") + bytes(120), "avif": b""}
    if features.check("avif"):
        buffer = io.BytesIO()
        draw_image(3, SIZE).save(buffer, "AVIF")
        content = bytearray(buffer.getvalue())
        start = content.index(b"mdat") + 4
        content[start : start + 8] = bytes(8)
        files["avif"] = bytes(content)
    return files


@pytest.mark.parametrize("kind", ["dds", "avif"])
@pytest.mark.parametrize("target", ["A", "masks"])
def test_a_damaged_file_does_not_end_a_command(tmp_path: Path, kind: str, target: str) -> None:
    raw = make_raw_split(tmp_path / "raw", "RS_train", pairs=2, expressions=2, size=SIZE)
    path = raw / "A" / "RS_train_000.png" if target == "A" else raw / "masks" / "RS_train_000" / "0.png"
    path.write_bytes(damaged_files()[kind])
    assert main(["validate", str(raw), "--json", str(tmp_path / "report.json")]) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    expected = Reason.UNREADABLE_IMAGE if target == "A" else Reason.UNREADABLE_MASK
    assert report["reading"]["counts"] == {expected.value: 1}
    assert main(["export", str(raw), str(tmp_path / "out")]) == 0
    assert sum(len(pair.expressions) for pair in open_pairs(tmp_path / "out")) == (2 if target == "A" else 3)


def write_tiff(path: Path, values: np.ndarray, **options: Any) -> None:
    profile = {"driver": "GTiff", "count": len(values), "height": SIZE[1], "width": SIZE[0], "dtype": values.dtype}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", **profile, **options) as file:
            file.write(values)


DEEP = np.random.default_rng(0).integers(1, 4000, (4, *SIZE[::-1]))


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (DEEP[:3].astype(np.uint16), {"photometric": "RGB"}, "3 bands of 16-bit unsigned"),
        (
            DEEP[:3].astype(np.uint16),
            {"photometric": "RGB", "interleave": "band"},
            "3 bands of 16-bit unsigned samples, planar",
        ),
        (DEEP[:1].astype(np.float32), {}, "one band of 32-bit floating-point"),
        (DEEP.astype(np.int16), {"photometric": "MINISBLACK"}, "4 bands of 16-bit signed"),
        ((DEEP // 16).astype(np.uint8), {"photometric": "MINISBLACK"}, "4 bands of 8-bit unsigned"),
    ],
)
def test_validate_names_depth_and_bands(tmp_path: Path, values: np.ndarray, options: Any, words: str) -> None:
    raw = make_raw_split(tmp_path / "raw", "RS_train", pairs=2, size=SIZE)
    for side in "AB":
        (raw / side / "RS_train_000.png").unlink()
        write_tiff(raw / side / "RS_train_000.tif", values, **options)
    validation = validate(raw)
    (check,) = [check for check in validation.checks if check.name == "reading: unreadable_image"]
    assert check.verdict == Verdict.FAIL
    assert f"RS_train/A/RS_train_000.tif is a TIFF of {words}" in check.examples[0]
    assert "save it as 8-bit RGB" in check.examples[0]


def test_validate_names_the_depth_of_a_png_too(tmp_path: Path) -> None:
    raw = make_raw_split(tmp_path / "raw", "RS_train", pairs=2, size=SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        profile = {"driver": "PNG", "count": 3, "height": SIZE[1], "width": SIZE[0], "dtype": "uint16"}
        with rasterio.open(raw / "A" / "RS_train_000.png", "w", **profile) as file:
            file.write(DEEP[:3].astype(np.uint16))
    with pytest.raises(UnusableError, match="has 16 bits per sample; save it as 8-bit RGB"):
        ImageFile("a.png", raw / "A" / "RS_train_000.png").check()


def test_an_extra_band_is_reported_and_not_taken_for_transparency(tmp_path: Path) -> None:
    raw = make_raw_split(tmp_path / "raw", "RS_train", pairs=2, size=SIZE)
    values = (DEEP // 16).astype(np.uint8)
    for side in "AB":
        (raw / side / "RS_train_000.png").unlink()
        write_tiff(raw / side / "RS_train_000.tif", values, photometric="RGB", alpha="yes")
    (pair, _) = open_pairs(raw)
    checked, findings = check_pair(pair)
    assert checked is not None
    assert [finding.reason for finding in findings] == [Reason.EXTRA_BANDS] * 2
    assert "RS_train/A/RS_train_000.tif has 1 more" in findings[0].detail
    for image in checked.load_images():
        np.testing.assert_array_equal(np.asarray(image), np.moveaxis(values[:3], 0, -1))


def test_unchecked_images_of_a_pair_are_stretched_alike(tmp_path: Path) -> None:
    raw = make_raw_split(tmp_path / "raw", "RS_train", pairs=1, size=SIZE)
    for side, factor in (("A", 1), ("B", 2)):
        (raw / side / "RS_train_000.png").unlink()
        write_tiff(raw / side / "RS_train_000.tif", (DEEP[:3] * factor).astype(np.uint16), photometric="RGB")
    (pair,) = open_pairs(raw)
    earlier, later = (np.asarray(image, dtype=np.float64) for image in pair.load_images())
    low, high = np.percentile(np.concatenate([DEEP[0], 2 * DEEP[0]]), (2, 98))
    for image, values in ((earlier, DEEP[0]), (later, 2 * DEEP[0])):
        np.testing.assert_array_equal(image[..., 0], np.rint(255 * ((values - low) / (high - low)).clip(0, 1)))


@pytest.mark.parametrize("suffix", [".jfif", ".jp2", ".gif", ".webp", ".avif"])
def test_other_formats_of_images_are_found_in_folders(tmp_path: Path, suffix: str) -> None:
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    raw = make_raw_split(tmp_path / "raw", "RS_train", pairs=1, size=SIZE)
    for side in "AB":
        path = raw / side / "RS_train_000.png"
        with Image.open(path) as image:
            image.save(path.with_suffix(suffix), format="JPEG" if suffix == ".jfif" else None)
        path.unlink()
    (pair,) = open_pairs(raw)
    assert check_pair(pair)[0] is not None
    assert pair.image_t1.name.endswith(suffix)


def test_a_mask_that_is_white_where_nothing_changed_is_a_warning(tmp_path: Path) -> None:
    root = write_set(tmp_path / "set", {"unchanged": (Image.fromarray(~OTHER), "png"), "plain": (classes(255), "png")})
    (check,) = [check for check in validate(root).checks if check.name == "large masks"]
    assert (check.verdict, check.count) == (Verdict.WARN, 1)
    assert "unchanged" in check.examples[0]


def test_dark_and_flat_images_are_a_warning(tmp_path: Path) -> None:
    raw = make_raw_split(tmp_path / "raw", "RS_train", pairs=2, size=SIZE)
    Image.new("RGB", SIZE, (4, 5, 6)).save(raw / "A" / "RS_train_000.png")
    (check,) = [check for check in validate(raw).checks if check.name == "dark or flat images"]
    assert check.verdict == Verdict.WARN
    assert check.examples == ("RS_train/RS_train_000 t1 is nearly black: 99 of 100 pixels are at most 5 of 255",)
