# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Prepares a trained model for publishing: chooses the thresholds that are saved with its processor, and stores its
weights as bfloat16, in half the space.

```bash
python trainer/calibrate.py --model outputs/checkpoint --output_dir outputs/mtrefseg-r1
python trainer/calibrate.py --model outputs/checkpoint --output_dir outputs/mtrefseg-r1 --data path/to/MTRefSeg-21K
```

Pixels above `threshold` are in the mask, and the mask is empty where the score for "nothing fits" is above
`no_target_threshold`. Both together are the ones with the largest mean IoU (an empty mask where nothing fits counts as
100). Choose on pairs that no score is reported for: the generated ones have a seed of their own.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


if __name__ == "__main__":
    import clone_path  # type: ignore[import-not-found]  # noqa: F401

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from tqdm.auto import tqdm
from transformers import AutoModel, AutoProcessor

from dataset_scripts.readers import PairSource
from modeling_mtrefseg import MTRefSegProcessor
from mtrefseg.build.cpu import optimize_for_cpu
from mtrefseg.errors import run_command
from mtrefseg.option_values import OneLineParser
from mtrs_iou.mask_counts import SampleCounts, count_masks
from trainer.errors import TrainingError
from trainer.evaluate import add_data_options, find_checkpoint, open_source
from trainer.evaluation import BatchReader


THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55)
NO_TARGET_THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_BATCH_SIZE = 8


class Choice(NamedTuple):
    """
    Two thresholds and what they reach.

    Args:
        threshold, no_target_threshold (`float`): The thresholds.
        mean_iou (`float`): In percent.
    """

    threshold: float
    no_target_threshold: float
    mean_iou: float


@torch.inference_mode()
def measure(source: PairSource, model: nn.Module, processor: MTRefSegProcessor) -> tuple[np.ndarray, ...]:
    """
    Scores every threshold for pixels on pairs.

    Args:
        source (`PairSource`): The pairs. Sentences that cannot be read are left out.
        model ([`MTRefSegModel`]): The model, in evaluation mode.
        processor ([`MTRefSegProcessor`]): Its processor.

    Returns:
        Three arrays: IoU, 0 to 1, of shape `(len(THRESHOLDS), num_sentences)`; whether nothing fits, of shape
        `(num_sentences,)`; and the score for that, of the same shape.

    Raises:
        TrainingError: If there is no sentence.
    """
    ious: list[list[float]] = []
    is_empty: list[bool] = []
    scores: list[float] = []
    reader = BatchReader(source, processor, _BATCH_SIZE, range(-(-len(source) // _BATCH_SIZE)))
    for place in tqdm(range(len(reader)), desc="Calibration", unit="batch"):
        batch = reader[place]
        if batch.inputs is None:
            continue
        shown = [(pair, asked) for pair, asked in zip(batch.pairs, batch.asked) if asked and pair.images]
        sizes = [pair.images[0].size[::-1] for pair, _ in shown if pair.images]
        outputs = model(**batch.inputs)
        results = [
            processor.post_process_referring_segmentation(outputs, sizes, threshold=threshold, no_target_threshold=1.0)
            for threshold in THRESHOLDS
        ]
        for number, (pair, asked) in enumerate(shown):
            masks = [result[number]["masks"].numpy() for result in results]
            scores += results[0][number]["no_target_scores"].tolist()
            for row, index in enumerate(asked):
                counts = [count_masks(mask[row], pair.truths[index]) for mask in masks]
                is_empty.append(counts[0].reference_area == 0)
                ious.append([iou_of(count) for count in counts])
    if not ious:
        raise TrainingError("There is no sentence to choose the thresholds on.")
    return np.array(ious).T, np.array(is_empty), np.array(scores)


def iou_of(counts: SampleCounts) -> float:
    """Intersection over union, 1 of two empty masks."""
    union = counts.prediction_area + counts.reference_area - counts.intersection
    return counts.intersection / union if union else 1.0


def choose(ious: np.ndarray, is_empty: np.ndarray, scores: np.ndarray) -> Choice:
    """
    The best pair of thresholds.

    Args:
        ious, is_empty, scores (`np.ndarray`): What [`measure`] gave.
    """
    rejected = scores > np.array(NO_TARGET_THRESHOLDS)[:, None]
    # (thresholds, no-target thresholds, sentences)
    values = np.where(rejected[None], is_empty.astype(float), ious[:, None])
    means = values.mean(2)
    best = np.unravel_index(means.argmax(), means.shape)
    return Choice(THRESHOLDS[best[0]], NO_TARGET_THRESHOLDS[best[1]], 100 * float(means[best]))


def parse_arguments(arguments: Sequence[str], program: str) -> argparse.Namespace:
    """Reads the command line."""
    parser = OneLineParser(prog=program, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder or Hub id of a checkpoint")
    parser.add_argument("--output_dir", required=True, type=Path, help="folder for the calibrated checkpoint")
    parser.add_argument(
        "--pixel_size",
        type=float,
        help="metres of a pixel on the ground in the training images, saved with the processor: large scenes are then "
        "cut into windows at this resolution",
    )
    add_data_options(parser, seed=1, generated_pairs=300)
    return parser.parse_args(arguments)


def run(arguments: argparse.Namespace) -> Choice:
    """Chooses, and saves model and processor."""
    checkpoint = find_checkpoint(arguments.model)
    source = open_source(arguments)
    processor = AutoProcessor.from_pretrained(checkpoint)
    model = optimize_for_cpu(AutoModel.from_pretrained(checkpoint, dtype="float32").eval())
    choice = choose(*measure(source, model, processor))
    processor.image_processor.threshold = choice.threshold
    processor.image_processor.no_target_threshold = choice.no_target_threshold
    if arguments.pixel_size is not None:
        processor.image_processor.pixel_size = arguments.pixel_size
    model.save_pretrained(arguments.output_dir)
    processor.save_pretrained(arguments.output_dir)
    for file in arguments.output_dir.glob("*.safetensors"):
        halve(file)
    return choice


def halve(file: Path) -> None:
    """Stores the numbers of a file as bfloat16. The configuration still says float32, which they are loaded as: small
    models gain nothing from computing in less."""
    tensors = load_file(file)
    half = {name: value.bfloat16() if value.is_floating_point() else value for name, value in tensors.items()}
    save_file(half, file, metadata={"format": "pt"})


def main(arguments: Sequence[str] | None = None, program: str = "calibrate.py") -> int:
    """
    Calibrates as the command line says.

    Args:
        arguments (`Sequence[str]`, *optional*): The arguments after the program's name, by default the process's own.
        program (`str`, *optional*): Name of the program, for help and errors.

    Returns:
        `int`: The exit code: 0 done, 2 bad input, 130 interrupted.
    """

    def calibrate() -> None:
        options = parse_arguments(sys.argv[1:] if arguments is None else arguments, program)
        choice = run(options)
        tqdm.write(f"threshold            {choice.threshold}")
        tqdm.write(f"no_target_threshold  {choice.no_target_threshold}")
        tqdm.write(f"mean IoU with them   {choice.mean_iou:.2f}")
        tqdm.write(f"saved in             {options.output_dir}")

    return run_command(program, calibrate)


if __name__ == "__main__":
    sys.exit(main())
