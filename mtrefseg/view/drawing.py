# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Drawing primitives: colours, text, painted masks."""

import unicodedata
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from mtrefseg.looks import HAIRLINE, HALO, INK, PAPER, Color


Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# All lengths are in pixels of the page.
PAGE_WIDTH = 1600
MARGIN = 32
GAP = 20
SMOOTHING = 2  # Masks are painted at this multiple of their size and reduced, for smooth outlines.
FILL_OPACITY = 0.42
DASH = 9  # Length of the dashes where outlines lie on one another, from row to row and from column to column.
CLOSEST = "nothing fits clearly; the closest change is shown"
"""What is said about masks with `is_closest`."""
NUMBER_BLUR = 12  # Share of the longer side within which masked pixels count as one group.
# The built-in font only has ASCII letters; these replace typographic characters.
PLAIN_MARKS = str.maketrans("–—‑‘’“”„", '---\'\'"""') | {ord("ß"): "ss"}
# These scripts are mixed within one word.
EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO")


def font_of(size: int) -> Font:
    """The built-in font at a size in pixels."""
    return ImageFont.load_default(size)


def to_panel(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resizes an image to `size` (width, height), in RGB."""
    # An image of a few pixels is shown as the squares that it consists of.
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


def paint_masks(
    image: Image.Image,
    masks: Sequence[npt.NDArray[np.bool_]],
    colors: Sequence[Color],
    opacity: float = FILL_OPACITY,
    numbered: bool = True,
) -> Image.Image:
    """
    Paints masks onto an image. Even very small masked regions stay visible.

    Args:
        image (`PIL.Image.Image`): RGB, of the requested size.
        masks (`Sequence[np.ndarray]`): bool (height, width), of any size.
        colors (`Sequence[tuple[int, int, int]]`): One per mask.
        opacity (`float`, *optional*, defaults to 0.42): Opacity of the areas, 0 to 1; with 0, only outlines are drawn.
        numbered (`bool`, *optional*, defaults to `True`): Whether every mask is numbered, from 1.

    Returns:
        `PIL.Image.Image`: RGB, of the same size.
    """
    painted = image.copy()
    large = (image.width * SMOOTHING, image.height * SMOOTHING)
    shapes = [Image.fromarray(_mask_to_panel(mask, large)).convert("L") for mask in masks]
    parts = [_cropped(shape) for shape in shapes]
    for (place, part), color in zip(parts, colors, strict=True):
        painted.paste(color, place, part.reduce(SMOOTHING).point(lambda value: round(value * opacity)))
    # All outlines and then all numbers come after the fills, so that no mask hides those of another one.
    depth = np.zeros((image.height, image.width), dtype=np.intp)
    for (place, part), color in zip(parts, colors, strict=True):
        edge = part.filter(ImageFilter.MaxFilter(2 * SMOOTHING + 1)).filter(ImageFilter.MaxFilter(2 * SMOOTHING + 1))
        halo = edge.filter(ImageFilter.MaxFilter(2 * SMOOTHING + 1))
        shadow = ImageChops.subtract(halo, edge).reduce(SMOOTHING).point(lambda value: value * 3 // 5)
        painted.paste(HALO, place, shadow)
        painted.paste(color, place, _dashed(ImageChops.subtract(edge, part).reduce(SMOOTHING), place, depth))
    if not numbered:
        return painted
    draw = ImageDraw.Draw(painted)
    for number, (shape, color) in enumerate(zip(shapes, colors, strict=True), start=1):
        center = _number_place(shape.reduce(SMOOTHING))
        if center is not None:
            draw_number(draw, center, number, color)
    return painted


def _dashed(outline: Image.Image, place: tuple[int, int, int, int], depth: npt.NDArray[np.intp]) -> Image.Image:
    """
    An outline with gaps where it lies on earlier ones, so that all of them can be seen.

    Args:
        outline (`PIL.Image.Image`): Grey, how much of each pixel the outline covers.
        place (`tuple[int, int, int, int]`): Left, top, right and bottom of it on the image.
        depth (`np.ndarray`): int (height, width), how many outlines each pixel of the image has. Counts this one, too.

    Returns:
        `PIL.Image.Image`: Grey, of the same size.
    """
    left, top, right, bottom = place
    below = depth[top:bottom, left:right]
    values = np.asarray(outline)
    rows, columns = np.ogrid[top:bottom, left:right]
    shown = (rows + columns) // DASH % (below + 1) == below
    below += values > 127
    return Image.fromarray(np.where(shown, values, np.uint8(0)))


def _cropped(shape: Image.Image) -> tuple[tuple[int, int, int, int], Image.Image]:
    """Bounding-box crop of a shape, its outline and the outline's shadow, and where the crop lies on the image."""
    left, top, right, bottom = shape.getbbox() or (0, 0, 1, 1)
    room = 4 * SMOOTHING
    width, height = shape.width // SMOOTHING, shape.height // SMOOTHING
    place = (
        max(0, (left - room) // SMOOTHING),
        max(0, (top - room) // SMOOTHING),
        min(width, -(-(right + room) // SMOOTHING)),
        min(height, -(-(bottom + room) // SMOOTHING)),
    )
    left, top, right, bottom = (SMOOTHING * border for border in place)
    return place, shape.crop((left, top, right, bottom))


def _number_place(shape: Image.Image) -> tuple[int, int] | None:
    """
    Position (x, y) of the number of a mask: in its densest region, or above or below a mask that the number would
    hide. `None` if the mask is empty.
    """
    box = shape.getbbox()
    if box is None:
        return None
    # In the middle of the largest part, not on a small one between several parts. A blur repeats the border pixels
    # outside the image, so an empty frame is added.
    radius = max(shape.size) // NUMBER_BLUR + 1
    blurred = ImageOps.expand(shape, 3 * radius).filter(ImageFilter.GaussianBlur(radius))
    density = np.asarray(ImageOps.crop(blurred, 3 * radius), dtype=np.int32) + 1
    y, x = map(int, np.unravel_index(np.argmax(density * (np.asarray(shape) > 0)), density.shape))
    left, top, right, bottom = box
    if right - left < 44 or bottom - top < 32:
        y = top - 16 if top >= 28 else bottom + 16
    return min(max(x, 15), max(shape.width - 16, 0)), min(max(y, 11), max(shape.height - 12, 0))


def draw_number(draw: ImageDraw.ImageDraw, center: tuple[int, int], number: int, color: Color) -> None:
    """Draws a number on a rounded label in the mask's colour."""
    x, y = center
    half_width = 10 if number < 10 else 14
    box = (x - half_width, y - 10, x + half_width, y + 10)
    draw.rounded_rectangle(box, radius=10, fill=color, outline=INK, width=1)
    draw.text((x, y + 1), str(number), fill=stands_out_on(color), font=font_of(16), anchor="mm")


def stands_out_on(color: Color) -> Color:
    """Dark or light text colour, whichever is readable on a background, by its perceived brightness."""
    return PAPER if 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] < 110 else INK


def heading(text: str) -> Image.Image:
    """A line across the page, and a title below it."""
    row = Image.new("RGB", (PAGE_WIDTH, 58), PAPER)
    draw = ImageDraw.Draw(row)
    draw.line((MARGIN, 14, PAGE_WIDTH - MARGIN, 14), fill=HAIRLINE)
    draw.text((MARGIN, 46), text, fill=INK, font=font_of(22), anchor="ls")
    return row


def stack(rows: Sequence[Image.Image]) -> Image.Image:
    """A page of rows, one below the other, with a margin at its end."""
    page = Image.new("RGB", (PAGE_WIDTH, sum(row.height for row in rows) + MARGIN), PAPER)
    y = 0
    for row in rows:
        page.paste(row, (0, y))
        y += row.height
    return page


def area_text(fraction: float) -> str:
    """A mask's share of the image, 0 to 1, in per cent."""
    return f"{100 * fraction:.2f} %" if fraction >= 0.0001 else "< 0.01 %"


def plain(text: str) -> str:
    """
    The sentence on one line, in letters of the built-in font. Accents are removed; for letters that the font lacks,
    brackets contain their number and script: "[3 CJK letters]".
    """
    parts: list[str] = []
    # Control characters, lone surrogates and combining marks have no glyph.
    letters = [
        letter
        for letter in " ".join(text.split()).translate(PLAIN_MARKS)
        if unicodedata.category(letter)[0] not in "CM"
    ]
    for missing, group in groupby(letters, key=_missing_writing):
        run = list(group)
        if missing is None:
            parts += map(_in_ascii, run)
        else:
            parts.append(f"[{len(run)} {missing}{'s' if len(run) > 1 else ''}]")
    return "".join(parts)


def _in_ascii(letter: str) -> str:
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode("ascii")


def _missing_writing(letter: str) -> str | None:
    """Name of the script of a letter that the built-in font lacks; `None` if it has the letter."""
    if _in_ascii(letter):
        return None
    if unicodedata.category(letter)[0] != "L":
        return "sign"
    writing = unicodedata.name(letter, "other").split()[0]
    return "CJK letter" if writing in EAST_ASIAN else f"{writing.capitalize()} letter"


def wrap(text: str, width: int, font: Font, most_lines: int) -> list[str]:
    """Wraps at spaces, and within a word that is longer than a line. A text of too many lines ends in "…"."""
    lines: list[str] = []
    # The rest of a very long text cannot be shown, so it is not measured either.
    rest = text[:2000]
    while rest and len(lines) < most_lines:
        fitting = _fitting_length(rest, width, font)
        if fitting < len(rest):
            space = rest.rfind(" ", 1, fitting + 1)
            fitting = space if space > 0 else fitting
        lines.append(rest[:fitting].strip())
        rest = rest[fitting:].strip()
    if rest:
        lines[-1] = lines[-1][: max(1, len(lines[-1]) - 2)] + "…"
    return lines or [""]


def _fitting_length(text: str, width: int, font: Font) -> int:
    """Length of the longest prefix of the text that fits into `width` pixels, at least 1."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low
