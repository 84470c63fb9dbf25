# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The verbs `predict` and `series` on scenes, with a tiny model; and `mtrefseg.segment`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import torch
from PIL import Image

import mtrefseg
from mtrefseg.cli import predict, series
from mtrefseg.cli.main import main
from mtrefseg.cli.predict import options as predict_options
from mtrefseg.cli.predict import plain
from mtrefseg.errors import UserError
from mtrefseg.scenes.output import rasters as rasters_module
from mtrefseg.scenes.output.labels import MaskLabels
from mtrefseg.scenes.predicting import ScenePredictor
from mtrefseg.scenes.segmenting import SceneOptions, segment_pair
from tests.tiny_models import save_mtrefseg

from .conftest import ColorPredictor, ground, paint


Save = Callable[..., Path]
SCENE_FILES = [
    "masks.qml",
    "masks.tif",
    "objects.geojson",
    "objects.gpkg",
    "objects.qml",
    "overview.webp",
    "result.json",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model folder of 64 x 64 pixels with random weights."""
    torch.manual_seed(0)
    return str(save_mtrefseg(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
def rasters(save: Save, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`t1.tif` and `t2.tif` in the current folder."""
    save("t1.tif", ground(100, 120))
    save("t2.tif", paint(ground(100, 120), "red", 20, 30, 60, 40))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("rasters")
def test_predict_on_rasters(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["predict", "t1.tif", "t2.tif", "the house", "the largest house", "--out", "out", "--model", model]
    assert main([*words, "--no-target-threshold", "1", "--min-area", "2", "--threshold", "0.4"]) == 0
    printed = capsys.readouterr()
    assert sorted(path.name for path in Path("out").iterdir()) == SCENE_FILES
    assert [line.rsplit("/", 1)[-1] for line in printed.out.splitlines()[2:]] == SCENE_FILES
    assert "m²  the largest house" in printed.out
    assert "segmenting 120x100 pixels of 0.5 m on " in printed.err
    report = json.loads(Path("out/result.json").read_text())
    assert (report["windows"], report["threshold"], report["no_target_threshold"]) == (6, 0.4, 1.0)
    assert [entry["answered_by"] for entry in report["results"]] == ["windows", "objects"]
    assert report["model"] == model


@pytest.mark.usefixtures("rasters")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["t1.tif", "gone.tif", "a"], "cannot read gone.tif"),
        (["t1.tif", "t2.tif", "a", "--bands", "1,2,9"], "t1.tif has 3 bands, but --bands names 9"),
        (["t1.tif", "t2.tif", "a", " "], "sentence 2 is empty"),
        (["t1.tif", "t2.tif", "a", "--model", "gone"], 'there is no model folder "gone"'),
        (["t1.tif", "t2.tif", "a", "--window", "0"], "'0' is neither auto nor off nor a number"),
        (["t1.tif", "t2.tif", "a", "--stretch", "98,2"], "'98,2' must be two percentiles"),
        (["t1.tif", "t2.tif", "a", "--bands", "1,2"], "'1,2' must be one or three band numbers"),
        (["--manifest", "gone.csv", "a"], "cannot read gone.csv"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str], message: str, model: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    arguments = ["predict", "--out", "out", *words] + (["--model", model] if "--model" not in words else [])
    with pytest.raises(SystemExit) as stop:  # argparse leaves in this way
        sys.exit(main(arguments))
    printed = capsys.readouterr()
    assert (stop.value.code, printed.out) == (2, "")
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("rasters")
@pytest.mark.parametrize("name", ["2022.bil", "scene.tfi", "dates/2022.nc", "raster"])
@pytest.mark.parametrize("verb", ["predict", "series"])
def test_a_file_is_no_sentence(verb: str, name: str, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("raster").write_bytes(b"")
    assert main([verb, "t1.tif", "t2.tif", name, "the house", "--model", model, "--out", "out"]) == 2
    assert f"{name} is given as a sentence, but is the name of a file" in capsys.readouterr().err


@pytest.mark.usefixtures("rasters")
def test_results_of_another_run_are_replaced(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("p1.png", "p2.png"):
        Image.fromarray(ground(60, 60)).save(name)
    Path("out").mkdir()
    Path("out/masks.tif").write_text("not of a run", encoding="utf-8")
    options = ["--model", model, "--out", "out"]
    assert main(["predict", "p1.png", "p2.png", "the house", "a tree", *options]) == 0
    assert Path("out/masks.tif").is_file()
    Path("out/notes.txt").write_text("mine", encoding="utf-8")
    capsys.readouterr()
    assert main(["predict", "t1.tif", "t2.tif", "the house", *options]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == sorted([*SCENE_FILES, "notes.txt"])
    assert "notes.txt" not in capsys.readouterr().out
    assert main(["series", "t1.tif", "t2.tif", "the house", *options]) == 0
    assert not {"result.json", "overview.webp"} & {path.name for path in Path("out").iterdir()}
    assert main(["predict", "p1.png", "p2.png", "the house", *options]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == [
        *("mask_1.png", "notes.txt", "overlay.png", "result.json"),
    ]


def test_large_plain_images_are_cut_into_windows(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("t1.png", "t2.png"):
        Image.fromarray(ground(100, 120)).save(name)
    words = ["predict", "t1.png", "t2.png", "the house", "--model", model, "--threshold", "0.4", "--out"]
    assert main([*words, "windows"]) == 0
    assert sorted(path.name for path in Path("windows").iterdir()) == ["mask_1.png", "overlay.png", "result.json"]
    assert np.asarray(Image.open("windows/mask_1.png")).shape == (100, 120)
    report = json.loads(Path("windows/result.json").read_text())
    assert report["results"][0]["answered_by"] == "windows"
    assert "shrunk" not in capsys.readouterr().err
    assert main([*words, "shrunk", "--window", "off"]) == 0
    assert "the images are shrunk 1.9 times to the model's canvas of 64 pixels" in capsys.readouterr().err
    assert json.loads(Path("shrunk/result.json").read_text())["results"][0]["answered_by"] == "image"
    monkeypatch.setattr(plain, "has_geo", lambda: False)
    assert main([*words, "without"]) == 0
    assert "for windows: pip install 'mtrefseg[geo]'" in capsys.readouterr().err


def test_small_plain_images_are_registered_too(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("skimage", reason="the extra geo is not installed")
    monkeypatch.chdir(tmp_path)
    for name in ("t1.png", "t2.png"):
        Image.fromarray(ground(60, 60)).save(name)
    words = ["predict", "t1.png", "t2.png", "the house", "--model", model, "--out", "out", "--register"]
    assert main([*words, "off"]) == 0
    assert main([*words, "shift"]) == 2  # Nothing in them tells how they lie.
    assert "cannot be registered with" in capsys.readouterr().err


@pytest.mark.usefixtures("rasters")
def test_many_pairs_without_pyarrow_are_refused_in_one_line(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = predict_options.find_spec
    monkeypatch.setattr(predict_options, "find_spec", lambda name: None if name == "pyarrow" else find(name))
    Path("pairs.csv").write_text("t1,t2\nt1.tif,t2.tif\n")
    assert main(["predict", "--manifest", "pairs.csv", "the house", "--model", model, "--out", "out"]) == 2
    assert "segmenting many pairs needs more packages: pip install 'mtrefseg[geo]'" in capsys.readouterr().err


@pytest.mark.usefixtures("rasters")
def test_registration_without_scikit_image_is_refused_in_one_line(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The extra `demo` has the packages for scenes, but not this one."""
    find = predict_options.find_spec
    monkeypatch.setattr(predict_options, "find_spec", lambda name: None if name == "skimage" else find(name))
    for name in ("t1.png", "t2.png"):
        Image.fromarray(ground(60, 60)).save(name)
    Path("pairs.csv").write_text("t1,t2\nt1.tif,t2.tif\n")
    for words in (
        ["predict", "t1.png", "t2.png"],
        ["predict", "t1.tif", "t2.tif"],
        ["predict", "--manifest", "pairs.csv"],
        ["series", "t1.tif", "t2.tif"],
    ):
        assert main([*words, "the house", "--model", model, "--out", "out", "--register", "shift"]) == 2
        printed = capsys.readouterr().err
        assert printed.count("\n") == 1
        assert "--register needs more packages: pip install 'mtrefseg[geo]'" in printed
    assert main(["predict", "t1.tif", "t2.tif", "the house", "--model", model, "--out", "out"]) == 0
    monkeypatch.setitem(sys.modules, "mtrefseg.scenes.reading.registration", None)
    with pytest.raises(UserError, match=r"registering images needs .* 'mtrefseg\[geo\]'"):
        mtrefseg.segment("t1.tif", "t2.tif", "the house", model=model, register="shift")


def test_plain_images_refuse_options_of_polygons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["predict", "t1.png", "t2.png", "the house", "--out", "out", "--min-area", "3", "--probability"]
    assert main(command) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "plain images get masks, but no polygons: leave out --min-area, --probability, or pass GeoTIFFs" in printed


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--register", "shift"], "--register"),
        (["--min-area", "3", "--simplify", "1", "--probability"], "--min-area, --simplify, --probability"),
        (["--overlap", "0.5", "--batch-size", "2"], "--overlap, --batch-size"),
        (["--pixel-size", "1", "--no-warp"], "--pixel-size, --no-warp"),
    ],
)
def test_an_exported_model_refuses_options_of_scenes(
    words: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("exported").mkdir()
    Path("exported/export.json").write_text("{}")
    command = ["predict", "t1.png", "t2.png", "the house", "--model", "exported", "--out", "out"]
    assert main([*command, *words]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert f"leave out {named}, or pass a model folder with --model" in printed
    # Defaults may be given.
    assert main([*command, "--register", "off", "--batch-size", "8"]) == 2
    assert "There is no file t1.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["t1.tif", "t2.tif", "--engine", "ray"], "--engine and --workers are for many pairs: leave them out"),
        (["t1.png", "t2.png", "--workers", "2"], "--engine and --workers are for many pairs: leave them out"),
        (["--manifest", "pairs.csv", "--workers", "2"], "--workers requires --engine ray"),
    ],
)
def test_options_of_many_pairs_that_would_do_nothing_are_refused(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", *words, "the house", "--out", "out"]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert message in printed


@pytest.mark.parametrize("bands", ["3,2,1", "3"])
def test_bands_of_large_plain_images_are_chosen_once(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, bands: str
) -> None:
    monkeypatch.chdir(tmp_path)
    order = [int(band) - 1 for band in bands.split(",")]
    for date in (1, 2):
        image = np.random.default_rng(date).integers(0, 256, (100, 120, 3), dtype=np.uint8)
        Image.fromarray(image).save(f"t{date}.png")
        Image.fromarray(np.repeat(image[..., order], 3 // len(order), axis=2)).save(f"chosen{date}.png")
    words = ["the house", "--model", model, "--threshold", "0.4"]
    assert main(["predict", "t1.png", "t2.png", *words, "--bands", bands, "--out", "bands"]) == 0
    assert main(["predict", "chosen1.png", "chosen2.png", *words, "--out", "plain"]) == 0
    results = [json.loads(Path(folder, "result.json").read_text())["results"] for folder in ("bands", "plain")]
    assert results[0][0]["answered_by"] == "windows"
    assert results[0] == results[1]


@pytest.mark.usefixtures("rasters")
def test_without_the_extra_rasters_are_images(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in (predict, plain, predict_options):
        monkeypatch.setattr(module, "has_geo", lambda: False)
    assert main(["predict", "t1.tif", "t2.tif", "the house", "--model", model, "--out", "out"]) == 0
    assert "the georeference is not read: pip install 'mtrefseg[geo]'" in capsys.readouterr().err
    assert Path("out/mask_1.png").is_file()
    assert main(["predict", "--manifest", "pairs.csv", "--model", model, "--out", "many"]) == 2
    assert "pip install 'mtrefseg[geo]'" in capsys.readouterr().err


@pytest.mark.usefixtures("rasters")
def test_manifest_and_folders(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    good = "t1.tif,t2.tif,good\n"
    Path("pairs.csv").write_text(f"t1,t2,id\n{good}t1.tif,gone.tif,bad\n{good}{good}")
    assert main(["predict", "--manifest", "pairs.csv", "the house", "--model", model, "--out", "many"]) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["pairs: 1 done, 3 failed", str(Path("many/results.parquet"))]
    assert "bad: cannot read gone.tif" in printed.err
    assert "good: the id good is already used by an earlier pair" in printed.err
    for folder, name in (("A", "t1.tif"), ("B", "t2.tif")):
        Path(folder).mkdir()
        Path(name).rename(Path(folder) / "place.tif")
    assert main(["predict", "A", "B", "the house", "--model", model, "--out", "folders"]) == 0
    assert Path("folders/pairs/place/masks.tif").is_file()


@pytest.mark.usefixtures("rasters")
def test_series(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["series", "t1.tif", "t2.tif", "the house", "t1.tif", "--model", model, "--out", "out"]
    assert main(words) == 0
    assert "1 to 3 " in capsys.readouterr().out
    assert main([*words, "--probability"]) == 0
    assert Path("out/probabilities.tif").is_file()
    assert main(words) == 0  # It would look like a result of this run.
    names = sorted(path.name for path in Path("out").iterdir())
    objects = ["objects.geojson", "objects.gpkg", "objects.qml"]
    assert names == ["masks.qml", "masks.tif", *objects, "series.csv", "series.json", "timeline.webp"]
    assert main(["series", "t1.tif", "the house", "--out", "one"]) == 2
    assert "a series needs two images or more" in capsys.readouterr().err


@pytest.mark.usefixtures("rasters")
def test_segment(model: str) -> None:
    result = mtrefseg.segment("t1.tif", "t2.tif", "the house", model=model, threshold=0.4, window=64, out="out")
    assert result.masks.shape == (1, 100, 120)
    assert result.save("objects.geojson").is_file()
    with pytest.raises(ValueError, match="list of sentences is empty"):
        mtrefseg.segment("t1.tif", "t2.tif", [])
    with pytest.raises(UserError, match="Sentence 0 of pair 0 is empty"):
        mtrefseg.segment("t1.tif", "t2.tif", " ", model=model)
    with pytest.raises(UserError, match=r"cannot create the folder t1\.tif/out: .*Not a directory"):
        mtrefseg.segment("t1.tif", "t2.tif", "the house", model=model, out="t1.tif/out")


def test_segment_refuses_arguments_that_a_loaded_model_has(predictor: ColorPredictor) -> None:
    with pytest.raises(ValueError, match="Give threshold, device to `load_predictor`"):
        mtrefseg.segment("t1.tif", "t2.tif", "the house", model=predictor, threshold=0.4, device="cpu")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0}, "`window` must be 'auto', 'off' or a number of pixels, at least 16, not 0"),
        ({"window": True}, "`window` must be 'auto', 'off' or a number of pixels, at least 16, not True"),
        ({"overlap": "a"}, "`overlap` must be a finite number, not 'a'"),
        ({"overlap": None}, "`overlap` must be a finite number, not None"),
        ({"batch_size": 2.5}, "`batch_size` must be an integer, not 2.5"),
        ({"window": "512"}, "not '512'"),
        ({"align": "Error"}, "`align` must be"),
        ({"register": "afine"}, "`register` must be 'off', 'shift' or 'affine', not 'afine'"),
        ({"overlap": float("nan")}, "`overlap` must be a finite number, not nan"),
        ({"pixel_size": float("nan")}, "`pixel_size` must be a finite number, not nan"),
        ({"pixel_size": float("inf")}, "`pixel_size` must be a finite number, not inf"),
        ({"min_area": float("nan")}, "`min_area` must be a finite number, not nan"),
        ({"simplify": float("inf")}, "`simplify` must be a finite number, not inf"),
        ({"window_offset": float("nan")}, "`window_offset` must be an integer, not nan"),
        ({"batch_size": float("nan")}, "`batch_size` must be an integer, not nan"),
        ({"overlap": 1.0}, "`overlap` must be at least 0 and below 1, not 1.0"),
        ({"overlap": -0.1}, "not -0.1"),
        ({"batch_size": 0}, "`batch_size` must be at least 1, not 0"),
        ({"most_windows": 0}, "`most_windows` must be at least 1"),
        ({"window_offset": -1}, "`window_offset` must not be negative, as -1 is"),
        ({"min_area": -2.0}, "`min_area` must not be negative"),
        ({"simplify": -1}, "`simplify` must not be negative"),
        ({"pixel_size": 0}, "`pixel_size` must be above 0, not 0"),
    ],
)
def test_unknown_values_of_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SceneOptions(**options)


@pytest.mark.parametrize("name", ["threshold", "no_target_threshold"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.5, True, "0.5"])
def test_thresholds_are_probabilities(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"`{name}` is a probability: it must be from 0 to 1, not {value!r}"):
        mtrefseg.segment("t1.tif", "t2.tif", "the house", model="nowhere", **{name: value})
    with pytest.raises(ValueError, match=f"`{name}` is a probability"):
        ScenePredictor(None, None, **{name: value})


@pytest.mark.usefixtures("rasters")
def test_a_full_disk(model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise rasterio.errors.RasterioIOError("write failed: No space left on device")

    monkeypatch.setattr(rasterio.shutil, "copy", full)
    assert main(["predict", "t1.tif", "t2.tif", "the house", "--model", model, "--out", "out"]) == 2
    assert "No space left on device; is the disk full?" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.usefixtures("rasters")
def test_a_full_disk_that_is_noticed_late(
    model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """GDAL keeps blocks in memory: what could not be written is missing when it is read."""

    def fail(*_: object, **__: object) -> None:
        raise rasterio.errors.RasterioIOError("Read failed. See previous exception for details.")

    monkeypatch.setattr(MaskLabels, "__init__", fail)
    monkeypatch.setattr(rasters_module, "_LEAST_FREE", 1 << 62)
    assert main(["predict", "t1.tif", "t2.tif", "the house", "--model", model, "--out", "out"]) == 2
    message = f"cannot write {Path('out') / 'masks.tif'}: no space is left on the disk; free some\n"
    assert message in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_full_disk_when_objects_are_written(
    save: Save, predictor: ColorPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite fails with errors that do not name the cause."""

    def fail(*_: object, **__: object) -> None:
        raise pyogrio.errors.DataLayerError("sqlite3_exec(INSERT INTO gpkg_contents ...) failed: no such table")

    monkeypatch.setattr(pyogrio.raw, "write", fail)
    images = save("t1.tif", ground(40, 40)), save("t2.tif", paint(ground(40, 40), "red", 8, 8, 16, 16))
    with pytest.raises(UserError, match=r"objects\.gpkg: sqlite3_exec.*; is the disk full"):
        segment_pair(*images, ["red"], predictor, SceneOptions(), tmp_path / "out")
    monkeypatch.setattr(rasters_module, "_LEAST_FREE", 1 << 62)
    with pytest.raises(UserError, match=r"objects\.gpkg: no space is left on the disk; free some$"):
        segment_pair(*images, ["red"], predictor, SceneOptions(), tmp_path / "out")


@pytest.mark.parametrize("image", ["2021.gtiff", "2021.HEIC", "https://example.org/2021.sid?token=x.y"])
def test_a_series_takes_every_kind_of_image_for_an_image(image: str) -> None:
    options = series.make_parser().parse(["2019.tif", image, "the house", "2024.tif", "--out", "out"])
    assert series._take_images(options) == ["2019.tif", image, "2024.tif"]
    assert options.texts == ["the house"]


@pytest.mark.parametrize("verb", ["predict", "series"])
def test_help_groups_options_and_ends_in_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert "large and georeferenced images:" in lines
    assert ("many pairs:" in lines) == (verb == "predict")
    assert all(line.startswith(f"  mtrefseg {verb} ") for line in lines[lines.index("examples:") + 1 :])
