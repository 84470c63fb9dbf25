# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""One sentence of an evaluation, shown as a pair with truth and prediction as outlines."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from mtrefseg.looks import HAIRLINE, PREDICTION, TRUTH

from .drawing import area_text, to_panel
from .pair_images import Images
from .pair_view import ShownAnswer, pair_view_html
from .predictions import ScoredSentence, mean_iou


def case_html(sentence: ScoredSentence, images: Images | None, side: int) -> str:
    """
    The pair of a sentence with truth and prediction.

    Args:
        sentence ([`ScoredSentence`]): The sentence.
        images (`tuple[PIL.Image.Image, PIL.Image.Image]`, *optional*): t1 and t2, of the size of the masks; without
            them, the masks are on grey.
        side (`int`): Longer side of the images, in pixels.

    Returns:
        `str`: HTML of [`mtrefseg.view.pair_view`]; "" if there is neither an image nor a mask.
    """
    size = images[0].size[::-1] if images is not None else sentence.size
    if size is None:
        return ""
    scale = side / max(size)
    panel = (max(1, round(size[1] * scale)), max(1, round(size[0] * scale)))
    if images is None:
        ground = Image.new("RGB", panel, HAIRLINE)
        shown = (ground, ground)
    else:
        shown = (to_panel(images[0], panel), to_panel(images[1], panel))
    masks = (("truth", sentence.truth_mask(), TRUTH), ("prediction", sentence.prediction_mask(), PREDICTION))
    answers = []
    for name, mask, color in masks:
        note = "missing" if mask is None else "empty" if not mask.any() else f"{area_text(mask.mean())} of the image"
        shape = np.zeros(size, dtype=bool) if mask is None else mask
        answers.append(ShownAnswer(name, shape, note, sentence.change_type, color))
    return pair_view_html(shown, answers, "images not available" if images is None else "")


def summary_of(sentences: Sequence[ScoredSentence]) -> list[tuple[str, str]]:
    """
    The numbers at the top of a report.

    Args:
        sentences (`Sequence[ScoredSentence]`): The sentences.

    Returns:
        `list[tuple[str, str]]`: Names and values.
    """
    if not sentences:
        return [("sentences", "0")]
    target = [each.iou for each in sentences if each.has_target]
    empty = [each for each in sentences if not each.has_target]
    found = [("sentences", f"{len(sentences):,}"), ("mean IoU", f"{mean_iou(sentences):.1f}")]
    if target:
        found.append(("median IoU, with a target", f"{np.median(target):.1f}"))
        found.append(("IoU of at least 50", f"{np.mean(np.array(target) >= 50) * 100:.0f} %"))
    if empty:
        right = sum(each.iou >= 100 for each in empty)
        found.append(("no-target sentences left empty", f"{right:,} of {len(empty):,}"))
    return found


def typical_cases(sentences: Sequence[ScoredSentence]) -> dict[str, ScoredSentence]:
    """
    The worst, the median and the best of an evaluation, of sentences that have a target if there are any.

    Args:
        sentences (`Sequence[ScoredSentence]`): The sentences, worst first.

    Returns:
        `dict[str, ScoredSentence]`: "worst", "median" and "best"; empty without sentences.
    """
    chosen = [each for each in sentences if each.has_target and each.problem is None] or list(sentences)
    if not chosen:
        return {}
    return {"worst": chosen[0], "median": chosen[len(chosen) // 2], "best": chosen[-1]}
