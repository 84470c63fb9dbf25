# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Tables of how far auditors agree, and a view of each disagreement."""

import numpy as np
from PIL import Image

from mtrefseg.view.drawing import area_text
from mtrefseg.view.pair_view import ShownAnswer, pair_view_html

from ..geometry import mask_iou
from ..records import BoolMask
from .decisions import REASON_TEXTS, Disagreement, StoredDecision
from .store import AuditStore


AGREEMENT_HEADERS = (
    "auditors",
    "both judged",
    "both accept",
    "first alone accepts",
    "second alone accepts",
    "both reject",
    "kappa",
)
DISAGREEMENT_HEADERS = ("sample", "differs in", "what they say")
VERDICTS = {"accept": "accepted", "reject": "rejected"}
MOST_SHOWN_SIDE = 1600
"""Longer side of the images of a disagreement, in pixels."""
AS_PROPOSED = "as proposed"
KINDS = {"verdict": "verdict", "sentences": "sentences", "change_type": "change type", "mask": "mask"}


def agreement_rows(store: AuditStore) -> list[list[str]]:
    """
    Counts the verdicts of every two auditors on the samples that both have judged.

    Args:
        store (`AuditStore`): The decisions.

    Returns:
        `list[list[str]]`: A row for every two auditors with common samples; columns as in `AGREEMENT_HEADERS`.
    """
    rows = []
    for first, second, found in store.agreements():
        counts = (found.total, found.both_accept, found.only_first, found.only_second, found.both_reject)
        # Kappa is undefined if both gave one and the same verdict throughout.
        kappa = "–" if found.kappa is None else f"{found.kappa:.2f}"
        rows.append([f"{first} and {second}", *map(str, counts), kappa])
    return rows


def disagreement_rows(store: AuditStore) -> list[list[str]]:
    """
    Lists the disagreements.

    Args:
        store (`AuditStore`): The decisions.

    Returns:
        `list[list[str]]`: A row for every sample on which auditors differ; columns as in `DISAGREEMENT_HEADERS`.
    """
    return [
        [each.sample_id, KINDS[each.kind], _say(store.sample(each.sample_id).mask, each)]
        for each in store.disagreements()
    ]


def summary_of(store: AuditStore) -> str:
    """
    What the tables say, in a line.

    Args:
        store (`AuditStore`): The decisions.

    Returns:
        `str`: Markdown.
    """
    auditors = store.auditors()
    if not auditors:
        return "**Nobody has judged a sample yet.** Tables appear here after the first decision."
    found = len(store.disagreements())
    disagreements = "1 disagreement" if found == 1 else f"{found:,} disagreements" if found else "No disagreement"
    people = "1 person has" if len(auditors) == 1 else f"{len(auditors)} people have"
    return f"**{disagreements}.** {people} judged samples."


def disagreement_html(store: AuditStore, sample_id: str) -> str:
    """
    Shows the proposal and the version of each auditor on the images.

    Args:
        store (`AuditStore`): The decisions.
        sample_id (`str`): A sample, judged or not.

    Returns:
        `str`: HTML of `pair_view_html`, with the IoU of each mask and the proposed one.

    Raises:
        CraftError: If there is no such sample, or its images are missing.
    """
    sample, images = store.sample(sample_id), store.images(sample_id)
    proposed = f"proposed: {sample.expressions[0]}"
    answers = [
        ShownAnswer(
            proposed, sample.mask, f"{area_text(float(sample.mask.mean()))} of the image", sample.change_type.value
        )
    ]
    for each in store.decisions(sample_id):
        mask = _mask_of(each, sample.mask)
        text = f"{each.auditor} {VERDICTS[each.verdict]}"
        if each.verdict == "accept":
            text += f": {(each.expressions or sample.expressions)[0]}"
            note = f"IoU {mask_iou(mask, sample.mask):.2f} with the proposal"
        else:
            note = _reason(each)
        answers.append(ShownAnswer(text, mask, note, (each.change_type or sample.change_type).value))
    return pair_view_html((_shrunk(images.image_t1), _shrunk(images.image_t2)), answers, sample_id)


def _shrunk(image: Image.Image) -> Image.Image:
    """A copy for a page."""
    shown = image.convert("RGB")
    shown.thumbnail((MOST_SHOWN_SIDE, MOST_SHOWN_SIDE))
    return shown


def _reason(decision: StoredDecision) -> str:
    """Why an auditor rejected a sample, as the page says it."""
    reason = decision.reason or ""
    return REASON_TEXTS.get(reason, reason).lower()


def _say(proposed: BoolMask, found: Disagreement) -> str:
    """Describes a disagreement."""
    if found.kind == "verdict":
        reasons = {each.auditor: f" ({_reason(each)})" if each.reason else "" for each in found.decisions}
        return " · ".join(
            f"{each.auditor} {VERDICTS[each.verdict]}{reasons[each.auditor]}" for each in found.decisions
        )
    if found.kind == "change_type":
        types = [
            each.change_type.value.replace("_", " ") if each.change_type else AS_PROPOSED for each in found.decisions
        ]
        return " · ".join(f"{each.auditor}: {said}" for each, said in zip(found.decisions, types))
    if found.kind == "sentences":
        return " · ".join(
            f"{each.auditor}: {'; '.join(each.expressions or (AS_PROPOSED,))}" for each in found.decisions
        )
    first, second, *_ = (_mask_of(each, proposed) for each in found.decisions)
    return f"IoU {mask_iou(first, second):.2f}"


def _mask_of(decision: StoredDecision, proposed: BoolMask) -> BoolMask:
    """The mask according to an auditor; empty if the sample was rejected."""
    if decision.verdict == "reject":
        return np.zeros_like(proposed)
    return proposed if decision.mask is None else decision.mask
