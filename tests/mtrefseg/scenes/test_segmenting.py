# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A scene from files to files, with a predictor that sees colours."""

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
import torch
from PIL import Image
from pyproj import Geod
from rasterio.transform import Affine

import mtrefseg
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.errors import UserError
from mtrefseg.scenes import predicting, stitching
from mtrefseg.scenes.output import StripWriter
from mtrefseg.scenes.predicting import ScenePredictor
from mtrefseg.scenes.reading import Grid
from mtrefseg.scenes.segmenting import SceneOptions, segment_pair
from mtrefseg.scenes.stitching import Strip

from .conftest import UTM, ColorPredictor, ground, paint


Save = Callable[..., Path]


@pytest.fixture
def pair(save: Save) -> tuple[Path, Path]:
    """A scene of 200 x 160 pixels. At t2 there are a large red thing, which lies in several windows, a small one, and
    a blue one in the top-left corner."""
    later = paint(paint(paint(ground(160, 200), "red", 40, 60, 90, 30), "red", 150, 10, 8, 8), "blue", 10, 10, 12, 12)
    return save("t1.tif", ground(160, 200)), save("t2.tif", later)


def test_a_result_does_not_show_the_masks_of_another_one(
    pair: tuple[Path, Path], predictor: ColorPredictor, tmp_path: Path
) -> None:
    first = segment_pair(*pair, ["the red things"], predictor, SceneOptions(), tmp_path / "out")
    assert first.masks.sum() == 90 * 30 + 8 * 8
    first.save(tmp_path / "out" / "masks.tif")  # It is there already.
    second = segment_pair(*pair, ["the blue thing"], predictor, SceneOptions(), tmp_path / "out")
    for use in (lambda: first.masks, first.show, lambda: first.save(tmp_path / "copy")):
        with pytest.raises(UserError, match=r"files of this result in .*out were replaced or removed"):
            use()
    assert not (tmp_path / "copy").exists()
    assert second.masks.sum() == 12 * 12
    assert len(first.objects) == 2
    with pytest.raises(UserError, match=r"cannot write .*x\.gpkg"):
        first.save(tmp_path / "out" / "masks.tif" / "x.gpkg")


def test_a_stretch_as_the_command_line_takes_it_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`stretch` must be 'auto', None or a `Stretch`"):
        SceneOptions(stretch="1,99")  # type: ignore[arg-type]


