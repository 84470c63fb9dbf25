# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A sheet of the best, median and worst predictions, to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont


CASES = 4
"""Most cases of each kind."""
PANEL = (360, 270)
"""Width and height in pixels of a picture on the sheet, at most."""
MARGIN = 16
TITLE_HEIGHT = 44
CAPTION_HEIGHT = 52
SHEET_WIDTH = 3 * PANEL[0] + 4 * MARGIN
TRUTH, PREDICTION = (240, 228, 66), (230, 60, 160)  # yellow and magenta, which stand out from streets and woods
INK, GREY, PAPER = (32, 33, 36), (110, 113, 118), (255, 255, 255)


@dataclass(frozen=True)
class Case:
    """
    One sentence.

    Args:
        pictures (`tuple[PIL.Image.Image, PIL.Image.Image]`): t1 and t2.
        truth, prediction (`np.ndarray`): Booleans of shape `(height, width)`.
        expression (`str`): The sentence.
        iou (`float`): 0 to 100.
        name (`str`): The sample's name.
    """

    pictures: tuple[Image.Image, Image.Image]
    truth: np.ndarray
    prediction: np.ndarray
    expression: str
    iou: float
    name: str


def choose_cases(samples: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """
    Chooses what is shown: of each pair one sentence, and none twice.

    Args:
        samples (`Sequence[dict]`): With "iou", "pair", "reference_area" and "wrong_share" (pixels that are wrong, as a
            share of the picture); those alone that have a prediction.

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


def sheet_size(counts: Sequence[int]) -> tuple[int, int]:
    """Width and height in pixels of a sheet with so many cases in each of its sections."""
    row = PANEL[1] + CAPTION_HEIGHT
    return SHEET_WIDTH, MARGIN + sum(TITLE_HEIGHT + count * row for count in counts)


def draw_sheet(sections: dict[str, list[Case]]) -> Image.Image:
    """
    Draws the sheet.

    Args:
        sections (`dict[str, list[Case]]`): Cases by title.

    Returns:
        `PIL.Image.Image`: RGB, of [`sheet_size`]: for each case t1, t2 with the outline of the truth, and t2 with the
        prediction, below them the sentence.
    """
    sheet = Image.new("RGB", sheet_size([len(cases) for cases in sections.values()]), PAPER)
    draw, y = ImageDraw.Draw(sheet), MARGIN
    for title, cases in sections.items():
        text = f"{title}: t1 | t2 with the outline of the truth | t2 with the prediction"
        draw.text((MARGIN, y + 28), text, fill=INK, font=ImageFont.load_default(22), anchor="ls")
        y += TITLE_HEIGHT
        for case in cases:
            _draw_case(sheet, draw, y, case)
            y += PANEL[1] + CAPTION_HEIGHT
    return sheet


def _draw_case(sheet: Image.Image, draw: ImageDraw.ImageDraw, top: int, case: Case) -> None:
    width, height = case.pictures[1].size
    scale = min(PANEL[0] / width, PANEL[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    earlier, later = (picture.resize(size, Image.Resampling.BICUBIC) for picture in case.pictures)
    panels = (
        earlier,
        _paint(later, case.truth, TRUTH, fill=0.0),
        _paint(later, case.prediction, PREDICTION, fill=0.4),
    )
    for column, panel in enumerate(panels):
        left = MARGIN + column * (PANEL[0] + MARGIN)
        sheet.paste(panel, (left + (PANEL[0] - size[0]) // 2, top + (PANEL[1] - size[1]) // 2))
    notes = [f"IoU {case.iou:.1f}", case.name]
    notes += ["nothing fits"] * (not case.truth.any()) + ["nothing predicted"] * (not case.prediction.any())
    baseline = top + PANEL[1] + 18
    draw.text((MARGIN, baseline), _fitting(case.expression, 17), fill=INK, font=_font(17), anchor="ls")
    draw.text((MARGIN, baseline + 20), _fitting(", ".join(notes), 14), fill=GREY, font=_font(14), anchor="ls")


def _paint(picture: Image.Image, mask: np.ndarray, color: tuple[int, int, int], fill: float) -> Image.Image:
    """A picture with a mask's outline and its area tinted."""
    # Reduced with BOX and then taken from the least grey on, so that no mask is too small to be seen.
    shape = Image.fromarray(mask.astype(np.uint8) * 255).resize(picture.size, Image.Resampling.BOX)
    inside = np.asarray(shape) > (0 if mask.mean() < 0.01 else 127)
    padded = np.pad(inside, 2)
    rows, columns = inside.shape
    shifted = [padded[2 + y : 2 + y + rows, 2 + x : 2 + x + columns] for y in range(-2, 3) for x in range(-2, 3)]
    outline = np.any(shifted, axis=0) & ~np.logical_and.reduce(shifted[6:9] + shifted[11:14] + shifted[16:19])
    pixels = np.asarray(picture.convert("RGB"), dtype=np.float32).copy()
    pixels[inside] += (np.array(color, dtype=np.float32) - pixels[inside]) * fill
    pixels[outline] = color
    return Image.fromarray(pixels.round().astype(np.uint8))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _fitting(text: str, size: int) -> str:
    """As much of a text as fits on a line; the built-in font has no letters beyond ASCII."""
    text, font = " ".join(text.split()).encode("ascii", "replace").decode("ascii"), _font(size)
    shown = text[:400]
    while font.getlength(shown) > SHEET_WIDTH - 2 * MARGIN:
        shown = shown[:-5] + "..."
    return shown
