# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Reading: places, grids, bands, values, missing data, and what is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from PIL import ExifTags, Image
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.rpc import RPC
from rasterio.transform import Affine

from mtrefseg.errors import UserError
from mtrefseg.io import Stretch
from mtrefseg.scenes.reading import ReadOptions, open_scene
from mtrefseg.scenes.reading import images as images_module
from mtrefseg.scenes.segmenting import SceneOptions, segment_pair
from mtrefseg.scenes.windows import Box

from .conftest import HALF_METRE, UTM, ColorPredictor, ground, paint


Save = Callable[..., Path]
RGBA = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha)


def read(*paths: Path, **options) -> tuple[list[np.ndarray], np.ndarray, list[str]]:
    with open_scene(paths, ReadOptions(**options)) as scene:
        images, valid = scene.read(scene.box)
        return images, valid, scene.notes


def test_t2_is_warped_onto_the_grid_of_t1(save: Save, predictor: ColorPredictor) -> None:
    t1 = save("t1.tif", ground(100, 120))
    # Half the resolution, and 10 m further to the east.
    later = save(
        "t2.tif", paint(ground(60, 70), "red", 10, 10, 20, 20), transform=Affine(1, 0, 500_010, 0, -1, 5_400_000)
    )
    result = segment_pair(t1, later, ["red"], predictor, SceneOptions())
    (one,) = result.sentences[0].objects
    assert np.abs(np.subtract(one.shape.bounds, (40, 20, 80, 60))).max() <= 1
    # What t2 does not show is no data: the first 10 m.
    assert result.masks.shape == (1, 100, 120)
    said = "(pixels of 1 m instead of 0.5 m, it begins at pixel (20, 0)); it covers 83 % of "
    assert any("is warped onto the grid" in note and said in note for note in result.report["notes"])
    assert "17 % of the scene has no data" in result.report["notes"][-1]
    with pytest.raises(UserError, match=r"t2.tif is not that of .*t1.tif .*leave out --no-warp"):
        read(t1, later, warp=False)


def test_t2_in_another_reference_system_and_rotated(save: Save, predictor: ColorPredictor) -> None:
    import rasterio.warp

    t1 = save("t1.tif", ground(100, 120))
    later = paint(ground(100, 120), "red", 30, 40, 40, 30)
    transform, width, height = rasterio.warp.calculate_default_transform(
        UTM, "EPSG:4326", 120, 100, 500_000, 5_399_950, 500_060, 5_400_000
    )
    warped = np.zeros((3, height, width), dtype=np.uint8)
    rasterio.warp.reproject(
        later.transpose(2, 0, 1), warped, src_transform=HALF_METRE, src_crs=UTM, dst_transform=transform, dst_crs=4326
    )
    t2 = save("t2.tif", warped.transpose(1, 2, 0), crs="EPSG:4326", transform=transform, nodata=0)
    (one,) = segment_pair(t1, t2, ["red"], predictor, SceneOptions()).sentences[0].objects
    assert np.abs(np.subtract(one.shape.bounds, (30, 40, 70, 70))).max() <= 2
    turned = Affine(0.235, 0.0855, 500_030, 0.0855, -0.235, 5_399_990)
    images, valid, notes = read(t1, save("t3.tif", ground(60, 60), transform=turned))
    assert ", turned by 20°, it begins at pixel (60, 20)); it covers 8 % of " in notes[0]
    assert 0.05 < valid.mean() < 0.2
    assert (images[1][valid] == 120).all()
    assert (images[0][~valid] == 0).all()


@pytest.mark.parametrize(
    ("crs", "transform", "message"),
    [
        (UTM, Affine(0.5, 0, 780_000, 0, -0.5, 5_400_000), r"do not overlap: .*15\.0000° E to 15\.0008° E.* apart"),
        ("EPSG:4326", Affine(1e-5, 0, -70, 0, -1e-5, -10), r"70\.0000° W to .*, 10\.0010° S"),
        (None, HALF_METRE, "t2.tif has no coordinate reference system, but"),
    ],
)
def test_other_places_are_refused(crs: str | None, transform: Affine, message: str, save: Save) -> None:
    images = save("t1.tif", ground(100, 120)), save("t2.tif", ground(100, 120), crs=crs, transform=transform)
    with pytest.raises(UserError, match=message):
        read(*images)


