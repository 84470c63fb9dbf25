# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Does the tiny preset learn to read, and how fast? Trains it from scratch on drawn shapes that stay, come or go, and
scores it on shapes that it has not seen:

    python -m benchmarks.training.learning --minutes 10
    python -m benchmarks.training.learning --minutes 10 --without coordinate_channels

A row is appended to `results/learning.csv` at every evaluation. `change_oracle` is the mIoU of an oracle that masks
every change exactly and does not read: a model that stays below it may not read either.
"""

import argparse
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from tqdm import tqdm

from benchmarks.tables import RESULTS, append_rows
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.build.presets import preset_model, tiny_processor


SIZE = 128
KINDS = ("square", "round", "long")
COLORS = {"red": (200, 50, 40), "green": (50, 160, 60), "blue": (50, 80, 200), "yellow": (220, 200, 60)}
CHANGES = ("appeared", "disappeared")


@dataclass
class Shape:
    """A shape on the ground: what it is, where, and what became of it (`None`: it was and is there)."""

    kind: str
    color: str
    center: tuple[int, int]
    change: str | None

    def draw(self, draw: ImageDraw.ImageDraw, fill: tuple[int, int, int] | int) -> None:
        """Fills the shape."""
        x, y = self.center
        width, height = {"square": (9, 9), "round": (10, 10), "long": (14, 5)}[self.kind]
        outline = (x - width, y - height, x + width, y + height)
        (draw.ellipse if self.kind == "round" else draw.rectangle)(outline, fill=fill)

    @property
    def side(self) -> str:
        """Which half of the image it lies in."""
        return "left" if self.center[0] < SIZE / 2 else "right"


@dataclass
class Sample:
    """A pair of images with sentences and masks."""

    images: tuple[Image.Image, Image.Image]
    sentences: list[str]
    masks: list[np.ndarray]
    every_change: np.ndarray


def draw_sample(random: np.random.Generator) -> Sample:
    """A pair with seven shapes and four sentences about it, the last of which fits nothing."""
    cells = random.permutation(16)[:7]
    shapes = [
        Shape(
            str(random.choice(KINDS)),
            str(random.choice(list(COLORS))),
            (int(cell % 4 * 32 + random.integers(13, 20)), int(cell // 4 * 32 + random.integers(13, 20))),
            (None, "appeared", "disappeared")[random.integers(3)],
        )
        for cell in cells
    ]
    ground = random.integers(90, 150, (8, 8, 3)).astype(np.uint8)
    images = []
    for absent in CHANGES:
        image = Image.fromarray(ground).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(image)
        for shape in shapes:
            if shape.change != absent:
                shape.draw(draw, COLORS[shape.color])
        values = np.asarray(image, dtype=np.float32) * random.uniform(0.8, 1.2) + random.normal(0, 6, (SIZE, SIZE, 3))
        images.append(Image.fromarray(values.clip(0, 255).astype(np.uint8)))
    wordings = [
        (sentence, [shape for shape in shapes if shape.change == change and fits(shape)])
        for change in CHANGES
        for kind in KINDS
        for color in COLORS
        for side in ("left", "right")
        for sentence, fits in (
            (f"the {color} {kind} that {change}", lambda shape, k=kind, c=color: (shape.kind, shape.color) == (k, c)),
            (f"every {color} one that {change}", lambda shape, c=color: shape.color == c),
            (f"all on the {side} that {change}", lambda shape, s=side: shape.side == s),
        )
    ]
    told = [wording for wording in wordings if wording[1]]
    chosen = [told[index] for index in random.integers(len(told), size=3)] if told else []
    untrue = [wording for wording in wordings if not wording[1]]
    chosen.append(untrue[random.integers(len(untrue))])
    masks = [_mask(shapes) for _, shapes in chosen]
    every_change = _mask([shape for shape in shapes if shape.change])
    return Sample((images[0], images[1]), [sentence for sentence, _ in chosen], masks, every_change)


def _mask(shapes: list[Shape]) -> np.ndarray:
    mask = Image.new("1", (SIZE, SIZE))
    for shape in shapes:
        shape.draw(ImageDraw.Draw(mask), 1)
    return np.asarray(mask)


@dataclass
class Score:
    """One row: scores are percentages over held-out samples, means over the sentences that have a target."""

    seconds: int
    steps: int
    loss: float
    mIoU: float  # noqa: N815 - the field's name for it
    change_oracle: float
    no_target_accuracy: float
    without: str


@torch.no_grad()
def evaluate(model: MTRefSegModel, processor: MTRefSegProcessor, samples: list[Sample]) -> tuple[float, float, float]:
    """
    The mIoU of the model, the mIoU of an oracle that masks every change, and the share of untrue sentences with an
    empty mask.
    """
    ious, oracle, rejected = [], [], []
    model.eval()
    for sample in samples:
        outputs = model(**processor(*sample.images, text=sample.sentences))
        (result,) = processor.post_process_referring_segmentation(outputs, [(SIZE, SIZE)], no_target_threshold=0.5)
        for predicted, truth in zip(result["masks"].numpy(), sample.masks):
            if truth.any():
                ious.append((predicted & truth).sum() / (predicted | truth).sum())
                oracle.append(truth.sum() / sample.every_change.sum())
            else:
                rejected.append(not predicted.any())
    model.train()
    return 100 * float(np.mean(ious)), 100 * float(np.mean(oracle)), 100 * float(np.mean(rejected))


def train(minutes: float, batch_size: int, learning_rate: float, without: list[str], out: Path) -> None:
    """Trains for this many minutes, without the time of evaluation, and appends the scores to `out`."""
    torch.manual_seed(0)
    random, held_out = np.random.default_rng(0), np.random.default_rng(1)
    processor = tiny_processor(image_size=SIZE)
    model = preset_model("tiny", processor, **dict.fromkeys(without, False)).train()
    samples = [draw_sample(held_out) for _ in range(100)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.05)
    spent, steps, scored, losses = 0.0, 0, 0.0, []
    with tqdm(total=round(minutes * 60), unit="s") as progress:
        while spent < minutes * 60:
            started = time.perf_counter()
            share = spent / (minutes * 60)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * min(1, (steps + 1) / 50) * (1 - 0.95 * share)
            batch = [draw_sample(random) for _ in range(batch_size)]
            images_t1, images_t2 = zip(*(sample.images for sample in batch))
            inputs = processor(
                images_t1,
                images_t2,
                text=[sample.sentences for sample in batch],
                masks=[sample.masks for sample in batch],
            )
            outputs = model(**inputs)
            optimizer.zero_grad()
            outputs.loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            steps += 1
            losses.append(outputs.loss.item())
            spent += time.perf_counter() - started
            progress.update(round(spent) - progress.n)
            if spent - scored > 60 or spent >= minutes * 60:
                scored = spent
                scores = evaluate(model, processor, samples)
                row = Score(round(spent), steps, float(np.mean(losses[-50:])), *scores, " ".join(without))
                append_rows(out, [asdict(row)], digits=4)
                tqdm.write(f"{row}")


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--batch-size", type=int, default=8, help="pairs per step, with four sentences each")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--without", nargs="*", default=[], help="switches of the configuration to turn off")
    parser.add_argument("--out", type=Path, default=RESULTS / "learning.csv")
    arguments = parser.parse_args()
    train(arguments.minutes, arguments.batch_size, arguments.learning_rate, arguments.without, arguments.out)


if __name__ == "__main__":
    main()
