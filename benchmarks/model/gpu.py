# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Checks every path of the model on a device, and measures prediction and training: the part of `gpu.sh` that is Python.

    python -m benchmarks.model.gpu --out OUT --seconds 300
    python -m benchmarks.model.gpu --out OUT --record "DDP of one" ok 12

Writes `OUT/gpu.csv`, a row as soon as it is known. Items that exceed the time limit are recorded as skipped, and
failures with their error. Without CUDA everything that a CPU can do runs there.
"""

import argparse
import copy
import csv
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.model.inference import SENTENCE, random_image
from benchmarks.model.operators import LEVELS, deformable_attention
from benchmarks.tables import append_rows, today
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.build.presets import PRESETS, preset_model, tiny_processor


PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "A10": 125e12, "T4": 65e12}
"""Operations per second of matrix products in bfloat16 (T4: float16), without sparsity, by name of the GPU."""
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass
class Row:
    """A check or a measurement. `difference` is the largest one from float32, relative to the size of the values."""

    kind: str
    name: str
    preset: str = ""
    precision: str = ""
    pairs: int = 0
    sentences: int = 0
    status: str = "ok"
    seconds: float = 0.0
    images_per_second: float = 0.0
    sentences_per_second: float = 0.0
    mfu: float = 0.0
    peak_gib: float = 0.0
    difference: float = 0.0
    detail: str = ""
    device: str = ""
    torch: str = torch.__version__
    date: str = ""


class Report:
    """
    Runs items and writes their rows.

    Args:
        path (`Path`): The CSV file; rows are added.
        seconds (`float`): No item begins later than this.
        device (`torch.device`): Where to.
    """

    def __init__(self, path: Path, seconds: float, device: torch.device) -> None:
        self.path, self.device = path, device
        self.end = time.monotonic() + seconds
        self.device_name = device_name(device)

    def run(self, row: Row, item: Callable[[Row], None]) -> bool:
        """Runs an item, which fills in its row. Returns whether it went well."""
        started = time.monotonic()
        if started > self.end:
            row.status = "skipped"
        else:
            try:
                item(row)
            except Exception as error:  # noqa: BLE001  # one path that fails must not hide the others
                lines = str(error).strip().splitlines() or [""]
                row.status, row.detail = "failed", f"{type(error).__name__}: {lines[0][:200]}"
                if self.device.type == "cuda":
                    torch.cuda.empty_cache()
        row.seconds = row.seconds or time.monotonic() - started
        self.write(row)
        return row.status == "ok"

    def write(self, row: Row) -> None:
        """Adds a row."""
        row.device, row.date = self.device_name, today()
        append_rows(self.path, [asdict(row)], digits=4)
        print(" ".join(str(value) for value in asdict(row).values() if value not in ("", 0, 0.0)), flush=True)


@dataclass
class Setting:
    """A model with random weights on a device, and inputs for it."""

    model: MTRefSegModel
    processor: MTRefSegProcessor
    device: torch.device

    @classmethod
    def of(cls, preset: str, image_size: int | None, device: torch.device) -> "Setting":
        """The model of a preset."""
        torch.manual_seed(0)
        processor = tiny_processor(image_size or PRESETS[preset].get("image_size", 1024))
        return cls(preset_model(preset, processor).eval().to(device), processor, device)

    def inputs(self, num_pairs: int, num_sentences: int, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
        """A batch."""
        size = self.model.config.image_size
        first, second = ([random_image(size, seed)] * num_pairs for seed in (1, 2))
        text = [[f"{SENTENCE} {number}" for number in range(num_sentences)]] * num_pairs
        return dict(self.processor(first, second, text=text).to(self.device, dtype))

    def wait(self) -> None:
        """Waits for the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def seconds(self, function: Callable[[], Any], repeats: int = 3) -> float:
        """Seconds of a call, after two others."""
        for _ in range(2):
            function()
        self.wait()
        started = time.perf_counter()
        for _ in range(repeats):
            function()
        self.wait()
        return (time.perf_counter() - started) / repeats


