# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws an [`ExpressionInspection`]: single images, and a sheet with all of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

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
    font_of,
    heading,
    paint_masks,
    plain,
    stack,
    to_panel,
    wrap,
)
from .inspection import ExpressionInspection, InspectedPair, WordImportance


SIDE = 768
"""Longer side of a single image in pixels."""

# Dark to light and cold to warm at the same time, so that it is readable without distinguishing colours.
HEAT: tuple[Color, ...] = ((24, 15, 72), (98, 28, 118), (181, 54, 92), (236, 112, 42), (253, 190, 60), (255, 250, 190))
_OPACITY_LOW, _OPACITY_HIGH = 0.45, 0.85  # opacity of the heat map where it is coldest and hottest
_DIMMED = 0.6  # How much of its colour an image loses under the heat map.
_MASK_COLOR = MASK_COLORS[0]
_WORD_COLOR: Color = (230, 159, 0)
_WORD_SIZE = 28
# The attention scale extends at least to this value, so that uniform attention does not look like a peak.
_LEAST_FULL_ATTENTION = 3.0
# Words below this importance stay pale even if they are the most important ones: the values are noise.
_LEAST_FULL_IMPORTANCE = 0.1
_WIDE = 2.0  # times the height: for wider images, only half as many are in a row.
# The most images of layers in a row, for images of up to that many times their height in width.
_MOST_COLUMNS = ((0.5, 10), (0.8, 7), (_WIDE, 5), (math.inf, 3))
_MOST_HEIGHT = 480
_TITLE = 56
LAYERS_TITLE = "The decoder, layer by layer: where [SEG] looked, and below it the mask that came of it"


@dataclass(frozen=True)
class _Panel:
    """An image of a row, with a title and a grey note above it."""

    title: str
    note: str
    image: Image.Image


@dataclass(frozen=True)
class _Chip:
    """A word and its position: `x` and `y` of its upper left corner, and its width."""

    word: WordImportance
    text: str
    x: int
    y: int
    width: int


def draw_inspection(inspection: ExpressionInspection) -> Image.Image:
    """
    Draws everything on one sheet: the sentence, with more important words darker; t1, t2, how much
    they differ, and the resulting mask; and the attention and the mask of the `[SEG]` query in each decoder layer.

    Args:
        inspection ([`ExpressionInspection`]): What to draw.

    Returns:
        `PIL.Image.Image`: RGB, 1600 pixels wide.
    """
    pair = inspection.pair
    words = draw_words(inspection)
    columns = 2 if pair.size[1] > _WIDE * pair.size[0] else 4
    panel = _panel_size(pair, columns)
    values = pair.differences.mean(axis=0)
    # Disappeared objects are outlined on t1.
    earlier = paint_masks(to_panel(pair.image_t1, panel), [inspection.mask], [_MASK_COLOR], opacity=0, numbered=False)
    overview = [
        _Panel("t1", "the earlier image, the answer outlined", earlier),
        _Panel("t2", "the later image", to_panel(pair.image_t2, panel)),
        _Panel("difference", f"{values.min():.2f} to {values.max():.2f}", _paint_difference(pair, None, panel)),
        _Panel("answer", _found(inspection.mask, inspection.score), _paint_mask(pair, inspection.mask, panel)),
    ]
    rows = [words, *(_row(overview[start : start + columns], columns) for start in range(0, 4, columns))]
    return stack([*rows, heading(LAYERS_TITLE), *_layer_rows(inspection)])


def draw_inspection_parts(inspection: ExpressionInspection) -> dict[str, Image.Image]:
    """
    Draws every image of the sheet separately.

    Args:
        inspection ([`ExpressionInspection`]): What to draw.

    Returns:
        `dict[str, PIL.Image.Image]`: "t1", "t2", "words", "mask" (on t2), "difference" (of all levels) and
        "difference_stride_4" to "…_32", "attention_1" for the first layer and so on, and "mask_0" before the first
        layer, "mask_1" after it and so on. RGB; the longer side has 768 pixels, "words" is 1600 wide.
    """
    pair, size = inspection.pair, _own_size(inspection.pair)
    parts = {
        "t1": to_panel(pair.image_t1, size),
        "t2": to_panel(pair.image_t2, size),
        "words": draw_words(inspection),
        "mask": _paint_mask(pair, inspection.mask, size),
        "difference": draw_difference(pair),
    }
    for level in range(len(pair.differences)):
        parts[f"difference_stride_{4 << level}"] = draw_difference(pair, level)
    for layer in range(len(inspection.attentions)):
        parts[f"attention_{layer + 1}"] = draw_attention(inspection, layer)
    for layer in range(len(inspection.layer_masks)):
        parts[f"mask_{layer}"] = draw_layer_mask(inspection, layer)
    return parts


