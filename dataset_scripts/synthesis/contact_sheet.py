# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Draws a contact sheet of generated pairs: t1, t2, and the mask outlines of a few sentences in colours."""

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .generator import SyntheticPair
from .scene import Color, SyntheticExpression


_COLORS: tuple[Color, ...] = ((230, 66, 92), (40, 132, 230), (244, 168, 30), (40, 168, 110), (150, 84, 210))
_PAPER: Color = (250, 249, 246)
_INK: Color = (42, 42, 48)
_GAP = 14
_COLUMNS = 3  # Pairs per row
_CELL = 256  # Images are shown at this size.
_FONT_SIZE = 13
_LINE = 17


def contact_sheet(pairs: Sequence[SyntheticPair]) -> Image.Image:
    """
    Draws pairs with their sentences.

    Args:
        pairs (`Sequence[SyntheticPair]`): Pairs to draw, at least one.

    Returns:
        `PIL.Image.Image`: RGB. In each pair t1 is left and t2 right. Each mask is outlined in the colour of its
        sentence, in the image that shows the thing.
    """
    cells = [_draw_pair(pair) for pair in pairs]
    rows = [cells[start : start + _COLUMNS] for start in range(0, len(cells), _COLUMNS)]
    heights = [max(cell.height for cell in row) + _GAP for row in rows]
    width = cells[0].width + _GAP
    sheet = Image.new("RGB", (_COLUMNS * width + _GAP, sum(heights) + _GAP), _PAPER)
    top = _GAP
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            sheet.paste(cell, (_GAP + column * width, top))
        top += height
    return sheet


def _draw_pair(pair: SyntheticPair) -> Image.Image:
    shown = pair.expressions[: len(_COLORS)]
    images = [image.resize((_CELL, _CELL), Image.Resampling.LANCZOS) for image in (pair.image_t1, pair.image_t2)]
    for expression, color in zip(shown, _COLORS, strict=False):
        times = {"appear": (1,), "disappear": (0,)}.get(expression.change_type, (0, 1))
        for time in times:
            _outline(images[time], expression, color)
    font = ImageFont.load_default(_FONT_SIZE)
    lines = [
        (line, color, first == 0, expression.mask.any())
        for expression, color in zip(shown, _COLORS, strict=False)
        for first, line in enumerate(wrap(expression.text, 76))
    ]
    cell = Image.new("RGB", (2 * _CELL + 4, _CELL + 10 + _LINE * len(lines)), _PAPER)
    for index, image in enumerate(images):
        cell.paste(image, (index * (_CELL + 4), 0))
    draw = ImageDraw.Draw(cell)
    for index, (line, color, first, present) in enumerate(lines):
        top = _CELL + 6 + _LINE * index
        if first and present:
            draw.rectangle((2, top + 4, 10, top + 12), fill=color)
        elif first:
            draw.rectangle((2, top + 4, 10, top + 12), outline=_INK)
        draw.text((16, top), line, fill=_INK, font=font)
    return cell


def _outline(image: Image.Image, expression: SyntheticExpression, color: Color) -> None:
    """Draws the outline of a mask into an image, in place."""
    mask = Image.fromarray(expression.mask.astype(np.uint8) * 255).resize(image.size, Image.Resampling.NEAREST)
    rim = np.asarray(mask.filter(ImageFilter.MaxFilter(5))) > np.asarray(mask)
    image.paste(color, mask=Image.fromarray(rim.astype(np.uint8) * 255))
