# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Chooses the predictions on the sheet of an evaluation: the best, the median and the worst ones."""

from collections.abc import Sequence
from typing import Any


CASES = 4
"""Maximum number of cases of each kind."""


def choose_cases(samples: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """
    Chooses the sentences of a sheet, at most one per pair.

    Args:
        samples (`Sequence[dict]`): Sentences with a prediction, each with "iou", "pair", "reference_area" and
            "wrong_share" (wrong pixels as a share of the image).

    Returns:
        `dict[str, list[dict]]`: "worst" (with equal IoU, most wrong pixels first), "median", and "best" (with a
        non-empty true mask, if there are any), at most `CASES` each.
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
