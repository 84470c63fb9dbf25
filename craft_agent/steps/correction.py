# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Step (b), correction: segments a candidate, shows the mask to the perceiver, and corrects both until they match."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..backends.protocols import Question, Segmentation, SegmentationPrompt
from ..geometry import FULL_SCALE, box_of, mask_iou, to_pixels
from ..prompts.schemas import REVIEW
from ..records import KEPT, Box, Candidate, ChangeType, ImagePair, Point, Proposal, Round, Verdict
from .asking import Asker
from .grid import side_by_side, whole_with


KEPT_FIT = 0.5
"""If no round is accepted, the best one is kept if the perceiver rates its fit at least this high."""
DUPLICATE_IOU = 0.7
"""Candidates whose masks have at least this IoU are duplicates."""
SAME_THING_IOU = 0.3
"""For a change of state: masks of t1 and t2 with at least this IoU show the same thing."""
CONTEXT = 0.6
"""Margin shown around a region, as a share of its longer side."""
LEAST_CONTEXT = 24
"""Minimum margin in pixels."""


@dataclass(frozen=True)
class Aim:
    """
    What the segmenter is asked to find.

    Args:
        expression, thing (`str`): The sentence, and the thing without the change.
        change_type (`ChangeType`): What happened to it.
        box (`Box`, *optional*): Where it is.
        points (`tuple[Point, ...]`, *optional*): Pixels inside and outside of it.
    """

    expression: str
    thing: str
    change_type: ChangeType
    box: Box | None
    points: tuple[Point, ...] = ()


def correct_all(pair: ImagePair, candidates: Sequence[Candidate], asker: Asker, rounds: int) -> list[Proposal]:
    """
    Segments every candidate of a pair.

    Args:
        pair (`ImagePair`): The pair.
        candidates (`Sequence[Candidate]`): From step (a).
        asker (`Asker`): Asks perceiver and segmenter.
        rounds (`int`): Maximum number of attempts per candidate.

    Returns:
        `list[Proposal]`: One per candidate. Of two candidates with the same mask, the one that fits less is dropped.

    Raises:
        TransientError, PermanentError: As `Asker.ask`.
    """
    proposals = [correct(pair, candidate, asker, rounds) for candidate in candidates]
    kept: list[Round] = []
    result: dict[int, Proposal] = {}
    for proposal in sorted(proposals, key=_rank):
        chosen = None if proposal.best is None else proposal.rounds[proposal.best]
        if chosen is not None and any(mask_iou(chosen.mask, other.mask) >= DUPLICATE_IOU for other in kept):
            proposal = replace(proposal, best=None, outcome="duplicate")
        elif chosen is not None:
            kept.append(chosen)
        result[proposal.candidate.index] = proposal
    return [result[index] for index in sorted(result)]


def correct(pair: ImagePair, candidate: Candidate, asker: Asker, rounds: int) -> Proposal:
    """
    Segments one candidate. The mask is reviewed and corrected until it is accepted, the correction repeats an earlier
    one, the candidate turns out to be no change, or the rounds are used up.

    Args:
        pair, candidate, asker, rounds: As in `correct_all`.

    Returns:
        `Proposal`: All rounds, and which one is kept: an accepted one, otherwise the one that fits best.

    Raises:
        TransientError, PermanentError: As `Asker.ask`.
    """
    aim = Aim(candidate.expression, candidate.thing, candidate.change_type, candidate.box)
    tried: list[Round] = []
    aims: set[Aim] = set()
    while len(tried) < rounds and aim not in aims:
        aims.add(aim)
        found = segment_change(pair, aim, asker)
        if not found.mask.any():
            tried.append(_round(len(tried), aim, found, Verdict.WRONG_OBJECT, 0.0, "the segmenter found nothing"))
            # The segmenter may find the thing if it sees more of the surroundings.
            aim = replace(aim, box=None if aim.box is None else aim.box.grow(_margin(aim.box), pair.size), points=())
            continue
        part = surroundings(box_of(found.mask), pair)
        answer = asker.ask(review_question(pair, aim, found, part, asker))
        if answer is None:
            tried.append(_round(len(tried), aim, found, Verdict.UNANSWERED, 0.0, ""))
            break
        verdict = Verdict(answer["verdict"])
        tried.append(_round(len(tried), aim, found, verdict, float(answer["fit"]), answer["comment"]))
        if verdict in (Verdict.ACCEPT, Verdict.NOT_A_CHANGE):
            break
        aim = _corrected(aim, answer, part)
    return _conclude(candidate, tried)


