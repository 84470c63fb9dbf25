# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The pipeline, `mtrefseg.segment` and the result's files agree, and QGIS finds a style."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.utils import ModelOutput

from modeling_mtrefseg import TASK, MTRefSegModel, MTRefSegPipeline, MTRefSegProcessor
from modeling_mtrefseg.object_choice_mtrefseg import split_sentence
from mtrefseg.errors import UserError
from mtrefseg.looks import MASK_COLORS, to_hex
from mtrefseg.scenes import ScenePredictor, draw_layers, segment
from mtrefseg.scenes.predicting import WindowAnswer
from mtrefseg.scenes.reading import ReadOptions
from mtrefseg.scenes.segmenting import SceneOptions, segment_pair
from mtrs_iou import decode_rle

from .conftest import ColorPredictor, ground, paint


Save = Callable[..., Path]
TEXTS = ["the red car", "the largest house"]
THRESHOLDS = {"threshold": 0.45, "no_target_threshold": 0.99}


@pytest.fixture(scope="module")
def pipeline(model: MTRefSegModel, processor: MTRefSegProcessor) -> MTRefSegPipeline:
    return MTRefSegPipeline(model=model, processor=processor, task=TASK, device="cpu")


@pytest.fixture
def images() -> list[np.ndarray]:
    """Noise of 330 x 250 pixels; the canvas has 128."""
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (250, 330, 3), dtype=np.uint8) for _ in range(2)]


def assert_same(answers: list[dict[str, Any]], images: list[Any], pipeline: MTRefSegPipeline) -> None:
    predictor = ScenePredictor(pipeline.model, pipeline.processor, **THRESHOLDS, domain="remote_sensing")
    expected = segment(*images, TEXTS, model=predictor)
    assert [one["answered_by"] for one in answers] == [one.answered_by for one in expected.sentences]
    for answer, one, mask in zip(answers, expected.sentences, expected.masks, strict=True):
        np.testing.assert_array_equal(np.asarray(answer["mask"]) == 255, mask)
        assert (answer["score"], answer["no_target_score"]) == (one.score, one.no_target_score)


def test_the_pipeline_gives_the_masks_of_segment(
    pipeline: MTRefSegPipeline, images: list[np.ndarray], save: Save
) -> None:
    plain = [Image.fromarray(image) for image in images]
    rasters = [save(f"t{date}.tif", image) for date, image in enumerate(images, start=1)]
    small = [image.resize((90, 70)) for image in plain]
    pairs = [{"image_t1": one, "image_t2": other, "text": TEXTS} for one, other in (plain, small, rasters)]
    large, usual, georeferenced = pipeline(pairs, batch_size=3, domain="remote_sensing", **THRESHOLDS)
    assert_same(large, plain, pipeline)
    assert_same(georeferenced, rasters, pipeline)
    assert [one["answered_by"] for one in usual] == ["image", "image"]
    assert any(np.asarray(one["mask"]).any() for one in large)


@pytest.mark.parametrize("size", [(90, 70), (330, 250)])
def test_an_unknown_domain_is_refused_without_a_sentence_too(
    pipeline: MTRefSegPipeline, images: list[np.ndarray], size: tuple[int, int]
) -> None:
    pair = {f"image_t{date}": Image.fromarray(image).resize(size) for date, image in enumerate(images, start=1)}
    with pytest.raises(ValueError, match="Unknown domain 'normal-scene'"):
        pipeline(pair, domain="normal-scene")
    with pytest.raises(ValueError, match="Unknown domain"):
        ScenePredictor(pipeline.model, pipeline.processor, domain="RS")


def test_the_score_of_a_choice_is_that_of_the_plain_image(processor: MTRefSegProcessor) -> None:
    """Both are those of the selected objects."""
    logits = torch.full((1, 1, 128, 128), -9.0)
    for (rows, columns), value in zip(((8, 8), (20, 80), (90, 60)), (0.6, 6.0, 2.0)):
        logits[..., rows : rows + 16, columns : columns + 16] = value

    class FixedPredictor(ScenePredictor):
        def predict(self, views: Any, texts: Any, intervals: Any = ((0, 1),), is_whole: bool = False) -> WindowAnswer:
            return WindowAnswer(logits, torch.full((1, 1), -9.0), torch.zeros((1, 1), dtype=torch.bool))

    predictor = FixedPredictor(None, processor)
    predictor.choose_objects = True
    image, sentence = Image.fromarray(ground(128, 128)), "the leftmost house that was built"
    (scene,) = segment(image, image, sentence, model=predictor).sentences
    _, choice = split_sentence(sentence)
    assert choice is not None
    outputs = ModelOutput(
        mask_logits=logits[0],
        no_target_logits=torch.tensor([-9.0]),
        num_expressions=torch.tensor([1]),
        object_choices=torch.tensor([choice.to_values()]),
    )
    (plain,) = processor.post_process_referring_segmentation(outputs, [(128, 128)])
    assert scene.area_pixels == int(plain["masks"].sum()) == 256
    assert scene.score == pytest.approx(float(plain["scores"]), abs=0.005)  # Those of objects are kept in percent.
    assert scene.score < 0.7


