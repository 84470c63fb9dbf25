# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Five generated dates, with the true table beside them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyogrio
import pytest
import rasterio
import torch

from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.errors import UserError
from mtrefseg.scenes import stitching
from mtrefseg.scenes.predicting import ScenePredictor
from mtrefseg.scenes.reading import Views
from mtrefseg.scenes.segmenting import SceneOptions
from mtrefseg.scenes.series import segment_series

from .conftest import ColorPredictor, ground, paint


# Date -> the red things that have come by then: left, top, width, height.
HOUSES = {
    "2018": [],
    "2019": [(10, 10, 20, 20)],
    "2020": [(10, 10, 20, 20), (100, 20, 30, 10)],
    "2021": [(10, 10, 20, 20), (100, 20, 30, 10)],
    "2022": [(10, 10, 20, 20), (100, 20, 30, 10), (60, 70, 40, 40), (120, 90, 10, 10)],
}
TRUE_TABLE = [
    ("2018", "2019", 1, 400),
    ("2019", "2020", 1, 300),
    ("2020", "2021", 0, 0),
    ("2021", "2022", 2, 1700),
    ("2018", "2022", 4, 2400),
]


@pytest.fixture
def dates(save: Callable[..., Path]) -> list[Path]:
    paths = []
    for date, houses in HOUSES.items():
        image = ground(130, 150)
        for house in houses:
            paint(image, "red", *house)
        paths.append(save(f"{date}.tif", image))
    return paths


@pytest.mark.parametrize("most_floats", [1 << 28, 2 * 64 * 150])  # All intervals at once, or two.
def test_the_table_is_the_true_one(
    most_floats: int,
    dates: list[Path],
    predictor: ColorPredictor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stitching, "_MOST_FLOATS", most_floats)
    out = tmp_path / "out"
    result = segment_series(dates, ["the red houses"], predictor, SceneOptions(), out)
    rows = [(row["from"], row["to"], row["objects"], row["area_pixels"]) for row in result.rows()]
    assert rows == TRUE_TABLE
    with (out / "series.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [(row["from"], row["to"], int(row["objects"]), int(row["area_pixels"])) for row in written] == TRUE_TABLE
    assert float(written[-1]["area_m2"]) == pytest.approx(600, rel=1e-2)
    when = {one.area_pixels: name for one, name in zip(result.whole.sentences[0].objects, result.when[0], strict=True)}
    assert when == {400: "2018 to 2019", 300: "2019 to 2020", 1600: "2021 to 2022", 100: "2021 to 2022"}
    with rasterio.open(out / "masks.tif") as raster:
        assert raster.descriptions[3] == "2021 to 2022: the red houses"
        assert [(raster.read(band) == 1).sum() for band in range(1, 6)] == [row[3] for row in TRUE_TABLE]
    assert pyogrio.read_info(out / "objects.gpkg")["features"] == 8
    assert json.loads((out / "series.json").read_text())["dates"] == list(HOUSES)
    assert (out / "timeline.webp").stat().st_size > 0
    style = ElementTree.parse(out / "objects.qml").getroot()
    assert [each.get("attr") for each in style.iter("renderer-v2")] == ["changed"]
    assert [each.get("value") for each in style.iter("category")] == [
        f"{row[0]} to {row[1]}" for row in TRUE_TABLE[:4]
    ]


def test_a_dark_date_is_named(save: Callable[..., Path], predictor: ColorPredictor, tmp_path: Path) -> None:
    images = [save("2018.tif", ground(40, 50)), save("2019.tif", ground(40, 50) * 0)]
    result = segment_series(images, None, predictor, SceneOptions(), tmp_path / "out")
    notes = json.loads((result.folder / "series.json").read_text())["notes"]
    assert any(note.startswith(f"{images[1]} is nearly black") for note in notes)


def test_two_dates_and_one(dates: list[Path], predictor: ColorPredictor, tmp_path: Path) -> None:
    result = segment_series(dates[:2], None, predictor, SceneOptions(), tmp_path / "out")
    assert [(row["sentence"], row["objects"]) for row in result.rows()] == [("every change", 1)]
    with pytest.raises(UserError, match="2 dates or more"):
        segment_series(dates[:1], None, predictor, SceneOptions(), tmp_path / "one")


def test_each_date_is_seen_once_and_intervals_are_those_of_pairs(
    model: MTRefSegModel, processor: MTRefSegProcessor, make_image: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [np.asarray(make_image(height=96, width=96, seed=seed)) for seed in range(3)]
    valid = np.ones((96, 96), dtype=bool)
    texts = ["the new house", "a red car"]
    predictor = ScenePredictor(model, processor)
    seen = []
    forward = model.vision_model.backbone.forward

    def counted(pixels: torch.Tensor, *arguments, **options):
        seen.append(len(pixels))
        return forward(pixels, *arguments, **options)

    monkeypatch.setattr(model.vision_model.backbone, "forward", counted)
    answer = predictor.predict([Views(images, valid)] * 2, texts, [(0, 1), (1, 2), (0, 2)])
    assert seen == [6]
    for index, (earlier, later) in enumerate([(0, 1), (1, 2), (0, 2)]):
        pair = predictor.predict([Views([images[earlier], images[later]], valid)], texts)
        part = slice(2 * index, 2 * index + 2)
        torch.testing.assert_close(answer.logits[1:, part], pair.logits, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(answer.no_target_logits[:1, part], pair.no_target_logits, atol=1e-4, rtol=1e-4)