def draw_attention(inspection: ExpressionInspection, layer: int) -> Image.Image:
    """
    Draws the attention of the `[SEG]` query as a heat map over t2.

    Args:
        inspection ([`ExpressionInspection`]): What to draw.
        layer (`int`): Number of the layer, from 0.

    Returns:
        `PIL.Image.Image`: RGB, the longer side has 768 pixels.
    """
    return _paint_attention(inspection, layer, _own_size(inspection.pair))


def draw_layer_mask(inspection: ExpressionInspection, layer: int) -> Image.Image:
    """
    Draws an intermediate mask of the query over t2.

    Args:
        inspection ([`ExpressionInspection`]): What to draw.
        layer (`int`): Number of layers before it; 0 is before the first one.

    Returns:
        `PIL.Image.Image`: RGB, the longer side has 768 pixels.
    """
    return _paint_mask(inspection.pair, inspection.layer_masks[layer], _own_size(inspection.pair))


def draw_difference(pair: InspectedPair, level: int | None = None) -> Image.Image:
    """
    Draws how much the features of t1 and t2 differ, as a heat map over t2, from the smallest to the largest value in
    the image.

    Args:
        pair ([`InspectedPair`]): What to draw.
        level (`int`, *optional*): Number of the level, from 0, the finest one; `None` for the mean of all.

    Returns:
        `PIL.Image.Image`: RGB, the longer side has 768 pixels.
    """
    return _paint_difference(pair, level, _own_size(pair))