def test_every_change_of_a_large_image(pipeline: MTRefSegPipeline, images: list[np.ndarray]) -> None:
    one, other = map(Image.fromarray, images)
    (answer,) = pipeline({"image_t1": one, "image_t2": other}, window=300)
    assert (answer["text"], answer["answered_by"], answer["mask"].size) == (None, "windows", (330, 250))
    with pytest.raises(ValueError, match="differ in size"):
        pipeline({"image_t1": one, "image_t2": other.resize((300, 250))}, align="error")


def test_plain_images_have_their_masks_as_rle_too(predictor: ColorPredictor, save: Save, tmp_path: Path) -> None:
    later = paint(ground(100, 180), "red", 20, 30, 60, 40)
    plain = [Image.fromarray(image) for image in (ground(100, 180), later)]
    result = segment_pair(plain[0], plain[1], ["the red things"], predictor, SceneOptions(), tmp_path / "plain")
    (entry,) = json.loads((tmp_path / "plain" / "result.json").read_text())["results"]
    np.testing.assert_array_equal(decode_rle(entry["rle"]), result.masks[0])
    rasters = [save("t1.tif", ground(100, 180)), save("t2.tif", later)]
    segment_pair(rasters[0], rasters[1], ["the red things"], predictor, SceneOptions(), tmp_path / "raster")
    assert "rle" not in (tmp_path / "raster" / "result.json").read_text()


def test_the_style_has_a_colour_for_each_sentence(predictor: ColorPredictor, save: Save, tmp_path: Path) -> None:
    later = paint(ground(100, 180), "red", 20, 30, 60, 40)
    rasters = [save("t1.tif", ground(100, 180)), save("t2.tif", later)]
    texts = ["the red things", 'the "blue" & <green> thing']
    segment_pair(rasters[0], rasters[1], texts, predictor, SceneOptions(), tmp_path / "out")
    style = ElementTree.parse(tmp_path / "out" / "objects.qml").getroot()
    renderer = style.find("renderer-v2")
    assert renderer is not None
    assert renderer.get("attr") == "sentence"
    assert [each.get("value") for each in renderer.iter("category")] == texts
    symbols = {each.get("name") for each in renderer.iter("symbol")}
    assert {each.get("symbol") for each in renderer.iter("category")} == symbols
    colors = [each.get("value") for each in renderer.iter("Option") if each.get("name") == "outline_color"]
    assert len(set(colors)) == 2
    # Only the mask is drawn: QGIS leaves out values that the palette lacks.
    (entry,) = ElementTree.parse(tmp_path / "out" / "masks.qml").getroot().iter("paletteEntry")
    assert (entry.get("value"), entry.get("color")) == ("1", to_hex(MASK_COLORS[0]))


def test_older_programs_know_the_version_of_the_geopackage(
    predictor: ColorPredictor, save: Save, tmp_path: Path
) -> None:
    rasters = [save("t1.tif", ground(100, 180)), save("t2.tif", paint(ground(100, 180), "red", 20, 30, 60, 40))]
    segment_pair(rasters[0], rasters[1], ["the red things"], predictor, SceneOptions(), tmp_path / "out")
    with closing(sqlite3.connect(tmp_path / "out" / "objects.gpkg")) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (10200,)


def test_layers(predictor: ColorPredictor, save: Save, tmp_path: Path) -> None:
    later = paint(ground(100, 180), "red", 20, 30, 60, 40)
    rasters = [save("t1.tif", ground(100, 180)), save("t2.tif", later)]
    result = segment_pair(rasters[0], rasters[1], ["the red things"], predictor, SceneOptions(), tmp_path / "out")
    earlier, shown, masks = draw_layers(rasters, ReadOptions(), result.folder / "masks.tif", [1], side=90)
    assert earlier.size == shown.size == (90, 50)
    assert [mask.shape for mask in masks] == [(50, 90)]
    assert masks[0][15:35, 10:40].all()
    assert masks[0].sum() == 20 * 30


def test_a_bound_on_windows_makes_them_larger(predictor: ColorPredictor, save: Save, tmp_path: Path) -> None:
    rasters = [save("t1.tif", ground(300, 400)), save("t2.tif", ground(300, 400))]
    notes: list[str] = []
    result = segment_pair(
        rasters[0], rasters[1], None, predictor, SceneOptions(most_windows=9), tmp_path / "out", notes.append
    )
    assert 4 < result.report["windows"] <= 9
    assert any(note.startswith("windows are shrunk") for note in notes)


def test_a_tif_that_is_another_format_is_no_raster(tmp_path: Path, save: Save, predictor: ColorPredictor) -> None:
    secret = save("secret.tif", ground(40, 40))
    (tmp_path / "posing.tif").write_text(
        f'<VRTDataset rasterXSize="40" rasterYSize="40"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{secret}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(UserError, match=r"(?i)cannot read .*posing\.tif"):
        segment_pair(tmp_path / "posing.tif", secret, None, predictor, SceneOptions(), tmp_path / "out")
