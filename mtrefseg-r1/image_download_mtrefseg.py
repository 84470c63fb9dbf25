# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Downloads images, limited in size and in total time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from huggingface_hub.utils import httpx


DOWNLOAD_SECONDS = 60.0
"""Time limit of a whole download."""
MOST_DOWNLOADED_BYTES = 256 * 2**20
"""Maximum size of a download."""


def download_image(url: str) -> bytes:
    """
    Downloads a file. The client's own time limits hold for single reads, so a server that sends a byte now and then
    could hold it for ever; here the download runs in an event loop, where it is cancelled when its time is over.

    Args:
        url (`str`): http(s) URL; redirects are followed.

    Returns:
        `bytes`: The file, at most `MOST_DOWNLOADED_BYTES`.

    Raises:
        ValueError: If the file cannot be downloaded, takes longer than `DOWNLOAD_SECONDS`, or is larger than
            `MOST_DOWNLOADED_BYTES`.
    """
    # A thread of its own: the caller, such as a notebook, may run an event loop itself.
    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(asyncio.run, _download_in_time(url)).result()
        except asyncio.TimeoutError as error:
            raise ValueError(f"the download took longer than {DOWNLOAD_SECONDS:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ValueError(str(error) or type(error).__name__) from error


async def _download_in_time(url: str) -> bytes:
    return await asyncio.wait_for(_download(url), DOWNLOAD_SECONDS)


async def _download(url: str) -> bytes:
    content = bytearray()
    # A compressed response could be small on the wire and endless in memory.
    headers = {"accept-encoding": "identity"}
    async with (
        httpx.AsyncClient(timeout=None, follow_redirects=True) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        response.raise_for_status()
        async for piece in response.aiter_raw():
            content += piece
            if len(content) > MOST_DOWNLOADED_BYTES:
                raise ValueError(f"the file is larger than {MOST_DOWNLOADED_BYTES >> 20:,} MiB")
    return bytes(content)


__all__ = ["DOWNLOAD_SECONDS", "MOST_DOWNLOADED_BYTES", "download_image"]
