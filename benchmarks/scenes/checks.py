# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Checks the documented behaviour of large scenes with a model on generated scenes. Prints the results, and exits with 1
if a check fails. On real tiles: `benchmarks/scenes/real_tiles.py`; time and memory: `benchmarks/scenes/speed.py`.

    python -m benchmarks.scenes.checks                    # all parts, some minutes
    python -m benchmarks.scenes.checks --parts kills ray

- `messages`: what `mtrefseg predict` says about pairs that do not fit or are odd.
- `areas`: areas of objects against those of pyproj for their outlines, in UTM and in degrees at 60° north.
- `kills`: a manifest is segmented, killed ten times (SIGKILL) amid a pair and resumed; the results must be equal.
- `ray`: the same manifest on a local Ray of two workers.
- `series`: five dates of a scene, with the true table beside that of the model; areas within a fifth of the true ones.
"""

import argparse
import contextlib
import io
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pyogrio
import rasterio
import shapely
from pyproj import Geod, Transformer
from rasterio.transform import Affine
from scipy.ndimage import label

from dataset_scripts.synthesis.large_scene import write_scene
from mtrefseg.cli.main import main as command
from mtrefseg.scenes import SceneOptions, load_predictor, segment_pair
from mtrefseg.scenes.series import segment_series


SENTENCE = "the houses that appeared"
PARTS = ("messages", "areas", "kills", "ray", "series")
KILLS, PAIRS, SIDE = 10, 12, 384
UTM = ("EPSG:32633", Affine(0.5, 0, 500_000, 0, -0.5, 5_400_000))
_AREA_TOLERANCE = 0.2
_PATIENCE_SECONDS = 1800
_POLL_SECONDS = 0.02


def save(path: Path, values: np.ndarray, place: tuple[str | None, Affine] = UTM) -> Path:
    """Writes bands of shape `(bands, height, width)` as a GeoTIFF."""
    size = {"count": len(values), "height": values.shape[1], "width": values.shape[2], "dtype": values.dtype.name}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver="GTiff", crs=place[0], transform=place[1], **size) as file:
            file.write(values)
    return path


def read_scene(folder: Path) -> list[np.ndarray]:
    """t1, t2 and truth of the generated scene, `(bands, height, width)`."""
    write_scene(folder, 0)
    return [rasterio.open(folder / f"{name}.tif").read() for name in ("t1", "t2", "truth")]


# --- messages ---


def show_messages(scene: Sequence[np.ndarray], folder: Path, model: str) -> bool:
    """Runs the command on odd pairs."""
    one, two = (image[:, :SIDE, :SIDE] for image in scene[:2])
    t1 = save(folder / "t1.tif", one)
    crs, place = UTM
    with_hole = two.astype(np.float32) / 255
    with_hole[:, :50, :50] = np.nan
    cut = folder / "cut.tif"
    content = save(folder / "t2.tif", two).read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    band = np.tile(one[:, :10, :100], (1, 1, 400))
    long = save(folder / "long.tif", band)
    pairs = {
        "another CRS": (
            t1,
            save(folder / "degrees.tif", two, ("EPSG:4326", Affine(7e-6, 0, 15, 0, -4.5e-6, 48.7525))),
        ),
        "no overlap": (t1, save(folder / "far.tif", two, (crs, Affine.translation(280_000, 0) @ place))),
        "no CRS on one": (t1, save(folder / "nowhere.tif", two, (None, Affine.identity()))),
        "rotated": (t1, save(folder / "rotated.tif", two, (crs, place @ Affine.rotation(5)))),
        "1 band": (t1, save(folder / "grey.tif", two[:1])),
        "5 bands": (t1, save(folder / "five.tif", np.concatenate([two, two[:2]]))),
        "float with NaN": (t1, save(folder / "float.tif", with_hole)),
        "12 bits": tuple(
            save(folder / f"deep{n}.tif", image.astype(np.uint16) * 16) for n, image in enumerate((one, two))
        ),
        "a cut file": (t1, cut),
        "40,000 x 10": (long, long),
    }
    is_fine = True
    for name, pair in pairs.items():
        said = io.StringIO()
        options = [
            "--model",
            model,
            "--domain",
            "remote_sensing",
            "--out",
            str(folder / "out" / name.replace(" ", "_")),
        ]
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            code = command(["predict", *map(str, pair), SENTENCE, *options])
        lines = [
            line for line in said.getvalue().replace(f"{folder}/", "").splitlines() if "Loading weights" not in line
        ]
        print(f"{name}: exit {code}\n  " + "\n  ".join(lines), flush=True)
        is_fine &= code in (0, 2) and "Traceback" not in said.getvalue()
    return is_fine


# --- areas ---


def check_areas(scene: Sequence[np.ndarray], folder: Path, predictor: Any) -> bool:
    """Compares areas with those of pyproj."""
    geod, is_fine = Geod(ellps="WGS84"), True
    for name, place in {
        "UTM": UTM,
        "EPSG:4326 at 60° north": ("EPSG:4326", Affine(9e-6, 0, 20, 0, -4.5e-6, 60)),
    }.items():
        paths = [save(folder / f"area{n}.tif", image[:, :SIDE, :SIDE], place) for n, image in enumerate(scene[:2])]
        result = segment_pair(*paths, [SENTENCE], predictor, SceneOptions(progress=False, min_area=4))
        result.save(folder / "areas.gpkg")
        info, _, geometry, columns = pyogrio.raw.read(folder / "areas.gpkg", columns=["area_m2"])
        to_degrees = Transformer.from_crs(info["crs"], "EPSG:4326", always_xy=True)
        stored = columns[0].tolist()
        shapes = shapely.transform(shapely.from_wkb(geometry), to_degrees.transform, interleaved=False)
        true = [abs(geod.geometry_area_perimeter(shape)[0]) for shape in shapes]
        worst = max((abs(a / b - 1) for a, b in zip(stored, true, strict=True)), default=0.0)
        sums = f"{sum(stored):.1f} m², pyproj {sum(true):.1f}"
        print(f"areas, {name}: {len(true)} objects, {sums}, worst {100 * worst:.4f} %", flush=True)
        is_fine &= bool(true) and worst < 1e-3
    return is_fine


# --- manifests ---


class Manifest:
    """Pairs cut from the scene, and runs of the command over them."""

    def __init__(self, scene: Sequence[np.ndarray], folder: Path, model: str) -> None:
        self.folder, self.table = folder, folder / "pairs.csv"
        lines = ["t1,t2,id"]
        for number in range(PAIRS):
            top, left = SIDE * (number // 4), SIDE * (number % 4)
            names = [f"{date}_{number:02d}.tif" for date in ("t1", "t2")]
            for name, image in zip(names, scene):
                save(folder / name, image[:, top : top + SIDE, left : left + SIDE])
            lines.append(f"{names[0]},{names[1]},pair{number:02d}")
        self.table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.command = [sys.executable, "-m", "mtrefseg", "predict", "--manifest", str(self.table), SENTENCE]
        self.command += ["--model", model, "--domain", "remote_sensing"]

    def start(self, out: str, *options: str) -> "subprocess.Popen[bytes]":
        """Starts a run."""
        with (self.folder / f"{out}.log").open("ab") as log:
            command = [*self.command, "--out", str(self.folder / out), *options]
            return subprocess.Popen(command, stdout=log, stderr=log)

    def run(self, out: str, *options: str) -> float:
        """Runs to the end; returns the seconds."""
        start = time.monotonic()
        if self.start(out, *options).wait(_PATIENCE_SECONDS):
            raise SystemExit((self.folder / f"{out}.log").read_text(encoding="utf-8", errors="replace"))
        return time.monotonic() - start

    def done(self, out: str) -> int:
        """Number of finished pairs."""
        return len(list((self.folder / out / "pairs").glob("[!.]*")))

    def is_equal(self, out: str, other: str) -> bool:
        """Whether two runs have the same table and masks."""
        tables = [
            pyarrow.parquet.read_table(self.folder / name / "results.parquet").to_pylist() for name in (out, other)
        ]
        for name, rows in zip((out, other), tables):
            for row in rows:
                row.pop("seconds", None)
                row.update(
                    {key: value.replace(f"/{name}/", "/") for key, value in row.items() if isinstance(value, str)}
                )
        masks = [
            {path.relative_to(self.folder / name): rasterio.open(path).read() for path in self._masks(name)}
            for name in (out, other)
        ]
        same = masks[0].keys() == masks[1].keys() and all(
            (masks[1][key] == mask).all() for key, mask in masks[0].items()
        )
        return tables[0] == tables[1] and len(masks[0]) == PAIRS and same

    def _masks(self, out: str) -> list[Path]:
        return sorted((self.folder / out / "pairs").glob("[!.]*/masks.tif"))


def check_kills(manifest: Manifest) -> bool:
    """Kills runs amid a pair."""
    pair_seconds = manifest.run("undisturbed") / (PAIRS + 4)  # The start takes the time of some pairs.
    at, killed, out, is_fine = random.Random(0), 0, 0, True
    while killed < KILLS:
        before = manifest.done(f"killed{out}")
        pairs = manifest.folder / f"killed{out}" / "pairs"
        left = set(pairs.glob(".*"))  # By those that were killed.
        run = manifest.start(f"killed{out}")
        while run.poll() is None and not set(pairs.glob(".*")) - left:
            time.sleep(_POLL_SECONDS)
        time.sleep(at.random() * 2 * pair_seconds)
        run.kill()
        if run.wait() != -signal.SIGKILL:
            is_fine &= manifest.is_equal(f"killed{out}", "undisturbed")
            out += 1
            continue
        killed += 1
        print(f"kill {killed}: {before} pairs before, {manifest.done(f'killed{out}')} after", flush=True)
    manifest.run(f"killed{out}")
    is_fine &= manifest.is_equal(f"killed{out}", "undisturbed")
    print(f"{killed} kills, results equal: {is_fine}", flush=True)
    return is_fine


def check_ray(manifest: Manifest) -> bool:
    """Compares two workers of Ray with this machine."""
    if not (manifest.folder / "undisturbed" / "results.parquet").exists():
        manifest.run("undisturbed")
    manifest.run("ray", "--engine", "ray", "--workers", "2")
    is_equal = manifest.is_equal("ray", "undisturbed")
    print(f"Ray of two workers, results equal: {is_equal}", flush=True)
    return is_equal


# --- series ---


def check_series(scene: Sequence[np.ndarray], folder: Path, predictor: Any) -> bool:
    """
    Five dates, to each of which a quarter of the houses have come. Only the pixels of the houses are copied: the light
    differs between the dates of the scene, so that ground copied with them would be a visible change around them.
    """
    size = 3 * SIDE
    earlier, later, truth = (image[:, :size, :size] for image in scene)
    numbers, count = label(truth[0] == 1, np.ones((3, 3)))
    paths, steps = [], np.array_split(np.arange(1, count + 1), 4)
    image = earlier.copy()
    for year, step in zip(range(2018, 2023), [np.array([], dtype=int), *steps]):
        houses = np.isin(numbers, step)
        image[:, houses] = later[:, houses]
        paths.append(save(folder / f"{year}.tif", image))
    result = segment_series(paths, [SENTENCE], predictor, SceneOptions(min_area=4, progress=False), folder / "series")
    print("from, to: objects and m², true objects and m²")
    is_fine = True
    for row, step in zip(result.rows(), [*steps, np.arange(1, count + 1)], strict=True):
        area = np.isin(numbers, step).sum() / 4
        found = f"{row['objects']} {row['area_m2']:.0f}, {len(step)} {area:.0f}"
        print(f"{row['from']}, {row['to']}: {found}", flush=True)
        is_fine &= bool(abs(row["area_m2"] / area - 1) < _AREA_TOLERANCE)
    return is_fine


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mtrefseg-r1", help="a model folder or a Hub id")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scene = read_scene(folder / "scene")
        predictor = load_predictor(options.model, domain="remote_sensing")
        manifest = Manifest(scene, folder, options.model)
        checks = {
            "messages": lambda: show_messages(scene, folder, options.model),
            "areas": lambda: check_areas(scene, folder, predictor),
            "kills": lambda: check_kills(manifest),
            "ray": lambda: check_ray(manifest),
            "series": lambda: check_series(scene, folder, predictor),
        }
        failed = [part for part in options.parts if not checks[part]()]
    print(f"failed: {', '.join(failed)}" if failed else "all hold")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
