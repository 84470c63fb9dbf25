# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""What each auditor did: how many samples, how often the same as others, how often overruled, how fast."""

from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from statistics import median

from .decisions import StoredDecision
from .store import AuditStore


AUDITOR_HEADERS = ("auditor", "judged", "accepted", "edited", "same as others", "overruled", "seconds each")
LONGEST_PAUSE = 300.0
"""Seconds between two decisions from which on the auditor was away."""


def auditor_rows(store: AuditStore) -> list[list[str]]:
    """
    Sums up every auditor.

    Args:
        store (`AuditStore`): The decisions.

    Returns:
        `list[list[str]]`: A row for each; columns as in `AUDITOR_HEADERS`. "Same as others" is the share of equal
        verdicts among those that two people gave independently of each other, "overruled" counts the verdicts that an
        adjudicator reversed, and "seconds each" is the median between two decisions.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    times: dict[str, list[datetime]] = defaultdict(list)
    for _, decisions in store.judged_samples():
        final = next((each for each in decisions if each.final), None)
        for each in decisions:
            counts[each.auditor].update(_facts(each, final))
            times[each.auditor].append(datetime.fromisoformat(each.created_at))
    for first, second, agreement in store.agreements():
        for name in (first, second):
            counts[name].update(compared=agreement.total, same=agreement.alike)
    return [_row(name, counts[name], sorted(times[name])) for name in sorted(counts)]


def _facts(each: StoredDecision, final: StoredDecision | None) -> list[str]:
    facts = ["judged"]
    if each.verdict == "accept":
        facts.append("accepted")
        if any(edit is not None for edit in (each.expressions, each.change_type, each.mask)):
            facts.append("edited")
    if final is not None and not each.final and final.verdict != each.verdict:
        facts.append("overruled")
    return facts


def _row(name: str, count: Counter[str], times: list[datetime]) -> list[str]:
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    worked = [pause for pause in pauses if pause <= LONGEST_PAUSE]
    same = f"{100 * count['same'] / count['compared']:.0f} % of {count['compared']:,}" if count["compared"] else "–"
    numbers = [f"{count[fact]:,}" for fact in ("judged", "accepted", "edited")]
    return [name, *numbers, same, f"{count['overruled']:,}", f"{median(worked):.0f}" if worked else "–"]