@pytest.mark.parametrize(
    ("crs", "transform", "later_crs", "later_transform"),
    [
        ("EPSG:4326", Affine(1e-5, 0, 290, 0, -1e-5, 10), "EPSG:4326", Affine(1e-5, 0, -70, 0, -1e-5, 10)),
        ("EPSG:4326", Affine(1e-5, 0, 179.9995, 0, -1e-5, 60), "EPSG:4326", Affine(1e-5, 0, -180.0005, 0, -1e-5, 60)),
        ("EPSG:4326", Affine(1e-5, 0, -70, 0, -1e-5, 10), "EPSG:4269", Affine(1e-5, 0, 290, 0, -1e-5, 10)),
        (
            "EPSG:32601",
            Affine(0.5, 0, 332_720, 0, -0.5, 6_655_165),
            "EPSG:4326",
            Affine(1e-5, 0, 179.999, 0, -1e-5, 60),
        ),
        ("EPSG:4326", Affine(1e-5, 0, 179.9995, 0, -1e-5, 60), "EPSG:32660", Affine(1, 0, 667_150, 0, -1, 6_655_350)),
        (UTM, HALF_METRE, "EPSG:4326", Affine(1, 0, -180, 0, -1, 90)),
        (UTM, HALF_METRE, "EPSG:3857", Affine(111_319, 0, -20_037_508, 0, -111_319, 20_037_508)),
    ],
    ids=["to 360", "at 180", "other datum", "projected", "onto degrees", "of the world", "of Web Mercator"],
)
def test_one_place_with_longitudes_in_another_way(
    crs: str, transform: Affine, later_crs: str, later_transform: Affine, save: Save
) -> None:
    """Longitudes may go to 180 or to 360 degrees, and jump at the date line; no projection reaches the whole world."""
    is_world = later_transform.a >= 1 and later_crs != "EPSG:32660"
    later = ground(*((180, 360) if is_world else (400, 400)))
    t1 = save("t1.tif", ground(100, 120), crs=crs, transform=transform)
    images, valid, _ = read(t1, save("t2.tif", later, crs=later_crs, transform=later_transform))
    assert valid.all()
    assert (images[1] == 120).all()


def write_world_file(path: Path, transform: Affine) -> None:
    """A file beside a TIFF with its transform; the last two numbers are the centre of the first pixel."""
    a, b, c, d, e, f = transform[:6]
    numbers = (a, d, b, e, c + (a + b) / 2, f + (d + e) / 2)
    path.with_suffix(".tfw").write_text("".join(f"{number}\n" for number in numbers), encoding="utf-8")


def test_georeferences_beside_the_files_are_read(save: Save) -> None:
    images = [save(f"t{date}.tif", ground(40, 50), crs=None) for date in (1, 2)]
    for path in images:
        write_world_file(path, HALF_METRE)
    read(*images)
    path.with_name("t2.tif.aux.xml").write_text(f"<PAMDataset><SRS>{UTM}</SRS></PAMDataset>", encoding="utf-8")
    with pytest.raises(UserError, match=r"t1\.tif has no coordinate reference system, but .*t2\.tif has"):
        read(*images)
    (path.parent / "t1.tif.aux.xml").write_text(f"<PAMDataset><SRS>{UTM}</SRS></PAMDataset>", encoding="utf-8")
    with open_scene(images, ReadOptions()) as scene:
        assert (scene.grid.crs.to_string(), scene.grid.transform) == (UTM, HALF_METRE)
    write_world_file(path, Affine.translation(1000, 0) * HALF_METRE)
    with pytest.raises(UserError, match="do not overlap"):
        read(*images)


def test_masks_beside_the_files_are_read(save: Save) -> None:
    images = [save(f"t{date}.tif", ground(40, 50)) for date in (1, 2)]
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(images[1], "r+") as file:
        file.write_mask(np.arange(50)[None].repeat(40, 0) >= 25)
    assert images[1].with_name("t2.tif.msk").is_file()
    _, valid, _ = read(*images)
    assert valid.mean() == 0.5