@pytest.mark.parametrize("wrap", [tuple, iter, np.array, dict.fromkeys])
def test_sentences_in_any_container(
    pair: tuple[Path, Path], predictor: ColorPredictor, wrap: Callable[[list[str]], Any]
) -> None:
    texts = ["the red things", "the blue thing"]
    result = mtrefseg.segment(*pair, wrap(texts), model=predictor)
    assert [one.text for one in result.sentences] == texts
    assert result.masks.sum(axis=(1, 2)).tolist() == [90 * 30 + 8 * 8, 12 * 12]


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        (["red", 5], "Sentence 2 must be a `str`, not int"),
        ([["red"]], "Sentence 1 must be a `str`, not list"),
        (5, "must be a `str` or a list, not int"),
        (b"red", "Sentence 1 must be a `str`, not int"),
    ],
)
def test_sentences_that_are_no_text_are_named(
    pair: tuple[Path, Path], predictor: ColorPredictor, sentences: Any, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        mtrefseg.segment(*pair, sentences, model=predictor)


def test_objects_are_joined_across_windows(pair: tuple[Path, Path], predictor: ColorPredictor, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = segment_pair(*pair, ["the red things", "the blue thing"], predictor, SceneOptions(), out)
    assert predictor.windows == 4 * 3
    assert sorted(path.name for path in out.iterdir()) == [
        "masks.qml",
        "masks.tif",
        "objects.geojson",
        "objects.gpkg",
        "objects.qml",
        "overview.webp",
        "result.json",
    ]
    expected = np.zeros((2, 160, 200), dtype=bool)
    expected[0, 60:90, 40:130] = expected[0, 10:18, 150:158] = expected[1, 10:22, 10:22] = True
    np.testing.assert_array_equal(result.masks, expected)
    red, blue = result.sentences
    assert [one.area_pixels for one in red.objects] == [64, 2700]
    assert red.objects[1].score == pytest.approx(1, abs=0.01)
    assert (red.answered_by, red.area_pixels, len(blue.objects)) == ("windows", 2764, 1)
    assert red.no_target_score < 0.1
    # Half a metre a pixel; the scale of UTM in the middle of a zone is 0.9996.
    assert red.area_m2 == pytest.approx(2764 / 4 / 0.9996**2, rel=1e-3)
    report = json.loads((out / "result.json").read_text())
    assert report["crs"] == UTM
    assert (report["windows"], report["overlap"]) == (12, 0.25)
    assert [entry["objects"] for entry in report["results"]] == [2, 1]
    with rasterio.open(out / "masks.tif") as raster:
        assert raster.descriptions == ("the red things", "the blue thing")
        assert (raster.crs, raster.transform) == (rasterio.open(pair[0]).crs, rasterio.open(pair[0]).transform)
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_vector_files(pair: tuple[Path, Path], predictor: ColorPredictor, tmp_path: Path) -> None:
    segment_pair(*pair, ["the red things that appeared"], predictor, SceneOptions(), tmp_path / "out")
    info = pyogrio.read_info(tmp_path / "out" / "objects.gpkg")
    assert (info["crs"], info["features"], info["layer_name"]) == (UTM, 2, "objects")
    assert set(info["fields"]) >= {"sentence", "change_type", "score", "area_m2"}
    collection = json.loads((tmp_path / "out" / "objects.geojson").read_text())
    assert_rfc_7946(collection)
    properties = collection["features"][1]["properties"]
    assert properties["sentence"] == "the red things that appeared"
    assert properties["change_type"] == "appear"
    assert (properties["x_min"], properties["y_min"], properties["x_max"], properties["y_max"]) == (40, 60, 130, 90)
    # Its area on the ellipsoid is the stated one.
    ring = np.array(collection["features"][1]["geometry"]["coordinates"][0][0])
    area = Geod(ellps="WGS84").polygon_area_perimeter(*ring.T)[0]
    assert area == pytest.approx(properties["area_m2"], rel=1e-3)


def assert_rfc_7946(collection: dict) -> None:
    """WGS 84 without a `crs` member, closed rings, the outer one counterclockwise, bounding boxes that fit."""
    assert collection["type"] == "FeatureCollection"
    assert "crs" not in collection
    for feature in collection["features"]:
        assert set(feature) <= {"type", "id", "bbox", "properties", "geometry"}
        assert feature["geometry"]["type"] == "MultiPolygon"
        points = []
        for polygon in feature["geometry"]["coordinates"]:
            for index, ring in enumerate(polygon):
                x, y = np.array(ring).T
                assert len(ring) >= 4
                assert ring[0] == ring[-1]
                turn = np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])
                assert (turn > 0) == (index == 0)
                assert np.abs(x).max() <= 180
                assert np.abs(y).max() <= 90
                points += ring
        low, high = np.min(points, axis=0), np.max(points, axis=0)
        assert feature["bbox"] == pytest.approx([*low, *high], abs=2e-7)


