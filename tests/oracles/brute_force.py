# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Every score again, in another way than the metric: masks are sets of pixels, sums are fractions, ranks are compared
pair by pair. Slow, and plain enough to be checked by reading. Also random samples, and masks of every type.
"""

import random
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import torch
from PIL import Image

from mtrs_iou import encode_rle


Pixels = frozenset[tuple[int, int]]
KINDS = ("bool", "uint8", "uint8 255", "int64", "float32", "torch", "torch 255", "PIL 1", "PIL L", "PIL L 255", "list")
RLE_KINDS = ("RLE text", "RLE bytes", "RLE list")


@dataclass(frozen=True)
class Case:
    """A sample: the masks as sets of (row, column); `prediction` is `None` where it is missing."""

    height: int
    width: int
    prediction: Pixels | None
    reference: Pixels
    domain: str | None = None
    score: float | None = None


def draw_mask(dice: random.Random, height: int, width: int) -> Pixels:
    """A random mask; empty, full and single-pixel ones are frequent."""
    pixels = list(product(range(height), range(width)))
    kind = dice.choice(("empty", "full", "pixel", "noise", "noise", "box", "box"))
    if kind == "empty":
        return frozenset()
    if kind == "full":
        return frozenset(pixels)
    if kind == "pixel":
        return frozenset([dice.choice(pixels)])
    if kind == "noise":
        share = dice.random()
        return frozenset(pixel for pixel in pixels if dice.random() < share)
    rows = sorted(dice.choices(range(height), k=2))
    columns = sorted(dice.choices(range(width), k=2))
    return frozenset((y, x) for y, x in pixels if rows[0] <= y <= rows[1] and columns[0] <= x <= columns[1])


def draw_case(dice: random.Random, largest: int = 9, missing: float = 0.03) -> Case:
    """A random sample; equal masks are frequent."""
    height, width = dice.randint(1, largest), dice.randint(1, largest)
    reference = draw_mask(dice, height, width)
    prediction: Pixels | None = reference if dice.random() < 0.15 else draw_mask(dice, height, width)
    if dice.random() < missing:
        prediction = None
    domain = dice.choice(("NS", "RS", None))
    return Case(height, width, prediction, reference, domain, dice.choice((0.0, 0.25, 0.5, 0.75, 1.0)))


def write_mask(pixels: Pixels | None, height: int, width: int, kind: str) -> Any:
    """The mask as one of the types that the metric reads."""
    if pixels is None:
        return None
    array = np.zeros((height, width), dtype=bool)
    for pixel in pixels:
        array[pixel] = True
    if kind == "list":
        return array.astype(int).tolist()
    if kind.startswith("RLE"):
        return write_rle(array, kind)
    number, _, largest = kind.partition(" ")
    if number == "torch":
        tensor = torch.from_numpy(array)
        return tensor.to(torch.uint8) * 255 if largest else tensor
    if number == "PIL":
        image = Image.fromarray(array.astype(np.uint8) * (255 if "255" in largest else 1))
        return image.point(lambda value: value * 255).convert("1") if largest == "1" else image
    return array.astype(number) * (255 if largest else 1) if number != "bool" else array


def write_rle(array: np.ndarray, kind: str) -> dict[str, Any]:
    """COCO RLE; the uncompressed kind is counted pixel by pixel, and has a run of no pixels at times."""
    height, width = array.shape
    if kind != "RLE list":
        rle = encode_rle(array)
        return rle if kind == "RLE text" else {**rle, "counts": rle["counts"].encode()}
    counts, last = [0], False
    for x, y in product(range(width), range(height)):
        if array[y, x] != last:
            counts.append(0)
            last = not last
        counts[-1] += 1
    if (height + width) % 3 == 0:
        counts += [0, 0]
    return {"size": [height, width], "counts": counts}


def columns(cases: list[Case], kind: str = "bool") -> dict[str, Any]:
    """The arguments of `score_masks`; the ids are running numbers."""
    return {
        "predictions": [write_mask(case.prediction, case.height, case.width, kind) for case in cases],
        "references": [write_mask(case.reference, case.height, case.width, kind) for case in cases],
        "sample_ids": [str(number) for number in range(len(cases))],
        "domains": [case.domain for case in cases],
        "scores": [case.score for case in cases],
    }


def draw_cases(seed: int, count: int) -> list[Case]:
    """Random samples, always the same for a seed."""
    dice = random.Random(seed)
    return [draw_case(dice) for _ in range(count)]


def band(pixels: Pixels, height: int, width: int) -> Pixels:
    """The pixels that have background, or the outside of the image, within the band's width in rows and columns."""
    diagonal = (height**2 + width**2) ** 0.5
    reach = range(-max(1, round(0.02 * diagonal)), max(1, round(0.02 * diagonal)) + 1)
    return frozenset(
        (y, x) for y, x in pixels if any((y + down, x + right) not in pixels for down, right in product(reach, reach))
    )