@pytest.mark.parametrize(
    "transform", [Affine(1, 0, 500_000, 0, -1, 5_000_000), Affine(1e-5, 0, 10, 0, 0, 60)], ids=["metres", "flat"]
)
def test_a_transform_that_does_not_fit_is_refused(transform: Affine, save: Save) -> None:
    path = save("t1.tif", ground(40, 50), crs="EPSG:4326", transform=transform)
    with pytest.raises(UserError, match=r"t1\.tif begins at .*EPSG:4326: correct one of them"):
        read(path, path)


def test_a_reference_system_without_a_place_is_none(save: Save) -> None:
    path = save("t1.tif", ground(40, 50), transform=Affine.identity())
    with open_scene([path, path], ReadOptions()) as scene:
        assert scene.grid.crs is None
        assert "does not say where it is" in scene.notes[0]


def test_sizes_without_a_place(save: Save) -> None:
    t1, t2 = save("t1.tif", ground(40, 60), crs=None), save("t2.tif", ground(20, 30), crs=None)
    with pytest.raises(UserError, match=r"60x40 pixels and .* 30x20.*--align resize"):
        read(t1, t2)
    images, valid, _ = read(t1, t2, align="resize")
    assert valid.all()
    assert (images[1] == 120).all()
    assert images[1].shape == (40, 60, 3)


@pytest.mark.parametrize("kind", ["nodata", "alpha", "NaN"])
def test_missing_data_is_never_a_change(kind: str, save: Save, predictor: ColorPredictor) -> None:
    earlier, later = ground(100, 120), paint(ground(100, 120), "red", 60, 20, 40, 20)
    hole = (slice(10, 50), slice(20, 80))
    if kind == "nodata":
        later[hole] = 255
        images = save("t1.tif", earlier), save("t2.tif", later, nodata=255)
    elif kind == "alpha":
        alpha = np.full((100, 120, 1), 255, dtype=np.uint8)
        later = np.concatenate([later, alpha], axis=2)
        later[hole] = 0
        images = save("t1.tif", earlier), save("t2.tif", later, colorinterp=RGBA)
    else:
        values = later.astype(np.float32) / 255
        values[hole] = np.nan
        images = save("t1.tif", earlier.astype(np.float32) / 255), save("t2.tif", values)
    result = segment_pair(*images, None, predictor, SceneOptions(stretch=Stretch(0, 100) if kind == "NaN" else "auto"))
    expected = np.zeros((100, 120), dtype=bool)
    expected[20:40, 60:100] = True
    expected[hole] = False
    np.testing.assert_array_equal(result.masks[0], expected)
    assert result.report["notes"][-1].startswith("20 % of the scene has no data")


def test_dates_that_share_nothing_but_the_grid(save: Save, predictor: ColorPredictor) -> None:
    earlier, later = ground(100, 120), ground(100, 120)
    earlier[:, 60:], later[:, :60] = 0, 0
    images = save("t1.tif", earlier, nodata=0), save("t2.tif", later, nodata=0)
    result = segment_pair(*images, ["red"], predictor, SceneOptions())
    assert "nothing could be compared" in result.report["notes"][-1]
    assert not result.masks.any()


def test_dates_of_different_kinds_are_named(save: Save) -> None:
    t1, grey = save("t1.tif", ground(40, 50)), save("grey.tif", ground(40, 50)[..., 0])
    deep = save("deep.tif", ground(40, 50).astype(np.float32))
    assert f"{grey} has 1 band of uint8, but {t1} has 3 bands of uint8: " in read(t1, grey)[2][0]
    assert f"{deep} has 3 bands of float32, but {t1} has 3 bands of uint8: " in read(t1, deep)[2][1]
    assert not read(t1, t1)[2]


