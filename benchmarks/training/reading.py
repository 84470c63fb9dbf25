# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Reading speed in training, from exported Parquet files and from the raw folder:

    python -m benchmarks.training.reading            # a small generated folder
    python -m benchmarks.training.reading RAW        # your own: a split folder or a whole dataset

A row is a sentence of the first split with its two images and its mask, decoded and resized to 512 x 512, in random
order (the stream: in the order of the files), through a `DataLoader` with two workers. The readers take turns.

Appends to `results/reading.csv`: rows per second in the best round, milliseconds of processor time per row
in the best round (less disturbed by other work on the machine), both with their ratio to the raw folder's, and the
seconds that `load_dataset` takes once.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from benchmarks.tables import RESULTS, append_rows
from dataset_scripts.export import ExportOptions, export_dataset
from dataset_scripts.readers import Expression, Pair, ReadingReport, find_split_folders, list_pairs


SIZE = (512, 512)
WORKERS = 2
BATCH_SIZE = 8
ROUNDS = 7
Row = dict[str, torch.Tensor]
HEAD = ["data", "rows", "reader", "rows_per_second", "ratio", "cpu_milliseconds", "cpu_ratio", "prepare_seconds"]


def draw_raw_folder(root: Path, pairs: int = 60, sentences: int = 3) -> None:
    """Images of 512 x 512 pixels with some grain, as JPEG files of about 60 kB, and masks of one rectangle."""
    random = np.random.default_rng(0)
    folder = root / "RS_train"
    for kind in ("A", "B", "referring_expression"):
        (folder / kind).mkdir(parents=True)
    for number in range(pairs):
        name = f"pair_{number:03d}"
        for kind in ("A", "B"):
            coarse = Image.fromarray(random.integers(0, 256, (12, 12, 3), dtype=np.uint8))
            image = np.asarray(coarse.resize(SIZE, Image.Resampling.BICUBIC)) + random.normal(0, 6, (*SIZE, 3))
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / kind / f"{name}.jpg", quality=90)
        (folder / "masks" / name).mkdir(parents=True)
        for index in range(sentences):
            mask = np.zeros(SIZE, dtype=np.uint8)
            top, left = random.integers(0, 400, 2)
            mask[top : top + 90, left : left + 70] = 255
            Image.fromarray(mask).save(folder / "masks" / name / f"{index}.png")
        content = {"referring_expressions": [f"the thing number {index}" for index in range(sentences)]}
        (folder / "referring_expression" / f"{name}.json").write_text(json.dumps(content))


def make_row(image_t1: Image.Image, image_t2: Image.Image, mask: Image.Image) -> Row:
    """Tensors of shapes `(3, 512, 512)`, `(3, 512, 512)` and `(512, 512)`, all uint8."""
    images = [np.asarray(image.resize(SIZE, Image.Resampling.BILINEAR)) for image in (image_t1, image_t2)]
    t1, t2 = (torch.from_numpy(image.copy()).permute(2, 0, 1) for image in images)
    return {"t1": t1, "t2": t2, "mask": torch.from_numpy(np.array(mask.resize(SIZE, Image.Resampling.NEAREST)))}


