# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Overlay pages: both images of a pair, the masks on them and a legend with the sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mtrefseg.looks import GREY, HAIRLINE, INK, MASK_COLORS, PAPER, Color

from .drawing import (
    CLOSEST,
    GAP,
    MARGIN,
    PAGE_WIDTH,
    area_text,
    draw_number,
    font_of,
    paint_masks,
    plain,
    to_panel,
    wrap,
)


if TYPE_CHECKING:
    import torch

Mask = Union[npt.NDArray[np.bool_], "torch.Tensor"]

# All lengths are in pixels of the page.
PANEL_HEIGHT = 900  # at most, when the panels stand side by side
STACKED_PANEL_HEIGHT = 420  # at most, when they are stacked
PAIR_HEIGHT, RESULT_HEIGHT = 600, 1200  # maximum height of t1 and t2, and of a larger third panel
TITLE_HEIGHT = 36
MAX_SENTENCE_LINES = 4


@dataclass(frozen=True)
class Layout:
    """
    Positions of the three panels.

    Args:
        panels (`tuple[tuple[int, int], ...]`): Width and height of each panel.
        corners (`tuple[tuple[int, int], ...]`): Upper left corner of each panel, its title above it.
        legend_top (`int`): Where the legend begins.
    """

    panels: tuple[tuple[int, int], ...]
    corners: tuple[tuple[int, int], ...]
    legend_top: int


@dataclass(frozen=True)
class LegendRow:
    """
    One sentence of the legend.

    Args:
        lines (`list[str]`): The sentence, wrapped.
        verdict (`str`): Score and area, or that there is no target.
        note (`str`): A note below the sentence, or "".
        empty (`bool`): Whether the mask is empty.
        height (`int`): Height of the row in pixels.
    """

    lines: list[str]
    verdict: str
    note: str
    empty: bool
    height: int


def draw_overlay(
    image_t1: Image.Image,
    image_t2: Image.Image,
    masks: Sequence[Mask] | Mask,
    texts: Sequence[str | None],
    scores: Sequence[float],
    areas: Sequence[float] | None = None,
    counts: Sequence[str] | None = None,
    are_closest: Sequence[bool] | None = None,
) -> Image.Image:
    """
    Draws one page: t1 with the outline of every mask, t2, t2 with every mask as a translucent colour with an outline
    and a number, and below them a legend with the sentences, their scores and areas. If images would be shrunk to
    less than half, the third panel is larger than the others.

    Even very small masked regions stay visible. The built-in font only has ASCII letters: accents are
    removed, and other scripts are replaced by their number of letters, as in "[3 CJK letters]".

    Args:
        image_t1 (`PIL.Image.Image`): The earlier image, of any mode and size.
        image_t2 (`PIL.Image.Image`): The later image, of the same size.
        masks (`Sequence[np.ndarray | torch.Tensor]`):
            One boolean mask of shape `(height, width)` per sentence, at the images' size; or all of them as one
            array or tensor of shape `(num_expressions, height, width)`.
        texts (`Sequence[str | None]`): The sentences. `None` means every change.
        scores (`Sequence[float]`): A score in `[0, 1]` per sentence.
        areas (`Sequence[float]`, *optional*): Share of the image that each mask covers, for the legend; counted by
            default. Needed for masks that were drawn at a smaller size.
        counts (`Sequence[str]`, *optional*): Text for each mask before its score in the legend, such as "12 objects".
        are_closest (`Sequence[bool]`, *optional*): Whether nothing fits a sentence clearly, and its mask contains the
            changes that fit it best. The legend says so.

    Returns:
        `PIL.Image.Image`: The page, RGB, 1600 pixels wide.

    Raises:
        ValueError: If the images differ in size, a mask has another size, or the number of masks differs from that of
            sentences and scores.
    """
    _check(image_t1, image_t2, masks, texts, scores)
    arrays = [np.asarray(mask, dtype=bool) for mask in masks]
    colors = [MASK_COLORS[index % len(MASK_COLORS)] for index in range(len(arrays))]
    if areas is None:
        areas = [float(array.mean()) for array in arrays]
    rows = [
        _legend_row(text, float(score), area, count, is_closest)
        for text, score, area, count, is_closest in zip(
            texts, scores, areas, counts or [""] * len(texts), are_closest or [False] * len(texts), strict=True
        )
    ]
    layout = _plan(image_t2.size)
    height = layout.legend_top + sum(row.height for row in rows) + (GAP if rows else 0) + MARGIN - GAP
    page = Image.new("RGB", (PAGE_WIDTH, height), PAPER)

    shown = (image_t1, image_t2, image_t2)
    earlier, later, below = (to_panel(image, size) for image, size in zip(shown, layout.panels, strict=True))
    # Only outlines on t1: a fill would hide things that disappeared.
    outlined = paint_masks(earlier, arrays, colors, opacity=0, numbered=False)
    panels = (outlined, later, paint_masks(below, arrays, colors))
    titles = ("t1, the same places outlined", "t2, the later image", "t2 with what the sentences describe")
    draw = ImageDraw.Draw(page)
    for panel, corner, title in zip(panels, layout.corners, titles, strict=True):
        draw.text((corner[0], corner[1] - 12), title, fill=INK, font=font_of(22), anchor="ls")
        page.paste(panel, corner)
    _draw_legend(draw, layout.legend_top, rows, colors)
    return page


