# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Tables of how far auditors agree, and a drawing of each disagreement."""

from itertools import combinations

import numpy as np
from PIL import Image

from mtrefseg.view.overlay import draw_overlay

from ..geometry import mask_iou
from ..records import BoolMask
from .decisions import Disagreement, StoredDecision
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
    for first, second in combinations(store.auditors(), 2):
        found = store.agreement(first, second)
        counts = (found.both_accept, found.only_first, found.only_second, found.both_reject)
        if sum(counts):
            # Kappa is undefined if both gave one and the same verdict throughout.
            kappa = "–" if found.kappa is None else f"{found.kappa:.2f}"
            rows.append([f"{first} and {second}", *map(str, (sum(counts), *counts)), kappa])
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


def draw_disagreement(store: AuditStore, sample_id: str) -> Image.Image:
    """
    Draws the proposal and the version of each auditor.

    Args:
        store (`AuditStore`): The decisions.
        sample_id (`str`): A sample, judged or not.

    Returns:
        `PIL.Image.Image`: A page of `draw_overlay`. The score of a line is the IoU of its mask and the proposed one.

    Raises:
        CraftError: If there is no such sample, or its images are missing.
    """
    sample, images = store.sample(sample_id), store.images(sample_id)
    masks: list[BoolMask] = [sample.mask]
    texts = [f"proposed: {sample.expressions[0]}"]
    for each in store.decisions(sample_id):
        masks.append(_mask_of(each, sample.mask))
        sentence = (each.expressions or sample.expressions)[0]
        said = sentence if each.verdict == "accept" else (each.reason or "").replace("_", " ")
        texts.append(f"{each.auditor} {VERDICTS[each.verdict]}: {said}")
    scores = [mask_iou(mask, sample.mask) for mask in masks]
    return draw_overlay(images.image_t1, images.image_t2, masks, texts, scores)


def _say(proposed: BoolMask, found: Disagreement) -> str:
    """Describes a disagreement."""
    if found.kind == "verdict":
        reasons = {
            each.auditor: f" ({each.reason.replace('_', ' ')})" if each.reason else "" for each in found.decisions
        }
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