def draw_words(inspection: ExpressionInspection) -> Image.Image:
    """
    Draws the sentence, with words darker the more the mask changes without them, and their importance below them.

    Args:
        inspection ([`ExpressionInspection`]): What to draw.

    Returns:
        `PIL.Image.Image`: RGB, 1600 pixels wide.
    """
    chips, height = _place_words(inspection.words)
    band = Image.new("RGB", (PAGE_WIDTH, height + 52), PAPER)
    draw = ImageDraw.Draw(band)
    strongest = max([word.importance for word in inspection.words] + [_LEAST_FULL_IMPORTANCE])
    for chip in chips:
        share = chip.word.importance / strongest
        box = (chip.x, chip.y, chip.x + chip.width, chip.y + 46)
        draw.rounded_rectangle(box, radius=8, fill=_mixed(PAPER, _WORD_COLOR, share), outline=HAIRLINE)
        draw.text((chip.x + chip.width // 2, chip.y + 33), chip.text, fill=INK, font=font_of(_WORD_SIZE), anchor="ms")
        note = f"{chip.word.importance:.2f}"
        draw.text((chip.x + chip.width // 2, chip.y + 66), note, fill=GREY, font=font_of(16), anchor="ms")
    note = "below each word: how much of the mask changes without it, 1 - IoU"
    if len(inspection.words) == 1:
        note = "there is no other word to compare with"
    elif max(word.importance for word in inspection.words) < 0.005:
        note = "no single word makes a difference to the mask"
    draw.text((PAGE_WIDTH - MARGIN, height + 32), note, fill=GREY, font=font_of(17), anchor="rs")
    draw.text((MARGIN, height + 32), _verdict(inspection), fill=INK, font=font_of(21), anchor="ls")
    return band


def _place_words(words: Sequence[WordImportance]) -> tuple[list[_Chip], int]:
    """The words in lines, and the height that they take."""
    chips: list[_Chip] = []
    x, y, right = MARGIN, MARGIN, PAGE_WIDTH - MARGIN
    for word in words:
        # A word that is longer than a line is truncated.
        text = wrap(plain(word.word), right - MARGIN - 24, font_of(_WORD_SIZE), 1)[0]
        width = max(56, math.ceil(font_of(_WORD_SIZE).getlength(text)) + 24)
        if x + width > right and x > MARGIN:
            x, y = MARGIN, y + 82
        chips.append(_Chip(word, text, x, y, width))
        x += width + 8
    return chips, y + 72


def _verdict(inspection: ExpressionInspection) -> str:
    found = "nothing in these images fits this sentence"
    if inspection.mask.any():
        found = _found(inspection.mask, inspection.score)
    if inspection.is_closest:
        found += f"    {CLOSEST}"
    return f"{found}    no-target score {inspection.no_target_score:.2f}"


def _found(mask: npt.NDArray[np.bool_], score: float) -> str:
    area = float(mask.mean())
    if not area:
        return "empty"
    return f"score {score:.2f}    area {area_text(area)}"


def _layer_rows(inspection: ExpressionInspection) -> list[Image.Image]:
    """For each layer, attention above mask; the mask before the first layer has no image above it."""
    count = len(inspection.layer_masks)
    height, width = inspection.pair.size
    most = next(columns for aspect, columns in _MOST_COLUMNS if width / height <= aspect)
    columns = math.ceil(count / math.ceil(count / most))
    panel = _panel_size(inspection.pair, columns)
    attentions = [_Panel("", "", _legend((_column_width(columns), panel[1])))]
    for layer, stride in enumerate(inspection.attention_strides):
        peak = float(inspection.attentions[layer].max())
        note = f"stride {stride}, up to {peak:.{0 if peak >= 10 else 1}f} x even"
        attentions.append(_Panel(f"in layer {layer + 1}", note, _paint_attention(inspection, layer, panel)))
    masks = []
    for layer, (mask, score) in enumerate(zip(inspection.layer_masks, inspection.layer_scores, strict=True)):
        title = f"after layer {layer}" if layer else "before the first"
        masks.append(_Panel(title, _found(mask, score), _paint_mask(inspection.pair, mask, panel)))
    rows = []
    for start in range(0, count, columns):
        rows += [_row(each[start : start + columns], columns) for each in (attentions, masks)]
        rows.append(Image.new("RGB", (PAGE_WIDTH, GAP), PAPER))
    return rows


def _legend(size: tuple[int, int]) -> Image.Image:
    """The colour scale, drawn above the mask before the first layer."""
    panel = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(panel)
    left, right, y = 4, size[0] - 4, size[1] // 2
    bar = _heat_colors(np.linspace(0, 1, right - left, dtype=np.float32)[None].repeat(16, axis=0))
    panel.paste(Image.fromarray(bar), (left, y))
    for x, anchor, text in ((left, "ls", "least"), (right, "rs", "most")):
        draw.text((x, y - 6), text, fill=GREY, font=font_of(15), anchor=anchor)
    return panel


def _row(panels: Sequence[_Panel], columns: int) -> Image.Image:
    """Images of the same height next to each other, each below its title."""
    column = _column_width(columns)
    row = Image.new("RGB", (PAGE_WIDTH, _TITLE + panels[0].image.height + 10), PAPER)
    draw = ImageDraw.Draw(row)
    for index, panel in enumerate(panels):
        left = MARGIN + index * (column + GAP) + (column - panel.image.width) // 2
        # An image that is narrower than its column leaves space for a title on both sides.
        start = left if panel.image.width > 200 else MARGIN + index * (column + GAP)
        for text, baseline, size, ink in ((panel.title, 26, 18, INK), (panel.note, 48, 15, GREY)):
            fitting = wrap(text, column, font_of(size), 1)[0]
            draw.text((start, baseline), fitting, fill=ink, font=font_of(size), anchor="ls")
        row.paste(panel.image, (left, _TITLE))
    return row


def _column_width(columns: int) -> int:
    return (PAGE_WIDTH - 2 * MARGIN - (columns - 1) * GAP) // columns


def _panel_size(pair: InspectedPair, columns: int) -> tuple[int, int]:
    """Width and height of the images of a row."""
    height, width = pair.size
    scale = min(_column_width(columns) / width, _MOST_HEIGHT / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _own_size(pair: InspectedPair) -> tuple[int, int]:
    """Width and height of a single image."""
    height, width = pair.size
    scale = SIDE / max(height, width)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _paint_attention(inspection: ExpressionInspection, layer: int, size: tuple[int, int]) -> Image.Image:
    values = inspection.attentions[layer]
    return _paint_heat(inspection.pair.image_t2, values / max(float(values.max()), _LEAST_FULL_ATTENTION), size)


def _paint_difference(pair: InspectedPair, level: int | None, size: tuple[int, int]) -> Image.Image:
    values = pair.differences.mean(axis=0) if level is None else pair.differences[level]
    low, high = float(values.min()), float(values.max())
    return _paint_heat(pair.image_t2, (values - low) / max(high - low, 1e-6), size)


def _paint_mask(pair: InspectedPair, mask: npt.NDArray[np.bool_], size: tuple[int, int]) -> Image.Image:
    return paint_masks(to_panel(pair.image_t2, size), [mask], [_MASK_COLOR], numbered=False)


def _paint_heat(image: Image.Image, values: npt.NDArray[np.float32], size: tuple[int, int]) -> Image.Image:
    """Heat map of values `(height, width)` from 0 to 1 over a dimmed image."""
    resized = Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    shown = np.asarray(resized).clip(0, 1)
    panel = to_panel(image, size)
    pixels = np.asarray(panel, dtype=np.float32)
    grey = np.asarray(panel.convert("L"), dtype=np.float32)[..., None]
    dimmed = pixels + _DIMMED * (grey - pixels)
    opacity = (_OPACITY_LOW + (_OPACITY_HIGH - _OPACITY_LOW) * shown)[..., None]
    return Image.fromarray((dimmed + opacity * (_heat_colors(shown) - dimmed)).round().astype(np.uint8))


def _heat_colors(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Values `(height, width)` from 0 to 1 as colours `(height, width, 3)`."""
    stops = np.linspace(0, 1, len(HEAT))
    channels = [np.interp(values, stops, [color[channel] for color in HEAT]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _mixed(low: Color, high: Color, share: float) -> Color:
    red, green, blue = (round(start + (end - start) * share) for start, end in zip(low, high, strict=True))
    return red, green, blue


__all__ = [
    "draw_attention",
    "draw_difference",
    "draw_inspection",
    "draw_inspection_parts",
    "draw_layer_mask",
    "draw_words",
]
