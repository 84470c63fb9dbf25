# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A perceiver behind any chat endpoint of the OpenAI protocol that takes pictures.

    vllm serve Qwen/Qwen3-VL-8B-Instruct --port 8000
    craft-agent run PAIRS --out WORK --perceiver chat --perceiver-model Qwen/Qwen3-VL-8B-Instruct \\
        --endpoint http://127.0.0.1:8000/v1

Without an endpoint the Hugging Face router is asked, with the token of `hf auth login` or `HF_TOKEN`.
"""

import base64
import io
import random
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from huggingface_hub import InferenceClient, is_offline_mode
from huggingface_hub.utils import HfHubHTTPError, httpx
from PIL import Image

from ..errors import BackendError, PermanentError, RefusedError, TransientError
from .chat_client import ChatClient, ExchangeError, TooLongError
from .model_names import model_name
from .protocols import Answer, Question, Usage


MOST_CHARACTERS = 200_000
"""Length at which an answer's text is cut off."""
LONGEST_WAIT = 60.0
"""Seconds between two tries, unless the server asks for more."""
LONGEST_OBEYED_WAIT = 300.0
"""A server that wants a longer pause gets it, but no worker sleeps through it: the pair is put back."""
JPEG_QUALITY = 95

_TRY_AGAIN = {0, 408, 409, 425, 429}
_NEVER = {401, 402, 403, 404, 405, 407}
_BLIND = re.compile(
    r"not a multimodal model|(image|vision).{0,40}not supported|not support.{0,40}(image|vision)", re.I
)


