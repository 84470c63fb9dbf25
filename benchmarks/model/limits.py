# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
How close each part of a prediction comes to the limits of this processor:

    python -m benchmarks.model.limits
    python -m benchmarks.model.limits --preset paper --sentences 1 --repeats 1

First the limits, in the same run and with the same number of threads: matrix products, depthwise convolutions and
copies, each at the size that suits it best. Then the parts of a prediction, from the array to the mask. A part's limit
is the time of its multiplications at these rates, or of reading its weights, input and output once, whichever is
longer; `times_limit` is what it takes in multiples of that. Rows are appended to `results/limits.csv`. Seconds are
those of the processor, the least of a few runs, so that other programs disturb them little.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.model.inference import SENTENCE, processor_name, random_image
from benchmarks.tables import RESULTS, append_rows, today
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from modeling_mtrefseg.language_mtrefseg import SentenceLayout
from mtrefseg import optimize_for_cpu
from mtrefseg.build.loading import load_model, load_processor
from mtrefseg.build.presets import PRESETS, preset_model, tiny_processor


PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass
class Row:
    """One part, or, with an empty `model`, one limit, whose rate is `giga_per_second` (multiplications or bytes)."""

    model: str
    image_size: int
    sentences: int
    precision: str
    part: str
    cpu_milliseconds: float
    share: float = 0.0
    limit_milliseconds: float = 0.0
    times_limit: float = 0.0
    giga_per_second: float = 0.0
    threads: int = field(default_factory=torch.get_num_threads)
    processor: str = field(default_factory=processor_name)
    torch: str = torch.__version__
    date: str = field(default_factory=today)


@dataclass
class Limits:
    """Multiplications (one with its addition) and bytes per second."""

    product: float
    depthwise: float
    copy: float

    def seconds(self, products: float, depthwise: float, num_bytes: float) -> float:
        """The least time that so many operations and bytes take."""
        return max(products / self.product + depthwise / self.depthwise, num_bytes / self.copy)


def cpu_seconds(function: Callable[[], Any], repeats: int) -> float:
    """The least processor seconds of a call, after a first one."""
    function()
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        spent.append(time.process_time() - start)
    return min(spent)


@torch.no_grad()
def measure_limits(dtype: torch.dtype) -> Limits:
    """The best rates of this processor in a precision."""

    def product(rows: int, size: int) -> float:
        layer = optimize_for_cpu(nn.Linear(size, size), dtype)
        states = torch.randn(rows, size)
        repeated = [lambda: layer(states), lambda: torch.mm(states.to(dtype), layer.weight.to(dtype))]
        return rows * size * size / min(cpu_seconds(each, 5) for each in repeated)

    def convolution(channels: int, side: int) -> float:
        layer = optimize_for_cpu(nn.Conv2d(channels, channels, 3, padding=1), dtype)
        return (channels * side * 3) ** 2 / cpu_seconds(lambda: layer(torch.ones(1, channels, side, side)), 5)

    def depthwise(channels: int, side: int) -> float:
        layer = optimize_for_cpu(nn.Conv2d(channels, channels, 5, padding=2, groups=channels), dtype)
        pixels = torch.randn(2, channels, side, side).contiguous(memory_format=torch.channels_last)
        return 2 * channels * side * side * 25 / cpu_seconds(lambda: layer(pixels), 5)

    source = torch.randn(1 << 25)
    target = torch.empty_like(source)
    return Limits(
        max([product(1024, 1024), product(2048, 2048), convolution(96, 64), convolution(256, 64)]),
        max([depthwise(288, 32), depthwise(720, 16)]),
        2 * source.nbytes / cpu_seconds(lambda: target.copy_(source), 5),
    )


@torch.no_grad()
def parts_of(
    model: MTRefSegModel, processor: MTRefSegProcessor, num_sentences: int
) -> dict[str, tuple[Callable[[], Any], list[nn.Module]]]:
    """By name, in order: what runs a part of a prediction, and the modules with its weights."""
    vision, size = model.vision_model, model.config.image_size
    first, second = (np.asarray(random_image(size, seed)) for seed in (1, 2))
    text = [[f"{SENTENCE} {number}" for number in range(num_sentences)]]
    inputs = processor(first, second, text=text)
    pixels = torch.cat([inputs["pixel_values_t1"], inputs["pixel_values_t2"]])
    levels_t1, levels_t2 = zip(*(level.chunk(2) for level in vision.backbone(pixels).feature_maps))
    fused = vision.fusion(levels_t1, levels_t2)
    features = vision.mask_decoder.encode(fused)
    encoding = model.encode_pair(inputs["pixel_values_t1"], inputs["pixel_values_t2"])
    layout = SentenceLayout.of(inputs["input_ids"], inputs["num_expressions"], 1)
    prompt = (inputs["prompt_input_ids"], inputs["prompt_attention_mask"])
    sentences = (inputs["input_ids"], inputs["attention_mask"])
    states = model._read_sentences(encoding, *prompt, *sentences, layout)
    pooled = layout.pad(states.mean(1))
    queries = model.seg_head(pooled, fused[-1]).unsqueeze(2)
    outputs = model(**inputs)
    decoder = vision.mask_decoder
    return {
        "images and sentences": (lambda: processor(first, second, text=text), []),
        "backbone": (lambda: vision.backbone(pixels), [vision.backbone]),
        "fusion": (lambda: vision.fusion(levels_t1, levels_t2), [vision.fusion]),
        "pixel decoder": (lambda: decoder.encode(fused), [decoder.pixel_decoder]),
        "projector": (lambda: model.projector(torch.cat([levels_t1[-1], levels_t2[-1]])), [model.projector]),
        "language model": (
            lambda: model._read_sentences(encoding, *prompt, *sentences, layout),
            list(model.language_model.get_decoder().children())[1:],  # Not the table of words.
        ),
        "[SEG] head": (lambda: model.seg_head(pooled, fused[-1]), [model.seg_head]),
        "mask decoder": (lambda: decoder(features, queries), [decoder.transformer_module]),
        "masks": (lambda: processor.post_process_referring_segmentation(outputs, [(size, size)]), []),
    }


