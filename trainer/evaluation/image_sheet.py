# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Which predictions are shown on the sheet of an evaluation: the best, median and worst ones."""

from collections.abc import Sequence
from typing import Any


CASES = 4
"""Most cases of each kind."""


def choose_cases(samples: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """
    Chooses what is shown: of each pair one sentence, and none twice.

    Args:
        samples (`Sequence[dict]`): With "iou", "pair", "reference_area" and "wrong_share" (pixels that are wrong, as a
            share of the image); those alone that have a prediction.

    Returns:
        `dict[str, list[dict]]`: "worst" (of equal IoU first the most pixels wrong), "median", and "best" (of those
        whose true mask is not empty, as long as there are any), at most `CASES` each.
    """
    ranked = sorted(samples, key=lambda sample: (sample["iou"], -sample["wrong_share"], sample["key"]))
    with_target = [sample for sample in ranked if sample["reference_area"]]
    middle = len(ranked) // 2
    from_middle = sorted(range(len(ranked)), key=lambda place: abs(place - middle))
    orders = {
        "best": (with_target or ranked)[::-1],
        "worst": ranked,
        "median": [ranked[place] for place in from_middle],
    }
    most = min(CASES, max(1, len({sample["pair"] for sample in samples}) // len(orders)))
    taken: set[Any] = set()
    chosen: dict[str, list[dict[str, Any]]] = {}
    for kind, order in orders.items():
        chosen[kind] = []
        for sample in order:
            if len(chosen[kind]) < most and sample["pair"] not in taken:
                taken.add(sample["pair"])
                chosen[kind].append(sample)
    return {kind: chosen[kind] for kind in ("best", "median", "worst")}
