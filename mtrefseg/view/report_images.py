# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws an evaluation: sentences with truth and prediction side by side, and the histogram of the IoU."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mtrefseg.looks import ACCENT, GREY, INK, PAPER, PREDICTION, TRUTH, Color

from .drawing import GAP, MARGIN, PAGE_WIDTH, font_of, heading, paint_masks, plain, stack, to_panel, wrap
from .pair_images import Images, PairImages
from .predictions import IOU_STEPS, ScoredSentence, iou_histogram, mean_iou, worst_first


CHANGE_NAMES = {
    "appear": "appears",
    "disappear": "disappears",
    "state_change": "changes state",
    "unknown": "change type unknown",
}
DOMAIN_NAMES = {"NS": "everyday scene", "RS": "remote sensing"}
"""How pages name the domains."""
WORST_ON_SHEET = 12
_NO_IMAGE: Color = (226, 228, 232)
_PANEL = ((PAGE_WIDTH - 2 * MARGIN - 3 * GAP) // 4, 400)  # width and height at most
_TITLE, _LINE, _MOST_LINES = 26, 28, 3
_HISTOGRAM_HEIGHT = 300


@dataclass(frozen=True)
class Case:
    """
    A sentence and its images, if they were found.

    Args:
        sentence ([`ScoredSentence`]): The sentence.
        images (`tuple[PIL.Image.Image, PIL.Image.Image]`, *optional*): t1 and t2.
    """

    sentence: ScoredSentence
    images: Images | None


def find_cases(sentences: Sequence[ScoredSentence], images: PairImages | None) -> Iterator[Case]:
    """Looks up the images of sentences one by one; without `images`, none are found."""
    for sentence in sentences:
        yield Case(sentence, None if images is None else images.find(sentence))


def draw_case(sentence: ScoredSentence, images: Images | None) -> Image.Image:
    """
    Draws one sentence: t1, t2, the truth and the prediction beside each other, both on t1 if the sentence is about
    something that disappears and on t2 otherwise; below them the sentence and its scores. Without images, the masks
    are drawn on grey.

    Args:
        sentence ([`ScoredSentence`]): The sentence.
        images (`tuple[PIL.Image.Image, PIL.Image.Image]`, *optional*): t1 and t2, of the size of the masks.

    Returns:
        `PIL.Image.Image`: RGB, 1600 pixels wide.
    """
    lines = wrap(plain(sentence.expression), PAGE_WIDTH - 2 * MARGIN, font_of(22), _MOST_LINES)
    panels = draw_panels(sentence, images)
    height = max([panel.height for _, panel in panels], default=0)
    row = Image.new("RGB", (PAGE_WIDTH, _TITLE + height + _LINE * len(lines) + 44), PAPER)
    draw = ImageDraw.Draw(row)
    for index, (title, panel) in enumerate(panels):
        column = MARGIN + index * (_PANEL[0] + GAP)
        draw.text((column, _TITLE - 8), title, fill=GREY, font=font_of(16), anchor="ls")
        row.paste(panel, (column + (_PANEL[0] - panel.width) // 2, _TITLE))
    y = _TITLE + height + _LINE
    for line in lines:
        draw.text((MARGIN, y), line, fill=INK, font=font_of(22), anchor="ls")
        y += _LINE
    note = wrap(plain(", ".join(describe(sentence))), PAGE_WIDTH - 2 * MARGIN, font_of(16), 1)[0]
    draw.text((MARGIN, y - 4), note, fill=GREY, font=font_of(16), anchor="ls")
    return row


def draw_histogram(sentences: Sequence[ScoredSentence]) -> Image.Image:
    """
    Draws the histogram of the IoU, in steps of 10.

    Args:
        sentences (`Sequence[ScoredSentence]`): The sentences.

    Returns:
        `PIL.Image.Image`: RGB, 1600 x 300 pixels.
    """
    counts = iou_histogram(sentences)
    chart = Image.new("RGB", (PAGE_WIDTH, _HISTOGRAM_HEIGHT), PAPER)
    draw = ImageDraw.Draw(chart)
    title = f"IoU of {len(sentences):,} sentences" + (f", mean {mean_iou(sentences):.1f}" if sentences else "")
    draw.text((MARGIN, 36), title, fill=INK, font=font_of(22), anchor="ls")
    base, top, width = _HISTOGRAM_HEIGHT - 40, 76, (PAGE_WIDTH - 2 * MARGIN) / IOU_STEPS
    for step, count in enumerate(counts):
        left, right = round(MARGIN + step * width) + 5, round(MARGIN + (step + 1) * width) - 5
        # So that even a count of one among thousands is visible.
        height = max(2, round((base - top) * count / max(counts))) if count else 0
        draw.rectangle((left, base - height, right, base), fill=ACCENT if count else PAPER)
        label = f"{count:,}" if count else ""
        draw.text(((left + right) // 2, base - height - 8), label, fill=INK, font=font_of(17), anchor="ms")
        bounds = f"{step * 10} to {step * 10 + 10}"
        draw.text(((left + right) // 2, base + 25), bounds, fill=GREY, font=font_of(16), anchor="ms")
    draw.line((MARGIN, base, PAGE_WIDTH - MARGIN, base), fill=GREY)
    return chart


def draw_cases(sections: Mapping[str, Sequence[Case]]) -> Image.Image:
    """
    Draws a sheet of sentences.

    Args:
        sections (`Mapping[str, Sequence[Case]]`): Sentences by title.

    Returns:
        `PIL.Image.Image`: RGB, 1600 pixels wide.
    """
    rows = []
    for title, cases in sections.items():
        rows.append(heading(title))
        rows += [draw_case(case.sentence, case.images) for case in cases]
    return stack(rows)


def draw_report_sheet(sentences: Sequence[ScoredSentence], images: PairImages | None) -> Image.Image:
    """
    Draws the histogram and, below it, the worst sentences, one of each pair.

    Args:
        sentences (`Sequence[ScoredSentence]`): The sentences.
        images (`PairImages`, *optional*): Finds the images.

    Returns:
        `PIL.Image.Image`: RGB, 1600 pixels wide.
    """
    worst: dict[tuple[str, str | None], ScoredSentence] = {}
    for sentence in worst_first(sentences):
        if len(worst) < WORST_ON_SHEET:
            worst.setdefault((sentence.pair_id, sentence.domain), sentence)
    sheet = draw_cases({"the worst, one of each pair": list(find_cases(list(worst.values()), images))})
    return stack([draw_histogram(sentences), sheet])


def draw_panels(sentence: ScoredSentence, images: Images | None) -> list[tuple[str, Image.Image]]:
    """
    Draws the panels of [`draw_case`].

    Args:
        sentence ([`ScoredSentence`]): The sentence.
        images (`tuple[PIL.Image.Image, PIL.Image.Image]`, *optional*): t1 and t2, of the size of the masks.

    Returns:
        `list[tuple[str, PIL.Image.Image]]`: t1, t2, truth and prediction, or without images the last two, each with
        its title; an empty list if there is neither an image nor a mask.
    """
    size = images[0].size[::-1] if images is not None else sentence.size
    if size is None:
        return []
    scale = min(_PANEL[0] / size[1], _PANEL[1] / size[0])
    panel = (max(1, round(size[1] * scale)), max(1, round(size[0] * scale)))
    place = "on t1" if sentence.change_type == "disappear" else "on t2"
    if images is None:
        panels, ground, place = [], Image.new("RGB", panel, _NO_IMAGE), "images not available"
    else:
        shown = [to_panel(image, panel) for image in images]
        panels = list(zip(("t1, earlier", "t2, later"), shown, strict=True))
        ground = shown[0] if sentence.change_type == "disappear" else shown[1]
    panels.append(_masked(f"truth, {place}", ground, sentence.truth_mask(), TRUTH))
    panels.append(_masked(f"prediction, {place}", ground, sentence.prediction_mask(), PREDICTION))
    return panels


def _masked(
    title: str, ground: Image.Image, mask: npt.NDArray[np.bool_] | None, color: Color
) -> tuple[str, Image.Image]:
    if mask is None:
        return f"{title}: missing", ground
    return title if mask.any() else f"{title}: empty", paint_masks(ground, [mask], [color], numbered=False)


def describe(sentence: ScoredSentence) -> list[str]:
    """Short notes about a sentence: its scores, change type, domain and name."""
    notes = [f"IoU {sentence.iou:.1f}"]
    if sentence.score is not None and sentence.no_target_score is not None:
        notes += [f"score {sentence.score:.2f}", f"no-target score {sentence.no_target_score:.2f}"]
    domain = sentence.domain or ""
    notes += [CHANGE_NAMES.get(sentence.change_type, sentence.change_type), DOMAIN_NAMES.get(domain, domain)]
    notes += ["" if sentence.has_target else "no target", sentence.sample_id, sentence.problem or ""]
    return [note for note in notes if note]


__all__ = [
    "Case",
    "describe",
    "draw_case",
    "draw_cases",
    "draw_histogram",
    "draw_panels",
    "draw_report_sheet",
    "find_cases",
]