def count_work(run: Callable[[], Any], modules: list[nn.Module]) -> tuple[float, float, float]:
    """
    Multiplications of matrix products and other convolutions, of depthwise convolutions, and bytes of the weights and
    of what layers read and write.

    Args:
        run (`Callable`): Runs a part of a model that [`optimize_for_cpu`] has not seen: its operators are counted.
        modules (`list[nn.Module]`): Those of the part.
    """
    depthwise = 0.0

    def count(layer: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal depthwise
        depthwise += output.numel() * layer.kernel_size[0] * layer.kernel_size[1]

    layers = [layer for module in modules for layer in module.modules()]
    grouped = [layer for layer in layers if isinstance(layer, nn.Conv2d) and layer.groups > 1]
    hooks = [layer.register_forward_hook(count) for layer in grouped]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        output = run()
    for hook in hooks:
        hook.remove()
    num_bytes = sum(parameter.nbytes for module in modules for parameter in module.parameters())
    num_bytes += sum(tensor.nbytes for tensor in _tensors(output))
    # The counter's kernels are those with the zeros that stride 2 adds, the hook's those of the weights.
    return max(counter.get_total_flops() / 2 - depthwise, 0), depthwise, num_bytes


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for each in value for tensor in _tensors(each)] if isinstance(value, list | tuple) else []


def make(name: str, preset: str | None, image_size: int | None) -> tuple[MTRefSegModel, MTRefSegProcessor]:
    """A checkpoint, or a preset with random weights."""
    if preset is None:
        processor = load_processor(name)
        return load_model(name, processor, torch.device("cpu")), processor
    size = image_size or PRESETS[preset].get("image_size", 1024)
    processor = tiny_processor(size)
    return optimize_for_cpu(preset_model(preset, processor).eval()), processor


@torch.no_grad()
def measure(
    model: MTRefSegModel,
    processor: MTRefSegProcessor,
    name: str,
    num_sentences: int,
    precision: str,
    limits: Limits,
    repeats: int,
) -> list[Row]:
    """The rows of one prediction, and their sum."""
    with torch.backends.mkldnn.flags(enabled=False):
        # The layers' plain operators, which the counter knows.
        work = {part: count_work(*each) for part, each in parts_of(model, processor, num_sentences).items()}
    optimize_for_cpu(model, PRECISIONS[precision])
    spent = {part: cpu_seconds(run, repeats) for part, (run, _) in parts_of(model, processor, num_sentences).items()}
    rows = []
    for part, seconds in {**spent, "all": sum(spent.values())}.items():
        least = sum(limits.seconds(*each) for each in work.values()) if part == "all" else limits.seconds(*work[part])
        rows.append(
            Row(
                model=name,
                image_size=model.config.image_size,
                sentences=num_sentences,
                precision=precision,
                part=part,
                cpu_milliseconds=seconds * 1e3,
                share=seconds / sum(spent.values()),
                limit_milliseconds=least * 1e3,
                times_limit=seconds / least if least else 0.0,
            )
        )
    return rows


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mtrefseg-r1", help="folder or Hub id of a checkpoint")
    parser.add_argument("--preset", choices=list(PRESETS), help="random weights instead of a checkpoint")
    parser.add_argument("--image-size", type=int, help="side of the preset's canvas in pixels")
    parser.add_argument("--sentences", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--precision", nargs="+", choices=list(PRECISIONS), default=list(PRECISIONS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--out", type=Path, default=RESULTS / "limits.csv")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    model, processor = make(arguments.model, arguments.preset, arguments.image_size)
    name = arguments.preset or Path(arguments.model).name
    for precision in arguments.precision:
        limits = measure_limits(PRECISIONS[precision])
        rates = [
            Row("", 0, 0, precision, f"limit: {kind}", 0.0, giga_per_second=rate / 1e9)
            for kind, rate in asdict(limits).items()
        ]
        append_rows(arguments.out, [asdict(row) for row in rates], digits=3)
        print(f"{precision}: " + ", ".join(f"{kind} {rate / 1e9:.0f} G/s" for kind, rate in asdict(limits).items()))
        for num_sentences in arguments.sentences:
            rows = measure(model, processor, name, num_sentences, precision, limits, arguments.repeats)
            append_rows(arguments.out, [asdict(row) for row in rows], digits=3)
            for row in rows:
                print(
                    f"{num_sentences:3d} {row.part:22} {row.cpu_milliseconds:8.1f} ms {row.share:6.1%} "
                    f"{row.times_limit:6.1f} x limit"
                )


if __name__ == "__main__":
    main()
