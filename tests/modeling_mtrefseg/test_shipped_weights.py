# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A gate: the shipped weights must not get worse, by a change of the code or of the checkpoint."""

from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoProcessor

from dataset_scripts.synthesis.generator import Generator
from dataset_scripts.synthesis.words import Paraphraser
from mtrefseg import optimize_for_cpu


CHECKPOINT = Path(__file__).resolve().parents[2] / "mtrefseg-r1"
SCENES = {"NS": "normal_scene", "RS": "remote_sensing"}
NUM_PAIRS = 60

SMALLEST_MEAN_IOU = {"plain": 0.684, "reworded": 0.631}
"""The shipped weights reach 0.695, and 0.642 where the sentences are reworded. The margin is for rounding on other
processors. Raise the floors with every better checkpoint."""


@torch.inference_mode()
def test_mean_iou_on_generated_pairs() -> None:
    model = optimize_for_cpu(AutoModel.from_pretrained(CHECKPOINT).eval())
    processor = AutoProcessor.from_pretrained(CHECKPOINT)
    generator, paraphraser = Generator(seed=77, split="test", size=256), Paraphraser(split="reworded", typo_share=0.0)
    ious: dict[str, list[float]] = {"plain": [], "reworded": []}
    for index in range(NUM_PAIRS):
        pair, random = generator.pair(index), np.random.default_rng(index)
        plain = [expression.text for expression in pair.expressions]
        reworded = [
            paraphraser.paraphrase(expression.text, expression.change_type, random, pair.domain)
            for expression in pair.expressions
        ]
        inputs = processor(pair.image_t1, pair.image_t2, text=[plain + reworded], domain=SCENES[pair.domain])
        (answers,) = processor.post_process_referring_segmentation(model(**inputs), [(256, 256)])
        names = ["plain"] * len(plain) + ["reworded"] * len(reworded)
        for name, mask, expression in zip(names, answers["masks"].numpy(), pair.expressions * 2, strict=True):
            union = np.logical_or(mask, expression.mask).sum()
            ious[name].append(np.logical_and(mask, expression.mask).sum() / union if union else 1.0)
    means = {name: float(np.mean(values)) for name, values in ious.items()}
    assert all(means[name] >= floor for name, floor in SMALLEST_MEAN_IOU.items()), means
