# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""A scene in the browser: both dates and the masks, one above the other, with pan and zoom."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image


SCRIPT = Path(__file__).with_name("scene_view.js")
_KEYS = "Wheel or + and - zoom, dragging or arrow keys pan, 0 fits, 1 and 2 choose the date, M the masks."
_BUTTONS = (
    ("in", "Zoom in", "+", ""),
    ("out", "Zoom out", "−", ""),
    ("fit", "Show all of the scene", "Fit", ""),
    ("t1", "Show the earlier image (t1)", "t1", ' aria-pressed="false"'),
    ("t2", "Show the later image (t2)", "t2", ' aria-pressed="true"'),
    ("masks", "Show the masks", "Masks", ' aria-pressed="true"'),
)


def scene_html(layers: Sequence[Image.Image]) -> str:
    """
    The HTML that `scene_view.js` moves. It fetches nothing: the images are part of it.

    Args:
        layers (`Sequence[PIL.Image.Image]`): t1, t2 and the masks, as [`mtrefseg.scenes.draw_layers`] gives them.

    Returns:
        `str`: The HTML.
    """
    earlier, later, masks = layers
    images = (("t1", earlier, "JPEG", " hidden"), ("t2", later, "JPEG", ""), ("masks", masks, "PNG", ""))
    stacked = "".join(
        f'<img class="layer-{name}" src="{_data_uri(image, kind)}" alt="" draggable="false"{hidden}>'
        for name, image, kind, hidden in images
    )
    buttons = "".join(
        f'<button type="button" data-act="{act}" aria-label="{label}" title="{label}"{state}>{shown}</button>'
        for act, label, shown, state in _BUTTONS
    )
    return (
        f'<div class="scene-buttons" role="toolbar" aria-label="View of the scene">{buttons}</div>'
        f'<div class="scene-frame" tabindex="0" role="application" aria-label="The scene. {_KEYS}">'
        f'<div class="scene-stage" data-width="{later.width}" data-height="{later.height}" '
        f'style="width:{later.width}px;height:{later.height}px">{stacked}</div></div>'
        f'<p class="scene-keys">{_KEYS}</p>'
    )


def _data_uri(image: Image.Image, kind: str) -> str:
    file = io.BytesIO()
    image.save(file, kind, quality=80, optimize=True)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
