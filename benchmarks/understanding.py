# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Does a checkpoint use its sentences? On generated validation pairs it compares the masks with

- the union of all changes of the pair, the best possible answer without reading the sentence ("oracle"),
- the model's masks for other sentences of the same pair ("shuffled"),
- its masks with t1 and t2 exchanged, where sentences of appearance and disappearance no longer fit anything.

```bash
python -m benchmarks.understanding --model mtrefseg-r1 --pairs 300
```

It appends rows to `results/understanding.csv`. One run, one seed.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from dataset_scripts.synthesis import Generator, SyntheticPair
from modeling_mtrefseg import MTRefSegModel, MTRefSegProcessor
from trainer.data import SCENES


COLUMNS = ("model", "pairs", "seed", "sentences", "what", "mIoU", "empty_percent")
OPPOSITE = {"appear": "disappear", "disappear": "appear"}


class Scores:
    """Intersection over union of masks, 1 where both are empty, and how many predictions are empty."""

    def __init__(self) -> None:
        self.ious: list[float] = []
        self.empty = 0

    def add(self, predicted: np.ndarray, truth: np.ndarray) -> None:
        """Two bool masks (height, width)."""
        union = np.count_nonzero(predicted | truth)
        self.ious.append(np.count_nonzero(predicted & truth) / union if union else 1.0)
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
    model: MTRefSegModel, processor: MTRefSegProcessor, pair: SyntheticPair, texts: list[str], swapped: bool
) -> list[np.ndarray]:
    """Masks of some sentences on a pair, or on the pair with its times exchanged: bool (height, width) each."""
    images = (pair.image_t2, pair.image_t1) if swapped else (pair.image_t1, pair.image_t2)
    inputs = processor([images[0]], [images[1]], text=[texts], domain=[SCENES[pair.domain]])
    size = (pair.image_t1.height, pair.image_t1.width)
    (result,) = processor.post_process_referring_segmentation(model(**inputs), target_sizes=[size])
    return [np.asarray(mask, dtype=bool) for mask in result["masks"]]


def measure(model: MTRefSegModel, processor: MTRefSegProcessor, pairs: Iterator[SyntheticPair], count: int) -> dict:
    """
    Scores of everything that is compared.

    Args:
        model ([`MTRefSegModel`]): The model.
        processor ([`MTRefSegProcessor`]): Its processor.
        pairs (`Iterator[SyntheticPair]`): The pairs.
        count (`int`): How many there are.

    Returns:
        `dict[str, Scores]`: By what was scored.
    """
    names = ("masks", "oracle", "masks: a part of the changes", "oracle: a part of the changes", "shuffled", "swapped")
    scores = {name: Scores() for name in names}
    for pair in tqdm(pairs, total=count, unit="pair"):
        expressions = pair.expressions
        masks = predict(model, processor, pair, [one.text for one in expressions], swapped=False)
        union = pair.change_mask
        for index, (expression, mask) in enumerate(zip(expressions, masks)):
            scores["masks"].add(mask, expression.mask)
            scores["oracle"].add(union, expression.mask)
            others = [other for other, one in enumerate(expressions) if not np.array_equal(one.mask, expression.mask)]
            if others:
                # The next sentence that means something else; sentences without such a one stay out.
                scores["shuffled"].add(
                    masks[min(others, key=lambda other: (other - index) % len(masks))], expression.mask
                )
            if expression.mask.any() and not np.array_equal(expression.mask, union):
                scores["masks: a part of the changes"].add(mask, expression.mask)
                scores["oracle: a part of the changes"].add(union, expression.mask)
        changes = {thing.change for thing in pair.scene.things}
        untrue = [
            one.text
            for one in expressions
            if one.mask.any() and one.change_type in OPPOSITE and OPPOSITE[one.change_type] not in changes
        ]
        if untrue:
            for mask in predict(model, processor, pair, untrue, swapped=True):
                scores["swapped"].add(mask, np.zeros_like(mask))
    return scores


def main() -> None:
    """Measures and appends the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mtrefseg-r1", help="folder or Hub id of a checkpoint")
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "understanding.csv")
    options = parser.parse_args()
    model = MTRefSegModel.from_pretrained(options.model).eval()
    processor = MTRefSegProcessor.from_pretrained(options.model)
    generator = Generator(seed=options.seed, split="validation")
    scores = measure(model, processor, generator.pairs(stop=options.pairs), options.pairs)
    is_new = not options.out.exists()
    with options.out.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if is_new:
            writer.writeheader()
        for what, score in scores.items():
            row = {"model": Path(options.model).name, "pairs": options.pairs, "seed": options.seed, "what": what}
            row |= score.row()
            writer.writerow(row)
            print("  ".join(f"{row[name]}" for name in COLUMNS[3:]))


if __name__ == "__main__":
    main()
