# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""The records of `records.py` as rows of the tables in `database.py`, and back. A row lists its table's columns."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeAlias

from ..backends.protocols import Usage
from ..records import Candidate, ChangeType, Proposal, Sample
from .journal import Exchange, FailedRequest
from .serialization import dump, dump_candidate, dump_mask, dump_round, load_candidate, load_mask, load_round


Row: TypeAlias = Sequence[Any]
Tables: TypeAlias = Mapping[str, Sequence[Row]]
"""Rows by table."""


@dataclass(frozen=True)
class StepResult:
    """
    The result of one step on a pair.

    Args:
        before, after (`str`): The pair's step before and after, such as "new" and "perceived".
        seconds (`float`): Duration.
        tables (`Tables`): The rows to write.
    """

    before: str
    after: str
    seconds: float
    tables: Tables = field(repr=False)


def perceived(pair_id: str, candidates: Sequence[Candidate], seconds: float) -> StepResult:
    """The result of step (a)."""
    rows = [(pair_id, candidate.index, dump_candidate(candidate)) for candidate in candidates]
    return StepResult("new", "perceived", seconds, {"candidates": rows})


def segmented(pair_id: str, proposals: Sequence[Proposal], seconds: float) -> StepResult:
    """The result of step (b)."""
    rows = [(pair_id, proposal.candidate.index, proposal.best, proposal.outcome) for proposal in proposals]
    rounds = [
        (pair_id, proposal.candidate.index, round_.number, dump_round(round_))
        for proposal in proposals
        for round_ in proposal.rounds
    ]
    return StepResult("perceived", "segmented", seconds, {"proposals": rows, "rounds": rounds})


def refined(pair_id: str, samples: Sequence[Sample], outcomes: Mapping[int, str], seconds: float) -> StepResult:
    """The result of step (c); `outcomes` holds the outcome of each kept proposal by candidate."""
    rows = [
        (
            sample.sample_id,
            pair_id,
            sample.candidate,
            dump(sample.expressions),
            sample.change_type.value,
            dump_mask(sample.mask),
            dump(sample.provenance),
        )
        for sample in samples
    ]
    refinements = [(pair_id, index, outcome) for index, outcome in outcomes.items()]
    return StepResult("segmented", "refined", seconds, {"refinements": refinements, "samples": rows})


def load_candidates(candidates: Iterable[Row]) -> list[Candidate]:
    """The candidates of a pair, sorted by index."""
    return sorted((load_candidate(index, content) for _, index, content in candidates), key=lambda each: each.index)


def load_proposals(candidates: Iterable[Row], proposals: Iterable[Row], rounds: Iterable[Row]) -> list[Proposal]:
    """The proposals of a pair, sorted by the index of their candidate."""
    found = {candidate.index: candidate for candidate in load_candidates(candidates)}
    tries = sorted((index, number, content) for _, index, number, content in rounds)
    loaded = []
    for _, index, best, outcome in sorted(proposals, key=lambda row: row[1]):
        own = tuple(load_round(number, content) for candidate, number, content in tries if candidate == index)
        loaded.append(Proposal(found[index], own, best, outcome))
    return loaded


def load_sample(row: sqlite3.Row) -> Sample:
    """The sample in a row of the table `samples`."""
    return Sample(
        sample_id=row["sample_id"],
        pair_id=row["pair_id"],
        candidate=row["candidate"],
        expressions=tuple(json.loads(row["expressions"])),
        change_type=ChangeType(row["change_type"]),
        mask=load_mask(row["mask"]),
        provenance=json.loads(row["provenance"]),
    )


def exchange_row(exchange: Exchange) -> Row:
    """The row of an exchange, with the current time."""
    usage = exchange.usage
    return (
        exchange.key,
        exchange.pair_id,
        exchange.kind,
        exchange.backend,
        exchange.request,
        exchange.response,
        exchange.problem,
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.requests,
        usage.seconds,
        now(),
    )


def load_exchange(row: Row) -> Exchange:
    """The exchange in a row of `exchange_row`."""
    key, pair_id, kind, backend, request, response, problem, *usage = row
    return Exchange(key, pair_id, kind, backend, request, response, problem, Usage(*usage[:4]))


def failure_row(failure: FailedRequest) -> Row:
    """The row of a request without an answer, with the current time."""
    return (
        failure.failure_id,
        failure.key,
        failure.pair_id,
        failure.kind,
        failure.backend,
        failure.request,
        failure.problem,
        now(),
    )


def now() -> str:
    """The current time in UTC, ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def insert_rows(connection: sqlite3.Connection, tables: Tables) -> None:
    """Inserts rows. Answers and failures may be there already; a duplicate in any other table is an error."""
    for name, rows in tables.items():
        clause = "OR IGNORE " if name in ("exchanges", "failures") else ""
        for row in rows:
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT {clause}INTO {name} VALUES ({marks})", tuple(row))
