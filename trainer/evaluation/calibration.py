# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Chooses the thresholds that are saved with a model's processor, and converts its weights to bfloat16."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from tqdm.auto import tqdm
from transformers.utils import logging
from transformers.utils.generic import ModelOutput

from dataset_scripts.readers import PairSource
from modeling_mtrefseg import MTRefSegProcessor
from mtrefseg.build.loading import load_model, load_processor
from mtrs_iou import SampleCounts, count_masks
from trainer.errors import TrainingError

from .batches import Batch, BatchReader
from .evaluator import to_answers


THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55)
NO_TARGET_THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
FALLBACK_THRESHOLDS = (None, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0001)
# People ask about things that are not there more often than the pairs of datasets do.
NO_TARGET_SHARE = 0.2
_BATCH_SIZE = 8
logger = logging.get_logger(__name__)


class Choice(NamedTuple):
    """
    Thresholds and their score.

    Args:
        threshold, no_target_threshold (`float`): The thresholds.
        fallback_threshold (`float`, *optional*): The one for sentences whose mask is empty.
        mean_iou (`float`): In percent; see [`choose`].
    """

    threshold: float
    no_target_threshold: float
    fallback_threshold: float | None
    mean_iou: float


@torch.inference_mode()
def measure(
    source: PairSource,
    model: nn.Module,
    processor: MTRefSegProcessor,
    fallback_thresholds: Sequence[float | None] = FALLBACK_THRESHOLDS,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Scores every combination of a fallback and a pixel threshold on pairs.

    Args:
        source (`PairSource`): The pairs. Sentences that cannot be used are left out with a warning.
        model ([`MTRefSegModel`]): The model, in evaluation mode.
        processor ([`MTRefSegProcessor`]): Its processor, whose fallback threshold is left at the last of these.
        fallback_thresholds (`Sequence[float | None]`, *optional*): The values that are tried.

    Returns:
        Three arrays: IoU, 0 to 1, of shape `(len(fallback_thresholds), len(THRESHOLDS), num_sentences)`; whether there
        is no target, of shape `(num_sentences,)`; and the no-target score, of the same shape.

    Raises:
        TrainingError: If there is no sentence.
    """
    reader = BatchReader(source, processor, _BATCH_SIZE, range(-(-len(source) // _BATCH_SIZE)))
    measured = []
    for place in tqdm(range(len(reader)), desc="Calibration", unit="batch"):
        batch = reader[place]
        _warn_of_problems(batch)
        if batch.inputs is not None:
            measured.append(_measure_batch(batch, model(**batch.inputs), processor, fallback_thresholds))
    if not measured:
        raise TrainingError("The data has no sentences, so no thresholds can be chosen: name other --data.")
    ious, is_empty, scores = zip(*measured)
    return np.concatenate(ious, axis=-1), np.concatenate(is_empty), np.concatenate(scores)


def _measure_batch(
    batch: Batch, outputs: ModelOutput, processor: MTRefSegProcessor, fallback_thresholds: Sequence[float | None]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The part of [`measure`] for one batch; `outputs` are the model's."""
    truths = [pair.truths[index] for pair, asked in zip(batch.pairs, batch.asked) for index in asked]
    ious = np.empty((len(fallback_thresholds), len(THRESHOLDS), len(truths)))
    for row, fallback_threshold in enumerate(fallback_thresholds):
        processor.image_processor.fallback_threshold = fallback_threshold
        for column, threshold in enumerate(THRESHOLDS):
            results = processor.post_process_referring_segmentation(
                outputs, batch.sizes, threshold=threshold, no_target_threshold=1.0
            )
            answers = [answer for result in results for answer in to_answers(result)]
            counts = [count_masks(answer.mask, truth) for answer, truth in zip(answers, truths)]
            ious[row, column] = [iou_of(count) for count in counts]
    # Neither depends on these thresholds, so the last combination serves.
    is_empty = [count.reference_area == 0 for count in counts]
    return ious, np.array(is_empty), np.array([answer.no_target_score for answer in answers])


def _warn_of_problems(batch: Batch) -> None:
    for pair in batch.pairs:
        for sample_id, problem in zip(pair.sample_ids, pair.problems):
            if problem:
                logger.warning(f"{sample_id} is left out: {problem}")


def iou_of(counts: SampleCounts) -> float:
    """Intersection over union, 1 for two empty masks."""
    union = counts.prediction_area + counts.reference_area - counts.intersection
    return counts.intersection / union if union else 1.0


def choose(
    *measured: tuple[np.ndarray, np.ndarray, np.ndarray],
    fallback_thresholds: Sequence[float | None] = FALLBACK_THRESHOLDS,
) -> Choice:
    """
    The thresholds with the largest mean IoU, where an empty mask for a no-target sentence counts as 100. The no-target
    sentences of a set have a share of `NO_TARGET_SHARE`, however many there are.

    Args:
        measured (`tuple`): Result of [`measure`], of one or more sets of pairs with equal weight.
        fallback_thresholds (`Sequence[float | None]`, *optional*): Those that were measured.
    """
    means = np.mean([_means(*each) for each in measured], axis=0)
    best = np.unravel_index(means.argmax(), means.shape)
    return Choice(
        threshold=THRESHOLDS[best[1]],
        no_target_threshold=NO_TARGET_THRESHOLDS[best[2]],
        fallback_threshold=fallback_thresholds[best[0]],
        mean_iou=100 * float(means[best]),
    )


def _means(ious: np.ndarray, is_empty: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Mean IoU with each combination: (fallback thresholds, len(THRESHOLDS), len(NO_TARGET_THRESHOLDS))."""
    rejected = scores > np.array(NO_TARGET_THRESHOLDS)[:, None]
    weights = np.ones(len(scores))
    if 0 < is_empty.sum() < len(is_empty):
        weights[is_empty] = NO_TARGET_SHARE / is_empty.sum()
        weights[~is_empty] = (1 - NO_TARGET_SHARE) / (~is_empty).sum()
    # (fallback thresholds, thresholds, no-target thresholds, sentences)
    values = np.where(rejected, is_empty.astype(float), ious[:, :, None])
    return np.average(values, axis=-1, weights=weights)


def calibrate(
    source: PairSource,
    checkpoint: Path,
    output_dir: Path,
    pixel_size: float | None = None,
    choose_objects: bool | None = None,
    also: Sequence[PairSource] = (),
) -> Choice:
    """
    Chooses the thresholds, and saves model and processor.

    Args:
        source (`PairSource`): The pairs on which they are chosen.
        checkpoint, output_dir (`Path`): Folders of the model, and of the calibrated one.
        pixel_size (`float`, *optional*): Ground resolution of the training images in metres per pixel, which is saved.
        choose_objects (`bool`, *optional*): Whether colours, places and ranks select among objects, which is saved;
            see [`MTRefSegProcessor`]. By default the value in the checkpoint.
        also (`Sequence[PairSource]`, *optional*): Further pairs. Each source has the same weight as the first.

    Returns:
        [`Choice`]: The thresholds that were saved.

    Raises:
        TrainingError: If there is no sentence in `source`.
    """
    processor = load_processor(checkpoint)
    if choose_objects is not None:
        processor.choose_objects = choose_objects
    model = load_model(checkpoint, processor, torch.device("cpu"), dtype="float32")
    choice = choose(*(measure(each, model, processor) for each in (source, *also)))
    processor.image_processor.threshold = choice.threshold
    processor.image_processor.no_target_threshold = choice.no_target_threshold
    processor.image_processor.fallback_threshold = choice.fallback_threshold
    if pixel_size is not None:
        processor.image_processor.pixel_size = pixel_size
    model.save_pretrained(output_dir)
    processor.save_pretrained(output_dir)
    for file in output_dir.glob("*.safetensors"):
        halve(file)
    return choice


def halve(file: Path) -> None:
    """Converts the numbers of a file to bfloat16. The configuration still specifies float32 for loading: small
    models gain nothing from lower precision."""
    tensors = load_file(file)
    half = {name: value.bfloat16() if value.is_floating_point() else value for name, value in tensors.items()}
    save_file(half, file, metadata={"format": "pt"})
