# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
What a far worker knows and finds of one pair, as objects in a shared folder:

    open/KEY/answer-*, failure-*   every answer and every failed request, written as it comes
    open/KEY/step-*                every finished step
    open/KEY/begun-RUN-*           a mark for every time that a worker of that run took the pair up
    done/KEY                       a finished pair: all of it in one object, and the single ones are removed

KEY is a hash of the pair's files, of all settings that its samples depend on, and of what the run held of the pair
when it was handed out. So a worker that takes up a pair, for the first time or after another one died, goes on where
that one was, and asks nothing twice. If another engine has gone on with the pair meanwhile, its key is another one:
nothing that was built on other answers than the run's is found.
"""

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from ..records import Candidate, Proposal
from ..steps.asking import Exchange, FailedRequest
from .object_folder import ObjectFolder
from .rows import (
    Row,
    StepResult,
    Tables,
    exchange_row,
    failure_row,
    load_candidates,
    load_exchange,
    load_proposals,
)
from .serialization import dump
from .settings import CHANGEABLE, RunSettings
from .store import OPEN_STEPS, ClaimedPair


STEPS_TABLE = "steps"
"""Rows of before, after and seconds stand beside those of the run's tables."""


@dataclass(frozen=True)
class Ending:
    """
    Where a worker left a pair.

    Args:
        step (`str`): "refined", "skipped", "failed" or "put_back".
        reason (`str`): Why it is not finished.
        attempts (`int`): How often it was put back.
    """

    step: str
    reason: str = ""
    attempts: int = 0


@dataclass
class KnownPair:
    """
    All that is known of a pair.

    Args:
        tables (`dict[str, list[Row]]`): Answers and failures.
        results (`dict[str, StepResult]`): By step, what was found in it.
    """

    tables: dict[str, list[Row]] = field(default_factory=dict)
    results: dict[str, StepResult] = field(default_factory=dict)

    def add(self, tables: Tables) -> None:
        """Adds the content of an object."""
        for before, after, seconds in tables.get(STEPS_TABLE, ()):
            found = {name: rows for name, rows in tables.items() if _step_of(name) == after}
            self.results.setdefault(after, StepResult(before, after, seconds, found))
        for name in ("exchanges", "failures"):
            self.tables.setdefault(name, []).extend(tables.get(name, ()))

    def ordered(self) -> list[StepResult]:
        """The finished steps, earliest first."""
        return sorted(self.results.values(), key=lambda result: OPEN_STEPS.index(result.before))

    def whole(self) -> dict[str, list[Row]]:
        """All of it as one object."""
        steps: list[Row] = [(each.before, each.after, each.seconds) for each in self.ordered()]
        tables = {**self.tables, STEPS_TABLE: steps}
        for result in self.results.values():
            tables.update({name: list(rows) for name, rows in result.tables.items()})
        return tables


def pair_key(settings: RunSettings, claimed: ClaimedPair, tables: Tables) -> str:
    """
    The name under which a pair's objects lie: the same for the same pictures, settings and work that they go on from.

    Args:
        settings (`RunSettings`): Of the run.
        claimed (`ClaimedPair`): The pair.
        tables (`Tables`): What the run knows of it.

    Returns:
        `str`: 40 hexadecimal digits.
    """
    lasting = {name: value for name, value in asdict(settings).items() if name not in CHANGEABLE}
    known = {name: sorted(map(dump, rows)) for name, rows in tables.items()}
    content = dump([lasting, claimed.files.pair_id, claimed.sha256, claimed.step, known])
    return hashlib.sha256(content.encode("utf-8")).hexdigest()[:40]


def read_pair(folder: ObjectFolder, key: str) -> KnownPair:
    """Reads what lies in the folder of a pair."""
    while True:
        known = KnownPair()
        # Listed before the finished pair is looked for: whoever puts it together removes these last.
        names = [f"open/{key}/{name}" for name in folder.names(f"open/{key}") if not name.startswith("begun-")]
        try:
            for name in [f"done/{key}"] if folder.has(f"done/{key}") else names:
                known.add(folder.read(name))
        except FileNotFoundError:
            # Somebody has just put it together.
            continue
        return known