def iou(one: Pixels | None, other: Pixels) -> Fraction:
    """Intersection over union; 1 if both are empty, 0 if the first one is missing."""
    if one is None:
        return Fraction(0)
    return Fraction(len(one & other), len(one | other)) if one | other else Fraction(1)


def mean(values: list[Any]) -> float | None:
    """Mean in percent, `None` of nothing."""
    return float(100 * Fraction(sum(values), len(values))) if values else None


def share(part: int, whole: int) -> float | None:
    """Part over whole in percent, `None` of nothing."""
    return float(Fraction(100 * part, whole)) if whole else None


def auroc(cases: list[Case]) -> float | None:
    """Share of pairs of an empty and another truth that the score puts in order."""

    def rank(case: Case) -> float:
        if case.prediction is None:
            return float("inf") if case.reference else float("-inf")
        return case.score or 0.0

    empty = [rank(case) for case in cases if not case.reference]
    other = [rank(case) for case in cases if case.reference]
    wins = sum(Fraction(1) if a > b else Fraction(1, 2) if a == b else Fraction(0) for a in empty for b in other)
    return float(100 * wins / (len(empty) * len(other))) if empty and other else None


def expected(cases: list[Case], convention: str = "reference") -> dict[str, Any]:
    """What the metric must give, in percent, without groups."""
    targets = [case for case in cases if case.reference]
    counted = targets if convention == "nonempty" else cases
    predicted = [case.prediction or frozenset() for case in cases]
    shared = sum(len(mask & case.reference) for mask, case in zip(predicted, cases))
    area, true_area = sum(map(len, predicted)), sum(len(case.reference) for case in cases)
    union = sum(len(mask | case.reference) for mask, case in zip(predicted, cases))
    empty = [case for case in cases if not case.reference]
    ious = [iou(case.prediction, case.reference) for case in counted]
    bands = [
        iou(
            case.prediction and band(case.prediction, case.height, case.width),
            band(case.reference, case.height, case.width),
        )
        for case in counted
    ]
    result = {
        f"Pr@{percent}": mean([value >= Fraction(percent, 100) for value in ious]) for percent in range(50, 91, 10)
    }
    result |= {
        "mIoU": mean(ious),
        "gIoU": mean(ious),
        "oIoU": share(shared, union),
        "cIoU": share(shared, union),
        "mIoU_nonempty": mean([iou(case.prediction, case.reference) for case in targets]),
        "N-acc": mean([case.prediction == frozenset() for case in empty]),
        "T-acc": mean([bool(case.prediction) for case in targets]),
        "precision": share(shared, area),
        "recall": share(shared, true_area),
        "f1": share(2 * shared, area + true_area),
        "boundary_IoU": mean(bands),
        "no_target_AUROC": auroc(cases),
        "num_samples": len(cases),
        "num_empty_references": len(empty),
        "num_both_empty": sum(case.prediction == frozenset() for case in empty),
        "num_false_positives_on_empty": sum(bool(case.prediction) for case in empty),
        "num_false_negatives": sum(not case.prediction for case in targets),
        "num_missing_predictions": sum(case.prediction is None for case in cases),
    }
    return result
