# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A perceiver that needs no other model: it knows where the images differ, and names colours and places."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import RefusedError
from ...geometry import from_pixels
from ...prompts.schemas import MOST_DIFFERENCES
from ...records import BoolMask, Box, Verdict
from ..protocols import Answer, Question, Usage
from .comparisons import DIFFERENCES, Comparisons
from .difference import Comparison, Difference
from .sentences import find, grid_sentence, natural_sentences, thing_of


LEAST_SHARE = 0.25
"""A region is reported in a cell that shows at least this share of it."""
LEAST_COVER, LEAST_PURITY = 0.6, 0.6
"""To be accepted, a mask must cover this share of the region, and this share of the mask must differ."""


class OfflinePerceiver:
    """
    Answers all questions from the comparison of the original images.

    Args:
        comparisons (`Comparisons`, *optional*): Where the images differ; by default image differencing.
    """

    def __init__(self, comparisons: Comparisons = DIFFERENCES) -> None:
        self.name = comparisons.name
        self._comparisons = comparisons

    def ask(self, question: Question) -> Answer:
        """Answers a question; refuses to repair answers, since its own are always valid."""
        answers: dict[str, Callable[[Question, Comparison], dict[str, Any]]] = {
            "perceive": _perceive,
            "review": _review,
            "refine": _refine,
            "ground": _ground,
        }
        if question.kind not in answers:
            raise RefusedError("the offline perceiver does not repair answers")
        comparison = self._comparisons.get(question.pair)
        return Answer(json.dumps(answers[question.kind](question, comparison)), Usage(requests=0))


def _perceive(question: Question, comparison: Comparison) -> dict[str, Any]:
    part: Box = question.facts["part"]
    seen = []
    for difference in comparison.differences:
        if difference.box.intersect(part).area >= LEAST_SHARE * difference.box.area:
            seen.append(
                {
                    "expression": grid_sentence(difference),
                    "object": thing_of(difference),
                    "change_type": difference.change_type.value,
                    "confidence": difference.strength,
                    "box": from_pixels(difference.box, part),
                }
            )
    # The clearest come first. What a dense view has more of is seen in the cells.
    return {"differences": seen[:MOST_DIFFERENCES]}


def _review(question: Question, comparison: Comparison) -> dict[str, Any]:
    part: Box = question.facts["part"]
    mask: BoolMask = question.facts["mask"]
    answer = {
        "fit": 0.0,
        "expression": question.facts["expression"],
        "object": question.facts["thing"],
        "change_type": question.facts["change_type"].value,
        "box": [],
        "points": [],
    }
    known = _best(mask, comparison)
    if known is None:
        return {**answer, "verdict": Verdict.NOT_A_CHANGE.value, "comment": "nothing differs there"}
    common, area = known.common(mask), int(np.count_nonzero(mask))
    cover, purity = common / known.area, common / area
    answer["fit"] = round(common / (known.area + area - common), 4)
    answer["comment"] = f"holds {cover:.0%} of what differs; {purity:.0%} of it differs"
    if cover >= LEAST_COVER and purity >= LEAST_PURITY:
        return {**answer, "verdict": Verdict.ACCEPT.value}
    if cover < 0.1 and purity < 0.1:
        verdict = Verdict.WRONG_OBJECT
    else:
        verdict = Verdict.TOO_SMALL if cover < LEAST_COVER else Verdict.TOO_LARGE
    if known.box.intersect(part) == known.box:
        answer["box"] = from_pixels(known.box, part)
    return {**answer, "verdict": verdict.value}


def _refine(question: Question, comparison: Comparison) -> dict[str, Any]:
    known = _best(question.facts["mask"], comparison)
    sentences = [] if known is None else natural_sentences(known, comparison.differences)
    if not sentences:
        return {"expression": question.facts["expression"], "paraphrases": []}
    return {"expression": sentences[0], "paraphrases": sentences[1 : 1 + question.facts["paraphrases"]]}


def _ground(question: Question, comparison: Comparison) -> dict[str, Any]:
    known = find(question.facts["expression"], comparison.differences)
    if known is None:
        return {"found": False, "box": [], "object": "", "change_type": "appear"}
    return {
        "found": True,
        "box": from_pixels(known.box, Box(0, 0, *question.pair.size)),
        "object": thing_of(known),
        "change_type": known.change_type.value,
    }


def _best(mask: BoolMask, comparison: Comparison) -> Difference | None:
    """The region with the largest overlap with a mask, or `None`."""
    area, best, most = int(np.count_nonzero(mask)), None, 0.0
    for difference in comparison.differences:
        common = difference.common(mask)
        iou = common / (difference.area + area - common)
        if iou > most:
            best, most = difference, iou
    return best
