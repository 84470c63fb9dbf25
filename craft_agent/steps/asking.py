# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Asks a perceiver or segmenter, remembers what it said, and asks nothing that was answered before."""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Protocol, TypeAlias

import numpy as np
from PIL import Image

from mtrs_iou.mask_counts import decode_rle, encode_rle

from ..backends.answers import AnswerError, read_answer
from ..backends.protocols import Perceiver, Question, Segmentation, SegmentationPrompt, Segmenter, Usage
from ..errors import BackendError, PermanentError, RefusedError
from ..prompts.templates import Prompts
from ..state.serialization import dump


REPAIRED_LENGTH = 6000
"""Characters of an unreadable answer that the model is shown again."""


_Asked: TypeAlias = tuple[str, str, str, str, str]
"""The first five fields of an exchange: key, pair, kind, backend, request."""


@dataclass(frozen=True)
class Exchange:
    """
    A question and its answer.

    Args:
        key (`str`): SHA-256 of all that the answer depends on.
        pair_id (`str`): The pair it is about.
        kind (`str`): The question's kind, or "segment".
        backend (`str`): Name of the perceiver or segmenter.
        request (`str`): JSON: the prompt, and of every picture its size and hash.
        response (`str`, *optional*): The answer as it came; `None` if it was refused.
        problem (`str`): Why it could not be used, "" if it could.
        usage (`Usage`): What it took.
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
    A request that brought no answer: a timeout, 429, 5xx, a lost connection, a wrong key.

    Args:
        key, pair_id, kind, backend, request (`str`): As of the `Exchange` that it should have become.
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
    """Remembers exchanges; `store.Store` is one."""

    def recall(self, key: str) -> Exchange | None:
        """The exchange of this key, `None` if there was none."""
        ...

    def record(self, exchange: Exchange) -> None:
        """Remembers an exchange."""
        ...

    def record_failures(self, failures: Sequence[FailedRequest]) -> None:
        """Remembers requests that brought no answer."""
        ...


class MemoryJournal:
    """A journal that lives as long as its process, for single steps."""

    def __init__(self) -> None:
        self._known: dict[str, Exchange] = {}
        self.new: list[Exchange] = []
        self.failures: list[FailedRequest] = []

    def recall(self, key: str) -> Exchange | None:
        """The exchange of this key, `None` if there was none."""
        return self._known.get(key)

    def record(self, exchange: Exchange) -> None:
        """Remembers an exchange."""
        self._known[exchange.key] = exchange
        self.new.append(exchange)

    def record_failures(self, failures: Sequence[FailedRequest]) -> None:
        """Remembers requests that brought no answer."""
        self.failures.extend(failures)


class Asker:
    """
    Asks the models of a run.

    Args:
        perceiver (`Perceiver`): Answers questions.
        segmenter (`Segmenter`): Finds pixels.
        prompts (`Prompts`): The texts of the questions.
        journal (`Journal`): Remembers the answers.
        attempts (`int`, *optional*, defaults to 2): How often a question is asked whose answer cannot be read.
    """

    def __init__(
        self, perceiver: Perceiver, segmenter: Segmenter, prompts: Prompts, journal: Journal, attempts: int = 2
    ) -> None:
        self.perceiver = perceiver
        self.segmenter = segmenter
        self.prompts = prompts
        self._journal = journal
        self._attempts = attempts

    def ask(self, question: Question) -> dict[str, Any] | None:
        """
        Asks until the answer can be read: each unreadable answer is given back once to be repaired, then the question
        is asked anew with what was wrong.

        Args:
            question (`Question`): What to ask.

        Returns:
            `dict` or `None`: The answer, which is as the question's schema has it; `None` if none can be had.

        Raises:
            TransientError: If there may be an answer later.
            PermanentError: If the perceiver will never answer anything.
        """
        prompt = question.prompt
        for attempt in range(self._attempts):
            exchange, content = self._exchange(replace(question, prompt=prompt), attempt)
            if content is not None or exchange.response is None:
                return content
            facts = {"problem": exchange.problem, "answer": exchange.response[:REPAIRED_LENGTH]}
            repair = replace(
                question, kind="repair", prompt=self.prompts.fill("repair", schema=question.schema, **facts), images=()
            )
            if exchange.response.strip():
                content = self._exchange(repair, attempt)[1]
                if content is not None:
                    return content
            prompt = f"{question.prompt}\n\nAn earlier answer could not be read: {exchange.problem}. Answer in JSON."
        return None

    def segment(self, prompt: SegmentationPrompt) -> Segmentation:
        """
        Finds the pixels of a thing.

        Args:
            prompt (`SegmentationPrompt`): What to find.

        Returns:
            `Segmentation`: The mask; an empty one if the segmenter refused.

        Raises:
            TransientError: If it may be found later.
            PermanentError: If the segmenter will never find anything, or breaks its protocol.
        """
        request = {
            "pair": prompt.pair.pair_id,
            "image": _describe(prompt.image),
            **{name: getattr(prompt, name) for name in ("time", "text", "sentence", "box", "points")},
            "change_type": prompt.change_type.value,
        }
        key = _key(self.segmenter.name, "segment", request)
        known = self._journal.recall(key)
        if known is None:
            known = self._segment(prompt, key, dump(request))
            self._journal.record(known)
        if known.response is None:
            return Segmentation(np.zeros((prompt.image.height, prompt.image.width), dtype=bool), 0.0)
        content = json.loads(known.response)
        return Segmentation(decode_rle(content["mask"]), content["score"])

    def _segment(self, prompt: SegmentationPrompt, key: str, request: str) -> Exchange:
        started = perf_counter()
        response, problem = None, ""
        asked = (key, prompt.pair.pair_id, "segment", self.segmenter.name, request)
        try:
            with self._recording_failures(asked):
                found = self.segmenter.segment(prompt)
        except RefusedError as error:
            problem = f"refused: {error}"
        else:
            shape = (prompt.image.height, prompt.image.width)
            if found.mask.shape != shape or found.mask.dtype != bool:
                raise PermanentError(
                    f"the segmenter {self.segmenter.name} gave a mask of {found.mask.dtype} {found.mask.shape} for a "
                    f"picture of {shape}; it must give booleans of the picture's size"
                )
            response = dump({"mask": encode_rle(found.mask), "score": float(found.score)})
        return Exchange(*asked, response, problem, Usage(seconds=perf_counter() - started))

    def _exchange(self, question: Question, attempt: int) -> tuple[Exchange, dict[str, Any] | None]:
        """Asks once, and reads the answer."""
        request = {
            "pair": question.pair.pair_id,
            "prompt": question.prompt,
            "images": [_describe(image) for image in question.images],
            "schema": question.schema["title"],
            "attempt": attempt,
        }
        key = _key(self.perceiver.name, question.kind, {**request, "schema": question.schema})
        exchange = self._journal.recall(key)
        if exchange is None:
            exchange = self._send(question, key, dump(request))
            self._journal.record(exchange)
        if exchange.response is None:
            return exchange, None
        return exchange, _read(exchange.response, question.schema)[0]

    def _send(self, question: Question, key: str, request: str) -> Exchange:
        asked = (key, question.pair.pair_id, question.kind, self.perceiver.name, request)
        try:
            with self._recording_failures(asked):
                answer = self.perceiver.ask(question)
        except RefusedError as error:
            return Exchange(*asked, None, f"refused: {error}", Usage())
        self._record_failures(answer.failures, asked)
        # A lone surrogate, which JSON can hold, cannot be stored.
        response = answer.text.encode("utf-8", "replace").decode("utf-8")
        return Exchange(*asked, response, _read(answer.text, question.schema)[1], answer.usage)

    @contextmanager
    def _recording_failures(self, asked: _Asked) -> Iterator[None]:
        """Writes down what was sent in vain before an error, and the error's own request unless it was refused, which
        is an answer."""
        try:
            yield
        except BackendError as error:
            own = () if isinstance(error, RefusedError) else (str(error),)
            self._record_failures((*error.failures, *own), asked)
            raise

    def _record_failures(self, problems: Sequence[str], asked: _Asked) -> None:
        if problems:
            self._journal.record_failures([FailedRequest(*asked, problem) for problem in problems])


def _read(text: str, schema: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
    try:
        return read_answer(text, schema), ""
    except AnswerError as error:
        return None, str(error)


def _describe(image: Image.Image) -> dict[str, Any]:
    return {"size": image.size, "sha256": hashlib.sha256(image.tobytes()).hexdigest()}


def _key(backend: str, kind: str, request: Mapping[str, Any]) -> str:
    return hashlib.sha256(dump([backend, kind, request]).encode("utf-8", "replace")).hexdigest()