def segment_change(pair: ImagePair, aim: Aim, asker: Asker) -> Segmentation:
    """
    Segments a thing in the image that shows it: t2 if it appeared, t1 if it disappeared. For a change of state, both
    images are segmented: if the masks agree, their union is returned, otherwise the one with the higher score.

    Args:
        pair (`ImagePair`): The pair.
        aim (`Aim`): The thing.
        asker (`Asker`): Asks the segmenter.

    Returns:
        `Segmentation`: The mask and its score.
    """
    times: tuple[Literal["t1", "t2"], ...] = ("t1", "t2")
    if aim.change_type is not ChangeType.STATE_CHANGE:
        times = ("t2",) if aim.change_type is ChangeType.APPEAR else ("t1",)
    found = []
    for time in times:
        image = pair.image_t1 if time == "t1" else pair.image_t2
        prompt = SegmentationPrompt(image, time, aim.thing, aim.expression, aim.change_type, aim.box, aim.points, pair)
        found.append(asker.segment(prompt))
    best = max(found, key=lambda each: each.score if each.mask.any() else -1.0)
    if len(found) == 2 and mask_iou(found[0].mask, found[1].mask) >= SAME_THING_IOU:
        return Segmentation(found[0].mask | found[1].mask, best.score)
    return best


def surroundings(box: Box, pair: ImagePair) -> Box:
    """The box of a region with the margin that the perceiver is shown."""
    return box.grow(_margin(box), pair.size)


def review_question(pair: ImagePair, aim: Aim, found: Segmentation, part: Box, asker: Asker) -> Question:
    """The question whether a mask matches a sentence: the surroundings without and with it, and the whole image."""
    described = {"expression": aim.expression, "thing": aim.thing}
    prompt = asker.prompts.fill("review", schema=REVIEW, change_type=aim.change_type.value, **described)
    images = (
        side_by_side(pair, part),
        side_by_side(pair, part, found.mask),
        whole_with(pair.image_t2, found.mask),
    )
    facts = {"part": part, "mask": found.mask, "change_type": aim.change_type, **described}
    return Question("review", prompt, images, REVIEW, pair, facts)


def _corrected(aim: Aim, answer: dict[str, Any], part: Box) -> Aim:
    """What to find instead, according to the perceiver."""
    box = to_pixels(answer["box"], part)
    points = []
    for x, y, inside in answer["points"]:
        # A point on the right or lower border means the last pixel.
        spot = to_pixels((max(0, x - 1), max(0, y - 1), min(FULL_SCALE, x + 1), min(FULL_SCALE, y + 1)), part)
        if spot is not None:
            points.append(Point((spot.left + spot.right - 1) // 2, (spot.top + spot.bottom - 1) // 2, inside >= 0.5))
    return Aim(
        expression=" ".join(answer["expression"].split()),
        thing=" ".join(answer["object"].split()),
        change_type=ChangeType(answer["change_type"]),
        box=aim.box if box is None else box,
        points=tuple(points),
    )


def _round(number: int, aim: Aim, found: Segmentation, verdict: Verdict, fit: float, comment: str) -> Round:
    return Round(
        number=number,
        expression=aim.expression,
        thing=aim.thing,
        change_type=aim.change_type,
        box=aim.box,
        points=aim.points,
        mask=found.mask,
        score=found.score,
        verdict=verdict,
        fit=fit,
        comment=comment,
    )


def _conclude(candidate: Candidate, tried: Sequence[Round]) -> Proposal:
    rounds = tuple(tried)
    if not rounds:
        return Proposal(candidate, rounds, None, "no_round")
    if rounds[-1].verdict is Verdict.NOT_A_CHANGE:
        return Proposal(candidate, rounds, None, Verdict.NOT_A_CHANGE.value)
    best = max(rounds, key=lambda each: (each.verdict is Verdict.ACCEPT, each.fit, each.score, -each.number))
    if best.verdict is Verdict.ACCEPT or (best.fit >= KEPT_FIT and best.mask.any()):
        return Proposal(candidate, rounds, best.number, KEPT)
    return Proposal(candidate, rounds, None, rounds[-1].verdict.value)


def _rank(proposal: Proposal) -> tuple[bool, float, float, int]:
    """Sort key: the best proposals first."""
    if proposal.best is None:
        return True, 0.0, 0.0, proposal.candidate.index
    best = proposal.rounds[proposal.best]
    return best.verdict is not Verdict.ACCEPT, -best.fit, -best.score, proposal.candidate.index


def _margin(box: Box) -> int:
    return max(LEAST_CONTEXT, round(CONTEXT * max(box.right - box.left, box.bottom - box.top)))
