# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
How a chat request travels: one HTTP exchange, bounded in time and in size.

`huggingface_hub.InferenceClient` writes the request: its address, headers and fields for endpoints, for the Hub's
router and for each provider. This module sends it.
"""

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from huggingface_hub import InferenceClient
from huggingface_hub.utils import httpx


MOST_BYTES = 8 * 2**20
"""Size of an answer's whole body. A list of differences takes a few kilobytes."""
MOST_PROBLEM_CHARACTERS = 300
"""How much of a server's complaint is quoted."""


class ExchangeError(Exception):
    """
    An exchange without a usable answer.

    Args:
        status (`int`): HTTP status; 0 if the server did not get as far as sending one.
        message (`str`): What the server says, or what happened.
        retry_after (`float`, *optional*): Seconds after which the server wants to be asked again.
    """

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class TooLongError(ExchangeError):
    """The answer has more than `MOST_BYTES` bytes."""


class ChatClient(InferenceClient):
    """
    An `InferenceClient` for chat that sends one bounded request and does not retry.

    It differs from its base class in four ways: a slow trickle cannot outlast the timeout; a body that never ends is
    cut off; `HF_HUB_OFFLINE`, which is about the Hub, does not keep a server of the user's own from being asked; and
    `response_format` reaches such a server as the caller wrote it.

    Args:
        session (`httpx.Client`): Sends the requests; it is shared between threads.
        timeout (`float`): Seconds that one exchange may take in all.
        response_format (`dict`, *optional*): The field of that name, in the words of the OpenAI protocol.
        **kwargs: Further arguments of `InferenceClient`.
    """

    def __init__(
        self, session: "httpx.Client", timeout: float, response_format: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        self._session = session
        self._seconds = timeout
        self._response_format = response_format

    def _inner_post(  # type: ignore[override] # Only `chat_completion` is called, and never to stream.
        self, request_parameters: Any, *, stream: bool = False
    ) -> bytes:
        """Sends what the base class prepared; raises `ExchangeError`."""
        # For an address of one's own the base class writes the dialect of one particular server.
        if self._response_format is not None:
            request_parameters.json["response_format"] = self._response_format
        deadline = time.monotonic() + self._seconds
        try:
            with self._session.stream(
                "POST",
                request_parameters.url,
                json=request_parameters.json,
                # A compressed body could be small on the wire and endless in memory.
                headers={**request_parameters.headers, "accept-encoding": "identity"},
                timeout=self._seconds,
            ) as response:
                body = _read(response, deadline, self._seconds)
        except httpx.TimeoutException as error:
            raise ExchangeError(0, f"no answer within {self._seconds:g} s") from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise ExchangeError(0, f"the connection failed: {error or type(error).__name__}") from error
        except httpx.InvalidURL as error:
            raise ExchangeError(404, f"the endpoint is no address: {error}") from error
        if response.status_code != 200:
            text = body[: 10 * MOST_PROBLEM_CHARACTERS].decode("utf-8", "replace")
            raise ExchangeError(response.status_code, _complaint(text), retry_after(response.headers))
        return _essence(body)


def _read(response: "httpx.Response", deadline: float, seconds: float) -> bytes:
    """The body, or as much of a failed one as can be quoted."""
    pieces, size = [], 0
    for piece in response.iter_bytes():
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > deadline:
            raise ExchangeError(0, f"the answer was not complete within {seconds:g} s")
        if size > MOST_BYTES:
            if response.status_code != 200:
                break
            raise TooLongError(200, f"the answer has more than {MOST_BYTES} bytes")
    return b"".join(pieces)


def _essence(body: bytes) -> bytes:
    """What is read of an answer, and nothing else, with the types that the protocol has. The base class would fail in
    many ways on the rest."""
    try:
        content = json.loads(body)
        choice = content["choices"][0]
        message = choice["message"]
        text, finish_reason = _text(message.get("content")), choice.get("finish_reason")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        # Some routers report a failure with status 200.
        raise ExchangeError(0, f"no chat answer: {_complaint(body.decode('utf-8', 'replace'))}") from error
    usage = content.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return json.dumps(
        {
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": finish_reason if isinstance(finish_reason, str) else "",
                }
            ],
            "usage": {name: _count(counts.get(name)) for name in ("prompt_tokens", "completion_tokens")},
        }
    ).encode()


def _text(content: Any) -> str:
    """The words of a message, which some servers send in parts."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    if content is None or isinstance(content, str):
        return content or ""
    raise TypeError(f"content is {type(content).__name__}")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _complaint(body: str) -> str:
    """What an error's body says, in one line. Servers put it under different names."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = body
    for name in ("error", "detail", "message"):
        if isinstance(content, dict) and content.get(name):
            content = content[name]
    words = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return " ".join(words.split())[:MOST_PROBLEM_CHARACTERS] or "no reason given"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """
    Reads the header `Retry-After`, which holds seconds or a date.

    Args:
        headers (`Mapping[str, str]`): The headers of a response; names in lower case, or of any case in `httpx`.

    Returns:
        `float` or `None`: Seconds from now, not below 0; `None` if there is no such header or it cannot be read.
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    # "nan" is a number to Python.
    return max(0.0, seconds) if seconds == seconds else None
