# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A perceiver without trained weights: it computes where the images differ, and names colours and places."""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import RefusedError
from ...geometry import from_pixels, mask_iou
from ...records import BoolMask, Box, ImagePair, Verdict
from ..model_names import OFFLINE
from ..protocols import Answer, Question, Usage
from .difference import Comparison, Difference, compare
from .sentences import NOUN, color_of, find, grid_sentence, natural_sentences


REMEMBERED_PAIRS = 8
LEAST_SHARE = 0.25
"""A region is reported in a cell that shows at least this share of it."""
LEAST_COVER, LEAST_PURITY = 0.6, 0.6
"""To be accepted, a mask must cover this share of the region, and this share of the mask must differ."""


class ComparisonCache:
    """The comparisons of the last few pairs. It may be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Comparison] = OrderedDict()

    def get(self, pair: ImagePair) -> Comparison:
        """The comparison of a pair."""
        digest = hashlib.sha256(str(pair.size).encode())
        for image in (pair.image_t1, pair.image_t2):
            digest.update(image.tobytes())
        key = digest.hexdigest()
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        # Threads work on different pairs, so the lock is not held here.
        comparison = compare(pair)
        with self._lock:
            self._known[key] = comparison
            while len(self._known) > REMEMBERED_PAIRS:
                self._known.popitem(last=False)
        return comparison


COMPARISONS = ComparisonCache()
"""Shared by the offline perceiver and the offline segmenter."""


class OfflinePerceiver:
    """Answers all questions from the comparison of the original images."""

    name = OFFLINE

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
        comparison = COMPARISONS.get(question.pair)
        return Answer(json.dumps(answers[question.kind](question, comparison)), Usage(requests=0))


def _perceive(question: Question, comparison: Comparison) -> dict[str, Any]:
    part: Box = question.facts["part"]
    seen = []
    for difference in comparison.differences:
        if difference.box.intersect(part).area >= LEAST_SHARE * difference.box.area:
            seen.append(
                {
                    "expression": grid_sentence(difference),
                    "object": f"{color_of(difference)} {NOUN}",
                    "change_type": difference.change_type.value,
                    "confidence": difference.strength,
                    "box": from_pixels(difference.box, part),
                }
            )
    return {"differences": seen}


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
    common = np.count_nonzero(mask & known.mask)
    cover, purity = common / np.count_nonzero(known.mask), common / np.count_nonzero(mask)
    answer["fit"] = round(float(mask_iou(mask, known.mask)), 4)
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
        "object": f"{color_of(known)} {NOUN}",
        "change_type": known.change_type.value,
    }


def _best(mask: BoolMask, comparison: Comparison) -> Difference | None:
    """The region with the largest overlap with a mask, or `None`."""
    overlaps = [mask_iou(mask, difference.mask) for difference in comparison.differences]
    if not overlaps or max(overlaps) == 0:
        return None
    return comparison.differences[int(np.argmax(overlaps))]
