# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Seconds, sentences per second and peak memory of prediction, split into its parts, with random weights:

    python -m benchmarks.model.inference --preset tiny
    python -m benchmarks.model.inference --preset paper --sentences 1 2 8 --dtype float32 bfloat16

Rows are appended to `results/inference.csv`. `cpu_seconds` counts all threads. `backbone_pass_cpu_seconds`
is one forward pass of one image through transformers' own backbone module, in the same run and precision, and
`cost_in_backbone_passes` is the ratio of the two: a figure that hardly depends on the machine. On a CPU in float32,
every configuration is measured without and then with `mtrefseg.optimize_for_cpu` and kept memory, as in the commands
(column `optimized_for_cpu`).
"""

import argparse
import copy
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image
from torch import nn
from tqdm import tqdm
from transformers import AutoBackbone, BatchFeature

from benchmarks.tables import RESULTS, append_rows, today
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from modeling_mtrefseg.language_mtrefseg import SentenceLayout
from mtrefseg import optimize_for_cpu
from mtrefseg.build.memory import keep_freed_memory
from mtrefseg.build.presets import PRESETS, preset_model, tiny_processor


SENTENCE = "the small white building with the red roof that appeared next to the road"


@dataclass
class Row:
    """One measurement. Times are seconds, memory is in GiB; `parts` are seconds of wall clock."""

    preset: str
    image_size: int
    batch_size: int
    sentences_per_pair: int
    dtype: str
    wall_seconds: float
    cpu_seconds: float
    sentences_per_second: float
    backbone_pass_cpu_seconds: float
    cost_in_backbone_passes: float
    peak_memory: float
    preprocessing: float
    backbone: float
    fusion: float
    pixel_decoder: float
    projector: float
    language_model: float
    mask_decoder: float
    postprocessing: float
    parameters: int
    device: str
    threads: int
    optimized_for_cpu: bool
    torch: str = torch.__version__
    transformers: str = transformers.__version__
    python: str = platform.python_version()
    date: str = field(default_factory=today)


class Clock:
    """Runs a function a few times and keeps the medians of wall and processor seconds."""

    def __init__(self, repeats: int, device: torch.device) -> None:
        self.repeats, self.device = repeats, device

    def __call__(self, function: Callable[[], Any]) -> tuple[Any, float, float]:
        """What `function` returns, wall seconds, processor seconds."""
        function()
        wall, cpu = [], []
        for _ in range(self.repeats):
            self._wait()
            wall_start, cpu_start = time.perf_counter(), time.process_time()
            result = function()
            self._wait()
            wall.append(time.perf_counter() - wall_start)
            cpu.append(time.process_time() - cpu_start)
        return result, statistics.median(wall), statistics.median(cpu)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def reset_peak_memory(device: torch.device) -> None:
    """Resets the peak memory."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory(device: torch.device) -> float:
    """Peak memory since [`reset_peak_memory`] in GiB: of the device, or of the process on Linux."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 2**20


def random_image(size: int, seed: int) -> Image.Image:
    """A smooth random image of `size` x `size` pixels."""
    noise = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC)


@torch.no_grad()
def measure_parts(model: MTRefSegModel, inputs: BatchFeature, clock: Clock) -> dict[str, float]:
    """Wall seconds of each part of `model(**inputs)`."""
    vision, seconds = model.vision_model, {}

    def timed(name: str, function: Callable[[], Any]) -> Any:
        result, seconds[name], _ = clock(function)
        return result

    pixels = torch.cat([inputs["pixel_values_t1"], inputs["pixel_values_t2"]])
    levels = timed("backbone", lambda: vision.backbone(pixels).feature_maps)
    levels_t1, levels_t2 = zip(*(level.chunk(2) for level in levels))
    fused = timed("fusion", lambda: vision.fusion(levels_t1, levels_t2))
    features = timed("pixel_decoder", lambda: vision.mask_decoder.encode(fused))
    timed("projector", lambda: model.projector(torch.cat([levels_t1[-1], levels_t2[-1]])))
    encoding = model.encode_pair(inputs["pixel_values_t1"], inputs["pixel_values_t2"])
    layout = SentenceLayout.of(inputs["input_ids"], inputs["num_expressions"], encoding.batch_size)
    prompt = (inputs["prompt_input_ids"], inputs["prompt_attention_mask"])
    sentences = (inputs["input_ids"], inputs["attention_mask"])
    states = timed("language_model", lambda: model._read_sentences(encoding, *prompt, *sentences, layout))
    pooled = layout.pad(states.mean(1))

    def decode() -> Any:
        queries = model.seg_head(pooled, fused[-1])
        return vision.mask_decoder(features, queries.unsqueeze(2))

    timed("mask_decoder", decode)
    return seconds


@torch.no_grad()
def measure(
    model: MTRefSegModel,
    processor: MTRefSegProcessor,
    preset: str,
    backbone_pass: float,
    num_pairs: int,
    num_sentences: int,
    optimized: bool,
    clock: Clock,
) -> Row:
    """Measures one configuration."""
    size, device, dtype = model.config.image_size, model.device, model.dtype
    images = {f"images_t{side}": [random_image(size, side)] * num_pairs for side in (1, 2)}
    text = [[f"{SENTENCE} {number}" for number in range(num_sentences)]] * num_pairs
    inputs, preprocessing, _ = clock(lambda: processor(**images, text=text))
    inputs = inputs.to(device, dtype)
    reset_peak_memory(device)
    outputs, wall, cpu = clock(lambda: model(**inputs))
    memory = peak_memory(device)
    sizes = [(size, size)] * num_pairs
    _, postprocessing, _ = clock(lambda: processor.post_process_referring_segmentation(outputs, sizes))
    return Row(
        preset=preset,
        image_size=size,
        batch_size=num_pairs,
        sentences_per_pair=num_sentences,
        dtype=str(dtype).removeprefix("torch."),
        wall_seconds=wall,
        cpu_seconds=cpu,
        sentences_per_second=num_pairs * num_sentences / wall,
        backbone_pass_cpu_seconds=backbone_pass,
        cost_in_backbone_passes=cpu / backbone_pass,
        peak_memory=memory,
        preprocessing=preprocessing,
        postprocessing=postprocessing,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name(),
        threads=torch.get_num_threads(),
        optimized_for_cpu=optimized,
        **measure_parts(model, inputs, clock),
    )


@torch.no_grad()
def measure_backbone_pass(model: MTRefSegModel, clock: Clock) -> float:
    """Processor seconds of one image through transformers' own module, with its own linear layers."""
    backbone: nn.Module = AutoBackbone.from_config(model.config.vision_config).eval().to(model.device, model.dtype)
    pixels = torch.randn(
        1, 3, model.config.image_size, model.config.image_size, device=model.device, dtype=model.dtype
    )
    return clock(lambda: backbone(pixels))[2]