def test_objects_across_180_degrees(save: Save, predictor: ColorPredictor, tmp_path: Path) -> None:
    """In WGS 84 they are cut in two; a hole and parts that touch at a corner leave no empty part."""
    later = paint(paint(ground(200, 300), "red", 40, 30, 200, 120), "red", 240, 150, 10, 2)
    later[80:120, 90:140] = 120
    place = {"crs": "EPSG:4326", "transform": Affine(1e-5, 0, 179.9985, 0, -1e-5, 60)}
    images = save("t1.tif", ground(200, 300), **place), save("t2.tif", later, **place)
    result = segment_pair(*images, ["red"], predictor, SceneOptions(), tmp_path / "out")
    (feature,) = json.loads((tmp_path / "out" / "objects.geojson").read_text())["features"]
    parts = feature["geometry"]["coordinates"]
    assert [len(rings) for rings in parts] in ([2, 1, 1], [1, 1, 2])
    assert all(np.abs(np.array(ring)[:, 0]).max() <= 180 for rings in parts for ring in rings)
    assert feature["bbox"] == pytest.approx([179.9989, 59.99848, -179.999, 59.9997])  # From west to east.
    areas = [Geod(ellps="WGS84").geometry_area_perimeter(shapely.Polygon(part[0], part[1:]))[0] for part in parts]
    assert sum(map(abs, areas)) == pytest.approx(result.sentences[0].area_m2, rel=1e-3)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        (UTM, Affine(0.5, 0, 700_000, 0, -0.5, 6_650_000)),  # Far from the middle of the zone, at 60° north
        ("EPSG:4326", Affine(1e-5, 0, 18.6, 0, -5e-6, 60.0)),
        ("EPSG:3857", Affine(1, 0, 2_070_000, 0, -1, 8_400_000)),  # Web Mercator: areas are four times too large.
        (UTM, Affine(0.433, 0.25, 500_000, 0.25, -0.433, 6_650_000)),
    ],
    ids=["UTM", "geographic", "Web Mercator", "rotated"],
)
def test_areas_are_those_on_the_ground(crs: str, transform: Affine, save: Save, predictor: ColorPredictor) -> None:
    images = [
        save(f"t{time}.tif", image, crs=crs, transform=transform)
        for time, image in enumerate([ground(100, 120), paint(ground(100, 120), "red", 20, 30, 60, 40)], start=1)
    ]
    result = segment_pair(images[0], images[1], ["red"], predictor, SceneOptions())
    corners = result.grid.to_map(np.array([(20, 30), (80, 30), (80, 70), (20, 70)]))
    longitudes, latitudes = result.grid.to_wgs84.transform(*corners.T)
    expected = abs(Geod(ellps="WGS84").polygon_area_perimeter(longitudes, latitudes)[0])
    (one,) = result.sentences[0].objects
    assert one.area_pixels == 2400
    assert one.area_m2 == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "asked", "pixels"),
    [
        ("the largest red thing", "every red thing", 2700),
        ("the second largest red thing", "every red thing", 64),
        ("the red thing in the top-right corner", "every red thing", 64),
        ("all the red things but the largest one", "all the red things", 64),
        ("the red thing to the left of the blue one", "the red thing to the left of the blue one", 2764),
    ],
)
def test_places_and_ranks_are_of_the_whole_scene(
    text: str, asked: str, pixels: int, pair: tuple[Path, Path], predictor: ColorPredictor
) -> None:
    result = segment_pair(*pair, [text, "the blue thing"], predictor, SceneOptions(probability=True))
    one, other = result.sentences
    assert one.asked == asked
    assert one.area_pixels == result.masks[0].sum() == pixels
    assert other.area_pixels == result.masks[1].sum() == 144
    is_divided = "left of" not in text
    assert one.answered_by == ("objects" if is_divided else "shrunk scene")
    assert predictor.windows == (12 if is_divided else 13)
    assert any("shrunk scene" in note for note in result.report["notes"]) != is_divided


@pytest.mark.parametrize("window", [64, "off"])
def test_words_do_not_select_among_specks(window: int | str, save: Save, predictor: ColorPredictor) -> None:
    """As in plain images: objects below 36 of 256 x 256 pixels are neither ranked nor counted."""
    predictor.choose_objects = True
    later = paint(paint(ground(100, 100), "red", 40, 40, 30, 30), "red", 80, 5, 10, 10)
    later = paint(later, "red", 4, 90, 1, 1)
    images = save("t1.tif", ground(100, 100)), save("t2.tif", later)
    predictor.canvas = 64 if window == 64 else 100
    texts = ["the leftmost red thing", "the smallest red thing", "the red thing in the bottom-left corner"]
    result = segment_pair(*images, texts, predictor, SceneOptions(window=window))
    assert [one.answered_by for one in result.sentences] == ["objects"] * 3
    assert [one.area_pixels for one in result.sentences] == [900, 100, 1]


