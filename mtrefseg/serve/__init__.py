# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""
Serving over the network: limits on requests, the model with its cache, and the HTTP API of `mtrefseg serve`. The
Gradio demo uses the first two as well.

`app.py` builds the API, `server.py` runs it. Both need the packages of `pip install mtrefseg[serve]`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServeOptions:
    """
    Limits and switches of the API.

    Args:
        queue (`int`): Requests that are processed at the same time, uploads included; further ones get 503.
        timeout (`float`): Seconds that a request may take, from its first byte to its masks.
        max_megabytes (`float`): Largest body of a request, in MB.
        max_sentences (`int`): Maximum number of sentences of a request.
        client_requests (`int`, *optional*): Maximum number of concurrent requests from one address; further ones get
            429. By default only `queue` applies.
        cache_megabytes (`float`): Memory for encoded pairs, in MB.
        allow_urls (`bool`): Whether images may be named by http(s) URLs on the public internet.
        auth_token (`str`, *optional*): Token that clients must send as "Authorization: Bearer TOKEN".
        batching (`bool`): Whether waiting requests about one pair are answered in one batch.
    """

    queue: int = 64
    timeout: float = 60.0
    max_megabytes: float = 48.0
    max_sentences: int = 64
    client_requests: int | None = None
    cache_megabytes: float = 256.0
    allow_urls: bool = False
    auth_token: str | None = None
    batching: bool = True

    @property
    def max_bytes(self) -> int:
        """`int`: Largest body of a request, in bytes."""
        return int(self.max_megabytes * 1_000_000)
