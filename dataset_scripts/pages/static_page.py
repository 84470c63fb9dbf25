# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What static pages of pairs and of reports share: style, script, thumbnails, masks, and data as a script."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter


STYLE, SCRIPT = (Path(__file__).with_name(name) for name in ("page.css", "page.js"))
THUMBNAIL_SIDE = 512
JPEG_QUALITY = 85
FILL_OPACITY = 100  # of 255


def fill_template(template: Path) -> str:
    """
    A page that opens from the disk by itself.

    Args:
        template (`Path`): HTML with `/* page.css */` in its style and `/* page.js */` in its script.

    Returns:
        `str`: The page, with the shared style and script in their places.
    """
    page = template.read_text(encoding="utf-8")
    for file in (STYLE, SCRIPT):
        page = page.replace(f"/* {file.name} */\n", file.read_text(encoding="utf-8"))
    return page


def draw_thumbnail(image: Image.Image) -> Image.Image:
    """
    An image as a page shows it.

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
    # A part of an image that has become smaller than a pixel stays visible.
    shape = image.point(lambda value: 255 if value > 96 else 0)
    shape = shape if shape.getbbox() else image.point(lambda value: 255 if value else 0)
    outline = np.asarray(shape.filter(ImageFilter.MaxFilter(5))) > np.asarray(shape)
    indices = np.where(outline, 2, np.asarray(shape) // 255).astype(np.uint8)
    overlay = Image.fromarray(indices).convert("P")
    overlay.putpalette(bytes(3) + 2 * bytes.fromhex(color[1:]))
    overlay.info["transparency"] = bytes((0, FILL_OPACITY, 255))
    return overlay


def to_script(value: Any) -> str:
    """
    JSON that JavaScript reads as the same text, wherever it stands.

    Args:
        value: What JSON can hold.

    Returns:
        `str`: ASCII, without <, > and &.
    """
    text = json.dumps(value)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