def test_one_question_is_asked_once(pair: tuple[Path, Path], predictor: ColorPredictor) -> None:
    texts = ["the largest red thing", "the smallest red thing", "every red thing"]
    result = segment_pair(*pair, texts, predictor, SceneOptions())
    assert {tuple(asked) for asked in predictor.asked} == {("every red thing",)}
    assert result.masks.sum(axis=(1, 2)).tolist() == [2700, 64, 2764]


def test_many_sentences_about_a_wide_scene_are_answered_in_groups(
    pair: tuple[Path, Path], predictor: ColorPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The buffer in which windows are blended has a limit."""
    texts = ["every red thing", "every blue thing", "every green thing"]
    together = segment_pair(*pair, texts, predictor, SceneOptions(probability=True))
    assert {tuple(asked or ()) for asked in predictor.asked} == {tuple(texts)}
    # Of two sentences in windows of 64 pixels, in a scene that is 200 pixels wide.
    monkeypatch.setattr(stitching, "_MOST_FLOATS", 2 * 64 * 200)
    predictor.asked.clear()
    grouped = segment_pair(*pair, texts, predictor, SceneOptions(probability=True))
    assert {tuple(asked or ()) for asked in predictor.asked} == {tuple(texts[:2]), tuple(texts[2:])}
    for name in ("masks.tif", "probabilities.tif"):
        first, second = (rasterio.open(one.folder / name).read() for one in (together, grouped))
        np.testing.assert_array_equal(first, second)
    assert [one.to_json() for one in together.sentences] == [one.to_json() for one in grouped.sentences]
    assert grouped.report == together.report


def test_small_objects_and_outlines(pair: tuple[Path, Path], predictor: ColorPredictor) -> None:
    result = segment_pair(*pair, ["red"], predictor, SceneOptions(min_area=17, simplify=1))
    assert [one.area_pixels for one in result.sentences[0].objects] == [2700]
    assert result.masks.sum() == 2764  # The mask keeps them.


def test_every_change_without_a_sentence(pair: tuple[Path, Path], predictor: ColorPredictor) -> None:
    result = segment_pair(*pair, None, predictor, SceneOptions())
    assert result.sentences[0].text is None
    assert result.masks.sum() == 2764 + 144
    assert pyogrio.read_info(result.save(result.folder / "all.gpkg"))["features"] == 3


def test_objects_as_a_table_and_saving(pair: tuple[Path, Path], predictor: ColorPredictor, tmp_path: Path) -> None:
    result = segment_pair(*pair, ["red"], predictor, SceneOptions())
    assert len(result.objects) == 2
    result.save(tmp_path / "saved")
    assert (tmp_path / "saved" / "masks.tif").is_file()
    assert result.save(tmp_path / "masks.tif").stat().st_size > 0
    assert result.show().width == 1600
    with pytest.raises(UserError, match=r"\.gpkg or \.geojson, masks as \.tif"):
        result.save(tmp_path / "objects.shp")
    (tmp_path / "v1.2").mkdir()
    for folder in (tmp_path / "v1.2", result.folder):
        assert (result.save(folder) / "masks.tif").is_file()
    for name in ("masks.tif", "objects.gpkg"):
        with pytest.raises(UserError, match=f"cannot write .*{name}: there is no folder .*nowhere"):
            result.save(tmp_path / "nowhere" / name)


def test_a_result_keeps_no_probabilities_of_an_earlier_one(
    pair: tuple[Path, Path], predictor: ColorPredictor, tmp_path: Path
) -> None:
    for probability in (True, False):
        segment_pair(*pair, ["red"], predictor, SceneOptions(probability=probability), tmp_path / "out")
        assert (tmp_path / "out" / "probabilities.tif").is_file() == probability


def test_a_run_that_fails_keeps_the_earlier_result(
    pair: tuple[Path, Path], predictor: ColorPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = functools.partial(mtrefseg.segment, *pair, model=predictor, out=tmp_path / "out")
    segment("red")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    message = f"cannot write {tmp_path / 'out' / 'objects.gpkg'}: is the disk full?"

    def fail(path: Path, *_: object) -> None:
        raise UserError(f"cannot write {path}: is the disk full?")

    with monkeypatch.context() as patch:
        patch.setattr("mtrefseg.scenes.output.result.write_vectors", fail)
        with pytest.raises(UserError, match=re.escape(message)):
            segment("blue")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert segment("blue").masks.sum() == 144


def test_a_saved_folder_holds_this_result_and_nothing_else(
    pair: tuple[Path, Path], predictor: ColorPredictor, tmp_path: Path
) -> None:
    first = segment_pair(*pair, ["red"], predictor, SceneOptions(probability=True))
    first.save(tmp_path / "saved")
    assert (tmp_path / "saved" / "probabilities.tif").is_file()
    second = segment_pair(*pair, ["red"], predictor, SceneOptions(), tmp_path / "out")
    (tmp_path / "out" / "mine.txt").touch()
    second.save(tmp_path / "saved")
    names = {path.name for path in (tmp_path / "saved").iterdir()}
    assert names == {path.name for path in (tmp_path / "out").iterdir()} - {"mine.txt"}
    assert "probabilities.tif" not in names


def test_one_sentence_and_none(pair: tuple[Path, Path], predictor: ColorPredictor) -> None:
    assert [one.text for one in segment_pair(*pair, "red", predictor, SceneOptions()).sentences] == ["red"]
    with pytest.raises(ValueError, match="The list of sentences is empty"):
        segment_pair(*pair, [], predictor, SceneOptions())


def test_thresholds_are_those_of_plain_images(save: Save, tmp_path: Path) -> None:
    """Logits are compared: their probabilities would round to the threshold."""
    grid = Grid(2, 1, Affine.identity(), None)
    writer = StripWriter(tmp_path, grid, 1, 0.5)
    writer.write(Strip(0, np.array([[[1e-9, -1e-9]]], dtype=np.float32), np.ones((1, 2), dtype=bool)), [0])
    writer.close()
    assert writer.areas.tolist() == [1]


def test_without_a_place_coordinates_are_pixels(save: Save, predictor: ColorPredictor, tmp_path: Path) -> None:
    images = [
        save(f"t{time}.tif", image, crs=None)
        for time, image in enumerate([ground(100, 120), paint(ground(100, 120), "red", 20, 30, 60, 40)], start=1)
    ]
    result = segment_pair(images[0], images[1], ["red"], predictor, SceneOptions(), tmp_path / "out")
    assert result.sentences[0].area_m2 is None
    result.write_files()  # As commands do, which add to the report.
    assert sum("coordinates are pixels" in note for note in result.report["notes"]) == 1
    collection = json.loads((tmp_path / "out" / "objects.geojson").read_text())
    assert "pixels" in collection["description"]
    assert np.array(collection["features"][0]["geometry"]["coordinates"][0][0]).max(0).tolist() == [80, 70]


@pytest.mark.parametrize(("window", "side", "is_guessed"), [("auto", 51, True), (64, 64, False)])
def test_a_guess_of_the_ground_resolution_is_said(window: int | str, side: int, is_guessed: bool) -> None:
    predictor = ColorPredictor(pixel_size=0.4)
    predictor.domain = "remote_sensing"
    images = [Image.fromarray(ground(100, 120)) for _ in range(2)]
    result = segment_pair(images[0], images[1], None, predictor, SceneOptions(window=window))
    assert result.report["window"] == [side, side]
    assert any("as for 0.5 m" in note for note in result.report["notes"]) == is_guessed


@pytest.mark.parametrize(("crs", "window", "note"), [(None, "auto", "is unknown"), (UTM, 64, "the window is given")])
def test_a_pixel_size_without_effect_is_said(
    crs: str | None, window: int | str, note: str, save: Save, predictor: ColorPredictor
) -> None:
    image = save("t1.tif", ground(100, 100), crs=crs)
    result = segment_pair(image, image, None, predictor, SceneOptions(pixel_size=2, window=window))
    assert any("the pixel size of 2 m has no effect" in one and note in one for one in result.report["notes"])


def test_a_dark_window_is_no_dark_scene(
    save: Save, model: MTRefSegModel, processor: MTRefSegProcessor, caplog: pytest.LogCaptureFixture
) -> None:
    black = np.zeros((200, 300, 3), dtype=np.uint8)
    shown = np.random.default_rng(0).integers(0, 255, black.shape, dtype=np.uint8)
    shown[:, :200] = 0  # A lake, say.
    images = [save("t1.tif", black), save("t2.tif", shown)]
    result = segment_pair(images[0], images[1], None, ScenePredictor(model, processor), SceneOptions())
    dull = [note for note in result.report["notes"] if "nearly black" in note]
    assert [note.startswith(str(images[0])) for note in dull] == [True]
    assert "nearly black" not in caplog.text


def test_missing_data_is_not_taken_for_darkness(save: Save, predictor: ColorPredictor) -> None:
    """Pixels that a date does not cover are black at both dates."""
    grey = np.random.default_rng(0).integers(90, 160, (400, 400, 3), dtype=np.uint8)
    missing, dark = grey.copy(), np.full_like(grey, 3)
    missing[38:] = missing[:, 38:] = 0  # 1 % is left.
    shown, partial = save("t1.tif", grey), save("t2.tif", missing, nodata=0)
    result = segment_pair(shown, partial, None, predictor, SceneOptions())
    assert not any("nearly black" in note for note in result.report["notes"])
    result = segment_pair(save("dark.tif", dark), partial, None, predictor, SceneOptions())
    dull = [note for note in result.report["notes"] if "nearly black" in note]
    assert ["dark.tif is" in note for note in dull] == [True]


def test_a_scene_of_one_row(save: Save, predictor: ColorPredictor) -> None:
    images = [
        save(f"t{time}.tif", image)
        for time, image in enumerate([ground(10, 4000), paint(ground(10, 4000), "red", 1000, 0, 900, 10)], start=1)
    ]
    result = segment_pair(images[0], images[1], ["red"], predictor, SceneOptions())
    assert [one.area_pixels for one in result.sentences[0].objects] == [9000]


@pytest.mark.parametrize("chooses", [False, True])
def test_one_window_is_what_the_processor_gives(
    save: Save,
    model: MTRefSegModel,
    processor: MTRefSegProcessor,
    make_image: Callable,
    chooses: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With `choose_objects`, the colour of the second sentence chooses among the objects."""
    monkeypatch.setattr(processor, "choose_objects", chooses)
    texts = ["the new house", "a red car that left the road"]
    pictures = [make_image(height=150, width=190, seed=seed) for seed in (0, 3)]
    images = [save(f"t{time}.tif", np.asarray(image)) for time, image in enumerate(pictures, start=1)]
    threshold, no_target_threshold = 0.49, 0.9
    predictor = ScenePredictor(model, processor, threshold, no_target_threshold)
    inputs = processor(images_t1=pictures[0], images_t2=pictures[1], text=texts)
    with torch.inference_mode():
        outputs = model(**inputs)
    (expected,) = processor.post_process_referring_segmentation(
        outputs, [(150, 190)], threshold=threshold, no_target_threshold=no_target_threshold
    )
    for window in ("auto", "off", 190):
        result = segment_pair(images[0], images[1], texts, predictor, SceneOptions(window=window))
        assert {one.answered_by for one in result.sentences} == {"image"}
        np.testing.assert_array_equal(result.masks, expected["masks"].numpy())
        for name in ("score", "no_target_score"):
            found = [getattr(one, name) for one in result.sentences]
            assert found == pytest.approx(expected[f"{name}s"].tolist(), abs=1e-5)
    assert any("shrunk 1.5 times" in note for note in result.report["notes"])


def test_only_a_scene_of_one_window_falls_back_to_the_closest_changes(
    save: Save,
    model: MTRefSegModel,
    processor: MTRefSegProcessor,
    make_image: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In one of many windows, it is usual that nothing fits the sentence."""
    pictures = [make_image(height=200, width=300, seed=seed) for seed in (0, 3)]
    images = [save(f"t{time}.tif", np.asarray(image)) for time, image in enumerate(pictures, start=1)]
    with torch.inference_mode():
        expected = model(**processor(*pictures, text=["a house"])).change_logits[0]
    given = []

    def everything(logits: torch.Tensor, changes: torch.Tensor, threshold: float) -> tuple[torch.Tensor, ...]:
        given.append(changes)
        return torch.full_like(logits, 9.0), torch.ones(len(logits), dtype=torch.bool)

    monkeypatch.setattr(processor.image_processor, "fallback_threshold", 0.001, raising=False)
    monkeypatch.setattr(processor.image_processor, "with_closest_changes", everything)
    predictor = ScenePredictor(model, processor, 0.999, 1.0)
    whole = segment_pair(images[0], images[1], ["a house"], predictor, SceneOptions(window="off"))
    assert whole.masks.all()
    torch.testing.assert_close(given, [expected], atol=1e-4, rtol=0)
    windows = segment_pair(images[0], images[1], ["a house"], predictor, SceneOptions())
    assert not windows.masks.all()
    assert len(given) == 1
    assert [one.sentences[0].is_closest for one in (whole, windows)] == [True, False]
    for one, is_closest in ((whole, True), (windows, False)):
        (entry,) = json.loads((one.folder / "result.json").read_text())["results"]
        assert entry["is_closest"] is is_closest
        features = json.loads((one.folder / "objects.geojson").read_text())["features"]
        assert all(feature["properties"]["is_closest"] is is_closest for feature in features)


def test_windows_agree_in_batches_of_any_size(
    save: Save, model: MTRefSegModel, processor: MTRefSegProcessor, make_image: Callable
) -> None:
    images = [
        save(f"t{time}.tif", np.asarray(make_image(height=200, width=300, seed=seed)))
        for time, seed in ((1, 0), (2, 3))
    ]
    predictor = ScenePredictor(model, processor, 0.5)
    results = [
        segment_pair(images[0], images[1], ["a house"], predictor, SceneOptions(batch_size=size, probability=True))
        for size in (1, 3)
    ]
    values = [rasterio.open(one.folder / "probabilities.tif").read().astype(int) for one in results]
    assert np.abs(values[0] - values[1]).max() <= 1


def test_inputs_of_sentences_do_not_accumulate(
    model: MTRefSegModel, processor: MTRefSegProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manifest may name thousands of pairs, each with its own sentences."""
    monkeypatch.setattr(predicting, "_MOST_KNOWN_INPUTS", 2)
    predictor = ScenePredictor(model, processor)
    first = predictor._sentence_inputs(1, ["house 0"])
    for number in range(5):
        predictor._sentence_inputs(1, [f"house {number}"])
        assert len(predictor._inputs) <= 2
    again = predictor._sentence_inputs(1, ["house 0"])
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize(
    ("transform", "is_told"),
    [
        (Affine(0.5, 0, 500_000, 0, -0.5, 5_400_000), False),
        (Affine(0.5, 0.2, 500_000, 0.2, -0.5, 5_400_000), False),  # Turned by 22 degrees.
        (Affine(0.5, 0, 500_000, 0, 0.5, 5_400_000), True),
        (Affine(-0.5, 0, 500_000, 0, -0.5, 5_400_000), True),
        (Affine(0, 0.5, 500_000, 0.5, 0, 5_400_000), True),
    ],
    ids=["north up", "turned a bit", "south up", "west on the right", "turned"],
)
def test_points_of_the_compass_where_north_is_not_up(
    transform: Affine, is_told: bool, save: Save, predictor: ColorPredictor
) -> None:
    """The object in the south was selected for "in the north", without a word."""
    later = paint(ground(100, 120), "red", 10, 10, 12, 12)
    t1, t2 = save("t1.tif", ground(100, 120), transform=transform), save("t2.tif", later, transform=transform)
    texts = ["the red thing in the North-West", "the red thing at the top"]
    notes = segment_pair(t1, t2, texts, predictor, SceneOptions()).report["notes"]
    told = [note for note in notes if "north is read as up" in note]
    assert len(told) == is_told
    assert all(texts[0] in note and "t1.tif is not stored with north up" in note for note in told)
