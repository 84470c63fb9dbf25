# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Step (c), refinement: replaces the terms of the grid by natural sentences that lead back to the region."""

import re
from collections.abc import Sequence
from typing import Any

from ..backends.protocols import Question
from ..geometry import box_of, mask_iou, to_pixels
from ..prompts.schemas import GROUND, refine_schema
from ..records import Box, ChangeType, ImagePair, Proposal, Round, Sample
from .asking import Asker
from .correction import Aim, segment_change, surroundings
from .grid import draw_plain, side_by_side


TRIES = 2
"""How often a natural sentence is requested."""
REFINED, FALLBACK, LOST = "refined", "grid_words", "not_singled_out"
"""Outcome of a region: a natural sentence, only one with terms of the grid, or none that leads to the region."""
LONGEST_LIST = 12
"""Maximum number of other changes that the question mentions."""

_QUOTES = (('"', '"'), ("“", "”"), ("'", "'"), ("‘", "’"))
# Terms of the grid, and words for things that only the questions show.
_ARTEFACTS = re.compile(
    r"\b(?:(?:top|mid|middle|bottom|upper|lower)-(?:left|right|center|centre)|grid|cells?|outlined?|magenta"
    r"|images? [0-9]|(?:left|right) (?:side|panel) of the (?:image|picture)s?)\b",
    re.IGNORECASE,
)


def refine_all(
    pair: ImagePair,
    proposals: Sequence[Proposal],
    asker: Asker,
    paraphrases: int,
    grounding_iou: float,
    provenance: dict[str, Any],
) -> tuple[list[Sample], dict[int, str]]:
    """
    Turns the proposals of a pair into samples.

    Args:
        pair (`ImagePair`): The pair.
        proposals (`Sequence[Proposal]`): From step (b).
        asker (`Asker`): Asks perceiver and segmenter.
        paraphrases (`int`): Maximum number of further sentences per region.
        grounding_iou (`float`): Minimum IoU between the region and what a sentence leads to.
        provenance (`dict`): The part of the provenance that all samples share.

    Returns:
        `list[Sample]`: The samples.
        `dict[int, str]`: By candidate, the outcome of every kept proposal: `REFINED`, `FALLBACK` or `LOST`.

    Raises:
        TransientError, PermanentError: As `Asker.ask`.
    """
    kept = [(proposal, proposal.rounds[proposal.best]) for proposal in proposals if proposal.best is not None]
    samples, outcomes = [], {}
    for proposal, chosen in kept:
        others = [other.expression for _, other in kept if other is not chosen]
        grounded, outcome = refine(pair, chosen, others, asker, paraphrases, grounding_iou)
        index = proposal.candidate.index
        outcomes[index] = outcome
        if grounded:
            samples.append(_sample(pair, proposal, chosen, grounded, outcome, provenance))
    return samples, outcomes


def refine(
    pair: ImagePair, chosen: Round, others: Sequence[str], asker: Asker, paraphrases: int, grounding_iou: float
) -> tuple[dict[str, float], str]:
    """
    Finds sentences that lead back to a region.

    Args:
        pair (`ImagePair`): The pair.
        chosen (`Round`): The region with its current sentence.
        others (`Sequence[str]`): Sentences of the other regions of the pair.
        asker, paraphrases, grounding_iou: As in `refine_all`.

    Returns:
        `dict[str, float]`: The sentence, then its paraphrases, each with the IoU of the region and what the sentence
        leads to; empty if there is none.
        `str`: `REFINED`, `FALLBACK` or `LOST`.
    """
    feedback = ""
    for _ in range(TRIES):
        answer = asker.ask(refine_question(pair, chosen, others, asker, paraphrases, feedback))
        if answer is None:
            break
        sentence = tidy(answer["expression"])
        iou = 0.0 if has_artefacts(sentence) else ground(pair, sentence, chosen, asker)
        if iou >= grounding_iou:
            grounded = {sentence: iou}
            for text in map(tidy, answer["paraphrases"]):
                if text not in grounded and not has_artefacts(text):
                    iou = ground(pair, text, chosen, asker)
                    if iou >= grounding_iou:
                        grounded[text] = iou
            return grounded, REFINED
        feedback = f'"{sentence}" did not lead back to this thing, or used words of the grid: say it otherwise.'
    sentence = tidy(chosen.expression)
    iou = ground(pair, sentence, chosen, asker)
    return ({sentence: iou}, FALLBACK) if iou >= grounding_iou else ({}, LOST)


