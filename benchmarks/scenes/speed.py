# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Megapixels per second and peak memory of whole scenes, from GeoTIFF to GeoTIFF and polygons:

    python -m benchmarks.scenes.speed --side 4096 --model mtrefseg-r1
    python -m benchmarks.scenes.speed --side 20000 --model minute --canvas 64 --window 1024

Scenes are generated: fields and rectangles, of which some come at t2, as uncompressed tiled GeoTIFF (1.2 GB a date
at 20,000 x 20,000). `minute` is a model of few channels with random weights, whose answers are replaced by
the difference of colours: it shows what reading, blending and writing take. Rows are appended to
`results/scenes.csv`. `model_seconds` is the time within the model, and `times_model` what the whole scene took, as a
multiple of it. `cpu_seconds` is the processor time of all threads for the scene, which other programs on the machine
change less. `peak_memory` is the largest resident size of the process in GiB, PyTorch included.
"""

import argparse
import platform
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import torch
from rasterio.transform import Affine
from rasterio.windows import Window

from benchmarks.tables import RESULTS, append_rows, today
from mtrefseg.build.memory import keep_freed_memory
from mtrefseg.build.presets import preset_model, tiny_processor
from mtrefseg.scenes import SceneOptions, ScenePredictor, load_predictor, segment_pair


BLOCK = 512
SENTENCES = ("the buildings that appeared", "the houses that disappeared", "the road that was paved")
# A tiny model of few channels.
FEW = {
    "vision_config": {
        "model_type": "resnet",
        "layer_type": "basic",
        "embedding_size": 8,
        "hidden_sizes": [8, 8, 16, 16],
        "depths": [1, 1, 1, 1],
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    },
    "mask_decoder_config": {
        "hidden_size": 32,
        "num_attention_heads": 2,
        "pixel_decoder_layers": 1,
        "pixel_decoder_intermediate_size": 32,
        "decoder_layers": 1,
        "decoder_intermediate_size": 32,
    },
    "text_config": {
        "model_type": "phi",
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 512,
        "tie_word_embeddings": True,
    },
    "seg_head_size": 16,
    "seg_head_attention_heads": 2,
}


@dataclass
class Row:
    """One measurement. Times are seconds of wall clock, except `cpu_seconds`; memory is in GiB."""

    model: str
    side: int
    windows: int
    window: int
    overlap: float
    sentences: int
    batch_size: int
    seconds: float
    cpu_seconds: float
    model_seconds: float
    times_model: float
    megapixels_per_second: float
    peak_memory: float
    objects: int
    threads: int
    processor: str
    measured: str


class TimedPredictor(ScenePredictor):
    """Counts the seconds within the model."""

    seconds = 0.0

    def predict(self, *arguments: Any, **options: Any) -> Any:
        """See [`ScenePredictor.predict`]."""
        start = time.perf_counter()
        answer = super().predict(*arguments, **options)
        if self.model.device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds += time.perf_counter() - start
        return answer


class DifferencePredictor(TimedPredictor):
    """Runs a model with random weights, and then answers by the colours alone, so that there are sensible objects."""

    def predict(self, views: Sequence[Any], *arguments: Any, **options: Any) -> Any:
        """See [`ScenePredictor.predict`]."""
        answer = super().predict(views, *arguments, **options)
        earlier, later = (np.stack([view.images[date][2::4, 2::4] for view in views]).astype(int) for date in (0, 1))
        changed = torch.from_numpy(np.abs(earlier - later).sum(axis=-1) > 60)[:, None]
        logits = torch.where(changed, 4.0, -4.0).expand(-1, answer.logits.shape[1], -1, -1)
        return replace(answer, logits=logits)


def write_scene(path: Path, side: int, is_later: bool) -> None:
    """Writes one date, a row of blocks at a time."""
    profile = {"driver": "GTiff", "width": side, "height": side, "count": 3, "dtype": "uint8", "tiled": True}
    place = {"crs": "EPSG:32633", "transform": Affine(0.5, 0, 400_000, 0, -0.5, 5_400_000)}
    with rasterio.open(
        path, "w", blockxsize=BLOCK, blockysize=BLOCK, bigtiff="if_safer", **profile, **place
    ) as raster:
        for top in range(0, side, BLOCK):
            random = np.random.default_rng(top)
            height = min(BLOCK, side - top)
            # Fields of 64 pixels with a little noise.
            fields_of_colour = random.integers(60, 160, (3, -(-height // 64), -(-side // 64)), dtype=np.uint8)
            rows = fields_of_colour.repeat(64, axis=1).repeat(64, axis=2)[:, :height, :side]
            rows = rows + random.integers(0, 16, (1, height, side), dtype=np.uint8)
            for number in range(side // 64):
                left, y = int(random.integers(0, side)), int(random.integers(0, height))
                if is_later or number % 3:
                    rows[:, y : y + 24, left : left + 24] = np.array([[[200]], [[80]], [[70]]], dtype=np.uint8)
            raster.write(rows, window=Window(0, top, side, height))


def make_predictor(name: str, canvas: int) -> TimedPredictor:
    """The model: `minute`, a folder or a Hub id."""
    if name == "minute":
        processor = tiny_processor(canvas)
        torch.manual_seed(0)
        model: Any = preset_model("tiny", processor, **FEW).eval()
        return DifferencePredictor(model, processor, threshold=0.5)
    loaded = load_predictor(name, domain="remote_sensing")
    return TimedPredictor(loaded.model, loaded.processor, domain="remote_sensing")


def measure(options: argparse.Namespace) -> Row:
    """Generates a scene, segments it and measures."""
    keep_freed_memory(torch.device("cpu"))  # as the command does
    predictor = make_predictor(options.model, options.canvas)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        paths = [folder / "t1.tif", folder / "t2.tif"]
        for path in paths:
            write_scene(path, options.side, is_later=path.stem == "t2")
        window = options.window or "auto"
        how = SceneOptions(window=window, batch_size=options.batch_size, overlap=options.overlap, min_area=4)
        start, cpu_start = time.perf_counter(), time.process_time()
        result = segment_pair(*paths, SENTENCES[: options.sentences], predictor, how, folder / "out")
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return Row(
        model=Path(options.model).name,
        side=options.side,
        windows=result.report["windows"],
        window=result.report["window"][0],
        overlap=options.overlap,
        sentences=options.sentences,
        batch_size=options.batch_size,
        seconds=round(seconds, 1),
        cpu_seconds=round(cpu_seconds, 1),
        model_seconds=round(predictor.seconds, 1),
        times_model=round(seconds / predictor.seconds, 3),
        megapixels_per_second=round(options.side**2 / 1e6 / seconds, 4),
        peak_memory=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 3),
        objects=sum(len(one.objects) for one in result.sentences),
        threads=torch.get_num_threads(),
        processor=platform.processor() or platform.machine(),
        measured=today(),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures once and appends a row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=2048, help="of the scene in pixels")
    parser.add_argument("--model", default="minute", help="minute, a model folder or a Hub id")
    parser.add_argument("--canvas", type=int, default=256, help="of the minute model")
    parser.add_argument("--window", type=int, help="side of the windows in pixels; that of the canvas by default")
    parser.add_argument("--sentences", type=int, default=1, choices=range(1, len(SENTENCES) + 1))
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--overlap", type=float, default=0.25)
    parser.add_argument("--folder", help="where the scene is written; the folder for temporary files by default")
    row = measure(parser.parse_args(arguments))
    append_rows(RESULTS / "scenes.csv", [asdict(row)])
    print(row)


if __name__ == "__main__":
    main()
