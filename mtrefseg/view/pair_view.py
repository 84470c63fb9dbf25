# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A pair in the browser: both dates with the outlines of masks, side by side or under a slider, with pan and zoom, and
the sentences below. Hovering over a sentence highlights its mask, and vice versa.

It consists of HTML, a style sheet and a script, and loads no files, not even images. The demo and
the report use it; such a page must include [`STYLE`] and the variables of `mtrefseg.looks`, and call
`startPairViews(element)` of [`SCRIPT`] once the HTML is loaded. All content from the data is escaped.
"""

import base64
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from mtrefseg.looks import MASK_COLORS, Color, to_hex

from .drawing import CLOSEST, stands_out_on
from .outlines import Ring, polygons_of


STYLE = Path(__file__).with_name("pair_view.css")
SCRIPT = Path(__file__).with_name("pair_view.js")
QUALITY = 88
MOST_CORNERS = 20_000
"""A mask that is more ragged than this is drawn coarser."""
KEYS = "Plus and minus zoom, arrow keys move, 0 shows all, comma and full stop move the slider."
DOTTED = "Dotted: the same place in the other image"
"""Where a thing is not yet or no longer."""
_CUT = 0.5  # Corners are cut by this many pixels, so that staircases become slopes.
_DATES = {"appear": ("t2",), "disappear": ("t1",)}
_BUTTONS = (
    ("side", "Both dates side by side", "Side by side", ' aria-pressed="false"'),
    ("slider", "One above the other, with a slider", "Slider", ' aria-pressed="false"'),
    ("out", "Zoom out", "−", ""),
    ("in", "Zoom in", "+", ""),
    ("fit", "Show all of the images", "Fit", ""),
    ("masks", "Show or hide the masks", "Masks", ' aria-pressed="true"'),
)


@dataclass(frozen=True)
class ShownAnswer:
    """
    A sentence and its mask.

    Args:
        text (`str`): The sentence.
        mask (`np.ndarray`): bool (height, width), of any size.
        note (`str`): A note about the mask, or the reason why there is none.
        change_type (`str`, *optional*, defaults to `"unknown"`): "appear" draws the mask at t2, "disappear" at t1,
            with a thin dotted line at the other date; all other types at both.
        color (`tuple[int, int, int]`, *optional*): Colour of the mask; by default that of its position in the list.
        is_closest (`bool`, *optional*, defaults to `False`): Whether nothing fits the sentence clearly, and the mask
            contains the changes that fit it best. It is drawn dashed, and the note says so.
    """

    text: str
    mask: npt.NDArray[np.bool_] = field(repr=False)
    note: str
    change_type: str = "unknown"
    color: Color | None = None
    is_closest: bool = False


def pair_view_html(images: tuple[Image.Image, Image.Image], answers: Sequence[ShownAnswer], status: str = "") -> str:
    """
    The HTML of a pair.

    Args:
        images (`tuple[PIL.Image.Image, PIL.Image.Image]`): t1 and t2, RGB, of one size.
        answers (`Sequence[ShownAnswer]`): The sentences in their order.
        status (`str`, *optional*, defaults to `""`): A line that screen readers announce.

    Returns:
        `str`: HTML.
    """
    sources = [data_uri(image) for image in images]
    pair = hashlib.sha256("".join(sources).encode()).hexdigest()[:10]
    width, height = images[0].size
    colors = [answer.color or MASK_COLORS[index % len(MASK_COLORS)] for index, answer in enumerate(answers)]
    shapes = [_Shape.of(answer.mask, (width, height)) for answer in answers]
    # A page may show a pair more than once.
    name = "pv" + hashlib.sha256("".join([pair, *(shape.path for shape in shapes)]).encode()).hexdigest()[:10]
    places = _number_places([shape.rings for shape in shapes])
    panes = "".join(
        _pane(date, source, (width, height), name, answers, colors, places)
        for date, source in zip(("t1", "t2"), sources, strict=True)
    )
    paths = "".join(
        f'<path id="{name}-{index}" d="{shape.path}" vector-effect="non-scaling-stroke"/>'
        for index, shape in enumerate(shapes, start=1)
    )
    rows = "".join(
        _row(number, answer, color)
        for number, (answer, color) in enumerate(zip(answers, colors, strict=True), start=1)
    )
    has_dotted = any(answer.change_type in _DATES and bool(answer.mask.any()) for answer in answers)
    buttons = "".join(
        f'<button type="button" data-act="{act}" title="{title}"{state}'
        f"{f' aria-label={title!r}' if len(shown) == 1 else ''}>{shown}</button>"
        for act, title, shown, state in _BUTTONS
    )
    return (
        f'<div class="pair-view" data-pair="{pair}" data-width="{width}" data-height="{height}">'
        f'<svg class="pv-defs" aria-hidden="true"><defs>{paths}</defs></svg>'
        f'<div class="pv-tools" role="toolbar" aria-label="View of the images">{buttons}</div>'
        f'<div class="pv-stage" tabindex="0" role="group" aria-label="The images. {KEYS}">{panes}'
        '<div class="pv-split" role="slider" tabindex="0" aria-label="How much of t1 is shown" aria-valuemin="0" '
        'aria-valuemax="100" aria-valuenow="50"><i aria-hidden="true">⇔</i></div></div>'
        f'<div class="pv-notes"><p class="pv-status" role="status">{escape(status)}</p>'
        f"<p>{DOTTED if has_dotted else ''}</p></div>"
        f'<ol class="pv-answers" role="list">{rows}</ol></div>'
    )


@dataclass(frozen=True)
class _Shape:
    """A mask in pixels of the shown images: the path of its outline, and its outer rings."""

    path: str
    rings: list[Ring]

    @classmethod
    def of(cls, mask: npt.NDArray[np.bool_], size: tuple[int, int]) -> "_Shape":
        """Traces a mask, coarser and coarser until it has few enough corners."""
        image = Image.fromarray(mask)
        while True:
            polygons = polygons_of(np.asarray(image))
            if polygons is not None and sum(len(ring) for each in polygons for ring in each) <= MOST_CORNERS:
                break
            image = image.resize((max(1, image.width // 2), max(1, image.height // 2)), Image.Resampling.NEAREST)
        scale = (size[0] / image.width, size[1] / image.height)
        path = "".join(_ring_path(ring, scale) for each in polygons for ring in each)
        rings = [[(round(x * scale[0]), round(y * scale[1])) for x, y in each[0]] for each in polygons]
        return cls(path, rings)


def _ring_path(ring: Ring, scale: tuple[float, float]) -> str:
    """A ring with cut corners, as part of an SVG path."""
    points = []
    corners = ring[:-1]
    for index, (x, y) in enumerate(corners):
        for other_x, other_y in (corners[index - 1], corners[(index + 1) % len(corners)]):
            length = abs(other_x - x) + abs(other_y - y)
            share = min(0.5, _CUT / length)
            points.append(((x + (other_x - x) * share) * scale[0], (y + (other_y - y) * share) * scale[1]))
    return "M" + "L".join(f"{x:.4g} {y:.4g}" if x < 1000 and y < 1000 else f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def _number_places(rings_of: Sequence[Sequence[Ring]]) -> list[tuple[int, int] | None]:
    """Position of the number of each mask: at the top of the part that is farthest from the previous numbers."""
    places: list[tuple[int, int] | None] = []
    for rings in rings_of:
        tops = [min(ring, key=lambda point: (point[1], point[0])) for ring in sorted(rings, key=len, reverse=True)]
        taken = [place for place in places if place is not None]

        def room(top: tuple[int, int], taken: list[tuple[int, int]] = taken) -> float:
            return min((float(np.hypot(top[0] - x, top[1] - y)) for x, y in taken), default=0.0)

        place = max(tops, key=room, default=None)
        # If two masks are equal, their numbers are next to each other.
        while place is not None and taken and room(place) < 22:
            place = (place[0] + 24, place[1])
        places.append(place)
    return places


def _pane(
    date: str,
    source: str,
    size: tuple[int, int],
    name: str,
    answers: Sequence[ShownAnswer],
    colors: Sequence[Color],
    places: Sequence[tuple[int, int] | None],
) -> str:
    drawn, numbers = [], []
    # Smaller masks come last, so that a larger one does not hide them from the mouse.
    order = sorted(range(len(answers)), key=lambda index: -int(np.count_nonzero(answers[index].mask)))
    here = [index for index in order if date in _dates_of(answers[index])]
    shared = dict(zip(here, _on_other_outlines([answers[index].mask for index in here]), strict=True))
    for index in order:
        place = places[index]
        if place is None:
            continue
        state = "here" if index in shared else "there"
        kind = state + (" closest" if answers[index].is_closest else " shared" if shared.get(index) else "")
        use = f'href="#{name}-{index + 1}"'
        drawn.append(
            f'<g class="pv-mask {kind}" data-answer="{index + 1}" style="--color:{to_hex(colors[index])}">'
            f'<use class="fill" {use}/><use class="halo" {use}/><use class="line" {use}/></g>'
        )
        if state == "here":
            ink = to_hex(stands_out_on(colors[index]))
            numbers.append(
                f'<span class="pv-number" data-answer="{index + 1}" style="--color:{to_hex(colors[index])};'
                f"--on-color:{ink};--x:{100 * place[0] / size[0]:.2f}%;--y:{100 * place[1] / size[1]:.2f}%"
                f'" aria-hidden="true">{index + 1}</span>'
            )
    when = {"t1": "earlier", "t2": "later"}[date]
    return (
        f'<div class="pv-pane" data-date="{date}"><div class="pv-canvas">'
        f'<img src="{source}" alt="The {when} image ({date})" draggable="false">'
        f'<svg viewBox="0 0 {size[0]} {size[1]}" preserveAspectRatio="none" aria-hidden="true">{"".join(drawn)}</svg>'
        f'{"".join(numbers)}</div><span class="pv-date" aria-hidden="true">{date}<span> · {when}</span></span></div>'
    )


def _dates_of(answer: ShownAnswer) -> tuple[str, ...]:
    """The dates at which the thing is there."""
    return _DATES.get(answer.change_type, ("t1", "t2"))


def _on_other_outlines(masks: Sequence[npt.NDArray[np.bool_]]) -> list[bool]:
    """For each mask, whether most of its outline lies on outlines of previous ones: its line would hide theirs."""
    results = []
    near: dict[tuple[int, ...], npt.NDArray[np.bool_]] = {}
    for mask in masks:
        outline = mask & ~_filtered(mask, ImageFilter.MinFilter(3))
        others = near.get(mask.shape, np.zeros_like(mask))
        results.append(bool(2 * np.count_nonzero(outline & others) > np.count_nonzero(outline)))
        near[mask.shape] = others | _filtered(outline, ImageFilter.MaxFilter(3))
    return results


def _filtered(mask: npt.NDArray[np.bool_], rank: ImageFilter.RankFilter) -> npt.NDArray[np.bool_]:
    return np.asarray(Image.fromarray(mask.astype(np.uint8)).filter(rank)) > 0


def _row(number: int, answer: ShownAnswer, color: Color) -> str:
    state = "closest" if answer.is_closest else "found" if answer.mask.any() else "nothing"
    note = f"{CLOSEST} · {answer.note}" if answer.is_closest else answer.note
    ink = to_hex(stands_out_on(color))
    return (
        f'<li class="{state}"><button type="button" class="pv-answer" '
        f'data-answer="{number}" aria-pressed="false" style="--color:{to_hex(color)};--on-color:{ink}">'
        f'<span class="pv-chip">{number}</span><span class="pv-text" dir="auto">{escape(answer.text)}</span>'
        f'<span class="pv-note">{escape(note)}</span></button></li>'
    )


def data_uri(image: Image.Image) -> str:
    """
    An image as a data URL.

    Args:
        image (`PIL.Image.Image`): Of any mode.

    Returns:
        `str`: The data URL of a JPEG.
    """
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