def ground(pair: ImagePair, sentence: str, chosen: Round, asker: Asker) -> float:
    """
    Finds a region by a sentence alone.

    Args:
        pair (`ImagePair`): The pair.
        sentence (`str`): The sentence.
        chosen (`Round`): The expected region.
        asker (`Asker`): Asks perceiver and segmenter.

    Returns:
        `float`: IoU of the expected region and the one found; 0 if none was found, or another type of change.
    """
    answer = asker.ask(ground_question(pair, sentence, asker))
    if answer is None or not answer["found"]:
        return 0.0
    change_type = ChangeType(answer["change_type"])
    box = to_pixels(answer["box"], Box(0, 0, *pair.size))
    if box is None or change_type is not chosen.change_type:
        return 0.0
    thing = " ".join(answer["object"].split()) or chosen.thing
    # The points of the correction belong to another box.
    found = segment_change(pair, Aim(sentence, thing, change_type, box), asker)
    return mask_iou(found.mask, chosen.mask)


def ground_question(pair: ImagePair, sentence: str, asker: Asker) -> Question:
    """The question what a sentence refers to: both images without any drawing."""
    prompt = asker.prompts.fill("ground", schema=GROUND, expression=sentence)
    images = (draw_plain(pair.image_t1), draw_plain(pair.image_t2))
    return Question("ground", prompt, images, GROUND, pair, {"expression": sentence})


def refine_question(
    pair: ImagePair, chosen: Round, others: Sequence[str], asker: Asker, paraphrases: int, feedback: str
) -> Question:
    """The question for a natural sentence: the whole pair with the region outlined, and the region enlarged."""
    schema = refine_schema(paraphrases)
    prompt = asker.prompts.fill(
        "refine",
        schema=schema,
        expression=chosen.expression,
        change_type=chosen.change_type.value,
        others="; ".join(f'"{text}"' for text in others[:LONGEST_LIST]) or "none",
        paraphrases=paraphrases,
        feedback=feedback,
    )
    images = (
        side_by_side(pair, Box(0, 0, *pair.size), chosen.mask, filled=False),
        side_by_side(pair, surroundings(box_of(chosen.mask), pair)),
    )
    facts = {
        "expression": chosen.expression,
        "thing": chosen.thing,
        "change_type": chosen.change_type,
        "mask": chosen.mask,
        "paraphrases": paraphrases,
    }
    return Question("refine", prompt, images, schema, pair, facts)


def tidy(sentence: str) -> str:
    """A sentence on one line, without surrounding quotes and final full stop."""
    text = " ".join(sentence.split()).rstrip(". ")
    for opening, closing in _QUOTES:
        # Not '"open" on the door that says "closed"'. An apostrophe is no quote.
        has_quotes = re.search(rf"(?<!\w){opening}|{opening}(?!\w)", text[1:-1]) is not None
        if len(text) > 1 and text[0] == opening and text[-1] == closing and not has_quotes:
            text = text[1:-1].strip().rstrip(". ")
    return text


def has_artefacts(sentence: str) -> bool:
    """Whether a sentence is too short, or uses terms of the grid or of the drawings in the questions."""
    return len(sentence) < 3 or _ARTEFACTS.search(sentence) is not None


def _sample(
    pair: ImagePair,
    proposal: Proposal,
    chosen: Round,
    grounded: dict[str, float],
    outcome: str,
    provenance: dict[str, Any],
) -> Sample:
    index = proposal.candidate.index
    return Sample(
        sample_id=f"{pair.pair_id}_{index}",
        pair_id=pair.pair_id,
        candidate=index,
        expressions=tuple(grounded),
        change_type=chosen.change_type,
        mask=chosen.mask,
        provenance={
            **provenance,
            "perceived": proposal.candidate.expression,
            "cells": list(proposal.candidate.cells),
            "confidence": proposal.candidate.confidence,
            "rounds": len(proposal.rounds),
            "round_kept": chosen.number,
            "verdict": chosen.verdict.value,
            "fit": chosen.fit,
            "score": chosen.score,
            "sentences": outcome,
            "grounding_iou": [round(iou, 4) for iou in grounded.values()],
        },
    )
