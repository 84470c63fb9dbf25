# Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"""Downloads images with limits on size and total time, and optionally from public addresses only."""

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor

from huggingface_hub.utils import httpx


DOWNLOAD_SECONDS = 60.0
"""Time limit of a complete download."""
MOST_DOWNLOADED_BYTES = 256 * 2**20
"""Maximum size of a download."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def download_image(url: str, most_bytes: int | None = None, public_only: bool = False) -> bytes:
    """
    Downloads a file. The HTTP client only limits the time of single reads, so a server that sends a byte now and then
    could block it forever. Therefore, the download runs in an event loop, which cancels it after `DOWNLOAD_SECONDS`.

    Args:
        url (`str`): http(s) URL; redirects are followed.
        most_bytes (`int`, *optional*, defaults to `MOST_DOWNLOADED_BYTES`): Maximum size.
        public_only (`bool`, *optional*, defaults to `False`):
            Whether hosts outside the public internet are rejected, also as targets of redirects. Servers that download
            URLs from unknown users need this. Proxies of the environment are not used then, since they would choose
            the address.

    Returns:
        `bytes`: The file.

    Raises:
        ValueError: If the file cannot be downloaded, takes longer than `DOWNLOAD_SECONDS`, is larger than
            `most_bytes`, or its host is rejected.
    """
    limit = MOST_DOWNLOADED_BYTES if most_bytes is None else most_bytes
    # In a separate thread, since the caller may already run an event loop, as notebooks do.
    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(asyncio.run, _download_in_time(url, limit, public_only)).result()
        except asyncio.TimeoutError as error:
            raise ValueError(f"the download took longer than {DOWNLOAD_SECONDS:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ValueError(str(error) or type(error).__name__) from error


class _PublicTransport(httpx.AsyncHTTPTransport):
    """Connects to exactly the address that was checked: a second DNS look-up could give another one."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"there is no host {host}") from error
        addresses = [str(entry[4][0]) for entry in found]
        if not all(map(_is_public, addresses)):
            raise httpx.UnsupportedProtocol(f"{host} is not on the public internet")
        # A new request, so relative redirects are still resolved against the original one. The header "Host"
        # keeps the name, which is also what the certificate is checked against.
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=addresses[0]),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return await super().handle_async_request(pinned)


def _is_public(text: str) -> bool:
    """Whether an IP address is on the public internet."""
    address = ipaddress.ip_address(text.split("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        # These carry an IPv4 address, to which a gateway may forward.
        carried = (address.ipv4_mapped, address.sixtofour, address.teredo)
        if any(inner is not None for inner in carried) or address in _NAT64:
            return False
    return address.is_global and not address.is_multicast


async def _download_in_time(url: str, limit: int, public_only: bool) -> bytes:
    return await asyncio.wait_for(_download(url, limit, public_only), DOWNLOAD_SECONDS)


async def _download(url: str, limit: int, public_only: bool) -> bytes:
    content = bytearray()
    # A compressed response could be small on the wire and endless in memory.
    headers = {"accept-encoding": "identity"}
    transport = _PublicTransport() if public_only else None
    async with (
        httpx.AsyncClient(
            timeout=None, follow_redirects=True, transport=transport, trust_env=not public_only
        ) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        response.raise_for_status()
        async for piece in response.aiter_raw():
            content += piece
            if len(content) > limit:
                raise ValueError(f"the file is larger than {limit >> 20:,} MiB")
    return bytes(content)


__all__ = ["DOWNLOAD_SECONDS", "MOST_DOWNLOADED_BYTES", "download_image"]
