# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The labelled grid over a pair, and the images that a perceiver is shown."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mtrefseg.view.drawing import font_of

from ..geometry import box_mask, dilate, place_name
from ..records import BoolMask, Box, ImagePair


CELL_SIDE = 512
"""Maximum side of a cell in pixels, approximately, if the grid is chosen by image size."""
FEWEST_CELLS, MOST_CELLS = 3, 8
OVERLAP = 0.1
"""Margin shown around a cell, as a share of its longer side, so that things on a border are seen whole."""
VIEW_SIDE = 1024
"""Longer side of a whole view in pixels."""
PANEL_SIDE = 640
"""Longer side of one panel of an enlarged view in pixels."""
BAND, GAP = 26, 10
FILL, OUTLINE = (240, 228, 66), (214, 39, 160)  # yellow and magenta, which are rare in scenes
OUTLINE_WIDTH = 2
INK, PAPER = (20, 20, 20), (255, 255, 255)


@dataclass(frozen=True)
class Cell:
    """
    A cell of the grid.

    Args:
        name (`str`): Such as "top-left", or "B4" (row B, column 4) in a grid that is finer than 3 x 3.
        box (`Box`): The cell itself.
        view (`Box`): The cell with its margin, as it is shown.
    """

    name: str
    box: Box
    view: Box


@dataclass(frozen=True)
class Grid:
    """
    A grid over the images of a pair.

    Args:
        rows, columns (`int`): Number of rows and columns.
        cells (`tuple[Cell, ...]`): Row by row.
    """

    rows: int
    columns: int
    cells: tuple[Cell, ...]


def plan_grid(size: tuple[int, int], cells_per_side: int | None = None) -> Grid:
    """
    Divides an image into cells.

    Args:
        size (`tuple[int, int]`): Width and height in pixels.
        cells_per_side (`int`, *optional*): Number of rows and columns. By default 3, and more if cells would be larger
            than `CELL_SIDE`, up to `MOST_CELLS`. There are never more cells than pixels.

    Returns:
        `Grid`: The grid; its cells cover every pixel once.
    """
    columns, rows = (min(side, cells_per_side or _cells_along(side)) for side in size)
    xs, ys = _borders(size[0], columns), _borders(size[1], rows)
    cells = []
    for row in range(rows):
        for column in range(columns):
            box = Box(xs[column], ys[row], xs[column + 1], ys[row + 1])
            rim = round(OVERLAP * max(box.right - box.left, box.bottom - box.top))
            coarse = place_name((column + 0.5) / columns, (row + 0.5) / rows)
            name = coarse if rows == columns == 3 else f"{_letters(row)}{column + 1}"
            cells.append(Cell(name, box, box.grow(rim, size)))
    return Grid(rows, columns, tuple(cells))


def draw_grid(image: Image.Image, grid: Grid) -> Image.Image:
    """
    Draws a grid with the names of its cells onto an image.

    Args:
        image (`PIL.Image.Image`): RGB.
        grid (`Grid`): The grid of that image.

    Returns:
        `PIL.Image.Image`: RGB, its longer side `VIEW_SIDE` pixels.
    """
    view, scale = _scaled(image, VIEW_SIDE)
    draw = ImageDraw.Draw(view)
    for cell in grid.cells:
        left, top, right, bottom = (round(value * scale) for value in cell.box)
        draw.rectangle((left, top, right, bottom), outline=PAPER, width=1)
        font = font_of(max(11, min(22, (right - left) // 9)))
        draw.text((left + 6, top + 4), cell.name, fill=PAPER, font=font, stroke_width=2, stroke_fill=INK)
    return view


def side_by_side(pair: ImagePair, box: Box, mask: BoolMask | None = None, filled: bool = True) -> Image.Image:
    """
    Shows a part of a pair at both times, enlarged, t1 on the left.

    Args:
        pair (`ImagePair`): The pair.
        box (`Box`): The part.
        mask (`np.ndarray`, *optional*): A region to paint on both: booleans `(height, width)` of the whole images.
        filled (`bool`, *optional*, defaults to `True`): Whether to tint the region as well as outline it.

    Returns:
        `PIL.Image.Image`: RGB, with the two times named above.
    """
    panels = []
    for image in (pair.image_t1, pair.image_t2):
        panel = _scaled(image.crop(box), PANEL_SIDE)[0]
        if mask is not None:
            panel = _painted(panel, mask[box.top : box.bottom, box.left : box.right], filled)
        panels.append(panel)
    width, height = panels[0].size
    page = Image.new("RGB", (2 * width + GAP, height + BAND), PAPER)
    draw = ImageDraw.Draw(page)
    for panel, left, title in zip(panels, (0, width + GAP), ("t1, earlier", "t2, later"), strict=True):
        page.paste(panel, (left, BAND))
        draw.text((left + 4, 4), title, fill=INK, font=font_of(16))
    return page


def draw_plain(image: Image.Image) -> Image.Image:
    """A whole image without any drawing, its longer side `VIEW_SIDE` pixels."""
    return _scaled(image, VIEW_SIDE)[0]


def whole_with(image: Image.Image, mask: BoolMask) -> Image.Image:
    """A whole image with a region `(height, width)` tinted and outlined, its longer side `VIEW_SIDE` pixels."""
    return _painted(_scaled(image, VIEW_SIDE)[0], mask, filled=True)


def whole_pair_with_cell(pair: ImagePair, cell: Cell) -> Image.Image:
    """Both whole images side by side, with a cell outlined."""
    return side_by_side(pair, Box(0, 0, *pair.size), box_mask(cell.box, pair.size), filled=False)


def _cells_along(side: int) -> int:
    return max(FEWEST_CELLS, min(MOST_CELLS, -(-side // CELL_SIDE)))


def _borders(side: int, count: int) -> list[int]:
    return [side * index // count for index in range(count + 1)]


def _letters(row: int) -> str:
    """A, B, …, Z, AA, AB, …"""
    name = ""
    row += 1
    while row:
        row, rest = divmod(row - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _scaled(image: Image.Image, longest: int) -> tuple[Image.Image, float]:
    scale = longest / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0), scale


def _painted(image: Image.Image, mask: BoolMask, filled: bool) -> Image.Image:
    """
    An image with a region tinted and outlined. The outline lies outside, so that the region's own edge is visible.
    (`draw_overlay`, which draws for people, would need PyTorch here.)
    """
    shape = Image.fromarray(mask.astype(np.uint8) * 255).resize(image.size, Image.Resampling.BOX)
    shape = shape.point(lambda value: 255 if value else 0)
    painted = image.copy()
    if filled:
        painted.paste(FILL, mask=shape.point(lambda value: value * 3 // 10))
    inside = np.asarray(shape) > 0
    rim = dilate(inside, OUTLINE_WIDTH) & ~inside
    painted.paste(OUTLINE, mask=Image.fromarray(rim.astype(np.uint8) * 255))
    return painted
