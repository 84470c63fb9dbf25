# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Exchanges with a server of the OpenAI protocol, limited in time and size.

The `openai` client writes the requests. Its time limits hold for single reads, so a server that sends a byte now and
then could keep a request open for ever. Here every exchange runs in an event loop, where it can be cancelled at any
point when its time is over.
"""

import asyncio
import base64
import io
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai
from PIL import Image


MOST_BYTES = 8 * 2**20
"""Maximum size of a response. A list of differences takes a few kilobytes."""
MOST_PROBLEM_CHARACTERS = 300
"""Maximum length of a quoted error message."""
MOST_TOKENS = 2**53
"""Token counts beyond this are not believed; SQLite holds integers up to 2^63 - 1."""

_MAY_PASS = {408, 409, 425, 429}
_NEVER = {401, 402, 403, 404, 405, 407}


class ExchangeError(openai.OpenAIError):
    """
    An exchange without a usable answer.

    Args:
        status (`int`): HTTP status; 0 if there was no complete response of the protocol.
        message (`str`): What the server says, or what happened.
        retry_after (`float`, *optional*): Seconds after which the server wants to be asked again.
    """

    def __init__(self, status: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be answered later."""
        return self.status in {0, *_MAY_PASS} or self.status >= 500

    @property
    def is_lasting(self) -> bool:
        """Whether the server will not answer any request: a wrong key, an unknown model, a redirect."""
        return self.status in _NEVER or 300 <= self.status < 400

    def describe(self) -> str:
        """The message, with the status if it is that of a failure."""
        return str(self) if self.status in (0, 200) else f"HTTP {self.status}: {self}"


class UnreachableError(ExchangeError):
    """There is no connection to the server, or it was lost."""


class LateError(ExchangeError):
    """There was no complete response in time."""


class TooLongError(ExchangeError):
    """The response has more than `MOST_BYTES` bytes."""


@dataclass(frozen=True)
class Completion:
    """
    What is read of a chat completion.

    Args:
        text (`str`): The text of the message.
        finish_reason (`str`): Why it ends, such as "stop" or "length"; "" if the server does not say.
        prompt_tokens, completion_tokens (`int`): As the server counts them; 0 if it does not.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class ChatClient:
    """
    Sends requests and does not retry. Every method may be called from several threads at once.

    Args:
        base_url (`str`): URL of the server, such as "http://127.0.0.1:8000/v1".
        key (`str`, *optional*): API key. Without it, the server gets the word "none".
        timeout (`float`): Seconds that a whole exchange may take.
    """

    def __init__(self, base_url: str, key: str | None, timeout: float) -> None:
        self._timeout = timeout
        self._key = key
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=key or "none",
            # Exchanges are limited as a whole, see `_run`.
            timeout=None,
            max_retries=0,
            # A compressed response could be small on the wire and endless in memory.
            default_headers={"accept-encoding": "identity"},
            # A redirect could lead the images to another server.
            http_client=openai.DefaultAsyncHttpxClient(
                follow_redirects=False, event_hooks={"response": [_refuse_failure]}
            ),
        )
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True, name="chat-client").start()

    def complete(self, seconds: float | None = None, **fields: Any) -> Completion:
        """
        Asks for a chat completion.

        Args:
            seconds (`float`, *optional*): Time limit of this exchange; by default that of the client.
            **fields: The fields of the request, such as `model` and `messages`.

        Returns:
            `Completion`: The first choice.

        Raises:
            ExchangeError: If there is no usable answer.
        """
        request = self._client.chat.completions.with_streaming_response.create(**fields)
        return _parse(self._run(request, seconds or self._timeout))

    def list_models(self, seconds: float) -> None:
        """Requests the list of models with a time limit in seconds, to see whether the server answers; raises
        `ExchangeError` if it does not."""
        self._run(self._client.models.with_streaming_response.list(), seconds)

    def describe(self, problem: ExchangeError) -> str:
        """[`ExchangeError.describe`] without the API key, which some servers repeat."""
        message = problem.describe()
        return message.replace(self._key, "[key]") if self._key else message

    def _run(self, request: Any, seconds: float) -> bytes:
        """Sends a request; the body of a response with status 200."""

        async def exchange() -> bytes:
            async with request as response:
                return await _read(response)

        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(exchange(), seconds), self._loop)
        try:
            return future.result()
        except (asyncio.TimeoutError, TimeoutError) as error:
            raise LateError(0, f"no complete answer within {seconds:g} s") from error
        except openai.APIConnectionError as error:
            raise UnreachableError(0, _connection_problem(error.__cause__ or error)) from error
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise UnreachableError(0, _connection_problem(error)) from error
        except httpx2.InvalidURL as error:
            raise ExchangeError(404, f"the endpoint is not a URL: {error}") from error


def _connection_problem(error: BaseException) -> str:
    return f"the connection failed: {str(error) or type(error).__name__}"


def data_url(image: Image.Image, kind: str = "png", **options: Any) -> str:
    """
    Encodes an image for a message.

    Args:
        image (`PIL.Image.Image`): The image.
        kind (`str`, *optional*, defaults to `"png"`): Format of the file.
        **options: Further arguments of `PIL.Image.Image.save`.

    Returns:
        `str`: A URL that holds the image.
    """
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """
    Reads the header `Retry-After`, which holds seconds or a date.

    Args:
        headers (`Mapping[str, str]`): The headers of a response, with names in lower case or case-insensitive.

    Returns:
        `float` or `None`: Seconds from now, not negative; `None` if the header is missing or cannot be read.
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError, OSError):
            return None
    # "nan" is a number in Python.
    return max(0.0, seconds) if seconds == seconds else None


