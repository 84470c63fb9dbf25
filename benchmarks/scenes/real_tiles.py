# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
How well windows work on real images: tiles of 256 x 256 pixels, put back in their places and side by side.

    python -m benchmarks.scenes.real_tiles PATH/RS_real_val
    python -m benchmarks.scenes.real_tiles PATH/RS_real_val --overlap 0.33 0.5 --parts shift tiles

The folder has the raw layout of MTRefSeg-21K, with tiles that are called `levir_test_SOURCE_TOP_LEFT`. The sentence is
"the buildings that appeared" and the truth the union of a tile's masks. IoU is pooled over all pixels, in percent.

- `shrunk`: 96 tiles as one scene of 3,072 x 2,048 pixels, shrunk to one window and in windows; and the same of other
  tiles as one of 3,072 x 3,072.
- `shift`: three scenes of the tiles of one source image; all windows moved by half a side.
- `tiles`: the same scenes, and 16 tiles of different places side by side, against the tiles one by one.

Windows have 256 pixels, as they have in a GeoTIFF of 0.5 m a pixel, which the tiles are.

Prints each row and replaces `results/real_scenes.csv`.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.tables import RESULTS, write_rows
from mtrefseg.io import load_image, load_mask
from mtrefseg.scenes import SceneOptions, ScenePredictor, load_predictor, segment_pair


SENTENCE = "the buildings that appeared"
SIDE = 256
SOURCES = ("31", "34", "32")
LEAST_PIXELS = 16
"""Smaller polygons are not counted."""
_NAME = re.compile(r"levir_test_(\d+)_(\d+)_(\d+)")
_IN_A_ROW = 4


class Tile(NamedTuple):
    """Two dates and what changed, as arrays."""

    earlier: np.ndarray
    later: np.ndarray
    truth: np.ndarray


def read_tiles(folder: Path) -> dict[str, Tile]:
    """All tiles by their names."""
    tiles = {}
    for path in sorted((folder / "A").iterdir()):
        if _NAME.fullmatch(path.stem):
            images = [np.asarray(load_image(folder / date / path.name)) for date in "AB"]
            masks = [load_mask(each) for each in sorted((folder / "masks" / path.stem).iterdir())]
            tiles[path.stem] = Tile(*images, np.any(masks, axis=0))
    if not tiles:
        raise SystemExit(f"{folder} holds no tiles called levir_test_SOURCE_TOP_LEFT.")
    return tiles


def side_by_side(tiles: Sequence[Tile], in_a_row: int) -> Tile:
    """Tiles as one scene, row by row."""
    rows = [tiles[start : start + in_a_row] for start in range(0, len(tiles), in_a_row)]
    return Tile(*(np.concatenate([np.concatenate([t[i] for t in row], axis=1) for row in rows]) for i in range(3)))


def in_place(tiles: Mapping[str, Tile], source: str) -> Tile:
    """The tiles of one source image in their places; black where one is missing."""
    scene = Tile(
        *(np.zeros((4 * SIDE, 4 * SIDE, *rest), kind) for rest, kind in (((3,), "u1"), ((3,), "u1"), ((), "?")))
    )
    for name, tile in tiles.items():
        number, top, left = (int(part) for part in re.findall(r"\d+", name))
        if number == int(source):
            for part, whole in zip(tile, scene):
                whole[top : top + SIDE, left : left + SIDE] = part
    return scene


class Answer(NamedTuple):
    """A mask, and how it came about."""

    mask: np.ndarray
    windows: int
    polygons: int


def ask(scene: Tile, predictor: ScenePredictor, **options: Any) -> Answer:
    """Segments a scene."""
    images = [Image.fromarray(date) for date in scene[:2]]
    how = SceneOptions(min_area=LEAST_PIXELS, progress=False, **{"window": SIDE, **options})
    result = segment_pair(*images, [SENTENCE], predictor, how)
    return Answer(result.masks[0], result.report["windows"], len(result.sentences[0].objects))


def percent(part: np.ndarray, whole: np.ndarray) -> float:
    """How many pixels of one are in the other."""
    return round(100 * float(part.sum()) / max(1, int(whole.sum())), 2)


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """In percent."""
    return percent(mask & truth, mask | truth)


