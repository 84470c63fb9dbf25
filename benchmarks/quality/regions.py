# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
How many changed regions of annotated pairs does CRAFT-Agent's offline perceiver propose?

A true region is a connected component (with diagonals) of the union of a pair's masks. It is found if a proposal has
an IoU of at least 0.5 with it; such a proposal is correct, all others are false. "large" leaves out true regions of
less than 36 pixels in 256 x 256 (0.055 % of the image), such as specks at the border. "typed" counts the found regions
with one change type: that of the sentences whose masks contain most of the region. "type_correct" counts those for
which the proposal has the same type.

```bash
python -m benchmarks.quality.regions --data path/to/RS_real_val --pairs 20
python -m benchmarks.quality.regions --data path/to/RS_real_val --model difference   # without weights
```

It appends rows to `results/regions.csv`: one of all pairs, and one of each source of the images if there are several.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.tables import RESULTS, append_rows
from craft_agent.backends.offline import DIFFERENCES, Comparisons, Difference, model_comparisons
from craft_agent.records import ImagePair
from dataset_scripts.readers import Pair, open_pairs
from modeling_mtrefseg.components_mtrefseg import label_components


COUNTS = ("pairs", "true", "large", "found", "found_large", "typed", "type_correct", "proposals", "correct")
LEAST_IOU = 0.5
LEAST_SHARE = 36 / 256**2

BoolMask = npt.NDArray[np.bool_]


def count_regions(pair: Pair, masks: list[BoolMask], differences: tuple[Difference, ...]) -> Counter[str]:
    """
    Compares the proposals for a pair with its masks.

    Args:
        pair (`Pair`): The pair; its expressions have the change types.
        masks (`list[np.ndarray]`): The mask of each expression, bool `(height, width)`.
        differences (`tuple[Difference, ...]`): The proposals.

    Returns:
        `Counter[str]`: By the names in `COUNTS`.
    """
    counts = Counter(pairs=1, proposals=len(differences))
    if not masks:
        return counts
    labels, count = label_components(np.logical_or.reduce(masks))
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    found: dict[int, Difference] = {}
    for difference in differences:
        common = np.bincount(difference.inside(labels)[difference.part], minlength=count + 1)
        ious = common / (areas + difference.area - common)
        ious[0] = 0
        best = int(ious.argmax())
        if ious[best] >= LEAST_IOU:
            counts["correct"] += 1
            found[best] = difference
    is_large = areas >= LEAST_SHARE * labels.size
    counts.update(
        true=count, large=int(is_large[1:].sum()), found=len(found), found_large=int(is_large[[*found]].sum())
    )
    for region, difference in found.items():
        inside = [np.count_nonzero(mask[labels == region]) > areas[region] / 2 for mask in masks]
        types = {one.change_type for one, holds in zip(pair.expressions, inside, strict=True) if holds} - {"unknown"}
        # Where different changes touch, the region has several types, and none is correct.
        counts["typed"] += len(types) == 1
        counts["type_correct"] += types == {difference.change_type.value}
    return counts


def measure(comparisons: Callable[[str | None], Comparisons], data: str, limit: int | None) -> dict[str, Counter[str]]:
    """
    Counts the regions of many pairs.

    Args:
        comparisons (`Callable`): Takes the domain of a pair and returns the [`Comparisons`] that propose its regions.
        data (`str`): Folder of pairs.
        limit (`int`, *optional*): How many pairs are used, from the first.

    Returns:
        `dict[str, Counter]`: The counts of each source of the images, with CPU milliseconds as "cpu".
    """
    pairs = open_pairs(data, "validation")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for pair in tqdm(islice(pairs, limit), total=min(len(pairs), limit or len(pairs)), unit="pair"):
        images = pair.load_images()
        masks = pair.load_masks(images[0].size)
        started = time.process_time()
        differences = comparisons(pair.domain).get(ImagePair(pair.pair_id, *images)).differences
        counts[pair.source]["cpu"] += round(1000 * (time.process_time() - started))
        counts[pair.source] += count_regions(pair, masks, differences)
    return counts


def make_row(counts: Counter[str]) -> dict[str, float]:
    """The columns of counts."""
    return {name: counts[name] for name in COUNTS} | {
        "precision_percent": round(100 * counts["correct"] / max(counts["proposals"], 1), 1),
        "cpu_seconds_per_pair": round(counts["cpu"] / 1000 / max(counts["pairs"], 1), 2),
    }


def main() -> None:
    """Measures and appends the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mtrefseg-r1", help="folder or Hub id of a checkpoint, or 'difference'")
    parser.add_argument("--data", required=True, help="folder of pairs, its validation split")
    parser.add_argument("--pairs", type=int, help="how many pairs are used, from the first (default: all)")
    parser.add_argument("--out", type=Path, default=RESULTS / "regions.csv")
    options = parser.parse_args()

    def comparisons(domain: str | None) -> Comparisons:
        return DIFFERENCES if options.model == "difference" else model_comparisons(options.model, None, domain)

    counts = measure(comparisons, options.data, options.pairs)
    rows = {"all": make_row(sum(counts.values(), Counter()))}
    if len(counts) > 1:
        rows |= {source: make_row(count) for source, count in sorted(counts.items())}
    run = {"model": Path(options.model).name, "data": Path(options.data).name}
    append_rows(options.out, [{**run, "source": source, **row} for source, row in rows.items()])
    for source, row in rows.items():
        print(f"{source}:", ", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
