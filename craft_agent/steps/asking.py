# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Asks perceivers and segmenters. Answers are recorded, and what has been answered is never asked again."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from mtrefseg.foundation import CUT_OFF, AnswerError, drop_thoughts
from mtrs_iou import decode_rle, encode_rle

from ..backends.answers import read_answer
from ..backends.protocols import Answer, Perceiver, Question, Segmentation, SegmentationPrompt, Segmenter, Usage
from ..errors import BackendError, PermanentError, RefusedError
from ..prompts.templates import Prompts
from ..state.journal import Exchange, FailedRequest, Journal
from ..state.serialization import dump


REPAIRED_LENGTH = 6000
"""Characters of an unreadable answer that the model is shown again."""


_Asked: TypeAlias = tuple[str, str, str, str, str]
"""The first five fields of an exchange: key, pair, kind, backend, request."""


class Asker:
    """
    Asks the models of a run.

    Args:
        perceiver (`Perceiver`): Answers questions.
        segmenter (`Segmenter`): Finds pixels.
        prompts (`Prompts`): The texts of the questions.
        journal (`Journal`): Where answers are recorded.
        attempts (`int`, *optional*, defaults to 2): How often a question is asked if the answer cannot be read.
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
        Asks until the answer can be read. In each attempt, an unreadable answer is sent back once to be repaired,
        unless it was cut off; then the question is asked again together with what was wrong.

        Args:
            question (`Question`): The question.

        Returns:
            `dict` or `None`: The answer, which conforms to the question's schema; `None` if there is none.

        Raises:
            TransientError: If the question may be answered later.
            PermanentError: If the perceiver will never answer.
        """
        prompt = question.prompt
        for attempt in range(self._attempts):
            exchange, content = self._exchange(replace(question, prompt=prompt), attempt)
            if content is not None or exchange.response is None:
                return content
            readable = drop_thoughts(exchange.response).strip()
            # Of a cut-off answer, the part that is there would be taken for the whole.
            if readable and not exchange.problem.startswith(CUT_OFF):
                content = self._exchange(self._repair(question, exchange.problem, readable), attempt)[1]
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
            PermanentError: If the segmenter will never find anything, or violates its protocol.
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
        asked = (key, prompt.pair.pair_id, "segment", self.segmenter.name, request)
        try:
            with self._recording_failures(asked):
                found = self.segmenter.segment(prompt)
        except RefusedError as error:
            return Exchange(*asked, None, f"refused: {error}", Usage(seconds=perf_counter() - started))
        shape = (prompt.image.height, prompt.image.width)
        if found.mask.shape != shape or found.mask.dtype != bool:
            raise PermanentError(
                f"the segmenter {self.segmenter.name} returned a mask of {found.mask.dtype} {found.mask.shape} for an "
                f"image of {shape}; it must return booleans with the size of the image"
            )
        response = dump({"mask": encode_rle(found.mask), "score": float(found.score)})
        return Exchange(*asked, response, "", Usage(seconds=perf_counter() - started))

    def _repair(self, question: Question, problem: str, answer: str) -> Question:
        """Asks to repair the form of an answer. The images are not sent again: the content must not change."""
        prompt = self.prompts.fill("repair", schema=question.schema, problem=problem, answer=answer[:REPAIRED_LENGTH])
        return replace(question, kind="repair", prompt=prompt, images=())

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
        if exchange.response is None or exchange.problem:
            return exchange, None
        return exchange, read_answer(exchange.response, question.schema)

    def _send(self, question: Question, key: str, request: str) -> Exchange:
        asked = (key, question.pair.pair_id, question.kind, self.perceiver.name, request)
        try:
            with self._recording_failures(asked):
                answer = self.perceiver.ask(question)
        except RefusedError as error:
            return Exchange(*asked, None, f"refused: {error}", Usage())
        self._record_failures(answer.failures, asked)
        # A lone surrogate cannot be stored as UTF-8.
        response = answer.text.encode("utf-8", "replace").decode("utf-8")
        return Exchange(*asked, response, _problem(answer, response, question.schema), answer.usage)

    @contextmanager
    def _recording_failures(self, asked: _Asked) -> Iterator[None]:
        """Records the failed requests behind an error. A refusal is an answer, not a failed request."""
        try:
            yield
        except BackendError as error:
            own = () if isinstance(error, RefusedError) else (str(error),)
            self._record_failures((*error.failures, *own), asked)
            raise

    def _record_failures(self, problems: Sequence[str], asked: _Asked) -> None:
        if problems:
            self._journal.record_failures([FailedRequest(*asked, problem) for problem in problems])


def _problem(answer: Answer, response: str, schema: Mapping[str, Any]) -> str:
    """Why an answer cannot be used, "" if it can."""
    if answer.is_cut_off:
        return f"{CUT_OFF} at the limit of tokens"
    try:
        read_answer(response, schema)
    except AnswerError as error:
        return str(error)
    return ""


def _describe(image: Image.Image) -> dict[str, Any]:
    return {"size": image.size, "sha256": hashlib.sha256(image.tobytes()).hexdigest()}


def _key(backend: str, kind: str, request: Mapping[str, Any]) -> str:
    return hashlib.sha256(dump([backend, kind, request]).encode("utf-8", "replace")).hexdigest()