def compare(row: Row, result: Any, expected: Any, most: float) -> None:
    """Notes the difference of two tensors, and refuses a large one."""
    row.difference = float((result.float() - expected.float()).abs().max() / expected.float().abs().max())
    if not row.difference <= most:
        raise AssertionError(f"differs by {row.difference:.3g} of the largest value, more than {most}")


@torch.no_grad()
def check_precision(setting: Setting, precision: str, row: Row) -> None:
    """The model in another precision."""
    expected = setting.model(**setting.inputs(1, 2)).mask_logits
    setting.model.to(PRECISIONS[precision])
    try:
        compare(row, setting.model(**setting.inputs(1, 2, PRECISIONS[precision])).mask_logits, expected, 0.2)
    finally:
        setting.model.to(torch.float32)


@torch.no_grad()
def check_attention(setting: Setting, row: Row) -> None:
    """Fused attention against plain attention."""
    model, inputs = setting.model, setting.inputs(1, 2)
    plain = type(model)._from_config(copy.deepcopy(model.config), attn_implementation="eager").eval()
    plain.load_state_dict(model.state_dict())
    compare(row, model(**inputs).mask_logits, plain.to(setting.device)(**inputs).mask_logits, 1e-2)


@torch.no_grad()
def check_compile(setting: Setting, row: Row) -> None:
    """The compiled encoder. Without a GPU its graph is taken, but no code is generated."""
    inputs = setting.inputs(1, 2)
    pixels = (inputs["pixel_values_t1"], inputs["pixel_values_t2"])
    backend = "inductor" if setting.device.type == "cuda" else "eager"
    vision = setting.model.vision_model
    compiled = torch.compile(lambda *images: vision.encode_pair(*images).features.mask_features, backend=backend)
    compare(row, compiled(*pixels), vision.encode_pair(*pixels).features.mask_features, 1e-2)


@torch.no_grad()
def check_graph(setting: Setting, row: Row) -> None:
    """The mask decoder as a CUDA graph."""
    if setting.device.type != "cuda":
        row.status, row.detail = "skipped", "needs CUDA"
        return
    inputs, decoder = setting.inputs(1, 8), setting.model.vision_model.mask_decoder
    features = setting.model.vision_model.encode_pair(inputs["pixel_values_t1"], inputs["pixel_values_t2"]).features
    queries = setting.model(**inputs).seg_embedding[None, :, None]
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        expected = [decoder(features, queries).mask_logits for _ in range(3)][-1]
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        replayed = decoder(features, queries).mask_logits
    graph.replay()
    setting.wait()
    compare(row, replayed, expected, 1e-4)
    plain, fast = setting.seconds(lambda: decoder(features, queries)), setting.seconds(graph.replay)
    row.detail = f"{plain * 1e3:.2f} ms without, {fast * 1e3:.2f} ms with the graph"


def check_deformable_attention(setting: Setting, row: Row) -> None:
    """Ours against the library's, with gradients."""
    levels = LEVELS if setting.device.type == "cuda" else [(2, 2), (4, 4), (8, 8)]
    with torch.device(setting.device):
        library, ours = deformable_attention(levels)
        compare(row, ours(), library(), 1e-3)

    def both_ways(run: Callable[[], Tensor]) -> None:
        run().sum().backward()

    times = [setting.seconds(partial(both_ways, run)) for run in (library, ours)]
    row.detail = f"forward and backward: library {times[0] * 1e3:.1f} ms, ours {times[1] * 1e3:.1f} ms"


@torch.no_grad()
def measure_prediction(setting: Setting, precision: str, row: Row) -> None:
    """Images and sentences per second, and peak memory."""
    setting.model.to(PRECISIONS[precision])
    try:
        inputs = setting.inputs(row.pairs, row.sentences, PRECISIONS[precision])
        reset_peak(setting.device)
        row.seconds = setting.seconds(lambda: setting.model(**inputs))
        row.peak_gib = peak(setting.device)
        row.images_per_second = 2 * row.pairs / row.seconds
        row.sentences_per_second = row.pairs * row.sentences / row.seconds
    finally:
        setting.model.to(torch.float32)


