# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The animation at the top of the README: a pair, then each sentence with the mask that the model returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mtrefseg.looks import MASK_COLORS
from mtrefseg.view.drawing import font_of, paint_masks, to_panel


# A card of its own colour, legible on light and on dark pages.
CARD, TEXT, FAINT, EMPTY_PANEL = (22, 25, 31), (240, 242, 245), (160, 166, 176), (34, 38, 46)
PANEL, GAP, EDGE = 470, 20, 20
TOP, BOTTOM = 46, 104
SIZE = (2 * PANEL + GAP + 2 * EDGE, TOP + PANEL + BOTTOM)
PLACES = ((EDGE, TOP), (EDGE + PANEL + GAP, TOP))
QUALITY = 80


@dataclass(frozen=True)
class Frame:
    """
    One image of the animation.

    Args:
        image (`PIL.Image.Image`): RGB, of the size `SIZE`.
        milliseconds (`int`): How long it is shown.
    """

    image: Image.Image
    milliseconds: int


def draw_frames(
    images: tuple[Image.Image, Image.Image], texts: Sequence[str], masks: Sequence[npt.NDArray[np.bool_]]
) -> list[Frame]:
    """
    Draws the animation.

    Args:
        images (`tuple[PIL.Image.Image, PIL.Image.Image]`): t1, t2: RGB, square.
        texts (`Sequence[str]`): The sentences.
        masks (`Sequence[np.ndarray]`): bool (height, width), one per sentence, as the model returned them.

    Returns:
        `list[Frame]`: The earlier image, both, and every sentence before and with its mask.
    """
    panels = [to_panel(image, (PANEL, PANEL)) for image in images]
    frames = [
        Frame(_draw_card([panels[0], None], "A place, some time ago", "", TEXT), 1300),
        Frame(_draw_card(panels, "The same place later. What changed?", "", TEXT), 1900),
    ]
    for number, (text, mask) in enumerate(zip(texts, masks, strict=True)):
        color = MASK_COLORS[number % len(MASK_COLORS)]
        frames.append(Frame(_draw_card(panels, text, "", color), 1100))
        # Where nothing stands any more the outline on the earlier image shows what is meant.
        painted = [
            paint_masks(panel, [mask], [color], opacity, numbered=False)
            for panel, opacity in zip(panels, (0.0, 0.42), strict=True)
        ]
        note = f"{mask.mean():.1%} of the image" if mask.any() else "nothing fits: an empty mask"
        frames.append(Frame(_draw_card(painted, text, note, color), 2600))
    return frames


def _draw_card(panels: Sequence[Image.Image | None], text: str, note: str, color: tuple[int, int, int]) -> Image.Image:
    """The card with the panels of t1 and t2 (`None` leaves the place empty), a sentence and a line below it."""
    card = Image.new("RGB", SIZE, CARD)
    draw = ImageDraw.Draw(card)
    for panel, (x, y), label in zip(panels, PLACES, ("before", "after"), strict=True):
        draw.text((x, y - 14), label, fill=FAINT, font=font_of(20), anchor="ls")
        if panel is None:
            draw.rectangle((x, y, x + PANEL - 1, y + PANEL - 1), fill=EMPTY_PANEL)
        else:
            card.paste(panel, (x, y))
    draw.text((SIZE[0] / 2, TOP + PANEL + 46), text, fill=color, font=font_of(30), anchor="ms")
    draw.text((SIZE[0] / 2, TOP + PANEL + 82), note, fill=TEXT, font=font_of(21), anchor="ms")
    return card


def save_frames(frames: Sequence[Frame], path: Path) -> None:
    """Writes an animated WebP that repeats for ever."""
    first, *others = [frame.image for frame in frames]
    durations = [frame.milliseconds for frame in frames]
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0, quality=QUALITY, method=6)