class PairObjects:
    """
    The store of one pair in a shared folder, a `pipeline.PairStore`.

    Args:
        folder (`ObjectFolder`): The folder.
        settings (`RunSettings`): Of the run.
        claimed (`ClaimedPair`): The pair.
        tables (`Tables`): What the run knows of it; it may have been begun by another engine.
    """

    def __init__(self, folder: ObjectFolder, settings: RunSettings, claimed: ClaimedPair, tables: Tables) -> None:
        self.settings = settings
        self.key = pair_key(settings, claimed, tables)
        self.known = read_pair(folder, self.key)
        self.ending: Ending | None = None
        self._folder = folder
        self._found = {name: list(rows) for name, rows in tables.items()}
        for result in self.known.results.values():
            self._found.update({name: list(rows) for name, rows in result.tables.items()})
        exchanges = (*tables.get("exchanges", ()), *self.known.tables.get("exchanges", ()))
        self._exchanges = {exchange.key: exchange for exchange in map(load_exchange, exchanges)}

    @property
    def last_step(self) -> str | None:
        """The last finished step that lies in the folder."""
        results = self.known.ordered()
        return results[-1].after if results else None

    @contextmanager
    def marked(self, run_name: str) -> Iterator[int]:
        """Marks the pair as taken up, as long as the block lasts; gives how many marks of this run were left behind
        by workers that ended in the middle of it. Those stay until the pair is finished: a worker that dies later is
        replaced by one that is handed the same part of the pairs again."""
        own = f"open/{self.key}/begun-{run_name}-"
        names = (f"open/{self.key}/{name}" for name in self._folder.names(f"open/{self.key}"))
        deaths = sum(name.startswith(own) for name in names)
        mark = f"{own}{uuid.uuid4().hex}"
        self._folder.write(mark, {})
        try:
            yield deaths
        finally:
            self._folder.remove([mark])

    def recall(self, key: str) -> Exchange | None:
        """The answer to a question that was asked before."""
        return self._exchanges.get(key)

    def record(self, exchange: Exchange) -> None:
        """Remembers an answer."""
        self._exchanges[exchange.key] = exchange
        self._write(f"answer-{exchange.key}", {"exchanges": [exchange_row(exchange)]})

    def record_failures(self, failures: Sequence[FailedRequest]) -> None:
        """Remembers requests that brought no answer."""
        name = f"failure-{failures[0].failure_id}"
        self._write(name, {"failures": [failure_row(failure) for failure in failures]})

    def candidates(self, pair_id: str) -> list[Candidate]:
        """What step (a) found."""
        return load_candidates(self._found.get("candidates", ()))

    def proposals(self, pair_id: str) -> list[Proposal]:
        """What step (b) made of it."""
        return load_proposals(*(self._found.get(name, ()) for name in ("candidates", "proposals", "rounds")))

    def save(self, pair_id: str, result: StepResult) -> None:
        """Ends a step; the last one puts all objects of the pair together."""
        self._found.update({name: list(rows) for name, rows in result.tables.items()})
        step = [(result.before, result.after, result.seconds)]
        self._write(f"step-{result.after}", {STEPS_TABLE: step, **result.tables})
        if result.after == "refined":
            self.ending = Ending("refined")
            self._folder.write(f"done/{self.key}", self.known.whole())
            self._folder.remove_folder(f"open/{self.key}")

    def put_back(self, pair_id: str, reason: str, attempts: int) -> None:
        """Says that the pair is to be taken up again later."""
        self.ending = Ending("put_back", reason, attempts)

    def give_up(self, pair_id: str, step: str, reason: str) -> None:
        """Says that the work on the pair ends."""
        self.ending = Ending(step, reason)

    def _write(self, name: str, tables: Tables) -> None:
        self._folder.write(f"open/{self.key}/{name}", tables)
        self.known.add(tables)


def _step_of(table: str) -> str | None:
    """The step whose results a table holds."""
    steps = {
        "candidates": "perceived",
        "proposals": "segmented",
        "rounds": "segmented",
        "refinements": "refined",
        "samples": "refined",
    }
    return steps.get(table)
