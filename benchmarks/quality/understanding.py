# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Does a checkpoint use its sentences? On validation pairs it compares the masks with

- the union of what all sentences of the pair mean, the best possible answer without reading the sentence ("oracle"),
- the model's masks for other sentences of the same pair ("shuffled"),
- its masks with t1 and t2 exchanged, where sentences of appearance and disappearance no longer fit anything
  (generated pairs only, since for others it is unknown whether something underwent the opposite change).

```bash
python -m benchmarks.quality.understanding --model mtrefseg-r1 --pairs 300
python -m benchmarks.quality.understanding --model mtrefseg-r1 --data path/to/RS_real_val
```

It appends rows to `results/understanding.csv`. One run, one seed.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from benchmarks.tables import RESULTS, append_rows, today
from craft_agent.geometry import mask_iou
from dataset_scripts.readers import Pair, PairSource, open_pairs
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from mtrefseg.io import SCENES


COLUMNS = ("model", "data", "pairs", "seed", "sentences", "what", "mIoU", "empty_percent", "date")
OPPOSITE = {"appear": "disappear", "disappear": "appear"}


class Scores:
    """Intersection over union of masks, 1 where both are empty, and how many predictions are empty."""

    def __init__(self) -> None:
        self.ious: list[float] = []
        self.empty = 0

    def add(self, predicted: np.ndarray, truth: np.ndarray) -> None:
        """Two bool masks (height, width)."""
        self.ious.append(mask_iou(predicted, truth))
        self.empty += not predicted.any()

    def row(self) -> dict[str, float]:
        """Mean IoU and share of empty predictions, in percent."""
        count = max(len(self.ious), 1)
        return {
            "sentences": len(self.ious),
            "mIoU": round(100 * sum(self.ious) / count, 2),
            "empty_percent": round(100 * self.empty / count, 2),
        }


@torch.inference_mode()
def predict(
    model: MTRefSegModel,
    processor: MTRefSegProcessor,
    images: tuple[Image.Image, Image.Image],
    texts: list[str],
    domain: str | None,
) -> list[np.ndarray]:
    """Masks of some sentences on two images: bool (height, width) each."""
    inputs = processor([images[0]], [images[1]], text=[texts], domain=[domain])
    size = (images[0].height, images[0].width)
    (result,) = processor.post_process_referring_segmentation(model(**inputs), target_sizes=[size])
    return [np.asarray(mask, dtype=bool) for mask in result["masks"]]


def measure(model: MTRefSegModel, processor: MTRefSegProcessor, pairs: PairSource) -> dict[str, Scores]:
    """
    Scores of everything that is compared.

    Args:
        model ([`MTRefSegModel`]): The model.
        processor ([`MTRefSegProcessor`]): Its processor.
        pairs ([`PairSource`]): The pairs.

    Returns:
        `dict[str, Scores]`: By what was scored.
    """
    names = ("masks", "oracle", "masks: a part of the changes", "oracle: a part of the changes", "shuffled", "swapped")
    scores = {name: Scores() for name in names}
    for pair in tqdm(pairs, total=len(pairs), unit="pair"):
        images = pair.load_images()
        domain = None if pair.domain is None else SCENES[pair.domain]
        truths = pair.load_masks(images[0].size)
        masks = predict(model, processor, images, [one.text for one in pair.expressions], domain)
        _compare(masks, truths, scores)
        untrue = _untrue_when_swapped(pair, truths)
        for mask in predict(model, processor, images[::-1], untrue, domain) if untrue else ():
            scores["swapped"].add(mask, np.zeros_like(mask))
    return scores


def _compare(masks: list[np.ndarray], truths: list[np.ndarray], scores: dict[str, Scores]) -> None:
    """Adds the sentences of one pair."""
    union = np.logical_or.reduce(truths)
    for index, (mask, truth) in enumerate(zip(masks, truths, strict=True)):
        scores["masks"].add(mask, truth)
        scores["oracle"].add(union, truth)
        others = [other for other, one in enumerate(truths) if not np.array_equal(one, truth)]
        if others:
            # The next sentence that means something else; sentences without such a one stay out.
            dealt = min(others, key=lambda other: (other - index) % len(masks))
            scores["shuffled"].add(masks[dealt], truth)
        if truth.any() and not np.array_equal(truth, union):
            scores["masks: a part of the changes"].add(mask, truth)
            scores["oracle: a part of the changes"].add(union, truth)


def _untrue_when_swapped(pair: Pair, truths: list[np.ndarray]) -> list[str]:
    """Sentences that fit nothing once the times are exchanged."""
    return [
        one.text
        for one, truth in zip(pair.expressions, truths, strict=True)
        if truth.any() and OPPOSITE.get(one.change_type) in pair.absent_types
    ]


def main() -> None:
    """Measures and appends the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mtrefseg-r1", help="folder or Hub id of a checkpoint")
    parser.add_argument("--data", default="generated", help="folder of pairs, or 'generated'")
    parser.add_argument("--pairs", type=int, default=300, help="how many pairs are generated")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "understanding.csv")
    options = parser.parse_args()
    model = MTRefSegModel.from_pretrained(options.model).eval()
    processor = MTRefSegProcessor.from_pretrained(options.model)
    generator = {"seed": options.seed, "size": 256}
    pairs = open_pairs(options.data, "validation", num_pairs=options.pairs, generator=generator)
    scores = measure(model, processor, pairs)
    run: dict[str, Any] = {"model": Path(options.model).name, "data": Path(options.data).name}
    run |= {"pairs": len(pairs), "seed": options.seed, "date": today()}
    rows = [{**run, "what": what, **score.row()} for what, score in scores.items() if score.ious]
    append_rows(options.out, [{name: row[name] for name in COLUMNS} for row in rows])
    for row in rows:
        print("  ".join(f"{row[name]}" for name in COLUMNS[3:-1]))


if __name__ == "__main__":
    main()
