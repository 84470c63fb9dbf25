# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Figures: the overview of a scene, and the timeline of a series."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from mtrefseg.looks import INK, MASK_COLORS, PAPER
from mtrefseg.view.drawing import GAP, MARGIN, PAGE_WIDTH, area_text, font_of, paint_masks, plain
from mtrefseg.view.overlay import draw_overlay

from ..reading import Grid, ReadOptions, Scene, open_scene, shrunk
from .labels import shrink_mask
from .result import SentenceResult


LAYER_SIDE = 2048
_SIDE = 1600
# For the timeline, in pixels of the page.
_MOST_COLUMNS = 5
_TITLE = 34
_BAR = 26


def shrunk_views(scene: Scene) -> tuple[list[Image.Image], Image.Image]:
    """All dates, RGB, at the size of the overview, and the pixels with data at all of them, mode "1"."""
    size = shrunk(scene.grid.height, scene.grid.width, _SIDE)
    views = scene.read(scene.box, size)
    return [Image.fromarray(image) for image in views.images], Image.fromarray(views.valid)


def draw_scene(
    images: Sequence[Image.Image], grid: Grid, sentences: Sequence[SentenceResult], mask_file: Path
) -> Image.Image:
    """
    Draws the overview of a pair.

    Args:
        images (`Sequence[PIL.Image.Image]`): Both dates, see [`shrunk_views`].
        grid ([`Grid`]): The grid of the scene.
        sentences (`Sequence[SentenceResult]`): The results.
        mask_file (`Path`): `masks.tif`.

    Returns:
        `PIL.Image.Image`: The page, RGB.
    """
    width, height = images[0].size
    masks = [shrink_mask(mask_file, one.band, grid, (height, width)) for one in sentences]
    return draw_overlay(
        images[0],
        images[1],
        masks,
        [one.text for one in sentences],
        [one.score for one in sentences],
        areas=[one.area_fraction for one in sentences],
        counts=[count_text(len(one.objects), one.area_m2) for one in sentences],
        are_closest=[one.is_closest for one in sentences],
    )


def count_text(objects: int, area_m2: float | None) -> str:
    """Number of objects and their area on the ground, if known; the font lacks "m²"."""
    number = f"{objects:,} object{'' if objects == 1 else 's'}"
    return number if area_m2 is None else f"{number}, {area_m2:,.0f} sq m"


def draw_layers(
    sources: Sequence[Any], options: ReadOptions, mask_file: Path, bands: Sequence[int], side: int = LAYER_SIDE
) -> tuple[Image.Image, Image.Image, list[np.ndarray]]:
    """
    Draws layers that viewers place on top of each other.

    Args:
        sources (`Sequence`): The images of t1 and t2.
        options ([`ReadOptions`]): How they are read.
        mask_file (`Path`): `masks.tif`.
        bands (`Sequence[int]`): Those of the sentences, from 1.
        side (`int`, *optional*, defaults to 2048): Longer side of the layers; smaller scenes keep their size.

    Returns:
        `tuple[PIL.Image.Image, PIL.Image.Image, list[np.ndarray]]`: Both dates, RGB, and the masks of the sentences,
        booleans, all of one size.

    Raises:
        [`UserError`]: If an image can no longer be read.
    """
    with open_scene(sources, options) as scene:
        size = shrunk(scene.grid.height, scene.grid.width, side)
        views = scene.read(scene.box, size).images
        masks = [shrink_mask(mask_file, band, scene.grid, size) for band in bands]
    earlier, later = map(Image.fromarray, views)
    return earlier, later, masks


def draw_timeline(scene: Scene, dates: Sequence[tuple[str, Sequence[SentenceResult]]], mask_file: Path) -> Image.Image:
    """
    Draws all dates side by side, each with the changes since the one before, and their area as a bar.

    Args:
        scene ([`Scene`]): The scene.
        dates (`Sequence`): For each date its name and the results for the step before it; none for the first.
        mask_file (`Path`): `masks.tif`.

    Returns:
        `PIL.Image.Image`: The page, RGB.
    """
    columns = min(len(dates), _MOST_COLUMNS)
    side = (PAGE_WIDTH - 2 * MARGIN - (columns - 1) * GAP) // columns
    height, width = shrunk(scene.grid.height, scene.grid.width, side)
    views = scene.read(scene.box, (height, width)).images
    largest = max((one.area_fraction for _, answers in dates for one in answers), default=0.0) or 1.0
    bars = max(len(answers) for _, answers in dates) * _BAR
    cell = _TITLE + height + GAP // 2 + bars + GAP
    page = Image.new("RGB", (PAGE_WIDTH, 2 * MARGIN + cell * -(-len(dates) // columns)), PAPER)
    draw = ImageDraw.Draw(page)
    for index, ((name, answers), view) in enumerate(zip(dates, views, strict=True)):
        left, top = MARGIN + index % columns * (side + GAP), MARGIN + index // columns * cell
        colors = [MASK_COLORS[number % len(MASK_COLORS)] for number in range(len(answers))]
        masks = [shrink_mask(mask_file, one.band, scene.grid, (height, width)) for one in answers]
        draw.text((left, top + _TITLE - 10), plain(name), fill=INK, font=font_of(20), anchor="ls")
        page.paste(paint_masks(Image.fromarray(view), masks, colors, numbered=False), (left, top + _TITLE))
        top += _TITLE + height + GAP // 2
        for number, (one, color) in enumerate(zip(answers, colors, strict=True)):
            y = top + number * _BAR
            length = round(side * 0.5 * one.area_fraction / largest)
            draw.rectangle((left, y, left + max(length, 1), y + _BAR - 8), fill=color)
            said = f"{count_text(len(one.objects), None)}, {area_text(one.area_fraction)}"
            draw.text((left + length + 8, y + _BAR - 10), said, fill=INK, font=font_of(15), anchor="ls")
    return page