def processor_name() -> str:
    """The processor's name, as Linux reports it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=list(PRESETS), default="tiny")
    parser.add_argument("--image-size", type=int, help="side of the canvas in pixels (default: the preset's)")
    parser.add_argument("--sentences", type=int, nargs="+", default=[1, 2, 8], help="sentences per pair")
    parser.add_argument("--batch", type=int, nargs="+", default=[1], help="pairs per call")
    parser.add_argument("--dtype", nargs="+", choices=["float32", "bfloat16"], default=["float32"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=3, help="runs after the first, of which the median counts")
    parser.add_argument("--out", type=Path, default=RESULTS / "inference.csv")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    image_size = arguments.image_size or PRESETS[arguments.preset].get("image_size", 1024)
    processor = tiny_processor(image_size)
    plain = preset_model(arguments.preset, processor).eval()
    optimized = optimize_for_cpu(copy.deepcopy(plain))
    clock = Clock(arguments.repeats, torch.device(arguments.device))
    for dtype in arguments.dtype:
        backbone_pass = measure_backbone_pass(plain.to(arguments.device, getattr(torch, dtype)), clock)
        models = {False: plain}
        if arguments.device == "cpu" and dtype == "float32":
            models[True] = optimized
        cases = list(product(models.items(), arguments.batch, arguments.sentences))
        for (is_optimized, model), num_pairs, num_sentences in tqdm(cases, desc=dtype):
            if is_optimized:
                keep_freed_memory(torch.device("cpu"))  # as the commands do; it cannot be undone
            row = measure(
                model, processor, arguments.preset, backbone_pass, num_pairs, num_sentences, is_optimized, clock
            )
            append_rows(arguments.out, [asdict(row)], digits=4)
            tqdm.write(
                f"{num_pairs} pairs, {num_sentences} sentences{', optimized' if is_optimized else ''}: "
                f"{row.wall_seconds:.2f} s, {row.cpu_seconds:.2f} CPU s = {row.cost_in_backbone_passes:.2f} "
                f"backbone passes, {row.peak_memory:.1f} GiB"
            )


if __name__ == "__main__":
    main()
