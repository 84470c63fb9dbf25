# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
A perceiver that asks any chat server of the OpenAI protocol that accepts images.

    vllm serve Qwen/Qwen3-VL-8B-Instruct --port 8000
    craft-agent run PAIRS --out WORK --perceiver chat --perceiver-model Qwen/Qwen3-VL-8B-Instruct \\
        --endpoint http://127.0.0.1:8000/v1

Without an endpoint, the Hugging Face router is asked with the token of `hf auth login` or `HF_TOKEN`.
"""

import logging
import random
import re
import threading
import time
from collections.abc import Sequence
from typing import Any

from huggingface_hub import get_token, is_offline_mode

from mtrefseg.foundation.chat_client import ChatClient, Completion, ExchangeError, data_url

from ..errors import BackendError, PermanentError, RefusedError, TransientError
from .model_names import model_name
from .protocols import Answer, Question, Usage


ROUTER = "https://router.huggingface.co/v1"
MOST_CHARACTERS = 200_000
"""Maximum length of the text of an answer."""
LONGEST_WAIT = 60.0
"""Maximum pause between two tries in seconds, unless the server asks for more."""
LONGEST_OBEYED_WAIT = 300.0
"""If the server asks for a longer pause in seconds, the pair is put back instead."""
CHECK_SECONDS = 5.0
"""Time limit of the check before a run."""
CHECK_QUESTION = "Answer with the word ok."
JPEG_QUALITY = 95

_LOG = logging.getLogger(__name__)
_BLIND = re.compile(
    r"not a multimodal model|(image|vision).{0,40}not supported|not support.{0,40}(image|vision)", re.I
)


class ChatPerceiver:
    """
    Asks a vision-language model over HTTP.

    The JSON schema is sent as `response_format`. If the server refuses this field, it is left out from then on: the
    prompt contains the schema as well. In the same way, `max_tokens` is replaced by `max_completion_tokens`, and
    `temperature` is left out.

    Lost connections, timeouts and the statuses 408, 409, 425, 429 and 5xx are retried after a pause that doubles each
    time, with jitter, or as long as `Retry-After` says. The pause holds for all threads.

    Args:
        model (`str`): Name of the model at the server.
        endpoint (`str`, *optional*): URL of the server, such as "http://127.0.0.1:8000/v1". By default the Hugging
            Face router.
        provider (`str`, *optional*): Inference provider behind the router; by default the router chooses.
        key (`str`, *optional*): API key of the server or router; it is never stored. By default the router gets the
            token of `huggingface_hub`, and other servers get none.
        timeout (`float`, *optional*, defaults to 180): Seconds that a whole request may take.
        tries (`int`, *optional*, defaults to 6): How often a request is sent before the question counts as failed.
        concurrency (`int`, *optional*, defaults to 8): Maximum number of parallel requests.
        max_tokens (`int`, *optional*, defaults to 4096): Maximum length of an answer in tokens.
        temperature (`float`, *optional*, defaults to 0): Sampling temperature.
        first_wait (`float`, *optional*, defaults to 1): Seconds before the second try.

    Raises:
        PermanentError: If the router cannot be used because `HF_HUB_OFFLINE` is set, or there is no token.
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
        if endpoint is None:
            key = key or _router_token()
        self.name = model_name("chat", model)
        self._model = f"{model}:{provider}" if provider else model
        self._endpoint = endpoint or ROUTER
        self._client = ChatClient(self._endpoint, key, timeout)
        self._tries = tries
        self._max_tokens = max_tokens
        self._temperature = temperature
        self._first_wait = first_wait
        self._slots = threading.BoundedSemaphore(concurrency)
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._refused_fields: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"ChatPerceiver({self._model!r})"

    def check_server(self) -> None:
        """
        Asks for the list of models, and then a question of a few words, so that a dead server, a wrong key or an
        unknown model is noticed within `CHECK_SECONDS`. A server that is busy or still loads the model is only warned
        about.

        Raises:
            PermanentError: If the server does not answer, refuses the key, or does not know the model.
        """
        started = time.monotonic()
        try:
            self._client.list_models(CHECK_SECONDS)
        except ExchangeError as problem:
            # Not every server has a list of models; one that is busy or starting will be asked again.
            if problem.status == 0 or 300 <= problem.status < 400 or problem.status in (401, 402, 403):
                raise self._unusable(problem) from None
        left = max(1.0, CHECK_SECONDS - (time.monotonic() - started))
        question = [{"role": "user", "content": CHECK_QUESTION}]
        try:
            self._client.complete(left, model=self._model, messages=question, max_tokens=1)
        except ExchangeError as problem:
            if problem.is_lasting:
                raise self._unusable(problem) from None
            # Some models refuse the limit of tokens; the questions of the run leave it out then.
            if problem.status == 0 or problem.status >= 429:
                _LOG.warning(
                    "%s did not answer a short question (%s): it may be busy, or still load the model",
                    self._endpoint,
                    self._client.describe(problem),
                )

    def _unusable(self, problem: ExchangeError) -> PermanentError:
        message = self._client.describe(problem)
        return PermanentError(
            f"{self._endpoint} cannot be used: {message}; check --endpoint, the model and the API key"
        )

    def ask(self, question: Question) -> Answer:
        """
        Asks a question.

        Args:
            question (`Question`): The question.

        Returns:
            `Answer`: The text as received, with at most `MOST_CHARACTERS`, and its usage.

        Raises:
            TransientError: If the server did not answer in any try.
            RefusedError: If it refuses this question.
            PermanentError: If it will not answer any question.
        """
        started = time.perf_counter()
        call = _Call(_content(question), _response_format(question), self._refused_fields)
        completion = self._converse(call)
        if completion.finish_reason == "content_filter":
            raise RefusedError("the server's content filter withheld the answer", call.failures)
        seconds = time.perf_counter() - started
        usage = Usage(completion.prompt_tokens, completion.completion_tokens, seconds=seconds)
        text = completion.text[:MOST_CHARACTERS]
        is_cut_off = completion.finish_reason == "length" or len(text) < len(completion.text)
        return Answer(text, usage, tuple(call.failures), is_cut_off)

    def _converse(self, call: "_Call") -> Completion:
        """Sends a request until it is answered."""
        tries = 0
        while True:
            try:
                answer = self._send(call)
            except ExchangeError as problem:
                message = self._client.describe(problem)
                without_field = call.leave_out_field(problem.status, message)
                if not (without_field or problem.may_pass):
                    raise self._final_error(problem, message, call.failures) from None
                if without_field:
                    call.failures.append(message)
                    continue
                tries += 1
                wait = problem.retry_after
                if wait is None:
                    wait = min(LONGEST_WAIT, self._first_wait * 2 ** (tries - 1)) * random.uniform(0.5, 1)
                self._pause(wait)
                if tries >= self._tries or wait > LONGEST_OBEYED_WAIT:
                    raise TransientError(
                        f"{self.name} gave no answer in {tries} tries: {message}", call.failures
                    ) from None
                call.failures.append(message)
            else:
                with self._lock:
                    self._refused_fields |= call.refused_fields
                return answer

    def _send(self, call: "_Call") -> Completion:
        """Sends a request once, after the pause for all threads and when there is a free slot."""
        fields: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": "user", "content": call.content}],
            "max_tokens": self._max_tokens,
            "temperature": self._temperature,
            "response_format": call.response_format,
        }
        for name in call.refused_fields:
            del fields[name]
        if "max_tokens" in call.refused_fields:
            fields["max_completion_tokens"] = self._max_tokens
        with self._slots:
            time.sleep(max(0.0, self._not_before - time.monotonic()))
            return self._client.complete(**fields)

    def _pause(self, seconds: float) -> None:
        """Stops all threads from sending requests for a time in seconds."""
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + min(seconds, LONGEST_OBEYED_WAIT))

    def _final_error(self, problem: ExchangeError, message: str, failures: Sequence[str]) -> BackendError:
        if problem.is_lasting or _BLIND.search(message):
            return PermanentError(f"{self.name} cannot be asked: {message}", failures)
        return RefusedError(message, failures)


