# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Large and georeferenced images in the demo: the files of `mtrefseg.segment`, within the demo's bounds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mtrefseg.serve.engine import FairLock
from mtrs_iou import decode_rle
from spaces_demo.solved_examples import EXAMPLES
from tests.spaces_demo.conftest import SPACE, Segmenter, Server


gr = pytest.importorskip("gradio", reason="gradio is not installed")
gradio_client = pytest.importorskip("gradio_client", reason="gradio_client is not installed")
rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")

from mtrefseg.scenes import SceneOptions, ScenePredictor, segment  # noqa: E402
from spaces_demo import scene_tab  # noqa: E402


handle_file = gradio_client.handle_file
AppError = gradio_client.exceptions.AppError
TEXTS = ["the red car", "the largest house"]


@pytest.fixture
def client(server: Server, tmp_path: Path) -> Any:
    return gradio_client.Client(server.url, verbose=False, download_files=str(tmp_path / "downloads"))


@pytest.fixture
def rasters(tmp_path: Path) -> list[str]:
    """Two GeoTIFF files of 300 x 200 pixels, noise of 16 bits in four bands; the canvas has 128."""
    place = {"crs": "EPSG:32633", "transform": rasterio.transform.from_origin(500_000, 5_400_000, 0.5, 0.5)}
    paths = []
    for date in (1, 2):
        values = np.random.default_rng(date).integers(0, 4000, (4, 200, 300), dtype=np.uint16)
        paths.append(str(tmp_path / f"date{date}.tif"))
        size = {"width": 300, "height": 200, "count": 4, "dtype": "uint16"}
        with rasterio.open(paths[-1], "w", driver="GTiff", **size, **place) as raster:
            raster.write(values)
    return paths


def ask(client: Any, paths: list[str], text: str | None = "\n".join(TEXTS)) -> Any:
    return client.predict(*map(handle_file, paths), text, "remote_sensing", api_name="/segment_scene")


def test_the_files_are_those_of_segment(
    client: Any, rasters: list[str], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, files, numbers = ask(client, rasters)
    predictor = ScenePredictor(server.segmenter.model, server.segmenter.processor, domain="remote_sensing")
    expected = segment(*rasters, TEXTS, model=predictor)
    named = {Path(path).name: Path(path) for path in files}
    assert set(named) == set(scene_tab.FILES)
    for name in ("masks.tif", "masks.qml", "objects.geojson", "objects.qml", "overview.webp"):
        assert named[name].read_bytes() == (expected.folder / name).read_bytes(), name
    assert numbers == json.loads(named["result.json"].read_text())
    mine = json.loads((expected.folder / "result.json").read_text())
    assert numbers["results"] == mine["results"]
    assert (numbers["windows"], numbers["crs"]) == (mine["windows"], "EPSG:32633")
    # Visitors see no paths of the server.
    assert (numbers["image_t1"], numbers["image_t2"]) == ("date1.tif", "date2.tif")
    assert any("The earlier image (t1) has 4 bands" in note for note in numbers["notes"])
    assert "/" not in "".join(numbers["notes"])
    assert "the largest house" in view
    assert f"{mine['windows']} windows" in view
    assert view.count("data:image/") == 2
    assert "http" not in view


def test_plain_images_and_every_change(client: Any, tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("t1.png", "t2.png")]
    for seed, path in enumerate(paths):
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (210, 200, 3), dtype=np.uint8)).save(path)
    for text in ("", None):
        view, _, numbers = ask(client, paths, text)
        assert "every change" in view
        (entry,) = numbers["results"]
        assert entry["text"] is None
        assert entry["rle"]["size"] == [210, 200]


def test_a_scene_has_a_bounded_number_of_windows(
    client: Any, rasters: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene_tab, "MAX_WINDOWS", 4)
    numbers = ask(client, rasters)[2]
    assert numbers["windows"] <= 4
    assert any("shrunk" in note for note in numbers["notes"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("scene.vrt", b"<VRTDataset/>", r"must be a \.tif"),
        ("scene.tif", b"<VRTDataset/>", "is not an image"),
        ("scene.tif", b"", "is an empty file"),
    ],
)
def test_other_files_are_refused_and_deleted(
    name: str, content: bytes, message: str, client: Any, rasters: list[str], server: Server, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AppError, match=message):
        ask(client, [str(path), rasters[1]])
    assert not [path for path in server.files() if path.name == name]


def test_dates_that_do_not_fit_are_named_as_the_page_does(client: Any, rasters: list[str], tmp_path: Path) -> None:
    far = str(tmp_path / "far.tif")
    with rasterio.open(rasters[1]) as raster:
        profile = {**raster.profile, "transform": rasterio.transform.from_origin(700_000, 5_400_000, 0.5, 0.5)}
        with rasterio.open(far, "w", **profile) as written:
            written.write(raster.read())
    with pytest.raises(
        AppError, match=r"^The earlier image \(t1\) and The later image \(t2\) do not overlap.* km apart$"
    ):
        ask(client, [rasters[0], far])