async def _refuse_failure(response: httpx2.Response) -> None:
    """Turns responses with an error status into `ExchangeError`, before the client reads them without limit."""
    if response.status_code == 200:
        return
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > 10 * MOST_PROBLEM_CHARACTERS:
            break
    raise ExchangeError(response.status_code, _complaint(body), retry_after(response.headers))


async def _read(response: Any) -> bytes:
    body = bytearray()
    async for piece in response.iter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            raise TooLongError(200, f"the response has more than {MOST_BYTES} bytes")
    return bytes(body)


def _parse(body: bytes) -> Completion:
    """Reads what is needed, with the types of the protocol; whatever else the response holds does not matter."""
    try:
        content = json.loads(body)
        choice = content["choices"][0]
        text, finish_reason = _text(choice["message"].get("content")), choice.get("finish_reason")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        # Some routers report failures with status 200.
        raise ExchangeError(0, f"not a chat completion: {_complaint(body)}") from error
    usage = content.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Completion(
        text=text,
        finish_reason=finish_reason if isinstance(finish_reason, str) else "",
        prompt_tokens=_count(counts.get("prompt_tokens")),
        completion_tokens=_count(counts.get("completion_tokens")),
    )


def _text(content: Any) -> str:
    """The text of a message; some servers send it in parts."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    if content is None or isinstance(content, str):
        return content or ""
    raise TypeError(f"content is {type(content).__name__}")


def _count(value: Any) -> int:
    return value if type(value) is int and 0 < value <= MOST_TOKENS else 0


def _complaint(body: bytes) -> str:
    """The error message in a response, on one line. Servers put it under different names."""
    text = body.decode("utf-8", "replace")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = text
    for name in ("error", "detail", "message"):
        if isinstance(content, dict) and content.get(name):
            content = content[name]
    words = content if isinstance(content, str) else json.dumps(content)
    # JSON can hold surrogates, which are no text.
    words = words[: 10 * MOST_PROBLEM_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    return " ".join(words.split())[:MOST_PROBLEM_CHARACTERS] or "no reason given"
