# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Step (a), perception: lists all changes that the perceiver sees in the whole view and in each enlarged cell."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..backends.protocols import Question
from ..geometry import place_of, to_pixels
from ..prompts.schemas import PERCEIVE
from ..records import Box, Candidate, ChangeType, ImagePair
from .asking import Asker
from .grid import Cell, Grid, draw_grid, plan_grid, side_by_side, whole_pair_with_cell


WHOLE = "whole"
"""The name of the whole view among the names of cells."""
SAME_BOX_IOU = 0.5
SAME_BOX_SHARE = 0.7
"""Two sightings are the same thing if their IoU, or the overlap as a share of the smaller box, is at least this."""
OTHER_TYPE_IOU = 0.7
"""The IoU needed if the change types differ: one thing may have been replaced by another at the same place."""
TOUCH = 0.02
"""A box that ends this close to the border of its cell, as a share of its side, may continue in the next cell."""


def perceive(pair: ImagePair, asker: Asker, cells_per_side: int | None = None) -> list[Candidate] | None:
    """
    Lists the changes in a pair.

    Args:
        pair (`ImagePair`): The pair.
        asker (`Asker`): Asks the perceiver.
        cells_per_side (`int`, *optional*): Cells of the grid per side; by default chosen by image size.

    Returns:
        `list[Candidate]` or `None`: The changes from top to bottom, each one once; `None` if no question was answered.

    Raises:
        TransientError, PermanentError: As `Asker.ask`.
    """
    grid = plan_grid(pair.size, cells_per_side)
    whole = Box(0, 0, *pair.size)
    sightings: list[Candidate] = []
    answered = 0
    for question, part, name in [(whole_question(pair, grid, asker), whole, WHOLE)] + [
        (cell_question(pair, cell, asker), cell.view, cell.name) for cell in grid.cells
    ]:
        answer = asker.ask(question)
        if answer is not None:
            answered += 1
            sightings += _read(answer, part, name, pair.size)
    return merge(sightings, grid) if answered else None


def whole_question(pair: ImagePair, grid: Grid, asker: Asker) -> Question:
    """The question about the whole view: both images with the grid."""
    prompt = asker.prompts.fill(
        "perceive_whole",
        schema=PERCEIVE,
        rows=grid.rows,
        columns=grid.columns,
        cells=", ".join(cell.name for cell in grid.cells),
    )
    images = (draw_grid(pair.image_t1, grid), draw_grid(pair.image_t2, grid))
    return Question("perceive", prompt, images, PERCEIVE, pair, {"part": Box(0, 0, *pair.size)})


def cell_question(pair: ImagePair, cell: Cell, asker: Asker) -> Question:
    """The question about a cell: both times side by side, and the whole pair with the cell outlined."""
    prompt = asker.prompts.fill("perceive_cell", schema=PERCEIVE, cell=cell.name)
    images = (side_by_side(pair, cell.view), whole_pair_with_cell(pair, cell))
    return Question("perceive", prompt, images, PERCEIVE, pair, {"part": cell.view})


def merge(sightings: Sequence[Candidate], grid: Grid) -> list[Candidate]:
    """
    Merges what was seen of the same thing in several views.

    Args:
        sightings (`Sequence[Candidate]`): The changes seen in all views, each with the name of its view.
        grid (`Grid`): The grid.

    Returns:
        `list[Candidate]`: Every change once, numbered from 0, top to bottom and left to right. The words are those of
        the most confident sighting. If a cell's border cuts the thing, its box is the union of the parts.
    """
    views = {cell.name: cell.view for cell in grid.cells}
    merged: list[Candidate] = []
    # The most confident sightings come first; later ones are merged into them.
    for sighting in sorted(sightings, key=lambda each: (-each.confidence, each.box, each.expression)):
        place = next((index for index, known in enumerate(merged) if _is_same(known, sighting, views)), None)
        if place is None:
            merged.append(sighting)
        else:
            merged[place] = _joined(merged[place], sighting, views)
    merged.sort(key=lambda each: (each.box.top, each.box.left, each.box, each.expression))
    size = grid.cells[-1].box.right, grid.cells[-1].box.bottom
    return [
        replace(candidate, index=index, position=place_of(candidate.box, size))
        for index, candidate in enumerate(merged)
    ]


def _read(answer: dict[str, Any], part: Box, name: str, size: tuple[int, int]) -> list[Candidate]:
    candidates = []
    for difference in answer["differences"]:
        box = to_pixels(difference["box"], part)
        if box is None:
            continue
        candidates.append(
            Candidate(
                index=0,
                expression=" ".join(difference["expression"].split()),
                thing=" ".join(difference["object"].split()),
                position=place_of(box, size),
                change_type=ChangeType(difference["change_type"]),
                confidence=float(difference["confidence"]),
                box=box,
                cells=(name,),
            )
        )
    return candidates


def _is_same(known: Candidate, sighting: Candidate, views: dict[str, Box]) -> bool:
    iou = known.box.iou(sighting.box)
    if known.change_type is not sighting.change_type:
        return iou >= OTHER_TYPE_IOU
    common = known.box.intersect(sighting.box).area
    if iou >= SAME_BOX_IOU:
        return True
    # If a border cuts a thing, each cell shows a part of it; the parts overlap in the margin that both cells show.
    is_part = common >= SAME_BOX_SHARE * min(known.box.area, sighting.box.area)
    return common > 0 and (
        (is_part and (_is_cut(known, views) or _is_cut(sighting, views)))
        or (_is_cut(known, views) and _is_cut(sighting, views))
    )


def _is_cut(candidate: Candidate, views: dict[str, Box]) -> bool:
    """Whether the box ends at the border of its cells although the image continues there."""
    if WHOLE in candidate.cells:
        return False
    box, shown = candidate.box, [views[name] for name in candidate.cells]
    seen, whole = shown[0], Box(0, 0, 0, 0)
    for view in shown:
        seen = seen.unite(view)
    for view in views.values():
        whole = whole.unite(view)
    slack = TOUCH * max(shown[0].right - shown[0].left, shown[0].bottom - shown[0].top)
    return (
        (seen.left > whole.left and box.left - seen.left <= slack)
        or (seen.top > whole.top and box.top - seen.top <= slack)
        or (seen.right < whole.right and seen.right - box.right <= slack)
        or (seen.bottom < whole.bottom and seen.bottom - box.bottom <= slack)
    )


def _joined(known: Candidate, sighting: Candidate, views: dict[str, Box]) -> Candidate:
    cut = _is_cut(known, views), _is_cut(sighting, views)
    box = known.box
    if cut == (True, False):
        box = sighting.box
    elif cut == (True, True):
        box = known.box.unite(sighting.box)
    return replace(known, box=box, cells=tuple(dict.fromkeys((*known.cells, *sighting.cells))))
