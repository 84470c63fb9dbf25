# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Plain images with world files or `.aux.xml` beside them."""

from argparse import Namespace
from pathlib import Path

import pytest
from PIL import Image

from modeling_mtrefseg.canvas_mtrefseg import load_pair as load_pair_of_processor
from mtrefseg.cli.common import load_pair
from mtrefseg.errors import UserError
from mtrefseg.io import check_same_place


SIZE = (40, 30)


def save(path: Path, size: tuple[int, int] = SIZE) -> Path:
    Image.linear_gradient("L").resize(size).convert("RGB").save(path)
    return path


def place(path: Path, x: float, y: float = 4_000_000, pixel: float = 0.5) -> None:
    """Writes a world file, which gives the centre of the first pixel."""
    numbers = (pixel, 0, 0, -pixel, x + pixel / 2, y - pixel / 2)
    path.write_text("\n".join(map(str, numbers)), encoding="utf-8")


@pytest.mark.parametrize(
    ("image", "beside"),
    [("b.png", "b.pgw"), ("b.JPG", "b.JGW"), ("b.jpeg", "b.jpegw"), ("b.webp", "b.wld"), ("b.png", "b.png.aux.xml")],
)
def test_images_of_different_places_are_refused(image: str, beside: str, tmp_path: Path) -> None:
    """They were compared pixel by pixel, with masks for the differences."""
    images = [save(tmp_path / "a.png"), save(tmp_path / image)]
    place(tmp_path / "a.pgw", 500_000)
    check_same_place(images, [SIZE, SIZE])  # The place of only one of them is known.
    if beside.endswith(".xml"):
        text = "<PAMDataset><GeoTransform> 7.0e+05, 0.5, 0, 4000000, 0, -0.5</GeoTransform></PAMDataset>"
        (tmp_path / beside).write_text(text, encoding="utf-8")
    else:
        place(tmp_path / beside, 700_000)
    problem = r"a\.png and .*b\.\w+ show .*upper left .*\(500000, 4000000\) and \(700000, 4000000\).*rio convert"
    with pytest.raises(ValueError, match=problem):
        check_same_place(images, [SIZE, SIZE])
    options = Namespace(image_t1=str(images[0]), image_t2=str(images[1]), bands=None, stretch="auto", align="error")
    with pytest.raises(UserError, match=problem):
        load_pair(options)
    with pytest.raises(ValueError, match=problem):
        load_pair_of_processor(images[0], images[1], "error", resample=2, antialias=True)


def test_images_of_one_place_are_compared(tmp_path: Path) -> None:
    images = [save(tmp_path / "a.png"), save(tmp_path / "b.png", (80, 60))]
    place(tmp_path / "a.pgw", 500_000)
    place(tmp_path / "b.pgw", 500_000, pixel=0.25)
    check_same_place(images, [SIZE, (80, 60)])
    place(tmp_path / "b.pgw", 500_000.3)
    check_same_place(images, [SIZE, SIZE])
    with pytest.raises(ValueError, match="their upper right corners are at"):
        check_same_place(images, [SIZE, (80, 60)])


def test_files_without_a_place_are_ignored(tmp_path: Path) -> None:
    images = [save(tmp_path / "a.png"), save(tmp_path / "b.png")]
    place(tmp_path / "a.pgw", 500_000)
    # The last two: pixels without a size, and the numbers of the pixels themselves.
    for text in ("", "1 2 3", "one\n" * 6, "\x00" * 10, "0 0 0 0 9 9", "1 0 0 1 0.5 0.5"):
        (tmp_path / "b.pgw").write_text(text, encoding="utf-8")
        check_same_place(images, [SIZE, SIZE])
    check_same_place([images[0], "https://example.org/b.png", b"", images[0].with_suffix("")], [SIZE] * 4)


def test_geotiffs_that_are_read_without_their_places(tmp_path: Path) -> None:
    """By the processor and by exported models, which do not warp."""
    info = {33550: (0.5, 0.5, 0.0), 33922: (0.0, 0.0, 0.0, 500_000.0, 4_000_000.0, 0.0)}
    moved = {34264: (0.5, 0.0, 0.0, 500_010.0, 0.0, -0.5, 0.0, 4_000_000.0, *[0.0] * 7, 1.0)}
    images = []
    for name, tags in (("a", info), ("same", info), ("moved", moved)):
        images.append(tmp_path / f"{name}.tif")
        Image.new("RGB", SIZE).save(images[-1], tiffinfo=tags)
    check_same_place(images[:2], [SIZE] * 2)
    problem = r"a\.tif and .*moved\.tif show .*\(500000, 4000000\) and \(500010, 4000000\).*mtrefseg\.segment"
    with pytest.raises(ValueError, match=problem):
        load_pair_of_processor(images[0], images[2], "error", resample=2, antialias=True)


def test_control_points_of_different_places_are_refused(tmp_path: Path) -> None:
    """They were not read."""
    images = []
    for name, x in (("a", 500_000.0), ("same", 500_000.5), ("moved", 500_010.0)):
        points = [
            (float(i), float(j), 0.0, x + i / 2, 4_000_000.0 - j / 2, 0.0)
            for i, j in ((0, 0), (40, 0), (0, 30), (40, 30))
        ]
        images.append(tmp_path / f"{name}.tif")
        Image.new("RGB", SIZE).save(
            images[-1], tiffinfo={33922: tuple(number for point in points for number in point)}
        )
    check_same_place(images[:2], [SIZE] * 2)
    problem = r"a\.tif and .*moved\.tif show .*\(500000, 4000000\) and \(500010, 4000000\)"
    with pytest.raises(ValueError, match=problem):
        load_pair_of_processor(images[0], images[2], "error", resample=2, antialias=True)
    on_a_line = tuple(float(number) for place in range(3) for number in (place, 0, 0, place, 0, 0))
    Image.new("RGB", SIZE).save(images[2], tiffinfo={33922: on_a_line})
    check_same_place([images[0], images[2]], [SIZE] * 2)
