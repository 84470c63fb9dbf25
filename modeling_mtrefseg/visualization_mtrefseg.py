# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Overlay pages: both pictures of a pair, the masks on the later one and a legend with the sentences."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont


Color = tuple[int, int, int]
Mask = npt.NDArray[np.bool_] | torch.Tensor

# The colours of Okabe and Ito, which people with any colour blindness can tell apart; those that stand out best from
# vegetation and asphalt come first. Beyond seven sentences they repeat, and the numbers tell the masks apart.
PALETTE: tuple[Color, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (204, 121, 167),
    (240, 228, 66),
    (213, 94, 0),
    (0, 158, 115),
    (0, 114, 178),
)
PAPER: Color = (255, 255, 255)
INK: Color = (32, 33, 36)
GREY: Color = (110, 113, 118)
HAIRLINE: Color = (222, 224, 228)

# All lengths are in pixels of the page.
PAGE_WIDTH = 1600
MARGIN = 32
GAP = 20
PANEL_HEIGHT = 900  # at most, when the panels stand side by side
STACKED_PANEL_HEIGHT = 420  # at most, when they lie one above the other
SMOOTHING = 2  # Masks are painted that many times larger and reduced, for smooth outlines.
FILL_OPACITY = 0.42
MAX_SENTENCE_LINES = 4
# The built-in font has the letters of ASCII only; these stand for the marks of good typography.
PLAIN_MARKS = str.maketrans("–—‑‘’“”„", '---\'\'"""') | {ord("ß"): "ss"}


@dataclass(frozen=True)
class Layout:
    """
    Where the three panels stand.

    Args:
        panel (`tuple[int, int]`): Width and height of a panel.
        corners (`tuple[tuple[int, int], ...]`): Upper left corner of each panel, its title above it.
        legend_top (`int`): Where the legend begins.
    """

    panel: tuple[int, int]
    corners: tuple[tuple[int, int], ...]
    legend_top: int


@dataclass(frozen=True)
class LegendRow:
    """
    One sentence of the legend.

    Args:
        lines (`list[str]`): The sentence, wrapped.
        verdict (`str`): Score and area, or that nothing fits.
        empty (`bool`): Whether the mask is empty.
        height (`int`): Height of the row in pixels.
    """

    lines: list[str]
    verdict: str
    empty: bool
    height: int