@dataclass(frozen=True)
class Counters:
    """
    What a perceiver did so far. `questions` is the sum of `answered`, `refused` and `failed`.

    Args:
        questions (`int`): Calls of `ask` that came to an end.
        answered, refused, failed (`int`): How they ended: with an answer, a `RefusedError`, or another error.
        requests (`int`): HTTP requests that were sent.
        prompt_tokens, completion_tokens (`int`): As the server counts them, of the answers.
    """

    questions: int = 0
    answered: int = 0
    refused: int = 0
    failed: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ChatPerceiver:
    """
    Asks a vision-language model over HTTP.

    The JSON schema is sent as `response_format`. A server that refuses this field is asked without it from then on,
    for the prompt says the schema too; `max_tokens` gives way to `max_completion_tokens`, and `temperature` to the
    server's own, in the same manner. One that ignores the field costs nothing.

    A lost connection, a timeout, 408, 409, 425, 429 and 5xx are tried again after a pause that doubles each time, with
    jitter, or as long as `Retry-After` says. That pause holds for all threads.

    Args:
        model (`str`): Name of the model, as the server knows it.
        endpoint (`str`, *optional*): Address of the server, such as "http://127.0.0.1:8000/v1". Without it the
            Hugging Face router is asked.
        provider (`str`, *optional*): Who serves the model behind the router; it chooses by itself if not given.
        key (`str`, *optional*): Secret of the server or router. It is never written anywhere. Without it an endpoint
            is asked without a secret, and the router with the one that `huggingface_hub` knows.
        timeout (`float`, *optional*, defaults to 180): Seconds that a request may take.
        tries (`int`, *optional*, defaults to 6): How often a request is sent before it counts as failed.
        concurrency (`int`, *optional*, defaults to 8): How many requests may be under way at once.
        max_tokens (`int`, *optional*, defaults to 4096): Longest answer in tokens.
        temperature (`float`, *optional*, defaults to 0): Randomness of the answers.
        first_wait (`float`, *optional*, defaults to 1): Seconds before the second try.

    Raises:
        PermanentError: If the router is to be asked while `HF_HUB_OFFLINE` is set.
    """

    def __init__(
        self,
        model: str,
        endpoint: str | None = None,
        provider: str | None = None,
        key: str | None = None,
        timeout: float = 180.0,
        tries: int = 6,
        concurrency: int = 8,
        max_tokens: int = 4096,
        temperature: float = 0.0,
        first_wait: float = 1.0,
    ) -> None:
        if endpoint is None and is_offline_mode():
            raise PermanentError(
                "HF_HUB_OFFLINE is set, so the Hugging Face router cannot be asked: unset it, or name a server of "
                "your own with --endpoint"
            )
        self.name = model_name("chat", model)
        self._model = model
        self._key = key
        self._options = {"token": key, "provider": provider}
        if endpoint is not None:
            # `huggingface_hub` would send its own token to whatever address it is given, unless there is another one.
            self._options = {"token": key or "none", "base_url": endpoint}
        self._timeout = timeout
        self._tries = tries
        self._max_tokens = max_tokens
        self._temperature = temperature
        self._first_wait = first_wait
        self._session = httpx.Client(follow_redirects=False)
        self._slots = threading.BoundedSemaphore(concurrency)
        self._lock = threading.Lock()
        self._counters = Counters()
        self._not_before = 0.0
        self._refused_fields: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"ChatPerceiver({self._model!r})"

    @property
    def counters(self) -> Counters:
        """What was done so far."""
        with self._lock:
            return self._counters

    def ask(self, question: Question) -> Answer:
        """
        Asks a question.

        Args:
            question (`Question`): What to ask.

        Returns:
            `Answer`: The model's words as they came, cut off at `MOST_CHARACTERS`, and what they took.

        Raises:
            TransientError: If the server did not answer in any try.
            RefusedError: If it will not answer this question.
            PermanentError: If it will answer none.
        """
        started = time.perf_counter()
        call = _Call(_content(question), _response_format(question), self._refused_fields)
        try:
            text, finish_reason, tokens = self._converse(call)
        except BackendError as error:
            ending = "refused" if isinstance(error, RefusedError) else "failed"
            self._count(questions=1, **{ending: 1})
            raise
        if finish_reason == "content_filter":
            self._count(questions=1, refused=1)
            raise RefusedError("the server's content filter withheld the answer", call.failures)
        self._count(questions=1, answered=1, prompt_tokens=tokens[0], completion_tokens=tokens[1])
        usage = Usage(*tokens, seconds=time.perf_counter() - started)
        return Answer(text[:MOST_CHARACTERS], usage, tuple(call.failures))

    def _converse(self, call: "_Call") -> tuple[str, str, tuple[int, int]]:
        """Sends a request until it is answered: the words, why they end, and tokens of prompt and answer."""
        tries = 0
        while True:
            try:
                answer = self._send(call)
            except ExchangeError as problem:
                message = self._without_key(str(problem))
                gives_way = call.give_way(problem.status, message)
                if not (gives_way or problem.status in _TRY_AGAIN or problem.status >= 500):
                    raise self._final(problem, message, call.failures) from None
                told = f"{_status(problem)}{message}"
                if gives_way:
                    call.failures.append(told)
                    continue
                tries += 1
                wait = problem.retry_after
                if wait is None:
                    wait = min(LONGEST_WAIT, self._first_wait * 2 ** (tries - 1)) * random.uniform(0.5, 1)
                self._pause(wait)
                if tries >= self._tries or wait > LONGEST_OBEYED_WAIT:
                    raise TransientError(
                        f"{self.name} gave no answer in {tries} tries: {told}", call.failures
                    ) from None
                call.failures.append(told)
            else:
                with self._lock:
                    self._refused_fields |= call.refused_fields
                return answer

    def _send(self, call: "_Call") -> tuple[str, str, tuple[int, int]]:
        """Sends a request once, when its turn has come."""
        fields: dict[str, Any] = {"max_tokens": self._max_tokens, "temperature": self._temperature}
        if "max_tokens" in call.refused_fields:
            fields["extra_body"] = {"max_completion_tokens": fields.pop("max_tokens")}
        if "temperature" in call.refused_fields:
            del fields["temperature"]
        response_format = None if "response_format" in call.refused_fields else call.response_format
        client: InferenceClient = ChatClient(self._session, self._timeout, response_format, **self._options)
        with self._slots:
            time.sleep(max(0.0, self._not_before - time.monotonic()))
            self._count(requests=1)
            try:
                output = client.chat_completion(
                    [{"role": "user", "content": call.content}], model=self._model, **fields
                )
            except HfHubHTTPError as error:
                # The Hub was asked who serves the model.
                raise ExchangeError(error.response.status_code, str(error)) from error
            except httpx.HTTPError as error:
                raise ExchangeError(0, f"the Hub does not answer: {error}") from error
            except ValueError as error:
                raise ExchangeError(404, str(error)) from error
        choice, usage = output.choices[0], output.usage
        return choice.message.content or "", choice.finish_reason, (usage.prompt_tokens, usage.completion_tokens)

    def _pause(self, seconds: float) -> None:
        """Lets no thread ask before so many seconds are over."""
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + min(seconds, LONGEST_OBEYED_WAIT))

    def _final(self, problem: ExchangeError, message: str, failures: Sequence[str]) -> BackendError:
        if problem.status in _NEVER or 300 <= problem.status < 400 or _BLIND.search(message):
            return PermanentError(f"{self.name} cannot be asked: {_status(problem)}{message}", failures)
        if isinstance(problem, TooLongError):
            return RefusedError(message, failures)
        return RefusedError(f"{_status(problem)}{message}", failures)

    def _without_key(self, message: str) -> str:
        return message.replace(self._key, "[key]") if self._key else message

    def _count(self, **more: int) -> None:
        with self._lock:
            sums = {name: getattr(self._counters, name) + number for name, number in more.items()}
            self._counters = replace(self._counters, **sums)