def measure_training(setting: Setting, row: Row) -> None:
    """A step with autocast to bfloat16 and AdamW: the same, and the share of the device's peak that it uses."""
    model, size = setting.model, setting.model.config.image_size
    inputs = setting.inputs(row.pairs, row.sentences)
    labels = torch.zeros(row.pairs * row.sentences, size, size, device=setting.device)
    labels[:, : size // 2, : size // 2] = 1
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)

    def forward() -> Tensor:
        with torch.autocast(setting.device.type, dtype=torch.bfloat16):
            loss: Tensor = model(**inputs, labels=labels).loss
        return loss

    def step() -> None:
        loss = forward()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    model.train()
    try:
        with FlopCounterMode(display=False) as counter:
            forward()
        reset_peak(setting.device)
        row.seconds = setting.seconds(step, repeats=2)
        if not bool(torch.isfinite(forward()).item()):
            raise AssertionError("the loss is not finite")
    finally:
        optimizer.zero_grad()
        model.eval()
    row.peak_gib = peak(setting.device)
    row.images_per_second = 2 * row.pairs / row.seconds
    row.sentences_per_second = row.pairs * row.sentences / row.seconds
    best = next((rate for name, rate in PEAKS.items() if name in device_name(setting.device)), None)
    row.mfu = 3 * counter.get_total_flops() / row.seconds / best if best else 0.0


def reset_peak(device: torch.device) -> None:
    """Forgets the peak memory of a GPU."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak(device: torch.device) -> float:
    """Peak memory of a GPU in GiB; 0 on a CPU."""
    return torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else 0.0


def device_name(device: torch.device) -> str:
    """The name of a GPU, or "cpu"."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def run_preset(report: Report, preset: str, arguments: argparse.Namespace) -> None:
    """All checks and measurements of a preset. Batches grow until one does not fit."""
    setting = Setting.of(preset, arguments.image_size, report.device)
    checks: dict[str, Callable[[Row], None]] = {
        "bfloat16": partial(check_precision, setting, "bfloat16"),
        "float16": partial(check_precision, setting, "float16"),
        "fused attention": partial(check_attention, setting),
        "compiled encoder": partial(check_compile, setting),
        "decoder as CUDA graph": partial(check_graph, setting),
        "deformable attention": partial(check_deformable_attention, setting),
    }
    for name, check in checks.items():
        report.run(Row("check", name, preset), check)
    for precision, num_sentences in product(arguments.precision, arguments.sentences):
        for num_pairs in arguments.pairs:
            row = Row("prediction", "model", preset, precision, num_pairs, num_sentences)
            if not report.run(row, partial(measure_prediction, setting, precision)):
                break
    for num_pairs in arguments.pairs:
        row = Row("training", "step", preset, "autocast", num_pairs, max(arguments.sentences[0], 1))
        if not report.run(row, partial(measure_training, setting)):
            break


def main() -> int:
    """Command line. The exit code is 1 if a check failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of gpu.csv")
    parser.add_argument("--seconds", type=float, default=300, help="nothing begins later than this")
    parser.add_argument("--presets", nargs="+", choices=list(PRESETS), default=["tiny", "small", "paper"])
    parser.add_argument("--image-size", type=int, help="side of the canvas in pixels (default: the preset's)")
    parser.add_argument("--pairs", type=int, nargs="+", default=[1, 4, 16, 64], help="pairs in a batch")
    parser.add_argument("--sentences", type=int, nargs="+", default=[1, 8], help="sentences of a pair")
    parser.add_argument("--precision", nargs="+", choices=list(PRECISIONS), default=["bfloat16", "float32"])
    parser.add_argument("--record", nargs=3, metavar=("NAME", "STATUS", "SECONDS"), help="only write this row")
    arguments = parser.parse_args()

    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "gpu.csv"
    report = Report(path, arguments.seconds, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    if arguments.record:
        name, status, seconds = arguments.record
        report.write(Row("check", name, status=status, seconds=float(seconds)))
        return 0
    for preset in arguments.presets:
        run_preset(report, preset, arguments)
    with path.open(newline="") as file:
        return int(any(row["status"] == "failed" and row["kind"] == "check" for row in csv.DictReader(file)))


if __name__ == "__main__":
    raise SystemExit(main())