def test_twelve_bit_values_are_stretched_alike(save: Save) -> None:
    random = np.random.default_rng(0)
    earlier = random.integers(300, 2_000, (80, 90, 3), dtype=np.uint16)
    later = earlier.copy()
    later[:20] = 4_000
    images, _, _ = read(save("t1.tif", earlier), save("t2.tif", later))
    assert images[0].max() > 100
    assert images[1][:20].min() == 255
    np.testing.assert_array_equal(images[0][20:], images[1][20:])  # What did not change looks the same.
    kept, _, _ = read(save("t1.tif", earlier), save("t2.tif", later), stretch=None)
    assert read(save("t1.tif", earlier), save("t2.tif", later * 16))[0][1].max() == round(64_000 / 257)
    assert kept[1].max() == round(4_000 / 257)


def test_opening_files_of_8_bits_reads_no_pixels(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take long for large files, and nothing would be done with the samples."""

    class Unread:
        def __init__(self, *arguments, **options) -> None:
            self.file = open_raster(*arguments, **options)

        def __getattr__(self, name: str):
            assert name != "read", "pixels are read"
            return getattr(self.file, name)

    open_raster = images_module.open_raster
    monkeypatch.setattr(images_module, "open_raster", Unread)
    with open_scene([save(f"t{date}.tif", ground(40, 50)) for date in (1, 2)], ReadOptions()) as scene:
        assert scene.notes == []


def test_a_stretch_is_said(save: Save) -> None:
    deep = [save(f"t{date}.tif", ground(40, 50).astype(np.uint16) * 16) for date in (1, 2)]
    _, _, notes = read(*deep)
    assert [note.partition(": the uint16 values are stretched (")[0] for note in notes] == [str(path) for path in deep]
    assert read(*(save(f"{date}.tif", ground(40, 50)) for date in "ab"))[2] == []


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.int32])
def test_values_of_8_bits_in_a_larger_type_are_kept(dtype: type, save: Save) -> None:
    images = [np.random.default_rng(date).integers(40, 121, (40, 50, 3)) for date in (1, 2)]
    shown, _, notes = read(*(save(f"t{date}.tif", image.astype(dtype)) for date, image in enumerate(images)))
    np.testing.assert_array_equal(shown, images)
    assert "read as 8-bit values" in notes[0]
    grey = save("grey.tif", images[0][..., 0].astype(dtype))
    np.testing.assert_array_equal(read(grey, grey)[0][0], images[0][..., :1].repeat(3, 2))


def test_bands(save: Save) -> None:
    values = np.stack([np.full((40, 50), value, dtype=np.uint8) for value in (10, 20, 30, 40, 50)], axis=-1)
    five = save("five.tif", values, photometric="minisblack")
    images, _, notes = read(five, five)
    assert images[0][0, 0].tolist() == [10, 20, 30]
    assert "has 5 bands, of which 1,2,3 are used" in notes[0]
    assert read(five, five, bands=(4, 3, 2))[0][0][0, 0].tolist() == [40, 30, 20]
    assert read(five, five, bands=(5,))[0][0][0, 0].tolist() == [50, 50, 50]
    with pytest.raises(UserError, match="give one or three band numbers, not 1, 2"):
        read(five, five, bands=(1, 2))
    with pytest.raises(UserError, match="has 5 bands, but --bands names 6"):
        read(five, five, bands=(6, 1, 2))
    one = save("one.tif", values[..., 0])
    assert read(one, one)[0][0][0, 0].tolist() == [10, 10, 10]


def test_near_infrared_is_not_taken_for_alpha(save: Save) -> None:
    values = np.random.default_rng(0).integers(1, 200, (60, 60, 4), dtype=np.uint8)
    path = save("nir.tif", values, colorinterp=RGBA)
    images, valid, notes = read(path, path)
    np.testing.assert_array_equal(images[0], values[..., :3])
    assert valid.all()
    assert "labelled alpha but holds an image" in notes[0]


def test_near_infrared_hides_nothing_in_a_warp(save: Save) -> None:
    """GDAL warps other bands by one that is labelled alpha, and rasterio adds no second one."""
    values = np.full((60, 60, 4), 120, dtype=np.uint8)
    values[..., 3] = np.random.default_rng(0).integers(0, 200, (60, 60))
    earlier = save("t1.tif", ground(60, 60))
    shifted = save("nir.tif", values, colorinterp=RGBA, transform=Affine(0.5, 0, 500_000, 0, -0.5, 5_399_995))
    images, valid, notes = read(earlier, shifted)
    assert valid[10:].all()
    assert not valid[:10].any()
    assert (images[1][10:] == 120).all()
    assert any("labelled alpha but holds an image" in note for note in notes)


def test_beyond_an_image_with_both_alpha_and_a_value_for_missing_data(save: Save) -> None:
    values = np.full((60, 60, 4), 255, dtype=np.uint8)
    values[20:, :30, :3], values[40:, :, 3] = 40, 0
    earlier = save("t1.tif", ground(60, 60))
    rgba = {"colorinterp": RGBA, "nodata": 255}
    _, upright, _ = read(earlier, save("upright.tif", values, **rgba))
    assert upright[:40].all()  # White is a colour, because there is an alpha band.
    assert not upright[40:].any()
    shifted = save("shifted.tif", values, transform=Affine(0.5, 0, 500_000, 0, -0.5, 5_399_995), **rgba)
    images, valid, _ = read(earlier, shifted)
    assert valid[10:50].all()
    assert not valid[:10].any()
    assert not valid[50:].any()
    np.testing.assert_array_equal(images[1][10:50], values[:40, :, :3])


def test_a_palette(save: Save, tmp_path: Path) -> None:
    import rasterio

    path = save("palette.tif", np.arange(4, dtype=np.uint8).reshape(2, 2))
    with rasterio.open(path, "r+") as raster:
        raster.write_colormap(1, {0: (1, 2, 3), 1: (4, 5, 6), 2: (7, 8, 9), 3: (0, 0, 0)})
    images, _, _ = read(path, path)
    assert images[0].tolist() == [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [0, 0, 0]]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_upright_as_its_orientation_says(orientation: int, tmp_path: Path) -> None:
    image, tags = Image.fromarray(paint(ground(40, 60), "red", 5, 5, 10, 8)), Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    image.save(tmp_path / "t1.png", exif=tags)
    image.save(tmp_path / "t2.tif", tiffinfo={ExifTags.Base.Orientation: orientation})
    (plain, turned), _, _ = read(tmp_path / "t1.png", tmp_path / "t2.tif")
    np.testing.assert_array_equal(plain, turned)


def test_a_deep_tiff_that_would_have_to_be_turned_and_pages_are_refused(tmp_path: Path) -> None:
    image = Image.fromarray(np.arange(2400, dtype=np.uint16).reshape(40, 60))
    image.save(tmp_path / "deep.tif", tiffinfo={ExifTags.Base.Orientation: 6})
    image.save(tmp_path / "pages.tif", save_all=True, append_images=[image])
    for name, message in (("deep", "save it upright"), ("pages", "several pages")):
        with pytest.raises(UserError, match=rf"{name}\.tif: it.*{message}"):
            read(tmp_path / f"{name}.tif", tmp_path / f"{name}.tif")


@pytest.mark.parametrize("photometric", ["MINISBLACK", "MINISWHITE"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_fewer_than_8_bits_and_white_as_zero(bits: int, photometric: str, save: Save) -> None:
    """GDAL gives the numbers as they are stored: 4 bits would be nearly black, and zero as white would be inverted."""
    values = np.random.default_rng(0).integers(0, 1 << bits, (40, 48), dtype=np.uint8)
    (image, _), _, _ = read(*[save("t.tif", values, nbits=bits, photometric=photometric)] * 2)
    expected = values.astype(int) * 255 // ((1 << bits) - 1)
    if photometric == "MINISWHITE":
        expected = 255 - expected
    assert np.array_equal(image, np.repeat(expected[..., None], 3, axis=2))


def test_a_palette_of_16_bits(save: Save) -> None:
    path = save("t.tif", np.full((40, 48), 40_000, dtype=np.uint16), photometric="PALETTE")
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {40_000: (10, 20, 30, 255)})
    (image, _), _, _ = read(path, path)
    assert (image == (10, 20, 30)).all()


def test_lab_colours_are_those_that_pillow_shows(tmp_path: Path) -> None:
    path = tmp_path / "t.tif"
    Image.new("LAB", (48, 40), (150, 200, 100)).save(path)
    (image, _), _, _ = read(path, path)
    assert np.array_equal(image[0, 0], np.asarray(Image.open(path).convert("RGB"))[0, 0])


@pytest.mark.parametrize("missing", [-3.4028234663852886e38, -9999])
@pytest.mark.parametrize("crs", [UTM, None])
@pytest.mark.parametrize("declared", [None, np.nan])
def test_missing_data_that_the_file_does_not_name(
    declared: float | None, missing: float, crs: str | None, save: Save
) -> None:
    """All that is not missing would be white. Many programs declare NaN, whatever they store."""
    values = np.random.default_rng(0).random((100, 120, 3)).astype(np.float32) * 0.4
    plain, _, _ = read(*[save("t0.tif", values, crs=crs)] * 2)
    holed = values.copy()
    holed[:30] = missing
    holed[30, :20] = missing if declared is None else np.nan
    valid_row = np.arange(120) >= 20
    paths = save("t1.tif", holed, crs=crs, nodata=declared), save("t2.tif", values, crs=crs)
    images, valid, notes = read(*paths)
    assert not valid[:30].any()
    assert valid[31:].all()
    assert np.array_equal(valid[30], valid_row)
    assert np.abs(images[0][31:].astype(int) - plain[0][31:]).max() <= 2
    assert np.array_equal(images[0], images[1])
    assert any(f"{missing:g} is treated as nodata" in note for note in notes)
    whole, _, notes = read(save("t3.tif", values - 0.2, crs=crs), save("t4.tif", values - 0.2, crs=crs))
    assert not any("nodata" in note for note in notes)
    assert whole[0].max() == 255


def test_scales_and_offsets_that_differ_are_applied(save: Save) -> None:
    """Of newer scenes, some agencies have moved the zero: without the offset all seems brighter."""
    values = np.random.default_rng(0).integers(300, 4000, (40, 48, 3), dtype=np.uint16)
    paths = save("t1.tif", values), save("t2.tif", values + 1000)
    for path, offset in zip(paths, (0, -0.1)):
        with rasterio.open(path, "r+") as file:
            file.scales, file.offsets = [1e-4] * 3, [offset] * 3
    images, _, notes = read(*paths)
    assert np.abs(images[0].astype(int) - images[1]).max() <= 1
    assert sum("scale and offset" in note for note in notes) == 2


def test_without_a_reference_system_what_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    def write(name: str, left: float, size: int = 40, **profile) -> Path:
        path = tmp_path / name
        transform = Affine(20 / size, 0, left, 0, -20 / size, 5_400_000)
        shape = {"width": size, "height": size, "count": 3, "dtype": "uint8"}
        with rasterio.open(path, "w", driver="GTiff", transform=transform, **shape, **profile) as file:
            file.write(np.full((3, size, size), 99, dtype=np.uint8))
        return path

    t1 = write("t1.tif", 500_000)
    read(t1, write("t2.tif", 500_000.1))
    read(t1, write("t3.tif", 500_000, size=80), align="resize")
    with pytest.raises(UserError, match=r"t1.tif begins at \(500000, 5400000\) and .*t4.tif at \(500005, 5400000\)"):
        read(t1, write("t4.tif", 500_005))
    site = 'LOCAL_CS["site",UNIT["metre",1]]'
    t5 = write("t5.tif", 500_000, crs=site)
    assert any("t5.tif, site, is not tied to the earth and is ignored" in note for note in read(t5, t5)[2])
    with pytest.raises(UserError, match="begins at"):
        read(t5, write("t6.tif", 500_005, crs=site))
    with pytest.raises(UserError, match="has no coordinate reference system"):
        read(t5, write("t7.tif", 500_000, crs=UTM))


def test_places_told_by_control_points_alone_are_refused_unless_they_are_the_same(tmp_path: Path) -> None:
    def write(name: str, left: float) -> Path:
        points = [GroundControlPoint(y, x, left + x, 5_400_000 - y) for y, x in ((0, 0), (0, 40), (40, 0), (40, 40))]
        path = tmp_path / name
        with rasterio.open(path, "w", driver="GTiff", width=40, height=40, count=3, dtype="uint8") as file:
            file.write(np.full((3, 40, 40), 99, dtype=np.uint8))
            file.gcps = points, UTM
        return path

    t1 = write("t1.tif", 500_000)
    read(t1, write("t2.tif", 500_000))
    with pytest.raises(UserError, match=r"t3.tif is georeferenced only by ground control points.*gdalwarp"):
        read(t1, write("t3.tif", 507_000))


def test_a_plain_image_beside_a_tiff_without_a_reference_system(tmp_path: Path, save: Save) -> None:
    """Their places were not compared."""
    tiff, plain = save("t1.tif", ground(40, 40), crs=None), tmp_path / "t2.png"
    Image.fromarray(ground(40, 40)).save(plain)
    write_world_file(tiff, HALF_METRE)
    read(tiff, plain)  # The place of only one of them is known.
    (tmp_path / "t2.pgw").write_bytes(tiff.with_suffix(".tfw").read_bytes())
    read(tiff, plain)
    write_world_file(tiff, Affine(0.5, 0, 501_000, 0, -0.5, 5_400_000))
    for paths in ((tiff, plain), (plain, tiff)):
        with pytest.raises(UserError, match=r"show different places .*\(50\d000, 5400000\).*rio convert .*t2\.png"):
            read(*paths)
    points = [GroundControlPoint(y, x, 500_000 + x, 5_400_000 - y) for y, x in ((0, 0), (0, 40), (40, 0))]
    tiff = save("t3.tif", ground(40, 40), crs=None)
    with rasterio.open(tiff, "r+") as file:
        file.gcps = points, UTM
    with pytest.raises(UserError, match=r"t3\.tif is georeferenced only by ground control points.*gdalwarp"):
        read(plain, tiff)


def test_places_told_by_polynomials_alone_are_refused_unless_they_are_the_same(tmp_path: Path, save: Save) -> None:
    def write(name: str, longitude: float) -> Path:
        across, down, constant = np.zeros(20), np.zeros(20), np.zeros(20)
        across[1], down[2], constant[0] = 1, -1, 1
        path = tmp_path / name
        with rasterio.open(path, "w", driver="GTiff", width=40, height=40, count=3, dtype="uint8") as file:
            file.write(np.full((3, 40, 40), 99, dtype=np.uint8))
            file.rpcs = RPC(
                height_off=0,
                height_scale=500,
                lat_off=48,
                lat_scale=0.01,
                long_off=longitude,
                long_scale=0.01,
                line_off=20,
                line_scale=20,
                samp_off=20,
                samp_scale=20,
                line_num_coeff=down.tolist(),
                line_den_coeff=constant.tolist(),
                samp_num_coeff=across.tolist(),
                samp_den_coeff=constant.tolist(),
            )
        return path

    t1 = write("t1.tif", 15)
    read(t1, write("t2.tif", 15))
    for other in (write("t3.tif", 25), save("t4.tif", ground(40, 40), crs=None), save("t5.tif", ground(40, 40))):
        with pytest.raises(UserError, match=r"\.tif is georeferenced only by rational polynomials .*gdalwarp -rpc"):
            read(t1, other)


@pytest.mark.parametrize("name", ["new? yes.tif", "50%.tif", "no#1.tif", "é b.tif"])
def test_names_with_unusual_letters(name: str, save: Save) -> None:
    path = save("t1.tif", ground(40, 50))
    path = path.rename(path.with_name(name))
    with open_scene([path, str(path)], ReadOptions()) as scene:
        assert scene.grid.crs == UTM


@pytest.mark.skipif(os.name == "nt", reason="names of files are Unicode there")
def test_names_that_are_not_utf_8(save: Save, predictor: ColorPredictor, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.tif")
    save("t1.tif", ground(40, 50)).rename(odd)
    with pytest.raises(UserError, match=r"caf\\udce9\.tif: GDAL only opens files whose names are UTF-8; rename it"):
        read(odd, odd)
    image = odd.with_suffix(".png")
    Image.fromarray(ground(40, 50)).save(image)
    result = segment_pair(image, image, ["red"], predictor, SceneOptions(), tmp_path / "out")
    assert (result.folder / "result.json").read_bytes().decode().count(r"caf\\udce9.png") == 2


def test_bands_of_several_types_are_refused(save: Save) -> None:
    path = save("t1.tif", ground(40, 50))
    mixed = path.with_suffix(".vrt")
    rasterio.shutil.copy(path, mixed, driver="VRT")
    text = mixed.read_text(encoding="utf-8")
    mixed.write_text(text.replace('dataType="Byte" band="2"', 'dataType="UInt16" band="2"'), encoding="utf-8")
    with pytest.raises(
        UserError, match=r"1, 2, 3 of .*t1\.vrt have different types \(uint8, uint16, uint8\): choose bands"
    ):
        read(mixed, mixed)
    read(mixed, mixed, bands=(2,))


def test_what_only_ends_like_a_tiff_is_read_by_its_content(tmp_path: Path, save: Save) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    path = tmp_path / "t1.tif"
    Image.fromarray(image).save(path, format="PNG")
    assert np.array_equal(read(path, path)[0][0], image)
    with pytest.raises(UserError, match=r"rio convert .*t1.tif t1_placed.tif; rio edit-info t1_placed.tif --like"):
        read(path, save("t2.tif", image))


def test_plain_images_of_16_bits_are_stretched_together(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2000, (40, 48), dtype=np.uint16)
    for name, factor in (("t1", 1), ("t2", 2)):
        Image.fromarray(values * factor).save(tmp_path / f"{name}.png")
    images, _, notes = read(tmp_path / "t1.png", tmp_path / "t2.png")
    assert images[0].mean() < 0.6 * images[1].mean()
    assert any("of both together" in note for note in notes)
    images, _, _ = read(tmp_path / "t1.png", tmp_path / "t2.png", stretch=Stretch(each=True))
    assert abs(images[0].mean() - images[1].mean()) < 2


def test_complex_numbers_are_named(save: Save) -> None:
    path = save("t1.tif", np.ones((40, 48), dtype=np.complex64))
    with pytest.raises(UserError, match=r"t1.tif holds complex64 values"):
        read(path, path)


def test_a_cut_file_is_named(save: Save) -> None:
    path = save("t1.tif", np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8), compress="deflate")
    cut = path.with_name("cut.tif")
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r"cannot read .*cut\.tif: a part of it is missing"):
        read(path, cut)
    with pytest.raises(UserError, match=r"cannot read .*gone\.tif: .*No such file"):
        read(path, path.with_name("gone.tif"))


def test_parts_and_smaller_sizes(save: Save) -> None:
    path = save("t1.tif", np.random.default_rng(0).integers(0, 255, (300, 200, 3), dtype=np.uint8))
    with open_scene([path, path], ReadOptions()) as scene:
        whole = scene.read(scene.box).images[0]
        part = scene.read(Box(50, 60, 70, 80)).images[1]
        np.testing.assert_array_equal(part, whole[60:140, 50:120])
        small = scene.read(scene.box, (30, 20)).images[0].astype(int)
        averages = whole.reshape(30, 10, 20, 10, 3).mean(axis=(1, 3))
        assert np.abs(small - averages).max() <= 1


def test_plain_images_with_places_beside_them_are_compared_only_at_one_place(tmp_path: Path) -> None:
    images = []
    for date, x in ((1, 500_000), (2, 700_000)):
        images.append(tmp_path / f"t{date}.png")
        Image.fromarray(ground(40, 50)).save(images[-1])
        images[-1].with_suffix(".pgw").write_text(f"0.5 0 0 -0.5 {x} 5400000", encoding="utf-8")
    with pytest.raises(UserError, match=r"t1\.png and .*t2\.png show .*\(499999\.75, 5400000\.25\)"):
        read(*images)
    images[1].with_suffix(".pgw").unlink()
    read(*images)