def _check(
    image_t1: Image.Image,
    image_t2: Image.Image,
    masks: Sequence[Mask] | Mask,
    texts: Sequence[str | None],
    scores: Sequence[float],
) -> None:
    if image_t1.size != image_t2.size:
        raise ValueError(
            f"t1 is {image_t1.width}x{image_t1.height} and t2 {image_t2.width}x{image_t2.height} pixels: resize one "
            "of them to the other's size before drawing"
        )
    if not len(masks) == len(texts) == len(scores):
        raise ValueError(f"there are {len(masks)} masks, {len(texts)} texts and {len(scores)} scores: give one each")
    size = (image_t1.height, image_t1.width)
    for index, mask in enumerate(masks):
        if tuple(mask.shape) != size:
            raise ValueError(
                f"mask {index} has shape {tuple(mask.shape)}, but the images are {size} (height, width): pass "
                "target_sizes when post-processing"
            )


def _plan(size: tuple[int, int]) -> Layout:
    """
    Places the panels: stacked if the images are much wider than high, else side by side. If three side
    by side would be less than half as large as the images, the third one is larger, beside the others or below them.
    """
    width, height = size
    inner = PAGE_WIDTH - 2 * MARGIN
    column = (inner - 2 * GAP) // 3
    if width > 2 * height:
        rows = [[_panel(size, inner, STACKED_PANEL_HEIGHT)] for _ in range(3)]
    elif width > 2 * column and 4 * width <= 5 * height:
        return _plan_beside(size, inner)
    elif width > 2 * column:
        rows = [[_panel(size, (inner - GAP) // 2, PAIR_HEIGHT)] * 2, [_panel(size, inner, RESULT_HEIGHT)]]
    else:
        rows = [[_panel(size, column, PANEL_HEIGHT)] * 3]
    corners, top = [], MARGIN + TITLE_HEIGHT
    for row in rows:
        column = (inner - (len(row) - 1) * GAP) // len(row)
        corners += [(MARGIN + i * (column + GAP) + (column - one[0]) // 2, top) for i, one in enumerate(row)]
        top += row[0][1] + GAP + TITLE_HEIGHT
    return Layout(tuple(one for row in rows for one in row), tuple(corners), top - TITLE_HEIGHT)


def _plan_beside(size: tuple[int, int], inner: int) -> Layout:
    """t1 above t2, and next to them the third panel, as high as both."""
    width, height = size
    between = GAP + TITLE_HEIGHT
    most = min(RESULT_HEIGHT, round(((inner - GAP) * height / width + between / 2) / 1.5))
    small, large = _panel(size, inner, (most - between) // 2), _panel(size, inner, most)
    left, top = MARGIN + (inner - small[0] - GAP - large[0]) // 2, MARGIN + TITLE_HEIGHT
    corners = ((left, top), (left, top + small[1] + between), (left + small[0] + GAP, top))
    return Layout((small, small, large), corners, top + large[1] + GAP)


def _panel(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """The largest size of an image within a width and a height."""
    scale = min(width / size[0], height / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _legend_row(text: str | None, score: float, area: float, count: str, is_closest: bool) -> LegendRow:
    sentence = "every change between the two images" if text is None else plain(text)
    if area > 0:
        verdict = "    ".join(([count] if count else []) + [f"score {score:.2f}", f"area {area_text(area)}"])
    elif text is None:
        verdict = "nothing changed"
    else:
        verdict = "nothing in these images fits this sentence"
    room = PAGE_WIDTH - 2 * MARGIN - 44 - max(436, round(font_of(19).getlength(verdict)) + GAP)
    lines = wrap(sentence, room, font_of(21), MAX_SENTENCE_LINES)
    note = CLOSEST if is_closest else ""
    return LegendRow(lines, verdict, note, empty=area == 0, height=28 * (len(lines) + is_closest) + 14)


def _draw_legend(draw: ImageDraw.ImageDraw, top: int, rows: Sequence[LegendRow], colors: Sequence[Color]) -> None:
    y = top + GAP // 2
    for number, (row, color) in enumerate(zip(rows, colors, strict=True), start=1):
        draw.line((MARGIN, y, PAGE_WIDTH - MARGIN, y), fill=HAIRLINE)
        draw_number(draw, (MARGIN + 14, y + 22), number, color)
        ink = GREY if row.empty else INK
        for index, line in enumerate(row.lines):
            draw.text((MARGIN + 44, y + 29 + 28 * index), line, fill=ink, font=font_of(21), anchor="ls")
        if row.note:
            below = (MARGIN + 44, y + 29 + 28 * len(row.lines))
            draw.text(below, row.note, fill=GREY, font=font_of(19), anchor="ls")
        draw.text((PAGE_WIDTH - MARGIN, y + 29), row.verdict, fill=ink, font=font_of(19), anchor="rs")
        y += row.height


__all__ = ["PAGE_WIDTH", "draw_overlay"]
