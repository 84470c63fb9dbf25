# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What `predict` and `explain` do with files of several bands or more than 8 bits: the options, and what is said."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from mtrefseg.cli import common, predict
from mtrefseg.errors import UserError


rasterio = pytest.importorskip("rasterio")

BANDS = np.random.default_rng(0).integers(1, 4000, (2, 4, 40, 48)).astype(np.uint16)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """t1 and t2 of four bands of 12 bits."""
    monkeypatch.chdir(tmp_path)
    for name, values in zip(("t1.tif", "t2.tif"), BANDS, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(name, "w", driver="GTiff", count=4, height=40, width=48, dtype="uint16") as file:
                file.write(values)
    return ["t1.tif", "t2.tif"]


def load(paths: list[str], *options: str) -> list[np.ndarray]:
    parsed = predict.make_parser().parse([*paths, "a house", "--out", "out", *options])
    return [np.asarray(image, dtype=np.float64) for image in common.load_pair(parsed)]


def expected(band: int, low: float = 2, high: float = 98, both: bool = True) -> list[np.ndarray]:
    results = []
    for values in BANDS[:, band]:
        start, end = np.percentile(BANDS[:, band] if both else values, (low, high))
        results.append(np.rint(255 * ((values - start) / (end - start)).clip(0, 1)))
    return results


@pytest.mark.parametrize(
    ("options", "bands", "stretch"),
    [
        ([], (0, 1, 2), {}),
        (["--bands", "4,3,2"], (3, 2, 1), {}),
        (["--bands", "4"], (3, 3, 3), {}),
        (["--stretch", "1,90"], (0, 1, 2), {"low": 1, "high": 90}),
        (["--stretch", "2,98,each"], (0, 1, 2), {"both": False}),
    ],
)
def test_bands_and_stretch(
    paths: list[str], options: list[str], bands: tuple[int, ...], stretch: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    images = load(paths, *options)
    for channel, band in enumerate(bands):
        for image, values in zip(images, expected(band, **stretch), strict=True):
            np.testing.assert_array_equal(image[..., channel], values)
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith(("mtrefseg: t1.tif", "mtrefseg: t2.tif")) for line in lines)
    assert sum("4 bands" in line for line in lines) == 2
    assert any("are stretched" in line for line in lines)


def test_no_stretch_warns_of_a_dark_image(paths: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    images = load(paths, "--stretch", "none")
    np.testing.assert_array_equal(images[0][..., 0], np.rint(BANDS[0, 0] / 257))
    assert capsys.readouterr().err.count("stretched") == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--bands", "1,2"], "one or three band numbers"),
        (["--bands", "0"], "from 1"),
        (["--stretch", "98,2"], "two percentiles"),
        (["--stretch", "2"], "two percentiles"),
        (["--stretch", "a,b"], "two percentiles"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    paths: list[str], options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises((SystemExit, UserError)) as caught:
        load(paths, *options)
    assert words in capsys.readouterr().err + str(caught.value)


def test_a_band_that_is_not_there_is_named(paths: list[str]) -> None:
    with pytest.raises(UserError, match=r"t1\.tif.*bands 1 to 4, but 3, 2, 7"):
        load(paths, "--bands", "3,2,7")