class Table:
    """Rows that are printed and kept."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, **row: Any) -> None:
        """Adds a row."""
        self.rows.append(row)
        print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)


def compare_shrunk(tiles: Mapping[str, Tile], predictor: ScenePredictor, overlap: float, table: Table) -> None:
    """A large scene as one window, and in windows."""
    names = list(tiles)
    for rows in (8, 12):
        count = 12 * rows
        scene = side_by_side([tiles[names[(number + rows - 8) % len(names)]] for number in range(count)], 12)
        for how in ("off", SIDE):
            answer = ask(scene, predictor, window=how, overlap=overlap)
            table.add(
                part="shrunk",
                scene=f"{12 * SIDE} x {rows * SIDE}",
                overlap=overlap,
                how="shrunk" if how == "off" else "windows",
                windows=answer.windows,
                polygons=answer.polygons,
                iou=iou(answer.mask, scene.truth),
            )


def compare_shift(scenes: Mapping[str, Tile], predictor: ScenePredictor, overlap: float, table: Table) -> None:
    """Scenes of one source each, with all windows moved by half a side, too."""
    for name, scene in scenes.items():
        answers = [ask(scene, predictor, window_offset=offset, overlap=overlap) for offset in (0, SIDE // 2)]
        changed = answers[0].mask != answers[1].mask
        for how, answer in zip(("windows", "shifted"), answers):
            table.add(
                part="shift",
                scene=name,
                overlap=overlap,
                how=how,
                windows=answer.windows,
                polygons=answer.polygons,
                iou=iou(answer.mask, scene.truth),
                changed_of_all=round(100 * float(changed.mean()), 2),
                changed_of_mask=percent(changed, answers[0].mask),
            )


def compare_tiles(
    scenes: Mapping[str, Sequence[Tile]], predictor: ScenePredictor, overlaps: Sequence[float], table: Table
) -> None:
    """Scenes of 16 tiles side by side, against the same tiles one by one."""
    for name, parts in scenes.items():
        truth, alone = side_by_side(parts, _IN_A_ROW).truth, [ask(tile, predictor).mask for tile in parts]
        masks = [Tile(tile.earlier, tile.later, mask) for tile, mask in zip(parts, alone)]
        common = {"part": "tiles", "scene": name}
        table.add(
            **common, how="tile by tile", windows=len(parts), iou=iou(side_by_side(masks, _IN_A_ROW).truth, truth)
        )
        for overlap in overlaps:
            answer = ask(side_by_side(parts, _IN_A_ROW), predictor, overlap=overlap)
            figures = {"windows": answer.windows, "polygons": answer.polygons, "iou": iou(answer.mask, truth)}
            table.add(**common, overlap=overlap, how="windows", **figures)


def cut(scene: Tile) -> list[Tile]:
    """The 16 tiles of a scene."""
    return [
        Tile(*(part[top : top + SIDE, left : left + SIDE] for part in scene))
        for top in range(0, 4 * SIDE, SIDE)
        for left in range(0, 4 * SIDE, SIDE)
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a split folder with tiles of LEVIR-CD")
    parser.add_argument("--model", default="mtrefseg-r1", help="a model folder or a Hub id")
    parser.add_argument("--overlap", type=float, nargs="+", default=[0.25])
    parser.add_argument(
        "--parts", nargs="+", choices=("shrunk", "shift", "tiles"), default=["shift", "tiles", "shrunk"]
    )
    parser.add_argument("--out", type=Path, default=RESULTS / "real_scenes.csv")
    options = parser.parse_args(arguments)
    tiles = read_tiles(options.folder)
    predictor = load_predictor(options.model, domain="remote_sensing")
    table = Table()
    scenes = {source: in_place(tiles, source) for source in SOURCES}
    if "shift" in options.parts:
        for overlap in options.overlap:
            compare_shift(scenes, predictor, overlap, table)
    if "tiles" in options.parts:
        order = [list(tiles)[number] for number in np.random.default_rng(0).permutation(len(tiles))]
        mixed = {
            f"16 places, {part + 1}": [tiles[name] for name in order[16 * part : 16 * part + 16]] for part in (0, 1)
        }
        compare_tiles(mixed | {name: cut(scene) for name, scene in scenes.items()}, predictor, options.overlap, table)
    if "shrunk" in options.parts:
        for overlap in options.overlap:
            compare_shrunk(tiles, predictor, overlap, table)
    write_rows(options.out, table.rows)


if __name__ == "__main__":
    main()
