# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
What runs in the processes that Ray starts. A worker holds the models and keeps no state: it gets a pair with
everything that is stored about it, and sends back every answer and every finished step as soon as it is there.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..errors import CraftError
from ..prompts.templates import Prompts
from ..records import Candidate, Proposal
from ..state.claims import ClaimedPair
from ..state.journal import Exchange, FailedRequest
from ..state.pairs_folder import decode_pair
from ..state.rows import Row, StepResult, load_candidates, load_exchange, load_proposals
from ..state.settings import RunSettings
from ..steps.pipeline import Backends, PairPipeline


Message: TypeAlias = tuple[str, tuple[Any, ...]]
"""The name of a method of `Claims` and its arguments; or `ENDED` with the pair's end, or `STOPPED` with the reason."""
ENDED, STOPPED = "ended", "stopped"


@dataclass(frozen=True)
class PairTask:
    """
    A pair on its way to a worker.

    Args:
        claimed (`ClaimedPair`): The pair.
        contents (`tuple[bytes, bytes]`): The content of its files, t1 first.
        tables (`dict[str, list[Row]]`): What the run has stored about it, from `Store.tables`.
    """

    claimed: ClaimedPair
    contents: tuple[bytes, bytes] = field(repr=False)
    tables: dict[str, list[Row]] = field(repr=False)


class PairWorker:
    """
    A worker; `ray_engine` makes an actor of it.

    Args:
        settings (`RunSettings`): Settings of the run.
        make_backends (`Callable[[], Backends]`): Makes the models.
        prompts (`Prompts`): The texts of the questions.
    """

    def __init__(self, settings: RunSettings, make_backends: Callable[[], Backends], prompts: Prompts) -> None:
        self._settings = settings
        self._make_backends = make_backends
        self._prompts = prompts
        self._backends: Backends | None = None
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._stored: queue.SimpleQueue[None] = queue.SimpleQueue()

    def load(self) -> str:
        """Loads the models; returns why they cannot be used, "" if they can."""
        try:
            self._backends = self._make_backends()
        # What works where the run was started may fail here: the variable with the API key may not be set.
        except CraftError as error:
            return str(error)
        return ""

    def start(self, task: PairTask) -> Message:
        """Begins to process a pair; returns the first message."""
        assert self._backends is not None, "load() must be called first"
        store = _SendingStore(self._settings, task.tables, self._send)
        pipeline = PairPipeline(
            store, self._backends, self._prompts, lambda claimed: decode_pair(claimed.files, task.contents)
        )
        # The pipeline stores results deep inside its calls, so it needs a thread of its own to wait in.
        threading.Thread(target=self._process, args=(pipeline, task.claimed), daemon=True).start()
        return self._messages.get()

    def resume(self) -> Message:
        """Continues after the last message has been stored; returns the next one. `ENDED` or `STOPPED` is the last."""
        self._stored.put(None)
        return self._messages.get()

    def _send(self, message: Message) -> None:
        """Sends a message and waits until it is stored, so that a crash costs one answer at most."""
        self._messages.put(message)
        self._stored.get()

    def _process(self, pipeline: PairPipeline, claimed: ClaimedPair) -> None:
        try:
            self._messages.put((ENDED, (pipeline.run(claimed),)))
        # The exception itself might not survive the way to the other process.
        except BaseException as error:
            self._messages.put((STOPPED, (" ".join(str(error).split()) or type(error).__name__,)))
            if not isinstance(error, CraftError):
                raise


class _SendingStore:
    """
    The store of one pair, a `pipeline.PairStore`: reads what came with the task, and sends what is to be stored.

    Args:
        settings (`RunSettings`): Settings of the run.
        tables (`dict[str, list[Row]]`): What the run has stored about the pair.
        send (`Callable[[Message], None]`): Sends a message.
    """

    def __init__(self, settings: RunSettings, tables: dict[str, list[Row]], send: Callable[[Message], None]) -> None:
        self.settings = settings
        self._tables = dict(tables)
        self._send = send
        exchanges = map(load_exchange, tables.get("exchanges", ()))
        self._exchanges = {exchange.key: exchange for exchange in exchanges}

    def recall(self, key: str) -> Exchange | None:
        return self._exchanges.get(key)

    def record(self, exchange: Exchange) -> None:
        self._exchanges[exchange.key] = exchange
        self._send(("record", (exchange,)))

    def record_failures(self, failures: Sequence[FailedRequest]) -> None:
        self._send(("record_failures", (tuple(failures),)))

    def candidates(self, pair_id: str) -> list[Candidate]:
        return load_candidates(self._tables.get("candidates", ()))

    def proposals(self, pair_id: str) -> list[Proposal]:
        return load_proposals(*(self._tables.get(name, ()) for name in ("candidates", "proposals", "rounds")))

    def save(self, pair_id: str, result: StepResult) -> None:
        self._tables.update({name: list(rows) for name, rows in result.tables.items()})
        self._send(("save", (pair_id, result)))

    def put_back(self, pair_id: str, reason: str, attempts: int) -> None:
        self._send(("put_back", (pair_id, reason, attempts)))

    def give_up(self, pair_id: str, step: str, reason: str, trace: str = "") -> None:
        self._send(("give_up", (pair_id, step, reason, trace)))