class RawRows(Dataset[Row]):
    """The sentences of raw folders, read from their files."""

    def __init__(self, root: Path, split: str) -> None:
        self.rows: list[tuple[Pair, Expression]] = [
            (record, expression)
            for folder in find_split_folders(root)
            if folder.split == split and not folder.is_pretrain
            for record in list_pairs(folder, ReadingReport())
            for expression in record.expressions
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Row:
        record, expression = self.rows[index]
        opened = [Image.open(file.source) for file in (record.image_t1, record.image_t2, expression.mask)]
        return make_row(opened[0].convert("RGB"), opened[1].convert("RGB"), opened[2].convert("L"))


def transform_batch(batch: dict[str, list[Any]]) -> dict[str, list[torch.Tensor]]:
    """For `datasets`: columns of decoded images into columns of tensors."""
    rows = [make_row(*images) for images in zip(batch["image_t1"], batch["image_t2"], batch["mask"], strict=True)]
    return {key: [row[key] for row in rows] for key in ("t1", "t2", "mask")}


def cpu_seconds() -> float:
    """Processor time of this process and of the workers that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def read_all(make_loader: Callable[[], DataLoader[Row]]) -> tuple[int, float, float]:
    """Number of rows, and the seconds and the processor time that it took to get them."""
    start, cpu_start = time.perf_counter(), cpu_seconds()
    rows = sum(len(batch["mask"]) for batch in make_loader())
    return rows, time.perf_counter() - start, cpu_seconds() - cpu_start


def make_readers(raw: Path, out: Path, split: str) -> tuple[dict[str, Callable[[], DataLoader[Row]]], float]:
    """For each reader a function that starts it at the first row, and the seconds of the first `load_dataset`."""
    columns = ["image_t1", "image_t2", "mask"]
    start = time.perf_counter()
    table = datasets.load_dataset(str(out), "TV", split=split, cache_dir=str(out.parent / "cache"))
    seconds = time.perf_counter() - start
    stream = datasets.load_dataset(str(out), "TV", split=split, streaming=True).select_columns(columns)
    stream = stream.map(transform_batch, batched=True, batch_size=BATCH_SIZE, remove_columns=columns)
    raw_rows, parquet_rows = RawRows(raw, split), table.select_columns(columns).with_transform(transform_batch)
    return {
        "raw folder": lambda: DataLoader(raw_rows, BATCH_SIZE, shuffle=True, num_workers=WORKERS),
        "parquet": lambda: DataLoader(parquet_rows, BATCH_SIZE, shuffle=True, num_workers=WORKERS),
        "parquet, streamed": lambda: DataLoader(stream, BATCH_SIZE, num_workers=WORKERS),
    }, seconds


def measure(raw: Path, name: str, folder: Path) -> list[list[object]]:
    """Exports the raw folder into a temporary one, and gives the rows of the table."""
    # Several files, since a stream gives each worker files of its own.
    size = sum(path.stat().st_size for path in raw.rglob("*") if path.is_file())
    result = export_dataset(raw, folder / "out", ExportOptions(kind="referring", max_shard_size=max(1, size // 8)))
    readers, prepare_seconds = make_readers(raw, folder / "out", next(iter(result.configs["TV"])))
    rounds: dict[str, list[tuple[int, float, float]]] = {reader: [] for reader in readers}
    for _ in tqdm(range(ROUNDS), desc=name):
        for reader, make_loader in readers.items():
            rounds[reader].append(read_all(make_loader))
    (count,) = {rows for values in rounds.values() for rows, _, _ in values}
    speeds = {reader: count / min(seconds for _, seconds, _ in values) for reader, values in rounds.items()}
    costs = {reader: min(cpu for _, _, cpu in values) / count * 1e3 for reader, values in rounds.items()}
    return [
        [
            name,
            count,
            reader,
            f"{speeds[reader]:.1f}",
            f"{speeds[reader] / speeds['raw folder']:.2f}",
            f"{costs[reader]:.2f}",
            f"{costs['raw folder'] / costs[reader]:.2f}",
            f"{prepare_seconds if reader == 'parquet' else 0:.1f}",
        ]
        for reader in readers
    ]


def main() -> None:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", metavar="RAW", nargs="?", type=Path, help="raw folder; one is drawn by default")
    raw = parser.parse_args().raw
    datasets.disable_progress_bars()
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        if raw is None:
            draw_raw_folder(Path(folder) / "drawn")
            rows = measure(Path(folder) / "drawn", "drawn, 512 x 512", Path(folder))
        else:
            rows = measure(raw, raw.resolve().name, Path(folder))
    append_rows(RESULTS / "reading.csv", [dict(zip(HEAD, row)) for row in rows])
    for row in [HEAD, *rows]:
        print("  ".join(f"{value!s:>18}" for value in row))


if __name__ == "__main__":
    main()
