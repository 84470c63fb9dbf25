# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Static pages that open from the disk without a server. All of them extend `page.html`, which contains style and script;
content from the data is written as a separate script, never as markup.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from mtrefseg.looks import css_variables


THUMBNAIL_SIDE = 512
"""Longest side of the images of a page, in pixels."""
JPEG_QUALITY = 85
"""JPEG quality of the images of a page."""
_FILL_OPACITY = 100  # of 255


def fill_template(template: Path, **parts: str) -> str:
    """
    Fills in a page.

    Args:
        template (`Path`): A Jinja template. It may extend "page.html", the skeleton beside this file, or include
            "page.css".
        **parts (`str`): HTML for the variables of the template. Content from the data must be escaped in it.

    Returns:
        `str`: The page, which needs no other file except its data.
    """
    import jinja2  # Imported here, because most users of `mtrefseg.io` create no pages.

    loader = jinja2.FileSystemLoader([template.parent, Path(__file__).parent])
    # The templates are the project's own; they only contain `parts` of the data.
    environment = jinja2.Environment(loader=loader, autoescape=False, trim_blocks=True, keep_trailing_newline=True)
    return environment.get_template(template.name).render(looks=css_variables(), **parts)


def draw_thumbnail(image: Image.Image) -> Image.Image:
    """
    An image as shown on a page.

    Args:
        image (`PIL.Image.Image`): RGB.

    Returns:
        `PIL.Image.Image`: No larger than `THUMBNAIL_SIDE`.
    """
    small = image.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return small


def draw_mask(mask: npt.NDArray[np.bool_], color: str) -> Image.Image:
    """
    A mask as an image to lay over a thumbnail: transparent outside, tinted inside, with a solid outline.

    Args:
        mask (`np.ndarray`): bool (height, width).
        color (`str`): "#rrggbb".

    Returns:
        `PIL.Image.Image`: With a palette, of the size of the thumbnail.
    """
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX)
    shape = image.point(lambda value: 255 if value > 96 else 0)
    if not shape.getbbox():  # What became smaller than a pixel stays visible.
        rows, columns = np.nonzero(mask)
        dots = np.zeros((image.height, image.width), dtype=np.uint8)
        dots[rows * image.height // mask.shape[0], columns * image.width // mask.shape[1]] = 255
        shape = Image.fromarray(dots)
    outline = np.asarray(shape.filter(ImageFilter.MaxFilter(5))) > np.asarray(shape)
    indices = np.where(outline, 2, np.asarray(shape) // 255).astype(np.uint8)
    overlay = Image.fromarray(indices).convert("P")
    overlay.putpalette(bytes(3) + 2 * bytes.fromhex(color[1:]))
    overlay.info["transparency"] = bytes((0, _FILL_OPACITY, 255))
    return overlay


def to_script(value: Any) -> str:
    """
    JSON that can be embedded anywhere in a script or page without changing its meaning.

    Args:
        value: Anything that JSON can represent.

    Returns:
        `str`: ASCII, without <, > and &.
    """
    text = json.dumps(value)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