def test_sizes_that_differ_get_advice_that_the_page_can_follow(client: Any, tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("t1.png", "t2.png")]
    for side, path in zip((64, 48), paths):
        Image.new("RGB", (side, side), "green").save(path)
    with pytest.raises(AppError, match="resize t2 to the size of t1 first") as caught:
        ask(client, paths)
    assert "--" not in str(caught.value)


def test_the_model_answers_others_between_the_windows_of_a_scene(
    segmenter: Segmenter, rasters: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CountingLock(FairLock):
        entered = 0

        def __enter__(self) -> None:
            super().__enter__()
            self.entered += 1

    lock = CountingLock()
    segment_pair = scene_tab.segment_pair

    def segment_unlocked(*arguments: Any) -> Any:
        assert not lock._is_held
        return segment_pair(*arguments)

    segmenter.lock = lock
    monkeypatch.setattr(scene_tab, "segment_pair", segment_unlocked)
    monkeypatch.setattr(scene_tab, "_options", lambda: SceneOptions(window=128, batch_size=1, progress=False))
    scene_tab.segment_into(tmp_path / "out", segmenter, rasters, TEXTS[:1], "remote_sensing")
    numbers = json.loads((tmp_path / "out" / "result.json").read_text())
    assert lock.entered == numbers["windows"] > 1
    assert not lock._is_held


def test_the_example_has_a_place() -> None:
    places = []
    for path in scene_tab.EXAMPLE:
        with rasterio.open(path) as raster:
            assert (raster.width, raster.height, raster.compression.name) == (1216, 1216, "jpeg")
            places.append((raster.crs.to_string(), raster.transform))
    assert places[0] == places[1]
    assert places[0][0] == "EPSG:32640"


@pytest.mark.parametrize("folder", ["shipped", "now"])
def test_the_answers_to_the_example_are_right(folder: str, tmp_path: Path) -> None:
    """Those that are shown at first, and those of the shipped checkpoint: `make images` writes them anew."""
    files = scene_tab.SCENE
    if folder == "now":
        files, paths = tmp_path, [str(path) for path in scene_tab.EXAMPLE]
        segmenter = Segmenter.from_pretrained(str(SPACE.parent / "mtrefseg-r1"))
        scene_tab.segment_into(files, segmenter, paths, scene_tab.EXAMPLE_SENTENCES, scene_tab.EXAMPLE_DOMAIN)
    truth = json.loads((SPACE.parent / "docs" / "example" / "demo_truth.json").read_text(encoding="utf-8"))["scene"]
    assert [each["sentence"] for each in truth] == list(scene_tab.EXAMPLE_SENTENCES)
    with rasterio.open(files / "masks.tif") as raster:
        masks = raster.read() == 1
    results = json.loads((files / "result.json").read_text())["results"]
    for mask, each, one in zip(masks, truth, results, strict=True):
        expected = decode_rle(each["mask"])
        assert (mask & expected).sum() / (mask | expected).sum() > 0.72, each["sentence"]
        assert not one["is_closest"]


def test_the_tab_opens_with_the_example_and_keeps_own_files(server: Server, pair: tuple[str, str]) -> None:
    tab: Any = next(function.fn.__self__ for function in server.page.fns.values() if function.name == "show_example")
    ask = (*EXAMPLES[0].paths, EXAMPLES[0].text)
    *fields, view, files, numbers, _ = tab.open(None, None, *ask)
    for path in files:  # As the page does it when it stops.
        Path(path).unlink()
    assert fields == [*map(str, scene_tab.EXAMPLE), "\n".join(scene_tab.EXAMPLE_SENTENCES), "remote_sensing"]
    assert {Path(path).name for path in files} == set(scene_tab.FILES) - {"overview.webp"}
    assert scene_tab.SOLVED in view
    assert view.count("data:image/") == 2
    assert [one["text"] for one in numbers["results"]] == list(scene_tab.EXAMPLE_SENTENCES)
    taken = tab.open(*fields[:2], *pair, "a car")
    assert taken[:3] == (*pair, "a car")
    # Files that would be refused here stay in the tab Ask.
    refused = ("t1.bmp", "t2.png", "a car")
    kept = ((fields[:2], ask), (pair, ask), ((pair[0], None), ask), (pair, (*pair, "a car")), (fields[:2], refused))
    for files_now, asked in kept:
        assert all(value == gr.skip() for value in tab.open(*files_now, *asked))