class _Call:
    """
    A question in progress.

    Args:
        content (`list[dict]`): The parts of the message.
        response_format (`dict`): The field of that name.
        refused_fields (`frozenset[str]`): Fields that the server does not accept.
    """

    def __init__(
        self, content: list[dict[str, Any]], response_format: dict[str, Any], refused_fields: frozenset[str]
    ) -> None:
        self.content = content
        self.response_format = response_format
        self.refused_fields = refused_fields
        self.failures: list[str] = []

    def leave_out_field(self, status: int, message: str) -> bool:
        """
        Leaves out a field that the server refuses: the one that it names, otherwise `response_format`, which many
        servers support in part or not at all.

        Args:
            status (`int`): Status of the response.
            message (`str`): The server's message.

        Returns:
            `bool`: Whether to send the request again.
        """
        if status not in (400, 422, 501):
            return False
        names = ("max_tokens", "temperature", "response_format")
        named = [name for name in names if name in message and name not in self.refused_fields]
        if not named and "response_format" not in self.refused_fields and not _BLIND.search(message):
            named = ["response_format"]
        self.refused_fields = self.refused_fields.union(named[:1])
        return bool(named)


def _router_token() -> str:
    if is_offline_mode():
        raise PermanentError(
            "HF_HUB_OFFLINE is set, so the Hugging Face router cannot be asked: unset it, or name your own server "
            "with --endpoint"
        )
    token = get_token()
    if token is None:
        raise PermanentError(
            "the Hugging Face router needs a token: run `hf auth login`, set HF_TOKEN, or name your own server with "
            "--endpoint"
        )
    return token


def _content(question: Question) -> list[dict[str, Any]]:
    """The parts of the message: every image after its number, then the prompt."""
    parts: list[dict[str, Any]] = []
    for number, image in enumerate(question.images, start=1):
        # Without chroma subsampling, which would blur thin coloured outlines.
        url = data_url(image, "jpeg", quality=JPEG_QUALITY, subsampling=0)
        parts.append({"type": "text", "text": f"Image {number}:"})
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return [*parts, {"type": "text", "text": question.prompt}]


def _response_format(question: Question) -> dict[str, Any]:
    schema = dict(question.schema)
    name = re.sub(r"[^A-Za-z0-9_-]", "_", str(schema.get("title", "answer")))[:64]
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}
