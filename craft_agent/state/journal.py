# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Questions and answers as they are recorded, so that no question is asked twice."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..backends.protocols import Usage


@dataclass(frozen=True)
class Exchange:
    """
    A question and its answer.

    Args:
        key (`str`): SHA-256 of everything that the answer depends on.
        pair_id (`str`): The pair that it is about.
        kind (`str`): The kind of question, or "segment".
        backend (`str`): Name of the perceiver or segmenter.
        request (`str`): JSON: the prompt, and the size and hash of every image.
        response (`str`, *optional*): The answer as it was received; `None` if the question was refused.
        problem (`str`): Why the answer cannot be used; "" if it can.
        usage (`Usage`): Tokens, requests and time.
    """

    key: str
    pair_id: str
    kind: str
    backend: str
    request: str
    response: str | None
    problem: str
    usage: Usage


@dataclass(frozen=True)
class FailedRequest:
    """
    A request without an answer: a timeout, status 429 or 5xx, a lost connection, a wrong key.

    Args:
        key, pair_id, kind, backend, request (`str`): As in the `Exchange` that the request was sent for.
        problem (`str`): What happened.
        failure_id (`str`, *optional*): Unique.
    """

    key: str
    pair_id: str
    kind: str
    backend: str
    request: str
    problem: str
    failure_id: str = field(default_factory=lambda: uuid.uuid4().hex)


class Journal(Protocol):
    """Where exchanges are recorded."""

    def recall(self, key: str) -> Exchange | None:
        """The recorded exchange with this key, or `None`."""
        ...

    def record(self, exchange: Exchange) -> None:
        """Records an exchange."""
        ...

    def record_failures(self, failures: Sequence[FailedRequest]) -> None:
        """Records requests without an answer."""
        ...


class MemoryJournal:
    """
    A journal in memory, to use single steps without a run.

    Attributes:
        new (`list[Exchange]`): The exchanges in the order in which they were recorded.
        failures (`list[FailedRequest]`): The requests without an answer.
    """

    def __init__(self) -> None:
        self._known: dict[str, Exchange] = {}
        self.new: list[Exchange] = []
        self.failures: list[FailedRequest] = []

    def recall(self, key: str) -> Exchange | None:
        """The recorded exchange with this key, or `None`."""
        return self._known.get(key)

    def record(self, exchange: Exchange) -> None:
        """Records an exchange."""
        self._known[exchange.key] = exchange
        self.new.append(exchange)

    def record_failures(self, failures: Sequence[FailedRequest]) -> None:
        """Records requests without an answer."""
        self.failures.extend(failures)
