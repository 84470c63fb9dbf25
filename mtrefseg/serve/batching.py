# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
One worker that runs the model for all clients. Waiting requests about the same pair are combined: the pair is
encoded once, and their sentences are processed in one batch.
"""

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mtrefseg.io import sha256_bytes

from .engine import Answer, Engine, Sentence
from .limits import InputError, decode_pair
from .pair_cache import PairCache


logger = logging.getLogger(__name__)

NAMES = ("image_t1", "image_t2")
# Per batch of the model; memory grows with this number. Requests are only combined up to it, so that nobody waits for
# the sentences of many others.
SENTENCES_AT_ONCE = 32
MAX_ANSWERS = 64  # cached answers of one pair
EVERYBODY = ""  # All clients share the cache, because a client needs the files of a pair to get results for it.


class PairKey(NamedTuple):
    """The key of a pair: digests of both files, the domain, and the alignment."""

    digest_t1: str
    digest_t2: str
    domain: str | None
    align: str


@dataclass
class EncodedPair:
    """
    An encoded pair.

    Args:
        size (`tuple[int, int]`): Height and width of t1, in pixels.
        encoding ([`MTRefSegPairEncoding`]): The computation that all sentences share.
        notes (`list[str]`): Notes about the images.
        answers (`OrderedDict[str | None, Answer]`): The most recent sentences.
    """

    size: tuple[int, int]
    encoding: Any
    notes: list[str]
    answers: OrderedDict[Sentence, Answer] = field(default_factory=OrderedDict)


@dataclass(frozen=True)
class Answered:
    """
    The model's result for one request.

    Args:
        size (`tuple[int, int]`): Height and width of the masks, in pixels.
        answers (`list[Answer]`): One per sentence.
        notes (`list[str]`): Notes about the images.
        waiting_seconds (`float`): Time until the worker had the model and started the request.
        encoding_seconds (`float`, *optional*): Time to read and encode the pair; `None` if it was cached.
        answering_seconds (`float`): Time for the sentences of all combined requests.
        batched_requests (`int`): Number of combined requests.
    """

    size: tuple[int, int]
    answers: list[Answer]
    notes: list[str]
    waiting_seconds: float
    encoding_seconds: float | None
    answering_seconds: float
    batched_requests: int


@dataclass(eq=False)
class Job:
    """
    A request that waits for its answers.

    Args:
        files (`tuple[bytes, bytes]`): Contents of the files of t1 and t2.
        sentences (`list[str | None]`): Checked sentences; `None` for every change.
        domain (`str`, *optional*): `"remote_sensing"` or `"normal_scene"`.
        align (`str`): `"error"` or `"resize"`.
    """

    files: tuple[bytes, bytes]
    sentences: list[Sentence]
    domain: str | None = None
    align: str = "error"

    def __post_init__(self) -> None:
        self.key = PairKey(sha256_bytes(self.files[0]), sha256_bytes(self.files[1]), self.domain, self.align)
        self.future: Future[Answered] = Future()
        self.arrived = time.perf_counter()
        self.taken = self.arrived
        self.is_wanted = True


class Batcher:
    """
    Runs the worker.

    Args:
        engine ([`Engine`]): The model. Its lock is only held while it runs, so that others can use it in between.
        cache_bytes (`int`): Maximum memory for encoded pairs.
        batching (`bool`, *optional*, defaults to `True`): Whether requests about one pair are combined.
        observe (`Callable`, *optional*): Called for each batch with the seconds to encode the pair (`None` if it was
            cached) and for the sentences, the number of requests, and the number of sentences that were not cached.
    """

    def __init__(
        self,
        engine: Engine,
        cache_bytes: int,
        batching: bool = True,
        observe: Callable[[float | None, float, int, int], None] | None = None,
    ) -> None:
        self.engine = engine
        self.pairs: PairCache[EncodedPair] = PairCache(cache_bytes)
        self.batching = batching
        self.observe = observe
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="mtrefseg-serve", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """`int`: Requests that the worker has not started yet."""
        return len(self._waiting)

    @property
    def is_alive(self) -> bool:
        """`bool`: Whether the worker is running."""
        return self._thread.is_alive()

    def submit(self, job: Job) -> None:
        """
        Adds a request to the queue; its `future` gets the result, or an [`InputError`].

        Raises:
            RuntimeError: If the worker was stopped.
        """
        with self._changed:
            if self._stopping:
                raise RuntimeError("the worker was stopped")
            self._waiting.append(job)
            self._changed.notify()

    def give_up(self, job: Job) -> None:
        """Cancels a request: what has not started is skipped, and its files are not kept."""
        job.is_wanted = False
        job.future.cancel()
        with self._changed:
            if job in self._waiting:
                self._waiting.remove(job)

    def stop(self) -> None:
        """Answers waiting requests, and stops the worker."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._is_needed():
            # Requests stay in the queue until the model is free: more of them can be combined or given up by then.
            with self.engine.lock:
                self._answer_next()

    def _answer_next(self) -> None:
        group = self._take()
        try:
            self._answer_group(group)
        except InputError as error:
            for job in group:
                _fail(job, error)
        # After any error, no client waits forever, and the worker continues.
        except Exception as error:
            logger.exception("the model failed")
            for job in group:
                _fail(job, error)

    def _is_needed(self) -> bool:
        """Waits for a request; whether there is one."""
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            return bool(self._waiting)

    def _take(self) -> list[Job]:
        """The next request, and those for the same pair whose sentences fit into a batch with its own."""
        group: list[Job] = []
        sentences: set[Sentence] = set()
        with self._changed:
            for job in list(self._waiting):
                together = sentences.union(job.sentences)
                if not group or (job.key == group[0].key and len(together) <= SENTENCES_AT_ONCE):
                    group.append(job)
                    sentences = together
                    self._waiting.remove(job)
                if not self.batching:
                    break
        now = time.perf_counter()
        group = [job for job in group if job.future.set_running_or_notify_cancel()]
        for job in group:
            job.taken = now
        return group

    def _answer_group(self, group: list[Job]) -> None:
        if not group:
            return
        start = time.perf_counter()
        pair = self.pairs.get(EVERYBODY, group[0].key)
        encoding_seconds = None
        if pair is None:
            pair = self._encode(group[0])
            encoding_seconds = time.perf_counter() - start
            self.pairs.put(EVERYBODY, group[0].key, pair)
        start = time.perf_counter()
        before = len(pair.answers)
        errors = self._ask_about(pair, group)
        answering_seconds = time.perf_counter() - start
        for job in group:
            if job in errors:
                _fail(job, errors[job])
            elif all(sentence in pair.answers for sentence in job.sentences):
                answered = Answered(
                    size=pair.size,
                    answers=[pair.answers[sentence] for sentence in job.sentences],
                    notes=pair.notes,
                    waiting_seconds=job.taken - job.arrived,
                    encoding_seconds=encoding_seconds,
                    answering_seconds=answering_seconds,
                    batched_requests=len(group),
                )
                job.future.set_result(answered)
            else:
                _fail(job, InputError("The request was given up."))
        if self.observe is not None:
            self.observe(encoding_seconds, answering_seconds, len(group), len(pair.answers) - before)
        while len(pair.answers) > MAX_ANSWERS:
            pair.answers.popitem(last=False)
        self.pairs.put(EVERYBODY, group[0].key, pair)  # updates its size

    def _encode(self, job: Job) -> EncodedPair:
        images, notes = decode_pair(job.files, NAMES, job.align)
        image_t1, image_t2 = self.engine.processor.image_processor.load_pair(*images, align="resize")
        encoding = self.engine.encode(image_t1, image_t2, job.domain)
        notes = [*notes, *filter(None, [self.engine.shrinking_note(image_t1)])]
        return EncodedPair((image_t1.height, image_t1.width), encoding, notes)

    def _ask_about(self, pair: EncodedPair, group: list[Job]) -> dict[Job, Exception]:
        """Runs the model for all sentences that are not cached; if one is rejected, only its own request fails."""
        try:
            self._ask(pair, group)
            return {}
        # Whatever it is, it fails only the request that causes it.
        except Exception as error:
            if len(group) == 1:
                if not isinstance(error, InputError):
                    logger.exception("the model failed")
                return {group[0]: error}
        errors: dict[Job, Exception] = {}
        for job in group:
            errors |= self._ask_about(pair, [job])
        return errors

    def _ask(self, pair: EncodedPair, group: Sequence[Job]) -> None:
        for job in group:
            for sentence in job.sentences:
                if sentence in pair.answers:
                    pair.answers.move_to_end(sentence)
        asked = _unknown(pair, group)
        while asked:
            pair.answers.update(self.engine.answer(pair.encoding, asked[:SENTENCES_AT_ONCE]))
            # Requests may have been cancelled between batches of the model.
            asked = _unknown(pair, (job for job in group if job.is_wanted))


def _unknown(pair: EncodedPair, group: Iterable[Job]) -> list[Sentence]:
    """Distinct sentences that are not cached yet."""
    sentences = dict.fromkeys(sentence for job in group for sentence in job.sentences)
    return [sentence for sentence in sentences if sentence not in pair.answers]


def _fail(job: Job, error: Exception) -> None:
    if not job.future.done():
        job.future.set_exception(error)