class _Call:
    """
    One question on its way.

    Args:
        content (`list[dict]`): The message, in the parts of the protocol.
        response_format (`dict`): The field of that name.
        refused_fields (`frozenset[str]`): Fields that the server does not take.
    """

    def __init__(
        self, content: list[dict[str, Any]], response_format: dict[str, Any], refused_fields: frozenset[str]
    ) -> None:
        self.content = content
        self.response_format = response_format
        self.refused_fields = refused_fields
        self.failures: list[str] = []

    def give_way(self, status: int, message: str) -> bool:
        """
        Gives up a field that the server refuses: the one that it names, else `response_format`, which many servers
        know in part or not at all.

        Args:
            status (`int`): The answer's status.
            message (`str`): What the server says.

        Returns:
            `bool`: Whether there is something else to try.
        """
        if status not in (400, 422, 501):
            return False
        names = ("max_tokens", "temperature", "response_format")
        named = [name for name in names if name in message and name not in self.refused_fields]
        if not named and "response_format" not in self.refused_fields and not _BLIND.search(message):
            named = ["response_format"]
        self.refused_fields = self.refused_fields.union(named[:1])
        return bool(named)


def _content(question: Question) -> list[dict[str, Any]]:
    """The message in the protocol's parts: each picture after its number, then the words."""
    parts: list[dict[str, Any]] = []
    for number, image in enumerate(question.images, start=1):
        parts.append({"type": "text", "text": f"Image {number}:"})
        parts.append({"type": "image_url", "image_url": {"url": _data_url(image)}})
    return [*parts, {"type": "text", "text": question.prompt}]


def _data_url(image: Image.Image) -> str:
    buffer = io.BytesIO()
    # Colour at full resolution: thin coloured outlines would bleed otherwise.
    image.save(buffer, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _response_format(question: Question) -> dict[str, Any]:
    schema = dict(question.schema)
    name = re.sub(r"[^A-Za-z0-9_-]", "_", str(schema.get("title", "answer")))[:64]
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}


def _status(problem: ExchangeError) -> str:
    return f"HTTP {problem.status}: " if problem.status >= 100 else ""