def draw_overlay(
    image_t1: Image.Image,
    image_t2: Image.Image,
    masks: Sequence[Mask] | Mask,
    texts: Sequence[str | None],
    scores: Sequence[float],
) -> Image.Image:
    """
    Draws one page: t1, t2, t2 with every mask as a translucent colour with an outline and a number, and below them a
    legend with the sentences, their scores and areas.

    A masked region stays visible however small it is. The built-in font has no letters beyond ASCII: accents are left
    out, and other writing systems are drawn as boxes.

    Args:
        image_t1 (`PIL.Image.Image`): The earlier picture, of any mode and size.
        image_t2 (`PIL.Image.Image`): The later picture, of the same size.
        masks (`Sequence[np.ndarray | torch.Tensor]`):
            One boolean mask of shape `(height, width)` per sentence, at the pictures' size; or all of them as one
            array or tensor of shape `(num_expressions, height, width)`.
        texts (`Sequence[str | None]`): The sentences. `None` stands for every change.
        scores (`Sequence[float]`): A score in `[0, 1]` per sentence.

    Returns:
        `PIL.Image.Image`: The page, RGB, 1600 pixels wide.

    Raises:
        ValueError: If the pictures differ in size, a mask has another size, or there are not as many masks as
            sentences and scores.
    """
    _check(image_t1, image_t2, masks, texts, scores)
    arrays = [np.asarray(mask, dtype=bool) for mask in masks]
    colors = [PALETTE[index % len(PALETTE)] for index in range(len(arrays))]
    rows = [
        _legend_row(text, float(score), float(array.mean()))
        for text, score, array in zip(texts, scores, arrays, strict=True)
    ]
    layout = _plan(image_t2.size)
    height = layout.legend_top + sum(row.height for row in rows) + (GAP if rows else 0) + MARGIN - GAP
    page = Image.new("RGB", (PAGE_WIDTH, height), PAPER)

    earlier, later = _to_panel(image_t1, layout.panel), _to_panel(image_t2, layout.panel)
    panels = (earlier, later, _paint_masks(later, arrays, colors))
    titles = ("t1, the earlier picture", "t2, the later picture", "t2 with what the sentences describe")
    draw = ImageDraw.Draw(page)
    for panel, corner, title in zip(panels, layout.corners, titles, strict=True):
        draw.text((corner[0], corner[1] - 12), title, fill=INK, font=_font(22), anchor="ls")
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
                f"mask {index} has shape {tuple(mask.shape)}, but the pictures are {size} (height, width): pass "
                "target_sizes when post-processing"
            )


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _plan(size: tuple[int, int]) -> Layout:
    """Places the panels side by side, or one above the other if the pictures are much wider than high."""
    width, height = size
    inner = PAGE_WIDTH - 2 * MARGIN
    title_height = 36
    side_by_side = width <= 2 * height
    column = (inner - 2 * GAP) // 3 if side_by_side else inner
    scale = min(column / width, (PANEL_HEIGHT if side_by_side else STACKED_PANEL_HEIGHT) / height)
    panel = (max(1, round(width * scale)), max(1, round(height * scale)))
    top = MARGIN + title_height
    if side_by_side:
        corners = tuple((MARGIN + index * (column + GAP) + (column - panel[0]) // 2, top) for index in range(3))
    else:
        left = MARGIN + (column - panel[0]) // 2
        corners = tuple((left, top + index * (panel[1] + title_height + GAP)) for index in range(3))
    return Layout(panel, corners, corners[-1][1] + panel[1] + GAP)


def _to_panel(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    # A picture of a few pixels is shown as the squares that it consists of.
    enlarged = size[0] >= 4 * image.width
    resample = Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS
    return image.convert("RGB").resize(size, resample, reducing_gap=3.0)


def _mask_to_panel(mask: npt.NDArray[np.bool_], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """
    Resizes a mask `(height, width)` to `size` (width, height) such that no masked region disappears: a pixel is set if
    any of those it covers is. `reduceat` repeats an entry when its block is empty, which enlarges small masks.
    """
    width, height = size
    rows = np.arange(height) * mask.shape[0] // height
    columns = np.arange(width) * mask.shape[1] // width
    return np.logical_or.reduceat(np.logical_or.reduceat(mask, rows, axis=0), columns, axis=1)


def _paint_masks(picture: Image.Image, masks: Sequence[npt.NDArray[np.bool_]], colors: Sequence[Color]) -> Image.Image:
    painted = picture.copy()
    large = (picture.width * SMOOTHING, picture.height * SMOOTHING)
    shapes = [Image.fromarray(_mask_to_panel(mask, large)).convert("L") for mask in masks]
    for shape, color in zip(shapes, colors, strict=True):
        fill = shape.reduce(SMOOTHING).point(lambda value: round(value * FILL_OPACITY))
        painted.paste(color, mask=fill)
    # All outlines and then all numbers come after the fills, so that no mask hides those of another one.
    for shape, color in zip(shapes, colors, strict=True):
        edge = shape.filter(ImageFilter.MaxFilter(2 * SMOOTHING + 1)).filter(ImageFilter.MaxFilter(2 * SMOOTHING + 1))
        halo = edge.filter(ImageFilter.MaxFilter(2 * SMOOTHING + 1))
        painted.paste((20, 20, 20), mask=ImageChops.subtract(halo, edge).reduce(SMOOTHING).point(lambda v: v * 3 // 5))
        painted.paste(color, mask=ImageChops.subtract(edge, shape).reduce(SMOOTHING))
    draw = ImageDraw.Draw(painted)
    for number, (shape, color) in enumerate(zip(shapes, colors, strict=True), start=1):
        place = _number_place(shape.reduce(SMOOTHING))
        if place is not None:
            _draw_number(draw, place, number, color)
    return painted


def _number_place(shape: Image.Image) -> tuple[int, int] | None:
    """
    Where the number of a mask stands, as (x, y): on the masked pixel nearest to the middle of all of them, but above
    or below a mask that the number would hide. `None` if the mask is empty.
    """
    box = shape.getbbox()
    if box is None:
        return None
    rows, columns = np.nonzero(np.asarray(shape))
    nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    x, y = int(columns[nearest]), int(rows[nearest])
    left, top, right, bottom = box
    if right - left < 44 or bottom - top < 32:
        y = top - 16 if top >= 28 else bottom + 16
    return min(max(x, 15), max(shape.width - 16, 0)), min(max(y, 11), max(shape.height - 12, 0))


def _draw_number(draw: ImageDraw.ImageDraw, center: tuple[int, int], number: int, color: Color) -> None:
    x, y = center
    half_width = 10 if number < 10 else 14
    box = (x - half_width, y - 10, x + half_width, y + 10)
    draw.rounded_rectangle(box, radius=10, fill=color, outline=INK, width=1)
    # The brightness of a colour as the eye weighs it decides between black and white figures.
    dark = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] < 110
    draw.text((x, y + 1), str(number), fill=PAPER if dark else INK, font=_font(16), anchor="mm")


def _legend_row(text: str | None, score: float, area: float) -> LegendRow:
    sentence = "every change between the two pictures" if text is None else _plain(text)
    lines = _wrap(sentence, PAGE_WIDTH - 2 * MARGIN - 480)
    if area > 0:
        share = f"{100 * area:.2f} %" if area >= 0.0001 else "< 0.01 %"
        verdict = f"score {score:.2f}    area {share}"
    elif text is None:
        verdict = "nothing changed"
    else:
        verdict = "nothing in these images fits this sentence"
    return LegendRow(lines, verdict, empty=area == 0, height=28 * len(lines) + 14)


def _plain(text: str) -> str:
    """The sentence on one line, in letters that the built-in font has wherever there is such a letter."""
    letters = []
    for letter in " ".join(text.split()).translate(PLAIN_MARKS):
        base = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode("ascii")
        # Lone surrogates and control characters have no shape at all.
        unseen = unicodedata.category(letter) in ("Cc", "Cf", "Cs")
        letters.append("" if unseen else base or letter)
    return "".join(letters)


def _wrap(text: str, width: int) -> list[str]:
    """Wraps at spaces, and within a word that is longer than a line. A text of too many lines ends in "…"."""
    font = _font(21)
    lines: list[str] = []
    # The rest of a very long text cannot be shown, so it is not measured either.
    rest = text[:2000]
    while rest and len(lines) < MAX_SENTENCE_LINES:
        fitting = _fitting_length(rest, width, font)
        if fitting < len(rest):
            space = rest.rfind(" ", 1, fitting + 1)
            fitting = space if space > 0 else fitting
        lines.append(rest[:fitting].strip())
        rest = rest[fitting:].strip()
    if rest:
        lines[-1] = lines[-1][: max(1, len(lines[-1]) - 2)] + "…"
    return lines or [""]


def _fitting_length(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    """Length of the longest beginning of the text that fits into `width` pixels, at least 1."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def _draw_legend(draw: ImageDraw.ImageDraw, top: int, rows: Sequence[LegendRow], colors: Sequence[Color]) -> None:
    y = top + GAP // 2
    for number, (row, color) in enumerate(zip(rows, colors, strict=True), start=1):
        draw.line((MARGIN, y, PAGE_WIDTH - MARGIN, y), fill=HAIRLINE)
        _draw_number(draw, (MARGIN + 14, y + 22), number, color)
        ink = GREY if row.empty else INK
        for index, line in enumerate(row.lines):
            draw.text((MARGIN + 44, y + 29 + 28 * index), line, fill=ink, font=_font(21), anchor="ls")
        draw.text((PAGE_WIDTH - MARGIN, y + 29), row.verdict, fill=ink, font=_font(19), anchor="rs")
        y += row.height
